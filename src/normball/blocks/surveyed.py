"""Columns that were seen part by part: what the rules about a column ask of it, without its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normball.inputs.column_findings import LARGEST, MANY_ROWS, SMALLEST, examine_whole
from normball.inputs.columns import Floats, Mask, codes_of
from normball.inputs.dates import are_dates_in_digits
from normball.inputs.places import Places
from normball.inputs.text import TRUTH, label_key, to_numbers
from normball.messages import Finding

MOST_DISTINCT = 100_000  # whole numbers that are told apart; of more it is known whether they rise from row to row

Locate: TypeAlias = Callable[[Mapping[Any, int], Mask], Places]


@dataclass
class SurveyedNumbers:
    """A numeric column.

    Attributes
    ----------
    n : int
        How many values were seen.
    whole, is_whole : bool
        Whether they are stored as integers, and whether the finite ones are.
    missing, infinite, negative, too_large, not_zero : Places
        Where they are so; `not_zero` as long as none is larger than SMALLEST.
    low, high, total : float
        The smallest and the largest finite value, and their sum.
    n_zeros : int
        How many are zero.
    distinct : ndarray or None
        The finite values in order, where they are whole or were asked for and not too many.
    times : ndarray of int
        How often each of them occurs.
    rises : bool
        Whether each is larger than the one before.
    median, mean : float or None
        Filled in by the pass that learns them.
    n_distinct : int
        How many different values there are, where quantiles were asked for.
    known_quantiles : ndarray or None
        These, where they were asked for.
    """

    wants_distinct: bool = False
    n: int = 0
    whole: bool = True
    is_whole: bool = True
    missing: Places = field(default_factory=Places)
    infinite: Places = field(default_factory=Places)
    negative: Places = field(default_factory=Places)
    too_large: Places = field(default_factory=Places)
    not_zero: Places = field(default_factory=Places)
    low: float = np.inf
    high: float = -np.inf
    total: float = 0.0
    n_zeros: int = 0
    distinct: Floats | None = field(default_factory=lambda: np.zeros(0))
    times: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    rises: bool = True
    median: float | None = None
    mean: float | None = None
    n_distinct: int = 0
    known_quantiles: Floats | None = None

    def quantiles(self, shares: Floats) -> Floats:
        """The quantiles that were asked for."""
        assert self.known_quantiles is not None
        assert len(self.known_quantiles) == len(shares)
        return self.known_quantiles

    def __len__(self) -> int:
        return self.n

    @property
    def n_missing(self) -> int:
        """How many values are missing."""
        return self.missing.n

    @property
    def n_finite(self) -> int:
        """How many are neither missing nor infinite."""
        return self.n - self.missing.n - self.infinite.n

    @property
    def beyond(self) -> Places:
        """Where squares overflow; all that are not zero, where they vanish."""
        largest = max(self.high, -self.low)
        return self.not_zero if 0.0 < largest < SMALLEST else self.too_large

    def add(self, values: Floats, whole: bool, first_row: int) -> None:
        """Take the next values, the first of which is that of `first_row`."""
        self.n += len(values)
        self.whole &= whole
        missing = np.isnan(values)
        self.missing = Places.union((self.missing, Places.of(missing, first_row)))
        finite, present = values, np.isfinite(values)
        if not present.all():
            finite = values[present]
            self.infinite = Places.union((self.infinite, Places.of(~present & ~missing, first_row)))
        if not len(finite):
            return
        low, high = float(finite.min()), float(finite.max())
        self._add_places(values, low, high, first_row)
        self.is_whole = self.is_whole and bool((finite[:MANY_ROWS] % 1 == 0).all() and (finite % 1 == 0).all())
        self.rises = self.rises and low > self.high and bool((np.diff(finite) > 0).all())
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.total += float(finite.sum())
        self.n_zeros += int(np.count_nonzero(finite == 0.0))
        self._count_distinct(finite)

    def join(self, later: SurveyedNumbers) -> None:
        """Take what was found in later rows."""
        self.n += later.n
        self.whole &= later.whole
        self.is_whole &= later.is_whole
        self.rises = self.rises and later.rises and later.low > self.high
        for kind in ("missing", "infinite", "negative", "too_large", "not_zero"):
            setattr(self, kind, Places.union((getattr(self, kind), getattr(later, kind))))
        self.low, self.high = min(self.low, later.low), max(self.high, later.high)
        self.total += later.total
        self.n_zeros += later.n_zeros
        if later.distinct is None:
            self.distinct = None
        else:
            self._count_distinct(later.distinct, later.times)

    def _count_distinct(self, values: Floats, times: NDArray[np.intp] | None = None) -> None:
        if not (self.is_whole or self.wants_distinct) or self.distinct is None:
            self.distinct = None
            return
        every = np.concatenate([self.distinct, values])
        counted = np.concatenate([self.times, np.ones(len(values), np.intp) if times is None else times])
        found, where = np.unique(every, return_inverse=True)
        self.distinct = found if len(found) <= MOST_DISTINCT else None
        self.times = np.bincount(where, counted).astype(np.intp)

    def _add_places(self, values: Floats, low: float, high: float, first_row: int) -> None:
        largest = max(high, -low)
        with np.errstate(invalid="ignore"):
            if low < 0.0:
                self.negative = Places.union((self.negative, Places.of(values < 0.0, first_row)))
            size = np.abs(values)
            if largest > LARGEST:
                found = np.isfinite(size) & (size > LARGEST)
                self.too_large = Places.union((self.too_large, Places.of(found, first_row)))
            if largest < SMALLEST:
                self.not_zero = Places.union((self.not_zero, Places.of(np.isfinite(size) & (size > 0.0), first_row)))

    def as_labels(self) -> SurveyedLabels | None:
        """The same column with each distinct number as a label; None where there are too many."""
        if self.distinct is None:
            return None
        labels = self.distinct.astype(np.int64) if self.whole else self.distinct
        values = tuple(labels.tolist())
        codes = {value: code for code, value in enumerate(values)}
        met = np.arange(len(values))
        return SurveyedLabels(codes, values, True, False, self.times, self.missing, self.n, met, lambda *_: Places())

    def findings(self, name: str) -> list[Finding]:
        """W13 and W14, as `examine_numbers` has them."""
        if self.n_finite < MANY_ROWS or not self.is_whole:
            return []
        if self.distinct is None:
            n_distinct = self.n if self.rises else MOST_DISTINCT
            return examine_whole(name, self.low, self.high, n_distinct, False, self.n)
        are_dates = are_dates_in_digits(self.distinct)
        return examine_whole(name, self.low, self.high, len(self.distinct), are_dates, self.n)


@dataclass
class SurveyedLabels:
    """A column of labels.

    Attributes
    ----------
    codes : {item: int}
        What stands in the table, missing values aside, and which of the `values` that is.
    values, declared, ordered
        As in `Labels`.
    n_rows : ndarray of int
        How many rows hold each of the values.
    missing : Places
        Rows that hold none.
    n : int
        How many rows there are.
    met : ndarray of int
        The values in the order in which they are met.
    locate : callable
        Finds rows that hold some of the values, in a further pass.
    """

    codes: Mapping[Any, int]
    values: tuple[Any, ...]
    declared: bool
    ordered: bool
    n_rows: NDArray[np.intp]
    missing: Places
    n: int
    met: NDArray[np.intp]
    locate: Locate

    def __len__(self) -> int:
        return self.n

    @property
    def n_missing(self) -> int:
        """How many rows hold none."""
        return self.missing.n

    def places_of(self, which: Mask) -> Places:
        """The rows that hold one of these labels."""
        return self.locate(self.codes, which)

    def meant(self) -> Floats:
        """The number that each label is the text of, NaN where it is none."""
        return to_numbers(self.values)

    def truth(self) -> Floats:
        """1 and 0 for labels that are truth values, NaN for others."""
        return np.array([TRUTH.get(label_key(value), np.nan) for value in self.values])

    def as_numbers(self) -> SurveyedNumbers | None:
        """The same column as numbers, where every label is the text of one."""
        numbers = self.meant()
        if np.isnan(numbers).any():
            return None
        return numbers_from(numbers, self.n_rows, self.missing, self.n, self.places_of)


def numbers_from(
    values: Floats, n_rows: NDArray[np.intp], missing: Places, n: int, places_of: Callable[[Mask], Places]
) -> SurveyedNumbers:
    """A column in which these numbers occur so often."""
    found = SurveyedNumbers(wants_distinct=True)
    found.add(values, False, 0)
    finite = np.isfinite(values)
    found.n, found.missing, found.rises = n, missing, False
    found.total = float(n_rows[finite] @ values[finite])
    found.n_zeros = int(n_rows[values == 0.0].sum())
    found.distinct, found.times = np.zeros(0), np.zeros(0, np.intp)
    found._count_distinct(values[finite], n_rows[finite])
    masks = {
        "infinite": np.isinf(values),
        "negative": values < 0.0,
        "too_large": finite & (np.abs(values) > LARGEST),
        "not_zero": finite & (values != 0.0),
    }
    for kind, mask in masks.items():
        if getattr(found, kind):
            setattr(found, kind, places_of(mask))
    return found


def labels_from(
    counts: Mapping[Any, int], declared: bool, order: Sequence[Any], missing: Places, n: int, locate: Locate
) -> SurveyedLabels | SurveyedNumbers:
    """A column in which items occur so often, in the order in which they are met; numbers if there is nothing at all.

    `locate` finds the rows of items with some codes.
    """
    codes, values = codes_of(counts, order)
    if not values:
        return SurveyedNumbers(n=n, missing=missing)
    n_rows = np.zeros(len(values), dtype=np.intp)
    for item, code in codes.items():
        n_rows[code] += counts[item]
    met = np.array(list(dict.fromkeys(codes[item] for item in counts if item in codes)), dtype=np.intp)
    return SurveyedLabels(codes, values, declared, len(order) > 0, n_rows, missing, n, met, locate)
