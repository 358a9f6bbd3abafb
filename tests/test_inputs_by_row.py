"""Every problem of targets, weights and whatever else is given row by row, provoked through `fit_path`."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sparse

import normball as nb
from faulty_inputs import TWO, N, X, Y, frame, problems
from normball.inputs.prepare import guess_family, prepare
from normball.messages import DataError

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
        ({"sample_weight": ["a"] * N}, 'sample_weight must be numbers; "sample_weight" holds labels ("a").'),
        ({"offset": [np.inf, *Y[1:]]}, "1 of 30 values of offset are missing or infinite: row 1."),
    ],
)
def test_e15_weights_and_offset(options: dict[str, Any], text: str) -> None:
    assert problems(lambda: nb.fit_path(X, Y, **options)).startswith("E15 " + text)


@pytest.mark.parametrize("gap", [False, True])
def test_weights_that_are_all_zero_are_to_be_left_out(gap: bool) -> None:
    table = frame(a=[None, *Y[1:]] if gap else Y, w=np.where(np.arange(N) == 0, float(gap), 0.0), y=Y)
    for X_of in (lambda: table, lambda: table.lazy()):
        message = problems(lambda X_of=X_of: nb.fit_path(X_of(), "y", sample_weight="w", missing="drop"))
        assert message.startswith("E15 All sample_weight values are zero")
        assert message.endswith("Fix: leave it out (of sample_weight)")
    assert "E15" in problems(lambda: nb.fit_path(nb.Blocks(X, rows=9), Y, sample_weight=np.zeros(N)))


def test_wrong_length_of_weights_and_offset() -> None:
    message = problems(lambda: nb.fit_path(X, Y, sample_weight=Y[1:], offset=Y[2:]))
    assert message == ("E14 sample_weight has 29 values; X has 30 rows.\nE14 offset has 28 values; X has 30 rows.")


def test_all_problems_in_one_pass() -> None:
    table = frame(gap=[None, *Y[1:]], inf=[np.inf, *Y[1:]], when=[datetime.date(2020, 1, 1)] * N, y=["no"] * N)
    with pytest.raises(DataError) as caught:
        nb.fit_path(table, "y", family="binomial", drop=["nope"], sample_weight=-np.ones(N))
    assert [finding.code for finding in caught.value.findings] == ["E02", "E15", "E12", "E03", "E07", "E04"]


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


def test_labels_in_most_rows_are_refused_once() -> None:
    y = [f"{k},{k}" if k % 2 else f"{k}.{k}" for k in range(N)]
    for call in (lambda: nb.fit_path(X, y, family="auto"), lambda: nb.fit_path(X, y, family="multinomial")):
        assert problems(call).splitlines() == [
            'E13 Target "y" holds 30 labels in 30 rows, too many to be classes.',
            "    Fix: choose another target",
        ]
