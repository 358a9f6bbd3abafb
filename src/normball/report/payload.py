"""What a page holds of a model, as plain data: the `Payload` of web/src/payload.js."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.listed import digits_of, lengths, listed, listed_coefs, picked, plain
from normball.families import find_family
from normball.report.recipes import recipes
from normball.results import answers, facts
from normball.results.remarks import few_rows
from normball.version import __version__

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.path import Path
    from normball.run import Run

Array = NDArray[np.float64]

MOST_FOLDS = 20  # curves of single folds
MOST_OF_OTHERS = 250_000  # bytes of the features that are not listed; their curves are drawn with every step
LEAST_OF_ONE = 8  # bytes of one of their coefficients
DIGITS = 5  # of what is only drawn


def payload(cv: CVPath, run: Run, evidence: dict[str, Any] | None) -> dict[str, Any]:
    """All that the page is drawn from, with None for what is not a number.

    `evidence` is what `normball.evidence.evidence.evidence` makes of the data; without it the means of the features are
    not known, nor what unlisted ones add at theirs.
    """
    path = cv.path
    columns = listed(cv, run)
    known = dict(evidence) if evidence is not None else {}
    means = known.pop("means", [None] * columns.size)
    rest = known.pop("rest", None)
    others = _others(path, columns)
    content = {
        "version": __version__,
        "title": run.target,
        "family": path.family,
        "mathematics": _mathematics(cv),
        "penalty": facts.penalty(path.l1_ratio, path.groups),
        "l1_ratio": path.l1_ratio,
        "n_groups": len(path.groups) if path.has_group_penalty and path.groups else 0,
        "standardize": path.standardize,
        "classes": [str(label) for label in path.classes or ()],
        "n_rows": path.n_rows,
        "n_features": path.n_features,
        "lambdas": plain(path.lambdas),
        "picked": picked(cv, run),
        "answers": _answers(cv, run),
        **_intercepts(path, plain(path.intercepts) if rest is None and others == [] else rest),
        "grouped": path.grouped,
        "n_nonzero": plain(path.n_nonzero),
        "norms": plain(path.l1_norms, DIGITS),
        "deviance_ratio": plain(path.deviance_ratio, DIGITS),
        "dual_gaps": plain(path.dual_gaps, 3),
        "kkt": plain(path.kkt_violations, 3),
        "statuses": [str(status) for status in path.statuses],
        "cv": _cross_validation(cv),
        "features": _features(cv, columns, means),
        "recipes": _recipes(cv, run),
        "evidence": known or None,
    }
    complete = others is not None and _bytes(others) <= MOST_OF_OTHERS
    return {**content, "others": others if complete else [], "others_complete": complete}


def _answers(cv: CVPath, run: Run) -> list[list[str]]:
    """What was found and how good it is, by lambda."""
    told = [answers.answer(cv, run.target, index) for index in range(cv.lambdas.size)]
    return [[one.found, one.quality] for one in told]


def _intercepts(path: Path, rest: list[Any] | None) -> dict[str, Any]:
    """What a prediction starts from, by lambda; of several outputs for each of them."""
    if not path.output_names:
        return {"intercepts": plain(path.intercepts), "rest": rest, "outputs": []}
    known = [None] * path.n_outputs if rest is None else np.transpose(rest).tolist()
    outputs = zip(path.output_names, path.intercepts.T, known, strict=True)
    told = [{"name": name, "intercepts": plain(intercepts), "rest": one} for name, intercepts, one in outputs]
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
        "factor": family.factor,
        "eta": family.eta_is or None,
        "predicted": family.predicted,
    }


def _cross_validation(cv: CVPath) -> dict[str, Any]:
    return {
        "mean": plain(cv.cv_mean),
        "se": plain(cv.cv_se),
        "train": plain(cv.train_mean, DIGITS),
        "folds": plain(cv.fold_scores[:MOST_FOLDS], DIGITS),
        "n_folds": cv.n_folds,
        "score": cv.score,
        "by_root": cv.score in find_family(cv.path.family).root_scores,
        "explained_of": facts.explained_of(cv),
        "greater_is_better": cv.greater_is_better,
        "null_score": facts.null_score(cv),
        "best": cv.index_best,
        "one_se": cv.index_1se,
    }


def _features(cv: CVPath, columns: NDArray[np.intp], means: list[float | None]) -> list[dict[str, Any]]:
    """The listed features with all digits, since predictions are made of them.

    Of several outputs "coefs" are lengths over them; the coefficients of each stand in "by_output".
    """
    path = cv.path
    coefs = listed_coefs(path, columns)
    by_output = coefs.T if path.output_names else None
    sizes = plain(np.linalg.norm(coefs, axis=1), DIGITS) if path.output_names else plain(coefs)
    counts = own_counts = None
    if path.l1_ratio > 0:  # ridge keeps every feature in every fold
        counts = cv.column_counts[:, path.preparation.column_of_feature[columns]]
        own_counts = cv.selection_counts[:, columns]
    return [
        {
            "name": path.feature_names[j],
            "scale": float(path.scales[j]),
            "mean": means[k],
            "coefs": [at[k] for at in sizes],
            "by_output": None if by_output is None else plain(by_output[k], digits_of(path, columns.size)),
            "counts": None if counts is None else counts[:, k].tolist(),
            "own_counts": None
            if own_counts is None or not facts.speaks_for_itself(path.preparation, int(j))
            else own_counts[:, k].tolist(),
            "few_rows": few_rows(path.preparation, int(j)) if path.l1_ratio > 0 else "",
        }
        for k, j in enumerate(columns)
    ]


def _recipes(cv: CVPath, run: Run) -> list[list[str]]:
    """The code for each program, by lambda: the same but for a number or two, so that it takes little room deflated."""
    codes = [[one.code for one in recipes(cv, run, float(lam))] for lam in cv.lambdas]
    return [list(program) for program in zip(*codes, strict=True)]


def _others(path: Path, columns: NDArray[np.intp]) -> list[dict[str, Any]] | None:
    """The features beside the listed ones that are ever kept, the first to enter first; None where too many."""
    rows = lengths(path)
    taken = np.zeros(path.n_features, dtype=bool)
    taken[columns] = True
    row_of = np.repeat(np.arange(len(rows)), np.diff(rows.indptr))
    here = ~taken[rows.indices] & (rows.values != 0)
    if here.sum() > MOST_OF_OTHERS // LEAST_OF_ONE:
        return None
    curves: dict[int, list[tuple[int, float]]] = {}
    values = [float(f"{value:.{DIGITS - 1}e}") for value in rows.values[here]]
    for row, j, value in zip(row_of[here].tolist(), rows.indices[here].tolist(), values, strict=True):
        curves.setdefault(j, []).append((row, value))
    return [
        {"name": path.feature_names[j], "scale": float(path.scales[j]), "coefs": curve} for j, curve in curves.items()
    ]


def _bytes(content: Any) -> int:
    return len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
