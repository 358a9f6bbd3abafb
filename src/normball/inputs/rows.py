"""Whether what is given row by row belongs to the rows of X, where both have an index."""

from __future__ import annotations

from typing import Any

import numpy as np

from normball.messages import OR, Finding, sample


def index_of(values: Any) -> Any:
    """The index of a pandas object; None for whatever has none."""
    index = getattr(values, "index", None)
    return index if hasattr(index, "equals") else None


def misplaced(index: Any, values: Any, role: str) -> Finding | None:
    """E14: `values` have an index that is not the `index` of X.

    Values go by place, as in scikit-learn. An index 0, 1, 2, ... says no more than the place and goes with any other,
    unless it is that other in another order; two indexes that differ otherwise say that rows would be mixed up.
    """
    own = index_of(values)
    if own is None or index is None or len(own) != len(index) or own.equals(index):
        return None
    has_all = bool(own.nlevels == index.nlevels and own.is_unique and index.isin(own).all())
    if not has_all and (_counts_rows(own) or _counts_rows(index)):
        return None
    text = f"The index of {role} is not that of X: {sample(own[:3])}, ... against {sample(index[:3])}, ..."
    by_place = f"{role}={role}.to_numpy() if they go by place"
    fix = f"{role}={role}.loc[X.index] if they go by index{OR}{by_place}" if has_all else by_place
    return Finding("E14", text, fix)


def _counts_rows(index: Any) -> bool:
    return index.nlevels == 1 and bool(np.array_equal(np.asarray(index), np.arange(len(index))))
