"""The texts by which a level may stand in a table."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence

from normball.inputs.text import TRUTH, WHOLE, label_key, to_numbers


def spellings(levels: Sequence[str]) -> list[tuple[str, ...]]:
    """The texts by which each level may stand in a table: its own first.

    They are those of one level each, and for each of them `Preparation.transform` finds that level, too: both forms of
    composed letters, 4.0 for 4, TRUE for true, 1 for true and 7 for 007 where no other level is that number.
    """
    numbers = [
        TRUTH.get(label_key(level), number) for level, number in zip(levels, to_numbers(levels).tolist(), strict=True)
    ]
    times = Counter(numbers)
    keys = {label_key(level) for level in levels}
    found = []
    for level, number in zip(levels, numbers, strict=True):
        key = label_key(level)
        texts = {level: None, key: None, **_forms(key)}
        if not math.isnan(number) and times[number] == 1:
            words = _TRUE.get(number, ()) if set(numbers) <= set(_TRUE) else ()
            same = [one for text in (_short(number), *words) for one in _forms(text)]
            texts |= dict.fromkeys(text for text in same if label_key(text) == key or label_key(text) not in keys)
        found.append(tuple(texts))
    return found


_TRUE = {number: (word,) for word, number in TRUTH.items()}


def _forms(key: str) -> dict[str, None]:
    """Other spellings of a text."""
    forms = [unicodedata.normalize("NFC", key), unicodedata.normalize("NFD", key)]
    if key in TRUTH:
        forms += [key.title(), key.upper()]
    if WHOLE.fullmatch(f"{key}.0"):
        forms.append(f"{key}.0")
    return dict.fromkeys((key, *forms))


def _short(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e16 else repr(number)
