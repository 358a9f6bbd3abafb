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


def integrated(scores: ArrayLike, times: ArrayLike) -> float:
    """The mean of scores over time, straight between the times: the integrated Brier score.

    Parameters
    ----------
    scores, times : array_like, shape (n_times,)
        At least two times, increasing.
    """
    at = np.asarray(times, dtype=float)
    return float(np.trapezoid(np.asarray(scores, dtype=float), at) / (at[-1] - at[0]))
