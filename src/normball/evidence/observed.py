"""Numbers and counts: what was observed in rows for which the model predicted about the same, all held out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.fitted_rows import MANY, FittedRows
from normball.evidence.held_out import QUANTILES, groups_of_like, quantiles
from normball.evidence.listed import plain

Array = NDArray[np.float64]

DIGITS = 4


def observed(rows: FittedRows, held_out: Array | None) -> dict[str, Any] | None:
    """Quantiles of the target in groups of rows with like predictions, and the errors of all, by "at"."""
    if held_out is None or rows.family.has_classes:
        return None
    at = list(range(held_out.shape[1])) if rows.y.size <= MANY else rows.few()
    told: dict[str, list[Any]] = {name: [] for name in ("predicted", "quantiles", "counts", "rmse", "mae")}
    for index in at:
        eta = held_out[:, index]
        known = np.isfinite(eta) & rows.counted
        mean, y, weights = rows.family.mean(eta[known]), rows.y[known], rows.weights[known]
        if not known.any():
            for name, nothing in (("predicted", []), ("quantiles", []), ("counts", []), ("rmse", None), ("mae", None)):
                told[name].append(nothing)
            continue
        group = groups_of_like(eta[known], weights)
        total = np.bincount(group, weights=weights)
        told["predicted"].append(plain(np.bincount(group, weights=weights * mean) / total, DIGITS))
        each = [quantiles(y[group == one], weights[group == one], QUANTILES) for one in range(total.size)]
        told["quantiles"].append(plain(each, DIGITS))
        told["counts"].append(np.bincount(group).tolist())
        told["rmse"].append(float(np.sqrt(weights @ (y - mean) ** 2 / weights.sum())))
        told["mae"].append(float(weights @ np.abs(y - mean) / weights.sum()))
    return {"at": at, **told, "rmse": plain(told["rmse"], DIGITS), "mae": plain(told["mae"], DIGITS)}
