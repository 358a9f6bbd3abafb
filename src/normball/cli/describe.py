"""The table and its target in a line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normball.families import find_family
from normball.family import Family, written
from normball.messages import count, sample
from normball.results.facts import figures, penalty

if TYPE_CHECKING:
    from normball.cli.source import Task
    from normball.inputs.feature_groups import FeatureGroups
    from normball.inputs.prepare import Data
    from normball.inputs.terms.term import Term
    from normball.survival.target import SurvivalTarget


KINDS = {"dates": "date", "text": "text", "spline": "spline", "interaction": "product"}


def table_in_words(task: Task, data: Data) -> str:
    """`wine.csv: 1,599 rows x 12 columns (11 numeric, 1 categorical -> 3 indicators)`."""
    by_kind: dict[str, list[Term]] = {}
    for column in data.preparation.columns:
        by_kind.setdefault(column.kind, []).append(column)
    numbers, levels = by_kind.pop("number", []), by_kind.pop("levels", [])
    parts = [f"{count(len(numbers))} numeric"] if numbers else []
    if levels:
        n_indicators = sum(len(column.features) for column in levels)
        parts.append(f"{count(len(levels))} categorical -> {count(n_indicators)} indicators")
    for kind, others in by_kind.items():
        n_features = sum(len(column.features) for column in others)
        parts.append(f"{count(len(others))} {KINDS[kind]}{'s' * (len(others) > 1)} -> {count(n_features)} features")
    name = task.run.source or f"example {task.run.example}"
    size = f"{count(task.n_rows)} rows x {count(task.n_columns)} columns"
    left_out = task.n_rows - (data.sample_of or data.n_rows)
    rows = f"; {count(left_out)} rows with missing values left out" if left_out else ""
    apart = "" if task.apart is None else f"; besides {task.apart.how}"
    sampled = data.sample_of not in (None, data.n_rows)
    pictures = f"; read in blocks, pictures show {count(data.n_rows)} evenly spaced rows" if sampled else ""
    return f"{name}: {size} ({', '.join(parts)}){rows}{apart}{pictures}"


def target_in_words(data: Data, ratios: Sequence[float], groups: FeatureGroups | None, grouped: bool) -> str:
    """`quality_high: binary, "yes" 217 (13.6 %) / "no" 1,382 -> logistic, L1`."""
    y, family = data.y, find_family(data.family)
    if data.survival is not None:
        text = _times(data.survival, family)
    elif family.has_outputs:
        text = _several(data)
    elif family.has_classes and data.classes is not None and np.isin(y, (0.0, 1.0)).all():
        n_ones = int(y.sum())
        share = f"{100 * n_ones / y.size:.1f} %"
        no, yes = data.classes
        text = f'binary, "{yes}" {count(n_ones)} ({share}) / "{no}" {count(y.size - n_ones)}'
    else:
        text = f"{family.kind}, mean {figures(float(y.mean()))}"
        text += f", {100 * float(np.mean(y == 0)):.1f} % zeros" if family.shows_zeros else ""
        text += f", sd {figures(float(y.std()))}" if family.amounts else ""
    mixes = f"l1_ratio {', '.join(map(written, ratios))}"
    mixes = penalty(ratios[0], groups) if len(ratios) == 1 else mixes + penalty(1.0, groups).removeprefix(penalty(1.0))
    across = f" across {_kind(data)}" if grouped else ""
    text += "" if data.sample_of in (None, data.n_rows) else f" in {count(data.n_rows)} evenly spaced rows"
    return f"{data.target_name}: {text} -> {family.title}, {mixes}{across}"


def _times(target: SurvivalTarget, family: Family) -> str:
    """`time to an event, 161 of 418 rows have it, between 41 and 4,191`."""
    died = target.stop[target.event]
    text = (
        f"{family.kind}, {count(died.size)} of {count(len(target))} rows have it, between {figures(float(died.min()))} "
    )
    strata = f", {count(target.n_strata)} strata" if target.n_strata > 1 else ""
    return f"{text}and {figures(float(died.max()))}{strata}"


def _several(data: Data) -> str:
    """`3 classes, "setosa" 50, "versicolor" 50, "virginica" 50`, or the mean and deviation of each target."""
    start = f"{count(data.n_outputs)} {_kind(data)}"
    if data.classes is None:
        means, deviations = data.y.mean(axis=0), data.y.std(axis=0)
        told = zip(data.output_names, means.tolist(), deviations.tolist(), strict=True)
        return f"{start}, {sample([f'{name} mean {figures(mean)} sd {figures(sd)}' for name, mean, sd in told])}"
    sizes = data.y.sum(axis=0)
    if not np.isin(data.y, (0.0, 1.0)).all():
        shares = sizes / sizes.sum()
        return f"{start} in shares, {sample([_class(data, k, f'{100 * shares[k]:.1f} %') for k in np.argsort(-sizes)])}"
    return f"{start}, {sample([_class(data, k, count(int(sizes[k]))) for k in np.argsort(-sizes, kind='stable')])}"


def _class(data: Data, k: int, size: str) -> str:
    return f'"{data.output_names[k]}" {size}'


def _kind(data: Data) -> str:
    return "targets" if data.classes is None else "classes"
