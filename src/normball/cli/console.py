"""What goes to the terminal, and where: results to stdout, progress and warnings to stderr.

Nothing here moves or colours unless it is shown on a terminal.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from normball.report.text import display_width, printable

if TYPE_CHECKING:
    from normball.messages import Finding

BAR = 30  # cells
NARROWEST = 60


class Console:
    """One run's way to talk.

    Parameters
    ----------
    machine : bool
        Print one JSON document on stdout instead of tables (`--json`).
    quiet : bool
        No progress and no warnings.
    colour : bool
        Bold headings and grey codes where the stream is a terminal.
    verbose : bool
        Say more: every feature, every finding in full.
    """

    def __init__(
        self, *, machine: bool = False, quiet: bool = False, colour: bool = True, verbose: bool = False
    ) -> None:
        self.machine = machine
        self.quiet = quiet
        self.verbose = verbose
        self._colour = colour and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        for stream in (sys.stdout, sys.stderr):
            if reconfigure := getattr(stream, "reconfigure", None):
                reconfigure(errors="backslashreplace")

    @property
    def width(self) -> int:
        """Columns of the terminal; 100 where the output goes to a file."""
        return max(NARROWEST, shutil.get_terminal_size((100, 24)).columns)

    def result(self, text: str) -> None:
        """A line of the result, on stdout."""
        if not self.machine:
            print(text, flush=True)

    def document(self, content: Any) -> None:
        """The JSON document of `--json`, on stdout."""
        if self.machine:
            print(json.dumps(machine_form(content), ensure_ascii=False, indent=1), flush=True)

    def note(self, text: str) -> None:
        """Something on the way, on stderr."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def findings(self, findings: Iterable[Finding]) -> None:
        """Warnings, on stderr, in the words of the command line."""
        for finding in findings:
            self.note(self._wrapped(str(finding.in_command_line_words())))

    def error(self, text: str) -> None:
        """Why the command stops, on stderr, also when quiet."""
        print(self._wrapped(text), file=sys.stderr, flush=True)

    def _wrapped(self, text: str) -> str:
        """Printable text; on a terminal broken between words, as its lines would run on."""
        lines = [printable(line) for line in text.splitlines()]
        if not sys.stderr.isatty():
            return "\n".join(lines)
        return "\n".join(
            textwrap.fill(line, self.width, subsequent_indent="    ", break_long_words=False) for line in lines
        )

    def bold(self, text: str) -> str:
        """A heading."""
        return self._styled(text, "1")

    def grey(self, text: str) -> str:
        """A remark."""
        return self._styled(text, "2")

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and sys.stdout.isatty() else text

    @contextmanager
    def busy(self, label: str) -> Iterator[None]:
        """A word on stderr while something takes its time; gone afterwards, and only on a terminal."""
        shown = sys.stderr.isatty() and not self.quiet
        if shown:
            print(f"{label:<9}...", end="", file=sys.stderr, flush=True)
        try:
            yield
        finally:
            if shown:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def bar(self, label: str, unit: str, rounds: int = 1) -> Bar:
        """A moving bar on stderr; it stays still where stderr is no terminal or the run is quiet."""
        return Bar(label, unit, rounds, sys.stderr if sys.stderr.isatty() and not self.quiet else None)


class Bar:
    """A progress bar; call it with the work done and the work in total, once through for each round."""

    def __init__(self, label: str, unit: str, rounds: int, stream: TextIO | None) -> None:
        self._label, self._unit, self._rounds, self._stream = label, unit, rounds, stream
        self._started = time.monotonic()
        self._round, self._done, self._shown = 1, 0, ""

    def __call__(self, done: int, total: int) -> bool:
        """Redraw; the answer False means: go on."""
        if self._stream is not None:
            self._round += done < self._done
            self._done = done
            filled = BAR * done // max(total, 1)
            seconds = int(time.monotonic() - self._started)
            clock = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            which = f"  fit {self._round}/{self._rounds}" if self._rounds > 1 else ""
            bar = f"{self._label:<9}{'#' * filled}{'-' * (BAR - filled)}  {done}/{total} {self._unit}{which}  {clock}"
            if bar != self._shown:
                self._stream.write(f"\r{bar}\x1b[K")
                self._stream.flush()
                self._shown = bar
        return False

    def close(self) -> None:
        """Leave the finished bar on its line."""
        if self._stream is not None and self._shown:
            self._stream.write("\n")
            self._stream.flush()
            self._shown = ""


def table(rows: Sequence[Sequence[str]], *, align: str, gap: int = 3, indent: int = 0) -> list[str]:
    """Rows as aligned lines; `align` holds one of `<` and `>` for each column."""
    widths = [max(display_width(row[k]) for row in rows) for k in range(len(align))]
    lines = []
    for row in rows:
        cells = []
        for cell, width, side in zip(row, widths, align, strict=True):
            air = " " * (width - display_width(cell))
            cells.append(air + cell if side == ">" else cell + air)
        lines.append((" " * indent + (" " * gap).join(cells)).rstrip())
    return lines


def machine_form(value: Any) -> Any:
    """`value` in what JSON has: arrays become lists, and what is not finite becomes null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): machine_form(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [machine_form(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
