"""`path`: a network from dense to sparse, over a grid of strengths, with warm starts and early stopping."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from normball.torch.network_path import NetworkPath
from normball.torch.penalized import Penalised, Penalized
from normball.torch.penalties import columns_are_inputs
from normball.torch.point import Point
from normball.torch.trainer import Batches, Trainer

_LONGEST = 3  # times n_lambdas: so far goes a grid whose end is an estimate


def path(
    penalized: Penalized,
    loss: Callable[[Tensor, Tensor], Tensor],
    train: Batches | Callable[[], object],
    validation: Batches,
    *,
    lambdas: Sequence[float] | None = None,
    n_lambdas: int = 30,
    lambda_min_ratio: float = 1e-2,
    max_epochs: int = 100,
    patience: int = 10,
    tol: float = 1e-4,
    features: str | None = None,
) -> NetworkPath:
    """Train from dense to sparse: each strength starts from the weights of the one before.

    First without the selecting penalties, then with them at growing strength, until they have set everything to zero.
    A strength is left when `patience` epochs have not lowered the objective on the rows held out; its best weights
    are kept (the order and the stopping rule of LassoNet: Lemhadri, Ruan, Abraham & Tibshirani 2021, algorithm 2).

    Parameters
    ----------
    penalized : Penalized
        What `penalize` gave, with at least one penalty that sets weights to zero. L2 keeps its strength all along.
    loss : callable
        `loss(model(x), y)`, a mean over the rows of x.
    train : iterable of (x, y), or callable
        Batches, such as a DataLoader or a list; or a function that makes one pass over them in your own way (mixed
        precision, clipping, schedulers) with the model and the optimizer of `penalized`.
    validation : iterable of (x, y)
        Rows held out: they stop the training and choose the strength. A third part should judge the result.
    lambdas : sequence of float, optional
        Growing factors on the strengths given to `penalize`; where those are 1, the factors are lam. By default a
        grid up to the strength at which zero weights would be stationary for the trained rest of the network
        (for a linear model: its largest lam), and on in the same steps while anything is left.
    n_lambdas : int
        Length of the default grid.
    lambda_min_ratio : float
        Its first factor, relative to the estimate of the largest.
    max_epochs : int
        At most so many passes over the training rows for one strength.
    patience : int
        So many passes without progress end a strength.
    tol : float
        A pass is progress where it lowers the objective on the rows held out by more than this share of it.
    features : str, optional
        Name of the penalised tensor whose inputs (columns of a Linear, input channels of a Conv) count as features.
        By default the first one under a selecting penalty.

    Returns
    -------
    NetworkPath
        The points, `best`, `one_se`, `refit`, `plot()`. The model is left at `one_se`.

    Raises
    ------
    ValueError
        For a decoupled penalty (its strength has no objective), no selecting penalty, iterators that give their rows
        only once, or a loss that is no longer finite.

    Examples
    --------
    >>> import torch, normball.torch as nbt
    >>> X = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    >>> y = X[:, :1] - X[:, 1:2]
    >>> model = torch.nn.Linear(5, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> penalized = nbt.penalize(model, optimizer, {"weight": nbt.GroupLasso(1.0, by="input")})
    >>> found = nbt.path(penalized, torch.nn.functional.mse_loss, [(X[:40], y[:40])], [(X[40:], y[40:])])
    >>> found.at(n_selected=2).selected.tolist()
    [True, True, False, False, False]
    """
    one = _features_of(penalized, features)
    for each in penalized.terms:
        if each.selects and float(penalized.group_of(each)["lr"]) == 0:
            raise ValueError(f"The learning rate of {each.name} is 0, as after a schedule: set it again.")
    if n_lambdas < 2 or not 0 < lambda_min_ratio < 1:
        raise ValueError(
            f"n_lambdas must be at least 2 and lambda_min_ratio in (0, 1): {n_lambdas}, {lambda_min_ratio}"
        )
    given = None if lambdas is None else _checked(lambdas)
    trainer = Trainer(penalized, loss, train, validation, max_epochs, patience, tol)
    penalized.selection = 0.0
    n_epochs = trainer.run()
    points = [_point(trainer, one, n_epochs)]
    for penalized.selection in given or _grid(_largest(trainer), lambda_min_ratio, n_lambdas):
        n_epochs = trainer.run()
        points.append(_point(trainer, one, n_epochs))
        if points[-1].n_nonzero == 0:
            break
    found = NetworkPath(points, one.name, trainer)
    found.load(found.one_se)
    return found


def _features_of(penalized: Penalized, name: str | None) -> Penalised:
    if penalized.mode != "objective":
        raise ValueError('mode="decoupled" has no objective whose strength could be varied')
    selecting = {one.name: one for one in penalized.terms if one.selects}
    if not selecting:
        raise ValueError(
            "L2 alone sets nothing to zero: a path needs an L1, ElasticNet, GroupLasso or SparseGroupLasso"
        )
    name = next(iter(selecting)) if name is None else name
    if name not in selecting:
        raise ValueError(f"features={name!r} is under no selecting penalty. There are: {', '.join(selecting)}")
    module = penalized.model.get_submodule(name.rpartition(".")[0])
    if not columns_are_inputs(module):
        kind = type(module).__name__
        raise ValueError(f"{name}: the inputs of this {kind} are not its columns; name another tensor: features=...")
    return selecting[name]


def _checked(lambdas: Iterable[float]) -> list[float]:
    values = [float(value) for value in lambdas]
    if not values or values[0] <= 0 or not np.isfinite(values).all() or not (np.diff(values) > 0).all():
        raise ValueError(
            f"lambdas must be finite, positive and growing: the path goes from dense to sparse; not {values}"
        )
    return values


def _grid(largest: float, lambda_min_ratio: float, n_lambdas: int) -> Iterator[float]:
    """Log-spaced; on beyond the largest, which is an estimate, in the same steps."""
    step = lambda_min_ratio ** (-1 / (n_lambdas - 1))
    yield from (largest * lambda_min_ratio * step**k for k in range(_LONGEST * n_lambdas))


def _largest(trainer: Trainer) -> float:
    """The smallest factor at which each tensor could be zero, with all others as they are."""
    penalized = trainer.penalized
    top = max(_zero_from(trainer, one) / penalized.scale for one in penalized.terms if one.selects)
    if not top > 0:
        raise ValueError(
            "With the penalised weights at zero the loss has no slope in them, so the strengths of the path cannot be "
            "estimated: give lambdas=..."
        )
    return top


def _zero_from(trainer: Trainer, one: Penalised) -> float:
    kept = one.weights.detach().clone()
    with torch.no_grad():
        one.weights.zero_()
    try:
        (gradient,) = trainer.gradients([one.weights])
    finally:
        with torch.no_grad():
            one.weights.copy_(kept)
    return float(one.term.zero_from(gradient))


def _point(trainer: Trainer, one: Penalised, n_epochs: int) -> Point:
    weights = one.weights.detach()
    alive = (weights != 0).movedim(1, 0).flatten(1).any(1) if weights.ndim > 1 else weights != 0
    point = Point(
        lam=trainer.penalized.selection,
        loss=math.nan,
        standard_error=math.nan,
        penalty=math.nan,
        selected=alive.cpu().numpy(),
        n_nonzero=0,
        n_epochs=n_epochs,
        state=trainer.state(),
    )
    return trainer.measured(point)
