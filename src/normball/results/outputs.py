"""Results with several outputs as tables: a class each, or a target each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from normball.results.fit import Fit
    from normball.results.path import Path


def named_intercepts(path: Path) -> dict[str, Any]:
    """The intercepts along a path by the titles of their columns."""
    if not path.output_names:
        return {"intercept": path.intercepts}
    return {f"intercept = {name}": path.intercepts[:, k] for k, name in enumerate(path.output_names)}


def coefficients(fit: Fit) -> dict[str, Any]:
    """The columns of a long table: one row for each feature and output, the intercepts last."""
    names, n_outputs = [*fit.feature_names, "(intercept)"], fit.n_outputs
    return {
        "feature": np.repeat(np.array(names, dtype=object), n_outputs).tolist(),
        "output": [*fit.output_names] * len(names),
        "per_sd": [*fit.coef_per_sd.T.ravel().tolist(), *[None] * n_outputs],
        "per_unit": np.vstack([fit.coef.T, fit.intercept]).ravel(),
    }
