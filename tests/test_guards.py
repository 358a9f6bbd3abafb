"""Each guard of the engine against rounding, with data that need it: without the guard these tests fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import normball as nb
from normball import _native
from oracle import Problem
from targets import FAMILIES, draw
from test_native import arguments

SHAPES = {"moments or windows": (300, 6), "working sets or row space": (60, 300)}


def target(family: str, signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return draw(family, signal, rng, log=(0.5, 0.5))


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_full_sparse_column_may_lie_far_from_zero(shape, family, l1_ratio):
    """A mean of a billion, a million times the spread: by a correction of sums the column would lose its digits."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=SHAPES[shape])
    X[:, 1:][rng.random((X.shape[0], X.shape[1] - 1)) < 0.6] = 0
    X[:, 0] = np.round(1024 * 1000 * X[:, 0]) / 1024  # nothing of it is lost when a billion is added
    y = target(family, X[:, 0] / 1000 - X[:, 1], rng)
    far = X + 1e9 * (np.arange(X.shape[1]) == 0)
    options: dict[str, Any] = {"family": family, "l1_ratio": l1_ratio, "n_lambdas": 5, "tol": 1e-9}
    here = nb.fit_path(scipy.sparse.csc_array(X), y, **options)
    there = nb.fit_path(scipy.sparse.csc_array(far), y, **options)
    assert here.coefs[:, 0].any()
    np.testing.assert_allclose(there.scales, here.scales, rtol=1e-12)
    np.testing.assert_allclose(there.coefs, here.coefs, rtol=1e-7, atol=1e-7 * np.abs(here.coefs * here.scales).max())
    assert (there.statuses == "converged").all()


def held_out(where: str, n: int, ratio: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A column whose spread is all in the third of five folds, around its mean or far from it."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 5))
    fold = np.arange(n) % 5
    y = X[:, 1] - 0.5 * X[:, 2] + 2 * X[:, 0] + rng.normal(size=n)
    rows = np.flatnonzero(fold == 2)
    X[rows, 0] *= ratio
    if where == "around its mean":
        X[rows[1::2], 0] = -X[rows[::2], 0]
    else:
        X[rows, 0] += ratio
    return X, y, fold


def solve(X: Any, y: np.ndarray, weights: np.ndarray, family: str = "gaussian") -> dict[str, np.ndarray]:
    given = {"l1_ratio": 0.7, "n_lambdas": 8, "lambda_min_ratio": 1e-3, "tol": 1e-9}
    return _native.solve_path(**arguments(X, y[None], weights, family, **given))


@pytest.mark.parametrize("n", [300, 9000])  # few rows: the other folds less this one; many: sums of groups
@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("where", ["around its mean", "far from it"])
@pytest.mark.parametrize("ratio", [1e3, 1e5, 1e7, 1e9])
def test_a_fold_may_hold_all_the_spread_of_a_column(ratio, where, layout, n):
    """What is left without it must not be the difference of large numbers."""
    X, y, fold = held_out(where, n, ratio)
    weights = np.vstack([np.ones(n), *(fold != k for k in range(5))]).astype(float)
    design: Any = np.asfortranarray(X)
    if layout == "csc":
        sparse = scipy.sparse.csc_array(X)
        design = (sparse.data, sparse.indices.astype(np.int32), sparse.indptr.astype(np.int64), n)
    found = solve(design, y, weights)
    for k in (1, 3):
        problem = Problem(X, y, l1_ratio=0.7, weights=weights[k])
        np.testing.assert_allclose(found["scales"][k], problem.scales, rtol=1e-9)
        assert (found["statuses"][k] == 0).all()
        for i, lam in enumerate(found["lambdas"]):
            at = slice(*found["indptr"][8 * k + i : 8 * k + i + 2])
            coef = np.zeros(5)
            coef[found["indices"][at]] = found["values"][at]
            theta = problem.theta(found["intercepts"][k, i], coef)
            assert problem.kkt(theta, lam) <= 1e-8 * np.sqrt(2 * problem.null_loss)


@pytest.mark.parametrize("n", [40, 300])  # a working set; windows
@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("where", ["around its mean", "far from it"])
@pytest.mark.parametrize("ratio", [1e3, 1e5, 1e7, 1e9])
@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_so_it_may_where_the_loss_is_curved(family, ratio, where, layout, n):
    X, _, fold = held_out(where, n, ratio)
    rng = np.random.default_rng(2)
    y = target(family, X[:, 1] - X[:, 2], rng)
    weights = np.vstack([np.ones(n), *(fold != k for k in range(5))]).astype(float)
    design: Any = np.asfortranarray(X)
    if layout == "csc":
        sparse = scipy.sparse.csc_array(X)
        design = (sparse.data, sparse.indices.astype(np.int32), sparse.indptr.astype(np.int64), n)
    found = solve(design, y, weights, family)
    for k in (1, 3):
        train = weights[k] > 0  # elsewhere the linear predictor may overflow
        problem = Problem(X[train], y[train], family, l1_ratio=0.7)
        np.testing.assert_allclose(found["scales"][k], problem.scales, rtol=1e-9)
        for i, lam in enumerate(found["lambdas"]):
            if found["statuses"][k, i] != 0:
                continue  # said, since the column's unit is that of the other problems
            at = slice(*found["indptr"][8 * k + i : 8 * k + i + 2])
            coef = np.zeros(5)
            coef[found["indices"][at]] = found["values"][at]
            theta = problem.theta(found["intercepts"][k, i], coef)
            assert problem.kkt(theta, lam) <= 2e-3 * lam


@pytest.mark.parametrize("apart", [1e-9, 1e-10])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [60, 400])
def test_a_near_copy_is_another_column(n, family, apart):
    """It differs where the model is wrong: left out as a copy it would be missed by more than the tolerance."""
    rng = np.random.default_rng(1)
    X = rng.integers(-1, 2, size=(n, 6)).astype(float)  # so that the copy's differences are below single precision
    X[:2, 0] = [0, 1]
    y = target(family, X[:, 0] - X[:, 1], rng)
    before = Problem(X, y, family)
    lam = 0.1 * before.lambda_max()
    theta = before.solve(lam)
    missing = -before.loss.slope(y, before.eta(theta)) * np.abs(X[:, 0])
    missing[:2] = 0
    near = X[:, 0] + apart * np.sign(theta[1]) * missing / np.abs(missing).max()
    X = np.column_stack([X, near])
    problem = Problem(X, y, family)
    path = nb.fit_path(np.asfortranarray(X), y, family=family, lambdas=[lam], tol=1e-11)
    assert path.statuses[0] == "converged"
    found = problem.theta(path.intercepts[0], path.coefs[0])
    others = [np.arange(found.size) != j for j in (1, found.size - 1)]  # both would make the oracle's steps singular
    best = max(problem.dual(problem.polish(found, lam, only=only), lam) for only in others)
    assert problem.objective(found, lam) - best <= 1e-11 * problem.null_loss


def dependent(n: int, p: int, rng: np.random.Generator) -> np.ndarray:
    X = rng.normal(size=(n, p))
    X[:, 2] = X[:, 0] + X[:, 1]
    X[:, 3] = X[:, 0] - 2 * X[:, 1]
    return X


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("bound", [1e3, 1e6])
def test_dependent_columns_without_a_penalty_stay_where_they_are(family, bound):
    """Nothing stops them on their way along the null space but their bounds, which are far."""
    rng = np.random.default_rng(0)
    X = 1 + dependent(100, 8, rng)
    y = target(family, X[:, 0] - 0.6 * X[:, 1] + 0.4 * X[:, 4] - 1, rng)
    path = nb.fit_path(
        np.asfortranarray(X), y, family=family, penalty_factors=[0, 0, 0, 0, 1, 1, 1, 1],
        lower_bounds=-bound, upper_bounds=bound, n_lambdas=5, tol=1e-8, max_iter=200,
    )  # fmt: skip
    assert (path.statuses == "converged").all()
    assert np.abs(path.coefs).max() < 10


@pytest.mark.parametrize("lambdas", [None, [0.1, 0.01, 0.0]])
def test_two_of_four_columns_explain_what_the_four_do(lambdas):
    """Squared error gets there in one step, in which the dependent ones do not take part."""
    rng = np.random.default_rng(0)
    X = dependent(100, 8, rng)
    y = target("gaussian", X[:, 0] - 0.6 * X[:, 1], rng)
    factors = np.ones(8) if lambdas else np.r_[0, 0, 0, 0, 1, 1, 1, 1]
    path = nb.fit_path(np.asfortranarray(X), y, penalty_factors=factors, lambdas=lambdas, n_lambdas=5)
    assert (np.sort(np.abs(path.coefs[-1, :4]))[:2] < 1e-9).all()


@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", [(100, 8), (60, 300), (2000, 5)])
@pytest.mark.parametrize("has_free", [False, True])
def test_the_null_model_is_fitted_to_the_last_digits(has_free, shape, family, layout):
    """All lambdas and all gaps are measured by it; an error in it is one in lambda_max."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape)
    y = target(family, X[:, 0] - 0.6 * X[:, 1], rng)
    own = {"offset": rng.normal(size=y.size), "penalty_factors": np.r_[0.0 if has_free else 1.0, np.ones(shape[1] - 1)]}
    problem = Problem(X, y, family, **own)
    design = scipy.sparse.csc_array(X) if layout == "csc" else np.asfortranarray(X)
    path = nb.fit_path(design, y, family=family, n_lambdas=2, lambda_min_ratio=0.5, **own)
    assert path.lambda_max == pytest.approx(problem.lambda_max(), rel=1e-12)
    assert path.null_loss == pytest.approx(problem.null_loss, rel=1e-13)
