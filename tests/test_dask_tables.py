"""Dask collections are prepared as the same table in memory, without their partitions coming here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import normball as nb
from normball.inputs.prepare import prepare
from test_long_tables import TARGETS, check_equal, in_parts_words, mixed

dask = pytest.importorskip("dask")
dd = pytest.importorskip("dask.dataframe")
da = pytest.importorskip("dask.array")

from normball.blocks.dask_executor import DaskExecutor  # noqa: E402
from normball.blocks.dask_tables import read_dask  # noqa: E402
from test_dask_executor import cluster  # noqa: E402

rng = np.random.default_rng(0)


class Watched(pd.DataFrame):
    """A partition that must not come to where the test runs."""

    @property
    def _constructor(self) -> type:
        return Watched

    def __setstate__(self, state: Any) -> None:
        assert os.environ["CLIENT_OF_THE_TEST"] != str(os.getpid()), "a partition came to the client"
        super().__setstate__(state)


def part(start: int) -> Any:
    """Some rows of the table."""
    return Watched(mixed().to_pandas()[start : start + 20])


def frame_of(n_partitions: int, table: Any = None) -> tuple[Any, Any]:
    table = mixed().to_pandas() if table is None else table
    return table, dd.from_pandas(table, npartitions=n_partitions)


@pytest.mark.parametrize("missing", ["drop", "impute"])
@pytest.mark.parametrize(("y", "family"), TARGETS)
def test_frames_are_prepared_as_in_memory(y: Any, family: str, missing: str) -> None:
    options = {"family": family, "missing": missing, "categorical": ["count"], "sample_weight": "weight"}
    for n_partitions in (1, 4):
        table, frame = frame_of(n_partitions)
        check_equal(prepare(table, y, **options), read_dask(frame, y, **options))


def test_terms_are_those_in_memory() -> None:
    table = mixed().to_pandas()
    table["moment"] = pd.Timestamp("2020-01-30") + pd.to_timedelta(37 * np.arange(len(table)), unit="h")
    table.loc[[1, 8, 20, 33], "moment"] = pd.NaT
    options: dict[str, Any] = {"family": "gaussian", "missing": "impute", "dates": ["moment"]}
    options |= {"spline": {"number": 4, "gaps": None}, "interact": ["text:truth", "count:category", "gaps:rank"]}
    for n_partitions in (1, 4):
        check_equal(prepare(table, "y", **options), read_dask(frame_of(n_partitions, table)[1], "y", **options))


def test_text_may_be_of_python_objects() -> None:
    with dask.config.set({"dataframe.convert-string": False}):
        table, frame = frame_of(3, pd.DataFrame({"t": pd.Series([*"abcabc"], dtype=object), "y": np.arange(6.0)}))
        assert str(frame.dtypes["t"]) == "object"
        check_equal(prepare(table, "y", family="gaussian"), read_dask(frame, "y", family="gaussian"))


def test_categories_of_numbers_are_labels() -> None:
    table, frame = frame_of(3, pd.DataFrame({"i": pd.Categorical([10, 9, 10, 7, 9, 10]), "y": np.arange(6.0)}))
    check_equal(prepare(table, "y", family="gaussian"), read_dask(frame, "y", family="gaussian"))


def test_a_target_may_be_a_series() -> None:
    table, frame = frame_of(3)
    X = ["number", "count", "text"]
    data = prepare(table[[*X, "y", "weight"]], "y", family="gaussian", sample_weight="weight")
    found = read_dask(frame[X], frame["y"], family="gaussian", sample_weight=frame["weight"])
    check_equal(data, found)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("chunks", [(7, 4), (50, 2), ((1, 0, 39, 10), 4)])
def test_arrays_are_prepared_as_in_memory(dtype: type, chunks: Any) -> None:
    X = (rng.standard_normal((50, 4)) * 10).astype(dtype)
    vectors = {"sample_weight": rng.random(50), "offset": rng.random(50)}
    y = rng.standard_normal(50)
    data = prepare(X, y, family="gaussian", **vectors)
    check_equal(data, read_dask(da.from_array(X, chunks=chunks), y, family="gaussian", **vectors))
    given = {name: da.from_array(vector, chunks=9) for name, vector in vectors.items()}
    check_equal(
        data, read_dask(da.from_array(X, chunks=chunks), da.from_array(y, chunks=11), family="gaussian", **given)
    )


def test_unknown_sizes_of_chunks() -> None:
    """What comes of a frame has chunks of rows that nobody counted; dask-ml refuses them."""
    table, frame = frame_of(4, pd.DataFrame(rng.standard_normal((40, 4)), columns=[*"abcd"]))
    X, y = frame[["a", "b", "c"]].values, frame["d"].values
    assert np.isnan(X.shape[0])
    check_equal(
        prepare(table[["a", "b", "c"]].to_numpy(), table["d"].to_numpy(), family="gaussian"),
        read_dask(X, y, family="gaussian"),
    )
    with pytest.raises(nb.DataError, match=r"E14 y is no dask array.*\n.*compute_chunk_sizes"):
        read_dask(X, np.zeros(40), family="gaussian")
    with pytest.raises(nb.DataError, match=r"unknown number of rows in 4 chunks and y an unknown.* in 2 chunks"):
        read_dask(X, frame.repartition(npartitions=2)["d"].values, family="gaussian")
    with pytest.raises(nb.DataError, match=r"E14 A chunk of X has 10 rows, and that of y \d+"):
        read_dask(X, frame[frame["d"] > 0]["d"].values, family="gaussian")


def test_folds_may_be_a_column() -> None:
    _, frame = frame_of(3)
    found = read_dask(frame[["number", "y", "code"]], "y", family="gaussian", by_row={"fold_ids": "code"})
    assert found.feature_names == ("number",)
    folds = np.concatenate([block.fold for block in found.source.open()])
    np.testing.assert_array_equal(folds, mixed()["code"].to_numpy() - 1)
    assert found.n_folds == 3


def test_what_is_said_of_gaps_is_the_same() -> None:
    table, frame = frame_of(4)
    with pytest.raises(nb.DataError) as expected:
        prepare(table, "kind", family="auto")
    with pytest.raises(nb.DataError) as found:
        read_dask(frame, "kind", family="auto")
    assert str(found.value) == in_parts_words(str(expected.value))


def test_what_cannot_be_is_told() -> None:
    X = da.ones((10, 3), chunks=5)
    with pytest.raises(nb.DataError, match=r"E02 .*there is no column 'target'"):
        read_dask(X, "target", family="gaussian")
    with pytest.raises(nb.DataError, match="X has 10 rows in 2 chunks and y 9 rows in 1 chunk"):
        read_dask(X, np.ones(9), family="gaussian")
    with pytest.raises(nb.DataError, match="3 dimensions"):
        read_dask(da.ones((3, 3, 3)), np.ones(3), family="gaussian")


def test_a_partition_of_another_type_is_told() -> None:
    def text(part: Any) -> Any:
        return part.assign(number="x") if part.index[0] > 0 else part

    _, frame = frame_of(3)
    bad = frame.map_partitions(text, meta=frame._meta)
    with pytest.raises(nb.DataError, match=r'E12 Column "number" holds numbers .* but text .* from row 22 on'):
        read_dask(bad, "y", family="gaussian", missing="impute", executor=DaskExecutor())


def test_no_partition_comes_to_the_client() -> None:
    """Of a frame whose rows are on the workers alone."""
    table = mixed().to_pandas()
    with cluster(2) as client:
        frame = dd.from_map(part, [0, 20, 40, 60], meta=table[:0])
        data = prepare(table, "class", family="binomial", missing="impute", sample_weight="weight")
        executor = DaskExecutor(client)
        options = {"family": "binomial", "missing": "impute", "sample_weight": "weight"}
        found = read_dask(frame, "class", executor=executor, **options)
        assert found is not None
        assert (found.preparation, found.findings) == (data.preparation, data.findings)
        sums = executor.map_reduce(executor.place(found.source), column_sums, np.add, lambda _: None)
        with pytest.raises(AssertionError, match="came to the client"):  # the watch works
            client.gather(client.compute(frame.to_delayed()[0]))
    np.testing.assert_allclose(sums, data.design.sum(axis=0), rtol=1e-12)


def column_sums(block: Any) -> Any:
    return block.X.sum(axis=0)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas, within dask
def test_files_of_parquet(tmp_path: Path) -> None:
    """The optimiser of dask.dataframe joins files of which few columns are read; blocks must stay what they are."""
    table = mixed().drop("rank")  # dask knows of categories in files only that they are some
    for k in range(8):
        table[8 * k : 8 * k + 8].write_parquet(tmp_path / f"{k}.parquet")
    frame = dd.read_parquet(tmp_path)
    options = {"family": "binomial", "missing": "impute"}
    check_equal(prepare(table, "class", **options), read_dask(frame, "class", **options))
    few = ["number", "y"]
    check_equal(prepare(table[few], "y", family="gaussian"), read_dask(frame[few], "y", family="gaussian"))


def test_another_number_of_rows_is_told(tmp_path: Path) -> None:
    """The second look counts the rows that are left, the third one makes blocks."""

    def grows(part: Any) -> Any:
        mark = tmp_path / f"{part.index[0]}"
        seen = mark.exists()
        mark.touch()
        return pd.concat([part, part]) if part.index[0] > 0 and seen else part

    _, frame = frame_of(2)
    growing = frame.map_partitions(grows, meta=frame._meta)
    with pytest.raises(nb.DataError, match=r"E11 .*partition 1 has another number of rows"):
        read_dask(growing, "y", family="gaussian", missing="drop", executor=DaskExecutor())
