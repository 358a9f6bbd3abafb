"""Text files as names and cells: encoding, delimiter, the line with the names, rows of the same length."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from normball.inputs.reading import Reading
from normball.inputs.text import to_numbers
from normball.messages import DataError, Finding, count, sample

if TYPE_CHECKING:
    import polars as pl

DELIMITERS = ",;\t|"
ALIKE = 20  # lines that tell the delimiter
BEGINNING = 4096  # bytes that tell text from other data
FIRST_LINES = 200  # among which the line with the names is looked for
KOREAN = rb"(?:[\x00-\x7f]|[\xa1-\xc8][\xa1-\xfe])"  # ASCII or a pair of bytes of KS X 1001: signs and Hangul
IN_KOREAN = re.compile(KOREAN + rb"{100}|" + KOREAN + rb"*\Z")
BYTE_ORDER_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
SEP_LINE = re.compile(r'\ufeff?"?sep=(.|\\t)"?[;,\t|]*\n', re.IGNORECASE)


def unreadable(path: Path, problem: str, fix: str = "") -> DataError:
    """E11: this file is no table."""
    return DataError(Finding("E11", f'"{path.name}" {problem}.', fix))


def missing_file(path: Path) -> DataError:
    """E11: there is no such file, where its folder may be what is wrong."""
    return DataError(Finding("E11", f'"{path}" does not exist.'))


def read_text_file(
    path: Path, content: bytes, reading: Reading, findings: list[Finding]
) -> tuple[list[str], pl.DataFrame, str]:
    """Names, cells and delimiter of a text table; all cells are text, null where there is nothing."""
    text = decode(path, content, reading.encoding, findings).replace("\r\n", "\n").replace("\r", "\n")
    start, delimiter = beginning_of(path, text, reading, findings)
    body = "\n".join(text.split("\n")[start - 1 :])
    layout, table = split(path, body, delimiter, reading.header != 0, findings)
    return list(layout.names), _without_empty_end(path, table, findings), delimiter


def beginning_of(path: Path, text: str, reading: Reading, findings: list[Finding]) -> tuple[int, str]:
    """The line with which a table begins, counted from 1, and what is between its values, by its first lines."""
    if not text.strip():
        raise unreadable(path, "is empty")
    delimiter, start = reading.delimiter, 1
    if sep := SEP_LINE.match(text):  # a line for Excel
        named, start = sep[1].replace("\\t", "\t"), 2
        if delimiter not in (None, named):
            what = (
                f'The first line of "{path.name}" says that "{named}" separates values;'
                f' "{delimiter}" is used, as asked for.'
            )
            findings.append(Finding("W10", what))
        delimiter = delimiter or named
    lines = text.split("\n")
    start = max(start, reading.header or 1)
    if start > len(lines) or (reading.header and not lines[start - 1].strip()):
        raise unreadable(path, f"has no names in line {count(start)}")
    while not lines[start - 1].strip(" "):
        start += 1
    delimiter = delimiter or _delimiter(lines[start - 1 : start + FIRST_LINES], reading)
    if reading.delimiter and not any(delimiter in line for line in lines):
        other = _fix_lengths("\n".join(filter(None, lines[start - 1 : start + FIRST_LINES])), delimiter)
        if other.startswith("delimiter="):
            raise unreadable(path, f'has no "{delimiter}" between its values', other)
    if reading.header is None:
        _refuse_preamble(path, lines, start, delimiter)
    return start, delimiter


def decode(path: Path, content: bytes, encoding: str | None, findings: list[Finding]) -> str:
    """The text of a file."""
    used = encoding_of(path, content, encoding, findings)
    try:
        return content.decode(used)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise not_encoded(path, used, f"line {count(line)}", content[error.start :]) from None
    except (UnicodeError, LookupError) as error:
        raise unreadable(path, f"cannot be read as {used} ({error})") from None


def encoding_of(path: Path, content: bytes, encoding: str | None, findings: list[Finding]) -> str:
    """How the text of a file is written, by its first bytes."""
    marked = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), None)
    if marked and encoding and _family(encoding) != _family(marked):
        text = f'"{path.name}" begins with the mark of {marked.removesuffix("-sig")}, which is used; not {encoding}.'
        findings.append(Finding("W10", text))
    if not marked and not encoding and b"\0" in content[:BEGINNING]:
        wide = _of_two_bytes(content)
        raise unreadable(path, "is not a text table: it holds binary data", f'encoding="{wide}"' if wide else "")
    return marked or encoding or "utf-8"


def _of_two_bytes(content: bytes) -> str:
    """The encoding, of two bytes a letter without a mark of their order, in which a file begins as text; "" if none.

    The upper byte of signs and Latin letters is 0; a line that ends is no letter in the other order.
    """
    head, names = content[:BEGINNING], ["utf-16-le", "utf-16-be"]
    if head[::2].count(0) > head[1::2].count(0):
        names.reverse()
    return next((name for name in names if _is_text(head, name, len(content) <= BEGINNING)), "")


def _is_text(head: bytes, encoding: str, is_whole: bool) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, is_whole)
    except UnicodeDecodeError:
        return False
    return all(sign.isprintable() or sign.isspace() for sign in text)


def not_encoded(path: Path, encoding: str, where: str, rest: bytes) -> DataError:
    """E11: the `rest` of a file begins with a byte that has no place in text of this encoding."""
    other = "cp949" if IN_KOREAN.match(rest) else "cp1252" if any(0x80 <= byte < 0xA0 for byte in rest) else "latin-1"
    problem = f"is not {encoding} text: {where} has the byte {rest[0]:#x}"
    return unreadable(path, problem, f'encoding="{other}", or whatever it was written in')


def _family(encoding: str) -> str:
    return re.sub(r"[^a-z0-9]|sig|[lb]e$", "", encoding.casefold().replace("_", "-"))


def _delimiter(lines: Sequence[str], reading: Reading) -> str:
    """The usual one that cuts all lines alike, or that the first line has most of; spaces where it has none.

    A sign that separates decimals or thousands is thought of last: numbers can stand in quotes.
    """
    marks = {reading.form.decimal, reading.form.thousands}
    first, *rest = [line for line in lines if line.strip()]
    rest = rest[:ALIKE]

    def merit(mark: str) -> tuple[bool, bool, bool, int]:
        widths = {len(_cells(line, mark)) for line in rest}
        alike = len(widths) == 1 and max(widths) > 1
        return mark not in marks, alike and len(_cells(first, mark)) in widths, alike, first.count(mark)

    best = max(DELIMITERS, key=merit)
    if best in first or merit(best)[2]:
        return best
    words = [len(_cells(re.sub(r"[ \t]+", " ", line.strip()), " ")) for line in (first, *rest)]
    if len(words) > 1 and words[1] > 1 and len(set(words[1:])) == 1 and words[1] - words[0] in (0, 1):
        return " "
    return max(DELIMITERS, key=lambda mark: sum(mark in line for line in rest))


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return [line]


def _refuse_preamble(path: Path, lines: Sequence[str], start: int, delimiter: str) -> None:
    """Raise where the names stand further down: the first line names fewer columns than the rows have."""
    n_lines = FIRST_LINES if lines[start - 1].count(delimiter) < ALIKE else ALIKE  # a long line is no preamble
    some = [(start + i, _cells(line, delimiter)) for i, line in enumerate(lines[start - 1 : start + n_lines])]
    some = [(number, cells) for number, cells in some if any(cells)]
    (_, first), *others = some or [(0, [])]
    widths = Counter(len(cells) for _, cells in others)
    if len(others) < 2:
        return
    width, times = widths.most_common(1)[0]
    if width < 2 or 2 * times < len(some) or sum(map(bool, first)) >= width - 1:
        return
    numeric = [number for number, cells in others if len(cells) == width and np.isfinite(to_numbers(cells)).any()]
    for number, cells in others:
        if not numeric or number >= numeric[0]:
            return
        if len(cells) == width and all(cells[1:]):
            shown = lines[start - 1] if len(lines[start - 1]) <= 40 else f"{lines[start - 1][:40]}..."
            problem = f"begins with '{shown}', but its rows have {width} values; line {number} looks like the names"
            raise unreadable(path, problem, f"header={number}")


@dataclass(frozen=True)
class Layout:
    """Which columns of a file make the table.

    Attributes
    ----------
    width : int
        Columns of the file.
    keep : tuple of int
        Those that are kept: neither names of rows nor empty ones without a name.
    names : tuple of str
        What they are called.
    """

    width: int
    keep: tuple[int, ...]
    names: tuple[str, ...]


def split(
    path: Path,
    body: str,
    delimiter: str,
    has_names: bool,
    findings: list[Finding],
    layout: Layout | None = None,
    checks_lengths: bool = True,
    n_before: int = 0,
) -> tuple[Layout, pl.DataFrame]:
    """Cells of the lines from the one with the names on, in the `layout` that was found before, or that they have.

    `n_before` rows of the file stand before these.
    """
    import polars as pl

    text = re.sub(r"\n(?: *\n)+", "\n", body.strip("\n"))  # blank lines are no rows
    if delimiter == " ":  # several of them are one
        text = re.sub(r"(?m)^ | $", "", re.sub(r"[ \t]+", " ", text))
    names: list[str] = []
    plain = '"' in text and len({line.count(delimiter) for line in text.split("\n")}) == 1
    try:
        if has_names:
            names = [_clean(name) for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))]
        table = _parsed(text, delimiter, has_names)
        if plain and table.height < text.count("\n") + 1 - has_names:  # a quote swallowed the end of a row
            raise pl.exceptions.ComputeError("a quote does not close in its row")
    except pl.exceptions.NoDataError:
        raise unreadable(path, "has a header row but no data rows") from None
    except (pl.exceptions.PolarsError, csv.Error) as error:
        if not plain:
            _check_lengths(path, text, delimiter, has_names, n_before=n_before)
            problem = str(error).splitlines()[0][:200]
            fix = "look for quotes that do not close"
            raise unreadable(path, f"cannot be read as a table ({problem})", fix) from None
        table = _parsed(text, delimiter, has_names, quotes=False)
        what = f'"{path.name}" has quotes that do not close; they are taken for text, and each line for a row.'
        findings.append(Finding("W10", what))
    if layout is None:
        layout = _layout(path, text, delimiter, has_names, names, table, findings)
    if checks_lengths and (table.width != layout.width or table.to_series(-1).null_count()):
        _check_lengths(path, text, delimiter, has_names, layout.width == len(names) + 1, n_before)
    if table.width != layout.width:
        raise unreadable(path, f"has {count(len(names))} names for {count(table.width)} columns")
    return layout, table[:, list(layout.keep)]


def _layout(
    path: Path,
    text: str,
    delimiter: str,
    has_names: bool,
    names: Sequence[str],
    table: pl.DataFrame,
    findings: list[Finding],
) -> Layout:
    """Which columns of the file make the table."""
    names = [*names] if has_names else [""] * table.width
    while len(names) > table.width and not names[-1]:
        names.pop()
    first = 0
    last_is_empty = table.to_series(-1).null_count() == table.height
    if table.width == len(names) + 1 and last_is_empty:  # a delimiter at the end of every row
        names.append("")
    elif table.width == len(names) + 1 and _are_row_names(table.to_series(0), text):
        what = (
            f'The rows of "{path.name}" have one value more than there are names: the first is taken for the name of'
            " the row and left out."
        )
        findings.append(Finding("W10", what))
        names, first = ["", *names], 1
    if table.width != len(names):
        _check_lengths(path, text, delimiter, has_names, last_is_empty)
        raise unreadable(path, f"has {count(len(names))} names for {count(table.width)} columns")
    keep = [
        j for j, name in enumerate(names) if j >= first and (name or table.to_series(j).null_count() < table.height)
    ]
    return Layout(table.width, tuple(keep), tuple(names[j] or f"column_{j + 1 - first}" for j in keep))


def _parsed(text: str, delimiter: str, has_names: bool, quotes: bool = True) -> pl.DataFrame:
    """The cells as text; without `quotes`, those around a whole cell go and all others stay."""
    import polars as pl

    table = pl.read_csv(
        io.BytesIO(text.encode()),
        has_header=False,
        skip_rows=int(has_names),
        infer_schema=False,
        separator=delimiter,
        quote_char='"' if quotes else None,
    )
    return table if quotes else table.select(pl.all().str.replace(r'^"([^"]*)"$', "$1"))


def _clean(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip())


def _are_row_names(first: pl.Series, text: str) -> bool:
    """Whether the first values name their rows, as R writes them: all different, and quoted, no numbers, or 1, 2, 3."""
    if first.null_count() or first.n_unique() < len(first):
        return False
    numbers = to_numbers(first.to_list())
    quoted = text[text.find("\n") + 1 :].startswith('"')
    return quoted or not np.isfinite(numbers).any() or bool((numbers - numbers[0] == np.arange(len(numbers))).all())


def _without_empty_end(path: Path, table: pl.DataFrame, findings: list[Finding]) -> pl.DataFrame:
    """The table without the rows at its end that hold nothing but delimiters."""
    height = table.height
    while height and not any(cell and cell.strip() for cell in table.row(height - 1)) and table.width > 1:
        height -= 1
    if not height:
        raise unreadable(path, "has a header row but no data rows")
    if n_empty := table.height - height:
        what = f"the last {count(n_empty)} rows" if n_empty > 1 else "the last row"
        findings.append(Finding("W10", f'Left out {what} of "{path.name}", which hold{"s" * (n_empty == 1)} no value.'))
    return table.head(height)


def _check_lengths(
    path: Path, text: str, delimiter: str, has_names: bool, one_more: bool = False, n_before: int = 0
) -> None:
    """Raise when rows have more or fewer values than the header; `one_more`: an empty one at their end is none."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        width, *widths = (len(row) for row in rows)
    except csv.Error as error:
        raise unreadable(path, f"cannot be read as a table ({error})") from None
    allowed = {width, width + 1} if one_more else {width}
    wrong = [row for row, found in enumerate(widths, start=n_before + 1) if found not in allowed]
    if not wrong:
        return
    found = widths[wrong[0] - n_before - 1]
    what = "1 row" if len(wrong) == 1 else f"{count(len(wrong))} rows"
    base = "header" if has_names else "first line"
    problem = (
        f"has {what} with another number of values than the {base}, which has {width}: "
        f"row{'s' * (len(wrong) > 1)} {sample(wrong)}; row {wrong[0]} has {found}"
    )
    raise unreadable(path, problem, _fix_lengths(text, delimiter))


def _fix_lengths(text: str, delimiter: str) -> str:
    """Another delimiter, where one cuts all lines alike; otherwise quotes."""
    lines = text.split("\n", FIRST_LINES)[:FIRST_LINES]
    for other in DELIMITERS:
        widths = {len(_cells(line, other)) for line in lines}
        if other != delimiter and len(widths) == 1 and widths.pop() > 1:
            return f"delimiter={'tab' if other == chr(9) else other!r}".replace("'", '"')
    return f"put values that hold the delimiter, which is {delimiter!r}, in quotes, and take out lines that are no rows"
