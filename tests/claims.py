"""What a certificate may claim of a point, in plain NumPy: the bounds of docs/mathematics.md and the dual values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from oracle import Problem


def natural_size(problem: Problem) -> float:
    """Where a free coefficient lies at most, beyond twice the candidate's, on the standardised scale. (M8)"""
    mean = problem.w @ problem.y
    curvature = {"Gaussian": 1.0, "Binomial": mean * (1 - mean), "Poisson": mean}[type(problem.loss).__name__]
    return float(np.sqrt(2 * problem.null_loss / curvature))


class Claim:
    """The gaps that a dual point ``u`` proves of ``theta``, after shrinking it by a factor."""

    def __init__(self, problem: Problem, theta: np.ndarray, lam: float, u: np.ndarray):
        self.problem, self.theta, self.u = problem, theta, u
        self.l1, self.l2 = problem.strengths(lam)
        self.z = -problem.Z.T @ (problem.w * u)
        self.primal = problem.objective(theta, lam)
        eta = problem.eta(theta)
        self.residual = problem.loss.slope(problem.y, eta)
        self.curvature = problem.loss.curvature(problem.y, eta)

    def factors(self) -> Iterator[float]:
        """The largest factors at which the penalty's conjugate is finite, and at which it is 0. (M8)"""
        free = (self.l1 == 0) & (self.l2 == 0)
        bound = np.where(self.z > 0, self.problem.hi, -self.problem.lo)
        held = free | (bound == 0) | (np.abs(self.z) <= self.l1)
        shrink = np.where(held, 1.0, self.l1 / np.maximum(np.abs(self.z), 1e-300))
        yield float(np.where((self.l2 > 0) | np.isfinite(bound), 1.0, shrink).min(initial=1.0))
        yield float(shrink.min(initial=1.0))

    def penalty_conjugate(self, s: float) -> float:
        """(M7), with the cost of coefficients that are free in a box around the candidate"""
        z = s * self.z
        free = (self.l1 == 0) & (self.l2 == 0)
        far = 2 * np.abs(self.theta) + natural_size(self.problem)
        bound = np.where(z > 0, self.problem.hi, -self.problem.lo)
        bound = np.where(free, np.minimum(far, bound), bound)
        excess = (np.abs(z) - self.l1).clip(0)
        excess[excess <= 1e-14 * self.l1] = 0  # what shrinking leaves is rounding
        at = np.minimum(np.where(self.l2 > 0, excess / np.where(self.l2 > 0, self.l2, 1.0), np.inf), bound)
        at = np.where(excess > 0, at, 0.0)
        return float((excess * at - 0.5 * self.l2 * at**2).sum())

    def gap(self, s: float, conjugate: float) -> float:
        return self.primal + conjugate + self.penalty_conjugate(s)

    def exact(self, s: float) -> float:
        """The gap by the sum of conjugates itself. (M6)"""
        y, w, u = self.problem.y, self.problem.w, s * self.u
        return self.gap(s, float(w @ (self.problem.loss.conjugate(y, u) - u * self.problem.offset)))

    def bounded(self, s: float) -> float:
        """The gap by an upper bound of that sum: (M8a) at the residual, (M8b) elsewhere."""
        w = self.problem.w
        loss = self.problem.mean_loss(self.theta)
        fitted = float(w @ (self.u * (self.problem.eta(self.theta) - self.problem.offset)))
        pearson = float(w @ (self.u**2 / self.curvature))
        misfit = self.misfit()
        if misfit > 0:
            bent = (np.sqrt(misfit) + (1 - s) * np.sqrt(pearson)) ** 2
        else:
            bent = (1 - s) ** 2 * pearson / max(2 * s, 1e-300)
        return self.gap(s, s * fitted - loss + min((1 - s) * loss + s * misfit, bent))

    def misfit(self) -> float:
        return float(self.problem.w @ ((self.u - self.residual) ** 2 / self.curvature))

    def best(self, of: str) -> float:
        """The smaller of the gaps, over the null loss."""
        return min(getattr(self, of)(s) for s in self.factors()) / self.problem.null_loss


def at_the_residual(problem: Problem, theta: np.ndarray, lam: float) -> Claim:
    return Claim(problem, theta, lam, problem.loss.slope(problem.y, problem.eta(theta)))


def after_a_newton_step(problem: Problem, before: np.ndarray, theta: np.ndarray, lam: float) -> Claim:
    """By the residual that the quadratic model at ``before`` expects at ``theta``, or the nearest to it at which the
    mean that it stands for is one of the family. (M6), (M8b)"""
    eta = problem.eta(before)
    expected = problem.loss.slope(problem.y, eta)
    expected = expected + problem.loss.curvature(problem.y, eta) * (problem.eta(theta) - eta)
    smallest, largest = {"Gaussian": (-np.inf, np.inf), "Binomial": (0, 1), "Poisson": (0, np.inf)}[
        type(problem.loss).__name__
    ]
    return Claim(problem, theta, lam, (problem.y + expected).clip(smallest, largest) - problem.y)
