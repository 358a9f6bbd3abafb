"""Tables and pictures from recorded measurements; nothing in them is written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.problems import PROBLEMS
from benchmarks.records import Record, latest
from benchmarks.session import TARGET
from benchmarks.solvers import SOLVERS

_TASKS = {"path": "path", "cv": "path and cross-validation"}


def write(records: list[Record], folder: Path) -> Path:
    """Write `report.md` and its pictures; the answer is the page's path."""
    from benchmarks import pictures

    records = _standing(records)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures.draw(records, folder)
    sections = [
        "# Benchmark results",
        _provenance(records),
        *(_comparisons(records, task, threads) for threads in _threads(records) for task in _TASKS),
        _folds(records),
        _accuracy(records),
        _timings(records),
        _failures(records),
        *(f"![{name}]({name})" for name in drawn),
    ]
    page = folder / "report.md"
    page.write_text("\n\n".join(section for section in sections if section) + "\n")
    return page


def readme(records: list[Record]) -> str:
    """The README's table: for every problem and task the fastest peer of those that reached the accuracy."""
    records = _standing(records)
    rows = []
    for threads in _threads(records):
        for task in _TASKS:
            for record in _fastest(records, task, threads):
                ours, theirs = record["ours"], record["theirs"]
                rows.append([
                    _named(record), _TASKS[task], str(threads),
                    _seconds(ours["seconds"]), _small(ours["suboptimality"]),
                    theirs["solver"], _seconds(theirs["seconds"]), _small(theirs["suboptimality"]),
                    _ratio(record["ratio"]),
                ])  # fmt: skip
    heads = ["problem", "task", "threads", "normball s", "subopt.", "fastest peer", "s", "subopt.", "peer / normball"]
    notes = (
        "Seconds are medians of runs in turn, ratios medians with their range. Suboptimality: the largest over all"
        f" strengths, relative to the null loss, by a neutral judge; everyone had to reach {TARGET:g}."
        " Below 1 in the last column the peer is faster."
    )
    parts = [_table(heads, rows), notes, _provenance(records), _readme_failures(records)]
    return "\n\n".join(part for part in parts if part)


def _fastest(records: list[Record], task: str, threads: int) -> list[Record]:
    best: dict[str, Record] = {}
    for record in _peers(records, task, threads):
        name = record["problem"]
        if name not in best or record["ratio"]["median"] < best[name]["ratio"]["median"]:
            best[name] = record
    return _in_order(best.values())


def _peers(records: Iterable[Record], task: str, threads: int) -> list[Record]:
    """The comparisons with programs: those with the machine's unit are no contest."""
    return [record for record in _compared(records, task, threads) if not SOLVERS[record["theirs"]["solver"]].is_unit]


def _compared(records: Iterable[Record], task: str, threads: int) -> list[Record]:
    found = (record for record in records if record["kind"] == "comparison" and record["task"] == task)
    return _in_order(record for record in found if record["threads"] == threads)


def _comparisons(records: list[Record], task: str, threads: int) -> str:
    found = _compared(records, task, threads)
    if not found:
        return ""
    rows = []
    for record in found:
        ours, theirs = record["ours"], record["theirs"]
        row = [
            _named(record), _seconds(ours["seconds"]), _small(ours["suboptimality"]), _share(ours, record),
            theirs["solver"], f"{theirs['rung']:g}" if theirs["rung"] else "", _seconds(theirs["seconds"]),
            _small(theirs["suboptimality"]), _share(theirs, record), _ratio(record["ratio"]),
        ]  # fmt: skip
        told = f"{ours['n_sweeps']:.1f}" if "n_sweeps" in ours else ""
        rows.append([*row, told if task == "path" else f"{ours.get('best', '')} / {theirs.get('best', '')}"])
    heads = ["problem", "normball s", "subopt.", "memory", "program", "tol", "s", "subopt.", "memory", "ratio"]
    last_head = "reads of X by normball" if task == "path" else "chosen, index in the grid"
    note = "Memory: peak above X while solving, in % of X. Ratio: program / normball, rounds in turn."
    if task == "cv":
        note += " Suboptimality is that of the path at the same tolerance."
    title = f"## {_TASKS[task].capitalize()}, {threads} thread{'s' if threads > 1 else ''}"
    return f"{title}\n\n{_table([*heads, last_head], rows)}\n\n{note}"


def _folds(records: list[Record]) -> str:
    rows = []
    for record in _in_order(r for r in records if r["kind"] == "comparison" and r["task"] == "cv/path"):
        cv, path = record["ours"], record["theirs"]
        over = 1 / record["ratio"]["median"]
        spread = f"{over:.2f} ({1 / record['ratio']['max']:.2f} to {1 / record['ratio']['min']:.2f})"
        rows.append([
            record["problem"], str(record["threads"]), str(record["n_folds"]), _seconds(path["seconds"]),
            _seconds(cv["seconds"]), spread, _share(cv, record), f"{cv.get('n_sweeps', 0):.1f}",
        ])  # fmt: skip
    if not rows:
        return ""
    heads = ["problem", "threads", "folds", "path s", "path and CV s", "CV / path", "memory", "reads of X"]
    return "## Cross-validation against our own path\n\n" + _table(heads, rows)


def _accuracy(records: list[Record]) -> str:
    """Every attempt on the hard designs: what accuracy a tolerance buys."""
    rows = [
        [
            record["problem"], record["solver"], f"{record['rung']:g}", _seconds([record["seconds"]]),
            _small(record["suboptimality"]), _small(record["gap"]), _small(record["kkt"]),
            f"{record['n_reached']} of {record['n_lambdas']}",
        ]
        for record in _in_order(latest(records, "attempt", "problem", "solver", "rung", "threads"))
        if record["group"] == "hard"
    ]  # fmt: skip
    if not rows:
        return ""
    heads = ["problem", "program", "tol", "s", "suboptimality", "own gap", "KKT violation / λ", f"λ within {TARGET:g}"]
    return "## Hard designs, every attempt\n\n" + _table(heads, rows)


def _timings(records: list[Record]) -> str:
    rows = [
        [_named(record), str(record["threads"]), _seconds(record["ours"]["seconds"]), _share(record["ours"], record),
         f"{record['ours'].get('n_sweeps', 0):.1f}"]
        for record in _in_order(record for record in records if record["kind"] == "timing")
    ]  # fmt: skip
    if not rows:
        return ""
    return "## normball alone\n\n" + _table(["problem", "threads", "path s", "memory", "reads of X"], rows)


def _failures(records: list[Record]) -> str:
    rows = [
        [record["problem"], record["solver"], record["task"], str(record["threads"]), record["why"]]
        for record in _failed(records)
    ]
    if not rows:
        return ""
    return "## Not reached\n\n" + _table(["problem", "program", "task", "threads", "why"], rows)


def _readme_failures(records: list[Record]) -> str:
    missed = [f"{r['problem']} {r['task']} {r['solver']}" for r in _failed(records)]
    return f"Not reached within the time or tolerances tried: {'; '.join(missed)}." if missed else ""


def _failed(records: list[Record]) -> list[Record]:
    """What there is no measurement of; a reference only serves the judge."""
    return _in_order(r for r in records if r["kind"] == "failure" and r["task"] != "reference")


def _standing(records: list[Record]) -> list[Record]:
    """The records without comparisons, timings and failures of which a later run knows better."""
    last: dict[tuple[Any, ...], Record] = {}
    for record in records:
        if record["kind"] in ("comparison", "timing", "failure"):
            last[_subject(record)] = record
            if record["kind"] != "failure":  # then normball itself has not failed
                last.pop((record["problem"], record["threads"], "path", "normball"), None)
    kept = {id(record) for record in last.values()}
    others = ("run", "attempt")
    return [record for record in records if record["kind"] in others or id(record) in kept]


def _subject(record: Record) -> tuple[Any, ...]:
    if record["kind"] == "comparison":
        solver = record["theirs"]["solver"]
    else:
        solver = record["solver"] if record["kind"] == "failure" else "nobody else"
    return (record["problem"], record["threads"], record["task"], solver)


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


def _threads(records: Iterable[Record]) -> list[int]:
    return sorted({record["threads"] for record in records if "threads" in record})


def _in_order(records: Iterable[Record]) -> list[Record]:
    order = {name: index for index, name in enumerate(PROBLEMS)}
    return sorted(records, key=lambda record: order.get(record["problem"], len(order)))


def _named(record: Record) -> str:
    problem = PROBLEMS.get(record["problem"])
    return f"{record['problem']}: {record['family']}, {problem.says}" if problem else record["problem"]


def _share(side: Record, record: Record) -> str:
    return f"{100 * side['extra_mib'] / record['x_mib']:.0f} %" if record["x_mib"] > 1 else ""


def _seconds(values: Sequence[float]) -> str:
    value = median(values)
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}" if value < 10 else f"{value:.1f}"


def _small(value: float | None) -> str:
    return "" if value is None else f"{value:.0e}"


def _ratio(ratio: Record) -> str:
    if ratio["rounds"] == 1:
        return f"{ratio['median']:.2f} (one round)"
    return f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["-"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
