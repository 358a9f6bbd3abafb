"""Data with errors, looked at all the same: without what keeps them from being used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from normball.inputs.prepare import Data, prepare
from normball.messages import DataError, Finding, words

MENDABLE = {"E01", "E04", "E07", "E12"}  # errors that do not keep the rest of the table from being looked at
BY_ROW = ("sample_weight", "offset", "strata")  # without which the rest of the table can be looked at


def prepared(X: Any, y: Any, for_data: dict[str, Any]) -> tuple[Data | None, list[Finding]]:
    """The data, if need be without what keeps them from being used, and what was found on the way; each thing once."""
    findings: list[Finding] = []
    while True:
        try:
            data = prepare(X, y, **for_data)
        except DataError as error:
            told = {name for one in findings if one.is_error for name in one.columns}
            findings += [one for one in error.findings if not (told and one.is_error and told.issuperset(one.columns))]
            mended = _mended(for_data, error.findings)
            if mended is None:
                return None, findings
            for_data = mended
        else:
            news = [one for one in data.findings if one not in findings]
            return data, findings + [one for one in news if one.code != "W04" or not findings]


def _mended(for_data: dict[str, Any], findings: Sequence[Finding]) -> dict[str, Any] | None:
    """The arguments with which `prepare` gets past these errors, if there are any."""
    errors = [finding for finding in findings if finding.is_error]
    if not {error.code for error in errors} <= MENDABLE:
        return None
    useless = [error for error in errors if error.code in ("E01", "E12") or error.fix == f"drop={words(error.columns)}"]
    bad = dict.fromkeys(name for error in useless for name in error.columns)
    columns, others = {}, {}  # what stands in findings for each role: columns of the table, or what was given as values
    for role in BY_ROW:
        columns[role], others[role] = _names_of(role, for_data[role])
    roles = {role: None for role in BY_ROW if bad.keys() & (columns[role] | others[role])}
    values = set[str]().union(*(others[role] for role in roles))
    known = list(for_data["drop"])
    drop = [*known, *(name for name in bad if name not in known and name not in values)]
    policy = "impute" if for_data["missing"] == "error" else for_data["missing"]
    if not roles and (policy, "nan", drop) == (for_data["missing"], for_data["inf"], known):
        return None
    return {**for_data, **roles, "missing": policy, "inf": "nan", "drop": drop}


def _names_of(role: str, given: Any) -> tuple[set[str], set[str]]:
    """What findings call that which is given for a role: columns of the table, and values beside it."""
    if given is None:
        return set(), set()
    if isinstance(given, str):
        return {given}, set()
    name = getattr(given, "name", None)
    listed = {one for one in given if isinstance(one, str)} if isinstance(given, list | tuple) else set()
    return listed, {role, name} if isinstance(name, str) else {role}
