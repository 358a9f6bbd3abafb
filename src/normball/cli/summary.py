"""The result on the terminal: the choices of strength side by side, the features, the same model elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.cli.console import Console, table
from normball.report import facts
from normball.report.reproduce import one_line
from normball.report.text import display_width, shortened

if TYPE_CHECKING:
    from normball.cv_results import CVPath
    from normball.report.run import Run

SHOWN = 20  # features
NARROWEST_NAME = 12


def lines(cv: CVPath, run: Run, console: Console) -> list[str]:
    """The summary, no line wider than the terminal where names can be cut."""
    chosen = facts.points(cv, run.select)
    picked = chosen[0]
    head = ["", *(f"{one.label} (picked)" if one is picked else one.label for one in chosen)]
    rows = table([head, *facts.comparison(cv, chosen)], align="<" * len(head))
    if (null := facts.null_score(cv)) is not None:
        rows[2] += f"   (null {facts.figures(null)})"
    undefined = int(np.isnan(cv.fold_scores).any(axis=1).sum())
    if undefined:
        rows.append(f"({cv.score} is undefined in {undefined} of {cv.n_folds} folds, which do not count)")
    text = [console.bold(rows[0]), *rows[1:], "", *_features(cv, picked, console)]
    return [*text, f"Solved   {facts.certificate(cv.path)}", f"Same as  {one_line(cv.path, picked.fit.lam)}"]


def document(cv: CVPath, run: Run, files: Mapping[str, str]) -> dict[str, Any]:
    """The same as data, for `--json`."""
    path = cv.path
    chosen = facts.points(cv, run.select)
    return {
        "source": run.source or run.example,
        "target": run.target,
        "family": path.family,
        "l1_ratio": path.l1_ratio,
        "standardize": path.standardize,
        "n_rows": path.n_rows,
        "n_features": path.n_features,
        "folds": cv.folds,
        "picked": chosen[0].label,
        "choices": {one.label: one.numbers(cv) for one in chosen},
        "null_deviance": 2.0 * path.null_loss,
        "intercept": chosen[0].fit.intercept,
        "features": [vars(feature) for feature in facts.selected(chosen[0])],
        "path": {
            "lambdas": path.lambdas,
            "statuses": path.statuses,
            "dual_gaps": path.dual_gaps,
            "tol": path.tol,
            "largest_fold_dual_gap": float(np.max(cv.fold_dual_gaps)),
        },
        "findings": [vars(finding.in_command_line_words()) for finding in path.findings],
        "files": files,
    }


def _features(cv: CVPath, picked: facts.Point, console: Console) -> list[str]:
    """The features kept, with names cut to what the terminal leaves for them."""
    path = cv.path
    features = facts.selected(picked)
    shown = features if console.verbose else features[:SHOWN]
    head = [f"Selected at {picked.label}"] + ["per SD"] * path.standardize + ["per unit"]
    head += [facts.FACTORS[path.family]] if path.family in facts.FACTORS else []
    in_folds = path.l1_ratio > 0 and picked.counts is not None
    head += ["kept in folds"] * in_folds
    rows = [head]
    for feature in shown:
        row = [f"  {feature.name}"] + [facts.signed(feature.per_sd)] * path.standardize
        row.append(facts.signed(feature.per_unit))
        row += [facts.factor(feature.factor)] if feature.factor is not None else []
        row += [facts.in_folds(feature.folds or 0, cv.n_folds)] if in_folds else []
        rows.append(row)
    if len(shown) < len(features):
        rows.append([f"  ... and {len(features) - len(shown):,} more (-v)", *[""] * (len(head) - 1)])
    if path.fit_intercept:
        row = ["  (intercept)"] + [""] * path.standardize + [facts.signed(picked.fit.intercept)]
        rows.append(row + [""] * (len(head) - len(row)))
    widths = [max(display_width(row[k]) for row in rows) for k in range(1, len(head))]
    room = max(NARROWEST_NAME, console.width - sum(widths) - 3 * len(widths))
    rows = [[row[0][:2] + shortened(row[0][2:], room - 2), *row[1:]] for row in rows]
    text = table(rows, align="<" + ">" * (len(head) - 1 - in_folds) + "<" * in_folds)
    return [console.bold(text[0]), *text[1:]]
