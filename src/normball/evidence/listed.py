"""Which features a page tells about in full, at which strength it opens, and how it writes numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.terms.term import Term
    from normball.results.path import Path
    from normball.results.sparse_rows import SparseRows
    from normball.run import Run

Array = NDArray[np.float64]

LISTED = 60  # features whose numbers are all there
FEWEST = 12  # of them, on the finest grid
MOST_COEFS = 7_500  # of listed features, with all digits; on a fine grid they are fewer
MOST_SHORT = 30_000  # of several outputs; beyond MOST_COEFS they have fewer digits
SHORT = 7
MOST_OF_OTHERS = 14_000  # coefficients of features that are not listed


def picked(cv: CVPath, run: Run) -> int:
    """The grid point at, or nearest to, the strength that was chosen."""
    if isinstance(run.select, str):
        return cv.index_of("best" if run.select == "best" else "1se")
    return int(np.argmin(np.abs(cv.lambdas - run.select)))


def listed(cv: CVPath, run: Run) -> NDArray[np.intp]:
    """The features that count most, the largest per SD at any of the chosen strengths first.

    Those that are zero at all of these follow by their largest coefficient anywhere on the path; those that are never
    kept are only among them where all features are few.
    """
    path = cv.path
    rows = lengths(path)
    marks = {picked(cv, run), cv.index_1se, cv.index_best}
    there = np.max([np.abs(rows[row]) for row in marks], axis=0) * path.scales
    largest = np.zeros(path.n_features)
    np.maximum.at(largest, rows.indices, np.abs(rows.values) * path.scales[rows.indices])
    most = min(LISTED, _affordable(path))
    order = np.lexsort((-largest, -there))[:most]
    few = path.n_features <= most
    return order[(largest[order] > 0) | (few & np.isfinite(path.penalty_factors[order]))]


def _affordable(path: Path) -> int:
    """How many features with all their coefficients a page has room for."""
    if path.n_outputs == 1:
        return max(FEWEST, MOST_COEFS // path.lambdas.size)
    return max(FEWEST // 2, MOST_SHORT // len(path.coef_rows))


def lengths(path: Path) -> SparseRows:
    """What a feature counts at each strength: its coefficient, or the length of those for several outputs."""
    return path.coef_rows.lengths(path.n_outputs)


def digits_of(path: Path, n_listed: int) -> int | None:
    """With how many digits a page holds the coefficients of so many features; None for all of them."""
    return SHORT if path.n_outputs > 1 and n_listed * len(path.coef_rows) > MOST_COEFS else None


def listed_coefs(path: Path, columns: NDArray[np.intp]) -> Array:
    """Coefficients (n_lambdas, n_listed) of the listed features, or of several outputs (n_lambdas, K, n_listed)."""
    place = np.full(path.n_features, -1)
    place[columns] = np.arange(columns.size)
    rows = path.coef_rows
    row_of = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    here = place[rows.indices] >= 0
    coefs = np.zeros((len(rows), columns.size))
    coefs[row_of[here], place[rows.indices[here]]] = rows.values[here]
    return coefs if path.n_outputs == 1 else coefs.reshape(-1, path.n_outputs, columns.size)


def others(path: Path, columns: NDArray[np.intp]) -> tuple[NDArray[np.intp], bool]:
    """Features beside the listed ones whose coefficients a page holds, and whether it then has all that are ever kept.

    The first to enter come first. Where they are too many, only those stay without which a listed column of the table
    would lack some of its levels.
    """
    rows = lengths(path)
    kept = rows.indices[rows.values != 0]
    listed_too = np.zeros(path.n_features, dtype=bool)
    listed_too[columns] = True
    found, first, n_coefs = np.unique(kept[~listed_too[kept]], return_index=True, return_counts=True)
    beside = np.asarray(found[np.argsort(first)], dtype=np.intp)
    complete = bool(n_coefs.sum() <= MOST_OF_OTHERS)
    return (beside if complete else _completing(path, columns, beside)), complete


def in_full(path: Path, columns: NDArray[np.intp], beside: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which features `beside` the listed ones have all their coefficients; of several outputs some have lengths."""
    return beside if path.n_outputs == 1 else _completing(path, np.concatenate([columns, beside]), beside)


def _completing(path: Path, wanted: NDArray[np.intp], beside: NDArray[np.intp]) -> NDArray[np.intp]:
    """The features of `beside` that belong to the same columns of the table as those wanted, while there is room."""
    column_of = path.preparation.column_of_feature
    stored = path.coef_rows
    n_coefs = np.bincount(stored.indices[stored.values != 0], minlength=path.n_features)
    chosen = np.zeros(path.n_features, dtype=bool)
    room = MOST_OF_OTHERS
    for column in dict.fromkeys(column_of[wanted].tolist()):
        fellows = beside[column_of[beside] == column]
        size = int(n_coefs[fellows].sum())
        if size <= room:
            chosen[fellows] = True
            room -= size
    return beside[chosen[beside]]


def settable(path: Path, columns: NDArray[np.intp], beside: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which columns of the table a reader can set: all that they ever add is in listed features or those `beside`.

    A choice of levels starts at the commonest, which older models do not know.
    """
    column_of = path.preparation.column_of_feature
    known = np.zeros(path.n_features, dtype=bool)
    known[columns] = known[in_full(path, columns, beside)] = True
    kept = np.zeros(path.n_features, dtype=bool)
    kept[path.coef_rows.indices[path.coef_rows.values != 0]] = True
    n_columns = len(path.preparation.columns)
    lacking = np.bincount(column_of[kept & ~known], minlength=n_columns) > 0
    has_start = np.array([_has_start(one) for one in path.preparation.columns])
    return np.asarray((np.bincount(column_of[kept], minlength=n_columns) > 0) & ~lacking & has_start)


def _has_start(column: Term) -> bool:
    """Whether one value of the column is all that its features need, and a first one is known."""
    return isinstance(column, NumberTerm) or (isinstance(column, LevelTerm) and column.n_rows is not None)


def plain(values: ArrayLike, digits: int | None = None) -> Any:
    """Numbers as lists of numbers that JSON knows, rounded to so many significant digits, None for the others."""
    array = np.asarray(values)
    if array.dtype.kind != "f":
        return array.tolist()
    shown = array if digits is None else rounded(array, digits)
    return _without_gaps(shown.tolist())


def rounded(array: Array, digits: int) -> Array:
    """Numbers to so many significant digits; decimal powers are whole, so that numbers have short words."""
    texts = [float(f"{value:.{digits - 1}e}") for value in array.ravel()]
    return np.array(texts).reshape(array.shape)


def _without_gaps(value: Any) -> Any:
    """Lists of lists with None for NaN and infinities, and whole numbers without a decimal point."""
    if isinstance(value, list):
        return [_without_gaps(one) for one in value]
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 1e15 else value
