"""A table on disk fitted under a limit of memory: passes, time beside that of reading it, peak.

    python -m benchmarks.out_of_core make FOLDER --rows 10000000 --features 100
    python -m benchmarks.out_of_core fit FOLDER --memory 1000 --family binomial
    python -m benchmarks.out_of_core score FOLDER --memory 1000 --family binomial
    python -m benchmarks.out_of_core growth FOLDER --features 10

`fit` runs in a process of its own whose anonymous memory cannot grow beyond the limit (RLIMIT_DATA), so that a
table that were held would end it. `score` judges a model of the first file on all rows in such a process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROWS_OF_A_FILE = 250_000
ROWS_OF_A_GROUP = 25_000
GROWTH = (1_000_000, 10_000_000, 100_000_000)


def make(folder: Path, n_rows: int, n_features: int) -> None:
    """Parquet files of normal features, a tenth of which matter, and targets of two families."""
    import polars as pl

    folder.mkdir(parents=True, exist_ok=True)
    coefs = np.zeros(n_features)
    coefs[::10] = np.linspace(0.5, -0.5, coefs[::10].size)
    for file, first in enumerate(range(0, n_rows, ROWS_OF_A_FILE)):
        rng = np.random.default_rng([7, file])
        X = rng.normal(size=(min(ROWS_OF_A_FILE, n_rows - first), n_features))
        X += 0.5 * rng.normal(size=(len(X), 1))
        eta = X @ coefs
        table = {f"x{j}": X[:, j] for j in range(n_features)}
        table["number"] = eta + rng.normal(size=len(X))
        table["class"] = (rng.random(len(X)) < 1.0 / (1.0 + np.exp(-eta))).astype(np.int8)
        place = folder / f"{file:05d}.parquet"
        pl.DataFrame(table).write_parquet(place, compression="uncompressed", row_group_size=ROWS_OF_A_GROUP)


def fit(folder: Path, family: str, memory: int, n_folds: int, n_threads: int) -> dict[str, Any]:
    """Fit 100 lambdas and the folds within `memory` bytes, and read the table once more for comparison."""
    import normball as nb

    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    target, other = ("class", "number") if family == "binomial" else ("number", "class")
    start = time.perf_counter()
    blocks = nb.Blocks(folder, memory=memory)
    options: dict[str, Any] = {"family": family, "drop": [other], "n_threads": n_threads, "progress": False}
    path = nb.cv_path(blocks, target, cv=n_folds, **options).path
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    n_rows = sum(block.n_rows for block in _blocks(blocks, target, options))
    once = time.perf_counter() - start
    return {
        "family": family,
        "rows": n_rows,
        "features": path.n_features,
        "folds": n_folds,
        "solver_passes": path.n_sweeps,
        "seconds": seconds,
        "seconds_to_read_once": once,
        "largest_gap": float(path.dual_gaps.max()),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "limit_mb": memory / 1e6,
        "table_mb": sum(file.stat().st_size for file in folder.glob("*.parquet")) / 1e6,
    }


def score(folder: Path, family: str, memory: int, n_folds: int, n_threads: int) -> dict[str, Any]:
    """Judge and predict all rows within `memory` bytes by a model of the first file, in fewer passes than a fit."""
    import polars as pl

    import normball as nb

    target, other = ("class", "number") if family == "binomial" else ("number", "class")
    first = pl.read_parquet(folder / "00000.parquet")
    path = nb.fit_path(first, target, family=family, drop=[other], n_threads=n_threads, progress=False)
    model = path.at(lam=float(path.lambdas[50]))
    del first
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    blocks = nb.Blocks(folder, memory=memory)
    start = time.perf_counter()
    found = model.evaluate(blocks, target, n_bootstrap=0)
    judged = time.perf_counter() - start
    start = time.perf_counter()
    n_rows = len(model.predict(blocks))
    return {
        "family": family,
        "rows": n_rows,
        "scores": found.scores,
        "within": found.within,
        "seconds_to_judge": judged,
        "seconds_to_predict": time.perf_counter() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "limit_mb": memory / 1e6,
    }


def _blocks(blocks: Any, target: str, options: dict[str, Any]) -> Iterator[Any]:
    """The blocks as a pass reads them; the schema is looked at before the first one."""
    from normball.blocks.opening import row_blocks

    return row_blocks(blocks, target, {"family": options["family"], "drop": options["drop"]}).source.open()


def growth(folder: Path, n_features: int, memory: int, n_threads: int) -> list[dict[str, Any]]:
    """The same fit to more and more rows."""
    found = []
    for n_rows in GROWTH:
        make(folder, n_rows, n_features)
        for family in ("gaussian", "binomial"):
            found.append(_apart(folder, family, memory, 10, n_threads))
            print(json.dumps(found[-1]), flush=True)
        shutil.rmtree(folder)
    return found


def _apart(
    folder: Path, family: str, memory: int, n_folds: int, n_threads: int, command: str = "_fit"
) -> dict[str, Any]:
    """`fit` or `score` in a process of its own."""
    words = [command, str(folder), "--family", family, "--memory", str(memory // 10**6), "--folds", str(n_folds)]
    words += ["--threads", str(n_threads)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.out_of_core", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("make", "fit", "score", "growth", "_fit", "_score"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--memory", type=int, default=1000, help="MB")
    parser.add_argument("--family", choices=("gaussian", "binomial"), default="binomial")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    memory = asked.memory * 10**6
    if asked.command == "make":
        make(asked.folder, asked.rows, asked.features)
    elif asked.command == "growth":
        growth(asked.folder, asked.features, memory, asked.threads)
    else:
        given = (asked.folder, asked.family, memory, asked.folds, asked.threads)
        inside = {"_fit": fit, "_score": score}.get(asked.command)
        print(json.dumps(inside(*given) if inside else _apart(*given, f"_{asked.command}")))


if __name__ == "__main__":
    main()
