"""Every problem of the input, provoked through `fit_path`, and what `prepare` makes of good input."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sparse

import normball as nb
from normball.inputs.prepare import guess_family, prepare
from normball.messages import DataError, Finding

N = 30
RNG = np.random.default_rng(1)
X = RNG.normal(size=(N, 3))
Y = RNG.normal(size=N)
TWO = np.arange(N) % 2


def problems(call: Callable[[], Any]) -> str:
    """The message of the DataError that `call` raises."""
    with pytest.raises(DataError) as caught:
        call()
    assert all(finding.is_error for finding in caught.value.findings)
    return str(caught.value)


def remarks(X: Any, y: Any = Y, **options: Any) -> str:
    """The findings about input that can be used."""
    return "\n".join(str(finding) for finding in prepare(X, y, **{"family": "gaussian", **options}).findings)


def frame(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame({"a": X[:, 0], "y": Y, **columns}, strict=False)


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


# what is wrong with the target


@pytest.mark.parametrize(
    ("y", "family", "text"),
    [
        (
            ["a", "b", "c"] * 10,
            "binomial",
            'has 3 classes: a, b, c. family="binomial" needs two.\n    Fix: keep two of them  or  family="multinomial"',
        ),
        (Y, "binomial", 'holds numbers with 30 distinct values; family="binomial" needs two classes, or proportions'),
        (np.arange(N) % 3, "binomial", "has 3 classes: 0, 1, 2."),
        (
            ["no", "yes"] * 15,
            "gaussian",
            'holds labels ("no", "yes"); family="gaussian" needs numbers.\n    Fix: family=',
        ),
        (["a", "b", "c"] * 10, "poisson", "Fix: convert it to numbers"),
        ([1, 2, 3] * 10, "binomial", "Fix: keep two of them"),
        (
            np.arange(N) - 2,
            "poisson",
            "has 2 negative values; counts cannot be negative.\n    rows 1, 2   values -2, -1",
        ),
        ([datetime.date(2020, 1, 1)] * N, "gaussian", "holds dates or times; it must hold numbers or two classes."),
        (Y + 1j, "gaussian", "holds complex numbers; it must"),
    ],
)
def test_e13_targets_that_do_not_suit_the_family(y: Any, family: Any, text: str) -> None:
    message = problems(lambda: nb.fit_path(X, y, family=family))
    assert message.startswith('E13 Target "y" ')
    assert text in message


def test_guess_family() -> None:
    assert guess_family(Y) == ("gaussian", [])
    assert guess_family([1, 2, 2, None]) == ("binomial", [])
    assert guess_family(["a", "b"]) == ("binomial", [])
    assert guess_family(["a", "b", "c"]) == ("multinomial", [])
    assert guess_family([True, False]) == ("binomial", [])
    assert guess_family([datetime.date(2020, 1, 1)]) == ("gaussian", [])
    family, findings = guess_family([0, 1, 5], "goals")
    assert family == "gaussian"
    assert str(findings[0]) == (
        'W16 Target "goals" holds whole numbers from 0 to 5; fitted as gaussian.\n'
        '    Fix: if they are counts: family="poisson"'
    )
    data = prepare(X, np.arange(N), family="auto")
    assert (data.family, data.findings[0].code) == ("gaussian", "W16")


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([False, True] * 15, (False, True)),
        (["yes", "no"] * 15, ("no", "yes")),
        ([2, 1] * 15, (1, 2)),
        ([0.5, -1.0] * 15, (-1.0, 0.5)),
        (pd.Series(["high", "low"] * 15, dtype=pd.CategoricalDtype(["low", "high"], ordered=True)), ("low", "high")),
        (pl.Series([None, None, *["b", "a"] * 14]), ("a", "b")),
        (pd.DataFrame({"y": [1, 0] * 15}), (0, 1)),
        (np.ma.masked_array([1, 0] * 15), (0.0, 1.0)),
    ],
)
def test_two_labels_of_any_kind(y: Any, classes: tuple[Any, Any]) -> None:
    data = prepare(X, y, family="binomial", missing="drop")
    assert data.classes == classes
    assert [type(value) for value in data.classes or ()] == [type(value) for value in classes]
    labels = [value for value in (y["y"] if isinstance(y, pd.DataFrame) else y) if value is not None]
    assert data.y.tolist() == [float(label == classes[1]) for label in labels]


def test_proportions_and_truth_values_as_numbers() -> None:
    data = prepare(X, np.linspace(0, 1, N), family="binomial")
    assert (data.y[-1], data.classes) == (1.0, (0, 1))
    assert prepare(X, TWO == 1, family="gaussian").y.tolist() == TWO.tolist()


# what is wrong with sizes, weights and offset


@pytest.mark.parametrize(
    ("X", "y", "text"),
    [
        (X[:, 0], Y, "X must have 2 dimensions (rows, columns); it has 1.\n    Fix: numpy.reshape(X, (-1, 1))"),
        (X[None], Y, "X must have 2 dimensions (rows, columns); it has 3."),
        (sparse.coo_array(X[:, 0]), Y, "X must have 2 dimensions (rows, columns); it has 1."),
        ([[1, 2], [3]], Y[:2], "The rows of X do not all have the same length."),
        (pd.Series(Y), Y, "X is one column (a series); a table is needed.\n    Fix: X.to_frame()"),
        (X, Y[:-1], "y has 29 values; X has 30 rows."),
        (X, X, "y must have 1 dimension; its shape is (30, 3)."),
        (X, None, "y must have 1 dimension; its shape is ()."),
        (X[:1], Y[:1], "X has one row only (n_samples = 1); nothing can be learned."),
        (X[:0], Y[:0], "X has no rows; nothing can be learned."),
        (X[:, :0], Y, "X has no columns."),
        (frame().select("y"), "y", "No column is left to be a feature."),
    ],
)
def test_e14_sizes(X: Any, y: Any, text: str) -> None:
    message = problems(lambda: nb.fit_path(X, y))
    assert "E14 " + text in message


@pytest.mark.parametrize("matrix", [X + 1j, sparse.csc_array(X + 1j)])
def test_e12_complex_numbers(matrix: Any) -> None:
    assert "E12 Complex data not supported" in problems(lambda: nb.fit_path(matrix, Y))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sample_weight": [1.0, -1.0] * 15}, "15 of 30 values of sample_weight are negative: rows 2, 4, 6, 8, 10 and"),
        ({"sample_weight": [1.0, np.inf] * 15}, "15 of 30 values of sample_weight are missing or infinite: rows 2,"),
        ({"sample_weight": np.zeros(N)}, "All sample_weight values are zero; nothing can be learned."),
        ({"sample_weight": ["a"] * N}, 'sample_weight must be numbers; "sample_weight" holds labels or dates.'),
        ({"offset": [np.inf, *Y[1:]]}, "1 of 30 values of offset are missing or infinite: row 1."),
    ],
)
def test_e15_weights_and_offset(options: dict[str, Any], text: str) -> None:
    assert problems(lambda: nb.fit_path(X, Y, **options)).startswith("E15 " + text)


def test_wrong_length_of_weights_and_offset() -> None:
    message = problems(lambda: nb.fit_path(X, Y, sample_weight=Y[1:], offset=Y[2:]))
    assert message == ("E14 sample_weight has 29 values; X has 30 rows.\nE14 offset has 28 values; X has 30 rows.")


def test_all_problems_in_one_pass() -> None:
    table = frame(gap=[None, *Y[1:]], inf=[np.inf, *Y[1:]], when=[datetime.date(2020, 1, 1)] * N, y=["no"] * N)
    with pytest.raises(DataError) as caught:
        nb.fit_path(table, "y", family="binomial", drop=["nope"], sample_weight=-np.ones(N))
    assert [finding.code for finding in caught.value.findings] == ["E02", "E15", "E12", "E03", "E07", "E04"]


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


# rows that lack what each needs


@pytest.mark.parametrize("missing", ["drop", "impute"])
@pytest.mark.parametrize(
    "lacking", [("sample_weight",), ("offset",), ("fold_groups",), ("time_order",), ("sample_weight", "offset")]
)
@pytest.mark.parametrize("by_name", [True, False])
def test_rows_without_what_each_needs_are_left_out_and_counted(
    missing: str, lacking: tuple[str, ...], by_name: bool
) -> None:
    gaps = {role: np.arange(N) % 10 == k for k, role in enumerate(lacking)}
    values = {role: np.where(mask, np.nan, np.arange(N) % 5 + 1.0) for role, mask in gaps.items()}
    table = frame(y=Y, **{f"c_{role}": column for role, column in values.items()}) if by_name else X
    given = {role: f"c_{role}" if by_name else column for role, column in values.items()}
    options: dict[str, Any] = {"n_lambdas": 5, "cv": 3}
    cv = nb.cv_path(table, "y" if by_name else Y, missing=missing, **given, **options)
    kept = ~np.logical_or.reduce(list(gaps.values()))
    names = frame(y=Y).filter(kept) if by_name else X[kept]
    same = nb.cv_path(names, "y" if by_name else Y[kept], **{k: v[kept] for k, v in values.items()}, **options)
    assert cv.path.n_rows == kept.sum()
    assert np.array_equal(cv.path.coefs, same.path.coefs)
    assert np.array_equal(cv.cv_mean, same.cv_mean)
    (told,) = (finding.text for finding in cv.path.findings if finding.code == "W04")
    assert told.startswith(f"Left out {N - kept.sum()} of {N} rows; missing: ")
    for role, mask in gaps.items():
        assert f"{f'c_{role}' if by_name else role}" in told
        assert f"{mask.sum()} ({100 * mask.mean():.1f} %)" in told
    with pytest.raises(DataError, match="E04 Missing values") as caught:
        nb.cv_path(table, "y" if by_name else Y, **given, **options)
    (found,) = (finding for finding in caught.value.findings if finding.code == "E04")
    assert found.fix == f'missing="drop" (keeps {kept.sum()} rows)'


def test_a_role_that_no_row_has() -> None:
    with pytest.raises(DataError, match="E04 Only 0 of 30 rows have a weight") as caught:
        nb.fit_path(X, Y, sample_weight=np.full(N, np.nan), missing="drop")
    assert caught.value.findings[0].fix == "fit without the weights"


def test_a_batch_gives_rows_that_lack_a_number_no_weight_there() -> None:
    W = np.column_stack([np.ones(N), np.where(np.arange(N) < 4, np.nan, 1.0)])
    paths = nb.fit_paths(X, Y, sample_weight=W, missing="drop", n_lambdas=5)
    alone = nb.fit_path(X, Y, sample_weight=np.nan_to_num(W[:, 1]), lambdas=paths[1].lambdas)
    assert np.abs(paths[1].coefs - alone.coefs).max() < 1e-4
    assert [finding.code for finding in paths[0].findings] == []
    assert "4 of 30 rows have no weight" in paths[1].findings[0].text
    with pytest.raises(DataError, match='missing="drop" gives these rows weight 0'):
        nb.fit_paths(X, Y, sample_weight=W, n_lambdas=5)
