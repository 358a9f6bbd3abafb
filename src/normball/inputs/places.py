"""Rows that have something in common: how many they are, and the first few, which is what a message says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normball.messages import SAMPLE, count


@dataclass(frozen=True)
class Places:
    """Some rows of a table.

    Attributes
    ----------
    n : int
        How many they are.
    first : tuple of int
        The numbers of the first few, from 0.
    """

    n: int = 0
    first: tuple[int, ...] = ()

    @classmethod
    def of(cls, mask: NDArray[np.bool_], first_row: int = 0) -> Places:
        """The rows at which `mask` is true, the first of which has the number `first_row` in its table."""
        n = int(np.count_nonzero(mask))
        return cls(n, tuple((np.flatnonzero(mask)[:SAMPLE] + first_row).tolist()) if n else ())

    @classmethod
    def union(cls, parts: Iterable[Places]) -> Places:
        """All of them, where no row is among two."""
        parts = list(parts)
        return cls(sum(part.n for part in parts), tuple(sorted(row for part in parts for row in part.first)[:SAMPLE]))

    def __bool__(self) -> bool:
        return self.n > 0

    def __str__(self) -> str:
        """In words, counted from 1: `rows 3, 9`."""
        shown = ", ".join(str(row + 1) for row in self.first)
        more = f" and {count(self.n - len(self.first))} more" if self.n > len(self.first) else ""
        return f"rows {shown}{more}" if self.n > 1 else f"row {shown}"


def places_in(masks: Mapping[str, NDArray[np.bool_]]) -> dict[str, Places]:
    """Those of each column in which there are any."""
    return {name: Places.of(mask) for name, mask in masks.items() if mask.any()}
