"""A model judged on rows that are read in parts.

Where target and prediction of every row have room, they are judged as rows in memory are. Where they have not, each
score is a sum over the parts: exact, but for the area under the curve, which is by bins of predictions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.messages import DataError, Finding, count
from normball.results.evaluation import Evaluation, JudgedRows, told_of
from normball.results.in_parts import Predictor, pass_over, rows_for
from normball.results.kinds import Unknown
from normball.results.sparse_rows import SparseRows
from normball.results.summed_scores import Areas, Summed, summed_score
from normball.weighted_scores import NO_LINE, best_line, have_line, line_ends, slope_sums

if TYPE_CHECKING:
    from normball.blocks.block import Block
    from normball.blocks.new_rows import NewRows
    from normball.results.fit import Fit

Array = NDArray[np.float64]

SHARE_KEPT = 2  # of the memory, for what is kept of each row
SLOPE = "calibration_slope"
NO_ENDS = np.array([np.inf, -np.inf, np.inf, -np.inf])


class Kept(NamedTuple):
    """What is kept of the rows of a block that have a weight."""

    y: Array
    eta: Array
    offset: Array
    weights: Array
    group: NDArray[np.int32] | None

    @classmethod
    def of(cls, predictor: Predictor, block: Block) -> Kept:
        """Of a block."""
        used = block.weights > 0.0
        group = None if block.fold is None else block.fold[used]
        return cls(block.y[used], predictor.eta(block)[used, 0], block.offset[used], block.weights[used], group)


def evaluate_parts(
    fit: Fit, X: Any, roles: Mapping[str, Any], n_bootstrap: int, random_state: Any, unknown: Unknown
) -> Evaluation:
    """What `evaluation.evaluate` gives for rows that are read in parts; roles are those of `new_rows`."""
    return evaluation_of(fit, rows_for(fit, X, unknown=unknown, **roles), n_bootstrap, random_state)


def evaluation_of(fit: Fit, rows: NewRows, n_bootstrap: int, random_state: Any) -> Evaluation:
    """The scores of a model on rows with targets."""
    if not rows.n_rows:
        raise DataError(Finding("E14", "X has 0 rows; nothing can be judged."))
    coefs = SparseRows.from_rows(np.atleast_2d(fit.coef), len(fit.feature_names))
    predictor = Predictor(fit.family, fit.classes, np.array([fit.intercept]), coefs, "link")
    need = SHARE_KEPT * rows.n_rows * bytes_of_a_row(fit.n_outputs)
    if need <= rows.memory:
        kept = _kept(fit, rows, predictor)
        return kept.evaluation(fit, n_bootstrap, np.random.default_rng(random_state))
    if rows.has_groups:
        text = f"groups of {count(rows.n_rows)} rows are drawn within {need} bytes, and memory={rows.memory} is allowed"
        raise ValueError(f"{text}: give memory={need}, or leave row_groups out")
    return _by_sums(fit, rows, predictor)


def bytes_of_a_row(n_outputs: int) -> int:
    """What judging a row takes where it is kept: target, predictions and weight, and their order."""
    return 8 * (6 * n_outputs + 8)


def _kept(fit: Fit, rows: NewRows, predictor: Predictor) -> JudgedRows:
    """The rows as they are judged in memory."""
    parts: list[Kept] = pass_over(rows, partial(_alone, predictor), operator.add)
    y, eta, offset, weights = (np.concatenate(arrays) for arrays in list(zip(*parts, strict=True))[:4])
    groups = [part.group for part in parts if part.group is not None]
    numbered = np.unique(np.concatenate(groups), return_inverse=True)[1] if groups else None
    null = None if fit.null_intercept is None else np.asarray(fit.null_intercept + offset)
    return JudgedRows.of_numbers(find_family(fit.family), y, eta, null, weights, numbered)


def _alone(predictor: Predictor, block: Block) -> list[Kept]:
    return [Kept.of(predictor, block)]


@dataclass(frozen=True)
class Judged:
    """What the rows of some blocks add up to, by one model.

    Attributes
    ----------
    n_rows : int
        How many have a weight.
    weight : float
        The sum of these.
    has_labels : bool
        Whether no target is a share.
    scores : {score: Summed}
        All but the slope of calibration; empty where no row has a weight.
    eta : float
        The sum of the linear predictors.
    ends : ndarray, shape (4,)
        Their `line_ends`.
    """

    n_rows: int
    weight: float
    has_labels: bool
    scores: dict[str, Summed]
    eta: float
    ends: Array

    def join(self, later: Judged) -> Judged:
        """Of the rows of both."""
        if not (self.n_rows and later.n_rows):
            return self if self.n_rows else later
        return Judged(
            self.n_rows + later.n_rows,
            self.weight + later.weight,
            self.has_labels and later.has_labels,
            {name: one.join(later.scores[name]) for name, one in self.scores.items() if name in later.scores},
            self.eta + later.eta,
            np.where([True, False, True, False], np.minimum(self.ends, later.ends), np.maximum(self.ends, later.ends)),
        )


def judged_block(predictor: Predictor, block: Block) -> Judged:
    """What the rows of a block add to the scores of a model."""
    family, (y, eta, _, weights, _) = find_family(predictor.family), Kept.of(predictor, block)
    if not len(y):
        return Judged(0, 0.0, True, {}, 0.0, NO_ENDS)
    has_labels = bool(np.isin(y, (0.0, 1.0)).all())
    names = [name for name in told_of(family, has_labels) if name != SLOPE]
    scores = {name: summed_score(name, family, y, eta, weights) for name in names}
    ends = line_ends(family, y, eta)(weights[None])[:, 0] if SLOPE in family.told else NO_ENDS
    return Judged(len(y), float(weights.sum()), has_labels, scores, float(eta.sum()), ends)


def _by_sums(fit: Fit, rows: NewRows, predictor: Predictor) -> Evaluation:
    """The scores by a pass, and a few more for the slope of calibration; the same of the model without features."""
    found, scores = _scores(rows, predictor)
    null_scores: dict[str, float] = {}
    if fit.null_intercept is not None:
        zeros = SparseRows.from_rows(np.zeros((fit.n_outputs, len(fit.feature_names))), len(fit.feature_names))
        without = replace(predictor, intercepts=np.array([fit.null_intercept]), coefs=zeros)
        null_scores = {name: value for name, value in _scores(rows, without)[1].items() if math.isfinite(value)}
    areas = {name: one for name, one in found.scores.items() if isinstance(one, Areas)}
    return Evaluation(
        family=fit.family,
        lam=fit.lam,
        n_rows=found.n_rows,
        n_groups=None,
        n_bootstrap=0,
        scores=scores,
        intervals={},
        null_scores=null_scores,
        within={name: within for name, one in areas.items() if (within := one.within())},
    )


def _scores(rows: NewRows, predictor: Predictor) -> tuple[Judged, dict[str, float]]:
    found: Judged = pass_over(rows, partial(judged_block, predictor), Judged.join)
    names = told_of(find_family(predictor.family), found.has_labels)
    values = {name: one.value() for name, one in found.scores.items()}
    if SLOPE in names:
        centre = found.eta / found.n_rows

        def sums(coefs: Array) -> Array:
            function = partial(_slope_sums, predictor, centre, found.weight, coefs)
            total: Array = pass_over(rows, function, np.add)
            return total

        line = best_line(np.array([centre, 1.0]), sums) if have_line(found.ends[:, None], centre)[0] else NO_LINE
        values[SLOPE] = float(line[1])
    return found, {name: values[name] for name in names}


def _slope_sums(predictor: Predictor, centre: float, weight: float, coefs: Array, block: Block) -> Array:
    y, eta, _, weights, _ = Kept.of(predictor, block)
    return slope_sums(find_family(predictor.family), y, eta - centre, weights / weight, coefs)
