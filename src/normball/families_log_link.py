"""The families whose mean is the exponential of the linear predictor: counts and amounts that are not negative."""

from __future__ import annotations

import math

import numpy as np

from normball.estimates import theta_at_null
from normball.family import LANDSCAPES, Array, Family, by_newton, entropy

POWERS = {0.0: "gaussian", 1.0: "poisson", 2.0: "gamma"}  # of the mean, in the variance: those with names of their own


def not_convex(where: str, fix: str) -> str:
    """Why a family is refused whose loss is not convex there."""
    return (
        f"its loss is not convex in the linear predictor (the curvature is negative where the mean is {where}), so "
        f"that no solution could be certified: {fix}"
    )


class _LogLink(Family):
    """The linear predictor is the logarithm of the mean."""

    inverse_link, factor, eta_is, predicted = "exp", "rate", "log of the rate", "Expected"
    limits = (0.0, math.inf)
    views, reports_dispersion = LANDSCAPES | {"residuals", "calibration", "observed", "row_groups"}, True
    told = ("rmse", "mae", "r2", "deviance", "calibration_slope")

    def mean(self, eta: Array) -> Array:
        """Its exponential."""
        with np.errstate(over="ignore"):
            return np.exp(eta)

    def link(self, mean: Array) -> Array:
        """Its logarithm."""
        return np.log(mean)


def _log_intercept(y: Array, weights: Array, offset: Array, power: float) -> float:
    """Null intercept where the variance is that power of the mean, in closed form."""
    return math.log(weights @ (y * np.exp((1.0 - power) * offset)) / (weights @ np.exp((2.0 - power) * offset)))


class Poisson(_LogLink):
    """Counts whose variance is their mean."""

    name, label, kind = "poisson", "Poisson", "count"
    variance_function = "mu"
    shows_zeros, if_overdispersed = True, "negative_binomial"
    least, refusal = 0.0, "negative values; counts cannot be negative"
    ridge_in_sklearn = "PoissonRegressor("
    glmnet = '"poisson"'

    def loss(self, y: Array, eta: Array) -> Array:
        """`mu - y log mu`, less that of a perfect prediction."""
        return self.mean(eta) - y * eta + (entropy(y) - y)

    def residual(self, y: Array, eta: Array) -> Array:
        """Mean less target."""
        return self.mean(eta) - y

    def curvature(self, y: Array, eta: Array) -> Array:
        """The mean."""
        return np.broadcast_to(self.mean(eta), np.broadcast_shapes(y.shape, eta.shape))

    def mean_loss(self, y: Array, weights: Array, eta: Array) -> Array:
        """As of any family, by terms that are fast to add up."""
        return np.asarray(weights @ self.mean(eta) - (weights * y) @ eta + weights @ (entropy(y) - y))

    def variance(self, mean: Array) -> Array:
        """The mean."""
        return mean

    def probability_of_zero(self, mean: Array, dispersion: float) -> Array:
        """`exp(-mu)`."""
        return np.exp(-mean)

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """The logarithm of a ratio of sums."""
        return _log_intercept(y, weights, offset, 1.0)


class Gamma(_LogLink):
    """Positive amounts whose standard deviation is in proportion to their mean."""

    name, label, kind = "gamma", "gamma", "positive amount"
    variance_function = "mu^2"
    factor, eta_is = "mean", "log of the mean"
    least, takes_least, refusal = 0.0, False, "values that are not positive, as those of a gamma target have to be"
    ridge_in_sklearn = "GammaRegressor("
    glmnet = 'Gamma("log")'

    def loss(self, y: Array, eta: Array) -> Array:
        """`y/mu - 1 - log(y/mu)`."""
        excess = np.log(y) - eta
        with np.errstate(over="ignore"):
            return np.expm1(excess) - excess

    def residual(self, y: Array, eta: Array) -> Array:
        """1 less target over mean."""
        with np.errstate(over="ignore"):
            return -np.expm1(np.log(y) - eta)

    def curvature(self, y: Array, eta: Array) -> Array:
        """Target over mean."""
        with np.errstate(over="ignore"):
            return np.exp(np.log(y) - eta)

    def variance(self, mean: Array) -> Array:
        """The square of the mean."""
        return mean**2

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """The logarithm of the mean of the target over its exposure."""
        return _log_intercept(y, weights, offset, 2.0)


class Tweedie(_LogLink):
    """Amounts with zeros among them, as sums of a Poisson number of gammas; the variance is a power of the mean."""

    name, label, kind = "tweedie", "Tweedie", "amount"
    parameter_name, default = "power", 1.5
    variance_function = "mu^power"
    factor, eta_is, shows_zeros = "mean", "log of the mean", True
    least, refusal = 0.0, "negative values; a Tweedie target is zero or positive"
    ridge_in_sklearn = 'TweedieRegressor(power={parameter}, link="log", '
    glmnet = "statmod::tweedie(var.power = {parameter}, link.power = 0)"

    @classmethod
    def check_parameter(cls, value: float) -> None:
        """Powers between 1 and 2; the ends have names of their own, and beyond them the loss is not convex."""
        if value in POWERS:
            raise ValueError(f'that power is called "{POWERS[value]}": write family="{POWERS[value]}"')
        if not 1.0 < value < 2.0:
            bound = (value - 1.0) / (value - 2.0)
            where = f"{'above' if value > 2.0 else 'below'} {bound:.3g} times the target"
            raise ValueError(not_convex(where, 'write a power between 1 and 2, or "gamma"'))

    def _parts(self, y: Array, eta: Array) -> tuple[Array, Array]:
        power = self.parameter
        with np.errstate(over="ignore", divide="ignore"):  # the logarithm, since 0 times infinity is nothing here
            return np.exp((2.0 - power) * eta), np.exp((1.0 - power) * eta + np.log(y))

    def loss(self, y: Array, eta: Array) -> Array:
        """Half the unit deviance of the power."""
        rises, falls = self._parts(y, eta)
        up, down = 2.0 - self.parameter, self.parameter - 1.0
        return np.maximum(rises / up + falls / down - y**up / (up * down), 0.0)

    def residual(self, y: Array, eta: Array) -> Array:
        """What rises with eta less what falls."""
        rises, falls = self._parts(y, eta)
        return rises - falls

    def curvature(self, y: Array, eta: Array) -> Array:
        """Both, by their rates."""
        rises, falls = self._parts(y, eta)
        return (2.0 - self.parameter) * rises + (self.parameter - 1.0) * falls

    def variance(self, mean: Array) -> Array:
        """The power of the mean."""
        return mean**self.parameter

    def probability_of_zero(self, mean: Array, dispersion: float) -> Array:
        """That the Poisson number of gammas is 0 (Jorgensen 1987): `exp(-mu^(2 - power) / (phi (2 - power)))`."""
        up = 2.0 - self.parameter
        return np.exp(-(mean**up) / (dispersion * up))

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """The logarithm of a ratio of sums."""
        return _log_intercept(y, weights, offset, self.parameter)


def _share(eta: Array, theta: float) -> Array:
    """`mu / (mu + theta)`, of any eta."""
    return np.exp(-np.logaddexp(0.0, math.log(theta) - eta))


class NegativeBinomial(_LogLink):
    """Counts that vary more than Poisson's: a Poisson count whose rate is drawn from a gamma of shape theta."""

    name, label, kind = "negative_binomial", "negative binomial", "count"
    parameter_name = "theta"
    no_estimate = ("varies no more than Poisson counts would, so that theta has no estimate", 'family="poisson"')
    variance_function = "mu + mu^2 / theta"
    shows_zeros, grows_even = True, True
    least, refusal = 0.0, "negative values; counts cannot be negative"
    glmnet = "MASS::negative.binomial({parameter})"

    def estimate(self, y: Array, weights: Array, offset: Array) -> float:
        """The theta of the largest likelihood of the null model."""
        return theta_at_null(type(self), y, weights, offset)

    def loss(self, y: Array, eta: Array) -> Array:
        """As binomial of `y / (y + theta)`, times `y + theta`, at `eta - log theta`."""
        theta = self.parameter
        shifted = eta - math.log(theta)
        softplus = np.log1p(np.exp(-np.abs(shifted))) + np.maximum(shifted, 0.0)
        best = entropy(y) + theta * math.log(theta) - entropy(y + theta)  # of mean y
        losses: Array = np.maximum((y + theta) * softplus - y * shifted + best, 0.0)
        return losses

    def residual(self, y: Array, eta: Array) -> Array:
        """`theta (mu - y) / (mu + theta)`."""
        return (y + self.parameter) * _share(eta, self.parameter) - y

    def curvature(self, y: Array, eta: Array) -> Array:
        """`(y + theta) theta mu / (mu + theta)^2`."""
        share = _share(eta, self.parameter)
        return (y + self.parameter) * share * (1.0 - share)

    def variance(self, mean: Array) -> Array:
        """The mean, and its square over theta."""
        return mean + mean**2 / self.parameter

    def probability_of_zero(self, mean: Array, dispersion: float) -> Array:
        """`(theta / (theta + mu))^theta`."""
        return np.exp(-self.parameter * np.log1p(mean / self.parameter))

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """Closed without an offset."""
        return by_newton(self, y, weights, offset, _log_intercept(y, weights, offset, 1.0))
