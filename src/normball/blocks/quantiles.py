"""Exact quantiles of numbers that pass by part by part, without holding them: selection by the digits of the numbers.

A double is read as a whole number of 64 bits of the same order. Each pass counts the numbers by their next 16 bits
within each interval that holds a quantile, and keeps those in it where they are few: two passes as a rule, four at most
(radix selection: Knuth, The Art of Computer Programming 3, 5.2.5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normball.inputs.columns import Floats

BITS = 16
KEPT = 1 << 15  # distinct numbers of an interval that are kept

Keys = NDArray[np.uint64]
_SIGN = np.uint64(1 << 63)


def ordered_keys(values: Floats) -> Keys:
    """Whole numbers in the order of the values; both zeros are one."""
    bits = (values + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def value_of(key: int) -> float:
    """The value of a key."""
    bits = np.uint64(key)
    return float(np.array(bits ^ _SIGN if bits & _SIGN else ~bits, dtype=np.uint64).view(np.float64))


class _Interval:
    """Keys from `start` on in bins of 2**shift, of which `below` are smaller: kept while they are few, then counted."""

    def __init__(self, start: int, shift: int, below: int) -> None:
        self._start, self._shift, self._below = start, shift, below
        self._kept: tuple[Keys, NDArray[np.int64]] | None = (np.zeros(0, np.uint64), np.zeros(0, np.int64))
        self._counts: NDArray[np.int64] | None = None

    def add(self, keys: Keys) -> None:
        """Take the next keys."""
        bins = (keys - np.uint64(self._start)) >> np.uint64(self._shift)  # keys below the start wrap around
        inside = keys[(keys >= np.uint64(self._start)) & (bins < (1 << BITS))]
        self._take(*np.unique(inside, return_counts=True))

    def join(self, later: _Interval) -> None:
        """Take what another one of these keys has seen."""
        if later._kept is not None:
            self._take(*later._kept)
            return
        assert later._counts is not None
        self._counted()
        self._counts = later._counts if self._counts is None else self._counts + later._counts

    def _take(self, keys: Keys, times: NDArray[np.int64]) -> None:
        if self._kept is not None and len(self._kept[0]) + len(keys) <= KEPT:
            found, where = np.unique(np.concatenate([self._kept[0], keys]), return_inverse=True)
            counts = np.bincount(where, np.concatenate([self._kept[1], times]))
            self._kept = (found, counts.astype(np.int64))
            return
        self._counted()
        self._count(keys, times)

    def _counted(self) -> None:
        """Count what was kept."""
        if self._kept is not None:
            (keys, times), self._kept = self._kept, None
            self._count(keys, times)

    def _count(self, keys: Keys, times: NDArray[np.int64]) -> None:
        bins = ((keys - np.uint64(self._start)) >> np.uint64(self._shift)).astype(np.intp)
        counts = np.bincount(bins, times, minlength=1 << BITS).astype(np.int64)
        self._counts = counts if self._counts is None else self._counts + counts

    @property
    def n_distinct(self) -> int:
        """How many different keys there are; where they are many, one more than are kept."""
        return KEPT + 1 if self._kept is None else len(self._kept[0])

    def narrowed(self, rank: int) -> float | _Interval:
        """The number of this rank, counted from 0, or a smaller interval that holds it."""
        if self._kept is not None:
            found, times = self._kept
            return value_of(int(found[np.searchsorted(self._below + np.cumsum(times), rank, side="right")]))
        assert self._counts is not None
        ends = self._below + np.cumsum(self._counts)
        place = int(np.searchsorted(ends, rank, side="right"))
        start = self._start + (place << self._shift)
        if not self._shift:
            return value_of(start)
        return _Interval(start, max(0, self._shift - BITS), int(ends[place] - self._counts[place]))


def bytes_of_a_search(n: int, n_shares: int = 0) -> int:
    """The most memory that the search among `n` numbers takes: two intervals of them or of their counts a quantile."""
    return 2 * (1 + n_shares) * 16 * max(1, min(n, 1 << BITS))


class QuantileSearch:
    """Quantiles of one column, its median among them.

    Parameters
    ----------
    shares : tuple of float
        Which quantiles, beside the median.

    Attributes
    ----------
    is_open : bool
        Whether a further pass is needed; nothing is known before.
    n_distinct : int
        How many different numbers there are; where they are many, one more than `KEPT`.
    """

    def __init__(self, shares: tuple[float, ...] = ()) -> None:
        self._n = 0
        self.shares = shares
        self._whole = _Interval(0, 64 - BITS, 0)
        self._found: dict[int, float | _Interval] = {}  # what is known of the number of each rank that is wanted
        self.n_distinct = 0

    @property
    def is_open(self) -> bool:
        """Whether a further pass is needed."""
        return any(isinstance(found, _Interval) for found in self._found.values())

    @property
    def median(self) -> float | None:
        """The median; None where there is no number."""
        return float(np.mean([self._number(rank) for rank in self._middle])) if self._n else None

    @property
    def quantiles(self) -> Floats:
        """The quantiles, as `numpy.quantile` has them."""
        pairs = [np.array([self._number(rank) for rank in self._around(share)]) for share in self.shares]
        places = [share * (self._n - 1) % 1.0 for share in self.shares]
        return np.array([np.quantile(pair, place) for pair, place in zip(pairs, places, strict=True)])

    @property
    def _middle(self) -> tuple[int, int]:
        return (self._n - 1) // 2, self._n // 2

    def _around(self, share: float) -> tuple[int, int]:
        below = int(share * (self._n - 1))
        return below, min(below + 1, self._n - 1)

    def _number(self, rank: int) -> float:
        found = self._found[rank]
        assert not isinstance(found, _Interval)
        return found

    def add(self, values: Floats) -> None:
        """Take the next values of a pass; missing ones do not count."""
        keys = ordered_keys(values[~np.isnan(values)])
        if not self._found:
            self._n += len(keys)
            self._whole.add(keys)
        for found in self._found.values():
            if isinstance(found, _Interval):
                found.add(keys)

    def join(self, later: QuantileSearch) -> None:
        """Take what another one, which began this pass as this one did, has seen in it."""
        if not self._found:
            self._n += later._n
            self._whole.join(later._whole)
        for mine, other in zip(self._found.values(), later._found.values(), strict=True):
            if isinstance(mine, _Interval) and isinstance(other, _Interval):
                mine.join(other)

    def end_pass(self) -> None:
        """The pass is over."""
        if not self._n:
            return
        known = self._found
        if not known:
            ranks = [*self._middle, *(rank for share in self.shares for rank in self._around(share))]
            known = dict.fromkeys(ranks, self._whole)
            self.n_distinct = self._whole.n_distinct
        self._found = {
            rank: found.narrowed(rank) if isinstance(found, _Interval) else found for rank, found in known.items()
        }
        self._whole = _Interval(0, 64 - BITS, 0)  # its counts are not needed any more
