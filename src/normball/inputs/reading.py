"""The options about text: how values are separated and how numbers and gaps are written. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SPELLED = {
    "tab": "\t",
    "\\t": "\t",
    "space": " ",
    "comma": ",",
    "semicolon": ";",
    "bar": "|",
    "pipe": "|",
    "point": ".",
    "apostrophe": "'",
}
NOT_BETWEEN_VALUES = '"\r\n'


@dataclass(frozen=True)
class TextFormat:
    """How numbers and missing values are written in the text of a cell.

    Attributes
    ----------
    na : tuple of str
        Words that mean a missing value, besides the usual ones; one that is a number stands for that number.
    thousands, decimal : str
        Separators inside numbers. A space stands for every kind of space, an apostrophe for its typographic twin too.
    units : tuple of str
        What may stand beside a number, one of them in a column: "%", "$", "kg".
    """

    na: tuple[str, ...] = ()
    thousands: str | None = None
    decimal: str = "."
    units: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether a number is written as programs write it."""
        return self.thousands is None and self.decimal == "." and not self.units

    @property
    def options(self) -> dict[str, Any]:
        """The options of `read_table` that say so."""
        options = {
            "thousands": self.thousands,
            "decimal": self.decimal if self.decimal != "." else None,
            "units": list(self.units),
            "na": list(self.na),
        }
        return {name: value for name, value in options.items() if value}


@dataclass(frozen=True)
class Reading:
    """The checked options of `read_table`; see there."""

    form: TextFormat
    delimiter: str | None
    encoding: str | None
    header: int | None  # the line with the names, from 1; 0 for none; None to look for it
    categorical: tuple[str, ...]
    dedupe: str


def checked(
    *,
    na: Sequence[str],
    thousands: str | None,
    decimal: str,
    units: Sequence[str],
    delimiter: str | None,
    encoding: str | None,
    header: int | str | None,
    categorical: Sequence[str],
    dedupe: str,
) -> Reading:
    """The options of `read_table`, or a ValueError that says what is wrong with them."""
    for name, value in (("na", na), ("units", units), ("categorical", categorical)):
        if isinstance(value, str):
            raise TypeError(f'{name} is {value!r}, but must be a list: {name}=["{value}"]')
    if dedupe not in ("error", "suffix"):
        raise ValueError(f"dedupe is {dedupe!r}, but must be one of error, suffix")
    form = TextFormat(
        na=tuple(as_word(word, "na") for word in na),
        thousands=None if thousands is None else as_thousands(thousands),
        decimal=as_decimal(decimal),
        units=tuple(as_unit(unit) for unit in units),
    )
    options = Reading(
        form,
        delimiter=None if delimiter is None else as_delimiter(delimiter),
        encoding=None if encoding is None else as_encoding(encoding),
        header=None if header is None else as_header(header),
        categorical=tuple(categorical),
        dedupe=dedupe,
    )
    if form.thousands == form.decimal:
        hint = "say what separates decimals" if form.decimal == "." else "they must differ"
        raise ValueError(f'thousands and decimal are both "{form.decimal}": {hint}')
    return options


def as_word(text: Any, name: str) -> str:
    """A word for a missing value."""
    if not isinstance(text, str):
        raise TypeError(f'{name} holds {text!r}, but must hold text: "{text}"')
    return text.strip()


def as_unit(text: Any) -> str:
    """What stands beside numbers."""
    unit = as_word(text, "units")
    if not unit or unit[0].isdigit() or unit[0] in "+-.,(" or unit in ("e", "E"):
        raise ValueError(f"units holds {text!r}, but a unit is a sign or a word beside numbers, such as % or kg")
    return unit


def as_thousands(text: str) -> str:
    """The separator of thousands: one character that no number needs."""
    mark = _one_character("thousands", text)
    if mark.isalnum() or mark in '+-()"\n\r\t':
        raise ValueError(f"thousands is {text!r}, but must be a sign between digits, such as , or . or '")
    return {"’": "'", "\u00a0": " ", "\u2009": " ", "\u202f": " "}.get(mark, mark)


def as_decimal(text: str) -> str:
    """The separator of decimals."""
    mark = _one_character("decimal", text)
    if mark.isalnum() or mark.isspace() or mark in "+-()\"'":
        raise ValueError(f"decimal is {text!r}, but must be a sign between digits: . or ,")
    return mark


def as_delimiter(text: str) -> str:
    r"""The character between values; "tab" and "\t" are words for a tab."""
    mark = _one_character("delimiter", text)
    if mark.isalnum() or not mark.isascii() or mark in NOT_BETWEEN_VALUES:
        known = "a comma, a semicolon, tab or |"
        raise ValueError(f"delimiter is {text!r}, but must be one sign of ASCII, such as {known}")
    return mark


def as_encoding(text: str) -> str:
    """The name of an encoding of text."""
    try:
        "".encode(text)
    except (LookupError, ValueError):
        raise ValueError(f"encoding is {text!r}, but must be one that Python knows, such as utf-8 or latin-1") from None
    return text


def as_header(value: int | str) -> int:
    """The number of the line that holds the names, 0 for none."""
    if value == "none":
        return 0
    try:
        line = int(value)
    except (TypeError, ValueError):
        line = 0
    if line < 1 or isinstance(value, bool):
        raise ValueError(f'header is {value!r}, but must be the number of the line with the names, or "none"')
    return line


def _one_character(name: str, text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{name} is {text!r}, but must be text")
    mark = SPELLED.get(text.casefold(), text)
    if len(mark) != 1:
        raise ValueError(f"{name} is {text!r}, but must be one character")
    return mark
