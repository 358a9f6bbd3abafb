"""How far predicted survival is from what happened."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from normball.survival.censoring import CensoringCurve
from normball.survival.target import Floats, SurvivalTarget


def brier_scores(
    target: SurvivalTarget,
    survival: ArrayLike,
    times: ArrayLike,
    weights: ArrayLike | None = None,
    censoring: SurvivalTarget | None = None,
) -> Floats:
    """The mean squared error of predicted survival at some times, with censoring undone by weights.

    At time t a row whose event was before or at t counts survival² / G(its time −), one that was seen after t counts
    (1 − survival)² / G(t), one that was censored before t nothing (Graf et al. 1999). G is the probability of not being
    censored, which must not depend on the features.

    Parameters
    ----------
    target : SurvivalTarget
        Without missing rows and without late entry; G is that of all strata together.
    survival : array_like, shape (n_rows, n_times)
        The predicted probabilities of no event up to and including each time.
    times : array_like, shape (n_times,)
        In the unit of the target; before the last time that was seen, where G is 0.
    weights : array_like, shape (n_rows,), optional
        Weights of the rows, by default 1.
    censoring : SurvivalTarget, optional
        The rows that G is taken from, by default those of `target`, with their weights.

    Returns
    -------
    ndarray, shape (n_times,)
        0 for a perfect prediction; 0.25 for a survival of one half.

    Raises
    ------
    ValueError
        If there is late entry, or a time is not below the last one that was seen.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0, 6.0]), np.array([True, False, True, True]))
    >>> brier_scores(target, np.full((4, 2), 0.5), [2.5, 4.0])
    array([0.25, 0.25])
    """
    at, predicted = np.asarray(times, dtype=float), np.asarray(survival, dtype=float)
    w = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=float)
    rows, own = (target, w) if censoring is None else (censoring, np.ones(len(censoring)))
    together = SurvivalTarget(rows.stop, rows.event, rows.start)
    last = float(rows.stop[own > 0].max())
    if not (at < last).all():
        raise ValueError(f"times must be below {last:g}, the last time that was seen; the largest is {at.max():g}")
    if target.start is not None:
        raise ValueError("a Brier score is not defined for a target (start, stop, event)")
    curve, one = CensoringCurve.fit(together, own), np.zeros(len(target), dtype=np.intp)
    died = target.event[:, None] & (target.stop[:, None] <= at)
    seen = target.stop[:, None] > at
    inverse = np.divide(1.0, curve.before(target.stop, one)[:, None], out=np.zeros(died.shape), where=died)
    errors = inverse * predicted**2 + seen * (1 - predicted) ** 2 / curve.after(at, np.zeros(len(at), dtype=np.intp))
    return np.asarray(w @ errors / w.sum())


N_TIMES = 50
SHARE = 0.9  # of the events, up to which time scores are integrated: beyond, few rows are left


def times_to_integrate(target: SurvivalTarget, weights: ArrayLike | None = None) -> Floats:
    """Times evenly spaced from 0 to that by which 90 % of the events have happened, for the integrated Brier score.

    Parameters
    ----------
    target : SurvivalTarget
        Without missing rows.
    weights : array_like, shape (n_rows,), optional
        Weights of the rows, by default 1.

    Returns
    -------
    ndarray, shape (51,)
        Below the last time that was seen, whose events do not count here; of no length where there is no other event.
    """
    w = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=float)
    last = target.stop[w > 0].max(initial=0.0)
    counted = np.flatnonzero(target.event & (w > 0) & (target.stop < last) & (target.stop > 0))
    if not len(counted):
        return np.zeros(0)
    ranked = counted[np.argsort(target.stop[counted], kind="stable")]
    reached = np.cumsum(w[ranked])
    horizon = target.stop[ranked[np.searchsorted(reached, SHARE * reached[-1])]]
    return np.linspace(0.0, horizon, N_TIMES + 1)


def integrated_by_weighting(
    target: SurvivalTarget,
    survival: Floats,
    times: Floats,
    weightings: Floats,
    censoring: CensoringCurve | None = None,
) -> Floats:
    """The integrated Brier score of one model under each of several weightings of its rows; at one time that there.

    Parameters
    ----------
    target : SurvivalTarget
        Without missing rows and without late entry.
    survival : ndarray, shape (n_rows, n_times)
        As in `brier_scores`.
    times : ndarray, shape (n_times,)
        Increasing.
    weightings : ndarray, shape (n_weightings, n_rows)
        Weights of the rows.
    censoring : CensoringCurve, optional
        Of all strata together; by default that of the rows with each weighting.

    Returns
    -------
    ndarray, shape (n_weightings,)
        As `integrated` of `brier_scores`, with a time after which nobody is seen counting for those who had the event.
    """
    between = np.diff(times)
    shares = np.convolve(between, [0.5, 0.5]) / between.sum() if between.size else np.ones(1)
    died = target.event[:, None] & (target.stop[:, None] <= times)
    of_events = (died * survival**2) @ shares
    of_others = shares * (target.stop[:, None] > times) * (1 - survival) ** 2
    together = SurvivalTarget(target.stop, target.event, target.start)
    row, time = np.zeros(len(target), dtype=np.intp), np.zeros(len(times), dtype=np.intp)
    curve = CensoringCurve.fit(together, weightings) if censoring is None else censoring
    counts, others = weightings * of_events, weightings @ of_others
    before, after = curve.before(target.stop, row), np.broadcast_to(curve.after(times, time), others.shape)
    events = np.divide(counts, before, out=np.zeros_like(counts), where=counts > 0)
    left = np.divide(others, after, out=np.zeros_like(others), where=others > 0)
    return np.asarray((events.sum(axis=1) + left.sum(axis=1)) / weightings.sum(axis=1))


def integrated(scores: ArrayLike, times: ArrayLike) -> float:
    """The mean of scores over time, straight between the times: the integrated Brier score.

    Parameters
    ----------
    scores, times : array_like, shape (n_times,)
        At least two times, increasing.
    """
    at = np.asarray(times, dtype=float)
    return float(np.trapezoid(np.asarray(scores, dtype=float), at) / (at[-1] - at[0]))
