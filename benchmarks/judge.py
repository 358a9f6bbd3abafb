"""The neutral judge: objective, duality gap and KKT violation of any path, in float64, by NumPy and SciPy alone.

The problem is  P(b0, b) = 1/n sum_i f(y_i, o_i + b0 + x_i.b) + lam (a |b|_1 + (1-a)/2 |b|_2^2), where f is half the
unit deviance. For any u with sum(u) = 0 in the domain of the conjugate,

    D(u) = -1/n sum_i (f*(y_i, -u_i) + u_i o_i) - lam h*(X'u / (n lam)) <= min P,

so the largest D over all u ever seen, D*, makes P - D* a rigorous bound on the suboptimality of a solution. Each
solution supplies one u: its residual, after the intercept has been brought to its optimum, scaled to feasibility. That
alone is a loose bound, so where it proves little one Newton step for the coefficients that are not zero is taken from
there, and the residual which that step expects is tried as well; P - D with the better one is reported as `gap`. The
best D over all solutions of a problem is tighter still (`suboptimality`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.special import entr, expit, xlogy

from benchmarks.store import Arrays, Solution

Array = NDArray[np.float64]

_BLOCK = 20  # strengths judged at a time: bounds the memory
_LOOSE = 1e-10  # a gap above it is worth a better dual point ...
_MOST_ACTIVE = 4000  # ... unless that means a larger linear system than this


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


def judge(data: Arrays, family: str, l1_ratio: float, solution: Solution) -> Verdict:
    """Judge a path against the problem on exactly these columns."""
    n_lambdas = solution.intercepts.size
    parts = [
        _judge_block(data, _FAMILIES[family], l1_ratio, solution, slice(start, min(start + _BLOCK, n_lambdas)))
        for start in range(0, n_lambdas, _BLOCK)
    ]
    objective, dual, kkt = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Verdict(objective, dual, kkt, null_loss(data, family))


def null_loss(data: Arrays, family: str) -> float:
    """The mean loss of the best intercept alone."""
    loss: Any = _FAMILIES[family]
    eta = _offset(data)[:, None] + np.zeros((1, 1))
    eta += loss.best_shift(data.y[:, None], eta)
    return float(loss.value(data.y[:, None], eta).mean())


def null_gradient(data: Arrays, family: str) -> Array:
    """X'(y - mu)/n at the best intercept alone: its largest entry is the lasso's largest useful strength."""
    loss: Any = _FAMILIES[family]
    eta = _offset(data)[:, None] + np.zeros((1, 1))
    eta += loss.best_shift(data.y[:, None], eta)
    return np.asarray(data.X.T @ (data.y - loss.mean(eta)[:, 0])) / data.y.size


def _offset(data: Arrays) -> Array:
    return np.zeros(data.y.size) if data.offset is None else data.offset


def _judge_block(
    data: Arrays, loss: Any, l1_ratio: float, solution: Solution, which: slice
) -> tuple[Array, Array, Array]:
    n = data.y.size
    y = data.y[:, None]
    lambdas = data.lambdas[which]
    coefs = np.asarray(solution.coefs[which].todense()).T
    with np.errstate(over="ignore", invalid="ignore"):
        eta = data.X @ coefs + _offset(data)[:, None] + solution.intercepts[which]
        penalty = l1_ratio * np.abs(coefs).sum(0) + (1 - l1_ratio) / 2 * (coefs**2).sum(0)
        objective = loss.value(y, eta).mean(0) + lambdas * penalty

        pull = data.X.T @ (y - loss.mean(eta)) / n - lambdas * (1 - l1_ratio) * coefs
        l1 = lambdas * l1_ratio
        inactive = np.maximum(np.abs(pull) - l1, 0.0)
        violation = np.where(coefs == 0, inactive, np.abs(pull - l1 * np.sign(coefs)))
        intercept = np.abs((y - loss.mean(eta)).mean(0))
        kkt = np.maximum(violation.max(0), intercept) / lambdas

        mean = loss.mean(eta + loss.best_shift(y, eta))
        dual = _dual(data, loss, y - mean, lambdas, l1_ratio)
        for i in np.flatnonzero((objective - dual > _LOOSE * objective[:1]) & (l1 > 0) & np.isfinite(objective)):
            if loss is not _Gaussian:
                dual[i] = max(dual[i], _refined_dual(data, loss, mean[:, i], coefs[:, i], lambdas[i], l1_ratio))
    bad = ~np.isfinite(objective)
    return np.where(bad, np.inf, objective), np.where(bad, -np.inf, dual), np.where(bad, np.inf, kkt)


def _refined_dual(data: Arrays, loss: Any, mean: Array, coef: Array, lam: float, l1_ratio: float) -> float:
    """The best dual value of the residuals that Newton steps expect; coefficients which these would move join in."""
    signs, best = np.sign(coef), -np.inf
    for _ in range(5):
        if np.count_nonzero(signs) > _MOST_ACTIVE:
            break
        expected = _expected_residual(data, loss, mean, coef, signs, lam, l1_ratio)
        if not np.all(loss.inside(data.y[:, None] - expected)):
            break
        best = max(best, _dual(data, loss, expected, np.array([lam]), l1_ratio)[0])
        pull = np.asarray(data.X.T @ expected)[:, 0] / mean.size
        joining = (signs == 0) & (np.abs(pull) > (1 + 1e-9) * lam * l1_ratio)
        if not joining.any():
            break
        signs[joining] = np.sign(pull[joining])
    return float(best)


def _expected_residual(
    data: Arrays, loss: Any, mean: Array, coef: Array, signs: Array, lam: float, l1_ratio: float
) -> Array:
    """The residual, a column, after a Newton step of the intercept and the coefficients that have a sign."""
    active = np.flatnonzero(signs)
    X, bend, n = data.X[:, active], loss.bend(mean), mean.size
    weighted = X.multiply(bend[:, None]).tocsc() if hasattr(X, "multiply") else X * bend[:, None]
    hessian = np.empty((active.size + 1, active.size + 1))
    product = X.T @ weighted
    hessian[1:, 1:] = (product.toarray() if hasattr(product, "toarray") else product) / n
    hessian[0, 1:] = hessian[1:, 0] = np.asarray(weighted.sum(axis=0)).ravel() / n
    hessian[0, 0] = bend.mean()
    slope = X.T @ (data.y - mean) / n - lam * (l1_ratio * signs[active] + (1 - l1_ratio) * coef[active])
    diagonal = np.r_[0.0, np.full(active.size, lam * (1 - l1_ratio))] + 1e-12 * np.diag(hessian)
    step = solve(hessian + np.diag(diagonal), np.r_[(data.y - mean).mean(), slope], assume_a="sym")
    return np.asarray(data.y - mean - bend * (step[0] + X @ step[1:]))[:, None]


def _dual(data: Arrays, loss: Any, residual: Array, lambdas: Array, l1_ratio: float) -> Array:
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


class _Gaussian:
    @staticmethod
    def value(y: Array, eta: Array) -> Array:
        return 0.5 * (y - eta) ** 2

    @staticmethod
    def mean(eta: Array) -> Array:
        return eta

    @staticmethod
    def conjugate(y: Array, v: Array) -> Array:
        return 0.5 * v**2 + v * y

    @staticmethod
    def best_shift(y: Array, eta: Array) -> Array:
        return np.asarray((y - eta).mean(0))


class _Binomial:
    @staticmethod
    def value(y: Array, eta: Array) -> Array:
        # for y of 0 and 1 the saturated loss is 0
        return np.logaddexp(0, eta) - y * eta

    @staticmethod
    def bend(mean: Array) -> Array:
        return mean * (1 - mean)

    @staticmethod
    def inside(mean: Array) -> NDArray[np.bool_]:
        return (mean >= 0) & (mean <= 1)

    @staticmethod
    def mean(eta: Array) -> Array:
        return np.asarray(expit(eta))

    @staticmethod
    def conjugate(y: Array, v: Array) -> Array:
        t = np.clip(y + v, 0.0, 1.0)
        return -np.asarray(entr(t) + entr(1 - t))

    @staticmethod
    def best_shift(y: Array, eta: Array) -> Array:
        """Newton's method from the middle of a bracket, with bisection where it leaves the bracket."""
        shift = np.zeros(eta.shape[1])
        low, high = shift - 50.0, shift + 50.0
        for _ in range(200):
            mu = expit(eta + shift)
            slope = (mu - y).mean(0)
            low, high = np.where(slope < 0, shift, low), np.where(slope < 0, high, shift)
            step = slope / np.maximum((mu * (1 - mu)).mean(0), np.finfo(float).tiny)
            proposal = shift - step
            outside = (proposal <= low) | (proposal >= high)
            moved = np.where(outside, 0.5 * (low + high), proposal)
            if np.all(np.abs(moved - shift) <= 1e-15 * np.maximum(1.0, np.abs(shift))):
                break
            shift = moved
        return shift


class _Poisson:
    @staticmethod
    def value(y: Array, eta: Array) -> Array:
        return np.asarray(np.exp(eta) - y * eta - (y - xlogy(y, y)))

    @staticmethod
    def bend(mean: Array) -> Array:
        return mean

    @staticmethod
    def inside(mean: Array) -> NDArray[np.bool_]:
        return mean >= 0

    @staticmethod
    def mean(eta: Array) -> Array:
        return np.asarray(np.exp(eta))

    @staticmethod
    def conjugate(y: Array, v: Array) -> Array:
        t = np.maximum(y + v, 0.0)
        return np.asarray(xlogy(t, t) - t + (y - xlogy(y, y)))

    @staticmethod
    def best_shift(y: Array, eta: Array) -> Array:
        return np.asarray(np.log(y.mean(0) / np.exp(eta).mean(0)))


_FAMILIES = {"gaussian": _Gaussian, "binomial": _Binomial, "poisson": _Poisson}
