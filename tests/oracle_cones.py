"""Another program's answer: the objective of `oracle_outputs` in cvxpy's atoms, minimised by Clarabel's cones.

It is written from the columns of X once more, without the blocks of the oracle: by it these are checked.
"""

import warnings

import cvxpy
import numpy as np

ACCURATE = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12, "max_iter": 200}


def squared_error(Z, y, w):
    """Half of the mean squared distance as a function of theta, from as many rows as Z and y have columns."""
    root = np.sqrt(w)[:, None]
    reduced = np.linalg.qr(np.column_stack([root * Z, root * y]), mode="r")
    design, targets = reduced[:, : Z.shape[1]], reduced[:, Z.shape[1] :]
    return lambda theta: cvxpy.sum_squares(design @ theta - targets) / 2


def mean_loss(family, Z, y, w, offset):
    """The weighted loss less what depends on y alone, as a function of theta."""
    if family in ("gaussian", "multigaussian"):
        return squared_error(Z, y - offset, w)
    curved = {"binomial": cvxpy.logistic, "poisson": cvxpy.exp}

    def value(theta):
        eta = offset + Z @ theta
        if family == "multinomial":
            return w @ (cvxpy.log_sum_exp(eta, axis=1) - cvxpy.sum(cvxpy.multiply(y, eta), axis=1))
        return w @ (curved[family](eta[:, 0]) - cvxpy.multiply(y[:, 0], eta[:, 0]))

    return value


class Penalty:
    """The penalty of the coefficients b per standard deviation, without its strength."""

    def __init__(self, b, columns, l1_ratio, factors, by_norm):
        self.b, self.columns, self.l1_ratio, self.factors, self.by_norm = b, columns, l1_ratio, factors, by_norm

    def mixed(self, norm, block):
        return self.l1_ratio * norm + (1 - self.l1_ratio) / 2 * cvxpy.sum_squares(block)

    def of_feature(self, j):
        norm = cvxpy.norm(self.b[j], 2) if self.by_norm else cvxpy.sum(cvxpy.abs(self.b[j]))
        return self.factors[j] * self.mixed(norm, self.b[j])

    def of_group(self, own, weight, orthonormalize):
        size = own.size
        block = self.b[own]
        if orthonormalize:
            size = np.linalg.matrix_rank(self.columns[:, own])
            block = np.linalg.qr(self.columns[:, own], mode="r") @ block
        weight = np.sqrt(size) if np.isnan(weight) else weight
        return weight * self.factors[own].max() * self.mixed(cvxpy.norm(block, "fro"), block)


def minimum(X, y, family, lam, *, l1_ratio=1.0, weights=None, offset=None, penalty_factors=None, lower=-np.inf,
            upper=np.inf, grouped=None, groups=None, group_weights=None, group_ratio=1.0, orthonormalize=None,
            fit_intercept=True, standardize=True):  # fmt: skip
    """Return the intercepts (K,) and coefficients (K, p); the words are those of `oracle_outputs.Problem`."""
    n, p = X.shape
    y = np.asarray(y, dtype=float).reshape(n, -1)
    w = np.ones(n) / n if weights is None else weights / np.sum(weights)
    offset = np.zeros(y.shape) if offset is None else np.asarray(offset, dtype=float).reshape(n, -1)
    s = np.sqrt(w @ (X - w @ X) ** 2) if standardize else np.ones(p)
    means = w @ X * fit_intercept
    centred = (X - means) / s
    factors = np.ones(p) if penalty_factors is None else np.array(penalty_factors, dtype=float)
    out, factors = np.isinf(factors), np.where(np.isinf(factors), 0, factors)
    groups = np.full(p, -1) if groups is None else np.asarray(groups)
    given = np.full(groups.max() + 1, np.nan) if group_weights is None else group_weights
    orthonormalize = group_ratio == 1 if orthonormalize is None else orthonormalize

    theta = cvxpy.Variable((p + 1, y.shape[1]))
    b = theta[1:]
    holds = [b[j] == 0 for j in np.flatnonzero(out)]
    holds += [] if fit_intercept else [theta[0] == 0]
    holds += [b[j] >= lower * s[j] for j in range(p) if np.isfinite(lower)]
    holds += [b[j] <= upper * s[j] for j in range(p) if np.isfinite(upper)]
    by_norm = family == "multigaussian" if grouped is None else grouped
    penalty = Penalty(b, np.sqrt(w)[:, None] * centred, l1_ratio, factors, by_norm)
    terms = [penalty.of_feature(j) for j in range(p) if groups[j] < 0]
    for g, weight in enumerate(given):
        own = np.flatnonzero((groups == g) & ~out)
        terms += [group_ratio * penalty.of_group(own, weight, orthonormalize)]
        terms += [(1 - group_ratio) * penalty.of_feature(j) for j in own if group_ratio < 1]
    loss = mean_loss(family, np.column_stack([np.ones(n), centred]), y, w, offset)(theta)
    with warnings.catch_warnings():  # of the digits that it could not reach; its answer is compared by its objective
        warnings.simplefilter("ignore", UserWarning)
        cvxpy.Problem(cvxpy.Minimize(loss + lam * sum(terms)), holds).solve(solver=cvxpy.CLARABEL, **ACCURATE)
    coef = np.where(out[:, None], 0, b.value) / s[:, None]
    return theta.value[0] - means @ coef, coef.T
