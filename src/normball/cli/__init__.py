"""The command line: `normball fit | predict | export | show | report | check | learn`."""

from __future__ import annotations

import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any

from normball.cli.arguments import parser
from normball.cli.console import Console, print_to
from normball.cli.exits import CLOSED, DATA, FILE, INTERRUPTED, file_problem, usage_problem
from normball.cli.parsing import NotUnderstood, language_of, with_dashed_values
from normball.cli.styles import switch
from normball.language import current, retold, speaking, tr

FILE_CODES = {"E10", "E11"}  # findings about files rather than about what is in them


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; without any, show the help.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the program's name; those of the process by default.

    Returns
    -------
    int
        0 done, 2 wrong usage, 3 problem in the data, 4 not converged, 5 file or format, 130 interrupted, 141 the
        reader of stdout left before the end and no file was written.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    switch("--no-color" not in words)
    with speaking(language_of(words)):
        return _spoken(words)


def _spoken(words: list[str]) -> int:
    """The same in the language that is spoken."""
    if not words:
        parser().print_help()
        return 0
    try:
        arguments = parser().parse_args(with_dashed_values(words))
    except SystemExit as end:
        print_to("stdout")  # argparse does not flush its help
        return int(end.code or 0)
    except NotUnderstood as error:
        console = Console(machine="--json" in words, colour="--no-color" not in words)
        hint = tr("All options: {0}", f"{error.prog} --help")
        return usage_problem(str(error), error.prog, console, f"\n{hint}")
    console = Console(
        machine=getattr(arguments, "json", False),
        quiet=getattr(arguments, "quiet", False),
        colour=not getattr(arguments, "no_color", False),
        verbose=getattr(arguments, "verbose", False),
    )
    try:
        with warnings.catch_warnings(), speaking(getattr(arguments, "lang", current())):
            warnings.showwarning = partial(_note, console)
            code = _run(arguments, words, console)
    except KeyboardInterrupt:  # here, so that the imports of a command are covered too
        message = tr("Interrupted; {0}.", console.files_in_words())
        console.document({"error": "interrupted", "message": message})
        console.error(message)
        return INTERRUPTED
    return code or _code_of_stdout(arguments.command, console)


def _code_of_stdout(command: str, console: Console) -> int:
    """Whether the results reached their reader."""
    if console.lost is None:
        return 0
    if isinstance(console.lost, BrokenPipeError):  # the reader has seen enough: `normball show model.json | head`
        return 0 if console.written else CLOSED
    console.error(f"normball {command}: stdout: {console.lost.strerror}; {console.files_in_words()}.")
    return FILE


def _note(console: Console, message: Warning | str, *where: Any, **more: Any) -> None:
    """A warning as a line on stderr, without the place in the code."""
    console.note(f"{tr('Warning')}: {retold(str(message), 'terminal')}")


def _run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command and turn what the user can mend into a message and an exit code."""
    from normball.cli.outputs import check_outputs
    from normball.cli.source import UsageError
    from normball.messages import DataError

    try:
        check_outputs(arguments)
        return int(import_module(f"normball.cli.{arguments.command}").run(arguments, words, console))
    except DataError as error:
        findings = [finding.in_command_line_words(vars(arguments)) for finding in error.findings]
        message = "\n".join(str(finding) for finding in findings)
        console.document({"error": "data", "message": message, "findings": [vars(finding) for finding in findings]})
        console.error(message)
        return FILE if {finding.code for finding in findings} <= FILE_CODES else DATA
    except (UsageError, ValueError) as error:
        return usage_problem(str(error), f"normball {arguments.command}", console)
    except OSError as error:
        return file_problem(error, arguments, console)
