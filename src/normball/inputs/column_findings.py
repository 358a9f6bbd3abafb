"""What can be wrong with the columns of a table, and how it is said."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.columns import Floats, Labels, Mask, Numbers, Unusable
from normball.messages import OR, Finding, count, reading, sample, words

MANY_ROWS = 20  # from here on a column that differs in every row is taken for an identifier
MANY_LEVELS = 20
SMALLEST, LARGEST = 1e-150, 1e150  # numbers of these sizes can be squared and summed

DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{1,2}[./]\d{1,2}[./]\d{4}( .*)?")
WITH_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
WITH_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
CODE_NAME = re.compile(r"(^|[_. -])(id|code|zip|zipcode|postcode|postal|plz|fips)($|[_. -])", re.IGNORECASE)


def examine(name: str, column: Numbers | Labels | Unusable) -> list[Finding]:
    """Findings about one column of the features."""
    if isinstance(column, Unusable):
        return [unusable(name, column)]
    if isinstance(column, Numbers):
        return examine_numbers(name, column.values)
    return [] if column.declared else _examine_text(name, column)


def unusable(name: str, column: Unusable) -> Finding:
    """E12: neither numbers nor labels."""
    fix = f"drop={words([name])}"
    if column.is_date:
        fix += f"{OR}put a number in its place: days since the first date, the month, the weekday"
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
    is_code = CODE_NAME.search(name) is not None
    if len(distinct) == len(values) and (is_code or np.ptp(distinct) == len(values) - 1):
        text = f'"{name}" is unique in every row; used as a feature?'
        return [Finding("W14", text, f"drop={words([name])}", (name,))]
    if is_code and len(distinct) > MANY_LEVELS:
        text = f'"{name}" is a whole number with {count(len(distinct))} distinct values; used as numeric.'
        return [Finding("W13", text, f"if it is a code: categorical={words([name])}", (name,))]
    return []


def _examine_text(name: str, column: Labels) -> list[Finding]:
    values = [str(value) for value in column.values]
    if all(DATE.fullmatch(value) for value in values):
        return [unusable(name, Unusable("dates", is_date=True))]
    n_rows = np.bincount(column.codes[column.codes >= 0], minlength=len(values))
    numeric = np.array([is_number(value) for value in values])
    if numeric.any() and not numeric.all():
        more_rows = n_rows[numeric].sum() > n_rows[~numeric].sum()
        if more_rows or numeric.sum() > (~numeric).sum():
            return [not_numeric(name, column)]
    n_present = int(n_rows.sum())
    if n_present >= MANY_ROWS and len(values) == n_present:
        text = f'Column "{name}" has a different text in every row ({count(n_present)}): it names the rows.'
        fix = f"drop={words([name])}{OR}categorical={words([name])} to use it all the same"
        return [Finding("E12", text, fix, (name,))]
    if numeric.all() and len(values) > MANY_LEVELS:
        text = f'"{name}" holds numbers as text; each of its {count(len(values))} values becomes a level.'
        return [Finding("W13", text, "if it is a quantity: convert it to numbers", (name,))]
    if len(values) > MANY_LEVELS and 2 * len(values) > n_present:
        once = f"{count(int((n_rows == 1).sum()))} of them in one row only"
        text = f'"{name}" has {count(len(values))} levels in {count(n_present)} rows, {once}; each becomes a feature.'
        return [Finding("W14", text, f"drop={words([name])}", (name,))]
    return []


def not_numeric(name: str, column: Labels, what: str = "Column") -> Finding:
    """E01: a column of numbers in which some values cannot be read as such."""
    bad_codes = np.array([code for code, value in enumerate(column.values) if not is_number(str(value))], dtype=int)
    rows = np.flatnonzero(np.isin(column.codes, bad_codes))
    bad = list(dict.fromkeys(str(column.values[column.codes[row]]) for row in rows))
    text = (
        f'{what} "{name}" is not numeric: {count(len(rows))} of {count(len(column.codes))} values cannot be read as '
        f"numbers.\n{row_list(rows)}   values {sample(bad, quote=True)}"
    )
    return Finding("E01", text, _fix_not_numeric(name, bad, what), (name,))


def _fix_not_numeric(name: str, bad: Sequence[str], what: str) -> str:
    options: dict[str, Any] = {}
    if any(WITH_THOUSANDS.fullmatch(value) for value in bad):
        options["thousands"] = ","
    elif any(WITH_DECIMAL_COMMA.fullmatch(value) for value in bad):
        options["decimal"] = ","
    others = [value for value in bad if not re.search(r"\d", value)]
    if others and len(others) <= MANY_LEVELS:
        options["na_values"] = others
    parts = [reading(**options)] if options else []
    if what == "Target" and "na_values" in options:
        parts[0] += ' and missing="drop"'
    if what == "Column":
        parts += [f"categorical={words([name])}", f"drop={words([name])}"]
    return OR.join(parts) or "correct these values"


def is_number(text: str) -> bool:
    """Whether a text is a finite number."""
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def missing_values(masks: Mapping[str, Mask], fix: str) -> list[Finding]:
    """E04: how many values are missing in which columns, and the first rows."""
    found = {name: mask for name, mask in masks.items() if mask.any()}
    if not found:
        return []
    rows = np.flatnonzero(np.logical_or.reduce(list(found.values())))
    text = f"Missing values (NaN): {per_column(found)}. First {row_list(rows)}."
    return [Finding("E04", text, fix, tuple(found))]


def per_column(masks: Mapping[str, Mask]) -> str:
    """`age 31 (1.9 %), income 402 (25.1 %)`."""
    return _some([f"{name} {count(int(mask.sum()))} ({100 * mask.mean():.1f} %)" for name, mask in masks.items()])


def infinite_values(masks: Mapping[str, Mask], fix: str) -> list[Finding]:
    """E07: which columns hold infinite values, and the first rows."""
    found = {name: mask for name, mask in masks.items() if mask.any()}
    if not found:
        return []
    parts = [f"{name}, {row_list(np.flatnonzero(mask))}" for name, mask in found.items()]
    text = f"Infinite values: {_some(parts, '; ')}. Division by zero upstream?"
    return [Finding("E07", text, fix, tuple(found))]


def beyond_range(values: Floats) -> Mask:
    """Which finite values have squares that overflow; all of a column that is not zero but whose squares vanish."""
    size = np.where(np.isfinite(values), np.abs(values), 0.0)
    vanishes = 0.0 < size.max(initial=0.0) < SMALLEST
    return size > 0.0 if vanishes else size > LARGEST


def values_beyond_range(masks: Mapping[str, Mask], fix: str) -> list[Finding]:
    """E07: which columns hold numbers that cannot be squared, and the first rows."""
    found = {name: mask for name, mask in masks.items() if mask.any()}
    if not found:
        return []
    parts = [f"{name}, {row_list(np.flatnonzero(mask))}" for name, mask in found.items()]
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
    return f"row{'s' * (len(rows) > 1)} {sample((rows + 1).tolist())}"


def _some(parts: Sequence[str], separator: str = ", ") -> str:
    shown = separator.join(parts[:8])
    return shown if len(parts) <= 8 else f"{shown} and {count(len(parts) - 8)} more columns"
