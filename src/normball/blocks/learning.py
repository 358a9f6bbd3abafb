"""What a model learns of its columns from the rows that it uses: levels, medians, how many rows are of which class.

The first pass has it where every row is used. Where rows are left out, or medians are asked for, another pass counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normball.blocks.medians import MedianSearch
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.inputs.columns import Floats
from normball.inputs.places import Places

Content: TypeAlias = SurveyedNumbers | SurveyedLabels
Columns: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass
class TargetRows:
    """The rows with a weight, by their target.

    Attributes
    ----------
    n : int
        How many they are.
    low, high : float or ndarray
        The smallest and the largest target, of several outputs each.
    n_positive : int or ndarray
        How many are above zero: of the second class, or of each.
    """

    n: int = 0
    low: Any = np.inf
    high: Any = -np.inf
    n_positive: Any = 0

    def add(self, y: Floats) -> None:
        """Take more of these rows."""
        if len(y):
            self.n += len(y)
            self.low, self.high = np.minimum(self.low, y.min(axis=0)), np.maximum(self.high, y.max(axis=0))
            self.n_positive = self.n_positive + (y > 0).sum(axis=0)


@dataclass
class UsedRows:
    """Columns and target as the rows that are used have them."""

    contents: dict[str, Content]
    target: TargetRows
    n_rows: int
    has_weight: bool


def learn_from_rows(
    passes: Callable[[], Any],
    contents: Mapping[str, Content],
    wants_medians: bool,
) -> UsedRows:
    """Count in the rows that are used, in as many passes as the medians need.

    Each pass of `passes` yields the columns, the target and the weights of some of these rows at a time.
    """
    counts = {
        name: np.zeros(len(c.values) + 1, np.intp) for name, c in contents.items() if isinstance(c, SurveyedLabels)
    }
    n_missing = {name: 0 for name, content in contents.items() if isinstance(content, SurveyedNumbers)}
    searches = {name: MedianSearch() for name in n_missing} if wants_medians else {}
    target, n_rows, has_weight = TargetRows(), 0, False
    for columns, y, weights in passes():
        for name, count in counts.items():
            count += np.bincount(columns[name] + 1, minlength=len(count))  # the first is that of missing ones
        for name in n_missing:
            n_missing[name] += int(np.isnan(columns[name]).sum())
        for name, search in searches.items():
            search.add(columns[name])
        target.add(y[weights > 0])
        n_rows += len(y)
        has_weight |= bool(weights.any())
    for search in searches.values():
        search.end_pass()
    while still := {name: search for name, search in searches.items() if search.is_open}:
        for columns, _, _ in passes():
            for name, search in still.items():
                search.add(columns[name])
        for search in still.values():
            search.end_pass()
    learned: dict[str, Content] = {}
    for name, content in contents.items():
        if isinstance(content, SurveyedLabels):
            missing = Places(int(counts[name][0]))
            learned[name] = replace(content, n_rows=counts[name][1:], missing=missing, n=n_rows)
        else:
            median = searches[name].median if wants_medians else None
            learned[name] = replace(content, missing=Places(n_missing[name]), n=n_rows, median=median)
    return UsedRows(learned, target, n_rows, has_weight)
