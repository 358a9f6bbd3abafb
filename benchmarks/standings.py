"""The table of the group "classes" with a column for each program, kept in docs/benchmarks.md by the report."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.problems import PROBLEMS
from benchmarks.records import Record
from benchmarks.session import TARGET
from benchmarks.tables import PAGE, TASKS, in_order, in_seconds, in_short, put, standing, table, thread_counts
from benchmarks.weakest import contests

_GROUP = "classes"
_OURS = "normball"


def section(records: list[Record]) -> str:
    """Every problem of the group that was run, with every peer that was asked; "" where there is none."""
    found = [record for record in records if record["kind"] == "run" or record.get("group") == _GROUP]
    kept = [record for record in standing(found) if record["kind"] != "run"]
    ratios = {
        (one.record["problem"], one.record["threads"], one.record["task"]): one for one in contests(found)
    }  # fmt: skip
    asked = {_peer(record) for record in kept}
    leaders = (name for problem in PROBLEMS.values() if problem.group == _GROUP for name in problem.leaders)
    names = [name for name in dict.fromkeys(leaders) if name in asked]
    rows = []
    for threads in thread_counts(kept):
        for problem in dict.fromkeys(record["problem"] for record in in_order(kept)):
            here = [record for record in kept if (record["problem"], record["threads"]) == (problem, threads)]
            for task in TASKS:
                cells = [_seconds(here, _OURS, task), *(_seconds(here, name, task) for name in names)]
                contest = ratios.get((problem, threads, task))
                ratio = f"{contest.ratio:.2f}{' *' if contest.apart else ''}" if contest else ""
                if any(cells):
                    rows.append([*_facts(here[0]), TASKS[task], str(threads), *cells, ratio])
    heads = ["problem", "family", "shape", "task", "threads", f"{_OURS} s", *(f"{name} s" for name in names), "ratio"]
    note = (
        f"Seconds with the loosest tolerance that comes within {TARGET:g} of the optimum, over the null loss; in"
        " brackets how near a program came that never was so near. Ratio: fastest peer / normball. Empty: a program has"
        " no such model, no cross-validation of it, or no path that reached the accuracy. *: normball was measured"
        " again later, not in turn with the peer. `python -m benchmarks report` writes this table from the records"
        " that are there."
    )
    return f"{table(heads, rows)}\n\n{note}" if rows else ""


def keep(records: list[Record], page: Path = PAGE) -> bool:
    """Put the section between the page's marks; whether there was anything to say."""
    text = section(records)
    if text:
        put(page, _GROUP, text)
    return bool(text)


def _facts(record: Record) -> list[str]:
    classes = f" × {record['n_outputs']}" if record.get("n_outputs", 1) > 1 else ""
    return [record["problem"], record["family"], f"{record['n']:,} × {record['p']:,}{classes}"]


def _peer(record: Record) -> str:
    return str(record["theirs"]["solver"] if record["kind"] == "comparison" else record.get("solver", ""))


def _seconds(records: list[Record], name: str, task: str) -> str:
    """What a program took at a problem; else that it ran out of time, or how near it came."""
    told = ""
    for record in records:
        if record["kind"] == "attempt" and (record["solver"], task) == (name, "path") and _is_near(record):
            told = in_seconds([record["seconds"]])  # what is left of a peer where normball has no time
    for record in records:
        if record["kind"] in ("comparison", "timing"):
            sides = [(record["ours"], "cv" if record["task"] == "cv/path" else record["task"])]
            if record["kind"] == "comparison" and record["task"] != "cv/path":
                sides.append((record["theirs"], record["task"]))
            for side, its_task in sides:
                if (side["solver"].split()[0], its_task) == (name, task):
                    told = in_seconds(side["seconds"])
        elif record["kind"] == "failure" and (record["solver"], record["task"]) == (name, task):
            told = _why(record)
    return told


def _is_near(attempt: Record) -> bool:
    return bool(attempt["suboptimality"] <= TARGET)


def _why(failure: Record) -> str:
    limit = re.fullmatch(r"no answer within (.*) s", failure["why"])
    if limit:
        return f"> {limit[1]}"
    last = failure.get("last")
    return f"({in_short(last['suboptimality'])})" if last else "failed"
