"""Predictions of fitted models for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.families import find_family
from normball.messages import DataError
from normball.predictor import linear_predictor
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    from normball.results.fit import Fit
    from normball.results.path import Path

Array = NDArray[np.float64]
Kind = Literal["link", "response", "class"]
Unknown = Literal["error", "warn", "baseline"]


def predict(
    model: Fit | Path,
    X: Any,
    intercepts: Array,
    coefs: SparseRows,
    kind: Kind,
    offset: ArrayLike | str | Sequence[str] | None,
    unknown: Unknown,
) -> NDArray[Any]:
    """Predictions (n, n_models), or with several outputs (n, n_models, n_outputs), of several models like `model`.

    `coefs` has a row for each of the `intercepts`, which are (n_models,) or (n_models, n_outputs).
    """
    from normball.inputs.prepare import prepare_new
    from normball.inputs.row_numbers import column_values
    from normball.inputs.rows import index_of, misplaced

    if not isinstance(kind, str) or kind not in ("link", "response", "class"):
        raise ValueError(f'kind is {kind!r}, but must be "link", "response" or "class"')
    if kind == "class" and model.classes is None:
        raise ValueError(f'kind="class" needs a binomial or multinomial model; this one is {model.family}')
    if isinstance(offset, str):
        offset = column_values(X, offset, "offset")
    elif model.output_names and isinstance(offset, list | tuple) and all(isinstance(name, str) for name in offset):
        offset = np.column_stack([column_values(X, name, "offset") for name in offset])
    elif found := misplaced(index_of(X), offset, "offset"):
        raise DataError(found)
    design = prepare_new(model.preparation, X, unknown=unknown)
    eta = linear_predictor(design, intercepts, coefs)
    eta = eta + _checked_offset(model, offset, eta.shape[0])[:, None]
    family = find_family(model.family)
    if kind == "class":
        return np.asarray(model.classes)[family.choice(eta)]
    return family.mean(eta) if kind == "response" else np.asarray(eta)


def _checked_offset(model: Fit | Path, offset: ArrayLike | None, n_rows: int) -> Array:
    shape = (n_rows, model.n_outputs) if model.output_names else (n_rows,)
    if offset is None:
        if model.has_offset:
            raise ValueError("The model was fitted with an offset: pass offset= for the new rows too")
        return np.zeros(shape)
    if not model.has_offset:
        raise ValueError("The model was fitted without an offset: leave offset= out")
    values = np.asarray(offset, dtype=np.float64)
    if values.shape != shape:
        outputs = f" and the model {model.n_outputs} outputs" if model.output_names else ""
        raise ValueError(f"offset has shape {values.shape}, but X has {n_rows} rows{outputs}")
    if not np.isfinite(values).all():
        raise ValueError("offset holds values that are not finite")
    return values
