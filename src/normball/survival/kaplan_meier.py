"""The survival curves of groups of rows, without a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from normball.survival.baseline import last_seen
from normball.survival.risk_sets import risk_sets
from normball.survival.target import Floats, SurvivalTarget


@dataclass(frozen=True)
class KaplanMeier:
    """The survival curve of one group of rows (Kaplan & Meier 1958).

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        The distinct times of events.
    survival : ndarray, shape (n_times,)
        The probability of no event up to and including each of them; 1 before the first.
    at_risk, events : ndarray, shape (n_times,)
        The weights of those at risk just before, and of the events.
    end : float
        The last time at which anybody was seen.
    """

    times: Floats
    survival: Floats
    at_risk: Floats
    events: Floats
    end: float

    def at(self, times: ArrayLike) -> Floats:
        """The probability at some times; NaN beyond the last one that was seen."""
        asked = np.asarray(times, dtype=float)
        steps = np.concatenate([[1.0], self.survival])[np.searchsorted(self.times, asked, side="right")]
        return np.where(asked > self.end, np.nan, steps)

    def quantile(self, probability: float) -> float:
        """The time by which the event has happened with some probability; 0.5 gives the median.

        Where the curve is flat at that height it is the middle between the two ends, as in R; infinite where the
        curve stays above it.
        """
        if not 0 < probability < 1:
            raise ValueError(f"probability is {probability!r}, but must lie between 0 and 1")
        height, rounding = 1 - probability, 1e-8
        reached = np.flatnonzero(self.survival <= height + rounding)
        if not len(reached):
            return np.inf
        first = int(reached[0])
        if self.survival[first] < height - rounding:
            return float(self.times[first])
        below = np.flatnonzero(self.survival < height - rounding)
        until = self.times[below[0]] if len(below) else self.end
        return float((self.times[first] + until) / 2)


def kaplan_meier(target: SurvivalTarget, weights: ArrayLike | None = None) -> tuple[KaplanMeier, ...]:
    """The survival curve of each stratum of a target, for which any groups of rows may be taken.

    Parameters
    ----------
    target : SurvivalTarget
        Without missing rows; entry after the beginning is taken into account.
    weights : array_like, shape (n_rows,), optional
        Weights of the rows, by default 1.

    Returns
    -------
    tuple of KaplanMeier
        One for each stratum, in the order of ``target.stratum_names``.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0]), np.array([True, False, True]))
    >>> kaplan_meier(target)[0].survival.round(3)
    array([0.667, 0.   ])
    """
    w = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=float)
    sets = risk_sets(target, w)
    at_risk, events = sets.over_rows(w), sets.over_events(w)
    ends = last_seen(target, w)
    curves = []
    for stratum in range(target.n_strata):
        own = sets.of_stratum(stratum)
        left = np.asarray(np.cumprod(1 - events[own] / at_risk[own]), dtype=np.float64)
        curves.append(KaplanMeier(sets.times[own], left, at_risk[own], events[own], float(ends[stratum])))
    return tuple(curves)


def numbers_at_risk(target: SurvivalTarget, times: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """The weights (n_strata, n_times) of those at risk just before some times, for the table below the curves."""
    w = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=float)
    asked = np.asarray(times, dtype=float)
    start = np.full(len(target), -np.inf) if target.start is None else target.start
    result = np.zeros((target.n_strata, len(asked)))
    for column, at in enumerate(asked):
        result[:, column] = np.bincount(target.codes, w * ((start < at) & (at <= target.stop)), target.n_strata)
    return result
