"""The columns of a table that are features, as they are before a design is made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.class_targets import Target, any_output
from normball.inputs.column_findings import (
    MANY_ROWS,
    beyond_range,
    examine,
    examine_numbers,
    infinite_values,
    missing_values,
    numbers_as_text,
    per_column,
    suspicious_columns,
    values_beyond_range,
)
from normball.inputs.columns import Labels, Mask, Numbers, Unusable
from normball.inputs.preparation import MISSING_LEVEL, Column, Preparation, learn
from normball.inputs.sources import Source
from normball.messages import OR, DataError, Finding, count, sample, words

MOSTLY = 0.5  # a column with a larger share of missing values says little
FEWEST_KEPT = 2
_OTHER_TARGET = "choose another target"
_FIX_INFINITE = f'correct them upstream{OR}inf="nan" and missing="impute" to count them as missing'


@dataclass(frozen=True)
class Features:
    """One float matrix (`matrix`) where that will do, with those columns that need a look; else all columns."""

    names: tuple[str, ...]
    named: bool
    n_rows: int
    matrix: Any
    contents: dict[str, Numbers | Labels]
    missing: str  # the policy: "error", "drop" or "impute"

    def gaps(self) -> dict[str, Mask]:
        """Where values are missing, for each column in which some are."""
        masks = {name: column.missing for name, column in self.contents.items()}
        return {name: mask for name, mask in masks.items() if mask.any()}

    def complete(self) -> Mask:
        """The rows to use as far as the features decide it."""
        rows = np.ones(self.n_rows, dtype=bool)
        if self.missing == "drop":
            for gaps in self.gaps().values():
                rows &= ~gaps
        return rows

    def design(self, rows: NDArray[np.intp] | None) -> tuple[Any, Preparation]:
        """The design of these rows (None: all) and how it was made."""
        contents = self.contents if rows is None else {name: item.take(rows) for name, item in self.contents.items()}
        if self.matrix is None or self.missing == "impute":
            preparation = learn(contents, named=self.named, impute=self.missing == "impute")
        else:
            preparation = Preparation(tuple(Column(name) for name in self.names), self.named)
        names = preparation.feature_names
        if len(set(names)) < len(names):
            twice = sorted(name for name, times in Counter(names).items() if times > 1)
            text = f"More than one feature is called {sample(twice, quote=True)}."
            raise DataError(Finding("E06", text, "rename the column", tuple(twice)))
        if self.matrix is None:
            return preparation.design(list(contents.values())), preparation
        return self.matrix if rows is None else self.matrix[rows], preparation


def read_features(
    source: Source, left_out: Collection[str], categorical: Collection[str], missing: str
) -> tuple[Features, list[Finding]]:
    """Read the features of a source and say what is remarkable about single columns."""
    positions = [j for j, name in enumerate(source.names) if name not in left_out]
    names = tuple(source.names[j] for j in positions)
    matrix = source.block(positions) if names and not set(categorical) & set(names) else None
    suspects = [] if matrix is None else suspicious_columns(matrix)
    if suspects and missing == "impute":
        matrix = None
    needed = range(len(names)) if matrix is None or missing == "impute" else suspects
    contents: dict[str, Numbers | Labels] = {}
    findings: list[Finding] = []
    for j in needed:
        name, column = names[j], source.read(positions[j])
        if isinstance(column, Numbers) and name in categorical:
            column = column.as_labels()
        elif isinstance(column, Labels) and not column.declared and name not in categorical:
            numbers = column.as_numbers()
            if numbers is not None:
                findings += numbers_as_text(name, column)
                column = numbers
        if matrix is None and (name not in categorical or isinstance(column, Unusable)):
            findings += examine(name, column)
        if not isinstance(column, Unusable):
            contents[name] = column
    if isinstance(matrix, np.ndarray) and source.named:
        with np.errstate(invalid="ignore"):
            whole = np.flatnonzero((matrix[:MANY_ROWS] % 1 == 0).all(axis=0))
        findings += [finding for j in whole for finding in examine_numbers(names[j], matrix[:, j])]
    if not names and source.names:
        findings.append(Finding("E14", "No column is left to be a feature."))
    return Features(names, source.named, source.n_rows, matrix, contents, missing), findings


def _fix_missing(gaps: Mapping[str, Mask], lacks_target: Mask, n_features: int) -> str:
    """The remedies for missing values; columns that are mostly missing may be dropped instead."""

    def complete(names: Iterable[str]) -> int:
        return int((~np.logical_or.reduce([lacks_target, *(gaps[name] for name in names)])).sum())

    if complete([]) < FEWEST_KEPT:
        return _OTHER_TARGET
    remedies = []
    if (kept := complete(gaps)) >= FEWEST_KEPT:
        remedies.append(f'missing="drop" (keeps {count(kept)} rows)')
    if not any(mask.all() for mask in gaps.values()):
        remedies.append('missing="impute" (median + indicator, learned in each fold)')
    mostly = [name for name, mask in gaps.items() if mask.mean() > MOSTLY]
    others = [name for name in gaps if name not in set(mostly)]
    if 0 < len(mostly) < n_features:
        shares = sample([f"{100 * gaps[name].mean():.0f} %" for name in mostly])
        rest = f' and missing="drop" (keeps {count(complete(others))} rows)' if others or lacks_target.any() else ""
        remedies.append(f"drop={words(mostly)} ({shares} missing){rest}")
    target = "\nAll of these leave out the rows without a target." if lacks_target.any() else ""
    return OR.join(remedies) + target


def gap_findings(features: Features, target: Target | None, target_name: str) -> list[Finding]:
    """What there is to say about missing and infinite values, and what is done about them."""
    gaps = features.gaps()
    columns = {name: item for name, item in features.contents.items() if isinstance(item, Numbers)}
    infinite = {name: np.isinf(column.values) for name, column in columns.items()}
    kept = features.complete()
    lacks_target = np.zeros(features.n_rows, dtype=bool)
    if target is not None:
        lacks_target = target.missing
        kept &= ~lacks_target
        infinite[f"{target_name} (target)"] = any_output(np.isinf(target.y))
    findings = infinite_values(infinite, _FIX_INFINITE)
    beyond = {name: beyond_range(column.values) for name, column in columns.items()}
    findings += values_beyond_range(
        beyond, f"choose another unit{OR}drop={words([n for n in beyond if beyond[n].any()])}"
    )
    if target is not None:
        unit = "choose another unit: divide by their largest size"
        findings += values_beyond_range({f"{target_name} (target)": any_output(beyond_range(target.y))}, unit)
    with_target = {**gaps, f"{target_name} (target)": lacks_target} if lacks_target.any() else gaps
    if not with_target:
        return findings
    if features.missing == "error":
        return findings + missing_values(with_target, _fix_missing(gaps, lacks_target, len(features.names)))
    empty = [name for name, mask in gaps.items() if mask.all()]
    if empty:
        text = f"No value in any of the {count(features.n_rows)} rows: {sample(empty)}."
        findings.append(Finding("E04", text, f"drop={words(empty)}", tuple(empty)))
    elif (~lacks_target).sum() < FEWEST_KEPT:
        text = f"Only {(~lacks_target).sum()} of {count(features.n_rows)} rows have a target."
        findings.append(Finding("E04", text, _OTHER_TARGET, (target_name,)))
    elif kept.sum() < FEWEST_KEPT:
        worst = max(gaps, key=lambda name: int(gaps[name].sum()))
        text = f"Only {kept.sum()} of {count(features.n_rows)} rows have no missing value; most are missing in {worst}."
        findings.append(Finding("E04", text, f'missing="impute"{OR}drop={words([worst])}', (worst,)))
    if not kept.all():
        reason = with_target if features.missing == "drop" else {f"{target_name} (target)": lacks_target}
        text = f"Left out {count(int((~kept).sum()))} of {count(features.n_rows)} rows; missing: {per_column(reason)}."
        findings.append(Finding("W04", text, columns=tuple(reason)))
    if features.missing == "impute" and gaps:
        text = f"Missing values imputed: {per_column(gaps)}. Numbers take the median and an indicator marks them; "
        text += f'among labels "{MISSING_LEVEL}" is one.'
        findings.append(Finding("W04", text, columns=tuple(gaps)))
    return findings
