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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

from normball.results.text import printable

if TYPE_CHECKING:
    import rich.console
    from rich.progress import Progress

    from normball.messages import Finding

NARROWEST = 40
Stream = Literal["stdout", "stderr"]


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
        self.lost: OSError | None = None  # why stdout takes no more
        self.written: list[str] = []  # the files that are complete
        self._colour = colour and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        for stream in (sys.stdout, sys.stderr):
            if reconfigure := getattr(stream, "reconfigure", None):
                reconfigure(errors="backslashreplace")

    @property
    def width(self) -> int:
        """Columns of the terminal; 100 where the output goes to a file."""
        return max(NARROWEST, shutil.get_terminal_size((100, 24)).columns)

    def result(self, text: str) -> None:
        """A part of the result, on stdout."""
        if not self.machine:
            self._out(text)

    def _out(self, text: str) -> None:
        """Print on stdout; where that takes no more (`lost`), the command goes on, for files may be its purpose."""
        self.lost = print_to("stdout", text) or self.lost

    def sentence(self, text: str) -> None:
        """A line of the result that a terminal may break between words, under its first word."""
        self.result(self._broken(text, " " * 9) if is_terminal("stdout") else text)

    def document(self, content: Any) -> None:
        """The JSON document of `--json`, on stdout."""
        if self.machine:
            self._out(json.dumps(machine_form(content), ensure_ascii=False, indent=1))

    def note(self, text: str) -> None:
        """Something on the way, on stderr."""
        if not self.quiet:
            print_to("stderr", text)

    def findings(self, findings: Iterable[Finding]) -> None:
        """Warnings, on stderr, in the words of the command line."""
        for finding in findings:
            self.note(self._wrapped(str(finding.in_command_line_words())))

    def error(self, text: str) -> None:
        """Why the command stops, on stderr, also when quiet."""
        print_to("stderr", self._wrapped(text))

    def _wrapped(self, text: str) -> str:
        """Printable text; on a terminal broken between words, as its lines would run on."""
        lines = [printable(line) for line in text.splitlines()]
        if not is_terminal("stderr"):
            return "\n".join(lines)
        return "\n".join(self._broken(line, "    ") for line in lines)

    def _broken(self, line: str, indent: str) -> str:
        return textwrap.fill(line, self.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)

    def files_in_words(self) -> str:
        """What there is to be found after a failure."""
        return f"written: {', '.join(self.written)}" if self.written else "no file was written"

    def bold(self, text: str) -> str:
        """A heading."""
        return self._styled(text, "1")

    def grey(self, text: str) -> str:
        """A remark."""
        return self._styled(text, "2")

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and is_terminal("stdout") else text

    @contextmanager
    def busy(self, label: str) -> Iterator[None]:
        """A word on stderr while something takes its time; gone afterwards, and only on a terminal."""
        if not self._moves:
            yield
            return
        with self._drawn().status(label):
            yield

    def bar(self, label: str, unit: str, rounds: int = 1) -> Bar:
        """A moving bar on stderr; it stays still where stderr is no terminal or the run is quiet."""
        return Bar(label, unit, rounds, self._drawn if self._moves else None)

    @property
    def _moves(self) -> bool:
        return is_terminal("stderr") and not self.quiet

    def _drawn(self) -> rich.console.Console:
        from rich.console import Console as Drawn

        return Drawn(file=sys.stderr, no_color=not self._colour, highlight=False)


class Bar:
    """A progress bar; call it with the work done and the work in total, once through for each round."""

    def __init__(self, label: str, unit: str, rounds: int, console: Callable[[], rich.console.Console] | None) -> None:
        self._label, self._unit, self._rounds, self._console = label, unit, rounds, console
        self._round, self._done = 1, 0
        self._progress: Progress | None = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> bool:
        """Move on; the answer False means: do not stop."""
        if self._console is not None:
            if self._progress is None:
                self._progress = self._start(self._console())
            self._round += done < self._done
            self._done = done
            share = self._round - 1 + done / max(total, 1)
            which = f"  fit {self._round}/{self._rounds}" if self._rounds > 1 else ""
            self._progress.update(self._task, completed=share, count=f"{done}/{total} {self._unit}{which}")
        return False

    def _start(self, console: rich.console.Console) -> Progress:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn(f"{self._label:<8}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
        )
        progress = Progress(*columns, console=console, redirect_stdout=False)
        self._task = progress.add_task("", total=self._rounds, count="")
        progress.start()
        return progress

    def close(self) -> None:
        """Leave the finished bar on its line."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def is_terminal(stream: Stream) -> bool:
    """Whether a stream is shown on a terminal; one that was closed before the program began is None."""
    file = getattr(sys, stream)
    return file is not None and bool(file.isatty())


def print_to(stream: Stream, *texts: str) -> OSError | None:
    """Print lines at once, and return what went wrong: a pipe that its reader closed, a full disk.

    What is left of them then goes nowhere, or Python would complain of it when it ends.
    """
    file = getattr(sys, stream)
    if file is None:
        return None
    try:
        for text in texts:
            file.write(text + "\n")
        file.flush()
    except OSError as error:
        with suppress(OSError):  # of a stream that is no file
            os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
        return error
    return None


def machine_form(value: Any) -> Any:
    """`value` in what JSON has: arrays become lists, and what is not finite becomes null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): machine_form(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [machine_form(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
