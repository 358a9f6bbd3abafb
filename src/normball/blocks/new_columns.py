"""The features of new rows in a long table: what `Preparation.design` finds in columns that are in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.long_table import LongTable
from normball.blocks.passes import places_lacking
from normball.blocks.readers import ItemReader, Reader
from normball.blocks.survey import Survey
from normball.blocks.surveyed import SurveyedLabels
from normball.blocks.surveyed_dates import dates_of
from normball.blocks.table_features import number_reader
from normball.inputs.column_findings import (
    AS_FITTED,
    FILL_OR_IMPUTE,
    infinite_values,
    missing_values,
    not_numeric,
    unusable,
)
from normball.inputs.columns import Unusable
from normball.inputs.places import Places
from normball.inputs.preparation import Preparation
from normball.inputs.terms.dates import DateTerm
from normball.inputs.terms.interaction import InteractionTerm
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.term import Term
from normball.messages import DataError, Finding


@dataclass
class NewColumns:
    """The columns of a model as new rows have them.

    Attributes
    ----------
    preparation : Preparation
        How they become features; where there is no gap nothing is filled in.
    readers : {column: Reader}
        Of those that are read otherwise than they were surveyed.
    levels : {column: ndarray}
        As in `TableRows`.
    missing : {column: Places}
        Gaps that nothing fills in.
    n_rows : int
        How many rows there are.
    """

    preparation: Preparation
    n_rows: int
    readers: dict[str, Reader] = field(default_factory=dict)
    levels: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    missing: dict[str, Places] = field(default_factory=dict)
    infinite: dict[str, Places] = field(default_factory=dict)

    def gaps(self, table: LongTable, readers: Mapping[str, Reader], n_rows: int) -> list[Finding]:
        """What there is to say about missing and infinite values; several columns take a further pass."""
        findings = []
        if self.missing:
            anywhere = next(iter(self.missing.values()))
            if len(self.missing) > 1:
                anywhere = places_lacking(table, readers, [*self.missing], n_rows)
            findings += missing_values(self.missing, anywhere, self.n_rows, FILL_OR_IMPUTE)
        return findings + infinite_values(self.infinite, "correct them upstream")


def judged_columns(preparation: Preparation, found: Survey, unknown: str) -> tuple[NewColumns, list[Finding]]:
    """The columns, and what there is to say of each."""
    columns, findings = NewColumns(preparation, found.n_rows), list[Finding]()
    kept: list[Term] = []
    for column in preparation.columns:
        if isinstance(column, InteractionTerm):  # its columns are features by themselves, too
            kept.append(column)
            continue
        if isinstance(column, DateTerm):
            findings += _dates(columns, column, found)
            kept.append(column)
            continue
        content: Any = found.contents[column.name]
        if isinstance(content, Unusable):
            findings.append(replace(unusable(column.name, content), fix=AS_FITTED))
            kept.append(column)
            continue
        if isinstance(column, LevelTerm):
            findings += _levels(columns, column, content, found.readers[column.name], unknown)
        else:
            findings += _numbers(columns, column, content)
        kept.append(column if content.missing else replace(column, fill=None))
    columns.preparation = replace(preparation, columns=tuple(kept))
    return columns, findings


def _dates(columns: NewColumns, column: DateTerm, found: Survey) -> list[Finding]:
    name = column.name
    try:
        dates, columns.readers[name] = dates_of(name, found, column.form)
    except DataError as error:
        return [*error.findings]
    if dates.missing and not column.imputes:
        columns.missing[name] = dates.missing
    return []


def _numbers(columns: NewColumns, column: Term, content: Any) -> list[Finding]:
    name = column.name
    if isinstance(content, SurveyedLabels):
        truth = content.truth()
        if (numbers := content.as_numbers()) is not None:
            columns.readers[name] = number_reader(content)
            columns.infinite |= {name: numbers.infinite} if numbers.infinite else {}
        elif np.isnan(truth).any():
            return [not_numeric(name, content, "New column", may_lack=column.imputes)]
        else:
            meant = np.append(truth, np.nan).tolist()
            columns.readers[name] = ItemReader(
                {item: meant[code] for item, code in content.codes.items()}, np.nan, np.float64
            )
    elif content.infinite:
        columns.infinite[name] = content.infinite
    if content.missing and column.fill is None:
        columns.missing[name] = content.missing
    return []


def _levels(columns: NewColumns, column: LevelTerm, content: Any, reader: Reader, unknown: str) -> list[Finding]:
    name = column.name
    if not isinstance(content, SurveyedLabels):  # a column of gaps alone, which is one of numbers
        assert isinstance(reader, ItemReader)
        columns.readers[name] = replace(
            reader, translation=dict.fromkeys(reader.translation, -1), missing=-1, dtype=np.int32
        )
    values = content.values if isinstance(content, SurveyedLabels) else ()
    codes, is_known = column.codes(values)
    columns.levels[name] = np.append(codes, np.int32(column.code_of_gaps))
    if content.missing and not column.takes_gaps and unknown != "baseline":
        columns.missing[name] = content.missing
    unseen = [k for k in range(len(values)) if not is_known[k] and content.n_rows[k]]
    return column.about_unseen({values[k]: int(content.n_rows[k]) for k in unseen}, unknown)
