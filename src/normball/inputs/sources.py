"""Any table or array as named columns, read one at a time and only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.columns import Labels, Numbers, Unusable, read_array, read_series
from normball.inputs.rows import index_of
from normball.messages import OR, DataError, Finding, count


@dataclass(frozen=True)
class SparseTable:
    """A sparse matrix with column names, and the label column of a svmlight file. Columns not stored are zero."""

    matrix: Any  # CSC
    names: tuple[str, ...]
    label: NDArray[Any]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, the label first."""
        return ("label", *self.names)

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.matrix.shape[0])

    @property
    def width(self) -> int:
        """Number of columns, the label included."""
        return len(self.names) + 1

    def with_columns(self, names: Iterable[str]) -> SparseTable:
        """The table with a zero column for each name that it lacks."""
        import scipy.sparse as sparse

        known = set(self.names)
        lacking = tuple(name for name in names if name not in known)
        zeros = sparse.csc_array((self.height, len(lacking)), dtype=self.matrix.dtype)
        matrix = sparse.hstack([self.matrix, zeros], format="csc") if lacking else self.matrix
        return SparseTable(matrix, self.names + lacking, self.label)


@dataclass(frozen=True)
class Source:
    """What `X` offers: the names of its columns and a way to read them."""

    names: tuple[str, ...]
    named: bool  # False: an array, whose columns go by position and are called x0, x1, ...
    n_rows: int
    read: Callable[[int], Numbers | Labels | Unusable]
    block: Callable[[list[int]], Any] = lambda _: None  # these columns as one float matrix, where they are all numbers
    findings: list[Finding] = field(default_factory=list)
    index: Any = None  # of a pandas frame
    raw: Callable[[int], NDArray[Any]] | None = None  # a column as the frame holds it, dates and all
    library: str = ""  # of a frame: "polars", "pandas", "pyarrow"

    def values(self, name: str) -> NDArray[Any]:
        """A column as an array of whatever it holds; missing values are None or NaN."""
        j = self.names.index(name)
        if self.raw is not None:
            return self.raw(j)
        column = self.read(j)
        if isinstance(column, Unusable):
            raise DataError(Finding("E12", f'Column "{name}" holds {column.reason}.', columns=(name,)))
        if isinstance(column, Numbers):
            return column.values
        return np.array([*column.values, None], dtype=object)[column.codes]  # code -1, a missing value, finds the None

    def take(self, rows: NDArray[np.intp]) -> Source:
        """The source with these rows only."""

        def read(j: int) -> Numbers | Labels | Unusable:
            column = self.read(j)
            return column if isinstance(column, Unusable) else column.take(rows)

        def block(columns: list[int]) -> Any:
            matrix = self.block(columns)
            return None if matrix is None else matrix[rows]

        def raw(j: int) -> NDArray[Any]:
            assert self.raw is not None
            return self.raw(j)[rows]

        index = None if self.index is None else self.index[rows]
        raw_of_rows = None if self.raw is None else raw
        return replace(self, n_rows=len(rows), read=read, block=block, index=index, raw=raw_of_rows)

    def with_infinite_as_missing(self) -> Source:
        """The source with NaN where a number is infinite."""

        def read(j: int) -> Numbers | Labels | Unusable:
            column = self.read(j)
            return column.with_infinite_as_missing() if isinstance(column, Numbers) else column

        return replace(self, read=read)


def source_of(X: Any) -> Source:
    """See what `X` offers, without reading it."""
    if isinstance(X, Source):
        return X
    if isinstance(X, SparseTable):
        return _sparse_table_source(X)
    if hasattr(X, "tocsc"):
        return _matrix_source(_float_csc(X), None)
    if not isinstance(X, np.ndarray | list | tuple):
        frame = _frame_source(X)
        if frame is not None:
            return frame
        if not hasattr(X, "__array__"):
            raise TypeError(f"X must be an array, a sparse matrix or a data frame, not {type(X).__name__}")
    return _array_source(X)


def _array_source(X: Any) -> Source:
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(np.float64), np.nan)
    try:
        array = np.asarray(X)
        if array.dtype.kind in "US":
            array = np.array(X, dtype=object)
    except ValueError:
        raise DataError(Finding("E14", "The rows of X do not all have the same length.")) from None
    if array.ndim != 2:
        one_row = "numpy.reshape(X, (1, -1)) if it is one row"
        fix = f"numpy.reshape(X, (-1, 1)) if X is one feature{OR}{one_row}" if array.ndim == 1 else ""
        raise DataError(Finding("E14", f"X must have 2 dimensions (rows, columns); it has {array.ndim}.", fix))
    if array.dtype.kind in "fiub":
        return _matrix_source(_float_array(array), None)
    if array.dtype.kind == "c":
        raise DataError(Finding("E12", "Complex data not supported: X holds complex numbers.", f"X.real{OR}abs(X)"))
    names = _default_names(array.shape[1])
    return Source(names, False, array.shape[0], lambda j: read_array(array[:, j]))


def _matrix_source(matrix: Any, names: tuple[str, ...] | None) -> Source:
    n_rows, n_columns = matrix.shape
    is_array = isinstance(matrix, np.ndarray)

    def read(j: int) -> Numbers:
        column = matrix[:, j] if is_array else matrix[:, [j]].toarray()[:, 0]
        return Numbers(np.asarray(column, dtype=np.float64))

    def block(columns: list[int]) -> Any:
        if columns == list(range(n_columns)):
            return matrix
        return np.asfortranarray(matrix[:, columns]) if is_array else matrix[:, columns]

    return Source(names or _default_names(n_columns), names is not None, n_rows, read, block)


def _sparse_table_source(table: SparseTable) -> Source:
    features = _matrix_source(table.matrix, table.names)

    def read(j: int) -> Numbers | Labels | Unusable:
        return read_array(table.label) if j == 0 else features.read(j - 1)

    def block(columns: list[int]) -> Any:
        return None if 0 in columns else features.block([j - 1 for j in columns])

    names = table.columns
    _, findings = unique_names(names, lambda i, j: table.height)
    return Source(names, True, table.height, read, block, findings)


def _frame_source(X: Any) -> Source | None:
    import narwhals as nw

    if nw.dependencies.is_polars_lazyframe(X):
        raise TypeError("X is a polars LazyFrame; pass X.collect()")
    if nw.dependencies.is_into_series(X):
        raise DataError(Finding("E14", "X is one column (a series); a table is needed.", "X.to_frame()"))
    if not nw.dependencies.is_into_dataframe(X):
        return None
    native_names = X.column_names if hasattr(X, "column_names") else list(X.columns)
    names = [str(name) for name in native_names]
    index = index_of(X)
    positions = [f"{j}" for j in range(len(names))]
    if len(set(names)) < len(names) or names != list(native_names):
        X = X.set_axis(positions, axis=1) if hasattr(X, "set_axis") else X.rename_columns(positions)
    frame = nw.from_native(X, eager_only=True)
    keys = frame.columns
    dtypes = list(frame.schema.values())

    def series(j: int) -> Any:
        return frame.get_column(keys[j])

    def n_differing(i: int, j: int) -> int:
        return sum(a != b and (a == a or b == b) for a, b in zip(series(i).to_list(), series(j).to_list(), strict=True))

    keep, findings = unique_names(names, n_differing)

    def block(columns: list[int]) -> Any:
        if not all(dtypes[keep[j]].is_float() or dtypes[keep[j]].is_integer() for j in columns):
            return None
        array = frame[:, [keep[j] for j in columns]].to_numpy()  # by place: polars takes "*" and "^x.*$" for patterns
        return None if array.dtype == object else _float_array(array)  # objects: gaps that pandas keeps as such

    kept = tuple(names[j] for j in keep)
    return Source(
        kept,
        True,
        len(frame),
        lambda j: read_series(series(keep[j])),
        block,
        findings,
        index,
        lambda j: np.asarray(series(keep[j]).to_numpy()),
        frame.implementation.name.lower(),
    )


def _default_names(n_columns: int) -> tuple[str, ...]:
    return tuple(f"x{j}" for j in range(n_columns))


def _float_array(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself when it is contiguous float32 or float64, else one converted copy."""
    if array.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        return np.asfortranarray(array, dtype=np.float64)
    contiguous = array.flags.c_contiguous or array.flags.f_contiguous
    return array if contiguous and array.flags.aligned else np.asfortranarray(array)


def _float_csc(matrix: Any) -> Any:
    """The matrix itself when it is CSC float32 or float64 in order, else one converted copy."""
    if matrix.ndim != 2:
        raise DataError(Finding("E14", f"X must have 2 dimensions (rows, columns); it has {matrix.ndim}."))
    if matrix.dtype.kind == "c":
        raise DataError(Finding("E12", "Complex data not supported: X holds complex numbers.", f"X.real{OR}abs(X)"))
    csc = matrix.tocsc()
    if csc.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        csc = csc.astype(np.float64)
    if not csc.has_canonical_format:
        csc = csc.copy() if csc is matrix else csc
        csc.sum_duplicates()
    return csc


def unique_names(
    names: Sequence[str], n_differing: Callable[[int, int], int], fix: str = "rename one of them"
) -> tuple[list[int], list[Finding]]:
    """Positions of the columns to keep: exact copies go (W12), other columns of the same name are errors (E06)."""
    first: dict[str, int] = {}
    keep: list[int] = []
    findings: list[Finding] = []
    for j, name in enumerate(names):
        i = first.setdefault(name, j)
        if i == j:
            keep.append(j)
        elif n_rows := n_differing(i, j):
            where = f"columns {i + 1} and {j + 1}; values differ in {count(n_rows)} rows"
            findings.append(Finding("E06", f'Duplicated column name: "{name}" ({where}).', fix, (name,)))
        else:
            text = f'Exact copy dropped: column {j + 1}, the second one called "{name}".'
            findings.append(Finding("W12", text, columns=(name,)))
    return keep, findings
