"""What the page says beside the answer: where nothing was found, or weights have no end; and where things stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from normball.messages import count
from normball.results import facts

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.answers import Answer

SEPARABLE = "W21"
FIRST = ("effects", "cv_curve")  # views of the first screen
LESSONS = ("convexity", "breakdown")  # views of what is minimised, folded
SHORT = {  # names of views in the contents; others go by their title
    "effects": "Effects",
    "cv_curve": "Error by lambda",
    "features": "Features",
    "confusion": "Classes taken for others",
    "errors": "Error of each target",
    "decisions": "Right and wrong",
    "observed": "Fitted and observed",
    "row_groups": "Groups of rows",
    "calibration": "Predicted and observed",
    "residuals": "Residuals",
    "coefficients": "Coefficient path",
    "geometry": "Loss and ball",
    "sigmoid": "Sigmoid",
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
        found.append(_nothing(cv, picked))
    if any(finding.code == SEPARABLE for finding in cv.findings):
        found.append(
            Notice(
                "Some rows are told apart without any doubt.",
                "Without a penalty coefficients would grow without end: their signs and order mean something here, "
                "their size is a choice of lambda (W21, below).",
            )
        )
    return found


def _nothing(cv: CVPath, picked: facts.Point) -> Notice:
    """No feature helps: what that means, and what one can still try."""
    kept, best = picked.fit.n_nonzero, int(cv.path.n_nonzero[cv.index_best])
    text = "With features, left-out rows are predicted no better than without any. That is a result: "
    text += f"{count(cv.path.n_rows)} rows show no effect that this kind of model could use."
    steps = []
    if kept == 0 and best > 0:
        kept_there = f"{count(best)} feature{'s' * (best > 1)}"
        steps.append(
            f"The best score on left-out rows is that of lambda_best, with {kept_there}; it is within one standard "
            "error of using none, so it may be chance. Press “best” to see it."
        )
    steps.append("An effect may need more rows, other columns, or a transformation of those at hand, as a logarithm.")
    if cv.path.l1_ratio > 0:
        steps.append("Many small effects together are found by an L2 penalty rather than by L1: try ridge.")
    return Notice("Nothing was found that helps.", text, tuple(steps))


def absent(views: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Why views are not on the page, and the titles of those with the same reason."""
    reasons: dict[str, list[str]] = {}
    for name, view in views.items():
        if view["missing"] and name not in FIRST:
            reasons.setdefault(view["missing"], []).append(view["title"])
    return [(why, "; ".join(titles)) for why, titles in reasons.items()]


def contents(titles: dict[str, str], findings: bool, lessons: bool) -> list[tuple[str, str]]:
    """Anchors and names of the parts of the page in their order; `titles` are those of the views."""
    parts = [(f"{view}-heading", SHORT.get(view, title)) for view, title in titles.items() if view not in LESSONS]
    parts.append(("what-if-heading", "What if?"))
    parts += [("findings", "About these data")] * findings
    parts += [("choice", "In numbers"), ("certificate", "Certificate"), ("reproduce", "The same elsewhere")]
    return [*parts, *[("lessons", "What happens inside")] * lessons, ("reading", "How to read this")]


def made(cv: CVPath, date: str, version: str) -> str:
    """When, with what and from which data the model was made."""
    when = f" on {date}" if date else ""
    rows = f"{count(cv.path.n_rows)} rows, {count(cv.path.n_features)} features"
    return f"Fitted{when} with normball {version}. Data: {rows}, fingerprint {cv.path.fingerprint}."
