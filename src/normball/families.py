"""The families: an entry each with everything that the package knows of it. Nobody else compares their names.

A family says how the mean of the target follows from the linear predictor eta, and what a prediction costs: the loss f
is half the unit deviance, so that it is 0 for a perfect one (M2). Everything about one family stands in its class, and
`FAMILIES` is the table of these; `find_family` makes one from its name. A new one needs a class here, its native loss
(docs/architecture.md), and no other line: whoever has to know something about a family asks for an attribute.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np

from normball.family import Array, Family, Mask, by_newton, entropy
from normball.messages import did_you_mean

AUTO = "auto"  # stands for the family that suits the target
DEFAULT = "gaussian"


class Gaussian(Family):
    """Numbers of any kind, by squared error."""

    name, label, kind = "gaussian", "linear", "numeric"
    quadratic = amounts = True
    inverse_link = "identity"
    views = frozenset({"residuals"})
    root_scores = ("deviance", "mse")
    glmnet, glmnet_scales_target = '"gaussian"', True

    def mean(self, eta: Array) -> Array:
        """The linear predictor itself."""
        return eta

    def link(self, mean: Array) -> Array:
        """The mean itself."""
        return mean

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
        return f"Lasso({strength}" if l1_ratio == 1 else f"ElasticNet({strength}, l1_ratio={l1_ratio:g}"


class Binomial(Family):
    """Two classes, or proportions; the linear predictor is the logarithm of the odds."""

    name, label, kind = "binomial", "logistic", "proportion"
    has_classes = True
    inverse_link, variance_function = "logistic", "mu (1 - mu)"
    factor, eta_is, predicted = "odds", "log-odds", "Probability"
    views = frozenset({"sigmoid", "calibration"})
    glmnet = '"binomial"'

    def mean(self, eta: Array) -> Array:
        """The probability of the second class."""
        return np.exp(-np.logaddexp(0.0, -eta))

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
        return np.broadcast_to(self.mean(eta) * self.mean(-eta), np.broadcast_shapes(y.shape, eta.shape))

    def mean_loss(self, y: Array, weights: Array, eta: Array) -> Array:
        """As of any family, by terms that are fast to add up."""
        curved = np.maximum(eta, 0.0)
        curved += np.log(1.0 + np.exp(-np.abs(eta)))
        return np.asarray(weights @ curved - (weights * y) @ eta + weights @ (entropy(y) + entropy(1.0 - y)))

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """Closed without an offset."""
        start = self.link(weights @ y / weights.sum())
        return by_newton(self, y, weights, offset, float(start))

    def sklearn(self, lam: float, l1_ratio: float, total_weight: float, digits: int) -> str:
        """LogisticRegression, whose C weighs the sum of the losses."""
        return f"LogisticRegression(l1_ratio={l1_ratio:g}, C={1 / (lam * total_weight):.{digits}g}"


class _LogLink(Family):
    """The linear predictor is the logarithm of the mean."""

    inverse_link = "exp"
    factor, eta_is, predicted = "rate", "log of the rate", "Expected"

    def mean(self, eta: Array) -> Array:
        """Its exponential."""
        with np.errstate(over="ignore"):
            return np.exp(eta)

    def link(self, mean: Array) -> Array:
        """Its logarithm."""
        return np.log(mean)


class Poisson(_LogLink):
    """Counts whose variance is their mean."""

    name, label, kind = "poisson", "Poisson", "count"
    variance_function = "mu"
    shows_zeros = True
    views = frozenset({"residuals"})
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

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """Closed."""
        return math.log(weights @ y / (weights @ np.exp(offset)))

    def refused(self, y: Array) -> tuple[Mask, str, str]:
        """Counts cannot be negative."""
        return y < 0, "negative values; counts cannot be negative", Gaussian.name

    def sklearn(self, lam: float, l1_ratio: float, total_weight: float, digits: int) -> str:
        """PoissonRegressor, which has no L1 penalty."""
        return f"PoissonRegressor(alpha={lam:.{digits}g}" if l1_ratio == 0 else ""


FAMILIES: dict[str, type[Family]] = {entry.name: entry for entry in (Gaussian, Binomial, Poisson)}
_UNKNOWN = f"family is {{!r}}, but must be one of {', '.join((*FAMILIES, AUTO))}."
_FORM = re.compile(r"(\w+)(?:\((.*)\))?")


def family_name(text: Any) -> str:
    """The name of a family as it is written everywhere, or "auto"; raises a ValueError where it is neither."""
    return AUTO if isinstance(text, str) and text == AUTO else str(find_family(text))


def find_family(text: Any) -> Family:
    """The family of this name; raises a ValueError that says what to write where there is none."""
    if not isinstance(text, str):
        raise ValueError(_UNKNOWN.format(text))
    return _read(text)


@cache
def _read(text: str) -> Family:
    form = _FORM.fullmatch(text)
    if form is None or form[1] not in FAMILIES:
        raise ValueError(_UNKNOWN.format(text) + did_you_mean(text, FAMILIES))
    if form[2] is not None:
        raise ValueError(f"family is {text!r}, but {form[1]} has no parameter: write {form[1]!r}")
    return FAMILIES[form[1]]()


def option_in_words(name: str) -> str:
    """`family="poisson", ` as an argument of our functions; nothing for the default."""
    return "" if name == DEFAULT else f'family="{name}", '
