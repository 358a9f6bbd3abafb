"""A model judged on rows with known targets, wherever they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.results.arrays import Array
from normball.results.evaluation import Evaluation, JudgedRows
from normball.results.judged_in_parts import evaluate_parts
from normball.results.kinds import Unknown, in_parts, without_parts
from normball.results.scores_of_times import judged_times

if TYPE_CHECKING:
    from normball.inputs.sources import Source
    from normball.results.fit import Fit

    Judging = Callable[..., JudgedRows]


def evaluate(
    fit: Fit,
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    offset: Any = None,
    strata: Any = None,
    row_groups: Any = None,
    n_bootstrap: int = 500,
    random_state: Any = 0,
    unknown: Unknown = "error",
    horizon: float | None = None,
) -> Evaluation:
    """Score a model on new rows; see `Fit.evaluate`."""
    from normball.inputs.row_numbers import row_numbers
    from normball.inputs.sources import source_of
    from normball.inputs.streams import at_hand
    from normball.messages import Finding, raise_errors
    from normball.settings import number, whole

    X, n_bootstrap = at_hand(X), whole("n_bootstrap", n_bootstrap, 0)
    if strata is not None and fit.baseline is None:
        raise ValueError(f"strata are of models of times to an event; this one is {fit.family}: leave strata= out")
    if horizon is not None and fit.baseline is None:
        raise ValueError(f"a horizon is of models of times to an event; this one is {fit.family}: leave horizon= out")
    if horizon is not None:
        horizon = number("horizon", horizon, minimum=0, exclusive=True)
    if in_parts(X):
        what, instead = (
            "evaluate on rows that are read in parts",
            "read the table, or a sample of its rows, into memory",
        )
        find_family(fit.family).check_rows(what, instead)
        roles = {"y": y, "sample_weight": sample_weight, "offset": offset, "row_groups": row_groups}
        return evaluate_parts(fit, X, roles, n_bootstrap, random_state, unknown)
    X = without_parts(X)
    source = source_of(X)
    findings: list[Finding] = []
    weights = row_numbers(source, sample_weight, "sample_weight", 1.0, findings)
    raise_errors(findings)
    judged_of = _numbers(fit, source, y) if fit.baseline is None else _times(fit, source, y, strata, weights, horizon)
    eta = fit.predict(X, kind="link", offset=offset, unknown=unknown)
    groups = None if row_groups is None else _groups(source, row_groups)
    null, used = _null_predictor(fit, source, offset, eta.shape), weights > 0.0
    rows = judged_of(
        used,
        eta[used],
        None if null is None else null[used],
        weights[used],
        None if groups is None else np.unique(groups[used], return_inverse=True)[1],
    )
    return replace(rows.evaluation(fit, n_bootstrap, np.random.default_rng(random_state)), horizon=horizon)


def _numbers(fit: Fit, source: Source, y: Any) -> Judging:
    """How rows with numbers or classes are judged."""
    from normball.inputs.new_targets import new_target

    target = new_target(source, y, fit.family, fit.classes, fit.output_names)
    return lambda used, *rest: JudgedRows.of_numbers(find_family(fit.family), target[used], *rest)


def _times(fit: Fit, source: Source, y: Any, strata: Any, weights: Array, horizon: float | None) -> Judging:
    """How rows with times to an event are judged."""
    from normball.inputs.new_targets import new_times
    from normball.inputs.survival_target import new_strata

    assert fit.baseline is not None
    names = fit.baseline.stratum_names
    codes = new_strata(source, strata, names)
    target = replace(new_times(source, y, weights > 0.0), strata=codes if names else None, stratum_names=names)
    if horizon is not None and target.start is not None:
        text = "horizon= asks for a Brier score, which rows that come under observation late have not: leave it out"
        raise ValueError(text)
    return lambda used, *rest: judged_times(fit, target.take(used), *rest, horizon=horizon)


def _groups(source: Source, values: Any) -> NDArray[Any]:
    """For each row a label of its group."""
    from normball.folds import per_row

    given = source.values(values) if isinstance(values, str) and values in source.names else values
    if isinstance(given, str):
        from normball.inputs.lookup import not_found
        from normball.messages import DataError

        raise DataError(not_found(source, given, "Column (of row_groups)"))
    return per_row("row_groups", given, source.n_rows)


def _null_predictor(fit: Fit, source: Source, offset: Any, shape: tuple[int, ...]) -> Array | None:
    """The linear predictor of the model without features."""
    from normball.inputs.row_numbers import offsets_of
    from normball.messages import Finding, raise_errors

    if fit.null_intercept is None:
        return None
    findings: list[Finding] = []
    offsets = offsets_of(source, offset, fit.output_names, findings)
    raise_errors(findings)
    return np.asarray(np.broadcast_to(fit.null_intercept + offsets, shape))
