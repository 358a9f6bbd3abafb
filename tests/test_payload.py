"""What a page holds of a model and its data: every number against its definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import sparse

import normball as nb
from normball.evidence.held_out import quantiles
from normball.evidence.listed import listed
from normball.families import find_family
from normball.messages import DataError
from normball.report.payload import payload
from normball.report.recipes import recipes
from normball.run import Run
from payloads import FAMILIES, MODELS, Case, described, made, made_case, penalty, per_sd


@pytest.fixture(scope="module", params=MODELS)
def case(request: pytest.FixtureRequest) -> Case:
    """A cross-validated path, its data and its payload."""
    return made_case(*request.param)


def test_loss_and_penalty_are_the_objective(case: Case) -> None:
    cv, X, y, content = case
    for index in (0, 10, 29):
        fit = cv.path.fit_at(index)
        eta = fit.predict(X)[:, None]
        loss = find_family(cv.path.family).loss(y.astype(float)[:, None], eta).mean()
        size = fit.coef * X.std(axis=0)
        costs = fit.lam * (fit.l1_ratio * np.abs(size).sum() + (1 - fit.l1_ratio) * (size**2).sum() / 2)
        assert content["evidence"]["loss"][index] == pytest.approx(loss, rel=1e-8)
        assert penalty(content, index) == pytest.approx(costs, rel=1e-8, abs=1e-12)


def test_gradients_obey_the_optimality_conditions(case: Case) -> None:
    _, _, _, content = case
    gradients, coefs = np.array(content["evidence"]["gradients"]), per_sd(content)
    strength = np.array(content["lambdas"])[:, None]
    pull = gradients + strength * (1 - content["l1_ratio"]) * coefs
    bound = strength * content["l1_ratio"]
    slack = 1e-4 * np.abs(gradients).max()
    assert (np.abs(pull) <= bound + slack).all()
    kept = coefs != 0
    assert np.abs(pull + bound * np.sign(coefs))[kept].max() < slack


def test_margins_count_every_row() -> None:
    X, y = made("binomial")
    cv = nb.cv_path(X, y, family="binomial", cv=5, n_lambdas=20, keep_predictions=True)
    told = described(cv, X, y)["evidence"]
    margins = told["margins"]
    assert {sum(counts) for counts in margins["counts"]} == {int(y.sum())}
    assert {sum(counts) for counts in margins["negative"]} == {int((1 - y).sum())}
    best = cv.index_best
    assert margins["largest"][best] == pytest.approx(cv.diagnostics["best"]["largest_margin"], rel=1e-3)
    assert margins["flat"][best] == pytest.approx(cv.diagnostics["best"]["saturated"], rel=1e-3)


def test_scaled_weights() -> None:
    X, y = made("binomial")
    cv = nb.cv_path(X, y, family="binomial", cv=5, n_lambdas=20, keep_predictions=True)
    scaling = described(cv, X, y)["evidence"]["scaling"]
    place = scaling["at"].index(cv.index_best)
    one = scaling["factors"].index(1)
    assert scaling["train"][place][one] == pytest.approx(cv.path.loss[cv.index_best], rel=5e-4)
    assert scaling["held_out"][place][one] == pytest.approx(cv.cv_mean[cv.index_best] / 2, rel=1e-2)
    eta = 10 * cv.at("best").predict(X)
    assert scaling["train"][place][-1] == pytest.approx(np.mean(np.logaddexp(0, eta) - y * eta), rel=5e-4)
    assert scaling["gradient"][place][-1] == pytest.approx(np.mean(np.abs(1 / (1 + np.exp(-eta)) - y)), rel=5e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_calibration(family: str) -> None:
    X, y = made(family, n=200)
    cv = nb.cv_path(X, y, family=family, cv=5, n_lambdas=20, keep_predictions=True)
    told = described(cv, X, y)["evidence"]["calibration"]
    for counts, observed in zip(told["counts"], told["observed"], strict=True):
        assert sum(counts) == 200
        assert len(counts) <= 10
        assert np.average(observed, weights=counts) == pytest.approx(y.mean(), rel=5e-4, abs=1e-3)
    assert min(told["counts"][-1]) >= 18
    if family == "binomial":
        assert cv.predictions is not None
        mean = 1 / (1 + np.exp(-cv.predictions))
        assert told["brier"] == pytest.approx(((mean - y[:, None]) ** 2).mean(axis=0), rel=1e-3)
        assert told["spans"] is None
    else:
        assert told["brier"][0] is None
        assert cv.predictions is not None
        order = np.argsort(cv.predictions[:, -1], kind="stable")
        place = 0
        for count, (low, high) in zip(told["counts"][-1], told["spans"][-1], strict=True):
            inside = np.sort(y[order[place : place + count]])
            place += count
            wanted = [inside[int(np.ceil(share * count)) - 1] for share in (0.1, 0.9)]
            assert [low, high] == pytest.approx(wanted, rel=1e-3, abs=1e-3)


def test_many_rows_are_taken_together() -> None:
    X, y = made("binomial", n=24_000, p=4)
    cv = nb.cv_path(X, y, family="binomial", cv=3, n_lambdas=5, keep_predictions=True)
    content = described(cv, X, y)
    told = content["evidence"]
    assert cv.predictions is not None
    order = np.argsort(cv.predictions[:, 4])
    mean = 1 / (1 + np.exp(-cv.predictions[:, 4]))
    for group, rows in enumerate(np.array_split(order, 10)):
        assert told["calibration"]["predicted"][4][group] == pytest.approx(mean[rows].mean(), abs=2e-3)
        assert told["calibration"]["observed"][4][group] == pytest.approx(y[rows].mean(), abs=5e-3)
    number = content["columns"][0]
    values = X[:, cv.path.feature_names.index(number["name"])]
    assert number["range"] == pytest.approx([values.min(), np.median(values), values.max()], abs=0.01)


def test_residuals_are_those_of_held_out_rows() -> None:
    X, y = made("gaussian")
    cv = nb.cv_path(X, y, cv=5, n_lambdas=20, keep_predictions=True)
    told = described(cv, X, y)["evidence"]["residuals"]
    assert cv.predictions is not None
    left = y[:, None] - cv.predictions
    assert {sum(counts) for counts in told["counts"]} == {90}
    assert [points[2] for points in told["quantiles"]] == pytest.approx(np.median(left, axis=0), abs=0.1)


def test_without_held_out_predictions() -> None:
    X, y = made("binomial")
    told = described(nb.cv_path(X, y, family="binomial", cv=5, n_lambdas=20), X, y)["evidence"]
    assert told["held_out"] is False
    assert told["calibration"] is None
    assert set(told["scaling"]["held_out"][0]) == {None}


def test_without_data() -> None:
    X, y = made("gaussian", n=60, p=600)
    cv = nb.cv_path(X, y, cv=4, l1_ratio=0.0)
    content = payload(cv, Run(), None)
    assert content["evidence"] is None
    assert content["rest"] is None
    assert content["others_complete"] is False
    assert content["columns"][0]["counts"] is None
    assert not any(column["settable"] for column in content["columns"])


@pytest.mark.parametrize("p", [1_000, 10_000])
@pytest.mark.parametrize(("family", "ratio"), [("gaussian", 0.0), ("binomial", 0.5), ("poisson", 1.0)])
def test_sizes(tmp_path: Path, p: int, family: Any, ratio: float) -> None:
    X, y = made(family, n=80, p=p)
    cv = nb.cv_path(X, y, family=family, l1_ratio=ratio, cv=4, keep_predictions=True)
    cv.report(tmp_path / "r.html", X, y)
    assert (tmp_path / "r.html").stat().st_size < 900_000


def test_a_fine_grid_lists_fewer_features() -> None:
    X, y = made("gaussian", n=50, p=80)
    cv = nb.cv_path(X, y, cv=3, n_lambdas=400, l1_ratio=0.0)
    assert listed(cv, Run()).size == 18


def test_the_code_is_that_of_every_lambda(case: Case) -> None:
    cv, _, _, content = case
    for index in (0, 17, 29):
        wanted = [one.code for one in recipes(cv, Run(), float(cv.lambdas[index]))]
        assert [program[index] for program in content["recipes"]] == wanted
    assert content["recipes"][0][3] != content["recipes"][0][4]


def test_the_features_that_count_come_first() -> None:
    X, y = made("gaussian", p=80)
    cv = nb.cv_path(X, y, cv=5)
    sizes = np.maximum(np.abs(cv.at("best").coef_per_sd), np.abs(cv.at("1se").coef_per_sd))
    order = listed(cv, Run())
    kept = int((sizes > 0).sum())
    assert order[:kept].tolist() == np.argsort(-sizes, kind="stable")[:kept].tolist()
    everywhere = {one["name"] for one in payload(cv, Run(), None)["others"]} | {cv.path.feature_names[j] for j in order}
    assert everywhere >= {cv.path.feature_names[j] for j in np.flatnonzero(np.abs(cv.path.coefs).max(axis=0))}


@pytest.mark.parametrize("family", FAMILIES)
def test_sparse_is_dense(family: Any) -> None:
    X, y = made(family)
    X[np.random.default_rng(1).random(X.shape) < 0.6] = 0.0
    cv = nb.cv_path(X, y, family=family, cv=5, n_lambdas=20, keep_predictions=True)
    dense, thin = described(cv, X, y), described(cv, sparse.csc_matrix(X), y)
    assert_close(dense["evidence"], thin["evidence"])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_weight_of_two_is_a_row_twice(family: Any) -> None:
    X, y = made(family, n=60)
    weights = np.where(np.arange(60) < 20, 2.0, 1.0)
    twice = np.concatenate([np.arange(60), np.arange(20)])
    folds = np.arange(60) % 5
    options: dict[str, Any] = {"family": family, "n_lambdas": 15, "tol": 1e-11, "keep_predictions": True}
    first = nb.cv_path(X, y, sample_weight=weights, fold_ids=folds, **options)
    second = nb.cv_path(X[twice], y[twice], fold_ids=folds[twice], **options)
    one = described(first, X, y, sample_weight=weights)["evidence"]
    other = described(second, X[twice], y[twice])["evidence"]
    for told in (one, other):
        for name in ("margins", "residuals", "decisions", "row_groups"):  # these count rows
            told.pop(name)
        counted = ("counts", "predicted", "quantiles", "zeros", "zero_shares")  # and so do these
        for name in counted if told["observed"] else ():
            told["observed"].pop(name)
        for name in ("counts", "se"):
            told["calibration"].pop(name)
    one.pop("calibration"), other.pop("calibration")
    assert_close(one, other, rel=2e-3)


def test_weighted_quantiles() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=50)
    repeats = rng.integers(1, 4, size=50)
    shares = (0.05, 0.5, 0.95)
    repeated = np.quantile(np.repeat(values, repeats), shares, method="inverted_cdf")
    assert quantiles(values, repeats.astype(float), shares) == pytest.approx(repeated)


def test_offset_and_weights_and_factors() -> None:
    X, y = made("poisson")
    rng = np.random.default_rng(3)
    data: dict[str, Any] = {"offset": rng.normal(size=90) / 3, "sample_weight": rng.uniform(0, 2, size=90).round()}
    factors = [0.0, 2.0, 1.0, 1.0, np.inf, 1.0]
    cv = nb.cv_path(X, y, family="poisson", cv=5, n_lambdas=20, penalty_factors=factors, tol=1e-10, **data)
    content = described(cv, X, y, **data)
    told, coefs = content["evidence"], per_sd(content)
    assert len(content["features"]) == 5  # infinity leaves one out
    strengths = np.array(content["lambdas"])[:, None] * told["factors"]
    gradients = np.array(told["gradients"])
    assert np.abs(gradients[coefs != 0] + (strengths * np.sign(coefs))[coefs != 0]).max() < 1e-4
    assert (np.abs(gradients) <= strengths + 1e-4).all()
    start = told["convexity"]["t"].index(0)
    assert told["convexity"]["loss"][0][start] == pytest.approx(told["null_loss"], rel=5e-4)


def test_names_survive() -> None:
    X, y = made("gaussian")
    names = ["</script>", "<img onerror=x>", '"a" & b', "\u202eright", "😀", "=1+1"]
    table = pl.DataFrame(X, schema=names).with_columns(y=y)
    cv = nb.cv_path(table, "y", cv=5, n_lambdas=20)
    content = described(cv, table, "y", Run(target="</title>"))
    assert {one["name"] for one in content["features"]} == set(names)
    assert content["title"] == "</title>"


def test_tables_with_labels_gaps_and_other_columns() -> None:
    X, y = made("binomial", n=120)
    rng = np.random.default_rng(0)
    table = pl.DataFrame(X, schema=[f"x{j}" for j in range(6)]).with_columns(
        y=pl.Series(["yes" if one else "no" for one in y]),
        colour=pl.Series(rng.choice(["red", "blue"], size=120)),
        x0=pl.when(pl.Series(rng.random(120) < 0.1)).then(None).otherwise(pl.Series(X[:, 0])),
        note=pl.lit("free text"),
    )
    for missing in ("drop", "impute"):
        options: dict[str, Any] = {"cv": 5, "n_lambdas": 15, "missing": missing, "drop": ["note"], "family": "auto"}
        cv = nb.cv_path(table, "y", keep_predictions=True, **options)
        content = described(cv, table, "y")
        assert content["classes"] == ["no", "yes"]
        assert content["evidence"]["held_out"]


def test_other_data_are_refused(tmp_path: Path) -> None:
    X, y = made("gaussian")
    cv = nb.cv_path(X, y, cv=5, n_lambdas=20)
    place = tmp_path / "r.html"
    with pytest.raises(DataError, match="they have 89 rows, and it was fitted to 90"):
        cv.report(place, X[:-1], y[:-1])
    with pytest.raises(DataError, match="5 columns; the model was fitted on 6"):
        cv.report(place, X[:, :-1], y)
    with pytest.raises(DataError, match="7 columns; the model was fitted on 6"):
        cv.report(place, np.column_stack([X, y]), y)
    with pytest.raises(DataError, match="their loss under the model differs"):
        cv.report(place, X[::-1], y)
    with pytest.raises(DataError, match="y has 90 values; X has 89 rows"):
        cv.report(place, X[:-1], y)
    with pytest.raises(TypeError, match="both X and y"):
        cv.report(place, X)
    assert not place.exists()
    cv.report(place, X, y)
    assert place.exists()


def assert_close(one: Any, other: Any, rel: float = 1e-4) -> None:
    """Like numbers and the same words at like places."""
    if isinstance(one, str):
        assert one == other
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_close(one[name], other[name], rel)
    elif isinstance(one, list) and one and not isinstance(one[0], (int, float, type(None))):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_close(a, b, rel)
    elif isinstance(one, list):
        assert [value is None for value in one] == [value is None for value in other]
        a, b = (np.array([value for value in many if value is not None], dtype=float) for many in (one, other))
        assert np.abs(a - b).max(initial=0.0) <= rel * max(1.0, np.abs(a).max(initial=0.0))
    else:
        assert one == (other if other is None else pytest.approx(other, rel=rel))
