"""What a column of the table adds to a linear predictor, as expressions."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence

from normball.export.tree import Case, Expression, Input, IsMissing, Lookup, Number, Product, Value
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.term import Term
from normball.inputs.text import MISSING_WORDS, TRUTH, WHOLE, label_key, to_numbers

WORDS = tuple(sorted(MISSING_WORDS))


def input_of(column: Term, inf_is_missing: bool) -> Input:
    """What the column has to be in the table; a ValueError where its features cannot be written down yet."""
    if isinstance(column, NumberTerm):
        return Input(column.name, "number", inf_is_missing)
    if not isinstance(column, LevelTerm):
        raise ValueError(f'"{column.name}" gives features of the kind {column.kind}, which no export has yet')
    if column.baseline is not None or column.rare:
        raise ValueError(f'"{column.name}" has a baseline or rare levels that stand together, which no export has yet')
    return Input(column.name, "text", levels=tuple(level for level in column.levels if level != MISSING_LEVEL))


def terms(column: Term, source: Input, coefs: Sequence[float], refuse: bool) -> list[Expression]:
    """The terms that a column adds to a linear predictor in which its features have these coefficients."""
    if not any(coefs):
        return []
    if column.levels is not None:
        return [_lookup(column, column.levels, source, coefs, refuse)]
    pairs = zip(coefs, _numbers(column, source), strict=True)
    return [Product((Number(coef), feature)) for coef, feature in pairs if coef]


def _numbers(column: Term, source: Input) -> list[Expression]:
    """The features of a column of numbers."""
    own: list[Expression] = [Value(source, column.fill)]
    if column.indicator:
        own.append(Case(IsMissing(Value(source)), Number(1.0), Number(0.0)))
    return own


def _lookup(column: Term, levels: Sequence[str], source: Input, numbers: Sequence[float], refuse: bool) -> Lookup:
    """The number of each level; `refuse` says whether others are an error."""
    spelled: dict[float, list[str]] = {}
    missing = 0.0 if column.fill is not None or not refuse else None
    for level, number, texts in zip(levels, numbers, spellings(levels), strict=True):
        spelled.setdefault(float(number), []).extend(texts)
        if level == MISSING_LEVEL:
            missing = float(number)
    otherwise = None if refuse else 0.0
    if missing is not None and otherwise is not None and missing != otherwise:  # else the words are refused
        taken = {text for texts in spelled.values() for text in texts}
        spelled.setdefault(missing, []).extend(word for word in WORDS if word not in taken)
    entries = tuple((tuple(texts), number) for number, texts in spelled.items() if refuse or number != otherwise)
    return Lookup(source, entries, missing, otherwise)


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
