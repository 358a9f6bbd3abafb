"""A process that holds one problem in memory and solves it on demand, so that two programs can take turns.

It is started as ``python -m benchmarks.worker SOLVER PAGE THREADS [FOLDER]``; what lies in the folder is imported from
there rather than from where it is installed. Each line in is ``TASK RUNG NUMBER STEM``: task
"path" or "cv", the rung of the solver's ladder, how often to repeat within one measurement, and where to leave the
solution ("-": nowhere). Each line out is "@" and a JSON object: first {"ready", "versions"}, then for each task
{"seconds", "cpu", "extra_mib", ...} or {"error"}. `extra_mib` is the peak of the resident memory over what it was
before the call, X being in memory.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import sys
import time
import warnings
from dataclasses import replace
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import scipy.sparse as sp

from benchmarks.cpu_clock import cpu_seconds
from benchmarks.solvers import SOLVERS
from benchmarks.solvers.base import Solver
from benchmarks.store import Arrays, Page, Solution


def main(name: str, page_path: str, n_threads: str, folder: str = "") -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a program prints is no answer
    if folder:
        sys.path.insert(0, folder)
        sys.meta_path[:] = [BuiltinImporter, FrozenImporter, PathFinder]  # an editable install's finder comes first
    page = Page.read(page_path)
    kind = SOLVERS[name]
    try:
        _warm_up(kind, page, int(n_threads))
        solver = kind(page, page.arrays(raw=kind.standardises), int(n_threads))
    except Exception as error:
        _say(answers, {"ready": False, "error": f"{type(error).__name__}: {error}"})
        return
    _say(answers, {"ready": True, "versions": {one: importlib.metadata.version(one) for one in kind.versions}})
    for line in sys.stdin:
        task, rung, number, stem = line.split()
        try:
            _say(answers, _measure(solver, task, float(rung), int(number), stem))
        except Exception as error:
            _say(answers, {"error": f"{type(error).__name__}: {error}"})


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write("@" + json.dumps(answer) + "\n")
    answers.flush()


def _warm_up(kind: type[Solver], page: Page, n_threads: int) -> None:
    """Solve a small problem of the same kind, so that no import and no just-in-time compilation is timed."""
    rng = np.random.default_rng(0)
    dense = np.asfortranarray(rng.standard_normal((60, 8)))
    X = sp.csc_matrix(dense * (dense > 0)) if page.sparse else dense
    y = dense[:, 0] + 0.5 * rng.standard_normal(60)
    counts = np.floor(np.exp(y))
    outputs = np.arange(page.n_outputs)
    target = {
        "gaussian": y,
        "huber": y,
        "binomial": (y > 0).astype(float),
        "gamma": np.exp(y),
        "multinomial": (np.arange(60)[:, None] // 3 % page.n_outputs == outputs).astype(float),  # each in every fold
        "multigaussian": dense[:, outputs % 8] + y[:, None],
        "cox": np.column_stack([np.exp(y), np.arange(60) % 4 > 0]),
    }.get(page.family_name, counts)
    offset = np.zeros(60) if page.offset else None
    lambdas = np.array([0.3, 0.1])
    small = replace(page, n=60, p=8)
    folds = (np.arange(60) % 3).astype(np.int32)
    groups = np.arange(8, dtype=np.int32) // 4 if page.groups else None
    solver = kind(small, Arrays(X, target, offset, lambdas, folds, page.grouped, groups), n_threads)
    warnings.simplefilter("ignore")
    solver.path(kind.ladder[0])
    if kind.supports_cv(page):
        solver.cv(kind.ladder[0])


def _measure(solver: Solver, task: str, rung: float, number: int, stem: str) -> dict[str, Any]:
    solve = solver.path if task == "path" else solver.cv
    gc.collect()
    _forget_peak()
    before = _memory("VmRSS")
    cpu, start = cpu_seconds(), time.perf_counter()
    for _ in range(number):
        result = solve(rung)
    seconds = time.perf_counter() - start
    answer: dict[str, Any] = {
        "seconds": seconds / number,
        "cpu": (cpu_seconds() - cpu) / number,
        "extra_mib": _memory("VmHWM") - before,
    }
    if task == "cv":
        outcome = solver.outcome(result)
        return {**answer, "best": outcome.best, **outcome.facts}
    if not solver.is_unit:
        answer.update(solver.facts(result))
        if stem != "-":
            _in_standard_units(solver, solver.solution(result)).write(stem)
    return answer


def _in_standard_units(solver: Solver, solution: Solution) -> Solution:
    """The same path for standardised columns, which the judge sees, where the program had them in their own units."""
    page = solver.page
    if not (page.raw and solver.standardises):
        return solution
    means, scales = (np.fromfile(Path(page.raw) / f"{name}.bin") for name in ("means", "scales"))
    coefs = sp.csr_matrix(solution.coefs)
    return Solution(solution.intercepts + coefs @ means, coefs @ sp.diags(scales))


def _memory(field: str) -> float:
    """A line of /proc/self/status, in MiB; 0 where there is no such file."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field + ":")), 0.0)


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # then the peak is that of the whole life of the process


if __name__ == "__main__":
    main(*sys.argv[1:])
