"""What a page says about the data of a model: the `Evidence` of web/src/payload.js. Statistics, never a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.fitted_rows import FEW, FittedRows, dense_columns, fitted_rows
from normball.evidence.held_out import calibration, margins, quantiles, residuals, scaling
from normball.evidence.listed import lengths, plain
from normball.evidence.outputs import of_outputs
from normball.evidence.slices import convexity, pairs, slices

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data
    from normball.run import Run

Array = NDArray[np.float64]

DIGITS = 5
CURVED = 12  # features with a Hessian where it changes along the path


def evidence(cv: CVPath, run: Run, data: Data) -> dict[str, Any]:
    """The statistics of the rows that `cv` was fitted to.

    Everything is per standard deviation and weighted. Hessians, slices and gradients hold the intercept fixed; for
    squared error the columns are centred, so that it makes no difference there. Beside the `Evidence` stand "means"
    of the listed features and "rest", which `payload` puts in their places.

    Raises
    ------
    DataError
        If the data are not those of the model.
    """
    rows = fitted_rows(cv, run, data)
    path = rows.path
    on_single = not path.has_group_penalty  # the drawings of penalties and balls are those of single coefficients
    l1, l2 = _penalties(rows) if on_single else (np.zeros(0), np.zeros(0))
    low, high = _ranges(rows)
    return {
        "means": [float(mean) for mean in rows.means],
        "loss": plain(path.loss, 10),
        "penalty_l1": plain(l1, 10),
        "penalty_l2": plain(l2, 10),
        "null_loss": path.null_loss,
        "factors": plain(path.penalty_factors[rows.columns]),
        "ranges_low": plain(low, DIGITS),
        "ranges_high": plain(high, DIGITS),
        "held_out": cv.predictions is not None,
        **(_of_several(rows, cv) if rows.family.has_outputs else _of_one(rows, cv.predictions, on_single)),
    }


def _of_one(rows: FittedRows, held_out: Array | None, on_single: bool) -> dict[str, Any]:
    """What is known of a model with one output."""
    at, hessians, n_hessian = _hessians(rows)
    gradients, link_means = _gradients(rows)
    return {
        "rest": plain(link_means - rows.coefs @ rows.means),
        "gradients": plain(gradients, DIGITS),
        "hessians_at": at,
        "hessians": hessians,
        "n_hessian": n_hessian,
        "alone": _alone(rows),
        "slices": slices(rows) if on_single else [],
        "pairs": pairs(rows) if on_single else [],
        "margins": margins(rows),
        "scaling": scaling(rows, held_out),
        "calibration": None if held_out is None else calibration(rows, held_out),
        "residuals": residuals(rows, held_out),
        "convexity": convexity(rows) if on_single else None,
        "outputs": None,
    }


def _of_several(rows: FittedRows, cv: CVPath) -> dict[str, Any]:
    """The same of a model with several; the views of one linear predictor have nothing to show."""
    means = np.concatenate([np.tensordot(rows.weights, rows.link(block), 1) for block in rows.blocks()])
    rest = means - rows.weights @ rows.offset - rows.coefs @ rows.means
    lists: dict[str, Any] = {name: [] for name in ("gradients", "hessians_at", "hessians", "alone", "slices", "pairs")}
    nothing = dict.fromkeys(("margins", "scaling", "calibration", "residuals", "convexity"))
    return {"rest": plain(rest), **lists, "n_hessian": 0, **nothing, "outputs": of_outputs(rows, cv)}


def _gradients(rows: FittedRows) -> tuple[Array, Array]:
    """Gradient (n_lambdas, n_listed) of the mean loss, and the mean linear predictor without offsets."""
    gradients, means = [], []
    for block in rows.blocks():
        eta = rows.link(block)
        weighted = rows.weights[:, None] * rows.slope(eta)
        gradients.append(weighted.T @ rows.features)
        means.append(rows.weights @ (eta - rows.offset[:, None]))
    return np.concatenate(gradients), np.concatenate(means)


def _hessians(rows: FittedRows) -> tuple[list[int], list[list[float]], int]:
    """Where there are Hessians, these as packed lower triangles, and of how many features."""
    quadratic = rows.family.quadratic
    at = [0] if quadratic else rows.some(FEW)
    size = min(rows.columns.size, rows.columns.size if quadratic else CURVED)
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


def _ranges(rows: FittedRows) -> tuple[Array, Array]:
    """1 and 99 % points of the listed features as they stand in the data."""
    values = dense_columns(rows.design, rows.columns)
    points = np.array([quantiles(column, rows.weights, (0.01, 0.99)) for column in values.T]).reshape(-1, 2)
    return points[:, 0], points[:, 1]
