"""Which fold holds a row out, by its number alone: nothing about other rows need be known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from normball.blocks.block import Block

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def fold_of_rows(first: int, count: int, n_folds: int, seed: int = 0, repeat: int = 0) -> NDArray[np.int32]:
    """The folds of the rows `first`, ..., `first + count - 1`.

    Every `n_folds` consecutive rows, counted from row 0, are dealt out to all folds in an order of their own, so that
    sizes differ by 1 at most. The order is that of SplitMix64 (Steele, Lea & Flood 2014) of the row numbers: it depends
    on these, the seed and the repeat alone.

    Examples
    --------
    >>> fold_of_rows(0, 9, 3).tolist() == [*fold_of_rows(0, 4, 3).tolist(), *fold_of_rows(4, 5, 3).tolist()]
    True
    >>> sorted(fold_of_rows(6, 3, 3).tolist())
    [0, 1, 2]
    """
    start = first // n_folds * n_folds
    n_runs = -(-(first + count - start) // n_folds)
    numbers = np.arange(start, start + n_runs * n_folds, dtype=np.uint64)
    state = mixed(np.array([seed], dtype=np.uint64))
    for _ in range(repeat):
        state = mixed(state)
    keys = mixed(numbers + state)
    folds = np.argsort(keys.reshape(n_runs, n_folds), axis=1, kind="stable").ravel()
    return folds[first - start : first - start + count].astype(np.int32)


def are_apart(first: int, count: int, share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Which of the rows `first`, ..., `first + count - 1` are among those of a share, by their numbers and a seed."""
    numbers = np.arange(first, first + count, dtype=np.uint64)
    keys = mixed(numbers + mixed(np.array([seed], dtype=np.uint64)))
    return np.asarray(keys.astype(np.float64) * 2.0**-64 < share)


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 of each number as its state."""
    mixed = (numbers + np.uint64(1)) * _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def dealt_out(fold_of: NDArray[np.int32], block: Block) -> Block:
    """The block with the folds of what each row is one of, (n_repeats, codes), by the code of that."""
    assert block.fold is not None
    return replace(block, fold=_of_repeats(fold_of[:, block.fold]))


def with_folds(n_folds: int, seed: int, n_repeats: int, block: Block) -> Block:
    """The block with its rows dealt out to folds by their numbers, so many times."""
    repeats = [
        n_folds * repeat + fold_of_rows(block.first_row, block.n_rows, n_folds, seed, repeat)
        for repeat in range(n_repeats)
    ]
    return replace(block, fold=_of_repeats(np.array(repeats, dtype=np.int32)))


def _of_repeats(folds: NDArray[np.int32]) -> NDArray[np.int32]:
    """As a block has them."""
    return folds if len(folds) > 1 else folds[0]
