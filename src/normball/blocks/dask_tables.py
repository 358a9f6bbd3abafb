"""Dask's frames and arrays as long tables whose partitions are read where they are, each of them a block."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.blocks.block import Block
from normball.blocks.dask_executor import DaskExecutor
from normball.blocks.encoding import TableRows
from normball.blocks.long_table import DEFAULT_MEMORY, Gathered, LongTable, changed
from normball.blocks.prepare import prepare_long_table
from normball.blocks.source import RowBlocks
from normball.inputs.sources import source_of
from normball.messages import DataError, Finding, count
from normball.settings import name_list

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True)
class DaskTable(LongTable):
    """A dask collection.

    Attributes
    ----------
    partitions : sequence of Delayed
        Stand for its partitions, frames of all columns. They are the same for every pass: the optimiser of
        dask.dataframe would join partitions of fewer columns.
    executor : DaskExecutor
        Where they are computed.
    first_rows : list of int
        The number of the first row of each partition, and that of all rows; empty before the first pass.
    """

    partitions: Sequence[Any]
    executor: DaskExecutor
    first_rows: list[int] = field(default_factory=list)

    @property
    def columns_alone(self) -> LongTable:
        """What is known of the columns, for a worker."""
        return LongTable(**{field.name: getattr(self, field.name) for field in fields(LongTable)} | {"opened": _unread})

    def run(self, columns: Sequence[str], n_rows: int, gathered: Gathered) -> Gathered:
        """Show each partition to a copy of what gathers, where it is, and join these there."""
        from dask import delayed

        begun = delayed((self.columns_alone, tuple(columns), gathered), pure=False, traverse=False)
        task = delayed(_gathered, pure=False)
        parts = zip(self.partitions, self._first_rows(), strict=True)
        found: tuple[Gathered, list[int]] = self.executor.joined(
            [task(begun, *part) for part in parts], _join, _nothing
        )
        first_rows = [0, *accumulate(found[1])]
        if self.first_rows and first_rows != self.first_rows:
            number = (
                next(k for k, (old, new) in enumerate(zip(self.first_rows, first_rows, strict=True)) if old != new) - 1
            )
            raise changed(f"partition {count(number)} has another number of rows")
        self.first_rows[:] = first_rows
        return found[0]

    def _first_rows(self) -> list[Any]:
        """The number of the first row of each partition; as long as it is unknown, what stands for it."""
        from dask import delayed

        if self.first_rows:
            return self.first_rows[:-1]
        after = delayed(_row_after, pure=False)
        return [*accumulate(self.partitions[:-1], after, initial=0)]


@dataclass(frozen=True)
class PartitionRows:
    """The `DividedRows` of a dask collection: each partition is a block.

    Attributes
    ----------
    rows : TableRows
        How a part of the table becomes a block.
    """

    rows: TableRows
    table: DaskTable

    @property
    def n_blocks_hint(self) -> int:
        """How many partitions there are."""
        return len(self.table.partitions)

    @property
    def pieces(self) -> Sequence[Any]:
        """What stands for the partitions."""
        return self.table.partitions

    @property
    def block_of(self) -> Callable[[Any, int], Block]:
        """Makes a partition a block."""
        return partial(_encoded, replace(self.rows, table=self.table.columns_alone), tuple(self.table.first_rows))

    def open(self) -> Iterator[Block]:
        """The blocks from the first one on, one after the other here."""
        first_row, block_of = 0, self.block_of
        for number, piece in enumerate(self.pieces):
            (part,) = self.table.executor.together([piece], _nothing)
            block = replace(block_of(part, number), first_row=first_row)
            yield block
            first_row += block.n_rows


def read_dask(
    X: Any, y: Any, *, executor: Any = None, memory: int | None = None, block_rows: int | None = None, **options: Any
) -> RowBlocks:
    """The blocks of a dask frame or array.

    Parameters
    ----------
    X : dask.dataframe.DataFrame or dask.array.Array
        The rows. The columns of an array go by position.
    y : str, dask.dataframe.Series, array or dask.array.Array
        The target: of a frame a column or a series with the same partitions, of an array an array.
    executor : DaskExecutor, optional
        By default on the active client, or on threads where there is none.
    memory : int, optional
        Bytes of blocks that threads keep between passes, by default 1 GiB.
    block_rows : int, optional
        Not available: a block is a partition.
    **options
        As `prepare_long_table` has them; those that hold a value for each row are given as `y` is.

    Raises
    ------
    TypeError
        When the executor is none of dask.
    ValueError
        When there are to be other blocks.
    DataError
        As `prepare_long_table`.
    """
    if block_rows is not None:
        text = "rows is not available for dask collections, whose partitions are the blocks"
        raise ValueError(f"{text}: frame.repartition(...) or array.rechunk(...) makes others")
    by_row = options.pop("by_row", None) or {}
    vectors = {"y": y, "sample_weight": options.get("sample_weight"), "offset": options.get("offset"), **by_row}
    table, names, categorical = dask_table(X, vectors, executor, memory)
    options["categorical"] = [*name_list("categorical", options.get("categorical", ())), *categorical]
    options |= {name: names.pop(name) for name in ("sample_weight", "offset")}
    y = names.pop("y")
    found = prepare_long_table(table, y, by_row=names, **options)
    assert isinstance(found.source, TableRows)
    return replace(found, source=PartitionRows(found.source, table), executor=table.executor)


def dask_table(
    X: Any, vectors: Mapping[str, Any], executor: Any = None, memory: int | None = None
) -> tuple[DaskTable, dict[str, Any], list[str]]:
    """A frame or an array, and what has a value for each of its rows, as one table.

    Returns
    -------
    DaskTable
    {role: name}
        The columns of the vectors.
    list of str
        Columns of categories that are numbers.
    """
    executor = executor or DaskExecutor.active(memory or DEFAULT_MEMORY)
    if not isinstance(executor, DaskExecutor):
        raise TypeError(f"a dask collection needs a DaskExecutor, not {type(executor).__name__}")
    if hasattr(X, "columns"):
        return _of_frame(X, vectors, executor)
    return *_of_array(X, vectors, executor), []


def is_dask(X: Any) -> bool:
    """Whether it is a frame or an array of dask, which is loaded then."""
    dask = sys.modules.get("dask")
    return dask is not None and dask.is_dask_collection(X) and hasattr(X, "to_delayed") and hasattr(X, "ndim")


def _of_frame(
    X: Any, vectors: Mapping[str, Any], executor: DaskExecutor
) -> tuple[DaskTable, dict[str, Any], list[str]]:
    """The table of a frame, the columns for each role, and those whose categories are numbers."""
    import polars as pl
    from dask.dataframe.utils import UNKNOWN_CATEGORIES

    X = X.to_frame() if X.ndim == 1 else X
    X = X.rename(columns={name: str(name) for name in X.columns})
    names = dict(vectors)
    for role, vector in vectors.items():
        if is_dask(vector) and vector.ndim == 1 and hasattr(vector, "name"):
            names[role] = str(vector.name or role)
            X = X.assign(**{names[role]: vector})
    schema, categorical = {}, []
    for name, dtype in X.dtypes.items():
        (schema[name],) = pl.from_pandas(X._meta[[name]]).dtypes
        if str(dtype) == "object":
            schema[name] = pl.String()
        elif hasattr(dtype, "categories") and {*dtype.categories} <= {UNKNOWN_CATEGORIES}:  # not before it is read
            schema[name] = pl.Categorical()
        elif hasattr(dtype, "categories"):
            texts = [category for category in dtype.categories if isinstance(category, str)]
            if len(texts) < len(dtype.categories):
                categorical.append(name)
            elif dtype.ordered:
                schema[name] = pl.Enum(texts)
    return _table(schema, X.to_delayed(), executor), names, categorical


def _of_array(X: Any, vectors: Mapping[str, Any], executor: DaskExecutor) -> tuple[DaskTable, dict[str, Any]]:
    """The table of an array and of what has a value for each of its rows, and the columns of these."""
    import polars as pl
    from dask import delayed

    if X.ndim != 2 or X.dtype.kind not in "fiub":
        text = f"X is a dask array of {X.ndim} dimensions and type {X.dtype}; a table of numbers has 2."
        raise DataError(Finding("E14", text, "X.reshape(-1, 1) if it is one column"))
    X = X if X.numblocks[1] == 1 else X.rechunk({1: -1})
    features = source_of(np.empty((1, X.shape[1]))).names
    given = {role: _as_chunked(role, vector, X) for role, vector in vectors.items() if vector is not None}
    names = {role: role if role in given else None for role in vectors}
    (kind,) = pl.DataFrame(np.zeros((1, 1), X.dtype)).dtypes
    schema = dict.fromkeys(features, kind)
    schema |= {role: pl.Series(np.zeros(1, vector.dtype)).dtype for role, vector in given.items()}

    task = delayed(_frame_of, pure=False)
    chunks = [X.to_delayed().ravel(), *(vector.to_delayed().ravel() for vector in given.values())]
    partitions = [task(features, tuple(given), *parts) for parts in zip(*chunks, strict=True)]
    return _table(schema, partitions, executor, named=False), names


def _as_chunked(role: str, vector: Any, X: Any) -> Any:
    """A vector in chunks of the same rows as X."""
    import dask.array as da

    if isinstance(vector, str):
        text = f"The rows are those of an array, whose columns have no names: there is no column {vector!r}."
        raise DataError(Finding("E02", text, f"{role} as an array"))
    if hasattr(vector, "to_dask_array"):
        vector = vector.to_dask_array()
    if not is_dask(vector):
        if np.isnan(X.shape[0]):
            text = f"{role} is no dask array, and it is unknown how many rows each chunk of X has."
            raise DataError(
                Finding("E14", text, f"X.compute_chunk_sizes(), or {role} as a dask array with the same chunks")
            )
        vector = da.from_array(np.asarray(vector), chunks=-1)
    known = not (np.isnan(X.shape[0]) or np.isnan(vector.shape[0]))
    if (
        vector.ndim != 1
        or (known and vector.shape[0] != X.shape[0])
        or (not known and vector.numblocks != X.numblocks[:1])
    ):
        text = f"X has {_rows_of(X)} and {role} {_rows_of(vector)}; each row of X needs one value."
        raise DataError(Finding("E14", text))
    return vector.rechunk((X.chunks[0],)) if known else vector


def _rows_of(array: Any) -> str:
    n_rows = "an unknown number of" if np.isnan(array.shape[0]) else count(array.shape[0])
    return f"{n_rows} rows in {count(array.numblocks[0])} chunks"


def _table(schema: Mapping[str, Any], partitions: Sequence[Any], executor: Any, named: bool = True) -> DaskTable:
    def opened(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
        for part in partitions:
            (found,) = executor.together([part], _nothing)
            yield framed(found, columns, schema)

    return DaskTable(schema, opened, named=named, partitions=partitions, executor=executor)


def framed(part: Any, columns: Sequence[str], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Some columns of a partition, a pandas or polars frame, as polars has them."""
    import polars as pl

    frame = part[:, list(columns)] if isinstance(part, pl.DataFrame) else pl.from_pandas(part[list(columns)])
    ordered = [name for name in columns if isinstance(schema[name], pl.Enum)]
    return frame.with_columns(pl.col(name).cast(schema[name]) for name in ordered)


def _frame_of(features: Sequence[str], vectors: Sequence[str], X: Any, *values: Any) -> pl.DataFrame:
    """The rows of a chunk."""
    import polars as pl

    for name, vector in zip(vectors, values, strict=True):
        if len(vector) != len(X):
            text = f"A chunk of X has {count(len(X))} rows, and that of {name} {count(len(vector))}."
            raise DataError(Finding("E14", text, "chunks of the same rows"))
    columns = dict(zip(features, np.asarray(X).T, strict=True))
    return pl.DataFrame(columns | dict(zip(vectors, map(pl.Series, values), strict=True)))


def _row_after(first_row: int, part: Any) -> int:
    """The number of the first row after a partition."""
    return first_row + len(part)


def _gathered(begun: tuple[LongTable, tuple[str, ...], Any], part: Any, first_row: int) -> tuple[Any, list[int]]:
    """What is gathered in one partition, and how many rows it has. The beginning belongs to all of them."""
    table, columns, gathered = begun
    gathered = copy.deepcopy(gathered)
    gathered.add(table.checked(framed(part, columns, table.schema), first_row), first_row)
    return gathered, [len(part)]


def _join(earlier: tuple[Any, list[int]], later: tuple[Any, list[int]]) -> tuple[Any, list[int]]:
    """Both; the earlier one stays what it is, since it may be asked for again when a worker is lost."""
    gathered = copy.deepcopy(earlier[0])
    gathered.join(later[0])
    return gathered, earlier[1] + later[1]


def _encoded(rows: TableRows, first_rows: Sequence[int], part: Any, number: int) -> Block:
    columns = rows.reader.roles.columns
    frame = rows.table.checked(framed(part, columns, rows.table.schema), first_rows[number])
    return replace(rows.block(frame, number, first_rows[number]), first_row=0)


def _unread(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
    raise RuntimeError("a worker has the columns of the table, not its rows")


def _nothing(_: int) -> None:
    pass
