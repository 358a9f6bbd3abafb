"""Batches whose problems have offsets, penalty factors and bounds of their own: each is the fit of its own options."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.model_selection import KFold

import normball as nb
from oracle import Problem
from targets import FAMILIES, draw

# which path solver takes them: moments and windows, row space for ridge, working sets
SHAPES = {"tall": (400, 12), "wide": (40, 300), "sparse": (120, 60)}
K = 4


def made(shape, family, seed=0):
    rng = np.random.default_rng(seed)
    n, p = SHAPES[shape]
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.3 if shape == "sparse" else 1.0)
    y = draw(family, X[:, :3] @ [0.6, -0.5, 0.4], rng)
    own = {
        "offset": rng.normal(scale=0.3, size=(n, K)),
        "penalty_factors": rng.choice([0.0, 0.5, 1.0, 3.0, np.inf], p=[0.02, 0.3, 0.3, 0.3, 0.08], size=(p, K)),
        "lower_bounds": rng.choice([-np.inf, -0.2, 0.0], p=[0.7, 0.2, 0.1], size=(p, K)),
        "upper_bounds": rng.choice([np.inf, 0.2], p=[0.8, 0.2], size=(p, K)),
    }
    return sparse.csc_array(X) if shape == "sparse" else X, y, own


@pytest.mark.parametrize("l1_ratio", [1.0, 0.3, 0.0])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_each_problem_is_certified_for_its_own_options(family, shape, l1_ratio):
    X, y, own = made(shape, family)
    paths = nb.fit_paths(X, y, family=family, l1_ratio=l1_ratio, n_lambdas=6, lambda_min_ratio=0.05, **own)
    dense = X.toarray() if sparse.issparse(X) else X
    for k, path in enumerate(paths):
        assert set(path.statuses) == {"converged"}
        problem = Problem(
            dense, y, family, l1_ratio=l1_ratio, offset=own["offset"][:, k], lower=own["lower_bounds"][:, k],
            upper=own["upper_bounds"][:, k], penalty_factors=own["penalty_factors"][:, k],
        )  # fmt: skip
        assert path.null_loss == pytest.approx(problem.null_loss, rel=1e-8)
        for point in (2, 5):
            theta = problem.theta(path.intercepts[point], path.coefs[point])
            assert problem.gap(theta, path.lambdas[point]) <= 1.01e-6 * problem.null_loss


@pytest.mark.parametrize("name", ["offset", "penalty_factors", "lower_bounds", "upper_bounds"])
@pytest.mark.parametrize("shape", SHAPES)
def test_one_option_at_a_time_is_the_fit_alone(shape, name):
    X, y, own = made(shape, "gaussian", seed=1)
    options = {"n_lambdas": 8, "lambda_min_ratio": 0.05, "l1_ratio": 0.7, "tol": 1e-10}
    paths = nb.fit_paths(X, y, **{name: own[name]}, **options)
    assert len(paths) == K
    assert paths.names == tuple(f"{name}[:, {k}]" for k in range(K))
    for k, path in enumerate(paths):
        alone = nb.fit_path(X, y, **{name: own[name][:, k]}, **(options | {"lambdas": path.lambdas}))
        np.testing.assert_allclose(path.coefs, alone.coefs, atol=1e-5)
        assert path.lambda_max == pytest.approx(alone.lambda_max, rel=1e-9)
        given = {"offset": "has_offset"}.get(name, name)
        np.testing.assert_array_equal(getattr(path, given), getattr(alone, given))


def test_duplicates_are_left_out_problem_by_problem():
    """A copy of a column may be the cheaper one in one problem and left out in another."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 5))
    X = np.column_stack([X, 2 * X[:, 0]])
    y = X[:, 0] + 0.1 * rng.normal(size=60)
    factors = np.ones((6, 3))
    factors[0, 1], factors[5, 2] = np.inf, np.inf
    first, without_first, without_copy = nb.fit_paths(X, y, penalty_factors=factors, lambdas=[0.1])
    assert first.coefs[0, 0] > 0
    assert first.coefs[0, 5] == 0
    assert without_first.coefs[0, 0] == 0
    assert without_first.coefs[0, 5] == pytest.approx(first.coefs[0, 0] / 2)
    assert without_copy.coefs[0, 0] == pytest.approx(first.coefs[0, 0])


def test_a_frame_names_features_and_columns_name_offsets():
    rng = np.random.default_rng(5)
    X = pd.DataFrame(rng.normal(size=(80, 3)), columns=["a", "b", "c"])
    y = X["a"] + rng.normal(size=80)
    factors = pd.DataFrame({"one": [1.0, 2.0], "two": [0.0, 1.0]}, index=["c", "a"])
    paths = nb.fit_paths(X, y, penalty_factors=factors, n_lambdas=3)
    assert [path.penalty_factors.tolist() for path in paths] == [[2.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    table = X.assign(y=y, small=0.1, large=0.2)
    paths = nb.fit_paths(table, "y", offset=["small", "large"], n_lambdas=3)
    assert paths.names == ("small", "large")
    np.testing.assert_allclose(paths[0].intercepts - paths[1].intercepts, 0.1)
    assert paths[0].feature_names == ("a", "b", "c")


def test_numbers_of_columns_must_agree():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    with pytest.raises(nb.DataError, match=r"offset has 2 columns, penalty_factors has 3: one column for each problem"):
        nb.fit_paths(X, y, offset=np.zeros((30, 2)), penalty_factors=np.ones((4, 3)))
    with pytest.raises(nb.DataError, match=r"penalty_factors has shape \(3,\)"):
        nb.fit_paths(X, y, penalty_factors=np.ones((3, 4)))


def test_the_adaptive_lasso_with_honest_folds():
    """Both stages inside every fold: two native calls give what a loop over folds gives."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(150, 20))
    y = X[:, :4] @ [2.0, -1.5, 1.0, 0.5] + rng.normal(size=150)
    n, folds = len(y), list(KFold(5, shuffle=True, random_state=0).split(X))
    weights = np.ones((n, 6))
    for k, (_, test) in enumerate(folds):
        weights[test, k + 1] = 0.0
    first = nb.fit_paths(X, y, sample_weight=weights, l1_ratio=0, lambdas=[0.1])
    factors = np.column_stack([1 / np.abs(path.coefs[0] * path.scales) for path in first])
    second = nb.fit_paths(X, y, sample_weight=weights, penalty_factors=factors, n_lambdas=20)
    for k, (train, _) in enumerate(folds):
        ridge = nb.fit_path(X[train], y[train], l1_ratio=0, lambdas=[0.1])
        own = nb.fit_path(
            X[train], y[train], penalty_factors=1 / np.abs(ridge.coefs[0] * ridge.scales), lambdas=second.lambdas
        )
        np.testing.assert_allclose(second[k + 1].coefs, own.coefs, atol=2e-3)
    assert set(np.flatnonzero(second[0].coefs[8])) <= set(range(4))
