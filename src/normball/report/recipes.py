"""The same model in other words: code for normball, scikit-learn and glmnet that gives it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from normball.language import retold, tr
from normball.report.reproduce import Recipe, in_normball
from normball.report.reproduce_r import in_glmnet
from normball.report.reproduce_sklearn import in_sklearn

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.run import Run


def recipes(cv: CVPath, run: Run, lam: float) -> list[Recipe]:
    """The model at strength `lam` in three ways."""
    found = [in_normball(cv, run, lam), in_sklearn(cv.path, run, lam), in_glmnet(cv.path, run, lam)]
    first = [tr("First leave out the rows that no fit saw ({0}).", retold(run.apart["how"]))] if run.apart else []
    if run.positive:
        first.append(tr("First make {0} 1 where it is “{1}”, and else 0.", run.target, run.positive))
    return [replace(one, note=" ".join([*first, *filter(None, [one.note])])) for one in found]
