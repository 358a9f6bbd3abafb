"""What passes over the blocks say of fitted models: scores of held-out rows, and what some families have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.block import Block
from normball.blocks.ranks import Ranks
from normball.blocks.sums import PassStopped
from normball.families import find_family
from normball.family import Family
from normball.messages import Interrupted
from normball.predictor import linear_predictor
from normball.progress import Poll
from normball.results.sparse_rows import SparseRows
from normball.scores import SCORES, against_others, dispersion, errors, mean_area, pearson, zero_sums

if TYPE_CHECKING:
    from normball.blocks.data import BlockData
    from normball.results.path import Path

Array = NDArray[np.float64]
Totals = dict[str, NDArray[Any]]

ADDITIVE = ("deviance", "mse", "mae", "accuracy", "brier")  # scores that are means over rows
BY_RANKS = ("auc",)
BYTES_OF_RANKS = 1 << 24  # of all of them together; what few rows have is kept whatever it takes, up to
BYTES_OF_ALL_RANKS = 1 << 27
BYTES_OF_A_RANK = 24
SAMPLED_ROWS = 200_000  # at most, evenly spaced, of which an area under the curve is taken


@dataclass(frozen=True)
class Models:
    """The models of some problems at the same strengths."""

    family: str
    intercepts: Array  # (n_problems, n_lambdas), or with several outputs (n_problems, n_lambdas, n_outputs)
    coefs: tuple[SparseRows, ...]

    @property
    def n_lambdas(self) -> int:
        """How many strengths there are."""
        return int(self.intercepts.shape[1])

    @property
    def n_outputs(self) -> int:
        """How many linear predictors a row has."""
        return 1 if self.intercepts.ndim == 2 else int(self.intercepts.shape[2])

    def predict(self, problem: int, block: Block, rows: NDArray[np.int64] | None = None) -> Array:
        """The linear predictor (rows, strengths), or with several outputs (rows, strengths, outputs)."""
        eta = linear_predictor(block.X, self.intercepts[problem], self.coefs[problem], rows, 1)
        return eta + (block.offset if rows is None else block.offset[rows])[:, None]

    def select(self, places: NDArray[np.intp]) -> Models:
        """The models at some of the strengths."""
        return Models(
            self.family, self.intercepts[:, places], tuple(one.select(places, self.n_outputs) for one in self.coefs)
        )


@dataclass(frozen=True)
class HeldOutLinks:
    """What the folds predict of the rows that they hold out.

    Attributes
    ----------
    fold : ndarray of int32, shape (n,) or (n_repeats, n)
        The fold of each row, -1 for none.
    eta : ndarray, shape (n, n_lambdas), or with several outputs (n, n_lambdas, n_outputs)
        The linear predictors by the model of that fold, of several repeats their mean; NaN where no fold holds the row
        out.
    """

    fold: NDArray[np.int32]
    eta: Array


def held_out_links(models: Models, block: Block) -> HeldOutLinks:
    """The linear predictors of the rows of a block by the models of the folds that hold them out."""
    assert block.fold is not None
    eta = np.zeros((block.n_rows, *models.intercepts.shape[1:]))
    for fold, rows in block.held_out():
        eta[rows] += models.predict(fold + 1, block, rows)
    eta[(np.atleast_2d(block.fold) < 0).all(axis=0)] = np.nan
    return HeldOutLinks(block.fold, eta / block.n_repeats)


def links_in_a_list(models: Models, block: Block) -> list[HeldOutLinks]:
    """The same alone in a list, so that those of all blocks can be joined."""
    return [held_out_links(models, block)]


def added(first: Totals, second: Totals) -> Totals:
    """The totals of both."""
    return {name: np.add(one, second[name]) for name, one in first.items()}


def ranks_kept(n_rows: int, n_folds: int, n_repeats: int, n_lambdas: int) -> int:
    """How many predictions are told apart by each model: all of them where they have room."""
    if (1 + n_repeats) * n_rows * n_lambdas * BYTES_OF_A_RANK <= BYTES_OF_ALL_RANKS:
        return max(n_rows, 1)
    return max(64, BYTES_OF_RANKS // (BYTES_OF_A_RANK * (n_folds + 1) * n_lambdas))


def ranks_of(most: int, y: Array, eta: Array, weights: Array) -> NDArray[np.object_]:
    """The ranks of some rows by each model, of several classes by each; arrays of these add up as numbers do."""
    found = np.empty(eta.shape[1:], dtype=object)
    for place in np.ndindex(found.shape):
        own, odds = (
            (y, eta[:, place[0]]) if y.ndim == 1 else (y[:, place[1]], against_others(eta[:, place[0]], place[1]))
        )
        found[place] = Ranks.of(most, odds, weights * own, weights * (1.0 - own))
    return found


def held_out_totals(models: Models, nulls: Array, score: str, most: int, block: Block) -> Totals:
    """Weighted sums of scores over the rows that each fold holds out, by its own model and by one without features.

    Problem 0 has all rows and problem k + 1 those that fold k leaves; `nulls` are intercepts without features, a row
    for each fold. Of a score by ranks these stand for it, at most so many predictions by each model.
    """
    family = find_family(models.family)
    totals = _no_totals(models, nulls, score, most)
    names = [name for name in dict.fromkeys((score, "deviance")) if name not in BY_RANKS]
    for fold, rows in block.held_out():
        y, weights = block.y[rows], block.weights[rows]
        total = weights.sum()
        if not total > 0.0:
            continue
        eta = models.predict(fold + 1, block, rows)
        null = (block.offset[rows] + nulls[fold])[:, None]
        with np.errstate(all="ignore"):  # a class or a count that no training row has
            for name in names:
                totals[name][fold] += total * SCORES[name](y, eta, weights, models.family)
                totals[f"null {name}"][fold] += total * SCORES[name](y, null, weights, models.family)[0]
            totals["errors"][fold] += _errors(family, y, eta, weights)
            totals["null_errors"][fold] += _errors(family, y, null, weights)[0]
        if score in BY_RANKS:
            totals[score][fold] = ranks_of(most, y, eta, weights)
            totals[f"null {score}"][fold] = ranks_of(most, y, null, weights)[0]
        if family.has_classes:
            totals["right"][fold] += total * SCORES["accuracy"](y, eta, weights, models.family)
            totals["classes"] += weights @ (y if y.ndim == 2 else np.column_stack([1.0 - y, y]))
            totals["shares"] += np.count_nonzero((y != 0.0) & (y != 1.0))
    if score in BY_RANKS:
        totals["train ranks"] = ranks_of(most, block.y, models.predict(0, block), block.weights)
    elif score != "deviance" and block.weights.any():
        eta = models.predict(0, block)
        totals["train"] += block.weights.sum() * SCORES[score](block.y, eta, block.weights, models.family)
    return totals


def _no_totals(models: Models, nulls: Array, score: str, most: int) -> Totals:
    """What `held_out_totals` begins with.

    Errors are those of a target each where there are several.
    """
    family, n_folds = find_family(models.family), len(nulls)
    shape, outputs = (n_folds, models.n_lambdas), nulls.shape[1:]
    totals: Totals = {name: np.zeros(shape) for name in (score, "deviance", "right")}
    totals |= {f"null {name}": np.zeros(n_folds) for name in (score, "deviance")}
    totals |= {"errors": np.zeros((*shape, *outputs)), "null_errors": np.zeros((n_folds, *outputs))}
    if score in BY_RANKS:
        none = Ranks.of(most, *(np.zeros(0) for _ in range(3)))
        totals |= {score: np.full((*shape, *outputs), none), f"null {score}": np.full((n_folds, *outputs), none)}
        totals["train ranks"] = np.full((models.n_lambdas, *outputs), none)
    totals |= {"shares": np.zeros(1), "train": np.zeros(models.n_lambdas)}
    if family.has_classes:
        totals["classes"] = np.zeros(outputs or 2)
    return totals


def _errors(family: Family, y: Array, eta: Array, weights: Array) -> Array:
    """The weighted sums of the typical error (strengths,), or of several targets (strengths, outputs)."""
    off = errors(y, eta, family)
    return np.asarray(np.tensordot(weights, off**2 if family.typical_error == "mse" else np.abs(off), 1))


def pearson_totals(models: Models, block: Block) -> Totals:
    """Pearson's statistic of each model of all rows, that of held-out predictions, and how many rows they count."""
    n_weighted = np.count_nonzero(block.weights)
    family, statistics = find_family(models.family), np.zeros(models.intercepts.shape[1])
    held_out, n_held_out = np.zeros(statistics.size), 0
    if n_weighted > 0:
        eta = models.predict(0, block)
        statistics += [n_weighted * dispersion(family, block.y, one, block.weights, 0) for one in eta.T]
    for rows, eta in _held_out(models, block) if family.shows_zeros and len(models.coefs) > 1 else ():
        held_out += [pearson(family, block.y[rows], one, np.ones(rows.size)) for one in eta.T]
        n_held_out += rows.size
    counts = np.array([n_weighted, n_held_out], dtype=np.float64)
    return {"statistic": statistics, "held_out": held_out, "n_rows": counts}


def zero_totals(models: Models, spreads: Array, block: Block) -> Totals:
    """What a block adds to the zeros of held-out rows, met and expected, by each model."""
    family, sums = find_family(models.family), np.zeros((spreads.size, 3))
    for rows, eta in _held_out(models, block):
        pairs = zip(eta.T, spreads.tolist(), strict=True)
        once = np.full(rows.size, 1.0 / block.n_repeats)  # however often they are held out
        sums += [zero_sums(family, block.y[rows], one, once, spread) for one, spread in pairs]
    return {"sums": sums}


def _held_out(models: Models, block: Block) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """The rows of each fold that have weight, and their linear predictors by the models without them."""
    for fold, rows in block.held_out(np.flatnonzero(block.weights > 0.0)):
        yield rows, models.predict(fold + 1, block, rows)


@dataclass(frozen=True)
class Margins:
    """How far out in the sigmoid the rows lie by some models of all rows, and a sample of the held-out rows.

    The sample has a row for each row of the data and repeat of the folds: fold, weight, target, and the linear
    predictor by each model of the fold; of several outputs target and predictors of each.
    """

    largest: Array
    saturated: Array  # numbers of rows
    sample: Array

    def areas(self, n_folds: int, n_outputs: int) -> Array:
        """The area under the curve (folds, models) of the rows that each fold holds out."""
        fold, weights = self.sample[:, 0], self.sample[:, 1]
        y, eta = np.split(self.sample[:, 2:], [n_outputs], axis=1)
        if n_outputs == 1:
            y = y[:, 0]
        else:
            eta = eta.reshape(len(eta), -1, n_outputs)
        parts = [np.flatnonzero(fold == one) for one in range(n_folds)]
        return np.array([mean_area(y[rows], eta[rows], weights[rows]) for rows in parts])


def margins_of(models: Models, flat_from: float, step: int, block: Block) -> Margins:
    """Of one block; the sample takes every `step`-th row of the data."""
    margins = find_family(models.family).margin(models.predict(0, block))
    taken = np.flatnonzero((block.first_row + np.arange(block.n_rows)) % step == 0)
    parts = []
    for fold, rows in block.held_out(taken):
        known = [np.full(rows.size, float(fold)), block.weights[rows], block.y[rows]]
        parts.append(np.column_stack([*known, models.predict(fold + 1, block, rows).reshape(rows.size, -1)]))
    width = 2 + models.n_outputs * (1 + margins.shape[1])
    return Margins(
        margins.max(axis=0, initial=-np.inf),
        np.count_nonzero(margins > flat_from, axis=0).astype(np.float64),
        np.concatenate([np.empty((0, width)), *parts]),
    )


def joined_margins(first: Margins, second: Margins) -> Margins:
    """Of the rows of both."""
    return Margins(
        np.maximum(first.largest, second.largest),
        first.saturated + second.saturated,
        np.concatenate([first.sample, second.sample]),
    )


def dispersion_of_path(data: BlockData, path: Path, index: int) -> float:
    """Pearson's statistic over its degrees of freedom at one strength, by a pass of its own."""
    which = slice(index, index + 1)
    models = Models(path.family, path.intercepts[None, which], (path.coef_rows.take(which),))
    totals = run_pass(data, partial(pearson_totals, models), added)
    return dispersion_of(totals, [int(path.n_nonzero[index]) + path.fit_intercept])[0]


def dispersion_of(totals: Totals, n_coefs: Sequence[int]) -> list[float]:
    """The dispersion of each model by its `pearson_totals`."""
    free = float(totals["n_rows"][0]) - np.array(n_coefs)
    with np.errstate(divide="ignore", invalid="ignore"):
        return [float(one) for one in np.where(free > 0, totals["statistic"] / free, np.nan)]


def run_pass(data: BlockData, function: Callable[[Block], Any], merge: Callable[[Any, Any], Any]) -> Any:
    """One pass over the blocks after the models are fitted."""
    with Poll(data.progress) as poll:
        try:
            return data.passes.run(function, merge, poll)
        except PassStopped:
            raise Interrupted("Interrupted while rows were scored") from None
