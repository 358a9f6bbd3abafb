"""Penalties, their proximal step in a diagonal metric, and how far a point is from stationary."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from normball._native import shrink_weights
from normball.torch.metrics import Adaptive, Scalar

By = Literal["input", "output"] | Callable[[Tensor], Tensor]
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Embedding, nn.EmbeddingBag)
_NEWTON_STEPS = 12  # more than needed: the secular equation below is nearly linear
_IN_CACHE = 2**16  # weights whose few tensors stay there
_WORTH_A_THREAD = 2**18  # weights


@dataclass(frozen=True)
class Penalty:
    """`lam * (l1 sum|w| + l2 / 2 sum w^2 + group sum_g ||w_g||)`; use the named ones below.

    Attributes
    ----------
    lam : float
        Strength, on the scale of the mean loss.
    """

    lam: float
    l1: float = field(default=0.0, init=False)
    l2: float = field(default=0.0, init=False)
    group: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if not (isinstance(self.lam, (int, float)) and math.isfinite(self.lam) and self.lam >= 0):
            raise ValueError(f"lam must be a finite number of at least 0, not {self.lam!r}")

    def _share(self, **shares: float) -> None:
        for name, value in shares.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class L1(Penalty):
    """The lasso: `lam * sum|w|` (Tibshirani 1996). Sets single weights to exactly zero."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._share(l1=1.0)


@dataclass(frozen=True)
class L2(Penalty):
    """Ridge: `lam / 2 * sum w^2`. Keeps all weights evenly small."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._share(l2=1.0)


@dataclass(frozen=True)
class ElasticNet(Penalty):
    """`lam * (l1_ratio * sum|w| + (1 - l1_ratio) / 2 * sum w^2)` (Zou & Hastie 2005)."""

    l1_ratio: float

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_ratio(self.l1_ratio)
        self._share(l1=self.l1_ratio, l2=1.0 - self.l1_ratio)


@dataclass(frozen=True)
class GroupLasso(Penalty):
    """`lam * sum_g ||w_g||_2` (Yuan & Lin 2006, without their factor for the size of a group). Zeros whole groups.

    Attributes
    ----------
    by : "input", "output" or callable
        The weights that belong to one input (columns of a Linear, input channels of a Conv, rows of an Embedding), to
        one output (rows of a Linear, output channels), or a function from the weights to a tensor of their shape with
        the number of each one's group. Tensors of other modules are taken as those of a Linear.
    """

    by: By = "output"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_by(self.by)
        self._share(group=1.0)


@dataclass(frozen=True)
class SparseGroupLasso(Penalty):
    """`lam * (l1_ratio * sum|w| + (1 - l1_ratio) * sum_g ||w_g||_2)` (Simon, Friedman, Hastie & Tibshirani 2013)."""

    by: By = "output"
    l1_ratio: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_by(self.by)
        _check_ratio(self.l1_ratio)
        self._share(l1=self.l1_ratio, group=1.0 - self.l1_ratio)


class Term:
    """A penalty on one tensor, with its strength.

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    weights : Tensor
        What it acts on, for its shape and its groups.
    module : Module, optional
        Whose tensor that is: it says which weights belong to one input or output.
    """

    def __init__(self, penalty: Penalty, weights: Tensor, module: nn.Module | None = None) -> None:
        self.penalty = penalty
        self._labels: Tensor | None = None
        self._n_groups = 0  # with labels
        self._other_axes: tuple[int, ...] = ()
        if penalty.group:
            self._make_groups(penalty.by, weights, module)  # type: ignore[attr-defined]

    def _make_groups(self, by: By, weights: Tensor, module: nn.Module | None) -> None:
        labels = by(weights.detach()) if callable(by) else _channels(by, weights, module)
        if labels is not None:
            if labels.shape != weights.shape:
                raise ValueError(f"by(weights) must have their shape {tuple(weights.shape)}, not {tuple(labels.shape)}")
            self._labels = torch.unique(labels, return_inverse=True)[1].to(weights.device)
            self._n_groups = int(self._labels.max()) + 1
        elif weights.ndim < 2:
            raise ValueError(f'by="{by}" needs weights with two axes or more, not shape {tuple(weights.shape)}')
        else:
            own = int((by == "input") != isinstance(module, _TRANSPOSED))  # of a Linear: outputs, inputs
            self._other_axes = tuple(axis for axis in range(weights.ndim) if axis != own)

    def group_sums(self, values: Tensor) -> Tensor:
        """Sums over each group, in a shape that `spread` knows."""
        if self._labels is None:
            return values.sum(dim=self._other_axes, keepdim=True)
        flat = self._labels.to(values.device).flatten()
        return values.new_zeros(self._n_groups).index_add_(0, flat, values.flatten())

    def spread(self, sums: Tensor) -> Tensor:
        """A number for each group, as one for each weight."""
        return sums if self._labels is None else sums[self._labels.to(sums.device)]

    def value(self, weights: Tensor, scale: float = 1.0) -> Tensor:
        """The penalty at these weights."""
        penalty, total = self.penalty, weights.new_zeros(())
        if penalty.l1:
            total = total + penalty.l1 * weights.abs().sum()
        if penalty.l2:
            total = total + 0.5 * penalty.l2 * weights.square().sum()
        if penalty.group:
            total = total + penalty.group * self.group_sums(weights.square()).sqrt().sum()
        return scale * penalty.lam * total

    def shrink_(self, weights: Tensor, metric: Adaptive | Scalar, scale: float = 1.0) -> None:
        """Replace the weights z by the minimiser of `sum (w - z)^2 / (2 metric) + penalty(w)`.

        A metric of zero leaves its weight alone. Nothing here waits for the device.
        """
        lam = scale * self.penalty.lam
        if lam == 0.0:
            return
        if self.penalty.group == 0.0:
            _shrink_single(weights, metric, lam * self.penalty.l1, lam * self.penalty.l2)
            return
        if self.penalty.l1:
            _shrink_single(weights, metric, lam * self.penalty.l1, 0.0)
        entries = metric.entries() if isinstance(metric, Adaptive) else torch.as_tensor(metric)
        self._shrink_groups(weights, entries.to(weights), lam * self.penalty.group)

    def _shrink_groups(self, weights: Tensor, metric: Tensor, strength: float) -> None:
        """On a CPU some groups at a time, so that the passes over them stay in its cache."""
        if not (_runs_at_once(weights) and self._labels is None):
            self._solve_groups(weights, metric.expand_as(weights), strength)
            return
        axis = next(axis for axis in range(weights.ndim) if axis not in self._other_axes)
        size = max(1, _IN_CACHE * weights.shape[axis] // weights.numel())
        parts = torch.split(weights, size, axis), torch.split(metric.expand_as(weights), size, axis)
        for part, steps in zip(*parts, strict=True):
            self._solve_groups(part, steps, strength)

    def _solve_groups(self, weights: Tensor, metric: Tensor, strength: float) -> None:
        """With s = ||w_g||: w_i = z_i s / (s + strength d_i), and s solves ||z / (s + strength d)|| = 1.

        Newton on 1 / ||.||, which is concave in s: the first step, from s = ||z||, ends below the root, the others rise
        to it (as for the trust region's secular equation: Conn, Gould & Toint 2000, section 7.3). A group is zero where
        that norm is at most 1 at s = 0.
        """
        tiny, unit = torch.finfo(weights.dtype).tiny, torch.finfo(weights.dtype).eps
        may_look = _runs_at_once(weights)
        pull = (strength * metric).clamp(min=tiny)
        size = self.group_sums(weights.square()).sqrt()
        for step in range(_NEWTON_STEPS):
            below = self.spread(size) + pull
            squares = (weights / below).square()
            square = self.group_sums(squares)
            slope = self.group_sums(squares.div_(below))
            rise = (square.sqrt() - 1.0) * square / slope.clamp(min=tiny)
            size = (size + rise).clamp(min=0.0) if step == 0 else size + rise.clamp(min=0.0)
            if may_look and bool((rise <= 4 * unit * size).all()) and step > 0:
                break
        spread = self.spread(size)
        weights.mul_(torch.where(metric > 0, spread / (spread + pull), torch.ones_like(pull)))

    def zero_from(self, gradient: Tensor) -> Tensor:
        """The smallest factor on `lam` at which zero weights with this gradient of the mean loss are stationary.

        For the sparse group lasso a bound from above: the stronger of its parts alone holds a group at zero there.
        """
        penalty = self.penalty
        sizes = self.group_sums(gradient.square()).sqrt() if penalty.group else gradient.abs()
        return sizes.max() / (penalty.lam * max(penalty.l1, penalty.group))

    def distance(self, weights: Tensor, gradient: Tensor, scale: float = 1.0) -> tuple[Tensor, Tensor]:
        """How far `gradient` (of the mean loss) is from minus the subdifferential, and which weights are zero wrongly.

        Returns
        -------
        distance : Tensor
            The largest violation of the stationarity conditions, in units of the gradient.
        false_zeros : Tensor
            Number of weights that are zero although the loss falls faster than the penalty rises.
        """
        lam, penalty = scale * self.penalty.lam, self.penalty
        whole = gradient + lam * penalty.l2 * weights
        threshold = lam * penalty.l1
        at_zero = whole - whole.clamp(-threshold, threshold)
        zero = weights == 0
        if penalty.group == 0.0:
            residual = torch.where(zero, at_zero, whole + threshold * weights.sign()).abs()
            return residual.max(), (zero & (residual > 1e-6 * threshold + 1e-12)).sum()
        norms = self.group_sums(weights.square()).sqrt()
        direction = weights / self.spread(norms).clamp(min=torch.finfo(weights.dtype).tiny)
        inside = torch.where(zero, at_zero, whole + threshold * weights.sign()) + lam * penalty.group * direction
        dead = self.spread(norms == 0)
        excess = (self.group_sums(at_zero.square()).sqrt() - lam * penalty.group).clamp(min=0.0)
        residual = torch.where(dead, self.spread(excess), inside.abs())
        return residual.max(), (dead & (residual > 1e-6 * lam)).expand_as(weights).sum()


def columns_are_inputs(module: nn.Module) -> bool:
    """Whether axis 1 of a module's weights are its inputs, as of a Linear and of a Conv of one group."""
    return not isinstance(module, (*_TRANSPOSED, nn.Bilinear)) and getattr(module, "groups", 1) == 1


def _channels(by: str, weights: Tensor, module: nn.Module | None) -> Tensor | None:
    """The channel of each weight where an axis does not tell it; None where it does.

    A convolution of several groups numbers one kind of channels within each group: the inputs of a Conv (out, in /
    groups, ...), the outputs of a ConvTranspose (in, out / groups, ...).
    """
    if isinstance(module, nn.Bilinear) and by == "input" and weights.ndim == 3:
        raise ValueError('by="input" has two meanings for a Bilinear; give a function of the weights')
    n_groups = getattr(module, "groups", 1) if isinstance(module, nn.modules.conv._ConvNd) else 1
    within = "output" if isinstance(module, _TRANSPOSED) else "input"
    if n_groups == 1 or by != within or weights.ndim < 2:
        return None
    size, n_within = weights.shape[:2]
    group = torch.arange(size, device=weights.device) // (size // n_groups)
    channel = group[:, None] * n_within + torch.arange(n_within, device=weights.device)
    return channel.reshape(size, n_within, *[1] * (weights.ndim - 2)).expand_as(weights)


def _shrink_single(weights: Tensor, metric: Adaptive | Scalar, l1: float, l2: float) -> None:
    """Soft threshold, then division: w = sign(z) max(|z| - metric l1, 0) / (1 + metric l2)."""
    if _native_takes(weights, metric):
        _shrink_natively(weights, metric, l1, l2)
        return
    step = metric.entries() if isinstance(metric, Adaptive) else metric
    if l1:
        threshold = step * l1
        weights.sub_(weights.clamp(-threshold, threshold))  # type: ignore[arg-type]  # x - x is an exact zero
    if l2:
        weights.div_(1.0 + step * l2)


def _runs_at_once(weights: Tensor) -> bool:
    """Whether a result can be looked at without waiting for a device or breaking a compiled graph."""
    return weights.device.type == "cpu" and not torch.compiler.is_compiling()


def _native_takes(weights: Tensor, metric: Adaptive | Scalar) -> bool:
    """Whether one pass of compiled code can do it: contiguous float32 or float64 on the CPU."""
    if not _runs_at_once(weights) or weights.dtype not in (torch.float32, torch.float64):
        return False
    parts = (metric.step, metric.root, metric.unseen) if isinstance(metric, Adaptive) else (metric,)
    single = all(not isinstance(part, Tensor) or (part.numel() == 1 and part.device.type == "cpu") for part in parts)
    tensors = (weights, metric.second) if isinstance(metric, Adaptive) else (weights,)
    return single and all(
        tensor.device.type == "cpu" and tensor.is_contiguous() and tensor.dtype == weights.dtype for tensor in tensors
    )


def _shrink_natively(weights: Tensor, metric: Adaptive | Scalar, l1: float, l2: float) -> None:
    n_threads = min(torch.get_num_threads(), 1 + weights.numel() // _WORTH_A_THREAD)
    flat = weights.detach().view(-1).numpy()
    if isinstance(metric, Adaptive):
        second = metric.second.view(-1).numpy()
        scalars = float(metric.step), float(metric.root), metric.eps, float(metric.unseen)
        shrink_weights(flat, second, *scalars, l1, l2, n_threads)
    else:
        shrink_weights(flat, None, float(metric), 1.0, 0.0, 1.0, l1, l2, n_threads)


def _check_ratio(l1_ratio: float) -> None:
    if not 0 <= l1_ratio <= 1:
        raise ValueError(f"l1_ratio must be between 0 and 1, not {l1_ratio!r}")


def _check_by(by: By) -> None:
    if not callable(by) and by not in ("input", "output"):
        raise ValueError(f'by must be "input", "output" or a function of the weights, not {by!r}')
