"""The sweep in one byte an entry: its bound holds, also where the data are made to meet it, and it never decides."""

from __future__ import annotations

import math

import numpy as np
import pytest

import normball as nb
from normball import _native
from oracle import Problem


def bounds(X, vector):
    answer = _native.byte_products(np.asfortranarray(X), np.ascontiguousarray(vector))
    if answer is None:
        pytest.skip("this CPU does not multiply bytes")
    return answer


def exact(X, vector):
    return np.array([math.fsum(column * vector) for column in X.T])


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
    for vector in (generator.normal(size=n_rows), np.zeros(n_rows), np.ones(n_rows), 1e-150 * np.ones(n_rows)):
        values, slacks = bounds(X, vector)
        assert (np.abs(exact(X, vector) - values) <= slacks).all()


def test_columns_planted_at_the_bound():
    """A vector along what a column's bytes miss turns Cauchy's and Schwarz's inequality into an equality."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(512, 24))
    for j in range(24):
        vector = missed(X[:, j])
        values, slacks = bounds(X, vector)
        error = abs(math.fsum(X[:, j] * vector) - values[j])
        assert error <= slacks[j]
        assert error > 0.95 * slacks[j]  # next to no slack is left


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_thresholds_one_ulp_around_a_gradient(step):
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
    path = nb.fit_path(X, y, lambdas=lambdas, standardize=False)
    assert set(path.statuses) == {"converged"}
    problem = Problem(X, y, standardize=False)
    for lam, coef, intercept in zip(path.lambdas, path.coefs, path.intercepts, strict=True):
        assert problem.gap(problem.theta(intercept, coef), lam) <= 1.1e-6 * problem.null_loss


def test_the_answer_is_that_of_exact_sweeps():
    generator = np.random.default_rng(2)
    X = np.asfortranarray(generator.normal(size=(80, 2500)) * 10.0 ** generator.uniform(-3, 3, 2500))
    y = X[:, :5] @ (1 / np.abs(X[:, :5]).max(axis=0)) + generator.normal(size=80)
    path = nb.fit_path(X, y, n_lambdas=30, tol=1e-10)
    few = nb.fit_path(X, y, lambdas=path.lambdas[-9:], tol=1e-10)  # too few strengths for a copy
    np.testing.assert_allclose(few.coefs, path.coefs[-9:], atol=1e-9 * np.abs(path.coefs).max())
