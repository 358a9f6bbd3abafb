"""How a column becomes an array of numbers or codes, part by part, once it is known what the whole of it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from normball.blocks.long_table import changed
from normball.inputs.columns import Floats
from normball.inputs.dates import as_days
from normball.inputs.reading import TextFormat
from normball.inputs.text import Cells, read_columns

if TYPE_CHECKING:
    import polars as pl


class Reader(Protocol):
    """Reads one column."""

    def read(self, series: pl.Series) -> NDArray[Any]:
        """The values of a part: floats, or codes of labels with -1 where there is none."""


@dataclass(frozen=True)
class NumberReader:
    """Numbers that are stored as such; `na` are those that mean a missing value."""

    inf_is_missing: bool
    na: tuple[float, ...] = ()

    def read(self, series: pl.Series) -> Floats:
        """The numbers, NaN where one is missing."""
        import polars as pl

        values = np.asarray(series.cast(pl.Float64).to_numpy(), dtype=np.float64)
        return without(values, self.inf_is_missing, self.na)


def without(values: Floats, inf_is_missing: bool, na: Sequence[float] = ()) -> Floats:
    """The numbers with NaN in place of those that mean a missing value."""
    gaps = np.isinf(values) if inf_is_missing else np.zeros(len(values), dtype=bool)
    for value in na:
        gaps |= values == value
    return np.where(gaps, np.nan, values) if gaps.any() else values


@dataclass(frozen=True)
class TextNumberReader:
    """Numbers that are written as text in one format."""

    form: TextFormat
    inf_is_missing: bool

    def read(self, series: pl.Series) -> Floats:
        """The numbers, NaN where one is missing."""
        (cells,) = read_columns(series.to_frame(), self.form)
        return self.numbers(series.name, cells)

    def numbers(self, name: str, cells: Cells) -> Floats:
        """The numbers of text that was read already."""
        if not cells.values.dtype.is_numeric():
            raise changed(f'"{name}" holds text that is no number')
        return NumberReader(self.inf_is_missing).read(cells.values)


@dataclass(frozen=True)
class ItemReader:
    """What stands in the table, translated item by item; numbers as their own reader has them before."""

    translation: Mapping[Any, float]
    missing: float  # what stands for a missing item
    dtype: type
    before: Reader | None = None

    def read(self, series: pl.Series) -> NDArray[Any]:
        """The translations."""
        import polars as pl

        name = series.name
        if self.before is None:
            series = as_items(series)
        else:
            values = pl.Series(self.before.read(series), nan_to_null=True)
            series = values.cast(series.dtype) if series.dtype.is_integer() else values
        series = series.alias("")  # see `column_of`
        items = pl.Series([*self.translation], dtype=series.dtype)
        found = series.replace_strict(items, pl.Series([*self.translation.values()], dtype=pl.Float64), default=None)
        lost = found.is_null() & series.is_not_null()
        if lost.any():
            raise changed(f'"{name}" holds "{series.filter(lost)[0]}", which it did not')
        return np.asarray(found.fill_null(self.missing).to_numpy(), dtype=self.dtype)


@dataclass(frozen=True)
class DateReader:
    """Dates of a type for them."""

    def read(self, series: pl.Series) -> Floats:
        """Days since 1970-01-01, NaN where one is missing; in UTC where there is a time zone."""
        import polars as pl

        moments = series.cast(pl.Datetime("us")) if series.dtype == pl.Date else series.dt.cast_time_unit("us")
        return as_days(moments)


def as_items(series: pl.Series) -> pl.Series:
    """The column as its items are counted: categories as text."""
    import polars as pl

    return series.cast(pl.String) if series.dtype in (pl.Categorical, pl.Enum) else series


def read_frame(readers: Mapping[str, Reader], frame: pl.DataFrame) -> dict[str, NDArray[Any]]:
    """What the readers make of the columns of a frame; numbers in text are read together, since there may be many."""
    texts = {name: reader for name, reader in readers.items() if isinstance(reader, TextNumberReader)}
    columns = {name: reader.read(frame[name]) for name, reader in readers.items() if name not in texts}
    if texts:
        form = next(iter(texts.values())).form  # one table has one
        for name, cells in zip(texts, read_columns(frame[:, [*texts]], form), strict=True):
            columns[name] = texts[name].numbers(name, cells)
    return columns
