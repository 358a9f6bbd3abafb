"""A column of dates that was seen part by part: how many rows have each day, and what its term learns of that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normball.blocks.readers import ItemReader, Reader
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.inputs.columns import Dates, Floats, Labels, Unusable
from normball.inputs.dates import are_dates_in_digits, days_of_texts, no_dates_in_digits, without_years
from normball.inputs.places import Places
from normball.inputs.terms.dates import DateTerm
from normball.inputs.terms.plan import Plan
from normball.inputs.text import label_text
from normball.messages import DataError

if TYPE_CHECKING:
    from normball.blocks.survey import Survey


@dataclass
class DayCounts:
    """How many rows have each day.

    Attributes
    ----------
    days : ndarray
        Whole days since 1970-01-01, in order.
    times : ndarray of int
        How many rows have each of them.
    n_missing : int
        How many rows have none.
    total : float
        The sum of all moments, in days.
    """

    days: Floats = field(default_factory=lambda: np.zeros(0))
    times: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    n_missing: int = 0
    total: float = 0.0

    def add(self, moments: Floats) -> None:
        """Take the next rows."""
        known = moments[~np.isnan(moments)]
        days, times = np.unique(np.floor(known), return_counts=True)
        self.join(DayCounts(days, times, len(moments) - len(known), float(known.sum())))

    def join(self, later: DayCounts) -> None:
        """Take what was found in other rows."""
        self.days, where = np.unique(np.concatenate([self.days, later.days]), return_inverse=True)
        self.times = np.bincount(where, np.concatenate([self.times, later.times])).astype(np.intp)
        self.n_missing += later.n_missing
        self.total += later.total


@dataclass
class SurveyedDates:
    """A column of dates.

    Attributes
    ----------
    counts : DayCounts
        Of the rows that were seen.
    missing : Places
        Rows that have none.
    n : int
        How many rows there are.
    form : str or None
        Of text; see `Dates`.
    median : float or None
        Of the moments, in days since 1970-01-01; filled in by the pass that learns it.
    """

    counts: DayCounts
    missing: Places
    n: int
    form: str | None = None
    median: float | None = None

    def __len__(self) -> int:
        return self.n

    @property
    def n_missing(self) -> int:
        """How many rows have none."""
        return self.missing.n

    def learned(self, name: str, plan: Plan) -> DateTerm:
        """What `DateTerm.learn` makes of such a column in memory."""
        days = self.counts.days
        empty = DateTerm.of_first(name, days[0] if days.size else 0.0, self.form)
        columns: dict[str, SurveyedNumbers | SurveyedLabels] = {}
        for key, column in empty.columns(Dates(days)).items():
            if isinstance(column, Labels):
                columns[key] = self._labels(column)
            elif key == f"{name} days":
                columns[key] = self._moments(empty.start)
            else:
                columns[key] = self._numbers(column.values)
        return empty.learned(columns, plan)

    def _labels(self, column: Labels) -> SurveyedLabels:
        n_rows = np.bincount(column.codes, self.counts.times, minlength=len(column.values)).astype(np.intp)
        met = np.arange(len(column.values))
        return SurveyedLabels({}, column.values, True, True, n_rows, Places(), self.n, met, lambda *_: Places())

    def _moments(self, start: int) -> SurveyedNumbers:
        median = None if self.median is None else self.median - start
        n_known = int(self.counts.times.sum())
        mean = self.counts.total / n_known - start if n_known else None
        return SurveyedNumbers(n=self.n, missing=self.missing, median=median, mean=mean)

    def _numbers(self, values: Floats) -> SurveyedNumbers:
        """Numbers of the days, which occur as often as these."""
        found, where = np.unique(values, return_inverse=True)
        times = np.bincount(where, self.counts.times).astype(np.intp)
        median, mean = None, None
        if n_known := int(times.sum()):
            middle = np.searchsorted(np.cumsum(times), [(n_known - 1) // 2, n_known // 2], side="right")
            median, mean = float(np.mean(found[middle])), float(times @ found / n_known)
        return SurveyedNumbers(n=self.n, missing=self.missing, median=median, mean=mean, n_distinct=len(found))


def dates_of_labels(
    name: str, content: SurveyedLabels, reader: ItemReader, form: str | None = None
) -> tuple[SurveyedDates, ItemReader]:
    """The dates that labels are, in a form that may be known already, and their reader.

    Raises
    ------
    DataError
        Where they are no dates, or dates in more than one way.
    """
    if isinstance(content.values[0], str | bool):
        texts = [label_text(value) for value in content.values]
    else:
        numbers = np.array(content.values, dtype=np.float64)
        if not are_dates_in_digits(np.unique(numbers)):
            raise DataError(no_dates_in_digits(name, numbers.tolist()))
        texts = [str(int(number)) for number in numbers]
    moments, form = days_of_texts(texts, name, form)
    days, where = np.unique(np.floor(moments), return_inverse=True)
    times = np.bincount(where, content.n_rows).astype(np.intp)
    counts = DayCounts(days, times, content.missing.n, float(content.n_rows @ moments))
    meant = np.append(moments, np.nan).tolist()
    translation = {item: meant[int(code)] for item, code in reader.translation.items()}
    dates = SurveyedDates(counts, content.missing, content.n, form)
    return dates, replace(reader, translation=translation, missing=np.nan, dtype=np.float64)


def dates_of(name: str, found: Survey, form: str | None = None) -> tuple[SurveyedDates, Reader]:
    """The dates of a column that was surveyed as one of these, and how they are read; raises where it holds others."""
    content, reader = found.contents[name], found.readers.get(name)
    if name in found.dates:
        assert reader is not None
        return found.dates[name], reader
    if isinstance(content, Unusable):
        raise DataError(without_years(name, content))
    assert reader is not None
    if isinstance(content, SurveyedLabels):
        assert isinstance(reader, ItemReader)
        return dates_of_labels(name, content, reader, form)
    return SurveyedDates(DayCounts(n_missing=len(content)), content.missing, len(content)), reader  # gaps alone
