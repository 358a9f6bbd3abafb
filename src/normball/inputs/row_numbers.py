"""Weights and offsets, one finite number a row, and the rows that lack such a number or another thing they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from normball.inputs.column_findings import LARGEST, not_numeric
from normball.inputs.columns import AnyLabels, Floats, Labels, Mask, Numbers, Unusable, missing_in, read_values
from normball.inputs.gaps import NOUNS
from normball.inputs.lookup import vector_of
from normball.inputs.places import Places
from normball.inputs.several import columns_of, names_in
from normball.inputs.sources import Source, source_of
from normball.inputs.text import to_numbers
from normball.messages import DataError, Finding, count, raise_errors, sample

TITLES = {"sample_weight": "Weight", "offset": "Offset"}
FIX_EXPOSURE = "correct these values, or remove the rows"


@dataclass(frozen=True)
class Lacking:
    """The rows in which a column with a role, which nothing can stand in for, has no value."""

    column: str
    role: str  # a noun: "target", "weight", "offset"
    rows: Mask


def lacking_rows(source: Source, by_row: Mapping[str, Any]) -> list[Lacking]:
    """The gaps in what is given row by row, by role; what cannot be read at all is for others to say."""
    found = []
    for role, values in by_row.items():
        for name, rows in _gaps(source, values).items():
            if len(rows) == source.n_rows and rows.any():
                found.append(Lacking(name or role, NOUNS[role], rows))
    return found


def _gaps(source: Source, values: Any) -> dict[str, Mask]:
    """Where values are missing, by the name of the column if it has one."""
    if values is None or isinstance(values, bool | np.bool_):
        return {}
    if names := names_in(source, values):
        return {name: _missing(source, name) for name in names if name in source.names}
    if getattr(values, "ndim", 1) == 2 or hasattr(values, "columns"):
        found: list[Finding] = []
        columns = columns_of(source, values, "offset", found)
        masks = [column.missing for column in columns.values() if not isinstance(column, Unusable)]
        return {"": np.logical_or.reduce(masks)} if masks and not found else {}
    try:
        column = read_values(values, "")
    except DataError:
        return {}
    name = getattr(values, "name", None)
    mask = missing_in(np.asarray(values)) if isinstance(column, Unusable) else column.missing
    return {name if isinstance(name, str) else "": mask}


def _missing(source: Source, name: str) -> Mask:
    column = source.read(source.names.index(name))
    return missing_in(source.values(name)) if isinstance(column, Unusable) else column.missing


def row_numbers(
    source: Source,
    values: Any,
    role: str,
    default: float,
    findings: list[Finding],
    label: str = "",
    may_lack: bool = False,
) -> Floats:
    """Weights or offset, one finite number a row; `label` says which, where there are several.

    Rows that `may_lack` a value, since others have to say so (`lacking_rows`), have the `default`.
    """
    label = label or role
    defaults = np.full(source.n_rows, default)
    if values is None:
        return defaults
    name, column = vector_of(source, values, label, findings)
    if column is None:
        return defaults
    if isinstance(column, Labels) and not column.declared:
        column = column.as_numbers() or column
    if not isinstance(column, Numbers):
        findings.append(no_row_numbers(role, label, name, column))
        return defaults
    numbers = np.where(column.missing, default, column.values) if may_lack else column.values
    with np.errstate(invalid="ignore"):
        size = np.abs(numbers)
        problem, divisor = judge_row_numbers(
            name,
            role,
            label,
            len(numbers),
            not_finite=Places.of(~np.isfinite(numbers)),
            negative=Places.of(numbers < 0),
            too_large=Places.of(size > LARGEST),
            largest=float(np.max(size, initial=0.0)),
        )
    findings += problem
    if any(finding.is_error for finding in problem):
        return defaults
    return np.ascontiguousarray(numbers / divisor if divisor != 1.0 else numbers)


def no_row_numbers(role: str, label: str, name: str, column: AnyLabels | Unusable) -> Finding:
    """E01 or E15: weights or offsets some or all of which are no numbers."""
    if isinstance(column, Unusable):
        held = column.reason
    elif not column.declared and np.isfinite(to_numbers(column.values)).any():
        return not_numeric(name, column, TITLES[role], may_lack=False)
    else:
        held = f"labels ({sample(column.values, quote=True)})"
    return Finding("E15", f'{label} must be numbers; "{name}" holds {held}.', "give a column of numbers", (name,))


def judge_row_numbers(
    name: str,
    role: str,
    label: str,
    n: int,
    *,
    not_finite: Places,
    negative: Places,
    too_large: Places,
    largest: float,
) -> tuple[list[Finding], float]:
    """What there is to say about `n` weights or offsets, and what to divide them by so that their sums are numbers."""
    is_weight = role == "sample_weight"
    bad, problem = (not_finite, "are missing or infinite") if not_finite else (negative, "are negative")
    if bad and (is_weight or not_finite):
        text = f"{count(bad.n)} of {count(n)} values of {label} {problem}: {bad}."
        return [Finding("E15", text, "correct these values, or leave out the rows", (name,))], 1.0
    if is_weight and largest == 0.0:
        text = f"All {label} values are zero; nothing can be learned."
        return [Finding("E15", text, f"leave it out (of {role})", (name,))], 1.0
    if role == "offset" and too_large:
        text = f"Values of {label} are beyond {LARGEST:g} in size: {too_large}."
        return [Finding("E15", text, "correct these values, or leave out the rows", (name,))], 1.0
    if is_weight and not 1e-100 < largest < 1e100:
        text = f"{label} up to {largest:g} were divided by the largest: only their ratios matter."
        return [Finding("W05", text, columns=(name,))], largest
    return [], 1.0


def offsets_of(
    source: Source, offset: Any, output_names: Sequence[str], findings: list[Finding], may_lack: bool = False
) -> Floats:
    """The offsets (n,), or where there are several outputs (n, n_outputs)."""
    n_outputs, named = len(output_names), names_in(source, offset)
    if not n_outputs and len(named) > 1:
        findings.append(several_offsets(len(named)))
        return np.zeros(source.n_rows)
    if not n_outputs:
        return row_numbers(source, named[0] if named else offset, "offset", 0.0, findings, may_lack=may_lack)
    if offset is None:
        return np.zeros((source.n_rows, n_outputs))
    columns = columns_of(source, offset, "offset", findings, outputs=True)
    if columns and len(columns) != n_outputs:
        findings.append(several_offsets(len(columns), output_names))
        return np.zeros((source.n_rows, n_outputs))
    return np.column_stack(
        [row_numbers(source, column, "offset", 0.0, findings, name, may_lack) for name, column in columns.items()]
        or [np.zeros((source.n_rows, n_outputs))]
    )


def several_offsets(n: int, output_names: Sequence[str] = ()) -> Finding:
    """E14: `n` columns of offsets, but another number of outputs."""
    if not output_names:
        return Finding("E14", f"offset has {count(n)} columns; the model has one output.")
    text = (
        f"offset has {count(n)} column{'s' * (n != 1)}; the model has {count(len(output_names))} outputs, and each "
        f"has an offset of its own: {sample(output_names, quote=True)}, in this order."
    )
    return Finding("E14", text)


def column_values(X: Any, name: str, role: str) -> Floats:
    """The numbers in a column of new rows that has a role, such as the offset."""
    findings: list[Finding] = []
    values = row_numbers(source_of(X), name, role, 0.0, findings)
    raise_errors(findings)
    return values


def without_weight(label: str, fix: str = "leave it out (of sample_weight)") -> Finding:
    """E15: the rows that have a weight were left out."""
    text = f"All {label} values are zero in the rows without missing values; nothing can be learned."
    return Finding("E15", text, fix)
