"""How the models of a fold rank and foresee the times of the rows that it holds out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.hazards import hazard_without_features
from normball.scores import OF_CENSORED
from normball.survival.baseline import Baseline, fit_baseline, fit_baselines
from normball.survival.brier import integrated_by_weighting, times_to_integrate
from normball.survival.censoring import CensoringCurve
from normball.survival.concordance import concordances
from normball.survival.target import SurvivalTarget, Ties

if TYPE_CHECKING:
    from normball.inputs.prepare import Data
    from normball.scores import Score

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


def check_times(score: Score, data: Data) -> None:
    """Raise a ValueError where a target does not tell what a score needs."""
    if data.survival is not None and data.survival.start is not None and score.name in OF_CENSORED:
        text = f'score="{score.name}" needs the probability of not being censored, which rows that come under '
        raise ValueError(f'{text}observation late (start, stop, event) do not tell: use "deviance" or "concordance"')


def judge_of(score: Score, data: Data) -> Judge:
    """What judges held-out rows by a score; the probability of not being censored is always that of all rows."""
    assert data.survival is not None
    if score.name == "brier":
        together = SurvivalTarget(data.survival.stop, data.survival.event)
        curve = CensoringCurve.fit(together, data.weights)
        times, ties = times_to_integrate(data.survival, data.weights), find_family(data.family).ties
        return Foresight(data.survival, data.weights, ties, curve, times)
    factors = None
    if score.name == "uno":
        curve = CensoringCurve.fit(data.survival, data.weights)
        before = curve.before(data.survival.stop, data.survival.codes)
        counts = data.survival.event & (data.weights > 0)
        factors = np.divide(1.0, before**2, out=np.zeros_like(before), where=counts)
    return Ranking(data.survival, data.weights, factors)


@dataclass(frozen=True)
class Judge(ABC):
    """Judges held-out rows of a target with these weights."""

    target: SurvivalTarget
    weights: Array

    @abstractmethod
    def of_models(self, kept: Array, test: Rows, eta: Array) -> Array:
        """The score (m,) by the weights (n,) in training and the linear predictors (n, m) of all rows."""

    def without_features(self, kept: Array, test: Rows, offset: Array) -> float:
        """That of the model without features, which has the offset alone."""
        return float(self.of_models(kept, test, offset[:, None])[0])


@dataclass(frozen=True)
class Ranking(Judge):
    """Concordance among the held-out rows of each stratum; `factors` (n,) multiply the pairs of each event."""

    factors: Array | None

    def of_models(self, kept: Array, test: Rows, eta: Array) -> Array:
        """Those of training do not matter."""
        factors = None if self.factors is None else self.factors[test]
        return concordances(self.target.take(test), eta[test], self.weights[test], factors)


@dataclass(frozen=True)
class Foresight(Judge):
    """The integrated Brier score of the survival that training rows give."""

    ties: Ties
    censoring: CensoringCurve
    times: Array

    def of_models(self, kept: Array, test: Rows, eta: Array) -> Array:
        """Each model with its own baseline."""
        found = fit_baselines(self.target, eta, kept, self.ties)
        return np.array([self._of(found[k], test, column) for k, column in enumerate(eta.T)])

    def without_features(self, kept: Array, test: Rows, offset: Array) -> float:
        """Kaplan & Meier's curve of the training rows, or with an offset what that leaves."""
        baseline = fit_baseline(self.target, offset, kept, self.ties)
        log_hazards = hazard_without_features(self.target, offset, kept, self.ties)
        return self._of(replace(baseline, log_hazards=log_hazards), test, offset)

    def _of(self, baseline: Baseline, test: Rows, eta: Array) -> float:
        if not self.times.size:
            return float("nan")
        target = self.target.take(test)
        curves = baseline.without_end().survival(self.times, eta[test], target.codes)
        asked = self.weights[None, test]
        return float(integrated_by_weighting(target, curves, self.times, asked, self.censoring)[0])
