"""How well held-out rows are predicted in a measure that needs no statistics, beside the score that chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from normball.results.arrays import Array, freeze

MEASURES = ("accuracy", "mse", "mae")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What held-out rows say of each strength and of the model without features; arrays are read-only.

    Every row counts by its weight, and as often as a fold held it out.

    Attributes
    ----------
    measure : {"accuracy", "mse", "mae"}
        Of classes the share that is put into the right one, of all else the mean squared or absolute error.
    values : ndarray, shape (n_lambdas,), or with several targets (n_lambdas, n_outputs)
        The measure of each model; NaN where no fold has one.
    null : ndarray, shape (), or with several targets (n_outputs,)
        That of a model without features, fitted to the training rows of the same folds; of classes the share of the
        commonest, which is what always saying it reaches.
    commonest : int
        The place of that class among the classes; -1 for other targets.
    """

    measure: str
    values: Array
    null: Array
    commonest: int = -1

    def __post_init__(self) -> None:
        freeze(self)

    def typical(self, index: int) -> Array:
        """The measure at a strength in the unit of the target: of a mean squared error its root."""
        return np.asarray(self._in_unit(self.values[index]))

    @property
    def typical_null(self) -> Array:
        """The same of the model without features."""
        return np.asarray(self._in_unit(self.null))

    def _in_unit(self, values: Any) -> Any:
        return np.sqrt(values) if self.measure == "mse" else values
