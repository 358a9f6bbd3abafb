"""Statistics of the columns of a dense or sparse matrix, without a dense copy of the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

CELLS_AT_ONCE = 4_000_000  # of dense copies


class Columns:
    """A matrix of shape (n, p) seen as columns.

    Attributes
    ----------
    matrix : ndarray or CSC
        The matrix itself, never copied as a whole.
    mean, sd : ndarray (p,)
        Mean and standard deviation (divisor n) of each column.
    centre : ndarray (p,)
        What is subtracted before a column is scaled: its mean, or 0 where that would fill a sparse matrix.
    """

    def __init__(self, matrix: Any) -> None:
        self.matrix = sparse.csc_array(matrix) if sparse.issparse(matrix) else matrix
        self.is_sparse = sparse.issparse(matrix)
        self.n, self.p = matrix.shape
        self.mean, self.sd = self._moments()
        self.centre = np.zeros(self.p) if self.is_sparse else self.mean

    def blocks(self) -> Iterator[slice]:
        """Slices of columns of which a dense copy stays small; a sparse matrix is one block."""
        width = self.p if self.is_sparse else max(1, CELLS_AT_ONCE // self.n)
        return (slice(start, min(start + width, self.p)) for start in range(0, self.p, max(1, width)))

    def _moments(self) -> tuple[Floats, Floats]:
        mean, sd = np.zeros(self.p), np.zeros(self.p)
        for block in self.blocks():
            part = self.matrix[:, block]
            mean[block] = flat(part.mean(axis=0, dtype=np.float64))
            largest = np.maximum(flat(part.max(axis=0)), -flat(part.min(axis=0)))
            largest[largest == 0] = 1.0  # squares neither overflow nor vanish on this scale
            if self.is_sparse:
                stored = np.diff(part.indptr)
                deviations = (part.data - np.repeat(mean, stored)) / np.repeat(largest, stored)
                squares = np.bincount(np.repeat(np.arange(self.p), stored), deviations**2, minlength=self.p)
                sd[block] = largest * np.sqrt((squares + (self.n - stored) * (mean / largest) ** 2) / self.n)
            else:
                sd[block] = largest * np.sqrt(np.square((part - mean[block]) / largest).mean(axis=0))
        return mean, sd

    def extremes(self, rows: Ints | slice) -> tuple[Floats, Floats]:
        """Smallest and largest value of each column in the given rows."""
        low, high = np.zeros(self.p), np.zeros(self.p)
        for block in self.blocks():
            part = self.matrix[:, block][rows]
            low[block], high[block] = flat(part.min(axis=0)), flat(part.max(axis=0))
        return low, high

    def column(self, j: int) -> Floats:
        """One column, dense."""
        return flat(self.matrix[:, [j]])

    def dense_blocks(self, columns: Ints, rows: Ints | slice) -> Iterator[tuple[Ints, Floats]]:
        """The given columns at the given rows as dense blocks that stay small."""
        width = max(1, CELLS_AT_ONCE // self.n)
        for start in range(0, len(columns), width):
            chosen = columns[start : start + width]
            part = self.matrix[:, chosen][rows]
            yield chosen, np.asarray(part.toarray() if self.is_sparse else part, dtype=np.float64, order="F")

    def products(self, vectors: Floats) -> Floats:
        """X'V for the columns of `vectors`, each column of X less its centre."""
        sums = np.empty((self.p, vectors.shape[1]))
        for block in self.blocks():
            part = self.matrix[:, block]
            sums[block] = part.T @ vectors - np.outer(self.centre[block], vectors.sum(axis=0))
        return sums

    def times(self, coef: Floats) -> Floats:
        """X b, of the columns as they are."""
        if self.is_sparse:
            return flat(self.matrix @ coef)
        eta = np.zeros(self.n)
        for block in self.blocks():
            eta += self.matrix[:, block] @ coef[block]
        return eta

    def correlations(self, left: Ints, right: Ints) -> Floats:
        """The correlation of each pair of columns that vary."""
        every_row = slice(None)
        both = zip(self.dense_blocks(left, every_row), self.dense_blocks(right, every_row), strict=True)
        parts = [
            np.mean((x - self.mean[i]) / self.sd[i] * ((y - self.mean[j]) / self.sd[j]), axis=0)
            for (i, x), (j, y) in both
        ]
        return np.concatenate(parts)

    def digests(self) -> list[bytes]:
        """A digest of each column: equal ones belong to exact copies."""
        if self.is_sparse:
            starts, ends = self.matrix.indptr[:-1], self.matrix.indptr[1:]
            contents = (
                self.matrix.indices[i:j].tobytes() + self.matrix.data[i:j].tobytes()
                for i, j in zip(starts, ends, strict=True)
            )
        else:
            contents = (
                column.tobytes() for block in self.blocks() for column in np.ascontiguousarray(self.matrix[:, block].T)
            )
        return [hashlib.blake2b(content, digest_size=16).digest() for content in contents]


def flat(values: Any) -> Floats:
    """A row, a column or a one-dimensional result as a plain float array."""
    dense = values.toarray() if sparse.issparse(values) else values
    return np.asarray(dense, dtype=np.float64).ravel()
