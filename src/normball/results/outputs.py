"""Results with several outputs as tables: a class each, or a target each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.language import tr
from normball.results.text import shortened

if TYPE_CHECKING:
    from normball.results.fit import Fit
    from normball.results.path import Path

MOST_COLUMNS = 10  # outputs that a table tells one by one
WIDEST_TITLE = 16


def titles(fit: Fit, short: bool) -> list[str]:
    """The titles of `cells`, after that of the length of a feature's coefficients over the outputs."""
    length = tr("length per SD" if fit.standardize else "length")
    if short or fit.n_outputs > MOST_COLUMNS:
        return [length, tr("largest")]
    return [length, *(shortened(name, WIDEST_TITLE) for name in fit.output_names)]


def cells(fit: Fit, coefs: Sequence[float], written: Sequence[str], short: bool) -> list[str]:
    """A feature's coefficients as they are `written`; the largest and its output where there is no room for all."""
    if not short and fit.n_outputs <= MOST_COLUMNS:
        return list(written)
    largest = int(np.argmax(np.abs(coefs)))
    return [f"{written[largest]} ({shortened(fit.output_names[largest], WIDEST_TITLE)})"]


def named_intercepts(path: Path) -> dict[str, Any]:
    """The intercepts along a path by the titles of their columns."""
    if not path.output_names:
        return {"intercept": path.intercepts}
    return {f"intercept = {name}": path.intercepts[:, k] for k, name in enumerate(path.output_names)}


def coefficients(fit: Fit) -> dict[str, Any]:
    """The columns of a long table: one row for each feature and output, the intercepts last."""
    names, n_outputs = [*fit.feature_names, "(intercept)"], fit.n_outputs
    groups = {} if fit.groups is None else {"group": _each([*fit.groups.by_feature(), None], n_outputs)}
    return {
        "feature": _each(names, n_outputs),
        **groups,
        "output": [*fit.output_names] * len(names),
        "per_sd": [*fit.coef_per_sd.T.ravel().tolist(), *[None] * n_outputs],
        "per_unit": np.vstack([fit.coef.T, fit.intercept]).ravel(),
    }


def _each(names: Sequence[str | None], times: int) -> list[str | None]:
    return [name for name in names for _ in range(times)]
