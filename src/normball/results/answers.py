"""The answer first: what was found, and how good it is on held-out rows, in the words of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.families import find_family
from normball.language import tr
from normball.results.facts import figures, of_score, with_error
from normball.results.text import isolated
from normball.weighted_scores import score_name

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.held_out import HeldOut

MOST_TARGETS = 3  # told one by one
INFORMATIVE = 0.6  # area under the curve from which on a ranking is worth telling
LEAST_GAIN = 0.005  # in the share of right rows; a smaller one is none


@dataclass(frozen=True)
class Answer:
    """What a reader wants to know of one strength.

    Attributes
    ----------
    found : str
        What the model uses to tell what, as a heading.
    quality : str
        How good it is on rows that were not used for the fit, beside a model without features.
    helps : bool
        Whether features predict such rows better than none.
    """

    found: str
    quality: str
    helps: bool

    def __str__(self) -> str:
        return f"{self.found}. {self.quality}"


def answer(cv: CVPath, target: str, index: int) -> Answer:
    """The answer at one strength of the grid; `target` is the name of what is predicted."""
    helps = features_help(cv, index)
    told = tr("the time to an event ({0})", target) if find_family(cv.path.family).has_risk_sets else target
    return Answer(_found(cv, told, index, helps), _quality(cv, target, index), helps)


def features_help(cv: CVPath, index: int) -> bool:
    """Whether features are kept, and held-out rows score better with them than without."""
    if cv.path.n_nonzero[index] == 0:
        return False
    gain = float(cv.cv_mean[index]) - cv.null_mean
    return bool(np.isnan(gain) or (gain > 0.0 if cv.greater_is_better else gain < 0.0))


def class_name(cv: CVPath, target: str, place: int) -> str:
    """A class as a sentence names it: `“benign”`, or `y = 1` where a label by itself says little."""
    label: Any = (cv.path.classes or (0, 1))[place]
    return f"“{isolated(label)}”" if isinstance(label, str) and not _is_number(label) else f"{target} = {label}"


def _found(cv: CVPath, target: str, index: int, helps: bool) -> str:
    path = cv.path
    kept, n, columns = _kept(cv, index)
    features = _counted(n, columns)
    if kept == 0 and index in (cv.index_best, cv.index_1se):
        return tr("None of the {0} is found to help with {1}", features, target)
    if kept == 0:
        return tr("None of the {0} is kept", features)
    if not helps:
        text = "Columns do not help to predict {0}" if columns else "Features do not help to predict {0}"
        return tr(text, target)
    used = tr("All {0}", features) if path.l1_ratio == 0 else _some(kept, n, columns)
    several = kept > 1 or path.l1_ratio == 0
    if path.classes is None:
        return tr("{0} explain {1}" if several else "{0} explains {1}", used, target)
    if path.output_names:
        text = "{0} tell the {1} classes of {2} apart" if several else "{0} tells the {1} classes of {2} apart"
        return tr(text, used, path.n_outputs, target)
    text = "{0} tell {1} from {2}" if several else "{0} tells {1} from {2}"
    return tr(text, used, class_name(cv, target, 1), class_name(cv, target, 0))


def _counted(n: int, columns: bool) -> str:
    one, many = ("{0} column", "{0} columns") if columns else ("{0} feature", "{0} features")
    return tr(one if n == 1 else many, f"{n:,}")


def _some(kept: int, n: int, columns: bool) -> str:
    one, many = "{0} of {1} feature", "{0} of {1} features"
    if columns:
        one, many = "{0} of {1} column", "{0} of {1} columns"
    return tr(one if n == 1 else many, f"{kept:,}", f"{n:,}")


def _kept(cv: CVPath, index: int) -> tuple[int, int, bool]:
    """How many are kept of how many, and whether these are columns, as where some of them give several features."""
    path = cv.path
    if len(path.preparation.columns) in (1, path.n_features):
        return int(path.n_nonzero[index]), path.n_features, False
    any_output = path.coef_at(index) != 0
    features = np.flatnonzero(any_output if any_output.ndim == 1 else any_output.any(axis=0))
    return len(set(path.preparation.column_of_feature[features].tolist())), len(path.preparation.columns), True


def _quality(cv: CVPath, target: str, index: int) -> str:
    held_out = cv.held_out
    if held_out is None or not np.isfinite(held_out.values[index]).all():
        return _by_score(cv, index)
    if held_out.measure == "accuracy":
        return _of_classes(cv, target, index, held_out)
    if held_out.measure == "concordance":
        return _of_times(cv, index, held_out)
    if held_out.null.ndim:
        return _of_targets(cv, index, held_out)
    error, null = float(held_out.typical(index)), float(held_out.typical_null)
    first = tr("On held-out rows, {0} is typically missed by {1}", target, figures(error))
    if not error < null:
        return tr("{0}, which is no less than without features ({1}).", first, figures(null))
    if _by_mean(cv):
        return tr("{0}; by the mean alone it would be missed by {1}.", first, figures(null))
    return tr("{0}; without features it would be missed by {1}.", first, figures(null))


def _of_classes(cv: CVPath, target: str, index: int, held_out: HeldOut) -> str:
    share, null = float(held_out.values[index]), float(held_out.null)
    always = class_name(cv, target, held_out.commonest)
    first = tr("Of held-out rows, {0} are put into the right class", percent(share))
    if share > null + LEAST_GAIN:
        return tr("{0}; always saying {1} would be right for {2}.", first, always, percent(null))
    alike = share > null - LEAST_GAIN
    text = (
        "{0}, about as many as by always saying {1} ({2})." if alike else "{0}, fewer than by always saying {1} ({2})."
    )
    return tr(text, first, always, percent(null)) + _ranking(cv, target, index)


def _of_times(cv: CVPath, index: int, held_out: HeldOut) -> str:
    """How often the row with the higher risk is first, beside the deviance; of a null model what the best does."""
    null_rank = f"{float(held_out.null):.3g}"  # other than one half with an offset
    if cv.path.n_nonzero[index] == 0:
        text = "Without features all rows have the same risk."
        if cv.path.has_offset:
            text = "Without features the offset alone makes the risks of rows."
        text = tr(text)
        best = cv.index_best
        found = held_out.concordance(best)
        if index != cv.index_1se or cv.path.n_nonzero[best] == 0 or found is None:
            return text
        told = tr(
            "lambda_1se is strict here: the score of few events varies so much between folds that none of the models "
            "is better than no features by more than one standard error. lambda_best keeps {0}, with a concordance of "
            "{1} on held-out rows ({2} without features).",
            tr("{0} features" if cv.path.n_nonzero[best] > 1 else "{0} feature", f"{cv.path.n_nonzero[best]:,}"),
            with_error(*found),
            null_rank,
        )
        return f"{text} {told}"
    share, error = held_out.concordance(index) or (np.nan, np.nan)
    text = "On held-out rows, the concordance is {0} ({1} without features)"
    first = tr(text, with_error(share, error), null_rank)
    if share <= 0.5:
        told = tr("{0}: the risks put them in no better order than chance.", first)
    else:
        told = tr("{0}: of two rows, the one with the higher risk has its event first in {1}.", first, percent(share))
    if cv.score == "concordance":
        return told
    null = "" if np.isnan(cv.null_mean) else tr(", against {0} without features", of_score(cv, cv.null_mean))
    mean = of_score(cv, float(cv.cv_mean[index]))
    return told + tr(" The {0} is {1}{2}.", score_name(cv.score, cv.path.family), mean, null)


def _ranking(cv: CVPath, target: str, index: int) -> str:
    """What probabilities are worth where they seldom pass one half."""
    name = {cv.index_best: "best", cv.index_1se: "1se"}.get(index, "")
    area = cv.diagnostics.get(name, {}).get("auc", 0.0)
    if cv.path.output_names or not area >= INFORMATIVE:
        return ""
    return tr(
        " Even so it ranks them: of a row of {0} and another one, the first gets the higher probability in {1} of such "
        "pairs.",
        class_name(cv, target, 1),
        percent(area),
    )


def _of_targets(cv: CVPath, index: int, held_out: HeldOut) -> str:
    """Each target, or of many those that are predicted best and worst."""
    errors, nulls = held_out.typical(index), held_out.typical_null
    with np.errstate(invalid="ignore", divide="ignore"):
        order = np.argsort(errors / nulls, kind="stable")
    text = "{0} is typically missed by {1} (without features by {2})"
    if _by_mean(cv):
        text = "{0} is typically missed by {1} (by the mean alone by {2})"
    names = [isolated(name) for name in cv.path.output_names]
    told = [tr(text, names[k], figures(float(errors[k])), figures(float(nulls[k]))) for k in order]
    if len(told) <= MOST_TARGETS:
        return tr("On held-out rows, {0}.", ", ".join(told))
    return tr("On held-out rows, at best {0}, at worst {1}.", told[0], told[-1])


def _by_score(cv: CVPath, index: int) -> str:
    """What is left to say of a file that keeps scores alone."""
    null = "" if np.isnan(cv.null_mean) else tr(", against {0} without features", figures(cv.null_mean))
    mean = figures(float(cv.cv_mean[index]))
    return tr("On held-out rows, the {0} is {1}{2}.", score_name(cv.score, cv.path.family), mean, null)


def _by_mean(cv: CVPath) -> bool:
    """Whether the model without features predicts the mean of the target."""
    path = cv.path
    return path.fit_intercept and not path.has_offset and find_family(path.family).typical_error == "mse"


def percent(share: float) -> str:
    """0.123 as `12.3 %`; what is not all, or not nothing, is never rounded to it."""
    for digits in range(1, 9):
        shown = f"{100 * share:.{digits}f}"
        if share in (0.0, 1.0) or 0.0 < float(shown) < 100.0:
            break
    return tr("{0} %", shown)


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
