"""Several outputs and groups of features where rows come in blocks: what `test_row_blocks` asks, of these penalties."""

import numpy as np
import pytest

import normball as nb
from judges import KINDS, Case, assert_certified, fit, judge, public
from normball.blocks.local import LocalExecutor

SCORES = {
    "multinomial": ("deviance", "accuracy", "brier", "auc"),
    "multigaussian": ("deviance", "mse", "mae"),
    "gaussian": ("deviance", "mse"),
    "binomial": ("deviance", "auc"),
    "poisson": ("deviance",),
}
EXACT = ("gaussian", "multigaussian")  # by moments


@pytest.fixture(params=KINDS, ids=lambda kind: kind.replace(" ", "_"))
def kind(request):
    return request.param


def in_blocks(X, rows, n_threads=1):
    return nb.Blocks(X, rows=rows, executor=LocalExecutor(n_threads))


@pytest.mark.parametrize("seed", range(6))
def test_paths_are_certified_whatever_the_blocks(kind, seed):
    case = Case(kind, seed)
    problem = judge(case.X, case.y, case.options)
    lambdas = problem.lambda_max() * np.geomspace(1.1, 1e-2, 8)
    whole = fit(case.X, case.y, case.options, lambdas=lambdas, tol=1e-6)
    for rows in (1, 11, 1000):
        path = fit(in_blocks(case.X, rows), case.y, case.options, lambdas=lambdas, tol=1e-6)
        assert_certified(path, problem, 1e-6)
        assert (path.output_names, path.classes) == (whole.output_names, whole.classes)
        np.testing.assert_allclose(path.null_intercept, whole.null_intercept, rtol=1e-7, atol=1e-9)
        if case.options["family"] in EXACT:
            np.testing.assert_allclose(path.coefs, whole.coefs, rtol=1e-6, atol=1e-7)
            assert path.n_sweeps == 1.0


def test_grids_and_results_are_those_in_memory(kind):
    case = Case(kind, 0)
    whole, path = (fit(X, case.y, case.options, n_lambdas=9) for X in (case.X, in_blocks(case.X, 5)))
    np.testing.assert_allclose(path.lambdas, whole.lambdas, rtol=1e-7)
    one, other = (
        found.predict(case.X, lam=found.lambdas[-1], offset=case.options["offset"]) for found in (path, whole)
    )
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert path.summary().splitlines()[0] == whole.summary().splitlines()[0]


def test_bits_do_not_depend_on_threads(kind):
    case = Case(kind, 1)
    runs = [
        nb.cv_path(in_blocks(case.X, 6, n), case.y, cv=3, n_threads=n, n_lambdas=6, **public(case.options))
        for n in (1, 2, 5)
    ]
    for other in runs[1:]:
        for name in ("coefs", "intercepts", "loss", "dual_gaps"):
            np.testing.assert_array_equal(getattr(runs[0].path, name), getattr(other.path, name))
        np.testing.assert_array_equal(runs[0].fold_scores, other.fold_scores)


@pytest.mark.parametrize("seed", range(2))
def test_cross_validation_is_that_in_memory(kind, seed):
    case = Case(kind, seed)
    options = public(case.options) | {"tol": 1e-9, "n_lambdas": 7, "lambda_min_ratio": 0.05}
    folds = np.arange(len(case.y)) // 3 % 4 - (np.arange(len(case.y)) % 11 == 10)
    for score in SCORES[case.options["family"]]:
        given = {"fold_ids": folds, "score": score, **options}
        whole = nb.cv_path(case.X, case.y, **given)
        cv = nb.cv_path(in_blocks(case.X, 9), case.y, **given)
        loose = {"rtol": 1e-3, "atol": 1e-5} if score not in ("accuracy", "auc") else {"atol": 0.2}
        np.testing.assert_allclose(cv.fold_scores, whole.fold_scores, **loose)
        np.testing.assert_allclose(cv.null_fold_scores, whole.null_fold_scores, rtol=1e-6, equal_nan=True)
        np.testing.assert_allclose(cv.train_mean, whole.train_mean, **loose)
        np.testing.assert_array_equal(cv.fold_sizes, whole.fold_sizes)
        np.testing.assert_allclose(cv.held_out.values, whole.held_out.values, rtol=1e-3, atol=0.05)
        np.testing.assert_allclose(cv.held_out.null, whole.held_out.null, rtol=1e-6)
        assert (cv.held_out.measure, cv.held_out.commonest) == (whole.held_out.measure, whole.held_out.commonest)
        assert cv.diagnostics.keys() == whole.diagnostics.keys()
        for which, known in whole.diagnostics.items():
            assert cv.diagnostics[which] == pytest.approx(known, rel=1e-2, abs=0.05)
        assert (cv.fold_ranges is None) == (whole.fold_ranges is None)
        assert cv.summary()


@pytest.mark.parametrize(
    "options", [{"family": "multigaussian"}, {"groups": {"both": ["x0", "x1"]}}], ids=["outputs", "groups"]
)
@pytest.mark.parametrize("is_constant", ["everywhere", "without a fold"])
@pytest.mark.parametrize("rows", [None, 50])
def test_columns_that_are_all_constant_leave_the_intercepts(options, is_constant, rows):
    rng = np.random.default_rng(0)
    X, folds = np.ones((300, 2)), np.arange(300) % 3
    if is_constant == "without a fold":
        X[folds == 0] = rng.normal(size=(100, 2))
    y = rng.normal(size=(300, 3)) if "family" in options else rng.normal(size=300)
    given = X if rows is None else in_blocks(X, rows)
    cv = nb.cv_path(given, y, fold_ids=folds, lambdas=[0.5, 0.1, 0.01], **options)
    assert set(cv.path.statuses) == {"converged"}
    assert np.isfinite(cv.fold_scores).all()
    np.testing.assert_array_less(cv.fold_dual_gaps, 1e-6)
    if is_constant == "everywhere":
        np.testing.assert_array_equal(cv.path.coefs, 0.0)
    np.testing.assert_allclose(cv.fold_scores[0], cv.null_fold_scores[0], rtol=1e-9)
