"""Which rows each fold trains on and which it holds out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.inputs.columns import missing_in
from normball.inputs.dates import moments_of
from normball.messages import OR, DataError, Finding, count, count_rows

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Folds:
    """Training and held-out rows of every fold.

    Attributes
    ----------
    train, test : tuple of ndarray of int64
        Row numbers, one array a fold.
    fold_ids : ndarray of int64 or None
        For each row the fold that holds it out, -1 for none: shape (n,), or (n_repeats, n) for repeated folds;
        None when a scikit-learn splitter holds a row out more than once.
    how : str
        The kind of folds in words.
    """

    train: tuple[Rows, ...]
    test: tuple[Rows, ...]
    fold_ids: Rows | None
    how: str

    def __len__(self) -> int:
        return len(self.test)

    def __iter__(self) -> Iterator[tuple[Rows, Rows]]:
        return iter(zip(self.train, self.test, strict=True))


def make_folds(
    y: NDArray[np.float64],
    *,
    cv: Any = 10,
    classes: tuple[Any, ...] | None = None,
    fold_groups: ArrayLike | None = None,
    time_order: ArrayLike | bool | None = None,
    fold_ids: ArrayLike | None = None,
    repeats: int = 1,
    random_state: Any = 0,
    rows: NDArray[np.intp] | None = None,
    weights: NDArray[np.float64] | None = None,
    strata: NDArray[np.intp] | None = None,
) -> Folds:
    """Make the folds that `cv_path` was asked for; see there for the parameters.

    `rows` says which rows of the caller's arrays are those of `y` (None: all); rows whose weight is 0 do not count as
    examples of a class. Folds are stratified where `classes` says that `y` holds a class; proportions between 0 and 1
    are none; or by `strata`, a number for each row. Of several outputs `y` has a column each.
    """
    n_rows = len(y)
    counts = np.ones(n_rows, dtype=bool) if weights is None else weights > 0.0
    members = None if classes is None else _members(y)
    if strata is None and members is not None and np.isin(y, (0.0, 1.0)).all():
        strata = members.argmax(axis=1)
    if isinstance(time_order, np.bool_):
        time_order = bool(time_order)
    in_time = time_order is not None and time_order is not False
    is_number = isinstance(cv, (int, np.integer)) and not isinstance(cv, bool)
    ways = {
        "time_order": in_time,
        "fold_ids": fold_ids is not None,
        "fold_groups": fold_groups is not None and is_number,
    }
    chosen = [name for name, is_chosen in ways.items() if is_chosen]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)} cannot be combined: choose one way to make folds")
    if isinstance(cv, np.ndarray) and cv.ndim == 1:
        raise TypeError("cv is an array; the number of each row's fold goes to fold_ids")
    if not isinstance(repeats, (int, np.integer)) or repeats < 1:
        raise ValueError(f"repeats is {repeats!r}, but must be a whole number of at least 1")
    if repeats != 1 and (in_time or fold_ids is not None or not is_number):
        raise ValueError("repeats needs folds that are drawn at random: leave it at 1 here")
    labels = None if fold_groups is None else per_row("fold_groups", fold_groups, n_rows, rows)
    if fold_ids is not None:
        folds = _explicit(per_row("fold_ids", fold_ids, n_rows, rows))
    elif not is_number:
        folds = _from_splitter(cv, y if strata is None or y.ndim == 1 else strata, labels)
    else:
        if cv < 2:
            raise ValueError(f"cv is {cv}, but needs at least 2 folds")
        if in_time:
            times = np.arange(n_rows) if time_order is True else moments_of(time_order, "time_order")
            folds = _expanding_window(per_row("time_order", times, n_rows, rows), int(cv))
        else:
            if labels is None:
                of_classes = None if strata is None or members is None else members[counts]
                _check_number(int(cv), n_rows, of_classes, classes)
            folds = _at_random(strata, labels, n_rows, int(cv), int(repeats), _generator(random_state))
    if members is not None and classes is not None:
        _check_all_classes(members, counts, folds, classes)
    return folds


def _members(y: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Which classes each row has a share of (n, n_classes); None where all rows may have a share of both of two."""
    if y.ndim == 2:
        return y > 0.0
    return np.column_stack([y == 0.0, y == 1.0]) if np.isin(y, (0.0, 1.0)).all() else None


def _fewer(most: int, what: str) -> str:
    return f"cv={most} or fewer" if most > 1 else f"more {what}"


def per_row(name: str, values: Any, n_rows: int, rows: NDArray[np.intp] | None = None) -> NDArray[Any]:
    """What is given row by row, of the `rows` that are used (None: all), without gaps."""
    array = np.asarray(values)
    if rows is not None and array.ndim == 1 and array.size > rows.max():
        array = array[rows]
    if array.shape != (n_rows,):
        raise ValueError(f"{name} has shape {array.shape}, but there are {n_rows} rows")
    if (missing := missing_in(array)).any():
        raise ValueError(f"{name} has missing values, first in row {missing.argmax() + 1}")
    return array


def _generator(random_state: Any) -> np.random.Generator:
    if isinstance(random_state, np.random.RandomState):  # what scikit-learn hands around
        return np.random.default_rng(random_state.randint(2**31))
    return np.random.default_rng(random_state)


def _from_ids(ids: Rows, how: str) -> Folds:
    """Each row held out by the fold it names and trained on by all others."""
    table = np.atleast_2d(ids)
    train: list[Rows] = []
    test: list[Rows] = []
    for one in table:
        for fold in np.unique(one[one >= 0]):
            test.append(np.flatnonzero(one == fold))
            train.append(np.flatnonzero(one != fold))
    return Folds(tuple(train), tuple(test), ids, how)


def _explicit(given: NDArray[Any]) -> Folds:
    if given.dtype.kind in "iuf" and not np.all(given == np.floor(given)):
        raise ValueError("fold_ids must name folds by whole numbers or labels")
    numeric = given.dtype.kind in "iuf"
    held_out = given >= 0 if numeric else np.ones(given.size, dtype=bool)
    names, ids = np.unique(given[held_out], return_inverse=True)
    if names.size < 2:
        raise ValueError(f"fold_ids must name at least 2 folds, not {names.size}")
    numbers = np.full(given.size, -1, dtype=np.int64)
    numbers[held_out] = ids
    return _from_ids(numbers, f"{names.size} given folds")


def _at_random(
    strata: NDArray[np.intp] | None,
    groups: NDArray[Any] | None,
    n_rows: int,
    n_folds: int,
    repeats: int,
    generator: np.random.Generator,
) -> Folds:
    if groups is not None:
        group_of_row = np.unique(groups, return_inverse=True)[1]
        sizes = np.bincount(group_of_row)
        rounds = [folds_of_groups(sizes, n_folds, generator)[group_of_row] for _ in range(repeats)]
        kind = "grouped "
    else:
        stratum = np.zeros(n_rows, dtype=np.intp) if strata is None else strata
        rounds = [_stratified_ids(stratum, n_folds, generator) for _ in range(repeats)]
        kind = "" if strata is None else "stratified "
    ids = np.array(rounds) + n_folds * np.arange(repeats)[:, None]  # folds are numbered through all repeats
    times = f", {repeats} times" if repeats > 1 else ""
    return _from_ids(ids if repeats > 1 else ids[0], f"{n_folds} {kind}folds at random{times}")


def _stratified_ids(stratum: NDArray[np.intp], n_folds: int, generator: np.random.Generator) -> Rows:
    """Deal the rows out in turn, stratum by stratum: fold sizes differ by 1 at most, in all and in each stratum."""
    shuffled = generator.permutation(stratum.size)
    dealt = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    ids = np.empty(stratum.size, dtype=np.int64)
    ids[dealt] = np.arange(stratum.size) % n_folds
    return ids


def folds_of_groups(sizes: NDArray[np.intp], n_folds: int, generator: np.random.Generator) -> Rows:
    """Put whole groups of so many rows, the largest first, into the fold that is smallest so far."""
    if sizes.size < n_folds:
        text = f"{count(sizes.size)} groups cannot make {n_folds} folds."
        raise DataError(Finding("E05", text, _fewer(sizes.size, "groups")))
    shuffled = generator.permutation(sizes.size)
    fold_of_group = np.empty(sizes.size, dtype=np.int64)
    filled = np.zeros(n_folds, dtype=np.int64)
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold = int(np.argmin(filled))
        fold_of_group[group] = fold
        filled[fold] += sizes[group]
    return fold_of_group


def held_out_rows(
    n_rows: int,
    share: float,
    strata: NDArray[Any] | None,
    *,
    groups: NDArray[Any] | None = None,
    times: NDArray[Any] | None = None,
    seed: int = 0,
) -> Rows:
    """About this share of the rows for a last test: the latest, or at random, from every stratum its part.

    Groups are taken as wholes, and so are rows of one time. Raises where no row, or every row, would be held out.
    """
    generator = np.random.default_rng(seed)
    if times is not None:
        moments = np.unique(moments_of(times, "time_order"), return_inverse=True)[1]
        later = np.cumsum(np.bincount(moments)[::-1])[::-1]  # rows from each moment on
        first = int(np.argmin(np.abs(later - share * n_rows)))
        held_out = moments >= first
    elif groups is not None:
        group_of_row = np.unique(groups, return_inverse=True)[1]
        sizes = np.bincount(group_of_row)
        shuffled = generator.permutation(sizes.size)
        so_far = np.cumsum(sizes[shuffled])
        held_out = np.isin(group_of_row, shuffled[: 1 + int(np.argmin(np.abs(so_far - share * n_rows)))])
    else:
        shuffled = generator.permutation(n_rows)
        dealt = shuffled if strata is None else shuffled[np.argsort(strata[shuffled], kind="stable")]
        due = np.floor(np.arange(n_rows + 1) * share + 0.5)  # evenly along the strata
        held_out = np.zeros(n_rows, dtype=bool)
        held_out[dealt[np.diff(due) > 0]] = True
    if not held_out.any() or held_out.all():
        text = f"A share of {share:g} of {count(n_rows)} rows leaves no row to fit, or none to test."
        raise DataError(Finding("E05", text, "another share"))
    return np.flatnonzero(held_out)


def _expanding_window(times: NDArray[Any], n_folds: int) -> Folds:
    """Cut time into n_folds + 1 blocks; each fold holds one out, from the second on, and trains on those before.

    Rows of the same time stay in one block.
    """
    moment_of_row = np.unique(times, return_inverse=True)[1]
    ids = folds_of_moments(np.bincount(moment_of_row), n_folds)[moment_of_row]
    return Folds(
        train=tuple(np.flatnonzero(ids < fold) for fold in range(n_folds)),
        test=tuple(np.flatnonzero(ids == fold) for fold in range(n_folds)),
        fold_ids=ids,
        how=f"{n_folds} folds in time order",
    )


def folds_of_moments(sizes: NDArray[np.intp], n_folds: int) -> Rows:
    """The fold of each moment in time, of so many rows, in their order: -1 for the block that no fold holds out."""
    if sizes.size <= n_folds:
        text = f"time_order has {count(sizes.size)} distinct times, too few for {n_folds} folds."
        raise DataError(Finding("E05", text, _fewer(sizes.size - 1, "times")))
    n_blocks = n_folds + 1
    rows_before = np.cumsum(sizes) - sizes
    starts = np.searchsorted(rows_before, np.arange(n_blocks) * sizes.sum() / n_blocks)
    order = np.arange(n_blocks)  # each block takes at least one moment, however crowded the others are
    starts = np.minimum(np.maximum.accumulate(starts - order) + order, sizes.size - n_blocks + order)
    return np.searchsorted(starts, np.arange(sizes.size), side="right").astype(np.int64) - 2


def _from_splitter(cv: Any, y: NDArray[Any], groups: NDArray[Any] | None) -> Folds:
    """Folds of a scikit-learn splitter, or of any iterable of (train, test) row numbers."""
    if isinstance(cv, str) or not (hasattr(cv, "split") or isinstance(cv, Iterable)):
        raise TypeError(f"cv is {cv!r}, but must be a number of folds, a splitter or (train, test) pairs")
    pairs: Iterable[Any] = cv.split(np.zeros((len(y), 1)), y, groups) if hasattr(cv, "split") else cv
    train, test = [], []
    for pair in pairs:
        rows_of_fold = [np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows) for rows in pair]
        train.append(rows_of_fold[0].astype(np.int64))
        test.append(rows_of_fold[1].astype(np.int64))
    if not test or min(rows.size for rows in train + test) == 0:
        raise ValueError("cv gave no fold, or a fold without training or held-out rows")
    times_held_out = np.bincount(np.concatenate(test), minlength=len(y))
    ids = None
    if times_held_out.max() == 1:
        ids = np.full(len(y), -1, dtype=np.int64)
        for fold, rows in enumerate(test):
            ids[rows] = fold
    return Folds(tuple(train), tuple(test), ids, f"{len(test)} folds of {type(cv).__name__}")


def _check_number(
    n_folds: int, n_rows: int, members: NDArray[np.bool_] | None, classes: tuple[Any, ...] | None
) -> None:
    """E05 where there are fewer rows than folds, or fewer of the rarest class, whichever leaves fewer folds."""
    if members is not None and classes is not None:
        sizes = members.sum(axis=0).tolist()
        rarest = sizes.index(min(sizes))
        if sizes[rarest] < n_folds:
            text = (
                f'Class "{classes[rarest]}" has {count_rows(sizes[rarest])}; each of {count(n_folds)} folds needs one.'
            )
            fix = f"cv={sizes[rarest]}{OR}merge the class" if sizes[rarest] > 1 else "merge the class with another"
            raise DataError(Finding("E05", text, fix))
    if n_folds > n_rows:
        text = f"{count(n_rows)} rows cannot make {count(n_folds)} folds."
        raise DataError(Finding("E05", text, _fewer(n_rows, "rows")))


def _check_all_classes(
    members: NDArray[np.bool_], counts: NDArray[np.bool_], folds: Folds, classes: tuple[Any, ...]
) -> None:
    for fold, (train, _) in enumerate(folds):
        absent = np.flatnonzero(~members[train][counts[train]].any(axis=0))
        if absent.size:
            text = f'Class "{classes[absent[0]]}" is absent from the training rows of fold {fold + 1} of {len(folds)}.'
            kept = "both classes" if len(classes) == 2 else "all classes"
            raise DataError(Finding("E05", text, f"use fewer folds, or folds that keep {kept}"))
