"""What the page says beside the answer: where nothing was found, or weights have no end; and where things stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from normball.families import find_family
from normball.language import message, tr
from normball.messages import count
from normball.results import facts

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.answers import Answer

SEPARABLE = "W21"
FIRST = ("effects", "cv_curve")  # views of the first screen
LESSONS = ("convexity", "breakdown")  # views of what is minimised, folded
SHORT = {  # names of views in the contents; others go by their title
    "effects": message("Effects"),
    "cv_curve": message("Error by lambda"),
    "features": message("Features"),
    "confusion": message("Classes taken for others"),
    "errors": message("Error of each target"),
    "decisions": message("Right and wrong"),
    "observed": message("Fitted and observed"),
    "row_groups": message("Groups of rows"),
    "calibration": message("Predicted and observed"),
    "residuals": message("Residuals"),
    "coefficients": message("Coefficient path"),
    "geometry": message("Loss and ball"),
    "sigmoid": message("Sigmoid"),
}


@dataclass(frozen=True)
class Notice:
    """A remark that changes how everything below is to be read, and what can be done."""

    title: str
    text: str
    steps: tuple[str, ...] = ()


def notices(cv: CVPath, picked: facts.Point, answer: Answer | None) -> list[Notice]:
    """Those of the model that the page opens with."""
    found = []
    if answer is not None and not answer.helps:
        found.append(_by_the_rule(cv) if _rule_takes_none(cv, picked) else _nothing(cv, picked))
    if any(finding.code == SEPARABLE for finding in cv.findings):
        found.append(
            Notice(
                tr("Some rows are told apart without any doubt."),
                tr(
                    "Without a penalty coefficients would grow without end: their signs and order mean something here, "
                    "their size is a choice of lambda (W21, below)."
                ),
            )
        )
    return found


def _rule_takes_none(cv: CVPath, picked: facts.Point) -> bool:
    """Whether a model of times to an event has features at lambda_best, and none at lambda_1se, which was picked."""
    of_times = find_family(cv.path.family).has_risk_sets
    kept = cv.path.n_nonzero
    return of_times and picked.index == cv.index_1se and kept[cv.index_1se] == 0 < kept[cv.index_best]


def _by_the_rule(cv: CVPath) -> Notice:
    """What that means: the rule is strict where events are few."""
    best = int(cv.path.n_nonzero[cv.index_best])
    text = tr(
        "One standard error is more than features gain here, so the rule takes none of them. That does not say that "
        "they tell nothing: with few events the error is large."
    )
    steps = (
        tr(
            "lambda_best keeps {0}. Press “best” to see it, and take it for a hint that other rows may bear out.",
            tr("{0} features" if best > 1 else "{0} feature", count(best)),
        ),
        tr("More events make the error smaller; more rows without an event hardly do."),
    )
    return Notice(tr("lambda_1se keeps no feature."), text, steps)


def _nothing(cv: CVPath, picked: facts.Point) -> Notice:
    """No feature helps: what that means, and what one can still try."""
    kept, best = picked.fit.n_nonzero, int(cv.path.n_nonzero[cv.index_best])
    text = tr(
        "With features, held-out rows are predicted no better than without any. That is a result: {0} rows show no "
        "effect that this kind of model could use.",
        count(cv.path.n_rows),
    )
    steps = []
    if kept == 0 and best > 0:
        steps.append(
            tr(
                "The best score on held-out rows is that of lambda_best, with {0}; it is within one standard error of "
                "using none, so it may be chance. Press “best” to see it.",
                tr("{0} features" if best > 1 else "{0} feature", count(best)),
            )
        )
    steps.append(
        tr("An effect may need more rows, other columns, or a transformation of those at hand, as a logarithm.")
    )
    if cv.path.l1_ratio > 0:
        steps.append(tr("Many small effects together are found by an L2 penalty rather than by L1: try ridge."))
    return Notice(tr("Nothing was found that helps."), text, tuple(steps))


def absent(views: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Why views are not on the page, and the titles of those with the same reason."""
    reasons: dict[str, list[str]] = {}
    for name, view in views.items():
        if view["missing"] and name not in FIRST:
            reasons.setdefault(view["missing"], []).append(view["title"])
    return [(why, "; ".join(titles)) for why, titles in reasons.items()]


def contents(titles: dict[str, str], findings: bool, lessons: bool) -> list[tuple[str, str]]:
    """Anchors and names of the parts of the page in their order; `titles` are those of the views."""
    shown = {view: tr(SHORT[view]) if view in SHORT else title for view, title in titles.items()}
    parts = [(f"{view}-heading", title) for view, title in shown.items() if view not in LESSONS]
    parts.append(("what-if-heading", tr("What if?")))
    parts += [("findings", tr("About these data"))] * findings
    parts += [("choice", tr("In numbers")), ("certificate", tr("Certificate")), ("reproduce", tr("The same elsewhere"))]
    return [*parts, *[("lessons", tr("What happens inside"))] * lessons, ("reading", tr("How to read this"))]


def made(cv: CVPath, date: str, version: str) -> str:
    """When, with what and from which data the model was made."""
    sizes = count(cv.path.n_rows), count(cv.path.n_features)
    rows = tr("Data: {0} rows, {1} features, fingerprint {2}.", *sizes, cv.path.fingerprint)
    if not date:
        return f"{tr('Fitted with normball {0}.', version)} {rows}"
    return f"{tr('Fitted on {0} with normball {1}.', tr('{0}-{1}-{2}', *date.split('-')), version)} {rows}"
