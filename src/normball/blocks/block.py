"""`Block`: some rows of a table, as an engine that sees one block at a time takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Block:
    """Some consecutive rows of a table, checked and encoded as the solver takes them.

    Attributes
    ----------
    number : int
        Its place among the blocks: 0, 1, 2, ... in the order of the source. Sums over blocks are added up by it.
    first_row : int
        How many rows the blocks before it hold; rows that were left out (for missing values, say) do not count.
    X : ndarray of float64 or float32, shape (m, n_features)
        The features, row- or column-major; m may be 0.
    y : ndarray of float64, shape (m,), or with several outputs (m, n_outputs)
        The target as the loss wants it: numbers, 0 and 1 for two classes, shares of classes for more.
    weights : ndarray of float64, shape (m,)
        Weights of the rows.
    offset : ndarray of float64, as `y`
        A known part of the linear predictor.
    fold : ndarray of int32, shape (m,) or (n_repeats, m), or None
        The fold that holds each row out, -1 for none; None where nobody holds rows out. Of several repeats, each of
        which deals out all rows, a row each; folds are numbered through all of them.
    """

    number: int
    first_row: int
    X: NDArray[Any]
    y: Array
    weights: Array
    offset: Array
    fold: NDArray[np.int32] | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickled, arrays may begin at any byte of a message; sums over those would have other last digits."""
        aligned = {
            name: value.copy(order="K") if isinstance(value, np.ndarray) and not value.flags.aligned else value
            for name, value in state.items()
        }
        self.__dict__.update(aligned)

    @property
    def n_rows(self) -> int:
        """How many rows it holds."""
        return int(self.X.shape[0])

    @property
    def n_repeats(self) -> int:
        """How often its rows are dealt out to folds."""
        return 1 if self.fold is None or self.fold.ndim == 1 else len(self.fold)

    def held_out(self, among: NDArray[np.int64] | None = None) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Each fold that holds some of the rows out, and these; of some rows alone where they are given."""
        assert self.fold is not None
        rows = np.arange(self.n_rows) if among is None else among
        for repeat in np.atleast_2d(self.fold)[:, rows]:
            for fold in np.unique(repeat[repeat >= 0]).tolist():
                yield fold, rows[repeat == fold]

    @property
    def n_bytes(self) -> int:
        """The memory that it takes."""
        arrays = (self.X, self.y, self.weights, self.offset)
        return sum(one.nbytes for one in arrays) + (0 if self.fold is None else self.fold.nbytes)
