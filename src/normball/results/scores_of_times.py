"""The scores of a model of survival on other rows, under many weightings of these."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.family import Family
from normball.results.arrays import Array
from normball.results.evaluation import AT_HORIZON, JudgedRows
from normball.survival.baseline import Baseline
from normball.survival.brier import integrated_by_weighting, times_to_integrate
from normball.survival.concordance import concordance_by_weighting
from normball.survival.target import SurvivalTarget
from normball.survival.terms import deviances_of_events
from normball.weighted_scores import ByWeighting

if TYPE_CHECKING:
    from normball.results.fit import Fit


def judged_times(
    fit: Fit,
    target: SurvivalTarget,
    eta: Array,
    null_eta: Array | None,
    weights: Array,
    groups: NDArray[np.intp] | None,
    *,
    horizon: float | None,
) -> JudgedRows:
    """Rows with such a target and their linear predictors; the model without features has a curve of its own."""
    assert fit.baseline is not None
    family = find_family(fit.family)
    scores = scores_of_times(family, target, weights, eta, fit.baseline, horizon)
    null_scores = {}
    if null_eta is not None:
        baseline = fit.baseline.without_features()
        null_scores = scores_of_times(family, target, weights, null_eta, baseline, horizon)
    return JudgedRows(scores, null_scores, weights, groups, len(target))


def scores_of_times(
    family: Family,
    target: SurvivalTarget,
    weights: Array,
    eta: Array,
    baseline: Baseline | None,
    horizon: float | None = None,
) -> dict[str, ByWeighting]:
    """The scores that `family` tells, as far as the rows have them.

    With late entry the probability of not being censored is not known, so that there is neither Uno's concordance nor
    a Brier score; without a `baseline` there is no Brier score. At a `horizon` there is one more of these, undefined
    where no row was seen beyond it.
    """
    makers: dict[str, ByWeighting] = {
        "concordance": partial(concordance_by_weighting, target, eta),
        "deviance": partial(_mean_of_events, target.event, deviances_of_events(target, eta, weights, family.ties)),
    }
    if target.start is None:
        makers["uno"] = partial(concordance_by_weighting, target, eta, kind="uno")
        times = times_to_integrate(target, weights)
        if baseline is not None and times.size:
            curves = baseline.without_end().survival(times, eta, target.codes)
            makers["brier"] = partial(integrated_by_weighting, target, curves, times)
        if baseline is not None and horizon is not None:
            at = np.array([horizon])
            makers[AT_HORIZON] = partial(_up_to, target, baseline.without_end().survival(at, eta, target.codes), at)
    return {name: makers[name] for name in family.told if name in makers}


def _up_to(target: SurvivalTarget, survival: Array, time: Array, weightings: Array) -> Array:
    """The Brier score at one time."""
    beyond = weightings @ (target.stop > time) > 0
    return np.where(beyond, integrated_by_weighting(target, survival, time, weightings), np.nan)


def _mean_of_events(events: NDArray[np.bool_], values: Array, weightings: Array) -> Array:
    """The mean of what events have; other weights change how often each counts, and not who was at risk then.

    Were risk sets made of the rows of a bootstrap sample, a row drawn twice would have half of the others beside it.
    """
    total = weightings @ events
    return np.asarray(np.divide(weightings @ values, total, out=np.full_like(total, np.nan), where=total > 0))
