"""Training with early stopping on rows held out: one strength of a path, or its refit."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from normball.torch.penalized import Penalized
from normball.torch.point import Point

_STEPS = (1.0, 0.1)  # factors on the learning rate, one after another
Batches = Iterable[tuple[Tensor, Tensor]]


class Trainer:
    """One model, its optimizer and its penalties, with the rows to learn from and those held out.

    Parameters
    ----------
    penalized, loss, train, validation, max_epochs, patience, tol
        As in `normball.torch.path`.
    """

    def __init__(
        self,
        penalized: Penalized,
        loss: Callable[[Tensor, Tensor], Tensor],
        train: Batches | Callable[[], object],
        validation: Batches,
        max_epochs: int,
        patience: int,
        tol: float,
    ) -> None:
        for name, data in (("train", train), ("validation", validation)):
            if isinstance(data, Iterator):
                raise ValueError(f"{name} is an iterator, which gives its rows once; give a list or a DataLoader")
        if max_epochs < 1 or patience < 1:
            raise ValueError(f"max_epochs and patience must be at least 1, not {max_epochs!r} and {patience!r}")
        self.penalized = penalized
        self.loss = loss
        self.train = train
        self.validation = validation
        self.max_epochs = max_epochs
        self.patience = patience
        self.tol = tol

    def run(self) -> int:
        """Train until the objective on the rows held out makes no progress; keeps the best weights.

        The objective, not the loss alone: where the penalty has grown, sparser weights may well have a larger loss.
        The end is made with smaller steps, since the noise of minibatches keeps weights from zero at large ones.

        Returns
        -------
        int
            Number of epochs made.
        """
        model, groups = self.penalized.model, self.penalized.optimizer.param_groups
        was_training, rates = model.training, [group["lr"] for group in groups]
        best, best_state, n_epochs = self._objective(), self.state(), 0
        try:
            for factor in _STEPS:
                for group, rate in zip(groups, rates, strict=True):
                    group["lr"] = rate * factor
                best, best_state, more = self._run(best, best_state)
                n_epochs += more
                model.load_state_dict(best_state)
        finally:
            model.train(was_training)
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate
        return n_epochs

    def _run(self, best: float, best_state: dict[str, Tensor]) -> tuple[float, dict[str, Tensor], int]:
        mark, waited, epoch = best, 0, 0
        while epoch < self.max_epochs and waited < self.patience:
            self._epoch()
            epoch += 1
            now = self._objective()
            if not math.isfinite(now):
                raise ValueError(
                    f"The objective is {now} after epoch {epoch} at strength {self.penalized.selection:.3g}: take a "
                    "smaller learning rate, or standardise the inputs."
                )
            waited += 1
            if now < best:
                best, best_state = now, self.state()
            if now < mark - self.tol * abs(mark):
                mark, waited = now, 0
        return best, best_state, epoch

    def state(self) -> dict[str, Tensor]:
        """A copy of the model's weights and buffers."""
        return {name: tensor.detach().clone() for name, tensor in self.penalized.model.state_dict().items()}

    def restart(self) -> None:
        """Forget the optimizer's momenta, which belong to other weights."""
        self.penalized.optimizer.state = defaultdict(dict)

    def measured(self, point: Point) -> Point:
        """The point with the losses, the penalty and the number of weights of the model as it is."""
        losses, terms = self.row_losses(), [one for one in self.penalized.terms if one.selects]
        return replace(
            point,
            loss=float(losses.mean()),
            standard_error=float(losses.std() / len(losses) ** 0.5),
            penalty=float(self.penalized.value()),
            n_nonzero=sum(int(torch.count_nonzero(one.weights)) for one in terms),
        )

    def row_losses(self) -> Tensor:
        """The loss of each row held out, in double precision on the CPU."""
        losses = []
        with self._evaluating(), torch.no_grad():
            for x, y in self.validation:
                output = self.penalized.model(x)
                losses += [self.loss(output[i : i + 1], y[i : i + 1]) for i in range(len(y))]
        if len(losses) < 2:
            raise ValueError(f"validation needs two rows or more, not {len(losses)}")
        return torch.stack(losses).double().cpu()

    def gradients(self, weights: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Of the mean loss over the rows held out."""
        with self._evaluating():
            return torch.autograd.grad(self._mean_loss(), weights)

    def _epoch(self) -> None:
        model, optimizer = self.penalized.model, self.penalized.optimizer
        model.train()
        if callable(self.train):
            self.train()
        else:
            for x, y in self.train:
                optimizer.zero_grad()
                self.loss(model(x), y).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        self.penalized.settle()

    def _objective(self) -> float:
        with self._evaluating(), torch.no_grad():
            return float(self._mean_loss() + self.penalized.value())

    def _mean_loss(self) -> Tensor:
        parts = [(self.loss(self.penalized.model(x), y), len(y)) for x, y in self.validation]
        n_rows = sum(n for _, n in parts)
        if n_rows == 0:
            raise ValueError("validation holds no rows")
        return torch.stack([part * (n / n_rows) for part, n in parts]).sum()

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        was_training = self.penalized.model.training
        self.penalized.model.eval()
        try:
            yield
        finally:
            self.penalized.model.train(was_training)
