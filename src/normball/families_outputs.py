"""Families with several outputs: a linear predictor for each class, or for each of several targets.

Arrays of targets, predictors and means end in the outputs, (..., K); a loss has none of them left, (...). (M20)
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from normball.family import Array, Family, Places, entropy, written


class _Outputs(Family):
    """A row of K linear predictors."""

    has_outputs: ClassVar[bool] = True

    @abstractmethod
    def null_intercept(self, y: Array, weights: Array, offset: Array) -> Array:
        """The linear predictors (K,), less the offsets (n, K), of the model without features."""


class Multinomial(_Outputs):
    """Any number of classes, or their proportions; a linear predictor each, of which only differences count."""

    name, label, kind = "multinomial", "multinomial", "class"
    has_classes = True
    of_one = "binomial"
    views = frozenset({"confusion", "calibration", "row_groups"})
    told = ("accuracy", "auc", "f1_macro", "brier", "deviance")
    inverse_link, variance_function = "softmax", "mu (1 - mu)"
    eta_is, predicted = "log of the probability, but for a constant of the row", "Probability"
    glmnet = '"multinomial"'

    def mean(self, eta: Array) -> Array:
        """The probabilities of the classes."""
        likelihood = np.exp(eta - eta.max(axis=-1, keepdims=True))
        return np.asarray(likelihood / likelihood.sum(axis=-1, keepdims=True))

    def link(self, mean: Array) -> Array:
        """The logarithms of the probabilities, less their mean."""
        logarithms = np.log(mean)
        return np.asarray(logarithms - logarithms.mean(axis=-1, keepdims=True))

    def loss(self, y: Array, eta: Array) -> Array:
        """The cross-entropy, less that of the target with itself."""
        largest = eta.max(axis=-1, keepdims=True)
        total = np.log(np.exp(eta - largest).sum(axis=-1)) + largest[..., 0]
        return np.asarray(total - (y * eta).sum(axis=-1) + entropy(y).sum(axis=-1))

    def residual(self, y: Array, eta: Array) -> Array:
        """Probabilities less target."""
        return self.mean(eta) - y

    def curvature(self, y: Array, eta: Array) -> Array:
        """The variance of each class; that of two is not diagonal."""
        return np.broadcast_to(self.variance(self.mean(eta)), np.broadcast_shapes(y.shape, eta.shape))

    def variance(self, mean: Array) -> Array:
        """That of each class drawn with this probability."""
        return mean * (1.0 - mean)

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> Array:
        """Closed without offsets; their sum is 0."""
        share = weights / weights.sum()
        intercept = self.link(share @ y)
        for _ in range(100):
            mean = self.mean(offset + intercept)
            bend = np.diag(share @ mean) - mean.T @ (share[:, None] * mean)
            bend += 1.0 / intercept.size + 1e-14 * np.eye(intercept.size)  # singular where all move alike, or none can
            step = np.linalg.solve(bend, share @ (y - mean))
            step /= max(1.0, np.abs(step).max())
            while np.abs(step).max() > 1e-12 and share @ self.residual(y, offset + intercept + step) @ step > 0.0:
                step /= 2.0  # it went beyond the minimum on this line
            intercept = intercept + step
            if np.abs(step).max() <= 1e-12 * (1.0 + np.abs(intercept).max()):
                break
        return np.asarray(intercept - intercept.mean())

    def choice(self, eta: Array) -> Places:
        """The largest."""
        return np.asarray(eta.argmax(axis=-1))

    def margin(self, eta: Array) -> Array:
        """The logarithm of the odds of the likeliest class against all others."""
        ordered = np.sort(eta, axis=-1)
        return np.asarray(ordered[..., -1] - np.logaddexp.reduce(ordered[..., :-1], axis=-1))

    def alone(self, eta: Array, output: int) -> Array:
        """The logarithm of the odds of a class against all others."""
        with np.errstate(invalid="ignore"):  # rows that no fold holds out stay NaN
            others = np.logaddexp.reduce(np.delete(eta, output, axis=-1), axis=-1)
        return np.asarray(eta[..., output] - others)

    def sklearn(self, lam: float, l1_ratio: float, total_weight: float, digits: int) -> str:
        """LogisticRegression, whose C weighs the sum of the losses."""
        return f"LogisticRegression(l1_ratio={written(l1_ratio)}, C={1 / (lam * total_weight):.{digits}g}"


class MultiGaussian(_Outputs):
    """Several targets of numbers, by the sum of their squared errors."""

    name, label, kind = "multigaussian", "linear, several targets", "numeric"
    with_outputs = name
    inverse_link = "identity"
    amounts = True
    of_one = "gaussian"
    views = frozenset({"errors", "residuals", "row_groups"})
    quadratic = True
    grouped_by_default = True
    root_scores = ("mse",)
    glmnet, glmnet_scales_target = '"mgaussian"', False

    def mean(self, eta: Array) -> Array:
        """The linear predictors themselves."""
        return eta

    def link(self, mean: Array) -> Array:
        """The means themselves."""
        return mean

    def loss(self, y: Array, eta: Array) -> Array:
        """Half the squared distance."""
        return np.asarray(((y - eta) ** 2).sum(axis=-1) / 2.0)

    def residual(self, y: Array, eta: Array) -> Array:
        """Predictions less targets."""
        return eta - y

    def curvature(self, y: Array, eta: Array) -> Array:
        """1."""
        return np.ones(np.broadcast_shapes(y.shape, eta.shape))

    def null_intercept(self, y: Array, weights: Array, offset: Array) -> Array:
        """The means of what the offsets leave."""
        return np.asarray(weights @ (y - offset) / weights.sum())

    def sklearn(self, lam: float, l1_ratio: float, total_weight: float, digits: int) -> str:
        """Ridge, whose penalty is on the sum of the losses, MultiTaskLasso or MultiTaskElasticNet."""
        if l1_ratio == 0:
            return f"Ridge(alpha={lam * total_weight:.{digits}g}"
        strength = f"alpha={lam:.{digits}g}"
        return (
            f"MultiTaskLasso({strength}"
            if l1_ratio == 1
            else f"MultiTaskElasticNet({strength}, l1_ratio={written(l1_ratio)}"
        )
