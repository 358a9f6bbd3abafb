"""What the speed depends on the CPU: whole paths with the kernels, OpenBLAS's and ours, of older ones.

`python -m benchmarks.cpu_levels` prints the table: CPU seconds of one thread, the best of three runs. The clock and the
memory stay those of this machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.problems import PROBLEMS
from benchmarks.solvers.normball import Normball
from benchmarks.store import Page
from normball import _native

# our level, and what OpenBLAS takes for such a CPU: nothing is asked of it where it is the CPU's own
BLAS = {"avx512_vnni": "", "avx512": "", "avx2": "Haswell", "plain": "Prescott"}
NAMES = ("B", "D", "E")
_N_RUNS = 3


def seconds(name: str) -> float:
    """CPU time of the path."""
    page = Page.read(PROBLEMS[name].page())
    solver = Normball(page, page.arrays(raw=True), 1)
    times = []
    for _ in range(_N_RUNS):
        start = time.process_time()
        solver.path(solver.ladder[0])
        times.append(time.process_time() - start)
    return min(times)


def main(level: str | None = None) -> None:
    """Print the table, or the line of one level."""
    if level:
        _native.set_cpu_level(level)
        print(f"| {level} | {BLAS[level] or 'its own'} |", *(f"{seconds(name):.2f} |" for name in NAMES), flush=True)
        return
    print("| kernels | OpenBLAS |", *(f"{name}: {PROBLEMS[name].says} |" for name in NAMES))
    print("|" + " - |" * (2 + len(NAMES)), flush=True)
    for name in NAMES:
        PROBLEMS[name].page()
    for level in reversed(_native.cpu_levels()):
        core = {"OPENBLAS_CORETYPE": BLAS[level]} if BLAS[level] else {}
        command = [sys.executable, "-m", "benchmarks.cpu_levels", level]
        subprocess.run(command, env={**os.environ, **core, "OPENBLAS_NUM_THREADS": "1"}, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
