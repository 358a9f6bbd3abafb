"""`normball learn`: the nine lessons as a page or as drawings."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from normball.cli import examples
from normball.cli.console import Console, labelled
from normball.cli.source import UsageError, about_other_columns, opened, reading_options
from normball.language import message
from normball.messages import raise_errors

if TYPE_CHECKING:
    from normball.learn import Figure, Lessons
    from normball.messages import Finding


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    _check(arguments)
    from normball.cli.outputs import open_page, sizes, write
    from normball.learn import IDS, drawn, page

    chosen = set(arguments.lessons or ["all"])
    ids = [id for id in IDS if "all" in chosen or id in chosen]
    lessons = _lessons(arguments, ids, console)
    for folder, kind in ((arguments.svg, "svg"), (arguments.png, "png")):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            for figure in drawn(lessons, ids):
                place = Path(folder) / f"lesson_{figure.id}.{kind}"
                _save(figure, place)
                console.written.append(str(place))
    place_of_page = arguments.output or ("" if console.written else "learn.html")
    if place_of_page:
        write(place_of_page, page(lessons, ids, quiz=arguments.quiz), console)
    for written in console.written:
        console.result(labelled(message("Wrote"), sizes([written])))
    if arguments.open:
        open_page(place_of_page, console)
    console.document({"lessons": ids, "data": lessons.about, "files": console.written})
    return 0


def _save(figure: Figure, place: Path) -> None:
    """Save; a package that lacks is something to install, not a fault."""
    try:
        figure.save(place)
    except ImportError as error:
        raise UsageError(str(error)) from None


def _check(arguments: Namespace) -> None:
    from normball.cli.outputs import STDOUT

    if arguments.data and arguments.example:
        raise UsageError("give either --data or --example")
    if arguments.data and not arguments.target:
        raise UsageError("--target is missing: which column is to be explained?")
    if not (arguments.data or arguments.example) and (arguments.target or arguments.x):
        raise UsageError("--target and --x are about a table: give it with --data FILE")
    if (given := min(reading_options(arguments), default="")) and not arguments.data:
        raise UsageError(f"--{given} is about a file: give it with --data FILE")
    if arguments.drop and not (arguments.data or arguments.example):
        raise UsageError("--drop is about a table: give it with --data FILE")
    if arguments.x and len(arguments.x) != 2:
        raise UsageError("--x takes two columns: --x age,income")
    if arguments.open and (arguments.output in STDOUT or ((arguments.svg or arguments.png) and not arguments.output)):
        raise UsageError("--open needs a page in a file: -o FILE")
    if arguments.quiz and (arguments.svg or arguments.png) and not arguments.output:
        raise UsageError("--quiz is for the page: add -o FILE")


def _lessons(arguments: Namespace, ids: list[str], console: Console) -> Lessons:
    """The data, built-in or the user's."""
    from normball.learn import built_in, own

    if arguments.example:
        table, target = examples.example(arguments.example), examples.TARGETS[arguments.example]
    elif arguments.data:
        from normball.inputs.tables import read_table

        findings: list[Finding] = []
        table = read_table(opened(arguments.data)[0], findings=findings, **reading_options(arguments))
        findings = about_other_columns(findings, arguments.drop)
        raise_errors(findings)
        console.findings(findings)
        target = arguments.target
    else:
        return built_in()
    return own(table, target, arguments.x, arguments.missing, arguments.drop, ids)
