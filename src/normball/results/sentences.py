"""How well a result is solved, and what its ranges are, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from normball.language import message, tr
from normball.messages import sample
from normball.results.facts import Point, figures

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.preparation import Preparation
    from normball.results.path import Path
    from normball.results.paths import Paths


def certificate(path: Path) -> str:
    """How well the whole path is solved, in a sentence."""
    solved = int(np.count_nonzero(path.statuses == "converged"))
    worst = float(np.max(path.dual_gaps))
    gap = f"{worst:.1e}"
    if solved == path.lambdas.size:
        return tr("all {0} lambdas, the largest duality gap is {1} of the null model's loss", solved, gap)
    text = "{0} of {1} lambdas; the largest duality gap is {2} of the null model's loss"
    return tr(text, solved, path.lambdas.size, gap)


def dispersion(path: Path) -> str:
    """Pearson's dispersion at the weakest penalty in words; nothing where it is not known."""
    return "" if path.dispersion is None else tr("dispersion {0} at the last lambda", figures(path.dispersion))


def about_no_features(cv: CVPath, chosen: Sequence[Point]) -> list[str]:
    """Why the first of the choices of "1se" and "best" keeps no feature, where that is so."""
    picked, best = chosen[0], chosen[-1]
    said = any(finding.code == "W03" for finding in cv.findings)  # `normball fit` does
    if said or picked.fit.n_nonzero or picked.label not in ("lambda_1se", "lambda_best"):
        return []
    if best.fit.n_nonzero == 0:
        return [tr("No feature is kept: held-out rows are predicted best without.")]
    text = (
        "No feature is kept at {0}: one standard error is more than any model gains over none. lambda_best keeps {1}."
    )
    return [tr(text, picked.label, f"{best.fit.n_nonzero:,}")]


def reads(result: Path | Paths | CVPath) -> str:
    """How often the matrix was read, in words."""
    number = figures(result.n_sweeps, 2)
    return tr("{0} read of the matrix" if number == "1.0" else "{0} reads of the matrix", number)


def about_all_rows(preparation: Preparation) -> list[str]:
    """What columns of text, splines and rare levels learned from all rows of the fit, where there are any."""
    from normball.inputs.terms.levels import LevelTerm
    from normball.inputs.terms.spline import SplineTerm
    from normball.inputs.terms.words import TextTerm

    rare = [one.name for one in preparation.columns if isinstance(one, LevelTerm) and one.rare]
    learned = (
        (message("words of {0}"), preparation.of_kind(TextTerm)),
        (message("knots of {0}"), preparation.of_kind(SplineTerm)),
        (message("rare levels of {0}"), rare),
    )
    told = [tr(text, sample(names, quote=True)) for text, names in learned if names]
    if not told:
        return []
    text = (
        "from all rows of the fit, those that a fold holds out among them: {0}. Targets have no part in that, and rows "
        "set apart for a test have none either"
    )
    return [tr(text, "; ".join(told))]


def about_ranges(point: Point) -> list[str]:
    """What the ranges over bootstrap samples are and are not, where there are any."""
    if point.ranges is None:
        return []
    text = tr(
        "the middle {0} % of each coefficient{1} over {2} bootstrap samples of the rows, at the same lambda; no "
        "confidence interval, for a penalty pulls all of them towards 0",
        f"{100 * point.ranges.middle:.0f}",
        tr(" per SD") if point.fit.standardize else "",
        point.ranges.n_fits,
    )
    return [text]
