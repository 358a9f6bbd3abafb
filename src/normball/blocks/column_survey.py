"""One column in the first pass over a long table: numbers, labels, or the text of a file, which may be either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from normball.blocks.long_table import CATEGORIES, DATES, NUMBERS, TEXT, TRUTH, LongTable, kind_of
from normball.blocks.readers import DateReader, ItemReader, NumberReader, Reader, TextNumberReader, as_items
from normball.blocks.surveyed import Locate, SurveyedLabels, SurveyedNumbers, labels_from, numbers_from
from normball.blocks.surveyed_dates import DayCounts, SurveyedDates
from normball.inputs.columns import Floats, Mask, Unusable
from normball.inputs.places import Places
from normball.inputs.reading import TextFormat
from normball.inputs.tables import about_cells
from normball.inputs.text import MISSING_WORDS, Cells, read_cells, read_columns, to_numbers
from normball.messages import DataError, Finding, count, words

if TYPE_CHECKING:
    import polars as pl

FEW_TEXTS = 1000  # are kept of a column of text that may yet be numbers
FEW_ROWS = 2000  # are counted faster one by one
MOST_LEVELS = 1_000_000  # labels that are counted


@dataclass(frozen=True)
class Settled:
    """What a column holds, how it is read, and what there is to say about its text."""

    content: SurveyedNumbers | SurveyedLabels | Unusable
    reader: Reader | None = None
    matched: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    dates: SurveyedDates | None = None


class ColumnSurvey(Protocol):
    """Gathers what a column holds."""

    def add(self, series: pl.Series, first_row: int) -> Mask:
        """Take the next part, the first row of which is `first_row`; returns which values are missing."""

    def join(self, later: Any) -> None:
        """Take what another survey of this column found in later rows."""

    def again(self) -> ColumnSurvey | None:
        """The survey of a further pass, where one is needed."""

    def settled(self, locate: Locate) -> Settled:
        """What was found; `locate` finds rows of labels."""


def column_survey(
    name: str, table: LongTable, *, as_labels: bool, as_dates: bool, wants_distinct: bool, inf_is_missing: bool
) -> ColumnSurvey:
    """The survey of a column, by its type."""
    import polars as pl

    dtype = table.schema[name]
    kind = kind_of(dtype)
    form = table.form or TextFormat()
    if kind in (NUMBERS, ""):
        numbers = NumberColumn(form, wants_distinct, inf_is_missing)
        return LabelledNumbers(name, numbers) if as_labels or as_dates else numbers
    if kind == TEXT and table.form is not None and name not in table.kept_as_text:
        return TextColumn(name, form, wants_distinct, inf_is_missing)
    if as_dates and isinstance(dtype, pl.Date | pl.Datetime):
        return DateColumn()
    if kind == DATES and as_labels:
        return LabelColumn(name, True)
    if kind in (TRUTH, CATEGORIES, TEXT):
        order = dtype.categories.to_list() if isinstance(dtype, pl.Enum) else ()
        return LabelColumn(name, kind != TEXT, order, form.na)
    return OddColumn(Unusable(DATES if kind == DATES else kind, is_date=kind == DATES))


class OddColumn:
    """A column that is neither numbers nor labels."""

    def __init__(self, content: Unusable) -> None:
        self._content = content

    def add(self, series: pl.Series, first_row: int) -> Mask:
        """No value counts as missing."""
        return np.zeros(len(series), dtype=bool)

    def join(self, later: OddColumn) -> None:
        """There is nothing to take."""

    def again(self) -> None:
        """Nothing is left open."""

    def settled(self, locate: Locate) -> Settled:
        """What it is."""
        return Settled(self._content)


class NumberColumn:
    """Numbers that are stored as such."""

    def __init__(self, form: TextFormat, wants_distinct: bool, inf_is_missing: bool) -> None:
        self._words = dict(zip(form.na, to_numbers(form.na, form).tolist(), strict=True))
        self._matched: set[str] = set()
        self.reader = NumberReader(inf_is_missing, tuple(value for value in self._words.values() if value == value))
        self.found = SurveyedNumbers(wants_distinct=wants_distinct)

    def values(self, series: pl.Series) -> Floats:
        """The numbers of a part; the words for missing ones that were met are remembered."""
        self._matched |= {word for word, value in self._words.items() if value == value and (series == value).any()}
        return self.reader.read(series)

    def add(self, series: pl.Series, first_row: int) -> Mask:
        """Take the next part; returns which values are missing."""
        values = self.values(series)
        self.found.add(values, series.dtype.is_integer(), first_row)
        return np.isnan(values)

    def join(self, later: NumberColumn) -> None:
        """Take what was found in later rows."""
        self._matched |= later._matched
        self.found.join(later.found)

    def again(self) -> None:
        """Nothing is left open."""

    def settled(self, locate: Locate) -> Settled:
        """The numbers."""
        return Settled(self.found, self.reader, frozenset(self._matched))


class DateColumn:
    """Dates of a type for them."""

    def __init__(self) -> None:
        self._reader, self._counts, self._missing = DateReader(), DayCounts(), Places()

    def add(self, series: pl.Series, first_row: int) -> Mask:
        """Take the next part; returns which values are missing."""
        moments = self._reader.read(series)
        self._counts.add(moments)
        missing = np.isnan(moments)
        self._missing = Places.union((self._missing, Places.of(missing, first_row)))
        return missing

    def join(self, later: DateColumn) -> None:
        """Take what was found in later rows."""
        self._counts.join(later._counts)
        self._missing = Places.union((self._missing, later._missing))

    def again(self) -> None:
        """Nothing is left open."""

    def settled(self, locate: Locate) -> Settled:
        """The dates."""
        dates = SurveyedDates(self._counts, self._missing, int(self._counts.times.sum()) + self._counts.n_missing)
        return Settled(Unusable(DATES, is_date=True), self._reader, dates=dates)


class LabelColumn:
    """Labels, counted.

    Attributes
    ----------
    counts : Counter
        How many rows hold each item, in the order in which they are met.
    """

    def __init__(self, name: str, declared: bool, order: Sequence[str] = (), na: Sequence[Any] = ()) -> None:
        self.name, self._declared, self._order, self._na = name, declared, order, frozenset(na)
        self.counts: Counter[Any] = Counter()
        self.missing = Places()
        self.n = 0
        self._met: set[str] = set()

    def add(self, series: pl.Series, first_row: int) -> Mask:
        """Take the next part; returns which values are missing."""
        import polars as pl

        series = as_items(series)
        items = self._count(series)
        self._refuse_too_many()
        gone = [item for item in items if item is not None and self.is_missing(item)]
        gaps = series.is_null()
        if gone:
            gaps |= series.is_in(pl.Series(gone, dtype=series.dtype).implode()).fill_null(True)
        mask = np.asarray(gaps.to_numpy())
        self.missing = Places.union((self.missing, Places.of(mask, first_row)))
        self.n += len(series)
        return mask

    def _count(self, series: pl.Series) -> list[Any]:
        """Count the items of a part; returns those that differ."""
        if len(series) < FEW_ROWS and kind_of(series.dtype) == TEXT:
            found = Counter(series.to_list())
            self.counts.update(found)
            return list(found)
        counted = dict(series.to_frame("item").group_by("item", maintain_order=True).len().iter_rows())
        self.counts.update(counted)
        return list(counted)

    def join(self, later: LabelColumn) -> None:
        """Take what was found in later rows."""
        self.counts.update(later.counts)
        self._refuse_too_many()
        self.missing = Places.union((self.missing, later.missing))
        self.n += later.n
        self._met |= later._met

    def _refuse_too_many(self) -> None:
        if len(self.counts) > MOST_LEVELS:
            text = f'Column "{self.name}" holds more than {count(MOST_LEVELS)} labels, too many to count.'
            raise DataError(Finding("E12", text, f"drop={words([self.name])}", (self.name,)))

    def is_missing(self, item: Any) -> bool:
        """Whether an item is a word for a missing value."""
        if not isinstance(item, str):
            return item is None or bool(item != item)
        word = item.strip()
        self._met |= {word} & self._na
        return word in MISSING_WORDS or word in self._na

    def again(self) -> None:
        """Nothing is left open."""

    def settled(self, locate: Locate) -> Settled:
        """The labels, or gaps only."""
        present = {item: n_rows for item, n_rows in self.counts.items() if not self.is_missing(item)}
        content = labels_from(present, self._declared, self._order, self.missing, self.n, locate)
        items = [item for item in self.counts if item is not None]
        return Settled(content, item_reader(content, items, items), frozenset(self._met))


def item_reader(content: SurveyedLabels | SurveyedNumbers, items: Sequence[Any], meanings: Sequence[Any]) -> ItemReader:
    """The reader of a column in which items stand for labels; it has gaps only where it is one of numbers."""
    if isinstance(content, SurveyedNumbers):
        return ItemReader(dict.fromkeys(items, np.nan), np.nan, np.float64)
    codes = content.codes
    pairs = zip(items, meanings, strict=True)
    return ItemReader({item: codes.get(meaning, -1) for item, meaning in pairs}, -1, np.int32)


class LabelledNumbers(LabelColumn):
    """Numbers to take for labels."""

    def __init__(self, name: str, numbers: NumberColumn) -> None:
        super().__init__(name, declared=True)
        self._numbers = numbers

    def add(self, series: pl.Series, first_row: int) -> Mask:
        """Take the next part; returns which values are missing."""
        import polars as pl

        values = pl.Series(self._numbers.values(series), nan_to_null=True)
        return super().add(values.cast(series.dtype) if series.dtype.is_integer() else values, first_row)

    def join(self, later: LabelColumn) -> None:
        """Take what was found in later rows."""
        super().join(later)
        assert isinstance(later, LabelledNumbers)
        self._numbers.join(later._numbers)

    def settled(self, locate: Locate) -> Settled:
        """The labels; their reader sees numbers as `add` did."""
        labels = super().settled(locate)
        assert isinstance(labels.reader, ItemReader)
        return replace(labels, reader=replace(labels.reader, before=self._numbers.reader))


class TextColumn:
    """Text of a file, which is numbers where every value is one.

    It is taken for numbers until a part of it is none. Then its texts count, for which a further pass is needed where
    they were too many to be kept.
    """

    def __init__(self, name: str, form: TextFormat, wants_distinct: bool, inf_is_missing: bool) -> None:
        self._texts = LabelColumn(name, declared=False)
        self._keeps_texts = self._may_be_numbers = True
        self._numbers = NumberColumn(TextFormat(), wants_distinct, inf_is_missing)
        self._form, self._inf_is_missing = form, inf_is_missing
        self._matched: set[str] = set()
        self._missing = Places()
        self._n_negative = 0
        self._negative: pl.Series | None = None  # a part that has numbers in parentheses or with a minus behind

    def add(self, series: pl.Series, first_row: int) -> Mask:
        """Take the next part; returns which values are missing."""
        (cells,) = read_columns(series.to_frame(), self._form)
        return self.add_cells(series, cells, first_row)

    def add_cells(self, series: pl.Series, cells: Cells, first_row: int) -> Mask:
        """The same of text that was read already, together with other columns."""
        self._matched |= cells.matched
        self._may_be_numbers &= cells.values.dtype.is_numeric() and not cells.is_plain and not self._has_units
        if self._keeps_texts:
            self._texts.add(series, first_row)
            self._keeps_texts = not self._may_be_numbers or len(self._texts.counts) <= FEW_TEXTS
        gaps = np.asarray(cells.values.is_null().to_numpy())
        self._missing = Places.union((self._missing, Places.of(gaps, first_row)))
        if self._may_be_numbers:
            self._numbers.add(cells.values, first_row)
            self._negative = series if cells.n_negative and not self._n_negative else self._negative
            self._n_negative += cells.n_negative
        return gaps

    @property
    def _has_units(self) -> bool:
        """Whether several things stand beside numbers: 12 kg and 500 g are no one quantity."""
        return len(self._matched & {*self._form.units}) > 1

    def join(self, later: TextColumn) -> None:
        """Take what was found in later rows."""
        self._matched |= later._matched
        self._may_be_numbers &= later._may_be_numbers and not self._has_units
        self._missing = Places.union((self._missing, later._missing))
        self._keeps_texts &= later._keeps_texts
        if self._keeps_texts:
            self._texts.join(later._texts)
            self._keeps_texts = not self._may_be_numbers or len(self._texts.counts) <= FEW_TEXTS
        if self._may_be_numbers:
            self._numbers.join(later._numbers)
            self._negative = later._negative if self._negative is None else self._negative
            self._n_negative += later._n_negative

    def again(self) -> TextColumn | None:
        """The survey that gathers all texts, where these count and were not kept."""
        if self._may_be_numbers or self._keeps_texts:
            return None
        survey = TextColumn(self._texts.name, self._form, False, self._inf_is_missing)
        survey._may_be_numbers = False
        return survey

    def settled(self, locate: Locate) -> Settled:
        """The numbers or the labels, as `read_cells` has them."""
        import polars as pl

        name, form, counts = self._texts.name, self._form, self._texts.counts
        if self._may_be_numbers:
            cells = Cells(pl.Series(dtype=pl.Float64), frozenset(self._matched), self._n_negative)
            text = pl.Series(dtype=pl.String) if self._negative is None else self._negative
            findings = tuple(about_cells(name, text, cells, form))
            return Settled(self._numbers.found, TextNumberReader(form, self._inf_is_missing), cells.matched, findings)
        texts = [text for text in counts if text is not None]
        text = pl.Series(texts, dtype=pl.String)
        cells = read_cells(text, form)
        n_rows = np.array([counts[one] for one in texts], dtype=np.intp)
        if cells.n_foreign:
            pointed = cells.values.str.contains(".", literal=True).fill_null(False).to_numpy()
            cells = replace(cells, n_foreign=int(n_rows[pointed].sum()))
        findings = tuple(about_cells(name, text, cells, form))
        content, reader = self._of_texts(texts, n_rows, cells.values, locate)
        return Settled(content, reader, cells.matched, findings)

    def _of_texts(
        self, texts: Sequence[str], n_rows: NDArray[np.intp], values: pl.Series, locate: Locate
    ) -> tuple[SurveyedNumbers | SurveyedLabels, ItemReader]:
        """The column whose texts have these values."""
        n = self._texts.n
        if values.dtype.is_numeric():
            numbers = NumberReader(self._inf_is_missing).read(values)
            known = ~np.isnan(numbers)
            codes = {one: code for code, one in enumerate(texts)}
            found = numbers_from(
                numbers[known], n_rows[known], self._missing, n, lambda which: locate(codes, _spread(which, known))
            )
            found.whole = values.dtype.is_integer()
            return found, ItemReader(dict(zip(texts, numbers.tolist(), strict=True)), np.nan, np.float64)
        meanings = values.to_list()
        counts: Counter[Any] = Counter()
        for meaning, number in zip(meanings, n_rows.tolist(), strict=True):
            if meaning is not None:
                counts[meaning] += number
        content = labels_from(counts, False, (), self._missing, n, locate)
        reader = item_reader(content, texts, meanings)
        if isinstance(content, SurveyedLabels):
            content = replace(content, codes={one: int(code) for one, code in reader.translation.items()})
        return content, reader


def _spread(which: Mask, known: Mask) -> Mask:
    """A mask of those that are known as one of all."""
    spread = known.copy()
    spread[known] = which
    return spread
