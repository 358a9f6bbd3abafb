"""How the fitted models do on rows: margins, scaled weights, calibration and residuals, held out where possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.report.fitted_rows import FittedRows
from normball.report.payload import plain
from normball.scores import mean_response, unit_deviance

Array = NDArray[np.float64]

BINS = 40
GROUPS = 10  # of equal weight, for the calibration
LEAST = 5  # rows of a group
FLAT_SLOPE = 0.01  # of the sigmoid
FACTORS = np.geomspace(0.1, 10.0, 21)
POINTS = 9  # indices of lambda
DIGITS = 4
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WIDEST = 6.0  # the least half width of the histogram of margins


def margins(rows: FittedRows) -> dict[str, Any] | None:
    """Histograms of the linear predictor by class; the outermost bins take what lies beyond."""
    if rows.path.family != "binomial":
        return None
    weakest = rows.link_at(max(rows.marks))[rows.counted]
    edges = np.linspace(-1, 1, BINS + 1) * max(WIDEST, 1.1 * float(np.abs(weakest).max()))
    ones = rows.y[rows.counted] >= 0.5
    positive, negative, flat, largest = [], [], [], []
    for block in rows.blocks():
        for eta in rows.link(block)[rows.counted].T:
            inside = np.clip(eta, edges[0], edges[-1])
            positive.append(np.histogram(inside[ones], edges)[0].tolist())
            negative.append(np.histogram(inside[~ones], edges)[0].tolist())
            mean = mean_response(eta, "binomial")
            flat.append(float(np.mean(mean * (1 - mean) < FLAT_SLOPE)))
            largest.append(float(np.abs(eta).max()))
    return {
        "edges": plain(edges, DIGITS),
        "counts": positive,
        "negative": negative,
        "flat": plain(flat, DIGITS),
        "largest": plain(largest, DIGITS),
    }


def scaling(rows: FittedRows, held_out: Array | None) -> dict[str, Any] | None:
    """What becomes of the cross-entropy when intercept and coefficients are multiplied; an offset stays."""
    if rows.path.family != "binomial":
        return None
    at = rows.some(POINTS)
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
    """Mean prediction and mean target in groups of rows with like predictions, all held out."""
    family = rows.path.family
    columns: dict[str, list[Any]] = {name: [] for name in ("predicted", "observed", "se", "counts")}
    brier: list[float | None] = []
    log_loss: list[float | None] = []
    for eta in held_out.T:
        known = np.isfinite(eta) & rows.counted
        y, weights, mean = rows.y[known], rows.weights[known], mean_response(eta[known], family)
        for name, values in zip(columns, _groups(mean, y, weights), strict=True):
            columns[name].append(plain(values, DIGITS))
        binomial = family == "binomial" and known.any()
        brier.append(float(np.average((y - mean) ** 2, weights=weights)) if binomial else None)
        losses = unit_deviance(y, eta[known][:, None], family)[:, 0] / 2
        log_loss.append(float(np.average(losses, weights=weights)) if binomial else None)
    return {**columns, "brier": brier, "log_loss": log_loss}


def residuals(rows: FittedRows, held_out: Array | None) -> dict[str, Any] | None:
    """Histograms and quantiles of target minus prediction; the outermost bins take what lies beyond."""
    if rows.path.family == "binomial":
        return None
    edges = _residual_edges(rows, held_out)
    counts, points = [], []
    for block in rows.blocks():
        eta = rows.link(block) if held_out is None else held_out[:, block]
        for column in eta.T:
            left, weights = _left(rows, column)
            counts.append(np.histogram(np.clip(left, edges[0], edges[-1]), edges)[0].tolist())
            points.append(quantiles(left, weights, QUANTILES))
    return {"edges": plain(edges, DIGITS), "counts": counts, "quantiles": plain(points, DIGITS)}


def quantiles(values: Array, weights: Array, shares: Sequence[float]) -> Array:
    """The smallest values that these shares of the weight do not exceed."""
    if values.size == 0:
        return np.full(len(shares), np.nan)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.asarray(shares) * reached[-1] * (1 - 1e-12))
    return np.asarray(values[order][np.minimum(places, values.size - 1)])


def _scaled(rows: FittedRows, eta: Array) -> Array:
    """The linear predictor (n, n_factors) with its coefficients multiplied."""
    own = eta - rows.offset
    return np.asarray(rows.offset[:, None] + own[:, None] * FACTORS)


def _entropy(rows: FittedRows, eta: Array) -> Array:
    """Mean loss of each column over the rows that have a prediction."""
    known = np.isfinite(eta[:, 0])
    weights = rows.weights[known]
    losses = unit_deviance(rows.y[known], eta[known], rows.path.family) / 2
    return np.asarray(weights @ losses / weights.sum())


def _groups(mean: Array, y: Array, weights: Array) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Mean prediction, mean target, its standard error and the rows of each group; equal predictions stay together."""
    order = np.argsort(mean, kind="stable")
    mean, y, weights = mean[order], y[order], weights[order]
    wanted = max(1, min(GROUPS, y.size // LEAST))
    _, tie = np.unique(mean.round(12), return_inverse=True)
    tied = np.bincount(tie, weights=weights)
    middle = (np.cumsum(tied) - tied / 2) / max(tied.sum(), 1e-300)
    group = np.unique(np.minimum((middle * wanted).astype(int), wanted - 1)[tie], return_inverse=True)[1]
    total = np.bincount(group, weights=weights)
    predicted = np.bincount(group, weights=weights * mean) / total
    observed = np.bincount(group, weights=weights * y) / total
    spread = np.bincount(group, weights=weights * (y - observed[group]) ** 2) / total
    effective = total**2 / np.bincount(group, weights=weights**2)
    return predicted, observed, np.sqrt(spread / effective), np.bincount(group)


def _left(rows: FittedRows, eta: Array) -> tuple[Array, Array]:
    """Target minus prediction where there is one, and the weights there."""
    known = np.isfinite(eta) & rows.counted
    return rows.y[known] - mean_response(eta[known], rows.path.family), rows.weights[known]


def _residual_edges(rows: FittedRows, held_out: Array | None) -> Array:
    """Edges that hold nearly all residuals of the strongest penalty and of the chosen ones."""
    ends = []
    for index in {0, *rows.marks}:
        left, weights = _left(rows, rows.link_at(index) if held_out is None else held_out[:, index])
        ends.append(quantiles(left, weights, (0.005, 0.995)))
    low, high = np.min(ends), np.max(ends)
    air = 0.02 * (high - low) or 1.0
    return np.linspace(low - air, high + air, BINS + 1)
