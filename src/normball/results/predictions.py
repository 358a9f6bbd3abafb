"""Predictions of fitted models for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.families import find_family
from normball.messages import DataError
from normball.predictor import linear_predictor
from normball.results.in_parts import Predictor, predict_parts
from normball.results.kinds import (
    CURVES,
    Kind,
    Unknown,
    check_kind,
    check_offset,
    curves_of,
    in_parts,
    of_kind,
    without_parts,
)
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    from normball.results.fit import Fit
    from normball.results.path import Path
    from normball.survival.baseline import Baseline

Array = NDArray[np.float64]


def predict(
    model: Fit | Path,
    X: Any,
    intercepts: Array,
    coefs: SparseRows,
    kind: Kind,
    offset: ArrayLike | str | Sequence[str] | None,
    unknown: Unknown,
    times: ArrayLike | None = None,
    strata: ArrayLike | str | None = None,
    baselines: Sequence[Baseline | None] = (),
) -> NDArray[Any]:
    """Predictions (n, n_models), or with several outputs (n, n_models, n_outputs), of several models like `model`.

    `coefs` has a row for each of the `intercepts`, which are (n_models,) or (n_models, n_outputs). Curves at several
    `times` are (n, n_models, n_times), by the `baselines` of the models.
    """
    from normball.inputs.prepare import prepare_new
    from normball.inputs.row_numbers import column_values
    from normball.inputs.rows import index_of, misplaced
    from normball.inputs.streams import at_hand

    X, family = at_hand(X), find_family(model.family)
    check_kind(model, family, kind, times)
    if strata is not None and kind not in (*CURVES, "median"):
        raise ValueError(f'strata are given, but kind="{kind}" does not depend on them')
    if in_parts(X):
        predictor = Predictor(model.family, model.classes, intercepts, coefs, kind, times, tuple(baselines))
        return predict_parts(model, predictor, X, offset, strata, unknown)
    X = without_parts(X)
    if isinstance(offset, str):
        offset = column_values(X, offset, "offset")
    elif model.output_names and isinstance(offset, list | tuple) and all(isinstance(name, str) for name in offset):
        offset = np.column_stack([column_values(X, name, "offset") for name in offset])
    elif found := misplaced(index_of(X), offset, "offset"):
        raise DataError(found)
    design = prepare_new(model.preparation, X, unknown=unknown)
    eta = linear_predictor(design, intercepts, coefs)
    eta = eta + _checked_offset(model, offset, eta.shape[0])[:, None]
    if kind in (*CURVES, "median"):
        return _of_times(X, eta, kind, times, strata, baselines)
    return of_kind(kind, eta, family, model.classes)


def _of_times(
    X: Any,
    eta: Array,
    kind: Kind,
    times: ArrayLike | None,
    strata: ArrayLike | str | None,
    baselines: Sequence[Baseline | None],
) -> Array:
    """Curves (n, n_models, n_times), or (n, n_models) at one time; or medians (n, n_models)."""
    from normball.inputs.sources import source_of
    from normball.inputs.survival_target import new_strata

    known = [baseline for baseline in baselines if baseline is not None]
    return curves_of(kind, eta, times, new_strata(source_of(X), strata, known[0].stratum_names), known)


def _checked_offset(model: Fit | Path, offset: ArrayLike | None, n_rows: int) -> Array:
    shape = (n_rows, model.n_outputs) if model.output_names else (n_rows,)
    check_offset(model, offset is not None)
    if offset is None:
        return np.zeros(shape)
    values = np.asarray(offset, dtype=np.float64)
    if values.shape != shape:
        outputs = f" and the model {model.n_outputs} outputs" if model.output_names else ""
        raise ValueError(f"offset has shape {values.shape}, but X has {n_rows} rows{outputs}")
    if not np.isfinite(values).all():
        raise ValueError("offset holds values that are not finite")
    return values
