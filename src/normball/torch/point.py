"""One point of a network's path."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Point:
    """The network at one strength.

    Attributes
    ----------
    lam : float
        Factor on the strengths given to `penalize`; 0 for the first, dense network.
    loss : float
        Mean loss over the rows held out, without penalty.
    standard_error : float
        Of that mean: the deviation of the rows' losses over the root of their number.
    penalty : float
        Value of all penalties.
    selected : array (n_features,) of bool
        Features with a weight that is not zero.
    n_nonzero : int
        Weights other than zero in all tensors under selecting penalties.
    n_epochs : int
        Passes over the training rows that were made.
    state : dict
        The model's `state_dict`, on its device.
    """

    lam: float
    loss: float
    standard_error: float
    penalty: float
    selected: NDArray[np.bool_]
    n_nonzero: int
    n_epochs: int
    state: dict[str, Tensor] = field(repr=False)

    @property
    def n_selected(self) -> int:
        """Number of features in use."""
        return int(self.selected.sum())
