"""The result on the terminal: the choices of strength side by side, the features, the same model elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.cli.console import Console, labelled
from normball.language import message, tr
from normball.report.recipes import same_as
from normball.results import answers, facts, mixes, sentences, summaries
from normball.results.evaluation import Evaluation
from normball.results.text import table

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.run import Run

SHOWN = 20  # features


def say(model: CVPath | Comparison, cv: CVPath, run: Run, console: Console) -> None:
    """Print the answer of `cv`, which mix of `model` to take, the tables, the certificate and the same elsewhere."""
    console.result("")
    index = facts.points(cv, run.select)[0].index
    if index is not None:  # else the strength stands between two of the grid, whose held-out rows nobody predicted
        console.told(message("Answer"), str(answers.answer(cv, run.target, index)))
    if (comparison := several(model)) is not None:
        _say_mixes(comparison, run, console)
    if index is not None or comparison is not None:
        console.result("")
    tables, with_ranges = lines(cv, run, console)
    for line in [*tables, *of_rows_apart(run, console)]:
        console.result(line)
    for line in closing(cv, run, with_ranges):
        console.sentence(line)


def _say_mixes(comparison: Comparison, run: Run, console: Console) -> None:
    """Which mix to take, and all of them side by side."""
    for k, sentence in enumerate(mixes.advice(comparison, run.rule)):
        console.told("" if k else message("Take"), sentence)
    console.result("")
    head, *rows = mixes.table_lines(comparison, run.rule, console.width)
    for line in (console.bold(head), *rows):
        console.result(line)


def lines(cv: CVPath, run: Run, console: Console) -> tuple[list[str], bool]:
    """The tables of the summary, no line wider than the terminal where names can be cut; whether they have ranges."""
    chosen = facts.points(cv, run.select)
    picked = chosen[0]
    most = picked.fit.n_nonzero if console.verbose else SHOWN
    first, *choices = summaries.choice_lines(cv, chosen, width=console.width)
    head, *features = summaries.feature_lines(picked, picked.title, most=most, more=" (-v)", width=console.width)
    return [console.bold(first), *choices, "", console.bold(head), *features], tr(facts.RANGE) in head


def of_rows_apart(run: Run, console: Console) -> list[str]:
    """How well rows that no fit saw are predicted, where some were set apart."""
    if "evaluation" not in run.apart:
        return []
    head, *rows = table(Evaluation.from_dict(run.apart["evaluation"]).rows(title=tr("On rows set apart")), align="<>>>")
    return ["", console.bold(head), *rows, ""]


def closing(cv: CVPath, run: Run, with_ranges: bool) -> list[str]:
    """What the ranges are, where the tables have them, how well it is solved, and the same model elsewhere."""
    picked = facts.points(cv, run.select)[0]
    told = [(message("Samples"), text) for text in sentences.about_ranges(picked) if with_ranges]
    told += [(message("Learned"), text) for text in sentences.about_all_rows(cv.path.preparation)]
    told.append((message("Solved"), sentences.certificate(cv.path)))
    told.append((message("Same as"), same_as(cv.path, picked.fit.lam, run)))
    return [labelled(label, text) for label, text in told]


def several(model: Any) -> Comparison | None:
    """A comparison of more than one mix."""
    from normball.comparison import Comparison

    return model if isinstance(model, Comparison) and len(model) > 1 else None


def document(model: CVPath | Comparison, cv: CVPath, run: Run, files: Mapping[str, str]) -> dict[str, Any]:
    """The same as data, for `--json`."""
    comparison = several(model)
    path = cv.path
    chosen = facts.points(cv, run.select)
    return {
        "source": run.source or run.example,
        "target": run.target,
        "family": path.family,
        "l1_ratio": path.l1_ratio,
        "standardize": path.standardize,
        **({"outputs": path.output_names, "grouped": path.grouped} if path.output_names else {}),
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
            "n_iters": path.n_iters,
            "n_sweeps": path.n_sweeps,
            "tol": path.tol,
            "largest_fold_dual_gap": float(np.max(cv.fold_dual_gaps)),
        },
        "apart": run.apart or None,
        "findings": [vars(finding.in_command_line_words()) for finding in facts.findings(cv, chosen[0])],
        **({} if comparison is None else {"comparison": mixes.document(comparison, run.rule)}),
        "files": files,
    }
