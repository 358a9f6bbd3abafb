"""What the text of a cell means: a missing value, a number or a label.

Files and frames, fit and predict ask here, so that the same text always means the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.reading import TextFormat

if TYPE_CHECKING:
    import polars as pl

MISSING_WORDS = frozenset(
    (
        *("", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-NaN", "-nan"),
        *("null", "NULL", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
    )
)
TRUTH = {"false": 0.0, "true": 1.0}
PLAIN = TextFormat()
LARGEST_WHOLE = 2**53  # up to here a float holds whole numbers exactly
CELLS_AT_ONCE = 4_000_000

SPACES = r"[ \u00a0\u2007\u2009\u202f]"
APOSTROPHES = "['\u2019\u02bc]"
GROUPED = r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})+$"
LEADING_ZERO = r"^[+-]?0\d"
WHOLE = re.compile(r"(-?\d+)\.0+")


@dataclass(frozen=True)
class Cells:
    """A column of text that was read: numbers where all that is present is one, otherwise text."""

    values: pl.Series  # Int64, Float64, or String with null for what is missing
    matched: frozenset[str]  # the parts of the format that were met: "thousands", "decimal", a unit, a word of na
    n_negative: int = 0  # how many numbers are negative by parentheses or by a sign behind them
    n_foreign: int = (
        0  # how many values such as 1.234 may be decimals, although the comma separates these, or thousands
    )
    is_plain: bool = False  # numbers as programs write them, although the format says otherwise


def read_cells(text: pl.Series, form: TextFormat = PLAIN) -> Cells:
    """Read a column of text."""
    import polars as pl

    text = text.str.strip_chars()
    matched = {word for word in form.na if (text == word).any()}
    present = text.set(text.is_in([*MISSING_WORDS, *form.na]), None)
    written, met = _plainly(present, form)
    number = written.cast(pl.Float64, strict=False).fill_nan(None)
    for word in form.na:
        value = _value(word, form)
        if value is not None and (same := number == value).any():
            matched.add(word)
            present, written, number = (column.set(same, None) for column in (present, written, number))
    found = frozenset(matched | met)
    if number.null_count() > present.null_count():
        plain = present if form.is_plain else _plainly(present, PLAIN)[0]
        decimals = plain.cast(pl.Float64, strict=False).fill_nan(None)
        if decimals.null_count() > present.null_count():
            read = written.zip_with(number.is_not_null(), present)  # a number stays in a form that can be read
            return Cells(read, found)
        pointed = plain.filter(number.is_null() & plain.is_not_null())
        if form.decimal == "," and not form.thousands and pointed.str.contains(GROUPED).all():
            return Cells(present, found, n_foreign=len(pointed))
        return Cells(_series(text.name, decimals.fill_null(np.nan).to_numpy()), frozenset(matched), is_plain=True)
    n_negative = int(present.str.contains(r"\)$|\d-$").sum())
    if present.str.contains(LEADING_ZERO).any():
        return Cells(written, found, n_negative)  # codes perhaps: how they are written counts
    return Cells(_series(text.name, number.fill_null(np.nan).to_numpy()), found, n_negative)


def read_columns(table: pl.DataFrame, form: TextFormat = PLAIN) -> list[Cells]:
    """Read all columns of a table of text; those of plain numbers, of which there may be thousands, many at once."""
    columns = [column.alias("") for column in table]  # else "^x.*$" is a pattern to the methods of a series
    if not form.is_plain:
        return [read_cells(column, form) for column in columns]
    n_together = max(1, CELLS_AT_ONCE // max(1, table.height))
    return [
        cells
        for start in range(0, table.width, n_together)
        for cells in _read_plain(columns[start : start + n_together], form)
    ]


def _read_plain(columns: list[pl.Series], form: TextFormat) -> list[Cells]:
    import polars as pl

    shape = len(columns), len(columns[0])
    text = pl.concat(columns).str.strip_chars()
    number = np.array(text.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()).reshape(shape)
    na = {word: _value(word, form) for word in form.na}
    words = [*MISSING_WORDS, *(word for word, value in na.items() if value is None)]
    gaps = (text.is_in(words) | text.is_null()).to_numpy().reshape(shape)
    plain = (np.isnan(number) == gaps).all(axis=1)
    plain &= ~text.str.contains(LEADING_ZERO).fill_null(False).to_numpy().reshape(shape).any(axis=1)
    matched = [set[str]() for _ in columns]
    for word, value in na.items():
        met = (text == word).fill_null(False).to_numpy().reshape(shape) if value is None else number == value
        number[met] = np.nan
        for j in np.flatnonzero(met.any(axis=1)):
            matched[j].add(word)
    return [
        Cells(_series(column.name, values), frozenset(found)) if is_plain else read_cells(column, form)
        for column, values, found, is_plain in zip(columns, number, matched, plain, strict=True)
    ]


def _series(name: str, number: NDArray[np.float64]) -> pl.Series:
    """Numbers as a series, of whole numbers where all are."""
    import polars as pl

    values = pl.Series(name, number, nan_to_null=True)
    present = number[~np.isnan(number)]
    with np.errstate(invalid="ignore"):
        whole = present.size > 0 and (present % 1 == 0).all() and (np.abs(present) < LARGEST_WHOLE).all()
    return values.cast(pl.Int64) if whole else values


def to_numbers(values: Sequence[Any], form: TextFormat = PLAIN) -> NDArray[np.float64]:
    """Each value as the number that its text is, NaN where it is none."""
    import polars as pl

    text = pl.Series([str(value) for value in values], dtype=pl.String).str.strip_chars()
    written, _ = _plainly(text, form)
    return np.array(written.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy())


def _plainly(text: pl.Series, form: TextFormat) -> tuple[pl.Series, set[str]]:
    """Numbers as programs write them, other text as it may be; and which parts of the format were met.

    A text that only looks like a number, such as 1.234 where the comma is the decimal sign, becomes null.
    """
    cell = text.str.replace(r"^[\u2212\ufe63\uff0d\u2013]\s*", "-")
    cell = cell.str.replace(r"^\(\s*([^()+-].*?)\s*\)$", "-$1").str.replace(r"^([^+-].*\d)\s*[\u2212-]$", "-$1")
    met: set[str] = set()
    for unit in form.units:
        sign = re.escape(unit)
        bare = cell.str.replace(rf"^([+-]?)\s*{sign}\s*([+-]?)", "$1$2").str.replace(rf"\s*{sign}$", "")
        changed = (bare != cell) & bare.str.contains(r"\d$")
        if changed.any():
            met.add(unit)
            cell = bare.zip_with(changed, cell)
    if len(met) > 1:  # 12 kg and 500 g are no one quantity
        return text, set()
    if form.thousands:
        mark = {" ": SPACES, "'": APOSTROPHES}.get(form.thousands, re.escape(form.thousands))
        grouped = cell.str.contains(
            rf"^[+-]?[1-9]\d{{0,2}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}(?:{re.escape(form.decimal)}\d*)?$"
        )
        met |= {"thousands"} if grouped.any() else set()
        cell = cell.str.replace_all(mark, "").zip_with(grouped, cell)
    if form.decimal != ".":
        cell = cell.set(cell.str.contains(".", literal=True), None)  # the point is no decimal sign here
        simple = cell.str.replace(form.decimal, ".", literal=True)
        met |= {"decimal"} if (simple != cell).any() else set()
        cell = simple
    return cell, met


def _value(word: str, form: TextFormat) -> float | None:
    """The number that a word for missing values is, in the format of the file or as programs write it."""
    for one in (form, PLAIN):
        value = float(to_numbers([word], one)[0])
        if value == value:
            return value
    return None


def label_key(value: Any) -> str:
    """What makes two values the same label: `True` and `TRUE`, `1` and `1.0`, `é` in one character or in two."""
    text = unicodedata.normalize("NFC", label_text(value))
    if text.casefold() in TRUTH:
        return text.casefold()
    whole = WHOLE.fullmatch(text)
    return whole[1] if whole else text


def label_text(value: Any) -> str:
    """A label as the text that is kept: `3` for 3 and 3.0."""
    if not isinstance(value, str | bool | np.bool_):
        try:
            if float(value).is_integer():
                return str(int(value))
        except (TypeError, ValueError, OverflowError):
            pass
    return str(value)


def labels_of(counts: Mapping[Any, int]) -> tuple[dict[Any, str], dict[str, Any]]:
    """For values that occur so often: their keys, less the words for a missing one, and each key's usual spelling."""
    keys: dict[Any, str] = {}
    spelling: dict[str, Any] = {}
    most: dict[str, int] = {}
    for item, n in counts.items():
        label = item.strip() if isinstance(item, str) else item
        if isinstance(item, str) and label in MISSING_WORDS:
            continue
        key = keys[item] = label_key(label)
        if n > most.get(key, 0):
            most[key], spelling[key] = n, label
    return keys, spelling
