"""Columns that cannot become the features that are asked for: what is said, in Python and at the terminal."""

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.cli import main
from normball.inputs.preparation import Preparation
from normball.inputs.prepare import prepare
from normball.messages import DataError
from terms_table import ALL, TABLE, A, N, Y, design


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["a"] * 4, "holds text that is no date"),
        (["2020-01-01", "2020-01-02", "soon", "2020-01-04"], 'no date: "soon"'),
        (["1/2/2020", "3/4/2020", "5/6/2020", "7/8/2020"], "more than one way"),
        ([1.5, 2.5, 3.5, 4.5], "numbers that are no dates"),
        ([datetime.time(3), datetime.time(4), None, None], "no dates with a year"),
    ],
)
def test_what_is_no_date_is_said(values: list[Any], words: str) -> None:
    with pytest.raises(DataError, match="E15") as caught:
        prepare(pl.DataFrame({"y": A[:4], "day": values}), "y", family="gaussian", dates=["day"])
    assert words in str(caught.value)


@pytest.mark.parametrize("damage", [("kind", "poem"), ("first", "tomorrow"), ("terms", []), ("form", 3)])
def test_damaged_terms_are_refused(damage: tuple[str, Any]) -> None:
    _, preparation = design(TABLE[["y", "day"]], dates=["day"])
    saved = json.loads(json.dumps(preparation.to_dict()))
    saved["columns"][0][damage[0]] = damage[1]
    with pytest.raises(ValueError, match=damage[0]):
        Preparation.from_dict(saved)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"text": ["nota"]}, 'Column (of text) "nota" not found'),
        ({"text": ["note"], "categorical": ["note"]}, "named by both text and categorical"),
        ({"text": {"note": 10_000}}, "No word of column"),
        ({"spline": ["town"]}, "holds labels"),
        ({"spline": ["two"]}, "too few for a curve"),
        ({"spline": ["a"], "drop": ["a"]}, 'Column "a" (of spline) is no feature'),
        ({"interact": ["a"]}, "is no pair of columns"),
        ({"interact": ["a:nowhere"]}, 'there is no "nowhere"'),
        ({"interact": ["town:town"]}, "are these levels again"),
        ({"dates": ["day"], "interact": ["day:a"]}, "is one of dates"),
        ({"baseline": {"town": "Paris"}}, 'has no level "Paris"'),
        ({"baseline": {"a": "1"}}, "has no levels"),
    ],
)
def test_what_cannot_be_is_said(options: dict[str, Any], words: str) -> None:
    table = (
        TABLE.with_columns(two=pl.Series(np.arange(N) % 2))
        if "dates" in options
        else TABLE.drop("day").with_columns(two=pl.Series(np.arange(N) % 2))
    )
    with pytest.raises(DataError) as caught:
        nb.fit_path(table, "y", **options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"min_count": -1},
        {"missing": "some"},
        {"fill_value": 1.0},
        {"text": {"note": 0}},
        {"fill_value": np.inf, "missing": "constant"},
    ],
)
def test_words_that_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        nb.fit_path(TABLE, "y", **options)


def test_rows_in_blocks_refuse_words() -> None:
    with pytest.raises(ValueError, match="text: not for rows that come in blocks"):
        nb.fit_path(TABLE.lazy(), "y", text=["note"])


@pytest.mark.parametrize("option", ["dates", "spline", "interact"])
def test_arrays_in_blocks_refuse_them(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} is not available for arrays that are read in blocks"):
        nb.fit_path(nb.Blocks(TABLE[["a", "b"]].to_numpy()), Y, **{option: ALL[option]})


def test_at_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TABLE.write_csv(tmp_path / "t.csv")
    words = [*("--min-count", "20", "--baseline", "side=left", "--dates", "day", "--text", "note=5", "--spline", "a=4")]
    words += ["--interact", "a:side,b:b", "--missing", "mean", "--cv", "3", "--n-lambdas", "20", "--penalty", "l1"]
    assert main(["fit", str(tmp_path / "t.csv"), "--target", "y", "-o", str(tmp_path), *words]) == 0
    told = "".join(capsys.readouterr())
    assert "1 date -> " in told
    assert "1 text -> " in told
    assert "stand together" in told
    made = nb.load(tmp_path / "model.json")
    assert {"day month = Jan", "note: very good", "a spline 1", "b:b", "side = right"} <= {*made.path.feature_names}
    TABLE.drop("y").write_csv(tmp_path / "new.csv")
    assert (
        main(["predict", str(tmp_path / "model.json"), str(tmp_path / "new.csv"), "-o", str(tmp_path / "p.csv")]) == 0
    )
    written = pl.read_csv(tmp_path / "p.csv")["prediction"].to_numpy()
    np.testing.assert_allclose(written, made.at("1se").predict(TABLE), rtol=1e-9)
    assert main(["report", str(tmp_path / "model.json"), "--data", str(tmp_path / "t.csv")]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--text", "note=x"], "--text COL=N"),
        (["--baseline", "side"], "--baseline COL=LEVEL"),
        (["--baseline", "commonest,side=left"], "leave the others out"),
        (["--memory", "1GB", "--text", "note"], "--text: not for a table that is read in blocks"),
    ],
)
def test_words_of_the_terminal_that_cannot_be(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TABLE.write_csv(tmp_path / "t.csv")
    assert main(["fit", str(tmp_path / "t.csv"), "--target", "y", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fitted_on", "new", "wrong"),
    [
        ("%d.%m.%Y", ["02.01.2021", "soon", "2.1.21", "2021-01-02"], '"2.1.21", "2021-01-02", "soon"'),
        ("%Y-%m-%dT%H:%M:%SZ", ["2021-01-02T10:00:00Z", "soon", "2021-01-02"], '"2021-01-02", "soon"'),
        ("%d.%m.%y", ["02.01.21", "02.01.2021"], '"02.01.2021"'),
    ],
)
def test_new_text_that_is_no_date_is_told_apart_from_dates(fitted_on: str, new: list[str], wrong: str) -> None:
    days = [datetime.datetime(2021, 1, 1) + datetime.timedelta(37 * k) for k in range(60)]
    table = pl.DataFrame({"day": [f"{day:{fitted_on}}" for day in days], "y": np.arange(60.0)})
    fit = nb.fit_path(table, "y", dates=["day"]).at(lam=0.01)
    with pytest.raises(DataError) as raised:
        fit.predict(pl.DataFrame({"day": new}))
    assert f": {wrong}." in str(raised.value)
    assert f"{datetime.datetime(2021, 12, 31, 10, 30):{fitted_on.removesuffix('Z').replace('T', ' ')}}" in str(
        raised.value
    )


def test_a_factor_that_new_rows_have_as_text_is_told() -> None:
    fit = nb.fit_path(TABLE, "y", interact=["a:b"], drop=["day", "note"], missing="mean").at(lam=0.1)
    new = TABLE.with_columns(a=pl.lit("abc"))
    with pytest.raises(DataError, match='New column "a" is not numeric') as raised:
        fit.predict(new)
    assert len(raised.value.findings) == 1
