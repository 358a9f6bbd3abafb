"""What tables of records share: which records still stand, their order, and how a number is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.problems import PROBLEMS, ROOT
from benchmarks.records import Record
from benchmarks.solvers import SOLVERS

TASKS = {"path": "path", "cv": "path and cross-validation"}
PAGE = ROOT / "docs" / "benchmarks.md"


def standing(records: list[Record]) -> list[Record]:
    """The records without comparisons, timings and failures of which a later run knows better."""
    last: dict[tuple[Any, ...], Record] = {}
    for record in records:
        if record["kind"] in ("comparison", "timing", "failure"):
            last[_subject(record)] = record
            if record["kind"] != "failure":  # then normball itself has not failed
                last.pop((record["problem"], record["threads"], "path", "normball", record["threads"]), None)
    kept = {id(record) for record in last.values()}
    others = ("run", "attempt")
    return [record for record in records if record["kind"] in others or id(record) in kept]


def _subject(record: Record) -> tuple[Any, ...]:
    """Problem, task and both programs with their threads; records of before these were tried apart have one number."""
    threads = record["threads"]
    if record["kind"] == "comparison":
        solver, number = record["theirs"]["solver"], record["theirs"].get("threads", threads)
    elif record["kind"] == "failure":
        solver, number = record["solver"], record.get("their_threads", threads)
    else:
        solver, number = "nobody else", threads
    return (record["problem"], threads, record["task"], solver, number)


def peers(records: Iterable[Record], task: str, threads: int) -> list[Record]:
    """The comparisons with programs: those with the machine's unit are no contest."""
    return [record for record in compared(records, task, threads) if not SOLVERS[record["theirs"]["solver"]].is_unit]


def compared(records: Iterable[Record], task: str, threads: int) -> list[Record]:
    found = (record for record in records if record["kind"] == "comparison" and record["task"] == task)
    return in_order(record for record in found if record["threads"] == threads)


def thread_counts(records: Iterable[Record]) -> list[int]:
    """Normball's numbers of threads; a peer may have been given fewer."""
    return sorted({record["threads"] for record in records if record["kind"] in ("comparison", "timing", "failure")})


def in_order(records: Iterable[Record]) -> list[Record]:
    order = {name: index for index, name in enumerate(PROBLEMS)}
    return sorted(records, key=lambda record: order.get(record["problem"], len(order)))


def peer_name(record: Record) -> str:
    """The peer of a comparison, with its number of threads where that is not ours."""
    threads = record["theirs"].get("threads", record["threads"])
    told = "" if threads == record["threads"] else f", {threads} thread{'s' if threads > 1 else ''}"
    return str(record["theirs"]["solver"]) + told


def named(record: Record) -> str:
    problem = PROBLEMS.get(record["problem"])
    return f"{record['problem']}: {record['family']}, {problem.says}" if problem else record["problem"]


def of_x(side: Record, record: Record) -> str:
    return f"{100 * side['extra_mib'] / record['x_mib']:.0f} %" if record["x_mib"] > 1 else ""


def in_seconds(values: Sequence[float]) -> str:
    value = median(values)
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 10 else f"{value:.1f}"


def in_short(value: float | None) -> str:
    return "" if value is None else f"{value:.0e}"


def told_ratio(ratio: Record) -> str:
    if ratio["rounds"] == 1:
        return f"{ratio['median']:.2f} (one round)"
    return f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["-"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def put(page: Path, name: str, text: str) -> None:
    """Put a section between the page's marks of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.read_text().split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
