"""Between which values the optimum of a problem is known to lie, at each strength."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bracket:
    """The best dual value of all solutions, and the smallest objective."""

    lower: Array
    upper: Array

    @classmethod
    def unknown(cls, n_lambdas: int) -> Bracket:
        return cls(np.full(n_lambdas, -np.inf), np.full(n_lambdas, np.inf))

    @classmethod
    def read(cls, path: Path, n_lambdas: int) -> Bracket:
        """What earlier runs have left: the lower end alone."""
        known = cls.unknown(n_lambdas)
        return cls(np.fromfile(path), known.upper) if path.exists() else known

    def at(self, i: int) -> tuple[float, float]:
        return float(self.lower[i]), float(self.upper[i])

    def take_in(self, dual: Array, objective: Array) -> None:
        """Narrow it by a solution; a path that ended early is shorter than the grid."""
        n = dual.size
        self.lower[:n] = np.maximum(self.lower[:n], dual)
        self.upper[:n] = np.minimum(self.upper[:n], objective)
