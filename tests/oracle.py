"""An oracle for the tests: the objective of normball written again in plain NumPy.

Nothing here comes from the package, and nothing is fast.  A :class:`Problem` is

    minimise  sum_i w_i f(y_i, o_i + b0 + x_i.b) / sum(w)
              + lam * sum_j v_j (l1_ratio |b_j s_j| + (1 - l1_ratio)/2 (b_j s_j)^2)

with ``f`` half a unit deviance, ``s_j`` the weighted standard deviation of column ``j`` around its
mean (divisor 1; ``s_j = 1`` without standardising) and ``lower <= b <= upper``.  Everything below is
said in ``theta``, the coefficients times ``s_j`` with the intercept of the centred columns in front.

The dual point is ``u = f'(eta)`` of a primal point that Newton steps have made stationary in the
coordinates without a penalty (that projects ``u`` on the constraints they impose), scaled to
feasibility.  What rounding leaves of such a constraint, ``z`` for coordinate ``j``, is charged as
``|z| B`` with ``B = 2 |theta_j| + sqrt(2 null loss)``, a bound on where a minimiser lies.
"""

import numpy as np
from scipy.optimize import bisect, minimize

from oracle_losses import IDENTITY, Huber, find_loss


class Problem:
    """One data set and one penalty; every method takes the strength ``lam``."""

    def __init__(self, X, y, family="gaussian", *, l1_ratio=1.0, weights=None, offset=None,
                 penalty_factors=None, lower=-np.inf, upper=np.inf, fit_intercept=True,
                 standardize=True):  # fmt: skip
        X = np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
        n, p = X.shape
        self.loss = find_loss(family) if isinstance(family, str) else family
        self.y = np.asarray(y, dtype=float)
        w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
        self.w = w / w.sum()
        self.offset = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)
        mean = self.w @ X
        sd = np.sqrt(self.w @ (X - mean) ** 2)
        constant = sd <= 1e-13 * np.abs(X).max(axis=0, initial=0)
        self.scales = np.where(constant | (not standardize), 1.0, sd)
        self.means, self.l1_ratio = mean * fit_intercept, l1_ratio
        factors = np.ones(p) if penalty_factors is None else np.asarray(penalty_factors, dtype=float)
        out = np.isinf(factors) | (constant & (standardize | fit_intercept))
        self.v = np.where(out, 0.0, factors)
        self.lo = np.where(out, 0.0, np.broadcast_to(lower, p) * self.scales)
        self.hi = np.where(out, 0.0, np.broadcast_to(upper, p) * self.scales)
        self.Z = (X - self.means) / self.scales
        self.first = int(fit_intercept)
        if fit_intercept:
            self.Z = np.column_stack([np.ones(n), self.Z])
            self.v = np.r_[0.0, self.v]
            self.lo, self.hi = np.r_[-np.inf, self.lo], np.r_[np.inf, self.hi]
        start = np.zeros(self.v.size)
        start[: self.first] = self.null_intercept()
        self.null = self.polish(start, 1.0, only=self.v == 0)
        self.null_loss = self.mean_loss(self.null)

    def null_intercept(self):
        """The intercept of the model without any coefficient: from 0, Huber's loss may have no curvature to step by."""
        used = self.w > 0
        y, offset, w = self.y[used], self.offset[used], self.w[used]

        def score(b0):
            return float(w @ self.loss.slope(y, offset + b0))

        size = 1.0
        with np.errstate(over="ignore"):
            while score(-size) > 0 or score(size) < 0:
                size *= 2
            return bisect(score, -size, size, xtol=1e-14 * size, maxiter=200)

    # -- coefficients in the units of the data <-> theta
    def theta(self, intercept, coef):
        coef = np.asarray(coef, dtype=float)
        return np.r_[[intercept + self.means @ coef] * self.first, coef * self.scales]

    def coefficients(self, theta):
        coef = theta[self.first :] / self.scales
        return (theta[0] - self.means @ coef if self.first else 0.0), coef

    # -- primal
    def eta(self, theta):
        return self.offset + self.Z @ theta

    def mean_loss(self, theta):
        with np.errstate(over="ignore"):
            return float(self.w @ self.loss.value(self.y, self.eta(theta)))

    def objective(self, theta, lam):
        l1, l2 = self.strengths(lam)
        return self.mean_loss(theta) + float(l1 @ np.abs(theta) + 0.5 * l2 @ theta**2)

    def strengths(self, lam):
        return lam * self.l1_ratio * self.v, lam * (1 - self.l1_ratio) * self.v

    def gradient(self, theta):
        return self.Z.T @ (self.w * self.loss.slope(self.y, self.eta(theta)))

    def residual(self, theta, lam):
        """Return the smallest subgradient of the whole objective: zero at a minimiser only."""
        l1, l2 = self.strengths(lam)
        z = -self.gradient(theta) - l2 * theta
        low, high = np.where(theta > 0, l1, -l1), np.where(theta < 0, -l1, l1)
        near = 1e-12 * np.abs(theta)
        low = np.where(theta <= self.lo + near, -np.inf, low)
        high = np.where(theta >= self.hi - near, np.inf, high)
        return np.clip(z, low, high) - z

    def kkt(self, theta, lam):
        """Return the largest violation over its penalty factor; where there is no factor, as it is."""
        return float((np.abs(self.residual(theta, lam)) / np.where(self.v > 0, self.v, 1.0)).max(initial=0))

    def lambda_max(self):
        """Return the smallest ``lam`` with every penalised coefficient zero (ridge: 0.001 mix, y in sd)."""
        z = -self.gradient(self.null)
        pull = np.where(self.hi > 0, z, 0).clip(0) + np.where(self.lo < 0, -z, 0).clip(0)
        penalised = self.v > 0
        largest = (pull[penalised] / self.v[penalised]).max() / max(self.l1_ratio, 1e-3)
        if not (isinstance(self.loss, IDENTITY) and self.l1_ratio == 0):
            return float(largest)
        u = self.loss.slope(self.y, self.eta(self.null))
        return float(largest / np.sqrt(self.w @ u**2))

    # -- dual
    def dual(self, theta, lam, scaling=1.0):
        """Return the dual objective at ``f'(eta)`` scaled to feasibility, then by ``scaling``."""
        l1, l2 = self.strengths(lam)
        z = -self.gradient(theta)
        bounded = np.isfinite(np.where(z > 0, self.hi, self.lo)) | (l2 > 0) | (l1 == 0)
        room = np.where(bounded | (np.abs(z) <= l1), 1.0, l1 / np.maximum(np.abs(z), 1e-300))
        scaling = scaling * room.min(initial=1.0)
        z = scaling * z
        far = 2 * np.abs(theta) + np.sqrt(2 * self.null_loss)
        lo = np.where(np.isinf(self.lo) & (l2 == 0), -far, self.lo)
        hi = np.where(np.isinf(self.hi) & (l2 == 0), far, self.hi)
        excess = np.sign(z) * (np.abs(z) - l1).clip(0)
        best = np.where(l2 > 0, excess / np.where(l2 > 0, l2, 1), np.where(excess > 0, hi, lo))
        best = np.clip(np.where(excess == 0, 0.0, best), lo, hi)
        penalty = z * best - l1 * np.abs(best) - 0.5 * l2 * best**2
        return float(self.loss_dual(theta, scaling) - penalty.sum())

    def loss_dual(self, theta, scaling):
        """Return the part of the loss in the dual objective at ``scaling`` times ``f'(eta)``."""
        u = scaling * self.loss.slope(self.y, self.eta(theta))
        return self.w @ (u * self.offset - self.loss.conjugate(self.y, u))

    def gap(self, theta, lam):
        """Return the duality gap over the null loss, from the best of a few dual points."""
        points = (self.polish(theta, lam, only=self.v == 0), self.polish(theta, lam))
        best = max(self.dual(t, lam, c) for t in points for c in (1.0, 0.999, 0.99, 0.9, 0.0))
        return (self.objective(theta, lam) - best) / max(self.null_loss, 1e-300)

    # -- solving
    @np.errstate(over="ignore", invalid="ignore")  # in trial steps
    def polish(self, theta, lam, only=True, steps=60):
        """Newton steps within the orthant of ``theta``, or of its descent, as long as they help."""
        for _ in range(steps):
            steps_by = (self.newton_step(theta, lam, only, curvature) for curvature in self.curvatures(theta))
            better = next((new for new in steps_by if new is not None), None)
            if better is None:
                break
            theta = better
        return theta

    def curvatures(self, theta):
        """The loss's own, a number a row or a matrix; then, as Huber's may vanish, its bound, which leads down too."""
        yield self.w * self.loss.curvature(self.y, self.eta(theta))
        if isinstance(self.loss, Huber):
            yield self.w

    def newton_step(self, theta, lam, only, curvature):
        """The first point on the way to the minimum of the quadratic model that is better than ``theta``, or None."""
        _, l2 = self.strengths(lam)
        value, slope = self.objective(theta, lam), self.residual(theta, lam)
        active = ((slope != 0) | ((theta != 0) & (self.lo < theta) & (theta < self.hi))) & only
        Z, side = self.Z[:, active], np.where(theta != 0, np.sign(theta), -np.sign(slope))
        bend = curvature[:, None] * Z if curvature.ndim == 1 else curvature @ Z
        hessian = Z.T @ bend + np.diag(l2[active])
        step = np.zeros_like(theta)
        step[active] = np.linalg.lstsq(hessian, -slope[active], rcond=1e-13)[0]
        kinked = (self.v > 0) & (lam * self.l1_ratio > 0)
        for t in 0.5 ** np.arange(0, 40, 1.5):
            new = np.clip(theta + t * step, self.lo, self.hi)
            new = np.where(kinked & (np.sign(new) != side), 0.0, new)
            new_value, new_slope = self.objective(new, lam), self.residual(new, lam)
            flat = abs(new_value - value) <= 1e-13 * abs(value)
            closer = np.abs(new_slope[active]).sum() < np.abs(slope[active]).sum()
            if closer if flat else new_value < value:
                return new
        return None

    def solve(self, lam):
        """Minimise by L-BFGS-B over ``theta = plus - minus``, then polish.  For small problems."""
        l1, l2 = self.strengths(lam)

        def split(x):
            theta = x[: l1.size] - x[l1.size :]
            slope = self.gradient(theta) + l2 * theta
            smooth = self.mean_loss(theta) + 0.5 * l2 @ theta**2
            return smooth + np.r_[l1, l1] @ x, np.r_[slope + l1, l1 - slope]

        box = [*zip(0 * l1, self.hi, strict=True), *zip(0 * l1, -self.lo, strict=True)]
        start = np.r_[self.null.clip(0), (-self.null).clip(0)]
        options = {"maxiter": 50_000, "maxfun": 200_000, "ftol": 0, "gtol": 1e-12, "maxcor": 30}
        with np.errstate(over="ignore", invalid="ignore"):
            x = minimize(split, start, jac=True, method="L-BFGS-B", bounds=box, options=options).x
        return self.polish(x[: l1.size] - x[l1.size :], lam)
