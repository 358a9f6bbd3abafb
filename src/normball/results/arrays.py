"""What the arrays of all results have in common."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def freeze(result: Any) -> None:
    """Make every array of a result object read-only."""
    for field in fields(result):
        value = getattr(result, field.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)


def explained(loss: Array, null_loss: float) -> Array:
    """Share of the null loss that is explained."""
    return 1.0 - loss / null_loss if null_loss > 0.0 else np.zeros_like(loss)
