"""What a result gives to know about itself: leaks by several columns, coefficients of one or two rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normball.messages import SAMPLE, Finding, count, sample, words
from normball.results.fit import Array, explained

if TYPE_CHECKING:
    from normball.results.fit import Fit
    from normball.results.path import Path

TOO_GOOD = 0.999  # of the deviance of held-out rows
NEGLIGIBLE = 0.01  # of the largest column's part
FEW_ROWS = 2


def possible_leak(path: Path, held_out_loss: Array) -> list[Finding]:
    """W34: held-out rows are explained too well; the columns are those of the strongest penalty where they are.

    `held_out_loss` is the mean loss of held-out rows at each strength.
    """
    with np.errstate(invalid="ignore"):  # NaN where no fold has a loss
        too_good = np.flatnonzero(explained(held_out_loss, path.null_loss) > TOO_GOOD)
    if not too_good.size or path.n_nonzero[too_good[0]] == 0:
        return []
    per_sd = np.abs(path.coef_rows[too_good[0]]) * path.scales
    parts = np.bincount(path.preparation.column_of_feature, weights=per_sd)
    order = [int(j) for j in np.argsort(-parts, kind="stable") if parts[j] > NEGLIGIBLE * parts.max()]
    names = [path.column_names[j] for j in order]
    text = f"Possible leak: {sample(names, quote=True)}{' together' if len(names) > 1 else ''} explain"
    text += f"{'s' if len(names) == 1 else ''} more than {100 * TOO_GOOD:g} % of the deviance of held-out rows."
    fix = "find out whether some are made of the target, and leave those out"
    if len(names) <= SAMPLE:
        fix = f"unless known before the target is: drop={words(names)}"
    return [Finding("W34", text, fix, tuple(names))]


def rare_levels(fit: Fit) -> list[Finding]:
    """W35: selected features that one or two rows tell apart from all others."""
    if fit.l1_ratio == 0:  # ridge selects none
        return []
    preparation = fit.preparation
    column_of_feature = preparation.column_of_feature
    shown, names = [], []
    for j in np.flatnonzero(fit.coef):
        column = preparation.columns[column_of_feature[j]]
        place = int(j - np.searchsorted(column_of_feature, column_of_feature[j]))
        if column.n_rows is None or (column.levels is None and place == 0):
            continue
        n_rows = column.n_rows[place if column.levels is not None else 0]
        n_others = sum(column.n_rows) - n_rows if column.levels is not None else n_rows
        if min(n_rows, n_others) <= FEW_ROWS:
            all_but = "all but " if n_others < n_rows else ""
            shown.append(f'"{fit.feature_names[j]}" ({all_but}{_rows(min(n_rows, n_others))})')
            names.append(column.name)
    if not shown:
        return []
    text = f"Selected, though one or two rows decide: {sample(shown)}. "
    text += "Such a coefficient is learned from these rows alone."
    columns = list(dict.fromkeys(names))
    fix = "give rare levels one name in common before the fit"
    fix += f", or drop={words(columns)}" if len(columns) <= SAMPLE else ""
    return [Finding("W35", text, fix, tuple(columns))]


def _rows(number: int) -> str:
    return f"{count(number)} row{'s' * (number != 1)}"
