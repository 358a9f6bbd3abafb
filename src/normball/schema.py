"""What a saved file may hold: readers of JSON values, which give them back as they are used or say what is wrong.

A reader is a function of the value and of `where` it stands. Tables of readers describe records (`record`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Reader = Callable[[Any, str], Any]

NOT_FINITE = ("nan", "inf", "-inf")  # the texts that stand for numbers which JSON does not have
SHOWN = 40  # characters of a value in a message


class Damaged(ValueError):
    """A field that cannot be what was saved."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where} {problem}")


def record(content: Any, where: str, readers: Mapping[str, Reader], optional: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a JSON object, each by its reader; only those that are `optional` may lack."""
    given = fields(content, where)
    dot = f"{where}." if where else ""
    for name in readers:
        if name not in given and name not in optional:
            raise Damaged(f"{dot}{name}", "is missing")
    for name in given:
        if name not in readers:
            raise Damaged(f"{dot}{name}", "is no field of a model")
    return {name: readers[name](value, f"{dot}{name}") for name, value in given.items()}


def fields(content: Any, where: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(content, dict):
        raise Damaged(where, f"{_shown(content)}, but must be an object")
    return content


def entries(content: Any, where: str, length: int | None = None) -> list[Any]:
    """A JSON array, of this length."""
    if not isinstance(content, list):
        raise Damaged(where, f"{_shown(content)}, but must be a list")
    if length is not None and len(content) != length:
        raise Damaged(where, f"has {len(content):,} entries, but must have {length:,}")
    return content


def text(value: Any, where: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise Damaged(where, f"{_shown(value)}, but must be a text")
    return value


def truth(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Damaged(where, f"{_shown(value)}, but must be true or false")
    return value


def one_of(*words: str) -> Reader:
    """One of these texts."""

    def read(value: Any, where: str) -> str:
        if not isinstance(value, str) or value not in words:
            raise Damaged(where, f"{_shown(value)}, but must be one of {', '.join(words)}")
        return value

    return read


def optional(reader: Reader) -> Reader:
    """What the reader takes, or null."""
    return lambda value, where: None if value is None else reader(value, where)


def listed(reader: Reader, *, distinct: bool = False, length: int | None = None) -> Reader:
    """A list of what the reader takes, as a tuple."""

    def read(value: Any, where: str) -> tuple[Any, ...]:
        items = [reader(item, f"{where}[{j}]") for j, item in enumerate(entries(value, where, length))]
        if distinct and len(set(items)) < len(items):
            twice = next(item for j, item in enumerate(items) if item in items[:j])
            raise Damaged(where, f"holds {twice!r} twice")
        return tuple(items)

    return read


def mapping(reader: Reader) -> Reader:
    """An object of what the reader takes, under any names."""
    return lambda value, where: {name: reader(item, f"{where}.{name}") for name, item in fields(value, where).items()}


def number(least: float = -math.inf, most: float = math.inf, *, finite: bool = True, whole: bool = False) -> Reader:
    """A number within these bounds; unless it has to be `finite`, NaN and the infinities too."""
    of_array = array((1,), least, most, finite=finite, whole=whole)

    def read(value: Any, where: str) -> float | int:
        try:
            found: float | int = of_array([value], where)[0].item()
        except Damaged as damage:
            raise Damaged(where, str(damage).removeprefix(f"{where}[0] ")) from None
        return found

    return read


def array(
    shape: tuple[int | None, ...],
    least: float = -math.inf,
    most: float = math.inf,
    *,
    finite: bool = True,
    whole: bool = False,
    above: bool = False,
    order: Literal["ascending", "descending"] | None = None,
    alike: bool = False,
) -> Reader:
    """Numbers of this shape (None: any length) and within these bounds.

    They are `above` the least, in strict `order`, or may be written as one number if they are all `alike`.
    """

    def read(value: Any, where: str) -> NDArray[Any]:
        values: NDArray[Any]
        if alike and not isinstance(value, list):
            values = np.full(shape[0] or 0, _numbers([value], where, finite, whole)[0])
        elif len(shape) == 1:
            values = _numbers(entries(value, where, shape[0]), where, finite, whole)
        else:
            inner = array(shape[1:], finite=finite, whole=whole)
            rows = [inner(row, f"{where}[{j}]") for j, row in enumerate(entries(value, where, shape[0]))]
            values = np.array(rows).reshape(len(rows), *(length or 0 for length in shape[1:]))
        outside = (values < least) | (values > most) | (values == least if above else False)
        if outside.any():
            low = f"{'above' if above else 'at least'} {least:g}"
            bounds = low if math.isinf(most) else f"{low} and at most {most:g}"
            raise first_of(outside, values, where, f"must be {bounds}")
        if order is not None:
            wrong = np.append(False, np.diff(values) <= 0 if order == "ascending" else np.diff(values) >= 0)
            if wrong.any():
                raise first_of(wrong, values, where, f"must be {order}")
        return values

    return read


def _numbers(items: list[Any], where: str, finite: bool, whole: bool) -> NDArray[Any]:
    """A list of JSON numbers as an array."""
    kinds = (int,) if whole else (int, float) if finite else (int, float, str)
    if not set(map(type, items)) <= set(kinds):
        j = next(j for j, item in enumerate(items) if type(item) not in kinds)
        wanted = "a whole number" if whole else "a finite number" if items[j] in NOT_FINITE else "a number"
        raise Damaged(f"{where}[{j}]", f"{_shown(items[j])}, but must be {wanted}")
    words = {item for item in items if isinstance(item, str)} - set(NOT_FINITE)
    if words:
        word = words.pop()
        raise Damaged(f"{where}[{items.index(word)}]", f"{_shown(word)}, but must be a number")
    try:
        values = np.array(items, dtype=np.int64 if whole else np.float64)
    except OverflowError:
        raise Damaged(where, "holds a number that is too large") from None
    if finite and not np.isfinite(values).all():
        raise first_of(~np.isfinite(values), values, where, "must be a finite number")
    return values


def first_of(wrong: NDArray[np.bool_], values: NDArray[Any], where: str, problem: str) -> Damaged:
    """The first entry that is wrong."""
    place = np.unravel_index(int(np.argmax(wrong)), values.shape)
    numbers = "".join(f"[{j}]" for j in place)
    return Damaged(f"{where}{numbers}", f"is {values[place].item()!r}, but {problem}")


def _shown(value: Any) -> str:
    """`is 3`, the value cut where it is long."""
    if value is None:
        return "is null"
    shown = repr(value) if len(repr(value)) <= SHOWN else f"{repr(value)[: SHOWN - 1]}…"
    return f"is {shown}"
