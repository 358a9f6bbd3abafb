"""The losses of rows with several outputs, as the judge sees them: eta and y have a column for each output."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, logsumexp, softmax

from benchmarks.judge_losses import Loss, find_loss

Array = NDArray[np.float64]


class RowLoss(Protocol):
    """f(y_i, eta_i), 0 for a perfect fit."""

    couples_outputs: bool  # whether second derivatives of two outputs are other than 0
    shift_curvature: float  # what the common shift of all outputs, where it changes nothing, is given to be definite

    def value(self, y: Array, eta: Array) -> Array:
        """The loss of each row."""

    def slope(self, y: Array, eta: Array) -> Array:
        """The gradient of each row."""

    def bend(self, y: Array, eta: Array) -> Array:
        """The second derivatives of each row, (n, n_outputs, n_outputs)."""

    def conjugate(self, y: Array, v: Array) -> Array:
        """The conjugate of each row, where v is inside."""

    def inside(self, y: Array, v: Array) -> bool:
        """Whether f* is finite in every row."""

    def best_shift(self, y: Array, eta: Array) -> Array:
        """What to add to each column of eta so that its slopes add up to 0."""


class Separate:
    """The loss of one output, added up over the outputs of a row."""

    couples_outputs = False
    shift_curvature = 0.0

    def __init__(self, one: Loss) -> None:
        self._one = one

    def value(self, y: Array, eta: Array) -> Array:
        return np.asarray(self._one.value(y, eta).sum(1))

    def slope(self, y: Array, eta: Array) -> Array:
        return self._one.slope(y, eta)

    def bend(self, y: Array, eta: Array) -> Array:
        return self._one.bend(y, eta)[:, :, None] * np.eye(y.shape[1])

    def conjugate(self, y: Array, v: Array) -> Array:
        return np.asarray(self._one.conjugate(y, v).sum(1))

    def inside(self, y: Array, v: Array) -> bool:
        return bool(np.all(self._one.inside(y, v)))

    def best_shift(self, y: Array, eta: Array) -> Array:
        return self._one.best_shift(y, eta)


class Multinomial:
    """Shares of classes, with probabilities in proportion to exp(eta).

    The slope is pi - y = v, so that nu = y + v is pi, and f* is sum nu log nu - sum y log y for nu in the simplex.
    """

    couples_outputs = True
    shift_curvature = 1.0

    def value(self, y: Array, eta: Array) -> Array:
        return np.asarray(logsumexp(eta, axis=1) - (y * eta).sum(1) - entr(y).sum(1))

    def slope(self, y: Array, eta: Array) -> Array:
        return np.asarray(softmax(eta, axis=1) - y)

    def bend(self, y: Array, eta: Array) -> Array:
        share = softmax(eta, axis=1)
        return np.asarray(share[:, :, None] * np.eye(y.shape[1]) - share[:, :, None] * share[:, None, :])

    def conjugate(self, y: Array, v: Array) -> Array:
        return np.asarray(entr(y).sum(1) - entr(np.clip(y + v, 0.0, 1.0)).sum(1))

    def inside(self, y: Array, v: Array) -> bool:
        return bool(np.all(y + v >= 0) and np.abs(v.sum(1)).max() < 1e-10)

    def best_shift(self, y: Array, eta: Array) -> Array:
        """Newton's method in steps of at most 3, halved until the loss falls or, if rounding hides that, the slope."""
        n_outputs = y.shape[1]

        def told(shift: Array) -> tuple[float, Array]:
            return float(self.value(y, eta + shift).mean()), self.slope(y, eta + shift).mean(0)

        shift = np.zeros(n_outputs)
        loss, slope = told(shift)
        for _ in range(200):
            share = softmax(eta + shift, axis=1)
            bend = np.diag(share.mean(0)) - share.T @ share / y.shape[0] + np.ones((n_outputs, n_outputs))
            step = np.linalg.lstsq(bend, -slope, rcond=None)[0]
            step *= min(1.0, 3.0 / max(np.abs(step).max(), 1e-300))
            for _ in range(40):
                there, its_slope = told(shift + step)
                hidden = abs(there - loss) <= 1e-12 * loss
                if np.abs(its_slope).max() < np.abs(slope).max() if hidden else there < loss:
                    break
                step = step / 2
            else:
                break
            shift, loss, slope = shift + step, there, its_slope
        return shift


def find_row_loss(family: str) -> RowLoss:
    """The loss of a family; that of "multigaussian" is half the squared distance."""
    if family == "multinomial":
        return Multinomial()
    return Separate(find_loss("gaussian" if family == "multigaussian" else family))
