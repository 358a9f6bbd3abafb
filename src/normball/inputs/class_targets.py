"""Targets that are classes: labels, or the share of each class in a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from normball.inputs.column_findings import not_numeric, row_list
from normball.inputs.columns import Content, Floats, Labels, Mask, Numbers, Several
from normball.inputs.disguises import disguise_of
from normball.messages import OR, DataError, Finding, count, sample

MOST_CLASSES = 20
ROWS_OF_A_CLASS = 5  # on average; a number that occurs less often is no label
CONSTANT_FIX = "choose another target; if rows were filtered, check the filter"
ROUNDING = 1e-6  # of the shares of a row, whose sum is 1


@dataclass(frozen=True)
class Target:
    """The target as the solver takes it."""

    y: Floats  # (n,), or with several outputs (n, K); NaN where it is missing
    classes: tuple[Any, ...] | None = None  # of a binomial target the second one is y = 1, of others each has a column
    output_names: tuple[str, ...] = ()  # of several outputs
    findings: tuple[Finding, ...] = ()  # what is worth knowing

    @property
    def missing(self) -> Mask:
        """Rows without a target."""
        return any_output(np.isnan(self.y))


def any_output(mask: Mask) -> Mask:
    """The rows in which something is true of some output."""
    return mask if mask.ndim == 1 else np.asarray(mask.any(axis=1))


def mostly_numbers(column: Labels) -> bool:
    """Whether more than half of the labels are numbers, as they are or with something beside them."""
    readable = disguise_of([str(value) for value in column.values]).readable
    return 2 * int(readable.sum()) > len(readable)


def two_classes(column: Numbers | Labels, name: str, counts: Mask, apart: bool) -> Target:
    """Two labels, or proportions of the second of two classes; see `read_target`."""
    if isinstance(column, Labels) and not column.declared and len(column.values) > 2:
        column = column.as_numbers() or column
    labels = column.as_labels() if isinstance(column, Numbers) else column
    values = labels.values
    if isinstance(column, Numbers) and len(values) > 2:
        if values[0] >= 0 and values[-1] <= 1:
            return Target(column.values, (0, 1))
        if len(values) > MOST_CLASSES:
            text = f'Target "{name}" holds numbers with {count(len(values))} distinct values; family="binomial" needs '
            text += "two classes, or proportions from 0 to 1."
            counts_too = f'{OR}family="poisson"' if values[0] >= 0 else ""
            raise DataError(Finding("E13", text, 'family="gaussian"' + counts_too, (name,)))
    if len(values) > 2:
        text = f'Target "{name}" has {count(len(values))} classes: {sample(values)}. family="binomial" needs two.'
        fix = f'keep two of them{OR}family="multinomial"'
        if isinstance(column, Labels) and not column.declared and mostly_numbers(column):
            raise DataError(not_numeric(name, column, "Target", apart))
        raise DataError(Finding("E13", text, fix, (name,)))
    seen = np.unique(labels.codes[counts & ~labels.missing])
    if len(seen) == 1:
        n_rows = count(int((counts & ~labels.missing).sum()))
        text = f'Target "{name}" has one class only: "{values[seen[0]]}" in all {n_rows} rows. Nothing to learn.'
        raise DataError(Finding("E03", text, CONSTANT_FIX, (name,)))
    y = np.where(labels.missing, np.nan, labels.codes.astype(np.float64))
    return Target(y, (values[0], values[1]) if len(values) == 2 else None)


def many_classes(column: Numbers | Labels, name: str, counts: Mask) -> Target:
    """A class a row, as any labels; see `read_target`."""
    labels = column.as_labels() if isinstance(column, Numbers) else column
    values, codes = labels.values, labels.codes
    if not values:
        return Target(np.full((len(codes), 1), np.nan))
    n_rows = int((~labels.missing).sum())
    measured = column if isinstance(column, Numbers) else None if column.declared else column.as_numbers()
    if len(values) > MOST_CLASSES and (
        (measured is not None and _are_measurements(measured.values, len(values)))
        or (measured is None and isinstance(column, Labels) and not column.declared and mostly_numbers(column))
    ):
        text = f'Target "{name}" holds numbers with {count(len(values))} distinct values in {count(n_rows)} rows; they '
        text += "look like measurements, not like classes."
        raise DataError(Finding("E13", text, 'family="gaussian"', (name,)))
    if 2 * len(values) > n_rows > 2:
        text = f'Target "{name}" holds {count(len(values))} labels in {count(n_rows)} rows, too many to be classes.'
        raise DataError(Finding("E13", text, "choose another target", (name,)))
    y = np.where(labels.missing[:, None], np.nan, np.eye(len(values))[np.maximum(codes, 0)])
    return _of_classes(y, values, name, counts)


def _are_measurements(values: Floats, n_distinct: int) -> bool:
    """Whether so many different numbers have fractions, or are each in few rows."""
    known = values[np.isfinite(values)]
    return bool((known % 1 != 0).any()) or len(known) < ROWS_OF_A_CLASS * n_distinct


def shares(several: Several, name: str, counts: Mask) -> Target:
    """The share of each class in a row; see `read_target`."""
    values = tuple(several.columns) if several.named else tuple(range(len(several.columns)))
    return _of_classes(share_values(several, name), values, name, counts)


def share_values(several: Several, name: str) -> Floats:
    """The shares of the classes, which add up to 1 in each row; NaN where one is missing."""
    y = np.column_stack([_shares_of(column, one, name) for one, column in several.columns.items()])
    y[np.isnan(y).any(axis=1)] = np.nan
    negative = np.flatnonzero((y < 0).any(axis=1))
    if len(negative):
        text = f'Target "{name}" has negative shares of classes in {count(len(negative))} rows.\n{row_list(negative)}'
        raise DataError(Finding("E13", text, "correct these values", (name,)))
    sums = y.sum(axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1.0) > ROUNDING)
    if len(wrong):
        text = f'Target "{name}" has shares of classes that do not add up to 1 in {count(len(wrong))} rows.\n'
        text += f"{row_list(wrong)}   sums {sample([f'{value:g}' for value in sums[wrong]])}"
        fix = "sample_weight=y.sum(axis=1) and y / y.sum(axis=1, keepdims=True) if they are counts"
        raise DataError(Finding("E13", text, fix, (name,)))
    return np.asarray(y / sums[:, None])


def _shares_of(column: Content, one: str, name: str) -> Floats:
    """The shares of one class, or its indicator."""
    numbers = column.as_truth() or column.as_numbers() if isinstance(column, Labels) else column
    if isinstance(numbers, Numbers):
        return numbers.values
    text = f'Column "{one}" of target "{name}" holds no numbers; one column for each class has to hold its share.'
    raise DataError(Finding("E13", text, "one column of labels for all classes", (one,)))


def _of_classes(y: Floats, values: tuple[Any, ...], name: str, counts: Mask) -> Target:
    """The target, if there is something to learn about each class."""
    used = y[counts & ~np.isnan(y).any(axis=1)]
    n_rows = (used > 0).sum(axis=0)
    shown = [f'"{value}"' for value in values]
    if (n_rows > 0).sum() == 1 and len(used):
        place = int(n_rows.argmax())
        text = f'Target "{name}" has one class only: {shown[place]} in all {count(len(used))} rows. Nothing to learn.'
        raise DataError(Finding("E03", text, CONSTANT_FIX, (name,)))
    absent = [shown[k] for k in np.flatnonzero(n_rows == 0)]
    if absent and len(used):
        text = f'Target "{name}" has no row that counts of class {sample(absent)}; nothing can be learned about it.'
        raise DataError(Finding("E13", text, "leave out the rows or columns of such classes", (name,)))
    once = [shown[k] for k in np.flatnonzero(n_rows == 1)]
    findings = []
    if once:
        text = f'Class in one row only: {sample(once)} of target "{name}". No fold can hold it out and learn it.'
        fix = "collect more of these rows, or give rare classes one name in common"
        findings.append(Finding("W17", text, fix, (name,)))
    return Target(y, values, tuple(str(value) for value in values), tuple(findings))
