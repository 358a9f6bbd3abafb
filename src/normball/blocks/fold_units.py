"""What folds of a long table keep together, groups of rows or moments in time, and how they are dealt out to folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.surveyed import MOST_DISTINCT, SurveyedLabels, SurveyedNumbers
from normball.folds import folds_of_groups, folds_of_moments
from normball.inputs.columns import Unusable
from normball.inputs.dates import moments_of
from normball.inputs.gaps import NOUNS
from normball.messages import DataError, Finding, count

Sizes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FoldUnits:
    """What each row is one of, by a code that stands in place of its fold.

    Attributes
    ----------
    role : str
        "fold_groups" or "time_order".
    sizes : ndarray of int
        How many rows each has.
    moments : ndarray or None
        Of each something that grows with time, of times.
    """

    role: str
    sizes: Sizes
    moments: NDArray[Any] | None = None

    @property
    def in_time(self) -> bool:
        """Whether a fold is held out from those before it alone."""
        return self.moments is not None

    def folds(self, n_folds: int, seed: int, n_repeats: int) -> tuple[NDArray[np.int32], str]:
        """The fold of each, in each of several repeats, as rows in memory have it; and these folds in words."""
        met = np.flatnonzero(self.sizes)
        fold_of = np.full((n_repeats, self.sizes.size + 1), -1, dtype=np.int32)  # the code of a gap finds the last one
        if self.moments is None:
            generator = np.random.default_rng(seed)
            for repeat, row in enumerate(fold_of):
                row[met] = n_folds * repeat + folds_of_groups(self.sizes[met], n_folds, generator)
            return fold_of, f"{n_folds} grouped folds at random"
        moments, place = np.unique(self.moments[met], return_inverse=True)
        sizes = np.bincount(place, self.sizes[met], minlength=moments.size).astype(np.intp)
        fold_of[0, met] = folds_of_moments(sizes, n_folds)[place]
        return fold_of, f"{n_folds} folds in time order"


def fold_names(name: str, role: str, content: SurveyedNumbers | SurveyedLabels | Unusable) -> tuple[Any, ...]:
    """What stands in a column that makes the folds, in order; of numbers that name folds those that are not negative.

    Raises
    ------
    ValueError, DataError
        If these are no names of folds, or too many to be told apart.
    """
    if isinstance(content, Unusable):
        raise DataError(Finding("E15", f'"{name}" holds {content.reason}, which make no {NOUNS[role]}s.', "", (name,)))
    names: tuple[Any, ...]
    if isinstance(content, SurveyedLabels):
        names = content.values
    elif content.distinct is None:
        text = f'"{name}" has more than {count(MOST_DISTINCT)} distinct numbers, too many {NOUNS[role]}s to tell apart.'
        raise DataError(Finding("E15", text, "round them, or write them as text", (name,)))
    else:
        names = tuple(content.distinct.tolist())
    if role != "fold_ids":
        return names
    if isinstance(content, SurveyedNumbers):
        if not content.is_whole:
            raise ValueError("fold_ids must name folds by whole numbers or labels")
        names = tuple(one for one in names if one >= 0)
    if len(names) < 2:
        raise ValueError(f"fold_ids must name at least 2 folds, not {len(names)}")
    return names


def sizes_of(content: Any) -> Sizes:
    """How many rows have each of the `fold_names`."""
    found: Sizes = content.n_rows if isinstance(content, SurveyedLabels) else content.times
    return found


def folds_and_units(role: str, names: tuple[Any, ...] | None, sizes: Sizes | None) -> tuple[int, FoldUnits | None]:
    """How many folds a column names; or what it says that folds keep together."""
    if names is None or role == "fold_ids":
        return len(names or ()), None
    assert sizes is not None
    return 0, FoldUnits(role, sizes, moments_of(np.array(names), role) if role == "time_order" else None)
