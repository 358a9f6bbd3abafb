"""What a family's parameter is estimated to be, from the rows alone: those of the model without features."""

from __future__ import annotations

import math

import numpy as np

from normball.family import Array, Family

EFFICIENCY = 1.345  # standard deviations at which Huber's estimate is 95 % as efficient as the mean (Huber 1981)
MAD_OF_NORMAL = 0.6745  # median distance from the median, of standard deviation 1
LARGEST_THETA = 1e6  # beyond it nothing tells the counts from Poisson's
DIGITS = 3  # of an estimate: the name of the family holds it


def median(values: Array, weights: Array) -> float:
    """The weighted median; halfway between two values where half of the weight lies on either side."""
    order = np.argsort(values, kind="stable")
    values, reached = values[order], np.cumsum(weights[order])
    half = reached[-1] / 2.0
    low = int(np.searchsorted(reached, half * (1.0 - 1e-12)))
    high = int(np.searchsorted(reached, half * (1.0 + 1e-12)))
    return float(values[low] + values[min(high, values.size - 1)]) / 2.0


def delta_at_null(y: Array, weights: Array, offset: Array) -> float:
    """Huber's delta: 1.345 standard deviations, these by the median distance from the median; NaN where that is 0."""
    left = y - offset
    distance = median(np.abs(left - median(left, weights)), weights)
    return to_digits(EFFICIENCY * distance / MAD_OF_NORMAL) if distance > 0.0 else math.nan


def theta_at_null(family: type[Family], y: Array, weights: Array, offset: Array) -> float:
    """The negative binomial's theta of the largest likelihood, with the intercept that goes with it.

    NaN where the likelihood grows up to Poisson's, as where the counts vary no more than these.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    # rows with the same count and offset are one; of these there are few
    pairs, place = np.unique(y + 1j * offset, return_inverse=True)
    y, offset, weights = pairs.real, pairs.imag, np.bincount(place, weights=weights).astype(np.float64)

    def cost(log_theta: float) -> float:
        theta = math.exp(log_theta)
        eta = offset + family(theta).null_intercept(y, weights, offset)
        total = np.logaddexp(eta, log_theta)
        each = gammaln(y + theta) - gammaln(theta) + theta * (log_theta - total) + y * (eta - total)
        return -float(weights @ each / weights.sum())

    if not (weights @ y) > 0.0:
        return math.nan
    most = math.log(LARGEST_THETA)
    found = minimize_scalar(cost, bounds=(-most, most), method="bounded", options={"xatol": 1e-4})
    return to_digits(math.exp(found.x)) if found.x < most - 1.0 else math.nan


def to_digits(value: float) -> float:
    """A parameter as an estimate gives it."""
    return float(f"{value:.{DIGITS - 1}e}")
