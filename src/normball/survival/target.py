"""When each row was under observation, and whether that ended with the event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]
Ties: TypeAlias = Literal["efron", "breslow"]


@dataclass(frozen=True, eq=False)
class SurvivalTarget:
    """The target of a survival model: rows are at risk in (start, stop].

    Attributes
    ----------
    stop : ndarray of float64, shape (n_rows,)
        When the observation of a row ended, in any unit of time; NaN where the target is missing.
    event : ndarray of bool, shape (n_rows,)
        Whether it ended with the event; otherwise the row is censored there.
    start : ndarray of float64, shape (n_rows,), or None
        When it began, less than `stop`; None where all rows were at risk from the beginning.
    strata : ndarray of intp, shape (n_rows,), or None
        The stratum of each row, a place in `stratum_names`; None where there is one stratum.
    stratum_names : tuple
        What the strata are called.
    """

    stop: Floats
    event: Mask
    start: Floats | None = None
    strata: Places | None = None
    stratum_names: tuple[Any, ...] = ()

    def __len__(self) -> int:
        return len(self.stop)

    @property
    def missing(self) -> Mask:
        """Rows without a target."""
        return np.isnan(self.stop)

    @property
    def codes(self) -> Places:
        """The stratum of each row; 0 where there is one."""
        return np.zeros(len(self), dtype=np.intp) if self.strata is None else self.strata

    @property
    def n_strata(self) -> int:
        """How many strata there are."""
        return max(1, len(self.stratum_names))

    @property
    def columns(self) -> Floats:
        """The target as an array with the columns (stop, event), or (start, stop, event)."""
        event = np.where(self.missing, np.nan, self.event)
        return np.column_stack([self.stop, event] if self.start is None else [self.start, self.stop, event])

    def take(self, rows: NDArray[Any]) -> SurvivalTarget:
        """The target of these rows only."""
        start, strata = (None if values is None else values[rows] for values in (self.start, self.strata))
        return replace(self, stop=self.stop[rows], event=self.event[rows], start=start, strata=strata)


def check_ties(ties: Ties) -> None:
    """A ValueError for what is not known."""
    if ties not in ("efron", "breslow"):
        raise ValueError(f'ties is {ties!r}, but must be "efron" or "breslow"')
