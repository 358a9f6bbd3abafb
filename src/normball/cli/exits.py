"""How a command ends: the codes, and what is said of an error, on stderr and as data."""

from __future__ import annotations

from normball.cli.console import Console
from normball.language import retold
from normball.messages import command_line_words

USAGE, DATA, NOT_CONVERGED, FILE, INTERRUPTED, CLOSED = 2, 3, 4, 5, 130, 141


def usage_problem(message: str, prog: str, console: Console, hint: str = "") -> int:
    """Say what is wrong with the words of a command."""
    own = command_line_words(retold(message, "terminal"))
    console.document({"error": "usage", "message": own})
    console.error(f"{prog}: {own}{hint}")
    return USAGE


def file_problem(error: OSError, command: str, console: Console, result: dict[str, object] | None = None) -> int:
    """Say which file could not be read or written; with `--json` beside the `result`, if there is one."""
    why = retold(str(error.strerror or error), "terminal")
    message = f"{error.filename}: {why}" if error.filename else why
    if console.written:
        message += f"; {console.files_in_words()}"
    console.document({**(result or {}), "error": "file", "message": message})
    console.error(f"normball {command}: {message}")
    return FILE
