"""Selected features by the columns of the table that they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from normball.inputs.terms.levels import LevelTerm
from normball.language import message, tr
from normball.results.facts import Feature

if TYPE_CHECKING:
    from normball.inputs.terms.term import Term
    from normball.results.fit import Fit

ROWS = message("rows")  # the title of their numbers
RARE = message("Levels told by one or two rows")


@dataclass(frozen=True)
class Block:
    """A column with its features, of levels the largest coefficient first; a column of several has a line of its own.

    Attributes
    ----------
    title : str
        The line above the features; empty where the only one speaks for itself.
    folds : int or None
        How many folds kept the column.
    features : tuple of Feature
        Its features.
    """

    title: str
    folds: int | None
    features: tuple[Feature, ...]


def blocks(fit: Fit, features: Sequence[Feature], most: int) -> list[Block]:
    """At most so many features by columns, those first whose largest coefficient per standard deviation is largest.

    What one or two rows decide stands apart at the end.
    """
    rare = [feature for feature in features if feature.few_rows]
    common = [feature for feature in features if not feature.few_rows]
    room = max(most - len(rare), most // 2)
    by_column: dict[str, list[Feature]] = {}
    for feature in common[:room]:
        by_column.setdefault(feature.column, []).append(feature)
    found = [_block(fit, column, one) for column, one in by_column.items()]
    shown = rare[: max(0, most - len(common[:room]))]
    return [*found, Block(tr(RARE), None, tuple(shown))] if shown else found


def _block(fit: Fit, column: str, features: list[Feature]) -> Block:
    first = features[0]
    if len(features) == 1:
        return Block("", first.folds, (first,))
    term, n_kept = _term(fit, column)
    number = [feature for feature in features if feature.level is None]
    levels = [replace(one, folds=_own(one), own_folds=None) for one in features if one.level is not None]
    levels.sort(key=lambda one: -one.per_unit if term.levels is not None else -one.per_sd)
    if number:  # and the mark of its gaps
        return Block("", first.folds, (number[0], *levels))
    title = "{0} ({1} levels)" if term.levels is not None else "{0} ({1} features)"
    if n_kept < term.n_features:
        title = "{0} ({1} of {2} levels)" if term.levels is not None else "{0} ({1} of {2} features)"
    return Block(tr(title, column, f"{n_kept:,}", f"{term.n_features:,}"), first.folds, tuple(levels))


def _own(feature: Feature) -> int | None:
    return feature.folds if feature.own_folds is None else feature.own_folds


def _term(fit: Fit, column: str) -> tuple[Term, int]:
    """What gives the features of a column, and how many of these are kept."""
    preparation = fit.preparation
    place = next(k for k, one in enumerate(preparation.columns) if one.name == column)
    return preparation.columns[place], int((preparation.column_of_feature[fit.kept] == place).sum())


def reference(fit: Fit) -> str:
    """What the coefficients of levels are measured against; nothing where none are kept."""
    kept = zip(*np.unique(fit.preparation.column_of_feature[fit.kept], return_counts=True), strict=True)
    of_levels = [
        (term, n) for term, n in ((fit.preparation.columns[j], n) for j, n in kept) if isinstance(term, LevelTerm)
    ]
    if not of_levels:
        return ""
    with_baseline = [term.baseline is not None for term, _ in of_levels]
    if fit.l1_ratio == 0:
        if all(with_baseline):
            return tr("Levels are measured against the baseline of their column.")
        if any(with_baseline):
            return tr("Levels are measured against the baseline of their column, or else its average.")
        return tr("Levels are measured against the average of their column.")
    some_left = [term.baseline is not None or n < term.n_features for term, n in of_levels]
    if all(some_left):
        return tr("Levels are measured against those of their column that are not kept.")
    if any(some_left):
        return tr("Levels are measured against those of their column that are not kept, or else against one another.")
    return tr("All levels of their column are kept: they are measured against one another.")
