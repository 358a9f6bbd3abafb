"""Whether the effects of features stay the same over time, as a proportional hazards model says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from normball.survival.kaplan_meier import kaplan_meier
from normball.survival.target import Floats, SurvivalTarget, Ties
from normball.survival.terms import Terms, terms_of

Scale: TypeAlias = Literal["km", "rank", "identity", "log"]
NEGLIGIBLE = 1e-10  # of a variance: what is left of it by rounding


@dataclass(frozen=True)
class ProportionalHazards:
    """A score test for coefficients that change with time, b_j + c_j g(t), against c_j = 0.

    Attributes
    ----------
    chi_square : ndarray, shape (n_features,)
        Of one degree of freedom each; NaN for a feature that depends on the others, and where the linear predictors lie
        so far apart that a risk vanishes beside another one.
    p_values : ndarray, shape (n_features,)
        How often chance alone gives a chi square as large.
    slopes : ndarray, shape (n_features,)
        The first Newton step of c_j: positive where the coefficient grows with time.
    all_chi_square, all_p_value : float
        Of all features together, with `degrees` of freedom.
    degrees : int
        How many features can be told apart.
    """

    chi_square: Floats
    p_values: Floats
    slopes: Floats
    all_chi_square: float
    all_p_value: float
    degrees: int


def proportional_hazards(
    target: SurvivalTarget,
    features: ArrayLike,
    eta: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    scale: Scale = "km",
) -> ProportionalHazards:
    """Test whether the effects of features change with time.

    The test of Grambsch & Therneau (1994) in the exact form of R's ``cox.zph`` since survival 3.0: the score of c at
    c = 0, with the variances of the risk sets at each time. A penalised fit is not where the score of b vanishes; what
    b would still move is taken out first (Neyman's C(alpha), 1959), so that a coefficient that is held back by the
    penalty does not look like one that changes.

    Parameters
    ----------
    target : SurvivalTarget
        Without missing rows.
    features : array_like, shape (n_rows, n_features)
        Those to test together, such as the ones that a model kept; more than a few dozen leave the test no power.
    eta : array_like, shape (n_rows,)
        The linear predictor of the model, offset and all.
    weights : array_like, shape (n_rows,), optional
        Weights of the rows, by default 1.
    ties : {"efron", "breslow"}
        How the model treats tied events.
    scale : {"km", "rank", "identity", "log"}
        g(t): one minus the survival curve of all rows before t, the rank among all rows, t itself, or its logarithm.

    Returns
    -------
    ProportionalHazards

    Raises
    ------
    ValueError
        If `scale` is unknown, or "log" with events at or before time 0.
    """
    w = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=float)
    X = np.asarray(features, dtype=float)
    terms = terms_of(target, np.asarray(eta, dtype=float), w, ties)
    times = _scaled(target, w, terms.sets.times, scale)
    if (terms.total == 0).any():  # linear predictors so far apart that one row alone counts
        nothing = np.full(X.shape[1], np.nan)
        return ProportionalHazards(nothing, nothing, nothing, np.nan, np.nan, 0)
    place = terms.sets.place
    died = place >= 0
    times = times - times[place[died]].mean()
    X = (X - X.mean(axis=0)) / _spread(X)
    means, g = terms.mean(X), times[terms.place]
    residuals = terms.sets.over_events(w[:, None] * X)
    own = [residuals.T @ times**power - means.T @ (terms.strength * g**power) for power in (0, 1)]
    slope, slope_of_time = own
    bend, mixed, bend_of_time = (_information(terms, X, means, g**power) for power in (0, 1, 2))
    moved = np.linalg.lstsq(bend, np.column_stack([slope, mixed]), rcond=NEGLIGIBLE)[0]
    score = slope_of_time - mixed @ moved[:, 0]
    variance = bend_of_time - mixed @ moved[:, 1:]
    return _tests(score, variance, bend_of_time, _spread(np.asarray(features, dtype=float)))


def _tests(score: Floats, variance: Floats, largest: Floats, spread: Floats) -> ProportionalHazards:
    """The chi squares of a score with this variance."""
    own, most = np.diag(variance), np.diag(largest)
    known = own > NEGLIGIBLE * most
    safe = np.where(known, own, 1.0)
    chi_square = np.where(known, score**2 / safe, np.nan)
    size = np.sqrt(np.where(most > 0, most, 1.0))
    values, vectors = np.linalg.eigh(variance / np.outer(size, size))
    kept = values > NEGLIGIBLE
    all_chi_square = float(((vectors.T @ (score / size))[kept] ** 2 / values[kept]).sum())
    degrees = int(kept.sum())
    return ProportionalHazards(
        chi_square=chi_square,
        p_values=np.asarray(chdtrc(1, chi_square)),
        slopes=np.where(known, score / safe / spread, np.nan),
        all_chi_square=all_chi_square,
        all_p_value=float(chdtrc(degrees, all_chi_square)) if degrees else np.nan,
        degrees=degrees,
    )


def _spread(X: Floats) -> Floats:
    spread = X.std(axis=0)
    return np.where(spread > 0, spread, 1.0)


def _information(terms: Terms, X: Floats, means: Floats, factors: Floats) -> Floats:
    """The sum over the terms of factor times the covariance of the features: X'DX less the squares of the means."""
    strength = terms.strength * factors
    return np.asarray((X.T * terms.over_terms(strength)) @ X - (means.T * strength) @ means)


def _scaled(target: SurvivalTarget, weights: Floats, times: Floats, scale: Scale) -> Floats:
    """The values of g at these times; "km" and "rank" count the rows with a weight once each, as R does."""
    counted = replace(target.take(np.flatnonzero(weights > 0)), strata=None, stratum_names=())
    if scale == "identity":
        return times
    if scale == "log":
        if times.min(initial=1) <= 0:
            raise ValueError('scale="log" needs events after time 0; take "km" or "rank"')
        return np.log(times)
    if scale == "rank":
        known, counts = np.unique(counted.stop, return_counts=True)
        ranks = np.cumsum(counts) - 0.5 * (counts - 1)  # tied times share the mean of theirs
        return np.asarray(ranks[np.searchsorted(known, times)])
    if scale != "km":
        raise ValueError(f'scale is {scale!r}, but must be "km", "rank", "identity" or "log"')
    (curve,) = kaplan_meier(counted)
    return np.asarray(1 - np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.times, times, side="left")])
