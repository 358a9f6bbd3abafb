"""The answer in the words of the data: each number once more, fold by fold, from the solutions of single folds."""

import re
from typing import Any

import numpy as np
import pytest

import normball as nb
from normball.results import facts
from normball.results.answers import answer, class_name, percent
from targets import FAMILIES, draw

RNG = np.random.default_rng(21)
N = 150
FOLDS = np.arange(N) % 5
WEIGHTS = RNG.integers(0, 4, size=N).astype(float)
X = RNG.normal(size=(N, 4))
TIGHT = {"tol": 1e-10, "n_lambdas": 12, "fold_ids": FOLDS, "lambda_min_ratio": 1e-2}


def refitted(family: str, y: Any, weights: Any, lambdas: Any) -> list[tuple[Any, Any]]:
    """The held-out rows of each fold with their expected targets by a path of the other rows alone."""
    made = []
    for fold in range(5):
        out = fold == FOLDS
        path = nb.fit_path(X[~out], y[~out], family=family, lambdas=lambdas, sample_weight=weights[~out], tol=1e-10)
        made.append((out, np.stack([path.at(lam=lam).predict(X[out], kind="response") for lam in lambdas], axis=1)))
    return made


def pooled(values: list[Any], weights: list[Any]) -> Any:
    total = sum(one.sum() for one in weights)
    return sum(np.tensordot(w, v, 1) for v, w in zip(values, weights, strict=True)) / total


@pytest.mark.parametrize("family", [family for family in FAMILIES if not family.startswith("binomial")])
def test_typical_errors_are_those_of_models_of_the_other_rows(family: str) -> None:
    y = draw(family, 0.5 * X[:, 0] - 0.4 * X[:, 1], RNG)
    cv = nb.cv_path(X, y, family=family, sample_weight=WEIGHTS, **TIGHT)
    power = 1 if family.startswith("huber") else 2
    parts = refitted(cv.path.family, y, WEIGHTS, cv.lambdas)
    weights = [WEIGHTS[out] for out, _ in parts]
    wanted = pooled([np.abs(y[out, None] - mean) ** power for out, mean in parts], weights) ** (1 / power)
    told = cv.held_out
    assert told is not None
    found = np.array([told.typical(index) for index in range(12)])
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    if power == 2:
        means = [np.average(y[~out], weights=WEIGHTS[~out]) for out, _ in parts]
        null = pooled([(y[out] - mean) ** 2 for (out, _), mean in zip(parts, means, strict=True)], weights) ** 0.5
        assert float(told.typical_null) == pytest.approx(null, rel=1e-9)
    index = cv.index_best
    text = answer(cv, "income", index).quality
    assert f"income is typically missed by {facts.figures(float(wanted[index]))}" in text
    assert facts.figures(float(told.typical_null)) in text


def test_the_share_of_right_rows_counts_by_weight() -> None:
    y = np.where(3 * X[:, 0] + RNG.logistic(size=N) > 1.0, "ill", "well")
    cv = nb.cv_path(X, y, family="binomial", sample_weight=WEIGHTS, **TIGHT)
    parts = refitted("binomial", y, WEIGHTS, cv.lambdas)
    labels = np.array(["ill", "well"])
    right = [labels[(mean > 0.5).astype(int)] == y[out, None] for out, mean in parts]
    wanted = pooled(right, [WEIGHTS[out] for out, _ in parts])
    told = cv.held_out
    assert told is not None
    np.testing.assert_allclose(told.values, wanted, rtol=1e-12)
    sizes = {label: WEIGHTS[y == label].sum() / WEIGHTS.sum() for label in labels}
    common = max(sizes, key=lambda label: float(sizes[label]))
    said = answer(cv, "state", cv.index_best)
    assert percent(float(wanted[cv.index_best])) + " are put into the right class" in said.quality
    assert f"always saying “{common}” would be right for {percent(float(sizes[common]))}" in said.quality
    assert re.fullmatch(r"\d of 4 features tells? “well” from “ill”", said.found)


def test_several_classes_and_targets() -> None:
    eta = np.column_stack([X[:, 0], X[:, 1], 0 * X[:, 2]])
    y = np.array(["a", "b", "c"])[(2 * eta + RNG.gumbel(size=eta.shape)).argmax(axis=1)]
    cv = nb.cv_path(X, y, family="multinomial", keep_predictions=True, **TIGHT)
    assert cv.held_out is not None
    assert cv.predictions is not None
    chosen = np.array(["a", "b", "c"])[cv.predictions.argmax(axis=2)]
    np.testing.assert_allclose(cv.held_out.values, (chosen == y[:, None]).mean(axis=0))
    assert "the 3 classes of kind apart" in answer(cv, "kind", cv.index_best).found
    Y = np.column_stack([X[:, 0], 100 * X[:, 1]]) + RNG.normal(size=(N, 2))
    cv = nb.cv_path(X, Y, family="multigaussian", keep_predictions=True, **TIGHT)
    assert cv.predictions is not None
    assert cv.held_out is not None
    wanted = np.sqrt(((Y[:, None] - cv.predictions) ** 2).mean(axis=0))
    np.testing.assert_allclose([cv.held_out.typical(k) for k in range(12)], wanted, rtol=1e-10)
    means = np.array([Y[fold != FOLDS].mean(axis=0) for fold in range(5)])[FOLDS]
    np.testing.assert_allclose(cv.held_out.typical_null, np.sqrt(((Y - means) ** 2).mean(axis=0)), rtol=1e-10)
    errors, nulls = wanted[11], np.sqrt(((Y - means) ** 2).mean(axis=0))
    told = [
        f"{facts.figures(errors[k])} (by the mean alone by {facts.figures(nulls[k])})"
        for k in np.argsort(errors / nulls)
    ]
    assert all(one in answer(cv, "u, v", 11).quality for one in told)
    many = nb.cv_path(
        X, np.hstack([Y, Y[:, ::-1] + RNG.normal(size=(N, 2))]), family="multigaussian", cv=3, n_lambdas=5
    )
    assert re.search("at best y[0-9] is .* at worst y[0-9] is", answer(many, "y", 4).quality)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson", "multinomial"])
def test_the_null_model_is_cross_validated_on_the_same_folds(family: str) -> None:
    """What a fold predicts at a strength that keeps nothing is the model without features, score for score."""
    y = {
        "gaussian": X[:, 0] + RNG.normal(size=N),
        "binomial": RNG.integers(0, 2, size=N),
        "poisson": RNG.poisson(2.0, size=N),
        "multinomial": RNG.integers(0, 3, size=N),
    }[family]
    huge = np.array([1e6, 1e5])
    for score in ("deviance", "mse", "mae"):
        cv = nb.cv_path(
            X, y, family=family, lambdas=huge, fold_ids=FOLDS, score=score, sample_weight=WEIGHTS, tol=1e-12
        )
        assert cv.null_fold_scores is not None
        np.testing.assert_allclose(cv.null_fold_scores, cv.fold_scores[:, 0], rtol=1e-7)
        assert cv.null_mean == pytest.approx(cv.cv_mean[0], rel=1e-7)


def test_offset_and_no_intercept() -> None:
    y, offset = RNG.poisson(3.0 * np.exp(X[:, 0])), X[:, 0]
    huge = {"lambdas": np.array([1e6, 1e5]), "fold_ids": FOLDS, "offset": offset, "family": "poisson"}
    for more in ({}, {"fit_intercept": False}):
        cv = nb.cv_path(X, y, **huge, **more)
        assert cv.null_mean == pytest.approx(cv.cv_mean[0], rel=1e-6)
        assert "without features" in answer(cv, "claims", 0).quality


def test_nothing_found_is_said_and_not_dressed_up() -> None:
    y = RNG.normal(size=N)
    for ratio in (1.0, 0.0):
        cv = nb.cv_path(X, y, l1_ratio=ratio, fold_ids=FOLDS)
        said = answer(cv, "noise", cv.index_1se)
        worst = answer(cv, "noise", cv.lambdas.size - 1)
        assert cv.cv_mean[-1] > cv.null_mean
        assert not worst.helps
        assert worst.found == "Features do not help to predict noise"
        assert "no less than" in worst.quality
        assert said.helps == (cv.path.n_nonzero[cv.index_1se] > 0 and cv.cv_mean[cv.index_1se] < cv.null_mean)
    assert answer(nb.cv_path(X, y, fold_ids=FOLDS), "noise", 0).found.startswith("None of the 4 features is")


def test_rare_classes_are_not_called_well_predicted() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 3))
    y = np.where(x[:, 0] + 2 * rng.logistic(size=1500) > 6.5, "yes", "no")
    cv = nb.cv_path(x, y, family="binomial", cv=5)
    text = answer(cv, "Purchase", cv.index_best).quality
    assert "about as many as by always saying “no”" in text
    assert f"in {percent(cv.diagnostics['best']['auc'])} of such pairs" in text


def test_shares_have_no_right_class() -> None:
    cv = nb.cv_path(X, 1 / (1 + np.exp(-X[:, 0])), family="binomial", cv=5, n_lambdas=10)
    assert cv.held_out is not None
    assert cv.held_out.measure == "mse"
    assert "share is typically missed by" in answer(cv, "share", cv.index_best).quality


def test_old_files_tell_the_score() -> None:
    from dataclasses import replace

    cv = nb.cv_path(X, X[:, 0] + RNG.normal(size=N), cv=5, n_lambdas=10)
    old = replace(cv, null_fold_scores=None, held_out=None)
    assert answer(old, "y", 5).quality == f"On held-out rows, the deviance is {cv.cv_mean[5]:.3g}."


def test_percent_never_rounds_to_all_or_nothing() -> None:
    assert [percent(share) for share in (0, 1, 0.1234, 0.9996, 0.0002)] == [
        "0.0 %",
        "100.0 %",
        "12.3 %",
        "99.96 %",
        "0.02 %",
    ]


def test_labels_that_are_numbers_are_told_with_their_target() -> None:
    cv = nb.cv_path(X, (X[:, 0] > 0).astype(int) ^ (RNG.random(N) < 0.2), family="binomial", cv=5, n_lambdas=5)
    assert class_name(cv, "benign", 1) == "benign = 1"


@pytest.mark.parametrize("family", ["gaussian", "cox"])
def test_a_choice_without_features_is_said_in_words(family):
    rng = np.random.default_rng(1)
    X, noise = rng.normal(size=(200, 5)), rng.exponential(size=200)
    y = noise if family == "gaussian" else (noise, rng.random(200) < 0.8)
    cv = nb.cv_path(X, y, family=family, n_lambdas=20)
    assert cv.at("best").n_nonzero == 0
    assert "No feature is kept: held-out rows are predicted best without." in cv.summary().splitlines()
    assert "No feature is kept: held-out rows are predicted best without." in cv._repr_html_()
    time = rng.exponential(np.exp(-0.22 * X[:, 0]))
    y = -np.log(time) if family == "gaussian" else (time, np.ones(200))
    some = nb.cv_path(X, y, family=family, n_lambdas=20)
    n_best = some.at("best").n_nonzero
    assert (some.at("1se").n_nonzero, n_best > 0) == (0, True)
    text = (
        "No feature is kept at lambda_1se: one standard error is more than any model gains over none. lambda_best keeps"
    )
    assert f"{text} {n_best}." in some.summary().splitlines()
    assert "No feature" not in some.summary(select="best")
