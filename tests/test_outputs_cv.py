"""Cross-validation of several outputs: folds, scores by scikit-learn's metrics on kept predictions, and findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from sklearn.datasets import load_digits, load_iris, load_linnerud, load_wine
from sklearn.model_selection import StratifiedKFold

import normball as nb
from normball.families import find_family
from normball.folds import make_folds

IRIS = load_iris(as_frame=True)
X = IRIS.data
LABELS = IRIS.target_names[IRIS.target]
FITNESS = load_linnerud(as_frame=True)
WEIGHTS = np.linspace(0.5, 2.0, len(X))
SHORT = {"n_lambdas": 8, "cv": 5, "keep_predictions": True}
Metric = Callable[[Any, Any, Any], float]


def by_label(eta: np.ndarray) -> np.ndarray:
    return IRIS.target_names[eta.argmax(axis=1)]


def probability(eta: np.ndarray) -> np.ndarray:
    return find_family("multinomial").mean(eta)


OF_CLASSES: dict[str, Metric] = {
    "deviance": lambda y, eta, w: 2 * metrics.log_loss(y, probability(eta), sample_weight=w),
    "accuracy": lambda y, eta, w: metrics.accuracy_score(y, by_label(eta), sample_weight=w),
    "brier": lambda y, eta, w: np.average(
        ((probability(eta) - (y[:, None] == IRIS.target_names)) ** 2).sum(axis=1), weights=w
    ),
    "mse": lambda y, eta, w: metrics.mean_squared_error(
        y[:, None] == IRIS.target_names, probability(eta), sample_weight=w
    ),
    "auc": lambda y, eta, w: np.mean(
        [metrics.roc_auc_score(y == one, probability(eta)[:, k], sample_weight=w) for k, one in enumerate(np.unique(y))]
    ),
    "f1_macro": lambda y, eta, w: metrics.f1_score(y, by_label(eta), average="macro", sample_weight=w),
    "neg_log_loss": lambda y, eta, w: -metrics.log_loss(y, probability(eta), sample_weight=w),
    "balanced_accuracy": lambda y, eta, w: metrics.balanced_accuracy_score(y, by_label(eta), sample_weight=w),
}
OF_TARGETS: dict[str, Metric] = {
    "deviance": lambda y, eta, w: np.average(((y - eta) ** 2).sum(axis=1), weights=w),
    "mse": lambda y, eta, w: metrics.mean_squared_error(y, eta, sample_weight=w),
    "mae": lambda y, eta, w: metrics.mean_absolute_error(y, eta, sample_weight=w),
    "r2": lambda y, eta, w: metrics.r2_score(y, eta, sample_weight=w),
}


def expected(cv: nb.CVPath, y: np.ndarray, metric: Metric, weights: np.ndarray) -> np.ndarray:
    """The score of each fold and strength, from the predictions that were kept."""
    assert cv.predictions is not None
    assert cv.fold_ids is not None
    folds = [cv.fold_ids == fold for fold in range(cv.n_folds)]
    return np.array(
        [[metric(y[rows], cv.predictions[rows, k], weights[rows]) for k in range(cv.lambdas.size)] for rows in folds]
    )


@pytest.mark.parametrize("score", list(OF_CLASSES))
def test_scores_of_classes(score: str) -> None:
    cv = nb.cv_path(X, LABELS, family="multinomial", score=score, sample_weight=WEIGHTS, **SHORT)
    assert cv.predictions is not None
    assert cv.predictions.shape == (150, 8, 3)
    np.testing.assert_allclose(cv.fold_scores, expected(cv, LABELS, OF_CLASSES[score], WEIGHTS), rtol=1e-8, atol=1e-12)
    own = [OF_CLASSES[score](LABELS, cv.path.predict(X, lam=lam), WEIGHTS) for lam in cv.lambdas]
    np.testing.assert_allclose(cv.train_mean, own, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("score", list(OF_TARGETS))
def test_scores_of_targets(score: str) -> None:
    weights, Y = WEIGHTS[:20], FITNESS.target.to_numpy()
    cv = nb.cv_path(FITNESS.data, Y, family="multigaussian", score=score, sample_weight=weights, **SHORT)
    np.testing.assert_allclose(cv.fold_scores, expected(cv, Y, OF_TARGETS[score], weights), rtol=1e-7)
    own = [OF_TARGETS[score](Y, cv.path.predict(FITNESS.data, lam=lam), weights) for lam in cv.lambdas]
    np.testing.assert_allclose(cv.train_mean, own, rtol=1e-7, atol=1e-12)


def test_functions_of_ones_own() -> None:
    def largest_error(y_true: Any, y_pred: Any) -> float:
        return float(np.abs(y_true - y_pred).max())

    cv = nb.cv_path(X, LABELS, family="multinomial", score=largest_error, **SHORT)
    indicators = np.eye(3)[IRIS.target]
    wanted = expected(cv, indicators, lambda y, eta, w: largest_error(y, probability(eta)), np.ones(150))
    np.testing.assert_allclose(cv.fold_scores, wanted)
    by_metric = nb.cv_path(X, LABELS, family="multinomial", score=metrics.accuracy_score, **SHORT)
    by_name = nb.cv_path(X, LABELS, family="multinomial", score="accuracy", **SHORT)
    np.testing.assert_allclose(by_metric.fold_scores, by_name.fold_scores)
    with pytest.raises(ValueError, match='score="auc" is about classes, and multigaussian models have none: use'):
        nb.cv_path(FITNESS.data, FITNESS.target, family="multigaussian", score="auc")


def test_a_fold_is_a_fit_of_its_training_rows() -> None:
    folds = StratifiedKFold(3, shuffle=True, random_state=1)
    cv = nb.cv_path(X, LABELS, family="multinomial", cv=folds, keep_predictions=True, n_lambdas=6, tol=1e-10)
    assert cv.predictions is not None
    for train, test in folds.split(X, LABELS):
        alone = nb.fit_path(X.iloc[train], LABELS[train], family="multinomial", lambdas=cv.lambdas, tol=1e-10)
        rows = alone.predict(X.iloc[test], lam=cv.lambdas, kind="response")
        np.testing.assert_allclose(rows, probability(cv.predictions[test]), atol=1e-4)
        assert cv.fold_dual_gaps.max() <= 1e-10


def test_what_is_known_of_a_choice() -> None:
    cv = nb.cv_path(X, LABELS, family="multinomial", cv=5, keep_predictions=True)
    assert cv.predictions is not None
    assert cv.folds == "5 stratified folds at random"
    assert 0 < cv.lambda_best <= cv.lambda_1se
    known, index = cv.diagnostics["best"], cv.index_best
    wanted = np.average(expected(cv, LABELS, OF_CLASSES["auc"], np.ones(150)), axis=0, weights=cv.fold_weights)
    assert known["auc"] == pytest.approx(wanted[index])
    p = np.sort(cv.predict(X, lam="best", kind="response"), axis=1)[:, -1]
    assert known["largest_margin"] == pytest.approx(np.log(p / (1 - p)).max(), rel=1e-6)
    assert known["saturated"] == pytest.approx(np.mean(p * (1 - p) < 0.01))
    counts = cv.selection_counts[index]
    assert counts.shape == (4,)
    assert counts.max() == 5
    assert (cv.predict(X, lam="best", kind="class") == LABELS).mean() > 0.95
    text = cv.summary("best")
    assert "CV AUC, one against the rest" in text
    assert "kept in folds" in text
    assert "versicolor" in cv._repr_html_()
    frame = pl.DataFrame(cv.to_frame())
    assert {"cv_mean", "intercept = setosa"} <= set(frame.columns)
    assert not nb.cv_path(FITNESS.data, FITNESS.target, family="multigaussian", cv=4, n_lambdas=3).diagnostics


def test_penalties_side_by_side() -> None:
    wine = load_wine(as_frame=True)
    found = nb.compare(wine.data, wine.target, family="multinomial", cv=3, n_lambdas=10, l1_ratios=(0, 1))
    assert [cv.path.l1_ratio for cv in found] == [0.0, 1.0]
    assert len(found.to_frame()) == 4
    assert max(cv.cv_mean.min() for cv in found) < 0.4


# folds


def test_folds_by_class() -> None:
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat([0, 1, 2, 3], [40, 20, 7, 13]))
    folds = make_folds(np.eye(4)[codes], cv=5, classes=(*"abcd",))
    sizes = np.array([np.bincount(codes[test], minlength=4) for test in folds.test])
    assert (np.ptp(sizes, axis=0) <= 1).all()
    shares = rng.dirichlet(np.ones(4), 80)
    assert make_folds(shares, cv=5, classes=(*"abcd",)).how == "5 folds at random"
    assert make_folds(rng.normal(size=(80, 2)), cv=5).how == "5 folds at random"


def test_rare_classes_and_folds_without_one() -> None:
    few = np.where(np.arange(150) < 146, np.where(LABELS == "virginica", "versicolor", LABELS), "rare")
    with pytest.raises(nb.DataError, match=r'E05 Class "rare" has 4 rows; each of 10 folds needs one.\n.*cv=4'):
        nb.cv_path(X, few, family="multinomial")
    assert nb.cv_path(X, few, family="multinomial", cv=4, n_lambdas=4).n_folds == 4
    with pytest.raises(nb.DataError, match=r'E05 Class "setosa" is absent from the training rows of fold 1 of 3'):
        nb.cv_path(X, LABELS, family="multinomial", fold_ids=IRIS.target.to_numpy())
    with pytest.raises(nb.DataError, match=r'E05 Class "setosa" is absent .*\n.*folds that keep all classes'):
        nb.cv_path(X, LABELS, family="multinomial", time_order=True, cv=3, sample_weight=1.0 * (np.arange(150) > 48))


def test_gaps_are_imputed_in_each_fold() -> None:
    table = pl.DataFrame({**X.to_dict("list"), "size": [None if k % 9 == 0 else float(k % 5) for k in range(150)]})
    cv = nb.cv_path(table, LABELS, family="multinomial", missing="impute", cv=3, n_lambdas=6, keep_predictions=True)
    assert cv.predictions is not None
    assert cv.path.feature_names[-1] == "size is missing"
    assert np.isfinite(cv.predictions).all()
    assert cv.cv_mean.min() < 0.5


# findings


def test_check_looks_at_each_class() -> None:
    found = nb.check(X, LABELS)
    assert [one.code for one in found] == ["W21"]
    assert 'Class "setosa" against the rest. Separable: "petal length (cm) > 2" splits the classes' in found[0].text
    assert '("any other" above, "setosa" below' in found[0].text
    digits = load_digits()
    kept = digits.data[:, digits.data.std(axis=0) > 2]
    each = nb.check(kept, digits.target, family="multinomial", trial_fit=False, seconds=60)
    assert any("Against the rest, each" in one.text and one.code == "W21" for one in each)
    assert any('family="multinomial"' in one.fix for one in nb.check(X, IRIS.target))


def test_check_looks_for_rare_classes() -> None:
    few = np.where(np.arange(150) < 146, LABELS, "rare")
    few[0] = "lone"
    found = [one for one in nb.check(X, few, trial_fit=False) if one.code == "W17"]
    assert len(found) == 2
    assert 'Class in one row only: "lone"' in found[0].text + found[1].text
    assert 'Rare among 150 rows: class "rare" (4 rows)' in found[0].text + found[1].text
    assert any("cv=4, repeats=5" in one.fix for one in found)


def test_more_features_than_rows() -> None:
    wide = np.random.default_rng(0).normal(size=(40, 60))
    (one,) = [one for one in nb.check(wide, np.arange(40) % 3, family="multinomial", seconds=2) if one.code == "W22"]
    assert "p = 60 > n = 40: among correlated ones the choice is unstable." in one.text  # each class may keep n-1
    path = nb.fit_path(wide, wide[:, :3] ** 2, family="multigaussian", n_lambdas=10)
    assert path.n_nonzero.max() >= 40


def test_check_finds_leaks() -> None:
    table = FITNESS.data.assign(twice=2 * FITNESS.target["Waist"] + 1)
    (leak,) = [one for one in nb.check(table, FITNESS.target, family="multigaussian") if one.code == "W15"]
    assert leak.columns == ("twice",)
    assert leak.text.endswith('of target "Waist".')
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 400)
    noise = {f"x{k}": rng.normal(size=400) for k in range(3)}
    told = pl.DataFrame({**noise, "verdict": np.array(["p", "q", "r"])[codes]})
    (leak,) = [one for one in nb.check(told, np.array([*"abc"])[codes]) if one.code == "W34"]
    assert leak.columns == ("verdict",)
    assert not [one for one in nb.check(told.drop("verdict"), np.array([*"abc"])[codes]) if one.code == "W34"]
    assert any(one.code == "W34" for one in nb.cv_path(told, np.array([*"abc"])[codes], family="multinomial").findings)


def test_selected_rare_levels_are_told() -> None:
    level = np.array([*"uvw"], dtype=object)[np.arange(150) % 3]
    level[:2] = "seldom"
    table = pl.DataFrame({"level": level, "x": X.iloc[:, 1].to_numpy()})
    fit = nb.fit_path(table, np.where(level == "seldom", "s", LABELS), family="multinomial", lambdas=[1e-4]).fit_at(0)
    assert '"level: seldom" (2 rows)' in fit.summary()


def test_an_interrupted_cross_validation_gives_what_is_finished() -> None:
    def stop(done: int, total: int) -> bool:
        return done > 0

    digits = load_digits()
    with pytest.raises(nb.Interrupted) as caught:
        nb.cv_path(digits.data, digits.target, family="multinomial", cv=3, progress=stop)
    if caught.value.result is not None:
        finished = caught.value.result.lambdas.size
        assert caught.value.result.path.coefs.shape == (finished, 10, 64)


def test_glmnets_choice_is_that_of_capped_probabilities(read_shared: Callable[[str], Any]) -> None:
    """Row by row the deviance is glmnet's but for probabilities below 1e-5, which glmnet counts as 1e-5.

    cv.glmnet(X, y, family = "multinomial", lambda = l, foldid = (seq_len(990) - 1) %% 10 + 1, thresh = 1e-13)$cvm
    """
    frozen = {5: 2.0812495273, 6: 1.9156802311, 7: 1.8234910309, 9: 1.7379839665, 10: 1.7253352587, 12: 1.7196373981}
    table = read_shared("vowel")
    vowels, sounds = table["y"].to_numpy().astype(str), table.drop("y", "split").to_numpy()
    given: dict[str, Any] = {"family": "multinomial", "lambdas": np.logspace(-1, -4, 13), "tol": 1e-9}
    given["fold_ids"] = np.arange(990) % 10

    def capped_loss(y: np.ndarray, probabilities: np.ndarray, sample_weight: np.ndarray) -> Any:
        of_own_class = np.clip((y * probabilities).sum(axis=1), 1e-5, 1 - 1e-5)
        return -2 * np.average(np.log(of_own_class), weights=sample_weight)

    capped = nb.cv_path(sounds, vowels, score=capped_loss, **given)
    assert capped.cv_mean[list(frozen)] == pytest.approx(list(frozen.values()), rel=2e-5)
    assert (capped.index_best, capped.index_1se) == (12, 9)
    plain = nb.cv_path(sounds, vowels, **given)
    assert plain.cv_mean[5] == pytest.approx(frozen[5], rel=2e-5)  # no probability is that small yet
    assert plain.cv_mean[12] > frozen[12] + 0.03
    assert (plain.index_best, plain.index_1se) == (10, 8)
