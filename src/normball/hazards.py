"""The baseline hazards of the models of a path."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.predictor import linear_predictor
from normball.survival.baseline import Baselines, fit_baseline, fit_baselines
from normball.survival.kaplan_meier import kaplan_meier
from normball.survival.target import SurvivalTarget, Ties

if TYPE_CHECKING:
    from normball.inputs.prepare import Data
    from normball.results.sparse_rows import SparseRows

Array = NDArray[np.float64]
BLOCK = 2**24  # most linear predictors held at a time


def hazards_of(data: Data, intercepts: Array, coefs: SparseRows) -> Baselines | None:
    """The hazards of models of survival with these coefficients, a row each; None of other models."""
    if data.survival is None:
        return None

    ties, width = find_family(data.family).ties, max(1, BLOCK // data.n_rows)
    blocks = []
    for start in range(0, len(intercepts), width):
        which = slice(start, start + width)
        eta = linear_predictor(data.design, intercepts[which], coefs.take(which, 1))
        blocks.append(fit_baselines(data.survival, eta + data.offset[:, None], data.weights, ties))
    return replace(
        blocks[0],
        log_hazards=np.concatenate([block.log_hazards for block in blocks]),
        null=hazard_without_features(data.survival, data.offset, data.weights, ties),
    )


def hazard_without_features(target: SurvivalTarget, offset: Array, weights: Array, ties: Ties) -> Array:
    """The logarithm of the cumulative hazard of all rows: Kaplan & Meier's curve, or with an offset what it leaves."""
    if (offset != offset[0]).any():
        return fit_baseline(target, offset, weights, ties).log_hazards
    with np.errstate(divide="ignore"):  # the curve may end at 0
        hazard = -np.log(np.concatenate([curve.survival for curve in kaplan_meier(target, weights)]))
        return np.asarray(np.log(hazard) - offset[0])
