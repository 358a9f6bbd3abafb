"""The first pass over a long table: what each column holds, how many values it lacks, which labels it has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from normball.blocks.column_survey import ColumnSurvey, column_survey
from normball.blocks.long_table import LongTable
from normball.blocks.readers import Reader, as_items
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.inputs.columns import Mask, Unusable
from normball.inputs.places import Places
from normball.messages import Finding

Surveyed: TypeAlias = SurveyedNumbers | SurveyedLabels | Unusable
Passed: TypeAlias = Callable[[int], None]  # told how many rows of a pass are done


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a table.

    Attributes
    ----------
    columns : tuple of str
        The columns to look at.
    with_gaps : tuple of str
        Those of them, features and targets, whose missing values cost a row.
    as_labels : frozenset of str
        Columns of numbers to take for labels.
    distinct : frozenset of str
        Columns whose distinct values count even where they are not whole.
    inf_is_missing : bool
        Whether an infinite number is a missing value.
    """

    columns: tuple[str, ...]
    with_gaps: tuple[str, ...]
    as_labels: frozenset[str]
    distinct: frozenset[str]
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
    anywhere : Places
        Rows that lack a value in one of the columns `with_gaps`.
    matched : frozenset of str
        The parts of the format of text that were met.
    """

    n_rows: int
    contents: dict[str, Surveyed]
    readers: dict[str, Reader]
    anywhere: Places
    matched: frozenset[str]
    findings: list[Finding]


def survey(table: LongTable, wanted: Wanted, n_rows: int, passed: Passed) -> Survey:
    """Look at all rows of a table, `n_rows` at once."""
    columns = {
        name: column_survey(
            name,
            table,
            as_labels=name in wanted.as_labels,
            wants_distinct=name in wanted.distinct,
            inf_is_missing=wanted.inf_is_missing,
        )
        for name in wanted.columns
    }
    total, anywhere = _pass(table, columns, wanted.with_gaps, n_rows, passed)
    again = {name: further for name, column in columns.items() if (further := column.again()) is not None}
    if again:
        _pass(table, again, (), n_rows, passed)
    settled = {
        name: column.settled(partial(_places, table, name, n_rows)) for name, column in {**columns, **again}.items()
    }
    return Survey(
        total,
        {name: column.content for name, column in settled.items()},
        {name: column.reader for name, column in settled.items() if column.reader is not None},
        anywhere,
        frozenset().union(*(column.matched for column in settled.values())),
        [finding for column in settled.values() for finding in column.findings],
    )


def _pass(
    table: LongTable, columns: Mapping[str, ColumnSurvey], with_gaps: Collection[str], n_rows: int, passed: Passed
) -> tuple[int, Places]:
    total, anywhere = 0, Places()
    for frame in table.parts(list(columns), n_rows):
        lacking = np.zeros(frame.height, dtype=bool)
        for name, column in columns.items():
            gaps = column.add(frame[name], total)
            if name in with_gaps:
                lacking |= gaps
        anywhere = Places.union((anywhere, Places.of(lacking, total)))
        total += frame.height
        passed(total)
    return total, anywhere


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
