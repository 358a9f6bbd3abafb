"""The hazard at linear predictor 0, and what it says of rows with another one: curves and quantiles of the time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from normball.survival.risk_sets import risk_rows, risk_sets
from normball.survival.target import Floats, Places, SurvivalTarget, Ties, check_ties

_LOSSES: dict[Ties, str] = {"efron": "cox", "breslow": "cox(breslow)"}  # as the native code calls them


@dataclass(frozen=True)
class Baseline:
    """The cumulative baseline hazard of a proportional hazards model, a step function for each stratum.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        The distinct times of events, stratum by stratum, increasing in each; in the unit of the target.
    log_hazards : ndarray, shape (n_times,)
        The logarithm of the cumulative hazard from each of these times on, for a row with linear predictor 0.
    strata : ndarray of intp, shape (n_times,)
        The stratum of each time; never decreasing.
    ends : ndarray, shape (n_strata,)
        The last time at which anybody of a stratum was seen: nothing is known beyond; -inf where nobody was.
    stratum_names : tuple
        What the strata are called; empty where there is one.
    null : ndarray, shape (n_times,), or None
        The same logarithm of a model without features; None where that is not known (files of earlier versions).
    """

    times: Floats
    log_hazards: Floats
    strata: Places
    ends: Floats
    stratum_names: tuple[Any, ...] = ()
    null: Floats | None = None

    def cumulative_hazard(self, times: ArrayLike, eta: ArrayLike, strata: ArrayLike | None = None) -> Floats:
        """The cumulative hazard of rows at some times.

        Parameters
        ----------
        times : array_like, shape (n_times,)
            In the unit of the target.
        eta : array_like, shape (n_rows,)
            The linear predictors, offset and all, as they were for the fit: not centred.
        strata : array_like of int, shape (n_rows,), optional
            The stratum of each row; by default all are in the first one.

        Returns
        -------
        ndarray, shape (n_rows, n_times)
            Zero before the first event; NaN beyond the last time at which anybody of the stratum was seen.

        Examples
        --------
        >>> hazards = np.array([0.1, 0.3])
        >>> baseline = Baseline(np.array([2.0, 5.0]), np.log(hazards), np.zeros(2, dtype=int), np.array([9.0]))
        >>> baseline.cumulative_hazard([1, 2, 6, 10], [0.0, np.log(2)])
        array([[0. , 0.1, 0.3, nan],
               [0. , 0.2, 0.6, nan]])
        """
        at, linear = np.asarray(times, dtype=float), np.asarray(eta, dtype=float)
        codes = np.zeros(len(linear), dtype=np.intp) if strata is None else np.asarray(strata)
        result = np.empty((len(linear), len(at)))
        for stratum in np.unique(codes):
            own, rows = self._of(stratum), codes == stratum
            steps = np.concatenate([[-np.inf], self.log_hazards[own]])
            with np.errstate(over="ignore"):
                result[rows] = np.exp(steps[np.searchsorted(self.times[own], at, side="right")] + linear[rows, None])
            result[np.ix_(rows, at > self.ends[stratum])] = np.nan
        return result

    def survival(self, times: ArrayLike, eta: ArrayLike, strata: ArrayLike | None = None) -> Floats:
        """The probability (n_rows, n_times) of no event up to and including each time: exp(-cumulative hazard)."""
        return np.exp(-self.cumulative_hazard(times, eta, strata))

    def quantile(self, probability: float, eta: ArrayLike, strata: ArrayLike | None = None) -> Floats:
        """The time by which the event has happened with some probability.

        Parameters
        ----------
        probability : float
            Between 0 and 1; 0.5 gives the median time.
        eta, strata
            As in `cumulative_hazard`.

        Returns
        -------
        ndarray, shape (n_rows,)
            The first time at which survival is at most ``1 - probability``; infinite where it stays above that for
            as long as anybody was seen.

        Raises
        ------
        ValueError
            If the probability is not between 0 and 1.
        """
        if not 0 < probability < 1:
            raise ValueError(f"probability is {probability!r}, but must lie between 0 and 1")
        linear = np.asarray(eta, dtype=float)
        codes = np.zeros(len(linear), dtype=np.intp) if strata is None else np.asarray(strata)
        needed = np.log(-np.log1p(-probability)) - linear
        result = np.empty(len(linear))
        for stratum in np.unique(codes):
            own, rows = self._of(stratum), codes == stratum
            place = np.searchsorted(self.log_hazards[own], needed[rows], side="left")
            result[rows] = np.append(self.times[own], np.inf)[place]
        return result

    def without_end(self) -> Baseline:
        """The same hazard, which stays where it is beyond the last time that was seen."""
        return replace(self, ends=np.full_like(self.ends, np.inf))

    def without_features(self) -> Baseline | None:
        """That of the model without features, where it is known."""
        return None if self.null is None else replace(self, log_hazards=self.null)

    def _of(self, stratum: int) -> slice:
        low, high = np.searchsorted(self.strata, [stratum, stratum + 1])
        return slice(int(low), int(high))


@dataclass(frozen=True)
class Baselines:
    """The baseline hazards of several linear predictors of the same rows, such as those of the strengths of a path.

    Attributes
    ----------
    times, strata, ends, stratum_names, null
        As in `Baseline`, shared by all.
    log_hazards : ndarray, shape (n_models, n_times)
        Of each model.
    """

    times: Floats
    log_hazards: Floats
    strata: Places
    ends: Floats
    stratum_names: tuple[Any, ...] = ()
    null: Floats | None = None

    def __getitem__(self, index: int) -> Baseline:
        return Baseline(self.times, self.log_hazards[index], self.strata, self.ends, self.stratum_names, self.null)

    def take(self, which: Places) -> Baselines:
        """Those of some models only."""
        return replace(self, log_hazards=self.log_hazards[which])

    def between(self, index: int, ahead: int, share: float) -> Baseline:
        """One between two models: the logarithm goes straight from the one to the other, as an intercept would."""
        mixed = (1 - share) * self.log_hazards[index] + share * self.log_hazards[ahead]
        return replace(self[index], log_hazards=mixed)


def fit_baseline(
    target: SurvivalTarget, eta: ArrayLike, weights: ArrayLike | None = None, ties: Ties = "efron"
) -> Baseline:
    """The baseline hazard that belongs to a linear predictor.

    At a time with events, of weights that sum to W, the hazard is W over the sum of the risks w exp(eta) of those at
    risk (Breslow 1972). With Efron's ties it is the mean over the tied events of that number with their risks left out
    step by step, as R's ``survfit`` has it.

    Parameters
    ----------
    target : SurvivalTarget
        Without missing rows.
    eta : array_like, shape (n_rows,)
        The linear predictor, offset and all; whatever is added to it is taken out of the baseline.
    weights : array_like, shape (n_rows,), optional
        Weights of the rows, by default 1.
    ties : {"efron", "breslow"}
        How the model treats tied events.

    Returns
    -------
    Baseline

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0]), np.array([True, False, True]))
    >>> np.exp(fit_baseline(target, np.zeros(3)).log_hazards).round(3)
    array([0.333, 1.333])
    """
    return fit_baselines(target, np.asarray(eta, dtype=float)[:, None], weights, ties)[0]


def fit_baselines(
    target: SurvivalTarget, etas: Floats, weights: ArrayLike | None = None, ties: Ties = "efron"
) -> Baselines:
    """The baseline hazards of several linear predictors, the columns of `etas` (n_rows, m); see `fit_baseline`."""
    from normball import _native

    check_ties(ties)
    w = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=np.float64)
    sets = risk_sets(target)
    happened = np.bincount(sets.place[target.event & (w > 0)], minlength=len(sets.times)) > 0
    models = np.ascontiguousarray(etas.T, dtype=np.float64)
    found = _native.log_hazards(_LOSSES[ties], risk_rows(target).ravel(), np.ascontiguousarray(w), models)
    return Baselines(
        sets.times[happened], found[:, happened], sets.strata[happened], last_seen(target, w), target.stratum_names
    )


def last_seen(target: SurvivalTarget, weights: Floats) -> Floats:
    """The last time at which anybody of each stratum was under observation; -inf where nobody was."""
    ends = np.full(target.n_strata, -np.inf)
    np.maximum.at(ends, target.codes[weights > 0], target.stop[weights > 0])
    return ends
