"""The metric of an optimizer: near a stationary point its step is -d * gradient; here is d, entry by entry.

The momenta cancel there: SGD's buffer is gradient * (1 - dampening) / (1 - momentum), Adam's first moment the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

Group = Mapping[str, Any]
State = Mapping[str, Any]
Metric = Callable[[Group, State], "Tensor | float"]


def _sgd(group: Group, state: State) -> Tensor | float:
    momentum = group["momentum"]
    if momentum == 0:
        return group["lr"]
    return group["lr"] * (1.0 - group["dampening"]) / (1.0 - momentum)  # with Nesterov's look-ahead the same


def _adam(group: Group, state: State) -> Tensor | float:
    second = state["max_exp_avg_sq"] if group["amsgrad"] else state["exp_avg_sq"]
    correction = 1.0 - group["betas"][1] ** state["step"]
    return group["lr"] / _root(second, correction, group["eps"])


def _adagrad(group: Group, state: State) -> Tensor | float:
    lr = group["lr"] / (1.0 + (state["step"] - 1.0) * group["lr_decay"])
    return lr / _root(state["sum"], 1.0, group["eps"])


def _rmsprop(group: Group, state: State) -> Tensor | float:
    second = state["square_avg"]
    if group["centered"]:
        second = (second - state["grad_avg"].square()).clamp(min=0.0)
    return group["lr"] / (1.0 - group["momentum"]) / _root(second, 1.0, group["eps"])


def _root(second: Tensor, correction: Tensor | float, eps: float) -> Tensor:
    """The divisor of the adaptive steps. A unit that never had a gradient has none yet: it is stepped by lr alone."""
    root = second.sqrt() / torch.as_tensor(correction, dtype=second.dtype).sqrt() + eps
    return torch.where(second > 0, root, torch.ones_like(root))


METRICS: dict[type[Optimizer], Metric] = {SGD: _sgd, Adam: _adam, AdamW: _adam, Adagrad: _adagrad, RMSprop: _rmsprop}
