"""`Monitor`: weights, gradients and saturation while a network trains."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

if TYPE_CHECKING:
    import polars as pl

_FLAT = 0.1  # saturated: the slope is below this share of the steepest


class Monitor:
    """Watches a model while its own training loop runs.

    At each `every`-th step of the optimizer it notes the norm of every weight tensor and of its gradient (just before
    the step), and the share of each activation module's outputs that are saturated: where the slope is below a tenth
    of the steepest (``|sigmoid - 1/2| > 0.474``, ``|tanh| > 0.949``), for ReLU where it is off. Activations that
    `forward` calls as functions (`torch.relu`) are not seen. Nothing waits for the device until the numbers are read.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    optimizer : torch.optim.Optimizer
        Its steps are the clock.
    every : int
        Steps between two notes.

    Examples
    --------
    >>> import torch, normball.torch as nbt
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Sigmoid(), torch.nn.Linear(2, 1))
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> monitor = nbt.Monitor(model, optimizer)
    >>> for _ in range(2):
    ...     model(torch.ones(4, 3)).mean().backward()
    ...     optimizer.step()
    >>> monitor.to_frame().columns
    ['step', 'norm/0.weight', 'norm/2.weight', 'gradient/0.weight', 'gradient/2.weight', 'saturated/1']
    """

    def __init__(self, model: nn.Module, optimizer: Optimizer, every: int = 10) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, not {every!r}")
        self._weights = {name: weights for name, weights in model.named_parameters() if weights.ndim > 1}
        self._every = every
        self._n_steps = 0
        self._notes: list[dict[str, Tensor]] = []
        self._steps: list[int] = []
        self._flat: dict[str, list[Tensor]] = defaultdict(list)  # since the last step
        self._handles: list[Any] = [optimizer.register_step_pre_hook(self._before_step)]
        for name, module in model.named_modules():
            if isinstance(module, _ACTIVATIONS):
                self._handles.append(module.register_forward_hook(self._watch(name)))

    def remove(self) -> None:
        """Stop watching; the numbers stay."""
        for handle in self._handles:
            handle.remove()

    def to_frame(self) -> pl.DataFrame:
        """A row for each note: step (from 0), norms of weights and gradients, shares of saturated outputs."""
        import polars as pl

        columns: dict[str, Any] = {"step": self._steps}
        for name in sorted(dict.fromkeys(name for note in self._notes for name in note), key=_kind):
            columns[name] = [float(note[name]) if name in note else None for note in self._notes]
        return pl.DataFrame(columns)

    def plot(self, axes: Any = None) -> Any:
        """Draw norms, gradients and saturation over the steps with matplotlib.

        Parameters
        ----------
        axes : three matplotlib axes, optional
            By default a new figure.

        Returns
        -------
        array of three axes
        """
        from normball.torch.plots import plot_monitor

        return plot_monitor(self.to_frame(), axes)

    def _due(self) -> bool:
        return self._n_steps % self._every == 0

    def _watch(self, name: str) -> Any:
        @torch.no_grad()
        def hook(module: nn.Module, _: Any, output: Tensor) -> None:
            if module.training and self._due():
                self._flat[name].append(_is_flat(module, output.detach()).float().mean())

        return hook

    @torch.no_grad()
    def _before_step(self, *_: Any) -> None:
        if self._due():
            note = {}
            for name, weights in self._weights.items():
                note[f"norm/{name}"] = weights.norm()
                if weights.grad is not None:
                    note[f"gradient/{name}"] = weights.grad.norm()
            note |= {f"saturated/{name}": torch.stack(shares).mean() for name, shares in self._flat.items()}
            self._notes.append(note)
            self._steps.append(self._n_steps)
        self._flat.clear()
        self._n_steps += 1


def _kind(name: str) -> int:
    return ("norm", "gradient", "saturated").index(name.split("/")[0])


_ACTIVATIONS = (nn.Sigmoid, nn.Tanh, nn.ReLU, nn.ReLU6)


def _is_flat(module: nn.Module, output: Tensor) -> Tensor:
    if isinstance(module, nn.Sigmoid):
        return 4.0 * output * (1.0 - output) < _FLAT
    if isinstance(module, nn.Tanh):
        return 1.0 - output.square() < _FLAT
    off = output <= 0
    return off | (output >= 6) if isinstance(module, nn.ReLU6) else off
