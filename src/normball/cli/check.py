"""`normball check`: look at the data, fit nothing."""

from __future__ import annotations

from argparse import Namespace

from normball.cli.console import Console
from normball.cli.exits import DATA
from normball.cli.source import read


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli import long_tables
    from normball.findings.check import check

    with console.phase("Read"):
        task = long_tables.read(arguments, words) if long_tables.is_long(arguments) else read(arguments, words)
    given = {**task.options, "family": task.family, "offset": task.offset, "seconds": arguments.seconds}
    with console.phase("Check"):
        found = check(task.table, task.run.y, **given)
    findings = [finding.in_command_line_words(vars(arguments)) for finding in (*task.findings, *found)]
    name = task.run.source or f"example {task.run.example}"
    console.sentence(f"Read     {name}: {task.n_rows:,} rows x {task.n_columns:,} columns")
    for finding in findings:
        if console.quiet and finding.is_error:
            console.error(str(finding))
        console.result(console.wrapped(str(finding), "stdout"))
    n_errors = sum(finding.is_error for finding in findings)
    numbers = f"{_counted(n_errors, 'error')}, {_counted(len(findings) - n_errors, 'remark')}"
    console.result(f"Found    {numbers}" if findings else "Found    nothing")
    console.took()
    console.document({"errors": n_errors, "findings": [vars(finding) for finding in findings]})
    return DATA if n_errors else 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
