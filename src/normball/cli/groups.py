"""`--groups FILE` and `--group-columns`: groups of features for `normball fit`."""

from __future__ import annotations

import csv
import io
import json
from argparse import Namespace
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from normball.cli.source import UsageError
from normball.messages import DataError, Finding, did_you_mean
from normball.settings import BY_COLUMNS

if TYPE_CHECKING:
    from normball.inputs.feature_groups import FeatureGroups
    from normball.inputs.prepare import Data

HEADER = ("feature", "group")


@dataclass(frozen=True)
class GroupsFile:
    """What a file says: the features of each group, and the line of each feature."""

    name: str
    groups: dict[str, list[str]]
    lines: dict[str, int]


def asked(arguments: Namespace) -> GroupsFile | None:
    """The file of `--groups`, if there is one; raises where the options do not go together."""
    if arguments.groups and arguments.group_columns:
        raise UsageError("--groups and --group-columns are two ways to make groups of features: give one")
    if arguments.group_ratio is not None and not (arguments.groups or arguments.group_columns):
        raise UsageError("--group-ratio needs groups of features: give --groups FILE or --group-columns")
    return read(arguments.groups) if arguments.groups else None


def options(
    arguments: Namespace, file: GroupsFile | None, data: Data, left_out: Collection[str]
) -> tuple[dict[str, Any], FeatureGroups | None]:
    """The options of `cv_path` about groups, and the groups; raises where features or penalty factors do not suit."""
    from normball.inputs.feature_groups import feature_groups
    from normball.inputs.per_feature import per_feature
    from normball.settings import Settings

    if file is None and not arguments.group_columns:
        return {}, None
    chosen: dict[str, Any] = {"groups": BY_COLUMNS if file is None else _known(file, data, left_out)}
    if arguments.group_ratio not in (None, 1.0):
        chosen["group_ratio"] = arguments.group_ratio
    free = dict.fromkeys(arguments.keep_unpenalised, 0.0)
    factors = per_feature(free, "penalty_factors", data.preparation, 1.0)
    try:
        return chosen, feature_groups(Settings(**chosen), data.preparation, factors, left_out)
    except DataError as error:
        said = ("penalty_factors must agree within a group", "--keep-unpenalised must name all of a group or none")
        raise DataError(*(replace(one, text=one.text.replace(*said)) for one in error.findings)) from None


def _known(file: GroupsFile, data: Data, left_out: Collection[str]) -> dict[str, list[str]]:
    """The groups of a file whose features are all there."""
    known = {*data.feature_names, *(column.name for column in data.preparation.columns)}
    for feature, line in file.lines.items():
        if feature not in known and feature not in left_out:
            text = f'"{feature}" is no feature of the table.{did_you_mean(feature, known)}'
            raise _error(file.name, line, text, feature)
    return file.groups


def read(place: str) -> GroupsFile:
    """Read `{"group": ["feature", ...]}` from JSON, or lines `feature,group` from CSV."""
    name = PurePath(place).name
    try:
        text = Path(place).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(Finding("E11", f"{name} is not UTF-8 text.", "save it as UTF-8")) from None
    file = _from_json(name, text) if text.lstrip().startswith(("{", "[")) else _from_csv(name, text)
    if not file.groups:
        raise _error(name, 1, "no group is named")
    return file


def _from_json(name: str, text: str) -> GroupsFile:
    try:
        content = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    except json.JSONDecodeError as error:
        raise _error(name, error.lineno, f"this is no JSON ({error.msg})") from None
    if not isinstance(content, list) or not all(isinstance(pair, tuple) for pair in content):
        raise _error(name, 1, 'groups are written {"group": ["feature", ...]}')
    lines = _Lines(text)
    groups: dict[str, list[str]] = {}
    places: dict[str, int] = {}
    for group, features in content:
        line = lines.of(group)
        if group in groups:
            raise _error(name, line, f'group "{group}" is there twice')
        if not isinstance(features, list) or not features or not all(isinstance(one, str) for one in features):
            raise _error(name, line, f'group "{group}" must be a list of names of features')
        groups[group] = features
        for feature in features:
            line = lines.of(feature)
            _check_once(name, line, feature, places)
            places[feature] = line
    return GroupsFile(name, groups, places)


class _Lines:
    """The lines on which the texts of a JSON file stand, asked for in the order of the file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def of(self, word: str) -> int:
        """The line of the next `word`."""
        for written in (json.dumps(word, ensure_ascii=False), json.dumps(word)):
            if (found := self.text.find(written, self.place)) >= 0:
                self.place = found + len(written)
                break
        return self.text.count("\n", 0, self.place) + 1


def _from_csv(name: str, text: str) -> GroupsFile:
    groups: dict[str, list[str]] = {}
    places: dict[str, int] = {}
    rows = csv.reader(io.StringIO(text, newline=""))
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells) or (not places and tuple(cell.lower() for cell in cells) == HEADER):
            continue
        if len(cells) != 2 or not all(cells):
            raise _error(name, rows.line_num, f"two columns are wanted, {','.join(HEADER)}; here is {','.join(row)!r}")
        feature, group = cells
        _check_once(name, rows.line_num, feature, places)
        groups.setdefault(group, []).append(feature)
        places[feature] = rows.line_num
    return GroupsFile(name, groups, places)


def _check_once(name: str, line: int, feature: str, places: Mapping[str, int]) -> None:
    if feature in places:
        text = f'"{feature}" stands in line {places[feature]}, too; a feature belongs to one group'
        raise _error(name, line, text, feature)


def _error(name: str, line: int, problem: str, feature: str = "") -> DataError:
    text = f"{name}, line {line}: {problem}"
    code, columns = ("E16", (feature,)) if feature else ("E11", ())
    return DataError(Finding(code, text if text[-1] in ".?" else f"{text}.", columns=columns))
