"""The families: an entry each with everything that the package knows of it. Nobody else compares their names.

A family says how the mean of the target follows from the linear predictor eta, and what a prediction costs: the loss f
is half the unit deviance, so that it is 0 for a perfect one (M2). Everything about one family stands in its class;
whoever has to know something about it asks for an attribute. docs/architecture.md says how to add one.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

from normball.estimates import delta_at_null
from normball.families_log_link import POWERS, Gamma, NegativeBinomial, Poisson, Tweedie, not_convex
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
    limits = (0.0, 1.0)
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


_NOT_OFFERED = {"inverse_gaussian": not_convex("above twice the target", 'write family="gamma"')}
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
    return POWERS[power] if power in POWERS else str(find_family(f"{Tweedie.name}({power!r})"))


def _unknown(text: object, hint: str = "") -> str:
    return f"family is {text!r}, but must be one of {', '.join((*FAMILIES, AUTO))}.{hint}"
