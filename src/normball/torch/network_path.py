"""What `path` found: networks from dense to sparse, the choice among them, the refit of the chosen one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from normball.torch.point import Point

if TYPE_CHECKING:
    from normball.torch.trainer import Trainer


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
    def ranking(self) -> NDArray[np.intp]:
        """Numbers of the features, those that stay in use to the largest strengths first.

        Among those that leave at the same strength the one whose weights were largest in the point before.
        """
        last = np.full((2, len(self.points[0].selected)), -1.0)
        for number, point in enumerate(self.points):
            last[0, point.selected] = number
            last[1, point.selected] = self._sizes(point)[point.selected]
        return np.lexsort(-last[::-1])

    def _sizes(self, point: Point) -> NDArray[np.float64]:
        weights = point.state[self.features]
        columns = weights.movedim(1, 0).flatten(1).norm(dim=1) if weights.ndim > 1 else weights.abs()
        return columns.double().cpu().numpy()

    def at(self, *, lam: float | None = None, n_selected: int | None = None) -> Point:
        """One point: the nearest strength, or the richest one with at most so many features.

        Parameters
        ----------
        lam : float, optional
            Factor on the strengths.
        n_selected : int, optional
            Largest number of features; among the points with the most features within it, the smallest loss counts.

        Returns
        -------
        Point

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

    def cut(self, n_selected: int) -> Point:
        """A point with exactly so many features, to `refit`: a path may well jump past a number.

        The sparsest point with as many or more, without the features that come after the first `n_selected` of
        `ranking`. Its weights are stationary for no strength. The model is left there.

        Parameters
        ----------
        n_selected : int
            Number of features.

        Returns
        -------
        Point

        Raises
        ------
        ValueError
            Where no point has so many features, or the number is below 1.
        """
        fitting = [point for point in self.points if point.n_selected >= n_selected]
        if not fitting or n_selected < 1:
            most = max(point.n_selected for point in self.points)
            raise ValueError(f"n_selected must be between 1 and {most}, the most features of any point: {n_selected!r}")
        point = fitting[-1]
        kept = [number for number in self.ranking if point.selected[number]][:n_selected]
        selected = np.isin(np.arange(len(point.selected)), kept)
        self.load(point)
        weights = dict(self._trainer.penalized.model.named_parameters())[self.features]
        others = torch.from_numpy(np.flatnonzero(~selected)).to(weights.device)
        with torch.no_grad():
            weights.index_fill_(min(1, weights.ndim - 1), others, 0.0)
        return self._trainer.measured(replace(point, selected=selected, state=self._trainer.state()))

    def load(self, point: Point) -> None:
        """Put a point's weights into the model, and its strength into the penalties."""
        self._trainer.penalized.model.load_state_dict(point.state)
        self._trainer.penalized.selection = point.lam

    def refit(self, point: Point) -> Point:
        """Train a point on without the selecting penalties, its zeros held; the model is left there.

        The penalty that selects also shrinks what it keeps; this takes the shrinkage out (the relaxed lasso:
        Meinshausen 2007). Penalties that do not select (L2) stay. Stops early, as the path does.

        Parameters
        ----------
        point : Point
            One of `points`, or what `at` and `cut` give.

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
            return trainer.measured(replace(point, n_epochs=n_epochs, state=trainer.state()))
        finally:
            penalized.hold_zeros(False)
            penalized.selection = point.lam

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
