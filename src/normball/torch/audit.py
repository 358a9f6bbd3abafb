"""The audit: every parameter once, what acts on it, and what makes a penalty void."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import fx, nn

from normball.torch.penalties import L1, L2, ElasticNet, GroupLasso, Penalty, SparseGroupLasso

if TYPE_CHECKING:
    from normball.torch.penalized import Penalized

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
# f(c x) = c f(x) for c > 0: what a penalty takes from one layer, the next can give back
_HOMOGENEOUS = (
    nn.ReLU,
    nn.LeakyReLU,
    nn.PReLU,
    nn.Identity,
    nn.Flatten,
    nn.Dropout,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
)
_HOMOGENEOUS_CALLS = {"relu", "leaky_relu", "flatten", "view", "reshape", "dropout", "max_pool2d", "avg_pool2d"}


@dataclass(frozen=True)
class Row:
    """One parameter tensor."""

    name: str
    shape: tuple[int, ...]
    penalty: str  # "" for none
    lam: float | None
    reason: str  # why it is not penalised, "" where it is
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What is penalised and what is not.

    Attributes
    ----------
    rows : tuple of Row
        Every parameter once: name, shape, penalty, lam, reason, notes.
    warnings : tuple of str
        Penalties that change nothing, or less than they seem to.
    """

    rows: tuple[Row, ...]
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        table = [("parameter", "shape", "penalty", "lam", "")]
        table += [
            (
                row.name,
                "x".join(map(str, row.shape)) or "scalar",
                row.penalty or "-",
                "-" if row.lam is None else f"{row.lam:g}",
                "; ".join(filter(None, (row.reason, *row.notes))),
            )
            for row in self.rows
        ]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        return "\n".join([*lines, *(f"Warning: {text}" for text in self.warnings)])


def audit(penalized: Penalized) -> Audit:
    """Look at every parameter of the model and at what follows the penalised layers."""
    terms = {one.name: one for one in penalized.terms}
    twins = _tied(penalized.model)
    decays = {
        id(tensor): group.get("weight_decay", 0)
        for group in penalized.optimizer.param_groups
        for tensor in group["params"]
    }
    rows = []
    for name, weights in penalized.model.named_parameters():
        one = terms.get(name)
        notes = []
        if name in twins:
            notes.append(f"the same tensor as {', '.join(twins[name])}")
        if decays.get(id(weights)):
            notes.append(f"weight_decay {decays[id(weights)]:g} by the optimizer")
        reason = ""
        if one is None:
            frozen = "frozen (requires_grad=False)" if not weights.requires_grad else ""
            unused = "" if id(weights) in decays else "not among the optimizer's parameters"
            reason = penalized.skipped.get(name) or frozen or unused or "no pattern fits"
        elif weights.grad is None:
            notes.append("no gradient so far: unused by the loss, or no backward pass yet")
        words = "" if one is None else _in_words(one.term.penalty)
        lam = None if one is None else penalized.scale_of(one) * one.term.penalty.lam
        rows.append(Row(name, tuple(weights.shape), words, lam, reason, tuple(notes)))
    return Audit(tuple(rows), tuple(_void(penalized)))


def _in_words(penalty: Penalty) -> str:
    by = getattr(penalty, "by", "")
    by = f" by {by if isinstance(by, str) else getattr(by, '__name__', 'function')}" if by else ""
    ratio = f" {penalty.l1:g}" if isinstance(penalty, (ElasticNet, SparseGroupLasso)) else ""
    names = {L1: "L1", L2: "L2", ElasticNet: "elastic net", GroupLasso: "group lasso"}
    return f"{names.get(type(penalty), 'sparse group lasso')}{ratio}{by}"


def _tied(model: nn.Module) -> dict[str, list[str]]:
    """First name of each tensor that has several: the others."""
    names: dict[int, list[str]] = {}
    for name, weights in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(weights), []).append(name)
    return {first: others for first, *others in names.values() if others}


def _void(penalized: Penalized) -> list[str]:
    """Penalties that the layers behind them undo."""
    try:
        graph = fx.symbolic_trace(penalized.model).graph
    except Exception as error:  # whatever the model's own code raises when it is traced
        return [
            f"what follows each layer could not be traced ({type(error).__name__}): void penalties were not looked for"
        ]
    modules = dict(penalized.model.named_modules())
    penalised = {one.name for one in penalized.terms}
    found = []
    for node in graph.nodes:
        if node.op != "call_module" or not isinstance(modules[node.target], _WEIGHTED):
            continue
        name = f"{node.target}.weight"
        if name not in penalised:
            continue
        for target in _followers(node, modules):
            follower = modules[target]
            if isinstance(follower, _NORMS):
                found.append(
                    f"{name} is followed by the normalisation {target}, which undoes any common factor: the penalty "
                    "cannot make its output smaller. Penalise the normalisation's own weight by name, or use groups."
                )
            elif f"{target}.weight" not in penalised:
                found.append(
                    f"{name} can shrink while {target}.weight grows, which nothing penalises: the penalty is partly "
                    f'void. Add an L2 there: {{"{target}.weight": L2(...)}}.'
                )
    return found


def _followers(node: Any, modules: dict[str, nn.Module]) -> list[str]:
    """The weighted layers and normalisations that a layer's output reaches through homogeneous steps."""
    reached, stack, seen = [], list(node.users), set()
    while stack:
        user = stack.pop()
        if user in seen:
            continue
        seen.add(user)
        if user.op == "call_module":
            module = modules[user.target]
            if isinstance(module, (*_WEIGHTED, *_NORMS)):
                reached.append(user.target)
            elif isinstance(module, _HOMOGENEOUS):
                stack.extend(user.users)
        elif getattr(user.target, "__name__", user.target) in _HOMOGENEOUS_CALLS:
            stack.extend(user.users)
    return reached
