"""Exact medians of numbers that pass by part by part, without holding them: selection by the digits of the numbers.

A double is read as a whole number of 64 bits of the same order. Each pass counts the numbers by their next 16 bits
within the interval that holds the median, and keeps those in it where they are few: two passes as a rule, four at most
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


def bytes_of_a_search(n: int) -> int:
    """The most memory that the search among `n` numbers takes: two intervals of them or of their counts."""
    return 2 * 16 * max(1, min(n, 1 << BITS))


class MedianSearch:
    """The median of one column.

    Attributes
    ----------
    median : float or None
        None as long as it is not known, and where there is no number.
    is_open : bool
        Whether a further pass is needed.
    """

    def __init__(self) -> None:
        self._n = 0
        self._whole = _Interval(0, 64 - BITS, 0)
        self._found: list[tuple[int, float | _Interval]] = []  # both middle ranks and what is known of them
        self.median: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether a further pass is needed."""
        return any(isinstance(found, _Interval) for _, found in self._found)

    def add(self, values: Floats) -> None:
        """Take the next values of a pass; missing ones do not count."""
        keys = ordered_keys(values[~np.isnan(values)])
        if not self._found:
            self._n += len(keys)
            self._whole.add(keys)
        for _, found in self._found:
            if isinstance(found, _Interval):
                found.add(keys)

    def join(self, later: MedianSearch) -> None:
        """Take what another one, which began this pass as this one did, has seen in it."""
        if not self._found:
            self._n += later._n
            self._whole.join(later._whole)
        for (_, mine), (_, other) in zip(self._found, later._found, strict=True):
            if isinstance(mine, _Interval) and isinstance(other, _Interval):
                mine.join(other)

    def end_pass(self) -> None:
        """The pass is over."""
        if not self._n:
            return
        ranks = ((self._n - 1) // 2, self._n // 2)
        known = self._found or [(rank, self._whole) for rank in ranks]
        self._found = [(rank, found.narrowed(rank) if isinstance(found, _Interval) else found) for rank, found in known]
        self._whole = _Interval(0, 64 - BITS, 0)  # its counts are not needed any more
        if not self.is_open:
            self.median = float(np.mean([found for _, found in self._found]))
