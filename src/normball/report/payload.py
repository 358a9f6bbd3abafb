"""What a page holds of a model, as plain data: the `Payload` of web/src/payload.js."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.listed import digits_of, in_full, lengths, listed, listed_coefs, others, picked, plain
from normball.families import find_family
from normball.language import tr
from normball.report.columns import columns
from normball.report.hazards import hazards
from normball.report.recipes import recipes
from normball.results import answers, facts, mixes
from normball.results.sparse_rows import SparseRows
from normball.results.text import isolated
from normball.version import __version__
from normball.weighted_scores import score_name

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.results.path import Path
    from normball.results.ranges import Ranges
    from normball.run import Run

Array = NDArray[np.float64]

MOST_FOLDS = 20  # curves of single folds
DIGITS = 5  # of what is only drawn
DIGITS_BESIDE = 7  # of coefficients of features that are not listed


def payload(
    cv: CVPath, run: Run, evidence: dict[str, Any] | None, comparison: Comparison | None = None
) -> dict[str, Any]:
    """All that the page is drawn from, with None for what is not a number.

    `evidence` is what `normball.evidence.evidence.evidence` makes of the data; without it the means of the features are
    not known, nor what unlisted ones add at theirs.
    """
    path = cv.path
    chosen = listed(cv, run)
    beside, complete = others(path, chosen)
    known = dict(evidence) if evidence is not None else {}
    means = known.pop("means", [None] * chosen.size)
    ranges = known.pop("ranges", [])
    rest = known.pop("rest", None)
    return {
        "version": __version__,
        "title": isolated(run.target),
        "family": path.family,
        "mathematics": _mathematics(cv),
        "comparison": _comparison(cv, comparison),
        "penalty": facts.penalty(path.l1_ratio, path.groups),
        "l1_ratio": path.l1_ratio,
        "n_groups": len(path.groups) if path.has_group_penalty and path.groups else 0,
        "standardize": path.standardize,
        "classes": [isolated(str(label)) for label in path.classes or ()],
        "n_rows": path.n_rows,
        "n_features": path.n_features,
        "lambdas": plain(path.lambdas),
        "picked": picked(cv, run),
        "answers": _answers(cv, run),
        **_intercepts(path, rest),
        "grouped": path.grouped,
        "n_nonzero": plain(path.n_nonzero),
        "norms": plain(path.l1_norms, DIGITS),
        "deviance_ratio": plain(path.deviance_ratio, DIGITS),
        "dual_gaps": plain(path.dual_gaps, 3),
        "kkt": plain(path.kkt_violations, 3),
        "statuses": [str(status) for status in path.statuses],
        "cv": _cross_validation(cv),
        "features": _features(cv, chosen, means),
        "others": _others(path, beside, in_full(path, chosen, beside)),
        "others_complete": complete,
        "columns": columns(cv, chosen, beside, ranges),
        "n_columns": len(path.preparation.columns),
        "columns_kept": plain(_columns_kept(path)),
        "hazards": hazards(path.baselines),
        "time_name": isolated(run.targets[-2]) if path.baselines is not None and run.targets else tr("time"),
        "recipes": _recipes(cv, run),
        "ranges": _ranges(cv, cv.bootstrap_ranges, chosen),
        "fold_ranges": _ranges(cv, cv.fold_ranges, chosen),
        "evidence": known or None,
    }


def _answers(cv: CVPath, run: Run) -> list[list[str]]:
    """What was found and how good it is, by lambda."""
    told = [answers.answer(cv, isolated(run.target), index) for index in range(cv.lambdas.size)]
    return [[one.found, one.quality.replace("+/-", "±")] for one in told]


def _intercepts(path: Path, rest: list[Any] | None) -> dict[str, Any]:
    """What a prediction starts from, by lambda; of several outputs for each of them."""
    if not path.output_names:
        return {"intercepts": plain(path.intercepts), "rest": rest, "outputs": []}
    known = [None] * path.n_outputs if rest is None else np.transpose(rest).tolist()
    outputs = zip(path.output_names, path.intercepts.T, known, strict=True)
    told = [{"name": isolated(name), "intercepts": plain(intercepts), "rest": one} for name, intercepts, one in outputs]
    return {"intercepts": [], "rest": None, "outputs": told}


def _mathematics(cv: CVPath) -> dict[str, Any]:
    """What the page has to know of the family, by names of functions and words."""
    family = find_family(cv.path.family)
    found = cv.diagnostics.get("best", {}).get("dispersion", math.nan)
    return {
        "inverse_link": family.inverse_link,
        "variance": family.variance_function,
        "parameter": plain([family.parameter])[0],
        "dispersion": 1.0 if family.has_classes else plain([found])[0],
        "has_classes": family.has_classes,
        "quadratic": family.quadratic,
        "of_times": family.has_risk_sets,
        "factor": tr(family.factor),
        "factor_column": family.factor,
        "eta": tr(family.eta_is) or None,
        "predicted": tr(family.predicted),
    }


def _comparison(cv: CVPath, comparison: Comparison | None) -> dict[str, Any] | None:
    """All penalties of the page, which shows one of them."""
    if comparison is None:
        return None
    bests = [comparison.candidate(one, "best") for one in comparison]
    return {
        "mixes": [
            {
                "name": mixes.name(best.cv.path),
                "l1_ratio": best.l1_ratio,
                "n_nonzero": plain(best.cv.path.n_nonzero),
                "mean": plain(best.cv.cv_mean, DIGITS),
                "best": best.index,
                "one_se": best.cv.index_1se,
                "loss": best.loss,
                "loss_se": plain([best.loss_se])[0],
            }
            for best in bests
        ],
        "null_mean": plain([comparison.null_mean])[0],
        "current": comparison.l1_ratios.index(cv.path.l1_ratio),
    }


def _cross_validation(cv: CVPath) -> dict[str, Any]:
    """The scores; without those of fitted rows where held-out ones are compared with these, too."""
    of_added = find_family(cv.path.family).has_risk_sets and cv.score == "deviance"
    errors = None if cv.held_out is None else cv.held_out.errors
    return {
        "mean": plain(cv.cv_mean),
        "se": plain(cv.cv_se),
        "train": None if of_added else plain(cv.train_mean, DIGITS),
        "folds": plain(cv.fold_scores[:MOST_FOLDS], DIGITS),
        "n_folds": cv.n_folds,
        "score": score_name(cv.score, cv.path.family),
        "by_root": cv.score in find_family(cv.path.family).root_scores,
        "explained_of": facts.explained_of(cv),
        "greater_is_better": cv.greater_is_better,
        "null_score": facts.null_score(cv),
        "concordance": None if cv.held_out is None or errors is None else plain(cv.held_out.values, DIGITS),
        "concordance_se": None if errors is None else plain(errors, DIGITS),
        "best": cv.index_best,
        "one_se": cv.index_1se,
    }


def _ranges(cv: CVPath, ranges: Ranges | None, chosen: NDArray[np.intp]) -> dict[str, Any] | None:
    """The ranges of the listed coefficients over folds or bootstrap samples, on the scale of the penalty."""
    path = cv.path
    if ranges is None or path.output_names:
        return None
    on_grid = [int(np.argmin(np.abs(cv.lambdas - lam))) for lam in ranges.lambdas]
    scales = path.scales[chosen]
    return {
        "at": on_grid,
        "n_fits": ranges.n_fits,
        "middle": ranges.middle,
        "low": plain(ranges.low[:, chosen] * scales, DIGITS),
        "high": plain(ranges.high[:, chosen] * scales, DIGITS),
        "counts": ranges.counts[:, chosen].tolist(),
    }


def _features(cv: CVPath, chosen: NDArray[np.intp], means: list[float | None]) -> list[dict[str, Any]]:
    """The listed features with all digits, since predictions are made of them.

    Of several outputs "coefs" are lengths over them; the coefficients of each stand in "by_output".
    """
    path = cv.path
    coefs = listed_coefs(path, chosen)
    by_output = coefs.T if path.output_names else None
    sizes = plain(np.linalg.norm(coefs, axis=1), DIGITS) if path.output_names else plain(coefs)
    own_counts = cv.selection_counts[:, chosen] if path.l1_ratio > 0 else None  # ridge keeps every feature in each fold
    return [
        {
            "name": isolated(path.preparation.shown_names[j]),
            "key": path.feature_names[j],
            "scale": float(path.scales[j]),
            "mean": means[k],
            "coefs": [at[k] for at in sizes],
            "by_output": None if by_output is None else plain(by_output[k], digits_of(path, chosen.size)),
            "own_counts": None
            if own_counts is None or not facts.speaks_for_itself(path.preparation, int(j))
            else own_counts[:, k].tolist(),
        }
        for k, j in enumerate(chosen)
    ]


def _columns_kept(path: Path) -> NDArray[np.intp]:
    """How many columns of the table are kept, by lambda."""
    rows = path.coef_rows.any_output(path.n_outputs)
    of_value = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    here = rows.values != 0
    n_columns = len(path.preparation.columns)
    kept = np.unique(of_value[here] * n_columns + path.preparation.column_of_feature[rows.indices[here]])
    return np.bincount(kept // n_columns, minlength=len(rows))


def _recipes(cv: CVPath, run: Run) -> list[list[str]]:
    """The code for each program, by lambda: the same but for a number or two, so that it takes little room deflated."""
    codes = [[one.code for one in recipes(cv, run, float(lam))] for lam in cv.lambdas]
    return [list(program) for program in zip(*codes, strict=True)]


def _others(path: Path, beside: NDArray[np.intp], full: NDArray[np.intp]) -> list[dict[str, Any]]:
    """The features beside the listed ones: their coefficients other than zero, or of several outputs the lengths.

    Of several outputs those in `full` have the coefficients of each in "by_output".
    """
    curves = _curves(lengths(path), beside)
    several = [_curves(_of_output(path, k), full) for k in range(path.n_outputs)] if path.output_names else []
    return [
        {
            "name": isolated(path.preparation.shown_names[j]),
            "key": path.feature_names[j],
            "scale": float(path.scales[j]),
            "coefs": curve,
            "by_output": [of_one[j] for of_one in several] if several and j in several[0] else None,
        }
        for j, curve in curves.items()
    ]


def _of_output(path: Path, output: int) -> SparseRows:
    """The coefficients of one of several outputs."""
    dense = path.coef_rows
    return SparseRows.from_rows((dense[row] for row in range(output, len(dense), path.n_outputs)), dense.n_columns)


def _curves(rows: SparseRows, features: NDArray[np.intp]) -> dict[int, list[tuple[int, float]]]:
    """Of these features the index of lambda and the coefficient wherever it is not zero."""
    taken = np.zeros(rows.n_columns, dtype=bool)
    taken[features] = True
    row_of = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    here = taken[rows.indices] & (rows.values != 0)
    curves: dict[int, list[tuple[int, float]]] = {j: [] for j in features.tolist()}
    values = [float(f"{value:.{DIGITS_BESIDE - 1}e}") for value in rows.values[here]]
    for row, j, value in zip(row_of[here].tolist(), rows.indices[here].tolist(), values, strict=True):
        curves[j].append((row, value))
    return curves
