"""Where on a path a wanted strength, norm or size lies: positions on the grid, 2.5 being half way from 2 to 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normball.settings import as_number

if TYPE_CHECKING:
    from normball.results.path import Path

Array = NDArray[np.float64]

_ROUNDING = 1e-10  # relative; a strength this close to a grid point is that point


def position(path: Path, *, lam: float | None, l1_norm: float | None, n_nonzero: int | None) -> float:
    """The position of the one thing that is asked for."""
    if sum(choice is not None for choice in (lam, l1_norm, n_nonzero)) != 1:
        raise TypeError("at() takes exactly one of lam, l1_norm and n_nonzero")
    if lam is not None:
        return _of_lam(path, lam)
    if l1_norm is not None:
        return _of_l1_norm(path, l1_norm)
    assert n_nonzero is not None
    return float(_of_n_nonzero(path, n_nonzero))


def _of_lam(path: Path, lam: float) -> float:
    """The position of strength `lam`."""
    grid = path.lambdas
    lam = as_number("lam", lam)
    nearest = int(np.argmin(np.abs(grid - lam)))
    if abs(grid[nearest] - lam) <= _ROUNDING * grid[nearest]:
        return float(nearest)
    if not grid[-1] < lam < grid[0]:
        raise ValueError(
            f"lam is {lam:g}, but the path runs from {grid[0]:.6g} to {grid[-1]:.6g}. "
            f"Fit again with lambdas=[...] that enclose it, or with a smaller lambda_min_ratio."
        )
    above = int(np.searchsorted(-grid, -lam)) - 1
    return float(above + (grid[above] - lam) / (grid[above] - grid[above + 1]))


def _of_l1_norm(path: Path, l1_norm: float) -> float:
    """The first position at which the standardised coefficients have this sum of absolute values."""
    norms = path.l1_norms
    target = as_number("l1_norm", l1_norm)
    reached = norms >= target
    if not (target >= 0.0 and reached.any()) or (reached[0] and norms[0] != target):
        raise ValueError(
            f"l1_norm is {target:g}, but on this path it runs from {norms[0]:.6g} to {norms.max():.6g} "
            f"(per standard deviation). For more, fit again with a smaller lambda_min_ratio; "
            f"for an exact radius use fit_ball."
        )
    ahead = int(np.argmax(reached))
    if norms[ahead] == target:
        return float(ahead)
    before = ahead - 1
    start, end = path.coef_at(before) * path.scales, path.coef_at(ahead) * path.scales
    return before + share_reaching(start, end, lambda coef: float(np.abs(coef).sum()), target)


def share_reaching(start: Array, end: Array, norm: Callable[[Array], float], target: float) -> float:
    """How far from `start` (norm at most `target`) to `end` (norm above it) the norm reaches `target`, by bisection."""
    low, high = 0.0, 1.0
    while (middle := (low + high) / 2.0) not in (low, high):
        below = norm((1.0 - middle) * start + middle * end) < target
        low, high = (middle, high) if below else (low, middle)
    return high


def _of_n_nonzero(path: Path, n_nonzero: int) -> int:
    """The first grid point with at least so many nonzero coefficients."""
    reached = path.n_nonzero >= as_number("n_nonzero", n_nonzero)
    if not reached.any():
        raise ValueError(
            f"n_nonzero is {n_nonzero}, but no model on this path keeps more than {path.n_nonzero.max()} features. "
            f"Fit again with a smaller lambda_min_ratio or a smaller l1_ratio."
        )
    return int(np.argmax(reached))
