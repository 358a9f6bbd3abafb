"""Numbers that are written with something else, 12,5 · 1'234 · 12 % · $12 · 12 kg: how they have to be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from normball.inputs.reading import TextFormat
from normball.inputs.text import to_numbers

FORMS = (
    TextFormat(),
    TextFormat(thousands=","),
    TextFormat(decimal=","),
    TextFormat(thousands=".", decimal=","),
    TextFormat(thousands="'"),
    TextFormat(thousands="'", decimal=","),
    TextFormat(thousands=" "),
    TextFormat(thousands=" ", decimal=","),
)
SIGNS = "%‰°$€£¥₹₩₽₺₪₫฿₴₦"
NUMBER = r"\d(?:[\d.,'’ \u00a0\u2007\u2009\u202f]*\d)?(?:[eE][+-]?\d+)?"
BEFORE = rf"[{SIGNS}]|[A-Z]{{3}}(?= )|[A-Z]{{1,3}}[$]"
BEHIND = rf"[{SIGNS}][A-Za-z]?|(?![eE]\d)[^\W\d_][^\W_]*(?:[/·*^.-][^\W_]+)*[.]?"
WITH_UNIT = re.compile(rf"[(]?[+\u2212-]?\s*({BEFORE})?\s*[+\u2212-]?\s*{NUMBER}\s*({BEHIND})?[)]?")


MOST_UNITS = 5  # more things than these beside numbers are no units


@dataclass(frozen=True)
class Disguise:
    """How most of a column's values can be read as numbers.

    Attributes
    ----------
    readable : ndarray of bool
        Which of the values are numbers then.
    forms : tuple of TextFormat
        The formats that read them; more than one where the values leave it open.
    units : tuple of str
        What stands beside the numbers; several units make no quantity and nothing readable.
    """

    readable: NDArray[np.bool_]
    forms: tuple[TextFormat, ...]
    units: tuple[str, ...]

    @property
    def is_worded(self) -> bool:
        """Whether words stand beside the numbers, which may make labels of them: `3 doors`."""
        return any(letter.isalpha() for unit in self.units for letter in unit)


def disguise_of(values: Sequence[str]) -> Disguise:
    """How to read the most of these values as numbers."""
    units = _units(values)
    has_digit = np.array([any(letter.isdigit() for letter in value) for value in values], dtype=bool)
    forms: list[TextFormat] = []
    readable = np.zeros(len(values), dtype=bool)
    for beside, form in product([(), units] if len(units) == 1 else [()], FORMS):
        tried = replace(form, units=beside)
        found = np.isfinite(to_numbers(values, tried)) & has_digit
        if found.sum() > readable.sum():
            forms, readable = [], found
        if found.any() and np.array_equal(found, readable):
            forms.append(tried)
    beside = forms[0].units if forms else units
    return Disguise(readable, tuple(_simplest([form for form in forms if form.units == beside])), beside)


def _units(values: Sequence[str]) -> tuple[str, ...]:
    """What stands beside numbers, each thing once; a word must be there mostly, or it is a slip: `1o` for 10."""
    matches = [WITH_UNIT.fullmatch(value) for value in values]
    found = Counter(unit for match in matches if match for unit in match.groups() if unit)
    is_rare = 2 * found.total() < len(values)
    is_worded = any(letter.isalpha() for unit in found for letter in unit)
    return () if len(found) > MOST_UNITS or (is_rare and (is_worded or len(found) > 1)) else tuple(found)


def _simplest(forms: Sequence[TextFormat]) -> list[TextFormat]:
    """Of the formats that read the same values those with the fewest marks."""
    marks = [(form.thousands is not None) + (form.decimal != ".") for form in forms]
    return [form for form, n in zip(forms, marks, strict=True) if n == min(marks)]
