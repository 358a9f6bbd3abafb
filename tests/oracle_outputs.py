"""An oracle for several outputs and for groups of features: their objective written again in plain NumPy.

Nothing here comes from the package, and nothing is fast.  A :class:`Problem` is

    minimise  sum_i w_i f(y_i, o_i + b0 + x_i B) / sum(w) + lam * P(B),        B of shape (p, K), K outputs

with ``f`` a loss of `oracle_losses` summed over the outputs, or `Multinomial`.  With ``v_j`` the penalty factors,
``a = l1_ratio`` and ``b`` the coefficients times the weighted standard deviations, the penalty P is

    each coefficient  sum_j v_j sum_k (a |b_jk| + (1-a)/2 b_jk^2)
    grouped           sum_j v_j (a |b_j.| + (1-a)/2 |b_j.|^2)                     by the norm of a row of B
    groups            r sum_g v_g (a |R_g b_g| + (1-a)/2 |R_g b_g|^2) + (1-r) of the first,   r = group_ratio

where R_g is the identity, or orthonormalises the columns of the group: |R_g b_g| is the standard deviation of
``X_g b_g`` (without an intercept: its root mean square).  Features in no group are penalised by the first line.

Everything below is said in ``theta``: the intercepts in its first row, then ``R_g b_g`` for an orthonormalised group
and ``b_j`` for other features, less the directions in which nothing varies.  Each entry of it belongs to one block,
and costs ``l1 |theta_jk| + ridge/2 theta_jk^2``, each block ``norm |theta_b|`` besides.  The dual point is the slope
of the loss at a point that Newton steps have made stationary where nothing is penalised, scaled to feasibility.
What rounding leaves, ``z``, is charged as ``|z| B`` with ``B = 2 |theta| + sqrt(2 null loss)``, as in `oracle`.
"""

import numpy as np

from oracle_losses import find_loss, xlogx


class Separate:
    """A loss of one output, summed over the outputs of a row."""

    def __init__(self, loss):
        self.one = loss

    def value(self, y, eta):
        return self.one.value(y, eta).sum(axis=1)

    def slope(self, y, eta):
        return self.one.slope(y, eta)

    def curvature(self, y, eta):
        return self.one.curvature(y, eta)[:, :, None] * np.eye(y.shape[1])

    def conjugate(self, y, u):
        return self.one.conjugate(y, u).sum(axis=1)


class Multinomial:
    """Shares of the classes, a row of y; their probabilities are proportional to exp(eta)."""

    @staticmethod
    def probabilities(eta):
        e = np.exp(eta - eta.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    @staticmethod
    def value(y, eta):
        top = eta.max(axis=1, keepdims=True)
        return np.log(np.exp(eta - top).sum(axis=1)) + ((top - eta) * y).sum(axis=1) + xlogx(y).sum(axis=1)

    def slope(self, y, eta):
        return self.probabilities(eta) - y

    def curvature(self, y, eta):
        share = self.probabilities(eta)
        return share[:, :, None] * np.eye(y.shape[1]) - share[:, :, None] * share[:, None, :]

    @staticmethod
    def conjugate(y, u):
        """The entropy of ``y + u``, which must be shares, less that of ``y``."""
        share = y + u
        outside = (share < -1e-14).any(axis=1) | (np.abs(share.sum(axis=1) - 1) > 1e-12)
        return np.where(outside, np.inf, (xlogx(share.clip(0)) - xlogx(y)).sum(axis=1))


def find_row_loss(family):
    """The loss of a row with the outputs of a family."""
    if family == "multinomial":
        return Multinomial()
    return Separate(find_loss("gaussian" if family == "multigaussian" else family))


def indicators(labels):
    """A column of zeros and ones for each label, in their order."""
    return (np.asarray(labels)[:, None] == np.unique(labels)).astype(float)


class Problem:
    """One data set and one penalty; every method takes the strength ``lam``.

    ``y`` is (n,) or (n, K), for multinomial the indicators of the classes or their shares; ``groups`` is the number of
    each feature's group, -1 for none, and ``group_weights`` the v_g, by default the root of a group's rank or size.
    """

    def __init__(self, X, y, family, *, l1_ratio=1.0, weights=None, offset=None, penalty_factors=None, lower=-np.inf,
                 upper=np.inf, grouped=None, groups=None, group_weights=None, group_ratio=1.0, orthonormalize=None,
                 fit_intercept=True, standardize=True):  # fmt: skip
        X = np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
        n, p = X.shape
        self.loss, y = find_row_loss(family), np.asarray(y, dtype=float)
        self.y = y.reshape(n, -1)
        self.n_outputs = self.y.shape[1]
        w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
        self.w = w / w.sum()
        self.offset = np.zeros_like(self.y) if offset is None else np.asarray(offset, dtype=float).reshape(n, -1)
        mean = self.w @ X
        sd = np.sqrt(self.w @ (X - mean) ** 2)
        constant = sd <= 1e-13 * np.abs(X).max(axis=0, initial=0)
        self.scales = np.where(constant | (not standardize), 1.0, sd)
        self.means, self.first, self.l1_ratio = mean * fit_intercept, int(fit_intercept), l1_ratio
        factors = np.ones(p) if penalty_factors is None else np.broadcast_to(np.asarray(penalty_factors, float), p)
        self.out = np.isinf(factors) | (constant & (standardize | fit_intercept))
        self.groups = np.full(p, -1) if groups is None else np.asarray(groups)
        given = np.full(self.groups.max() + 1, np.nan) if group_weights is None else np.asarray(group_weights, float)
        self.grouped = family == "multigaussian" if grouped is None else grouped
        self.ratio, self.given = group_ratio, given
        self.orthonormalize = group_ratio == 1 if orthonormalize is None else orthonormalize
        self._lay_out(X - self.means, factors, np.broadcast_to(lower, p), np.broadcast_to(upper, p))
        zero = np.zeros(self.l1.shape)
        self.null_loss = self.mean_loss(zero)  # for now
        self.null = self.polish(zero, 1.0, only=self.cost == 0)
        self.null_loss = self.mean_loss(self.null)

    # -- from features to theta
    def _lay_out(self, X, factors, lower, upper):
        """The columns of theta, the matrix ``T`` that makes it of B, and what each entry and block costs."""
        self.T, self.back, columns, parts = [], [], [], []
        if self.first:
            self._add(columns, parts, np.zeros((0, 0)), np.ones((X.shape[0], 1)), 0.0, 0.0, False)
        for j in np.flatnonzero((self.groups < 0) & ~self.out):
            step = np.zeros((1, factors.size))
            step[0, j] = self.scales[j]
            box = lower[j] * self.scales[j], upper[j] * self.scales[j]
            self._add(columns, parts, step, X[:, [j]] / self.scales[j], factors[j], 0.0, False, box)
        for g in range(self.groups.max() + 1):
            own = np.flatnonzero((self.groups == g) & ~self.out)
            assert np.unique(factors[own]).size <= 1, "the factors of a group must agree"
            if own.size:
                step, design = self._orthonormal(X, own) if self.orthonormalize else self._as_they_are(X, own)
                weight = np.sqrt(len(step)) if np.isnan(self.given[g]) else self.given[g]
                self._add(columns, parts, step, design, factors[own[0]], weight, True)
        self.Z = np.column_stack(columns) if columns else np.zeros((X.shape[0], 0))
        steps = [step for step in self.T if step.size]
        self.T = np.vstack(steps) if steps else np.zeros((0, factors.size))
        self.back = np.linalg.pinv(self.T, rcond=1e-14) if self.T.size else self.T.T
        names = ("l1", "ridge", "norm", "lo", "hi", "cost", "joined")
        for name, values in zip(names, zip(*parts, strict=True), strict=True):
            setattr(self, name, np.vstack(values))
        self._number_the_blocks(np.concatenate([np.full(c.shape[1], i) for i, c in enumerate(columns)]))

    def _as_they_are(self, X, own):
        step = np.zeros((own.size, X.shape[1]))
        step[np.arange(own.size), own] = self.scales[own]
        return step, X[:, own] / self.scales[own]

    def _orthonormal(self, X, own):
        """R of the group, which makes X_g R^-1 a design with orthonormal columns in the weighted scalar product."""
        size = np.sqrt(self.w @ X[:, own] ** 2)
        _, s, Vt = np.linalg.svd(np.sqrt(self.w)[:, None] * X[:, own] / size, full_matrices=False)
        kept = s > 1e-8 * s[0]
        step = np.zeros((kept.sum(), X.shape[1]))
        step[:, own] = s[kept, None] * Vt[kept] * size
        return step, (X[:, own] / size) @ Vt[kept].T / s[kept]

    def _add(self, columns, parts, step, design, factor, weight, in_group, box=(-np.inf, np.inf)):
        """Columns of theta with one factor; ``weight`` is v_g where they are a group's."""
        a, shape = self.l1_ratio, (design.shape[1], self.n_outputs)
        alone = (1 - self.ratio) * factor if in_group else factor
        whole = self.ratio * weight * factor
        by_row = self.grouped and not in_group
        costs = (0.0 if by_row else a * alone, (1 - a) * (alone + whole), a * (alone if by_row else whole))
        joined = by_row or in_group
        self.T.append(step)
        columns.append(design)
        parts.append([np.full(shape, value) for value in (*costs, *box, alone + whole, joined)])

    def _number_the_blocks(self, piece):
        """A block for all intercepts, each group, each row of B where it is grouped, and each entry elsewhere."""
        entries = np.arange(self.l1.size).reshape(self.l1.shape)
        first = np.searchsorted(piece, piece)  # the first row of theta of the same piece
        within = entries[first] if not self.grouped else np.broadcast_to(entries[first][:, :1], entries.shape)
        self.block = np.where(self.joined, within, entries)
        self.block[: self.first] = 0

    def theta(self, intercept, coef):
        """Of the coefficients of a result, (p,) or (K, p), in the units of the data."""
        B = np.asarray(coef, dtype=float).reshape(self.n_outputs, -1).T
        assert (B[self.out & (self.groups < 0)] == 0).all(), "a feature that is left out has a coefficient"
        rows = self.T @ B
        if not self.first:
            return rows
        level = np.ravel(intercept) + self.means @ B
        if isinstance(self.loss, Multinomial):
            level = level - level.mean()  # a shift of all classes is no loss, but a large one costs eta its last digits
        return np.vstack([level, rows])

    def coefficients(self, theta):
        """Return the intercepts (K,) and coefficients (K, p) of theta, of those with the same fit the shortest."""
        B = self.back @ theta[self.first :]
        return (theta[0] - self.means @ B if self.first else np.zeros(self.n_outputs)), B.T

    # -- primal
    def eta(self, theta):
        return self.offset + self.Z @ theta

    def mean_loss(self, theta):
        with np.errstate(over="ignore"):
            return float(self.w @ self.loss.value(self.y, self.eta(theta)))

    def size(self, entries):
        """For each entry the norm of its block."""
        return np.sqrt(np.bincount(self.block.ravel(), (entries**2).ravel(), self.block.size))[self.block]

    def objective(self, theta, lam):
        """Mean loss and penalty; the norm of a block is shared out among its entries by their squares."""
        size = self.size(theta)
        share = theta**2 / np.where(size > 0, size, 1.0)
        penalty = self.l1 * np.abs(theta) + self.norm * share + self.ridge / 2 * theta**2
        return self.mean_loss(theta) + lam * float(penalty.sum())

    def gradient(self, theta):
        return self.Z.T @ (self.w[:, None] * self.loss.slope(self.y, self.eta(theta)))

    def shrink(self, z, l1, norm):
        """What is left of z within the l1-box and then the ball of its block."""
        z = np.sign(z) * (np.abs(z) - l1).clip(0)
        size = self.size(z)
        return z * (1 - norm / np.where(size > norm, size, np.inf)) * (size > norm)

    def residual(self, theta, lam):
        """Return the smallest subgradient of the whole objective, but for its sign: zero at a minimiser only."""
        z = -self.gradient(theta) - lam * self.ridge * theta
        size = self.size(theta)
        rest = self.shrink(z, lam * self.l1, lam * self.norm)
        pulled = z - lam * self.norm * theta / np.where(size > 0, size, 1.0)
        alive = np.where(theta != 0, pulled - lam * self.l1 * np.sign(theta), self._soft(pulled, lam * self.l1))
        rest = np.where((size > 0) | (self.norm == 0), alive, rest)
        near = 1e-12 * np.abs(theta)
        rest = np.where(theta >= self.hi - near, np.minimum(rest, 0), rest)
        return np.where(theta <= self.lo + near, np.maximum(rest, 0), rest)

    @staticmethod
    def _soft(z, l1):
        return np.sign(z) * (np.abs(z) - l1).clip(0)

    def kkt(self, theta, lam):
        """Return the largest violation of a block over its factor and weight; where these are 0, as it is."""
        violation = self.size(self.residual(theta, lam))
        return float((violation / np.where(self.cost > 0, self.cost, 1.0)).max(initial=0))

    def lambda_max(self):
        """Return the smallest ``lam`` with every penalised coefficient zero (ridge: as if l1_ratio were 0.001)."""
        z = -self.gradient(self.null)
        z = np.where(z > 0, z * (self.hi > 0), z * (self.lo < 0))
        l1, norm = (self.l1, self.norm) if self.l1_ratio > 0 else (1e-3 * self.cost, 0.0)
        low, high = 0.0, 1.0
        while (self.shrink(z, high * l1, high * norm) * (self.cost > 0)).any():
            high *= 2
        for _ in range(80):
            middle = (low + high) / 2
            above = (self.shrink(z, middle * l1, middle * norm) * (self.cost > 0)).any()
            low, high = (middle, high) if above else (low, middle)
        return high

    # -- dual
    def room(self, z, lam):
        """Return the largest factor up to 1 that brings z within what the penalty admits without a ridge part."""
        asked = (self.cost > 0) & (lam * self.ridge == 0) & ~np.isfinite(np.where(z > 0, self.hi, self.lo))
        low, high = 0.0, 1.0
        if not (self.shrink(z, lam * self.l1, lam * self.norm) * asked).any():
            return 1.0
        for _ in range(60):
            middle = (low + high) / 2
            above = (self.shrink(middle * z, lam * self.l1, lam * self.norm) * asked).any()
            low, high = (low, middle) if above else (middle, high)
        return low

    def dual(self, theta, lam, scaling=1.0):
        """Return the dual objective at the slope of the loss scaled to feasibility, then by ``scaling``."""
        u = self.loss.slope(self.y, self.eta(theta))
        z = -self.Z.T @ (self.w[:, None] * u)
        scaling *= self.room(z, lam) if lam > 0 else 1.0
        u, z = scaling * u, scaling * z
        rest, ridge = self.shrink(z, lam * self.l1, lam * self.norm), lam * self.ridge
        shift = theta.mean(axis=1, keepdims=True) * (self.cost == 0) * isinstance(self.loss, Multinomial)
        far = 2 * np.abs(theta - shift) + np.sqrt(2 * self.null_loss)  # a shift of all classes is no loss
        lo = np.where(np.isinf(self.lo) & (ridge == 0), -far, self.lo)
        hi = np.where(np.isinf(self.hi) & (ridge == 0), far, self.hi)
        best = np.where(ridge > 0, rest / np.where(ridge > 0, ridge, 1.0), np.where(rest > 0, hi, lo))
        best = np.clip(np.where(rest == 0, 0.0, best), lo, hi)
        penalty = float((rest * best - ridge / 2 * best**2).sum())
        return float(self.w @ ((u * self.offset).sum(axis=1) - self.loss.conjugate(self.y, u))) - penalty

    def bound(self, theta, lam):
        """Return the best lower bound of the minimum, from a few dual points near theta."""
        points = (self.polish(theta, lam, only=self.cost == 0), self.polish(theta, lam))
        return max(self.dual(t, lam, c) for t in points for c in (1.0, 0.999, 0.99, 0.9, 0.0))

    def gap(self, theta, lam):
        """Return the duality gap over the null loss."""
        return (self.objective(theta, lam) - self.bound(theta, lam)) / max(self.null_loss, 1e-300)

    # -- solving
    @np.errstate(over="ignore", invalid="ignore")  # in trial steps
    def polish(self, theta, lam, only=True, steps=200):
        """Newton steps where theta is not zero, and proximal ones, which change where that is, as long as they help."""
        for _ in range(steps):
            better = self._newton_step(theta, lam, only)
            if better is None:
                better = self._proximal_step(theta, lam, only)
            if better is None:
                break
            theta = better
        return theta

    def solve(self, lam):
        """Minimise from the null model.  For small problems."""
        theta = self.null
        for _ in range(5):
            new = self._proximal_step(theta, lam, True)
            theta = theta if new is None else new
        return self.polish(theta, lam)

    def _first_better(self, points, theta, lam, only, slope):
        """The first point with a lower objective or, where rounding hides that, a smaller subgradient; or None."""
        before, steepness = self.objective(theta, lam), np.abs(slope * only).sum()
        for new in points:
            value = self.objective(new, lam)
            if abs(value - before) > 1e-13 * abs(before):
                if value < before:
                    return new
            elif np.abs(self.residual(new, lam) * only).sum() < 0.9 * steepness:
                return new
        return None

    def _newton_step(self, theta, lam, only):
        """The first better point on the way to the minimum of the quadratic model within the support, or None."""
        size, slope = self.size(theta), self.residual(theta, lam)
        smooth = np.where(self.l1 > 0, theta != 0, (self.norm == 0) | (size > 0))
        active = smooth & (self.lo < theta) & (theta < self.hi) & only
        rows, outputs = np.nonzero(active)
        step = np.zeros_like(theta)
        step[active] = np.linalg.lstsq(self._hessian(theta, lam, rows, outputs), slope[active], rcond=1e-13)[0]

        def point(t):
            new = np.clip(theta + t * step, self.lo, self.hi)
            return np.where((self.l1 > 0) & (np.sign(new) != np.sign(theta)), 0.0, new)

        done = (slope * step).sum() <= 1e-15 * abs(self.null_loss)
        lengths = [1.0] if done else 0.5 ** np.arange(0, 40, 1.5)
        return self._first_better(map(point, lengths), theta, lam, only, slope)

    def _hessian(self, theta, lam, rows, outputs):
        """The second derivatives of the objective between entries of theta where it has them."""
        bend = self.w[:, None, None] * self.loss.curvature(self.y, self.eta(theta))
        hessian = np.empty((rows.size, rows.size))
        for k in range(self.n_outputs):
            for m in range(self.n_outputs):
                one, other = outputs == k, outputs == m
                hessian[np.ix_(one, other)] = (self.Z[:, rows[one]].T * bend[:, k, m]) @ self.Z[:, rows[other]]
        size = self.size(theta)[rows, outputs]
        pull = np.where(size > 0, lam * self.norm[rows, outputs] / np.where(size > 0, size, 1.0), 0.0)
        unit, block = theta[rows, outputs] / np.where(size > 0, size, 1.0), self.block[rows, outputs]
        hessian -= (block[:, None] == block) * np.outer(pull * unit, unit)
        return hessian + np.diag(lam * self.ridge[rows, outputs] + pull)

    def _proximal_step(self, theta, lam, only):
        """The first better point of the proximal gradient steps of falling lengths, or None."""
        gradient, slope = self.gradient(theta), self.residual(theta, lam)
        bend = self.loss.curvature(self.y, self.eta(theta))
        longest = 4.0 / np.einsum("i,ikk,ij->jk", self.w, bend, self.Z**2).max(initial=1e-300)

        def point(t):
            new = self.shrink(theta - t * gradient, t * lam * self.l1, t * lam * self.norm)
            return np.where(only, np.clip(new / (1 + t * lam * self.ridge), self.lo, self.hi), theta)

        done = longest * ((slope * only) ** 2).sum() <= 1e-15 * abs(self.null_loss)
        lengths = longest * 0.25 ** np.arange(2 if done else 16)
        return self._first_better(map(point, lengths), theta, lam, only, slope)
