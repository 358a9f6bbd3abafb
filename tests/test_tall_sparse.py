"""Tall sparse data with a curved loss: few entries meet the candidates as they are stored, many in packed rows."""

import numpy as np
import pytest
import scipy.sparse

import normball as nb
from targets import CURVED, draw
from test_tall import TOL, assert_solved, each_option


def indicators(family, n=450, seed=0):
    """Levels of three columns, two numbers, one of them far from zero in every row, and a column without entries."""
    rng = np.random.default_rng(seed)
    levels = [np.eye(k)[rng.choice(k, n, p=np.arange(1, k + 1) / np.arange(1, k + 1).sum())] for k in (4, 8, 6)]
    X = np.column_stack([*levels, rng.normal(size=n), 1e3 + rng.normal(size=n), np.zeros(n)])
    signal = X @ rng.normal(size=X.shape[1])
    return X, draw(family, 0.6 * (signal - signal.mean()) / signal.std(), rng), rng


@pytest.mark.parametrize("family", CURVED)
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("name", ["plain", "everything", "no intercept"])
def test_entries_are_solved_as_they_are_stored(family, l1_ratio, name):
    X, y, rng = indicators(family)
    options = {"l1_ratio": l1_ratio, **each_option(rng, *X.shape)[name]}
    path = nb.fit_path(
        scipy.sparse.csc_array(X), y, family=family, n_lambdas=8, lambda_min_ratio=1e-3, tol=TOL, **options
    )
    assert_solved(path, X, y, family, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_a_sparse_matrix_is_its_dense_twin(share, dtype):
    rng = np.random.default_rng(1)
    X = np.where(rng.random((600, 20)) < share, rng.normal(size=(600, 20)), 0.0).astype(dtype)
    y = draw("poisson", 0.5 * X[:, 0] - 0.4 * X[:, 1], rng)
    dense, sparse = (
        nb.fit_path(form, y, family="poisson", n_lambdas=20, tol=1e-10) for form in (X, scipy.sparse.csc_array(X))
    )
    assert (np.asarray(sparse.statuses) == "converged").all()
    np.testing.assert_allclose(sparse.lambdas, dense.lambdas, rtol=1e-6)
    np.testing.assert_allclose(sparse.coefs, dense.coefs, atol=1e-5)


def test_threads_change_no_bit():
    X, y, _ = indicators("binomial", n=9000)
    X = scipy.sparse.csc_array(X)
    one, two = (nb.fit_path(X, y, family="binomial", n_lambdas=20, n_threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.coefs, two.coefs)
    np.testing.assert_array_equal(one.dual_gaps, two.dual_gaps)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_rows_that_hang_together(l1_ratio):
    X, _, rng = indicators("binomial", n=1500)
    times = np.ceil(20 * rng.exponential(np.exp(0.5 * X[:, 1] - 0.3 * X[:, 18])))
    target = np.column_stack([times, rng.random(1500) < 0.7])
    options = {"family": "cox", "l1_ratio": l1_ratio, "n_lambdas": 12, "tol": 1e-9}
    dense, sparse = (nb.fit_path(form, target, **options) for form in (X, scipy.sparse.csc_array(X)))
    assert (np.asarray(sparse.statuses) == "converged").all()
    np.testing.assert_allclose(sparse.lambdas, dense.lambdas, rtol=1e-6)
    np.testing.assert_allclose(sparse.loss, dense.loss, rtol=1e-7)
