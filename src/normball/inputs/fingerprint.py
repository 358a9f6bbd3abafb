"""What tells the rows of a fit from others, in whatever parts they come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits spread: 2^64 over the golden ratio
_SHIFT = np.uint64(29)
_MOST = (1 << 64) - 1


def rows_digest(*columns: NDArray[Any]) -> int:
    """A number of the rows of some arrays, each of shape (n,) or (n, k): the sum of one for each row, modulo 2^64.

    The digests of parts add up to that of the whole.
    """
    state = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        for values in np.asarray(column, dtype=np.float64).reshape(len(state), -1).T:
            state = (state ^ (values + 0.0).view(np.uint64)) * _FACTOR + _FACTOR  # -0.0 is 0.0
            state ^= state >> _SHIFT
    return int(np.sum(state, dtype=np.uint64))


def fingerprint_of(*digests: int) -> str:
    """The rows of all parts, in words."""
    return f"{sum(digests) & _MOST:016x}"
