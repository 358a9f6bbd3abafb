"""Which column of a long table is what, and what there is to say about those that are no features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from normball.blocks.encoding import Roles
from normball.blocks.long_table import LongTable
from normball.blocks.passes import Refused
from normball.blocks.readers import Reader
from normball.blocks.survey import Survey
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.blocks.table_features import number_reader
from normball.families import AUTO, find_family
from normball.inputs.lookup import not_found, not_found_of
from normball.inputs.row_numbers import FIX_EXPOSURE, judge_row_numbers, no_row_numbers
from normball.inputs.targets import refused_values
from normball.inputs.terms.plan import Plan
from normball.messages import DataError, Finding, count, raise_errors


def roles_of(
    table: LongTable,
    y: Any,
    *,
    family: str,
    sample_weight: Any,
    offset: Any,
    exposure: str,
    plan: Plan,
    by_row: Mapping[str, Any],
) -> Roles:
    """Find the columns that are named; raises with all that are not there."""
    targets = names_of("y", y)
    weights, offsets = names_of("sample_weight", sample_weight), names_of("offset", offset)
    others = {role: names_of(role, value) for role, value in by_row.items() if value is not None}
    if len(others) > 1:
        raise ValueError(f"{' and '.join(others)} cannot be combined: choose one way to make folds")
    findings = [not_found(table, name, "Target") for name in targets if name not in table.schema]
    named = {"sample_weight": weights, "offset": offsets, "exposure": names_of("exposure", exposure or None)}
    for role, names in {**named, "drop": plan.drop, **plan.named, **others}.items():
        findings += not_found_of(table, names, f"Column (of {role})")
    if len(targets) > 1 and (family == AUTO or not find_family(family).has_outputs):
        one = "the family of several outputs has to be said" if family == AUTO else f"{family} takes one"
        findings.append(Finding("E14", f"y names {len(targets)} columns; {one}.", 'family="multigaussian"'))
    apart = {*targets, *weights, *offsets, exposure, *plan.drop, *(name for names in others.values() for name in names)}
    features = tuple(name for name in table.names if name not in apart)
    findings += plan.problems(table.names, apart.difference(targets))
    if not features:
        findings.append(Finding("E14", "No column is left to be a feature."))
    findings += [
        finding for name, finding in table.conflicts.items() if name in apart.difference(plan.drop) | {*features}
    ]
    raise_errors(findings)
    role, fold = next(((role, names[0]) for role, names in others.items()), ("", ""))
    return Roles(features, tuple(targets), "".join(weights[:1]), tuple(offsets), exposure, fold, role)


def names_of(role: str, values: Any) -> list[str]:
    """The names that are given for a role; what is no name cannot be matched with rows that come part by part."""
    if values is None:
        return []
    names = [values] if isinstance(values, str) else values
    if isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names):
        return list(names)
    text = f"{role} is {type(values).__name__}; of a table that is read in parts it has to be the name of a column."
    raise DataError(Finding("E14", text, f"write it into the table as a column, and {role} its name"))


def judged_row_numbers(
    roles: Roles, found: Survey, readers: dict[str, Reader], may_lack: bool = False
) -> tuple[float, list[Finding]]:
    """What weights are divided by, and what there is to say about weights, offsets and exposure.

    Where labels are the text of numbers, the readers take them for these. Rows `may_lack` one where others say so.
    """
    divisor, findings = 1.0, list[Finding]()
    columns = [("sample_weight", roles.weights), *(("offset", name) for name in (*roles.offsets, roles.exposure))]
    for role, name in columns:
        if not name:
            continue
        content, label = found.contents[name], "exposure" if name == roles.exposure else role
        if isinstance(content, SurveyedLabels) and not content.declared and (numbers := content.as_numbers()):
            readers[name] = number_reader(content)
            content = numbers
        if not isinstance(content, SurveyedNumbers):
            findings.append(no_row_numbers(role, label, name, content))
            continue
        problems, scale = judge_row_numbers(
            name,
            role,
            label,
            len(content),
            not_finite=content.infinite if may_lack else content.missing or content.infinite,
            negative=content.negative,
            too_large=content.too_large,
            largest=max(content.high, -content.low, 0.0),
        )
        findings += problems
        divisor = scale if role == "sample_weight" else divisor
        if name == roles.exposure and content.low <= 0.0:
            where = content.negative or "zeros"
            n = content.negative.n + content.n_zeros
            text = f'The exposure "{name}" must be positive numbers; {count(n)} values are not: {where}.'
            findings.append(Finding("E15", text, FIX_EXPOSURE, (name,)))
    return divisor, findings


def refused_numbers(table: LongTable, names: Sequence[str], found: Survey, family: str, n_rows: int) -> list[Finding]:
    """E13 for numbers among the targets that the family does not take, found in a further pass."""
    known, findings = find_family(family), list[Finding]()
    for name in names:
        content = found.contents[name]
        if known.has_classes or not isinstance(content, SurveyedNumbers) or not content.n_finite:
            continue
        refused, problem, other = known.refused(np.array([content.low]))
        if refused.any():
            where = table.run([name], n_rows, Refused(name, found.readers[name], family))
            findings.append(refused_values(name, where.places, where.values, problem, other))
    return findings
