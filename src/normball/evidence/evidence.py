"""What a page says about the data of a model: the `Evidence` of web/src/payload.js. Statistics, never a row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.decisions import decisions
from normball.evidence.fitted_rows import FittedRows, column_means, dense_columns, fitted_rows
from normball.evidence.held_out import calibration, margins, quantiles, residuals, scaling
from normball.evidence.listed import lengths, others, plain, settable
from normball.evidence.observed import observed
from normball.evidence.outputs import of_outputs
from normball.evidence.row_groups import row_groups
from normball.evidence.slices import convexity, pairs, slices
from normball.evidence.survival import of_times
from normball.inputs.terms.numbers import NumberTerm

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data
    from normball.run import Run

Array = NDArray[np.float64]

DIGITS = 5
FEW_BESIDE = 4  # indices of lambda, beside another mix, for what cannot be had for all
CURVED = 12  # features with a Hessian where it changes along the path


def evidence(cv: CVPath, run: Run, data: Data, *, landscapes: bool = True) -> dict[str, Any]:
    """The statistics of the rows that `cv` was fitted to.

    Everything is per standard deviation and weighted. Hessians, slices and gradients hold the intercept fixed; for
    squared error the columns are centred, so that it makes no difference there. Beside the `Evidence` stand "means"
    of the listed features, "ranges" of the numbers among the stored ones and "rest", which `payload` puts in their
    places. Without `landscapes` there are no grids of the loss over two coefficients, which take most of the room.

    Raises
    ------
    DataError
        If the data are not those of the model.
    """
    rows = fitted_rows(cv, run, data)
    rows = rows if landscapes else replace(rows, n_few=FEW_BESIDE)
    path = rows.path
    on_single = not path.has_group_penalty  # the drawings of penalties and balls are those of single coefficients
    l1, l2 = _penalties(rows) if on_single else (np.zeros(0), np.zeros(0))
    beside = others(path, rows.columns)[0]
    return {
        "rest": _rest(rows, beside),
        "ranges": _ranges(rows, beside),
        "means": [float(mean) for mean in rows.means],
        "loss": plain(path.loss, 10),
        "penalty_l1": plain(l1, 10),
        "penalty_l2": plain(l2, 10),
        "null_loss": path.null_loss,
        "factors": plain(path.penalty_factors[rows.columns]),
        "held_out": cv.predictions is not None,
        "row_groups": row_groups(rows, cv.predictions),
        "survival": of_times(rows, cv.predictions, run.horizon),
        **_of_rows(rows, cv, on_single, landscapes),
    }


def _of_rows(rows: FittedRows, cv: CVPath, on_single: bool, landscapes: bool) -> dict[str, Any]:
    """What depends on how many predictions a row has, and on whether it can be judged by itself."""
    if rows.family.has_risk_sets:
        return _nothing()
    if rows.family.has_outputs:
        return {**_nothing(), "outputs": of_outputs(rows, cv)}
    return _of_one(rows, cv.predictions, on_single, landscapes)


def _of_one(rows: FittedRows, held_out: Array | None, on_single: bool, landscapes: bool) -> dict[str, Any]:
    """What is known of a model with one output."""
    at, hessians, n_hessian = _hessians(rows)
    return {
        "gradients": plain(_gradients(rows), DIGITS),
        "hessians_at": at,
        "hessians": hessians,
        "n_hessian": n_hessian,
        "alone": _alone(rows),
        "slices": slices(rows) if on_single and landscapes else [],
        "pairs": pairs(rows) if on_single and landscapes else [],
        "margins": margins(rows),
        "scaling": scaling(rows, held_out),
        "calibration": None if held_out is None else calibration(rows, held_out),
        "residuals": residuals(rows, held_out),
        "decisions": decisions(rows, held_out),
        "observed": observed(rows, held_out),
        "convexity": convexity(rows) if on_single else None,
        "outputs": None,
    }


def _nothing() -> dict[str, Any]:
    """The same where the views of rows with one linear predictor have nothing to show."""
    lists: dict[str, Any] = {name: [] for name in ("gradients", "hessians_at", "hessians", "alone", "slices", "pairs")}
    nothing = dict.fromkeys(("margins", "scaling", "calibration", "residuals", "decisions", "observed", "convexity"))
    return {**lists, "n_hessian": 0, **nothing, "outputs": None}


def _gradients(rows: FittedRows) -> Array:
    """Gradient (n_lambdas, n_listed) of the mean loss."""
    weighted = (rows.weights[:, None] * rows.slope(rows.link(block)) for block in rows.blocks())
    return np.concatenate([one.T @ rows.features for one in weighted])


def _hessians(rows: FittedRows) -> tuple[list[int], list[list[float]], int]:
    """Where there are Hessians, these as packed lower triangles, and of how many features."""
    quadratic = rows.family.quadratic
    at = [0] if quadratic else rows.some(rows.n_few)
    size = min(rows.columns.size, rows.columns.size if quadratic and rows.n_few > FEW_BESIDE else CURVED)
    lower = np.tril_indices(size)
    features = rows.features[:, :size]
    packed = []
    for index in at:
        bend = rows.weights if quadratic else rows.weights * rows.curvature(rows.link_at(index))
        packed.append(plain(((features.T * bend) @ features)[lower], DIGITS))
    return at, packed, size


def _alone(rows: FittedRows) -> list[float]:
    """Squared error: covariance of each listed feature with the target."""
    if not rows.family.quadratic:
        return []
    target = rows.y - rows.offset
    centred = target - rows.weights @ target if rows.path.fit_intercept else target
    covariances: list[float] = plain(rows.features.T @ (rows.weights * centred), DIGITS)
    return covariances


def _penalties(rows: FittedRows) -> tuple[Array, Array]:
    """Sums of |b| and of b^2 / 2 per SD with penalty factors, by lambda; |b| is a length where outputs go together."""
    path = rows.path
    stored = lengths(path) if path.grouped else path.coef_rows
    factors = np.where(np.isfinite(path.penalty_factors), path.penalty_factors, 0.0)[stored.indices]
    size = np.abs(stored.values) * path.scales[stored.indices]
    by_lambda = (path.lambdas.size, -1)
    l1, l2 = stored.sums(factors * size), stored.sums(factors * size**2 / 2)
    return l1.reshape(by_lambda).sum(axis=1), l2.reshape(by_lambda).sum(axis=1)


def _rest(rows: FittedRows, beside: NDArray[np.intp]) -> Any:
    """What a prediction starts from: intercept and what all columns at their means add that a reader cannot set."""
    path = rows.path
    fixed = ~settable(path, rows.columns, beside)[path.preparation.column_of_feature]
    coefs = path.coef_rows
    means = np.zeros(path.n_features)
    used = np.unique(coefs.indices[fixed[coefs.indices] & (coefs.values != 0)])
    means[used] = column_means(rows.design, used, rows.weights)
    return plain(path.intercepts + coefs.sums(coefs.values * means[coefs.indices]).reshape(path.intercepts.shape))


def _ranges(rows: FittedRows, beside: NDArray[np.intp]) -> list[dict[str, Any] | None]:
    """Least, middle and largest value of each stored feature that is a number, and whether all values are whole."""
    preparation = rows.path.preparation
    starts = np.searchsorted(preparation.column_of_feature, np.arange(len(preparation.columns)))
    found: list[dict[str, Any] | None] = []
    for j in [*rows.columns, *beside]:
        place = preparation.column_of_feature[j]
        if not isinstance(preparation.columns[place], NumberTerm) or starts[place] != j:
            found.append(None)
            continue
        values = dense_columns(rows.design, np.array([j]))[rows.counted, 0]
        middle = quantiles(values, rows.weights[rows.counted], (0.5,))[0]
        low, high = float(values.min()), float(values.max())
        found.append({"range": plain([low, middle, high]), "whole": bool((values == np.round(values)).all())})
    return found
