"""The target: classes or numbers, as its family takes them."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from normball.families import find_family
from normball.family import DEFAULT
from normball.inputs.class_targets import (
    CONSTANT_FIX,
    MOST_CLASSES,
    ROWS_OF_A_CLASS,
    Target,
    are_too_many,
    many_classes,
    mostly_numbers,
    shares,
    two_classes,
)
from normball.inputs.column_findings import not_numeric
from normball.inputs.columns import (
    AnyLabels,
    Content,
    Floats,
    Labels,
    Mask,
    Numbers,
    Several,
    Unusable,
    read_values,
)
from normball.inputs.places import Places
from normball.inputs.survival_target import survival_target
from normball.messages import OR, DataError, Finding, count, sample
from normball.survival.risk_sets import risk_rows

FIRST_ROWS = 20
LONG_TAIL = 1.4  # mean over median; an exponential distribution has 1.44


class Amounts(Protocol):
    """What the rules ask of the finite numbers of a target."""

    @property
    def n(self) -> int:
        """How many they are."""

    @property
    def is_whole(self) -> bool:
        """Whether all of them are whole."""

    @property
    def n_distinct(self) -> int:
        """How many of them differ."""

    @property
    def distinct(self) -> Floats:
        """Those that differ, in order; asked for only where they are few."""

    @property
    def low(self) -> float:
        """The smallest."""

    @property
    def high(self) -> float:
        """The largest."""

    @property
    def mean(self) -> float:
        """Their mean."""

    @property
    def median(self) -> float:
        """Their median."""

    @property
    def n_zeros(self) -> int:
        """How many are zero."""


class AmountsAtHand:
    """The same of numbers in memory, looked for as it is asked."""

    def __init__(self, values: Floats) -> None:
        self._values = values[np.isfinite(values)]
        self.n = len(self._values)

    @cached_property
    def is_whole(self) -> bool:
        """Whether all of them are whole."""
        return bool((self._values[:FIRST_ROWS] % 1 == 0).all() and (self._values % 1 == 0).all())

    @cached_property
    def distinct(self) -> Floats:
        """Those that differ, in order."""
        return np.unique(self._values)

    @property
    def n_distinct(self) -> int:
        """How many of them differ."""
        return len(self.distinct)

    @property
    def low(self) -> float:
        """The smallest."""
        return float(self._values.min())

    @property
    def high(self) -> float:
        """The largest."""
        return float(self._values.max())

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(self._values.mean())

    @property
    def median(self) -> float:
        """Their median."""
        return float(np.median(self._values))

    @property
    def n_zeros(self) -> int:
        """How many are zero."""
        return int(np.count_nonzero(self._values == 0))


def guess_family(y: Any, name: str = "y") -> tuple[str, list[Finding]]:
    """Choose the family that suits a target: two values are binomial, more labels multinomial, other numbers gaussian.

    Counts and amounts stay gaussian, with a finding that suggests another family, and so do labels that are numbers
    (`class_labels`). Text of very many kinds is nothing to be taken for classes unasked.
    """
    column = read_values(y, name)
    if isinstance(column, Unusable):
        return DEFAULT, []
    if isinstance(column, Labels):
        numbers = None if column.declared or len(column.values) <= 2 else column.as_numbers()
        if numbers is None:
            return family_of_labels(column, name)
        column = numbers
    return family_of_amounts(AmountsAtHand(column.values), name)


def family_of_labels(column: AnyLabels, name: str) -> tuple[str, list[Finding]]:
    """The family of labels that are no numbers."""
    if len(column.values) <= 2:
        return "binomial", []
    if not column.declared and mostly_numbers(column):
        return DEFAULT, []
    return "multinomial", _too_many(column, name)


def family_of_amounts(amounts: Amounts, name: str) -> tuple[str, list[Finding]]:
    """The family of numbers."""
    if amounts.n_distinct == 2:
        return "binomial", []
    if labels := class_labels(amounts, name):
        return DEFAULT, labels
    return DEFAULT, _counts_or_long_tail(amounts, name) if amounts.n else []


def _too_many(column: AnyLabels, name: str) -> list[Finding]:
    """E13: more labels than a target of classes is expected to have."""
    if len(column.values) <= MOST_CLASSES or are_too_many(len(column.values), int(column.n_rows.sum())):
        return []  # which is told where the classes are read
    text = f'Target "{name}" holds {count(len(column.values))} labels: {sample(column.values, quote=True)}.'
    return [Finding("E13", text, f'choose another target{OR}family="multinomial" if they are classes', (name,))]


def _counts_or_long_tail(amounts: Amounts, name: str) -> list[Finding]:
    """W16: counts, and amounts with so long a tail that their spread grows with their mean."""
    low, high, zeros = amounts.low, amounts.high, amounts.n_zeros
    extent = f"from {low:g} to {high:g}"
    if amounts.is_whole and 0 <= low <= 1:
        text = f'Target "{name}" holds whole numbers {extent}; fitted as gaussian.'
        return [Finding("W16", text, 'if they are counts: family="poisson"', (name,))]
    if low < 0 or low == high or amounts.mean < LONG_TAIL * amounts.median:
        return []
    some = f", {count(zeros)} zeros" if zeros else ""
    text = (
        f'Target "{name}" holds amounts {extent} with a long tail (mean {amounts.mean:.3g}, median '
        f"{amounts.median:.3g}{some}); fitted as gaussian, for which the largest decide."
    )
    fix = f'if their spread grows with their mean: family="{"tweedie" if zeros else "gamma"}"'
    return [Finding("W16", text, fix, (name,))]


def class_labels(amounts: Amounts, name: str, family: str = DEFAULT) -> list[Finding]:
    """W26: a target of amounts that is so few whole numbers that they may be classes."""
    if not amounts.is_whole:
        return []
    if not 2 <= amounts.n_distinct <= MOST_CLASSES or amounts.n < ROWS_OF_A_CLASS * amounts.n_distinct:
        return []
    found = amounts.distinct
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
            raise DataError(unusable_target(part, content, family))
    if isinstance(column, Several):
        return shares(column, name, counts) if known.has_classes else _several(column, name, family, counts, free)
    assert not isinstance(column, Unusable)
    if known.has_outputs and not known.has_classes:
        raise DataError(one_column(name, family))
    if known.has_classes:
        finite = column.with_infinite_as_missing() if isinstance(column, Numbers) else column
        target = many_classes(finite, name, counts) if known.has_outputs else two_classes(finite, name, counts, apart)
        return _infinite_kept(target, column)
    values = numbers_for(family, column, name, apart)
    used = values[counts & np.isfinite(values)]
    if len(used) and (used == used[0]).all() and not free:
        raise DataError(constant_target(name, used[0], len(used)))
    return Target(values)


def unusable_target(name: str, column: Unusable, family: str) -> Finding:
    """E13: neither numbers nor labels."""
    known = find_family(family)
    wanted = "classes" if known.has_outputs and known.has_classes else "numbers or two classes"
    return Finding("E13", f'Target "{name}" holds {column.reason}; it must hold {wanted}.', columns=(name,))


def one_column(name: str, family: str) -> Finding:
    """E13: the family has several outputs."""
    text = f'Target "{name}" is one column; family="{family}" takes two or more.'
    return Finding("E13", text, 'family="gaussian"', (name,))


def constant_targets(name: str, columns: tuple[str, ...], n_rows: int) -> Finding:
    """E03: the same of all of several targets."""
    text = f'Target "{name}" has one value only in each of its columns, in all {count(n_rows)} rows. Nothing to learn.'
    return Finding("E03", text, CONSTANT_FIX, columns)


def constant_target(name: str, value: float, n_rows: int) -> Finding:
    """E03: all rows that count have the same target."""
    text = f'Target "{name}" has one value only: {value:g} in all {count(n_rows)} rows. Nothing to learn.'
    return Finding("E03", text, CONSTANT_FIX, (name,))


def read_times(columns: Content | Several, counts: Mask, strata: Labels | None) -> Target:
    """The target of a model of survival, or a DataError."""
    assert isinstance(columns, Several)
    times, remarks = survival_target(columns, counts, strata)
    return Target(risk_rows(times), findings=tuple(remarks), survival=times)


def check_strata(strata: Labels | None, family: str) -> None:
    """Raise a ValueError where strata are given to a family that has none."""
    if strata is not None:
        raise ValueError(f'strata are given, but family="{family}" has none; they are those of family="cox"')


def numbers_for(family: str, column: Numbers | Labels, name: str, apart: bool) -> Floats:
    """The numbers of a target, all of which its family takes; raises a DataError where it does not."""
    values = _numbers(column, name, family, apart)
    refused, problem, other = find_family(family).refused(values)
    if refused.any():
        raise DataError(refused_values(name, Places.of(refused), values[refused], problem, other))
    return values


def refused_values(name: str, places: Places, values: Floats, problem: str, other: str) -> Finding:
    """E13: numbers that cannot be targets, of which `values` are the first."""
    text = (
        f'Target "{name}" has {count(places.n)} {problem}.\n{places}'
        f"   values {sample([f'{value:g}' for value in values[: places.n]])}"
    )
    return Finding("E13", text, f'family="{other}"' + OR + "correct these values", (name,))


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
        raise DataError(constant_targets(name, tuple(columns), len(used)))
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
    raise DataError(no_numbers(column, name, family, apart))


def no_numbers(column: AnyLabels, name: str, family: str, apart: bool) -> Finding:
    """E01 or E13: labels where a family needs numbers."""
    if not column.declared and mostly_numbers(column):
        return not_numeric(name, column, "Target", apart)
    text = f'Target "{name}" holds labels ({sample(column.values, quote=True)}); family="{family}" needs numbers.'
    fix = 'family="binomial"' if len(column.values) == 2 else f'convert it to numbers{OR}family="multinomial"'
    return Finding("E13", text, fix, (name,))
