"""`shrink`: takes out the inputs, neurons and channels that zero weights have cut off; the outputs stay the same."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from normball.torch.chain import Layer, chain_of

_TOLERANCE = 1e-6  # on the outputs for the example, in double precision, relative to the largest of them


class Pick(nn.Module):
    """Passes on some inputs of a layer.

    Attributes
    ----------
    indices : Tensor (n_kept,)
        Which ones: positions along axis 1.
    """

    def __init__(self, indices: Tensor) -> None:
        super().__init__()
        self.register_buffer("indices", indices)

    def forward(self, x: Tensor) -> Tensor:
        """Inputs `indices` of x."""
        return x.index_select(1, self.indices)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """How many are passed on."""
        return f"{len(self.indices)} inputs"  # type: ignore[arg-type]


def shrink(model: nn.Module, example: Tensor) -> nn.Module:
    """A smaller copy of the model, without what zero weights have cut off.

    An input of a layer whose weights are all zero is not passed on, and the unit that computed it goes. A unit whose
    own weights are all zero, or whose BatchNorm has the weight zero, is a constant: it is added to the bias of the next
    layer, and goes as well.

    Parameters
    ----------
    model : torch.nn.Module
        A chain of Linear, Conv, BatchNorm, pointwise activations, pooling, Dropout and Flatten, as a Sequential or
        with a forward of your own.
    example : Tensor (n_rows, ...)
        Inputs of the model, to see what is constant and to compare the outputs.

    Returns
    -------
    torch.nn.Module
        Takes the same inputs as `model` (its first layer picks those in use: `indices` of a `Pick`), and gives the
        same outputs in evaluation mode. It is in the mode of `model`; in training mode BatchNorm and Dropout differ.

    Raises
    ------
    ValueError
        For a model that is no such chain; names the part that is not supported.

    Examples
    --------
    >>> import torch, normball.torch as nbt
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    >>> with torch.no_grad():
    ...     _ = model[0].weight[:, 2].zero_()  # the third input
    ...     _ = model[2].weight[:, 0].zero_()  # the first neuron
    >>> nbt.shrink(model, torch.randn(5, 4))
    Sequential(
      (0): Sequential(
        (0): Pick(3 inputs)
        (1): Linear(in_features=3, out_features=2, bias=True)
      )
      (1): ReLU()
      (2): Linear(in_features=2, out_features=1, bias=True)
    )
    """
    small = copy.deepcopy(model).eval()
    if not list(small.children()):  # a layer that is all of the model needs a place for its Pick
        small = nn.Sequential(small)
    with torch.no_grad():
        cuts = [_Cut(layer) for layer in chain_of(small, example)]
        for before, after in pairwise(cuts):
            _fold_constants(before, after)
        for before, after in reversed(list(pairwise(cuts))):
            _drop_unused(before, after)
        cuts[0].inputs = _at_least_one(_used_inputs(cuts[0]))
        for number, cut in enumerate(cuts):
            _replace(small, cut, first=number == 0)
        _compare(model, small, example)
    return small.train(model.training)


@dataclass
class _Cut:
    """What stays of a layer.

    Attributes
    ----------
    weight, bias : Tensor
        With constants of the layer before moved from one to the other.
    outputs : Tensor (n_outputs,) of bool
        Units that stay.
    inputs : Tensor (n_inputs,) of bool
        Inputs that stay.
    """

    layer: Layer
    weight: Tensor = field(init=False)
    bias: Tensor = field(init=False)
    outputs: Tensor = field(init=False)
    inputs: Tensor = field(init=False)

    def __post_init__(self) -> None:
        module = self.layer.module
        self.weight = module.weight.detach().clone()
        given = module.bias
        self.bias = self.weight.new_zeros(len(self.weight)) if given is None else given.detach().clone()
        self.outputs = torch.ones(len(self.weight), dtype=torch.bool, device=self.weight.device)
        self.inputs = torch.ones(self.weight.shape[1], dtype=torch.bool, device=self.weight.device)


def _fold_constants(before: _Cut, after: _Cut) -> None:
    """Units without weights, or normalised by a weight of zero, are constants: `after` gets them into its bias."""
    dead = (before.weight.flatten(1) == 0).all(1).repeat_interleave(after.layer.spread)
    for norm in before.layer.norms:
        if norm.weight is not None:  # it may stand before or behind a Flatten
            dead |= (norm.weight == 0).repeat_interleave(len(dead) // norm.num_features)
    seen = after.layer.inputs.movedim(1, 0).flatten(1)  # (n_inputs, rows and positions)
    value = seen[:, 0]
    constant = dead & torch.isclose(seen, value[:, None], rtol=1e-6, atol=1e-12).all(1)
    if after.layer.pads_with_zeros:
        constant &= value == 0  # a constant with zeros round it is none
    value = torch.where(constant, value, torch.zeros_like(value))
    after.bias += after.weight.reshape(*after.weight.shape[:2], -1).sum(2) @ value
    after.weight[:, constant] = 0


def _drop_unused(before: _Cut, after: _Cut) -> None:
    used = _used_inputs(after).reshape(-1, after.layer.spread).any(1)
    before.outputs = _at_least_one(used)
    after.inputs = before.outputs.repeat_interleave(after.layer.spread)


def _used_inputs(cut: _Cut) -> Tensor:
    return (cut.weight[cut.outputs].movedim(1, 0).flatten(1) != 0).any(1)


def _at_least_one(kept: Tensor) -> Tensor:
    """A layer without units cannot be built; one unit with zero weights does no harm."""
    if not kept.any():
        kept = kept.clone()
        kept[0] = True
    return kept


def _replace(small: nn.Module, cut: _Cut, *, first: bool) -> None:
    """Put the smaller layer, and the smaller normalisations behind it, into the model."""
    layer, old = cut.layer, cut.layer.module
    weight = cut.weight[cut.outputs][:, cut.inputs]
    has_bias = old.bias is not None or bool((cut.bias != 0).any())
    options: dict[str, Any] = {"bias": has_bias, "device": weight.device, "dtype": weight.dtype}
    if isinstance(old, nn.Linear):
        new: nn.Module = nn.Linear(weight.shape[1], weight.shape[0], **options)
    else:
        names = ("kernel_size", "stride", "padding", "dilation", "padding_mode")
        options |= {name: getattr(old, name) for name in names}
        new = type(old)(weight.shape[1], weight.shape[0], **options)
    new.weight.copy_(weight)  # type: ignore[operator,union-attr]
    if has_bias:
        new.bias.copy_(cut.bias[cut.outputs])  # type: ignore[operator,union-attr]
    if first and not cut.inputs.all():
        new = nn.Sequential(Pick(cut.inputs.nonzero()[:, 0]), new)
    small.set_submodule(layer.name, new)
    for norm in layer.norms:
        kept = cut.outputs.repeat_interleave(norm.num_features // len(cut.outputs))  # it may stand behind a Flatten
        for name in ("weight", "bias"):
            if getattr(norm, name) is not None:
                setattr(norm, name, nn.Parameter(getattr(norm, name)[kept]))
        for name in ("running_mean", "running_var"):
            setattr(norm, name, getattr(norm, name)[kept])
        norm.num_features = int(kept.sum())


def _compare(model: nn.Module, small: nn.Module, example: Tensor) -> None:
    expected = copy.deepcopy(model).eval().double()(example.double())
    found = copy.deepcopy(small).double()(example.double())
    error = float((found - expected).abs().max())
    if not error <= _TOLERANCE * max(1.0, float(expected.abs().max())):
        raise ValueError(
            f"The smaller model's outputs for the example differ by {error:.1e}: the model does something between its "
            "layers that a chain does not."
        )
