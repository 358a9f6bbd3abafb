"""The target of a long table: what its columns mean, decided by what the passes over them found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from normball.blocks.learning import Content, TargetRows
from normball.blocks.surveyed import MOST_DISTINCT, SurveyedLabels, SurveyedNumbers
from normball.families import AUTO, find_family
from normball.inputs.class_targets import (
    are_proportions,
    learnable_classes,
    refuse_measurements,
    refuse_more_than_two,
    refuse_one_class,
    share_values,
)
from normball.inputs.columns import Floats, Numbers, Several, Unusable
from normball.inputs.targets import (
    class_labels,
    constant_target,
    constant_targets,
    family_of_amounts,
    family_of_labels,
    no_numbers,
    one_column,
    unusable_target,
)
from normball.messages import DataError, Finding, sample

NAN = float("nan")


@dataclass(frozen=True)
class TargetColumns:
    """How the columns of the target become what the solver takes.

    Attributes
    ----------
    names : tuple of str
        The columns.
    numbers : {column: ndarray}
        For those read as labels the number that each code means, and a NaN at the end.
    levels : ndarray or None
        The numbers that are classes, in order.
    classes, output_names
        As in `RowBlocks`.
    are_shares : bool
        Whether the columns hold the shares of the classes.
    """

    names: tuple[str, ...]
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    levels: Floats | None = None
    classes: tuple[Any, ...] | None = None
    output_names: tuple[str, ...] = ()
    are_shares: bool = False
    labels: tuple[Any, ...] = ()  # of two classes, or of the only one that there is

    @property
    def title(self) -> str:
        """What the target is called."""
        return sample(self.names)

    def values(self, columns: Mapping[str, Any]) -> Floats:
        """The target of some rows, (m,) or (m, n_outputs), NaN where it is missing."""
        parts = {name: columns[name] for name in self.names}
        for name, numbers in self.numbers.items():
            parts[name] = numbers[parts[name]]  # code -1 finds the NaN
        if self.are_shares:
            return share_values(Several({name: Numbers(part) for name, part in parts.items()}, named=True), self.title)
        if len(parts) > 1:
            return np.column_stack(list(parts.values()))
        y = np.asarray(parts[self.names[0]], dtype=np.float64)
        gaps = np.isnan(y)
        if self.levels is not None:
            y = np.where(gaps, np.nan, np.searchsorted(self.levels, y))
        if not self.output_names:
            return y
        known = np.eye(len(self.output_names))[np.where(gaps, 0.0, y).astype(np.intp)]
        return np.where(gaps[:, None], np.nan, known)


class SurveyedAmounts:
    """The finite numbers of a target that was surveyed; their median takes passes of its own."""

    def __init__(self, found: SurveyedNumbers, median: Callable[[], float]) -> None:
        self.n, self.is_whole = found.n_finite, found.is_whole
        self.low, self.high, self.n_zeros = found.low, found.high, found.n_zeros
        self.distinct = np.zeros(0) if found.distinct is None else found.distinct
        self.n_distinct = MOST_DISTINCT + 1 if found.distinct is None else len(found.distinct)
        self.mean = found.total / max(self.n, 1)
        self._median = median

    @property
    def median(self) -> float:
        """The median."""
        return self._median()


def decide_target(
    names: Sequence[str],
    contents: Mapping[str, Content | Unusable],
    family: str,
    medians: Callable[[str], float],
) -> tuple[str, TargetColumns, list[Finding]]:
    """The family, how the columns become the target, and what there is to say; raises where they cannot be one.

    `medians` gives the median of a column of numbers.
    """
    usable: dict[str, Content] = {}
    for name in names:
        content = contents[name]
        if isinstance(content, Unusable):
            raise DataError(unusable_target(name, content, "gaussian" if family == AUTO else family))
        usable[name] = content
    findings: list[Finding] = []
    if len(names) == 1:
        (name,), (content,) = names, usable.values()
        if family == AUTO:
            family, findings = _guessed(content, name, medians)
        elif find_family(family).amounts and isinstance(content, SurveyedNumbers):
            findings = class_labels(SurveyedAmounts(content, lambda: medians(name)), name, family)
        return family, target_of_one(content, name, family), findings
    known = find_family(family)
    numbers = {}
    for name, content in usable.items():
        if isinstance(content, SurveyedLabels):
            numbers[name] = _numbers_of(content, name, family)
    outputs = tuple(names)
    if known.has_classes:
        return family, TargetColumns(outputs, numbers, None, outputs, outputs, are_shares=True), findings
    return family, TargetColumns(outputs, numbers, output_names=outputs), findings


def _guessed(content: Content, name: str, medians: Callable[[str], float]) -> tuple[str, list[Finding]]:
    if isinstance(content, SurveyedLabels):
        numbers = None if content.declared or len(content.values) <= 2 else content.as_numbers()
        if numbers is None:
            return family_of_labels(content, name)
        content = numbers
    return family_of_amounts(SurveyedAmounts(content, lambda: medians(name)), name)


def target_of_one(content: Content, name: str, family: str) -> TargetColumns:
    """A target of one column."""
    known = find_family(family)
    if known.has_outputs and not known.has_classes:
        raise DataError(one_column(name, family))
    if not known.has_classes:
        numbers = {name: _numbers_of(content, name, family)} if isinstance(content, SurveyedLabels) else {}
        return TargetColumns((name,), numbers)
    return _many_classes(content, name) if known.has_outputs else _two_classes(content, name)


def _two_classes(content: Content, name: str) -> TargetColumns:
    numbers: dict[str, Floats] = {}
    labels: SurveyedLabels | None = content if isinstance(content, SurveyedLabels) else None
    if labels is not None and not labels.declared and len(labels.values) > 2:
        content = labels.as_numbers() or labels
        numbers[name] = _with_gap(labels.meant())
    if isinstance(content, SurveyedNumbers):
        distinct = np.array([content.low, content.high]) if content.distinct is None else content.distinct
        n_distinct = MOST_DISTINCT + 1 if content.distinct is None else len(distinct)
        if are_proportions(distinct.tolist(), n_distinct, name):
            return TargetColumns((name,), numbers, classes=(0, 1))
        labels = content.as_labels()
    assert labels is not None  # so many numbers are proportions or were refused
    refuse_more_than_two(labels, name, apart=False)
    classes = (labels.values[0], labels.values[1]) if len(labels.values) == 2 else None
    if isinstance(content, SurveyedNumbers):
        return TargetColumns((name,), numbers, content.distinct, classes, labels=labels.values)
    return TargetColumns((name,), {name: _codes(labels)}, None, classes, labels=labels.values)


def _many_classes(content: Content, name: str) -> TargetColumns:
    if isinstance(content, SurveyedLabels):
        measured = None if content.declared else content.as_numbers()
        refuse_measurements(content, name, None if measured is None else measured.is_whole)
        values = content.values
        return TargetColumns((name,), {name: _codes(content)}, None, values, tuple(map(str, values)))
    labels = content.as_labels()
    if labels is None:
        raise DataError(replace(too_many_classes(name), fix='family="gaussian"'))
    refuse_measurements(labels, name, content.is_whole)
    return TargetColumns((name,), {}, content.distinct, labels.values, tuple(map(str, labels.values)))


def too_many_classes(name: str) -> Finding:
    """E13: numbers of which there are too many to be classes."""
    text = f'Target "{name}" holds numbers with more than {MOST_DISTINCT:,} distinct values; they are no classes.'
    return Finding("E13", text, columns=(name,))


def _numbers_of(content: SurveyedLabels, name: str, family: str) -> Floats:
    """The number that each label means."""
    numbers = content.truth()
    if np.isnan(numbers).any() and not content.declared:
        numbers = content.meant()
    if np.isnan(numbers).any():
        raise DataError(no_numbers(content, name, family, apart=False))
    return _with_gap(numbers)


def _codes(labels: SurveyedLabels) -> Floats:
    return _with_gap(np.arange(len(labels.values), dtype=np.float64))


def _with_gap(numbers: Floats) -> Floats:
    return np.append(numbers, np.nan)


def judge_target(target: TargetColumns, rows: TargetRows, family: str, has_offset: bool) -> list[Finding]:
    """What there is to say about the target of the rows that have a weight; raises where nothing can be learned."""
    name = target.title
    if not rows.n:
        return []
    if target.output_names and target.classes is not None:
        return learnable_classes(target.classes, rows.n_positive, rows.n, name)
    if target.labels:
        refuse_one_class(target.labels, np.array([rows.n - rows.n_positive, rows.n_positive]), name)
    if find_family(family).has_classes:
        return []
    if has_offset or np.any(rows.low != rows.high):
        return []
    if target.output_names:
        raise DataError(constant_targets(name, target.names, rows.n))
    raise DataError(constant_target(name, float(rows.low), rows.n))


def surveyed_rows(target: TargetColumns, contents: Mapping[str, Content | Unusable]) -> TargetRows | None:
    """The rows by their target where all rows of the table count; None where that takes a further pass."""
    columns = [contents[name] for name in target.names]
    if target.are_shares or (target.levels is not None and target.numbers):
        return None
    numbers = [column for column in columns if isinstance(column, SurveyedNumbers)]
    if len(numbers) == len(columns) and target.levels is None:
        low, high = np.array([one.low for one in numbers]), np.array([one.high for one in numbers])
        return TargetRows(numbers[0].n_finite, low if len(low) > 1 else low[0], high if len(high) > 1 else high[0])
    (column,) = columns[:1]
    if len(columns) > 1 or isinstance(column, Unusable):
        return None
    n_rows = column.times if isinstance(column, SurveyedNumbers) else column.n_rows
    y = np.arange(len(n_rows)) if isinstance(column, SurveyedNumbers) else target.numbers[target.names[0]][:-1]
    n_positive = n_rows if target.output_names else int(n_rows[y > 0].sum())
    return TargetRows(int(n_rows.sum()), float(y.min()), float(y.max()), n_positive)
