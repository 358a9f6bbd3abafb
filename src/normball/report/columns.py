"""The columns of the table as a page tells of them: each with its levels, and where their coefficients stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.listed import settable
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.results.remarks import few_rows
from normball.results.text import isolated

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.terms.term import Term


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
        parts = [(start + k, part) for k, part in enumerate(column.parts) if part.name is not None]
        if not _of_levels(column):  # of thousands of words those that are here
            parts = [(j, part) for j, part in parts if j in place_of]
        is_number = column.parts[0].name is None
        about = ranges[place_of[start]] if isinstance(column, NumberTerm) and ranges and start in place_of else None
        n_rows = [part.n_rows for _, part in parts]
        told.append(
            {
                "name": isolated(column.name),
                "number": place_of.get(start) if is_number else None,
                **(about or {"range": None, "whole": False}),
                "fill": column.fill if isinstance(column, NumberTerm) else None,
                "levels": [isolated(str(part.name)) for _, part in parts],
                "places": [place_of.get(j) for j, _ in parts],
                "n_rows": None if None in n_rows else n_rows,
                "few_rows": [few_rows(preparation, j) for j, _ in parts],
                "indicators": None if _of_levels(column) else [part.is_indicator for _, part in parts],
                "n_features": column.n_features,
                "is_number": is_number,
                "counts": cv.column_counts[:, c].tolist() if c in with_counts else None,
                "settable": bool(can_be_set[c]) and bool(ranges),
            }
        )
        _add_baseline(told[-1], column)
    return told


def _of_levels(column: Term) -> bool:
    return isinstance(column, NumberTerm | LevelTerm)


def _add_baseline(told: dict[str, Any], column: Term) -> None:
    """The level without an indicator, which a reader may choose like the others."""
    if isinstance(column, LevelTerm) and column.baseline is not None:
        told["levels"].append(isolated(column.baseline))
        told["places"].append(None)
        told["few_rows"].append("")
        told["n_rows"] = [*told["n_rows"], column.n_baseline]
