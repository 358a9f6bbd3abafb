"""Problems of a sparse batch go down the path side by side, sixteen in a cache line: each is solved as if alone.

Sizes are such that passes over the columns are cheaper than a curvature matrix for each problem.
"""

import numpy as np
import pytest
import scipy.sparse

import normball as nb
from oracle import Problem
from targets import FAMILIES
from test_sparse_engine import counts, target

N, P, K = 1200, 1500, 12


@pytest.fixture(scope="module", params=FAMILIES)
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
