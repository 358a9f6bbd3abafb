"""Whether a trained model is where its objective says: stationarity, and for linear models a duality gap."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from normball.torch.penalties import GroupLasso, SparseGroupLasso

if TYPE_CHECKING:
    from normball.torch.penalized import Penalised, Penalized

_HALF = (torch.bfloat16, torch.float16)
# losses of a linear model that the convex solver knows: family, their factor on its loss, and their value
_SQUARES = ("gaussian", 2.0, functional.mse_loss)
_CROSS_ENTROPY = ("binomial", 1.0, functional.binary_cross_entropy_with_logits)
_CONVEX: dict[str, tuple[str, float, Callable[[Tensor, Tensor], Tensor]]] = {
    "mse_loss": _SQUARES,
    "MSELoss": _SQUARES,
    "binary_cross_entropy_with_logits": _CROSS_ENTROPY,
    "BCEWithLogitsLoss": _CROSS_ENTROPY,
}


@dataclass(frozen=True)
class Certificate:
    """What is known about a model as a solution of `mean loss + penalty`.

    Attributes
    ----------
    objective, loss, penalty : float
        At the present weights, over all the data given.
    violations : dict
        For each penalised tensor the largest violation of its stationarity condition, relative to its lam.
    false_zeros : dict
        For each the number of weights at zero that should not be.
    unpenalised_gradient : float
        The largest gradient among the other trainable parameters.
    dual_gap : float or None
        For a single linear layer: the objective is at most this much above the minimum, relative to the loss of the
        model with an intercept alone. None where the problem is not convex or the loss not known to the solver.
    """

    objective: float
    loss: float
    penalty: float
    violations: dict[str, float]
    false_zeros: dict[str, int]
    unpenalised_gradient: float
    dual_gap: float | None

    @property
    def kkt(self) -> float:
        """The largest of `violations`."""
        return max(self.violations.values())

    def __str__(self) -> str:
        lines = [f"objective {self.objective:.6g} = loss {self.loss:.6g} + penalty {self.penalty:.6g}"]
        lines += [
            f"{name}: KKT violation {value:.1e} of lam, {self.false_zeros[name]} false zeros"
            for name, value in self.violations.items()
        ]
        lines.append(f"other parameters: largest gradient {self.unpenalised_gradient:.1e}")
        if self.dual_gap is None:
            lines.append("stationary is a local statement: this problem is not known to be convex")
        else:
            lines.append(f"duality gap {self.dual_gap:.1e} of the null model's loss")
        return "\n".join(lines)


def certify(
    penalized: Penalized, model: nn.Module, loss: Callable[[Any, Any], Tensor], data: Iterable[tuple[Any, Any]]
) -> Certificate:
    """Measure stationarity of the stated objective on all of `data`.

    The model is put into evaluation mode for it (dropout off, batch statistics fixed) and back. Of one in bfloat16 or
    float16 a copy in float32 is measured, since sums in half precision have too few digits for a certificate.

    Parameters
    ----------
    penalized : Penalized
        What `penalize` gave.
    model : torch.nn.Module
        The model; that of `penalized`, or a copy of it with the same parameter names.
    loss : callable
        `loss(model(x), y)`, a mean over the rows of x.
    data : iterable of (x, y)
        All rows on which the objective is meant, in batches or as one.

    Returns
    -------
    Certificate
    """
    if penalized.mode != "objective":
        raise ValueError('mode="decoupled" has no objective that could be certified')
    model, batches = _precise(model, list(data))
    named = dict(model.named_parameters())
    kept = {name: weights.grad for name, weights in named.items()}
    was_training = model.training
    model.eval()
    try:
        mean = _gradients(model, loss, batches, named)
        terms = [(one, named[one.name]) for one in penalized.terms]
        return _judge(penalized, model, loss, batches, terms, mean)
    finally:
        model.train(was_training)
        for name, weights in named.items():
            weights.grad = kept[name]


def _precise(model: nn.Module, batches: list[tuple[Any, Any]]) -> tuple[nn.Module, list[tuple[Any, Any]]]:
    """Model and data, or copies in single precision of those in half precision."""

    def single(value: Any) -> Any:
        return value.float() if isinstance(value, Tensor) and value.dtype in _HALF else value

    if not any(weights.dtype in _HALF for weights in model.parameters()):
        return model, batches
    twin = copy.deepcopy(model)
    twin._apply(single)  # type: ignore[no-untyped-call]
    return twin, [(single(x), single(y)) for x, y in batches]


def _gradients(
    model: nn.Module, loss: Callable[[Any, Any], Tensor], batches: list[tuple[Any, Any]], named: dict[str, nn.Parameter]
) -> float:
    """Leave the gradient of the mean loss in `.grad`; returns that loss."""
    n_rows = sum(len(y) for _, y in batches)
    if n_rows == 0:
        raise ValueError("data holds no rows; an iterator that was used up already gives none")
    for weights in named.values():
        weights.grad = None
    total = 0.0
    for x, y in batches:
        part = loss(model(x), y) * (len(y) / n_rows)
        if part.ndim:
            raise ValueError(f"loss must give the mean over the rows, a single number, not shape {tuple(part.shape)}")
        part.backward()  # type: ignore[no-untyped-call]
        total += float(part.detach())
    return total


def _judge(
    penalized: Penalized,
    model: nn.Module,
    loss: Callable[[Any, Any], Tensor],
    batches: list[tuple[Any, Any]],
    terms: list[tuple[Penalised, nn.Parameter]],
    mean: float,
) -> Certificate:
    violations, false_zeros, penalty = {}, {}, 0.0
    with torch.no_grad():
        for one, weights in terms:
            gradient = torch.zeros_like(weights) if weights.grad is None else weights.grad
            distance, zeros = one.term.distance(weights, gradient, penalized.scale_of(one))
            lam = penalized.scale_of(one) * one.term.penalty.lam
            violations[one.name] = float(distance) / lam if lam else float(distance)
            false_zeros[one.name] = int(zeros)
            penalty += float(one.term.value(weights, penalized.scale_of(one)))
    own = {id(weights) for _, weights in terms}
    others = [
        weights.grad.abs().max()
        for weights in model.parameters()
        if id(weights) not in own and weights.requires_grad and weights.grad is not None
    ]
    return Certificate(
        objective=mean + penalty,
        loss=mean,
        penalty=penalty,
        violations=violations,
        false_zeros=false_zeros,
        unpenalised_gradient=max(map(float, others), default=0.0),
        dual_gap=_dual_gap(penalized, model, loss, batches, terms, mean + penalty),
    )


def _dual_gap(
    penalized: Penalized,
    model: nn.Module,
    loss: Callable[[Any, Any], Tensor],
    batches: list[tuple[Any, Any]],
    terms: list[tuple[Penalised, nn.Parameter]],
    objective: float,
) -> float | None:
    """The objective against the lower bound that the convex solver's certificate gives."""
    layer = _single_layer(model)
    name = getattr(loss, "__name__", type(loss).__name__)
    if layer is None or name not in _CONVEX or len(terms) != 1 or terms[0][1] is not layer.weight:
        return None
    if getattr(loss, "weight", None) is not None or getattr(loss, "pos_weight", None) is not None:
        return None
    penalty = terms[0][0].term.penalty
    if isinstance(penalty, (GroupLasso, SparseGroupLasso)) or penalty.l1 + penalty.l2 == 0:
        return None
    from normball.path import fit_path

    family, factor, value = _CONVEX[name]
    X = torch.cat([x.detach().flatten(1) for x, _ in batches]).cpu().double().numpy()
    y = torch.cat([y.detach().flatten() for _, y in batches]).cpu().double().numpy()
    lam = penalized.scale_of(terms[0][0]) * penalty.lam / factor
    path = fit_path(
        X,
        y,
        family=family,
        l1_ratio=penalty.l1,
        lambdas=[lam],
        standardize=False,
        fit_intercept=layer.bias is not None,
        tol=1e-10,
    )
    fit = path.at(lam=lam)
    eta = torch.from_numpy(X @ fit.coef + fit.intercept)
    best = float(value(eta, torch.from_numpy(y))) / factor + lam * float(
        penalty.l1 * np.abs(fit.coef).sum() + 0.5 * penalty.l2 * np.square(fit.coef).sum()
    )
    bound = best - fit.dual_gap * path.null_loss  # no solution is below it
    gap = (objective / factor - bound) / path.null_loss
    return gap if math.isfinite(gap) else None


def _single_layer(model: nn.Module) -> nn.Linear | None:
    """The Linear that is all of the model, with one output."""
    leaves = [module for module in model.modules() if not list(module.children())]
    layers = [module for module in leaves if isinstance(module, nn.Linear)]
    plain = all(isinstance(module, (nn.Linear, nn.Flatten, nn.Identity)) for module in leaves)
    return layers[0] if plain and len(layers) == 1 and layers[0].out_features == 1 else None
