"""Pictures of results with matplotlib, which is imported here only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.path import Path

_AXIS_TITLE = {
    "lam": "lam",
    "l1_norm": "sum of absolute coefficients per standard deviation",
    "deviance": "share of the deviance explained",
}
_MOST_LABELS = 10


def plot_path(path: Path, ax: Any, x: Literal["lam", "l1_norm", "deviance"]) -> Any:
    """Draw every coefficient that is ever nonzero, and name the largest at the path's end."""
    if x not in _AXIS_TITLE:
        raise ValueError(f"x is {x!r}, but must be one of {', '.join(_AXIS_TITLE)}")
    ax = _axes(ax)
    along = {"lam": path.lambdas, "l1_norm": path.l1_norms, "deviance": path.deviance_ratio}[x]
    coefs = path.coefs * path.scales
    kept = np.flatnonzero(coefs.any(axis=0))
    labelled = set(kept[np.argsort(-np.abs(coefs[-1, kept]))][:_MOST_LABELS].tolist())
    for j in kept:
        ax.plot(along, coefs[:, j], label=path.feature_names[j] if j in labelled else None)
    if x == "lam":
        _strength_axis(ax)
    ax.set_xlabel(_AXIS_TITLE[x])
    ax.set_ylabel("coefficient per standard deviation" if path.standardize else "coefficient")
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    if labelled:
        ax.legend(fontsize="small", frameon=False)
    return ax


def plot_cv(cv: CVPath, ax: Any) -> Any:
    """Draw the mean score with one standard error, the training score, and both choices of strength."""
    ax = _axes(ax)
    mean, error = cv.cv_mean, cv.cv_se
    ax.fill_between(cv.lambdas, mean - error, mean + error, alpha=0.25, linewidth=0.0)
    ax.plot(cv.lambdas, mean, label="held-out rows")
    ax.plot(cv.lambdas, cv.train_mean, linestyle="--", label="training rows")
    ax.axvline(cv.lambda_best, color="0.4", linestyle=":", label="best")
    ax.axvline(cv.lambda_1se, color="0.4", linestyle="-.", label="one standard error")
    _strength_axis(ax)
    ax.set_xlabel("lam")
    ax.set_ylabel(cv.score)
    ax.legend(fontsize="small", frameon=False)
    return ax


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("plot() needs matplotlib: pip install normball[plot]") from None
    return plt.subplots()[1]


def _strength_axis(ax: Any) -> None:
    """Strong penalties on the left, where the path begins."""
    ax.set_xscale("log")
    ax.invert_xaxis()
