"""Findings about features and the times of an event: those that say nothing, and those that say too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from normball.families import find_family
from normball.findings.column_statistics import Columns, Floats, Ints
from normball.findings.design import Table
from normball.messages import Finding, sample
from normball.survival.proportional_hazards import ProportionalHazards, proportional_hazards
from normball.survival.risk_sets import RiskSets, risk_sets
from normball.survival.target import SurvivalTarget

if TYPE_CHECKING:
    from normball.inputs.prepare import Data
    from normball.results.path import Path

EVENTS_EACH = 10  # of a feature, for a test of it to say anything
UNLIKELY = 0.01  # over the number of features that were tested
FIRST_TIMES = 16  # those with most rows at risk rule out nearly all features


def about_events(table: Table, target: SurvivalTarget) -> list[Finding]:
    """W11: features that are constant among those at risk; W30: monotone likelihood.

    The likelihood of a Cox model grows without end in a direction along which no event is ever below another row at
    risk (Bryson & Johnson 1981); here single features are looked at.

    Parameters
    ----------
    table : Table
        The features of the rows that count.
    target : SurvivalTarget
        Of these rows.
    """
    flat, largest, smallest = extreme_features(table.columns, target, table.varies)
    findings = []
    if flat.size:
        where = "every stratum" if target.n_strata > 1 else "every set of rows that are compared"
        text = (
            f"Constant within {where}: {sample([table.shown[j] for j in flat])}. "
            "That says nothing about who has the event first; a coefficient there is zero in every model."
        )
        findings.append(Finding("W11", text, table.drop(flat), table.named(flat)))
    if largest.size or smallest.size:
        parts = [
            f"{side} value among those at risk: {sample([table.shown[j] for j in features])}"
            for side, features in (("largest", largest), ("smallest", smallest))
            if features.size
        ]
        text = f"Monotone likelihood: at each event the row that has it has the {'; the '.join(parts)}.\n"
        number = "the coefficient grows" if largest.size + smallest.size == 1 else "these coefficients grow"
        text += f"Without a penalty {number} without limit."
        fix = "keep the penalty: a lam chosen by cross-validation gives finite, valid coefficients"
        findings.append(Finding("W30", text, fix, table.named([*largest, *smallest])))
    return findings


def extreme_features(columns: Columns, target: SurvivalTarget, among: Ints) -> tuple[Ints, Ints, Ints]:
    """Which features are the same for all at risk at each event; largest at each; smallest at each."""
    sets = risk_sets(target)
    n_at_risk = sets.over_rows(np.ones(len(target)))
    kept = among
    for place in np.argsort(-n_at_risk, kind="stable")[:FIRST_TIMES].tolist():
        at_risk, died = np.flatnonzero((sets.first <= place) & (place < sets.last)), np.flatnonzero(sets.place == place)
        alive = [np.zeros(0, dtype=bool)]
        for features, values in columns.dense_blocks(kept, np.concatenate([died, at_risk])):
            own, every = values[: died.size], values[died.size :]
            alive.append((own.min(axis=0) >= every.max(axis=0)) | (own.max(axis=0) <= every.min(axis=0)))
            assert alive[-1].size == features.size
        kept = kept[np.concatenate(alive)]
    found = [np.zeros((3, 0), dtype=bool)]
    for _, values in columns.dense_blocks(kept, slice(None)):
        found.append(_at_all_times(sets, values))
    flat, largest, smallest = np.concatenate(found, axis=1)
    return kept[flat], kept[largest & ~flat], kept[smallest & ~flat]


def _at_all_times(sets: RiskSets, values: Floats) -> Floats:
    """Whether each column is the same for all at risk, is largest at each event, is smallest."""
    most, least = sets.largest(values), -sets.largest(-values)
    died = sets.place >= 0
    at = sets.place[died]
    is_largest = (values[died] >= most[at]).all(axis=0)
    is_smallest = (values[died] <= least[at]).all(axis=0)
    return np.array([(most == least).all(axis=0), is_largest, is_smallest])


def changing_effects(
    shown: Sequence[str], names: Sequence[str], coefs: Floats, test: ProportionalHazards
) -> list[Finding]:
    """W40: features whose effects change with time, where the model takes them for constant.

    Parameters
    ----------
    shown, names : sequence of str
        The features that were kept, as people read them and as they are called.
    coefs : ndarray, shape (n_features,)
        Their coefficients.
    test : ProportionalHazards
        That of these features together.
    """
    p_values = np.nan_to_num(test.p_values, nan=1.0)
    order = [j for j in np.argsort(p_values, kind="stable").tolist() if p_values[j] * len(names) < UNLIKELY]
    if not order:
        return []
    ways = ["grows" if coefs[j] * test.slopes[j] > 0 else "fades" for j in order]
    parts = [f"{shown[j]} ({way}, p = {p_values[j]:.1g})" for j, way in zip(order, ways, strict=True)]
    text = (
        f"Hazards are not proportional; with time the effect changes of {sample(parts)}. "
        "The model takes effects for constant, which gives something like their mean."
    )
    fix = (
        "strata by such a feature if it has few values, or rows (start, stop, event) for early and late times, with a "
        "feature for each"
    )
    return [Finding("W40", text, fix, tuple(names[j] for j in order))]


def remarks_on_effects(data: Data, path: Path, index: int) -> list[Finding]:
    """W40 where the features that are kept at a strength have effects that change with time.

    No test is made of more features than a tenth of the events: it would have no power.
    """
    assert data.survival is not None
    kept = np.flatnonzero(path.coef_at(index))
    n_events = np.count_nonzero(data.survival.event & (data.weights > 0))
    if not 0 < kept.size * EVENTS_EACH <= n_events:
        return []
    design = data.design
    if isinstance(design, tuple):
        values, indices, indptr, n_rows = design
        design = sparse.csc_array((values, indices, indptr), shape=(n_rows, data.n_features))
    features = design[:, kept]
    features = np.asarray(features.toarray() if sparse.issparse(features) else features, dtype=np.float64)
    coefs = path.coef_at(index)[kept]
    ties = find_family(data.family).ties
    test = proportional_hazards(data.survival, features, features @ coefs + data.offset, data.weights, ties=ties)
    shown = data.preparation.shown_names
    return changing_effects([shown[j] for j in kept], [path.feature_names[j] for j in kept], coefs, test)
