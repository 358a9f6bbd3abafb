"""How well held-out rows are predicted in a measure that needs no statistics, beside the score that chooses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.results.arrays import Array, freeze

MEASURES = ("accuracy", "mse", "mae", "concordance")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What held-out rows say of each strength and of the model without features; arrays are read-only.

    Every row counts by its weight, and as often as a fold held it out.

    Attributes
    ----------
    measure : {"accuracy", "mse", "mae", "concordance"}
        Of classes the share that is put into the right one, of times to an event the share of comparable pairs of rows
        of a fold in which the one with the higher risk has its event first (Harrell's concordance, a mean over the
        folds), of all else the mean squared or absolute error.
    values : ndarray, shape (n_lambdas,), or with several targets (n_lambdas, n_outputs)
        The measure of each model; NaN where no fold has one.
    null : ndarray, shape (), or with several targets (n_outputs,)
        That of a model without features, fitted to the training rows of the same folds; of classes the share of the
        commonest, which is what always saying it reaches.
    commonest : int
        The place of that class among the classes; -1 for other targets.
    errors : ndarray, shape (n_lambdas,), or None
        Standard errors of a concordance over the folds; None of other measures.
    """

    measure: str
    values: Array
    null: Array
    commonest: int = -1
    errors: Array | None = None

    def __post_init__(self) -> None:
        freeze(self)

    def take(self, which: NDArray[np.intp]) -> HeldOut:
        """The same of some strengths only."""
        errors = None if self.errors is None else self.errors[which]
        return replace(self, values=self.values[which], errors=errors)

    def concordance(self, index: int) -> tuple[float, float] | None:
        """The concordance at a strength and its standard error; None where it is not known, or the measure another."""
        if self.errors is None or np.isnan(self.values[index]):
            return None
        return float(self.values[index]), float(self.errors[index])

    def typical(self, index: int) -> Array:
        """The measure at a strength in the unit of the target: of a mean squared error its root."""
        return np.asarray(self._in_unit(self.values[index]))

    @property
    def typical_null(self) -> Array:
        """The same of the model without features."""
        return np.asarray(self._in_unit(self.null))

    def _in_unit(self, values: Any) -> Any:
        return np.sqrt(values) if self.measure == "mse" else values
