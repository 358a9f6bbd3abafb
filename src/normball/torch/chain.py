"""A model as a chain of layers, or the name of what makes it none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_FREE = (  # each channel by itself, with no number of channels inside
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Softsign),
    *(nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Tanhshrink, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Identity),
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d),
)
_FREE_CALLS = {
    *("relu", "relu_", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh", "dropout"),
    *("max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d", "adaptive_avg_pool2d", "contiguous"),
}
_SUPPORTED = "Linear, Conv, BatchNorm, pointwise activations, Dropout, pooling and Flatten, each used once, in a chain"


@dataclass
class Layer:
    """A Linear or Conv of the chain.

    Attributes
    ----------
    name : str
        Of the module within the model.
    module : Linear or Conv
        The layer itself.
    inputs : Tensor (n_rows, n_inputs, ...)
        What the example gives it.
    norms : list of BatchNorm
        Those between it and the next layer.
    spread : int
        Inputs that one unit of the layer before has become by a Flatten.
    """

    name: str
    module: Any
    inputs: Tensor
    norms: list[Any]
    spread: int = 1

    @property
    def pads_with_zeros(self) -> bool:
        """Whether it sees zeros beyond the edge of its inputs."""
        if isinstance(self.module, nn.Linear) or self.module.padding_mode != "zeros":
            return False
        return self.module.padding not in ("valid", (0,) * (self.module.weight.ndim - 2))


def chain_of(model: nn.Module, example: Tensor) -> list[Layer]:
    """The layers of the model in order, with what the example gives each.

    Raises
    ------
    ValueError
        For whatever is no such chain, by name.
    """
    names = _names_in_order(model)
    modules = dict(model.named_modules())
    weighted = [name for name in names if type(modules[name]) in _WEIGHTED]
    if not weighted:
        raise ValueError("The model has no Linear and no Conv layer.")
    inputs = _inputs_of(model, [modules[name] for name in weighted], example)
    layers: list[Layer] = []
    for name in names:
        module = modules[name]
        if type(module) in _WEIGHTED:
            _check_inputs(module, name, inputs[module])
            spread = inputs[module].shape[1] // len(layers[-1].module.weight) if layers else 1
            layers.append(Layer(name, module, inputs[module], [], spread))
        elif type(module) in _NORMS and layers:
            if module.running_mean is None:
                raise ValueError(f"{name} (BatchNorm) has no running statistics, so constants cannot pass it.")
            layers[-1].norms.append(module)
    return layers


def _names_in_order(model: nn.Module) -> list[str]:
    """Names of the modules that the input passes; refuses whatever branches or is not known."""
    try:
        graph = fx.symbolic_trace(model).graph
    except Exception as error:  # whatever the model's own code raises when it is traced
        raise ValueError(f"The model's forward could not be traced: {error}") from error
    modules = dict(model.named_modules())
    nodes = [node for node in graph.nodes if node.op != "output"]
    names: list[str] = []
    for before, node in zip([None, *nodes], nodes, strict=False):
        if len(node.users) != 1 or node.all_input_nodes != ([] if before is None else [before]):
            raise ValueError(f"{_called(node, modules)} is not one link of a chain. Supported: {_SUPPORTED}.")
        if node.op == "call_module":
            if node.target in names:
                raise ValueError(f"{node.target} is used twice. Supported: {_SUPPORTED}.")
            _check_module(node.target, modules[node.target])
            names.append(node.target)
        elif node.op != "placeholder":
            _check_call(node, modules)
    return names


def _called(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    if node.op == "call_module":
        return f"{node.target} ({type(modules[str(node.target)]).__name__})"
    return str(getattr(node.target, "__name__", node.target))


def _check_module(name: str, module: Any) -> None:
    kind = type(module)
    known = kind in (*_WEIGHTED, *_NORMS, *_FREE)
    known |= kind is nn.Flatten and (module.start_dim, module.end_dim) == (1, -1)
    known |= kind is nn.PReLU and module.num_parameters == 1
    if not known:
        raise ValueError(f"{name} ({kind.__name__}) cannot be shrunk. Supported: {_SUPPORTED}.")
    if getattr(module, "groups", 1) != 1:
        raise ValueError(f"{name} ({kind.__name__}) has groups={module.groups}; only groups=1 can be shrunk.")


def _check_call(node: fx.Node, modules: dict[str, nn.Module]) -> None:
    name = _called(node, modules)
    axes = dict(zip(("start_dim", "end_dim"), node.args[1:], strict=False)) | node.kwargs
    flattens = name == "flatten" and (axes.get("start_dim", 0), axes.get("end_dim", -1)) == (1, -1)
    if name not in _FREE_CALLS and not flattens:
        raise ValueError(f"{name} in the model's forward cannot be shrunk. Supported: {_SUPPORTED}.")


def _inputs_of(model: nn.Module, layers: list[nn.Module], example: Tensor) -> dict[nn.Module, Tensor]:
    seen: dict[nn.Module, Tensor] = {}
    handles = [
        layer.register_forward_pre_hook(lambda module, args: seen.__setitem__(module, args[0])) for layer in layers
    ]
    try:
        model(example)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _check_inputs(module: Any, name: str, inputs: Tensor) -> None:
    if inputs.ndim != module.weight.ndim:
        raise ValueError(
            f"{name} ({type(module).__name__}) gets inputs of shape {tuple(inputs.shape)}; supported are "
            f"{module.weight.ndim} axes, the rows first."
        )
