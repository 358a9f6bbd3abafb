"""The first pass over a long table: what each column holds, how many values it lacks, which labels it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from normball.blocks.column_survey import ColumnSurvey, TextColumn, column_survey
from normball.blocks.long_table import LongTable, column_of
from normball.blocks.passes import places_of_labels
from normball.blocks.readers import Reader
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.blocks.surveyed_dates import SurveyedDates
from normball.inputs.columns import Unusable
from normball.inputs.places import Places
from normball.inputs.reading import TextFormat
from normball.inputs.text import PLAIN, read_columns
from normball.messages import Finding

if TYPE_CHECKING:
    import polars as pl

Surveyed: TypeAlias = SurveyedNumbers | SurveyedLabels | Unusable


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a table.

    Attributes
    ----------
    columns : tuple of str
        The columns to look at.
    features, needed : tuple of str
        Those of them whose missing values cost a row; nothing can stand in for one of `needed`.
    as_labels, distinct : frozenset of str
        Columns of numbers to take for labels, and such whose distinct values count even where they are not whole.
    inf_is_missing : bool
        Whether an infinite number is a missing value.
    as_dates : frozenset of str
        Columns of dates.
    """

    columns: tuple[str, ...]
    features: tuple[str, ...]
    needed: tuple[str, ...]
    as_labels: frozenset[str]
    distinct: frozenset[str]
    inf_is_missing: bool
    as_dates: frozenset[str] = frozenset()


@dataclass
class Survey:
    """What was found.

    Attributes
    ----------
    n_rows : int
        Rows of the table.
    contents : {column: SurveyedNumbers, SurveyedLabels or Unusable}
        What each column holds.
    readers : {column: Reader}
        How it is read from now on, those without use aside.
    with_gap, without_needed : Places
        Rows that lack a feature or something needed, and those that lack something needed.
    matched : frozenset of str
        The parts of the format of text that were met.
    dates : {column: SurveyedDates}
        Columns of a type for dates that were looked at as such.
    """

    n_rows: int
    contents: dict[str, Surveyed]
    readers: dict[str, Reader]
    with_gap: Places
    without_needed: Places
    matched: frozenset[str]
    findings: list[Finding]
    dates: dict[str, SurveyedDates]


def survey(table: LongTable, wanted: Wanted, n_rows: int) -> Survey:
    """Look at all rows of a table, `n_rows` at once."""
    columns = {
        name: column_survey(
            name,
            table,
            as_labels=name in wanted.as_labels,
            as_dates=name in wanted.as_dates,
            wants_distinct=name in wanted.distinct,
            inf_is_missing=wanted.inf_is_missing,
        )
        for name in wanted.columns
    }
    first = table.run(list(columns), n_rows, SurveyPass(columns, wanted, table.form or PLAIN))
    columns = dict(first.columns)
    again = {name: further for name, column in columns.items() if (further := column.again()) is not None}
    if again:
        columns |= table.run(list(again), n_rows, SurveyPass(again, wanted, table.form or PLAIN)).columns
    settled = {name: column.settled(partial(places_of_labels, table, name, n_rows)) for name, column in columns.items()}
    return Survey(
        first.n_rows,
        {name: column.content for name, column in settled.items()},
        {name: column.reader for name, column in settled.items() if column.reader is not None},
        first.with_gap,
        first.without_needed,
        frozenset().union(*(column.matched for column in settled.values())),
        [finding for column in settled.values() for finding in column.findings],
        {name: column.dates for name, column in settled.items() if column.dates is not None},
    )


@dataclass
class SurveyPass:
    """One read of the columns; see `Survey` for what it gathers."""

    columns: Mapping[str, ColumnSurvey]
    wanted: Wanted
    form: TextFormat
    n_rows: int = 0
    with_gap: Places = field(default_factory=Places)
    without_needed: Places = field(default_factory=Places)

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows."""
        texts = [name for name, column in self.columns.items() if isinstance(column, TextColumn)]
        cells = dict(zip(texts, read_columns(frame[:, texts], self.form), strict=True)) if texts else {}
        gaps = {
            name: column.add_cells(column_of(frame, name), cells[name], first_row)
            if isinstance(column, TextColumn)
            else column.add(column_of(frame, name), first_row)
            for name, column in self.columns.items()
        }
        none = np.zeros(frame.height, dtype=bool)
        lacks_needed = np.logical_or.reduce([none, *(gaps[name] for name in self.wanted.needed if name in gaps)])
        lacks = np.logical_or.reduce([lacks_needed, *(gaps[name] for name in self.wanted.features if name in gaps)])
        self.without_needed = Places.union((self.without_needed, Places.of(lacks_needed, first_row)))
        self.with_gap = Places.union((self.with_gap, Places.of(lacks, first_row)))
        self.n_rows += frame.height

    def join(self, later: SurveyPass) -> None:
        """Take what was found in later rows."""
        for name, column in self.columns.items():
            column.join(later.columns[name])
        self.without_needed = Places.union((self.without_needed, later.without_needed))
        self.with_gap = Places.union((self.with_gap, later.with_gap))
        self.n_rows += later.n_rows
