"""The probability of not being censored, for weights that undo the censoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normball.survival.target import Floats, Places, SurvivalTarget


@dataclass(frozen=True)
class CensoringCurve:
    """Kaplan & Meier's curve of the time to censoring, of each stratum; events come before censoring at equal times.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        The distinct times of censoring, stratum by stratum, increasing in each.
    strata : ndarray of intp, shape (n_times,)
        The stratum of each time; never decreasing.
    probability : ndarray, shape (n_times,), or of several weightings (n_weightings, n_times)
        Of not being censored up to and including each of them.
    """

    times: Floats
    strata: Places
    probability: Floats

    @classmethod
    def fit(cls, target: SurvivalTarget, weights: Floats) -> CensoringCurve:
        """The curve of a target without late entry, with weights (n_rows,), or under each of (n_weightings, n_rows).

        Raises
        ------
        ValueError
            If the target has late entry: those who entered late could not be censored before.
        """
        if target.start is not None:
            raise ValueError("weights for censoring are not defined for a target (start, stop, event)")
        order = np.lexsort((~target.event, target.stop, target.codes))
        stop, codes, censored = target.stop[order], target.codes[order], ~target.event[order]
        ends = np.flatnonzero(np.append((stop[1:] != stop[:-1]) | (codes[1:] != codes[:-1]), True)) + 1
        # where the rows begin that are censored at the time which ends there
        firsts = ends - np.diff(np.concatenate([[0], np.cumsum(censored)[ends - 1]]))
        firsts, ends = firsts[firsts < ends], ends[firsts < ends]
        at_risk = np.zeros((*weights.shape[:-1], len(order) + 1))
        kept = np.ones((*weights.shape[:-1], len(ends)))
        for stratum in np.unique(codes):
            low, high = np.searchsorted(codes, [stratum, stratum + 1])
            at_risk[..., low:high] = np.cumsum(weights[..., order[low:high]][..., ::-1], axis=-1)[..., ::-1]
            at_risk[..., high] = 0.0
            own = slice(*np.searchsorted(ends, [low, high], side="right"))
            before, after = at_risk[..., firsts[own]], at_risk[..., ends[own]]
            left = np.divide(after, before, out=np.ones_like(before), where=before > 0)
            kept[..., own] = np.cumprod(left, axis=-1)
        return cls(stop[firsts], codes[firsts], kept)

    def before(self, times: Floats, strata: Places) -> Floats:
        """The probability of not being censored before each time, in each stratum; of each weighting."""
        return self._at(times, strata, "left")

    def after(self, times: Floats, strata: Places) -> Floats:
        """The probability of not being censored up to and including each time, in each stratum; of each weighting."""
        return self._at(times, strata, "right")

    def _at(self, times: Floats, strata: Places, side: str) -> Floats:
        result = np.empty((*self.probability.shape[:-1], len(times)))
        for stratum in np.unique(strata):
            own, asked = slice(*np.searchsorted(self.strata, [stratum, stratum + 1])), strata == stratum
            curve = self.probability[..., own]
            curve = np.concatenate([np.ones((*curve.shape[:-1], 1)), curve], axis=-1)
            place: Places = np.searchsorted(self.times[own], times[asked], side=side)  # type: ignore[call-overload]
            result[..., asked] = curve[..., place]
        return result
