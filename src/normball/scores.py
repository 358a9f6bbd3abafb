"""How well predictions match a target: every score is a function of the linear predictor, many columns at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never

import numpy as np
from numpy.typing import NDArray

from normball.estimates import LARGEST_THETA, to_digits
from normball.families import find_family
from normball.family import Family

Array = NDArray[np.float64]


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


def mean_area(y: Array, eta: Array, weights: Array) -> Array:
    """The area under the curve; of several classes the mean of those of each against the rest."""
    if y.ndim == 1:
        return area_under_curve(y, eta, weights)
    areas = [area_under_curve(y[:, k], against_others(eta, k), weights) for k in range(y.shape[1])]
    return np.asarray(np.mean(areas, axis=0))


def against_others(eta: Array, output: int) -> Array:
    """The logarithm of the odds of one class against all others."""
    return np.asarray(eta[..., output] - np.logaddexp.reduce(np.delete(eta, output, axis=-1), axis=-1))


def explained_deviance(family: Family, y: Array, mean: Array, weights: Array) -> float:
    """D²: the share of the deviance from the mean of `y` that predictions explain; a ValueError where it has none."""
    refused, problem, _ = family.refused(y)
    if refused.any():
        raise ValueError(f"y has {refused.sum()} {problem}")
    null = np.full(y.size, np.average(y, weights=weights))
    left, total = (float(weights @ family.loss(y, family.link(one))) for one in (mean, null))
    return 1.0 - left / total if total > 0.0 else float("nan")


def dispersion(family: Family, y: Array, eta: Array, weights: Array, n_coefs: int) -> float:
    """Pearson's statistic over its degrees of freedom: how much more the targets vary than the family says.

    NaN where no degrees of freedom are left. A row of weight w has a variance of 1/w times that of one.
    """
    counts = weights > 0
    free = np.count_nonzero(counts) - n_coefs
    mean = family.mean(eta[counts])
    statistic = weights[counts] @ ((y[counts] - mean) ** 2 / family.variance(mean))
    return float(statistic / free) if free > 0 else float("nan")


def zeros(family: Family, y: Array, eta: Array, times: Array) -> dict[str, float]:
    """How many targets are zero, how many the family expects of these predictions, and one standard error of that.

    Each row counts so many `times`. Where zeros depend on a dispersion (Tweedie), it is Pearson's of these predictions.
    """
    spread = pearson(family, y, eta, times) / times.sum()
    return zeros_of(zero_sums(family, y, eta, times, spread))


def pearson(family: Family, y: Array, eta: Array, times: Array) -> float:
    """The sum of squared errors over the variances that the family expects, each row so many `times`."""
    mean = family.mean(eta)
    return float(times @ ((y - mean) ** 2 / family.variance(mean)))


def zero_sums(family: Family, y: Array, eta: Array, times: Array, spread: float) -> Array:
    """What rows add to `zeros_of`: zeros, those expected, and the variance of these."""
    chance = family.probability_of_zero(family.mean(eta), spread)
    return np.array([times[y == 0.0].sum(), times @ chance, times @ (chance * (1.0 - chance))])


def zeros_of(sums: Array) -> dict[str, float]:
    """What `zeros` tells, from sums over rows."""
    return {"zeros": float(sums[0]), "zeros_expected": float(sums[1]), "zeros_se": float(np.sqrt(sums[2]))}


def even_parameter(family: Family, y: Array, eta: Array, weights: Array, n_coefs: int) -> float:
    """The larger parameter of the family with which the dispersion would be 1; infinite where none is large enough."""
    from scipy.optimize import brentq

    def excess(log_parameter: float) -> float:
        return dispersion(type(family)(math.exp(log_parameter)), y, eta, weights, n_coefs) - 1.0

    low, high = math.log(family.parameter), math.log(LARGEST_THETA)
    return to_digits(math.exp(brentq(excess, low, high))) if excess(low) < 0.0 < excess(high) else math.inf


def losses(y: Array, eta: Array, family: Family) -> Array:
    """The loss of each row (m, L)."""
    return family.loss(y[:, None], eta)


def errors(y: Array, eta: Array, family: Family) -> Array:
    """Target less prediction (m, L), or (m, L, K)."""
    return y[:, None] - family.mean(eta)


def right(y: Array, eta: Array, family: Family) -> Array:
    """Whether the likeliest class is that of the target (m, L)."""
    classes = y > 0.5 if y.ndim == 1 else y.argmax(axis=1)
    return np.asarray(family.choice(eta) == classes[:, None], dtype=np.float64)


def _errors(y: Array, eta: Array, family: str) -> Array:
    return errors(y, eta, find_family(family))


def _per_row(values: Array) -> Array:
    """The mean over several outputs."""
    return values if values.ndim == 2 else np.asarray(values.mean(axis=2))


def _weighted_mean(values: Array, weights: Array) -> Array:
    return np.asarray(weights @ values / weights.sum())


def _brier(y: Array, eta: Array, weights: Array, family: str) -> Array:
    """The squared error of the probability; of several classes the sum of those."""
    squares = _errors(y, eta, family) ** 2
    return _weighted_mean(squares if squares.ndim == 2 else squares.sum(axis=2), weights)


@dataclass(frozen=True)
class Score:
    """A named score; calling it with (y, eta, weights, family) gives one number for each of L models.

    `y` is (m,) and `eta` (m, L), or with several outputs (m, K) and (m, L, K).
    """

    name: str
    greater_is_better: bool
    function: Callable[[Array, Array, Array, str], Array]

    def __call__(self, y: Array, eta: Array, weights: Array, family: str) -> Array:
        """Score every model."""
        return self.function(y, eta, weights, family)


SCORES = {
    score.name: score
    for score in (
        Score("deviance", False, lambda y, eta, w, f: 2.0 * _weighted_mean(losses(y, eta, find_family(f)), w)),
        Score("mse", False, lambda y, eta, w, f: _weighted_mean(_per_row(_errors(y, eta, f) ** 2), w)),
        Score("mae", False, lambda y, eta, w, f: _weighted_mean(_per_row(abs(_errors(y, eta, f))), w)),
        Score("auc", True, lambda y, eta, w, f: mean_area(y, eta, w)),
        Score("accuracy", True, lambda y, eta, w, f: _weighted_mean(right(y, eta, find_family(f)), w)),
        Score("brier", False, _brier),
    )
}


def _needs_times(y: Array, eta: Array, weights: Array, family: str) -> Never:
    raise TypeError("judged by times and strata: see `held_out_times`")


OF_TIMES = {  # scores of a target that is a time to an event
    score.name: score
    for score in (
        SCORES["deviance"],
        Score("concordance", True, _needs_times),
        Score("uno", True, _needs_times),
        Score("brier", False, _needs_times),
    )
}
OF_CENSORED = ("uno", "brier")  # those that undo the censoring by weights
