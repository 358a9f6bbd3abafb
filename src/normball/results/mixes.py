"""Mixes of the penalty side by side: the table, and which to take in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from normball.family import written
from normball.language import message, tr
from normball.results import facts
from normball.results.text import display_width, table
from normball.weighted_scores import score_name

if TYPE_CHECKING:
    from normball.comparison import Comparison
    from normball.ranking import Candidate
    from normball.results.cross_validated import Choice
    from normball.results.path import Path

NAMES = {0.0: message("ridge"), 1.0: message("lasso")}


def name(path: Path) -> str:
    """What the mix of a path is called."""
    if path.has_group_penalty:
        return facts.penalty(path.l1_ratio, path.groups)
    pure = NAMES.get(path.l1_ratio)
    return tr(pure) if pure else tr("elastic net {0}", written(path.l1_ratio))


def comparison_summary(comparison: Comparison, select: Choice = "1se") -> str:
    """The mixes side by side, and which to take."""
    rows = comparison_rows(comparison, select)
    return "\n".join([*table(rows, align="<" * len(rows[0])), *advice(comparison, select)])


def table_lines(comparison: Comparison, select: Choice, width: int) -> list[str]:
    """The table, the titles first; where it is wider than `width`, the last columns are left out."""
    rows = comparison_rows(comparison, select)
    lines = table(rows, align="<" * len(rows[0]))
    while len(rows[0]) > 2 and max(map(display_width, lines)) > width:
        rows = [row[:-2] if len(row) > 4 else row[:-1] for row in rows]
        lines = table(rows, align="<" * len(rows[0]))
    return lines


def comparison_rows(comparison: Comparison, select: Choice = "1se") -> list[list[str]]:
    """Titles, and a row for each mix and for the model without features."""
    score = comparison[0].score
    picked = comparison.pick(select)
    features = tr("features")
    rows = [[tr("Penalty"), tr("CV {0}", tr(score)), tr("worse by"), features, tr("at {0}", "lambda_1se"), features]]
    for cv in comparison:
        best, one_se = comparison.candidate(cv, "best"), comparison.candidate(cv, "1se")
        shown = tr("{0} (selected)", name(cv.path)) if cv is picked else name(cv.path)
        worse = tr("the best") if cv is comparison.best else facts.with_error(best.loss, best.loss_se)
        row = [shown, facts.with_error(best.cv_mean, best.cv_se), worse, f"{best.n_nonzero:,}"]
        rows.append([*row, facts.with_error(one_se.cv_mean, one_se.cv_se), f"{one_se.n_nonzero:,}"])
    if not math.isnan(comparison.null_mean):
        null = facts.with_error(comparison.null_mean, comparison.null_se)
        rows.append([tr("no features"), null, facts.with_error(*comparison.null_loss), "0", "", ""])
    return rows


def advice(comparison: Comparison, select: Choice = "1se") -> list[str]:
    """Which mix to take for prediction and which for a short list, by how much, in sentences."""
    if comparison.finds_nothing:
        return [tr("No penalty predicts better than the model without features: nothing was found.")]
    if len(comparison) == 1:
        return []
    return [*_for_prediction(comparison, select), *([] if math.isnan(comparison.gain) else _short_list(comparison))]


def _for_prediction(comparison: Comparison, select: Choice) -> list[str]:
    """The best model beside the best of another mix, and what the picked one gives up where it is not the best."""
    picked, best = comparison.pick(select), comparison.for_prediction
    others = [comparison.candidate(cv, "best") for cv in comparison if cv is not best.cv]
    named = next((one for one in others if one.l1_ratio == 1.0), min(others, key=lambda one: one.loss))
    text = tr(
        "For prediction: {0} at lambda_best, CV {1} {2} with {3}; {4} is worse by {5} over the same {6} folds.",
        name(best.cv.path),
        score_name(best.cv.score, best.cv.path.family),
        facts.figures(best.cv_mean),
        _features(best),
        name(named.cv.path),
        facts.with_error(named.loss, named.loss_se),
        best.cv.n_folds,
    )
    if select == "best":
        return [text]
    own = comparison.candidate(picked, select)
    if own.n_nonzero == 0:
        return [text, tr("Selected: no features; one standard error is more than any model gains over that.")]
    chosen = tr(
        "Selected: {0} at {1}: {2}, CV {3} {4}; the simplest penalty, and then the strongest lambda, within one "
        "standard error of the best.",
        name(picked.path),
        f"lambda_{select}",
        _features(own),
        score_name(own.cv.score, own.cv.path.family),
        facts.figures(own.cv_mean),
    )
    return [text, chosen]


def _features(one: Candidate) -> str:
    return tr("{0} feature" if one.n_nonzero == 1 else "{0} features", f"{one.n_nonzero:,}")


def _short_list(comparison: Comparison) -> list[str]:
    """The fewest features for a tenth of the gain, and what the lasso does where that is not the one."""
    short = comparison.short_list()
    text = tr("For a short list: {0} of what the best model gains over no features", _shortened(comparison, short))
    lasso = next((cv for cv in comparison if cv.path.l1_ratio == 1.0), None)
    if lasso is not None and lasso is not short.cv:
        own = comparison.candidate(lasso, "best")
        text += f"; {_shortened(comparison, own)}" if own.loss < comparison.gain else ""
    return [f"{text}."]


def _shortened(comparison: Comparison, one: Candidate) -> str:
    """`lasso at lambda 0.036 keeps 24 features and gives up 9.5 +/- 5.3 %`."""
    given_up = facts.with_error(100 * one.loss / comparison.gain, 100 * one.loss_se / comparison.gain)
    text = "{0} at lambda {1} keeps {2} and gives up {3} %"
    return tr(text, name(one.cv.path), facts.figures(one.lam), _features(one), given_up)


def document(comparison: Comparison, select: Choice) -> dict[str, Any]:
    """The comparison as data, for `--json`."""
    null_loss, null_loss_se = comparison.null_loss
    short, simpler = comparison.short_list(), comparison.simpler
    return {
        "score": comparison[0].score,
        "picked": comparison.pick(select).path.l1_ratio,
        "best": comparison.best.path.l1_ratio,
        "mixes": [
            {
                "l1_ratio": cv.path.l1_ratio,
                "penalty": name(cv.path),
                "lambda_best": numbers(comparison.candidate(cv, "best")),
                "lambda_1se": numbers(comparison.candidate(cv, "1se")),
            }
            for cv in comparison
        ],
        "null": {
            "cv_mean": comparison.null_mean,
            "cv_se": comparison.null_se,
            "loss": null_loss,
            "loss_se": null_loss_se,
        },
        "gain": comparison.gain,
        "for_prediction": numbers(comparison.for_prediction),
        "simpler": None if simpler is None else numbers(simpler),
        "short_list": numbers(short),
        "advice": advice(comparison, select),
    }


def numbers(one: Candidate) -> dict[str, Any]:
    """One model of a comparison as plain data."""
    return {
        "l1_ratio": one.l1_ratio,
        "lam": one.lam,
        "n_nonzero": one.n_nonzero,
        "cv_mean": one.cv_mean,
        "cv_se": one.cv_se,
        "loss": one.loss,
        "loss_se": one.loss_se,
    }
