"""Some rows of a long table as a table of their own: those that a fit sees, or those that are set apart from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from normball.blocks.folds import are_apart
from normball.blocks.long_table import LongTable, Opener, column_of
from normball.blocks.readers import as_items
from normball.inputs.columns import Mask

if TYPE_CHECKING:
    import polars as pl


class Selection(Protocol):
    """Which rows are meant."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that decide."""

    def of(self, frame: pl.DataFrame, first_row: int) -> Mask:
        """The rows of a part, the first of which is `first_row` of the table."""


@dataclass(frozen=True)
class ByShare:
    """A share of the rows by their numbers, or the others."""

    share: float
    seed: int
    apart: bool
    needs: tuple[str, ...] = ()

    def of(self, frame: pl.DataFrame, first_row: int) -> Mask:
        """Whether the row is set apart, or is not."""
        return np.asarray(are_apart(first_row, frame.height, self.share, self.seed) == self.apart)


@dataclass(frozen=True)
class ByMark:
    """The rows in which a column holds one of some values, or the others."""

    column: str
    items: tuple[Any, ...]
    apart: bool

    @property
    def needs(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def of(self, frame: pl.DataFrame, first_row: int) -> Mask:
        """Whether the row is marked, or is not."""
        items = as_items(column_of(frame, self.column)).to_list()
        marked = np.isin(np.array(items, dtype=object), np.array(self.items, object))
        return np.asarray(marked == self.apart)


def selected(table: LongTable, selection: Selection) -> LongTable:
    """The table of these rows, which are numbered anew."""
    return replace(table, opened=partial(_chosen, table.opened, selection), n_rows_hint=0)


def _chosen(opened: Opener, selection: Selection, columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
    import polars as pl

    first_row = 0
    for frame in opened(list(dict.fromkeys([*columns, *selection.needs])), n_rows):
        chosen = selection.of(frame, first_row)
        first_row += frame.height
        if chosen.any():
            yield frame.filter(pl.Series(chosen))[:, columns]


def numbered(table: LongTable) -> tuple[LongTable, str]:
    """The table with a column that numbers its rows from 1 on, and the name of that."""
    import polars as pl

    name = "row"
    while name in table.schema:
        name += "_"
    schema = {**table.schema, name: pl.Int64()}
    return replace(table, schema=schema, opened=partial(_with_numbers, table.opened, name)), name


def _with_numbers(opened: Opener, name: str, columns: list[str], n_rows: int) -> Iterator[pl.DataFrame]:
    import polars as pl

    first_row = 1
    for frame in opened([column for column in columns if column != name], n_rows):
        last_row = first_row + frame.height
        numbers = pl.int_range(first_row, last_row, dtype=pl.Int64, eager=True).alias(name)
        yield frame.with_columns(numbers)[:, columns]
        first_row = last_row


@dataclass
class Items:
    """What a column holds, each once, in the order in which it is met."""

    name: str
    found: dict[Any, None] = field(default_factory=dict)

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows."""
        self.found |= dict.fromkeys(as_items(column_of(frame, self.name)).unique(maintain_order=True).to_list())

    def join(self, later: Items) -> None:
        """Take what was found in later rows."""
        self.found |= later.found
