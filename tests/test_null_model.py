"""What only the intercept has to take up changes nothing else: offsets, the unit of exposure, the scale of a rate."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse

import normball as nb
from normball import _native
from normball.cli import main
from oracle import Problem
from targets import FAMILIES, draw

DECADES = (-12, -6, 6, 12)
# which path solver a design meets: moments or windows; a working set; the row space (ridge); a sparse working set
DESIGNS = {"tall": (400, 6), "wide": (60, 300), "sparse": (300, 80)}


def make(design, family, seed=0):
    rng = np.random.default_rng(seed)
    n, p = DESIGNS[design]
    X = rng.normal(size=(n, p))
    if design == "sparse":
        X = scipy.sparse.csc_array(np.where(rng.random((n, p)) < 0.1, X, 0.0))
    signal = X[:, [0, 1, 2]] @ np.array([0.8, -0.6, 0.4])
    return X, draw(family, signal, rng)


def assert_same_but_the_intercept(path, other, *, shift=0.0, scale=1.0, rtol=1e-4):
    """The coefficients of both agree in units of the largest; losses and strengths of `other` are `scale` times."""
    assert set(path.statuses) == set(other.statuses) == {"converged"}
    assert other.null_loss == pytest.approx(scale * path.null_loss, rel=1e-5)
    np.testing.assert_allclose(other.lambdas, scale * path.lambdas, rtol=1e-5)
    np.testing.assert_allclose(other.loss, scale * path.loss, rtol=1e-5)
    size = np.abs(path.coefs).max()
    assert size > 0.01
    np.testing.assert_allclose(other.coefs, path.coefs, rtol=0, atol=rtol * size)
    np.testing.assert_allclose(other.intercepts, path.intercepts + shift, rtol=1e-9, atol=rtol)


@pytest.mark.parametrize("decade", DECADES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("design", DESIGNS)
def test_a_constant_offset(design, family, l1_ratio, decade):
    X, y = make(design, family)
    constant = decade * np.log(10)
    options = {"family": family, "l1_ratio": l1_ratio, "n_lambdas": 8, "lambda_min_ratio": 0.05, "tol": 1e-9}
    path = nb.fit_path(X, y, **options)
    other = nb.fit_path(X, y, offset=np.full(y.size, constant), **options)
    assert_same_but_the_intercept(path, other, shift=-constant)


@pytest.mark.parametrize("decade", DECADES)
@pytest.mark.parametrize("design", DESIGNS)
def test_the_unit_of_exposure(design, decade):
    X, y = make(design, "poisson")
    exposure = np.random.default_rng(1).uniform(0.5, 2.0, y.size)
    options = {"family": "poisson", "n_lambdas": 8, "lambda_min_ratio": 0.05, "tol": 1e-9}
    path = nb.fit_path(X, y, offset=np.log(exposure), **options)
    other = nb.fit_path(X, y, offset=np.log(exposure * 10.0**decade), **options)
    assert_same_but_the_intercept(path, other, shift=-decade * np.log(10))


@pytest.mark.parametrize("decade", DECADES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_unit_of_a_rate(design, l1_ratio, decade):
    X, y = make(design, "poisson")
    options = {"family": "poisson", "l1_ratio": l1_ratio, "n_lambdas": 8, "lambda_min_ratio": 0.05, "tol": 1e-9}
    path = nb.fit_path(X, y, **options)
    scale = 10.0**decade
    # ridge has no scale of its own: lambda is compared with the curvature, which is the mean
    other = nb.fit_path(X, scale * y, **options)
    assert_same_but_the_intercept(path, other, shift=decade * np.log(10), scale=scale)


@pytest.mark.parametrize("decade", [-6, -9, -12])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_scale_of_small_proportions(design, decade):
    """Proportions of 1e-6 and less are rates: logit and log are the same there."""
    X, y = make(design, "poisson")
    options = {"n_lambdas": 8, "lambda_min_ratio": 0.05, "tol": 1e-9}
    path = nb.fit_path(X, y, family="poisson", **options)
    scale = 10.0**decade
    other = nb.fit_path(X, scale * y, family="binomial", **options)
    assert_same_but_the_intercept(path, other, shift=decade * np.log(10), scale=scale, rtol=1e-4)


@pytest.mark.parametrize("decade", [-6, 0, 3, 6, 9])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_constant_added_to_a_gaussian_response(design, l1_ratio, decade):
    X, y = make(design, "gaussian")
    options = {"l1_ratio": l1_ratio, "n_lambdas": 8, "lambda_min_ratio": 0.05, "tol": 1e-9}
    shifted = y + 10.0**decade
    path = nb.fit_path(X, shifted - 10.0**decade, **options)
    assert_same_but_the_intercept(path, nb.fit_path(X, shifted, **options), shift=10.0**decade)


@pytest.mark.parametrize("constant", [0.0, 27.6, -27.6])
def test_an_unpenalised_column_of_ones_is_an_intercept(constant):
    X, y = make("tall", "poisson")
    ones = np.column_stack([np.ones(y.size), X])
    given = {"family": "poisson", "offset": np.full(y.size, constant), "lambdas": [0.2, 0.05], "tol": 1e-9}
    given["standardize"] = False
    path = nb.fit_path(X, y, **given)
    other = nb.fit_path(ones, y, fit_intercept=False, penalty_factors=[0.0] + [1.0] * X.shape[1], **given)
    assert set(other.statuses) == {"converged"}
    np.testing.assert_allclose(other.coefs[:, 1:], path.coefs, atol=1e-4)
    np.testing.assert_allclose(other.coefs[:, 0], path.intercepts, atol=1e-3)
    assert other.null_loss == pytest.approx(path.null_loss, rel=1e-9)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_wild_offsets(family):
    """The null intercept of offsets that differ by hundreds, against the oracle's."""
    X, y = make("tall", family)
    offset = np.random.default_rng(2).choice([-40.0, 0.0, 3.0], size=y.size)
    path = nb.fit_path(X, y, family=family, offset=offset, n_lambdas=5, lambda_min_ratio=0.1)
    problem = Problem(X, y, family, offset=offset)
    if family == "poisson":
        null = np.log(y.sum() / np.exp(offset).sum())
        eta = offset + null
        loss = np.mean(np.exp(eta) - y * eta - y + np.where(y > 0, y * np.log(np.where(y > 0, y, 1)), 0))
    else:
        loss = problem.null_loss
    assert path.null_loss == pytest.approx(loss, rel=1e-8)
    assert set(path.statuses) == {"converged"}


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
@pytest.mark.parametrize("value", [3.0, 0.1, 1e-9, 1e9])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_constant_response_leaves_nothing_to_explain(family, value, design):
    """Such a target is refused as a whole; the training rows of a fold may have it."""
    X, y = make(design, family)
    data = np.asfortranarray(X) if design != "sparse" else (X.data, X.indices, X.indptr.astype(np.int64), X.shape[0])
    weights = np.stack([np.ones(y.size), np.arange(y.size) < y.size // 2]).astype(float)
    n_features = X.shape[1]
    answer = _native.solve_path(
        X=data, responses=np.where(weights[1] > 0, value, value * (1 + y))[None], weights=weights,
        offsets=np.zeros((1, y.size)), family=family, l1_ratio=1.0, lambdas=None, n_lambdas=4, lambda_min_ratio=0.1,
        penalty_factors=np.ones((1, n_features)), lower_bounds=np.full((1, n_features), -np.inf),
        upper_bounds=np.full((1, n_features), np.inf), fit_intercept=True, standardize=True, tol=1e-6, max_iter=1000,
        n_threads=1, poll=None,
    )  # fmt: skip
    assert (answer["statuses"] == 0).all()
    np.testing.assert_array_equal(answer["dual_gaps"][1], 0.0)
    expected = value if family == "gaussian" else np.log(value)
    np.testing.assert_allclose(answer["intercepts"][1], expected, rtol=1e-6)
    assert answer["loss"][1] == pytest.approx(0.0, abs=1e-12 * max(value, 1.0) ** 2)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_constant_offset_in_folds_batches_estimators_and_the_command_line(folder, family):
    X, y = make("tall", family)
    offset = np.full(y.size, 12 * np.log(10))
    options = {"family": family, "n_lambdas": 8, "lambda_min_ratio": 0.05}
    plain, shifted = (nb.cv_path(X, y, cv=4, offset=given, **options) for given in (None, offset))
    np.testing.assert_allclose(shifted.cv_mean, plain.cv_mean, rtol=1e-4)
    assert_same_but_the_intercept(plain.path, shifted.path, shift=-offset[0], rtol=1e-2)
    responses = np.column_stack([y, y[::-1]])
    for one, other in zip(
        nb.fit_paths(X, responses, **options), nb.fit_paths(X, responses, offset=offset, **options), strict=True
    ):
        assert_same_but_the_intercept(one, other, shift=-offset[0], rtol=1e-2)
    estimator = (nb.GLMClassifier if family == "binomial" else nb.GLMRegressor)(lam=0.05)
    if family == "poisson":
        estimator.set_params(family=family)
    one = estimator.fit(X, y)
    coefficients = np.ravel(one.coef_).copy()
    np.testing.assert_allclose(np.ravel(estimator.fit(X, y, offset=offset).coef_), coefficients, atol=1e-3)
    frame = pl.DataFrame({**{f"x{j}": X[:, j] for j in range(X.shape[1])}, "y": y, "o": offset})
    frame.write_csv("t.csv")
    target = ["--target", "y", "--family", family, "-o"]
    assert main(["fit", "--no-compare", "t.csv", *target, "shifted", "--offset", "o"]) == 0
    assert main(["fit", "--no-compare", "t.csv", *target, "plain", "--drop", "o"]) == 0
    one, other = (nb.load(f"{name}/model.json").at("1se") for name in ("plain", "shifted"))
    np.testing.assert_allclose(one.coef, other.coef[: one.coef.size], atol=1e-2)
    assert np.abs(one.coef).max() > 0.1
