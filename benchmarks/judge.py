"""The neutral judge: objective, duality gap and KKT violation of any path, in float64, by NumPy and SciPy alone.

The problem is  P(b0, b) = 1/n sum_i f(y_i, o_i + b0 + x_i.b) + lam (a |b|_1 + (1-a)/2 |b|_2^2), where f is half the
unit deviance. For any u with sum(u) = 0 in the domain of the conjugate,

    D(u) = -1/n sum_i (f*(y_i, -u_i) + u_i o_i) - lam h*(X'u / (n lam)) <= min P,

so the largest D over all u ever seen, D*, makes P - D* a rigorous bound on the suboptimality of a solution. Each
solution supplies one u: its residual, after the intercept has been brought to its optimum, scaled to feasibility. That
alone is a loose bound, so where it proves little one Newton step for the coefficients that are not zero is taken from
there, and the residual which that step expects is tried as well; P - D with the better one is reported as `gap`. The
best D over all solutions of a problem is tighter still (`suboptimality`). Several outputs, and penalties of the norms
of groups, are those of `judge_blocks`; times to an event those of `judge_survival`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.sparse.linalg import LinearOperator, cg

from benchmarks import judge_blocks, judge_survival
from benchmarks.bracket import Bracket
from benchmarks.judge_losses import Gaussian, Loss, find_loss
from benchmarks.store import Arrays, Solution, is_survival

Array = NDArray[np.float64]

_BLOCK = 20  # strengths judged at a time: bounds the memory
_LOOSE = 1e-10  # a gap above it is worth a better dual point ...
_MOST_ACTIVE = 4000  # ... unless that means a larger dense linear system than this
_MANY_ACTIVE = 300  # from here on sparse columns take conjugate gradients first
_FEW_STEPS, _MOST_STEPS = 300, 3000  # of these, where a factor could be had instead and where not


@dataclass(frozen=True)
class Verdict:
    """One value a strength; objective and dual are absolute, the others as `relative` says."""

    objective: Array
    dual: Array
    kkt: Array  # largest violation of the optimality conditions, relative to lam
    null_loss: float

    @property
    def gap(self) -> Array:
        """What the solution alone proves, relative to the null loss."""
        return (self.objective - self.dual) / self.null_loss

    def suboptimality(self, best_dual: Array) -> Array:
        """What the best dual point of all solutions proves, relative to the null loss; shorter paths end early."""
        return (self.objective - best_dual[: self.objective.size]) / self.null_loss


def judge(data: Arrays, family: str, l1_ratio: float, solution: Solution, known: Bracket | None = None) -> Verdict:
    """Judge a path against the problem on exactly these columns; what is known already saves proving it again."""
    if is_survival(family):
        return Verdict(*judge_survival.judge_survival(data, l1_ratio, solution), null_loss(data, family))
    if not _is_plain(data):
        known = known or Bracket.unknown(data.lambdas.size)
        return Verdict(*judge_blocks.judge_blocks(data, family, l1_ratio, solution, known), null_loss(data, family))
    n_lambdas = solution.intercepts.size
    parts = [
        _judge_block(data, find_loss(family), l1_ratio, solution, slice(start, min(start + _BLOCK, n_lambdas)))
        for start in range(0, n_lambdas, _BLOCK)
    ]
    objective, dual, kkt = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Verdict(objective, dual, kkt, null_loss(data, family))


def null_loss(data: Arrays, family: str) -> float:
    """The mean loss of the best intercept alone."""
    if is_survival(family):
        return judge_survival.null_loss(data)
    if not _is_plain(data):
        return judge_blocks.null_loss(data, family)
    loss = find_loss(family)
    return float(loss.value(data.y[:, None], _null_eta(data, loss)).mean())


def largest_strength(data: Arrays, family: str) -> float:
    """The smallest strength at which all coefficients are 0, with an l1_ratio of 1."""
    if is_survival(family):
        return judge_survival.largest_strength(data)
    if not _is_plain(data):
        return judge_blocks.largest_strength(data, family)
    return float(np.abs(null_gradient(data, family)).max())


def _is_plain(data: Arrays) -> bool:
    return data.y.ndim == 1 and data.groups is None


def null_gradient(data: Arrays, family: str) -> Array:
    """-X'f'/n at the best intercept alone: its largest entry is the lasso's largest useful strength."""
    loss = find_loss(family)
    residual = -loss.slope(data.y[:, None], _null_eta(data, loss))[:, 0]
    return np.asarray(data.X.T @ residual) / data.y.size


def _null_eta(data: Arrays, loss: Loss) -> Array:
    eta = _offset(data)[:, None] + np.zeros((1, 1))
    return eta + loss.best_shift(data.y[:, None], eta)


def _offset(data: Arrays) -> Array:
    return np.zeros(data.y.size) if data.offset is None else data.offset


def _judge_block(
    data: Arrays, loss: Loss, l1_ratio: float, solution: Solution, which: slice
) -> tuple[Array, Array, Array]:
    n = data.y.size
    y = data.y[:, None]
    lambdas = data.lambdas[which]
    coefs = np.asarray(solution.coefs[which].todense()).T
    with np.errstate(over="ignore", invalid="ignore"):
        eta = data.X @ coefs + _offset(data)[:, None] + solution.intercepts[which]
        penalty = l1_ratio * np.abs(coefs).sum(0) + (1 - l1_ratio) / 2 * (coefs**2).sum(0)
        objective = loss.value(y, eta).mean(0) + lambdas * penalty

        slope = loss.slope(y, eta)
        pull = -(data.X.T @ slope) / n - lambdas * (1 - l1_ratio) * coefs
        l1 = lambdas * l1_ratio
        inactive = np.maximum(np.abs(pull) - l1, 0.0)
        violation = np.where(coefs == 0, inactive, np.abs(pull - l1 * np.sign(coefs)))
        kkt = np.maximum(violation.max(0), np.abs(slope.mean(0))) / lambdas

        eta += loss.best_shift(y, eta)
        dual = _dual(data, loss, -loss.slope(y, eta), lambdas, l1_ratio)
        for i in np.flatnonzero((objective - dual > _LOOSE * objective[:1]) & (l1 > 0) & np.isfinite(objective)):
            if not isinstance(loss, Gaussian):
                dual[i] = max(dual[i], _refined_dual(data, loss, eta[:, [i]], coefs[:, i], lambdas[i], l1_ratio))
    bad = ~np.isfinite(objective)
    return np.where(bad, np.inf, objective), np.where(bad, -np.inf, dual), np.where(bad, np.inf, kkt)


def _refined_dual(data: Arrays, loss: Loss, eta: Array, coef: Array, lam: float, l1_ratio: float) -> float:
    """The best dual value of the residuals that Newton steps expect; coefficients which these would move join in."""
    y = data.y[:, None]
    residual, bend = -loss.slope(y, eta)[:, 0], loss.bend(y, eta)[:, 0]
    signs, best = np.sign(coef), -np.inf
    for _ in range(5):
        if np.count_nonzero(signs) > _MOST_ACTIVE and not hasattr(data.X, "toarray"):
            break
        expected = _expected_residual(data, residual, bend, coef, signs, lam, l1_ratio)
        if not np.all(loss.inside(y, -expected)):
            break
        best = max(best, _dual(data, loss, expected, np.array([lam]), l1_ratio)[0])
        pull = np.asarray(data.X.T @ expected)[:, 0] / y.size
        joining = (signs == 0) & (np.abs(pull) > (1 + 1e-9) * lam * l1_ratio)
        if not joining.any():
            break
        signs[joining] = np.sign(pull[joining])
    return float(best)


def _expected_residual(
    data: Arrays, residual: Array, bend: Array, coef: Array, signs: Array, lam: float, l1_ratio: float
) -> Array:
    """The residual, a column, after a Newton step of the intercept and the coefficients that have a sign."""
    active = np.flatnonzero(signs)
    X = data.X[:, active]
    slope = X.T @ residual / residual.size - lam * (l1_ratio * signs[active] + (1 - l1_ratio) * coef[active])
    slope = np.r_[residual.mean(), slope]
    system, step = (X, bend, slope, lam * (1 - l1_ratio)), None
    if hasattr(X, "toarray") and active.size > _MANY_ACTIVE:
        step = _step_by_products(*system, within=1e-8 * lam)
    if step is None:
        step = _step_by_factor(*system)
    return np.asarray(residual - bend * (step[0] + X @ step[1:]))[:, None]


def _step_by_factor(X: Any, bend: Array, slope: Array, ridge: float) -> Array:
    n, n_active = X.shape
    weighted = X.multiply(bend[:, None]).tocsc() if hasattr(X, "multiply") else X * bend[:, None]
    hessian = np.empty((n_active + 1, n_active + 1))
    product = X.T @ weighted
    hessian[1:, 1:] = (product.toarray() if hasattr(product, "toarray") else product) / n
    hessian[0, 1:] = hessian[1:, 0] = np.asarray(weighted.sum(axis=0)).ravel() / n
    hessian[0, 0] = bend.mean()
    diagonal = np.r_[0.0, np.full(n_active, ridge)] + 1e-12 * np.diag(hessian)
    return np.asarray(solve(hessian + np.diag(diagonal), slope, assume_a="sym"))


def _step_by_products(X: Any, bend: Array, slope: Array, ridge: float, within: float) -> Array | None:
    """Conjugate gradients until the model's violation is `within`; None where they fall short and a factor can be had.

    Where none can, the bound of a step that falls short is only looser.
    """
    n, n_active = X.shape
    transposed = X.T

    def times(step: Array) -> Array:
        weighted = bend * (step[0] + X @ step[1:]) / n
        return np.asarray(np.r_[weighted.sum(), transposed @ weighted + ridge * step[1:]])

    scale = np.r_[bend.mean(), X.multiply(X).T @ bend / n + ridge]
    scale = 1 / np.maximum(scale, 1e-12 * scale.max())
    size = (n_active + 1, n_active + 1)
    hessian, inverse = LinearOperator(size, times), LinearOperator(size, lambda step: scale * np.ravel(step))
    dear = n_active > _MOST_ACTIVE
    with np.errstate(divide="ignore", invalid="ignore"):  # without curvature the step is not finite, and not used
        step, missed = cg(hessian, slope, rtol=0.0, atol=within, maxiter=_MOST_STEPS if dear else _FEW_STEPS, M=inverse)
    return np.asarray(step) if dear or not missed else None


def _dual(data: Arrays, loss: Loss, residual: Array, lambdas: Array, l1_ratio: float) -> Array:
    """The dual value of the residual times a scalar: for the lasso the largest feasible one, at most 1."""
    y = data.y[:, None]
    pull = np.asarray(data.X.T @ residual) / y.size
    known = residual.T @ _offset(data) / y.size

    def dual(scale: Array) -> Array:
        value = -loss.conjugate(y, -scale * residual).mean(0) - scale * known
        if l1_ratio < 1:
            excess = np.maximum(np.abs(scale * pull) - lambdas * l1_ratio, 0.0)
            value -= (excess**2).sum(0) / (2 * (1 - l1_ratio) * lambdas)
        return np.asarray(value)

    largest = np.abs(pull).max(0)
    feasible = np.minimum(1.0, lambdas * l1_ratio / np.maximum(largest, np.finfo(float).tiny))
    if l1_ratio == 1.0:
        return dual(feasible)
    whole = dual(np.ones_like(lambdas))
    return np.maximum(whole, dual(feasible)) if l1_ratio > 0 else whole
