"""The table "where we are weakest": the worst ratios over all records, kept in docs/benchmarks.md by the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.records import Record
from benchmarks.tables import PAGE, TASKS, in_seconds, peer_name, peers, put, standing, table, thread_counts

_MOST = 10


@dataclass(frozen=True)
class Contest:
    """One problem and task against the quickest peer that reached the accuracy."""

    record: Record  # the comparison that has the peer's time
    ours: Record  # our side of it, or of a later measurement on the same machine
    ratio: float  # peer / normball
    apart: bool  # whether ours is the later one, not measured in turn with the peer


def contests(records: list[Record]) -> list[Contest]:
    """For every problem, task and number of threads the peer with the smallest ratio; the smallest first."""
    newest = _newest(records)
    kept = standing(records)
    best: dict[tuple[Any, ...], Contest] = {}
    for threads in thread_counts(kept):
        for task in TASKS:
            for record in peers(kept, task, threads):
                key = (record["problem"], threads, task)
                found = _contest(record, newest[*key, _machine(records, record)])
                if key not in best or found.ratio < best[key].ratio:
                    best[key] = found
    return sorted(best.values(), key=lambda contest: contest.ratio)


def _contest(record: Record, newest: Record) -> Contest:
    if newest["run"] == record["run"]:
        return Contest(record, record["ours"], record["ratio"]["median"], apart=False)
    ratio = median(record["theirs"]["seconds"]) / median(newest["ours"]["seconds"])
    return Contest(record, newest["ours"], ratio, apart=True)


def _newest(records: list[Record]) -> dict[tuple[Any, ...], Record]:
    """Normball's last measurement of a problem, by threads, task and machine, whatever it was measured against."""
    found: dict[tuple[Any, ...], Record] = {}
    for record in records:
        if record["kind"] in ("comparison", "timing"):
            task = "cv" if record["task"] == "cv/path" else record["task"]
            found[record["problem"], record["threads"], task, _machine(records, record)] = record
    return found


def _machine(records: list[Record], record: Record) -> tuple[Any, ...]:
    """Where a record was made: only what one machine measured is set side by side."""
    runs = [run for run in records if run["kind"] == "run" and run["run"] == record["run"]]
    return (runs[-1]["processor"], runs[-1]["cores"]) if runs else ()


def _row(contest: Contest) -> list[str]:
    record, ours, theirs = contest.record, contest.ours, contest.record["theirs"]
    return [
        record["problem"], record["family"], f"{record['n']:,} × {record['p']:,}", TASKS[record["task"]],
        str(record["threads"]), in_seconds(ours["seconds"]), in_seconds(ours["cpu"]),
        peer_name(record), in_seconds(theirs["seconds"]), in_seconds(theirs["cpu"]),
        f"{contest.ratio:.2f}{' *' if contest.apart else ''}",
    ]  # fmt: skip


def section(records: list[Record]) -> str:
    """The table and what it says."""
    found = contests(records)
    rows = [_row(contest) for contest in found[:_MOST]]
    heads = ["problem", "family", "shape", "task", "threads", "normball s", "CPU s", "fastest peer", "s", "CPU s"]
    peer_faster = sum(one.ratio < 1 for one in found)
    note = (
        f"The {len(rows)} smallest of {len(found)} ratios peer / normball, each with the fastest peer that reached the"
        f" accuracy; in {peer_faster} the peer is faster. `python -m benchmarks report` writes this table from the"
        " records that are there."
    )
    if any(one.apart for one in found[:_MOST]):
        note += " *: normball was measured again later, not in turn with the peer."
    return f"{table([*heads, 'ratio'], rows)}\n\n{note}"


def keep(records: list[Record], page: Path = PAGE) -> bool:
    """Put the section between the page's marks; whether there was anything to say."""
    if not contests(records):
        return False
    put(page, "weakest", section(records))
    return True
