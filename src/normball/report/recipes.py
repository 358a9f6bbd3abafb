"""The same model in other words: code for normball and other programs that gives it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from normball.language import message, retold, tr
from normball.report.reproduce import Recipe, in_normball, one_line
from normball.report.reproduce_r import in_glmnet
from normball.report.reproduce_sklearn import in_sklearn
from normball.report.reproduce_survival import in_lifelines, in_sksurv, one_line_of_times

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.path import Path
    from normball.run import Run

MERGED_TIMES = "W28"  # what is found where times differ by rounding
TIMES_AS_THEY_ARE = message(
    "Times that differ from another by rounding only are tied here, and there they are not: round them first."
)


def recipes(cv: CVPath, run: Run, lam: float) -> list[Recipe]:
    """The model at strength `lam` in normball, and in other programs that know its kind."""
    of_times = cv.path.baselines is not None
    others = (in_glmnet, in_sksurv, in_lifelines) if of_times else (in_sklearn, in_glmnet)
    found = [write(cv.path, run, lam) for write in others]
    if any(finding.code == MERGED_TIMES for finding in cv.findings):
        about = tr(TIMES_AS_THEY_ARE)
        found = [replace(one, note=f"{one.note} {about}".strip()) if one.code else one for one in found]
    found.insert(0, in_normball(cv, run, lam))
    first = [tr("First leave out the rows that no fit saw ({0}).", retold(run.apart["how"]))] if run.apart else []
    if run.positive:
        column = run.targets[-1] if of_times else run.target
        first.append(tr("First make {0} 1 where it is “{1}”, and else 0.", column, run.positive))
    return [replace(one, note=" ".join([*first, *filter(None, [one.note])])) for one in found]


def same_as(path: Path, lam: float, run: Run) -> str:
    """The same in one line, for the terminal."""
    of_times = path.baselines is not None and not path.has_group_penalty
    return one_line_of_times(path, lam, run) if of_times else one_line(path, lam, run)
