"""`normball check`: look at the data, fit nothing."""

from __future__ import annotations

from argparse import Namespace

from normball.cli.console import Console, labelled
from normball.cli.exits import DATA
from normball.cli.positive import with_positive
from normball.cli.source import read
from normball.language import message, tr


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli import long_tables
    from normball.findings.check import check

    with console.phase(message("Read")):
        is_long = long_tables.is_long(arguments)
        task = (
            long_tables.read(arguments, words) if is_long else with_positive(read(arguments, words), arguments.positive)
        )
    given = {**task.options, "family": task.family, "offset": task.offset, "seconds": arguments.seconds}
    with console.phase(message("Check")):
        found = check(task.table, task.run.y, **given)
    findings = [finding.in_command_line_words(vars(arguments)) for finding in (*task.findings, *found)]
    name = task.run.source or f"example {task.run.example}"
    console.told(message("Read"), f"{name}: {task.n_rows:,} rows x {task.n_columns:,} columns")
    for finding in findings:
        if console.quiet and finding.is_error:
            console.error(str(finding))
        console.result(console.wrapped(str(finding), "stdout"))
    n_errors = sum(finding.is_error for finding in findings)
    n_remarks = len(findings) - n_errors
    errors = tr("1 error") if n_errors == 1 else tr("{0} errors", n_errors)
    remarks = tr("1 remark") if n_remarks == 1 else tr("{0} remarks", n_remarks)
    console.result(labelled(message("Found"), f"{errors}, {remarks}" if findings else tr("nothing")))
    console.took()
    console.document({"errors": n_errors, "findings": [vars(finding) for finding in findings]})
    return DATA if n_errors else 0
