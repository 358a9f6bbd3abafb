"""Times to an event: survival of groups of rows with like risks, all held out, and what the model said of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.fitted_rows import FittedRows
from normball.evidence.held_out import GROUPS, groups_of_like
from normball.evidence.listed import plain
from normball.survival.horizon import horizons
from normball.survival.kaplan_meier import KaplanMeier, kaplan_meier, numbers_at_risk
from normball.survival.target import SurvivalTarget

Array = NDArray[np.float64]
Places = NDArray[np.intp]

THIRDS = 3
MOST_TIMES = 60  # at which curves are told
TICKS = 6  # of the axis of time, at most
EVENTS_OF_A_GROUP = 10  # up to the horizon, for the calibration
DIGITS = 4
DIGITS_OF_TIMES = 7  # everywhere the same, so that times that are equal stay so
PARTS = ("predicted", "observed", "se", "counts", "events")  # of a calibration


def of_times(rows: FittedRows, held_out: Array | None, asked: float | None) -> dict[str, Any] | None:
    """Kaplan-Meier curves of thirds of the rows by predicted risk, and survival as predicted up to some times.

    These are the "horizons"; the page opens with that at the place "horizon", which is the time that was `asked` for
    or the median time of the events, and "reached" are the shares of the events by each. Curves stand at some "times",
    the numbers of rows at risk at the "ticks", both by the indices of lambda in "at". Without predictions of held-out
    rows there are no curves.
    """
    target = rows.survival
    if target is None:
        return None
    until, reached, opened = horizons(target, rows.weights, asked)
    told = {"horizons": plain(until, DIGITS_OF_TIMES), "reached": plain(reached, DIGITS), "horizon": opened}
    if held_out is None:
        return {**told, "curves": None, "calibration": None}
    at = rows.some(rows.n_few)
    times, ticks = _times(target, rows.counted, until), axis_ticks(target)
    curves: dict[str, list[Any]] = {name: [] for name in ("survival", "ends", "medians", "at_risk", "events")}
    parts: list[dict[str, list[Any]]] = [{name: [] for name in PARTS} for _ in until]
    for index in at:
        eta = held_out[:, index]
        known = np.isfinite(eta) & rows.counted
        some = target.take(np.flatnonzero(known))
        for name, values in _curves(some, eta[known], rows.weights[known], times, ticks).items():
            curves[name].append(values)
        for time, part in zip(until, parts, strict=True):
            for name, values in _calibration(rows, index, some, eta[known], known, float(time)).items():
                part[name].append(values)
    stored = {"times": plain(times, DIGITS_OF_TIMES), "ticks": plain(ticks), **curves}
    return {**told, "at": at, "curves": stored, "calibration": parts}


def _curves(target: SurvivalTarget, eta: Array, weights: Array, times: Array, ticks: Array) -> dict[str, Any]:
    """The thirds by risk, the lowest first; fewer groups where risks are the same."""
    group = groups_of_like(eta, weights, THIRDS)
    grouped = _in_groups(target, group)
    each = kaplan_meier(grouped, weights)
    asked = np.where(ticks == 0.0, np.nextafter(0.0, 1.0), ticks)  # who begins at 0 is there from then on
    return {
        "survival": plain([one.at(times) for one in each], DIGITS),
        "ends": plain([one.end for one in each], 6),
        "medians": plain([one.quantile(0.5) for one in each], 6),
        "at_risk": plain(numbers_at_risk(grouped, asked).astype(np.int64)),
        "events": np.bincount(group, target.event).astype(int).tolist(),
    }


def _calibration(
    rows: FittedRows, index: int, target: SurvivalTarget, eta: Array, known: NDArray[np.bool_], until: float
) -> dict[str, Any]:
    """Predicted survival up to one time and that of Kaplan and Meier in groups with like predictions."""
    assert rows.path.baselines is not None
    predicted = rows.path.baselines[index].survival([until], eta, target.codes)[:, 0]
    seen = np.flatnonzero(np.isfinite(predicted))  # nothing is known beyond the last time of a stratum
    predicted, target, weights = predicted[seen], target.take(seen), rows.weights[known][seen]
    n_early = np.count_nonzero(target.event & (target.stop <= until))
    group = groups_of_like(-predicted, weights, int(np.clip(n_early // EVENTS_OF_A_GROUP, 2, GROUPS)))
    each = kaplan_meier(_in_groups(target, group), weights)
    total = np.bincount(group, weights)
    effective = total / np.bincount(group, weights**2)  # makes of weights numbers of rows that say as much
    observed = np.array([float(one.at([until])[0]) for one in each])
    errors = np.array([_greenwood(one, until, scale) for one, scale in zip(each, effective, strict=True)])
    return {
        "predicted": plain(np.bincount(group, weights * predicted) / total, DIGITS),
        "observed": plain(observed, DIGITS),
        "se": plain(np.where(np.isfinite(observed), observed * errors, np.nan), DIGITS),
        "counts": np.bincount(group).tolist(),
        "events": np.bincount(group, target.event & (target.stop <= until)).astype(int).tolist(),
    }


def _greenwood(curve: KaplanMeier, until: float, scale: float) -> float:
    """The standard error of the logarithm of a survival curve (Greenwood 1926); 0 where nobody is left."""
    early = curve.times <= until
    events, at_risk = scale * curve.events[early], scale * curve.at_risk[early]
    left = at_risk - events
    steps = np.divide(events, at_risk * left, out=np.zeros_like(left), where=left > 1e-9 * at_risk)
    return math.sqrt(float(steps.sum()))


def _in_groups(target: SurvivalTarget, group: Places) -> SurvivalTarget:
    """The target with these groups for its strata."""
    return replace(target, strata=group, stratum_names=tuple(range(int(group.max(initial=0)) + 1)))


def _times(target: SurvivalTarget, counted: NDArray[np.bool_], until: Array) -> Array:
    """The times of events, or so many of them evenly by rank and the horizons."""
    times = np.unique(target.stop[target.event & counted])
    places = np.linspace(0, len(times) - 1, min(len(times), MOST_TIMES)).round().astype(int)
    return np.union1d(times[places], until)


def axis_ticks(target: SurvivalTarget) -> Array:
    """Round times from the beginning to the last one, at most so many.

    Examples
    --------
    >>> axis_ticks(SurvivalTarget(np.array([3.0, 999.0]), np.array([True, False])))
    array([  0., 200., 400., 600., 800.])
    """
    first = min(0.0, float(np.min(target.stop if target.start is None else target.start)))
    last = float(np.max(target.stop))
    rough = (last - first) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(size for size in (1, 2, 5, 10) if size * power >= rough * (1 - 1e-9))
    return np.asarray(step * np.arange(math.ceil(first / step), math.floor(last / step) + 1), dtype=np.float64)
