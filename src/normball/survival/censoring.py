"""The probability of not being censored, for weights that undo the censoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normball.survival.risk_sets import RiskSets, risk_sets
from normball.survival.target import Floats, Places, SurvivalTarget


@dataclass(frozen=True)
class CensoringCurve:
    """Kaplan & Meier's curve of the time to censoring, of each stratum; events come before censoring at equal times.

    Attributes
    ----------
    sets : RiskSets
        The distinct times of censoring.
    probability : ndarray, shape (n_times,)
        Of not being censored up to and including each of them.
    """

    sets: RiskSets
    probability: Floats

    @classmethod
    def fit(cls, target: SurvivalTarget, weights: Floats) -> CensoringCurve:
        """The curve of a target without late entry.

        Raises
        ------
        ValueError
            If the target has late entry: those who entered late could not be censored before.
        """
        if target.start is not None:
            raise ValueError("weights for censoring are not defined for a target (start, stop, event)")
        sets = risk_sets(SurvivalTarget(target.stop, ~target.event, None, target.strata, target.stratum_names), weights)
        censored = sets.over_events(weights)
        # those whose event is at the same time have left already
        gone = np.zeros(len(sets.times))
        ends = np.flatnonzero(target.event & (weights > 0) & (sets.last > sets.first))
        at = sets.last[ends] - 1
        np.add.at(gone, at, np.where(sets.times[at] == target.stop[ends], weights[ends], 0.0))
        kept = 1 - censored / (sets.over_rows(weights) - gone)
        slices = [sets.of_stratum(stratum) for stratum in range(target.n_strata)]
        return cls(sets, np.concatenate([np.cumprod(kept[own]) for own in slices]))

    def before(self, times: Floats, strata: Places) -> Floats:
        """The probability of not being censored before each time, in each stratum."""
        return self._at(times, strata, "left")

    def after(self, times: Floats, strata: Places) -> Floats:
        """The probability of not being censored up to and including each time, in each stratum."""
        return self._at(times, strata, "right")

    def _at(self, times: Floats, strata: Places, side: str) -> Floats:
        result = np.empty(len(times))
        for stratum in np.unique(strata):
            own, asked = self.sets.of_stratum(stratum), strata == stratum
            curve = np.concatenate([[1.0], self.probability[own]])
            result[asked] = curve[np.searchsorted(self.sets.times[own], times[asked], side=side)]  # type: ignore[call-overload]
        return result
