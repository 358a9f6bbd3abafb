"""`Penalized`: penalties at work on a model, applied after every step of the user's own optimizer."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from normball.messages import NormballWarning
from normball.torch.metrics import METRICS, Metric
from normball.torch.penalties import Penalty, Term

if TYPE_CHECKING:
    from normball.torch.audit import Audit
    from normball.torch.certify import Certificate

_PENALIZED = "normball_penalized"  # the attribute of an optimizer that has penalties
Mode = Literal["objective", "decoupled"]
_NORMS_AND_EMBEDDINGS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.LocalResponseNorm,
    nn.Embedding,
    nn.EmbeddingBag,
)


@dataclass(frozen=True)
class Penalised:
    """One tensor under a penalty."""

    name: str
    pattern: str
    weights: nn.Parameter
    term: Term
    n_group: int  # its place in the optimizer's param_groups, which load_state_dict replaces

    @property
    def selects(self) -> bool:
        """Whether its penalty sets weights to exactly zero: all but L2."""
        return self.term.penalty.lam * (self.term.penalty.l1 + self.term.penalty.group) > 0


class Penalized:
    """Penalties at work on a model; made by `penalize`.

    Attributes
    ----------
    scale : float
        Multiplies the strength of all penalties from the next step on; 1 at first. A schedule may set it.
    selection : float
        Multiplies, besides, those that set weights to zero (all but L2); 1 at first. `path` moves it.
    every : int
        Weights are shrunk after so many steps; may be set at any time, to 1 for the last epochs.
    mode : str
        "objective" or "decoupled".
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        penalties: Mapping[str, Penalty],
        mode: Mode,
        metric: Metric | None,
        every: int,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.penalties = dict(penalties)
        self.mode: Mode = mode
        self.scale = 1.0
        self.selection = 1.0
        self.every = every
        self._n_steps = 0
        self._owed: dict[str, Any] = {}  # by name, the learning rates since the weights were last shrunk
        self._held: dict[str, Tensor] = {}  # by name, where weights may move
        self._given_metric = metric
        self._metric = _metric_of(optimizer, mode, metric)
        self.skipped: dict[str, str] = {}  # parameters that a pattern met and that were left alone, and why
        self.terms = self._match()
        self._replace_others()
        self._handle = optimizer.register_step_post_hook(self._after_step)

    def audit(self) -> Audit:
        """Every parameter once: what is penalised, by what, what is not and why, with warnings."""
        from normball.torch.audit import audit

        return audit(self)

    def certify(
        self, model: nn.Module, loss: Callable[[Any, Any], Tensor], data: Iterable[tuple[Any, Any]]
    ) -> Certificate:
        """How far the model is from stationary for `mean loss + penalty`; see `normball.torch.certify.certify`."""
        from normball.torch.certify import certify

        self.settle()
        return certify(self, model, loss, data)

    def group_of(self, one: Penalised) -> dict[str, Any]:
        """The optimizer's parameter group of one of `terms`."""
        return self.optimizer.param_groups[one.n_group]

    def scale_of(self, one: Penalised) -> float:
        """What multiplies the strength of one of `terms` now."""
        return self.scale * self.selection if one.selects else self.scale

    def hold_zeros(self, hold: bool = True) -> None:
        """Keep the weights that selecting penalties have set to zero at zero, whatever the penalties do from now on.

        With `selection = 0` this trains the selected weights on without the pull of the penalty (the relaxed lasso:
        Meinshausen 2007). `hold_zeros(False)` lets go.
        """
        self._held = {one.name: one.weights.detach() != 0 for one in self.terms if one.selects and hold}

    def value(self) -> Tensor:
        """The penalty at the present weights, without gradient: what to add to the mean loss for the objective."""
        self.settle()
        with torch.no_grad():
            values = [one.term.value(one.weights, self.scale_of(one)) for one in self.terms]
        return torch.stack(values).sum()

    def stats(self) -> dict[str, Tensor]:
        """The penalty and the numbers of nonzero weights, as tensors on their device: reading them waits for it."""
        self.settle()
        with torch.no_grad():
            counts = {f"nonzero/{one.name}": torch.count_nonzero(one.weights) for one in self.terms}
        return {"penalty": self.value(), **counts}

    def remove(self) -> None:
        """Take the penalties off; the weights stay as they are."""
        self._handle.remove()
        if getattr(self.optimizer, _PENALIZED, None) is self:
            delattr(self.optimizer, _PENALIZED)

    def __deepcopy__(self, memo: dict[int, Any]) -> Penalized:
        """Penalties on the copied model and optimizer: `copy.deepcopy((model, optimizer, penalized))`."""
        model, optimizer = copy.deepcopy(self.model, memo), copy.deepcopy(self.optimizer, memo)
        twin = Penalized(model, optimizer, self.penalties, self.mode, self._given_metric, self.every)
        twin._n_steps, twin._owed = self._n_steps, dict(self._owed)
        twin.scale, twin.selection = self.scale, self.selection
        twin._held = copy.deepcopy(self._held, memo)
        memo[id(self)] = twin
        return twin

    def settle(self) -> None:
        """Shrink the weights by what is still owed with `every` above 1; before they are read or saved.

        `certify`, `value`, `stats` and `path` do so themselves.
        """
        for one in self.terms:
            if one.name in self._owed:
                self._shrink(one, self._owed.pop(one.name))
        self._n_steps = 0

    @torch.no_grad()
    def _after_step(self, optimizer: Optimizer, *_: Any) -> None:
        found_inf = getattr(optimizer, "found_inf", None)  # a fused step that GradScaler made void comes here, too
        for one in reversed(self.terms):  # the optimizer left the last ones in the cache
            if one.weights.grad is None:  # then the optimizer did not move it
                continue
            rate = self.group_of(one)["lr"]
            if found_inf is not None:
                rate = rate * (found_inf == 0)
            if one.name in self._owed:
                rate = rate + self._owed.pop(one.name)
            if self._n_steps + 1 < self.every:
                self._owed[one.name] = rate
            else:
                self._shrink(one, rate)
        if self.every > 1:
            self._n_steps = (self._n_steps + 1) % self.every

    @torch.no_grad()
    def _shrink(self, one: Penalised, rate: Any) -> None:
        metric = self._metric({**self.group_of(one), "lr": rate}, self.optimizer.state[one.weights])
        one.term.shrink_(one.weights, metric, self.scale_of(one))
        if one.name in self._held:
            one.weights.mul_(self._held[one.name])

    def _replace_others(self) -> None:
        """Two on one optimizer would both shrink after each step, in the notebook's cell that is run again."""
        other = getattr(self.optimizer, _PENALIZED, None)
        if other is not None:
            other.settle()
            other.remove()
            warnings.warn(
                f"The penalties that this optimizer had ({', '.join(other.penalties)}) are replaced. "
                "For penalties side by side give all patterns to one penalize().",
                NormballWarning,
                stacklevel=4,
            )
        setattr(self.optimizer, _PENALIZED, self)

    def _match(self) -> list[Penalised]:
        groups = {id(tensor): k for k, group in enumerate(self.optimizer.param_groups) for tensor in group["params"]}
        unused = set(self.penalties)
        spared, owners = _spared(self.model), _owners(self.model)
        terms, weight_decays = [], []
        for name, weights in self.model.named_parameters():
            pattern = next((pattern for pattern in self.penalties if fnmatchcase(name, pattern)), None)
            if pattern is None:
                continue
            unused.discard(pattern)
            if pattern != name and name in spared:
                self.skipped[name] = f"{spared[name]}; only penalised when named in full"
                continue
            if not weights.requires_grad:
                self.skipped[name] = "frozen (requires_grad=False)"
                continue
            if id(weights) not in groups:
                self.skipped[name] = "not among the optimizer's parameters"
                continue
            term = Term(self.penalties[pattern], weights, owners[name])
            terms.append(Penalised(name, pattern, weights, term, groups[id(weights)]))
            if self.group_of(terms[-1]).get("weight_decay", 0):
                weight_decays.append(name)
        if unused:
            names = ", ".join(name for name, _ in self.model.named_parameters())
            raise ValueError(
                f"No parameter is named like {', '.join(sorted(map(repr, unused)))}, or an earlier pattern takes it. "
                f"There are: {names} (a tied tensor under its first name)."
            )
        if weight_decays:
            raise ValueError(
                f"The optimizer's weight_decay already acts on {', '.join(weight_decays)}: it would count twice. "
                "Put them into a parameter group with weight_decay=0, and add an L2 here if it is wanted."
            )
        if not terms:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in self.skipped.items())
            raise ValueError(f"Nothing is penalised. {reasons or 'Give a pattern and a penalty.'}")
        return terms


def _metric_of(optimizer: Optimizer, mode: Mode, metric: Metric | None) -> Metric:
    if any(group.get("maximize") for group in optimizer.param_groups):
        raise ValueError("The optimizer maximises; penalties are for a loss that is minimised.")
    if mode == "decoupled":
        return lambda group, state: group["lr"]
    if metric is not None:
        return metric
    if type(optimizer) not in METRICS:
        known = ", ".join(kind.__name__ for kind in METRICS)
        raise ValueError(
            f"How {type(optimizer).__name__} scales its steps is not known, so the penalty could not mean what it "
            f'says. Known: {known}. Give metric=..., or take mode="decoupled".'
        )
    return METRICS[type(optimizer)]


def _owners(model: nn.Module) -> dict[str, nn.Module]:
    """The module that each parameter belongs to, by the full name of the parameter."""
    return {
        f"{prefix}.{name}" if prefix else name: module
        for prefix, module in model.named_modules()
        for name, _ in module.named_parameters(recurse=False)
    }


def _spared(model: nn.Module) -> dict[str, str]:
    """Norms, embeddings, and whatever has fewer than two axes (biases, slopes, scales), by full name."""
    found = {}
    for full, module in _owners(model).items():
        name = full.rpartition(".")[2]
        if isinstance(module, _NORMS_AND_EMBEDDINGS):
            found[full] = f"belongs to a {type(module).__name__}"
        elif "bias" in name:
            found[full] = "a bias"
        elif getattr(module, name).ndim < 2:
            found[full] = "has fewer than two axes"
    return found
