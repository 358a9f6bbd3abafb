"""Targets of several outputs: labels, shares of classes, columns of numbers; and what is said of others."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_iris, load_linnerud

import normball as nb
from normball.inputs.prepare import guess_family, prepare

IRIS = load_iris(as_frame=True)
X = IRIS.data
CODES = IRIS.target.to_numpy()
LABELS = IRIS.target_names[CODES]
INDICATORS = np.eye(3)[CODES]
SPECIES = ("setosa", "versicolor", "virginica")
FITNESS = load_linnerud(as_frame=True)
N = len(X)
NAMES = [f"{'abcdefghij'[k % 10]}{'klmnopqrst'[k // 10 % 10]}{'uvw'[k // 100]}" for k in range(N)]
SEXES = ["f", "m"] * 10


def prepared(y: Any, family: str = "multinomial", table: Any = X, **options: Any) -> Any:
    return prepare(table, y, family=family, **options)


def refused(y: Any, family: str = "multinomial", table: Any = X, **options: Any) -> str:
    with pytest.raises(nb.DataError) as caught:
        prepared(y, family, table, **options)
    return str(caught.value)


# classes


@pytest.mark.parametrize(
    ("y", "known"),
    [
        (LABELS, SPECIES),
        (LABELS.tolist(), SPECIES),
        (pd.Series(LABELS, dtype="category"), SPECIES),
        (pd.Series(LABELS, dtype=pd.CategoricalDtype(["virginica", "absent", "setosa", "versicolor"])), SPECIES),
        (pl.Series(LABELS), SPECIES),
        (CODES, (0, 1, 2)),
        (CODES + 0.5, (0.5, 1.5, 2.5)),
        (CODES.astype(str), ("0", "1", "2")),
        (["low", "mid", "high"] * 50, ("high", "low", "mid")),
        (pl.Series(["low", "mid", "high"] * 50, dtype=pl.Enum(["low", "mid", "high"])), ("low", "mid", "high")),
        ([True, False] * 75, (False, True)),
    ],
)
def test_labels_of_any_kind(y: Any, known: tuple[Any, ...]) -> None:
    data = prepared(y)
    assert data.classes == known
    assert [type(label) for label in data.classes] == [type(label) for label in known]
    assert data.output_names == tuple(map(str, known))
    np.testing.assert_array_equal(np.asarray(known)[data.y.argmax(axis=1)], np.asarray(y))
    np.testing.assert_array_equal(data.y.sum(axis=1), 1.0)
    path = nb.fit_path(X, y, family="multinomial", n_lambdas=3)
    predicted = path.predict(X, lam=path.lambdas[-1], kind="class")
    assert set(predicted.tolist()) <= set(known)


def test_a_target_in_the_table() -> None:
    table = pl.DataFrame({**X.to_dict("list"), "species": LABELS, "unit": ["cm", "in", "cm"] * 50})
    path = nb.fit_path(table, "species", family="multinomial", n_lambdas=5)
    assert path.feature_names == (*X.columns, "unit = cm", "unit = in")
    assert path.classes == SPECIES
    np.testing.assert_array_equal(
        path.predict(table.drop("species"), lam=path.lambdas[3]), path.predict(table, lam=path.lambdas[3])
    )


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_shares_of_classes(frame: Any) -> None:
    columns = dict(zip(("b", "a", "c"), INDICATORS.T, strict=True))
    alike = nb.fit_path(X, LABELS, family="multinomial", n_lambdas=6)
    for y, known in (
        (INDICATORS, (0, 1, 2)),
        (INDICATORS.astype(bool), (0, 1, 2)),
        (INDICATORS.tolist(), (0, 1, 2)),
        (frame(columns), ("b", "a", "c")),
        (frame({name: values == 1 for name, values in columns.items()}), ("b", "a", "c")),
    ):
        path = nb.fit_path(X, y, family="multinomial", n_lambdas=6)
        assert path.classes == known
        np.testing.assert_allclose(path.coefs, alike.coefs, atol=1e-10)
    table = frame({**X.to_dict("list"), **columns})
    path = nb.fit_path(table, ["b", "a", "c"], family="multinomial", n_lambdas=6)
    assert path.feature_names == tuple(X.columns)
    np.testing.assert_allclose(path.coefs, alike.coefs, atol=1e-10)


def test_shares_are_rows_of_each_class() -> None:
    """A row of shares counts as a row of each class with its share for a weight."""
    shares = np.random.default_rng(0).dirichlet([1.0, 2.0, 3.0], size=N)
    path = nb.fit_path(X, shares, family="multinomial", lambdas=[0.05, 0.01], tol=1e-10)
    rows, weights = np.vstack([X.to_numpy()] * 3), shares.T.ravel()
    other = nb.fit_path(
        rows,
        np.repeat(["a", "b", "c"], N),
        family="multinomial",
        sample_weight=weights,
        lambdas=[0.05, 0.01],
        tol=1e-10,
    )
    np.testing.assert_allclose(path.coefs, other.coefs, atol=1e-6)


def test_text_is_multinomial_unasked_and_numbers_are_not() -> None:
    assert guess_family(LABELS) == ("multinomial", [])
    assert guess_family([*"abc", None]) == ("multinomial", [])
    assert guess_family(pd.Series(CODES, dtype="category")) == ("multinomial", [])
    assert guess_family(np.array(["a", "b"])[CODES % 2]) == ("binomial", [])
    family, findings = guess_family(CODES, "species")
    assert family == "gaussian"
    assert findings[0].code == "W26"
    assert findings[0].fix.splitlines()[0] == 'if they are class labels: family="multinomial"'
    assert nb.fit_path(X, LABELS, family="auto", n_lambdas=2).family == "multinomial"
    assert refused([f"site {chr(97 + k % 26)}" for k in range(N)], "auto").endswith(
        'Fix: choose another target  or  family="multinomial" if they are classes'
    )


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (X.iloc[:, 0] * np.linspace(1, 2, N), 'look like measurements, not like classes.\n    Fix: family="gaussian"'),
        (np.arange(N) // 2, "holds numbers with 75 distinct values in 150 rows; they look like measurements"),
        ([f"{k} kg" for k in range(N)], "look like measurements"),
        (
            [f"patient-{'abcdefghij'[k % 10]}{'klmnopqrst'[k // 10 % 10]}{'uvw'[k // 100]}" for k in range(N)],
            "holds 150 labels in 150 rows, too many",
        ),
        (["one"] * N, 'has one class only: "one" in all 150 rows. Nothing to learn.'),
        ([datetime.date(2020, 1, 1)] * N, "holds dates or times; it must hold classes."),
        (INDICATORS - [[0, 0, 0.5]], "has negative shares of classes in 100 rows.\n    rows 1, 2, 3, 4, 5 and 95 more"),
        (INDICATORS * 2, "do not add up to 1 in 150 rows.\n    rows 1, 2, 3, 4, 5 and 145 more   sums 2, 2, 2, 2, 2"),
        (np.column_stack([INDICATORS, np.zeros(N)]), 'has no row that counts of class "3"'),
        (np.column_stack([np.ones(N), np.zeros(N)]), 'has one class only: "0" in all 150 rows'),
        (pd.DataFrame({"a": LABELS, "b": LABELS}), 'Column "a" of target "a, b" holds no numbers'),
        (["a", "b", "c"], "y has 3 values; X has 150 rows."),
        (INDICATORS.T, "a column for each output is wanted.\n    Fix: y.T"),
    ],
)
def test_targets_that_are_no_classes(y: Any, words: str) -> None:
    assert words in refused(y)


def test_many_whole_numbers_may_be_classes() -> None:
    rng = np.random.default_rng(0)
    letters = rng.integers(0, 26, 600)
    assert len(prepared(letters, table=rng.normal(size=(600, 2))).classes) == 26


def test_classes_without_a_row_that_counts_and_with_one() -> None:
    weights = np.where(LABELS == "setosa", 0.0, 1.0)
    assert 'has no row that counts of class "setosa"' in refused(LABELS, sample_weight=weights)
    assert "fit_path" not in refused(LABELS, sample_weight=np.where(LABELS == "virginica", 1.0, 0.0))
    once = np.where(np.arange(N) == 70, "lone", LABELS)
    assert [str(one) for one in prepared(once).findings] == [
        'W17 Class in one row only: "lone" of target "y". No fold can hold it out and learn it.\n'
        "    Fix: collect more of these rows, or give rare classes one name in common"
    ]
    assert nb.fit_path(X, once, family="multinomial", n_lambdas=3).findings[0].code == "W17"


def test_other_families_say_which_one_is_meant() -> None:
    assert 'has 3 classes: setosa, versicolor, virginica. family="binomial" needs two.' in refused(LABELS, "binomial")
    for family in ("binomial", "poisson", "gaussian"):
        assert 'family="multinomial"' in refused(LABELS, family)
    assert refused(FITNESS.target, "gaussian", FITNESS.data).endswith(
        'Fix: family="multigaussian", one model of all columns  or  fit_paths(X, y), a path for each column'
    )
    assert 'Target "Waist" is one column; family="multigaussian" takes two or more.' in refused(
        FITNESS.target["Waist"], "multigaussian", FITNESS.data
    )


# several targets of numbers


def test_columns_of_numbers() -> None:
    wanted = nb.fit_path(FITNESS.data, FITNESS.target, family="multigaussian", n_lambdas=4)
    assert wanted.output_names == ("Weight", "Waist", "Pulse")
    array = nb.fit_path(FITNESS.data, FITNESS.target.to_numpy(), family="multigaussian", n_lambdas=4)
    assert array.output_names == ("y0", "y1", "y2")
    table = pl.DataFrame({**FITNESS.data.to_dict("list"), **FITNESS.target.to_dict("list")})
    named = nb.fit_path(table, ["Weight", "Waist", "Pulse"], family="multigaussian", n_lambdas=4)
    assert named.feature_names == wanted.feature_names
    for other in (array, named):
        np.testing.assert_allclose(other.coefs, wanted.coefs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (
            FITNESS.target.assign(Sex=["f", "m"] * 10),
            'Target "Sex" holds labels ("f", "m"); family="multigaussian" needs',
        ),
        (FITNESS.target * 0 + [1, 2, 3], 'Target "Weight, Waist, Pulse" has one value only in each of its columns'),
        (FITNESS.target.assign(Day=datetime.date(2020, 1, 1)), 'Target "Day" holds dates or times'),
        (["Weight", "Height"], 'Target "Height" not found'),
        (FITNESS.target.iloc[:9], "Weight has 9 values; X has 20 rows."),
        (FITNESS.target.set_axis(np.arange(20)[::-1]), "The index of y is not that of X"),
    ],
)
def test_columns_that_will_not_do(y: Any, words: str) -> None:
    table = pd.concat([FITNESS.data, FITNESS.target], axis=1) if isinstance(y, list) else FITNESS.data
    message = refused(y, "multigaussian", table)
    assert words in message
    assert message.count(words) == 1


# gaps


@pytest.mark.parametrize("family", ["multinomial", "multigaussian"])
def test_rows_without_a_target(family: str) -> None:
    y: Any = pd.Series(LABELS) if family == "multinomial" else X.iloc[:, 2:].copy()
    y.iloc[[3, 77]] = None
    if family == "multigaussian":
        y.iloc[77, 1] = 1.0  # one of several is missing, which takes the row
    table = X.iloc[:, :2]
    assert refused(y, family, table).startswith("E04 Missing values (NaN): ")
    assert "(target) 2 (1.3 %). First rows 4, 78." in refused(y, family, table)
    left_out = nb.fit_path(table, y, family=family, missing="drop", n_lambdas=4)
    rows = np.setdiff1d(np.arange(N), [3, 77])
    wanted = nb.fit_path(table.iloc[rows], y.iloc[rows], family=family, n_lambdas=4)
    assert left_out.n_rows == 148
    np.testing.assert_allclose(left_out.coefs, wanted.coefs, rtol=1e-9)
    assert any("Left out 2 of 150 rows" in finding.text for finding in left_out.findings)


def test_infinite_targets() -> None:
    y = X.iloc[:, 2:].copy()
    y.iloc[5, 0] = np.inf
    assert "E07" in refused(y, "multigaussian", X.iloc[:, :2])
    assert prepared(y, "multigaussian", X.iloc[:, :2], inf="nan", missing="drop").n_rows == 149


@pytest.mark.parametrize("family", ["multinomial", "binomial", "auto"])
def test_infinite_numbers_are_no_classes(family: str) -> None:
    y = np.repeat([1.0, 2.0, np.inf], 50)
    assert "E07 Infinite values: y (target), rows 101, 102, " in refused(y, family)
    assert prepared(y, family, inf="nan", missing="drop").classes == (1.0, 2.0)
