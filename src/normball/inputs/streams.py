"""Arrow streams: those that can be read once are read into memory, others are opened for each pass over the rows."""

from __future__ import annotations

import importlib
from typing import Any

from normball.messages import DataError, Finding


def is_stream(X: Any) -> bool:
    """Whether `X` gives an Arrow stream, and is neither a frame in memory nor a query."""
    import narwhals as nw

    known = nw.dependencies
    queries = (known.is_polars_lazyframe, known.is_duckdb_relation)
    others = (known.is_into_dataframe, known.is_into_series, *queries)
    return hasattr(X, "__arrow_c_stream__") and not any(is_other(X) for is_other in others)


def at_hand(X: Any) -> Any:
    """The table of a stream that can be read once, such as a `pyarrow.RecordBatchReader`; all else as it is.

    What does not say which of both it is, is opened twice: where the same rows come again, it can be read again.

    Raises
    ------
    DataError
        If a stream gives other rows each time.
    """
    if not is_stream(X):
        return X
    arrow = need_pyarrow("an Arrow stream")
    first = arrow.RecordBatchReader.from_stream(X)
    if hasattr(X, "__next__"):  # it counts its batches
        return first.read_all()
    begin = _next(first)
    second = _opened(X)
    again = _next(second)
    if begin is None or (again is not None and _written(begin) == _written(again)):
        return X
    rest = [batch for batch in (begin, again) if batch is not None]  # all of them read on in one stream
    rest += [*first, *(second or ())]
    if _next(_opened(X)) is not None:
        text = f"X is a stream that gives other rows each time ({type(X).__name__})."
        raise DataError(Finding("E14", text, "read it once: pyarrow.RecordBatchReader.from_stream(X).read_all()"))
    return arrow.Table.from_batches(rest, first.schema)


def _written(batch: Any) -> bytes:
    """The bytes of a batch: to itself a NaN is equal there."""
    arrow = need_pyarrow("an Arrow stream")
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def need_pyarrow(what: str) -> Any:
    """The package pyarrow, or an ImportError that says what it is needed for."""
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        raise ImportError(f"{what} is read by pyarrow, which is not installed: pip install pyarrow") from None


def _opened(X: Any) -> Any:
    """The stream opened again; None where it cannot be."""
    arrow = need_pyarrow("an Arrow stream")
    try:
        return arrow.RecordBatchReader.from_stream(X)
    except (arrow.ArrowException, ValueError, TypeError, RuntimeError):
        return None


def _next(reader: Any) -> Any:
    """The next batch; None where there is none."""
    return None if reader is None else next(iter(reader), None)
