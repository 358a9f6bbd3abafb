"""Tables and pictures from recorded measurements; nothing in them is written by hand."""

from __future__ import annotations

from pathlib import Path

from benchmarks.records import Record, latest
from benchmarks.session import TARGET
from benchmarks.tables import (
    PAGE,
    TASKS,
    compared,
    in_order,
    in_seconds,
    in_short,
    named,
    of_x,
    peer_name,
    peers,
    put,
    standing,
    table,
    thread_counts,
    told_ratio,
)


def write(records: list[Record], folder: Path) -> Path:
    """Write `report.md` and its pictures; the answer is the page's path."""
    from benchmarks import pictures

    records = standing(records)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures.draw(records, folder)
    sections = [
        "# Benchmark results",
        _provenance(records),
        *(_comparisons(records, task, threads) for threads in thread_counts(records) for task in TASKS),
        _folds(records),
        _accuracy(records),
        _timings(records),
        _failures(records),
        *(f"![{name}]({name})" for name in drawn),
    ]
    page = folder / "report.md"
    page.write_text("\n\n".join(section for section in sections if section) + "\n")
    return page


def fastest(records: list[Record]) -> str:
    """For every problem and task the fastest peer of those that reached the accuracy."""
    records = standing(records)
    rows = []
    for threads in thread_counts(records):
        for task in TASKS:
            for record in _fastest(records, task, threads):
                ours, theirs = record["ours"], record["theirs"]
                rows.append([
                    named(record), TASKS[task], str(threads),
                    in_seconds(ours["seconds"]), in_short(ours["suboptimality"]),
                    peer_name(record), in_seconds(theirs["seconds"]), in_short(theirs["suboptimality"]),
                    told_ratio(record["ratio"]),
                ])  # fmt: skip
    heads = ["problem", "task", "threads", "normball s", "subopt.", "fastest peer", "s", "subopt.", "peer / normball"]
    notes = (
        "Seconds are medians of runs in turn, ratios medians with their range. Suboptimality: the largest over all"
        f" strengths, relative to the null loss, by a neutral judge; everyone had to reach {TARGET:g}."
        " Below 1 in the last column the peer is faster."
    )
    parts = [table(heads, rows), notes, _provenance(records), _in_a_line(_failed(records))]
    return "\n\n".join(part for part in parts if part)


def keep(records: list[Record], page: Path = PAGE) -> bool:
    """Put the table of the fastest peers between the page's marks; whether there was anything to say."""
    found = any(record["kind"] == "comparison" for record in standing(records))
    if found:
        put(page, "fastest", fastest(records))
    return found


def _fastest(records: list[Record], task: str, threads: int) -> list[Record]:
    best: dict[str, Record] = {}
    for record in peers(records, task, threads):
        name = record["problem"]
        if name not in best or record["ratio"]["median"] < best[name]["ratio"]["median"]:
            best[name] = record
    return in_order(best.values())


def _comparisons(records: list[Record], task: str, threads: int) -> str:
    found = compared(records, task, threads)
    if not found:
        return ""
    rows = []
    for record in found:
        ours, theirs = record["ours"], record["theirs"]
        row = [
            named(record), in_seconds(ours["seconds"]), in_seconds(ours["cpu"]), in_short(ours["suboptimality"]),
            of_x(ours, record), peer_name(record), f"{theirs['rung']:g}" if theirs["rung"] else "",
            in_seconds(theirs["seconds"]), in_seconds(theirs["cpu"]), in_short(theirs["suboptimality"]),
            of_x(theirs, record), told_ratio(record["ratio"]),
        ]  # fmt: skip
        told = f"{ours['n_sweeps']:.1f}" if "n_sweeps" in ours else ""
        rows.append([*row, told if task == "path" else f"{ours.get('best', '')} / {theirs.get('best', '')}"])
    side = ["s", "CPU s", "subopt.", "memory"]
    heads = ["problem", "normball s", *side[1:], "program", "tol", *side, "ratio"]
    last_head = "reads of X by normball" if task == "path" else "chosen, index in the grid"
    note = (
        "CPU s: of all threads and of processes that a program starts. Memory: peak above X while solving, in % of X."
        " Ratio: program / normball, rounds in turn."
    )
    if task == "cv":
        note += " Suboptimality is that of the path at the same tolerance."
    title = f"## {TASKS[task].capitalize()}, {threads} thread{'s' if threads > 1 else ''}"
    return f"{title}\n\n{table([*heads, last_head], rows)}\n\n{note}"


def _folds(records: list[Record]) -> str:
    rows = []
    for record in in_order(r for r in records if r["kind"] == "comparison" and r["task"] == "cv/path"):
        cv, path = record["ours"], record["theirs"]
        over = 1 / record["ratio"]["median"]
        spread = f"{over:.2f} ({1 / record['ratio']['max']:.2f} to {1 / record['ratio']['min']:.2f})"
        rows.append([
            record["problem"], str(record["threads"]), str(record["n_folds"]), in_seconds(path["seconds"]),
            in_seconds(cv["seconds"]), spread, of_x(cv, record), f"{cv.get('n_sweeps', 0):.1f}",
        ])  # fmt: skip
    if not rows:
        return ""
    heads = ["problem", "threads", "folds", "path s", "path and CV s", "CV / path", "memory", "reads of X"]
    return "## Cross-validation against our own path\n\n" + table(heads, rows)


def _accuracy(records: list[Record]) -> str:
    """Every attempt on the hard designs: what accuracy a tolerance buys."""
    rows = [
        [
            record["problem"], record["solver"], f"{record['rung']:g}", in_seconds([record["seconds"]]),
            in_short(record["suboptimality"]), in_short(record["gap"]), in_short(record["kkt"]),
            f"{record['n_reached']} of {record['n_lambdas']}",
        ]
        for record in in_order(latest(records, "attempt", "problem", "solver", "rung", "threads"))
        if record["group"] == "hard"
    ]  # fmt: skip
    if not rows:
        return ""
    heads = ["problem", "program", "tol", "s", "suboptimality", "own gap", "KKT violation / λ", f"λ within {TARGET:g}"]
    return "## Hard designs, every attempt\n\n" + table(heads, rows)


def _timings(records: list[Record]) -> str:
    rows = [
        [named(record), str(record["threads"]), in_seconds(record["ours"]["seconds"]), of_x(record["ours"], record),
         f"{record['ours'].get('n_sweeps', 0):.1f}"]
        for record in in_order(record for record in records if record["kind"] == "timing")
    ]  # fmt: skip
    if not rows:
        return ""
    return "## normball alone\n\n" + table(["problem", "threads", "path s", "memory", "reads of X"], rows)


def _failures(records: list[Record]) -> str:
    rows = [
        [record["problem"], record["solver"], record["task"],
         str(record.get("their_threads", record["threads"])), record["why"]]
        for record in _failed(records)
    ]  # fmt: skip
    if not rows:
        return ""
    return "## Not reached\n\n" + table(["problem", "program", "task", "threads", "why"], rows)


def _in_a_line(failures: list[Record]) -> str:
    missed = [f"{r['problem']} {r['task']} {r['solver']}" for r in failures]
    return f"Not reached within the time or tolerances tried: {'; '.join(missed)}." if missed else ""


def _failed(records: list[Record]) -> list[Record]:
    """What there is no measurement of; a reference only serves the judge."""
    return in_order(r for r in records if r["kind"] == "failure" and r["task"] != "reference")


def _provenance(records: list[Record]) -> str:
    """Machines, each once, with the commands that ran there; versions."""
    commands: dict[str, list[str]] = {}
    for run in records:
        if run["kind"] != "run":
            continue
        machine = (
            f"{run['processor']}, {run['cores']} cores, caches {run['caches']}, {run['memory_gib']} GiB;"
            f" {run['system']}; {run['blas']}"
        )
        commands.setdefault(machine, []).append(
            f"  * {run['started']}, normball {run['normball']} at {run['commit']},"
            f" load {run['load_average']:.1f} at the start: `{run['command'].strip()}`"
        )
    runs = [line for machine, ran in commands.items() for line in (f"* {machine}", *ran)]
    versions = {record["solver"]: record["versions"] for record in records if record["kind"] == "attempt"}
    told = [
        f"{solver} ({', '.join(f'{name} {version}' for name, version in found.items())})"
        for solver, found in sorted(versions.items())
    ]
    return "\n".join([*runs, f"* Versions: {'; '.join(told)}."])
