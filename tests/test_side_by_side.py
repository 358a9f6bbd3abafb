"""Lambdas of a block go side by side on sparse columns, eight in a vector register: each is solved as if alone.

Sizes are such that products with a copy of the columns are cheaper than a curvature matrix for each lambda.
"""

import numpy as np
import pytest
import scipy.sparse

import normball as nb
from oracle import Problem
from targets import FAMILIES, draw
from test_sparse_engine import counts, target

N, P, K = 1200, 1500, 12
SMOOTH = [family for family in FAMILIES if not family.startswith("huber")]  # the others go one after the other


@pytest.fixture(scope="module", params=SMOOTH)
def batch(request):
    """The options, the table, a dozen bootstrap samples and their paths."""
    rng = np.random.default_rng(31)
    X = counts(rng, N, P, density=0.02)
    y = target(request.param, X, rng)
    weights = rng.multinomial(N, np.full(N, 1 / N), size=K).T.astype(float)
    options = {"family": request.param, "n_lambdas": 12, "lambda_min_ratio": 0.03}
    sparse = scipy.sparse.csc_array(X)
    return options, X, y, weights, nb.fit_paths(sparse, y, sample_weight=weights, n_threads=2, **options)


def test_every_solution_of_the_batch_is_certified(batch):
    options, X, y, weights, paths = batch
    for k in (0, 5, K - 1):
        path = paths[k]
        assert set(path.statuses) == {"converged"}
        problem = Problem(X, y, options["family"], weights=weights[:, k])
        for index in (4, 11):
            theta = problem.theta(path.intercepts[index], path.coefs[index])
            assert problem.gap(theta, path.lambdas[index]) <= 1.001e-6


def test_company_and_threads_do_not_matter(batch):
    options, X, y, weights, paths = batch
    options = options | {"lambdas": paths[0].lambdas}
    again = nb.fit_paths(scipy.sparse.csc_array(X), y, sample_weight=weights, n_threads=1, **options)
    for k in range(K):
        np.testing.assert_array_equal(paths[k].coefs, again[k].coefs)
        np.testing.assert_array_equal(paths[k].intercepts, again[k].intercepts)
    alone = nb.fit_path(scipy.sparse.csc_array(X), y, sample_weight=weights[:, 3], **options)
    np.testing.assert_allclose(paths[3].dual_gaps, alone.dual_gaps, atol=1e-6)
    problem = Problem(X, y, options["family"], weights=weights[:, 3])
    one, other = (
        problem.objective(problem.theta(path.intercepts[-1], path.coefs[-1]), path.lambdas[-1])
        for path in (paths[3], alone)
    )
    assert abs(one - other) <= 1e-6 * problem.null_loss


def test_every_version_of_the_kernels(cpu_level):
    rng = np.random.default_rng(31)
    X = counts(rng, N, P, density=0.02)
    y = target("binomial", X, rng)
    weights = rng.multinomial(N, np.full(N, 1 / N), size=K).T.astype(float)
    paths = nb.fit_paths(
        scipy.sparse.csc_array(X), y, sample_weight=weights, family="binomial", n_lambdas=8, lambda_min_ratio=0.1
    )
    assert all(set(path.statuses) == {"converged"} for path in paths)
    problem = Problem(X, y, "binomial", weights=weights[:, 5])
    assert problem.gap(problem.theta(paths[5].intercepts[-1], paths[5].coefs[-1]), paths[5].lambdas[-1]) <= 1.001e-6


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_bounds_mixes_and_free_columns(l1_ratio, fit_intercept):
    rng = np.random.default_rng(32)
    X = counts(rng, N, P, density=0.02)
    y = target("binomial", X, rng)
    weights = rng.multinomial(N, np.full(N, 1 / N), size=K).T.astype(float)
    factors = rng.random(P) + 0.5
    factors[[1, 7]] = 0, np.inf
    options = {
        "family": "binomial",
        "l1_ratio": l1_ratio,
        "fit_intercept": fit_intercept,
        "penalty_factors": factors,
        "lower_bounds": np.full(P, -0.15),
        "upper_bounds": rng.choice([0.1, 0.4, np.inf], P),
    }
    paths = nb.fit_paths(
        scipy.sparse.csc_array(X), y, sample_weight=weights, n_lambdas=8, lambda_min_ratio=0.05, **options
    )
    for k in (0, K - 1):
        path = paths[k]
        assert set(path.statuses) == {"converged"}
        assert (path.coefs >= -0.15).all()
        assert (path.coefs[:, 7] == 0).all()
        bounds = {"lower": options["lower_bounds"], "upper": options["upper_bounds"]}
        same = {name: value for name, value in options.items() if not name.endswith("_bounds")}
        problem = Problem(X, y, weights=weights[:, k], **same, **bounds)
        lam = path.lambdas[-1]
        alike = {"sample_weight": weights[:, k], "lambdas": [lam], "tol": 1e-12, **options}
        exact = nb.fit_path(scipy.sparse.csc_array(X), y, **alike)
        near = problem.theta(exact.intercepts[0], exact.coefs[0])
        least = problem.objective(near, lam) - problem.gap(near, lam) * problem.null_loss  # by the oracle's dual point
        theta = problem.theta(path.intercepts[-1], path.coefs[-1])
        assert problem.objective(theta, lam) - least <= 1e-6 * problem.null_loss


def options_of(kind, rng, n, p):
    """What the package is given and what the oracle is."""
    match kind:
        case "plain":
            return {}, {}
        case "mix":
            return ({"l1_ratio": 0.4},) * 2
        case "no intercept":
            return ({"fit_intercept": False, "standardize": False},) * 2
        case "factors":
            factors = rng.random(p) + 0.3
            factors[[3, p - 5, 9]] = 0, 0, np.inf
            return ({"penalty_factors": factors},) * 2
        case "bounds":
            lower, upper = np.full(p, -0.1), rng.choice([0.0, 0.2, np.inf], p)
            return {"lower_bounds": lower, "upper_bounds": upper}, {"lower": lower, "upper": upper}
        case "weights":
            weights, offset = rng.integers(0, 3, n) + 0.0, 0.3 * rng.normal(size=n)
            return {"sample_weight": weights, "offset": offset}, {"weights": weights, "offset": offset}
    raise ValueError(kind)


@pytest.mark.parametrize("kind", ["plain", "mix", "no intercept", "factors", "bounds", "weights"])
@pytest.mark.parametrize("family", SMOOTH)
def test_a_path_of_its_own(family, kind):
    rng = np.random.default_rng(33)
    X = counts(rng, 500, 700, density=0.02)
    y = target(family, X, rng)
    given, known = options_of(kind, rng, 500, 700)
    path = nb.fit_path(scipy.sparse.csc_array(X), y, family=family, n_lambdas=20, lambda_min_ratio=0.03, **given)
    assert set(path.statuses) == {"converged"}
    problem = Problem(X, y, family, **known)
    for index in (8, 19):
        lam = path.lambdas[index]
        theta = problem.theta(path.intercepts[index], path.coefs[index])
        excess = problem.objective(theta, lam) - problem.objective(problem.polish(theta, lam), lam)
        assert excess <= 1e-6 * problem.null_loss
        assert path.dual_gaps[index] >= excess / problem.null_loss - 1e-11


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_signs_that_go_round_in_circles(family):
    """Nearly as many coefficients as rows, on columns that hang together: the signs of many are hard to find."""
    rng = np.random.default_rng(34)
    n, p = 400, 2000
    words = rng.integers(0, 60, (p, 3))
    topics = rng.random((n, 60)) < 0.04
    X = (topics[:, words].sum(axis=2) + (rng.random((n, p)) < 0.01)) * (rng.random((n, p)) < 0.5)
    X = scipy.sparse.csc_array(X.astype(float))
    y = draw(family, rng.normal(size=n), rng, log=(1.0, 0.8))
    path = nb.fit_path(X, y, family=family, lambda_min_ratio=5e-3)
    assert (path.coefs[-1] != 0).sum() > 200
    assert path.n_iters.mean() < 6
    assert set(path.statuses) == {"converged"}
    problem = Problem(X, y, family)
    for index in (60, 99):
        theta = problem.theta(path.intercepts[index], path.coefs[index])
        assert problem.gap(theta, path.lambdas[index]) <= 1e-5


@pytest.mark.parametrize("unit", [1e-25, 1e25])
@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_units_are_beyond_what_single_precision_holds(family, unit):
    rng = np.random.default_rng(35)
    X = counts(rng, N, P, density=0.02)
    y = target(family, X, rng)
    options = {"family": family, "n_lambdas": 12, "lambda_min_ratio": 0.05}
    near = nb.fit_path(scipy.sparse.csc_array(X), y, **options)
    far = nb.fit_path(scipy.sparse.csc_array(X * unit), y * (unit if family == "gaussian" else 1.0), **options)
    assert set(far.statuses) == {"converged"}
    assert far.n_iters.sum() <= 1.2 * near.n_iters.sum()
    expected = near.coefs if family == "gaussian" else near.coefs / unit
    scale = np.abs(expected[-1]).max()
    np.testing.assert_allclose(far.coefs[-1] / scale, expected[-1] / scale, atol=5e-3)
