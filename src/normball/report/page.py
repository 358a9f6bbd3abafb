"""The page: facts and drawings put into the template."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from normball import __version__
from normball.report import charts
from normball.report.reproduce import recipes
from normball.results import facts
from normball.results.text import shortened

if TYPE_CHECKING:
    from jinja2 import Template

    from normball.report.run import Run
    from normball.results.cv import CVPath

LISTED = 60  # features in the table
GRID_TITLES = ("lambda", "kept", "deviance explained", "CV mean", "CV error", "duality gap", "KKT violation", "status")
READING = (
    "lambda is the strength of the penalty: how much each unit of coefficient costs. A strong penalty keeps few "
    "features or none; as it weakens, features enter and their coefficients grow. The L1 part of the penalty sets "
    "coefficients to exactly zero, the L2 part shrinks them without doing so.",
    "lambda_best is where rows left out of the fit are predicted best. lambda_1se is the strongest penalty that is "
    "within one standard error of that: a smaller model that the data cannot tell from the best one.",
    "Coefficients per SD can be compared with one another: each says what one standard deviation of its feature "
    "does. Coefficients per unit belong to the feature as it stands in the table. They are shrunken towards zero on "
    "purpose, and no p-values are given, since features that were selected on these rows would pass any test on them.",
    "Among features that say nearly the same, L1 keeps one more or less by chance: see in how many folds each was "
    "kept. A feature that was not kept is not thereby without effect.",
    "The duality gap proves how far a solution can be from the optimum at most, relative to the loss of a model "
    "without features; no other program can find a solution that is better by more than this.",
)


def render(cv: CVPath, run: Run) -> str:
    """The whole page as text."""
    from markupsafe import Markup

    path = cv.path
    chosen = facts.points(cv, run.select)
    picked, numbers = chosen[0], facts.comparison(cv, chosen)
    features = facts.selected(picked)
    marks = {one.label.removeprefix("lambda_"): one.fit.lam for one in chosen}
    return _template().render(
        version=__version__,
        title=run.target,
        verdict=_verdict(cv, picked, features, run),
        about=" · ".join(text for text in (run.table, run.outcome, cv.folds) if text),
        choices=numbers[0][1:],
        numbers=numbers[1:],
        null_note=_null_note(cv),
        findings=[finding.in_command_line_words() if run.command else finding for finding in path.findings],
        picked=f"{picked.label} = {facts.figures(picked.fit.lam)}",
        columns=["feature", *facts.feature_titles(picked)],
        rows=[[feature.name, *facts.feature_cells(picked, feature)] for feature in features[:LISTED]],
        rows_left_out=max(0, len(features) - LISTED),
        intercept=facts.figures(picked.fit.intercept, 4) if path.fit_intercept else "",
        path_svg=Markup(
            charts.coefficient_path(
                path.lambdas, path.coefs * path.scales, path.feature_names, marks=marks, n_nonzero=path.n_nonzero
            )
        ),
        cv_svg=Markup(
            charts.cv_curve(
                cv.lambdas,
                cv.cv_mean,
                cv.cv_se,
                cv.train_mean,
                marks=marks,
                n_nonzero=path.n_nonzero,
                label=cv.score,
            )
        ),
        certificate=facts.certificate(path),
        fold_gap=facts.figures(float(np.max(cv.fold_dual_gaps)), 2),
        tol=f"{path.tol:g}",
        certificate_rows=[_certificate_row(one) for one in chosen],
        grid_titles=GRID_TITLES,
        grid=_grid(cv),
        recipes=recipes(cv, run, picked.fit.lam),
        reading=READING,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("normball", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _verdict(cv: CVPath, picked: facts.Point, features: list[facts.Feature], run: Run) -> str:
    """The result in two sentences."""
    path = cv.path
    size = f"At {picked.label} = {facts.figures(picked.fit.lam)}"
    if not features:
        text = f"{size} no feature is kept: within one standard error the mean alone is as good."
    else:
        names = ", ".join(shortened(feature.name, 40) for feature in features[:4])
        more = f" and {len(features) - 4:,} more" if len(features) > 4 else ""
        text = f"{size}, {len(features):,} of {path.n_features:,} features explain {run.target}: {names}{more}."
    if picked.mean is None:
        return text
    measure, value, null = cv.score, picked.mean, facts.null_score(cv)
    if path.family == "gaussian" and cv.score in ("deviance", "mse"):
        measure, value, null = "root mean squared error", math.sqrt(value), math.sqrt(2.0 * path.null_loss)
    text += f" On rows that were left out, the {measure} is {facts.figures(value)}"
    return f"{text}, against {facts.figures(null)} without features." if null is not None else f"{text}."


def _null_note(cv: CVPath) -> str:
    null = facts.null_score(cv)
    return "" if null is None else f"A model without features has a {cv.score} of {facts.figures(null)}."


def _certificate_row(one: facts.Point) -> list[Any]:
    fit = one.fit
    numbers = [facts.figures(fit.lam), f"{fit.n_nonzero:,}", f"{fit.dual_gap:.1e}", f"{fit.kkt_violation:.1e}"]
    return [one.label, *numbers, fit.status]


def _grid(cv: CVPath) -> list[list[str]]:
    path = cv.path
    columns = zip(
        path.lambdas,
        path.n_nonzero,
        path.deviance_ratio,
        cv.cv_mean,
        cv.cv_se,
        path.dual_gaps,
        path.kkt_violations,
        path.statuses,
        strict=True,
    )
    return [
        [
            facts.figures(lam, 4),
            f"{kept:,}",
            f"{100 * explained:.1f} %",
            facts.figures(mean, 4),
            facts.figures(error, 2),
            f"{gap:.1e}",
            f"{violation:.1e}",
            str(status),
        ]
        for lam, kept, explained, mean, error, gap, violation, status in columns
    ]
