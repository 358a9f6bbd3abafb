"""Residuals of neighbouring lambdas as combinations of a few of them: what the remainder promises is true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import normball as nb
from normball import _native
from oracle import Problem
from targets import FAMILIES
from test_certificate import make_target


def norm(rows, weights):
    """Of residuals, in the metric of the weights."""
    return np.sqrt(np.sum(rows[..., weights > 0] ** 2 / weights[weights > 0], axis=-1))


@st.composite
def families(draw):
    """Residuals along a path with a kink, some noise, and weights, some of them zero."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, count = draw(st.integers(1, 60)), draw(st.integers(1, 14))
    weights = rng.integers(0, 3, n) / n
    t = np.linspace(0, 1, count)[:, None]
    first, second, third = rng.normal(size=(3, n))
    path = first + t * second + draw(st.sampled_from([0.0, 1.0])) * np.maximum(t - 0.5, 0) * third
    path += draw(st.sampled_from([0.0, 1e-12, 0.01, 1.0])) * rng.normal(size=(count, n))
    scale = draw(st.sampled_from([1e-9, 1.0, 1e9]))
    tolerances = scale * draw(st.sampled_from([1e-300, 1e-6, 0.1, 10.0])) * (1 + rng.random(count))
    kept = rng.integers(0, 2, count).astype(np.uint8)
    if draw(st.booleans()):
        path[count // 2 :] = path[count // 2]  # the same residual again and again
    return scale * path * weights, weights, tolerances, kept


@given(families())
@settings(max_examples=300)
def test_the_remainder_is_no_smaller_than_what_is_missing(case):
    residuals, weights, tolerances, kept = case
    places, shares, remainders = _native.residual_basis(residuals, weights, tolerances, kept)
    assert places.size
    assert np.unique(places).size == places.size
    rest = residuals - shares @ residuals[places]
    sizes = norm(residuals, weights)
    assert (norm(rest, weights) <= remainders + 1e-15 * sizes).all()
    np.testing.assert_array_equal(shares[places], np.eye(places.size))
    assert (remainders[places] == 0).all()
    others = np.setdiff1d(np.arange(tolerances.size), places)
    assert (remainders[others] <= (1 + 1e-6) * tolerances[others] + 1e-9 * sizes.max()).all()


def test_the_worst_column_meets_the_bound():
    """A column along the remainder is off by as much as Cauchy allows, one beside it by less."""
    rng = np.random.default_rng(0)
    weights = np.full(30, 1 / 30)
    t = np.linspace(0, 1, 9)[:, None]
    first, second, third = rng.normal(size=(3, 30)) / 30
    residuals = first + t * second + 0.1 * t**2 * third
    places, shares, remainders = _native.residual_basis(residuals, weights, np.full(9, 0.05), np.zeros(9, np.uint8))
    assert places.size < 5
    rest = residuals - shares @ residuals[places]
    v = remainders.argmax()
    column = rest[v] / weights
    bound = np.sqrt(weights @ column**2) * remainders[v]
    assert column @ rest[v] == pytest.approx(bound, rel=1e-8)
    assert column @ rest[v] <= bound
    assert bound > 1e-6


def test_two_anchors_that_spare_none_are_not_gone_on_with():
    rng = np.random.default_rng(1)
    residuals = rng.normal(size=(9, 40))
    places, shares, remainders = _native.residual_basis(
        residuals, np.full(40, 1 / 40), np.full(9, 0.1), np.zeros(9, np.uint8)
    )
    np.testing.assert_array_equal(places, np.arange(9))
    np.testing.assert_array_equal(shares, np.eye(9))
    assert (remainders == 0).all()


def test_without_tolerances_each_is_its_own():
    residuals = np.ones((3, 5))
    places, shares, remainders = _native.residual_basis(residuals, np.full(5, 0.2), np.zeros(0), np.zeros(0, np.uint8))
    np.testing.assert_array_equal(places, [0, 1, 2])
    np.testing.assert_array_equal(shares, np.eye(3))
    assert (remainders == 0).all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("p", [600, 2500])  # by exact products of the anchors, and by their bytes
@pytest.mark.parametrize("standardize", [False, True])
def test_paths_that_share_products_are_certified(family, p, standardize):
    rng = np.random.default_rng(p)
    X = rng.normal(size=(70, p)) * np.exp(rng.normal(size=p))
    X[:, ::7] += 0.8 * X[:, [0]]
    y = make_target(family, X, rng)
    path = nb.fit_path(X, y, family=family, n_lambdas=60, lambda_min_ratio=0.05, standardize=standardize)
    chosen = path.lambdas[::6]
    problem = Problem(X, y, family, standardize=standardize)
    for lam, gap in zip(chosen, path.dual_gaps[::6], strict=True):
        fit = path.at(lam=lam)
        assert gap <= 1e-6
        assert problem.gap(problem.theta(fit.intercept, fit.coef), lam) <= 1e-6
