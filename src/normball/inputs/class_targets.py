"""Targets that are classes: labels, or the share of each class in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.column_findings import not_numeric, row_list
from normball.inputs.columns import AnyLabels, Content, Floats, Labels, Mask, Numbers, Several
from normball.inputs.disguises import disguise_of
from normball.messages import OR, DataError, Finding, count, sample
from normball.survival.target import SurvivalTarget

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
    survival: SurvivalTarget | None = None  # times, where `y` says who is at risk when

    @property
    def missing(self) -> Mask:
        """Rows without a target."""
        return any_output(np.isnan(self.y))

    def take(self, rows: NDArray[np.intp]) -> Target:
        """The target of these rows only."""
        return replace(self, y=self.y[rows], survival=None if self.survival is None else self.survival.take(rows))


def any_output(mask: Mask) -> Mask:
    """The rows in which something is true of some output."""
    return mask if mask.ndim == 1 else np.asarray(mask.any(axis=1))


def mostly_numbers(column: AnyLabels) -> bool:
    """Whether more than half of the labels are numbers, as they are or with something beside them."""
    readable = disguise_of([str(value) for value in column.values]).readable
    return 2 * int(readable.sum()) > len(readable)


def two_classes(column: Numbers | Labels, name: str, counts: Mask, apart: bool) -> Target:
    """Two labels, or proportions of the second of two classes; see `read_target`."""
    if isinstance(column, Labels) and not column.declared and len(column.values) > 2:
        column = column.as_numbers() or column
    labels = column.as_labels() if isinstance(column, Numbers) else column
    values = labels.values
    if isinstance(column, Numbers) and are_proportions(values, len(values), name):
        return Target(column.values, (0, 1))
    refuse_more_than_two(labels, name, apart)
    refuse_one_class(values, labels.take(np.flatnonzero(counts)).n_rows, name)
    y = np.where(labels.missing, np.nan, labels.codes.astype(np.float64))
    return Target(y, (values[0], values[1]) if len(values) == 2 else None)


def are_proportions(values: Sequence[Any], n_distinct: int, name: str) -> bool:
    """Whether sorted numbers are shares of a class, as more than two from 0 to 1 are; raises where they are amounts."""
    if n_distinct <= 2:
        return False
    if values[0] >= 0 and values[-1] <= 1:
        return True
    if n_distinct > MOST_CLASSES:
        text = (
            f'Target "{name}" holds numbers with {count(n_distinct)} distinct values; family="binomial" needs '
            "two classes, or proportions from 0 to 1."
        )
        counts_too = f'{OR}family="poisson"' if values[0] >= 0 else ""
        raise DataError(Finding("E13", text, 'family="gaussian"' + counts_too, (name,)))
    return False


def refuse_more_than_two(labels: AnyLabels, name: str, apart: bool) -> None:
    """Raise where there are more than two classes."""
    values = labels.values
    if len(values) <= 2:
        return
    if not labels.declared and mostly_numbers(labels):
        raise DataError(not_numeric(name, labels, "Target", apart))
    text = f'Target "{name}" has {count(len(values))} classes: {sample(values)}. family="binomial" needs two.'
    raise DataError(Finding("E13", text, f'keep two of them{OR}family="multinomial"', (name,)))


def refuse_one_class(values: Sequence[Any], n_rows: NDArray[np.intp], name: str) -> None:
    """Raise where all rows that count are of one class; `n_rows` of each do."""
    seen = np.flatnonzero(n_rows)
    if len(seen) == 1:
        text = (
            f'Target "{name}" has one class only: "{values[seen[0]]}" in all {count(int(n_rows.sum()))} rows. '
            "Nothing to learn."
        )
        raise DataError(Finding("E03", text, CONSTANT_FIX, (name,)))


def many_classes(column: Numbers | Labels, name: str, counts: Mask) -> Target:
    """A class a row, as any labels; see `read_target`."""
    labels = column.as_labels() if isinstance(column, Numbers) else column
    values, codes = labels.values, labels.codes
    if not values:
        return Target(np.full((len(codes), 1), np.nan))
    measured = column if isinstance(column, Numbers) else None if column.declared else column.as_numbers()
    known = None if measured is None else measured.values[np.isfinite(measured.values)]
    refuse_measurements(labels, name, None if known is None else bool((known % 1 == 0).all()))
    y = np.where(labels.missing[:, None], np.nan, np.eye(len(values))[np.maximum(codes, 0)])
    return _of_classes(y, values, name, counts)


def refuse_measurements(labels: AnyLabels, name: str, is_whole: bool | None) -> None:
    """Raise where labels are no classes; `is_whole`: whether they are whole numbers, None where they are no numbers."""
    n_labels, n_rows = len(labels.values), int(labels.n_rows.sum())
    if n_labels > MOST_CLASSES:
        are_measurements = is_whole is False or (is_whole is True and n_rows < ROWS_OF_A_CLASS * n_labels)
        if are_measurements or (is_whole is None and not labels.declared and mostly_numbers(labels)):
            text = (
                f'Target "{name}" holds numbers with {count(n_labels)} distinct values in {count(n_rows)} rows; '
                "they look like measurements, not like classes."
            )
            raise DataError(Finding("E13", text, 'family="gaussian"', (name,)))
    if are_too_many(n_labels, n_rows):
        text = f'Target "{name}" holds {count(n_labels)} labels in {count(n_rows)} rows, too many to be classes.'
        raise DataError(Finding("E13", text, "choose another target", (name,)))


def are_too_many(n_labels: int, n_rows: int) -> bool:
    """Whether so many labels are no classes."""
    return 2 * n_labels > n_rows > 2


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
        text = (
            f'Target "{name}" has shares of classes that do not add up to 1 in {count(len(wrong))} rows.\n'
            f"{row_list(wrong)}   sums {sample([f'{value:g}' for value in sums[wrong]])}"
        )
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
    findings = learnable_classes(values, (used > 0).sum(axis=0), len(used), name)
    return Target(y, values, tuple(str(value) for value in values), tuple(findings))


def learnable_classes(values: Sequence[Any], n_rows: NDArray[np.intp], n_used: int, name: str) -> list[Finding]:
    """W17 for classes of one row; raises where a class has no row that counts, or one of them has all."""
    shown = [f'"{value}"' for value in values]
    if (n_rows > 0).sum() == 1 and n_used:
        place = int(n_rows.argmax())
        text = f'Target "{name}" has one class only: {shown[place]} in all {count(n_used)} rows. Nothing to learn.'
        raise DataError(Finding("E03", text, CONSTANT_FIX, (name,)))
    absent = [shown[k] for k in np.flatnonzero(n_rows == 0)]
    if absent and n_used:
        text = f'Target "{name}" has no row that counts of class {sample(absent)}; nothing can be learned about it.'
        raise DataError(Finding("E13", text, "leave out the rows or columns of such classes", (name,)))
    once = [shown[k] for k in np.flatnonzero(n_rows == 1)]
    if not once:
        return []
    text = f'Class in one row only: {sample(once)} of target "{name}". No fold can hold it out and learn it.'
    fix = "collect more of these rows, or give rare classes one name in common"
    return [Finding("W17", text, fix, (name,))]
