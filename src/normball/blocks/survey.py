"""The first pass over a long table: what each column holds, how many values it lacks, which labels it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from normball.blocks.column_survey import ColumnSurvey, TextColumn, column_survey
from normball.blocks.long_table import LongTable
from normball.blocks.readers import Reader, as_items
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.inputs.columns import Mask, Unusable
from normball.inputs.places import Places
from normball.inputs.text import PLAIN, read_columns
from normball.messages import Finding

Surveyed: TypeAlias = SurveyedNumbers | SurveyedLabels | Unusable


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a table.

    Attributes
    ----------
    columns : tuple of str
        The columns to look at.
    features, target : tuple of str
        Those of them whose missing values cost a row.
    as_labels : frozenset of str
        Columns of numbers to take for labels.
    inf_is_missing : bool
        Whether an infinite number is a missing value.
    """

    columns: tuple[str, ...]
    features: tuple[str, ...]
    target: tuple[str, ...]
    as_labels: frozenset[str]
    inf_is_missing: bool


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
    with_gap, without_target : Places
        Rows that lack a feature or the target, and those that lack the target.
    matched : frozenset of str
        The parts of the format of text that were met.
    """

    n_rows: int
    contents: dict[str, Surveyed]
    readers: dict[str, Reader]
    with_gap: Places
    without_target: Places
    matched: frozenset[str]
    findings: list[Finding]


def survey(table: LongTable, wanted: Wanted, n_rows: int) -> Survey:
    """Look at all rows of a table, `n_rows` at once."""
    columns = {
        name: column_survey(
            name,
            table,
            as_labels=name in wanted.as_labels,
            wants_distinct=name in wanted.target,
            inf_is_missing=wanted.inf_is_missing,
        )
        for name in wanted.columns
    }
    total, with_gap, without_target = _pass(table, columns, wanted, n_rows)
    again = {name: further for name, column in columns.items() if (further := column.again()) is not None}
    if again:
        _pass(table, again, wanted, n_rows)
    settled = {
        name: column.settled(partial(_places, table, name, n_rows)) for name, column in {**columns, **again}.items()
    }
    return Survey(
        total,
        {name: column.content for name, column in settled.items()},
        {name: column.reader for name, column in settled.items() if column.reader is not None},
        with_gap,
        without_target,
        frozenset().union(*(column.matched for column in settled.values())),
        [finding for column in settled.values() for finding in column.findings],
    )


def _pass(
    table: LongTable, columns: Mapping[str, ColumnSurvey], wanted: Wanted, n_rows: int
) -> tuple[int, Places, Places]:
    """Show all rows to some columns; returns how many there are, and which have gaps."""
    total, with_gap, without_target = 0, Places(), Places()
    texts, form = [name for name, column in columns.items() if isinstance(column, TextColumn)], table.form or PLAIN
    for frame in table.parts(list(columns), n_rows):
        cells = dict(zip(texts, read_columns(frame.select(texts), form), strict=True)) if texts else {}
        gaps = {
            name: column.add_cells(frame[name], cells[name], total)
            if isinstance(column, TextColumn)
            else column.add(frame[name], total)
            for name, column in columns.items()
        }
        none = np.zeros(frame.height, dtype=bool)
        lacks_target = np.logical_or.reduce([none, *(gaps[name] for name in wanted.target if name in gaps)])
        lacks = np.logical_or.reduce([lacks_target, *(gaps[name] for name in wanted.features if name in gaps)])
        without_target = Places.union((without_target, Places.of(lacks_target, total)))
        with_gap = Places.union((with_gap, Places.of(lacks, total)))
        total += frame.height
    return total, with_gap, without_target


def _places(table: LongTable, name: str, n_rows: int, codes: Mapping[Any, int], which: Mask) -> Places:
    """The rows in which a column holds one of some labels, in a further pass."""
    import polars as pl

    items = [item for item, code in codes.items() if code >= 0 and which[code]]
    found, first_row = Places(), 0
    for frame in table.parts([name], n_rows):
        series = as_items(frame[name])
        mask = series.is_in(pl.Series(items, dtype=series.dtype).implode()).fill_null(False).to_numpy()
        found = Places.union((found, Places.of(mask, first_row)))
        first_row += frame.height
    return found
