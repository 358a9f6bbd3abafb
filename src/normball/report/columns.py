"""The columns of the table as a page tells of them: each with its levels, and where their coefficients stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.listed import settable
from normball.inputs.gaps import MISSING_LEVEL
from normball.results.remarks import few_rows
from normball.results.text import isolated

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.preparation import Column


def columns(
    cv: CVPath, listed: NDArray[np.intp], beside: NDArray[np.intp], ranges: Sequence[dict[str, Any] | None]
) -> list[dict[str, Any]]:
    """The columns of which the page holds a feature, in the order of these.

    A place counts the listed features, then those `beside` them; `ranges` belong to places, and are empty where the
    data are not at hand.
    """
    path = cv.path
    preparation = path.preparation
    place_of = {int(j): place for place, j in enumerate([*listed, *beside])}
    can_be_set = settable(path, listed, beside)
    starts = np.searchsorted(preparation.column_of_feature, np.arange(len(preparation.columns)))
    shown = dict.fromkeys(preparation.column_of_feature[[*listed, *beside]].tolist())
    with_counts = set(preparation.column_of_feature[listed].tolist()) if path.l1_ratio > 0 else set()
    told = []
    for c in shown:
        column, start = preparation.columns[c], int(starts[c])
        first = start + (column.levels is None)  # of the levels
        levels = range(first, start + column.n_features)
        about = ranges[place_of[start]] if column.levels is None and ranges and start in place_of else None
        told.append(
            {
                "name": isolated(column.name),
                "number": place_of.get(start) if column.levels is None else None,
                **(about or {"range": None, "whole": False}),
                "fill": column.fill if column.levels is None else None,
                "levels": [isolated(level) for level in _levels(column)],
                "places": [place_of.get(j) for j in levels],
                "n_rows": None if column.n_rows is None else list(column.n_rows),
                "few_rows": [few_rows(preparation, j) for j in levels],
                "is_number": column.levels is None,
                "counts": cv.column_counts[:, c].tolist() if c in with_counts else None,
                "settable": bool(can_be_set[c]) and bool(ranges),
            }
        )
    return told


def _levels(column: Column) -> tuple[str, ...]:
    if column.levels is not None:
        return column.levels
    return (MISSING_LEVEL,) if column.indicator else ()
