"""The target: two classes or numbers, as its family takes them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from normball.families import find_family
from normball.family import DEFAULT
from normball.inputs.column_findings import not_numeric, row_list
from normball.inputs.columns import Floats, Labels, Mask, Numbers, Unusable, read_values
from normball.inputs.disguises import disguise_of
from normball.messages import OR, DataError, Finding, count, sample

MOST_CLASSES = 20
ROWS_OF_A_CLASS = 5  # on average; a number that occurs less often is no label
FIRST_ROWS = 20
LONG_TAIL = 1.4  # mean over median; an exponential distribution has 1.44


@dataclass(frozen=True)
class Target:
    """The target as the solver takes it."""

    y: Floats  # NaN where it is missing
    classes: tuple[Any, Any] | None = None  # of the binomial family; the second one is y = 1

    @property
    def missing(self) -> Mask:
        """Rows without a target."""
        return np.isnan(self.y)


def guess_family(y: Any, name: str = "y") -> tuple[str, list[Finding]]:
    """Choose the family that suits a target: two values are binomial, other numbers gaussian.

    Counts and amounts stay gaussian, with a finding that suggests another family, and so do labels that are numbers
    (`class_labels`).
    Text of more than two kinds gives "binomial", which then says what is wrong with it.
    """
    column = read_values(y, name)
    if isinstance(column, Unusable):
        return "gaussian", []
    if isinstance(column, Labels):
        numbers = None if column.declared or len(column.values) <= 2 else column.as_numbers()
        if numbers is None:
            is_text = column.declared or len(column.values) <= 2 or not _mostly_numbers(column)
            return "binomial" if is_text else "gaussian", []
        column = numbers
    values = column.values[~column.missing]
    if len(np.unique(values)) == 2:
        return "binomial", []
    if labels := class_labels(values, name):
        return "gaussian", labels
    return "gaussian", _counts_or_amounts(values, name) if len(values) else []


def _counts_or_amounts(values: Floats, name: str) -> list[Finding]:
    """W16: counts, and amounts with so long a tail that their spread grows with their mean."""
    extent = f"from {values.min():g} to {values.max():g}"
    if (values % 1 == 0).all() and 0 <= values.min() <= 1:
        text = f'Target "{name}" holds whole numbers {extent}; fitted as gaussian.'
        return [Finding("W16", text, 'if they are counts: family="poisson"', (name,))]
    middle = np.median(values)
    if values.min() < 0 or values.mean() < LONG_TAIL * middle or np.ptp(values) == 0:
        return []
    zeros = int(np.count_nonzero(values == 0))
    text = f'Target "{name}" holds amounts {extent} with a long tail (mean {values.mean():.3g}, median {middle:.3g}'
    text += f", {count(zeros)} zeros" if zeros else ""
    text += "); fitted as gaussian, for which the largest decide."
    fix = f'if their spread grows with their mean: family="{"tweedie" if zeros else "gamma"}"'
    return [Finding("W16", text, fix, (name,))]


def class_labels(values: Floats, name: str, family: str = DEFAULT) -> list[Finding]:
    """W26: a target of amounts that is so few whole numbers that they may be classes."""
    with np.errstate(invalid="ignore"):
        if not (values[:FIRST_ROWS] % 1 == 0).all() or not (values % 1 == 0).all():
            return []
    found = np.unique(values)
    if not 2 <= len(found) <= MOST_CLASSES or len(values) < ROWS_OF_A_CLASS * len(found):
        return []
    what = f"{count(len(found))} whole numbers only ({sample([f'{value:g}' for value in found])})"
    text = f'Target "{name}" holds {what}; fitted as {family}, which takes them for amounts.'
    if len(found) == 2:
        return [Finding("W26", text, 'if they are two classes: family="binomial"', (name,))]
    fix = (
        "if they are class labels: fit each class against the rest, by a target that is 1 for it and 0 for the others "
    )
    fix += "(more than two classes at once are not offered yet)"
    if found[0] >= 0:
        fix += '\nif they are counts: family="poisson"'
    return [Finding("W26", text, fix, (name,))]


def read_target(
    column: Numbers | Labels | Unusable, name: str, family: str, counts: Mask, free: bool, apart: bool = False
) -> Target:
    """Turn the target into numbers, or raise a DataError.

    Parameters
    ----------
    column
        The target as it was read.
    name, family
        What it is called, and that of its family.
    counts
        The rows that have a weight.
    free
        Whether an offset leaves something to learn even from a constant target.
    apart
        Whether it was given apart from the table; the remedies differ.
    """
    if isinstance(column, Unusable):
        text = f'Target "{name}" holds {column.reason}; it must hold numbers or two classes.'
        raise DataError(Finding("E13", text, columns=(name,)))
    known = find_family(family)
    if known.has_classes:
        return _classes(column, name, counts, apart)
    values = _numbers(column, name, family, apart)
    used = values[counts & np.isfinite(values)]
    refused, problem, other = known.refused(values)
    if refused.any():
        rows = np.flatnonzero(refused)
        text = f'Target "{name}" has {count(len(rows))} {problem}.\n{row_list(rows)}'
        text += f"   values {sample([f'{value:g}' for value in values[rows]])}"
        raise DataError(Finding("E13", text, f'family="{other}"' + OR + "correct these values", (name,)))
    if len(used) and (used == used[0]).all() and not free:
        text = f'Target "{name}" has one value only: {used[0]:g} in all {count(len(used))} rows. Nothing to learn.'
        fix = "choose another target; if rows were filtered, check the filter"
        raise DataError(Finding("E03", text, fix, (name,)))
    return Target(values)


def settled(name: str, y: Floats, weights: Floats, offset: Floats, target_name: str) -> str:
    """The name of the family with its parameter: where it is to be estimated, that of the model without features."""
    family = find_family(name)
    if not family.is_open:
        return name
    used = weights > 0
    parameter = family.estimate(y[used], weights[used], offset[used])
    if math.isnan(parameter):
        problem, fix = family.no_estimate
        raise DataError(Finding("E13", f'Target "{target_name}" {problem}.', fix, (target_name,)))
    return str(replace(family, parameter=parameter))


def _mostly_numbers(column: Labels) -> bool:
    """Whether more than half of the labels are numbers, as they are or with something beside them."""
    readable = disguise_of([str(value) for value in column.values]).readable
    return 2 * int(readable.sum()) > len(readable)


def _numbers(column: Numbers | Labels, name: str, family: str, apart: bool) -> Floats:
    if isinstance(column, Numbers):
        return column.values
    numbers = column.as_truth() or (None if column.declared else column.as_numbers())
    if numbers is not None:
        return numbers.values
    if not column.declared and _mostly_numbers(column):
        raise DataError(not_numeric(name, column, "Target", apart))
    text = f'Target "{name}" holds labels ({sample(column.values, quote=True)}); family="{family}" needs numbers.'
    fix = 'family="binomial"' if len(column.values) == 2 else "convert it to numbers"
    raise DataError(Finding("E13", text, fix, (name,)))


def _classes(column: Numbers | Labels, name: str, counts: Mask, apart: bool) -> Target:
    if isinstance(column, Labels) and not column.declared and len(column.values) > 2:
        column = column.as_numbers() or column
    labels = column.as_labels() if isinstance(column, Numbers) else column
    values = labels.values
    if isinstance(column, Numbers) and len(values) > 2:
        if values[0] >= 0 and values[-1] <= 1:
            return Target(column.values, (0, 1))
        if len(values) > 20:
            text = f'Target "{name}" holds numbers with {count(len(values))} distinct values; family="binomial" needs '
            text += "two classes, or proportions from 0 to 1."
            counts_too = f'{OR}family="poisson"' if values[0] >= 0 else ""
            raise DataError(Finding("E13", text, 'family="gaussian"' + counts_too, (name,)))
    if len(values) > 2:
        text = f'Target "{name}" has {count(len(values))} classes: {sample(values)}. family="binomial" needs two.'
        fix = "keep two of them, or compare one with the rest (a multinomial family comes in a later version)"
        if isinstance(column, Labels) and not column.declared and _mostly_numbers(column):
            raise DataError(not_numeric(name, column, "Target", apart))
        raise DataError(Finding("E13", text, fix, (name,)))
    seen = np.unique(labels.codes[counts & ~labels.missing])
    if len(seen) == 1:
        n_rows = count(int((counts & ~labels.missing).sum()))
        text = f'Target "{name}" has one class only: "{values[seen[0]]}" in all {n_rows} rows. Nothing to learn.'
        fix = "choose another target; if rows were filtered, check the filter"
        raise DataError(Finding("E03", text, fix, (name,)))
    y = np.where(labels.missing, np.nan, labels.codes.astype(np.float64))
    return Target(y, (values[0], values[1]) if len(values) == 2 else None)
