"""Ranks of predictions that pass by block by block: exact as long as few differ, in bins where many do.

It is known how far off an area under the curve can be by that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normball.blocks.quantiles import Keys, ordered_keys

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ranks:
    """The weights of both classes by prediction, in the order of these.

    Attributes
    ----------
    most : int
        How many predictions are told apart. Where more differ their last digits go, one bit after the other, until
        so many are left.
    shift : int
        How many of the last bits have gone.
    keys : ndarray of uint64
        The predictions as whole numbers of the same order, without these bits.
    positive, negative : ndarray
        Their weights.
    """

    most: int
    shift: int
    keys: Keys
    positive: Array
    negative: Array

    @classmethod
    def of(cls, most: int, eta: Array, positive: Array, negative: Array) -> Ranks:
        """Those of some rows by linear predictor, with their weights in the two classes."""
        return _summed(most, 0, ordered_keys(eta), positive, negative)

    def __add__(self, later: Ranks) -> Ranks:
        """As `join`, so that arrays of them add up."""
        return self.join(later)

    def join(self, later: Ranks) -> Ranks:
        """Those of more rows."""
        shift = max(self.shift, later.shift)
        keys = [one.keys >> np.uint64(shift - one.shift) for one in (self, later)]
        return _summed(
            self.most,
            shift,
            np.concatenate(keys),
            np.concatenate([self.positive, later.positive]),
            np.concatenate([self.negative, later.negative]),
        )

    def area(self) -> tuple[float, float]:
        """The weighted area under the ROC curve, NaN where a class is absent, and how far off it is at most."""
        pairs = self.positive.sum() * self.negative.sum()
        if not pairs > 0.0:
            return np.nan, 0.0
        below = np.cumsum(self.negative) - self.negative / 2.0
        within = self.positive @ self.negative / 2.0 if self.shift else 0.0
        return float(self.positive @ below / pairs), float(within / pairs)


def _summed(most: int, shift: int, keys: Keys, positive: Array, negative: Array) -> Ranks:
    """Equal keys as one; as many bits go as it takes for no more than `most` to be left."""
    order = np.argsort(keys, kind="stable")
    keys, positive, negative = keys[order], positive[order], negative[order]
    while True:
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if keys.size else np.zeros(0, np.intp)
        if starts.size <= most:
            break
        keys, shift = keys >> np.uint64(1), shift + 1
    if starts.size == keys.size:
        return Ranks(most, shift, keys, positive, negative)
    return Ranks(most, shift, keys[starts], np.add.reduceat(positive, starts), np.add.reduceat(negative, starts))
