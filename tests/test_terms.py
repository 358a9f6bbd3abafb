"""Columns that become other features: levels lumped or measured against one, dates, words, splines, products."""

import datetime
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.interpolate import BSpline
from sklearn.feature_extraction.text import CountVectorizer

import normball as nb
from normball.inputs.preparation import Preparation
from normball.inputs.prepare import prepare
from normball.messages import DataError
from terms_table import ALL, DAYS, NOTES, RNG, SIDE, TABLE, TOWN, A, B, N, Y, design, with_gaps

# -- levels


def test_rare_levels_stand_together_and_are_counted() -> None:
    counts = Counter(TOWN.tolist())
    rare = [town for town in counts if counts[town] < 20]
    found, preparation = design(TABLE[["y", "town"]], min_count=20)
    assert {*found} == {*(f"town = {town}" for town in counts if town not in rare), "town = (rare)"}
    assert np.array_equal(found["town = (rare)"], np.isin(TOWN, rare))
    assert sum(preparation.columns[0].n_rows or ()) == N
    (finding,) = prepare(TABLE[["y", "town"]], "y", family="gaussian", min_count=20).findings
    assert finding.code == "W06"
    assert f'"town" {len(rare)} of 5 levels ({sum(counts[town] for town in rare)} rows): ' in finding.text


def test_a_level_of_new_rows_is_rare_where_rare_levels_stand_together() -> None:
    path = nb.fit_path(TABLE[["y", "town"]], "y", min_count=20)
    new = pl.DataFrame({"town": ["York", "Paris", "Rome"]})
    rare, unseen, common = path.predict(new, lam=0.01)
    assert rare == unseen != common
    with pytest.raises(DataError, match='level unseen in training: "Paris"'):
        nb.fit_path(TABLE[["y", "town"]], "y").predict(new, lam=0.01)


def test_a_level_that_is_always_rare_keeps_outer_folds_whole() -> None:
    """Rows of a level that the training rows lack are predicted: they are as rare as can be."""
    model = nb.GLMRegressor(lam=0.01, min_count=20, unknown="error")
    rows = np.flatnonzero(TOWN != "York")
    model.fit(TABLE[["town", "a"]][rows], Y[rows])
    assert np.isfinite(model.predict(TABLE[["town", "a"]])).all()


@pytest.mark.parametrize("baseline", [{"town": "Oslo"}, "commonest"])
def test_a_baseline_has_no_indicator(baseline: Any) -> None:
    level = "Oslo" if isinstance(baseline, dict) else Counter(TOWN.tolist()).most_common(1)[0][0]
    found, preparation = design(TABLE[["y", "town"]], baseline=baseline)
    assert f"town = {level}" not in found
    assert not np.any([column[level == TOWN] for column in found.values()])
    full, _ = design(TABLE[["y", "town"]])
    assert {*full} - {*found} == {f"town = {level}"}
    assert Preparation.from_dict(json.loads(json.dumps(preparation.to_dict()))) == preparation


def test_without_a_penalty_a_baseline_changes_no_prediction() -> None:
    options: dict[str, Any] = {"lambdas": [1e-9], "l1_ratio": 0.0, "tol": 1e-12}
    both = [nb.fit_path(TABLE[["y", "town"]], "y", baseline=one, **options) for one in (None, {"town": "Rome"})]
    one, other = (path.predict(TABLE, lam=1e-9) for path in both)
    np.testing.assert_allclose(one, other, atol=1e-5)
    means = {town: Y[town == TOWN].mean() for town in np.unique(TOWN)}
    coef = dict(zip(both[1].feature_names, both[1].at(lam=1e-9).coef, strict=True))
    assert coef["town = Oslo"] == pytest.approx(means["Oslo"] - means["Rome"], abs=1e-5)


# -- missing values


@pytest.mark.parametrize(
    ("missing", "fill"),
    [("impute", np.median), ("median", np.median), ("mean", np.mean), ("constant", lambda _: 0.0)],
)
def test_what_is_imputed(missing: str, fill: Any) -> None:
    table = with_gaps("a", 30)
    found, _ = design(table[["y", "a"]], missing=missing)
    assert np.allclose(found["a"][:30], fill(A[30:]))
    assert np.array_equal(found["a"][30:], A[30:])
    assert found["a is missing"].sum() == 30


def test_a_constant_of_ones_own() -> None:
    found, _ = design(with_gaps("a", 3)[["y", "a"]], missing="constant", fill_value=-9.5)
    assert found["a"][0] == -9.5


@pytest.mark.parametrize("missing", ["mean", "constant"])
def test_each_fold_learns_its_own_fill(missing: str) -> None:
    """The folds of a cross-validation are the fits to their training rows, prepared by themselves."""
    table, folds = with_gaps("a", 60)[["y", "a", "b"]], np.arange(N) % 3
    cv = nb.cv_path(table, "y", fold_ids=folds, missing=missing, keep_predictions=True, n_lambdas=20)
    for fold in range(3):
        train = np.flatnonzero(folds != fold)
        alone = nb.fit_path(table[train], "y", missing=missing, lambdas=cv.lambdas)
        held_out = alone.predict(table[np.flatnonzero(folds == fold)], lam=float(cv.lambdas[-1]))
        assert cv.predictions is not None
        np.testing.assert_allclose(cv.predictions[folds == fold, -1], held_out, rtol=1e-6, atol=1e-6)


# -- dates


def test_the_features_of_dates_are_those_of_the_calendar() -> None:
    found, _ = design(TABLE[["y", "day"]], dates=["day"])
    assert found["day year"].tolist() == [day.year for day in DAYS]
    first = min(DAYS)
    assert found["day days"].tolist() == [(day - first).days for day in DAYS]
    for names in (day.strftime("day month = %b") for day in DAYS):
        assert names in found
    for k, day in enumerate(DAYS[:50]):
        assert found[f"day month = {day:%b}"][k] == 1.0
        assert found[f"day weekday = {day:%a}"][k] == 1.0
    assert all(column.sum() > 0 for column in found.values())


@pytest.mark.parametrize(
    "written",
    [
        pl.col("day").cast(pl.Datetime("ms")),
        pl.col("day").dt.strftime("%Y-%m-%d"),
        pl.col("day").dt.strftime("%d.%m.%Y"),
        pl.col("day").dt.strftime("%B %d, %Y"),
        pl.col("day").dt.strftime("%Y%m%d").cast(pl.Int64),
        pl.col("day").cast(pl.Datetime("us", "UTC")),
    ],
)
def test_dates_are_the_same_however_they_are_written(written: pl.Expr) -> None:
    plain, _ = design(TABLE[["y", "day"]], dates=["day"])
    other, preparation = design(TABLE[["y", "day"]].with_columns(written), dates=["day"])
    assert {*plain} == {*other}
    assert all(np.array_equal(plain[name], other[name]) for name in plain)
    assert Preparation.from_dict(json.loads(json.dumps(preparation.to_dict()))) == preparation


def test_times_of_day_are_parts_of_days() -> None:
    moments = pl.Series("day", [datetime.datetime(2020, 1, 1, 6 * k, 0) for k in range(4)])
    found, _ = design(pl.DataFrame({"y": A[:4], "day": moments}), dates=["day"])
    assert found == {"day days": pytest.approx([0.0, 0.25, 0.5, 0.75])}


def test_new_dates_are_later_than_all_in_training() -> None:
    path = nb.fit_path(TABLE[["y", "day"]], "y", dates=["day"])
    coef = dict(zip(path.feature_names, path.coef_at(-1), strict=True))
    new = datetime.date(2031, 3, 5)
    by_hand = path.intercepts[-1] + 2031 * coef["day year"] + coef["day month = Mar"] + coef["day weekday = Wed"]
    by_hand += (new - min(DAYS)).days * coef["day days"]
    (found,) = path.predict(pl.DataFrame({"day": ["2031-03-05"]}), lam=float(path.lambdas[-1]))
    assert found == pytest.approx(by_hand, rel=1e-12)


def test_missing_dates() -> None:
    table = with_gaps("day", 20)[["y", "day"]]
    with pytest.raises(DataError, match=r"E04 Missing values \(NaN\): day") as caught:
        prepare(table, "y", family="gaussian", dates=["day"])
    assert "day 20 (8.3 %)" in str(caught.value)
    assert prepare(table, "y", family="gaussian", dates=["day"], missing="drop").n_rows == N - 20
    found, _ = design(table, dates=["day"], missing="impute")
    assert found["day days is missing"].sum() == 20
    assert not found["day month = Jan"][:20].any()


# -- words


def test_words_are_those_of_scikit_learn() -> None:
    vectorizer = CountVectorizer(ngram_range=(1, 2), min_df=7)
    counts = vectorizer.fit_transform(NOTES).toarray()
    found, preparation = design(TABLE[["y", "note"]], text={"note": 7})
    assert [*found] == [f"note: {word}" for word in vectorizer.get_feature_names_out()]
    assert np.array_equal(np.array([*found.values()]).T, counts)
    assert preparation.columns[0].n_rows == tuple((counts > 0).sum(axis=0).tolist())


def test_many_words_stay_sparse_and_new_ones_count_for_nothing() -> None:
    words = [f"w{k}" for k in range(3000)]
    texts = [" ".join(RNG.choice(words, size=12)) for _ in range(2000)]
    hits = np.array([text.split().count("w7") for text in texts], dtype=float)
    table = pl.DataFrame({"t": texts, "y": 3.0 * hits + RNG.normal(size=2000) / 9})
    data = prepare(table, "y", family="gaussian", text=["t"])
    assert isinstance(data.design, tuple)
    path = nb.fit_path(table, "y", text=["t"], lambdas=[0.05])
    assert path.feature_names[path.at(lam=0.05).kept[0]] == "t: w7"
    none, one = path.predict(pl.DataFrame({"t": ["nothing known", "w7 unheard"]}), lam=0.05)
    assert none == pytest.approx(path.intercepts[0])
    assert one - none == pytest.approx(path.at(lam=0.05).coef.max())


def test_missing_text() -> None:
    table = with_gaps("note", 11)[["y", "note"]]
    found, _ = design(table, text=["note"], missing="impute")
    assert found.pop("note is missing").sum() == 11
    assert not any(column[:11].any() for column in found.values())
    assert prepare(table, "y", family="gaussian", text=["note"], missing="drop").n_rows == N - 11


# -- splines and products


def test_splines_are_the_b_splines_of_their_knots() -> None:
    found, _ = design(TABLE[["y", "a"]], spline={"a": 6})
    knots = np.quantile(A, np.linspace(0, 1, 6))
    first, last = knots[1] - knots[0], knots[-1] - knots[-2]
    whole = [*(knots[0] - first * np.arange(3, 0, -1)), *knots, *(knots[-1] + last * np.arange(1, 4))]
    basis = BSpline.design_matrix(A, np.array(whole), 3).toarray()
    np.testing.assert_allclose(np.array([*found.values()]).T, basis[:, :-1], atol=1e-12)


def test_beyond_its_outer_knots_a_spline_is_a_line() -> None:
    path = nb.fit_path(TABLE[["y", "a"]], "y", spline=["a"])
    low, high = A.min(), A.max()
    for end, step in ((low, -1.0), (high, 1.0)):
        values = path.predict(pl.DataFrame({"a": end + step * np.array([1.0, 2.0, 3.0])}), lam=0.001)
        assert np.diff(values, 2) == pytest.approx(0.0, abs=1e-9)


def test_products_are_products() -> None:
    found, preparation = design(TABLE[["y", "a", "b", "side", "town"]], interact=["a:b", "a:side", "town:side"])
    assert np.array_equal(found["a:b"], A * B)
    for side in ("left", "right"):
        assert np.array_equal(found[f"a:side = {side}"], A * (side == SIDE))
        assert np.array_equal(found[f"town = Rome:side = {side}"], (TOWN == "Rome") & (side == SIDE))
    term = preparation.columns[-1]
    assert term.n_rows == tuple(int(found[name].sum()) for name in term.features)
    assert min(term.n_rows) > 0  # what does not occur is left out


# -- all together


def test_everything_goes_through_a_file_and_to_new_rows(tmp_path: Path) -> None:
    cv = nb.cv_path(TABLE, "y", cv=4, n_lambdas=30, **ALL)
    cv.save(tmp_path / "model.json")
    loaded = nb.load(tmp_path / "model.json")
    assert loaded.path.preparation == cv.path.preparation
    new = TABLE[:7].with_columns(day=pl.col("day").dt.offset_by("4y"), note=pl.lit("very good unheard"))
    assert np.array_equal(loaded.path.predict(new, lam=0.02), cv.path.predict(new, lam=0.02))
    shuffled = new.select(sorted(new.columns)).drop("y").with_columns(other=pl.lit("x"))
    assert np.array_equal(loaded.path.predict(shuffled, lam=0.02), cv.path.predict(new, lam=0.02))


def test_the_same_from_every_library() -> None:
    fits = [
        nb.fit_path(table, "y", lambdas=[0.02], **ALL).at(lam=0.02).coef
        for table in (
            TABLE,
            TABLE.to_pandas(),
            TABLE.to_arrow(),
            pa.Table.from_pandas(pd.DataFrame(TABLE.to_dict(as_series=False))),
        )
    ]
    assert all(np.array_equal(fits[0], fit) for fit in fits[1:])


def test_estimators_take_them_and_tell_importances_by_column() -> None:
    X = TABLE.drop("y")
    model = nb.GLMRegressor(lam=0.02, **ALL).fit(X, Y)
    assert model.feature_importances_.shape == (X.width,)
    assert model.feature_importances_.argmax() in (
        X.columns.index("note"),
        X.columns.index("a"),
        X.columns.index("day"),
    )
    charged = np.abs(model._fit.coef_per_sd).sum()
    assert model.feature_importances_.sum() == pytest.approx(charged)


def test_penalty_factors_by_column_are_about_all_its_features() -> None:
    path = nb.fit_path(TABLE, "y", penalty_factors={"day": np.inf, "note": 0.0, "a": np.inf}, **ALL)
    kept = [name for name, coef in zip(path.feature_names, path.coef_at(0), strict=True) if coef != 0]
    assert {name.partition(":")[0] for name in kept} == {"note"}
    never = [name for name in path.feature_names if name.startswith(("day ", "a spline"))]
    places = [path.feature_names.index(name) for name in never]
    assert not path.coef_at(-1)[places].any()
