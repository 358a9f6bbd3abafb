"""What can be wrong with the columns of a table, and how it is said."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.columns import AnyLabels, Floats, Labels, Mask, Numbers, Unusable
from normball.inputs.dates import are_dates, are_dates_in_digits, have_years
from normball.inputs.disguises import Disguise, disguise_of
from normball.inputs.places import Places, places_in
from normball.inputs.reading import TextFormat
from normball.inputs.text import LEADING_ZERO, label_key, to_numbers
from normball.messages import OR, Finding, count, sample, words

MANY_ROWS = 20  # from here on a column that differs in every row is taken for an identifier
MANY_LEVELS = 20
PROBED = 1000  # values among which a number is looked for, before all are
FILL_OR_IMPUTE = f'fill them in{OR}fit again with cv_path(X, y, missing="impute")'  # in rows for a fitted model
AS_FITTED = "put in what the model was fitted on"
SMALLEST, LARGEST = 1e-150, 1e150  # numbers of these sizes can be squared and summed

CODE_NAME = re.compile(r"(^|[_. -])(id|code|zip|zipcode|postcode|postal|plz|fips)($|[_. -])", re.IGNORECASE)


def examine(name: str, column: Numbers | Labels | Unusable) -> list[Finding]:
    """Findings about one column of the features."""
    if isinstance(column, Unusable):
        return [unusable(name, column)]
    if isinstance(column, Numbers):
        return examine_numbers(name, column.values)
    return [] if column.declared else examine_text(name, column)


def unusable(name: str, column: Unusable) -> Finding:
    """E12: neither numbers nor labels."""
    fix = f"drop={words([name])}"
    if column.has_years:
        fix = f"dates={words([name])} for the year, month, weekday and days{OR}{fix}"
    elif column.is_date:
        fix += f"{OR}put a number in its place, such as hours"
    return Finding(
        "E12", f'Column "{name}" holds {column.reason}; a linear model needs numbers or labels.', fix, (name,)
    )


def examine_numbers(name: str, values: Floats) -> list[Finding]:
    """W13 and W14: a whole number that looks like a code or like a row number."""
    present = values[np.isfinite(values)]
    if len(present) < MANY_ROWS or not (present[:MANY_ROWS] % 1 == 0).all():
        return []
    distinct = np.unique(present)
    if not (distinct % 1 == 0).all():
        return []
    return examine_whole(name, distinct[0], distinct[-1], len(distinct), are_dates_in_digits(distinct), len(values))


def examine_whole(name: str, low: float, high: float, n_distinct: int, are_dates: bool, n_rows: int) -> list[Finding]:
    """The same for whole numbers from `low` to `high`, so many of which differ."""
    if are_dates:
        text = f'"{name}" holds dates written YYYYMMDD, such as {low:.0f}; used as numeric.'
        fix = f"dates={words([name])} for the year, month, weekday and days{OR}drop={words([name])}"
        return [Finding("W13", text, fix, (name,))]
    is_code = CODE_NAME.search(name) is not None
    if n_distinct == n_rows and (is_code or high - low == n_rows - 1):
        text = f'"{name}" is unique in every row; used as a feature?'
        return [Finding("W14", text, f"drop={words([name])}", (name,))]
    if is_code and n_distinct > MANY_LEVELS:
        text = f'"{name}" is a whole number with {count(n_distinct)} distinct values; used as numeric.'
        return [Finding("W13", text, f"if it is a code: categorical={words([name])}", (name,))]
    return []


def numbers_as_text(name: str, column: AnyLabels) -> list[Finding]:
    """W13: a column of text in which every value is a number, and which is used as such."""
    values = [str(value) for value in column.values]
    zeros = [value for value in values if re.match(LEADING_ZERO, value)]
    how = "holds numbers with leading zeros" if zeros else "holds numbers as text"
    text = f'"{name}" {how}, such as {sample((zeros or values)[:2], quote=True)}; used as numeric.'
    return [Finding("W13", text, f"if these are codes: categorical={words([name])}", (name,))]


def examine_text(name: str, column: AnyLabels) -> list[Finding]:
    """E01, E12, W13 and W14: text that is nearly numbers or dates, names the rows or has very many levels."""
    values = [str(value) for value in column.values]
    if are_dates(values):
        return [unusable(name, Unusable("dates", is_date=True, has_years=have_years(values)))]
    n_rows = column.n_rows
    if nearly := _nearly_numbers(name, column, values, n_rows):
        return nearly
    n_present = int(n_rows.sum())
    if n_present >= MANY_ROWS and len(values) == n_present:
        text = f'Column "{name}" has a different text in every row ({count(n_present)}): it names the rows.'
        fix = f"drop={words([name])}{OR}text={words([name])} to use its words"
        return [Finding("E12", text, fix, (name,))]
    findings = spelled_twice(name, column)
    if len(values) > MANY_LEVELS and 2 * len(values) > n_present:
        once = f"{count(int((n_rows == 1).sum()))} of them in one row only"
        text = f'"{name}" has {count(len(values))} levels in {count(n_present)} rows, {once}; each becomes a feature.'
        findings.append(Finding("W14", text, f"drop={words([name])}", (name,)))
    return findings


def _nearly_numbers(name: str, column: AnyLabels, values: Sequence[str], n_rows: NDArray[np.intp]) -> list[Finding]:
    """E01 or W13 where most values or rows are numbers, as they are or with something beside them."""
    few = disguise_of(values[:: max(1, len(values) // PROBED)])
    if not few.readable.any() and not few.units:
        return []
    disguise = disguise_of(values)
    numeric = disguise.readable
    many = len(values) > MANY_LEVELS
    if len(disguise.units) > 1 and not numeric.any() and (many or not disguise.is_worded):
        return [not_numeric(name, column)]
    if numeric.sum() <= (~numeric).sum() and n_rows[numeric].sum() <= n_rows[~numeric].sum():
        return []
    if many or not disguise.is_worded or np.isfinite(to_numbers(values)).any():
        return [not_numeric(name, column)]
    return [_with_unit(name, column, disguise)] if numeric.all() else []


def _with_unit(name: str, column: AnyLabels, disguise: Disguise) -> Finding:
    examples = sample(column.values[:2], quote=True)
    text = (
        f'"{name}" holds numbers with "{disguise.units[0]}" beside them, such as {examples}; '
        f"each of its {count(len(column.values))} values becomes a level."
    )
    return Finding("W13", text, f"if it is a quantity: {reading(disguise.forms[0])}", (name,))


def spelled_twice(name: str, column: AnyLabels) -> list[Finding]:
    """W13: levels that are the same number or the same word, written in two ways."""
    numbers = to_numbers(column.values)
    groups: dict[Any, list[str]] = {}
    for value, number in zip(column.values, numbers.tolist(), strict=True):
        key = number if number == number else " ".join(label_key(value).casefold().split())
        groups.setdefault(key, []).append(str(value))
    twice = [group for group in groups.values() if len(group) > 1]
    if not twice:
        return []
    pairs = "; ".join(sample(group, quote=True) for group in twice[:3])
    text = f'"{name}" has {count(len(twice))} levels that are written in more than one way, which stay apart: {pairs}.'
    return [Finding("W13", text, "write each in one way", (name,))]


def not_numeric(
    name: str, column: AnyLabels, what: str = "Column", apart: bool = False, may_lack: bool = True
) -> Finding:
    """E01: a column of numbers in which some values cannot be read as such.

    `apart` says that it was given apart from a table, `may_lack` whether values may be missing, as words may mean.
    """
    values = [str(value) for value in column.values]
    disguise = disguise_of(values)
    plain = np.isfinite(to_numbers(values))
    places, met = column.places_of(~plain), column.met
    bad = [values[code] for code in met[~plain[met]]]
    text = (
        f'{what} "{name}" is not numeric: {count(places.n)} of {count(len(column))} values cannot be read as '
        f"numbers.\n{places}   values {sample(bad, quote=True)}"
    )
    if len(disguise.units) > 1:
        text += f"\nThey carry different units ({sample(disguise.units, quote=True)}); one unit is needed."
    na = [value for value, good in zip(values, disguise.readable, strict=True) if not good and not _has_digit(value)]
    na = na if len(na) <= MANY_LEVELS and disguise.readable.any() else []  # or no number would be left
    forms = [replace(form, na=tuple(na) if may_lack else ()) for form in disguise.forms or [TextFormat()]]
    if len(forms) > 1:
        text += f"\n{_read_in_two_ways(forms, values)}"
    parts = [reading(form, name if apart else "") for form in forms if form.options]
    if na and not may_lack:
        parts = [f"{part} and correct the other values" for part in parts]
    if what == "Column":
        parts += [f"categorical={words([name])}", f"drop={words([name])}"]
    otherwise = AS_FITTED if what == "New column" and not disguise.readable.any() else "correct these values"
    return Finding("E01", text, OR.join(parts) or otherwise, (name,))


def _read_in_two_ways(forms: Sequence[TextFormat], values: Sequence[str]) -> str:
    """What the first value with a mark is in each of the formats."""
    value = next(value for value in values if re.search(r"\d[^\d-]+\d", value))
    ways = [f"{to_numbers([value], form)[0]:.15g} where {' and '.join(_marks(form))}" for form in forms]
    return f'"{value}" would be {", ".join(ways)}.'


def _marks(form: TextFormat) -> list[str]:
    marks = [f'"{form.thousands}" separates thousands'] if form.thousands else []
    return marks + ([f'"{form.decimal}" separates decimals'] if form.decimal != "." else [])


def reading(form: TextFormat, vector: str = "") -> str:
    """The call that reads a table, or a vector of this name, in this format."""
    options = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in form.options.items())
    if vector:
        return f'{vector} = normball.read_table({{"{vector}": {vector}}}, {options})["{vector}"]'
    return f"X = normball.read_table(X, {options})"


def _has_digit(text: str) -> bool:
    return any(letter.isdigit() for letter in text)


def missing_values(found: Mapping[str, Places], anywhere: Places, n_rows: int, fix: str) -> list[Finding]:
    """E04: how many values are missing in which columns, and the first rows in which any is."""
    if not anywhere:
        return []
    text = f"Missing values (NaN): {per_column(found, n_rows)}. First {anywhere}."
    return [Finding("E04", text, fix, tuple(found))]


def missing_of(masks: Mapping[str, Mask], fix: str) -> list[Finding]:
    """The same for columns whose missing values are marked."""
    found = places_in(masks)
    if not found:
        return []
    anywhere = np.logical_or.reduce([masks[name] for name in found])
    return missing_values(found, Places.of(anywhere), len(anywhere), fix)


def per_column(found: Mapping[str, Places], n_rows: int) -> str:
    """`age 31 (1.9 %), income 402 (25.1 %)`."""
    return _some([f"{name} {count(places.n)} ({100 * places.n / n_rows:.1f} %)" for name, places in found.items()])


def infinite_values(found: Mapping[str, Places], fix: str) -> list[Finding]:
    """E07: which columns hold infinite values, and the first rows."""
    if not found:
        return []
    parts = [f"{name}, {places}" for name, places in found.items()]
    text = f"Infinite values: {_some(parts, '; ')}. Division by zero upstream?"
    return [Finding("E07", text, fix, tuple(found))]


def beyond_range(values: Floats) -> Mask:
    """Which finite values have squares that overflow; all of a column that is not zero but whose squares vanish."""
    size = np.where(np.isfinite(values), np.abs(values), 0.0)
    vanishes = 0.0 < size.max(initial=0.0) < SMALLEST
    return size > 0.0 if vanishes else size > LARGEST


def values_beyond_range(found: Mapping[str, Places], fix: str) -> list[Finding]:
    """E07: which columns hold numbers that cannot be squared, and the first rows."""
    if not found:
        return []
    parts = [f"{name}, {places}" for name, places in found.items()]
    text = f"Values beyond {SMALLEST:g} to {LARGEST:g} in size, whose squares are no numbers: {_some(parts, '; ')}."
    return [Finding("E07", text, fix, tuple(found))]


def suspicious_columns(block: Any) -> list[int]:
    """Columns of a float matrix that hold NaN or infinity, or numbers whose squares overflow or vanish."""
    if isinstance(block, np.ndarray):
        with np.errstate(all="ignore"):
            squares = np.einsum("ij,ij->j", block, block)
        suspects = np.flatnonzero(~np.isfinite(squares) | (squares < SMALLEST**2 * max(len(block), 1)))
        return [int(j) for j in suspects if _is_suspicious(block[:, j])]
    size, kind = np.abs(block.data), block.data.dtype.type
    bad = ~(size <= min(LARGEST, float(np.finfo(kind).max))) | ((size > 0.0) & (size < kind(SMALLEST)))
    columns = sorted({int(j) for j in np.searchsorted(block.indptr, np.flatnonzero(bad), side="right") - 1})
    return [j for j in columns if _is_suspicious(block.data[block.indptr[j] : block.indptr[j + 1]])]


def _is_suspicious(values: NDArray[Any]) -> bool:
    values = np.asarray(values, dtype=np.float64)
    return bool(not np.isfinite(values).all() or beyond_range(values).any())


def row_list(rows: NDArray[np.intp]) -> str:
    """The first rows in words, counted from 1: `rows 3, 9`."""
    shown = sample((rows + 1).tolist())
    return f"rows {shown}" if len(rows) > 1 else f"row {shown}"


def _some(parts: Sequence[str], separator: str = ", ") -> str:
    shown = separator.join(parts[:8])
    return shown if len(parts) <= 8 else f"{shown} and {count(len(parts) - 8)} more columns"
