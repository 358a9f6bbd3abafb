"""Dates that are written as text, and the order in time of anything."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.columns import Dates, Floats, Labels, Numbers, Unusable, is_missing, read_values
from normball.inputs.text import label_text
from normball.messages import DataError, Finding, sample

if TYPE_CHECKING:
    import polars as pl

    from normball.inputs.sources import Source

YEAR_OF_FOUR = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d. %m. %Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%d-%B-%Y", "%d. %B %Y", "%B %d, %Y"),
)
YEAR_OF_TWO = (
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%y/%m/%d",
    "%d-%m-%y",
    "%m-%d-%y",
    "%y-%m-%d",
    "%d-%b-%y",
    "%d %b %y",
)
TIMES = ("", " %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
FIRST = 20  # values on which formats are tried before all others
ZONE = r"(?:Z|[+-]\d\d(?::?\d\d)?)$"
ZONED = r":\d\d(?:[.,]\d+)? ?" + ZONE
WEEK = r"^(\d{4})[- ]?W(\d\d)$"
QUARTER = r"^(\d{4})[- /]?Q([1-4])$"
QUARTER_FIRST = r"^Q([1-4])[- /]?(\d{4})$"
MICROSECONDS_A_DAY = 86_400_000_000.0
COMPACT = "%Y%m%d"
FIX_DATES = "give dates, or text such as 2021-12-31"
FIX = "write dates as YYYY-MM-DD, with a time as YYYY-MM-DD HH:MM, or give numbers that grow with time"


def are_dates(values: Sequence[str]) -> bool:
    """Whether more than half of these texts are dates or times of day."""
    text = _normal(values)
    some = text.head(FIRST)
    return any(2 * moments.drop_nulls().len() > len(some) for _, moments in _readings(some)) and any(
        2 * moments.drop_nulls().len() > len(text) for _, moments in _readings(text)
    )


def have_years(values: Sequence[str]) -> bool:
    """Whether dates that are written as text name a day of a year."""
    some = _normal(values[:FIRST])
    return any(form.startswith("%") and 2 * moments.drop_nulls().len() > len(some) for form, moments in _readings(some))


def moments_of(values: Any, name: str = "time_order") -> NDArray[Any]:
    """Something that grows with time, for each of the values; text is taken for time only where it can mean one order.

    Raises
    ------
    DataError
        If the values are text that is no date, or dates whose order depends on how they are read.
    """
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        _refuse_day_first(array.astype(np.float64), name)
        return array
    column = read_values(values, name)
    if isinstance(column, Unusable):
        if column.is_date:
            return array
        raise DataError(Finding("E15", f"{name} holds {column.reason}; it must hold times.", FIX))
    if isinstance(column, Labels) and not column.ordered:
        column = column.as_numbers() or column.as_truth() or Labels(_codes_in_time(column, name), column.values)
    if isinstance(column, Numbers):
        _refuse_day_first(column.values, name)
        return column.values
    return np.where(column.missing, np.nan, column.codes)


def _codes_in_time(column: Labels, name: str) -> NDArray[np.int32]:
    """The rank in time of each row, -1 where it is missing."""
    values = [label_text(value) for value in column.values]
    orders: dict[bytes, tuple[str, NDArray[np.int32]]] = {}
    for form, moments in _whole_readings(_normal(values)):
        rank = np.unique(moments.to_physical().to_numpy(), return_inverse=True)[1].astype(np.int32)
        orders.setdefault(rank.tobytes(), (form, rank))
    if not orders:
        words = f"{name} holds text that does not tell its order in time: {sample(values, quote=True)}."
        raise DataError(Finding("E15", words, FIX))
    if len(orders) > 1:
        forms = " or ".join(form for form, _ in orders.values())
        words = f"{name} can be read in more than one order ({forms}): {sample(values, quote=True)}."
        raise DataError(Finding("E15", words, FIX))
    ((_, rank),) = orders.values()
    return np.append(rank, np.int32(-1))[column.codes]


def _whole_readings(text: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    """The ways to read all of these dates in words, and what comes out."""
    found = [form for form, moments in _readings(text.head(FIRST)) if not moments.null_count()]
    for form, moments in _readings(text, found) if found else ():
        if not moments.null_count():
            yield form, moments


def date_form(values: Sequence[str], name: str) -> str:
    """The form in which all of these texts are dates; a DataError where there is none, or more than one day."""
    in_digits = all(len(value) == len("YYYYMMDD") and value.isdecimal() for value in values)
    if in_digits and are_dates_in_digits(np.array(values, dtype=np.float64)):
        return COMPACT
    ways: dict[bytes, str] = {}
    for form, moments in _whole_readings(_normal(values)):
        if form.startswith("%"):
            ways.setdefault(moments.to_physical().to_numpy().tobytes(), form)
    if len(ways) > 1:
        words = (
            f'Column "{name}" (of dates) can be read in more than one way ({" or ".join(ways.values())}): '
            f"{sample(values, quote=True)}."
        )
        raise DataError(Finding("E15", words, "write dates as YYYY-MM-DD", (name,)))
    if ways:
        return next(iter(ways.values()))
    strange = sample(_unreadable(values), quote=True)
    words = f'Column "{name}" (of dates) holds text that is no date: {strange}.'
    raise DataError(Finding("E15", words, "write dates as YYYY-MM-DD, and leave the cell empty for none", (name,)))


def _unreadable(values: Sequence[str]) -> list[str]:
    """The texts that are no dates in the form in which most are."""
    with_digits = [value for value in values if any(map(str.isdigit, value))]
    forms = [form for form, _ in _readings(_normal(with_digits[:FIRST])) if form.startswith("%")]
    gaps = [np.isnan(days_in(with_digits, form)) for form in forms]
    fewest = min(gaps, key=np.sum, default=np.ones(len(with_digits), dtype=bool))
    wrong = {value for value, is_gap in zip(with_digits, fewest.tolist(), strict=True) if is_gap}
    return [value for value in values if value in wrong or value not in with_digits]


def days_in(values: Sequence[str], form: str) -> Floats:
    """Days since 1970-01-01 of texts in a form, NaN where one is no date in it."""
    text = _normal(values)
    if form == COMPACT:
        return as_days(_compact(text))
    days = np.full(len(values), np.nan)
    has_year = text.str.contains(r"\d{4}" if "%Y" in form else r"\d")
    zoned = text.str.contains(ZONED)
    for which in (has_year & zoned, has_year & ~zoned):  # one text must not decide how another one is read
        for _, moments in _readings(text.filter(which), [form]):
            days[which.to_numpy()] = as_days(moments)
    return days


def as_days(moments: pl.Series) -> Floats:
    """Days since 1970-01-01 of moments in microseconds, NaN where one is missing."""
    days = moments.to_physical().to_numpy().astype(np.float64) / MICROSECONDS_A_DAY
    return np.where(moments.is_null().to_numpy(), np.nan, days)


def _compact(text: pl.Series) -> pl.Series:
    return text.str.to_datetime(COMPACT, strict=False, time_unit="us")


def days_of(values: NDArray[Any]) -> Floats | None:
    """Days since 1970-01-01 of an array of dates, NaN where one is missing; None where it holds something else."""
    if values.dtype.kind == "O":
        items = values.tolist()
        if not all(is_missing(item) or isinstance(item, datetime.date) for item in items):
            return None
        values = np.array([None if is_missing(item) else _in_utc(item) for item in items], dtype="datetime64[us]")
    if values.dtype.kind != "M":
        return None
    moments = values.astype("datetime64[us]")
    days = moments.astype(np.int64) / MICROSECONDS_A_DAY
    return np.where(np.isnat(moments), np.nan, days)


def _in_utc(item: Any) -> Any:
    zone = getattr(item, "tzinfo", None)
    return item if zone is None else item.astimezone(datetime.UTC).replace(tzinfo=None)


def read_dates(source: Source, name: str, form: str | None = None) -> Dates:
    """A column of dates: of a type for them, text, or whole numbers written YYYYMMDD.

    `form` is that of text, if it is known already.
    """
    j = source.names.index(name)
    column = source.read(j)
    if isinstance(column, Numbers) and not column.missing.all():
        if not are_dates_in_digits(np.unique(column.values[~column.missing])):
            raise DataError(no_dates_in_digits(name, column.values.tolist()))
        column = replace(column, whole=True).as_labels()
    if isinstance(column, Labels):
        days, form = days_of_texts([label_text(value) for value in column.values], name, form)
        return Dates(np.append(days, np.nan)[column.codes], form)
    found = column.values if isinstance(column, Numbers) else days_of(source.raw(j)) if source.raw else None
    if found is None:
        assert isinstance(column, Unusable)
        raise DataError(without_years(name, column))
    return Dates(found)


def days_of_texts(values: Sequence[str], name: str, form: str | None = None) -> tuple[Floats, str]:
    """The days of different texts, and the form in which they are dates, where it is not known already."""
    form = date_form(values, name) if form is None else form
    days = days_in(values, form)
    if (wrong := np.flatnonzero(np.isnan(days))).size:
        strange = sample([values[k] for k in wrong.tolist()], quote=True)
        example = f"{datetime.datetime(2021, 12, 31, 10, 30):{form}}"
        text = f'Column "{name}" (of dates) holds text that is no date in the form {example}: {strange}.'
        raise DataError(Finding("E15", text, f"write them as {example}", (name,)))
    return days, form


def no_dates_in_digits(name: str, values: Sequence[float]) -> Finding:
    """E15 for whole numbers that are not written as dates are."""
    text = f'Column "{name}" (of dates) holds numbers that are no dates: {sample(values)}.'
    return Finding("E15", text, FIX_DATES, (name,))


def without_years(name: str, column: Unusable) -> Finding:
    """E15 for a column of something else."""
    text = f'Column "{name}" (of dates) holds {column.reason}, but no dates with a year.'
    return Finding("E15", text, FIX_DATES, (name,))


def _normal(values: Sequence[str]) -> pl.Series:
    """Dates and times in the few forms that are tried, whatever stands between them."""
    import polars as pl

    text = pl.Series(values, dtype=pl.String).str.strip_chars()
    text = text.str.replace(r"(\d)(?:T|, ?|  +)(\d{1,2}:)", "$1 $2")
    text = text.str.replace(r"^(\d{4})([-/.])(\d{1,2})$", "$1$2$3${2}1").str.replace(
        r"^(\d{1,2})([-/.])(\d{4})$", "1$2$1$2$3"
    )
    return text.str.replace(r"^([^\W\d_]{3,9})[ -](\d{4})$", "1 $1 $2")


def _readings(text: pl.Series, forms: Sequence[str] = ()) -> Iterator[tuple[str, pl.Series]]:
    """Ways to read dates in words, and what comes out: null where that is no date."""
    import polars as pl

    if not text.str.contains(r"\d").all():
        return
    parts = {"ISO week": (WEEK, 1, 2), "quarter": (QUARTER, 1, 2), "quarter first": (QUARTER_FIRST, 2, 1)}
    for form, (pattern, year, part) in parts.items():
        if not forms or form in forms:
            both = [text.str.extract(pattern, group).cast(pl.Int64) for group in (year, part)]
            yield form, both[0] * 100 + both[1]
    if not forms or "time of day" in forms:
        yield "time of day", text.str.replace(r"^(\d{1,2}:\d\d)$", "$1:00").str.to_time("%H:%M:%S", strict=False)
    zoned = bool(text.str.contains(ZONED).all())
    if zoned:
        text = text.str.replace("Z$", "+00:00").str.replace(r" ?([+-]\d\d)(?::?(\d\d))?$", "$1:${2}00")
        text = text.str.replace(r"([+-]\d\d:\d\d)00$", "$1")
    years = YEAR_OF_FOUR if text.str.contains(r"\d{4}").all() else YEAR_OF_TWO
    for date, time in product(years, TIMES):
        form = f"{date}{time}"
        if (forms and form not in forms) or (zoned and not time):
            continue
        yield form, text.str.to_datetime(f"{form}%z" if zoned else form, strict=False, time_unit="us")


def are_dates_in_digits(values: NDArray[np.float64], form: str = "%Y%m%d") -> bool:
    """Whether these different whole numbers are all dates such as 20201231, a few of which are looked at."""
    import polars as pl

    if not len(values) or values.min() < 1_01_1900 or values.max() > 31_12_2100:
        return False
    some = values[: FIRST * FIRST]
    dates = pl.Series([f"{int(value):08d}" for value in some]).str.to_date(form, strict=False)
    return not dates.null_count() and bool(dates.dt.year().is_between(1900, 2100).all())


def _refuse_day_first(values: NDArray[np.float64], name: str) -> None:
    """Whole numbers such as 31122020 grow with the day, not with time."""
    present = np.unique(values[np.isfinite(values)])
    if (present % 1 != 0).any() or are_dates_in_digits(present):
        return
    for form, written in (("%d%m%Y", "DDMMYYYY"), ("%m%d%Y", "MMDDYYYY")):
        if are_dates_in_digits(present, form):
            words = (
                f"{name} looks like dates written {written} ({sample([int(value) for value in present])}), "
                "which do not grow with time."
            )
            raise DataError(Finding("E15", words, FIX))
