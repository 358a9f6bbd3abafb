"""Text as people read it: names without control characters, cut where there is no room, and aligned tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence


def printable(text: str) -> str:
    """`text` without the control characters that could steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def isolated(text: str) -> str:
    """`text` so that numbers and signs beside it keep their places where it is written from right to left."""
    turned = not text.isascii() and any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text)
    return f"\u2068{text}\u2069" if turned else text


def isolated_in(sentence: str, names: Iterable[str]) -> str:
    """A sentence with those of `names` isolated that need it."""
    turned = sorted({name for name in names if isolated(name) != name}, key=len, reverse=True)
    if not turned:
        return sentence
    any_of_them = "|".join(map(re.escape, turned))
    return re.sub(rf"(?<!\w)(?:{any_of_them})(?!\w)", lambda found: isolated(found[0]), sentence)


def display_width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    combining = sum(unicodedata.combining(character) > 0 for character in text)
    return len(text) + wide - combining


def shortened(text: str, width: int) -> str:
    """`text` on one line in at most `width` columns; both ends survive, since names often differ at their end."""
    text = printable(" ".join(text.split()))
    if display_width(text) <= width:
        return text
    back = ""
    for character in reversed(text):
        if display_width(character + back) > (width - 1) // 2:
            break
        back = character + back
    front = ""
    for character in text:
        if display_width(front + character + back) > width - 1:
            break
        front += character
    return f"{front}…{back}"


def table(rows: Sequence[Sequence[str]], *, align: str) -> list[str]:
    """Rows as aligned lines; `align` holds one of `<` and `>` for each column."""
    widths = [max(display_width(row[k]) for row in rows) for k in range(len(align))]
    lines = []
    for row in rows:
        cells = []
        for cell, width, side in zip(row, widths, align, strict=True):
            air = " " * (width - display_width(cell))
            cells.append(air + cell if side == ">" else cell + air)
        lines.append("   ".join(cells).rstrip())
    return lines
