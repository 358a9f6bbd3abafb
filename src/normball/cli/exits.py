"""How a command ends: the codes, and what is said of an error, on stderr and as data."""

from __future__ import annotations

from argparse import Namespace
from pathlib import PurePath

from normball.cli.console import Console
from normball.language import retold
from normball.messages import command_line_words

PLACES = {"output": "-o", "out_of_fold": "--out-of-fold", "groups": "--groups", "svg": "--svg", "png": "--png"}
USAGE, DATA, NOT_CONVERGED, FILE, INTERRUPTED, CLOSED = 2, 3, 4, 5, 130, 141


def usage_problem(message: str, prog: str, console: Console, hint: str = "") -> int:
    """Say what is wrong with the words of a command."""
    own = command_line_words(retold(message, "terminal"))
    console.document({"error": "usage", "message": own})
    console.error(f"{prog}: {own}{hint}")
    return USAGE


def file_problem(
    error: OSError, arguments: Namespace, console: Console, result: dict[str, object] | None = None
) -> int:
    """Say which file could not be read or written; with `--json` beside the `result`, if there is one."""
    why = retold(str(error.strerror or error), "terminal")
    message = f"{_option_of(error.filename, arguments)}{error.filename}: {why}" if error.filename else why
    if console.written:
        message += f"; {console.files_in_words()}"
    console.document({**(result or {}), "error": "file", "message": message})
    console.error(f"normball {arguments.command}: {message}")
    return FILE


def _option_of(place: str, arguments: Namespace) -> str:
    """`--groups ` before a file that an option names, `-o out: ` before one in a folder that an option names."""
    for name, option in PLACES.items():
        given = getattr(arguments, name, None)
        if given == str(place):
            return f"{option} "
        if given and given != "." and PurePath(given) in PurePath(place).parents:
            return f"{option} {given}: "
    return ""
