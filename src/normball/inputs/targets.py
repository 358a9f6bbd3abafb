"""The target: classes or numbers, as its family takes them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from normball.families import find_family
from normball.family import DEFAULT
from normball.inputs.class_targets import (
    CONSTANT_FIX,
    MOST_CLASSES,
    ROWS_OF_A_CLASS,
    Target,
    many_classes,
    mostly_numbers,
    shares,
    two_classes,
)
from normball.inputs.column_findings import not_numeric, row_list
from normball.inputs.columns import Content, Floats, Labels, Mask, Numbers, Several, Unusable, read_values
from normball.messages import OR, DataError, Finding, count, sample

FIRST_ROWS = 20
LONG_TAIL = 1.4  # mean over median; an exponential distribution has 1.44


def guess_family(y: Any, name: str = "y") -> tuple[str, list[Finding]]:
    """Choose the family that suits a target: two values are binomial, more labels multinomial, other numbers gaussian.

    Counts and amounts stay gaussian, with a finding that suggests another family, and so do labels that are numbers
    (`class_labels`). Text of very many kinds is nothing to be taken for classes unasked.
    """
    column = read_values(y, name)
    if isinstance(column, Unusable):
        return "gaussian", []
    if isinstance(column, Labels):
        numbers = None if column.declared or len(column.values) <= 2 else column.as_numbers()
        if numbers is None:
            if len(column.values) <= 2:
                return "binomial", []
            if not column.declared and mostly_numbers(column):
                return "gaussian", []
            return "multinomial", _too_many(column, name)
        column = numbers
    values = column.values[np.isfinite(column.values)]
    if len(np.unique(values)) == 2:
        return "binomial", []
    if labels := class_labels(values, name):
        return "gaussian", labels
    return "gaussian", _counts_or_amounts(values, name) if len(values) else []


def _too_many(column: Labels, name: str) -> list[Finding]:
    """E13: more labels than a target of classes is expected to have."""
    if len(column.values) <= MOST_CLASSES:
        return []
    text = f'Target "{name}" holds {count(len(column.values))} labels: {sample(column.values, quote=True)}.'
    return [Finding("E13", text, f'choose another target{OR}family="multinomial" if they are classes', (name,))]


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
    fix = 'if they are class labels: family="multinomial"'
    if found[0] >= 0:
        fix += '\nif they are counts: family="poisson"'
    return [Finding("W26", text, fix, (name,))]


def read_target(
    column: Content | Several, name: str, family: str, counts: Mask, free: bool, apart: bool = False
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
    known = find_family(family)
    parts = column.columns if isinstance(column, Several) else {name: column}
    for part, content in parts.items():
        if isinstance(content, Unusable):
            wanted = "classes" if known.has_outputs and known.has_classes else "numbers or two classes"
            text = f'Target "{part}" holds {content.reason}; it must hold {wanted}.'
            raise DataError(Finding("E13", text, columns=(part,)))
    if isinstance(column, Several):
        return shares(column, name, counts) if known.has_classes else _several(column, name, family, counts, free)
    assert not isinstance(column, Unusable)
    if known.has_outputs and not known.has_classes:
        text = f'Target "{name}" is one column; family="{family}" takes two or more.'
        raise DataError(Finding("E13", text, 'family="gaussian"', (name,)))
    if known.has_classes:
        finite = column.with_infinite_as_missing() if isinstance(column, Numbers) else column
        target = many_classes(finite, name, counts) if known.has_outputs else two_classes(finite, name, counts, apart)
        return _infinite_kept(target, column)
    values = numbers_for(family, column, name, apart)
    used = values[counts & np.isfinite(values)]
    if len(used) and (used == used[0]).all() and not free:
        text = f'Target "{name}" has one value only: {used[0]:g} in all {count(len(used))} rows. Nothing to learn.'
        raise DataError(Finding("E03", text, CONSTANT_FIX, (name,)))
    return Target(values)


def numbers_for(family: str, column: Numbers | Labels, name: str, apart: bool) -> Floats:
    """The numbers of a target, all of which its family takes; raises a DataError where it does not."""
    values = _numbers(column, name, family, apart)
    refused, problem, other = find_family(family).refused(values)
    if refused.any():
        rows = np.flatnonzero(refused)
        text = f'Target "{name}" has {count(len(rows))} {problem}.\n{row_list(rows)}'
        text += f"   values {sample([f'{value:g}' for value in values[rows]])}"
        raise DataError(Finding("E13", text, f'family="{other}"' + OR + "correct these values", (name,)))
    return values


def _infinite_kept(target: Target, column: Numbers | Labels) -> Target:
    """An infinite number is no class: it stays what it is, for those who look for such values."""
    infinite = np.isinf(column.values) if isinstance(column, Numbers) else np.zeros(0, dtype=bool)
    if not infinite.any():
        return target
    y = target.y.copy()
    y[infinite] = np.inf
    return replace(target, y=y)


def _several(several: Several, name: str, family: str, counts: Mask, free: bool) -> Target:
    """Several targets of numbers."""
    columns = {
        one: _numbers(column, one, family, apart=False)
        for one, column in several.columns.items()
        if not isinstance(column, Unusable)
    }
    y = np.column_stack(list(columns.values()))
    used = y[counts & np.isfinite(y).all(axis=1)]
    if len(used) and (used == used[0]).all() and not free:
        text = f'Target "{name}" has one value only in each of its columns, in all {count(len(used))} rows. '
        raise DataError(Finding("E03", text + "Nothing to learn.", CONSTANT_FIX, tuple(columns)))
    names = tuple(columns) if several.named else tuple(f"y{k}" for k in range(len(columns)))
    return Target(y, output_names=names)


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


def _numbers(column: Numbers | Labels, name: str, family: str, apart: bool) -> Floats:
    if isinstance(column, Numbers):
        return column.values
    numbers = column.as_truth() or (None if column.declared else column.as_numbers())
    if numbers is not None:
        return numbers.values
    if not column.declared and mostly_numbers(column):
        raise DataError(not_numeric(name, column, "Target", apart))
    text = f'Target "{name}" holds labels ({sample(column.values, quote=True)}); family="{family}" needs numbers.'
    fix = 'family="binomial"' if len(column.values) == 2 else f'convert it to numbers{OR}family="multinomial"'
    raise DataError(Finding("E13", text, fix, (name,)))
