"""The targets of rows that a fitted model is judged on: in the classes and the numbers that it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.class_targets import Target, share_values
from normball.inputs.column_findings import missing_of, row_list
from normball.inputs.columns import Content, Floats, Labels, Mask, Numbers, Several, Unusable, read_values
from normball.inputs.lookup import not_found
from normball.inputs.places import Places
from normball.inputs.several import several_of
from normball.inputs.sources import Source
from normball.inputs.survival_target import survival_columns, survival_target
from normball.inputs.targets import numbers_for
from normball.inputs.terms.levels import same_number
from normball.inputs.text import label_key
from normball.messages import DataError, Finding, count, count_rows, raise_errors, sample
from normball.survival.target import SurvivalTarget

FILL_IN = "fill them in, or leave these rows out"


def new_target(
    source: Source, y: Any, family: str, classes: tuple[Any, ...] | None, output_names: Sequence[str]
) -> Floats:
    """The target (n,), or of several outputs (n, K), in the terms of a model.

    Parameters
    ----------
    source : Source
        The rows.
    y : array, frame, str or list of str
        The target, or the names of its columns, as for the fit.
    family, classes, output_names
        Those of the model.

    Raises
    ------
    DataError
        If there is no such column, a value is missing, or the model does not know it (E09 for a label).
    """
    findings: list[Finding] = []
    several = several_of(source, y, findings) if output_names else None
    if findings:
        raise DataError(*findings)
    if several is not None:
        values = _of_several(several, family, classes, output_names)
        _check(source, values, "y")
        return values
    name, column = _column(source, y)
    if isinstance(column, Unusable):
        raise DataError(Finding("E13", f'Target "{name}" holds {column.reason}.', columns=(name,)))
    if classes is not None:
        values = _of_classes(column, name, classes, len(output_names))
    elif output_names:
        raise DataError(one_target(name, output_names))
    else:
        values = numbers_for(family, column, name, apart=not isinstance(y, str))
    _check(source, values, name)
    return values


def new_times(source: Source, y: Any, counts: Mask, strata: Labels | None = None) -> SurvivalTarget:
    """The times to an event of rows that a model of survival is judged on; `counts` are those that have a weight.

    Raises
    ------
    DataError
        If there are no such columns, a value is missing or wrong, or there is no event.
    """
    findings: list[Finding] = []
    columns = survival_columns(source, y, findings)
    raise_errors(findings)
    assert columns is not None
    target = survival_target(columns, counts, strata)[0]
    names = " and ".join(map(str, columns.columns))
    raise_errors(missing_of({f"{names} (target)": target.missing}, FILL_IN))
    return target


def _column(source: Source, y: Any) -> tuple[str, Content]:
    if isinstance(y, str):
        if y not in source.names:
            raise DataError(not_found(source, y, "Target"))
        return y, source.read(source.names.index(y))
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else "y", read_values(y, "y")


def _of_several(several: Several, family: str, classes: tuple[Any, ...] | None, output_names: Sequence[str]) -> Floats:
    """Shares of the classes, or the several targets; columns that are named go by name."""
    columns = dict(several.columns)
    if several.named and set(columns) == set(output_names):
        columns = {name: columns[name] for name in output_names}
    elif several.named or len(columns) != len(output_names):
        raise DataError(other_targets(list(columns), output_names))
    if classes is not None:
        return share_values(Several(columns, several.named), "y")
    numbers = [
        numbers_for(family, column, name, apart=False)
        for name, column in columns.items()
        if not isinstance(column, Unusable)
    ]
    if len(numbers) < len(columns):
        raise DataError(Finding("E13", f"The target holds no numbers in one of its columns: {sample(list(columns))}."))
    return np.column_stack(numbers)


def _of_classes(column: Numbers | Labels, name: str, classes: tuple[Any, ...], n_outputs: int) -> Floats:
    """Labels as the model's classes; numbers between 0 and 1 as the share of the second of two."""
    if isinstance(column, Numbers) and not n_outputs and {*classes} == {0, 1}:
        known = column.values[~column.missing]
        if ((known >= 0.0) & (known <= 1.0)).all():
            return column.values
    labels = column if isinstance(column, Labels) else column.as_labels()
    found = class_of_values(classes, labels.values)
    codes = found[labels.codes]
    unseen = (codes < 0) & ~labels.missing
    if unseen.any():
        strange, n_rows = np.unique(labels.codes[unseen], return_counts=True)
        counted = {labels.values[code]: number for code, number in zip(strange, n_rows.tolist(), strict=True)}
        raise DataError(unknown_classes(name, counted, classes, Places.of(unseen)))
    if not n_outputs:
        return np.where(labels.missing, np.nan, codes.astype(np.float64))
    return np.where(labels.missing[:, None], np.nan, np.eye(len(classes))[np.maximum(codes, 0)])


def other_targets(names: Sequence[str], output_names: Sequence[str]) -> Finding:
    """E13: columns of a target that are not those of the model."""
    return Finding("E13", f"The target has the columns {sample(names)}; those of the model are {sample(output_names)}.")


def one_target(name: str, output_names: Sequence[str]) -> Finding:
    """E13: one column where the model has several targets."""
    text = f'Target "{name}" is one column; the model has {count(len(output_names))}: {sample(output_names)}.'
    return Finding("E13", text, columns=(name,))


def class_of_values(classes: tuple[Any, ...], values: Sequence[Any]) -> NDArray[np.intp]:
    """The class that each of some labels is, -1 for none; and a -1 at the end, which the code of a gap finds."""
    place = {label_key(value): k for k, value in enumerate(classes)}
    found = np.array([place.get(label_key(value), -1) for value in values] + [-1], dtype=np.intp)
    same = np.append(same_number(values, [str(one) for one in classes]), -1)
    return np.where(found < 0, same, found)


def unknown_classes(name: str, n_rows: Mapping[Any, int], classes: tuple[Any, ...], places: Places) -> Finding:
    """E09 for labels of a target, each of so many rows, that are no class of the model."""
    parts = [f'"{value}" ({count_rows(number)})' for value, number in n_rows.items()]
    text = (
        f'Target "{name}" has labels that the model does not know: {sample(parts)}. '
        f"It knows {sample(classes, quote=True)}.\n{places}"
    )
    return Finding("E09", text, "correct these labels, or leave these rows out", (name,))


def _check(source: Source, values: Floats, name: str) -> None:
    if len(values) != source.n_rows:
        text = f'Target "{name}" has {count(len(values))} values; X has {count(source.n_rows)} rows.'
        raise DataError(Finding("E14", text))
    target = Target(values)
    problems = missing_of({f"{name} (target)": target.missing}, FILL_IN)
    if not problems and not np.isfinite(values).all():
        rows = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
        problems = [Finding("E07", f'Target "{name}" is infinite in {row_list(rows)}.', FILL_IN, (name,))]
    if problems:
        raise DataError(*problems)
