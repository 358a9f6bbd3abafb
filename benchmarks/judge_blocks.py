"""The judge for several outputs and for groups of features, in float64, by NumPy and SciPy alone.

The problem is  P(b0, B) = 1/n sum_i f(y_i, o_i + b0 + x_i B) + lam sum_g v_g (a |B_g| + (1-a)/2 |B_g|^2), where B has a
column for each output and the blocks B_g, of which |.| is the Euclidean norm, share out its entries: a block is an
entry, or a row, or the rows of a group of features. For any U with columns that add up to 0,

    D(U) = -1/n sum_i (f*(y_i, -U_i) + U_i.o_i) - lam sum_g h_g*(X'U / (n lam))_g <= min P,

where h_g*(Z) is 0 if |Z| <= a v_g, infinite if not for a = 1, and (|Z| - a v_g)_+^2 / (2 (1-a) v_g) else. As in
`judge`, a solution supplies its residual and the one that Newton steps of the blocks that are not zero expect, both
scaled to feasibility. These steps are dear, and left out where the optimum is known well enough already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve

from benchmarks.bracket import Bracket
from benchmarks.judge_rows import RowLoss, find_row_loss
from benchmarks.store import Arrays, Solution

Array = NDArray[np.float64]

_LOOSE = 1e-9  # a gap above it, relative to the null loss, is worth a better dual point
_MOST_STEPS = 4  # in each of which the blocks join that the one before would move
_MOST_UNKNOWNS = 6000  # of a dense linear system
_SHORT = 1e-3  # the norm at which a block is taken that joins, relative to the largest


@dataclass(frozen=True)
class Blocks:
    """The parts of the coefficients that the penalty takes by their norms."""

    of_entry: NDArray[np.int64]  # the block of each coefficient, (p, n_outputs)
    weights: Array

    @classmethod
    def of(cls, data: Arrays) -> Blocks:
        """Single coefficients, rows of them, or groups of rows; a group weighs the root of its size."""
        p, n_outputs = data.X.shape[1], _outputs(data).shape[1]
        if not data.grouped and data.groups is None:
            return cls(np.arange(p * n_outputs).reshape(p, n_outputs), np.ones(p * n_outputs))
        of_feature = np.arange(p) if data.groups is None else data.groups
        return cls(np.repeat(of_feature[:, None], n_outputs, axis=1), np.sqrt(data.group_sizes))

    def norms(self, values: Array) -> Array:
        """The norm of each block."""
        return np.sqrt(np.bincount(self.of_entry.ravel(), np.ravel(values) ** 2, self.weights.size))

    def spread(self, of_block: Array) -> Array:
        """For each coefficient the value of its block."""
        return of_block[self.of_entry]


def judge_blocks(
    data: Arrays, family: str, l1_ratio: float, solution: Solution, known: Bracket
) -> tuple[Array, Array, Array]:
    """Objective, dual and largest violation of the optimality conditions relative to lam, at each strength."""
    case = _Case(data, find_row_loss(family), Blocks.of(data), l1_ratio)
    n_outputs = case.y.shape[1]
    intercepts = np.reshape(solution.intercepts, (-1, n_outputs))
    rows = []
    for i, lam in enumerate(data.lambdas[: intercepts.shape[0]]):
        coefs = np.asarray(solution.coefs[i * n_outputs : (i + 1) * n_outputs].todense()).T
        with np.errstate(over="ignore", invalid="ignore"):
            rows.append(case.judge(intercepts[i], coefs, float(lam), known.at(i)))
    objective, dual, kkt = (np.array(part) for part in zip(*rows, strict=True))
    return objective, dual, kkt


def null_loss(data: Arrays, family: str) -> float:
    """The mean loss of the best intercepts alone."""
    return _Case(data, find_row_loss(family), Blocks.of(data), 1.0).null_loss


def largest_strength(data: Arrays, family: str) -> float:
    """The smallest strength at which all coefficients of the pure penalty of norms are 0."""
    case = _Case(data, find_row_loss(family), Blocks.of(data), 1.0)
    pull = np.asarray(data.X.T @ case.residual(case.null_eta)) / case.y.shape[0]
    return float((case.blocks.norms(pull) / case.blocks.weights).max())


def _outputs(data: Arrays) -> Array:
    return data.y.reshape(data.y.shape[0], -1)


class _Case:
    """One problem, to be judged at one strength after the other."""

    def __init__(self, data: Arrays, loss: RowLoss, blocks: Blocks, l1_ratio: float) -> None:
        self.X, self.y, self.loss, self.blocks, self.l1_ratio = data.X, _outputs(data), loss, blocks, l1_ratio
        self.offset = np.zeros_like(self.y) if data.offset is None else data.offset.reshape(self.y.shape)
        self.null_eta = self.offset + loss.best_shift(self.y, self.offset)
        self.null_loss = float(loss.value(self.y, self.null_eta).mean())

    def residual(self, eta: Array) -> Array:
        return -self.loss.slope(self.y, eta)

    def judge(
        self, intercepts: Array, coefs: Array, lam: float, known: tuple[float, float]
    ) -> tuple[float, float, float]:
        a, blocks, n = self.l1_ratio, self.blocks, self.y.shape[0]
        eta = np.asarray(self.X @ coefs) + self.offset + intercepts
        norms = blocks.norms(coefs)
        penalty = blocks.weights @ (a * norms + (1 - a) / 2 * norms**2)
        objective = float(self.loss.value(self.y, eta).mean() + lam * penalty)
        if not np.isfinite(objective):
            return np.inf, -np.inf, np.inf

        residual = self.residual(eta)
        pull = np.asarray(self.X.T @ residual) / n - lam * (1 - a) * blocks.spread(blocks.weights) * coefs
        l1 = lam * a * blocks.weights
        missed = blocks.norms(pull - blocks.spread(l1) * self._directions(coefs, norms))
        violation = np.where(norms == 0, np.maximum(blocks.norms(pull) - l1, 0.0), missed)
        kkt = max(violation.max(), np.abs(residual.mean(0)).max()) / lam

        eta += self.loss.best_shift(self.y, eta)
        dual = self.dual(self.residual(eta), lam)
        if min(objective, known[1]) - max(dual, known[0]) > _LOOSE * self.null_loss and a > 0:
            dual = max(dual, self._refined_dual(eta, coefs, lam))
        return objective, dual, float(kkt)

    def _directions(self, values: Array, norms: Array) -> Array:
        return values / np.maximum(self.blocks.spread(norms), np.finfo(float).tiny)

    def dual(self, residual: Array, lam: float) -> float:
        """The dual value of the residual times a scalar: the largest feasible one, at most 1; or 1, if better."""
        n, a, weights = self.y.shape[0], self.l1_ratio, self.blocks.weights
        norms = self.blocks.norms(np.asarray(self.X.T @ residual) / n)

        def value(scale: float) -> float:
            found = -self.loss.conjugate(self.y, -scale * residual).mean() - scale * (residual * self.offset).sum() / n
            if a < 1:
                excess = np.maximum(scale * norms - lam * a * weights, 0.0)
                found -= float((excess**2 / weights).sum()) / (2 * (1 - a) * lam)
            return float(found)

        feasible = min(1.0, float((lam * a * weights / np.maximum(norms, np.finfo(float).tiny)).min()))
        if a == 1.0:
            return value(feasible)
        return max(value(1.0), value(feasible)) if a > 0 else value(1.0)

    def _refined_dual(self, eta: Array, coefs: Array, lam: float) -> float:
        """The best dual value of the residuals that Newton steps expect; blocks which these would move join in."""
        blocks, best = self.blocks, -np.inf
        residual, bend = self.residual(eta), self.loss.bend(self.y, eta)
        norms = blocks.norms(coefs)
        directions = self._directions(coefs, norms)
        lengths = norms.copy()
        for _ in range(_MOST_STEPS):
            if np.count_nonzero(blocks.spread(lengths)) > _MOST_UNKNOWNS or not lengths.any():
                break
            expected = self._expected_residual(residual, bend, coefs, directions, lengths, lam)
            if not (np.isfinite(expected).all() and self.loss.inside(self.y, -expected)):
                break
            best = max(best, self.dual(expected, lam))
            pull = np.asarray(self.X.T @ expected) / self.y.shape[0]
            sizes = blocks.norms(pull)
            joining = (lengths == 0) & (sizes > (1 + 1e-9) * lam * self.l1_ratio * blocks.weights)
            if not joining.any():
                break
            directions = np.where(blocks.spread(joining), self._directions(pull, sizes), directions)
            lengths[joining] = _SHORT * lengths.max()
        return best

    def _expected_residual(
        self, residual: Array, bend: Array, coefs: Array, directions: Array, lengths: Array, lam: float
    ) -> Array:
        """The residual after a Newton step of the intercepts and of the blocks that have a length."""
        n, n_outputs = self.y.shape
        weights, a = self.blocks.spread(self.blocks.weights), self.l1_ratio
        slope = np.asarray(self.X.T @ residual) / n - lam * weights * (a * directions + (1 - a) * coefs)
        moving = self.blocks.spread(lengths) > 0
        active = [np.flatnonzero(moving[:, k]) for k in range(n_outputs)]
        designs = [np.column_stack([np.ones(n), _dense(self.X[:, one])]) for one in active]
        ends = np.cumsum([0, *(design.shape[1] for design in designs)])
        hessian, target = np.zeros((ends[-1], ends[-1])), np.empty(ends[-1])
        parts = [slice(ends[k], ends[k + 1]) for k in range(n_outputs)]
        for k in range(n_outputs):
            target[parts[k]] = np.r_[residual[:, k].mean(), slope[active[k], k]]
            for m in range(k, n_outputs):
                if m > k and not self.loss.couples_outputs:
                    continue
                product = designs[k].T @ (bend[:, k, m, None] * designs[m]) / n
                hessian[parts[k], parts[m]] = product
                hessian[parts[m], parts[k]] = product.T
        hessian += np.diag(1e-12 * np.diag(hessian))
        starts = ends[:-1]
        # which leaves the step as it is, where a shift of all intercepts has neither slope nor curvature
        hessian[np.ix_(starts, starts)] += self.loss.shift_curvature * hessian[starts, starts].mean()
        self._add_penalty(hessian, active, parts, directions, lengths, lam)
        step = _solve(hessian, target)
        moved = np.column_stack([designs[k] @ step[parts[k]] for k in range(n_outputs)])
        return np.asarray(residual - np.einsum("ikm,im->ik", bend, moved))

    def _add_penalty(
        self, hessian: Array, active: list[Any], parts: list[slice], directions: Array, lengths: Array, lam: float
    ) -> None:
        """The curvature of the norms, lam v a (I - dd') / length in a block, and of the ridge part."""
        a, weights = self.l1_ratio, self.blocks.weights
        block = np.concatenate([np.r_[-1, self.blocks.of_entry[one, k]] for k, one in enumerate(active)])
        direction = np.concatenate([np.r_[0.0, directions[one, k]] for k, one in enumerate(active)])
        order = np.argsort(block, kind="stable")
        for where in np.split(order, np.flatnonzero(np.diff(block[order])) + 1):
            g = block[where[0]]
            if g < 0:
                continue
            outer = np.outer(direction[where], direction[where])
            unit = np.eye(where.size)
            bent = a * (unit - outer) / lengths[g] + (1 - a) * unit if where.size > 1 else (1 - a) * unit
            hessian[np.ix_(where, where)] += lam * weights[g] * bent


def _solve(hessian: Array, target: Array) -> Array:
    """By Cholesky where rounding lets it, which is twice as quick."""
    try:
        return np.asarray(cho_solve(cho_factor(hessian), target))
    except LinAlgError:
        return np.asarray(solve(hessian, target, assume_a="sym"))


def _dense(X: Any) -> Array:
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X)
