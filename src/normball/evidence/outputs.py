"""How well several outputs are predicted: which classes are taken for which, and each class or target by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.fitted_rows import FEW, FittedRows
from normball.evidence.held_out import calibration, residuals
from normball.evidence.listed import plain

if TYPE_CHECKING:
    from normball.cv_result import CVPath

Array = NDArray[np.float64]

MOST_CURVES = 300  # outputs times indices of lambda for which each output is told by itself
MOST_CELLS = 30_000  # of the tables of classes
MOST_NAMED = 20  # classes of a table; the rarer ones go together
DIGITS = 4


def of_outputs(rows: FittedRows, cv: CVPath) -> dict[str, Any] | None:
    """What held-out rows say of several outputs; None where none are at hand.

    Calibration and residuals are lists, one entry an output, by the indices of lambda in "at".
    """
    held_out = cv.predictions
    if held_out is None or cv.held_out is None:
        return None
    family, n_outputs = rows.family, rows.y.shape[1]
    at = rows.some(max(FEW, MOST_CURVES // n_outputs))
    each = []
    for k in range(n_outputs):
        eta = np.stack([family.alone(held_out[:, index], k) for index in at], axis=1)
        one = rows.of_output(k, at)
        each.append(calibration(one, eta) if family.has_classes else residuals(one, eta))
    classes = family.has_classes
    return {
        "at": at,
        "calibration": each if classes else None,
        "residuals": None if classes else each,
        "confusion": confusion(rows, held_out) if classes else None,
        "errors": None if classes else errors(rows, held_out, cv.held_out.typical_null),
    }


def confusion(rows: FittedRows, held_out: Array) -> dict[str, Any]:
    """Rows by their class and the likeliest one, at the indices of lambda in "at"; the share that is right at each.

    Where classes are many the largest are "named", by their places, and the others are one more row and column.
    """
    known = np.isfinite(held_out).all(axis=(1, 2)) & rows.counted
    target, eta = rows.y[known], held_out[known]
    actual, n_classes = target.argmax(axis=1), target.shape[1]
    sizes = np.bincount(actual, minlength=n_classes)
    largest = np.sort(np.argsort(-sizes, kind="stable")[: n_classes if n_classes <= MOST_NAMED else MOST_NAMED])
    width = largest.size + (largest.size < n_classes)
    place = np.full(n_classes, width - 1)
    place[largest] = np.arange(largest.size)
    at = rows.some(max(len(set(rows.marks)), MOST_CELLS // width**2))
    counts, right = {}, []
    for index in range(eta.shape[1]):
        chosen = rows.family.choice(eta[:, index])
        right.append(int((chosen == actual).sum()))
        if index in at:
            counts[index] = np.bincount(place[actual] * width + place[chosen], minlength=width**2).tolist()
    return {
        "at": at,
        "named": largest.tolist(),
        "counts": [counts[index] for index in at],
        "right": right,
        "n_rows": len(target),
        "commonest": int(sizes.argmax()),
        "n_commonest": int(sizes.max(initial=0)),
    }


def errors(rows: FittedRows, held_out: Array, nulls: Array) -> dict[str, Any]:
    """The root mean squared error of each target, by target and lambda, and that of models without features."""
    known = np.isfinite(held_out).all(axis=(1, 2)) & rows.counted
    weights = rows.weights[known] / rows.weights[known].sum()
    target = rows.y[known]
    links = held_out[known]
    by_lambda = [
        np.sqrt(weights @ (target - rows.family.mean(links[:, index])) ** 2) for index in range(links.shape[1])
    ]
    return {"rmse": plain(np.transpose(by_lambda), DIGITS), "null": plain(nulls, DIGITS)}
