"""Coefficients under other draws of the rows: bootstrap samples are problems of one batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.folds import per_row
from normball.messages import DataError, Finding, Interrupted
from normball.path import Problem
from normball.results.arrays import Array
from normball.results.ranges import MIDDLE, Ranges, ranges_of
from normball.results.sparse_rows import SparseRows
from normball.settings import Settings, whole
from normball.survival.risk_sets import risk_sets

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data
    from normball.results.path import Path

MOST_WEIGHTS = 20_000_000  # held at a time
TOGETHER = 25  # samples in one call; between two of them the work may stop
MOST_DRAWS = 100  # of one sample


class BootstrapOptions(TypedDict, total=False):
    """The keyword arguments of `CVPath.bootstrap`; see there."""

    lambdas: ArrayLike | None
    sample_weight: Any
    offset: Any
    strata: Any
    row_groups: ArrayLike | None
    random_state: Any


def bootstrapped(
    cv: CVPath,
    X: Any,
    y: Any,
    n_samples: int,
    *,
    lambdas: ArrayLike | None = None,
    sample_weight: Any = None,
    offset: Any = None,
    strata: Any = None,
    **draws: Any,
) -> CVPath:
    """A cross-validated path with the ranges of its coefficients; see `CVPath.bootstrap`."""
    from normball.blocks.opening import refuse_blocks
    from normball.evidence.refound import refound
    from normball.inputs.streams import at_hand

    X = at_hand(X)
    refuse_blocks(X, "CVPath.bootstrap", "fold_ranges are those of the folds; or fit a sample of the rows")
    n_samples = whole("n_samples", n_samples)
    data = refound(cv.path, X, y, sample_weight=sample_weight, offset=offset, strata=strata)
    wanted = [cv.lambda_1se, cv.lambda_best] if lambdas is None else lambdas
    return replace(cv, bootstrap_ranges=bootstrap_ranges(cv.path, data, wanted, n_samples, **draws))


def bootstrap_ranges(
    path: Path,
    data: Data,
    lambdas: ArrayLike,
    n_samples: int,
    *,
    row_groups: ArrayLike | None = None,
    random_state: Any = 0,
    progress: Callable[[int, int], Any] | None = None,
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
    progress : callable, optional
        Is told how many samples of how many are done.

    Raises
    ------
    Interrupted
        On Ctrl-C; its `result` holds the ranges of the samples that were finished, None for fewer than two.
    """
    generator = np.random.default_rng(random_state)
    whole = None if row_groups is None else per_row("row_groups", row_groups, data.n_rows, data.rows)
    groups = np.arange(data.n_rows) if whole is None else np.unique(whole, return_inverse=True)[1]
    size = int(groups.max()) + 1
    width = max(1, min(TOGETHER, MOST_WEIGHTS // data.n_rows))
    found: list[SparseRows] = []
    problem = _problem(path, data, lambdas)
    for start in range(0, n_samples, width):
        n_here = min(width, n_samples - start)
        weights = np.array([_drawn(data, groups, size, generator) for _ in range(n_here)])
        solution = problem.solve(weights)
        if solution.interrupted:
            result = ranges_of(found, solution.lambdas, MIDDLE) if len(found) > 1 else None
            raise Interrupted(f"Interrupted after {len(found)} of {n_samples} bootstrap samples", result)
        found += [solution.coef_rows(k) for k in range(n_here)]
        if progress is not None:
            progress(len(found), n_samples)
    return ranges_of(found, solution.lambdas, MIDDLE)


def _drawn(data: Data, groups: NDArray[np.intp], size: int, generator: np.random.Generator) -> Array:
    """The weights of a sample that a model can be fitted to."""
    for _ in range(MOST_DRAWS):
        weights = data.weights * np.bincount(generator.integers(size, size=size), minlength=size)[groups]
        if _can_be_learned(data, weights > 0.0):
            return np.asarray(weights)
    lacks = "has one value, or lacks a class" if data.survival is None else "has no event"
    text = f"In {MOST_DRAWS} bootstrap samples running the target {lacks}; it is too rare."
    raise DataError(Finding("E05", text, "collect more of these rows"))


def _can_be_learned(data: Data, drawn: NDArray[np.bool_]) -> bool:
    """Whether every class is there, and numbers differ; of times to an event, whether one happens beside other rows."""
    if data.survival is not None:
        target = data.survival.take(drawn)
        return bool((risk_sets(target).over_rows(np.ones(len(target))) > 1.0).any())
    y = data.y[drawn]
    has_all = data.classes is None or data.y.ndim == 1 or (y > 0.0).any(axis=0).all()
    return bool(y.size and has_all and np.ptp(y, axis=0).any())


def _problem(path: Path, data: Data, lambdas: ArrayLike) -> Problem:
    """The problem that the path solves, at these strengths."""
    settings = Settings(
        family=path.family,
        l1_ratio=path.l1_ratio,
        lambdas=np.asarray(lambdas),
        fit_intercept=path.fit_intercept,
        standardize=path.standardize,
        tol=path.tol,
        progress=False,
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
