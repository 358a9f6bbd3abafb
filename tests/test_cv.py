"""cv_path and compare: the choice of strength, and agreement with fits made by hand."""

import math
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import scipy.sparse
from sklearn import metrics
from sklearn.datasets import load_diabetes

import normball as nb
from normball.cv_result import CVPath
from normball.results import facts
from normball.results.sparse_rows import SparseRows
from normball.scoring import find_score
from targets import FAMILIES, each_family


@pytest.fixture(scope="module")
def table():
    return each_family()


@pytest.fixture(scope="module")
def cv(table):
    X, targets, _ = table
    return nb.cv_path(X, targets["binomial"], family="binomial", n_lambdas=25, keep_predictions=True)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("sparse", [False, True])
def test_every_fold_is_the_fit_to_its_training_rows(table, family, sparse):
    X, targets, weights = table
    y, offset = targets[family], np.linspace(-0.2, 0.2, 90)
    given = scipy.sparse.csr_array(X) if sparse else X
    options = {"family": family, "l1_ratio": 0.8, "tol": 1e-12}
    cv = nb.cv_path(given, y, n_lambdas=6, cv=3, sample_weight=weights, offset=offset, keep_predictions=True, **options)
    alone = nb.fit_path(given, y, n_lambdas=6, sample_weight=weights, offset=offset, **options)
    np.testing.assert_allclose(cv.path.coefs, alone.coefs, atol=1e-5)
    deviance = find_score("deviance", family)
    counts = np.zeros((6, 8), dtype=int)
    for fold in range(3):
        train, test = cv.fold_ids != fold, cv.fold_ids == fold
        alone = nb.fit_path(
            X[train], y[train], lambdas=cv.lambdas, sample_weight=weights[train], offset=offset[train], **options
        )
        eta = X[test] @ alone.coefs.T + alone.intercepts + offset[test][:, None]
        np.testing.assert_allclose(cv.predictions[test], eta, atol=1e-5)
        np.testing.assert_allclose(cv.fold_scores[fold], deviance(y[test], eta, weights[test], family), rtol=1e-5)
        assert cv.fold_weights[fold] == pytest.approx(weights[test].sum())
        assert cv.fold_sizes[fold] == test.sum()
        counts += alone.coefs != 0
    np.testing.assert_array_equal(cv.selection_counts.toarray(), counts)
    np.testing.assert_array_equal(np.asarray(cv.selection_counts), counts)
    np.testing.assert_array_equal(cv.selection_counts[3], counts[3])
    np.testing.assert_allclose(cv.train_mean, 2 * cv.path.loss)
    assert (cv.fold_dual_gaps <= 1e-12).all()


def test_mean_and_standard_error_are_those_of_glmnet(cv):
    share = cv.fold_weights / cv.fold_weights.sum()
    mean = share @ cv.fold_scores
    np.testing.assert_allclose(cv.cv_mean, mean)
    np.testing.assert_allclose(cv.cv_se, np.sqrt(share @ (cv.fold_scores - mean) ** 2 / 9))


def test_l2_selects_nothing_and_does_not_say_so():
    X, y = load_diabetes(return_X_y=True)
    text = nb.cv_path(X, y, l1_ratio=0, n_lambdas=5, cv=3).summary()
    assert "Coefficients at lambda_1se" in text
    assert "features used" in text
    assert not re.search("[Ss]elected (at|features)|kept", text)


def made_up(cv, mean, error, greater_is_better):
    """A CVPath with the given means and standard errors, from two folds."""
    scores = np.array([mean + error, mean - error])
    return replace(cv, fold_scores=scores, fold_weights=np.ones(2), greater_is_better=greater_is_better)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_one_standard_error_means_more_regularisation_whatever_the_direction(cv, sign):
    mean = sign * np.array([1.0, 0.55, 0.3, 0.45, 0.2, 0.2, 0.7])
    part = nb.fit_path(np.eye(8), np.arange(8.0), lambdas=np.arange(7, 0, -1) / 10)
    made = made_up(replace(cv, path=part), mean, np.full(7, 0.3), greater_is_better=sign < 0)
    assert isinstance(made, CVPath)
    assert made.index_best == 4  # the largest of the two equal ones
    assert made.index_1se == 2  # the first within 0.3 of 0.2 is 0.3
    assert made.lambda_1se >= made.lambda_best
    exact = made_up(replace(cv, path=part), mean, np.zeros(7), greater_is_better=sign < 0)
    assert exact.index_1se == exact.index_best == 4


@pytest.mark.parametrize("score", ["deviance", "auc", "accuracy", "brier", "mae"])
def test_lambda_1se_never_regularises_less(table, score):
    X, targets, _ = table
    cv = nb.cv_path(X, targets["binomial"], family="binomial", score=score, n_lambdas=20, cv=5)
    assert cv.lambda_1se >= cv.lambda_best
    sign = 1 if cv.greater_is_better else -1
    within = sign * cv.cv_mean >= sign * cv.cv_mean[cv.index_best] - cv.cv_se[cv.index_best]
    assert cv.index_1se == np.flatnonzero(within)[0]
    assert cv.cv_mean[cv.index_best] == (cv.cv_mean.max() if cv.greater_is_better else cv.cv_mean.min())


def test_training_scores_come_in_blocks(table, monkeypatch):
    X, targets, _ = table
    options = {"family": "binomial", "score": "brier", "n_lambdas": 7, "cv": 3}
    whole = nb.cv_path(X, targets["binomial"], **options).train_mean
    monkeypatch.setattr("normball.cv._BLOCK", 180)
    np.testing.assert_allclose(nb.cv_path(X, targets["binomial"], **options).train_mean, whole, rtol=1e-12)
    assert whole.size == 7


def test_the_gap_is_positive_where_held_out_rows_fare_worse(table):
    X, targets, _ = table
    for score in ("deviance", "auc"):
        cv = nb.cv_path(X, targets["binomial"], family="binomial", score=score, n_lambdas=10, cv=5)
        assert cv.train_validation_gap[-1] > 0


def test_choosing_and_predicting(cv, table):
    X, _, _ = table
    assert cv.at("best").lam == cv.lambda_best
    assert cv.at("1se").lam == cv.lambda_1se
    assert cv.at(n_nonzero=2).n_nonzero >= 2
    lam = 0.7 * cv.lambda_1se
    np.testing.assert_array_equal(cv.predict(X, lam=lam), cv.at(lam=lam).predict(X))
    np.testing.assert_array_equal(cv.predict(X, kind="class"), cv.at("1se").predict(X, kind="class"))
    with pytest.raises(ValueError, match="'min' is no choice of lambda"):
        cv.at("min")
    with pytest.raises(TypeError, match="either"):
        cv.at("best", lam=0.1)


def test_diagnostics_of_a_binomial_fit(cv, table):
    X, targets, _ = table
    for which in ("best", "1se"):
        numbers = cv.diagnostics[which]
        margins = np.abs(cv.at(which).predict(X))
        slope = np.exp(-margins) / (1 + np.exp(-margins)) ** 2
        assert numbers["largest_margin"] == pytest.approx(margins.max())
        assert numbers["saturated"] == (slope < 0.01).mean()
        y, eta = targets["binomial"], cv.predictions[:, cv.index_of(which)]
        areas = [metrics.roc_auc_score(y[cv.fold_ids == fold], eta[cv.fold_ids == fold]) for fold in range(10)]
        assert numbers["auc"] == pytest.approx(np.average(areas, weights=cv.fold_weights))


def test_predictions_of_rows_held_out_more_than_once_or_never(table):
    X, targets, _ = table
    options = {"n_lambdas": 4, "keep_predictions": True}
    twice = nb.cv_path(X, targets["gaussian"], cv=3, repeats=2, **options)
    assert twice.n_folds == 6
    assert np.isfinite(twice.predictions).all()
    past = nb.cv_path(X, targets["gaussian"], cv=4, time_order=True, **options)
    np.testing.assert_array_equal(np.isnan(past.predictions[:, 0]), past.fold_ids < 0)
    assert nb.cv_path(X, targets["gaussian"], cv=3, n_lambdas=4).predictions is None


def test_a_grid_may_be_given(table):
    X, targets, _ = table
    assert nb.cv_path(X, targets["gaussian"], lambdas=[0.1, 0.3], cv=3).lambdas.tolist() == [0.3, 0.1]


def test_medians_are_learned_on_the_training_rows_of_each_fold(table):
    X, targets, _ = table
    holes = X.copy()
    holes[::3, 0] = np.nan
    y, lambdas = targets["gaussian"], [0.2, 0.05]
    cv = nb.cv_path(holes, y, missing="impute", cv=4, lambdas=lambdas, keep_predictions=True, tol=1e-12)
    assert cv.path.n_features == 9
    for fold in range(4):
        train, test = cv.fold_ids != fold, cv.fold_ids == fold
        median = np.nanmedian(holes[train, 0])
        filled = np.column_stack(
            [np.where(np.isnan(holes[:, 0]), median, holes[:, 0]), np.isnan(holes[:, 0]), X[:, 1:]]
        )
        alone = nb.fit_path(filled[train], y[train], lambdas=lambdas, tol=1e-12)
        np.testing.assert_allclose(cv.predictions[test], alone.predict(filled[test], lam=[0.2, 0.05]), atol=1e-5)


def test_rows_left_out_are_left_out_of_the_folds_too(table):
    X, targets, _ = table
    holes = X.copy()
    holes[[0, 5], 2] = np.nan
    groups = np.arange(90) % 9
    options = {"cv": 3, "n_lambdas": 5}
    cv = nb.cv_path(holes, targets["gaussian"], missing="drop", fold_groups=groups, **options)
    kept = np.delete(np.arange(90), [0, 5])
    alone = nb.cv_path(X[kept], targets["gaussian"][kept], fold_groups=groups[kept], **options)
    np.testing.assert_array_equal(cv.fold_ids, alone.fold_ids)
    np.testing.assert_allclose(cv.cv_mean, alone.cv_mean)


def test_one_warning_for_path_and_folds(table):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(100, 150))
    y = X[:, :10].sum(axis=1) + generator.normal(size=100) > 0
    with pytest.warns(nb.NotConverged, match="of 8 lambdas did not reach") as caught:
        nb.cv_path(X, y, family="binomial", cv=3, n_lambdas=8, tol=1e-10, max_iter=1)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_stopping_keeps_what_all_folds_finished():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(500, 300))
    y = X[:, :50].sum(axis=1) + 3 * generator.normal(size=500) > 0
    with pytest.raises(nb.Interrupted, match="of 100 lambdas") as stopped:
        nb.cv_path(X, y, family="binomial", cv=3, progress=lambda done, total: done > total // 20)
    part = stopped.value.result
    assert 0 < part.lambdas.size < 100
    assert part.fold_scores.shape == (3, part.lambdas.size)
    assert "lambda_1se" in part.summary()
    with pytest.raises(nb.Interrupted, match="before the first lambda was finished") as stopped:
        nb.cv_path(X, y, family="binomial", cv=3, progress=lambda *_: True)
    assert stopped.value.result is None
    X[::7, 0] = np.nan
    with pytest.raises(nb.Interrupted, match="before all folds were fitted") as stopped:
        nb.cv_path(
            X, y, family="binomial", cv=3, n_lambdas=3, missing="impute", progress=lambda done, total: done == total
        )
    assert isinstance(stopped.value.result, nb.Path)  # of all rows
    assert stopped.value.result.lambdas.size == 3


def test_training_rows_need_weight(table):
    X, targets, _ = table
    ids = np.arange(90) % 2
    with pytest.raises(nb.DataError, match="training rows of fold 1 of 2 have weight 0"):
        nb.cv_path(X, targets["gaussian"], fold_ids=ids, sample_weight=(ids == 0).astype(float))


def test_table_of_a_cross_validated_path(cv):
    frame = cv.to_frame()
    assert frame.columns[:4] == ["lam", "cv_mean", "cv_se", "train_mean"]
    np.testing.assert_array_equal(frame["cv_mean"], cv.cv_mean)
    assert frame.height == 25


def test_summary_of_a_cross_validated_path(cv):
    text = cv.summary()
    for line in (
        "lambda_1se (selected)",
        "CV deviance",
        "  without features",
        "CV AUC",
        "features kept",
        "% saturated",
        "odds",
    ):
        assert line in text
    assert "Selected at lambda_best" in cv.summary(select="best")
    assert "Solved: all 25 lambdas, the largest duality gap is" in text
    assert text.endswith(" of the matrix for path and folds")
    assert cv.n_sweeps == cv.path.n_sweeps > 0
    assert "/10" in text
    assert "lambda_best" in cv._repr_html_()
    assert repr(cv).startswith("<CVPath binomial, 10 stratified folds at random, deviance: lambda_1se")


def test_a_squared_error_is_told_by_its_root_with_the_error_of_that():
    X, y = load_diabetes(return_X_y=True)
    cv = nb.cv_path(X, y, cv=5, n_lambdas=20)
    lines = cv.summary().splitlines()
    (place,) = [k for k, line in enumerate(lines) if line.startswith("CV RMSE")]
    root, error = map(float, re.search(r"([\d.]+) \+/- ([\d.]+)", lines[place]).groups())
    low, high = (math.sqrt(cv.cv_mean[cv.index_1se] + sign * 1e-3 * cv.cv_se[cv.index_1se]) for sign in (-1, 1))
    assert root == pytest.approx(math.sqrt(cv.cv_mean[cv.index_1se]), abs=0.05)
    assert error == pytest.approx((high - low) / 2e-3, abs=0.05)
    assert lines[place + 1].split() == ["without", "features", f"{math.sqrt(cv.null_mean):.1f}"]
    assert lines[place + 2].startswith("CV deviance ")


def test_a_deviance_without_a_unit_is_shown_as_a_share():
    X, y = load_diabetes(return_X_y=True)
    huber = {"family": "huber(1e5)", "cv": 3, "n_lambdas": 10}
    cv = nb.cv_path(X, 1e4 * y, **huber)
    shares = [1 - cv.cv_mean[k] / cv.null_mean for k in (cv.index_1se, cv.index_best)]
    (line,) = [line for line in cv.summary().splitlines() if line.startswith("CV deviance explained")]
    assert line.split()[-4:] == [word for share in shares for word in (f"{100 * share:.1f}", "%")]
    assert "CV RMSE" not in cv.summary()
    (line,) = [line for line in cv.summary().splitlines() if line.startswith("CV deviance  ")]
    assert re.search(r"\d\.\d\de\+1\d \+/- ", line)  # three digits, not ten
    assert "CV deviance explained" not in nb.cv_path(X, 1e4 * y, **{**huber, "score": "mse"}).summary()


def test_features_kept_in_few_folds_are_called_unstable(cv):
    counts = np.zeros((25, 8), dtype=np.int32)
    counts[:, 0] = 8
    counts[:, 1:] = 7
    rows = SparseRows.from_rows(counts, 8)
    lines = replace(cv, selection_counts=rows).summary(select="best").splitlines()
    assert next(line for line in lines if line.startswith("  x0")).endswith("8/10")
    assert next(line for line in lines if line.startswith("  x1")).endswith("unstable")


def test_the_report_is_written(cv, tmp_path):
    cv.report(tmp_path / "report.html")
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_plot_of_a_cross_validated_path(cv):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = cv.plot()
    assert ax.get_ylabel() == "deviance"
    assert cv.plot(ax) is ax
    scores = cv.fold_scores.copy()
    scores[:, -3:] *= [10.0, 1e6, 1e7]  # of weak penalties
    away = replace(cv, fold_scores=scores).plot()
    assert away.get_ylim()[1] < 1e3
    assert away.get_xlim()[1] >= cv.lambdas[-1]
    assert [text.get_text() for text in away.texts] == [f"reaches {scores[:, -1].mean():.4g}"]
    matplotlib.pyplot.close("all")


def test_words_of_other_programs(table):
    X, targets, _ = table
    with pytest.raises(TypeError, match="number of folds is called cv"):
        nb.cv_path(X, targets["gaussian"], nfolds=5)
    with pytest.raises(TypeError, match=r"cv_path\(\) has no argument 'alpha'"):
        nb.cv_path(X, targets["gaussian"], alpha=1.0)
    with pytest.raises(TypeError, match=r"compare\(\) has no argument 'l1_ratio'. The mixes are called l1_ratios"):
        nb.compare(X, targets["gaussian"], l1_ratio=1.0)


# --- compare


def test_comparison_on_the_same_folds(table):
    X, targets, _ = table
    frame = pl.DataFrame(X).with_columns(pl.Series("y", targets["gaussian"]))
    comparison = nb.compare(frame, "y", (0, 0.5, 1), cv=4, n_lambdas=12, keep_predictions=True, score="mse")
    assert [cv.path.l1_ratio for cv in comparison] == [0.0, 0.5, 1.0]
    assert len(comparison) == 3
    for cv in comparison:
        np.testing.assert_array_equal(cv.fold_ids, comparison[0].fold_ids)
        assert cv.predictions is not None
    alone = nb.cv_path(X, targets["gaussian"], l1_ratio=0.5, cv=4, n_lambdas=12, score="mse")
    np.testing.assert_allclose(comparison[1].cv_mean, alone.cv_mean, rtol=1e-12)
    best = [cv.cv_mean.min() for cv in comparison]
    assert comparison.best is comparison[int(np.argmin(best))]
    table = comparison.to_frame()
    assert table["choice"].to_list() == ["best", "1se"] * 3
    assert table["cv_mean"][2] == best[1]
    assert "elastic net 0.5" in comparison.summary()
    assert "<table>" in comparison._repr_html_()
    assert repr(comparison).startswith("<Comparison of l1_ratio 0, 0.5, 1: best")
    with pytest.raises(ValueError, match="l1_ratios is empty"):
        nb.compare(X, targets["gaussian"], l1_ratios=())


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"l1_ratio": 0.0},
        {"fit_intercept": False, "l1_ratio": 0.5},
        {"standardize": False, "offset": np.linspace(-1, 1, 600), "score": "mse"},
        {"sample_weight": np.arange(600) % 3 + 0.0, "lower_bounds": np.full(8, -0.3)},
        {"l1_ratio": 0.0, "penalty_factors": np.array([1, 2, np.inf, 1, 1, 1, 0.5, 1])},
    ],
)
def test_held_out_squares_come_from_the_moments(sparse, options):
    """Where the engine knows them, the scores need no predictions and are theirs."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(600, 8)) + 3
    X[:, 4], X[:, 5] = X[:, 3], 1.0
    y = X @ rng.normal(size=8) + rng.normal(size=600) + 10
    X = scipy.sparse.csc_array(np.where(rng.random(X.shape) < 0.5, X, 0)) if sparse else X
    cv = nb.cv_path(X, y, cv=4, n_lambdas=20, keep_predictions=True, **options)
    weights = options.get("sample_weight", np.ones(600))
    for fold, scores in enumerate(cv.fold_scores):
        test = cv.fold_ids == fold
        squares = (y[test, None] - cv.predictions[test]) ** 2
        np.testing.assert_allclose(scores, np.average(squares, axis=0, weights=weights[test]), rtol=1e-10)
    lean = nb.cv_path(X, y, cv=4, n_lambdas=20, **options)
    np.testing.assert_array_equal(lean.fold_scores, cv.fold_scores)


@pytest.mark.parametrize("how", [{"cv": 4}, {"cv": 4, "time_order": True}])
def test_held_out_squares_of_a_perfect_fit_and_of_other_folds(how):
    """Nothing is left to subtract, or the rows held out are not the rest: then predictions are made after all."""
    rng = np.random.default_rng(9)
    X = rng.normal(size=(300, 5))
    y = X @ rng.normal(size=5)
    cv = nb.cv_path(X, y, n_lambdas=20, lambda_min_ratio=1e-9, keep_predictions=True, **how)
    for fold, scores in enumerate(cv.fold_scores):
        test = cv.fold_ids == fold
        np.testing.assert_allclose(scores, ((y[test, None] - cv.predictions[test]) ** 2).mean(axis=0), rtol=1e-12)


def test_what_odds_are_multiplied_by_is_told_for_a_step_that_one_can_take():
    """One standard deviation of a number, the level itself of a text column, a unit where nothing is standardised."""
    rng = np.random.default_rng(3)
    x, kind = rng.normal(scale=20.0, size=300), rng.choice(["a", "b", "c"], 300)
    y = (0.05 * x + 2.0 * (kind == "a") + rng.logistic(size=300) > 0).astype(int)
    table = pl.DataFrame({"x": x, "kind": kind})
    for options, title, step in (({}, "odds x/SD or level", x.std()), ({"standardize": False}, "odds x/unit", 1.0)):
        cv = nb.cv_path(table, y, family="binomial", cv=3, n_lambdas=20, categorical=["kind"], **options)
        fit = cv.at("best")
        chosen = facts.point(cv, "best")
        coefs = dict(zip(fit.feature_names, fit.coef, strict=True))
        told = {one.name: one.factor for one in facts.selected(chosen)}
        assert title in facts.feature_titles(chosen)
        assert told["x"] == pytest.approx(np.exp(coefs["x"] * step))
        assert told["kind = a"] == pytest.approx(np.exp(coefs["kind = a"]))
