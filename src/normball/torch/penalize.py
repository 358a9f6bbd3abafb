"""`penalize`: penalties by pattern on the parameters of a network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn
from torch.optim import Optimizer

from normball.torch.metrics import Metric
from normball.torch.penalized import Mode, Penalized
from normball.torch.penalties import Penalty


def penalize(
    model: nn.Module,
    optimizer: Optimizer,
    penalties: Mapping[str, Penalty],
    mode: Mode = "objective",
    metric: Metric | None = None,
    every: int = 1,
) -> Penalized:
    """Penalise parameters by name, through the optimizer's own step hook; the training loop does not change.

    The loss stays the plain loss of the data. The objective is `mean loss + sum of penalties`, with `lam` on the
    same scale as in `normball.fit_path`.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    optimizer : torch.optim.Optimizer
        In objective mode SGD (momentum, Nesterov, dampening), Adam, AdamW, Adagrad or RMSprop. Its `weight_decay`
        must be 0 for what is penalised here.
    penalties : mapping of str to Penalty
        Patterns on parameter names ("*" and "?" as in file names) and what to do with them; the first match wins.
        Norms, embeddings, biases and all else of fewer than two axes are left alone unless a key is their full name.
    mode : {"objective", "decoupled"}
        "objective": thresholds in the optimizer's metric, so that stationary points are those of the objective.
        "decoupled": thresholds of `lr * lam`, as AdamW's weight decay; works with every optimizer, and `lam` is then
        relative to the optimizer's steps, not to the loss.
    metric : callable, optional
        For other optimizers: `metric(group, state)` gives d, a number or a tensor like the weights, in proportion to
        `group["lr"]`, such that a step under a constant gradient g is, in the long run, `-d * g`.
    every : int
        Shrink after every so many steps, by what they add up to: cheaper for large networks. In between the weights
        that should be zero wander by a few steps, which moves the solution a little: let the learning rate fall, or
        set `every` of the result to 1 for the last epochs. Call `settle()` before weights are read or saved.

    Returns
    -------
    Penalized
        With `audit()`, `certify(...)`, `stats()`, `scale`, `settle()` and `remove()`. It replaces the one that the
        optimizer had, with a warning.

    Raises
    ------
    ValueError
        For a pattern that fits no parameter, a penalised tensor with weight_decay, or an optimizer without a metric.

    References
    ----------
    .. [1] J. Yun, A. C. Lozano, E. Yang (2021). Adaptive proximal gradient methods for structured neural networks.
       NeurIPS, eq. 4.

    Examples
    --------
    >>> import torch, normball.torch as nbt
    >>> model = torch.nn.Linear(3, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    >>> penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(0.1)})
    """
    if mode not in ("objective", "decoupled"):
        raise ValueError(f'mode must be "objective" or "decoupled", not {mode!r}')
    for pattern, penalty in penalties.items():
        if not isinstance(penalty, Penalty):
            raise TypeError(f"{pattern!r}: {penalty!r} is no penalty of normball.torch")
    if not (isinstance(every, int) and every >= 1):
        raise ValueError(f"every must be a whole number of at least 1, not {every!r}")
    return Penalized(model, optimizer, penalties, mode, metric, every)
