"""Every problem of columns and options, provoked through `fit_path`, and what `prepare` makes of good input."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import normball as nb
from faulty_inputs import TWO, N, X, Y, frame, problems, remarks
from normball.inputs.prepare import guess_family, prepare
from normball.messages import Finding

# what is wrong with columns


def test_e01_mostly_numbers() -> None:
    price = ["1,200", "?", "-", "3,50"] + [str(i) for i in range(N - 4)]
    assert problems(lambda: nb.fit_path(frame(price=price), "y")) == (
        'E01 Column "price" is not numeric: 4 of 30 values cannot be read as numbers.\n'
        '    rows 1, 2, 3, 4   values "1,200", "?", "-", "3,50"\n'
        '    Fix: X = normball.read_table(X, decimal=",", na=["-", "?"])  or  categorical=["price"]  or  drop=["price"]'
    )
    assert 'Fix: X = normball.read_table(X, decimal=",")' in problems(
        lambda: nb.fit_path(frame(p=["1,5"] + ["2"] * (N - 1)), "y")
    )
    assert prepare(frame(price=price), "y", family="gaussian", categorical=["price"]).n_features == 31
    assert prepare(frame(price=price), "y", family="gaussian", drop=["price"]).n_features == 1


def test_e01_target() -> None:
    y = ["1", "2", "x", *"34567890" * 3, *"123"]
    assert problems(lambda: nb.fit_path(X, y)) == (
        'E01 Target "y" is not numeric: 1 of 30 values cannot be read as numbers.\n    row 3   values "x"\n'
        '    Fix: y = normball.read_table({"y": y}, na=["x"])["y"]'
    )
    assert guess_family(y) == ("gaussian", [])
    assert "Fix: correct these values" in problems(lambda: nb.fit_path(X, ["1o", *y[3:], "3", "4"]))
    assert 'Fix: y = normball.read_table({"y": y}, decimal=",")["y"]' in problems(
        lambda: nb.fit_path(X, ["1,5", "2", "3,25"] * 10, family="binomial")
    )


def test_e02_names() -> None:
    table = frame(Age=TWO)
    message = problems(
        lambda: nb.fit_path(table, "Y", drop=["age"], categorical=["zip"], sample_weight="w", offset="o")
    )
    assert message.splitlines() == [
        'E02 Column (of drop) "age" not found. Columns: a, y, Age. Did you mean "Age"?',
        'E02 Column (of categorical) "zip" not found. Columns: a, y, Age.',
        'E02 Target "Y" not found. Columns: a, y, Age. Did you mean "y"?',
        'E02 Column (of sample_weight) "w" not found. Columns: a, y, Age.',
        'E02 Column (of offset) "o" not found. Columns: a, y, Age.',
    ]


def test_e02_no_header_row() -> None:
    table = pl.DataFrame({"5.1": X[:, 0], "0.2": Y})
    assert problems(lambda: nb.fit_path(table, "y")) == (
        'E02 Target "y" not found. Columns: 5.1, 0.2. Most of these are numbers: is the header row missing?\n'
        '    Fix: header="none" where the file is read; its columns are then called column_1, column_2, ...'
    )


@pytest.mark.parametrize(
    ("y", "family", "text"),
    [
        (["no"] * N, "binomial", 'has one class only: "no" in all 30 rows. Nothing to learn.'),
        (np.ones(N), "gaussian", "has one value only: 1 in all 30 rows. Nothing to learn."),
        (np.zeros(N), "poisson", "has one value only: 0 in all 30 rows"),
    ],
)
def test_e03_one_value(y: Any, family: Any, text: str) -> None:
    message = problems(lambda: nb.fit_path(X, y, family=family))
    assert text in message
    assert "Fix: choose another target; if rows were filtered, check the filter" in message


def test_e03_counts_only_rows_that_are_used() -> None:
    assert "E03" in problems(lambda: nb.fit_path(X, TWO, family="binomial", sample_weight=TWO))
    gaps = frame(b=np.where(TWO == 1, np.nan, 1.0))
    assert "E03" in problems(lambda: nb.fit_path(gaps, TWO, family="binomial", missing="drop"))
    assert prepare(X, np.ones(N), family="gaussian", offset=Y).y.tolist() == [1.0] * N


def test_e04_missing_values() -> None:
    age = [None, None, *X[2:, 1]]
    colour = [None, "red", "blue"] + ["red"] * (N - 3)
    y = [*Y[:5], None, *Y[6:]]
    table = frame(age=age, colour=colour).with_columns(pl.Series("y", y))
    assert problems(lambda: nb.fit_path(table, "y")) == (
        "E04 Missing values (NaN): age 2 (6.7 %), colour 1 (3.3 %), y (target) 1 (3.3 %). First rows 1, 2, 6.\n"
        '    Fix: missing="drop" (keeps 27 rows)  or  missing="impute" (median + indicator, learned in each fold)\n'
        "    All of these leave out the rows without a target."
    )
    many = pd.DataFrame(np.full((N, 10), np.nan)).assign(a=1.0)
    assert "and 2 more columns. First rows 1, 2, 3, 4, 5 and 25 more" in problems(lambda: nb.fit_path(many, Y))


def test_e04_nothing_left() -> None:
    assert problems(lambda: nb.fit_path(frame(b=[None] * N), "y", missing="impute")) == (
        'E04 No value in any of the 30 rows: b.\n    Fix: drop=["b"]'
    )
    left, right = [1.0, *[None] * (N - 1)], [None, *X[1:, 1]]
    assert problems(lambda: nb.fit_path(frame(b=left, c=right), "y", missing="drop")) == (
        'E04 Only 0 of 30 rows have no missing value; most are missing in b.\n    Fix: missing="impute"  or  drop=["b"]'
    )


def test_w04_what_was_done_about_missing_values() -> None:
    table = frame(b=[None, *X[1:, 1]], y=[*Y[:-1], None])
    assert remarks(table, "y", missing="drop") == (
        "W04 Left out 2 of 30 rows; missing: b 1 (3.3 %), y (target) 1 (3.3 %)."
    )
    assert remarks(table, "y", missing="impute") == (
        "W04 Left out 1 of 30 rows; missing: y (target) 1 (3.3 %).\n"
        "W04 Missing values imputed: b 1 (3.3 %). Numbers take the median and an indicator marks them; among labels "
        '"(missing)" is one.'
    )


def test_e06_duplicated_names() -> None:
    table = pd.DataFrame(X, columns=["s", "t", "s"])
    assert problems(lambda: nb.fit_path(table, Y)) == (
        'E06 Duplicated column name: "s" (columns 1 and 3; values differ in 30 rows).\n    Fix: rename one of them'
    )
    same = pd.DataFrame(X[:, [0, 1, 0]], columns=["s", "t", "s"])
    assert remarks(same) == 'W12 Exact copy dropped: column 3, the second one called "s".'
    clash = frame(**{"c": ["r", "g"] * 15, "c = r": X[:, 1]})
    assert 'E06 More than one feature is called "c = r".' in problems(lambda: nb.fit_path(clash, "y"))


def test_e07_infinite_values() -> None:
    ratio = X[:, 1].copy()
    ratio[[4, 9]] = np.inf
    table, y = frame(ratio=ratio), np.where(TWO, Y, -np.inf)
    message = problems(lambda: nb.fit_path(table, y, drop=["y"]))
    assert "E07 Infinite values: ratio, rows 5, 10; y (target), rows 1, 3, 5, 7, 9 and 10 more." in message
    assert 'Division by zero upstream?\n    Fix: correct them upstream  or  inf="nan" and missing="impute"' in message
    assert "E04 Missing values (NaN): ratio 2" in problems(lambda: nb.fit_path(table, "y", inf="nan"))
    assert prepare(table, "y", family="gaussian", inf="nan", missing="drop").n_rows == N - 2
    assert prepare(frame(c=["r", "g"] * 15), "y", family="gaussian", inf="nan").n_features == 3


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ([datetime.date(2020, 1, 1)] * N, 'Column "c" holds dates or times; a linear model needs numbers or labels.'),
        (["2020-01-03"] * N, 'Column "c" holds dates;'),
        (["3.1.2020 10:00"] * N, 'dates=["c"] for the year, month, weekday and days  or  drop=["c"]'),
        ([[1, 2]] * N, 'Column "c" holds values of type List(Int64);'),
        ([f"name {i}" for i in range(N)], 'Column "c" has a different text in every row (30): it names the rows.'),
    ],
)
def test_e12_columns_that_are_no_features(column: Any, text: str) -> None:
    message = problems(lambda: nb.fit_path(frame(c=column), "y"))
    assert message.startswith("E12 ")
    assert text in message
    assert 'drop=["c"]' in message


def test_remarks_about_columns() -> None:
    assert remarks(frame(id=range(N)), "y") == (
        'W14 "id" is unique in every row; used as a feature?\n    Fix: drop=["id"]'
    )
    zips = [*range(1000, 1000 + 37 * 25, 37), *[1000] * 5]
    assert remarks(frame(zip_code=zips), "y") == (
        'W13 "zip_code" is a whole number with 25 distinct values; used as numeric.\n'
        '    Fix: if it is a code: categorical=["zip_code"]'
    )
    assert remarks(frame(zip_code=zips, c=["r", "g"] * 15), "y").startswith("W13")
    assert remarks(frame(c=[str(z) for z in zips]), "y") == (
        'W13 "c" holds numbers as text, such as "1000", "1037"; used as numeric.\n'
        '    Fix: if these are codes: categorical=["c"]'
    )
    ticket = [f"t{i}" for i in (*range(25), *[0] * 5)]
    assert 'W14 "c" has 25 levels in 30 rows, 24 of them in one row only' in remarks(frame(c=ticket), "y")
    assert remarks(frame(empty=["-"] * 15 + ["a"] * 15), "y") == ""
    whole = {"count": TWO, "half": np.where(np.arange(N) < 25, 1.0, 0.5), "none": [None] * N}
    assert "W1" not in remarks(frame(**whole, c=["r", "g"] * 15), "y", drop=["none"])


# options and types


@pytest.mark.parametrize("wrong", [{"a": [1]}, 3, object()])
def test_types_that_are_no_table(wrong: Any) -> None:
    with pytest.raises(TypeError, match="X must be an array, a sparse matrix or a data frame, not"):
        nb.fit_path(wrong, Y)


def test_text_is_the_name_of_a_file() -> None:
    assert problems(lambda: nb.fit_path("text", "y")) == 'E11 "text" does not exist.'


@pytest.mark.parametrize(("name", "known"), [("missing", "error, drop, impute"), ("inf", "error, nan")])
def test_words(name: str, known: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 'x', but must be one of {known}"):
        nb.fit_path(X, Y, **{name: "x"})
    with pytest.raises(ValueError, match=r"family is 'logistic', but must be one of gaussian, binomial, .*, auto"):
        prepare(X, Y, family="logistic")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"penalty_factors": {"X1": 0, "q": 1}},
            'penalty_factors names features that do not exist: "X1", "q". Did you',
        ),
        ({"penalty_factors": [1, 2]}, "penalty_factors has shape (2,); it must be one number or one for each of the 3"),
        (
            {"penalty_factors": [1, -1, np.nan]},
            "penalty_factors must be 0 or more (infinity leaves a feature out); not so",
        ),
        (
            {"lower_bounds": {"x1": 2}},
            "lower_bounds must be 0 or less: coefficients of 0 must be allowed; not so for x1 2",
        ),
        (
            {"upper_bounds": -1},
            "upper_bounds must be 0 or more: coefficients of 0 must be allowed; not so for x0 -1, x1",
        ),
    ],
)
def test_e16_values_of_features(options: dict[str, Any], text: str) -> None:
    assert problems(lambda: nb.fit_path(X, Y, **options)).startswith("E16 " + text)


def test_values_of_features_are_numbers() -> None:
    with pytest.raises(TypeError, match=r"penalty_factors must be a number, an array of numbers or {name: number}"):
        nb.fit_path(X, Y, penalty_factors={"x1": "much"})


def test_findings_go_with_the_path() -> None:
    path = nb.fit_path(frame(id=range(N)), "y", lambdas=[1.0])
    assert [type(finding) for finding in path.findings] == [Finding]
