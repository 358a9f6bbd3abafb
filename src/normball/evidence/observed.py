"""Numbers and counts: what was observed in rows for which the model predicted about the same, all held out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.fitted_rows import MANY, FittedRows
from normball.evidence.held_out import QUANTILES, groups_of_like, quantiles
from normball.evidence.listed import plain
from normball.family import Family
from normball.scores import zeros

Array = NDArray[np.float64]

DIGITS = 4
OF_GROUPS: dict[str, Any] = {"predicted": [], "quantiles": [], "counts": []}
NOTHING = OF_GROUPS | dict.fromkeys(("rmse", "mae", "zeros", "zero_shares"))


def observed(rows: FittedRows, held_out: Array | None) -> dict[str, Any] | None:
    """Quantiles of the target in groups of rows with like predictions, and the errors of all, by "at"."""
    if held_out is None or rows.family.has_classes:
        return None
    at = list(range(held_out.shape[1])) if rows.y.size <= MANY else rows.few()
    told: dict[str, list[Any]] = {name: [] for name in NOTHING}
    for index in at:
        eta = held_out[:, index]
        known = np.isfinite(eta) & rows.counted
        mean, y, weights = rows.family.mean(eta[known]), rows.y[known], rows.weights[known]
        if not known.any():
            for name, nothing in NOTHING.items():
                told[name].append(nothing)
            continue
        group = groups_of_like(eta[known], weights)
        total = np.bincount(group, weights=weights)
        told["predicted"].append(plain(np.bincount(group, weights=weights * mean) / total, DIGITS))
        each = [quantiles(y[group == one], weights[group == one], QUANTILES) for one in range(total.size)]
        told["quantiles"].append(plain(each, DIGITS))
        told["counts"].append(np.bincount(group).tolist())
        told["zeros"].append(_zeros(rows.family, y, eta[known]))
        shares = np.bincount(group, weights=weights * (y == 0)) / total
        told["zero_shares"].append(plain(shares, DIGITS) if rows.family.shows_zeros else None)
        told["rmse"].append(float(np.sqrt(weights @ (y - mean) ** 2 / weights.sum())))
        told["mae"].append(float(weights @ np.abs(y - mean) / weights.sum()))
    return {"at": at, **told, "rmse": plain(told["rmse"], DIGITS), "mae": plain(told["mae"], DIGITS)}


def _zeros(family: Family, y: Array, eta: Array) -> list[float] | None:
    """How many targets are zero, and how many are expected, with one standard error; of families that have any."""
    if not family.shows_zeros:
        return None
    found = zeros(family, y, eta, np.ones(y.size))
    told: list[float] = plain([found["zeros"], found["zeros_expected"], found["zeros_se"]], DIGITS)
    return told
