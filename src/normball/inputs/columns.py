"""One column as numbers or labels, whatever holds it: an array, a list, a series of any frame library."""

from __future__ import annotations

import datetime
import decimal
import math
import numbers
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normball.inputs.places import Places
from normball.inputs.text import TRUTH, label_key, labels_of, to_numbers
from normball.messages import OR, DataError, Finding, sample

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]


class AnyNumbers(Protocol):
    """What the rules ask of a numeric column, whether all of its numbers are at hand or not."""

    @property
    def whole(self) -> bool:
        """Whether it is stored as integers."""

    @property
    def n_missing(self) -> int:
        """How many values are missing."""

    @property
    def median(self) -> float | None:
        """The median of those that are not; None where all are."""

    @property
    def mean(self) -> float | None:
        """Their mean; None where there are none."""

    @property
    def n_distinct(self) -> int:
        """How many different ones there are, as far as that was asked for."""

    def quantiles(self, shares: Floats) -> Floats:
        """Their quantiles, as far as these were asked for."""


class AnyLabels(Protocol):
    """The same of a column of labels."""

    @property
    def values(self) -> tuple[Any, ...]:
        """The labels."""

    @property
    def declared(self) -> bool:
        """Whether its type says that it is no number."""

    @property
    def n_rows(self) -> NDArray[np.intp]:
        """How many rows hold each label."""

    @property
    def n_missing(self) -> int:
        """How many rows hold none."""

    @property
    def met(self) -> NDArray[np.intp]:
        """The labels, by their places in `values`, in the order in which they are met."""

    def __len__(self) -> int: ...

    def places_of(self, which: Mask) -> Places:
        """The rows that hold one of these labels."""


@dataclass(frozen=True)
class Numbers:
    """A numeric column; NaN is a missing value."""

    values: Floats
    whole: bool = False  # stored as integers

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> Mask:
        """Which values are missing."""
        return np.isnan(self.values)

    @property
    def n_missing(self) -> int:
        """How many values are missing."""
        return int(self.missing.sum())

    @property
    def median(self) -> float | None:
        """The median of those that are not; None where all are."""
        present = self.values[~self.missing]
        return float(np.median(present)) if len(present) else None

    @property
    def mean(self) -> float | None:
        """Their mean; None where there are none."""
        present = self.values[~self.missing]
        return float(present.mean()) if len(present) else None

    @property
    def n_distinct(self) -> int:
        """How many different finite values there are."""
        return int(np.unique(self.values[np.isfinite(self.values)]).size)

    def quantiles(self, shares: Floats) -> Floats:
        """Quantiles of the finite values."""
        return np.asarray(np.quantile(self.values[np.isfinite(self.values)], shares))

    def take(self, rows: NDArray[np.intp]) -> Numbers:
        """The column with these rows only."""
        return Numbers(self.values[rows], self.whole)

    def with_infinite_as_missing(self) -> Numbers:
        """The column with NaN where a number is infinite."""
        return Numbers(np.where(np.isinf(self.values), np.nan, self.values), self.whole)

    def as_labels(self) -> Labels:
        """The same column with each distinct number as a label."""
        found, codes = np.unique(self.values, return_inverse=True)
        found = found[~np.isnan(found)]
        labels = found.astype(np.int64) if self.whole else found
        return Labels(np.where(self.missing, -1, codes).astype(np.int32), tuple(labels.tolist()), declared=True)


@dataclass(frozen=True)
class Labels:
    """A column of text, truth values or categories: `values[codes]`; code -1 is a missing value."""

    codes: NDArray[np.int32]
    values: tuple[Any, ...]
    declared: bool = False  # a categorical or truth value: its type says that it is no number
    ordered: bool = False  # its type says in which order the values are

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def missing(self) -> Mask:
        """Which values are missing."""
        return self.codes < 0

    @property
    def n_missing(self) -> int:
        """How many values are missing."""
        return int(self.missing.sum())

    @property
    def n_rows(self) -> NDArray[np.intp]:
        """How many rows hold each label."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    @property
    def met(self) -> NDArray[np.intp]:
        """The labels, by their places in `values`, in the order in which they are met."""
        found, first = np.unique(self.codes, return_index=True)
        ordered = found[np.argsort(first)]
        return np.asarray(ordered[ordered >= 0], dtype=np.intp)

    def places_of(self, which: Mask) -> Places:
        """The rows that hold one of these labels."""
        return Places.of(np.append(which, False)[self.codes])

    def take(self, rows: NDArray[np.intp]) -> Labels:
        """The column with these rows only."""
        return replace(self, codes=self.codes[rows])

    def as_numbers(self) -> Numbers | None:
        """The same column as numbers, where every label is the text of one."""
        return self._with(to_numbers(self.values))

    def as_truth(self) -> Numbers | None:
        """The same column as 1 and 0, where every label is a truth value."""
        return self._with(np.array([TRUTH.get(label_key(value), np.nan) for value in self.values]))

    def _with(self, values: Floats) -> Numbers | None:
        if np.isnan(values).any():
            return None
        return Numbers(np.append(values, np.nan)[self.codes])  # code -1, a missing value, finds the NaN


@dataclass(frozen=True)
class Dates:
    """A column of dates, or of dates and times; in UTC where they have a time zone."""

    days: Floats  # since 1970-01-01, NaN where one is missing
    form: str | None = None  # of text, as `strptime` takes it

    def __len__(self) -> int:
        return len(self.days)

    @property
    def missing(self) -> Mask:
        """Which are missing."""
        return np.isnan(self.days)

    @property
    def n_missing(self) -> int:
        """How many are missing."""
        return int(self.missing.sum())

    def take(self, rows: NDArray[np.intp]) -> Dates:
        """The column with these rows only."""
        return replace(self, days=self.days[rows])


@dataclass(frozen=True)
class Unusable:
    """A column that is neither numbers nor labels."""

    reason: str
    is_date: bool = False
    has_years: bool = False  # these are dates, not times of day or durations alone


Content: TypeAlias = Numbers | Labels | Unusable


@dataclass(frozen=True)
class Several:
    """The columns of a target with several outputs."""

    columns: Mapping[str, Content]
    named: bool  # whether the names are those of columns, or say where in an array they are

    def with_infinite_as_missing(self) -> Several:
        """The columns with NaN where a number is infinite."""
        return replace(self, columns={name: _without_infinite(column) for name, column in self.columns.items()})


def _without_infinite(column: Content) -> Content:
    return column.with_infinite_as_missing() if isinstance(column, Numbers) else column


def read_values(values: Any, name: str) -> Numbers | Labels | Unusable:
    """Read a one-dimensional array, list or series; what was read already is passed through."""
    if isinstance(values, Numbers | Labels | Unusable):
        return values
    if isinstance(values, Mapping):
        raise DataError(Finding("E14", f"{name} is a dict, but must hold one value for each row of X."))
    if not isinstance(values, np.ndarray | list | tuple):
        import narwhals as nw

        if nw.dependencies.is_into_series(values):
            return read_series(nw.from_native(values, series_only=True))
        if nw.dependencies.is_into_dataframe(values):
            values = nw.from_native(values, eager_only=True).to_numpy()
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    array = np.asarray(values)
    if array.dtype.kind in "US":
        array = np.array(values, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        together = 'family="multigaussian", one model of all columns'
        fix = f"{together}{OR}fit_paths(X, y), a path for each column" if array.ndim == 2 and name == "y" else ""
        raise DataError(Finding("E14", f"{name} must have 1 dimension; its shape is {array.shape}.", fix))
    return read_array(array)


def read_series(series: Any) -> Numbers | Labels | Unusable:
    """Read one column of a frame."""
    import narwhals as nw

    dtype = series.dtype
    if dtype.is_numeric():
        return Numbers(np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64), dtype.is_integer())
    if dtype == nw.Enum:
        return _labels(series.to_list(), order=dtype.categories, declared=True)
    if dtype in (nw.Boolean, nw.Categorical):
        return _labels(series.to_list(), declared=True)
    if dtype == nw.String:
        return _labels(series.to_list())
    if dtype.is_temporal():
        return Unusable("dates or times", is_date=True, has_years=dtype in (nw.Date, nw.Datetime))
    if dtype.is_nested() or dtype == nw.Binary:
        return Unusable(f"values of type {dtype}")
    return read_array(np.asarray(series.to_native()))


def read_array(array: NDArray[Any]) -> Numbers | Labels | Unusable:
    """Read one column of an array."""
    kind = array.dtype.kind
    if kind in "fiu":
        return Numbers(np.asarray(array, dtype=np.float64), kind != "f")
    if kind == "b":
        return _labels(array.tolist(), declared=True)
    if kind in "mM":
        return Unusable("dates or times", is_date=True, has_years=kind == "M")
    if kind != "O":
        return Unusable("complex numbers" if kind == "c" else f"values of type {array.dtype}")
    return _read_objects(array.tolist())


def _read_objects(items: list[Any]) -> Numbers | Labels | Unusable:
    present = [item for item in items if not is_missing(item)]
    if all(isinstance(item, bool | np.bool_) for item in present) and present:
        return _labels(items, declared=True)
    if all(isinstance(item, numbers.Real | decimal.Decimal) for item in present):
        values = [np.nan if is_missing(item) else _float(item) for item in items]
        return Numbers(np.array(values), all(isinstance(item, numbers.Integral) for item in present))
    if any(isinstance(item, datetime.date | datetime.time | datetime.timedelta) for item in present):
        has_years = all(isinstance(item, datetime.date) for item in present)
        return Unusable("dates or times", is_date=True, has_years=has_years)
    odd = [item for item in present if not isinstance(item, str | numbers.Real | np.bool_ | decimal.Decimal)]
    if odd:
        return Unusable(f"values of type {sample(sorted({type(item).__name__ for item in odd}))}")
    return _labels(items)


def _float(item: Any) -> float:
    try:
        return float(item)
    except OverflowError:  # a whole number beyond every float
        return math.inf if item > 0 else -math.inf


def is_missing(item: Any) -> bool:
    """Whether something stands for a missing value, of whatever library."""
    return (
        item is None
        or type(item).__name__ in ("NAType", "NaTType")
        or (isinstance(item, numbers.Real) and item != item)
    )


def _labels(items: list[Any], order: Sequence[Any] = (), declared: bool = False) -> Numbers | Labels:
    """Labels in the given order or sorted, only those that occur; numbers if there is nothing at all."""
    counts = Counter(items)
    codes, values = codes_of(counts, order)
    if not values:
        return Numbers(np.full(len(items), np.nan))
    of_item = {item: codes.get(item, -1) for item in counts}
    found = np.fromiter(map(of_item.__getitem__, items), dtype=np.int32, count=len(items))
    return Labels(found, values, declared, ordered=len(order) > 0)


def missing_in(values: NDArray[Any]) -> Mask:
    """Where an array of whatever it holds has missing values."""
    kind = values.dtype.kind
    if kind in "fmM":
        return np.asarray(values != values)
    return np.array([is_missing(value) for value in values] if kind == "O" else np.zeros(len(values)), dtype=bool)


def codes_of(counts: Mapping[Any, int], order: Sequence[Any] = ()) -> tuple[dict[Any, int], tuple[Any, ...]]:
    """For values that occur so often, in the order in which they are met: the code of each and the labels by code."""
    keys, spelling = labels_of({item: n for item, n in counts.items() if not is_missing(item)})
    ordered = [key for key in dict.fromkeys(keys.get(item) for item in order) if key] or list(_sorted(spelling))
    place = {key: code for code, key in enumerate(ordered)}
    return {item: place[key] for item, key in keys.items()}, tuple(spelling[key] for key in ordered)


def _sorted(spelling: Mapping[str, Any]) -> Iterable[str]:
    """The keys in the order of their values."""
    try:
        return sorted(spelling, key=lambda key: spelling[key])
    except TypeError:  # text and numbers mixed
        return sorted(spelling, key=lambda key: str(spelling[key]))
