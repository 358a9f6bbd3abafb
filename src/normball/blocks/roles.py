"""Which column of a long table is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from normball.blocks.encoding import Roles
from normball.blocks.long_table import LongTable
from normball.families import AUTO, find_family
from normball.inputs.lookup import not_found, not_found_of
from normball.messages import DataError, Finding, raise_errors


def roles_of(
    table: LongTable,
    y: Any,
    *,
    family: str,
    sample_weight: Any,
    offset: Any,
    exposure: str,
    drop: Sequence[str],
    categorical: Sequence[str],
    by_row: Mapping[str, Any],
) -> Roles:
    """Find the columns that are named; raises with all that are not there."""
    targets = _names("y", y)
    weights, offsets = _names("sample_weight", sample_weight), _names("offset", offset)
    others = {role: _names(role, value) for role, value in by_row.items() if value is not None}
    findings = [not_found(table, name, "Target") for name in targets if name not in table.schema]
    named = {"sample_weight": weights, "offset": offsets, "exposure": _names("exposure", exposure or None)}
    for role, names in {**named, "drop": drop, "categorical": categorical, **others}.items():
        findings += not_found_of(table, names, f"Column (of {role})")
    if len(targets) > 1 and (family == AUTO or not find_family(family).has_outputs):
        one = "the family of several outputs has to be said" if family == AUTO else f"{family} takes one"
        findings.append(Finding("E14", f"y names {len(targets)} columns; {one}.", 'family="multigaussian"'))
    apart = {*targets, *weights, *offsets, exposure, *drop, *(name for names in others.values() for name in names)}
    features = tuple(name for name in table.names if name not in apart)
    if not features:
        findings.append(Finding("E14", "No column is left to be a feature."))
    findings += [finding for name, finding in table.conflicts.items() if name in apart.difference(drop) | {*features}]
    raise_errors(findings)
    fold = others.get("fold_ids", [""])[0]
    return Roles(features, tuple(targets), "".join(weights[:1]), tuple(offsets), exposure, fold)


def _names(role: str, values: Any) -> list[str]:
    """The names that are given for a role; what is no name cannot be matched with rows that come part by part."""
    if values is None:
        return []
    names = [values] if isinstance(values, str) else values
    if isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names):
        return list(names)
    text = f"{role} is {type(values).__name__}; of a table that is read in parts it has to be the name of a column."
    raise DataError(Finding("E14", text, f"write it into the table as a column, and {role} its name"))
