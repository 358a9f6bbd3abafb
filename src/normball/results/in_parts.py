"""Predictions for rows that are read in parts."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.blocks.new_rows import NewRows, new_rows
from normball.blocks.new_target import Terms
from normball.blocks.sums import PassStopped
from normball.families import find_family
from normball.messages import Interrupted
from normball.predictor import linear_predictor
from normball.progress import Poll
from normball.results.kinds import CURVES, Kind, Unknown, check_offset, curves_of, of_kind
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    from collections.abc import Callable

    from normball.blocks.block import Block
    from normball.results.fit import Fit
    from normball.results.path import Path
    from normball.survival.baseline import Baseline

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Predictor:
    """What models say of the rows of a block; picklable.

    Attributes
    ----------
    family, classes
        Of the models.
    intercepts, coefs
        As `linear_predictor` takes them.
    kind, times
        As in `Fit.predict`.
    baselines
        Of models of survival.
    """

    family: str
    classes: tuple[Any, ...] | None
    intercepts: Array
    coefs: SparseRows
    kind: Kind
    times: ArrayLike | None = None
    baselines: tuple[Baseline | None, ...] = ()

    def eta(self, block: Block) -> Array:
        """The linear predictors (rows, models), of several outputs (rows, models, outputs)."""
        return linear_predictor(block.X, self.intercepts, self.coefs, None, 1) + block.offset[:, None]

    def of(self, eta: Array) -> NDArray[Any]:
        """What linear predictors say."""
        if self.kind in (*CURVES, "median"):
            known = [baseline for baseline in self.baselines if baseline is not None]
            return curves_of(self.kind, eta, self.times, np.zeros(len(eta), dtype=np.intp), known)
        return of_kind(self.kind, eta, find_family(self.family), self.classes)

    def __call__(self, block: Block) -> list[NDArray[Any]]:
        """The predictions of a block, alone in a list."""
        return [self.of(self.eta(block))]


def rows_for(model: Fit | Path, X: Any, **roles: Any) -> NewRows:
    """The rows as a model reads them; roles are those of `new_rows`."""
    check_offset(model, roles.get("offset") is not None or bool(roles.get("exposure")))
    return new_rows(X, model.preparation, Terms(model.family, model.classes, model.output_names), **roles)


def predict_parts(
    model: Fit | Path,
    predictor: Predictor,
    X: Any,
    offset: ArrayLike | str | Sequence[str] | None,
    strata: Any,
    unknown: Unknown,
) -> NDArray[Any]:
    """The predictions of `predictions.predict` for rows that are read in parts."""
    refuse_strata(predictor, strata)
    rows = rows_for(model, X, offset=offset, unknown=unknown)
    if not rows.n_rows:
        return predictor.of(np.zeros((0, *predictor.intercepts.shape)))
    return np.concatenate(pass_over(rows, predictor, operator.add))


def refuse_strata(predictor: Predictor, strata: Any = None) -> None:
    """Raise where predictions depend on strata."""
    baselines = [one for one in predictor.baselines if one is not None and one.stratum_names]
    if strata is not None or (baselines and predictor.kind in (*CURVES, "median")):
        text = f'kind="{predictor.kind}" depends on strata, which need rows in memory, and these are read in parts'
        raise ValueError(f'{text}: kind="risk", or a part of the rows at a time')


def pass_over(rows: NewRows, function: Callable[[Block], Any], merge: Callable[[Any, Any], Any]) -> Any:
    """`function` of all blocks, joined by `merge`."""
    with Poll(rows.progress) as poll:
        try:
            return rows.passes.run(function, merge, poll)
        except PassStopped:
            raise Interrupted("Interrupted while rows were predicted") from None
