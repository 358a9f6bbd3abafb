"""Columns that another one makes superfluous stay at zero under an L1 penalty (M16), and only those."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import normball as nb
from oracle import Problem
from targets import FAMILIES
from test_certificate import assert_certified, make_target
from test_properties import assert_same_fits, fit, oracle, points, problems, strengths

LAYOUTS = {"rows": np.ascontiguousarray, "columns": np.asfortranarray, "sparse": scipy.sparse.csc_array}


def table(n=60, p=8, seed=0):
    """Whole numbers, so that a copy that is shifted or turned round is exact; some zeros."""
    rng = np.random.default_rng(seed)
    return rng.integers(-3, 4, (n, p)).astype(float), rng


@given(problems(l1_ratios=(1.0,)), st.sampled_from(list(LAYOUTS)), st.sampled_from([1.0, -1.0, 4.0, -0.3]))
@settings(max_examples=60)
def test_of_multiples_the_first_or_the_largest_is_left(case, layout, factor):
    X = np.column_stack([case.X, factor * case.X[:, 0], case.X[:, 0]])
    double = oracle(X, case.y, case.options)
    path = fit(LAYOUTS[layout](X), case.y, case.options, lambdas=strengths(double))
    assert_certified(path, double, 1e-10)
    largest = not case.options["standardize"] and abs(factor) > 1
    kept = X.shape[1] - 2 if largest else 0
    dropped = [j for j in (0, X.shape[1] - 2, X.shape[1] - 1) if j != kept]
    assert (path.coefs[:, dropped] == 0).all()
    alone = np.delete(X, dropped, axis=1)
    problem = oracle(alone, case.y, case.options)
    without = fit(alone, case.y, case.options, lambdas=strengths(double))
    assert_same_fits(problem, points(without), [(b0, np.delete(b, dropped)) for b0, b in points(path)])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("layout", "dtype"), [("rows", np.float32), ("columns", np.float64)])
@pytest.mark.parametrize("n", [60, 5000])  # the second is long enough to be solved from moments or windows
def test_beside_an_intercept_a_shift_makes_no_difference(family, layout, dtype, n):
    X, rng = table(n)
    X[:, 3] = 7 - X[:, 0]
    X[:, 6] = 2 * X[:, 5] + 1
    y = make_target(family, X[:, [0, 5, 1]], rng)
    given_X = LAYOUTS[layout](X.astype(dtype))
    path = nb.fit_path(given_X, y, family=family, n_lambdas=20)
    assert (path.coefs[:, [3, 6]] == 0).all()
    assert (path.coefs[-1, [0, 5]] != 0).all()
    assert_certified(path, Problem(X, y, family), 1e-6)
    through_zero = nb.fit_path(given_X, y, family=family, n_lambdas=20, fit_intercept=False)
    assert (through_zero.coefs[-1, [0, 3]] != 0).all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("standardize", [True, False])
def test_of_two_sparse_indicators_one_is_left(family, standardize):
    rng = np.random.default_rng(1)
    X = (rng.random((90, 12)) < 0.4).astype(float)
    X[:, 7] = 1 - X[:, 2]
    X[:, 9] = 3 * (1 - X[:, 4])  # standardised as good as the other; as it is, cheaper
    X[:, 10] = 1 - X[:, 5]
    X[0, 10] = X[0, 5]  # all but
    X[:, 11] = np.where(X[:, 6] > 0, 0, rng.normal(size=90))  # the gaps of another one, but not one value
    y = make_target(family, X[:, [2, 4, 5]], rng)
    given_X = scipy.sparse.csc_array(X)
    path = nb.fit_path(given_X, y, family=family, n_lambdas=15, standardize=standardize)
    dropped = 9 if standardize else 4
    assert (path.coefs[:, [7, dropped]] == 0).all()
    assert (path.coefs[-1, [2, 13 - dropped, 5, 10, 6, 11]] != 0).all()
    assert_certified(path, Problem(X, y, family, standardize=standardize), 1e-6)
    options = {"standardize": standardize, "fit_intercept": False}
    through_zero = nb.fit_path(given_X, y, family=family, n_lambdas=15, **options)
    assert_certified(through_zero, Problem(X, y, family, **options), 1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_cheaper_one_is_left_and_bounds_count(layout):
    X, rng = table()
    X[:, 4] = -X[:, 1]
    X[:, 7] = X[:, 1]
    y = X[:, 1] + rng.normal(size=60)
    given_X = LAYOUTS[layout](X)
    factors = np.ones(8)
    factors[7] = 0.5
    cheap = nb.fit_path(given_X, y, penalty_factors=factors, n_lambdas=10)
    assert (cheap.coefs[-1, [1, 4]] == 0).all()
    assert cheap.coefs[-1, 7] > 0
    factors[4] = 0
    free = nb.fit_path(given_X, y, penalty_factors=factors, n_lambdas=10)
    assert (free.coefs[:, [1, 7]] == 0).all()
    assert free.coefs[-1, 4] < 0
    upper = np.full(8, np.inf)
    upper[[1, 4]] = 0.2
    bounded = nb.fit_path(given_X, y, upper_bounds=upper, n_lambdas=10)  # only the last one can go as far as it likes
    assert (bounded.coefs[:, [1, 4]] == 0).all()
    assert bounded.coefs[-1, 7] > 0.5
    upper[7] = 0.3
    lower = np.full(8, -0.4)
    shared = nb.fit_path(given_X, y, lower_bounds=lower, upper_bounds=upper, n_lambdas=10, tol=1e-9)
    np.testing.assert_allclose(shared.coefs[-1, [1, 4, 7]], [0.2, -0.4, 0.3], atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("row", [0, 20, 59])
def test_a_column_that_differs_in_one_entry_is_not_a_copy(layout, row):
    X, rng = table()
    X[:, 5] = X[:, 2]
    X[row, 5] += 1e-4
    y = X[:, 2] + 3e4 * (X[:, 5] - X[:, 2]) + 0.01 * rng.normal(size=60)
    path = nb.fit_path(LAYOUTS[layout](X), y, lambda_min_ratio=1e-8, standardize=False)
    assert path.coefs[-1, 5] > 1e3


def test_an_l2_part_shares_the_weight():
    X, rng = table()
    X[:, 6] = -X[:, 0]
    y = X[:, 0] + rng.normal(size=60)
    path = nb.fit_path(X, y, l1_ratio=0.5, n_lambdas=10, tol=1e-12)
    np.testing.assert_allclose(path.coefs[:, 0], -path.coefs[:, 6], atol=1e-6)
    assert path.coefs[-1, 0] > 0.2


def test_words_of_one_document_only():
    """Most words of a text occur once; those of one document are multiples of each other."""
    rng = np.random.default_rng(3)
    X = scipy.sparse.lil_array((200, 900))
    for j in range(900):
        rows = rng.integers(0, 200, 1 if j >= 100 else 30)
        X[rows, j] = rng.integers(1, 4, rows.size).astype(float)
    X = X.tocsc()
    y = (X @ rng.normal(size=900) > 0).astype(float)
    path = nb.fit_path(X, y, family="binomial", lambda_min_ratio=1e-2, n_lambdas=10)
    assert_certified(path, Problem(X.toarray(), y, "binomial"), 1e-6)
    alone = np.flatnonzero(np.diff(X.indptr) == 1)
    documents = X.indices[X.indptr[alone]]
    for index in (5, 9):
        used = documents[path.coefs[index, alone] != 0]
        assert used.size > 20
        assert np.unique(used).size == used.size
    cv = nb.cv_path(X, y, family="binomial", lambda_min_ratio=1e-2, cv=3)
    assert np.max(cv.fold_dual_gaps) <= 1e-6
