"""How fits with several outputs or with groups of features are judged: by `oracle_outputs`, never by another fit alone.

Options are those of `fit_path`, but for groups and their weights, which are arrays as the oracle takes them.
"""

import numpy as np
import pytest

import normball as nb
from oracle_outputs import Problem, indicators

TOL = 1e-10
N_OUTPUTS = 3
GROUPS = np.array([0, 0, 0, -1, 1, 1, 2, -1])
# what a penalty may be: the family and its options
KINDS = {
    "classes": {"family": "multinomial"},
    "classes by feature": {"family": "multinomial", "grouped": True},
    "targets": {"family": "multigaussian"},
    "targets one by one": {"family": "multigaussian", "grouped": False},
    "groups": {"family": "gaussian", "groups": GROUPS},
    "groups of a logistic model": {"family": "binomial", "groups": GROUPS},
    "groups of rates": {"family": "poisson", "groups": GROUPS},
    "groups as they are": {"family": "gaussian", "groups": GROUPS, "orthonormalize": False},
    "groups as they are of a logistic model": {"family": "binomial", "groups": GROUPS, "orthonormalize": False},
    "sparse groups": {"family": "gaussian", "groups": GROUPS, "group_ratio": 0.6},
    "sparse groups of rates": {"family": "poisson", "groups": GROUPS, "group_ratio": 0.3},
}


def draw_target(family, signal, rng):
    """Labels 0, 1, 2 for multinomial, each of them twice in the first rows; a column a target; or a vector."""
    n, n_outputs = signal.shape
    match family:
        case "multinomial":
            labels = (signal + rng.gumbel(size=signal.shape)).argmax(axis=1)
            labels[: 2 * n_outputs] = np.arange(2 * n_outputs) % n_outputs
            return labels
        case "multigaussian":
            return 2 + signal + rng.normal(size=signal.shape)
        case "gaussian":
            return 2 + signal[:, 0] + rng.normal(size=n)
        case "binomial":
            return np.r_[0, 1, (signal[2:, 0] + rng.logistic(size=n - 2) > 0)].astype(float)
        case "poisson":
            return np.r_[0, 1, rng.poisson(np.exp(0.6 * signal[2:, 0]))].astype(float)


class Case:
    """A problem of a kind, small without `n`: X, y, options of a fit, and what is left of its random numbers."""

    def __init__(self, kind, seed, n=None, **more):
        self.rng = rng = np.random.default_rng([seed, list(KINDS).index(kind)])
        few, p = int(rng.integers(24, 40)), GROUPS.size
        n = n or few
        self.X = rng.normal(size=(n, p)) @ (np.eye(p) + (seed % 2) * 0.5 * rng.normal(size=(p, p)))
        signal = self.X[:, :3] / self.X[:, :3].std(axis=0) @ rng.normal(size=(3, N_OUTPUTS))
        self.y = draw_target(KINDS[kind]["family"], signal, rng)
        self.shape = (n, N_OUTPUTS) if KINDS[kind]["family"].startswith("multi") else (n,)
        self.options = KINDS[kind] | {
            "l1_ratio": (1.0, 0.4, 1.0, 0.0)[seed % 4],
            "fit_intercept": bool(rng.random() < 0.6),
            "standardize": bool(rng.random() < 0.6),
            "offset": 0.3 * rng.normal(size=self.shape) if rng.random() < 0.5 else None,
            "sample_weight": rng.integers(1, 4, n).astype(float) if rng.random() < 0.5 else None,
        } | more  # fmt: skip

    def of_rows(self, rows, **more):
        """The options with the offset and the weights of some rows."""
        own = {name: self.options[name] for name in ("offset", "sample_weight") if self.options[name] is not None}
        return self.options | {name: values[rows] for name, values in own.items()} | more


def public(options):
    """Options in the words of the package: groups by the names of their features."""
    options = dict(options)
    groups, weights = options.pop("groups", None), options.pop("group_weights", None)
    if groups is not None:
        options["groups"] = {
            f"g{g}": [f"x{j}" for j in np.flatnonzero(groups == g)] for g in np.unique(groups[groups >= 0])
        }
    if weights is not None:
        options["group_weights"] = {f"g{g}": weight for g, weight in enumerate(weights)}
    return options


def fit(X, y, options, **more):
    return nb.fit_path(X, y, **{"tol": TOL, **public(options), **more})


def judge(X, y, options):
    """The oracle's problem with the same options."""
    words = {"sample_weight": "weights", "lower_bounds": "lower", "upper_bounds": "upper"}
    target = indicators(y) if options["family"] == "multinomial" and np.ndim(y) == 1 else y
    return Problem(X, target, **{words.get(name, name): value for name, value in options.items()})


def strengths(problem):
    return problem.lambda_max() * np.array([1.1, 0.3, 0.1, 0.03])


def points(path):
    return list(zip(path.intercepts, path.coefs, strict=True))


def assert_same_fits(problem, lambdas, one, other, tol=TOL):
    """Two paths, lists of (intercepts, coefficients), have the same objective and the same linear predictors."""
    for lam, first, second in zip(lambdas, one, other, strict=True):
        theta, twin = problem.theta(*first), problem.theta(*second)
        value, again = problem.objective(theta, lam), problem.objective(twin, lam)
        assert abs(value - again) <= 2 * tol * problem.null_loss + 1e-14 * value
        apart, bend = problem.Z @ (theta - twin), problem.loss.curvature(problem.y, problem.eta(theta))
        assert np.einsum("i,ij,ijk,ik->", problem.w, apart, bend, apart) <= 20 * tol * problem.null_loss


def assert_certified(path, problem, tol=TOL):
    """Everything that a path claims about its optimality, against the oracle."""
    assert set(path.statuses) == {"converged"}
    assert path.null_loss == pytest.approx(problem.null_loss, rel=1e-9, abs=1e-12)
    if problem.l1_ratio > 0:
        assert path.lambda_max == pytest.approx(problem.lambda_max(), rel=1e-7)
    np.testing.assert_allclose(path.scales, problem.scales, rtol=1e-7)
    steepest = np.abs(problem.gradient(problem.null)).max()
    for index, (lam, point) in enumerate(zip(path.lambdas, points(path), strict=True)):
        theta, reported = problem.theta(*point), path.dual_gaps[index]
        best, bound = problem.objective(problem.polish(theta, lam), lam), problem.bound(theta, lam)
        assert best - bound <= 5e-12 * problem.null_loss  # the judge's own bounds meet
        gap = (problem.objective(theta, lam) - bound) / problem.null_loss
        assert gap - 1e-11 <= reported <= tol  # never less than the truth
        assert path.loss[index] == pytest.approx(problem.mean_loss(theta), rel=1e-10, abs=1e-10 * problem.null_loss)
        kkt = problem.kkt(theta, lam)
        assert kkt <= max(1e-3 * lam, 1e-10 * steepest)
        if problem.ratio in (0, 1):  # a violation in between has no one natural unit
            assert path.kkt_violations[index] == pytest.approx(kkt, rel=0.01, abs=1e-9 * max(steepest, lam))
