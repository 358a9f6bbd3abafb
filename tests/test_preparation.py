"""From columns to a design and back from JSON: names, levels, medians, layouts, and new data that do not fit."""

from __future__ import annotations

import decimal
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sparse

import normball as nb
from normball.inputs import preparation as preparation_module
from normball.inputs.preparation import Preparation
from normball.inputs.prepare import prepare, prepare_new
from normball.messages import DataError

N = 24
RNG = np.random.default_rng(2)
X = RNG.normal(size=(N, 3))
Y = RNG.normal(size=N)

MIXED = pl.DataFrame(
    {
        "number": X[:, 0],
        "whole": np.arange(N) % 5,
        "flag": np.arange(N) % 2 == 0,
        "colour": ["red", "green", "blue"] * 8,
        "size": pl.Series(["small", "large"] * 12, dtype=pl.Enum(["small", "medium", "large"])),
        "kind": pl.Series(["b", "a"] * 12, dtype=pl.Categorical),
        "price": [decimal.Decimal(i) for i in range(2, N + 2)],
    }
)
FEATURES = (
    *("number", "whole", "flag = False", "flag = True", "colour = blue", "colour = green", "colour = red"),
    *("size = small", "size = large", "kind = a", "kind = b", "price"),
)


def as_pandas(table: pl.DataFrame) -> pd.DataFrame:
    sizes = pd.CategoricalDtype(["small", "medium", "large"], ordered=True)
    columns = {name: pd.Series(table[name].to_list()) for name in table.columns}
    return pd.DataFrame(columns).astype({"size": sizes, "kind": "category", "whole": "Int64"})


@pytest.mark.parametrize("convert", [lambda table: table, as_pandas, lambda table: as_pandas(table).convert_dtypes()])
def test_frames_of_every_kind(convert: Callable[[Any], Any]) -> None:
    data = prepare(convert(MIXED), Y, family="gaussian")
    assert data.feature_names == FEATURES
    assert data.design.flags.f_contiguous
    assert data.design[0].tolist() == [X[0, 0], 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 2]
    assert (data.design[:, 4:7].sum(axis=1) == 1).all()


def test_arrow_tables() -> None:
    table = MIXED.with_columns(pl.col("size", "kind").cast(pl.String)).to_arrow()
    data = prepare(table, Y, family="gaussian")
    assert set(data.feature_names) == set(FEATURES)
    assert data.design.sum() == prepare(MIXED, Y, family="gaussian").design.sum()
    copies = pa.table([[*Y], [*Y]], names=["a", "a"])
    assert prepare(copies, Y, family="gaussian").feature_names == ("a",)


def test_frames_with_names_that_are_no_text() -> None:
    table = pd.DataFrame(X, columns=[1, "b", None])
    assert prepare(table, Y, family="gaussian").feature_names == ("1", "b", "None")
    assert prepare(pd.DataFrame(X), "1", family="gaussian").feature_names == ("0", "2")


def test_sparse_columns_of_pandas() -> None:
    table = pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.0] * 12), "b": X[:, 0]})
    assert prepare(table, Y, family="gaussian").design[:2, 0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_float_arrays_are_not_copied(dtype: Any, order: Any) -> None:
    array = np.asarray(X, dtype=dtype, order=order)
    data = prepare(array, Y, family="gaussian")
    assert data.design is array
    assert data.feature_names == ("x0", "x1", "x2")
    assert prepare_new(data.preparation, array) is array


def test_float_csc_is_not_copied() -> None:
    matrix = sparse.csc_array(np.where(X > 0, X, 0.0).astype(np.float32))
    values, indices, indptr, n_rows = prepare(matrix, Y, family="gaussian").design
    assert values is matrix.data
    assert indices is matrix.indices
    assert (indptr.dtype, indices.dtype, n_rows) == (np.int64, np.int32, N)


@pytest.mark.parametrize(
    "array",
    [
        X[:, ::2],
        X.astype(">f8"),
        np.arange(2 * N).reshape(N, 2),
        np.arange(2 * N).reshape(N, 2) % 2 == 0,
        X.astype(np.float16),
        X.tolist(),
        np.ma.masked_array(X, mask=False),
    ],
)
def test_other_arrays_are_converted_once(array: Any) -> None:
    design = prepare(array, Y, family="gaussian").design
    assert design.dtype == np.float64
    assert design.flags.f_contiguous or design.flags.c_contiguous
    assert np.array_equal(design, np.asarray(array))


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.coo_matrix, lambda m: sparse.csc_array(m.astype(int))])
def test_other_sparse_matrices_are_converted_once(make: Callable[[Any], Any]) -> None:
    dense = np.where(X > 0.5, np.round(X, 0), 0.0)
    values, indices, indptr, _ = prepare(make(dense), Y, family="gaussian").design
    assert values.dtype == np.float64
    assert np.array_equal(sparse.csc_array((values, indices, indptr), shape=dense.shape).toarray(), dense)


def test_disordered_csc_is_ordered_in_a_copy() -> None:
    matrix = sparse.csc_array(([1.0, 2.0, 3.0], [2, 0, 0], [0, 2, 3, 3]), shape=(N, 3))
    values, indices, _, _ = prepare(matrix, Y, family="gaussian").design
    assert (values.tolist(), indices.tolist()) == ([2.0, 1.0, 3.0], [0, 2, 0])
    assert matrix.data.tolist() == [1.0, 2.0, 3.0]


def test_missing_values_of_matrices() -> None:
    dense = X.copy()
    dense[3, 1] = np.nan
    masked = np.ma.masked_invalid(dense)
    for matrix in (dense, masked, sparse.csc_array(dense)):
        data = prepare(matrix, Y, family="gaussian", missing="drop")
        assert (data.n_rows, data.rows.tolist()) == (N - 1, [*range(3), *range(4, N)])
        data = prepare(matrix, Y, family="gaussian", missing="impute")
        assert data.feature_names == ("x0", "x1", "x1 is missing", "x2")
        assert data.design[3].tolist() == [X[3, 0], np.nanmedian(dense[:, 1]), 1.0, X[3, 2]]
    clean = prepare(X, Y, family="gaussian", missing="impute")
    assert clean.design is X
    assert prepare_new(clean.preparation, dense)[3, 1] == np.median(X[:, 1])


def test_object_arrays_are_read_column_by_column() -> None:
    array = np.array([[1, "a", True, 1, None], [2.5, "b", False, "x", None], [None, None, None, "w", 3]], dtype=object)
    data = prepare(array, Y[:3], family="gaussian", missing="impute")
    assert data.feature_names == (
        *("x0", "x0 is missing", "x1 = a", "x1 = b", "x1 = (missing)"),
        *("x2 = False", "x2 = True", "x2 = (missing)", "x3 = 1", "x3 = w", "x3 = x", "x4", "x4 is missing"),
    )
    again = prepare([["a", 1], ["b", 2]], Y[:2], family="gaussian")
    assert again.feature_names == ("x0 = a", "x0 = b", "x1")


@pytest.mark.parametrize("odd", [pd.Timestamp("2020-01-01"), [1], 1j])
def test_objects_that_are_no_values(odd: Any) -> None:
    array = np.empty((3, 1), dtype=object)
    array[:, 0] = [odd, odd, odd]
    with pytest.raises(DataError, match=r'E12 Column "x0" holds (dates or times|values of type (list|complex));'):
        nb.fit_path(array, Y[:3])


def test_typed_arrays_that_are_no_values() -> None:
    dates = pd.DataFrame({"a": np.array(["2020-01-01"] * N, dtype="M8[ns]"), "b": np.timedelta64(3, "s")})
    with pytest.raises(DataError, match=r'"a" holds dates.*\n.*\n.*"b" holds dates'):
        nb.fit_path(dates, Y)
    with pytest.raises(DataError, match='Target "y" holds dates'):
        nb.fit_path(X, np.array(["2020-01-01"] * N, dtype="M8[D]"))
    with pytest.raises(DataError, match='Target "y" holds values of type'):
        nb.fit_path(X, np.zeros(N, dtype=[("a", float)]))


def test_numbers_as_labels() -> None:
    data = prepare(MIXED, Y, family="gaussian", categorical=["whole", "colour"])
    assert [name for name in data.feature_names if "whole" in name] == [f"whole = {i}" for i in range(5)]
    new = MIXED.with_columns(pl.col("whole").cast(pl.Float64), pl.col("flag").cast(pl.String).str.to_titlecase())
    assert np.array_equal(prepare_new(data.preparation, new), data.design)


def test_weights_and_rows_stay_together() -> None:
    table = MIXED.with_columns(pl.Series("y", [None, *Y[1:]]), pl.Series("w", np.arange(N) + 1.0))
    data = prepare(table, "y", family="gaussian", sample_weight="w", offset="whole", missing="drop")
    assert data.weights.tolist() == list(range(2, N + 1))
    assert data.offset.tolist() == [i % 5 for i in range(1, N)]
    assert (data.target_name, data.n_features) == ("y", len(FEATURES) - 1)
    assert np.array_equal(prepare_new(data.preparation, data.frame), data.design)


def test_rows_left_out_of_a_numeric_frame() -> None:
    data = prepare(pl.DataFrame(X), [None, *Y[1:]], family="gaussian", missing="drop")
    assert np.array_equal(data.design, X[1:])
    assert np.array_equal(data.preparation.transform(data.frame), X[1:])


def test_new_data_are_matched_by_name() -> None:
    preparation = prepare(MIXED, Y, family="gaussian").preparation
    extra = MIXED.select(pl.Series("other", [None] * N), *reversed(MIXED.columns))
    assert np.array_equal(preparation.transform(extra), preparation.transform(MIXED))
    assert np.array_equal(preparation.transform(as_pandas(MIXED).head(0)), np.zeros((0, len(FEATURES))))


def test_json_round_trip() -> None:
    gaps = MIXED.with_columns(pl.when(pl.col("whole") > 1).then(pl.col("number")).alias("number"))
    preparation = prepare(gaps, Y, family="gaussian", missing="impute").preparation
    again = Preparation.from_dict(json.loads(json.dumps(preparation.to_dict())))
    assert again == preparation
    assert np.array_equal(again.transform(gaps), preparation.transform(gaps))
    assert prepare(X, Y, family="gaussian").preparation.to_dict() == {"named": False, "columns": ["x0", "x1", "x2"]}


def test_medians_are_learned_on_the_rows_given() -> None:
    values = [None, None, *map(float, range(N - 2))]
    data = prepare(pl.DataFrame({"a": values, "b": X[:, 0]}), Y, family="gaussian", missing="impute")
    assert data.preparation.learns_in_folds
    refitted = data.preparation.refit(data.frame, np.arange(5))
    assert refitted.columns[0] == replace(data.preparation.columns[0], fill=1.0)
    assert refitted.columns[1] == data.preparation.columns[1]
    assert data.preparation.refit(data.frame, np.arange(2)) == data.preparation
    assert refitted.feature_names == data.feature_names


def test_large_and_mostly_empty_designs_stay_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pl.DataFrame(
        {
            "code": [f"c{i % 12}" for i in range(N)],
            "few": [None, 5.0, *[0.0] * (N - 2)],
            "maybe": [None, *["x", "y"] * 11, "x"],
        }
    )
    dense = prepare(table, Y, family="gaussian", missing="impute").design
    monkeypatch.setattr(preparation_module, "LARGE", 10)
    values, indices, indptr, n_rows = prepare(table, Y, family="gaussian", missing="impute").design
    assert np.array_equal(sparse.csc_array((values, indices, indptr), shape=(n_rows, len(indptr) - 1)).toarray(), dense)


# new data that do not fit


def fitted() -> nb.Path:
    return nb.fit_path(MIXED, Y, lambdas=[0.1])


def problem(new: Any, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        fitted().predict(new, lam=0.1, **options)
    return str(caught.value)


def test_e08_lacking_columns() -> None:
    assert problem(MIXED.drop("colour").rename({"number": "Number"})) == (
        'E08 X lacks 2 columns that the model uses: number, colour. Did you mean "Number"?'
    )
    assert problem(MIXED.drop("flag")) == "E08 X lacks 1 column that the model uses: flag."
    assert problem(X) == "E08 X has 3 columns; the model was fitted on 7."


def test_e09_unseen_levels() -> None:
    new = MIXED.with_columns(colour=pl.Series(["rose", "red", "rose", "gold"] * 6))
    assert problem(new) == (
        'E09 Column "colour" has 2 levels unseen in training: "gold" (6 rows), "rose" (12 rows).\n'
        '    Fix: unknown="baseline"'
    )
    assert '"colour" has a level unseen in training: "rose" (1 row)' in problem(
        MIXED.with_columns(colour=pl.Series(["rose"] + ["red"] * (N - 1)))
    )
    design = fitted().preparation.transform(new, unknown="baseline")
    assert design[:4, 4:7].tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="unknown is 'ignore', but must be one of error, warn, baseline"):
        prepare_new(fitted().preparation, new, unknown="ignore")


def test_new_values_that_are_missing_infinite_or_of_another_kind() -> None:
    new = MIXED.with_columns(
        number=pl.Series([None, np.inf, *X[2:, 0]]),
        whole=pl.Series(["many"] * N),
        colour=pl.Series([None, *["red"] * (N - 1)]),
        price=pl.Series([[1]] * N),
    )
    codes = [line[:3] for line in problem(new).splitlines() if line.startswith("E")]
    assert codes == ["E01", "E12", "E04", "E07"]
    assert 'E01 New column "whole" is not numeric: 24 of 24 values cannot be read' in problem(new)
    assert 'Fix: fill them in  or  fit again with cv_path(X, y, missing="impute")' in problem(new)
    twice = as_pandas(MIXED)
    twice.insert(0, "extra", 1.0)
    twice.insert(0, "extra", Y, allow_duplicates=True)
    assert fitted().preparation.transform(twice).shape == (N, len(FEATURES))
    twice.insert(0, "number", Y, allow_duplicates=True)
    assert "E06 Duplicated" in problem(twice)


@pytest.mark.parametrize("name", ["*", "^x.*$"])
def test_a_name_that_polars_takes_for_a_pattern_is_that_of_one_column(name: str) -> None:
    columns = {name: [1.0, 2.0, 4.0], "x1": [2.0, 1.0, 0.0], "x2": [0.0, 1.0, 0.0]}
    assert prepare(pl.DataFrame(columns), [0.0, 1.0, 2.0], family="gaussian").feature_names == (name, "x1", "x2")
