"""`LongTable`: a table that does not fit into memory, read from its first row to its last as often as it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, TypeVar

from normball.inputs.reading import TextFormat
from normball.messages import OR, DataError, Finding, count, words

if TYPE_CHECKING:
    import polars as pl

DEFAULT_MEMORY = 1 << 30
SHARE_OF_A_BLOCK = 64  # reading ahead, decoding and encoding hold several blocks, and some of them twice
LARGEST_BLOCK = 1 << 23  # bytes: columns of a block stay in the cache of a core
BYTES_OF_A_CELL = 8

NUMBERS, TRUTH, CATEGORIES, TEXT, DATES = "numbers", "truth values", "categories", "text", "dates or times"


class Pass(Protocol):
    """What is gathered in one read of a table; picklable, so that parts of the table can be read anywhere."""

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows, the first of which has the number `first_row`."""

    def join(self, later: Self) -> None:
        """Take what another one, which began as this one did, gathered in the rows behind those of this one."""


Gathered = TypeVar("Gathered", bound=Pass)
Opener: TypeAlias = "Callable[[list[str], int], Iterator[pl.DataFrame]]"


@dataclass(frozen=True)
class LongTable:
    """The columns of a table and a way to read it.

    Attributes
    ----------
    schema : {name: polars type}
        The columns; a part of the table may hold another type of the same kind.
    opened : callable
        Reads some of the columns from the first row on: polars frames of about so many rows each.
    form : TextFormat or None
        How numbers are written in columns of text that was read from files; None for frames, whose text is what it is.
    kept_as_text : tuple of str
        Columns of files whose text is not to be read as numbers.
    named : bool
        False: an array, whose columns go by position.
    findings : tuple of Finding
        What is worth knowing of how it is written.
    conflicts : {name: Finding}
        Columns that do not hold the same in all files, which can be left out.
    n_rows_hint : int
        How many rows there are, for progress; 0 where that is not known beforehand.
    """

    schema: Mapping[str, Any]
    opened: Opener
    form: TextFormat | None = None
    kept_as_text: tuple[str, ...] = ()
    named: bool = True
    findings: tuple[Finding, ...] = ()
    conflicts: Mapping[str, Finding] = field(default_factory=dict)
    n_rows_hint: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.schema)

    def parts(self, columns: Sequence[str], n_rows: int) -> Iterator[pl.DataFrame]:
        """Some of the columns, in frames of exactly `n_rows` rows but for the last.

        So the parts do not depend on how the table is stored: on the files it is in or on their groups of rows.
        """
        columns = list(columns)
        return _of_equal_length(self._checked(self.opened(columns, n_rows)), n_rows)

    def run(self, columns: Sequence[str], n_rows: int, gathered: Gathered) -> Gathered:
        """Show all rows of some columns to what gathers, `n_rows` at once."""
        first_row = 0
        for frame in self.parts(columns, n_rows):
            gathered.add(frame, first_row)
            first_row += frame.height
        return gathered

    def _checked(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        first_row = 0
        for frame in frames:
            yield self.checked(frame, first_row)
            first_row += frame.height

    def checked(self, frame: pl.DataFrame, first_row: int) -> pl.DataFrame:
        """A part whose columns hold what they are known to hold, with gaps of the right type if they hold nothing."""
        kinds = {name: kind_of(dtype) for name, dtype in frame.schema.items()}
        for name, kind in kinds.items():
            if kind not in (kind_of(self.schema[name]), ""):
                where = f"from row {count(first_row + 1)} on"
                raise DataError(another_type(name, self.schema[name], frame.schema[name], where))
        empty = [name for name, kind in kinds.items() if not kind]
        return frame.with_columns(frame[name].cast(self.schema[name]) for name in empty) if empty else frame


def column_of(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column of a part without its name, in which methods of a series look for a pattern such as "^x.*$"."""
    return frame[name].alias("")


def kind_of(dtype: Any) -> str:
    """What a column of this type holds, in words; nothing at all where it has gaps only."""
    import polars as pl

    if dtype.is_numeric():
        return NUMBERS
    if dtype.is_temporal():
        return DATES
    known = {pl.Boolean: TRUTH, pl.Categorical: CATEGORIES, pl.Enum: CATEGORIES, pl.String: TEXT, pl.Null: ""}
    return known.get(dtype.base_type(), f"values of type {dtype}")


def another_type(name: str, first: Any, found: Any, where: str) -> Finding:
    """E12: a column does not hold what it held before."""
    text = f'Column "{name}" holds {kind_of(first) or "no value"} ({first}), but {kind_of(found)} ({found}) {where}.'
    fix = f"write all of it as one type{OR}drop={words([name])}"
    return Finding("E12", text, fix, (name,))


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
