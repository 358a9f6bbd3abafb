"""What becomes of held-out rows of two classes when a probability above a cut-off counts as the second class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.fitted_rows import MANY, FittedRows
from normball.evidence.listed import plain

Array = NDArray[np.float64]

DIGITS = 4
HUNDREDTHS = np.arange(1, 100) / 100
THOUSANDTHS = np.arange(1, 10) / 1000  # at both ends, where rare classes lie
CUTOFFS = np.concatenate([THOUSANDTHS, HUNDREDTHS, 0.99 + THOUSANDTHS])


def decisions(rows: FittedRows, held_out: Array | None) -> dict[str, Any] | None:
    """Rows of each class between one cut-off and the next, by lambda; None where there are no rows to judge.

    From these follow the four cells of the confusion matrix at every cut-off, the ROC curve and that of precision and
    recall. Each row that has a weight counts once.
    """
    if held_out is None or not rows.family.has_classes or not np.isin(rows.y, (0.0, 1.0)).all():
        return None
    known = np.isfinite(held_out).all(axis=1) & rows.counted
    ones, zeros = known & (rows.y == 1.0), known & (rows.y == 0.0)
    edges = rows.family.link(CUTOFFS)
    exact = range(held_out.shape[1]) if rows.y.size <= MANY else rows.few()
    positive, negative = [], []
    areas = np.full((2, held_out.shape[1]), np.nan)
    for index, eta in enumerate(map(np.ascontiguousarray, held_out.T)):
        first, second = np.sort(eta[zeros]), np.sort(eta[ones])
        positive.append(_between(second, edges))
        negative.append(_between(first, edges))
        if index in exact:
            areas[:, index] = _areas(first, second)
    return {
        "cutoffs": plain(CUTOFFS.round(3)),
        "positive": positive,
        "negative": negative,
        "auc": plain(areas[0], DIGITS),
        "average_precision": plain(areas[1], DIGITS),
    }


def _between(ordered: Array, edges: Array) -> list[int]:
    """How many values lie up to the first edge, between two, and above the last."""
    up_to = np.searchsorted(ordered, edges, side="right")
    counts: list[int] = np.diff(up_to, prepend=0, append=ordered.size).tolist()
    return counts


def _areas(first: Array, second: Array) -> tuple[float, float]:
    """The area under the ROC curve, and the mean precision over the recalls that cut-offs reach; NaN without both."""
    if not first.size or not second.size:
        return float("nan"), float("nan")
    below, upto = np.searchsorted(first, second), np.searchsorted(first, second, side="right")
    values, found = np.unique(second, return_counts=True)
    found_above = np.cumsum(found[::-1])  # of the second class at or above each of its values, from the top
    called_above = found_above + first.size - np.searchsorted(first, values[::-1])
    precision = found[::-1] @ (found_above / called_above) / second.size
    return float((below + upto).mean() / (2.0 * first.size)), float(precision)
