"""Pictures of results with matplotlib, which is imported here only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from normball.families import find_family

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.path import Path

_AXIS_TITLE = {
    "lam": "lambda",
    "l1_norm": "sum of absolute coefficients per standard deviation",
    "deviance": "share of the deviance explained",
}
_MOST_LABELS = 10
_MOST_PICTURES = 6
_BEYOND = 0.4  # how far a curve is followed that goes farther than all between the choices and no features


def plot_path(path: Path, ax: Any, x: Literal["lam", "l1_norm", "deviance"]) -> Any:
    """Draw every coefficient that is ever nonzero, and name the largest at the path's end.

    Several outputs have a picture each; where they are many, or there is room for one, it shows the length of each
    feature's coefficients over them.
    """
    if x not in _AXIS_TITLE:
        raise ValueError(f"x is {x!r}, but must be one of {', '.join(_AXIS_TITLE)}")
    along = {"lam": path.lambdas, "l1_norm": path.l1_norms, "deviance": path.deviance_ratio}[x]
    coefs, per_sd = path.coefs * path.scales, " per standard deviation" * path.standardize
    if not path.output_names:
        return _draw_path(_axes(ax), path, coefs, along, x, f"coefficient{per_sd}")
    lengths = np.linalg.norm(coefs, axis=1)
    if ax is not None or path.n_outputs > _MOST_PICTURES:
        return _draw_path(_axes(ax), path, lengths, along, x, f"length of the coefficients{per_sd}")
    axes = _row_of_axes(path.n_outputs)
    for k, one in enumerate(axes):
        _draw_path(one, path, coefs[:, k], along, x, f"coefficient{per_sd}" if k == 0 else "", lengths, legend=k == 0)
        one.set_title(path.output_names[k])
    return axes


def _draw_path(
    ax: Any, path: Path, coefs: Any, along: Any, x: str, title: str, sizes: Any = None, legend: bool = True
) -> Any:
    """One picture; which features are drawn and named follows from their `sizes`, the coefficients by default."""
    sizes = coefs if sizes is None else sizes
    kept = np.flatnonzero(sizes.any(axis=0))
    labelled = set(kept[np.argsort(-np.abs(sizes[-1, kept]))][:_MOST_LABELS].tolist())
    for j in kept:
        ax.plot(along, coefs[:, j], label=path.preparation.shown_names[j] if j in labelled else None)
    if x == "lam":
        _strength_axis(ax)
    ax.set_xlabel(_AXIS_TITLE[x])
    ax.set_ylabel(title)
    ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    if labelled and legend:
        ax.legend(fontsize="small", framealpha=0.85, edgecolor="none")
    return ax


def plot_cv(cv: CVPath, ax: Any) -> Any:
    """Draw the mean score with one standard error, the training score, and both choices of strength."""
    ax = _axes(ax)
    mean, error = cv.cv_mean, cv.cv_se
    ax.fill_between(cv.lambdas, mean - error, mean + error, alpha=0.25, linewidth=0.0)
    ax.plot(cv.lambdas, mean, label="held-out rows")
    if _with_fitted_rows(cv):
        ax.plot(cv.lambdas, cv.train_mean, linestyle="--", label="fitted rows")
    ax.axvline(cv.lambda_best, color="0.4", linestyle=":", label="lambda_best")
    ax.axvline(cv.lambda_1se, color="0.4", linestyle="-.", label="lambda_1se")
    _strength_axis(ax)
    _cut(ax, cv)
    ax.set_xlabel("lambda")
    ax.set_ylabel(cv.score)
    ax.legend(fontsize="small", framealpha=0.85, edgecolor="none")
    return ax


def _with_fitted_rows(cv: CVPath) -> bool:
    """What held-out rows add to a partial likelihood is not on the scale of that of the fitted rows."""
    return not (find_family(cv.path.family).has_risk_sets and cv.score == "deviance")


def _cut(ax: Any, cv: CVPath) -> None:
    """Leave out where weak penalties take the curve so far that the minimum would look flat, as the page does."""
    mean, lambdas = cv.cv_mean, cv.lambdas
    each = np.array([mean, mean + cv.cv_se, mean - cv.cv_se, cv.train_mean if _with_fitted_rows(cv) else mean])
    weakest = max(int(np.argmin(np.abs(lambdas - lam))) for lam in (cv.lambda_best, cv.lambda_1se))
    core = each[:, : weakest + 1]
    core, whole = core[np.isfinite(core)], each[np.isfinite(each)]
    if not core.size:
        return
    low, high = core.min(), core.max()
    room = high - low
    least, most = whole.min(), whole.max()
    bottom = least if low - least <= room else low - _BEYOND * room
    top = most if most - high <= room else high + _BEYOND * room
    inside = np.flatnonzero((mean >= bottom) & (mean <= top))
    if room <= 0 or (bottom == least and top == most):
        return
    ax.set_ylim(bottom - 0.05 * (top - bottom), top + 0.05 * (top - bottom))
    last = inside[-1] + 1
    if last < lambdas.size and lambdas[last] > 0:
        end = max(lambdas[0] * (lambdas[last] / lambdas[0]) ** 1.25, lambdas[lambdas > 0].min())
        ax.set_xlim(lambdas[0], end)
        far = mean[last:].max() if mean[last] > top else mean[last:].min()
        ax.annotate(
            f"reaches {far:.4g}", (0.98, 0.96 if mean[last] > top else 0.04), xycoords="axes fraction", ha="right"
        )


def _axes(ax: Any) -> Any:
    return _pyplot().subplots()[1] if ax is None else ax


def _row_of_axes(number: int) -> Any:
    """Pictures side by side over common axes."""
    size = (2.4 + 3.0 * number, 4.0)
    return _pyplot().subplots(1, number, sharex=True, sharey=True, figsize=size, layout="constrained")[1]


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("plot() needs matplotlib: pip install normball[plot]") from None
    return plt


def _strength_axis(ax: Any) -> None:
    """Strong penalties on the left, where the path begins."""
    ax.set_xscale("log")
    if not ax.xaxis_inverted():  # pictures side by side share it
        ax.invert_xaxis()
