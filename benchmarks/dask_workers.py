"""What further Dask workers are worth: a logistic cross-validation of a Parquet table on clusters of different size.

`python -m benchmarks.dask_workers` makes the table (in --folder, once) and times the whole of it, from the files to the
result, but for the start of the cluster. Each worker is a process with one thread on this machine, so that more workers
than processors show nothing. The rounds go through all sizes in turn, and the time is the least of them: other work on
the machine only adds to it. Where there is much of that, processor seconds tell more: those of the busiest worker are
shared out, those of the client, who has the scheduler and the solver, are not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

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


class Timed(NamedTuple):
    """What a fit took: seconds, those of processors in the busiest worker and in the client (with the scheduler)."""

    seconds: float
    worker: float
    client: float
    gap: float


def timed(place: Path, n_workers: int, folds: int) -> Timed:
    """Fit on so many workers."""
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    import normball as nb

    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with LocalCluster(n_workers=n_workers, **options) as cluster, Client(cluster) as client:
        client.run(lambda: __import__("normball"))
        before, here, begin = client.run(time.process_time), time.process_time(), time.perf_counter()
        found = nb.cv_path(dd.read_parquet(place), "y", family="binomial", cv=folds, progress=False)
        took, here = time.perf_counter() - begin, time.process_time() - here
        after = client.run(time.process_time)
        busiest = max(after[worker] - before[worker] for worker in after)
        return Timed(took, busiest, here, float(found.path.dual_gaps.max()))


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
    times: dict[int, list[Timed]] = {n: [] for n in options.workers}
    for _ in range(options.rounds):
        for n_workers in options.workers:
            one = timed(place, n_workers, options.folds)
            times[n_workers].append(one)
            print(f"{n_workers} workers: {one.seconds:.1f} s, largest gap {one.gap:.1e}", flush=True)
    first = min(one.seconds for one in times[options.workers[0]])
    for n_workers, found in times.items():
        best = min(found)
        factor = f"{first / best.seconds:.2f} times as fast as {options.workers[0]}"
        processors = f"{best.worker:.1f} processor seconds in the busiest worker, {best.client:.1f} in the client"
        print(f"{n_workers:3} workers: {best.seconds:7.1f} s, {factor}; {processors}")


if __name__ == "__main__":
    main()
