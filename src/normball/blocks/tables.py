"""What is a long table: files, folders and patterns, frames that are not there yet, streams that open again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.blocks.files import files_of, table_of_files
from normball.blocks.long_table import LongTable
from normball.blocks.prepare import prepare_long_table
from normball.blocks.source import RowBlocks
from normball.inputs.reading import Reading, TextFormat

if TYPE_CHECKING:
    import polars as pl

PLAIN = Reading(TextFormat(), None, None, None, (), "error")


def long_table_of(X: Any, reading: Reading = PLAIN) -> LongTable | None:
    """The long table that `X` is; None where it is none of these."""
    if isinstance(X, LongTable):
        return X
    if isinstance(X, str | Path):
        return table_of_files(files_of(X), reading)
    import narwhals as nw

    if nw.dependencies.is_polars_lazyframe(X):
        return _of_lazy_frame(X)
    return None


def blocks_of(X: Any, y: Any, **options: Any) -> RowBlocks | None:
    """The blocks of a long table, None where `X` is none; options are those of `prepare_long_table`."""
    table = long_table_of(X)
    return None if table is None else prepare_long_table(table, y, **options)


def _of_lazy_frame(frame: pl.LazyFrame) -> LongTable:
    def opened(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
        return iter(frame.select(columns).collect_batches(chunk_size=n_rows, maintain_order=True))

    return LongTable(frame.collect_schema(), opened)
