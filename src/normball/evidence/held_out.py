"""How the fitted models do on rows: margins, scaled weights, calibration and residuals, held out where possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.fitted_rows import FittedRows
from normball.evidence.listed import plain
from normball.findings.saturation import FLAT_FROM

Array = NDArray[np.float64]

BINS = 40
MANY = 20_000  # rows from which on close values are taken together
CELLS = 4096  # of them
SPAN = (0.1, 0.9)  # of the targets of a group
GROUPS = 10  # of equal weight, for the calibration
LEAST = 5  # rows of a group
FACTORS = np.geomspace(0.1, 10.0, 21)
DIGITS = 4
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WIDEST = 6.0  # the least half width of the histogram of margins


def margins(rows: FittedRows) -> dict[str, Any] | None:
    """Histograms of the linear predictor by class; the outermost bins take what lies beyond."""
    if not rows.family.has_classes:
        return None
    weakest = rows.link_at(max(rows.marks))[rows.counted]
    end = max(WIDEST, 1.1 * float(np.abs(weakest).max()))
    ones = rows.y[rows.counted] >= 0.5
    positive, negative, flat, largest = [], [], [], []
    for eta in _columns(rows, None):
        eta = eta[rows.counted]
        positive.append(_histogram(eta[ones], -end, end))
        negative.append(_histogram(eta[~ones], -end, end))
        size = np.abs(eta)
        flat.append(float(np.mean(size > FLAT_FROM)))
        largest.append(float(size.max()))
    return {
        "edges": plain(np.linspace(-end, end, BINS + 1), DIGITS),
        "counts": positive,
        "negative": negative,
        "flat": plain(flat, DIGITS),
        "largest": plain(largest, DIGITS),
    }


def scaling(rows: FittedRows, held_out: Array | None) -> dict[str, Any] | None:
    """What becomes of the cross-entropy when intercept and coefficients are multiplied; an offset stays."""
    if not rows.family.has_classes:
        return None
    at = rows.few()
    train, outside, gradient = [], [], []
    for index in at:
        eta = rows.link_at(index)
        scaled = _scaled(rows, eta)
        train.append(_entropy(rows, scaled))
        gradient.append(rows.weights @ np.abs(rows.slope(scaled)))
        no_rows = np.full(FACTORS.size, np.nan)
        outside.append(no_rows if held_out is None else _entropy(rows, _scaled(rows, held_out[:, index])))
    return {
        "at": at,
        "factors": plain(FACTORS, DIGITS),
        "train": plain(train, DIGITS),
        "held_out": plain(outside, DIGITS),
        "gradient": plain(gradient, DIGITS),
    }


def calibration(rows: FittedRows, held_out: Array) -> dict[str, Any]:
    """Mean prediction and mean target in groups of rows with like predictions, all held out.

    Numbers have the span of the targets of each group besides.
    """
    columns: dict[str, list[Any]] = {name: [] for name in ("predicted", "observed", "se", "counts")}
    spans: list[Any] = []
    brier: list[float | None] = []
    log_loss: list[float | None] = []
    for eta in _columns(rows, held_out):
        known = np.isfinite(eta) & rows.counted
        eta, y, weights = eta[known], rows.y[known], rows.weights[known]
        mean = rows.family.mean(eta)
        group, *values = _groups(eta, mean, y, weights)
        for name, told in zip(columns, values, strict=True):
            columns[name].append(plain(told, DIGITS))
        if not rows.family.has_classes:
            parts = [group == k for k in range(int(group.max(initial=-1)) + 1)]
            spans.append(plain([quantiles(y[part], weights[part], SPAN) for part in parts], DIGITS))
        judged = rows.family.has_classes and known.any()
        brier.append(_short(float(np.sum(weights * (y - mean) ** 2) / weights.sum())) if judged else None)
        log_loss.append(_short(rows.loss(eta[:, None], None if known.all() else known)[0]) if judged else None)
    return {**columns, "spans": spans or None, "brier": brier, "log_loss": log_loss}


def residuals(rows: FittedRows, held_out: Array | None) -> dict[str, Any] | None:
    """Histograms and quantiles of target minus prediction; the outermost bins take what lies beyond."""
    if rows.family.has_classes:
        return None
    low, high = _residual_ends(rows, held_out)
    counts, points = [], []
    for eta in _columns(rows, held_out):
        left, weights = _left(rows, eta)
        counts.append(_histogram(left, low, high))
        points.append(quantiles(left, weights, QUANTILES))
    edges = np.linspace(low, high, BINS + 1)
    return {"edges": plain(edges, DIGITS), "counts": counts, "quantiles": plain(points, DIGITS)}


def quantiles(values: Array, weights: Array, shares: Sequence[float]) -> Array:
    """The smallest values that these shares of the weight do not exceed; of very many values near enough."""
    if values.size == 0:
        return np.full(len(shares), np.nan)
    if values.size > MANY:
        cell = _cells(values)
        total = np.bincount(cell, weights=weights).astype(np.float64)
        sums = np.bincount(cell, weights=weights * values).astype(np.float64)
        kept = total > 0
        values, weights = sums[kept] / total[kept], total[kept]
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.asarray(shares) * reached[-1] * (1 - 1e-12))
    return np.asarray(values[order][np.minimum(places, values.size - 1)])


def _columns(rows: FittedRows, held_out: Array | None) -> Iterator[Array]:
    """The linear predictor (n,) at one strength after the other: of held-out rows, or of the fitted ones."""
    if held_out is not None:
        yield from map(np.ascontiguousarray, held_out.T)
        return
    for block in rows.blocks():
        yield from np.ascontiguousarray(rows.link(block).T)


def _histogram(values: Array, low: float, high: float) -> list[int]:
    counts: list[int] = np.histogram(np.clip(values, low, high), BINS, (low, high))[0].tolist()
    return counts


def _cells(values: Array) -> NDArray[np.intp]:
    """Which values go together: equal ones, and among very many those that are close."""
    if values.size <= MANY:
        return np.unique(values.round(12), return_inverse=True)[1]
    low, high = values.min(), values.max()
    return np.asarray((values - low) * ((CELLS - 1) / max(high - low, 1e-300)), dtype=np.intp)


def _short(value: float) -> Any:
    return plain([value], DIGITS)[0]


def _scaled(rows: FittedRows, eta: Array) -> Array:
    """The linear predictor (n, n_factors) with its coefficients multiplied."""
    own = eta - rows.offset
    return np.asarray(rows.offset[:, None] + own[:, None] * FACTORS)


def _entropy(rows: FittedRows, eta: Array) -> Array:
    """Mean loss of each column over the rows that have a prediction."""
    known = np.isfinite(eta[:, 0])
    return rows.loss(eta) if known.all() else rows.loss(eta[known], known)


def _groups(eta: Array, mean: Array, y: Array, weights: Array) -> tuple[NDArray[Any], ...]:
    """The group of each row; mean prediction, mean target, its standard error and the rows of each group."""
    group = groups_of_like(eta, weights)
    total = np.bincount(group, weights=weights)
    predicted = np.bincount(group, weights=weights * mean) / total
    observed = np.bincount(group, weights=weights * y) / total
    spread = np.bincount(group, weights=weights * (y - observed[group]) ** 2) / total
    effective = total**2 / np.bincount(group, weights=weights**2)
    return group, predicted, observed, np.sqrt(spread / effective), np.bincount(group)


def groups_of_like(eta: Array, weights: Array, most: int = GROUPS) -> NDArray[np.intp]:
    """At most so many groups of about equal weight by the linear predictor; equal ones stay together."""
    wanted = max(1, min(most, eta.size // LEAST))
    cell = _cells(eta)
    total = np.bincount(cell, weights=weights)
    middle = (np.cumsum(total) - total / 2) / total.sum()
    wide = np.minimum((middle * wanted).astype(int), wanted - 1)
    filled = np.zeros(wanted, dtype=bool)
    filled[wide[total > 0]] = True
    return np.asarray((np.cumsum(filled) - 1)[wide][cell])


def _left(rows: FittedRows, eta: Array) -> tuple[Array, Array]:
    """Target minus prediction where there is one, and the weights there."""
    known = np.isfinite(eta) & rows.counted
    return rows.y[known] - rows.family.mean(eta[known]), rows.weights[known]


def _residual_ends(rows: FittedRows, held_out: Array | None) -> tuple[float, float]:
    """A range that holds nearly all residuals of the strongest penalty and of the chosen ones."""
    ends = []
    for index in {0, *rows.marks}:
        left, weights = _left(rows, rows.link_at(index) if held_out is None else held_out[:, index])
        ends.append(quantiles(left, weights, (0.005, 0.995)))
    low, high = float(np.min(ends)), float(np.max(ends))
    air = 0.02 * (high - low) or 1.0
    return low - air, high + air
