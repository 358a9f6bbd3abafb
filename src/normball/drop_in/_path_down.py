"""The path down to one strength, and how far a given model is from the minimum there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# of the largest strength: ten steps a decade over the decades that matter, then one
_STEPS = 10.0 ** -np.append(np.arange(1, 41) / 10.0, np.arange(5.0, 13.0))


@dataclass(frozen=True)
class OneStrength:
    """The problem of an elastic net at one strength: scikit-learn's 1/(2 W) sum w (y - Xb)² + penalty.

    Targets are columns (n_samples, n_targets) and their coefficients rows.
    """

    X: Any
    weights: Array
    alpha: float
    l1_ratio: float
    fit_intercept: bool
    positive: bool
    together: bool  # whether the L1 penalty is on the length of a feature's coefficients for all targets

    def grid(self, targets: NDArray[Any]) -> Array:
        """The strengths on the way to `alpha`, which is the last one.

        They begin where the first coefficient of a target becomes nonzero. On wide data with a weak penalty the way is
        shorter than the leap.
        """
        if self.l1_ratio == 0.0:  # in closed form
            return np.array([self.alpha])
        share = self.weights / self.weights.sum()
        residual = targets - (share @ targets if self.fit_intercept else 0.0)
        gradient = self.X.T @ (share[:, None] * residual).astype(self.X.dtype)
        largest = float(self._reach(gradient)) / self.l1_ratio
        above = largest * _STEPS
        return np.append(above[above > 1.1 * self.alpha], self.alpha)

    def gap(self, targets: NDArray[Any], coefs: Array) -> tuple[float, float, Array]:
        """The duality gap of `coefs` with their best intercepts; the null loss; these.

        The dual point is the residual, scaled until no feature's product with it is beyond the L1 penalty, or where
        there is an L2 penalty as it is, whichever shows more.
        """
        share = self.weights / self.weights.sum()
        residual = targets - self.X @ coefs.T
        intercepts = share @ residual if self.fit_intercept else np.zeros(len(coefs))
        residual = residual - intercepts
        around = targets - share @ targets if self.fit_intercept else targets
        l1, l2 = self.alpha * self.l1_ratio, self.alpha * (1.0 - self.l1_ratio)
        gradient = self.X.T @ (share[:, None] * residual)
        reach = self._reach(gradient - l2 * coefs.T)
        scale = min(1.0, l1 / reach) if reach > 0.0 else 1.0
        of_residual, of_target = (share @ residual**2).sum(), (share @ (residual * around)).sum()
        squares = of_residual + l2 * (coefs**2).sum()
        primal = squares / 2.0 + l1 * self._lengths(coefs.T).sum()
        dual = scale * of_target - scale**2 * squares / 2.0
        if l2 > 0.0:
            beyond = np.maximum(self._lengths(np.maximum(gradient, 0.0) if self.positive else gradient) - l1, 0.0)
            dual = max(dual, of_target - of_residual / 2.0 - (beyond**2).sum() / (2.0 * l2))
        return float(primal - dual), float((share @ around**2).sum()) / 2.0, intercepts

    def _lengths(self, rows: Array) -> Array:
        return np.asarray(np.linalg.norm(rows, axis=1) if self.together else abs(rows))

    def _reach(self, gradient: Array) -> Any:
        return max(gradient.max(), 0.0) if self.positive else self._lengths(gradient).max()
