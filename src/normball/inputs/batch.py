"""Several problems over one table: targets, weights or both come a column for each problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from normball.families import AUTO, find_family
from normball.inputs.class_targets import Target
from normball.inputs.column_findings import infinite_values, missing_of
from normball.inputs.columns import Content, Floats, Mask, Numbers, Unusable
from normball.inputs.gaps import NOUNS
from normball.inputs.places import places_in
from normball.inputs.prepare import Data, guess_family, prepare
from normball.inputs.row_numbers import row_numbers, without_weight
from normball.inputs.several import columns_of, names_in
from normball.inputs.sources import Source, source_of
from normball.inputs.targets import read_target
from normball.inputs.terms.plan import policy_of
from normball.messages import OR, DataError, Finding, count, raise_errors, sample
from normball.settings import name_list

_GAP_FIX = 'missing="drop" gives these rows weight 0 in that problem alone'


@dataclass(frozen=True)
class Batch:
    """Checked data of K problems over one design.

    Attributes
    ----------
    data : Data
        Those of the first problem; all of them share its design.
    responses : ndarray, shape (1, n_rows) or (K, n_rows)
        The targets; one row where all problems have the same.
    weights : ndarray, shape (K, n_rows)
        The weights.
    offsets : ndarray, shape (1, n_rows) or (K, n_rows)
        The offsets; one row where all problems have the same.
    names : tuple of str
        What to call the problems.
    targets : tuple of Target
        One for each row of `responses`.
    target_names : tuple of str
        Their names.
    remarks : tuple of lists of Finding
        What is worth knowing about one problem only.
    """

    data: Data
    responses: Floats
    weights: Floats
    offsets: Floats
    names: tuple[str, ...]
    targets: tuple[Target, ...]
    target_names: tuple[str, ...]
    remarks: tuple[list[Finding], ...]

    def __len__(self) -> int:
        return len(self.weights)

    def problem(self, k: int) -> Data:
        """The data of one problem."""
        row = k if len(self.targets) > 1 else 0
        return replace(
            self.data,
            y=self.responses[row],
            weights=self.weights[k],
            offset=self.offsets[k if len(self.offsets) > 1 else 0],
            classes=self.targets[row].classes,
            target_name=self.target_names[row],
            findings=[*self.data.findings, *self.remarks[k]],
        )


def prepare_batch(
    X: Any,
    y: Any,
    sample_weight: Any,
    offset: Any,
    counts: Mapping[str, int],
    *,
    family: str,
    drop: Sequence[str],
    **options: Any,
) -> Batch:
    """Check the data of several problems and lay them out for the solver.

    Parameters
    ----------
    X : array, sparse matrix or frame
        The features, for all problems.
    y, sample_weight, offset : array, frame, str or sequence of str
        One column for all problems, or one for each; names are those of columns of `X`.
    counts : dict of str to int
        How many columns other options have, by name: 1, or one for each problem.
    family : str
        Distribution of all targets. A parameter that is to be estimated is that of the first problem for all of them.
    drop : sequence of str
        Columns to leave out.
    **options
        As in `prepare`.

    Raises
    ------
    DataError
        If some problem cannot be solved, saying which.
    """
    source = source_of(X)
    if options.get("inf") == "nan":
        source = source.with_infinite_as_missing()
    findings: list[Finding] = []
    missing = policy_of(options.get("missing", "error"))
    has_times = family != AUTO and find_family(family).has_risk_sets
    columns = {"y": y} if has_times else columns_of(source, y, "y", findings)
    weights, lack_weights = _numbers(source, sample_weight, "sample_weight", 1.0, missing, findings)
    offsets, lack_offsets = _numbers(source, offset, "offset", 0.0, missing, findings)
    raise_errors(findings)
    names = _problem_names({"y": columns, "sample_weight": weights, "offset": offsets}, counts)
    by_problem = (sample_weight, offset) if has_times else (y, sample_weight, offset)
    apart = [name for values in by_problem for name in names_in(source, values)]
    table = np.array([*weights.values()] * (len(names) // len(weights)))
    offset_rows = np.array([*offsets.values()])
    remarks = _without_gaps(columns, table, missing)
    for gaps, noun in ((lack_weights, "weight"), (lack_offsets, "offset")):
        _take_out(gaps, noun, table, remarks)
    family = _one_family(columns, family)
    _check_outputs(columns, family, offset is not None)
    first = next(iter(columns))
    data = prepare(
        source,
        columns[first],
        family=family,
        sample_weight=table[0],
        offset=None if offset is None else offset_rows[0],
        drop=[*name_list("drop", drop), *apart],
        target_name=first,
        **options,
    )
    if data.rows is not None:
        table, offset_rows = table[:, data.rows], offset_rows[:, data.rows]
    if data.output_names:
        offset_rows = data.offset[None]
    targets = _times(data, table, names) if has_times else _targets(columns, data, table, names, offset is not None)
    responses = np.array([target.y for target in targets])
    return Batch(data, responses, table, offset_rows, tuple(names), targets, tuple(columns), tuple(remarks))


def _numbers(
    source: Source, values: Any, role: str, default: float, missing: str, findings: list[Finding]
) -> tuple[dict[str, Floats], dict[str, Mask]]:
    """The weights or offsets of each problem by name, and where they are missing."""
    if values is None:
        return {"y": np.full(source.n_rows, default)}, {}
    columns = columns_of(source, values, role, findings)
    if findings:
        return {}, {}
    gaps = {name: one.missing for name, one in columns.items() if not isinstance(one, Unusable)}
    if missing == "error":
        findings += missing_of({f"{name} ({NOUNS[role]})": mask for name, mask in gaps.items()}, _GAP_FIX)
    numbers = {
        name: row_numbers(source, one, role, default, findings, name, may_lack=True) for name, one in columns.items()
    }
    return numbers, gaps


def _take_out(gaps: Mapping[str, Mask], noun: str, weights: Floats, remarks: list[list[Finding]]) -> None:
    """Give the rows that lack a number of their own weight 0, in place, in the problems that it is for."""
    each = list(gaps.items())
    for k, row in enumerate(weights if each else ()):
        name, mask = each[k if len(each) > 1 else 0]
        if mask.any():
            row[mask] = 0.0
            text = f'{count(int(mask.sum()))} of {count(len(mask))} rows have no {noun} "{name}"; '
            remarks[k].append(Finding("W04", f"{text}they have weight 0 there.", columns=(name,)))


def _problem_names(by_row: Mapping[str, Mapping[str, Any]], counts: Mapping[str, int]) -> list[str]:
    """What the problems are called, after the columns of the first option that has one for each."""
    sizes = {**{role: len(columns) for role, columns in by_row.items()}, **counts}
    several = {role: size for role, size in sizes.items() if size > 1}
    if len(set(several.values())) > 1:
        (first, n_first), (other, n_other) = list(dict.fromkeys(several.items()))[:2]
        if n_first == n_other:
            other, n_other = next(item for item in several.items() if item[1] != n_first)
        text = f"{first} has {count(n_first)} columns, {other} has {count(n_other)}: one column for each "
        raise DataError(Finding("E14", f"{text}problem is wanted, or one for all of them."))
    if not several:
        return list(by_row["y"])
    role, size = next(iter(several.items()))
    return list(by_row[role]) if role in by_row else [f"{role}[:, {k}]" for k in range(size)]


def _without_gaps(columns: dict[str, Content], weights: Floats, missing: str) -> list[list[Finding]]:
    """Take rows without a target out of that problem alone: in place, weight 0 and any valid target.

    With one target for all problems such rows are left out of the table as in a single fit.
    """
    remarks: list[list[Finding]] = [[] for _ in weights]
    if missing == "error" or len(columns) == 1:
        return remarks
    for k, (name, column) in enumerate(columns.items()):
        if isinstance(column, Unusable) or not column.missing.any() or column.missing.all():
            continue
        gaps = column.missing
        stand_in = int(np.argmin(gaps))
        weights[k, gaps] = 0.0
        if isinstance(column, Numbers):
            columns[name] = replace(column, values=np.where(gaps, column.values[stand_in], column.values))
        else:
            columns[name] = replace(column, codes=np.where(gaps, column.codes[stand_in], column.codes))
        text = (
            f'{count(int(gaps.sum()))} of {count(len(column))} rows have no target "{name}"; they have weight 0 there.'
        )
        remarks[k].append(Finding("W04", text, columns=(name,)))
    return remarks


def _one_family(columns: Mapping[str, Content], family: str) -> str:
    """The family of all targets; what "auto" finds must be the same for each."""
    if family != AUTO:
        return family
    found = {name: guess_family(column, name)[0] for name, column in columns.items()}
    families = list(dict.fromkeys(found.values()))
    if len(families) > 1:
        examples = [list(found)[list(found.values()).index(one)] for one in families]
        text = f'family="auto" finds {families[0]} for "{examples[0]}" and {families[1]} for "{examples[1]}".'
        raise DataError(Finding("E13", text, "one call for each family", tuple(examples)))
    return families[0]


def _check_outputs(columns: Mapping[str, Content], family: str, has_offset: bool) -> None:
    """Raise where a family with several outputs is given what does not make problems of one target of classes."""
    known = find_family(family)
    if not known.has_outputs or (known.has_classes and len(columns) == 1 and not has_offset):
        return
    if known.has_classes:
        text = f'Many problems with family="{family}" are one column of labels, weighted in several ways; here are '
        text += "offsets." if has_offset else f"{count(len(columns))} columns."
        raise DataError(Finding("E13", text, "one fit_path for each problem", tuple(columns)))
    text = f'fit_paths fits each column of y by itself; family="{family}" is a model of all of them.'
    fix = f'family="gaussian"{OR}fit_path(X, y), one model of all columns'
    raise DataError(Finding("E13", text, fix, tuple(columns)))


def _times(data: Data, weights: Floats, names: Sequence[str]) -> tuple[Target, ...]:
    """The one target of all problems of survival, whose weighted rows have an event in each."""
    assert data.survival is not None
    without = [name for name, row in zip(names, weights, strict=True) if not data.survival.event[row > 0.0].any()]
    if without:
        text = f"There is no event among the rows that have a weight in {count(len(without))} of {count(len(names))} "
        text += f"problems: {sample(without, quote=True)}. Nothing to learn."
        raise DataError(Finding("E03", text, "leave these problems out"))
    return (Target(data.y, survival=data.survival),)


def _targets(
    columns: Mapping[str, Content], data: Data, weights: Floats, names: Sequence[str], free: bool
) -> tuple[Target, ...]:
    """The targets as the solver takes them, each checked on the rows that have a weight in its problem."""
    empty = [name for name, row in zip(names, weights, strict=True) if not row.any()]
    findings = [without_weight(name, "leave these problems out") for name in empty]
    raise_errors(findings)
    first, *others = columns.items()
    targets = [Target(data.y, data.classes, data.output_names)]
    if others:
        for (name, column), row in zip(others, weights[1:], strict=True):
            targets += _read(column, name, data, row, free, findings)
    else:
        for name, row in zip(names[1:], weights[1:], strict=True):
            used = data.y[row > 0]
            lacking = bool(data.output_names) and not used.any(axis=0).all()
            if lacking or (used == used[0]).all():  # the reader knows which of these cannot be fitted
                _read(first[1], f"{first[0]}, weighted by {name}", data, row, free, findings)
    raise_errors(findings)
    return tuple(targets)


def _read(column: Content, name: str, data: Data, weights: Floats, free: bool, findings: list[Finding]) -> list[Target]:
    """The target of one problem; none, with findings, where it cannot be used."""
    if data.rows is not None and not isinstance(column, Unusable):
        column = column.take(data.rows)
    try:
        target = read_target(column, name, data.family, weights > 0, free)
    except DataError as error:
        findings += error.findings
        return []
    key = f"{name} (target)"
    findings += missing_of({key: target.missing}, _GAP_FIX)
    findings += infinite_values(places_in({key: np.isinf(target.y)}), "correct them upstream")
    return [target]
