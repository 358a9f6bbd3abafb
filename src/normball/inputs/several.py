"""What comes a column for each of several: problems of a batch, or outputs of one model."""

from __future__ import annotations

from typing import Any

import numpy as np

from normball.inputs.columns import Content, Labels, Numbers, Several, Unusable, read_array, read_series
from normball.inputs.lookup import not_found_of
from normball.inputs.rows import misplaced
from normball.inputs.sources import Source
from normball.messages import DataError, Finding, count


def names_in(source: Source, values: Any) -> list[str]:
    """The names of columns of the table, if that is what `values` are; labels repeat, names do not."""
    if isinstance(values, str):
        return [values]
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        return []
    known = {*values} & {*source.names}
    return list(values) if known and (len(known) == len(values) or len(values) != source.n_rows) else []


def several_of(source: Source, values: Any, findings: list[Finding]) -> Several | None:
    """A target that comes in several columns; None where it is one column."""
    if isinstance(values, Several):
        return values
    if isinstance(values, str | Numbers | Labels | Unusable):
        return None
    names = names_in(source, values)
    is_table = hasattr(values, "columns") or getattr(values, "ndim", 0) == 2
    if not names and not is_table and not _is_nested(values):
        return None
    columns = columns_of(source, values, "y", findings, outputs=True)
    return Several(columns, named=bool(names) or hasattr(values, "columns")) if len(columns) > 1 else None


def _is_nested(values: Any) -> bool:
    """Whether it is a list of rows."""
    return isinstance(values, list | tuple) and len(values) > 0 and isinstance(values[0], list | tuple)


def columns_of(
    source: Source, values: Any, role: str, findings: list[Finding], outputs: bool = False
) -> dict[str, Content]:
    """The columns of `values` by name."""
    if names := names_in(source, values):
        what = "Target" if role == "y" else f"Column (of {role})"
        where = {name: j for j, name in enumerate(source.names)}
        findings += not_found_of(source, names, what)
        return {name: source.read(where[name]) for name in names if name in where}
    if (found := misplaced(source.index, values, role)) and found not in findings:
        findings.append(found)
    columns = _from_frame(values, role)
    if columns is None:
        array = _as_array(values, role)
        if array.ndim not in (1, 2):
            findings.append(Finding("E14", f"{role} must have 1 or 2 dimensions; its shape is {array.shape}."))
            return {}
        if array.ndim == 2 and array.shape[0] != source.n_rows == array.shape[1]:
            kind = "output" if outputs else "problem"
            text = f"{role} has shape {array.shape}; a row for each row of X and a column for each {kind} is wanted."
            findings.append(Finding("E14", text, f"{role}.T"))
            return {}
        if array.ndim == 1:
            columns = {role: read_array(array)}
        else:
            columns = {f"{role}[:, {k}]": read_array(array[:, k]) for k in range(array.shape[1])}
    if not columns:
        findings.append(Finding("E14", f"{role} has no columns."))
    for name, column in columns.items():
        if not isinstance(column, Unusable) and len(column) != source.n_rows:
            text = f"{name} has {count(len(column))} values; X has {count(source.n_rows)} rows."
            findings.append(Finding("E14", text))
            break
    return columns


def _from_frame(values: Any, role: str) -> dict[str, Content] | None:
    if isinstance(values, np.ndarray | list | tuple):
        return None
    import narwhals as nw

    if nw.dependencies.is_into_series(values):
        series = nw.from_native(values, series_only=True)
        return {str(series.name or role): read_series(series)}
    if not nw.dependencies.is_into_dataframe(values):
        return None
    frame = nw.from_native(values, eager_only=True)
    return {str(name): read_series(frame[:, j]) for j, name in enumerate(frame.columns)}


def _as_array(values: Any, role: str) -> Any:
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(Finding("E14", f"The rows of {role} do not all have the same length.")) from None
    return np.array(values, dtype=object) if array.dtype.kind in "US" else array
