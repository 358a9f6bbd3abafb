"""How a command ends: the codes, and what is said of an error, on stderr and as data."""

from __future__ import annotations

from normball.cli.console import Console

USAGE, DATA, NOT_CONVERGED, FILE, INTERRUPTED, CLOSED = 2, 3, 4, 5, 130, 141


def usage_problem(message: str, prog: str, console: Console, hint: str = "") -> int:
    """Say what is wrong with the words of a command."""
    console.document({"error": "usage", "message": message})
    console.error(f"{prog}: {message}{hint}")
    return USAGE


def file_problem(error: OSError, command: str, console: Console, result: dict[str, object] | None = None) -> int:
    """Say which file could not be read or written; with `--json` beside the `result`, if there is one."""
    message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if console.written:
        message += f"; {console.files_in_words()}"
    console.document({**(result or {}), "error": "file", "message": message})
    console.error(f"normball {command}: {message}")
    return FILE
