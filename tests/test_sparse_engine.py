"""Sparse working sets are solved on their columns, dense ones by a matrix of curvature: the same solutions.

The same numbers are given once as a sparse matrix and once as a dense array; the sizes are such that
the sparse one is cheaper without a curvature matrix.
"""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import normball as nb
from normball import _native
from oracle import Problem
from targets import FAMILIES, draw, two_values
from test_native import arguments
from test_properties import assert_same_fits, oracle, points, strengths

TOL = 1e-10


def counts(rng, n, p, density=0.06):
    """Entries like those of a table of words: a few frequent columns, many rare ones, one full and one empty."""
    share = np.minimum(0.9, density * p / np.arange(2, p + 2) / np.log(p))
    X = np.where(rng.random((n, p)) < share, rng.integers(1, 4, (n, p)) + 0.5 * rng.random((n, p)), 0.0)
    X[:, p - 1] = 5 + rng.random(n)
    X[:, p - 2] = 0
    X[:, p - 3] = X[:, 0]
    return X


def target(family, X, rng):
    signal = X[:, :5] @ [0.8, -0.6, 0.4, 0.3, -0.2] / 2
    return draw(family, signal, rng, identity=(3.0, 1.0), logit=(-0.3, 1.0), log=(0.0, 0.3))


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, p = draw(st.sampled_from([(60, 300), (150, 270), (40, 30)]))
    X = counts(rng, n, p)
    family = draw(st.sampled_from(FAMILIES))
    y = target(family, X, rng)
    y[:2] = two_values(family)
    options = {
        "family": family,
        "l1_ratio": draw(st.sampled_from([0.0, 0.2, 1.0])),
        "fit_intercept": draw(st.booleans()),
        "standardize": draw(st.booleans()),
        "offset": 0.3 * rng.normal(size=n) if draw(st.booleans()) else None,
        "sample_weight": rng.integers(0, 4, n) + 0.0 if draw(st.booleans()) else None,
    }
    if draw(st.booleans()):
        factors = rng.random(p) + 0.5
        factors[[p - 1, 5]] = 0, np.inf  # a full column is free: a rare one may separate the classes
        options["penalty_factors"] = factors
    if draw(st.booleans()):
        options |= {"lower_bounds": np.full(p, -0.2), "upper_bounds": rng.choice([0.1, 0.5, np.inf], p)}
    return X, y, options


@given(cases())
@settings(max_examples=60)
def test_a_sparse_matrix_is_its_dense_twin(case):
    X, y, options = case
    problem = oracle(X, y, options)
    options = options | {"lambdas": strengths(problem), "tol": TOL}
    dense = nb.fit_path(X, y, **options)
    sparse = nb.fit_path(scipy.sparse.csc_array(X), y, **options)
    assert set(dense.statuses) == set(sparse.statuses) == {"converged"}
    assert_same_fits(problem, points(dense), points(sparse))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_whole_path_is_certified(family, dtype):
    rng = np.random.default_rng(5)
    X = counts(rng, 200, 600).astype(dtype)
    y = target(family, X.astype(float), rng)
    path = nb.fit_path(scipy.sparse.csc_array(X), y, family=family, n_lambdas=30, lambda_min_ratio=1e-2)
    assert set(path.statuses) == {"converged"}
    assert max(path.dual_gaps) <= 1e-6
    problem = Problem(X.astype(float), y, family)
    for index in (10, 20, 29):
        theta = problem.theta(path.intercepts[index], path.coefs[index])
        assert problem.gap(theta, path.lambdas[index]) <= 1e-6


@pytest.mark.parametrize("n_problems", [1, 2, 3, 8, 9, 10, 19])
def test_any_number_of_problems_shares_a_sweep(n_problems):
    rng = np.random.default_rng(n_problems)
    X = counts(rng, 80, 300)
    S = scipy.sparse.csc_array(X)
    triple = (S.data, S.indices.astype(np.int32), S.indptr.astype(np.int64), 80)
    weights = rng.integers(0, 3, (n_problems, 80)).astype(float)
    y = target("binomial", X, rng)[None]
    batch = _native.solve_path(**arguments(triple, y, weights, "binomial", tol=1e-12, n_threads=2))
    again = _native.solve_path(**arguments(triple, y, weights, "binomial", tol=1e-12, n_threads=1))
    assert (batch["statuses"] == 0).all()
    for name in ("values", "intercepts", "dual_gaps"):
        np.testing.assert_array_equal(batch[name], again[name])
    lambdas = batch["lambdas"]
    first = _native.solve_path(**arguments(triple, y, weights[:1], "binomial", lambdas=lambdas, tol=1e-12))
    np.testing.assert_array_equal(batch["loss"][:1], first["loss"])  # to the bit, whatever company it had
    for k in range(n_problems):
        alone = _native.solve_path(**arguments(triple, y, weights[k : k + 1], "binomial", lambdas=lambdas, tol=1e-12))
        np.testing.assert_allclose(batch["loss"][k], alone["loss"][0], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(batch["scales"][k], alone["scales"][0], rtol=1e-9)
