"""What lesson b is made of: fitted and held-out error from a strong penalty to none, on made points or on a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.learn.table import Array, Table, uniform
from normball.path import fit_path

STRENGTHS = np.geomspace(10.0, 1e-5, 37)
MOST_DOTS = 30  # rows drawn of those that are fitted, and of those held out
MOST_POINTS = 30  # of two features that can be dragged
MOST_HELD_OUT = 100  # beside them
FEWEST_POINTS = 2  # of a class
LISTED = 12  # features whose weights are drawn
REACH = 2.5  # made points lie within this distance from 0, along both axes
CLOSEST = 0.35  # distance of two points that can be dragged
START = 8  # where the digits that stand in for chance begin


def noisy_points(n_fitted: int = 24, n_held_out: int = 100) -> dict[str, Any]:
    """Points of two classes that overlap."""
    chance = uniform(16000, START).reshape(-1, 4)
    size = np.sqrt(-2 * np.log(1 - chance[:, 0]))
    exact = np.column_stack([size * np.cos(2 * np.pi * chance[:, 1]), size * np.sin(2 * np.pi * chance[:, 1])])
    classes = chance[:, 2] < 1 / (1 + np.exp(-exact @ [1.2, 0.8]))
    places = exact.round(1)
    near = np.abs(places).max(axis=1) <= REACH
    places, classes = places[near], classes[near]
    fitted: list[int] = []
    row = 0
    while len(fitted) < n_fitted:
        if all(np.hypot(*(places[row] - places[other])) >= CLOSEST for other in fitted):
            fitted.append(row)
        row += 1
    rows = np.column_stack([places, classes]).tolist()
    return {
        "points": [rows[one] for one in fitted],
        "held_out": rows[row : row + n_held_out],
        "lambdas": _short(STRENGTHS),
        "own": None,
    }


def fitted_and_held_out(table: Table) -> dict[str, Any]:
    """Models of all features on one half of the rows, judged on the other; the errors are those of all rows."""
    held = half(table.classes)
    path = fit_path(table.X[~held], table.classes[~held], family="binomial", l1_ratio=0.0, lambdas=STRENGTHS)
    sums = table.X @ path.coefs.T + path.intercepts
    costs = np.logaddexp(0.0, np.where(table.classes[:, None] > 0, -sums, sums))
    weights = path.coefs * path.scales
    listed = np.sort(np.argsort(-np.abs(weights).max(axis=0), kind="stable")[:LISTED])
    dots = np.concatenate([_sample(~held), _sample(held)])
    return {
        "lambdas": _short(path.lambdas),
        "plane": _two_features(table, held),
        "own": {
            "fitted": _short(costs[~held].mean(axis=0)),
            "held_out": _short(costs[held].mean(axis=0)),
            "n_fitted": int((~held).sum()),
            "n_held_out": int(held.sum()),
            "n_features": table.X.shape[1],
            "names": [table.names[j] for j in listed],
            "weights": [_short(row, 4) for row in weights[:, listed]],
            "dots": [[int(table.classes[row]), int(held[row])] for row in dots],
            "sums": [_short(row, 3) for row in sums[dots].T],
        },
    }


def _two_features(table: Table, held: NDArray[np.bool_]) -> dict[str, Any] | None:
    """Some rows by two features as points that can be changed: in standard deviations, with the units of the axes.

    None where the frame holds too few rows of a class.
    """
    pair = list(table.pair)
    places = table.X[:, pair].round(1)
    near = np.abs(places).max(axis=1) <= REACH
    parts = []
    for which, most in ((~held, MOST_POINTS), (held, MOST_HELD_OUT)):
        rows = [_some(near & which & (table.classes == label), most, table.classes == label) for label in (0.0, 1.0)]
        if min(map(len, rows)) < FEWEST_POINTS:
            return None
        some = np.sort(np.concatenate(rows))
        parts.append(np.column_stack([places[some], table.classes[some]]).tolist())
    return {
        "points": parts[0],
        "held_out": parts[1],
        "names": [table.names[j] for j in pair],
        "means": _short(table.means[pair]),
        "scales": _short(table.scales[pair]),
    }


def _some(which: NDArray[np.bool_], most: int, of_class: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows of a class by chance, as many of `most` as it is common, and a few of one that is rare."""
    wanted = max(round(most * float(of_class.mean())), 2 * FEWEST_POINTS)
    return np.random.default_rng(0).permutation(np.flatnonzero(which))[:wanted]


def half(classes: Array) -> NDArray[np.bool_]:
    """Every second row of each class, in an order by chance: tables are often sorted."""
    held = np.zeros(len(classes), dtype=bool)
    chance = np.random.default_rng(0)
    for label in (0.0, 1.0):
        held[chance.permutation(np.flatnonzero(classes == label))[1::2]] = True
    return held


def _sample(which: NDArray[np.bool_]) -> NDArray[np.int64]:
    rows = np.flatnonzero(which)
    return np.sort(np.random.default_rng(0).permutation(rows)[:MOST_DOTS])


def _short(values: Array, digits: int = 8) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in values]
