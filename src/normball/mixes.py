"""Several mixes of the penalty on the same folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from normball.blocks.data import BlockData
from normball.comparison import Comparison
from normball.cv import BY_ROW, cross_validate, cv_path, with_folds_of
from normball.cv_result import CVPath
from normball.families import find_family
from normball.inputs.prepare import Data
from normball.messages import Interrupted
from normball.path import problem_anywhere
from normball.scoring import find_score
from normball.settings import (
    CV_OPTIONS,
    RIDGE_LAMBDAS,
    RIDGE_SHORTER,
    FitOptions,
    Settings,
    check_words,
    default_min_ratio,
    truth,
    with_options_of,
)

MIXES = (1.0, 0.5, 0.1, 0.0)


@with_options_of(cv_path, "l1_ratio")
def compare(
    X: Any,
    y: Any,
    l1_ratios: float | Sequence[float] | None = None,
    **arguments: Any,
) -> Comparison:
    """Cross-validate several mixes of the penalty on the same folds: by default lasso, two elastic nets and ridge.

    The data are read and laid out once, and all mixes share the folds, so that their scores are compared fold by fold.

    Parameters
    ----------
    X, y
        As in `fit_path`.
    l1_ratios : float or sequence of float, optional
        The mixes of the penalty to compare. By default 1, 0.5, 0.1 and 0 as they act on a target in units of its
        standard deviation: for numbers (`family` gaussian, huber or multigaussian) the L2 part of the penalty depends
        on the unit, and 0.5 of dollars would be next to nothing but ridge.
    **arguments
        Everything else that `cv_path` takes. Unless they say otherwise, the grid of ridge has 50 lambdas and ends at a
        hundredth of the usual end, since ridge is often best there.

    Returns
    -------
    Comparison

    Raises
    ------
    Interrupted
        On Ctrl-C; its `result` is the Comparison of what was finished, the path of the last mix as far as it came.

    Examples
    --------
    >>> import numpy as np, normball as nb
    >>> X = np.random.default_rng(0).normal(size=(80, 5))
    >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
    >>> comparison = nb.compare(X, y, cv=5)
    >>> comparison.short_list().n_nonzero
    1
    """
    known = {*FitOptions.__annotations__, *CV_OPTIONS} - {"l1_ratio"}
    check_words("compare", arguments, known, "The mixes are called l1_ratios; every path holds all of its lambdas")
    own = {name: value for name, value in arguments.items() if name in CV_OPTIONS}
    options = {name: value for name, value in arguments.items() if name not in CV_OPTIONS}
    problem = problem_anywhere(X, y, options, {name: own[name] for name in BY_ROW if name in own})
    score = find_score(own.pop("score", None), problem.settings.family, problem.data.classes)
    keep_predictions = truth("keep_predictions", own.pop("keep_predictions", False))
    problem, folds = with_folds_of(problem, own)
    given: list[Any] = default_mixes(problem.data) if l1_ratios is None else np.atleast_1d(l1_ratios).tolist()
    if not given:
        raise ValueError("l1_ratios is empty")
    ratios = list(dict.fromkeys(given))
    usual = not {"lambdas", "n_lambdas", "lambda_min_ratio"}.intersection(options)
    paths = []
    for ratio in ratios:
        settings = replace(problem.settings, l1_ratio=ratio)
        if usual and ratio == 0.0:
            settings = _grid_of_ridge(settings, problem.data)
        try:
            one = replace(problem, settings=settings)
            paths.append(cross_validate(one, folds, score, keep_predictions))
        except KeyboardInterrupt as stop:
            found = getattr(stop, "result", None)
            partial = found if isinstance(found, CVPath) else None  # a path without scores cannot be compared
            finished = paths if partial is None else [*paths, partial]
            text = _how_far(len(ratios), len(paths), partial, settings) if len(ratios) > 1 else str(stop)
            raise Interrupted(text, Comparison(tuple(finished)) if finished else None) from None
    return Comparison(tuple(paths))


def _how_far(n_mixes: int, n_finished: int, partial: Any, settings: Settings) -> str:
    """How far a comparison came; the path that was in work counts where all of its lambdas were there."""
    n_lambdas = 0 if partial is None else partial.lambdas.size
    is_whole = n_lambdas == (settings.n_lambdas if settings.lambdas is None else len(settings.lambdas))
    text = f"Interrupted after {n_finished + is_whole} of {n_mixes} penalties"
    return text if is_whole or not n_lambdas else f"{text}, and {n_lambdas} lambdas of the next"


def default_mixes(data: Data | BlockData) -> list[float]:
    """The values of l1_ratio that mix as `MIXES` do for a target in units of its standard deviation."""
    if not find_family(data.family).amounts:
        return list(MIXES)
    return [_in_the_unit(mix, data.target_variance**0.5) for mix in MIXES]


def _in_the_unit(mix: float, deviation: float) -> float:
    """`l1_ratio` in the unit of the target; two digits of the smaller part will do."""
    if mix in (0.0, 1.0) or not deviation > 0.0:
        return mix
    odds = mix / (1.0 - mix) * deviation  # of the L1 part to the L2 part
    smaller = float(f"{min(odds, 1.0) / (1.0 + odds):.1e}")
    return smaller if odds < 1.0 else float(f"{1.0 - smaller:.15g}")


def _grid_of_ridge(settings: Settings, data: Data | BlockData) -> Settings:
    ratio = default_min_ratio(data.n_rows, data.n_features) / RIDGE_SHORTER
    return replace(settings, n_lambdas=RIDGE_LAMBDAS, lambda_min_ratio=ratio)
