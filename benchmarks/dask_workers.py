"""What further Dask workers are worth: a logistic cross-validation of a Parquet table on clusters of different size.

`python -m benchmarks.dask_workers` makes the table (in --folder, once) and times the whole of it, from the files to the
result, but for the start of the cluster. Each worker is a process with one thread on this machine, so that more workers
than processors show nothing. The rounds go through all sizes in turn, and the time is the least of them: other work on
the machine only adds to it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.problems import CACHE


def make_table(folder: Path, n_rows: int, n_columns: int, n_files: int) -> Path:
    """A table of normal features, of which ten count, with a target of two classes; one file a partition."""
    import polars as pl

    place = folder / f"dask-{n_rows}-{n_columns}-{n_files}"
    if place.exists():
        return place
    unfinished = place.with_suffix(".unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    slopes = np.zeros(n_columns)
    slopes[:10] = np.linspace(1.0, 0.1, 10)
    for k, rows in enumerate(np.array_split(np.arange(n_rows), n_files)):
        rng = np.random.default_rng(k)
        X = rng.standard_normal((len(rows), n_columns))
        y = X @ slopes + rng.logistic(size=len(rows)) > 0
        frame = pl.DataFrame(X, schema=[f"x{j}" for j in range(n_columns)]).with_columns(y=pl.Series(y))
        frame.write_parquet(unfinished / f"{k:04}.parquet")
    return unfinished.rename(place)


def seconds(place: Path, n_workers: int, folds: int) -> tuple[float, float]:
    """How long the fit took, and its duality gap."""
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    import normball as nb

    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with LocalCluster(n_workers=n_workers, **options) as cluster, Client(cluster) as client:
        client.run(lambda: __import__("normball"))
        begin = time.perf_counter()
        frame = dd.read_parquet(place)
        found = nb.cv_path(frame, "y", family="binomial", cv=folds, progress=False)
        return time.perf_counter() - begin, float(found.path.dual_gaps.max())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dask_workers", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--files", type=int, default=32)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=CACHE)
    options = parser.parse_args(arguments)
    place = make_table(options.folder, options.rows, options.columns, options.files)
    times: dict[int, list[float]] = {n: [] for n in options.workers}
    for _ in range(options.rounds):
        for n_workers in options.workers:
            took, gap = seconds(place, n_workers, options.folds)
            times[n_workers].append(took)
            print(f"{n_workers} workers: {took:.1f} s, largest gap {gap:.1e}", flush=True)
    first = min(times[options.workers[0]])
    for n_workers, found in times.items():
        factor = first / min(found)
        print(f"{n_workers:3} workers: {min(found):7.1f} s, {factor:.2f} times as fast as {options.workers[0]}")


if __name__ == "__main__":
    main()
