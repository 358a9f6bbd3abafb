"""The passes over the blocks of a source: each adds up what is made of a block, and sees that the rows are the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from normball.blocks.block import Block
from normball.blocks.copies import Copies, signed_sums
from normball.blocks.executor import Executor
from normball.blocks.source import RowBlocks
from normball.families import find_family
from normball.inputs.fingerprint import fingerprint_of, rows_digest
from normball.log import logger
from normball.messages import DataError, Finding, count
from normball.progress import Poll
from normball.threads import single_threaded_blas

Array = NDArray[np.float64]

CONSTANT = 1e-24  # a variance beside the square of the mean that is rounding


class Seen(NamedTuple):
    """What a pass saw of one block, to compare it with the first one."""

    number: int
    first_row: int
    n_rows: int
    sum: float  # of X; in one order it is the same to the last bit
    digest: int  # of targets, weights and offsets


def seen_of(block: Block) -> Seen:
    """A checksum of the arrays."""
    digest = rows_digest(block.y, block.weights, block.offset)
    return Seen(block.number, block.first_row, block.n_rows, float(np.sum(block.X, dtype=np.float64)), digest)


class Sums(NamedTuple):
    """What some blocks add up to."""

    seen: list[Seen]
    values: Any


def block_sums(function: Callable[[Block], Any], block: Block) -> Sums:
    """What one block adds."""
    with single_threaded_blas:
        return Sums([seen_of(block)], function(block))


def joined(merge: Callable[[Any, Any], Any], first: Sums, second: Sums) -> Sums:
    """What the blocks of both add up to."""
    return Sums(first.seen + second.seen, merge(first.values, second.values))


def native_sums(verb: str, request: Mapping[str, Any], block: Block) -> Array:
    """What one block adds to a pass of the native code."""
    from normball import _native

    sums: Array = getattr(_native, verb)(
        X=block.X,
        y=np.ravel(block.y),
        weights=block.weights,
        offset=np.ravel(block.offset),
        fold=None if block.fold is None else np.ravel(block.fold),
        n_repeats=block.n_repeats,
        first_row=block.first_row,
        **request,
    )
    return sums


class FirstSums(NamedTuple):
    """What some blocks add to the first pass."""

    moments: Array
    signed: Array  # see `copies`


def first_sums(request: Mapping[str, Any], block: Block) -> FirstSums:
    """What one block adds to the first pass."""
    return FirstSums(native_sums("block_moments", request, block), signed_sums(block))


def joined_first(shape: Mapping[str, Any], first: FirstSums, second: FirstSums) -> FirstSums:
    """Those of both, moments joined pairwise."""
    from normball import _native

    return FirstSums(_native.joined_moments(first.moments, second.moments, **shape), first.signed + second.signed)


@dataclass(frozen=True)
class Moments:
    """The first pass: the sums about means of each fold's rows, those that no fold holds out first.

    What is attributed to folds has a row for each: of weights (n_folds + 1,), of columns (n_folds + 1, n_features), of
    targets and offsets (n_folds + 1,) or with several outputs (n_folds + 1, n_outputs). The parts that are `once` count
    each row once: those of the first of several repeats. `signed` are the sums that tell copies of columns.
    """

    values: Array
    facts: dict[str, Array]
    once: slice
    signed: Array

    @property
    def n_rows(self) -> int:
        """Number of rows, those without weight counted."""
        return int(self.facts["n_rows"][self.once].sum())

    def _of_rows(self, name: str) -> Array:
        """A fact of the parts that have rows with a weight, each of which is in one of them."""
        return self.facts[name][self.once][self.facts["weight"][self.once] > 0.0]

    @property
    def sum_weights(self) -> float:
        """Sum of the weights of all rows."""
        return float(self._of_rows("weight").sum())

    @property
    def target_mean(self) -> Array:
        """Mean of the target of all rows, or of each of several."""
        return np.asarray(self._of_rows("weight") @ self._of_rows("target_mean") / self.sum_weights)

    def copies(self, about_means: bool) -> Copies:
        """What tells copies among the columns, up to a shift where there is an intercept (`about_means`)."""
        weights, means, total = self._of_rows("weight"), self._of_rows("means"), self.sum_weights
        mean = weights @ means / total
        centre = mean if about_means else np.zeros_like(mean)
        squares = self._of_rows("squares").sum(axis=0) + weights @ (means - centre) ** 2
        scales = np.sqrt(squares / total)
        scales[squares <= CONSTANT * total * mean**2] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            shapes = (self.signed[:, :-1] - np.outer(self.signed[:, -1], centre)) / (scales * np.sqrt(total))
        return Copies(np.where(np.isfinite(shapes), shapes, np.nan), scales)

    @property
    def target_variance(self) -> float:
        """Variance of the target of all rows, of several outputs their mean."""
        apart = self._of_rows("target_mean") - self.target_mean
        squares = self._of_rows("target_squares").sum(axis=0) + self._of_rows("weight") @ apart**2
        return float(np.mean(squares / self.sum_weights))


class PassStopped(Exception):
    """The caller's progress function, or Ctrl-C, ended a pass."""


class Passes:
    """Runs passes over data in blocks, wherever an executor keeps these."""

    def __init__(self, blocks: RowBlocks, executor: Executor, has_gram: bool = False) -> None:
        self._blocks, self._executor, self._has_gram = blocks, executor, has_gram
        self.seen: list[Seen] | None = None  # in the first pass
        self.n_passes = 0

    @property
    def fingerprint(self) -> str:
        """Tells the rows of the first pass from others."""
        return fingerprint_of(*(one.digest for one in self.seen or ()))

    @cached_property
    def _handle(self) -> Any:
        return self._executor.place(self._blocks.source)

    def moments(self, poll: Poll) -> Moments:
        """The first pass; raises PassStopped."""
        from normball import _native

        shape: dict[str, Any] = {
            "n_features": self._blocks.n_features,
            "n_outputs": self._blocks.n_outputs,
            "has_gram": self._has_gram or find_family(self._blocks.family).quadratic,
        }
        request = {**self._loss, "n_folds": self._blocks.n_folds, "has_gram": shape["has_gram"]}
        values, signed = self.run(partial(first_sums, request), partial(joined_first, shape), poll)
        in_a_repeat = self._blocks.n_folds // self._blocks.n_repeats
        return Moments(values, _native.moment_facts(values, **shape), slice(0, 1 + in_a_repeat), signed)

    @property
    def _loss(self) -> dict[str, Any]:
        family = find_family(self._blocks.family)
        return {"family": family.name, "parameter": family.parameter, "n_outputs": self._blocks.n_outputs}

    def native(self, poll: Poll) -> Callable[[str, Mapping[str, Any]], Array | None]:
        """What the native driver calls for a pass: a verb and its request; None stops it."""

        def reduce(verb: str, request: Mapping[str, Any]) -> Array | None:
            asked = {**self._loss, **request}
            try:
                sums: Array = self.run(partial(native_sums, verb, asked), np.add, poll)
                return sums
            except PassStopped:
                return None

        return reduce

    def run(self, function: Callable[[Block], Any], merge: Callable[[Any, Any], Any], poll: Poll) -> Any:
        """`function` of all blocks, joined by `merge`; raises PassStopped."""
        hint = self._blocks.source.n_blocks_hint
        of = "" if hint is None else f" of {count(hint)}"
        self.n_passes += 1
        start = time.perf_counter()

        def on_block(n_done: int) -> None:
            if poll.meanwhile(f"pass {self.n_passes}, block {count(n_done)}{of}"):
                raise PassStopped

        try:
            total = self._executor.map_reduce(
                self._handle, partial(block_sums, function), partial(joined, merge), on_block
            )
        except KeyboardInterrupt:
            poll.stopped = True
            raise PassStopped from None
        self._check(total.seen)
        seconds = time.perf_counter() - start
        logger.debug("pass %d over %d blocks, in %.3g s", self.n_passes, len(total.seen), seconds)
        return total.values

    def _check(self, seen: list[Seen]) -> None:
        """Raise where the blocks are not those of the first pass."""
        if self.seen is None:
            self.seen = seen
        if seen == self.seen:
            return
        changed = next((now for now, first in zip(seen, self.seen, strict=False) if now != first), None)
        if changed is None:
            what = f"there were {count(len(self.seen))} blocks, and are {count(len(seen))}"
        else:
            what = f"block {count(changed.number)}, from row {count(changed.first_row + 1)} on, is another one"
        text = f"The data changed between two passes over them: {what}."
        raise DataError(Finding("E17", text, "leave the data alone until the fit is over, or fit a copy"))
