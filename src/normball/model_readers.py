"""Readers of what a saved model holds beside plain numbers and lists of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball import schema
from normball.messages import Finding
from normball.results.sparse_rows import SparseRows
from normball.schema import Damaged, Reader, array, first_of, listed, record, text


def sparse_rows(n_rows: int, n_columns: int, **bounds: Any) -> Reader:
    """The rows of a `SparseRows`; the columns may lack where each row has all of them."""

    def read(value: Any, where: str) -> SparseRows:
        given = schema.fields(value, where)
        if "indptr" not in given:
            raise Damaged(f"{where}.indptr", "is missing")
        indptr = array((n_rows + 1,), 0, whole=True)(given["indptr"], f"{where}.indptr")
        falls = np.append(indptr[0] != 0, np.diff(indptr) < 0)
        if falls.any():
            raise first_of(falls, indptr, f"{where}.indptr", "must begin with 0 and never fall")
        n_stored = int(indptr[-1])
        if n_stored > n_rows * n_columns:
            raise Damaged(f"{where}.indptr", f"ends with {n_stored:,}, but there are {n_rows * n_columns:,} places")
        readers = {
            "indptr": lambda *_: indptr,
            "values": array((n_stored,), alike=True, **bounds),
            "indices": array((n_stored,), 0, n_columns - 1, whole=True),
        }
        found = record(given, where, readers, optional=("indices",))
        row_of = np.repeat(np.arange(n_rows), np.diff(indptr))
        if "indices" in found:
            places = found["indices"]
        elif (np.diff(indptr) == n_columns).all():
            places = np.tile(np.arange(n_columns), n_rows)
        else:
            raise Damaged(f"{where}.indices", "is missing")
        if np.unique(row_of * n_columns + places).size < n_stored:
            raise Damaged(f"{where}.indices", "names a column twice in one row")
        values = found["values"].astype(np.int32 if bounds.get("whole") else np.float64)
        return SparseRows(indptr, places.astype(np.int32), values, n_columns)

    return read


def finding(value: Any, where: str) -> Finding:
    """What was noticed about the data."""
    return Finding(**record(value, where, {"code": text, "text": text, "fix": text, "columns": listed(text)}))


def fold_ids(n_folds: int) -> Reader:
    """The fold of each row, or of each row in each of several rounds."""

    def read(value: Any, where: str) -> NDArray[np.int64]:
        rounds = schema.entries(value, where)
        if rounds and isinstance(rounds[0], list):
            return array((None, len(rounds[0])), -1, n_folds - 1, whole=True)(value, where)  # type: ignore[no-any-return]
        return array((None,), -1, n_folds - 1, whole=True)(value, where)  # type: ignore[no-any-return]

    return read
