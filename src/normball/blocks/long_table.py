"""`LongTable`: a table that does not fit into memory, read from its first row to its last as often as it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from normball.inputs.reading import TextFormat
from normball.messages import DataError, Finding

if TYPE_CHECKING:
    import polars as pl

DEFAULT_MEMORY = 1 << 30
SHARE_OF_A_BLOCK = 32  # reading ahead, decoding and encoding hold several blocks, and some of them twice
LARGEST_BLOCK = 1 << 25  # bytes; larger ones are no faster
BYTES_OF_A_CELL = 8

Opener: TypeAlias = "Callable[[Sequence[str], int], Iterator[pl.DataFrame]]"


@dataclass(frozen=True)
class LongTable:
    """The columns of a table and a way to read it.

    Attributes
    ----------
    names : tuple of str
        The columns.
    opened : callable
        Reads some of the columns from the first row on: polars frames of about so many rows each.
    form : TextFormat or None
        How numbers are written in columns of text that was read from files; None for frames, whose text is what it is.
    kept_as_text : tuple of str
        Columns of files whose text is not to be read as numbers.
    named : bool
        False: an array, whose columns go by position.
    """

    names: tuple[str, ...]
    opened: Opener
    form: TextFormat | None = None
    kept_as_text: tuple[str, ...] = ()
    named: bool = True

    def parts(self, columns: Sequence[str], n_rows: int) -> Iterator[pl.DataFrame]:
        """Some of the columns, in frames of exactly `n_rows` rows but for the last.

        So the parts do not depend on how the table is stored: on the files it is in or on their groups of rows.
        """
        return _of_equal_length(self.opened(list(columns), n_rows), n_rows)


def _of_equal_length(frames: Iterable[pl.DataFrame], n_rows: int) -> Iterator[pl.DataFrame]:
    import polars as pl

    held: list[pl.DataFrame] = []
    height = 0
    for frame in frames:
        start = 0
        while height + frame.height - start >= n_rows:
            stop = start + n_rows - height
            piece = frame.slice(start, stop - start)
            yield pl.concat([*held, piece], how="vertical_relaxed") if held else piece
            held, height, start = [], 0, stop
        if start < frame.height:
            held.append(frame.slice(start))
            height += frame.height - start
    if held:
        yield pl.concat(held, how="vertical_relaxed")


def rows_of_a_block(n_columns: int, memory: int | None, block_rows: int | None = None) -> int:
    """How many rows of so many columns are read at once under a limit of `memory` bytes."""
    if block_rows is not None:
        return block_rows
    n_bytes = min(LARGEST_BLOCK, (memory or DEFAULT_MEMORY) // SHARE_OF_A_BLOCK)
    return max(1, n_bytes // (BYTES_OF_A_CELL * max(1, n_columns)))


def changed(what: str) -> DataError:
    """E11: the table is not what it was in the pass before."""
    fix = "let nothing write to the table while a model is fitted to it"
    return DataError(Finding("E11", f"The table changed while it was read: {what}.", fix))
