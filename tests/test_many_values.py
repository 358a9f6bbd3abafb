"""More values than their curvature is worth its memory, or norms their factors: steps by products alone.

The oracle's conditions of optimality judge them (its duality gap takes minutes here), and for ridge the same problem in
few columns, which goes by the curvature.
"""

import numpy as np
import pytest
from scipy import sparse

import normball as nb
from judges import draw_target, fit, judge, points

TOL = 1e-6
# families and penalties; where norms are few the curvature is kept up to 2,500 values, where rows are short up to 800
DENSE = {
    "ridge of classes": {"family": "multinomial", "l1_ratio": 0.0},
    "little lasso of classes": {"family": "multinomial", "l1_ratio": 0.02},
    "classes by feature": {"family": "multinomial", "grouped": True, "l1_ratio": 0.02},
    "ridge of targets": {"family": "multigaussian", "l1_ratio": 0.0},
}


def assert_optimal(path, problem):
    assert set(path.statuses) == {"converged"}
    assert path.null_loss == pytest.approx(problem.null_loss, rel=1e-9)
    steepest = np.abs(problem.gradient(problem.null)).max()
    for index, (lam, point) in enumerate(zip(path.lambdas, points(path), strict=True)):
        theta = problem.theta(*point)
        assert problem.kkt(theta, lam) <= max(1e-3 * lam, 1e-10 * steepest)
        assert path.kkt_violations[index] == pytest.approx(problem.kkt(theta, lam), rel=0.01, abs=1e-9 * steepest)
        assert path.loss[index] == pytest.approx(problem.mean_loss(theta), rel=1e-10)
        assert 0 <= path.dual_gaps[index] <= TOL


def drawn(family, n, p, seed, *, share=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < share)
    signal = X[:, :12] @ rng.normal(size=(12, 3)) / np.sqrt(12 * share)
    return X, draw_target(family, 2.0 * signal, rng)


@pytest.mark.parametrize("kind", DENSE)
def test_more_values_than_a_curvature_holds(kind):
    options = DENSE[kind]
    X, y = drawn(options["family"], 60, 900, 3)
    problem = judge(X, y, options)
    path = fit(X, y, options, lambdas=problem.lambda_max() * np.array([0.3, 0.03, 0.01]), tol=TOL)
    assert (path.coefs[-1] != 0).sum() > (2500 if options["l1_ratio"] == 0 else 200)
    assert_optimal(path, problem)


@pytest.mark.parametrize("family", ["multinomial", "multigaussian"])
def test_ridge_is_the_same_in_the_basis_of_its_rows(family):
    """X = US V': the penalty is that of V'b, of which there are as many as rows."""
    X, y = drawn(family, 60, 900, 5)
    X -= X.mean(axis=0)
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    options = {"family": family, "l1_ratio": 0, "standardize": False, "tol": 1e-9, "grouped": False}
    wide = nb.fit_path(X, y, n_lambdas=6, lambda_min_ratio=1e-4, **options)
    few = nb.fit_path(U * s, y, lambdas=wide.lambdas, **options)
    np.testing.assert_allclose(wide.coefs @ Vt.T, few.coefs, atol=3e-4 * np.abs(few.coefs).max())
    for path, coefs in ((wide, wide.coefs), (few, few.coefs)):
        penalty = 0.5 * (coefs**2).sum(axis=(1, 2)) * path.lambdas
        other, rest = (few, few.coefs) if path is wide else (wide, wide.coefs)
        value = other.loss + 0.5 * (rest**2).sum(axis=(1, 2)) * other.lambdas
        assert (path.loss + penalty <= value + 1e-9 * path.null_loss).all()


@pytest.mark.parametrize("family", ["multinomial", "multigaussian"])
def test_norms_over_short_rows(family):
    options = {"family": family, "grouped": True, "l1_ratio": 0.5}
    X, y = drawn(family, 100, 600, 4, share=0.02)
    problem = judge(X, y, options)
    lambdas = problem.lambda_max() * np.array([0.3, 0.03, 0.003])
    path = fit(sparse.csc_array(X), y, options, lambdas=lambdas, tol=TOL)
    assert (path.coefs[-1] != 0).sum() > 800
    assert_optimal(path, problem)


# where values come near the rows in number, descent over the rows is quicker than factors of the curvature
BY_ROWS = {
    "groups": {"family": "gaussian"},
    "groups of a logistic model": {"family": "binomial"},
    "groups of rates with a ridge": {"family": "poisson", "l1_ratio": 0.5},
    "groups as they are": {"family": "gaussian", "orthonormalize": False},
    "sparse groups": {"family": "binomial", "group_ratio": 0.5},
    "targets by feature": {"family": "multigaussian", "grouped": True},
}


@pytest.mark.parametrize("correlation", [0.0, 0.95])  # where columns are alike, descent gives way to the factors
@pytest.mark.parametrize("has_weights", [False, True])
@pytest.mark.parametrize("kind", BY_ROWS)
def test_more_values_off_zero_than_rows(kind, has_weights, correlation):
    options = BY_ROWS[kind]
    X, y = drawn(options["family"], 50, 600, 7)
    rng = np.random.default_rng(8)
    X += np.sqrt(correlation / (1 - correlation)) * rng.normal(size=(50, 1))
    if options["family"] != "multigaussian":
        options = options | {"groups": np.arange(600) // 5}
    if has_weights:
        options = options | {"sample_weight": rng.random(50), "offset": 0.3 * rng.normal(size=y.shape)}
    problem = judge(X, y, options)
    path = fit(X, y, options, lambdas=problem.lambda_max() * np.geomspace(1, 0.02, 12), tol=TOL)
    assert (path.coefs[-1] != 0).sum() > (50 if correlation == 0 else 40)
    assert_optimal(path, problem)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("family", ["multinomial", "multigaussian"])
def test_ridge_in_the_row_space_of_wide_data(family, seed):
    """Certificates are those of the features, whatever the basis it was solved in."""
    rng = np.random.default_rng(seed)
    X, y = drawn(family, 40, 300, seed)
    X = (X + seed % 3) * 10.0 ** rng.integers(-2, 3, size=300)
    X[:, 100] = 1.0
    options = {"family": family, "l1_ratio": 0.0, "fit_intercept": seed % 4 > 0, "standardize": seed % 2 == 0}
    options["grouped"] = seed % 3 == 0
    if seed % 2:
        options["sample_weight"] = rng.random(40) * (np.arange(40) % 7 > 0)
    if seed % 3 == 1:
        options["offset"] = 0.3 * rng.normal(size=(40, 3))
    if seed % 5 < 2:
        options["penalty_factors"] = 0.5 + rng.random(300)
    problem = judge(X, y, options)
    path = fit(X, y, options, lambdas=problem.lambda_max() * np.geomspace(1, 1e-4, 6), tol=TOL)
    assert_optimal(path, problem)
