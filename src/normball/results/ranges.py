"""Between which values the coefficients of several fits lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.results.arrays import Array, freeze
from normball.results.sparse_rows import SparseRows

MIDDLE = 0.9  # of the bootstrap samples


@dataclass(frozen=True, eq=False, repr=False)
class Ranges:
    """How far coefficients lie apart in fits to other draws of the rows, the strength of the penalty being the same.

    It says how much a coefficient owes to the rows at hand. It is no confidence interval: a penalty pulls every
    coefficient towards zero in every draw, so that the range lies too close to zero for the effect without a penalty,
    and one that leaves zero out is no proof of an effect.

    Attributes
    ----------
    lambdas : ndarray, shape (n_lambdas,)
        The strengths, descending.
    low, high : SparseRows, shape (n_lambdas, n_features), or with several outputs (n_lambdas * n_outputs, n_features)
        The smallest and the largest coefficient of each feature over all fits where `middle` is 1, else the ends of
        that share of them; in the units of the data. Indexed like a dense array.
    counts : SparseRows, of the same shape
        In how many fits each coefficient is not zero.
    n_fits : int
        How many fits these are.
    middle : float
        The share of the fits that lies between `low` and `high`: 1 of the folds, 0.9 of bootstrap samples.
    """

    lambdas: Array
    low: SparseRows
    high: SparseRows
    counts: SparseRows
    n_fits: int
    middle: float

    def __post_init__(self) -> None:
        freeze(self)

    def at(self, lam: float) -> Ranges | None:
        """The ranges at one strength alone; None where they are of others."""
        found = np.flatnonzero(np.isclose(self.lambdas, lam, rtol=1e-9, atol=0.0))
        if not found.size:
            return None
        index, n_outputs = int(found[0]), len(self.low) // self.lambdas.size
        here = slice(index, index + 1)
        low, high, counts = (rows.take(here, n_outputs) for rows in (self.low, self.high, self.counts))
        return Ranges(self.lambdas[here], low, high, counts, self.n_fits, self.middle)

    def __repr__(self) -> str:
        shown = ", ".join(f"{lam:.3g}" for lam in self.lambdas.tolist())
        return f"<Ranges of {self.n_fits} fits at lambda {shown}>"


def ranges_of(many: Sequence[SparseRows], lambdas: Array, middle: float) -> Ranges:
    """The ranges of the coefficients of many fits, which have the same rows."""
    n_columns = many[0].n_columns
    columns: list[NDArray[np.int32]] = []
    low: list[Array] = []
    high: list[Array] = []
    counts: list[NDArray[Any]] = []
    for row in range(len(many[0])):
        stored = [rows.take(slice(row, row + 1)) for rows in many]
        used = np.unique(np.concatenate([one.indices for one in stored]))
        values = np.zeros((len(many), used.size))
        for k, one in enumerate(stored):
            values[k, np.searchsorted(used, one.indices)] = one.values
        columns.append(used)
        ends = np.quantile(values, [(1.0 - middle) / 2.0, (1.0 + middle) / 2.0], axis=0)
        low.append(ends[0])
        high.append(ends[1])
        counts.append(np.count_nonzero(values, axis=0).astype(np.int32))
    return Ranges(
        lambdas=lambdas,
        low=_rows(columns, low, n_columns),
        high=_rows(columns, high, n_columns),
        counts=_rows(columns, counts, n_columns),
        n_fits=len(many),
        middle=middle,
    )


def _rows(columns: list[NDArray[np.int32]], values: list[NDArray[Any]], n_columns: int) -> SparseRows:
    """Rows of those values that are not zero."""
    kept = [row != 0 for row in values]
    indptr = np.cumsum([0, *(int(np.count_nonzero(one)) for one in kept)], dtype=np.int64)
    indices = np.concatenate([one[mask] for one, mask in zip(columns, kept, strict=True)]).astype(np.int32)
    return SparseRows(
        indptr, indices, np.concatenate([one[mask] for one, mask in zip(values, kept, strict=True)]), n_columns
    )
