"""Numbers written with something else in every cell, and dates: noticed, and every remedy works as it is printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.inputs.prepare import prepare
from normball.messages import DataError

N = 80
RNG = np.random.default_rng(3)
WHOLE = RNG.integers(1000, 9999, N)
X = RNG.normal(size=N)
Y = WHOLE / 1000 + X

# how each number is written, and the number that is meant
COSTUMES: dict[str, tuple[Callable[[int], str], float]] = {
    "decimal comma": (lambda v: f"{v / 100:.2f}".replace(".", ","), 0.01),
    "decimal comma with units": (lambda v: f"{v / 10:.1f} \u20ac".replace(".", ","), 0.1),
    "thousands in points": (lambda v: f"{v * 1000:,}".replace(",", "."), 1000),
    "thousands in commas": (lambda v: f"{v * 1000:,}", 1000),
    "thousands in commas, decimals": (lambda v: f"{v * 1.5:,.1f}", 1.5),
    "thousands in apostrophes": (lambda v: f"{v:,}".replace(",", "'"), 1),
    "thousands in typographic apostrophes": (lambda v: f"{v:,}".replace(",", "\u2019"), 1),
    "thousands in spaces": (lambda v: f"{v:,}".replace(",", " "), 1),
    "thousands in hard spaces": (lambda v: f"{v:,}".replace(",", "\u00a0"), 1),
    "thousands in thin spaces": (lambda v: f"{v:,}".replace(",", "\u202f"), 1),
    "percent": (lambda v: f"{v} %", 1),
    "percent at once": (lambda v: f"{v / 100}%", 0.01),
    "dollars": (lambda v: f"${v}", 1),
    "dollars with thousands": (lambda v: f"${v:,}.50", 1),
    "negative dollars": (lambda v: f"-${v}", -1),
    "accounting in dollars": (lambda v: f"(${v})", -1),
    "euros behind": (lambda v: f"{v} \u20ac", 1),
    "currency code": (lambda v: f"EUR {v}", 1),
    "kilograms": (lambda v: f"{v} kg", 1),
    "kilograms at once": (lambda v: f"{v}kg", 1),
    "per square metre": (lambda v: f"{v} kg/m\u00b2", 1),
    "degrees": (lambda v: f"{v}\u00b0C", 1),
    "minus of Unicode": (lambda v: f"\u2212{v}", -1),
    "accounting": (lambda v: f"({v})", -1),
    "minus behind": (lambda v: f"{v}-", -1),
}


def table_of(write: Callable[[int], str]) -> pl.DataFrame:
    return pl.DataFrame({"v": [write(int(value)) for value in WHOLE], "x": X, "y": Y})


def same_number(values: Any, factor: float) -> bool:
    return bool(np.allclose(np.diff(values.to_numpy()), np.diff(WHOLE * factor)))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("costume", COSTUMES)
def test_numbers_in_a_costume_are_noticed_and_the_remedy_reads_them(
    costume: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    write, factor = COSTUMES[costume]
    monkeypatch.chdir(tmp_path)
    getattr(table_of(write), f"write_{ending}")(f"t.{ending}")
    words = [f"t.{ending}", "--target", "y"]
    code, out, _ = run(capsys, "check", *words)
    found = re.search(r"Fix: (.*?)  or  .*--categorical v  or  --drop v", out)
    assert bool(found) == (code == 3)
    options = shlex.split(found[1]) if found else []
    assert code == 0 or 'E01 Column "v" is not numeric: 80 of 80 values' in out
    code, out, err = run(capsys, "fit", *words, *options, "--cv", "3", "--n-lambdas", "20", "--no-compare")
    assert code == 0
    assert "(2 numeric)" in out
    assert "W10" not in err
    model = nb.load("model.json")
    expected = model.predict(
        pl.DataFrame({"v": WHOLE * factor + (0.5 if ".50" in write(1) else 0), "x": X}), lam="best"
    )
    code, out, err = run(capsys, "predict", "model.json", f"t.{ending}", "--lam", "best")
    assert (code, err.count("W10")) == (0, 0)
    assert [float(line) for line in out.splitlines()[1:]] == pytest.approx(expected.tolist())


@pytest.mark.filterwarnings("ignore:W13")
@pytest.mark.parametrize("costume", COSTUMES)
def test_the_remedy_of_python_reads_frames_and_vectors(costume: str) -> None:
    write, factor = COSTUMES[costume]
    X = table_of(write)
    names: dict[str, Any] = {"normball": nb, "X": X, "y": X["v"].to_list()}
    try:
        data = prepare(X, "y", family="gaussian")
    except DataError as error:
        exec(error.findings[0].fix.split("  or  ")[0], names)
        data = prepare(names["X"], "y", family="gaussian")
    assert data.feature_names == ("v", "x")
    assert np.allclose(np.diff(data.design[:, 0]), np.diff(WHOLE * factor))
    try:
        target = prepare(X.select("x"), names["y"], family="auto").y
    except DataError as error:
        exec(error.findings[0].fix.split("  or  ")[0], names)
        target = prepare(X.select("x"), names["y"], family="auto").y
    assert np.allclose(np.diff(target), np.diff(WHOLE * factor))


def test_a_comma_that_can_be_either_is_left_to_the_reader() -> None:
    X = table_of(lambda v: f"{v * 1000:,}")
    with pytest.raises(DataError) as caught:
        prepare(X, "y", family="gaussian")
    text = str(caught.value)
    assert re.search(r'"1,\d{3},000" would be', text) is None  # two commas separate thousands only
    X = X.with_columns(v=pl.Series([f"{v:,}" for v in WHOLE]))
    with pytest.raises(DataError) as caught:
        prepare(X, "y", family="gaussian")
    value = X["v"].sort()[0]
    assert (
        f'"{value}" would be {value.replace(",", "")} where "," separates thousands, {value.replace(",", ".")} where'
        in str(caught.value)
    )
    fix = caught.value.findings[0].fix
    assert fix.startswith(
        'X = normball.read_table(X, thousands=",")  or  X = normball.read_table(X, decimal=",")  or  '
    )


def test_points_that_may_separate_thousands_are_noticed_beside_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = "".join(f"{v / 1000:.3f};{x}\n" for v, x in zip(WHOLE, range(N), strict=True))
    for content, expected in ((rows, 1), (rows.replace(";", ","), 0), (rows + "0.5;3\n", 0)):
        path.write_text(("v;x\n" if ";" in content else "v,x\n") + content)
        findings: list[Any] = []
        assert nb.read_table(path, findings=findings)["v"][0] == WHOLE[0] / 1000
        assert [finding.code for finding in findings] == ["W13"] * expected
    path.write_text("v;x\n" + rows)
    assert nb.read_table(path, thousands=".", decimal=",", findings=[])["v"][0] == WHOLE[0]


def test_points_that_may_be_either_are_an_error_where_the_comma_separates_decimals(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("v;x\n" + "".join(f"{v / 1000:.3f};{v},5\n" for v in WHOLE))
    findings: list[Any] = []
    nb.read_table(path, decimal=",", findings=findings)
    (error,) = findings
    assert (error.code, error.columns) == ("E01", ("v",))
    assert error.fix.startswith('X = normball.read_table(X, thousands=".", decimal=",")  or  ')
    with pytest.warns(nb.NormballWarning, match="E01"):
        nb.read_table(path, decimal=",")
    assert nb.read_table(path, decimal=",", thousands=".", findings=[])["v"].to_list() == WHOLE.tolist()


def test_a_column_with_decimal_points_beside_commas_is_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("v;x\n" + "".join(f"{v / 100};{v},5\n" for v in WHOLE))
    findings: list[Any] = []
    table = nb.read_table(path, decimal=",", findings=findings)
    assert table["v"].to_list() == [v / 100 for v in WHOLE.tolist()]
    assert [str(finding) for finding in findings] == ['W13 "v" has decimal points, unlike decimal=",", and is read so.']


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ([f"{i} doors" for i in (2, 3, 5)], "W13"),
        ([f"{i}A" for i in range(10, 20)], "W13"),
        (["A11", "A12", "B3"], ""),
        (["1st", "2nd", "3rd"], ""),
        (["1Fam", "2fmCon", "Duplex"], ""),
        ([f"{i} kg" if i % 2 else f"{i}000 g" for i in range(40)], "E01"),
        (["$12", "\u20ac13", "$14", "\u20ac5"], "E01"),
        (["12 %", "13", "14", "unknown"], "E01"),
    ],
)
def test_labels_with_digits_stay_labels_and_units_must_be_one(cells: list[str], code: str) -> None:
    table = pl.DataFrame({"v": (cells * N)[:N], "x": X})
    if code.startswith("E"):
        with pytest.raises(DataError, match=f"^{code}"):
            prepare(table, Y, family="gaussian")
    else:
        data = prepare(table, Y, family="gaussian")
        assert [finding.code for finding in data.findings] == [code] * bool(code)
        assert data.n_features == len(set(cells)) + 1


def test_units_that_differ_are_never_mixed() -> None:
    table = nb.read_table({"v": ["12 kg", "500 g"]}, units=["kg", "g"], findings=[])
    assert table["v"].to_list() == ["12 kg", "500 g"]


@pytest.mark.parametrize(
    "form",
    [
        *("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%d-%b-%Y", "%d %B %Y", "%B %d, %Y", "%Y-%m", "%b %Y"),
        *("%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%H:%M", "%G-W%V"),
    ],
)
def test_columns_of_dates_are_noticed(form: str) -> None:
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 12, 31), eager=True)[::5][:72]
    table = pl.DataFrame({"when": [day.strftime(form) for day in days], "x": X[:72]})
    with pytest.raises(DataError, match='E12 Column "when" holds dates') as caught:
        prepare(table, Y[:72], family="gaussian")
    fix = caught.value.findings[0].fix
    assert fix.startswith('drop=["when"]' if form in ("%H:%M", "%G-W%V") else 'dates=["when"]')


def test_dates_in_digits_are_noticed() -> None:
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 12, 31), eager=True)[::5][:72]
    table = pl.DataFrame({"when": [int(day.strftime("%Y%m%d")) for day in days], "x": X[:72]})
    (finding,) = prepare(table, Y[:72], family="gaussian").findings
    assert finding.text.startswith('"when" holds dates written YYYYMMDD, such as 20200101')


def test_levels_in_two_spellings_are_noticed() -> None:
    table = pl.DataFrame({"v": ["London", "london", "Paris", "LONDON "] * 20, "x": X})
    (finding,) = prepare(table, Y, family="gaussian").findings
    assert (
        'levels that are written in more than one way, which stay apart: "LONDON", "London", "london"' in finding.text
    )
