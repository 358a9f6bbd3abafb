"""Results in plain text and as small HTML tables."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from normball.cv_results import Choice, Comparison, CVPath
    from normball.results import Fit, Path

_MOST_FEATURES = 30
_STABLE_SHARE = 0.8  # of the folds; kept in fewer is called unstable
_PENALTY = {0.0: "L2", 1.0: "L1"}
_FACTOR_TITLE = {"binomial": "odds x/unit", "poisson": "rate x/unit"}


def fit_summary(fit: Fit) -> str:
    """One model: its strength, certificate and features."""
    rows = [
        ["lambda", f"{fit.lam:.4g}"],
        ["features kept", f"{fit.n_nonzero} of {fit.coef.size}"],
        ["deviance explained", _percent(fit.deviance_ratio)],
        ["certificate", _certificate(fit)],
    ]
    if fit.radius is not None:
        rows.insert(1, ["radius", f"{fit.radius:.6g}"])
    features = _feature_rows(fit)
    return "\n".join([_title(fit), *_columns(rows), "", *_columns([_feature_head(fit, "Features"), *features])])


def path_summary(path: Path) -> str:
    """The whole path in ten rows."""
    head = ["lambda", "features", "deviance explained", "L1 norm", "dual gap", "status"]
    rows = [
        [f"{path.lambdas[i]:.4g}", str(n), _percent(ratio), f"{norm:.4g}", f"{path.dual_gaps[i]:.1e}", path.statuses[i]]
        for i, n, ratio, norm in _some_points(path)
    ]
    solved = int(np.sum(path.statuses == "converged"))
    closing = f"{solved} of {path.lambdas.size} lambdas certified to a relative duality gap of {path.tol:g}"
    return "\n".join([_title(path), *_columns([head, *rows]), closing])


def cv_summary(cv: CVPath, select: Choice) -> str:
    """Both choices of strength side by side, and the features of the one selected."""
    fit = cv.at(select)
    kept = cv.selection_counts[cv.index_of(select)]
    head = [*_feature_head(fit, f"Selected at lambda_{select}"), "kept in folds", ""]
    order = _by_size(fit)
    rows = []
    for row, feature in zip(_feature_rows(fit), order, strict=False):
        unstable = "unstable" if kept[feature] < _STABLE_SHARE * cv.n_folds else ""
        rows.append([*row, f"{kept[feature]}/{cv.n_folds}", unstable])
    closing = _feature_rows(fit)[len(rows) :]
    return "\n".join([_title(cv.path), *_columns(_choices(cv, select)), "", *_columns([head, *rows, *closing])])


def comparison_summary(comparison: Comparison) -> str:
    """The penalties side by side."""
    return "\n".join(_columns(_comparison_rows(comparison)))


def fit_html(fit: Fit) -> str:
    """The features as an HTML table."""
    return _html_table(_title(fit), [_feature_head(fit, "feature"), *_feature_rows(fit)])


def path_html(path: Path) -> str:
    """Ten rows of the path as an HTML table."""
    rows = [
        [f"{path.lambdas[i]:.4g}", str(n), _percent(ratio), f"{path.dual_gaps[i]:.1e}"]
        for i, n, ratio, _ in _some_points(path)
    ]
    return _html_table(_title(path), [["lambda", "features", "deviance explained", "dual gap"], *rows])


def cv_html(cv: CVPath) -> str:
    """Both choices of strength as an HTML table."""
    return _html_table(_title(cv.path), _choices(cv, "1se"))


def comparison_html(comparison: Comparison) -> str:
    """The penalties as an HTML table."""
    return _html_table("Comparison on the same folds", _comparison_rows(comparison))


def _title(result: Fit | Path) -> str:
    penalty = _PENALTY.get(result.l1_ratio, f"elastic net, l1_ratio {result.l1_ratio:g}")
    scale = "" if result.standardize else ", not standardised"
    return f"{result.family}, {penalty}{scale}"


def _certificate(fit: Fit) -> str:
    if math.isnan(fit.dual_gap):
        return "none (interpolated between two certified strengths)"
    return f"relative duality gap {fit.dual_gap:.1e}, {fit.status}"


def _some_points(path: Path) -> list[tuple[int, int, float, float]]:
    """Ten strengths spread over the path: position, number of features, deviance explained, L1 norm."""
    places = np.unique(np.linspace(0, path.lambdas.size - 1, 10).round().astype(int))
    n_nonzero, ratio, norms = path.n_nonzero, path.deviance_ratio, path.l1_norms
    return [(int(i), int(n_nonzero[i]), float(ratio[i]), float(norms[i])) for i in places]


def _choices(cv: CVPath, select: Choice) -> list[list[str]]:
    """The table of lambda_1se and lambda_best."""
    choices: tuple[Choice, Choice] = ("1se", "best")
    mean, error, gap = cv.cv_mean, cv.cv_se, cv.train_validation_gap
    n_nonzero = cv.path.n_nonzero

    def row(title: str, show: Callable[[Choice, int], str]) -> list[str]:
        return [title, *(show(which, cv.index_of(which)) for which in choices)]

    table = [
        row("", lambda which, i: f"lambda_{which}" + " (picked)" * (which == select)),
        row("lambda", lambda which, i: f"{cv.lambdas[i]:.4g}"),
        row(f"CV {cv.score}", lambda which, i: f"{mean[i]:.4g} +/- {error[i]:.3g}"),
    ]
    if cv.score == "deviance":
        table[-1].append(f"(null {2.0 * cv.path.null_loss:.4g})")
    if cv.diagnostics and cv.score != "auc":
        table.append(row("CV AUC", lambda which, i: f"{cv.diagnostics[which]['auc']:.3f}"))
    table.append(row("features kept", lambda which, i: f"{n_nonzero[i]} of {cv.path.n_features}"))
    table.append(row("train-validation gap", lambda which, i: f"{gap[i]:.3g}"))
    if cv.diagnostics:
        table.append(row("largest |margin|", lambda which, i: _margin(cv.diagnostics[which])))
    undefined = int(np.isnan(cv.fold_scores).any(axis=1).sum())
    if undefined:
        table.append([f"({cv.score} is undefined in {undefined} of {cv.n_folds} folds; these do not count)"])
    return table


def _margin(numbers: dict[str, float]) -> str:
    return f"{numbers['largest_margin']:.1f} ({_percent(numbers['saturated'], digits=0)} of rows saturated)"


def _comparison_rows(comparison: Comparison) -> list[list[str]]:
    head = ["l1_ratio", "lambda_best", f"CV {comparison[0].score}", "features", "lambda_1se", "CV", "features", ""]
    rows = []
    for cv in comparison:
        row = [f"{cv.path.l1_ratio:g}"]
        for index in (cv.index_best, cv.index_1se):
            score = f"{cv.cv_mean[index]:.4g} +/- {cv.cv_se[index]:.3g}"
            row += [f"{cv.lambdas[index]:.4g}", score, str(cv.path.n_nonzero[index])]
        rows.append([*row, "best" if cv is comparison.best else ""])
    return [head, *rows]


def _by_size(fit: Fit) -> NDArray[np.intp]:
    """The features kept, the largest coefficients first, as many as are shown."""
    kept = np.flatnonzero(fit.coef)
    return kept[np.argsort(-np.abs(fit.coef_per_sd[kept]), kind="stable")][:_MOST_FEATURES]


def _feature_head(fit: Fit, title: str) -> list[str]:
    per_sd = ["per SD"] if fit.standardize else []
    factor = [_FACTOR_TITLE[fit.family]] if fit.family in _FACTOR_TITLE else []
    return [title, *per_sd, "per unit", *factor]


def _feature_rows(fit: Fit) -> list[list[str]]:
    """The largest coefficients, a line for those left out, and the intercept."""
    has_factor = fit.family in _FACTOR_TITLE
    per_sd = fit.coef_per_sd
    rows = []
    for j in _by_size(fit):
        row = [f"  {fit.feature_names[j]}"] + [f"{per_sd[j]:+.3f}"] * fit.standardize + [f"{fit.coef[j]:+.4g}"]
        rows.append(row + [f"{_exp(fit.coef[j]):.3g}"] * has_factor)
    left_out = fit.n_nonzero - len(rows)
    if left_out:
        rows.append([f"  ... and {left_out} more"])
    rows.append(["  (intercept)"] + [""] * fit.standardize + [f"{fit.intercept:+.4g}"])
    return rows


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


def _percent(share: float, digits: int = 1) -> str:
    return f"{100.0 * share:.{digits}f} %"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns; a row of one entry does not widen its column."""
    n_columns = max(len(row) for row in rows)
    widths = [max(len(row[j]) for row in rows if len(row) > max(j, 1)) for j in range(n_columns)]
    lines = ["   ".join(entry.ljust(width) for entry, width in zip(row, widths, strict=False)) for row in rows]
    return [line.rstrip() for line in lines]


def _html_table(title: str, rows: Sequence[Sequence[str]]) -> str:
    head, *body = ["".join(f"<td>{html.escape(entry.strip())}</td>" for entry in row) for row in rows]
    lines = "".join(f"<tr>{row}</tr>" for row in body)
    head = head.replace("td>", "th>")
    return f"<table><caption>{html.escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
