"""Coefficients under other draws of the rows: bootstrap samples are problems of one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.messages import Interrupted
from normball.path import Problem
from normball.results.arrays import Array
from normball.results.ranges import MIDDLE, Ranges, ranges_of
from normball.results.sparse_rows import SparseRows
from normball.settings import Progress, Settings

if TYPE_CHECKING:
    from normball.inputs.prepare import Data
    from normball.results.path import Path

MOST_WEIGHTS = 20_000_000  # held at a time


def bootstrap_ranges(
    path: Path,
    data: Data,
    lambdas: Array,
    n_samples: int,
    *,
    row_groups: NDArray[Any] | None = None,
    random_state: Any = 0,
    progress: Progress = None,
) -> Ranges:
    """Fit bootstrap samples of the rows of `path` at some of its strengths.

    Parameters
    ----------
    path : Path
        The fitted path.
    data : Data
        The rows that it was fitted to; medians that stand in for missing values stay those of all rows.
    lambdas : ndarray
        The strengths.
    n_samples : int
        How many samples to draw.
    row_groups : ndarray, shape (n,), optional
        Rows of one group are drawn together.
    random_state : int or Generator
        Seed of the draws.
    progress : bool or callable, optional
        As in `fit_path`, in samples.

    Raises
    ------
    Interrupted
        On Ctrl-C; its `result` holds the ranges of the samples that were finished, None for fewer than two.
    """
    generator = np.random.default_rng(random_state)
    groups = np.arange(data.n_rows) if row_groups is None else np.unique(row_groups, return_inverse=True)[1]
    size = int(groups.max()) + 1
    width = min(n_samples, max(1, MOST_WEIGHTS // data.n_rows))
    found: list[SparseRows] = []
    for start in range(0, n_samples, width):
        n_here = min(width, n_samples - start)
        counts = [np.bincount(generator.integers(size, size=size), minlength=size)[groups] for _ in range(n_here)]
        solution = _problem(path, data, lambdas, progress).solve(data.weights * np.array(counts))
        if solution.interrupted:
            result = ranges_of(found, solution.lambdas, MIDDLE) if len(found) > 1 else None
            raise Interrupted(f"Interrupted after {len(found)} of {n_samples} bootstrap samples", result)
        found += [solution.coef_rows(k) for k in range(n_here)]
    return ranges_of(found, solution.lambdas, MIDDLE)


def _problem(path: Path, data: Data, lambdas: Array, progress: Progress) -> Problem:
    """The problem that the path solves, at these strengths."""
    settings = Settings(
        family=path.family,
        l1_ratio=path.l1_ratio,
        lambdas=lambdas,
        fit_intercept=path.fit_intercept,
        standardize=path.standardize,
        tol=path.tol,
        progress=progress,
    )
    return Problem(
        data,
        settings,
        path.penalty_factors,
        path.lower_bounds,
        path.upper_bounds,
        path.has_offset,
        path.grouped,
        path.groups,
    )
