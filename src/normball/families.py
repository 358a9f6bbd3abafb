"""The families: an entry each with everything that the package knows of it. Nobody else compares their names.

A family says how the mean of the target follows from the linear predictor eta, and what a prediction costs: the loss f
is half the unit deviance, so that it is 0 for a perfect one (M2). Everything about one family stands in its class;
whoever has to know something about it asks for an attribute. docs/architecture.md says how to add one.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np

from normball.estimates import delta_at_null, theta_at_null
from normball.families_outputs import MultiGaussian, Multinomial
from normball.families_survival import Cox
from normball.family import LANDSCAPES, Array, Family, by_newton, entropy, logistic, logistic_slope, written
from normball.messages import did_you_mean

AUTO = "auto"  # stands for the family that suits the target


class _IdentityLink(Family):
    """The linear predictor is the mean, in the unit of the target."""

    kind, inverse_link = "numeric", "identity"
    amounts = True
    views = LANDSCAPES | {"residuals", "observed", "row_groups"}

    def mean(self, eta: Array) -> Array:
        """The linear predictor itself."""
        return eta

    def link(self, mean: Array) -> Array:
        """The mean itself."""
        return mean


class Gaussian(_IdentityLink):
    """Numbers of any kind, by squared error."""

    name, label, with_outputs = "gaussian", "linear", "multigaussian"
    quadratic = True
    root_scores = ("deviance", "mse")
    glmnet, glmnet_scales_target = '"gaussian"', True

    def loss(self, y: Array, eta: Array) -> Array:
        """Half the squared error."""
        return (y - eta) ** 2 / 2.0

    def residual(self, y: Array, eta: Array) -> Array:
        """Prediction less target."""
        return eta - y

    def curvature(self, y: Array, eta: Array) -> Array:
        """1."""
        return np.ones(np.broadcast_shapes(y.shape, eta.shape))

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """The mean of what the offset leaves."""
        return float(weights @ (y - offset) / weights.sum())

    def sklearn(self, lam: float, l1_ratio: float, total_weight: float, digits: int) -> str:
        """Ridge, whose penalty is on the sum of the losses, Lasso or ElasticNet."""
        if l1_ratio == 0:
            return f"Ridge(alpha={lam * total_weight:.{digits}g}"
        strength = f"alpha={lam:.{digits}g}"
        return f"Lasso({strength}" if l1_ratio == 1 else f"ElasticNet({strength}, l1_ratio={written(l1_ratio)}"


class Binomial(Family):
    """Two classes, or proportions; the linear predictor is the logarithm of the odds."""

    name, label, kind = "binomial", "logistic", "proportion"
    has_classes, inverse_link, variance_function = True, "logistic", "mu (1 - mu)"
    factor, eta_is, predicted = "odds", "log-odds", "Probability"
    views = LANDSCAPES | {"sigmoid", "calibration", "decisions", "row_groups"}
    told = ("accuracy", "auc", "f1_macro", "brier", "deviance", "calibration_slope")
    glmnet = '"binomial"'

    def mean(self, eta: Array) -> Array:
        """The probability of the second class."""
        return logistic(eta)

    def link(self, mean: Array) -> Array:
        """The logarithm of the odds."""
        return np.log(mean) - np.log1p(-mean)

    def loss(self, y: Array, eta: Array) -> Array:
        """The cross-entropy, less that of the target with itself."""
        softplus = np.log1p(np.exp(-np.abs(eta))) + np.maximum(eta, 0.0)
        return softplus - y * eta + (entropy(y) + entropy(1.0 - y))

    def residual(self, y: Array, eta: Array) -> Array:
        """Probability less target."""
        return self.mean(eta) - y

    def curvature(self, y: Array, eta: Array) -> Array:
        """The variance of a row."""
        return np.broadcast_to(logistic_slope(eta), np.broadcast_shapes(y.shape, eta.shape))

    def mean_loss(self, y: Array, weights: Array, eta: Array) -> Array:
        """As of any family, by terms that are fast to add up."""
        curved = np.maximum(eta, 0.0)
        curved += np.log(1.0 + np.exp(-np.abs(eta)))
        return np.asarray(weights @ curved - (weights * y) @ eta + weights @ (entropy(y) + entropy(1.0 - y)))

    def variance(self, mean: Array) -> Array:
        """That of a class drawn with this probability."""
        return mean * (1.0 - mean)

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """Closed without an offset."""
        start = self.link(weights @ y / weights.sum())
        return by_newton(self, y, weights, offset, float(start))

    def sklearn(self, lam: float, l1_ratio: float, total_weight: float, digits: int) -> str:
        """LogisticRegression, whose C weighs the sum of the losses."""
        return f"LogisticRegression(l1_ratio={written(l1_ratio)}, C={1 / (lam * total_weight):.{digits}g}"


class _LogLink(Family):
    """The linear predictor is the logarithm of the mean."""

    inverse_link, factor, eta_is, predicted = "exp", "rate", "log of the rate", "Expected"
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
        if value in _POWERS:
            raise ValueError(f'that power is called "{_POWERS[value]}": write family="{_POWERS[value]}"')
        if not 1.0 < value < 2.0:
            bound = (value - 1.0) / (value - 2.0)
            where = f"{'above' if value > 2.0 else 'below'} {bound:.3g} times the target"
            raise ValueError(_not_convex(where, 'write a power between 1 and 2, or "gamma"'))

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

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """Closed without an offset."""
        return by_newton(self, y, weights, offset, _log_intercept(y, weights, offset, 1.0))


class Huber(_IdentityLink):
    """Numbers of any kind, by squared error up to delta and in proportion beyond, so that far ones do not decide."""

    name, label = "huber", "Huber"
    parameter_name = "delta"
    no_estimate = ("has one value in more than half of its rows, which gives delta no estimate", 'family="huber(1)"')
    root_scores, typical_error = ("mse",), "mae"
    sklearn_lacks = "Huber regression of a given delta (its HuberRegressor estimates a scale along with the model)"
    glmnet_lacks = 'Huber loss; R\'s hqreg has: method = "huber", gamma = delta, lambda = lam / delta'

    def estimate(self, y: Array, weights: Array, offset: Array) -> float:
        """1.345 standard deviations of the null residuals, by their median distance from their median."""
        return delta_at_null(y, weights, offset)

    def loss(self, y: Array, eta: Array) -> Array:
        """Half the square of the error, or beyond delta the tangent to that."""
        size, delta = np.abs(eta - y), self.parameter
        return np.where(size <= delta, size**2 / 2.0, delta * (size - delta / 2.0))

    def residual(self, y: Array, eta: Array) -> Array:
        """Prediction less target, at most delta."""
        return np.clip(eta - y, -self.parameter, self.parameter)

    def curvature(self, y: Array, eta: Array) -> Array:
        """1 up to delta, 0 beyond."""
        return (np.abs(eta - y) <= self.parameter).astype(np.float64)

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """Where the errors, cut at delta, add up to 0."""
        from scipy.optimize import brentq

        left = y - offset
        low, high = float(left.min()), float(left.max())
        exact = {"xtol": 1e-300, "maxiter": 1000}
        return low if low == high else float(brentq(lambda b: weights @ self.residual(left, b), low, high, **exact))


_POWERS = {0.0: Gaussian.name, 1.0: Poisson.name, 2.0: Gamma.name}


def _not_convex(where: str, fix: str) -> str:
    return (
        f"its loss is not convex in the linear predictor (the curvature is negative where the mean is {where}), so "
        f"that no solution could be certified: {fix}"
    )


_NOT_OFFERED = {"inverse_gaussian": _not_convex("above twice the target", 'write family="gamma"')}
_ENTRIES = (Gaussian, Binomial, Poisson, Gamma, Tweedie, NegativeBinomial, Huber, Multinomial, MultiGaussian, Cox)
FAMILIES: dict[str, type[Family]] = {entry.name: entry for entry in _ENTRIES}
_FORM = re.compile(r"(\w+)(?:\((.*)\))?")  # name(parameter)


def family_name(text: Any) -> str:
    """The name of a family as it is written everywhere, or "auto"; raises a ValueError where it is neither."""
    return AUTO if isinstance(text, str) and text == AUTO else str(find_family(text))


def find_family(text: Any) -> Family:
    """The family of this name; raises a ValueError that says what to write where there is none."""
    if not isinstance(text, str):
        raise ValueError(_unknown(text))
    return _read(text)


@cache
def _read(text: str) -> Family:
    form = _FORM.fullmatch(text)
    if text in _NOT_OFFERED:
        raise ValueError(f"family is {text!r}, but {_NOT_OFFERED[text]}")
    if form is None or form[1] not in FAMILIES:
        raise ValueError(_unknown(text, did_you_mean(text, FAMILIES)))
    try:
        return FAMILIES[form[1]].read(form[2])
    except ValueError as error:
        raise ValueError(f"family is {text!r}, but {error}") from None


def family_of_power(power: float) -> str:
    """The family whose variance is that power of its mean; a ValueError says why there is none."""
    return _POWERS[power] if power in _POWERS else str(find_family(f"{Tweedie.name}({power!r})"))


def _unknown(text: object, hint: str = "") -> str:
    return f"family is {text!r}, but must be one of {', '.join((*FAMILIES, AUTO))}.{hint}"
