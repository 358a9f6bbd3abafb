"""The engine's levers, each measured before and after: revisions of normball on the same problems.

Every revision is built once, from git, into build/levers/; a measurement is a fresh process that loads that package in
place of the installed one. What a revision has that the one before it has not is the step's share.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.problems import CACHE, PROBLEMS, ROOT
from benchmarks.process import Failed, Program
from benchmarks.records import Record, Recorder, latest, read
from benchmarks.solvers.normball import Normball

_BUILDS = ROOT / "build" / "levers"
_N_BUILDS = 2  # at a time, each with one compiler
_LIMITS = {"path": 60.0, "cv": 120.0}  # seconds for one measurement
_N_REPEATS = 2
_LONG = 15.0  # seconds; what takes longer is not repeated


@dataclass(frozen=True)
class Step:
    """A revision and what it has that the step before it has not."""

    revision: str
    brings: str


STEPS = (
    Step("dac0266", "one strength at a time"),
    Step("a2ed081", "the active set's Cholesky factor is updated"),
    Step("09aa678", "losses over contiguous rows, in vector code"),
    Step("2e1f98d", "sparse working sets on their columns"),
    Step("4953690", "a read of the design proves several strengths"),
    Step("6fff40a", "one read for all moments; wide ridge in closed form"),
    Step("5e9fd28", "tall GLMs: a window of strengths in one pass"),
    Step("29642fe", "continuation along lambda; a cost rule for the columns"),
    Step("ff6c796", "four columns meet six vectors in registers"),
    Step("b570237", "batches look four strengths ahead"),
    Step("618fbba", "columns are cleared by one byte an entry"),
    Step("c74d8e9", "a sparse batch shares each entry of a column"),
    Step("b93d8f0", "a dual point from the quadratic model"),
    Step("27e37c5", "many columns at once are cleared"),
    Step("93dac14", "sparse columns are cleared in single precision"),
    Step("02f05d9", "copies of columns are left out"),
    Step("911e228", "neighbouring strengths share their products"),
    Step("20f398c", "tall curvatures from bytes"),
    Step("HEAD", "everything since"),
)
_PATHS = ("A", "B", "C", "D", "E", "F", "Fg", "G", "J")
_CVS = ("A", "B", "D", "E")
_WORKLOADS = (*_PATHS, *(f"{name}+cv" for name in _CVS))


def main(arguments: Sequence[str]) -> int:
    """Run the command; the answer is its exit code."""
    options = _parser().parse_args(arguments)
    output: Path = options.output
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no worker outlives us
    try:
        if not options.report:
            _measure_all(options, list(arguments))
    except KeyboardInterrupt:
        print(f"\nInterrupted. What was finished is in {output}")
        return 130
    if output.exists():
        brings = {_commit(step.revision): step.brings for step in reversed(STEPS)}  # HEAD may be one of the others
        records = latest(read(output), "lever", "revision", "workload", "n_threads")
        print(table(records, options.threads, dict(reversed(brings.items()))))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks levers",
        description="Measure revisions of the engine against each other; prints a table of all that was ever recorded.",
    )
    parser.add_argument("--workloads", nargs="+", default=_WORKLOADS, metavar="NAME", help="such as B or B+cv")
    parser.add_argument("--revisions", nargs="+", metavar="HASH", help="of the steps, or any other; default: the steps")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--build", action="store_true", help="only build")
    parser.add_argument("--report", action="store_true", help="only print the table")
    parser.add_argument("-o", "--output", type=Path, default=CACHE / "levers.jsonl", help="default: %(default)s")
    return parser


def _measure_all(options: argparse.Namespace, given: list[str]) -> None:
    packages = _packages(options.revisions or [step.revision for step in STEPS])
    if options.build:
        return
    recorder = Recorder(options.output, run=time.strftime("%Y%m%d-%H%M%S"))
    recorder.add("run", **describe(["levers", *given]))
    for workload in options.workloads:  # the revisions of a workload follow each other, so that they can be compared
        for revision, package in packages.items():
            facts = _measure(workload, package, options.threads)
            recorder.add("lever", revision=revision, workload=workload, n_threads=options.threads, **facts)
            print(f"{workload:5} {revision} {_cell(facts):>9} s  {facts.get('error', '')}", flush=True)


def _packages(revisions: Sequence[str]) -> dict[str, Path]:
    """The package of every revision that builds, by its hash; two names of one revision are one."""
    commits = dict.fromkeys(_commit(revision) for revision in revisions)
    with ThreadPoolExecutor(_N_BUILDS) as pool:
        packages = dict(zip(commits, pool.map(_built, commits), strict=True))
    return {commit: package for commit, package in packages.items() if package is not None}


def _built(commit: str) -> Path | None:
    try:
        return _package(commit)
    except subprocess.CalledProcessError as error:
        words = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        print(f"{commit} does not build: {words[-1] if words else error}", flush=True)
        return None


def _commit(revision: str) -> str:
    """The last commit up to the revision that changed the engine: later ones need no build of their own."""
    command = ["git", "log", "-1", "--format=%h", "--abbrev=7", revision, "--", "native"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _package(commit: str) -> Path:
    """The folder that holds the revision's package; builds it if it is not there."""
    folder = _BUILDS / commit
    if folder.exists():
        return folder
    print(f"building {commit}\n", end="", flush=True)  # in one piece: two builds speak
    _BUILDS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_BUILDS, prefix=f"{commit}.") as name:
        room = Path(name)
        source, wheels, unpacked = room / "source", room / "wheels", room / "unpacked"
        source.mkdir()
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(source)], input=archive, check=True, capture_output=True)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps"]
        environment = {**os.environ, "CMAKE_BUILD_PARALLEL_LEVEL": "1"}
        command = [*pip, "-C", f"build-dir={room / 'build'}", "--wheel-dir", str(wheels), str(source)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
            wheel.extractall(unpacked)
        os.replace(unpacked, folder)
    return folder


def _measure(workload: str, package: Path, n_threads: int) -> Record:
    """The quickest of the repeats in one process, or why there is none."""
    name, _, task = workload.partition("+")
    task = task or "path"
    limit = _LIMITS[task]
    try:
        with Program(Normball.name, PROBLEMS[name].page(), n_threads, limit, package) as program:
            answers = [program.measure(task, Normball.ladder[0])]
            while len(answers) < _N_REPEATS and answers[-1]["seconds"] < _LONG:
                answers.append(program.measure(task, Normball.ladder[0]))
    except Failed as failure:
        return {"error": str(failure)}
    return {**answers[-1], **{clock: min(answer[clock] for answer in answers) for clock in ("seconds", "cpu")}}


def table(records: Sequence[Record], n_threads: int, brings: Mapping[str, str]) -> str:
    """Markdown: times, reads of the design and gaps of every revision, those that bring something first."""
    found = {(one["revision"], one["workload"]): one for one in records if one["n_threads"] == n_threads}
    workloads = _in_order(_WORKLOADS, {workload for _, workload in found})
    revisions = _in_order(tuple(brings), {revision for revision, _ in found})
    parts = []
    for title, cell in (
        ("Seconds", _cell),
        ("Seconds of the processor", _cpu),
        ("Reads of the design", _sweeps),
        ("Worst relative dual gap", _gap),
    ):
        parts += [f"{title}, {n_threads} thread{'s'[: n_threads > 1]}:", ""]
        parts += ["| revision | brings | " + " | ".join(workloads) + " |", "|---|---|" + "---:|" * len(workloads)]
        for revision in revisions:
            cells = [cell(found.get((revision, workload), {})) for workload in workloads]
            parts.append(f"| {revision} | {brings.get(revision, '')} | " + " | ".join(cells) + " |")
        parts.append("")
    return "\n".join(parts)


def _in_order(known: Sequence[str], present: set[str]) -> list[str]:
    return [one for one in known if one in present] + sorted(present - set(known))


def _cell(facts: Record) -> str:
    if "error" in facts:
        return "> limit" if facts["error"].startswith("no answer") else "failed"
    return f"{facts['seconds']:.3g}" if "seconds" in facts else ""


def _cpu(facts: Record) -> str:
    """What a busy machine disturbs less."""
    return _number(facts.get("cpu"), ".3g")


def _sweeps(facts: Record) -> str:
    return _number(facts.get("n_sweeps"), ".0f")


def _gap(facts: Record) -> str:
    return _number(facts.get("own_gap"), ".1e")


def _number(value: Any, style: str) -> str:
    return "" if value is None else format(value, style)
