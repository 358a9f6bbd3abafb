"""Elastic nets with more active features than rows: models in the space of the rows, and the paths that take them."""

import numpy as np
import pytest

import normball as nb
from normball import _native
from oracle import Problem

ROWS, SIZE = 12, 150


def quadratic(seed, scale=1.0):
    """Z, a gradient, terms (l1, l2, both bounds) and where to start, some of it at zero."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(ROWS, SIZE)) * scale
    terms = np.column_stack([
        rng.uniform(0.0, 1.0, SIZE),
        rng.uniform(0.05, 0.5, SIZE),
        np.full(SIZE, -np.inf),
        np.full(SIZE, np.inf),
    ])  # fmt: skip
    b = rng.normal(size=SIZE) * (rng.uniform(size=SIZE) < 0.3)
    return Z, 2.0 * rng.normal(size=SIZE), terms, b


def violation(gradient, b, terms):
    """How far each coefficient is from its conditions of optimality."""
    l1, l2, lower, upper = terms.T
    down, up = gradient + l2 * b + np.where(b > 0, l1, -l1), gradient + l2 * b + np.where(b < 0, -l1, l1)
    return np.maximum(np.where(b > lower, down, 0.0).clip(0.0), np.where(b < upper, -up, 0.0).clip(0.0))


@pytest.mark.parametrize("kind", ["plain", "bounds", "lasso part of zero", "no rows matter", "far"])
@pytest.mark.parametrize("seed", range(4))
def test_the_minimiser_meets_the_conditions(kind, seed):
    Z, gradient, terms, b = quadratic(seed, {"no rows matter": 0.0, "far": 30.0}.get(kind, 1.0))
    if kind == "bounds":
        terms[:, 2], terms[:, 3] = -0.1, np.where(np.arange(SIZE) % 3 == 0, 0.0, 0.2)
        b = b.clip(terms[:, 2], terms[:, 3])
    if kind == "lasso part of zero":
        terms[:, 0] = 0.0
    start, slope = b.copy(), gradient.copy()
    assert _native.solve_by_rows(Z, terms, 1e-9, b, gradient)
    np.testing.assert_allclose(gradient, slope + Z.T @ (Z @ (b - start)), rtol=0, atol=1e-9)
    assert violation(gradient, b, terms).max() <= 2e-9
    assert (b >= terms[:, 2]).all()
    assert (b <= terms[:, 3]).all()


def test_where_rounding_stands_in_the_way_it_says_so():
    """With next to no L2 part the coefficients are the small difference of large numbers over a tiny one."""
    Z, gradient, terms, b = quadratic(0)
    terms[:, 1] = 1e-18
    assert not _native.solve_by_rows(Z, terms, 1e-14, b, gradient)


def wide(seed, n=40, p=900):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 1))
    signal = X[:, :20] @ rng.normal(size=20)
    return X, signal, rng


@pytest.mark.parametrize("family", ["binomial", "poisson", "gaussian", "huber(1)"])
@pytest.mark.parametrize("kind", ["plain", "bounds", "factors", "weights"])
def test_paths_keep_their_promise(family, kind):
    X, signal, rng = wide(3)
    y = {"binomial": (signal > 0).astype(float), "poisson": rng.poisson(np.exp(0.2 * signal)).astype(float)}.get(
        family, signal + rng.normal(size=len(X))
    )
    p = X.shape[1]
    given = {
        "bounds": {"lower_bounds": np.where(np.arange(p) % 3 == 0, 0.0, -0.05), "upper_bounds": 0.1},
        "factors": {"penalty_factors": rng.uniform(0.5, 2.0, p)},
        "weights": {"sample_weight": rng.multinomial(len(X), np.full(len(X), 1 / len(X))).astype(float)},
    }.get(kind, {})
    how = {"family": family, "l1_ratio": 0.1, "standardize": False}
    path = nb.fit_path(X, y, n_lambdas=30, **how, **given)
    assert set(path.statuses) == {"converged"}
    exact = nb.fit_path(X, y, lambdas=path.lambdas, tol=1e-11, **how, **given)
    problem = Problem(X, y, family=family, l1_ratio=0.1, weights=given.get("sample_weight"), standardize=False,
                      penalty_factors=given.get("penalty_factors"), lower=given.get("lower_bounds", -np.inf),
                      upper=given.get("upper_bounds", np.inf))  # fmt: skip
    for at in (0, 10, 20, 29):
        lam = path.lambdas[at]
        fitted, best = (problem.theta(one.intercepts[at], one.coefs[at]) for one in (path, exact))
        excess = (problem.objective(fitted, lam) - problem.objective(best, lam)) / path.null_loss
        assert -1e-11 <= excess <= path.dual_gaps[at] + 1e-11


def test_a_bootstrap_sample_is_the_fit_of_its_rows():
    """Rows that were not drawn have no curvature, and stand nowhere."""
    X, signal, rng = wide(5)
    y = (signal > 0).astype(float)
    counts = rng.multinomial(len(X), np.full(len(X), 1 / len(X)), size=3)
    how = {"family": "binomial", "l1_ratio": 0.1, "lambdas": [0.5, 0.1], "tol": 1e-11}
    together = nb.fit_paths(X, y, sample_weight=counts.T.astype(float), **how)
    for path, count in zip(together, counts, strict=True):
        alone = nb.fit_path(np.repeat(X, count, axis=0), np.repeat(y, count), **how)
        np.testing.assert_allclose(path.coefs, alone.coefs, rtol=0, atol=1e-6)
