"""Models of two classes and of more, solved for several C."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from normball.drop_in._common import Array, iterations_of, solved, tolerance
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
    is_solved: bool = True

    @classmethod
    def of_fit(cls, fit: Fit, tol: float) -> Self:
        """The model at one point of a path, which is solved where its relative gap is at most `tol`."""
        coefs, intercepts = np.atleast_2d(fit.coef), np.atleast_1d(fit.intercept)
        return cls(coefs, intercepts, fit.n_iters, fit.dual_gap * fit.null_loss, fit.dual_gap <= tol)

    def centred(self) -> ClassModel:
        """The same predictions with coefficients of sum 0 over the classes; a ridge penalty gets no larger by it."""
        return replace(self, coefs=self.coefs - self.coefs.mean(axis=0))

    def with_last_as_intercept(self, scale: float) -> ClassModel:
        """The model whose intercept is `scale` times the last coefficient."""
        return replace(self, coefs=self.coefs[:, :-1], intercepts=scale * self.coefs[:, -1])

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


def penalises_intercept(model: Any) -> bool:
    """Whether the intercept is a coefficient among others, as liblinear has it."""
    return bool(model.solver == "liblinear" and model.fit_intercept)


def design_of(model: Any, X: Any) -> Any:
    """The columns whose coefficients are penalised: X, and for an intercept that is penalised a constant one."""
    if not penalises_intercept(model):
        return X
    constant = np.full((X.shape[0], 1), model.intercept_scaling, dtype=X.dtype)
    return sparse.hstack([X, constant], format="csc") if sparse.issparse(X) else np.hstack([X, constant])


def class_models(
    model: Any,
    design: Any,
    target: Array,
    weights: Array,
    Cs: ArrayLike,
    l1_ratio: float,
    max_iter: int | None = None,
) -> list[ClassModel]:
    """Solve the problem of an estimator on the columns of `design_of` at each C.

    A class without rows (in a fold, or by its weight) has the probability 0 that its best intercept, minus infinity,
    gives it; the others are a problem of their own.
    """
    strengths = np.asarray(Cs, dtype=float)
    present = present_classes(target, weights)
    has_free_intercept = bool(model.fit_intercept) and not penalises_intercept(model)
    if target.ndim == 2 and not present.all() and not has_free_intercept:
        raise ValueError(
            f"{type(model).__name__} has classes without rows of positive weight, which cannot be ruled out "
            f"without an intercept: leave these classes out, or set fit_intercept=True"
        )
    if present.sum() < 2 and has_free_intercept:
        return [_always(present, design.shape[1])] * strengths.size
    if not present.all() and target.ndim == 2:
        target = target[:, present]
        target[~target.any(axis=1), 0] = 1.0  # rows without weight
    problem = ClassProblem(design, target, weights, strengths[0], l1_ratio, has_free_intercept)
    problems = [replace(problem, C=C) for C in strengths]
    limit = iterations_of(model) if max_iter is None else max_iter
    found = _solutions(model, problems, limit) if limit else [_start(model, one) for one in problems]
    if target.ndim == 2 and not present.all():
        found = [one.with_absent(present) for one in found]
    if penalises_intercept(model):
        found = [one.with_last_as_intercept(model.intercept_scaling) for one in found]
    return found


def aimed_gap(model: Any) -> float:
    """The relative gap that is aimed at: errors of coefficients go with its root, and `tol` is to limit those."""
    return float(max(min(tolerance(model) / 1000.0, model.tol**2), 1e-16))


def _solutions(model: Any, problems: list[ClassProblem], max_iter: int) -> list[ClassModel]:
    """The minima of problems that differ in C alone."""
    first, tol = problems[0], tolerance(model)
    lambdas = np.array([1.0 / (one.C * one.weights.sum()) for one in problems])
    path = solved(
        fit_path,
        model,
        first.X,
        first.target,
        family="binomial" if first.target.ndim == 1 else "multinomial",
        sample_weight=first.weights,
        lambdas=lambdas,
        l1_ratio=first.l1_ratio,
        fit_intercept=first.fit_intercept,
        max_iter=max_iter,
        tol=aimed_gap(model),
        warns=False,
    )
    found = [ClassModel.of_fit(path.at(lam=lam), tol) for lam in lambdas]
    if first.target.ndim == 1:
        return found
    return [
        one.centred() if first.l1_ratio == 0.0 or lam == 0.0 else one for one, lam in zip(found, lambdas, strict=True)
    ]


def _start(model: Any, problem: ClassProblem) -> ClassModel:
    """The model before the first iteration: zeros, as in scikit-learn."""
    n_models = 1 if problem.target.ndim == 1 else problem.target.shape[1]
    coefs, intercepts = np.zeros((n_models, problem.X.shape[1])), np.zeros(n_models)
    gap, null_loss = problem.gap(coefs, intercepts)
    return ClassModel(coefs, intercepts, 0, gap, gap <= tolerance(model) * null_loss)


def _always(present: NDArray[np.bool_], n_features: int) -> ClassModel:
    """The model that gives the one class that is present the probability 1."""
    if present.size > 2:
        return ClassModel(np.zeros((1, n_features)), np.zeros(1), 0, 0.0).with_absent(present)
    return ClassModel(np.zeros((1, n_features)), np.array([np.inf if present[1] else -np.inf]), 0, 0.0)
