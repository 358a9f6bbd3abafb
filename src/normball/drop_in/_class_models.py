"""Models of two classes and of more, solved for several C."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.drop_in._common import Array, solved, tolerance, warn_unsolved
from normball.families import find_family
from normball.family import entropy
from normball.path import Fit, fit_path


@dataclass(frozen=True)
class ClassModel:
    """A row of coefficients and an intercept for the second class of two, or for each class of more."""

    coefs: Array
    intercepts: Array
    n_iters: int
    dual_gap: float

    @classmethod
    def of_fit(cls, fit: Fit) -> Self:
        """The model at one point of a path."""
        coefs, intercepts = np.atleast_2d(fit.coef), np.atleast_1d(fit.intercept)
        return cls(coefs, intercepts, fit.n_iters, fit.dual_gap * fit.null_loss)

    def centred(self) -> ClassModel:
        """The same predictions with coefficients of sum 0 over the classes; a ridge penalty gets no larger by it."""
        return replace(self, coefs=self.coefs - self.coefs.mean(axis=0))

    def with_absent(self, present: NDArray[np.bool_]) -> ClassModel:
        """The model that knows all classes, of which those not `present` never come."""
        coefs = np.zeros((present.size, self.coefs.shape[1]))
        intercepts = np.full(present.size, -np.inf)
        coefs[present], intercepts[present] = self.coefs, self.intercepts
        return replace(self, coefs=coefs, intercepts=intercepts)


@dataclass(frozen=True)
class ClassProblem:
    """The problem of `class_models` at one C, to find out whether a given model solves it."""

    X: Any
    target: Array
    weights: Array
    C: float
    l1_ratio: float
    fit_intercept: bool

    def gap(self, coefs: Array, intercepts: Array) -> tuple[float, float]:
        """The duality gap of a model, from the scaled residual with the best intercepts; and the null loss."""
        family = find_family("binomial" if self.target.ndim == 1 else "multinomial")
        share = self.weights / self.weights.sum()
        counts = share > 0.0
        X, y, share = self.X[counts], self.target[counts], share[counts]

        def best_intercepts(offset: Array) -> Any:
            return family.null_intercept(y, share, offset) if self.fit_intercept else np.zeros(y.shape[1:])

        eta = np.asarray(X @ coefs.T + intercepts).reshape(y.shape)
        residual = family.residual(y, eta + best_intercepts(eta))
        gradient = abs(X.T @ (residual.T * share).T)
        l1, l2 = np.array([self.l1_ratio, 1.0 - self.l1_ratio]) / (self.C * self.weights.sum())
        reach = gradient.max()
        scale = 1.0 if l2 > 0.0 or reach <= l1 else l1 / reach
        mean = y + scale * residual
        conjugate = entropy(mean) + (entropy(1.0 - mean) if y.ndim == 1 else 0.0)
        of_target = entropy(y) + (entropy(1.0 - y) if y.ndim == 1 else 0.0)
        primal = share @ family.loss(y, eta) + l1 * abs(coefs).sum() + l2 / 2.0 * (coefs**2).sum()
        dual = share @ (of_target - conjugate).reshape(len(share), -1).sum(axis=1)
        if l2 > 0.0:
            dual -= (np.maximum(scale * gradient - l1, 0.0) ** 2).sum() / (2.0 * l2)
        null_loss = share @ family.loss(y, np.zeros(y.shape) + best_intercepts(np.zeros(y.shape)))
        return float(primal - dual), float(null_loss)

    def solved_by(self, coefs: Array, intercepts: Array, tol: float) -> ClassModel | None:
        """The model with these coefficients and intercepts, if they solve the problem as they are."""
        n_models = 1 if self.target.ndim == 1 else self.target.shape[1]
        absent = not present_classes(self.target, self.weights).all()
        if coefs.shape != (n_models, self.X.shape[1]) or intercepts.shape != (n_models,) or absent:
            return None
        if not (
            np.isfinite(coefs).all() and np.isfinite(intercepts).all() and (self.fit_intercept or not intercepts.any())
        ):
            return None
        gap, null_loss = self.gap(coefs, intercepts)
        return ClassModel(coefs, intercepts, 0, gap) if gap <= tol * null_loss else None


def targets_of(codes: NDArray[np.intp], n_classes: int) -> Array:
    """Whether each row is of the second class of two, shape (n_samples,); of more a column for each class."""
    return (codes > 0).astype(float) if n_classes <= 2 else np.eye(n_classes)[codes]


def present_classes(target: Array, weights: Array) -> NDArray[np.bool_]:
    """Which classes have a row of positive weight."""
    indicators = np.column_stack([1.0 - target, target]) if target.ndim == 1 else target
    return np.asarray(indicators[weights > 0.0].any(axis=0))


def class_models(model: Any, X: Any, target: Array, weights: Array, Cs: ArrayLike, l1_ratio: float) -> list[ClassModel]:
    """Solve the problem of an estimator at each C.

    A class without rows (in a fold, or by its weight) has the probability 0 that its best intercept, minus infinity,
    gives it; the others are a problem of their own.
    """
    lambdas = 1.0 / (np.asarray(Cs, dtype=float) * weights.sum())
    present = present_classes(target, weights)
    options: dict[str, Any] = {"sample_weight": weights, "lambdas": lambdas, "l1_ratio": l1_ratio}
    if target.ndim == 1:
        path = solved(fit_path, model, X, target, family="binomial", **options)
        return [ClassModel.of_fit(path.at(lam=lam)) for lam in lambdas]
    if not present.all():
        if not model.fit_intercept:
            raise ValueError(
                f"{type(model).__name__} has classes without rows of positive weight, which cannot be ruled out "
                f"without an intercept: leave these classes out, or set fit_intercept=True"
            )
        target = target[:, present]
        target[~target.any(axis=1), 0] = 1.0  # rows without weight
    tol = tolerance(model)
    aim = min(tol, max(min(tol / 1000.0, model.tol**2), 1e-14))  # coefficients go with the root of the gap
    options |= {"tol": aim, "warns": False}
    path = solved(fit_path, model, X, target, family="multinomial", **options)
    if not (path.dual_gaps <= tol).all():
        warn_unsolved(model)
    found = [ClassModel.of_fit(path.at(lam=lam)) for lam in lambdas]
    found = [one.centred() if l1_ratio == 0.0 or lam == 0.0 else one for one, lam in zip(found, lambdas, strict=True)]
    return found if present.all() else [one.with_absent(present) for one in found]
