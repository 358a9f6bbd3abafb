"""What a model learns of its columns from the rows that it uses: levels, quantiles, how many rows are of which class.

The first pass has it where every row is used. Where rows are left out, or quantiles are asked for, another pass counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normball.blocks.long_table import LongTable
from normball.blocks.quantiles import QuantileSearch, bytes_of_a_search
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.blocks.surveyed_dates import DayCounts, SurveyedDates
from normball.inputs.columns import Floats
from normball.inputs.places import Places

if TYPE_CHECKING:
    import polars as pl

    from normball.blocks.encoding import RowReader

SHARE_OF_SEARCHES = 4  # of the memory, for quantiles that are looked for in the same pass

Content: TypeAlias = SurveyedNumbers | SurveyedLabels
Feature: TypeAlias = Content | SurveyedDates
Sought: TypeAlias = Mapping[str, tuple[float, ...]]  # for each column which quantiles beside its median


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
            self.join(TargetRows(len(y), y.min(axis=0), y.max(axis=0), (y > 0).sum(axis=0)))

    def join(self, later: TargetRows) -> None:
        """Take what was found in other rows."""
        self.n += later.n
        self.low, self.high = np.minimum(self.low, later.low), np.maximum(self.high, later.high)
        self.n_positive = self.n_positive + later.n_positive


class RowsPass:
    """One read of the rows that are used.

    Attributes
    ----------
    counts : {column: ndarray}
        How many rows hold each label, those without one first.
    n_missing, totals : {column: int or float}
        How many rows lack a number, and the sum of those of the others.
    days : {column: DayCounts}
        How many rows have each day.
    searches : {column: QuantileSearch}
        Quantiles that are looked for.
    target : TargetRows
    n_rows : int
        How many rows are used.
    has_weight : bool
        Whether some of them has a weight.
    fold_sizes : ndarray or None
        How many have each of what makes the folds.
    """

    def __init__(self, reader: RowReader, contents: Mapping[str, Feature], sought: Sought) -> None:
        self._reader = reader
        labels = {name: content for name, content in contents.items() if isinstance(content, SurveyedLabels)}
        self.counts = {name: np.zeros(len(content.values) + 1, np.intp) for name, content in labels.items()}
        self.days = {name: DayCounts() for name, content in contents.items() if isinstance(content, SurveyedDates)}
        self.n_missing = {name: 0 for name in contents if name not in labels and name not in self.days}
        self.totals = dict.fromkeys(self.n_missing, 0.0)
        self.searches = {name: QuantileSearch(shares) for name, shares in sought.items()}
        self.target, self.n_rows, self.has_weight = TargetRows(), 0, False
        self.fold_sizes = None if reader.folds is None else np.zeros(len(reader.folds), np.intp)

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows."""
        columns, y, weights, _ = self._reader.read(frame).kept()
        codes = self._reader.fold_numbers(columns)
        if codes is not None and self.fold_sizes is not None:
            self.fold_sizes += np.bincount(codes + 1, minlength=len(self.fold_sizes) + 1)[1:]
        for name, count in self.counts.items():
            count += np.bincount(columns[name] + 1, minlength=len(count))
        for name in self.n_missing:
            missing = np.isnan(columns[name])
            self.n_missing[name] += int(missing.sum())
            self.totals[name] += float(np.sum(columns[name], where=~missing))
        for name, days in self.days.items():
            days.add(columns[name])
        for name, search in self.searches.items():
            search.add(columns[name])
        self.target.add(y[weights > 0])
        self.n_rows += len(y)
        self.has_weight |= bool(weights.any())

    def join(self, later: RowsPass) -> None:
        """Take what was found in later rows."""
        for name, count in self.counts.items():
            count += later.counts[name]
        for name in self.n_missing:
            self.n_missing[name] += later.n_missing[name]
            self.totals[name] += later.totals[name]
        for name, days in self.days.items():
            days.join(later.days[name])
        for name, search in self.searches.items():
            search.join(later.searches[name])
        self.target.join(later.target)
        if self.fold_sizes is not None and later.fold_sizes is not None:
            self.fold_sizes += later.fold_sizes
        self.n_rows += later.n_rows
        self.has_weight |= later.has_weight


@dataclass
class SearchPass:
    """A further read, for quantiles that are not found yet."""

    reader: RowReader
    searches: dict[str, QuantileSearch]

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows."""
        columns, *_ = self.reader.read(frame).kept()
        for name, search in self.searches.items():
            search.add(columns[name])

    def join(self, later: SearchPass) -> None:
        """Take what was found in later rows."""
        for name, search in self.searches.items():
            search.join(later.searches[name])


@dataclass
class UsedRows:
    """Columns and target as the rows that are used have them, and how many of these have what makes the folds."""

    contents: dict[str, Feature]
    target: TargetRows
    n_rows: int
    has_weight: bool
    fold_sizes: NDArray[np.intp] | None = None


def learn_from_rows(
    table: LongTable,
    reader: RowReader,
    contents: Mapping[str, Feature],
    n_rows: int,
    sought: Sought,
    memory: int,
) -> UsedRows:
    """Count in the rows that are used, in as many passes as quantiles need under a limit of `memory` bytes."""
    wanted = list(sought)
    all_rows = max((len(contents[name]) for name in wanted), default=1)
    most = max((2 * len(shares) for shares in sought.values()), default=0)
    n_together = max(1, memory // SHARE_OF_SEARCHES // bytes_of_a_search(all_rows, most))
    first = {name: sought[name] for name in wanted[:n_together]}
    found = table.run(reader.roles.columns, n_rows, RowsPass(reader, contents, first))
    searches = found.searches
    while True:
        for search in searches.values():
            search.end_pass()
        still = {name: search for name, search in searches.items() if search.is_open}
        more = [name for name in wanted if name not in searches][: max(0, n_together - len(still))]
        still |= {name: QuantileSearch(sought[name]) for name in more}
        if not still:
            break
        searches |= table.run(reader.roles.columns, n_rows, SearchPass(reader, still)).searches
    learned = {name: _learned(name, content, found, searches.get(name)) for name, content in contents.items()}
    return UsedRows(learned, found.target, found.n_rows, found.has_weight, found.fold_sizes)


def _learned(name: str, content: Feature, found: RowsPass, search: QuantileSearch | None) -> Feature:
    """A column as the rows that are used have it."""
    median = None if search is None else search.median
    if isinstance(content, SurveyedLabels):
        counts = found.counts[name]
        return replace(content, n_rows=counts[1:], missing=Places(int(counts[0])), n=found.n_rows)
    if isinstance(content, SurveyedDates):
        days = found.days[name]
        return replace(content, counts=days, missing=Places(days.n_missing), n=found.n_rows, median=median)
    missing = found.n_missing[name]
    mean = found.totals[name] / (found.n_rows - missing) if missing < found.n_rows else None
    of_numbers: dict[str, Any] = {"missing": Places(missing), "n": found.n_rows, "median": median, "mean": mean}
    if search is not None and search.shares and search.median is not None:
        of_numbers |= {"n_distinct": search.n_distinct, "known_quantiles": search.quantiles}
    return replace(content, **of_numbers)
