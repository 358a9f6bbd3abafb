"""The command: `python -m benchmarks` runs, `report` reads the records, `levers` compares revisions."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import real_data
from benchmarks.machine import describe
from benchmarks.plans import Job, all_jobs, chosen, classes, families, growth, hard, only, quick, sparse, survival
from benchmarks.problems import CACHE, PROBLEMS
from benchmarks.records import Recorder, read
from benchmarks.session import OutOfTime, Patience, Session
from benchmarks.solvers import SOLVERS

_QUICK_MINUTES = 12.0  # and what has been begun by then


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the answer is its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["report"]:
        return _report(given[1:])
    if given[:1] == ["levers"]:
        from benchmarks import levers

        return levers.main(given[1:])
    options = _parser().parse_args(given)
    if options.list:
        _list()
        return 0
    return _run(options, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare normball with other programs: time, and accuracy by a neutral judge.",
        epilog="`report RESULTS` makes tables and pictures, and writes the tables of docs/benchmarks.md. "
        "`levers` measures revisions of normball against each other.",
    )
    what = parser.add_argument_group("what to run (without any of these: --quick)")
    what.add_argument("--quick", action="store_true", help="the fastest peers on the workloads, in 15 minutes")
    what.add_argument("--all", action="store_true", help="every solver on every problem; takes hours")
    what.add_argument("--families", action="store_true", help="gamma, Tweedie, negative binomial, Huber; tall and wide")
    what.add_argument("--survival", action="store_true", help="Cox models")
    what.add_argument("--sparse", action="store_true", help="sparse problems of different make")
    what.add_argument("--classes", action="store_true", help="several outputs and groups of features")
    what.add_argument("--hard", action="store_true", help="the hard designs")
    what.add_argument("--growth", action="store_true", help="time against rows, columns and folds")
    what.add_argument("--problem", nargs="+", choices=PROBLEMS, metavar="NAME", help="these problems")
    what.add_argument("--solver", nargs="+", choices=SOLVERS, metavar="NAME", help="these solvers; normball: it alone")
    what.add_argument("--task", nargs="+", choices=("path", "cv"), default=["path", "cv"], help="default: both")
    what.add_argument("--threads", nargs="+", type=int, metavar="N", help="numbers of threads, one after the other")
    what.add_argument("--list", action="store_true", help="list problems and solvers")
    how = parser.add_argument_group("how")
    how.add_argument("--limit", type=float, metavar="S", help="seconds for one measurement (120; quick: 60)")
    how.add_argument("--budget", type=float, metavar="S", help="seconds for the rounds of a comparison (30; quick: 5)")
    how.add_argument("--minutes", type=float, help="begin nothing new after this time")
    how.add_argument("-o", "--output", type=Path, default=CACHE / "results.jsonl", help="default: %(default)s")
    return parser


def _list() -> None:
    present = real_data.folder().is_dir()
    for problem in PROBLEMS.values():
        missing = "" if not problem.is_real or present else "   (data not present)"
        mix = "" if problem.l1_ratio == 1 else f", l1_ratio {problem.l1_ratio:g}"
        print(f"{problem.name:28} {problem.group:9} {problem.family + mix:24} {problem.says}{missing}")
    print("\nsolvers:", ", ".join(SOLVERS))


class _Terminal:
    """A line for what is finished and, on a terminal, one that changes for what goes on."""

    def doing(self, what: str) -> None:
        if sys.stdout.isatty():
            print(f"\r\x1b[2K… {what}", end="", flush=True)

    def done(self, line: str) -> None:
        print(f"\r\x1b[2K{line}" if sys.stdout.isatty() else line, flush=True)


def _jobs(options: argparse.Namespace) -> list[Job]:
    jobs: list[Job] = []
    if options.problem:
        jobs += chosen(options.problem)
    if options.families:
        jobs += families()
    if options.survival:
        jobs += survival()
    if options.sparse:
        jobs += sparse()
    if options.classes:
        jobs += classes()
    if options.hard:
        jobs += hard()
    if options.growth:
        jobs += growth()
    if options.all:
        jobs += all_jobs()
    if options.quick or not jobs:
        jobs += quick()
    jobs = only(jobs, options.solver, options.task)
    if options.threads:
        jobs = list(dict.fromkeys(replace(job, n_threads=n) for n in options.threads for job in jobs))
    return jobs


def _run(options: argparse.Namespace, given: list[str]) -> int:
    jobs = _jobs(options)
    plans = (
        options.families, options.survival, options.sparse, options.classes, options.hard, options.growth, options.all
    )  # fmt: skip
    is_quick = options.quick or not (options.problem or any(plans))
    minutes = options.minutes or (_QUICK_MINUTES if is_quick else float("inf"))
    patience = Patience(
        limit=options.limit or (60.0 if is_quick else 120.0),
        budget=options.budget or (5.0 if is_quick else 30.0),
        deadline=time.monotonic() + 60 * minutes,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no worker outlives us
    recorder = Recorder(options.output, run=time.strftime("%Y%m%d-%H%M%S"))
    recorder.add("run", **describe(given))
    session = Session(recorder, patience, _Terminal())
    if any(job.problem.is_real for job in jobs) and not real_data.folder().is_dir():
        print(f"The real data sets are skipped: there is no folder {real_data.folder()}")
        jobs = [job for job in jobs if not job.problem.is_real]
    try:
        for job in jobs:
            session.run(job.problem, job.solvers, job.tasks, job.n_threads)
    except OutOfTime:
        print(f"Stopped after {minutes:g} minutes; the rest was not run.")
    except KeyboardInterrupt:
        print(f"\nInterrupted. What was finished is in {options.output}")
        return 130
    print(f"Results: {options.output}\nTables and pictures: python -m benchmarks report {options.output}")
    return 0


def _report(arguments: Sequence[str]) -> int:
    from benchmarks import report, standings, tables, weakest

    parser = argparse.ArgumentParser(prog="python -m benchmarks report")
    parser.add_argument("results", type=Path, nargs="?", default=CACHE / "results.jsonl")
    parser.add_argument("-o", "--output", type=Path, default=CACHE / "report", help="folder (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not options.results.exists():
        parser.error(f"there is no file {options.results}; `python -m benchmarks` makes it")
    records = read(options.results)
    print(report.write(records, options.output))
    if weakest.keep(records) | standings.keep(records) | report.keep(records):
        print(tables.PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
