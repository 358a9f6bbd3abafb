"""Coefficients of many models: few of them nonzero, stored row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


@dataclass(frozen=True, eq=False)
class SparseRows:
    """A matrix whose rows are mostly zero (compressed sparse rows), indexed like the dense array.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n_rows + 1,)
        Where each row starts in `indices` and `values`.
    indices : ndarray of int32
        Columns of the stored values.
    values : ndarray
        The stored values.
    n_columns : int
        Number of columns.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[Any]
    n_columns: int

    def __post_init__(self) -> None:
        for array in (self.indptr, self.indices, self.values):
            array.setflags(write=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), self.n_columns

    def __len__(self) -> int:
        return self.indptr.size - 1

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int | np.integer):
            stored = self._stored(int(key))
            dense = np.zeros(self.n_columns, dtype=self.values.dtype)
            dense[self.indices[stored]] = self.values[stored]
            return dense
        if isinstance(key, tuple):  # SciPy gives vectors from 1.15 on
            row, column = key
            if isinstance(row, int | np.integer):
                return self[row][column]
            if isinstance(column, int | np.integer):
                return self._matrix()[:, [column]].toarray()[row, 0]
        part = self._matrix()[key]
        return part.toarray() if sparse.issparse(part) else part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.toarray().astype(dtype, copy=False)

    def toarray(self) -> NDArray[Any]:
        """All rows as one dense array."""
        dense: NDArray[Any] = self._matrix().toarray()
        return dense

    def _matrix(self) -> Any:
        return sparse.csr_array((self.values, self.indices, self.indptr), shape=self.shape)

    def take(self, rows: slice, n_outputs: int = 1) -> SparseRows:
        """The rows of a slice with step 1; of `n_outputs` rows each, the slice counts the models that these make."""
        start, stop, _ = (n_outputs * place for place in rows.indices(len(self) // n_outputs))
        indptr = self.indptr[start : max(start, stop) + 1]
        inside = slice(int(indptr[0]), int(indptr[-1]))
        return SparseRows(indptr - indptr[0], self.indices[inside], self.values[inside], self.n_columns)

    def select(self, models: NDArray[np.intp], n_outputs: int = 1) -> SparseRows:
        """The rows of some models, of `n_outputs` rows each, in the order given."""
        rows = (models[:, None] * n_outputs + np.arange(n_outputs)).ravel()
        lengths = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], lengths)
        return SparseRows(indptr, self.indices[places], self.values[places], self.n_columns)

    def at(self, places: Sequence[int], n_outputs: int = 1) -> SparseRows:
        """The rows of some models, of `n_outputs` rows each."""
        parts = [self.take(slice(place, place + 1), n_outputs) for place in places]
        lengths = np.concatenate([np.diff(part.indptr) for part in parts])
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        indices, values = (np.concatenate([getattr(part, name) for part in parts]) for name in ("indices", "values"))
        return SparseRows(indptr, indices, values, self.n_columns)

    def sums(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Row sums of other `values` at the stored places."""
        return np.bincount(self._row_of_value(), weights=values, minlength=len(self)).astype(np.float64)

    def any_output(self, n_outputs: int) -> SparseRows:
        """Which columns are nonzero in any of the `n_outputs` rows of each model: a row a model."""
        if n_outputs == 1:
            return self
        here = self.values != 0
        places = self._row_of_value()[here] // n_outputs * self.n_columns + self.indices[here]
        found = _distinct(places, len(self) // n_outputs * self.n_columns)
        starts = np.arange(len(self) // n_outputs + 1, dtype=np.int64) * self.n_columns
        columns = (found % self.n_columns).astype(np.int32)
        return SparseRows(np.searchsorted(found, starts).astype(np.int64), columns, found >= 0, self.n_columns)

    def lengths(self, n_outputs: int) -> SparseRows:
        """The Euclidean length of each column over the `n_outputs` rows of each model; rows of one as they are."""
        if n_outputs == 1:
            return self
        found, place = np.unique(self._row_of_value() // n_outputs * self.n_columns + self.indices, return_inverse=True)
        starts = np.arange(len(self) // n_outputs + 1, dtype=np.int64) * self.n_columns
        values = np.sqrt(np.bincount(place, weights=self.values**2))
        columns = (found % self.n_columns).astype(np.int32)
        return SparseRows(np.searchsorted(found, starts).astype(np.int64), columns, values, self.n_columns)

    @classmethod
    def from_rows(cls, rows: Iterable[NDArray[Any]], n_columns: int) -> SparseRows:
        """Store the nonzero entries of dense rows, taken one at a time."""
        places: list[NDArray[np.int32]] = []
        values: list[NDArray[Any]] = []
        for row in rows:
            nonzero = np.flatnonzero(row)
            places.append(nonzero.astype(np.int32))
            values.append(row[nonzero])
        indptr = np.cumsum([0, *(place.size for place in places)], dtype=np.int64)
        return cls(indptr, np.concatenate(places), np.concatenate(values), n_columns)

    @classmethod
    def counting(cls, many: Sequence[SparseRows], group_of_column: NDArray[np.intp] | None = None) -> SparseRows:
        """In how many of several matrices of one shape each entry is nonzero.

        With the ascending group of each column, in how many of them any entry of the group is nonzero.
        """
        n_rows, n_columns = many[0].shape
        groups = np.arange(n_columns) if group_of_column is None else group_of_column
        n_groups = int(groups[-1]) + 1
        places = []
        for rows in many:
            here = rows.values != 0
            counted = rows._row_of_value()[here] * n_groups + groups[rows.indices[here]]  # along the rows
            places.append(counted if group_of_column is None else np.unique(counted))
        size = n_rows * n_groups
        if 4 * sum(counted.size for counted in places) > size:  # most places are taken: count without sorting
            every = np.zeros(size, dtype=np.int64)
            for counted in places:
                every[counted] += 1  # no place stands twice in one matrix
            found = np.flatnonzero(every)
            counts = every[found]
        else:
            found, counts = np.unique(np.concatenate(places), return_counts=True)
        indptr = np.searchsorted(found, np.arange(n_rows + 1, dtype=np.int64) * n_groups).astype(np.int64)
        return cls(indptr, (found % n_groups).astype(np.int32), counts.astype(np.int32), n_groups)

    def _stored(self, row: int) -> slice:
        row = range(len(self))[row]  # negative rows count from the end; IndexError beyond
        return slice(int(self.indptr[row]), int(self.indptr[row + 1]))

    def _row_of_value(self) -> NDArray[np.intp]:
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))


def _distinct(places: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """The ascending places below `size` that occur; marked where many do, which is faster than to sort them."""
    if 8 * places.size < size:
        return np.unique(places)
    marked = np.zeros(size, dtype=bool)
    marked[places] = True
    return np.flatnonzero(marked)
