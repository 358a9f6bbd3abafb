"""`Executor`: where blocks stay between the passes over them, and how what they give is added up.

Two verbs, so that a cluster is a class of a few lines. What `map_reduce` gives must not depend on who computed what:
`merge` joins neighbours in a binary tree that block numbers alone decide (`Tree`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from normball.blocks.block import Block
from normball.blocks.source import RowSource

Value = TypeVar("Value")


class Executor(Protocol):
    """Runs a function over all blocks of a source, wherever they are."""

    def place(self, source: RowSource) -> Any:
        """Make the blocks of `source` ready for many passes; returns what `map_reduce` knows them by."""

    def map_reduce(
        self,
        handle: Any,
        function: Callable[[Block], Value],
        merge: Callable[[Value, Value], Value],
        on_block: Callable[[int], None],
    ) -> Value:
        """`function` of every block, joined by `merge` in the order of `Tree`.

        Parameters
        ----------
        handle
            What `place` returned.
        function : callable
            Takes a Block; picklable (a function of a module, or a `functools.partial` of one), and so is what it
            returns, which is small beside a block.
        merge : callable
            Joins two of these, of which the first is of the earlier blocks; picklable.
        on_block : callable
            Called with the number of blocks that are done, now and then; what it raises ends the pass.
        """


class Tree:
    """Adds up values that arrive in the order of their numbers 0, 1, 2, ..., always in the same tree.

    Like a binary counter: two values of 2^k blocks each become one of 2^(k+1), so that no more than log2(n) + 1 of them
    are held, and rounding errors grow with log2(n) only (Higham 1993). What is left over at the end is joined from the
    last one on.

    Examples
    --------
    >>> tree = Tree(lambda a, b: f"({a}{b})")
    >>> for one in "abcde":
    ...     tree.add(one)
    >>> tree.total()
    '(((ab)(cd))e)'
    """

    def __init__(self, merge: Callable[[Any, Any], Any]) -> None:
        self._merge = merge
        self._parts: list[tuple[int, Any]] = []  # (k, value of 2^k blocks), the largest first

    def add(self, value: Any) -> None:
        """Take the value of the next block."""
        size = 0
        while self._parts and self._parts[-1][0] == size:
            value = self._merge(self._parts.pop()[1], value)
            size += 1
        self._parts.append((size, value))

    def total(self) -> Any:
        """The value of all blocks; a ValueError where there was none."""
        if not self._parts:
            raise ValueError("there are no blocks")
        parts = [value for _, value in self._parts]
        total = parts.pop()
        while parts:
            total = self._merge(parts.pop(), total)
        return total
