"""The losses of the oracle, written from their definitions in NumPy alone.

Each is half a unit deviance ``value(y, eta)`` with its first and second derivative in ``eta``
(``slope``, ``curvature``) and its conjugate in ``eta`` (``conjugate(y, u)``).  A family is named by a
string, ``"poisson"`` or ``"tweedie(1.5)"``; `find_loss` gives its loss.
"""

import math

import numpy as np


def xlogx(t):
    return np.where(t > 0, t * np.log(np.where(t > 0, t, 1.0)), 0.0)


def entropy(t):
    return xlogx(t) + xlogx(1 - t)


def expit(eta):
    return np.exp(-np.logaddexp(0, -eta))


def safe_log(y):
    """The logarithm where there is one, and a number that nothing is done with where y = 0."""
    return np.log(np.where(y > 0, y, 1.0))


def exp_excess(t):
    """``exp(t) - 1 - t``, at small ``t`` by its series: there the difference would lose its digits."""
    series = t**2 * (1 / 2 + t * (1 / 6 + t * (1 / 24 + t * (1 / 120 + t * (1 / 720 + t / 5040)))))
    return np.where(np.abs(t) < 0.02, series, np.expm1(t) - t)


class Gaussian:
    value = staticmethod(lambda y, eta: 0.5 * (y - eta) ** 2)
    slope = staticmethod(lambda y, eta: eta - y)
    curvature = staticmethod(lambda y, eta: np.ones_like(eta))
    conjugate = staticmethod(lambda y, u: 0.5 * u**2 + u * y)


class Binomial:
    value = staticmethod(lambda y, eta: np.logaddexp(0, eta) - y * eta + entropy(y))
    slope = staticmethod(lambda y, eta: expit(eta) - y)
    curvature = staticmethod(lambda y, eta: expit(eta) * expit(-eta))
    conjugate = staticmethod(lambda y, u: entropy(np.clip(y + u, 0, 1)) - entropy(y))


class Poisson:
    value = staticmethod(lambda y, eta: np.exp(eta) - y * eta - y + xlogx(y))
    slope = staticmethod(lambda y, eta: np.exp(eta) - y)
    curvature = staticmethod(lambda y, eta: np.exp(eta))
    conjugate = staticmethod(lambda y, u: xlogx(y + u) - u - xlogx(y))


class Gamma:
    """y > 0, mean ``exp(eta)``: with ``r = log y - eta`` the value is ``exp(r) - 1 - r``; u <= 1."""

    value = staticmethod(lambda y, eta: exp_excess(np.log(y) - eta))
    slope = staticmethod(lambda y, eta: -np.expm1(np.log(y) - eta))
    curvature = staticmethod(lambda y, eta: np.exp(np.log(y) - eta))
    conjugate = staticmethod(lambda y, u: np.where(u <= 1, xlogx(1 - u) + u + u * np.log(y), np.inf))


class Tweedie:
    """y >= 0, mean ``exp(eta)``, variance proportional to its ``power``, 1 < power < 2.

    With ``a = exp((2 - p) eta)`` and ``c = y exp(-(p - 1) eta)`` the value is
    ``a/(2-p) + c/(p-1) - y^(2-p)/((p-1)(2-p))``.  For y > 0 and ``r = log y - eta`` that is
    ``y^(2-p) (E((p-1) r)/(p-1) + E(-(2-p) r)/(2-p))``, ``E`` being `exp_excess`: a sum that cancels nothing.
    """

    def __init__(self, power=1.5):
        assert 1 < power < 2
        self.power, self.m, self.k = power, power - 1, 2 - power

    def value(self, y, eta):
        r = np.where(y > 0, safe_log(y) - eta, 0.0)
        positive = y**self.k * (exp_excess(self.m * r) / self.m + exp_excess(-self.k * r) / self.k)
        return np.where(y > 0, positive, np.exp(self.k * eta) / self.k)

    def slope(self, y, eta):
        """``a - c``, the larger of the two times what the other is short of it."""
        r = safe_log(y) - eta
        shortfall = np.expm1(-np.abs(r))
        positive = np.where(r > 0, y * np.exp(-self.m * eta), -np.exp(self.k * eta)) * shortfall
        return np.where(y > 0, positive, np.exp(self.k * eta))

    def curvature(self, y, eta):
        return self.k * np.exp(self.k * eta) + self.m * y * np.exp(-self.m * eta)

    def conjugate(self, y, u):
        """``u eta - f`` at the ``eta`` whose slope is ``u``; without a count only u >= 0 has one."""
        y, u = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(u, dtype=float))
        answer = np.where(u >= 0, (xlogx(u) - u) / self.k, np.inf)
        some = y > 0
        eta = np.log(y[some]) - self._log_ratio(u[some] / y[some] ** self.k)
        answer[some] = u[some] * eta - self.value(y[some], eta)
        return answer

    def _log_ratio(self, target):
        """The ``r`` with ``exp(-(2-p) r) - exp((p-1) r) = target``, by bisection: the left side falls with r."""
        low = -np.log1p(np.maximum(target, 0)) / self.k
        high = np.log1p(np.maximum(-target, 0)) / self.m
        for _ in range(90):
            r = 0.5 * (low + high)
            above = np.exp(-self.k * r) - np.exp(self.m * r) > target
            low, high = np.where(above, r, low), np.where(above, high, r)
        return 0.5 * (low + high)


class NegativeBinomial:
    """y >= 0, mean ``mu = exp(eta)``, variance ``mu + mu^2/theta``; -y <= u <= theta.

    The value is ``y log(y/mu) - (y + theta) log((y + theta)/(mu + theta))``.
    """

    def __init__(self, theta):
        assert theta > 0
        self.theta = theta

    def value(self, y, eta):
        r = safe_log(y) - eta
        near = (y > 0) & (np.abs(r) < 1)  # there both logarithms are small, elsewhere none is lost to the other
        small = np.log1p(y / (y + self.theta) * np.expm1(np.where(near, -r, 0.0)))
        large = np.logaddexp(0, eta - math.log(self.theta)) - np.log1p(y / self.theta)
        return np.where(y > 0, y * r, 0.0) + (y + self.theta) * np.where(near, small, large)

    def slope(self, y, eta):
        t = eta - math.log(self.theta)
        return self.theta * expit(t) - y * expit(-t)

    def curvature(self, y, eta):
        t = eta - math.log(self.theta)
        return (y + self.theta) * expit(t) * expit(-t)

    def conjugate(self, y, u):
        short = np.where(u < self.theta, u / self.theta, 0.0)
        below = np.where(u < self.theta, (self.theta - u) * np.log1p(-short), 0.0)
        return np.where((-y <= u) & (u <= self.theta), xlogx(y + u) - xlogx(y) + below, np.inf)


class Huber:
    """``r^2/2`` for residuals ``r = eta - y`` up to ``delta``, a straight line beyond; abs(u) <= delta."""

    def __init__(self, delta):
        assert delta > 0
        self.delta = delta

    def value(self, y, eta):
        size = np.abs(eta - y)
        square = np.minimum(size, self.delta)
        return square * (size - 0.5 * square)

    def slope(self, y, eta):
        return np.clip(eta - y, -self.delta, self.delta)

    def curvature(self, y, eta):
        return (np.abs(eta - y) <= self.delta).astype(float)

    def conjugate(self, y, u):
        return np.where(np.abs(u) <= self.delta, 0.5 * u**2 + u * y, np.inf)


LOSSES = {
    "gaussian": Gaussian, "binomial": Binomial, "poisson": Poisson, "gamma": Gamma, "tweedie": Tweedie,
    "negative_binomial": NegativeBinomial, "huber": Huber,
}  # fmt: skip
IDENTITY = (Gaussian, Huber)  # whose eta has the unit of y


def find_loss(family):
    """The loss that a name stands for, ``"gamma"`` or ``"huber(1.345)"``."""
    name, _, value = family.removesuffix(")").partition("(")
    return LOSSES[name](*([float(value)] if value else []))
