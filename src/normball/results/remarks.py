"""What a result gives to know about itself.

=====  ==========================================================================================================
code   what is found
=====  ==========================================================================================================
W34    columns that together predict held-out rows too well to be true
W35    selected features that one or two rows decide
W36    targets that vary far more than their family admits
W37    targets that vary far less than the parameter of their family says
W41    features without a penalty that leave nothing to the others, or have no largest likelihood
=====  ==========================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from normball.families import find_family
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.terms.levels import RARE_LEVEL, LevelTerm
from normball.language import tr
from normball.messages import OR, SAMPLE, Finding, count, sample, words
from normball.results.arrays import Array, explained

if TYPE_CHECKING:
    from normball.inputs.preparation import Preparation
    from normball.results.fit import Fit
    from normball.results.path import Path

TOO_GOOD = 0.999  # of the deviance of held-out rows
NEGLIGIBLE = 0.01  # of the largest column's part
FEW_ROWS = 2
LEAVES_SOMETHING, LEAVES_NOTHING, NO_OPTIMUM = 0, 1, 2  # `Solution.null_fits`
FAR_ABOVE_ONE, FAR_BELOW_ONE = 2.0, 0.5  # dispersion


def possible_leak(path: Path, held_out_loss: Array) -> list[Finding]:
    """W34: held-out rows are explained too well; the columns are those of the strongest penalty where they are.

    `held_out_loss` is the mean loss of held-out rows at each strength.
    """
    with np.errstate(invalid="ignore"):  # NaN where no fold has a loss
        too_good = np.flatnonzero(explained(held_out_loss, path.null_loss) > TOO_GOOD)
    if not too_good.size or path.n_nonzero[too_good[0]] == 0:
        return []
    names = _most_of(path, np.abs(np.atleast_2d(path.coef_at(too_good[0]))).sum(axis=0) * path.scales)
    text = (
        f"Possible leak: {sample(names, quote=True)}{' together' if len(names) > 1 else ''} explain"
        f"{'s' if len(names) == 1 else ''} more than {100 * TOO_GOOD:g} % of the deviance of held-out rows."
    )
    fix = "find out whether some are made of the target, and leave those out"
    if len(names) <= SAMPLE:
        fix = f"unless known before the target is: drop={words(names)}"
    return [Finding("W34", text, fix, tuple(names))]


def _most_of(path: Path, per_sd: Array) -> list[str]:
    """The columns that have most of these parts of the features, the largest first."""
    parts = np.bincount(path.preparation.column_of_feature, weights=per_sd)
    order = [int(j) for j in np.argsort(-parts, kind="stable") if parts[j] > NEGLIGIBLE * parts.max()]
    return [path.column_names[j] for j in order]


def nothing_left(path: Path, null_fit: int) -> list[Finding]:
    """W41: what has no penalty explains all of the target's deviance but a billionth, or separates it.

    `null_fit` is that of `Solution.null_fits`. Features are named by the columns that count most in the model of the
    strongest penalty.
    """
    is_free = path.penalty_factors == 0.0
    if null_fit == LEAVES_SOMETHING or (null_fit == LEAVES_NOTHING and is_free.all()):
        return []
    names = _most_of(path, np.where(is_free, np.abs(np.atleast_2d(path.coef_at(0))).sum(axis=0) * path.scales, 0.0))
    if null_fit == NO_OPTIMUM and names:
        told = sample(names, quote=True)
        text = f"Features without a penalty separate the target, or all but copy one another: {told}.\n"
        text += "Their coefficients grow beyond what can be solved: no optimum was found. All others are zero."
        return [Finding("W41", text, "leave them out of penalty_factors, so that they have a penalty", tuple(names))]
    if names:
        text = f"Features without a penalty explain the target but for a billionth: {sample(names, quote=True)}.\n"
        text += "All others are zero at every lambda."
        fix = "find out whether some are made of the target, and leave those out"
        if len(names) <= SAMPLE:
            fix = f"unless known before the target is: drop={words(names)}"
        return [Finding("W41", text, fix, tuple(names))]
    knows_units = find_family(path.family).inverse_link == "exp" and not find_family(path.family).has_risk_sets
    fix = 'family="gaussian", which sees differences of any size' if knows_units else ""
    if path.has_offset:
        text = "The offset alone explains the target but for a billionth; all coefficients are zero."
    else:
        text = "A model without features explains the target but for a billionth; all coefficients are zero."
    return [Finding("W41", text, fix)]


def overdispersed(path: Path, dispersion: float) -> list[Finding]:
    """W36: targets that vary far more than their family admits."""
    other = find_family(path.family).if_overdispersed
    if not other or not dispersion > FAR_ABOVE_ONE:
        return []
    text = (
        f"The target varies {dispersion:.3g} times as much as {path.family} says (Pearson's dispersion at "
        "lambda_best). Coefficients and predictions hold all the same; a standard error computed elsewhere has to "
        "be multiplied by its root."
    )
    return [Finding("W36", text, f'a family with a variance of its own: family="{other}"')]


def underdispersed(path: Path, dispersion: float, even_parameter: Callable[[], float]) -> list[Finding]:
    """W37: targets that vary far less than their family says, where another parameter of it would say so.

    `even_parameter` is the parameter at which the dispersion would be 1, infinite where there is none.
    """
    family = find_family(path.family)
    if not family.grows_even or not dispersion < FAR_BELOW_ONE:
        return []
    text = (
        f"The target varies {dispersion:.2g} times as much as {path.family} says (Pearson's dispersion at "
        f"lambda_best): {family.parameter_name} is too small. An estimate is made before the fit and takes for noise "
        "what the features then explain."
    )
    larger = even_parameter()
    fix = f'family="{replace(family, parameter=larger)}"' if math.isfinite(larger) else family.no_estimate[1]
    return [Finding("W37", text, fix)]


def rare_levels(fit: Fit) -> list[Finding]:
    """W35: selected features that one or two rows tell apart from all others."""
    if fit.l1_ratio == 0:  # ridge selects none
        return []
    rare = [(j, which) for j in fit.kept.tolist() if (which := few_rows(fit.preparation, j))]
    if not rare:
        return []
    shown = sample([f'"{fit.preparation.shown_names[j]}" ({which})' for j, which in rare])
    text = f"Selected, though one or two rows decide: {shown}. Such a coefficient is learned from these rows alone."
    column_of_feature = fit.preparation.column_of_feature
    columns = list(dict.fromkeys(fit.preparation.columns[column_of_feature[j]].name for j, _ in rare))
    remedies = [f"drop={words(columns)}"] if len(columns) <= SAMPLE else []
    if all(_could_join_others(fit.preparation, j) for j, _ in rare):
        remedies.insert(0, f"min_count={FEW_ROWS + 1} to let rare levels stand together")
    fix = OR.join(remedies)
    return [Finding("W35", text, fix, tuple(columns))]


def _could_join_others(preparation: Preparation, feature: int) -> bool:
    """Whether a feature is a rare level, and more rows would share one with it if such levels stood together."""
    column, part = preparation.origin(feature)
    if not isinstance(column, LevelTerm) or part.name in (RARE_LEVEL, MISSING_LEVEL):
        return False
    sizes = [n for level, n in zip(column.levels, column.n_rows or (), strict=False) if level != MISSING_LEVEL]
    return sum(n for n in sizes if n <= FEW_ROWS) > FEW_ROWS


def few_rows(preparation: Preparation, feature: int) -> str:
    """`1 row` or `all but 2 rows` for a feature that so few rows tell apart from the others, else nothing."""
    column, part = preparation.origin(feature)
    if part.n_rows is None:
        return ""
    if part.n_rows <= FEW_ROWS:
        return _rows(part.n_rows)
    others = column.n_all - part.n_rows if isinstance(column, LevelTerm) else FEW_ROWS + 1
    return tr("all but {0}", _rows(others)) if others <= FEW_ROWS else ""


def _rows(number: int) -> str:
    return tr("{0} row" if number == 1 else "{0} rows", count(number))
