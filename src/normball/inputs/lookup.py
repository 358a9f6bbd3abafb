"""Columns that are asked for by name, or given as values; and what is said of names that no column has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from normball.inputs.columns import Labels, Numbers, Unusable, read_values
from normball.inputs.sources import Source
from normball.inputs.text import to_numbers
from normball.messages import SAMPLE, DataError, Finding, count, did_you_mean, sample


class HasNames(Protocol):
    """A table, of which no more is asked than what its columns are called."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""


def not_found(source: HasNames, name: str, what: str) -> Finding:
    """E02: no column of that name."""
    text = f'{what} "{name}" not found. Columns: {sample(source.names)}.{did_you_mean(name, source.names)}'
    fix = ""
    if 2 * np.isfinite(to_numbers(source.names)).sum() > len(source.names):
        text += " Most of these are numbers: is the header row missing?"
        fix = 'header="none" where the file is read; its columns are then called column_1, column_2, ...'
    elif len(source.names) == 1 and (marks := [mark for mark in ",;\t|" if mark in source.names[0]]):
        fix = f'delimiter="{marks[0]}" where the file is read'.replace("\t", "tab")
    return Finding("E02", text, fix, (name,))


def not_found_of(source: HasNames, names: Sequence[str], what: str) -> list[Finding]:
    """E02 for each of the names that is no column's, the first few with a hint."""
    known = set(source.names)
    lacking = [name for name in names if name not in known]
    findings = [not_found(source, name, what) for name in lacking[:SAMPLE]]
    if len(lacking) > SAMPLE:
        text = f"{what}: {count(len(lacking) - SAMPLE)} more names not found: {sample(lacking[SAMPLE:], quote=True)}."
        findings.append(Finding("E02", text, columns=tuple(lacking[SAMPLE:])))
    return findings


def vector_of(
    source: Source, values: Any, role: str, findings: list[Finding]
) -> tuple[str, Numbers | Labels | Unusable | None]:
    """The name and content of what is given row by row, by name or as values; None, with a finding, if none is."""
    if isinstance(values, str):
        what = f"Column (of {role})" if role in ("sample_weight", "offset", "strata") else "Target"
        if values not in source.names:
            findings.append(not_found(source, values, what))
            return values, None
        return values, source.read(source.names.index(values))
    try:
        column = read_values(values, role)
    except DataError as error:
        findings += error.findings
        return role, None
    if not isinstance(column, Unusable) and len(column) != source.n_rows:
        text = f"{role} has {count(len(column))} values; X has {count(source.n_rows)} rows."
        findings.append(Finding("E14", text))
        return role, None
    name = getattr(values, "name", None)
    return name if isinstance(name, str) and name else role, column
