"""The cheap sweeps, a byte an entry or single precision: their bounds hold, also where the data are made to meet them,
and they never decide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

import normball as nb
from normball import _native
from oracle import Problem

pytestmark = pytest.mark.usefixtures("cpu_level")


def bounds(X, vectors, centre=None):
    """Products and bounds, one row a vector."""
    centre = np.zeros(X.shape[1]) if centre is None else centre
    if sparse.issparse(X):
        X = (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int64), X.shape[0])
    else:
        X = np.asfortranarray(X)
    return _native.screened_products(X, centre, np.asfortranarray(np.atleast_2d(vectors).T))


def exact(X, vector):
    return np.array([math.fsum(column * vector) for column in X.T])


def vectors_to_try(generator, n_rows):
    return [generator.normal(size=n_rows), np.zeros(n_rows), np.ones(n_rows), 1e-150 * np.ones(n_rows)]


def missed(column):
    """What the eight bits of a column miss."""
    unit = np.abs(column).max() / 127
    return column - unit * np.rint(column / unit)


@pytest.mark.parametrize("n_rows", [1, 3, 63, 64, 65, 200, 1000])
def test_the_bound_holds(n_rows):
    generator = np.random.default_rng(n_rows)
    X = generator.normal(size=(n_rows, 37)) * 10.0 ** generator.uniform(-6, 6, 37)
    X[:, 3] = 0
    X[:, 4] = 7
    X[:, 5] = generator.standard_cauchy(n_rows)
    vectors = vectors_to_try(generator, n_rows)
    for vector, values, slacks in zip(vectors, *bounds(X, vectors), strict=True):
        assert (np.abs(exact(X, vector) - values) <= slacks).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_rows", "density"), [(1, 1.0), (5, 0.5), (300, 0.01), (300, 0.3), (2000, 0.9)])
def test_the_bound_holds_for_sparse_columns(n_rows, density, dtype):
    generator = np.random.default_rng(n_rows)
    dense = generator.normal(size=(n_rows, 41)) * 10.0 ** generator.uniform(-6, 6, 41)
    dense[generator.random(dense.shape) > density] = 0
    dense[:, 3] = 0
    dense[:, 4] = 7
    dense[:, 5] *= 1e-30
    X = sparse.csc_array(dense.astype(dtype))
    full = np.diff(X.indptr) == n_rows
    centre = np.where(full, 0.0, generator.normal(size=41))
    vectors = [*vectors_to_try(generator, n_rows), *generator.standard_cauchy((15, n_rows))]
    for vector, values, slacks in zip(vectors, *bounds(X, vectors, centre), strict=True):
        off = np.abs(exact(X.toarray().astype(float) - centre, vector) - values)
        assert (off <= slacks + 1e-13 * np.abs(vector).sum() * np.abs(centre)).all()


def test_the_bound_of_single_precision_is_not_idle():
    """Entries that all round down make an error of half a unit in the last place each."""
    n_rows = 4000
    value = 1 + 0.99 * 2.0**-24
    X = sparse.csc_array(np.full((n_rows, 1), value))
    vector = np.ones(n_rows)
    values, slacks = bounds(X, vector)
    off = abs(n_rows * value - values[0, 0])
    assert slacks[0, 0] / 2000 < off <= slacks[0, 0]
    assert slacks[0, 0] < 1e-4 * n_rows  # and tells something


def test_columns_beyond_single_precision_are_never_cleared():
    X = sparse.csc_array(np.array([[1e-40, 1e40, 1.0], [1e-41, 0.0, 1.0]]))
    _, slacks = bounds(X, np.ones(2))
    assert np.isinf(slacks[0]).tolist() == [True, True, False]


def test_columns_planted_at_the_bound():
    """A vector along what a column's bytes miss turns Cauchy's and Schwarz's inequality into an equality."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(512, 24))
    for j in range(24):
        vector = missed(X[:, j])
        values, slacks = bounds(X, vector)
        error = abs(math.fsum(X[:, j] * vector) - values[0, j])
        assert error <= slacks[0, j]
        assert error > 0.95 * slacks[0, j]  # next to no slack is left


@pytest.mark.parametrize("layout", [np.asfortranarray, sparse.csc_array])
@pytest.mark.parametrize("step", [-1, 0, 1])
def test_thresholds_one_ulp_around_a_gradient(step, layout):
    """lambda is set to the exact gradient of planted columns, and one ulp to either side."""
    generator = np.random.default_rng(1)
    n, p = 64, 2100
    X = np.asfortranarray(generator.normal(size=(n, p)))
    X -= X.mean(axis=0)
    X[:, 100:140] = X[:, [7]] * np.nextafter(1.0, 1.0 + np.sign(generator.normal(size=40)))  # copies, one ulp off
    y = X[:, 7] + 0.1 * generator.normal(size=n)
    gradients = np.sort(np.abs(X.T @ (y - y.mean())) / n)[::-1]
    lambdas = np.unique(gradients[[0, 1, 2, 45, 60, 80, 100, 150, 200, 300, 400, 500]])[::-1]
    if step:
        lambdas = np.nextafter(lambdas, np.inf * step)
    path = nb.fit_path(layout(X), y, lambdas=lambdas, standardize=False)
    assert set(path.statuses) == {"converged"}
    problem = Problem(X, y, standardize=False)
    for lam, coef, intercept in zip(path.lambdas, path.coefs, path.intercepts, strict=True):
        assert problem.gap(problem.theta(intercept, coef), lam) <= 1.1e-6 * problem.null_loss


@pytest.mark.parametrize("density", [0.1, 1.0])
def test_the_answer_is_that_of_exact_sweeps(density):
    generator = np.random.default_rng(2)
    X = np.asfortranarray(generator.normal(size=(80, 2500)) * 10.0 ** generator.uniform(-3, 3, 2500))
    if density < 1:
        X[generator.random(X.shape) > density] = 0
    y = X[:, :5] @ (1 / np.abs(X[:, :5]).max(axis=0)) + generator.normal(size=80)
    X = X if density == 1 else sparse.csc_array(X)
    path = nb.fit_path(X, y, n_lambdas=30, tol=1e-10)
    few = nb.fit_path(X, y, lambdas=path.lambdas[-9:], tol=1e-10)  # too few strengths for a cheap sweep
    np.testing.assert_allclose(few.coefs, path.coefs[-9:], atol=1e-9 * np.abs(path.coefs).max())
