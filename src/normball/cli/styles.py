"""Colours, where a stream is a terminal and nobody has said that there shall be none."""

from __future__ import annotations

import os
import re
import sys
from typing import Literal

from normball.language import tr

Stream = Literal["stdout", "stderr"]

BOLD, DIM, CYAN, RED, YELLOW = "1", "2", "36", "1;31", "1;33"  # codes of SGR
_MEANT = re.compile(r"(?<= exists: )\S+")  # what a mistyped word was meant to be

_switch = {"on": True}


def is_terminal(stream: Stream) -> bool:
    """Whether a stream is shown on a terminal; one that was closed before the program began is None."""
    file = getattr(sys, stream)
    return file is not None and bool(file.isatty())


def switch(on: bool) -> None:
    """Whether colours are wanted from here on, as far as words of the command line say so."""
    _switch["on"] = on


def are_wanted() -> bool:
    """Whether command line and surroundings (https://no-color.org) allow colours."""
    return _switch["on"] and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, style: str, stream: Stream) -> str:
    """The text in a style, plain where the stream is no terminal or colours are not wanted."""
    return f"\x1b[{style}m{text}\x1b[0m" if are_wanted() and is_terminal(stream) else text


def marked(line: str, stream: Stream) -> str:
    """A line of a message with its code, or all of its remedy, in colour."""
    starts = (  # and how they are shown
        (r"E\d\d\b|normball( \w+)?:", RED),
        (rf"W\d\d\b|({tr('Warning')}|{tr('Careful')})\b", YELLOW),
        (rf" *{tr('Fix:')} .*", CYAN),
    )
    for start, style in starts:
        if found := re.match(start, line, re.DOTALL):
            rest = _MEANT.sub(lambda meant: styled(meant[0], CYAN, stream), line[found.end() :])
            return styled(found[0], style, stream) + rest
    return line
