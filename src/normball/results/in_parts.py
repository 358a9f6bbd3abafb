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
from normball.families import find_family
from normball.messages import Interrupted
from normball.predictor import linear_predictor
from normball.progress import Poll
from normball.results.kinds import Kind, Unknown, check_offset, of_kind
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    from collections.abc import Callable

    from normball.blocks.block import Block
    from normball.results.fit import Fit
    from normball.results.path import Path

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
    kind : str
        As in `Fit.predict`.
    """

    family: str
    classes: tuple[Any, ...] | None
    intercepts: Array
    coefs: SparseRows
    kind: Kind

    def eta(self, block: Block) -> Array:
        """The linear predictors (rows, models), of several outputs (rows, models, outputs)."""
        return linear_predictor(block.X, self.intercepts, self.coefs, None, 1) + block.offset[:, None]

    def __call__(self, block: Block) -> list[NDArray[Any]]:
        """The predictions of a block, alone in a list."""
        return [of_kind(self.kind, self.eta(block), find_family(self.family), self.classes)]


def rows_for(model: Fit | Path, X: Any, **roles: Any) -> NewRows:
    """The rows as a model reads them; roles are those of `new_rows`."""
    check_offset(model, roles.get("offset") is not None or bool(roles.get("exposure")))
    return new_rows(X, model.preparation, Terms(model.family, model.classes, model.output_names), **roles)


def predict_parts(
    model: Fit | Path,
    X: Any,
    intercepts: Array,
    coefs: SparseRows,
    kind: Kind,
    offset: ArrayLike | str | Sequence[str] | None,
    unknown: Unknown,
) -> NDArray[Any]:
    """The predictions of `predictions.predict` for rows that are read in parts."""
    rows = rows_for(model, X, offset=offset, unknown=unknown)
    predictor = Predictor(model.family, model.classes, intercepts, coefs, kind)
    if not rows.n_rows:
        return np.zeros((0, *intercepts.shape))
    return np.concatenate(pass_over(rows, predictor, operator.add))


def pass_over(rows: NewRows, function: Callable[[Block], Any], merge: Callable[[Any, Any], Any]) -> Any:
    """`function` of all blocks, joined by `merge`."""
    from normball.blocks.sums import PassStopped

    with Poll(None) as poll:
        try:
            return rows.passes.run(function, merge, poll)
        except PassStopped:
            raise Interrupted("Interrupted while rows were predicted") from None
