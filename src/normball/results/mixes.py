"""Mixes of the penalty side by side: the table, and which to take in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from normball.family import written
from normball.results import facts
from normball.results.text import display_width, table

if TYPE_CHECKING:
    from normball.comparison import Candidate, Comparison
    from normball.cv_result import Choice
    from normball.results.path import Path

NAMES = {0.0: "ridge", 1.0: "lasso"}


def name(path: Path) -> str:
    """What the mix of a path is called."""
    if path.has_group_penalty:
        return facts.penalty(path.l1_ratio, path.groups)
    return NAMES.get(path.l1_ratio) or f"elastic net {written(path.l1_ratio)}"


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
    rows = [["Penalty", f"CV {score}", "worse by", "features", "at lambda_1se", "features"]]
    for cv in comparison:
        best, one_se = comparison.candidate(cv, "best"), comparison.candidate(cv, "1se")
        mark = " (picked)" if cv is picked else ""
        worse = "the best" if cv is comparison.best else facts.with_error(best.loss, best.loss_se)
        row = [f"{name(cv.path)}{mark}", facts.with_error(best.cv_mean, best.cv_se), worse, f"{best.n_nonzero:,}"]
        rows.append([*row, facts.with_error(one_se.cv_mean, one_se.cv_se), f"{one_se.n_nonzero:,}"])
    if not math.isnan(comparison.null_mean):
        null = facts.with_error(comparison.null_mean, comparison.null_se)
        rows.append(["no features", null, facts.with_error(*comparison.null_loss), "0", "", ""])
    return rows


def advice(comparison: Comparison, select: Choice = "1se") -> list[str]:
    """Which mix to take for prediction and which for a short list, by how much, in sentences."""
    if comparison.finds_nothing:
        return ["No penalty predicts better than the model without features: nothing was found."]
    if len(comparison) == 1:
        return []
    return [*_for_prediction(comparison, select), *([] if math.isnan(comparison.gain) else _short_list(comparison))]


def _for_prediction(comparison: Comparison, select: Choice) -> list[str]:
    """The best model beside the best of another mix, and what the picked one gives up where it is not the best."""
    picked, best = comparison.pick(select), comparison.for_prediction
    folds = f"over the same {best.cv.n_folds} folds"
    others = [comparison.candidate(cv, "best") for cv in comparison if cv is not best.cv]
    named = next((one for one in others if one.l1_ratio == 1.0), min(others, key=lambda one: one.loss))
    worse = facts.with_error(named.loss, named.loss_se)
    text = (
        f"For prediction: {name(best.cv.path)} at lambda_best, CV {best.cv.score} {facts.figures(best.cv_mean)} with "
    )
    text += f"{_features(best)}; {name(named.cv.path)} is worse by {worse} {folds}."
    if select == "best":
        return [text]
    own = comparison.candidate(picked, select)
    if own.n_nonzero == 0:
        return [text, "Picked: no features; one standard error is more than any model gains over that."]
    score = f"CV {own.cv.score} {facts.figures(own.cv_mean)}"
    chosen = f"Picked: {name(picked.path)} at lambda_{select}: {_features(own)}, {score}; the simplest penalty, and "
    return [text, f"{chosen}then the strongest lambda, within one standard error of the best."]


def _features(one: Candidate) -> str:
    return f"{one.n_nonzero:,} feature{'s' * (one.n_nonzero != 1)}"


def _short_list(comparison: Comparison) -> list[str]:
    """The fewest features for a tenth of the gain, and what the lasso does where that is not the one."""
    short = comparison.short_list()
    text = f"For a short list: {_shortened(comparison, short)} of what the best model gains over no features"
    lasso = next((cv for cv in comparison if cv.path.l1_ratio == 1.0), None)
    if lasso is not None and lasso is not short.cv:
        own = comparison.candidate(lasso, "best")
        text += f"; {_shortened(comparison, own)}" if own.loss < comparison.gain else ""
    return [f"{text}."]


def _shortened(comparison: Comparison, one: Candidate) -> str:
    """`lasso at lambda 0.036 keeps 24 features and gives up 9.5 +/- 5.3 %`."""
    given_up = facts.with_error(100 * one.loss / comparison.gain, 100 * one.loss_se / comparison.gain)
    return f"{name(one.cv.path)} at lambda {facts.figures(one.lam)} keeps {_features(one)} and gives up {given_up} %"


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
