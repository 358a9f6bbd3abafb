"""The losses that the judge knows: half unit deviances f(y, eta) with derivatives and conjugate, each from its formula.

A conjugate f*(y, v) = sup over eta of v eta - f(y, eta) has a closed form in all of these; of Tweedie's powers that is
so for 1.5 alone. Outside its domain, which `inside` knows, it is infinite and what `conjugate` returns means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, expit, xlogy

Array = NDArray[np.float64]

_TINY = np.finfo(float).tiny


class Loss(Protocol):
    """y is a column, eta has a column for each strength."""

    def value(self, y: Array, eta: Array) -> Array:
        """f, which is 0 for a perfect fit."""

    def slope(self, y: Array, eta: Array) -> Array:
        """The first derivative in eta."""

    def bend(self, y: Array, eta: Array) -> Array:
        """The second derivative in eta."""

    def conjugate(self, y: Array, v: Array) -> Array:
        """f*(y, v) where v is inside."""

    def inside(self, y: Array, v: Array) -> NDArray[np.bool_]:
        """Where f*(y, v) is finite."""

    def best_shift(self, y: Array, eta: Array) -> Array:
        """For each column what to add to eta so that the slopes add up to 0."""


class Gaussian:
    """Squared error."""

    def value(self, y: Array, eta: Array) -> Array:
        return 0.5 * (y - eta) ** 2

    def slope(self, y: Array, eta: Array) -> Array:
        return eta - y

    def bend(self, y: Array, eta: Array) -> Array:
        return np.ones_like(eta)

    def conjugate(self, y: Array, v: Array) -> Array:
        return 0.5 * v**2 + v * y

    def inside(self, y: Array, v: Array) -> NDArray[np.bool_]:
        return np.isfinite(v)

    def best_shift(self, y: Array, eta: Array) -> Array:
        return np.asarray((y - eta).mean(0))


class Binomial:
    """Classes 0 and 1, for which the saturated loss is 0; the logit link."""

    def value(self, y: Array, eta: Array) -> Array:
        return np.logaddexp(0, eta) - y * eta

    def slope(self, y: Array, eta: Array) -> Array:
        return np.asarray(expit(eta) - y)

    def bend(self, y: Array, eta: Array) -> Array:
        return np.asarray(expit(eta) * expit(-eta))

    def conjugate(self, y: Array, v: Array) -> Array:
        t = np.clip(y + v, 0.0, 1.0)
        return -np.asarray(entr(t) + entr(1 - t))

    def inside(self, y: Array, v: Array) -> NDArray[np.bool_]:
        return (y + v >= 0) & (y + v <= 1)

    def best_shift(self, y: Array, eta: Array) -> Array:
        return _balance(self, y, eta, np.zeros(eta.shape[1]), 50.0)


class Poisson:
    """Counts; the log link, as of all that follow but Huber."""

    def value(self, y: Array, eta: Array) -> Array:
        return np.asarray(np.exp(eta) - y * eta - (y - xlogy(y, y)))

    def slope(self, y: Array, eta: Array) -> Array:
        return np.asarray(np.exp(eta) - y)

    def bend(self, y: Array, eta: Array) -> Array:
        return np.asarray(np.exp(eta))

    def conjugate(self, y: Array, v: Array) -> Array:
        t = np.maximum(y + v, 0.0)
        return np.asarray(xlogy(t, t) - t + (y - xlogy(y, y)))

    def inside(self, y: Array, v: Array) -> NDArray[np.bool_]:
        return y + v >= 0

    def best_shift(self, y: Array, eta: Array) -> Array:
        return np.asarray(np.log(y.mean(0) / np.exp(eta).mean(0)))


class Gamma:
    """Positive amounts. The slope 1 - y/mu = v has y/mu = 1 - v, which gives the conjugate."""

    def value(self, y: Array, eta: Array) -> Array:
        ratio = np.log(y) - eta
        return np.asarray(np.expm1(ratio) - ratio)

    def slope(self, y: Array, eta: Array) -> Array:
        return -np.asarray(np.expm1(np.log(y) - eta))

    def bend(self, y: Array, eta: Array) -> Array:
        return np.asarray(y * np.exp(-eta))

    def conjugate(self, y: Array, v: Array) -> Array:
        t = np.maximum(1.0 - v, 0.0)
        return np.asarray(v * np.log(y) + xlogy(t, t) + v)

    def inside(self, y: Array, v: Array) -> NDArray[np.bool_]:
        return v <= 1

    def best_shift(self, y: Array, eta: Array) -> Array:
        return np.asarray(np.log((y * np.exp(-eta)).mean(0)))


class Tweedie:
    """Amounts and zeros, of the power 1.5: with m = sqrt(mu), f = 2 m + 2 y/m - 4 sqrt(y).

    The slope m - y/m = v has m + y/m = sqrt(v^2 + 4 y) =: s, hence m = (s + v)/2 and f* = 2 v log m - 2 s + 4 sqrt(y).
    """

    def __init__(self, power: float) -> None:
        if power != 1.5:
            raise ValueError(f"the judge knows the conjugate of the power 1.5 alone, not that of {power:g}")

    def value(self, y: Array, eta: Array) -> Array:
        return np.asarray(2 * (np.exp(eta / 4) - np.sqrt(y) * np.exp(-eta / 4)) ** 2)

    def slope(self, y: Array, eta: Array) -> Array:
        return np.asarray(np.exp(eta / 2) - y * np.exp(-eta / 2))

    def bend(self, y: Array, eta: Array) -> Array:
        return np.asarray(0.5 * (np.exp(eta / 2) + y * np.exp(-eta / 2)))

    def conjugate(self, y: Array, v: Array) -> Array:
        s = np.sqrt(v**2 + 4 * y)
        # of the two forms of m the one that adds up terms of one sign
        m = np.where(v > 0, (s + v) / 2, 2 * y / np.maximum(s - v, _TINY))
        return np.asarray(2 * xlogy(v, np.maximum(m, _TINY)) - 2 * s + 4 * np.sqrt(y))

    def inside(self, y: Array, v: Array) -> NDArray[np.bool_]:
        return (y > 0) | (v >= 0)

    def best_shift(self, y: Array, eta: Array) -> Array:
        return np.asarray(np.log((y * np.exp(-eta / 2)).mean(0) / np.exp(eta / 2).mean(0)))


class NegativeBinomial:
    """Counts of variance mu + mu^2/theta. With s = mu/(mu + theta) the slope is (y + theta) s - y = v."""

    def __init__(self, theta: float) -> None:
        self._theta = theta

    def value(self, y: Array, eta: Array) -> Array:
        theta, shifted = self._theta, eta - np.log(self._theta)
        whole = y + theta
        return np.asarray(whole * np.logaddexp(0, shifted) - y * shifted + self._best(y))

    def _best(self, y: Array) -> Array:
        """Less the smallest value of the rest, which mu = y has."""
        whole = y + self._theta
        return np.asarray(xlogy(y, y) + xlogy(self._theta, self._theta) - xlogy(whole, whole))

    def slope(self, y: Array, eta: Array) -> Array:
        return np.asarray((y + self._theta) * expit(eta - np.log(self._theta)) - y)

    def bend(self, y: Array, eta: Array) -> Array:
        share = expit(eta - np.log(self._theta))
        return np.asarray((y + self._theta) * share * (1 - share))

    def conjugate(self, y: Array, v: Array) -> Array:
        theta = self._theta
        t, left = np.maximum(y + v, 0.0), np.maximum(theta - v, 0.0)
        return np.asarray(xlogy(t, t) - xlogy(y, y) + xlogy(left, left / theta))

    def inside(self, y: Array, v: Array) -> NDArray[np.bool_]:
        return (y + v >= 0) & (v <= self._theta)

    def best_shift(self, y: Array, eta: Array) -> Array:
        return _balance(self, y, eta, np.log(y.mean(0) / np.exp(eta).mean(0)), 50.0)


class Huber:
    """Squared error up to delta, a straight line beyond; the identity link."""

    def __init__(self, delta: float) -> None:
        self._delta = delta

    def value(self, y: Array, eta: Array) -> Array:
        size = np.abs(eta - y)
        near = np.minimum(size, self._delta)
        return near * (size - 0.5 * near)

    def slope(self, y: Array, eta: Array) -> Array:
        return np.clip(eta - y, -self._delta, self._delta)

    def bend(self, y: Array, eta: Array) -> Array:
        return (np.abs(eta - y) <= self._delta).astype(float)

    def conjugate(self, y: Array, v: Array) -> Array:
        return 0.5 * v**2 + v * y

    def inside(self, y: Array, v: Array) -> NDArray[np.bool_]:
        return np.abs(v) <= self._delta

    def best_shift(self, y: Array, eta: Array) -> Array:
        return _balance(self, y, eta, np.median(y - eta, axis=0), float(np.ptp(y - eta)))


def _balance(loss: Loss, y: Array, eta: Array, shift: Array, width: float) -> Array:
    """Newton's method from the middle of a bracket, with bisection where it leaves the bracket."""
    low, high = shift - width, shift + width
    for _ in range(200):
        slope = loss.slope(y, eta + shift).mean(0)
        low, high = np.where(slope < 0, shift, low), np.where(slope < 0, high, shift)
        proposal = shift - slope / np.maximum(loss.bend(y, eta + shift).mean(0), _TINY)
        outside = (proposal <= low) | (proposal >= high)
        moved = np.where(outside, 0.5 * (low + high), proposal)
        if np.all(np.abs(moved - shift) <= 1e-15 * np.maximum(1.0, np.abs(shift))):
            break
        shift = moved
    return shift


_OF_PARAMETER: dict[str, Callable[[float], Loss]] = {
    "tweedie": Tweedie,
    "negative_binomial": NegativeBinomial,
    "huber": Huber,
}
_PLAIN: dict[str, Loss] = {"gaussian": Gaussian(), "binomial": Binomial(), "poisson": Poisson(), "gamma": Gamma()}


def find_loss(family: str) -> Loss:
    """The loss that a problem names, as "gamma" or "huber(1.345)"."""
    name, _, parameter = family.removesuffix(")").partition("(")
    return _OF_PARAMETER[name](float(parameter)) if parameter else _PLAIN[name]
