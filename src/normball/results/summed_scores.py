"""The scores of one model as sums over parts of the rows: what `weighted_scores` are of rows that are all at hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from normball.blocks.ranks import Ranks
from normball.family import Family
from normball.scores import errors
from normball.weighted_scores import ROUNDING, weighted_score

Array = NDArray[np.float64]

MOST_RANKS = 1 << 18  # predictions that are told apart


class Summed(Protocol):
    """A score of some rows, which those of others can be added to."""

    def join(self, later: Any) -> Any:
        """Of the rows of both."""

    def value(self) -> float:
        """The score."""


@dataclass(frozen=True)
class Mean:
    """The mean of something of each row, by weight; the root of it, where it is one of squares."""

    total: float
    weight: float
    is_root: bool

    @classmethod
    def of(cls, name: str, family: Family, y: Array, eta: Array, weights: Array) -> Mean:
        """A score of `weighted_scores` that is such a mean."""
        score = float(weighted_score(name, family, y, eta)(weights[None])[0])
        total = float(weights.sum())
        return cls(total * score ** (2 if name == "rmse" else 1), total, name == "rmse")

    def join(self, later: Self) -> Mean:
        """Of the rows of both."""
        return Mean(self.total + later.total, self.weight + later.weight, self.is_root)

    def value(self) -> float:
        """The score."""
        mean = self.total / self.weight
        return math.sqrt(mean) if self.is_root else mean


@dataclass(frozen=True)
class Explained:
    """R2, by the mean and the sum of squares about it of each output, and its squared errors."""

    weight: float
    mean: Array
    spread: Array
    squares: Array

    @classmethod
    def of(cls, name: str, family: Family, y: Array, eta: Array, weights: Array) -> Explained:
        """Of some rows."""
        total, columns = float(weights.sum()), y.reshape(len(y), -1)
        mean = weights @ columns / total
        squares = (errors(y, eta[:, None], family)[:, 0] ** 2).reshape(len(y), -1)
        return cls(total, mean, weights @ (columns - mean) ** 2, weights @ squares)

    def join(self, later: Self) -> Explained:
        """Of the rows of both."""
        total, apart = self.weight + later.weight, later.mean - self.mean
        return Explained(
            total,
            self.mean + apart * (later.weight / total),
            self.spread + later.spread + apart**2 * (self.weight * later.weight / total),
            self.squares + later.squares,
        )

    def value(self) -> float:
        """1 less the squared errors over those of the rows' own mean, the mean over outputs."""
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(self.spread > 0.0, 1.0 - self.squares / self.spread, np.nan)
        return float(np.where(np.abs(shares) < ROUNDING, 0.0, shares).mean())


@dataclass(frozen=True)
class Agreement:
    """Macro F1, by the weight of the rows of each class that are found, and of those that are of it or said to be."""

    found: Array
    either: Array

    @classmethod
    def of(cls, name: str, family: Family, y: Array, eta: Array, weights: Array) -> Agreement:
        """Of some rows."""
        n_classes = 2 if y.ndim == 1 else y.shape[1]
        actual = (y > 0.5).astype(np.intp) if y.ndim == 1 else y.argmax(axis=1)
        one_hot, predicted = np.eye(n_classes)[actual], np.eye(n_classes)[family.choice(eta)]
        return cls(weights @ (one_hot * predicted), weights @ (one_hot + predicted))

    def join(self, later: Self) -> Agreement:
        """Of the rows of both."""
        return Agreement(self.found + later.found, self.either + later.either)

    def value(self) -> float:
        """The mean over the classes of the harmonic mean of precision and recall."""
        some = self.either > 0.0
        return float(np.mean(2.0 * self.found[some] / self.either[some]))


@dataclass(frozen=True)
class Areas:
    """The area under the ROC curve, of several classes the mean of each against the rest."""

    ranks: tuple[Ranks, ...]

    @classmethod
    def of(cls, name: str, family: Family, y: Array, eta: Array, weights: Array) -> Areas:
        """Of some rows."""
        pairs = [(y, eta)] if y.ndim == 1 else [(y[:, k], family.alone(eta, k)) for k in range(y.shape[1])]
        return cls(tuple(Ranks.of(MOST_RANKS, one, weights * own, weights * (1.0 - own)) for own, one in pairs))

    def join(self, later: Self) -> Areas:
        """Of the rows of both."""
        return Areas(tuple(one.join(other) for one, other in zip(self.ranks, later.ranks, strict=True)))

    def value(self) -> float:
        """The area."""
        return float(np.mean([ranks.area()[0] for ranks in self.ranks]))

    def within(self) -> float:
        """How far off it is at most."""
        return float(np.mean([ranks.area()[1] for ranks in self.ranks]))


_KINDS: dict[str, Any] = {"r2": Explained, "f1_macro": Agreement, "auc": Areas}


def summed_score(name: str, family: Family, y: Array, eta: Array, weights: Array) -> Summed:
    """A score of rows that have a weight; all of `weighted_scores` but the slope of calibration, which is no sum."""
    made: Summed = _KINDS.get(name, Mean).of(name, family, y, eta, weights)
    return made
