"""Columns that are copies of each other up to a factor and a shift, told by what all rows add up to under random signs.

Copies standardised are the same up to a sign, and so are their sums under any signs of the rows; of other columns these
sums differ by about the standard deviation of the difference. They are sums over blocks, so the first pass has them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normball.blocks.block import Block
from normball.blocks.folds import mixed

Array = NDArray[np.float64]

N_SIGNS = 4  # of each row
SAME = 1e-9  # standard deviations of a difference that is rounding


def signed_sums(block: Block) -> Array:
    """Weighted sums under the signs of each row, (N_SIGNS, n_features + 1): of the columns, and of ones."""
    numbers = mixed(np.arange(block.first_row, block.first_row + block.n_rows, dtype=np.uint64))
    bits = (numbers >> np.arange(N_SIGNS, dtype=np.uint64)[:, None]) & np.uint64(1)
    signs = (2.0 * bits.astype(np.float64) - 1.0) * block.weights
    with np.errstate(over="ignore", invalid="ignore"):  # the moments tell of such columns
        return np.column_stack([signs @ block.X, signs.sum(axis=1)])


@dataclass(frozen=True)
class Copies:
    """What tells copies among the columns.

    Attributes
    ----------
    shapes : ndarray, shape (N_SIGNS, n_features)
        The signed sums in standard deviations, the same for copies but for one sign; NaN of constant columns.
    scales : ndarray, shape (n_features,)
        The standard deviations; without an intercept the roots of the mean squares.
    """

    shapes: Array
    scales: Array

    def superfluous(self, factors: Array, bounded: NDArray[np.bool_], standardize: bool) -> NDArray[np.intp]:
        """The columns that another one makes superfluous under an L1 penalty, as in memory (M16).

        Of copies the one without bounds that is cheapest stays, the first of those that are as cheap.
        """
        with np.errstate(divide="ignore"):
            gains = (1.0 if standardize else self.scales) / factors
        sizes = np.abs(self.shapes[0])
        order = np.flatnonzero(np.isfinite(sizes) & np.isfinite(factors))
        order = order[np.argsort(sizes[order], kind="stable")]
        found: list[int] = []
        for group in np.split(order, np.flatnonzero(np.diff(sizes[order]) > SAME) + 1):
            members = np.sort(group)
            while members.size > 1:  # columns of other shapes may share the first sum
                alike = self._same(members[0], members)
                found += self._beside_the_best(members[alike], gains, bounded)
                members = members[~alike]
        return np.sort(np.array(found, dtype=np.intp))

    def _same(self, one: int, others: NDArray[np.intp]) -> NDArray[np.bool_]:
        first, rest = self.shapes[:, [one]], self.shapes[:, others]
        apart = np.minimum(np.abs(rest - first).max(axis=0), np.abs(rest + first).max(axis=0))
        return np.asarray(apart <= SAME)

    def _beside_the_best(self, members: NDArray[np.intp], gains: Array, bounded: NDArray[np.bool_]) -> list[int]:
        free = members[~bounded[members]]
        if not free.size:
            return []
        most = gains[free].max()
        best = free[gains[free] * (1.0 + 1e-12) >= most][0]
        return [one for one in members.tolist() if one != best and gains[one] <= (1.0 + 1e-12) * gains[best]]
