"""The table that the lessons are made of: the reader's own, standardised, or made by formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.lookup import not_found
from normball.messages import DataError, Finding

Array = NDArray[np.float64]

SEARCHED = 300  # features among which the most correlated pair is looked for
FEWEST = 4  # rows of each class that the lessons on classes need
ALIKE = 0.999  # features more correlated than this make no ellipse


@dataclass(frozen=True)
class Table:
    """Features per standard deviation (with their `means` and `scales`), the centred target, and it as two classes."""

    X: Array
    y: Array
    classes: Array
    names: tuple[str, ...]
    pair: tuple[int, int]
    twins: tuple[int, int]
    means: Array
    scales: Array


def standardised(design: Any, y: Array, names: Sequence[str], columns: Sequence[str], source: Any) -> Table:
    """Standardise, and choose the pairs."""
    X = np.asarray(_dense(design), dtype=np.float64)
    scales = X.std(axis=0)
    kept = np.flatnonzero(scales > 1e-12 * np.maximum(1.0, np.abs(X).max(axis=0)))
    if kept.size < 2:
        raise DataError(Finding("E14", f"The lessons need two features that vary; there are {kept.size}."))
    means, scales = X[:, kept].mean(axis=0), scales[kept]
    X = (X[:, kept] - means) / scales
    names = tuple(str(names[int(j)]) for j in kept)
    centred = y - y.mean()
    if not np.any(np.abs(centred) > 1e-12 * max(1.0, float(np.abs(y).max()))):
        raise DataError(Finding("E03", "The target does not vary. Nothing to learn."))
    values = np.unique(y)
    classes = (y > values[0]) if values.size == 2 else (y > np.median(y))
    if min(classes.sum(), (~classes).sum()) < FEWEST:
        raise DataError(Finding("E05", f"The lessons need at least {FEWEST} rows of each class."))
    pair = _chosen(names, columns, source) if columns else _strongest(X, centred)
    if abs(float(X[:, pair[0]] @ X[:, pair[1]])) / len(y) > ALIKE:
        text = f'"{names[pair[0]]}" and "{names[pair[1]]}" are copies of one another; they make no ellipse.'
        raise DataError(Finding("E14", text, "choose two other columns"))
    twins = pair if columns else _most_alike(X, centred)
    return Table(X, centred, classes.astype(np.float64), names, pair, twins, means, scales)


def _dense(design: Any) -> Any:
    if not isinstance(design, tuple):
        return design
    from scipy.sparse import csc_matrix

    values, indices, starts, n_rows = design
    return csc_matrix((values, indices, starts), shape=(n_rows, len(starts) - 1)).toarray()


def _chosen(names: tuple[str, ...], columns: Sequence[str], source: Any) -> tuple[int, int]:
    if len(columns) != 2 or columns[0] == columns[1]:
        raise ValueError("Two different columns are needed for the lessons on two weights")
    problems = [not_found(source, name, "Column") for name in columns if name not in source.names]
    if problems:
        raise DataError(*problems)
    lacking = [name for name in columns if name not in names]
    if lacking:
        text = f'"{lacking[0]}" is no number that varies; two weights need two numeric columns.'
        raise DataError(Finding("E01", text, columns=tuple(lacking)))
    return names.index(columns[0]), names.index(columns[1])


def _strongest(X: Array, y: Array) -> tuple[int, int]:
    """The feature that goes most with the target, and the next that is no copy of it."""
    order = np.argsort(-np.abs(X.T @ y), kind="stable")
    first = int(order[0])
    alike = np.abs(X.T @ X[:, first]) / len(y)
    others = [int(j) for j in order[1:] if alike[j] <= ALIKE]
    if not others:
        raise DataError(Finding("E14", "All features are copies of one another."))
    return first, others[0]


def _most_alike(X: Array, y: Array) -> tuple[int, int]:
    listed = np.sort(np.argsort(-np.abs(X.T @ y), kind="stable")[:SEARCHED])
    alike = np.abs(X[:, listed].T @ X[:, listed])
    np.fill_diagonal(alike, -1.0)
    first, second = np.unravel_index(int(np.argmax(alike)), alike.shape)
    return int(listed[first]), int(listed[second])


def turned(degrees: float, correlation: float) -> dict[str, Any]:
    """The quadratic with its lowest point at this angle and distance 1."""
    lowest = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    gram = np.array([[1.0, correlation], [correlation, 1.0]])
    cov = gram @ lowest
    return {"gram": [1.0, correlation, 1.0], "cov": cov.tolist(), "base": float(cov @ lowest) / 2 + 0.1}


def uniform(number: int, start: int = 0) -> Array:
    """Numbers from 0 to 1 that are the same everywhere: the digits of a sine stand in for chance."""
    digits: Array = np.modf(np.abs(np.sin(12.9898 * (start + np.arange(1, number + 1))) * 43758.5453))[0]
    return digits


def normal(shape: tuple[int, int], start: int = 0) -> Array:
    """Numbers that look normal and are the same everywhere."""
    chance = uniform(2 * shape[0] * shape[1], start).reshape(2, *shape)
    found: Array = np.sqrt(-2 * np.log(1 - chance[0])) * np.cos(2 * np.pi * chance[1])
    return found


def few_of_many() -> tuple[Array, Array, Array]:
    """60 rows of 20 features, 4 of which make the target."""
    n, p = 60, 20
    numbers = normal((n, p + 1))
    X = numbers[:, :p]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    truth = np.zeros(p)
    truth[[2, 6, 11, 17]] = [1.5, -1.0, 0.8, 0.6]
    y = X @ truth + 0.7 * numbers[:, p]
    return X, y - y.mean(), truth
