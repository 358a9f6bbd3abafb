"""The loss as a landscape: on planes of two coefficients, and along the line from the null model to a solution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.fitted_rows import FittedRows, unpenalised
from normball.evidence.listed import plain, rounded

Array = NDArray[np.float64]
Square = tuple[tuple[float, float], tuple[float, float]]  # ranges of x and y

TOP = 4  # features whose pairs have grids of their own
SLICES_AT = 3  # indices of lambda
SIZE = 17  # points along a side
DIGITS = 5
STEPS = 20_000  # between the lowest and the highest loss of a grid, at least
BEYOND_DIGITS = 4
TINY = 1e-3  # of a grid's side: what is nearer to the solution than this counts as this far away
MOST_WORK = 50_000_000  # losses of single rows for the slices, and as many for the pairs
FIRST_STEPS = 12  # Newton steps for the intercepts of the first line of a plane
PROFILE_STEPS = 2  # for those of a line that starts at its neighbour's
LINE = np.linspace(-0.25, 2.0, 46)
MARGIN = 0.15  # air around what a plane has to show
REACH = 2.0  # how far beyond the ball the lowest point of a plane may lie and still be shown whole


def slices(rows: FittedRows) -> list[dict[str, Any]]:
    """The mean loss when two coefficients (per SD) move and all others, the intercept too, stay.

    The chosen strengths come first; with very many rows the later ones are left out.
    """
    if rows.family.quadratic:
        return []  # a quadratic, known from the Gram matrix
    at = rows.some(SLICES_AT)
    order = sorted(at, key=lambda index: (index not in rows.marks, index))
    wanted = [(index, j, k) for index in order for j, k in _pairs(rows)]
    affordable = int(MOST_WORK // (SIZE**2 * rows.y.size))
    found = []
    for index, j, k in wanted[:affordable]:
        eta = rows.link_at(index)
        here = rows.per_sd[index, [j, k]]
        gradient, hessian = _derivatives(rows, eta, j, k)
        box = _box(gradient, hessian, here)
        if box is None:
            continue
        x, y = box
        beyond = _beyond(rows, eta, j, k, gradient, hessian, _axis(x) - here[0], _axis(y) - here[1])
        bends = plain(hessian[[0, 0, 1], [0, 1, 1]])
        found.append(
            {"j": j, "k": k, "at": index, "x": list(x), "y": list(y), "size": SIZE, "hessian": bends, "beyond": beyond}
        )
    return found


def pairs(rows: FittedRows) -> list[dict[str, Any]]:
    """Two features alone: the mean loss with the intercept at its best, the solutions, and the unpenalised end."""
    if rows.family.quadratic:
        return []  # closed form
    affordable = int(MOST_WORK // (SIZE**2 * (PROFILE_STEPS + 1) * rows.y.size))
    found = []
    for j, k in list(_pairs(rows))[:affordable]:
        solutions = _solutions(rows, [j, k])
        best = unpenalised(rows, rows.features[:, [j, k]])
        end = None if best is None else best[1]
        x, y = _square([*solutions, *([] if end is None else [end]), np.zeros(2)])
        found.append(
            {
                "j": j,
                "k": k,
                **_grid(x, y, _profiled(rows, j, k, _axis(x), _axis(y))),
                "path": plain(solutions, DIGITS),
                "mle": None if end is None else plain(end, DIGITS),
            }
        )
    return found


def convexity(rows: FittedRows) -> dict[str, Any] | None:
    """Loss and penalty along the straight line from the null model (0) to a solution (1) and beyond.

    Coefficients without a penalty are those of the null model at 0.
    """
    path = rows.path
    free = np.flatnonzero((path.penalty_factors[rows.columns] == 0) & (path.scales[rows.columns] > 0))
    null = unpenalised(rows, rows.features[:, free])
    if null is None:
        return None
    start = rows.offset + null[0] + rows.features[:, free] @ null[1]
    stored, at = path.coef_rows, rows.few()
    losses, penalties = [], []
    for index in at:
        losses.append(rows.loss_of(_along(start, rows.link_at(index) - start, LINE), LINE.size))
        part = stored.take(slice(index, index + 1))
        factors = path.penalty_factors[part.indices]
        size = np.abs(part.values) * path.scales[part.indices]
        l1, l2 = float(factors @ size), float(factors @ size**2) / 2
        penalties.append(path.lambdas[index] * (path.l1_ratio * l1 * np.abs(LINE) + (1 - path.l1_ratio) * l2 * LINE**2))
    return {
        "at": at,
        "t": plain(LINE, DIGITS),
        "loss": plain(losses, DIGITS + 1),
        "penalty": plain(penalties, DIGITS + 1),
    }


def _pairs(rows: FittedRows) -> Iterator[tuple[int, int]]:
    return combinations(range(min(TOP, rows.columns.size)), 2)


def _axis(ends: tuple[float, float]) -> Array:
    return np.linspace(ends[0], ends[1], SIZE)


def _grid(x: tuple[float, float], y: tuple[float, float], losses: list[Array]) -> dict[str, Any]:
    values = np.concatenate(losses)
    step = max(float(np.ptp(values)), 1e-12) / STEPS
    return {"x": list(x), "y": list(y), "size": SIZE, "loss": plain(values.round(-int(np.floor(np.log10(step)))))}


def _derivatives(rows: FittedRows, eta: Array, j: int, k: int) -> tuple[Array, Array]:
    """Gradient and Hessian of the mean loss by two coefficients, as the page has them."""
    two = rows.features[:, [j, k]]
    gradient = two.T @ (rows.weights * rows.slope(eta))
    hessian = (two.T * (rows.weights * rows.curvature(eta))) @ two
    return rounded(gradient, DIGITS), rounded(hessian, DIGITS)


def _beyond(
    rows: FittedRows, eta: Array, j: int, k: int, gradient: Array, hessian: Array, right: Array, up: Array
) -> list[float]:
    """What the loss has beyond its quadratic about the solution, over the cube of the distance, on a grid of steps.

    That is a mild function, so that few points and digits give the loss between them, and near the solution to many.
    """
    level = float(rows.loss(eta[:, None])[0])
    lines = []
    for step in up:
        loss = rows.loss_of(_along(eta + step * rows.features[:, k], rows.features[:, j], right), right.size)
        bent = hessian[0, 0] * right**2 + 2 * hessian[0, 1] * right * step + hessian[1, 1] * step**2
        left = loss - level - gradient[0] * right - gradient[1] * step - bent / 2
        lines.append(left / np.maximum(np.hypot(right, step), TINY * np.ptp(right)) ** 3)
    values: list[float] = plain(np.concatenate(lines), BEYOND_DIGITS)
    return values


def _box(gradient: Array, hessian: Array, here: Array) -> Square | None:
    """A square that shows the origin, the ball and, where it is near, the lowest point; None where all are one."""
    step = np.linalg.lstsq(hessian, -gradient, rcond=1e-8)[0]
    radius = float(np.abs(here).sum())
    most = REACH * radius if radius > 0 else 1.0
    step *= min(1.0, most / max(float(np.abs(step).max()), 1e-300))
    lowest = here + step
    ball = [np.array([radius, 0.0]), np.array([0.0, radius])]
    corners = [sign * corner for sign in (1, -1) for corner in ball]
    if max(radius, float(np.abs(lowest).max())) < 1e-9:
        return None
    return _square([*corners, here, lowest])


def _square(points: list[Array]) -> Square:
    """Ranges of x and y, equally long, that hold all points with some air, to a few digits."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    half = max(float((high - low).max()) * (0.5 + MARGIN), 1e-6)
    middle = (low + high) / 2
    ends = plain([middle - half, middle + half], DIGITS)
    return (ends[0][0], ends[1][0]), (ends[0][1], ends[1][1])


def _solutions(rows: FittedRows, chosen: list[int]) -> Array:
    """Coefficients (n_lambdas, 2) per SD of the penalised fits to two features alone, on the grid of the path."""
    from normball.path import fit_path

    path = rows.path
    columns = rows.columns[chosen]
    scales = np.where(path.scales[columns] > 0, path.scales[columns], 1.0)
    alone = fit_path(
        np.ascontiguousarray(rows.features[:, chosen]),
        rows.y,
        family=path.family,
        l1_ratio=path.l1_ratio,
        lambdas=path.lambdas,
        fit_intercept=path.fit_intercept,
        standardize=False,
        sample_weight=rows.weights,
        offset=rows.offset if path.has_offset else None,
        penalty_factors=path.penalty_factors[columns],
        lower_bounds=path.lower_bounds[columns] * scales,
        upper_bounds=path.upper_bounds[columns] * scales,
        progress=False,
    )
    return alone.coefs


def _profiled(rows: FittedRows, j: int, k: int, x: Array, y: Array) -> list[Array]:
    """Losses on a grid, line by line from the middle outwards, with the intercept moved to its best everywhere."""
    first, second = rows.features[:, j], rows.features[:, k]
    middle = y.size // 2
    # the logarithm of a mean must not leap; an amount may, but where few rows bend its loss a step is a guess
    least, reach = (0.1, np.inf) if rows.family.amounts else (1e-12, 2.0)
    losses: dict[int, Array] = {}
    best = {middle: np.zeros(x.size)}  # intercepts of each line
    for step, lines in ((1, range(middle, y.size)), (-1, range(middle - 1, -1, -1))):
        for line in lines:
            steps = FIRST_STEPS if line == middle else PROFILE_STEPS
            intercepts = best[line if line == middle else line - step]
            base = rows.offset + second * y[line]
            for _ in range(steps if rows.path.fit_intercept else 0):
                slope, bend = rows.derivatives_of(_along(base, first, x, intercepts), x.size)
                intercepts = intercepts - np.clip(slope / np.maximum(bend, least), -reach, reach)
            losses[line] = rows.loss_of(_along(base, first, x, intercepts), x.size)
            best[line] = intercepts
    return [losses[line] for line in range(y.size)]


def _along(start: Array, way: Array, steps: Array, more: Array | float = 0.0) -> Callable[[slice], Array]:
    """Linear predictors that begin at `start` and go so many steps along `way`, both with a number for each row."""
    return lambda some: start[some, None] + way[some, None] * steps + more
