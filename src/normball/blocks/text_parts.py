"""Text tables read in parts: the same lines, names and cells as `inputs.text_files` finds in a whole file."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from normball.inputs.file_kinds import GZIP
from normball.inputs.reading import Reading
from normball.inputs.text_files import BEGINNING, Layout, beginning_of, encoding_of, not_encoded, split, unreadable
from normball.messages import Finding, count

if TYPE_CHECKING:
    import polars as pl

HEAD = 1 << 20  # characters that tell the layout
PIECE = 1 << 22  # characters that are read at once
LONGEST = 1 << 26  # of one row; a quote that does not close makes one of the rest of the file


@dataclass(frozen=True)
class TextFile:
    """A text table, of which the beginning was read.

    Attributes
    ----------
    path : Path
        Where it is.
    encoding, delimiter : str
        How it is written.
    n_before : int
        Lines before the one with the names.
    header : str
        That line with its end; "" where there is none.
    layout : Layout
        Its columns.
    """

    path: Path
    encoding: str
    delimiter: str
    n_before: int
    header: str
    layout: Layout

    def parts(self, names: Sequence[str], checks_lengths: bool) -> Iterator[pl.DataFrame]:
        """These columns as text, null where there is nothing, from the first row on."""
        held: list[pl.DataFrame] = []  # rows that hold nothing: at the end of a file they are none
        n_rows = 0
        for piece in self._pieces():
            table = self._table(piece, checks_lengths, n_rows)
            n_rows += table.height
            n_empty = _n_empty_at_end(table)
            if n_empty < table.height:
                yield from (rows[:, list(names)] for rows in held)
                yield table.head(table.height - n_empty)[:, list(names)]
                held = []
            if n_empty:
                held.append(table.tail(n_empty))

    def _table(self, piece: str, checks_lengths: bool, n_before: int) -> pl.DataFrame:
        _, table = split(
            self.path,
            self.header + piece,
            self.delimiter,
            bool(self.header),
            [],
            self.layout,
            checks_lengths=checks_lengths,
            n_before=n_before,
        )
        table.columns = list(self.layout.names)
        return table

    def _pieces(self) -> Iterator[str]:
        """The rows as text, in pieces that end where a row does."""
        with _opened(self.path, self.encoding) as file:
            for _ in range(self.n_before):
                file.readline()
            file.read(len(self.header))
            yield from (piece for piece in _whole_rows(self.path, file, PIECE) if piece.strip())


def text_file(path: Path, reading: Reading, findings: list[Finding]) -> TextFile:
    """Read the beginning of a text table."""
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
    with gzip.open(path) if packed else path.open("rb") as file:
        beginning = file.read(BEGINNING + 1)
    encoding = encoding_of(path, beginning, reading.encoding, findings)
    with _opened(path, encoding) as file:
        head = next(_whole_rows(path, file, HEAD), "")
    start, delimiter = beginning_of(path, head, reading, findings)
    lines = head.split("\n")
    header = ""
    if reading.header != 0:
        length = 1
        while '"' in lines[start - 1] and _is_open("\n".join(lines[start - 1 : start - 1 + length])):
            length += 1
        header = "\n".join(lines[start - 1 : start - 1 + length]) + "\n"
    layout, _ = split(path, "\n".join(lines[start - 1 :]), delimiter, bool(header), findings)
    return TextFile(path, encoding, delimiter, start - 1, header, layout)


def _is_open(text: str) -> bool:
    """Whether a quote of a row has not closed yet."""
    return text.count('"') % 2 == 1


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[IO[str]]:
    """The text of a file, packed or not, with one kind of line ends."""
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
    try:
        with gzip.open(path) if packed else path.open("rb") as content:
            yield io.TextIOWrapper(content, encoding=encoding)
    except UnicodeDecodeError as error:
        raise not_encoded(path, encoding, _line_of(path, encoding), error.object[error.start :]) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise unreadable(path, f"cannot be unpacked ({error})") from None


def _line_of(path: Path, encoding: str) -> str:
    """The first line that is no text of this encoding."""
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
    with gzip.open(path) if packed else path.open("rb") as content:
        for number, line in enumerate(content, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return f"line {count(number)}"
    return "a line"


def _whole_rows(path: Path, file: IO[str], size: int) -> Iterator[str]:
    """The text in pieces that end with a row: at the end of a line where every quote has closed."""
    rest = ""
    while piece := file.read(size):
        text = rest + piece
        end = _end_of_rows(text)
        if end:
            yield text[:end]
        rest = text[end:]
        if len(rest) > LONGEST:
            problem = f"has a row of more than {count(LONGEST)} characters, which begins with {rest[:40]!r}"
            raise unreadable(path, problem, "look for a quote that does not close")
    if rest:
        yield rest


def _end_of_rows(text: str) -> int:
    """Behind the last line end outside of quotes, 0 where there is none."""
    n_quotes = text.count('"')
    end = len(text)
    while (place := text.rfind("\n", 0, end)) >= 0:
        n_quotes -= text.count('"', place, end)
        if n_quotes % 2 == 0:
            return place + 1
        end = place
    return 0


def _n_empty_at_end(table: pl.DataFrame) -> int:
    height = table.height
    while height and not any(cell and cell.strip() for cell in table.row(height - 1)) and table.width > 1:
        height -= 1
    return table.height - height
