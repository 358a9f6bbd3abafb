"""What is a long table: files, folders and patterns, frames that are not there yet, streams that open again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.blocks.encoding import TableRows
from normball.blocks.files import files_of, reading_errors, table_of_files
from normball.blocks.long_table import LongTable
from normball.blocks.partitions import root_of
from normball.blocks.prepare import prepare_long_table
from normball.blocks.source import RowBlocks
from normball.blocks.watched import watched
from normball.inputs.reading import checked
from normball.inputs.streams import at_hand, is_stream, need_pyarrow
from normball.messages import OR, DataError, Finding, raise_errors
from normball.progress import Poll
from normball.settings import Progress

if TYPE_CHECKING:
    import polars as pl


def open_table(
    place: str | Path,
    *,
    na: Sequence[str] = (),
    thousands: str | None = None,
    decimal: str = ".",
    units: Sequence[str] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    header: int | str | None = None,
    categorical: Sequence[str] = (),
    dedupe: str = "error",
) -> LongTable:
    r"""Open a table of files that is read in parts, as often as a fit needs it: what `read_table` is in memory.

    Parameters
    ----------
    place : str or Path
        A Parquet, Arrow (Feather) or text file, a pattern such as ``data/*.parquet``, or a folder. Files are one table
        in the order of their names; text files may be packed with gzip. Folders called ``year=2025`` are a column.
    na, thousands, decimal, units, delimiter, encoding, header, categorical, dedupe
        As in `read_table`.

    Returns
    -------
    LongTable
        To be handed to `fit_path` or `cv_path`, with names of columns for target, weights and offset.

    Raises
    ------
    DataError
        When a file cannot be read or has other columns than the first.

    Examples
    --------
    >>> import tempfile, pathlib, normball as nb
    >>> place = pathlib.Path(tempfile.mkdtemp()) / "prices.csv"
    >>> _ = place.write_text("size;price\n1,5;10\n2;-\n")
    >>> nb.open_table(place, decimal=",", na=["-"]).names
    ('size', 'price')
    """
    reading = checked(
        na=na,
        thousands=thousands,
        decimal=decimal,
        units=units,
        delimiter=delimiter,
        encoding=encoding,
        header=header,
        categorical=categorical,
        dedupe=dedupe,
    )
    return table_of_files(files_of(place), reading, root_of(place))


def is_long_table(X: Any) -> bool:
    """Whether `X` is read in parts: a path, a lazy frame, a dataset, a query, a stream."""
    return isinstance(X, LongTable | str | Path) or _opener(X) is not None


def long_table_of(X: Any) -> LongTable | None:
    """The long table that `X` is; None where it is none."""
    if isinstance(X, LongTable):
        return X
    if isinstance(X, str | Path):
        return open_table(X)
    opener = _opener(X)
    return None if opener is None else opener(X)


def _opener(X: Any) -> Callable[[Any], LongTable] | None:
    """What makes a long table of such an object; none is imported that is not loaded already."""
    import narwhals as nw

    if nw.dependencies.is_polars_lazyframe(X):
        return _of_lazy_frame
    if _is_of("pyarrow.dataset", "Dataset", X):
        return _of_arrow_dataset
    if nw.dependencies.is_duckdb_relation(X):
        return _of_relation
    return _of_stream if is_stream(X) else None


def _is_of(module: str, name: str, X: Any) -> bool:
    """Whether it is an object of a class of a module, which is then loaded already."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(X, getattr(loaded, name))


def blocks_of(X: Any, y: Any, *, progress: Progress = None, **options: Any) -> RowBlocks | None:
    """The blocks of a long table, None where `X` is none; options are those of `prepare_long_table`."""
    table = long_table_of(X)
    if table is None:
        return None
    with Poll(progress) as poll:
        found = prepare_long_table(watched(table, poll), y, **options)
    assert isinstance(found.source, TableRows)
    return replace(found, source=replace(found.source, table=table))


def _of_lazy_frame(frame: pl.LazyFrame) -> LongTable:
    """A polars LazyFrame, which is computed again in each pass."""
    from polars.selectors import by_name

    def opened(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
        with _reading("the lazy frame"):
            yield from frame.select(by_name(columns)).collect_batches(chunk_size=n_rows, maintain_order=True)

    with _reading("the lazy frame"):
        return LongTable(frame.collect_schema(), opened)


def _of_arrow_dataset(dataset: Any) -> LongTable:
    """A `pyarrow.dataset`."""
    from pyarrow.dataset import ParquetFileFormat, ParquetFragmentScanOptions

    options = {"batch_readahead": 1, "fragment_readahead": 1}
    if isinstance(getattr(dataset, "format", None), ParquetFileFormat):  # else whole groups of rows lie in memory
        options["fragment_scan_options"] = ParquetFragmentScanOptions(pre_buffer=False)

    def opened(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
        with _reading("the dataset"):
            for batch in dataset.to_batches(columns=columns, batch_size=n_rows, **options):
                yield _frame_of(batch)

    return LongTable(_schema_of(dataset.schema), opened)


def _of_relation(relation: Any) -> LongTable:
    """A DuckDB relation, whose query runs again in each pass."""
    need_pyarrow("a DuckDB relation")

    def opened(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
        quoted = ['"' + name.replace('"', '""') + '"' for name in columns]
        with _reading("the relation"):
            yield from map(_frame_of, relation.project(", ".join(quoted)).to_arrow_reader(n_rows))

    return LongTable(_schema_of(relation.limit(0).to_arrow_table().schema), opened)


def _of_stream(X: Any) -> LongTable:
    """Anything that gives an Arrow stream as often as it is asked."""
    if at_hand(X) is not X:
        text = f"X is a stream that can be read once ({type(X).__name__}); in blocks its rows are read several times."
        fix = (
            f"hand it over without Blocks, to be read into memory{OR}hand over what gives such a stream each time (a "
            "dataset, a query, a class with __arrow_c_stream__), or write it into a Parquet file first"
        )
        raise DataError(Finding("E14", text, fix))
    reader = need_pyarrow("an Arrow stream").RecordBatchReader

    def opened(columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
        with _reading("the stream"):
            for batch in reader.from_stream(X):
                yield _frame_of(batch.select(columns))

    return LongTable(_schema_of(reader.from_stream(X).schema), opened)


def _frame_of(batch: Any) -> pl.DataFrame:
    import polars as pl

    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _schema_of(schema: Any) -> Mapping[str, Any]:
    """The columns as polars types; raises where a name stands for two."""
    twice = [name for name, times in Counter(schema.names).items() if times > 1]
    raise_errors(Finding("E06", f'More than one column is called "{name}".', "rename one of them") for name in twice)
    return _frame_of(schema.empty_table()).schema


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """What goes wrong in here is said to be wrong with the table."""
    try:
        yield
    except reading_errors() as error:
        problem = str(error).splitlines()[0][:200]
        raise DataError(Finding("E11", f"{what[0].upper()}{what[1:]} cannot be read: {problem}.")) from None
