"""What a page predicts for a row is what the model predicts: recomputed here from the numbers that the page holds."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.evidence import listed
from payloads import described, made

RNG = np.random.default_rng(5)
N = 400
HOURS = [f"h{hour}" for hour in range(24)]
FOUND_TARGETS = {
    "gaussian": lambda eta: eta + RNG.normal(size=N),
    "binomial": lambda eta: np.where(eta + RNG.logistic(size=N) > 0, "yes", "no"),
    "poisson": lambda eta: RNG.poisson(np.exp(0.4 * eta)),
    "multinomial": lambda eta: np.array(["low", "middle", "high"])[np.digitize(eta + RNG.logistic(size=N), [-1, 1])],
}


def table(family: str) -> tuple[pl.DataFrame, Any]:
    """Numbers, whole numbers, numbers with gaps, texts of two, four and 24 levels, a text with gaps."""
    numbers = {f"x{j}": RNG.normal(size=N) for j in range(40)}
    hour, sex, part = RNG.integers(0, 24, N), RNG.choice(["f", "m"], N), RNG.choice(["a", "b", "c", "d"], N)
    age = RNG.integers(18, 90, N)
    gaps, lost = RNG.random(N) < 0.1, RNG.random(N) < 0.1
    eta = numbers["x0"] + (sex == "f") + np.sin(hour / 4) + 0.02 * (age - 50) + 1.5 * gaps + 1.0 * lost
    frame = pl.DataFrame({**numbers, "hr": np.array(HOURS)[hour], "sex": sex, "age": age}).with_columns(
        gap=pl.when(pl.Series(gaps)).then(None).otherwise(pl.Series(RNG.normal(size=N) + 7)),
        part=pl.when(pl.Series(lost)).then(None).otherwise(pl.Series(part)),
    )
    return frame, FOUND_TARGETS[family](eta)


def start_of(column: dict[str, Any]) -> Any:
    if column["is_number"]:
        return column["range"][1] if column["range"] else None
    return column["levels"][int(np.argmax(column["n_rows"]))]


def link(content: dict[str, Any], row: dict[str, Any], index: int) -> Any:
    """The linear predictor at one strength from what the page holds, for a row of all columns that can be set."""
    several = content["outputs"]

    def coef(place: int | None) -> Any:
        n_listed = len(content["features"])
        if place is None:
            return 0.0
        if place < n_listed:
            feature = content["features"][place]
            return np.array(feature["by_output"])[:, index] if several else feature["coefs"][index]
        other = content["others"][place - n_listed]
        curves = [dict(curve).get(index, 0.0) for curve in other["by_output"] or [other["coefs"]]]
        return np.array(curves) if several else curves[0]

    eta = np.array([one["rest"][index] for one in several]) if several else content["rest"][index]
    for column in content["columns"]:
        if not column["settable"]:
            continue
        value = row[column["name"]]
        if not column["is_number"]:
            eta = eta + coef(column["places"][column["levels"].index("(missing)" if value is None else value)])
        elif value is None:
            eta = eta + column["fill"] * coef(column["number"]) + coef(column["places"][0])
        else:
            eta = eta + value * coef(column["number"])
    return eta


@pytest.mark.parametrize("ratio", [1.0, 0.0])
@pytest.mark.parametrize("family", FOUND_TARGETS)
def test_a_row_of_the_page_is_predict(family: Any, ratio: float) -> None:
    X, y = table(family)
    options: dict[str, Any] = {"family": family, "l1_ratio": ratio, "missing": "impute", "cv": 3, "n_lambdas": 25}
    cv = nb.cv_path(X, y, **options)
    content = described(cv, X, y)
    start = {column["name"]: start_of(column) for column in content["columns"] if column["settable"]}
    assert set(start) >= {"x0", "hr", "sex", "gap", "age"}
    assert content["others_complete"]
    assert {column["name"] for column in content["columns"] if not column["settable"]} == set(X.columns) - set(start)
    rows = [X.row(i, named=True) for i in (0, 7, 31)] + [{**X.row(3, named=True), "gap": None, "part": None}]
    rows.append(X.row(0, named=True) | {name: value for name, value in start.items() if value is not None})
    for index in (8, 16, 24):
        wanted = expected(cv, X, rows, index, set(start))
        found = np.array([link(content, row, index) for row in rows])
        assert np.abs(found - wanted).max() < 2e-6 * max(1.0, np.abs(wanted).max())
        model = cv.path.predict(pl.DataFrame(rows, schema=X.schema), lam=float(cv.lambdas[index]))
        assert wanted == pytest.approx(model, abs=1e-12)


def expected(cv: nb.CVPath, X: pl.DataFrame, rows: list[dict[str, Any]], index: int, free: set[str]) -> Any:
    """The linear predictor of these rows, the columns that are not free at their means."""
    names, preparation = cv.path.column_names, cv.path.preparation
    moves = np.array([names[c] in free for c in preparation.column_of_feature])
    design = np.asarray(preparation.transform(pl.DataFrame(rows, schema=X.schema)))
    values = np.where(moves, design, np.asarray(preparation.transform(X)).mean(axis=0))
    fit = cv.path.fit_at(index)
    return fit.intercept + values @ fit.coef.T


def test_columns_beyond_the_room_of_a_page_stay_at_their_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed, "MOST_OF_OTHERS", 1000)  # room for some levels only
    X, y = table("gaussian")
    many = X.with_columns(many=pl.Series(RNG.choice([f"m{j}" for j in range(60)], N)))
    cv = nb.cv_path(many, y, l1_ratio=0.0, missing="impute", cv=3, n_lambdas=100)
    content = described(cv, many, y)
    assert not content["others_complete"]
    can_vary = [column["name"] for column in content["columns"] if column["settable"]]
    assert "hr" in can_vary
    assert "many" not in can_vary
    rows = [many.row(i, named=True) for i in (0, 9)]
    found = [link(content, row, 60) for row in rows]
    assert found == pytest.approx(expected(cv, many, rows, 60, set(can_vary)), abs=1e-5)


def test_without_levels_counted_a_text_stays_at_its_mean() -> None:
    """Models of earlier versions do not know the commonest level."""
    X, y = table("gaussian")
    cv = nb.cv_path(X.select("x0", "sex"), y, cv=3, n_lambdas=10)
    old = tuple(replace(column, n_rows=None) for column in cv.path.preparation.columns)
    object.__setattr__(cv.path.preparation, "columns", old)
    content = described(cv, X.select("x0", "sex"), y)
    assert {column["name"]: column["settable"] for column in content["columns"]} == {"x0": True, "sex": False}
    fit = cv.path.fit_at(9)
    share = np.array([(X["sex"] == level).mean() for level in ("f", "m")])
    rest = fit.intercept + share @ fit.coef[[cv.path.feature_names.index(f"sex = {level}") for level in ("f", "m")]]
    assert content["rest"][9] == pytest.approx(rest)


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_count_in_ranges_and_rows_without_weight_do_not(sparse: bool) -> None:
    from scipy.sparse import csc_array

    X, y = made("gaussian", n=120)
    X[5] = 99.0
    weights = np.where(np.arange(120) == 5, 0.0, 1.0)
    cv = nb.cv_path(csc_array(X) if sparse else X, y, sample_weight=weights, cv=3, n_lambdas=10)
    content = described(cv, csc_array(X) if sparse else X, y, sample_weight=weights)
    rest = np.delete(X, 5, axis=0)
    for column in content["columns"]:
        values = rest[:, cv.path.feature_names.index(column["name"])]
        assert column["range"][0] == values.min()
        assert column["range"][2] == values.max()
        assert abs(np.mean(values <= column["range"][1]) - 0.5) < 0.01
        assert column["whole"] is False
