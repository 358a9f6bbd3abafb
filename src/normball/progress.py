"""Progress of a running fit: a bar on the terminal, or the caller's own function."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from normball.settings import Progress

_PATIENCE = 0.5  # seconds of work before a bar appears


class Poll:
    """What the native code calls now and then: reports `done` of `total`, says whether to stop.

    Parameters
    ----------
    progress : bool, callable or None
        None shows a bar where the standard error stream is a terminal, True everywhere, False never. A callable gets
        (done, total) and stops the fit by returning True.
    """

    def __init__(self, progress: Progress) -> None:
        self._callback = progress if callable(progress) else None
        wants_bar = sys.stderr.isatty() if progress is None else progress is True
        self._bar_due = time.monotonic() + _PATIENCE if wants_bar else float("inf")
        self._bar: Any = None
        self._task: Any = None
        self._error: Exception | None = None
        self._last = (0, 1)  # done and total
        self._text = "path"
        self.stopped = False  # by the callable or by Ctrl-C while Python code ran

    def __enter__(self) -> Poll:
        return self

    def __call__(self, done: int, total: int) -> bool:
        """Report, and return whether the fit is to stop."""
        self._last = (done, total)
        try:
            if self._callback is not None:
                self.stopped |= self._callback(done, total) is True
            elif time.monotonic() >= self._bar_due:
                self._show(done, total)
        except KeyboardInterrupt:
            self.stopped = True
        except Exception as error:  # carried across the native frames, raised again on leaving
            self._error = error
            self.stopped = True
        return self.stopped

    def meanwhile(self, text: str) -> bool:
        """Report that work goes on at `text`, with as much done as before; returns whether the fit is to stop."""
        self._text = text
        return self(*self._last)

    def _show(self, done: int, total: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress as Bar

            console = Console(stderr=True)
            self._bar = Bar(console=console, transient=console.is_terminal)
            self._task = self._bar.add_task(self._text, total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total, description=self._text)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._error is not None:
            raise self._error
