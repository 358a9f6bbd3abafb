"""Findings about targets with several outputs: rare classes, classes that can be split from the rest, leaks.

A feature that tells one of several classes from the rest is common and no leak of the target: that features tell all
of them too well is left to the trial fit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from normball.findings.column_statistics import Floats
from normball.findings.design import Table
from normball.findings.separation import separation
from normball.findings.target import RARE_ROWS, RARE_SHARE, leaks, separated
from normball.messages import OR, Finding, count, sample


def rare_classes(y: Floats, labels: Sequence[object]) -> list[Finding]:
    """W17: classes of few rows; of a class in one row only, `prepare` tells."""
    sizes = (y > 0).sum(axis=0)
    rare = [k for k in np.argsort(sizes, kind="stable").tolist() if 1 < sizes[k] < max(RARE_ROWS, RARE_SHARE * len(y))]
    if not rare:
        return []
    shown = sample([f'"{labels[k]}" ({count(int(sizes[k]))} rows)' for k in rare])
    text = f"Rare among {count(len(y))} rows: class {shown}. Each fold holds out few of them, so scores vary much."
    folds = f"cv={sizes[rare[0]]}, " if sizes[rare[0]] < RARE_ROWS else ""
    steadier = f'cv_path(X, y, family="multinomial", {folds}repeats=5) for steadier scores'
    return [Finding("W17", text, f"collect more of these rows{OR}{steadier}")]


def separated_classes(
    table: Table, y: Floats, labels: Sequence[object], *, fit_intercept: bool, seconds: float
) -> list[Finding]:
    """W21 and W25: classes that features split from all others, each class by itself."""
    deadline = time.monotonic() + seconds
    found: dict[str, list[tuple[object, Finding]]] = {"W21": [], "W25": []}
    for k, label in enumerate(labels):
        left = (deadline - time.monotonic()) / (len(labels) - k)
        result = separation(table.columns, y[:, k], fit_intercept=fit_intercept, seconds=max(left, 0.0))
        for finding in separated(result, table, ("any other", label)):
            found[finding.code].append((label, finding))
    return [_together(one, len(labels)) for one in found.values() if one]


def _together(found: Sequence[tuple[object, Finding]], n_classes: int) -> Finding:
    """What was found of single classes, in one finding."""
    shown = sample([f'"{label}"' for label, _ in found])
    first = found[0][1]
    if len(found) == 1:
        return replace(first, text=f"Class {shown} against the rest. {first.text}")
    which = "each class" if len(found) == n_classes else f"each of the classes {shown}"
    columns = tuple(dict.fromkeys(name for _, one in found for name in one.columns))
    head, _, rest = first.text.partition("\n")
    text = f"Against the rest, {which} is separable, completely or partly.\n{rest}"
    return replace(first, text=head if first.code == "W25" else text, columns=columns)


def leaks_of_targets(table: Table, y: Floats, names: Sequence[str]) -> list[Finding]:
    """W15 for each of several targets of numbers."""
    found = ((name, one) for k, name in enumerate(names) for one in leaks(table, y[:, k]))
    return [replace(one, text=f'{one.text[:-1]}, of target "{name}".') for name, one in found]
