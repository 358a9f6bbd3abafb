"""What goes to the terminal, and where: results to stdout, progress and warnings to stderr.

Nothing here moves or has colours unless it is shown on a terminal.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from normball.cli.styles import BOLD, DIM, Stream, are_wanted, is_terminal, marked, styled, switch
from normball.language import message, retold, tr
from normball.results.text import display_width, printable

if TYPE_CHECKING:
    import rich.console
    from rich.progress import Progress

    from normball.messages import Finding

NARROWEST = 40


class Console:
    """One run's way to talk.

    Parameters
    ----------
    machine : bool
        Print one JSON document on stdout instead of tables (`--json`).
    quiet : bool
        Nothing but errors and what was asked for on stdout.
    colour : bool
        Colours where the stream is a terminal.
    verbose : bool
        Say more: every feature, every finding in full.

    Attributes
    ----------
    lost : OSError or None
        Why stdout takes no more.
    planned, written : list of str
        The files that the command is about to write, and those that are complete.
    seconds : dict
        How long each phase took, by its name.
    """

    def __init__(
        self, *, machine: bool = False, quiet: bool = False, colour: bool = True, verbose: bool = False
    ) -> None:
        self.machine = machine
        self.quiet = quiet
        self.verbose = verbose
        self.lost: OSError | None = None
        self.planned: list[str] = []
        self.written: list[str] = []
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()
        switch(colour)
        for stream in (sys.stdout, sys.stderr):
            if reconfigure := getattr(stream, "reconfigure", None):
                reconfigure(errors="backslashreplace")

    @property
    def width(self) -> int:
        """Columns of the terminal; 100 where the output goes to a file."""
        return max(NARROWEST, shutil.get_terminal_size((100, 24)).columns)

    def product(self, text: str) -> None:
        """What the command is there to print, on stdout, also when quiet."""
        if not self.machine:
            self._out(text)

    def result(self, text: str) -> None:
        """A part of what there is to tell, on stdout."""
        if not self.quiet:
            self.product(text)

    def _out(self, text: str) -> None:
        """Print on stdout; where that takes no more (`lost`), the command goes on, for files may be its purpose."""
        self.lost = print_to("stdout", text) or self.lost

    def sentence(self, text: str) -> None:
        """A line of the result that a terminal may break between words, under its first word."""
        self.result(self.wrapped(text, "stdout", " " * 9) if is_terminal("stdout") else text)

    def told(self, label: str, text: str) -> None:
        """A sentence behind its label, which is a `message`; without one below the sentence before."""
        self.sentence(labelled(label, text))

    def document(self, content: Any) -> None:
        """The JSON document of `--json`, on stdout."""
        if self.machine:
            self._out(json.dumps(machine_form(content), ensure_ascii=False, indent=1))

    def note(self, text: str) -> None:
        """Something on the way, on stderr."""
        if not self.quiet:
            print_to("stderr", retold(text, "terminal"))

    def findings(self, findings: Iterable[Finding]) -> None:
        """Warnings, on stderr, in the words of the command line."""
        for finding in findings:
            self.note(self.wrapped(str(finding.in_command_line_words()), "stderr"))

    def error(self, text: str) -> None:
        """Why the command stops, on stderr, also when quiet."""
        print_to("stderr", self.wrapped(text, "stderr"))

    def wrapped(self, text: str, stream: Stream, indent: str = " " * 4) -> str:
        """Printable text; on a terminal broken between words, as its lines would run on, with codes in colour."""
        lines = [printable(line) for line in text.splitlines()]
        if is_terminal(stream):
            lines = [marked(self._broken(line, indent), stream) for line in lines]
        return "\n".join(lines)

    def _broken(self, line: str, indent: str) -> str:
        kept = line.replace(" %", "\u00a0%")  # a number and its sign stay together
        text = textwrap.fill(kept, self.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        return text.replace("\u00a0%", " %")

    def files_in_words(self) -> str:
        """What there is to be found after a failure."""
        if not self.written:
            return tr("no file was written")
        missing = [
            tr("{0} (what is there is older)", place) if os.path.exists(place) else place for place in self.unwritten
        ]
        written = tr("written: {0}", ", ".join(self.written))
        return tr("{0}; not written: {1}", written, ", ".join(missing)) if missing else written

    @property
    def unwritten(self) -> list[str]:
        """The files that were to be written and are not."""
        return [place for place in self.planned if place not in self.written]

    def bold(self, text: str) -> str:
        """A heading on stdout."""
        return styled(text, BOLD, "stdout")

    @contextmanager
    def phase(self, name: str) -> Iterator[Callable[[str], None]]:
        """A part of the work, which counts its seconds; on a terminal its name stands on stderr until it is over.

        The function that is given says what is being worked at.
        """
        begun = time.perf_counter()
        try:
            if self._moves:
                with self._drawn().status(tr(name)) as status:
                    yield lambda at: status.update(labelled(name, at))
            else:
                yield lambda at: None
        finally:
            own = tr(name).lower()
            self.seconds[own] = self.seconds.get(own, 0.0) + time.perf_counter() - begun

    def took(self) -> None:
        """Say on a terminal how long the whole of it took, and each phase."""
        if not self._moves:
            return
        each = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.seconds.items())
        text = labelled(message("Took"), tr("{0} s ({1})", f"{time.perf_counter() - self._start:.1f}", each))
        self.note(styled(self._broken(text, " " * 9), DIM, "stderr"))

    def bar(self, label: str, unit: str, rounds: int = 1) -> Bar:
        """A moving bar on stderr; it stays still where stderr is no terminal or the run is quiet."""
        return Bar(label, unit, rounds, self._drawn if self._moves else None, self.seconds)

    @property
    def _moves(self) -> bool:
        return is_terminal("stderr") and not self.quiet

    def _drawn(self) -> rich.console.Console:
        from rich.console import Console as Drawn

        return Drawn(file=sys.stderr, no_color=not are_wanted(), highlight=False)


def labelled(label: str, text: str) -> str:
    """A text behind its label in the language of the results."""
    own = tr(label)
    return f"{own}{' ' * (8 - display_width(own))} {retold(text, 'terminal')}"


class Bar:
    """A progress bar; call it with the work done and the work in total, once through for each round."""

    def __init__(
        self,
        label: str,
        unit: str,
        rounds: int,
        console: Callable[[], rich.console.Console] | None,
        seconds: dict[str, float],
    ) -> None:
        self._seconds, self._begun = seconds, time.perf_counter()
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
            which = f"  {tr('fit')} {self._round}/{self._rounds}" if self._rounds > 1 else ""
            self._progress.update(self._task, completed=share, count=f"{done}/{total} {tr(self._unit)}{which}")
        return False

    def _start(self, console: rich.console.Console) -> Progress:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn(labelled(self._label, "")[:-1]),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
        )
        progress = Progress(*columns, console=console, redirect_stdout=False)
        self._task = progress.add_task("", total=self._rounds, count="")
        progress.start()
        return progress

    def close(self) -> None:
        """Leave the finished bar on its line, and its time with those of other phases."""
        self._seconds.setdefault(tr(self._label).lower(), time.perf_counter() - self._begun)
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


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
