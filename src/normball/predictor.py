"""The linear predictor of many models at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.threads import default_threads, single_threaded_blas

if TYPE_CHECKING:
    from normball.results.sparse_rows import SparseRows

Array = NDArray[np.float64]


def linear_predictor(
    design: Any,
    intercepts: Array,
    coefs: SparseRows,
    rows: NDArray[np.int64] | None = None,
    n_threads: int | None = None,
) -> Array:
    """X b + b0 on the listed rows or on all of them: (n_rows, n_models), or with several outputs (.., .., n_outputs).

    `coefs` has a row for each of the `intercepts`, which are (n_models,) or (n_models, n_outputs).
    """
    from normball import _native

    n_wanted = _n_rows(design) if rows is None else rows.size
    with single_threaded_blas:
        eta: Array = _native.linear_predictor(
            design,
            rows,
            np.ascontiguousarray(intercepts).ravel(),
            coefs.indptr,
            coefs.indices,
            coefs.values,
            n_threads or default_threads(n_wanted * coefs.indptr.size),
        )
    return eta.reshape(n_wanted, *intercepts.shape)


def _n_rows(design: Any) -> int:
    return int(design[3] if isinstance(design, tuple) else design.shape[0])
