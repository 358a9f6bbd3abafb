"""The judge of Cox models, with Breslow's ties: rows are (time, event), and the loss is no sum over rows.

With risk sets R_t and events D_t at the times t of events, f(eta) = 1/n sum over events [log sum_{R_t} e^eta - eta_i]
less its infimum, 1/n sum_t |D_t| log |D_t|. It is a sum of terms of log-sum-exp, so its conjugate at v is at most
1/n sum over events of sum_j q_tj log q_tj (plus that infimum) for any distributions q_t on R_t that make v, and 0 at 0.
A residual has q = pi, the chances that an event is a row's own, and the bound is exact. What a Newton step d of eta
expects has q_tj = pi_tj (1 + d_j - mean_t d) where none of these is negative, and what they prove is told from the
chances p after the step: the divergence of q from p is at most sum q^2 / p - 1. All sums over risk sets are running
sums from the last time on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve

from benchmarks.store import Arrays, Solution

Array = NDArray[np.float64]

_LOOSE = 1e-10  # a gap above it is worth a better dual point
_MOST_STEPS = 5


@dataclass(frozen=True)
class RiskSets:
    """Rows in the order of falling times: those at risk at the time of row i are the first `at_risk[i]`."""

    order: NDArray[np.int64]
    at_risk: NDArray[np.int64]  # of each event
    events: NDArray[np.int64]  # their places in the order
    lowest: float  # n times the infimum of the loss

    @classmethod
    def of(cls, y: Array) -> RiskSets:
        order = np.argsort(-y[:, 0], kind="stable")
        time, event = y[order, 0], y[order, 1] == 1
        events = np.flatnonzero(event)
        n_tied = np.unique(time[events], return_counts=True)[1]
        return cls(order, np.searchsorted(-time, -time[events], side="right"), events, float(n_tied @ np.log(n_tied)))

    def sums(self, values: Array) -> Array:
        """Over those at risk at each event, of values (n,) in the order of rows."""
        return np.asarray(np.cumsum(values[self.order])[self.at_risk - 1])

    def spread(self, at_events: Array) -> Array:
        """For each row the sum of the events' values at which it is at risk; in the order of rows."""
        ends = np.bincount(self.at_risk - 1, at_events, self.order.size)
        out = np.empty(self.order.size)
        out[self.order] = np.cumsum(ends[::-1])[::-1]
        return out


class Cox:
    """The loss at one eta, which is centred first: a constant changes nothing."""

    def __init__(self, sets: RiskSets, eta: Array) -> None:
        self.sets, self.n = sets, eta.size
        self.eta = eta - eta.max()
        with np.errstate(under="ignore"):
            self.weights = np.exp(self.eta)
        self.totals = sets.sums(self.weights)

    @property
    def value(self) -> float:
        sets = self.sets
        own = self.eta[sets.order[sets.events]]
        return float((np.log(self.totals) - own).sum() - sets.lowest) / self.n

    def residual(self) -> Array:
        """The gradient in eta."""
        out = self.weights * self.sets.spread(1 / self.totals)
        np.subtract.at(out, self.sets.order[self.sets.events], 1.0)
        return np.asarray(out / self.n)

    def mean(self, values: Array) -> Array:
        """Over those at risk at each event."""
        return np.asarray(self.sets.sums(self.weights * values) / self.totals)

    def bend(self, step: Array) -> Array:
        """The Hessian times a step of eta."""
        spread = self.sets.spread
        change = step * spread(1 / self.totals) - spread(self.mean(step) / self.totals)
        return np.asarray(self.weights * change / self.n)

    def hessian(self, X: Array) -> Array:
        """X' H X."""
        expected = self.weights * self.sets.spread(1 / self.totals)
        means = np.cumsum((self.weights[:, None] * X)[self.sets.order], axis=0)[self.sets.at_risk - 1]
        means /= self.totals[:, None]
        return np.asarray((X.T @ (expected[:, None] * X) - means.T @ means) / self.n)

    def conjugate_after(self, step: Array) -> float:
        """A bound of the conjugate at residual + bend(step); infinite where that may be outside its domain."""
        mean = self.mean(step)
        if not 1 + step.min() - mean.max() >= 0 or np.abs(step).max() > 20:
            return np.inf
        back = np.exp(-step)
        a0, a1, a2 = (self.mean(back * step**k) for k in range(3))
        forth = self.mean(np.exp(step))
        squares = forth * ((1 - mean) ** 2 * a0 + 2 * (1 - mean) * a1 + a2) - 1
        after = Cox(self.sets, self.eta + step)
        tangent = (self.residual() + self.bend(step)) @ after.eta - after.value
        return float(tangent + np.maximum(squares, 0).sum() / self.n)


def null_loss(data: Arrays) -> float:
    """That of no model at all, since there is no intercept."""
    return Cox(RiskSets.of(data.y), np.zeros(len(data.y))).value


def largest_strength(data: Arrays) -> float:
    """The smallest strength at which all coefficients are 0, with an l1_ratio of 1."""
    return float(np.abs(data.X.T @ Cox(RiskSets.of(data.y), np.zeros(len(data.y))).residual()).max())


def judge_survival(data: Arrays, l1_ratio: float, solution: Solution) -> tuple[Array, Array, Array]:
    """Objectives, dual values and KKT violations of a path; see `judge`, of which this is a part."""
    sets = RiskSets.of(data.y)
    count = solution.coefs.shape[0]
    found = [_judge(data, sets, l1_ratio, np.asarray(solution.coefs[i].todense()).ravel(), i) for i in range(count)]
    objective, dual, kkt = np.array(found).reshape(-1, 3).T
    return objective, dual, kkt


def _judge(data: Arrays, sets: RiskSets, l1_ratio: float, coef: Array, i: int) -> tuple[float, float, float]:
    lam = float(data.lambdas[i])
    if not np.isfinite(coef).all():
        return np.inf, -np.inf, np.inf
    at = Cox(sets, data.X @ coef)
    objective = at.value + lam * float(l1_ratio * np.abs(coef).sum() + (1 - l1_ratio) / 2 * (coef**2).sum())
    residual = at.residual()
    pull = -(data.X.T @ residual)
    free = pull - lam * (1 - l1_ratio) * coef
    l1 = lam * l1_ratio
    violation = np.where(coef == 0, np.maximum(np.abs(free) - l1, 0), np.abs(free - l1 * np.sign(coef)))
    dual = _dual(residual @ at.eta - at.value, pull, lam, l1_ratio)
    if objective - dual > _LOOSE * objective and l1 > 0:
        dual = max(dual, _refined_dual(data, at, coef, pull, lam, l1_ratio))
    return objective, dual, float(violation.max()) / lam


def _dual(conjugate: float, pull: Array, lam: float, l1_ratio: float) -> float:
    """The dual value of a point times the best of two scalars s: the conjugate is convex and 0 at 0."""
    feasible = min(1.0, lam * l1_ratio / max(float(np.abs(pull).max()), np.finfo(float).tiny))
    values = [-feasible * conjugate] if l1_ratio > 0 else []
    if l1_ratio < 1:
        excess = np.maximum(np.abs(pull) - lam * l1_ratio, 0)
        values.append(-conjugate - float((excess**2).sum()) / (2 * (1 - l1_ratio) * lam))
    return max(values)


def _refined_dual(data: Arrays, at: Cox, coef: Array, pull: Array, lam: float, l1_ratio: float) -> float:
    """The best of what Newton steps expect; coefficients which these would move join in."""
    signs, best = np.sign(coef), -np.inf
    for _ in range(_MOST_STEPS):
        active = np.flatnonzero(signs)
        X = data.X[:, active]
        hessian = at.hessian(X)
        hessian += np.diag(np.full(active.size, lam * (1 - l1_ratio)) + 1e-12 * np.diag(hessian))
        slope = pull[active] - lam * (l1_ratio * signs[active] + (1 - l1_ratio) * coef[active])
        step = X @ solve(hessian, slope, assume_a="sym")
        conjugate = at.conjugate_after(step)
        if not np.isfinite(conjugate):
            break
        expected = -(data.X.T @ (at.residual() + at.bend(step)))
        best = max(best, _dual(conjugate, expected, lam, l1_ratio))
        joining = (signs == 0) & (np.abs(expected) > (1 + 1e-9) * lam * l1_ratio)
        if not joining.any():
            break
        signs[joining] = np.sign(expected[joining])
    return best
