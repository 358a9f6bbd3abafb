"""Run problems × solvers: climb each program's ladder to the accuracy asked for, then time it in turn with normball."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

import numpy as np

from benchmarks.bracket import Bracket
from benchmarks.judge import judge
from benchmarks.problems import Problem
from benchmarks.process import Failed, Program
from benchmarks.records import Record, Recorder
from benchmarks.solvers import SOLVERS
from benchmarks.store import Page, Solution
from benchmarks.tables import peer_name

TARGET = 1e-6  # suboptimality over the null loss that everyone has to reach at every strength
_REFERENCE_TOL = 1e-10
_OURS = "normball"
_SHORTEST = 0.05  # seconds: what is quicker is repeated within one measurement
_FEWEST_ROUNDS, _MOST_ROUNDS = 3, 7


@dataclass(frozen=True)
class Patience:
    """How much time may be spent."""

    limit: float  # seconds for one measurement
    budget: float  # seconds for the rounds of one comparison, as far as `rounds` keeps to it
    deadline: float = float("inf")  # time.monotonic() after which nothing new is begun

    def rounds(self, seconds: float) -> int:
        """How many rounds of this length to run: 3 to 7 of those that fit into the budget, else one."""
        if seconds > self.budget:
            return 1
        return min(max(_FEWEST_ROUNDS, round(self.budget / seconds)), _MOST_ROUNDS)

    def is_long(self, seconds: float) -> bool:
        """Whether a measurement is so long that the first, with its fresh memory, has to stand for a warm one."""
        return seconds > self.budget


class OutOfTime(Exception):
    """The deadline has passed."""


class Screen(Protocol):
    """Where progress is told."""

    def doing(self, what: str) -> None:
        """Something that takes a while begins."""

    def done(self, line: str) -> None:
        """A measurement is finished."""


class Session:
    """Measures and records."""

    def __init__(self, recorder: Recorder, patience: Patience, screen: Screen) -> None:
        self._recorder, self._patience, self._screen = recorder, patience, screen
        self._reached: dict[tuple[str, str, int], Record] = {}  # by problem, solver, threads

    def run(self, problem: Problem, solvers: Sequence[str], tasks: Sequence[str], n_threads: int) -> None:
        """One problem: normball against each of the solvers, or alone where there are none."""
        self._check_time()
        self._screen.doing(f"{problem.name}: reading the data, or making them")
        bench = _Bench(problem, n_threads)
        if not bench.reference_is_known:
            self._refer(bench)
        ours = self._climb(bench, _OURS, n_threads)
        for solver in solvers:
            if SOLVERS[solver].supports(bench.page):
                for number in _threads_tried(solver, n_threads):
                    self._check_time()
                    self._compare(bench, solver, number, tasks, ours)
        if ours is None:
            return
        if "cv" in tasks and problem.cv:
            self._turns(bench, "cv/path", _Turn(_OURS, "cv", ours), _Turn(_OURS, "path", ours))
        if not solvers and "path" in tasks:
            self._alone(bench, ours)

    def _check_time(self) -> None:
        if time.monotonic() > self._patience.deadline:
            raise OutOfTime

    def _program(self, bench: _Bench, solver: str, n_threads: int) -> Program:
        return Program(solver, bench.path, n_threads, self._patience.limit)

    def _fail(self, bench: _Bench, solver: str, task: str, why: str, **facts: Any) -> None:
        self._recorder.add("failure", **bench.facts, solver=solver, task=task, why=why, **facts)
        self._screen.done(f"{bench.problem.name:12} {solver:18} {task:8} {why}")

    def _refer(self, bench: _Bench) -> None:
        """A solution tighter than anyone needs, for the sake of the bound that its dual point gives."""
        try:
            with self._program(bench, _OURS, bench.n_threads) as program:
                self._attempt(bench, program, _REFERENCE_TOL, bench.n_threads)
        except Failed as failure:
            self._fail(bench, _OURS, "reference", str(failure))

    def _climb(self, bench: _Bench, solver: str, n_threads: int) -> Record | None:
        """The first attempt that reaches the accuracy, from loose to tight tolerances; an earlier one counts."""
        key = (bench.problem.name, solver, n_threads)
        attempt = self._reached.get(key)
        if attempt is not None:
            return attempt
        try:
            with self._program(bench, solver, n_threads) as program:
                for rung in SOLVERS[solver].ladder:
                    self._check_time()
                    attempt = self._attempt(bench, program, rung, n_threads)
                    if attempt["suboptimality"] <= TARGET:
                        self._reached[key] = attempt
                        return attempt
        except Failed as failure:
            self._fail(bench, solver, "path", str(failure), last=attempt, their_threads=n_threads)
            return None
        assert attempt is not None
        why = f"best suboptimality {attempt['suboptimality']:.1e}"
        self._fail(bench, solver, "path", why, last=attempt, their_threads=n_threads)
        return None

    def _attempt(self, bench: _Bench, program: Program, rung: float, n_threads: int) -> Record:
        self._screen.doing(f"{bench.problem.name}: {program.name} at tolerance {rung:g}")
        with tempfile.TemporaryDirectory(prefix="normball-benchmarks-") as folder:
            stem = f"{folder}/solution"
            measured = program.measure("path", rung, 1, stem)
            judged = bench.judge(stem)
        record = self._recorder.add(
            "attempt", **{**bench.facts, "threads": n_threads}, solver=program.name, rung=rung,
            versions=program.versions, **measured, **judged,
        )  # fmt: skip
        self._screen.done(
            f"{bench.problem.name:12} {program.name:18} path     tol {rung:<7.0e} {measured['seconds']:9.4f} s"
            f"   suboptimality {judged['suboptimality']:.1e}"
        )
        return record

    def _compare(self, bench: _Bench, solver: str, n_threads: int, tasks: Sequence[str], ours: Record | None) -> None:
        kind = SOLVERS[solver]
        unit = {"rung": 0.0, "threads": n_threads}
        theirs = unit if kind.is_unit else self._climb(bench, solver, n_threads)
        if theirs is None or ours is None:
            return
        if "path" in tasks:
            self._turns(bench, "path", _Turn(_OURS, "path", ours), _Turn(solver, "path", theirs))
        if "cv" in tasks and bench.problem.cv and kind.supports_cv(bench.page):
            self._check_time()
            self._turns(bench, "cv", _Turn(_OURS, "cv", ours), _Turn(solver, "cv", theirs))

    def _turns(self, bench: _Bench, task: str, first: _Turn, second: _Turn) -> None:
        """Both programs in turn, in fresh processes with both problems in memory."""
        sides = (first, second)
        self._screen.doing(f"{bench.problem.name}: {task}, {first.solver} and {second.solver} in turn")
        rounds: list[tuple[Record, Record]] = []
        try:
            with (
                self._program(bench, first.solver, first.threads) as one,
                self._program(bench, second.solver, second.threads) as two,
            ):
                programs = (one, two)
                # the first round also tells the memory, which later rounds find allocated already
                fresh = [p.measure(side.task, side.rung) for p, side in zip(programs, sides, strict=True)]
                numbers = [_repeats(one_round["seconds"]) for one_round in fresh]
                a_round = sum(number * one["seconds"] for number, one in zip(numbers, fresh, strict=True))
                n_rounds = self._patience.rounds(a_round)
                while len(rounds) < n_rounds:
                    both = [
                        measured
                        if n_rounds == 1 and self._patience.is_long(measured["seconds"])
                        else program.measure(side.task, side.rung, number)
                        for program, side, number, measured in zip(programs, sides, numbers, fresh, strict=True)
                    ]
                    rounds.append((both[0], both[1]))
        except Failed as failure:
            if not rounds:
                self._fail(bench, second.solver, task, str(failure), their_threads=second.threads)
                return
        names = [side.solver if task != "cv/path" else f"{side.solver} {side.task}" for side in sides]
        record = self._recorder.add(
            "comparison", **bench.facts, task=task, x_mib=bench.x_mib, load_average=os.getloadavg()[0],
            ours=_side(names[0], first.attempt, [r[0] for r in rounds], fresh[0]),
            theirs=_side(names[1], second.attempt, [r[1] for r in rounds], fresh[1]),
            ratio=_spread([b["seconds"] / a["seconds"] for a, b in rounds]),
        )  # fmt: skip
        self._screen.done(_told(record))

    def _alone(self, bench: _Bench, ours: Record) -> None:
        try:
            with self._program(bench, _OURS, bench.n_threads) as program:
                number = _repeats(ours["seconds"])
                runs = [program.measure("path", ours["rung"], number) for _ in range(3)]
        except Failed as failure:
            self._fail(bench, _OURS, "path", str(failure))
            return
        side = _side(_OURS, ours, runs, runs[0])
        self._recorder.add("timing", **bench.facts, task="path", x_mib=bench.x_mib, ours=side)
        self._screen.done(f"{bench.problem.name:12} {_OURS:18} path     {median(side['seconds']):9.4f} s")


@dataclass(frozen=True)
class _Turn:
    """One of two programs that take turns: its task, and the attempt that showed which rung it needs."""

    solver: str
    task: str
    attempt: Record

    @property
    def rung(self) -> float:
        return float(self.attempt["rung"])

    @property
    def threads(self) -> int:
        return int(self.attempt["threads"])


class _Bench:
    """A problem in the judge's memory, with the best dual bound seen so far, which is kept between runs."""

    def __init__(self, problem: Problem, n_threads: int) -> None:
        self.problem, self.n_threads = problem, n_threads
        self.path = problem.page()
        self.page = Page.read(self.path)
        self.data = self.page.arrays()
        self._bound_file = self.path.with_suffix(".bound.bin")
        self.reference_is_known = self._bound_file.exists()
        self._known = Bracket.read(self._bound_file, self.data.lambdas.size)
        size = self.data.X.data.nbytes + self.data.X.indices.nbytes if self.page.sparse else self.data.X.nbytes
        self.x_mib = size / 2**20
        self.facts = {
            "problem": problem.name, "group": problem.group, "family": problem.family, "l1_ratio": problem.l1_ratio,
            "n": self.page.n, "p": self.page.p, "n_outputs": self.page.n_outputs, "n_folds": problem.n_folds,
            "threads": n_threads,
        }  # fmt: skip

    def judge(self, stem: str) -> Record:
        n_lambdas = self.data.lambdas.size
        solution = Solution.read(stem, n_lambdas, self.page.p, self.page.n_outputs)
        verdict = judge(self.data, self.page.family, self.page.l1_ratio, solution, self._known)
        n_done = verdict.dual.size
        self._known.take_in(verdict.dual, verdict.objective)
        self._known.lower.tofile(self._bound_file)
        suboptimality = verdict.suboptimality(self._known.lower)
        return {
            # a path that ended early has not reached anything at the rest of the grid
            "suboptimality": float(suboptimality.max()) if n_done == n_lambdas else float("inf"),
            "suboptimality_median": float(np.median(suboptimality)),
            "worst": int(np.argmax(suboptimality)),
            "n_reached": int(np.sum(suboptimality <= TARGET)),
            "gap": float(verdict.gap.max()),
            "kkt": float(verdict.kkt.max()),
            "n_lambdas": n_done,
            "n_nonzero": int(np.unique(solution.coefs[-self.page.n_outputs :].indices).size),
        }


def _threads_tried(solver: str, n_threads: int) -> tuple[int, ...]:
    """A peer's numbers of threads: more may be slower than one, and whoever reads the records takes the better."""
    kind = SOLVERS[solver]
    if kind.is_unit or n_threads == 1:
        return (n_threads,)
    return (1, n_threads) if kind.has_threads else (1,)


def _repeats(seconds: float) -> int:
    return max(1, int(np.ceil(_SHORTEST / max(seconds, 1e-6))))


def _side(name: str, attempt: Record, runs: list[Record], fresh: Record) -> Record:
    told: Record = {key: runs[-1][key] for key in ("best", "n_sweeps", "own_gap", "n_unsolved") if key in runs[-1]}
    return {
        "solver": name,
        "rung": attempt["rung"],
        "threads": attempt["threads"],
        "suboptimality": attempt.get("suboptimality"),
        "seconds": [run["seconds"] for run in runs],
        "cpu": [run["cpu"] for run in runs],
        "extra_mib": fresh["extra_mib"],
        "versions": attempt.get("versions", {}),
        **told,
    }


def _spread(ratios: list[float]) -> Record:
    return {"median": median(ratios), "min": min(ratios), "max": max(ratios), "rounds": len(ratios)}


def _told(record: Record) -> str:
    ours, theirs, ratio = record["ours"], record["theirs"], record["ratio"]
    return (
        f"{record['problem']:12} {peer_name(record):18} {record['task']:8} {median(theirs['seconds']):9.4f} s"
        f"   {ours['solver']} {median(ours['seconds']):.4f} s   ratio {ratio['median']:.2f}"
        f" ({ratio['min']:.2f} .. {ratio['max']:.2f}, {ratio['rounds']} rounds)"
    )
