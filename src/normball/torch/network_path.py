"""What `path` found: networks from dense to sparse, the choice among them, the refit of the chosen one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from normball.torch.trainer import Trainer


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


class NetworkPath:
    """A network from dense to sparse; made by `path`.

    Attributes
    ----------
    points : list of Point
        In the order of training: growing strength.
    features : str
        Name of the tensor whose inputs are the features.
    """

    def __init__(self, points: list[Point], features: str, trainer: Trainer) -> None:
        self.points = points
        self.features = features
        self._trainer = trainer

    @property
    def best(self) -> Point:
        """The point with the smallest loss on the rows held out."""
        return min(self.points, key=lambda point: point.loss)

    @property
    def one_se(self) -> Point:
        """The sparsest point within one standard error of the best (Breiman, Friedman, Olshen & Stone 1984, 3.4.3)."""
        limit = self.best.loss + self.best.standard_error
        return max((point for point in self.points if point.loss <= limit), key=lambda point: point.lam)

    @property
    def survival(self) -> NDArray[np.float64]:
        """For each feature the largest strength at which it is still in use, -inf where it never is: a ranking."""
        lams = np.array([point.lam for point in self.points])[:, None]
        return np.where(np.array([point.selected for point in self.points]), lams, -np.inf).max(0)

    def at(self, *, lam: float | None = None, n_selected: int | None = None) -> Point:
        """One point: the nearest strength, or the richest one with at most so many features.

        Parameters
        ----------
        lam : float, optional
            Factor on the strengths.
        n_selected : int, optional
            Largest number of features; among the points with the most features within it, the smallest loss counts.

        Raises
        ------
        ValueError
            Where not exactly one of the two is given, or no point has so few features.
        """
        if (lam is None) == (n_selected is None):
            raise ValueError("give either lam or n_selected")
        if lam is not None:
            return min(self.points, key=lambda point: abs(point.lam - lam))
        fitting = [point for point in self.points if point.n_selected <= n_selected]  # type: ignore[operator]
        if not fitting:
            fewest = min(point.n_selected for point in self.points)
            raise ValueError(f"No point has {n_selected} features or fewer; the sparsest has {fewest}.")
        return max(fitting, key=lambda point: (point.n_selected, -point.loss))

    def load(self, point: Point) -> None:
        """Put a point's weights into the model, and its strength into the penalties."""
        self._trainer.penalized.model.load_state_dict(point.state)
        self._trainer.penalized.selection = point.lam

    def refit(self, point: Point) -> Point:
        """Train a point on without the selecting penalties, its zeros held; the model is left there.

        The penalty that selects also shrinks what it keeps; this takes the shrinkage out (the relaxed lasso:
        Meinshausen 2007). Penalties that do not select (L2) stay. Stops early, as the path does.

        Returns
        -------
        Point
            With the new weights and losses; its `lam` is that of the selection.
        """
        trainer, penalized = self._trainer, self._trainer.penalized
        self.load(point)
        trainer.restart()
        penalized.hold_zeros()
        penalized.selection = 0.0
        try:
            n_epochs = trainer.run()
            losses = trainer.row_losses()
            penalty = float(penalized.value())
        finally:
            penalized.hold_zeros(False)
            penalized.selection = point.lam
        return replace(
            point,
            loss=float(losses.mean()),
            standard_error=float(losses.std() / len(losses) ** 0.5),
            penalty=penalty,
            n_epochs=n_epochs,
            state=trainer.state(),
        )

    def plot(self, axes: Any = None) -> Any:
        """Draw the loss held out with its standard error, and the number of features, over the strength.

        Parameters
        ----------
        axes : two matplotlib axes, optional
            By default a new figure.

        Returns
        -------
        array of two axes
        """
        from normball.torch.plots import plot_path

        return plot_path(self, axes)

    def __str__(self) -> str:
        lines = ["       lam  features  weights    loss held out  epochs"]
        for point in self.points:
            marks = [
                name for name, chosen in (("best", self.best), ("one standard error", self.one_se)) if point is chosen
            ]
            lines.append(
                f"{point.lam:>10.3g}  {point.n_selected:>8}  {point.n_nonzero:>7}  {point.loss:>7.4f} "
                f"+/- {point.standard_error:.4f}  {point.n_epochs:>5}  {', '.join(marks)}".rstrip()
            )
        return "\n".join(lines)
