"""What small passes over a long table look for: rows of a kind, numbers that a family does not take, a median."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.blocks.long_table import LongTable, column_of
from normball.blocks.quantiles import QuantileSearch
from normball.blocks.readers import Reader, as_items
from normball.families import find_family
from normball.inputs.columns import Floats, Mask
from normball.inputs.places import Places
from normball.messages import SAMPLE

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Where:
    """The rows that are marked."""

    mark: Callable[[pl.DataFrame], Mask]
    places: Places = field(default_factory=Places)

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows."""
        self.places = Places.union((self.places, Places.of(self.mark(frame), first_row)))

    def join(self, later: Where) -> None:
        """Take what was found in later rows."""
        self.places = Places.union((self.places, later.places))


def places_of_labels(table: LongTable, name: str, n_rows: int, codes: Mapping[Any, int], which: Mask) -> Places:
    """The rows in which a column holds one of some labels."""
    items = [item for item, code in codes.items() if code >= 0 and which[code]]
    return table.run([name], n_rows, Where(partial(_holds, name, items))).places


def _holds(name: str, items: Sequence[Any], frame: pl.DataFrame) -> Mask:
    import polars as pl

    series = as_items(column_of(frame, name))
    found = series.is_in(pl.Series(items, dtype=series.dtype).implode()).fill_null(False)
    return np.asarray(found.to_numpy())


def n_complete(table: LongTable, readers: Mapping[str, Reader], names: Sequence[str], n_rows: int) -> int:
    """How many rows have a value in each of some columns."""
    some = {name: readers[name] for name in names}
    return table.run(names, n_rows, Where(partial(_complete, some))).places.n


def places_lacking(table: LongTable, readers: Mapping[str, Reader], names: Sequence[str], n_rows: int) -> Places:
    """The rows that lack a value in one of some columns."""
    some = {name: readers[name] for name in names}
    return table.run(names, n_rows, Where(partial(_incomplete, some))).places


def _incomplete(readers: Mapping[str, Reader], frame: pl.DataFrame) -> Mask:
    return ~_complete(readers, frame)


def _complete(readers: Mapping[str, Reader], frame: pl.DataFrame) -> Mask:
    has_all = [~lacking(reader.read(frame[name])) for name, reader in readers.items()]
    return np.asarray(np.logical_and.reduce(has_all))


def lacking(values: Any) -> Mask:
    """Where numbers or codes are missing."""
    return np.isnan(values) if values.dtype.kind == "f" else np.asarray(values < 0)


@dataclass
class Refused:
    """The numbers of a column that are no targets of a family: where they are, and the first of them."""

    name: str
    reader: Reader
    family: str
    places: Places = field(default_factory=Places)
    values: Floats = field(default_factory=lambda: np.zeros(0))

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows."""
        numbers = self.reader.read(frame[self.name])
        mask = find_family(self.family).refused(numbers)[0]
        self.places = Places.union((self.places, Places.of(mask, first_row)))
        self.values = np.append(self.values, numbers[mask])[:SAMPLE]

    def join(self, later: Refused) -> None:
        """Take what was found in later rows."""
        self.places = Places.union((self.places, later.places))
        self.values = np.append(self.values, later.values)[:SAMPLE]


@dataclass
class _Median:
    name: str
    reader: Reader
    search: QuantileSearch = field(default_factory=QuantileSearch)

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        values = self.reader.read(frame[self.name])
        self.search.add(np.where(np.isinf(values), np.nan, values))

    def join(self, later: _Median) -> None:
        self.search.join(later.search)


def median_of(table: LongTable, name: str, reader: Reader, n_rows: int) -> float:
    """The median of the finite numbers of a column."""
    looking = _Median(name, reader)
    while True:
        looking = table.run([name], n_rows, looking)
        looking.search.end_pass()
        if not looking.search.is_open:
            assert looking.search.median is not None
            return looking.search.median
