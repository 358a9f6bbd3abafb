"""How well predictions match a target: every score is a function of the linear predictor, many columns at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mean_response(eta: Array, family: str) -> Array:
    """The expected target at linear predictor `eta`."""
    if family == "binomial":
        return np.exp(-np.logaddexp(0.0, -eta))
    if family == "poisson":
        with np.errstate(over="ignore"):
            return np.exp(eta)
    return eta


def _entropy(values: Array) -> Array:
    """`v log v`, 0 at 0."""
    return values * np.log(values, out=np.zeros_like(values), where=values > 0.0)


def unit_deviance(y: Array, eta: Array, family: str) -> Array:
    """Twice the loss of each entry of `eta` (m, L) against `y` (m,), 0 for a perfect prediction."""
    target = y[:, None]
    if family == "binomial":
        best = (_entropy(y) + _entropy(1.0 - y))[:, None]
        loss = np.log1p(np.exp(-np.abs(eta))) + (np.maximum(eta, 0.0) - target * eta)
        return 2.0 * (loss + best)
    if family == "poisson":
        best = (_entropy(y) - y)[:, None]
        return 2.0 * (mean_response(eta, family) - target * eta + best)
    return (target - eta) ** 2


def area_under_curve(y: Array, eta: Array, weights: Array) -> Array:
    """Weighted area under the ROC curve of each column of `eta`; NaN where a class is absent."""
    result = np.full(eta.shape[1], np.nan)
    positive, negative = weights * y, weights * (1.0 - y)
    pairs = positive.sum() * negative.sum()
    if pairs == 0.0:
        return result
    for column in range(eta.shape[1]):
        order = np.argsort(eta[:, column])
        ranked = eta[order, column]
        last_of_tie = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        negative_up_to = np.cumsum(negative[order])[last_of_tie]
        positive_here = np.diff(np.cumsum(positive[order])[last_of_tie], prepend=0.0)
        negative_here = np.diff(negative_up_to, prepend=0.0)
        result[column] = positive_here @ (negative_up_to - negative_here / 2.0) / pairs
    return result


def _weighted_mean(values: Array, weights: Array) -> Array:
    return np.asarray(weights @ values / weights.sum())


@dataclass(frozen=True)
class Score:
    """A named score; calling it with (y, eta (m, L), weights, family) gives one number for each column."""

    name: str
    greater_is_better: bool
    function: Callable[[Array, Array, Array, str], Array]

    def __call__(self, y: Array, eta: Array, weights: Array, family: str) -> Array:
        """Score every column of `eta`."""
        return self.function(y, eta, weights, family)


SCORES = {
    score.name: score
    for score in (
        Score("deviance", False, lambda y, eta, w, f: _weighted_mean(unit_deviance(y, eta, f), w)),
        Score("mse", False, lambda y, eta, w, f: _weighted_mean((y[:, None] - mean_response(eta, f)) ** 2, w)),
        Score("mae", False, lambda y, eta, w, f: _weighted_mean(abs(y[:, None] - mean_response(eta, f)), w)),
        Score("auc", True, lambda y, eta, w, f: area_under_curve(y, eta, w)),
        Score("accuracy", True, lambda y, eta, w, f: _weighted_mean((eta > 0.0) == (y[:, None] > 0.5), w)),
        Score("brier", False, lambda y, eta, w, f: _weighted_mean((y[:, None] - mean_response(eta, f)) ** 2, w)),
    )
}
