"""In how many folds a column of the table was kept, by whichever of its levels; and how the counts are indexed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.report.payload import payload
from normball.results import facts
from normball.results.sparse_rows import SparseRows
from normball.run import Run

RNG = np.random.default_rng(2)
N = 300
LAMBDAS = [0.2, 0.1, 0.05, 0.01]


def table() -> tuple[pl.DataFrame, Any]:
    """Levels two, three and many, and a number with a gap."""
    two, three = RNG.choice(["f", "m"], N), RNG.choice(["a", "b", "c"], N)
    many = RNG.choice([f"c{j}" for j in range(30)], N)
    x = RNG.normal(size=N)
    y = x + (two == "f") + (three == "b") + 2 * RNG.normal(size=N)
    columns = {"two": two, "x": [None, *x[1:]], "three": three, "many": many, "z": RNG.normal(size=N)}
    return pl.DataFrame(columns), y


@pytest.fixture(scope="module")
def cv() -> nb.CVPath:
    """A path over that table."""
    X, y = table()
    return nb.cv_path(X, y, missing="impute", fold_ids=np.arange(N) % 5, lambdas=LAMBDAS)


def test_a_column_counts_once_a_fold_whichever_levels_it_keeps(cv: nb.CVPath) -> None:
    X, y = np.random.default_rng(0).normal(size=(60, 6)), np.random.default_rng(1).normal(size=60)
    colour = np.array(["r", "g", "b"])[np.arange(60) % 3]
    frame = pl.DataFrame({f"x{j}": X[:, j] for j in range(6)}).with_columns(colour=pl.Series(colour))
    fold_ids = np.arange(60) % 4
    cv = nb.cv_path(frame, y, fold_ids=fold_ids, lambdas=[0.3, 0.1, 0.02])
    folds = nb.fit_paths(frame, y, sample_weight=1.0 * (fold_ids[:, None] != np.arange(4)), lambdas=[0.3, 0.1, 0.02])
    by_hand = np.zeros((3, 7), dtype=int)
    for path in folds:
        kept = path.coefs != 0
        by_hand += np.column_stack([kept[:, :6], kept[:, 6:].any(axis=1)])
    assert cv.path.column_names == (*(f"x{j}" for j in range(6)), "colour")
    np.testing.assert_array_equal(cv.column_counts, by_hand)
    np.testing.assert_array_equal(folds.column_counts, by_hand)
    assert cv.column_counts.shape == (3, 7)
    assert cv.selection_counts.shape == (3, 9)


def test_columns_of_one_feature_are_counted_as_that(cv: nb.CVPath) -> None:
    numbers = nb.cv_path(RNG.normal(size=(50, 4)), RNG.normal(size=50), cv=3, n_lambdas=5)
    assert numbers.column_counts is numbers.selection_counts
    z = cv.path.feature_names.index("z")
    np.testing.assert_array_equal(cv.column_counts[:, 4], cv.selection_counts[:, z])


def test_folds_that_tell_a_column_by_its_other_level_agree() -> None:
    """The indicators of two levels are the same feature with two signs; the sparse engine may take either in a fold."""
    X, y = table()
    cv = nb.cv_path(X, y, missing="impute", cv=5)
    index, at = cv.index_best, cv.path.feature_names.index("two = f")
    either = cv.selection_counts[index][at : at + 2]
    assert cv.column_counts[index, 0] == 5
    assert either.max() <= 5 <= either.sum()
    summary = cv.summary("best").splitlines()
    assert next(line for line in summary if line.startswith("  two: ")).endswith("5/5")


def test_a_level_that_fewer_folds_keep_than_its_column_says_so(cv: nb.CVPath) -> None:
    row = LAMBDAS.index(0.05)
    many = cv.path.column_names.index("many")
    chosen = facts.point(cv, 0.05)
    shown = {feature.name: facts.feature_cells(chosen, feature)[-1] for feature in facts.selected(chosen)}
    levels = [name for name in shown if name.startswith("many = ")]
    assert cv.column_counts[row, many] == 5
    own = {name: cv.selection_counts[row, cv.path.feature_names.index(name)] for name in levels}
    assert min(own.values()) < 5
    assert {name: shown[name] for name in levels} == {
        name: "5/5" if count == 5 else f"5/5 (itself {count}/5)" for name, count in own.items()
    }
    features = {feature["key"]: feature for feature in payload(cv, Run(select=0.05), None)["features"]}
    for name in levels:
        assert features[name]["own_counts"][row] == own[name]
    for name in set(features) & {"z", "two = f", "two = m"}:
        assert features[name]["own_counts"] is None  # nothing else can be meant


def test_terminal_page_and_saved_model_count_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    X, y = table()
    X.with_columns(y=pl.Series(y)).write_csv("t.csv")
    words = [
        "fit",
        "--no-compare",
        "t.csv",
        "--target",
        "y",
        "--missing",
        "impute",
        "--select",
        "best",
        "--cv",
        "5",
        "--json",
    ]
    code, out, _ = run(capsys, *words)
    assert code == 0
    cv = nb.load("model.json")
    assert isinstance(cv, nb.CVPath)
    counts = dict(zip(cv.path.column_names, cv.column_counts[cv.index_best].tolist(), strict=True))
    for feature in json.loads(out)["features"]:
        assert feature["folds"] == counts[feature["name"].split(" = ")[0].removesuffix(" is missing")]
    by_lambda = dict(zip(cv.path.column_names, cv.column_counts.toarray().T.tolist(), strict=True))
    shown = payload(cv, Run(select="best"), None)["columns"]
    assert len(shown) == 5
    for column in shown:
        assert column["counts"] == by_lambda[column["name"]]


def test_adult_keeps_sex_in_every_fold(read_shared: Any) -> None:
    X = read_shared("adult").drop("split", "fnlwgt").head(20_000)
    cv = nb.cv_path(X, "income", family="binomial", missing="impute", cv=5, n_lambdas=40)
    chosen = facts.selected(facts.point(cv, "1se"))
    assert {feature.folds for feature in chosen if feature.name.startswith("sex = ")} == {5}


def test_counts_are_indexed_like_an_array() -> None:
    dense = RNG.integers(0, 3, size=(6, 5)).astype(np.int32)
    rows = SparseRows.from_rows(dense, 5)
    keys: list[Any] = [
        0,
        -1,
        np.int64(2),
        slice(1, 4),
        slice(None, None, 2),
        (slice(None), 2),
        (slice(None), -1),
        (slice(None), slice(1, 3)),
        (slice(None), [0, 2]),
        (2, 3),
        (1, slice(None)),
        ([1, 2], [0, 3]),
        [1, 3],
        np.array([True, False] * 3),
        (slice(None), np.array([True, False, True, False, True])),
        (..., 1),
    ]
    for key in keys:
        np.testing.assert_array_equal(rows[key], dense[key], strict=True)
    for key in (6, -7, (0, 5), (slice(None), 5)):
        with pytest.raises(IndexError):
            rows[key]
    assert [row.tolist() for row in rows] == dense.tolist()
