"""Where the model errs most: rows grouped by the columns of the table, and the held-out error of each group."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from normball.evidence.fitted_rows import FittedRows, dense_columns
from normball.evidence.held_out import quantiles
from normball.evidence.listed import plain
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.language import tr
from normball.results.facts import figures
from normball.results.text import isolated
from normball.scores import errors, right

Array = NDArray[np.float64]

LEAST = 20  # rows of a group that is told
FEW_VALUES = 5  # of a number, each of which is a group
QUARTERS = (0.25, 0.5, 0.75)
MOST_TOLD = 10  # groups at one lambda
LUCK = 0.05
DIGITS = 4


@dataclass(frozen=True)
class _Column:
    """How a column of the table parts the rows: the group of each row, -1 for none, and the groups' names."""

    codes: NDArray[np.intp]
    names: list[str]


def row_groups(rows: FittedRows, held_out: Array | None) -> dict[str, Any] | None:
    """The groups with the largest error, and with the largest difference from all others, at the lambdas "at".

    The error of a row is whether its class is wrong, or how far off its number is. "excess" is how many standard errors
    that of a group lies above the error of all rows, by the spread of all rows (the own one of a group that is always
    wrong would be 0); "n_groups" are those that were looked at, and "by_chance" is the excess that the largest of so
    many passes in one of twenty cases where all have the same error.
    """
    if held_out is None or rows.family.has_risk_sets:
        return None
    columns = [column for column in _columns(rows) if column.names]
    at, n_groups = rows.few(), sum(len(column.names) for column in columns)
    told, overall = [], []
    for index in at:
        eta = held_out[:, index]
        known = np.isfinite(eta).reshape(eta.shape[0], -1).all(axis=1) & rows.counted
        error, bias = _of_rows(rows, eta, known)
        weights = np.where(known, rows.weights, 0.0)
        mean = float(weights @ error / weights.sum()) if known.any() else None
        overall.append(mean)
        judged = [] if mean is None else [_judged(column, weights, error, bias) for column in columns]
        found = [one for of_column in judged for one in of_column]
        told.append(sorted(found, key=lambda one: -one["excess"])[:MOST_TOLD])
    return {
        "at": at,
        "overall": plain(np.array(overall, dtype=float), DIGITS),
        "n_groups": n_groups,
        "by_chance": float(f"{ndtri(1.0 - LUCK / max(1, n_groups)):.3f}"),
        "told": told,
    }


def _of_rows(rows: FittedRows, eta: Array, known: NDArray[np.bool_]) -> tuple[Array, Array]:
    """The error of each row, and of one output target less prediction; 0 where there is no prediction."""
    eta = np.where(known.reshape(-1, *(1,) * (eta.ndim - 1)), eta, 0.0)[:, None]
    left = errors(rows.y, eta, rows.family)[:, 0]
    if rows.family.has_classes:
        error = 1.0 - right(rows.y, eta, rows.family)[:, 0]
    else:
        error = np.abs(left) if left.ndim == 1 else np.abs(left).mean(axis=1)
    bias = left if left.ndim == 1 else np.zeros(left.shape[0])
    return np.where(known, error, 0.0), np.where(known, bias, 0.0)


def _judged(column: _Column, weights: Array, error: Array, bias: Array) -> list[dict[str, Any]]:
    """What is told of each group of a column that is large enough."""
    mean = float(weights @ error / weights.sum())
    spread = float(weights @ (error - mean) ** 2 / weights.sum())
    inside = (column.codes >= 0) & (weights > 0.0)
    codes, w, e, b = column.codes[inside], weights[inside], error[inside], bias[inside]
    size = len(column.names)

    def sums(values: Array) -> Array:
        return np.bincount(codes, weights=values, minlength=size).astype(np.float64)

    n_rows = np.bincount(codes, minlength=size)
    total, squares = (np.where(n_rows > 0, sums(values), 1.0) for values in (w, w**2))
    error_mean, bias_mean = sums(w * e) / total, sums(w * b) / total
    bias_spread = np.maximum(sums(w * b**2) / total - bias_mean**2, 0.0)
    effective = total**2 / squares
    excess = (error_mean - mean) / np.sqrt(spread / effective) if spread > 0.0 else np.zeros(size)
    return [
        {
            "name": isolated(column.names[k]),
            "n_rows": int(n_rows[k]),
            "error": plain(error_mean[k : k + 1], DIGITS)[0],
            "excess": plain(excess[k : k + 1], DIGITS)[0],
            "bias": plain(bias_mean[k : k + 1], DIGITS)[0],
            "bias_se": plain(np.sqrt(bias_spread / effective)[k : k + 1], DIGITS)[0],
        }
        for k in range(size)
        if n_rows[k] >= LEAST and n_rows[k] < inside.size
    ]


def _columns(rows: FittedRows) -> list[_Column]:
    """The columns of the table that give the listed features."""
    preparation = rows.path.preparation
    first = np.searchsorted(preparation.column_of_feature, np.arange(len(preparation.columns)))
    wanted = dict.fromkeys(preparation.column_of_feature[rows.columns].tolist())
    found = []
    for j in wanted:
        column = preparation.columns[j]
        if not isinstance(column, NumberTerm | LevelTerm):
            continue
        features = first[j] + np.arange(column.n_features)
        values = dense_columns(rows.design, features)
        if isinstance(column, LevelTerm):
            codes = np.where(values.any(axis=1), values.argmax(axis=1), -1)
            found.append(_Column(codes, list(column.shown)))
        else:
            found.append(_of_number(column.name, values, rows.weights))
    return found


def _of_number(name: str, values: Array, weights: Array) -> _Column:
    """Each value of a number that has few, else its quarters; where it was missing, a group of those rows."""
    number, gap = values[:, 0], values[:, 1] > 0.0 if values.shape[1] > 1 else np.zeros(values.shape[0], dtype=bool)
    distinct = np.unique(number[~gap])
    if distinct.size <= FEW_VALUES:
        codes = np.searchsorted(distinct, number)
        names = [f"{name}: {_shown(value)}" for value in distinct.tolist()]
    else:
        edges = np.unique(quantiles(number[~gap], weights[~gap], QUARTERS))
        codes = np.searchsorted(edges, number)
        shown = [_shown(edge) for edge in edges.tolist()]
        middle = [tr("{0} from {1} to {2}", name, low, high) for low, high in pairwise(shown)]
        names = [tr("{0} up to {1}", name, shown[0]), *middle, tr("{0} above {1}", name, shown[-1])]
    if not gap.any():
        return _Column(codes, names)
    return _Column(np.where(gap, len(names), codes), [*names, f"{name}: {MISSING_LEVEL}"])


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else figures(value)
