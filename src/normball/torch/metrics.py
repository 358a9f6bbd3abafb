"""The metric of an optimizer: near a stationary point its step is -d * gradient; here is d, entry by entry.

The momenta cancel there: SGD's buffer is gradient * (1 - dampening) / (1 - momentum), Adam's first moment the gradient.
All are proportional to the learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

Group = Mapping[str, Any]
State = Mapping[str, Any]
Scalar: TypeAlias = "Tensor | float"


@dataclass(frozen=True)
class Adaptive:
    """d = step / (root sqrt(second) + eps) of an adaptive optimizer, and step / unseen where `second` is zero.

    A weight that never had a gradient has no second moment, and step / eps would put it to zero before the first batch
    that needs it. It is taken to have had one gradient of size one among those so far: sqrt(second) = n_steps**-0.5.
    """

    step: Scalar
    second: Tensor
    root: Scalar
    eps: float
    unseen: Scalar

    def entries(self) -> Tensor:
        """Its d for each weight."""
        scale = self.root * self.second.sqrt() + self.eps
        return self.step / torch.where(self.second > 0, scale, torch.ones_like(scale) * self.unseen)


Metric: TypeAlias = "Callable[[Group, State], Adaptive | Scalar]"


def _sgd(group: Group, state: State) -> Scalar:
    momentum = group["momentum"]
    if momentum == 0:
        return group["lr"]
    return group["lr"] * (1.0 - group["dampening"]) / (1.0 - momentum)  # with Nesterov's look-ahead the same


def _adam(group: Group, state: State) -> Adaptive:
    second = state["max_exp_avg_sq"] if group["amsgrad"] else state["exp_avg_sq"]
    correction = 1.0 - group["betas"][1] ** state["step"]
    return Adaptive(group["lr"], second, correction**-0.5, group["eps"], state["step"] ** -0.5)


def _adagrad(group: Group, state: State) -> Adaptive:
    lr = group["lr"] / (1.0 + (state["step"] - 1.0) * group["lr_decay"])
    return Adaptive(lr, state["sum"], 1.0, group["eps"], 1.0)  # it adds up


def _rmsprop(group: Group, state: State) -> Adaptive:
    second = state["square_avg"]
    if group["centered"]:
        second = (second - state["grad_avg"].square()).clamp(min=0.0)
    lr = group["lr"] / (1.0 - group["momentum"])
    return Adaptive(lr, second, 1.0, group["eps"], state["step"] ** -0.5)


METRICS: dict[type[Optimizer], Metric] = {SGD: _sgd, Adam: _adam, AdamW: _adam, Adagrad: _adagrad, RMSprop: _rmsprop}
