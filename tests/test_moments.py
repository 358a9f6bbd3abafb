"""Squared error on tall data is solved from moments taken in one read: they must be right wherever the data stand."""

import numpy as np
import pytest
import scipy.sparse

from normball import _native
from oracle import Problem


def solve(X, responses, weights, **changes):
    n, p = X.shape if isinstance(X, np.ndarray) else (X[3], X[2].size - 1)
    options = {
        "offsets": np.zeros(n), "family": "gaussian", "l1_ratio": 0.7, "lambdas": None, "n_lambdas": 10,
        "lambda_min_ratio": 1e-3, "penalty_factors": np.ones(p), "lower_bounds": np.full(p, -np.inf),
        "upper_bounds": np.full(p, np.inf), "fit_intercept": True, "standardize": True, "tol": 1e-9, "max_iter": 1000,
        "n_threads": 2, "poll": None,
    }  # fmt: skip
    if "offset" in changes:  # as the oracle has it
        changes["offsets"] = changes.pop("offset")
    options |= {"responses": responses, "weights": weights, **changes}
    rows = ("responses", "weights", "offsets", "penalty_factors", "lower_bounds", "upper_bounds")
    return _native.solve_path(X=X, **options | {name: np.atleast_2d(options[name]) for name in rows})


def coefficients(result, k=0):
    n_lambdas = result["lambdas"].size
    out = np.zeros((n_lambdas, result["scales"].shape[1]))
    for i in range(n_lambdas):
        at = slice(*result["indptr"][k * n_lambdas + i : k * n_lambdas + i + 2])
        out[i, result["indices"][at]] = result["values"][at]
    return out


def is_optimal(X, y, w, result, k=0, **options):
    """Check the coefficients of problem k against the conditions of the optimum, written again in the oracle."""
    problem = Problem(X, y, l1_ratio=0.7, weights=w, **options)
    spread = np.sqrt(2 * problem.null_loss)
    np.testing.assert_allclose(result["scales"][k], problem.scales, rtol=1e-7)
    for lam, intercept, coef in zip(result["lambdas"], result["intercepts"][k], coefficients(result, k), strict=True):
        theta = problem.theta(intercept, coef)
        assert problem.kkt(theta, lam) <= 1e-7 * spread
    assert (result["statuses"][k] == 0).all()


def columns(kind, n=700):
    """Five columns; the first is the one that a careless mean or variance gets wrong."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, 5))
    if kind == "drift":
        X[:, 0] = np.linspace(-50, 50, n) + 0.1 * X[:, 0]
    elif kind == "far":
        X[:, 0] = 1e5 + X[:, 0]
    elif kind == "jump":
        X[:, 0] += 1e4 * (np.arange(n) > n - 40)
    elif kind == "spike":
        X[0, 0] = 1e5
    elif kind == "rare":
        X[:, 0] = np.arange(n) == 13
    elif kind == "constant":
        X[:, 0] = 3.3
    y = X[:, 1] - 0.5 * X[:, 2] + 2 * (X[:, 0] - X[:, 0].mean()) / max(X[:, 0].std(), 1e-3) + rng.normal(size=n)
    return X, y


def layouts(X):
    yield X
    yield np.asfortranarray(X)
    sparse = scipy.sparse.csc_array(X)
    yield sparse.data, sparse.indices.astype(np.int32), sparse.indptr.astype(np.int64), X.shape[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["drift", "far", "jump", "spike", "rare", "constant"])
def test_columns_of_every_kind(kind, dtype):
    X, y = columns(kind)
    X = X.astype(dtype)
    w = np.random.default_rng(1).integers(0, 4, y.size).astype(float)
    w[13] = 1.0
    for layout in layouts(X):
        is_optimal(X.astype(float), y, w, solve(layout, y, w))


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("kind", ["drift", "far", "rare"])
def test_without_an_intercept(kind, standardize):
    X, y = columns(kind)
    w = np.ones(y.size)
    options = {"fit_intercept": False, "standardize": standardize}
    for layout in layouts(X):
        result = solve(layout, y + 3.0, w, **options)
        is_optimal(X, y + 3.0, w, result, **options)


def test_one_read_is_enough_and_a_bad_guess_costs_another():
    X, y = columns("drift")
    assert solve(X, y, np.ones(y.size))["n_sweeps"] == 1
    w = np.where(np.arange(y.size) % 70 == 3, 1.0, 1e-12)  # nearly all weight where no guess looks
    X[w == 1.0, 0] += 1e3
    result = solve(X, y, w)
    assert result["n_sweeps"] == 2
    is_optimal(X, y, w, result)


def overlapping_folds(n):
    """A common weight, and problems that hold out: nothing, a third, another third that overlaps, two blocks."""
    rng = np.random.default_rng(8)
    w = np.tile(rng.uniform(0.5, 2.0, n), (4, 1))
    w[:, rng.integers(0, n, 20)] = 0.0
    part = rng.integers(0, 6, n)
    w[1, part < 2] = 0.0
    w[2, (part == 1) | (part == 2)] = 0.0
    w[3, : n // 3] = 0.0
    return w


@pytest.mark.parametrize("n", [300, 9000])  # few rows are read again, many are read by groups
@pytest.mark.parametrize("layout", [0, 1, 2])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_folds_are_the_fits_they_stand_for(n, layout, dtype):
    X, y = columns("drift", n)
    X = X.astype(dtype)
    weights = overlapping_folds(n)
    given = list(layouts(X))[layout]
    result = solve(given, y, weights, lambdas=np.array([0.5, 0.05, 0.005]))
    if n > 8192:
        assert result["n_sweeps"] <= 2
    for k, w in enumerate(weights):
        is_optimal(X.astype(float), y, w, result, k)


@pytest.mark.parametrize("n", [300, 9000])
def test_a_column_that_only_the_held_out_rows_have_stays_out(n):
    X, y = columns("far", n)
    weights = overlapping_folds(n)
    X[:, 4] = np.where(weights[3] == 0.0, X[:, 4], 0.7)
    result = solve(X, y, weights)
    assert (coefficients(result, 3)[:, 4] == 0).all()
    assert (coefficients(result, 1)[:, 4] != 0).any()
    is_optimal(X, y, weights[1], result, 1)


def test_weights_that_are_no_folds():
    X, y = columns("far")
    rng = np.random.default_rng(4)
    weights = np.vstack([np.ones(y.size), rng.multinomial(y.size, np.full(y.size, 1 / y.size)), np.ones(y.size)])
    weights = weights.astype(float)
    weights[2, :30] = 5.0
    weights[2, 30:50] = 0.25
    result = solve(X, y, weights)
    for k, w in enumerate(weights):
        is_optimal(X, y, w, result, k)


@pytest.mark.parametrize("n_weights", [1, 2])
def test_responses_share_a_gram(n_weights):
    X, y = columns("drift")
    rng = np.random.default_rng(2)
    responses = y + rng.normal(size=(6, y.size)) + 1e3 * np.arange(6)[:, None]
    weights = np.ones((6, y.size))
    weights[::n_weights, :100] = 2.0 - n_weights  # the same for all, or two kinds
    result = solve(X, responses, weights)
    for k in range(6):
        is_optimal(X, responses[k], weights[k], result, k)
    assert result["n_sweeps"] <= 2


def test_ridge_of_several_responses():
    X, y = columns("far")
    responses = np.vstack([y, -2.0 * y, X[:, 1]])
    result = solve(X, responses, np.ones((3, y.size)), l1_ratio=0.0, lambdas=np.array([1.0, 0.01]))
    Z = (X - X.mean(0)) / X.std(0)
    for k in range(3):
        for lam, coef in zip([1.0, 0.01], coefficients(result, k), strict=True):
            exact = np.linalg.solve(Z.T @ Z / y.size + lam * np.eye(5), Z.T @ responses[k] / y.size)
            np.testing.assert_allclose(coef * X.std(0), exact, rtol=1e-9, atol=1e-11)


def test_threads_and_repetition_change_nothing():
    X, y = columns("drift", 20_000)
    weights = overlapping_folds(y.size)
    for X_in in (X, np.asfortranarray(X)):
        runs = [solve(X_in, y, weights, n_threads=threads) for threads in (1, 2, 2)]
        for other in runs[1:]:
            np.testing.assert_array_equal(runs[0]["values"], other["values"])
            np.testing.assert_array_equal(runs[0]["dual_gaps"], other["dual_gaps"])


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_wide_ridge(fit_intercept, standardize):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 300)) + 3.0
    X[:, 7] = 1.0
    y = X[:, 0] + rng.normal(size=40)
    weights = rng.uniform(0.5, 2.0, (1, 40)).repeat(3, axis=0)
    weights[1, :10] = 0.0
    weights[2, 5:9] = 0.0
    factors, offset = rng.uniform(0.5, 2.0, 300), rng.normal(size=40)
    lambdas = np.geomspace(10, 0.01, 60)
    options = {"fit_intercept": fit_intercept, "standardize": standardize, "penalty_factors": factors, "offset": offset}
    for layout in layouts(X):
        result = solve(layout, y, weights, l1_ratio=0.0, lambdas=lambdas, **options)
        assert (result["statuses"] == 0).all()
        for k, w in enumerate(weights):
            problem = Problem(X, y, l1_ratio=0.0, weights=w, **options)
            coefs = coefficients(result, k)
            for i in (0, 30, 59):
                theta = problem.theta(result["intercepts"][k, i], coefs[i])
                assert problem.kkt(theta, lambdas[i]) <= 1e-9 * np.sqrt(2 * problem.null_loss)


# a read for the centre and one for the moments; working sets read X again for each block of lambdas
READS_OF_MOMENTS = 2


@pytest.mark.parametrize(
    ("n", "p", "entries", "l1_ratio", "by_moments"),
    [
        (2000, 600, 5, 1.0, False),
        (2000, 600, 5, 0.5, False),
        (2000, 600, 5, 0.0, True),  # ridge has its closed form there
        (2000, 100, 20, 1.0, True),  # rows are nearly as long as p
        (2000, 600, 200, 1.0, True),
        (2000, 600, 200, 0.5, False),  # a mix makes a factor for each lambda
    ],
)
def test_a_sparse_design_is_solved_where_that_is_less_work(n, p, entries, l1_ratio, by_moments):
    rng = np.random.default_rng(6)
    X = np.where(rng.random((n, p)) < entries / p, rng.integers(1, 4, (n, p)), 0.0)
    y = X[:, :10] @ np.linspace(1, -1, 10) + rng.normal(size=n)
    row_by_row, _, sparse = layouts(X)
    options = {"l1_ratio": l1_ratio, "n_lambdas": 60, "tol": 1e-9}
    one, other = (solve(layout, y, np.ones(n), **options) for layout in (sparse, row_by_row))
    assert (one["n_sweeps"] <= READS_OF_MOMENTS) == by_moments
    assert other["n_sweeps"] <= READS_OF_MOMENTS
    assert (one["statuses"] == 0).all()
    np.testing.assert_allclose(one["lambdas"], other["lambdas"], rtol=1e-9)
    np.testing.assert_allclose(coefficients(one), coefficients(other), atol=1e-4)
    np.testing.assert_allclose(one["loss"], other["loss"], rtol=1e-6)


def test_folds_of_a_sparse_design_are_the_same_by_moments_and_by_working_sets():
    rng = np.random.default_rng(7)
    X = np.where(rng.random((900, 400)) < 0.01, rng.integers(1, 4, (900, 400)), 0.0)
    y = X[:, :10] @ np.linspace(1, -1, 10) + rng.normal(size=900)
    row_by_row, _, sparse = layouts(X)
    weights = overlapping_folds(y.size)
    one, other = (solve(layout, y, weights) for layout in (sparse, row_by_row))
    assert one["n_sweeps"] > other["n_sweeps"]
    assert (one["statuses"] == 0).all()
    for k in range(len(weights)):
        np.testing.assert_allclose(coefficients(one, k), coefficients(other, k), atol=1e-4)
