"""The file of predictions, written part by part: CSV, Parquet, or CSV on stdout."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from normball.cli.console import Console
from normball.cli.outputs import STDOUT, CsvRows
from normball.cli.source import UsageError

if TYPE_CHECKING:
    pass


class PredictionFile:
    """Takes columns part by part; the file is there when all of it is written, or it is not there.

    Parameters
    ----------
    place : str
        NAME.csv, NAME.parquet, or a name of stdout.
    console : Console
        Says what it has to say, and prints on stdout.
    parts : bool
        Whether there may be several parts.
    """

    def __init__(self, place: str, console: Console, *, parts: bool = False) -> None:
        self._place, self._console, self._parts = place, console, parts
        self._stack = ExitStack()
        self._file: BinaryIO | None = None
        self._csv: CsvRows | None = None
        self._parquet: Any = None
        self._schema: Any = None

    @property
    def is_lost(self) -> bool:
        """Whether the reader of stdout has left."""
        return self._place in STDOUT and self._console.lost is not None

    def __enter__(self) -> PredictionFile:
        from normball.files import being_written

        if self._place in STDOUT and self._console.machine:
            raise UsageError(f"--json and {self._place} both want stdout: name a file")
        if self._place not in STDOUT:
            self._file = self._stack.enter_context(being_written(self._place))
        return self

    def add(self, columns: Mapping[str, list[Any]]) -> None:
        """Write the next rows."""
        if self._place.lower().endswith(".parquet"):
            self._add_to_parquet(columns)
            return
        rows = zip(*columns.values(), strict=True)
        if self._csv is None:
            self._csv = CsvRows(list(columns))
            self._write(self._csv.header() + self._csv.text(rows))
        else:
            self._write(self._csv.text(rows))

    def _write(self, text: str) -> None:
        if self._file is not None:
            self._file.write(text.encode())
        elif text:
            self._console.product(text.removesuffix("\n"))

    def _add_to_parquet(self, columns: Mapping[str, list[Any]]) -> None:
        import polars as pl

        assert self._file is not None
        frame = pl.DataFrame(columns, schema_overrides=self._schema, strict=False)
        if not self._parts:
            frame.write_parquet(self._file)
            return
        table = frame.to_arrow()
        if self._parquet is None:
            from pyarrow.parquet import ParquetWriter

            self._schema = frame.schema
            self._parquet = self._stack.enter_context(ParquetWriter(self._file, table.schema, compression="zstd"))
        self._parquet.write_table(table)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is not None:
            return
        if self._csv is not None:
            self._csv.warn(self._console)
        if self._file is not None:
            self._console.written.append(self._place)


def needs_pyarrow(place: str) -> None:
    """Raise where a file cannot be written part by part."""
    from importlib.util import find_spec

    if place.lower().endswith(".parquet") and find_spec("pyarrow") is None:
        raise UsageError(f"{place} is written part by part by pyarrow: pip install pyarrow, or name a CSV file")
