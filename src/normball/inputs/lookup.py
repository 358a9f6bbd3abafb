"""What is said of names that no column has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from normball.inputs.sources import Source
from normball.inputs.text import to_numbers
from normball.messages import SAMPLE, Finding, count, did_you_mean, sample


def not_found(source: Source, name: str, what: str) -> Finding:
    """E02: no column of that name."""
    text = f'{what} "{name}" not found. Columns: {sample(source.names)}.{did_you_mean(name, source.names)}'
    fix = ""
    if 2 * np.isfinite(to_numbers(source.names)).sum() > len(source.names):
        text += " Most of these are numbers: is the header row missing?"
        fix = 'header="none" where the file is read; its columns are then called column_1, column_2, ...'
    elif len(source.names) == 1 and (marks := [mark for mark in ",;\t|" if mark in source.names[0]]):
        fix = f'delimiter="{marks[0]}" where the file is read'.replace("\t", "tab")
    return Finding("E02", text, fix, (name,))


def not_found_of(source: Source, names: Sequence[str], what: str) -> list[Finding]:
    """E02 for each of the names that is no column's, the first few with a hint."""
    known = set(source.names)
    lacking = [name for name in names if name not in known]
    findings = [not_found(source, name, what) for name in lacking[:SAMPLE]]
    if len(lacking) > SAMPLE:
        text = f"{what}: {count(len(lacking) - SAMPLE)} more names not found: {sample(lacking[SAMPLE:], quote=True)}."
        findings.append(Finding("E02", text, columns=tuple(lacking[SAMPLE:])))
    return findings
