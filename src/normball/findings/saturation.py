"""Where the sigmoid of a logistic fit is flat, and what happens when all weights are multiplied by a number.

Multiplying intercept and coefficients by 10 leaves the decision line where it is and makes every probability more
extreme. Rows on the right side then cost less (their gradient p − y vanishes), rows on the wrong side cost ten times
more. So the training loss of a separated table falls for ever, while held-out rows tell whether the weights deserve
their size. Flat rows alone are no fault: the slope sigma' = p(1 − p) is the curvature of the loss in the margin, not
its gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.messages import Finding

Floats = NDArray[np.float64]

SCALES = (0.1, 0.3, 1.0, 3.0, 10.0)
OWN = 2  # the fit itself
FLAT = 0.01  # a sigmoid with less slope is flat; at its middle it has 0.25
FLAT_FROM = float(np.log(49 + 20 * np.sqrt(6)))  # it is from this linear predictor on, 4.58
CLEARLY = 0.05  # how much lower, relative to itself, a cross-entropy is to matter


@dataclass(frozen=True)
class Saturation:
    """A logistic fit with all its weights multiplied by each of `scales`.

    Attributes
    ----------
    scales : tuple of float
        0.1, 0.3, 1, 3 and 10; the fit itself has 1.
    flat : ndarray (5,)
        Share of the rows, by weight, whose sigmoid has a slope below 0.01.
    residual : ndarray (5,)
        Mean of abs(p − y), the size of the gradient in the margin.
    train, heldout : ndarray (5,)
        Mean cross-entropy on the training rows and on the held-out rows (None when there are none).
    largest_margin : float
        Largest absolute linear predictor of the fit.
    """

    scales: tuple[float, ...]
    flat: Floats
    residual: Floats
    train: Floats
    heldout: Floats | None
    largest_margin: float

    @property
    def share_flat(self) -> float:
        """Share of the rows on which the fit itself is flat."""
        return float(self.flat[OWN])

    @property
    def best_scale(self) -> float | None:
        """The scale with the lowest cross-entropy on held-out rows, 1 unless another is clearly lower."""
        if self.heldout is None:
            return None
        best = int(np.argmin(self.heldout))
        clearly_lower = self.heldout[best] < (1 - CLEARLY) * self.heldout[OWN]
        return SCALES[best if clearly_lower else OWN]

    @property
    def grows_without_limit(self) -> bool:
        """Whether the training rows ask for ever larger weights: only the penalty holds them."""
        return bool(np.all(np.diff(self.train) <= 0) and self.train[-1] < (1 - CLEARLY) * self.train[OWN])

    @property
    def verdict(self) -> str:
        """The diagnosis in one line."""
        return f"{self._size()}; sigmoid flat on {100 * self.share_flat:.0f} % of the rows"

    def _size(self) -> str:
        best = self.best_scale
        if best is None:
            return "held by the penalty alone" if self.grows_without_limit else "held by the training rows"
        if best == 1:
            return "well sized: held-out rows prefer no other size of the weights"
        return f"{'overconfident' if best < 1 else 'timid'}: held-out rows prefer all weights x {best:g}"

    def finding(self, where: str = "The fit") -> Finding | None:
        """W24 if the weights are too large for held-out rows, or held by the penalty alone and mostly flat."""
        best = self.best_scale
        if not (self.grows_without_limit and self.share_flat > 0.5 if best is None else best < 1):
            return None
        heldout = f", on held-out rows {self._from_to(self.heldout)}" if self.heldout is not None else ""
        text = (
            f"{where} is {self.verdict} (largest margin {self.largest_margin:.3g}).\n"
            f"All weights x 10: cross-entropy on training rows {self._from_to(self.train)}{heldout}."
        )
        return Finding("W24", text, 'a larger lam, chosen by cv_path(X, y, family="binomial")')

    @staticmethod
    def _from_to(entropy: Floats) -> str:
        return f"{entropy[OWN]:.3g} -> {entropy[-1]:.3g}"

    def __str__(self) -> str:
        lines = ["all weights x " + "".join(f"{scale:>9g}" for scale in self.scales)]
        rows = [("training", self.train), ("held out", self.heldout), ("mean |p - y|", self.residual)]
        lines += [
            f"{name:<14}" + "".join(f"{value:9.4f}" for value in values) for name, values in rows if values is not None
        ]
        lines += ["flat rows     " + "".join(f"{100 * value:7.1f} %" for value in self.flat)]
        return "\n".join([*lines, self.verdict])


def saturation(
    eta: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    eta_heldout: ArrayLike | None = None,
    y_heldout: ArrayLike | None = None,
    weights_heldout: ArrayLike | None = None,
) -> Saturation:
    """Diagnose a logistic fit from its linear predictors.

    Parameters
    ----------
    eta : array (n,)
        Linear predictor of the training rows, intercept included.
    y : array (n,)
        Target in [0, 1].
    weights : array (n,), optional
        Weights of the rows.
    eta_heldout, y_heldout, weights_heldout : array, optional
        The same for rows that the fit has not seen. Without `y_heldout` they are the training rows themselves,
        `eta_heldout` being out-of-fold predictions. Rows with a NaN there were never held out and do not count.

    Returns
    -------
    Saturation

    Examples
    --------
    >>> s = saturation([1.0, -1.0], [1.0, 1.0])
    >>> [round(float(x), 3) for x in s.train]
    [0.694, 0.704, 0.813, 1.549, 5.0]
    """
    margin, target, share = _rows(eta, y, weights)
    probability = _sigmoid(np.outer(SCALES, margin))
    heldout = None
    if eta_heldout is not None:
        of_heldout = (y, weights) if y_heldout is None else (y_heldout, weights_heldout)
        heldout = _cross_entropy(*_rows(eta_heldout, *of_heldout))
    return Saturation(
        scales=SCALES,
        flat=(probability * (1 - probability) < FLAT) @ share,
        residual=np.abs(probability - target) @ share,
        train=_cross_entropy(margin, target, share),
        heldout=heldout,
        largest_margin=float(np.abs(margin).max()),
    )


def _rows(eta: ArrayLike, y: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    """Return margin, target and share of the rows that count."""
    margin, target = np.asarray(eta, dtype=np.float64), np.asarray(y, dtype=np.float64)
    weight = np.ones(len(margin)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not margin.shape == target.shape == weight.shape or margin.ndim != 1:
        raise ValueError(
            f"eta, y and weights must be vectors of one length: {margin.shape}, {target.shape}, {weight.shape}"
        )
    counts = (weight > 0) & ~np.isnan(margin)
    if not counts.any():
        raise ValueError("no row has a linear predictor and a positive weight")
    return margin[counts], target[counts], weight[counts] / weight[counts].sum()


def _cross_entropy(margin: Floats, target: Floats, share: Floats) -> Floats:
    scaled = np.outer(SCALES, margin)
    entropy: Floats = (np.logaddexp(0.0, scaled) - target * scaled) @ share
    return entropy


def _sigmoid(eta: Floats) -> Floats:
    return np.exp(-np.logaddexp(0.0, -eta))
