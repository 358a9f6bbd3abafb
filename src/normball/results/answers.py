"""The answer first: what was found, and how good it is on rows not used for the fit, in the words of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.families import find_family
from normball.results.facts import figures
from normball.results.text import isolated

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
    return Answer(_found(cv, target, index, helps), _quality(cv, target, index), helps)


def features_help(cv: CVPath, index: int) -> bool:
    """Whether features are kept, and left-out rows score better with them than without."""
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
    kept, n, what = _kept(cv, index)
    features = f"{n:,} {what}{'s' * (n != 1)}"
    if kept == 0 and index in (cv.index_best, cv.index_1se):
        return f"None of the {features} is found to help with {target}"
    if kept == 0:
        return f"None of the {features} is kept"
    if not helps:
        return f"{what.capitalize()}s do not help to predict {target}"
    used = f"All {features}" if path.l1_ratio == 0 else f"{kept:,} of {features}"
    verb = "tell" if kept > 1 or path.l1_ratio == 0 else "tells"
    if path.classes is None:
        return f"{used} {'explain' if verb == 'tell' else 'explains'} {target}"
    if path.output_names:
        return f"{used} {verb} the {path.n_outputs} classes of {target} apart"
    return f"{used} {verb} {class_name(cv, target, 1)} from {class_name(cv, target, 0)}"


def _kept(cv: CVPath, index: int) -> tuple[int, int, str]:
    """How many are kept of how many: columns of the table where some give several features."""
    path = cv.path
    if path.n_features == len(path.preparation.columns):
        return int(path.n_nonzero[index]), path.n_features, "feature"
    any_output = path.coef_at(index) != 0
    features = np.flatnonzero(any_output if any_output.ndim == 1 else any_output.any(axis=0))
    return len(set(path.preparation.column_of_feature[features].tolist())), len(path.preparation.columns), "column"


def _quality(cv: CVPath, target: str, index: int) -> str:
    held_out = cv.held_out
    if held_out is None or not np.isfinite(held_out.values[index]).all():
        return _by_score(cv, index)
    if held_out.measure == "accuracy":
        return _of_classes(cv, target, index, held_out)
    if held_out.null.ndim:
        return _of_targets(cv, index, held_out)
    error, null = float(held_out.typical(index)), float(held_out.typical_null)
    first = f"On rows not used for the fit, {target} is typically missed by {figures(error)}"
    if not error < null:
        return f"{first}, which is no less than without features ({figures(null)})."
    return f"{first}; {_without(cv)} it would be missed by {figures(null)}."


def _of_classes(cv: CVPath, target: str, index: int, held_out: HeldOut) -> str:
    share, null = float(held_out.values[index]), float(held_out.null)
    always = class_name(cv, target, held_out.commonest)
    first = f"Of the rows not used for the fit, {percent(share)} are put into the right class"
    if share > null + LEAST_GAIN:
        return f"{first}; always saying {always} would be right for {percent(null)}."
    ranks = _ranking(cv, target, index)
    compared = "about as many as" if share > null - LEAST_GAIN else "fewer than"
    return f"{first}, {compared} by always saying {always} ({percent(null)}).{ranks}"


def _ranking(cv: CVPath, target: str, index: int) -> str:
    """What probabilities are worth where they seldom pass one half."""
    name = {cv.index_best: "best", cv.index_1se: "1se"}.get(index, "")
    area = cv.diagnostics.get(name, {}).get("auc", 0.0)
    if cv.path.output_names or not area >= INFORMATIVE:
        return ""
    return (
        f" Even so it ranks them: of a row of {class_name(cv, target, 1)} and another one, the first gets the "
        f"higher probability in {percent(area)} of such pairs."
    )


def _of_targets(cv: CVPath, index: int, held_out: HeldOut) -> str:
    """Each target, or of many those that are predicted best and worst."""
    errors, nulls = held_out.typical(index), held_out.typical_null
    with np.errstate(invalid="ignore", divide="ignore"):
        order = np.argsort(errors / nulls, kind="stable")
    told = [
        f"{isolated(cv.path.output_names[k])} is typically missed by {figures(float(errors[k]))} "
        f"({_without(cv)} by {figures(float(nulls[k]))})"
        for k in order
    ]
    if len(told) <= MOST_TARGETS:
        return f"On rows not used for the fit, {', '.join(told)}."
    return f"On rows not used for the fit, at best {told[0]}, at worst {told[-1]}."


def _by_score(cv: CVPath, index: int) -> str:
    """What is left to say of a file that keeps scores alone."""
    null = "" if np.isnan(cv.null_mean) else f", against {figures(cv.null_mean)} without features"
    return f"On rows not used for the fit, the {cv.score} is {figures(float(cv.cv_mean[index]))}{null}."


def _without(cv: CVPath) -> str:
    path = cv.path
    mean = path.fit_intercept and not path.has_offset and find_family(path.family).typical_error == "mse"
    return "by the mean alone" if mean else "without features"


def percent(share: float) -> str:
    """0.123 as `12.3 %`; what is not all, or not nothing, is never rounded to it."""
    for digits in range(1, 9):
        shown = f"{100 * share:.{digits}f}"
        if share in (0.0, 1.0) or 0.0 < float(shown) < 100.0:
            break
    return f"{shown} %"


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
