"""The page: facts and drawings put into the template."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from normball import charts
from normball.families import find_family
from normball.family import LANDSCAPES
from normball.language import current, message, messages, retold, tr
from normball.report import opening
from normball.report.payload import payload
from normball.report.reading import reading
from normball.report.recipes import recipes
from normball.results import facts, mixes, sentences
from normball.results.answers import answer
from normball.results.evaluation import Evaluation
from normball.results.text import isolated_in
from normball.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template

    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.messages import Finding
    from normball.results.path import Path
    from normball.run import Run

GRID_TITLES = (
    message("lambda"),
    message("features"),
    message("explained, fitted rows"),
    message("CV mean"),
    message("CV error"),
    message("duality gap"),
    message("KKT violation"),
    message("status"),
)
CHOSEN_TITLES = (
    message("choice"),
    message("lambda"),
    message("features"),
    message("duality gap"),
    message("KKT violation"),
    message("status"),
)
NOT_OF_ALL = {  # views that a family may be without
    "sigmoid",
    "calibration",
    "residuals",
    "confusion",
    "errors",
    "decisions",
    "observed",
    "row_groups",
    "survival_curves",
    "survival_calibration",
    "ranges",
    "mixes",
    *LANDSCAPES,
}
NO_TABLE: dict[str, Any] = {"head": [], "rows": []}
SIDE_BY_SIDE = 6  # outputs; of more the page tells one at a time
CAPTIONS = {
    "coefficients": message("Each curve is one feature. From left to right the penalty weakens and coefficients grow."),
    "cv_curve": message(
        "The solid line is the mean over the folds with a band of one standard error (1 SE), thin lines are single "
        "folds, the dashed line is the same score on the rows that were fitted."
    ),
}
CAPTIONS_OF_ADDED = {  # where the score of fitted rows is no like of that of held-out ones
    **CAPTIONS,
    "cv_curve": message(
        "The solid line is the mean over the folds with a band of one standard error (1 SE), thin lines are single "
        "folds."
    ),
}


def render(cv: CVPath, run: Run, evidence: dict[str, Any] | None = None) -> str:
    """The whole page of one mix as text.

    `evidence` is what needs the data themselves; charts that lack theirs say so.
    """
    return drawn(cv, run, payload(cv, run, evidence))


def drawn(cv: CVPath, run: Run, data: dict[str, Any], comparison: Comparison | None = None) -> str:
    """The same from its payload; of one mix of a `comparison`, with room for the others."""
    return _rendered(cv, cv, run, data, comparison, charts.call("report", data), charts.packed(data))


def outline(whole: CVPath, cv: CVPath, run: Run, data: dict[str, Any], comparison: Comparison) -> str:
    """The page without its drawings and its data, for what the page of one mix has in other words than that of another.

    `cv` has the lambdas that the page holds of the `whole`.
    """
    views = [{**view, "sentence": "", "table": NO_TABLE} for view in charts.call("outline", data)]
    return _rendered(whole, cv, run, data, comparison, views, "")


def _rendered(
    whole: CVPath,
    cv: CVPath,
    run: Run,
    data: dict[str, Any],
    comparison: Comparison | None,
    shown: list[dict[str, Any]],
    packed: str,
) -> str:
    from markupsafe import Markup

    path = cv.path
    chosen = facts.points(cv, run.select)
    family = find_family(path.family)
    picked, numbers = chosen[0], facts.comparison(cv, chosen)
    without = NOT_OF_ALL - family.views - ({"ranges"} if data["ranges"] or data["fold_ranges"] else set())
    without = without if comparison is None else without - {"mixes"}
    views = {view["id"]: view for view in shown if view["id"] not in without}
    for view in views.values():
        view["svg"] = Markup(view.get("svg", ""))
    if path.l1_ratio == 0:  # ridge selects none
        views["features"]["title"] = tr("Largest coefficients")
    absent = opening.absent(views)
    views = {name: view for name, view in views.items() if not view["missing"] or name in opening.FIRST}
    lessons = [name for name in opening.LESSONS if name in views]
    findings = facts.findings(cv, picked)
    shows_fitted = data["cv"]["train"] is not None
    return _template().render(
        made=opening.made(cv, run.date, __version__),
        title=run.target,
        notices=opening.notices(cv, picked, None if picked.index is None else answer(cv, run.target, picked.index)),
        contents=opening.contents({name: view["title"] for name, view in views.items()}, bool(findings), bool(lessons)),
        verdict=charts.call("verdict", data, data["picked"]),
        about=_isolated(" · ".join(retold(text) for text in (run.table, run.outcome, cv.folds) if text), path, run),
        advice=[] if comparison is None else [_typeset(one) for one in mixes.advice(comparison, run.rule)],
        mixes=[] if comparison is None else [mixes.name(one.path) for one in comparison],
        choices=numbers[0][1:],
        numbers=_rows_of_choice(numbers[1:]),
        null_note=_null_note(cv, numbers[2][0]),
        views=views,
        apart=_apart(run),
        middle=[name for name in views if name not in (*opening.FIRST, *opening.LESSONS)],
        lessons=lessons,
        absent=absent,
        outputs=path.output_names,
        of_what=tr("Class" if family.has_classes else "Target"),
        one_at_a_time=_one_at_a_time(path),
        captions={view: tr(text) for view, text in (CAPTIONS if shows_fitted else CAPTIONS_OF_ADDED).items()},
        findings=[_readable(finding, path, run) for finding in findings],
        learned=[tr("Learned {0}.", text) for text in sentences.about_all_rows(path.preparation)],
        certificate=sentences.certificate(whole.path),
        fold_gap=facts.figures(float(np.max(whole.fold_dual_gaps)), 2),
        tol=f"{path.tol:g}",
        chosen={"head": [tr(title) for title in CHOSEN_TITLES], "rows": [_certificate_row(one) for one in chosen]},
        grid={"head": [tr(title) for title in GRID_TITLES], "rows": _grid(cv)},
        recipes=recipes(cv, run, picked.fit.lam),
        reading=reading(family),
        payload=packed,
        **_scripts(whole=bool(packed)),
    )


def _scripts(*, whole: bool) -> dict[str, Any]:
    """What makes the page move, and in another language than English its messages; an outline goes without."""
    from markupsafe import Markup

    found = messages("page") if whole else {}
    return {
        "language": current(),
        "messages": charts.packed(found) if found else "",
        "script": charts.deflated(charts.bundle("normball.report", "page.js")) if whole else "",
        "boot": Markup(charts.bundle("normball.report", "boot.js")),
    }


def _typeset(text: str) -> str:
    return text.replace("+/-", "±")


def _readable(finding: Finding, path: Path, run: Run) -> Finding:
    """A finding in the words of the reader, names from right to left isolated."""
    told = finding.in_command_line_words() if run.command else finding.retold()
    return replace(told, text=_isolated(told.text, path, run))


def _isolated(text: str, path: Path, run: Run) -> str:
    labels = [*map(str, path.classes or ()), *path.output_names]
    return isolated_in(text, [run.target, *labels, *path.column_names, *path.preparation.shown_names])


def _one_at_a_time(path: Path) -> set[str]:
    """The views that tell of one class or target, which the reader chooses."""
    if not path.output_names:
        return set()
    many = {"effects"} if path.n_outputs > SIDE_BY_SIDE else set()
    return {"calibration", "residuals"} | many


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
    environment.globals["tr"] = tr
    return environment.get_template("page.html.j2")


def _rows_of_choice(rows: list[list[str]]) -> list[list[str]]:
    """The error in the unit of the target first, or the share where that has none."""
    typeset = [[_typeset(cell) for cell in row] for row in rows]
    first = (tr("lambda"), facts.RMSE, tr("CV deviance explained"))
    return sorted(typeset, key=lambda row: first.index(row[0]) if row[0] in first else len(first))


def _null_note(cv: CVPath, score: str) -> str:
    """The score of the model without features on the same rows."""
    null = facts.null_score(cv)
    if null is None:
        return ""
    shown = facts.of_score(cv, null)
    if cv.score in find_family(cv.path.family).root_scores:
        score, shown = facts.RMSE, facts.figures(math.sqrt(null))
    return tr("A model without features has a {0} of {1} on the same held-out rows.", score, shown)


def _apart(run: Run) -> dict[str, Any] | None:
    """How well rows that no fit saw are predicted, as a table."""
    if "evaluation" not in run.apart:
        return None
    evaluation = Evaluation.from_dict(run.apart["evaluation"])
    head, *rows = evaluation.rows()
    how: str = run.apart["how"]
    return {"how": tr("At lambda {0}, {1}", facts.figures(evaluation.lam), retold(how)), "head": head, "rows": rows}


def _certificate_row(one: facts.Point) -> list[Any]:
    fit = one.fit
    numbers = [facts.figures(fit.lam), f"{fit.n_nonzero:,}", f"{fit.dual_gap:.1e}", f"{fit.kkt_violation:.1e}"]
    return [one.label, *numbers, tr(fit.status)]


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
            tr("{0} %", f"{100 * explained:.1f}"),
            facts.figures(mean, 4),
            facts.figures(error, 2),
            f"{gap:.1e}",
            f"{violation:.1e}",
            tr(str(status)),
        ]
        for lam, kept, explained, mean, error, gap, violation, status in columns
    ]
