"""Fit any batch of problems over one table: `fit_paths`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from normball.blocks.opening import refuse_blocks
from normball.inputs.batch import Batch, prepare_batch
from normball.inputs.per_feature import FEATURE_OPTIONS, feature_columns
from normball.inputs.streams import at_hand
from normball.messages import Interrupted
from normball.path import Problem, fit_path, problem_of, split_options, warn_not_converged
from normball.results.paths import Paths
from normball.settings import BatchOptions, FitOptions, check_words, with_options_of
from normball.solution import Solution

__all__ = ["Paths", "fit_paths"]


@with_options_of(fit_path)
def fit_paths(
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    **options: Unpack[BatchOptions],
) -> Paths:
    """Fit many paths over one table in one call.

    Bootstrap, stability selection, permutation, several targets and adaptive penalties are all the same thing: K
    problems that share X and differ in their targets, weights, offsets, penalty factors or bounds. They are solved in
    lockstep, so that one read of X serves all of them. Each is what `fit_path` would give for its own on the common
    grid.

    Parameters
    ----------
    X : array, sparse matrix or data frame, shape (n, n_features)
        The features, as in `fit_path`.
    y : array or frame, shape (n,) or (n, n_problems), or str or list of str
        The target of all problems, or a column for each; names are those of columns of X. A binomial target may have
        its own two labels in each column. Of families with several outputs: one column of labels.
    sample_weight : array or frame, shape (n,) or (n, n_problems), or str or list of str, optional
        Weights of the rows for all problems, or a column for each. A row of weight 0 is absent from that problem, a row
        of weight 2 counts twice: a bootstrap sample is a column of counts.
    **options
        Everything else that `fit_path` takes. `offset` may hold a column for each problem, shape (n, n_problems); so
        may `penalty_factors`, `lower_bounds` and `upper_bounds`, an array or a frame that is indexed by features, shape
        (n_features, n_problems). With ``missing="drop"`` or ``"impute"`` a row that lacks one of several targets has
        weight 0 in that problem alone.

    Returns
    -------
    Paths
        A sequence of `Path`, in the order of the columns. All share one grid, by default that of the first problem;
        ``paths[k].lambda_max`` is where problem k would begin. So put the problem that matters most first (all rows
        with equal weights, in a bootstrap), bring targets to a common scale, or give `lambdas`. The first problem also
        gives a family's parameter where that is to be estimated.

    Raises
    ------
    DataError
        If some problem cannot be solved; it says which.
    Interrupted
        On Ctrl-C; its `result` holds the strengths that all problems finished.

    Warns
    -----
    NotConverged
        Once, if some strengths were not solved to `tol`.

    Notes
    -----
    Rows are samples everywhere, so a problem is a column, as the targets in a table or in scikit-learn. A matrix of
    weights made by rows (``rng.multinomial(n, np.full(n, 1 / n), size=100)``) is passed transposed.

    Examples
    --------
    How often does a bootstrap sample keep each feature at one strength?

    >>> import numpy as np, normball as nb
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> n = len(y)
    >>> counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=100).T
    >>> paths = nb.fit_paths(X, y, sample_weight=counts, lambdas=[5.3])
    >>> kept = paths.selection_counts[0]  # in how many of the 100
    >>> {name: int(times) for name, times in zip(X.columns, kept) if times >= 80}
    {'bmi': 100, 'bp': 99, 's3': 99, 's5': 100}

    The adaptive lasso (Zou 2006) penalises each feature by the inverse of a first estimate. For an honest
    cross-validation both stages are fitted inside every fold, one call each; problem 0 has all rows.

    >>> from sklearn.model_selection import KFold
    >>> folds = [test for _, test in KFold(5, shuffle=True, random_state=0).split(X)]
    >>> weights = np.column_stack([np.ones(n), *(~np.isin(np.arange(n), test) for test in folds)]).astype(float)
    >>> first = nb.fit_paths(X, y, sample_weight=weights, l1_ratio=0, lambdas=[0.1])
    >>> factors = np.column_stack([1 / np.abs(path.coefs[0] * path.scales) for path in first])
    >>> second = nb.fit_paths(X, y, sample_weight=weights, penalty_factors=factors)
    >>> errors = np.zeros(len(second[0].lambdas))
    >>> for path, test in zip(second[1:], folds):
    ...     fitted = path.intercepts + X.iloc[test].to_numpy() @ path.coefs.T
    ...     errors += np.sum((y.to_numpy()[test, None] - fitted) ** 2, axis=0) / n
    >>> chosen = second[0].at(lam=second[0].lambdas[errors.argmin()])
    >>> sorted(X.columns[chosen.coef != 0])
    ['bmi', 'bp', 's1', 's3', 's4', 's5', 's6', 'sex']
    """
    check_words("fit_paths", options, FitOptions.__annotations__)
    X = at_hand(X)
    refuse_blocks(X, "fit_paths", "fit_path reads them, one target at a time")
    settings, for_data = split_options(options)
    drop, offset = for_data.pop("drop", ()), for_data.pop("offset", None)
    columns = {name: feature_columns(getattr(settings, name)) for name in FEATURE_OPTIONS}
    counts = {name: len(values) for name, values in columns.items()}
    batch = prepare_batch(X, y, sample_weight, offset, counts, family=settings.family, drop=drop, **for_data)
    problems = [
        problem_of(
            batch.problem(k),
            replace(settings, **{name: values[k if len(values) > 1 else 0] for name, values in columns.items()}),
            options,
        )
        for k in range(len(batch) if max(counts.values()) > 1 else 1)
    ]
    own = {name: np.array([getattr(one, name) for one in problems]) for name in FEATURE_OPTIONS if counts[name] > 1}
    if len(problems) == 1:
        problems = [replace(problems[0], data=batch.problem(k)) for k in range(len(batch))]
    solution = problems[0].solve(batch.weights, responses=batch.responses, own={"offsets": batch.offsets, **own})
    n_finished = solution.n_finished
    paths = _paths(problems, batch, solution, n_finished) if n_finished else None
    if solution.interrupted:
        raise Interrupted(f"Interrupted after {n_finished} of {solution.lambdas.size} lambdas", paths)
    assert paths is not None
    warn_not_converged(solution, settings.tol, depth=2)
    return paths


def _paths(problems: Sequence[Problem], batch: Batch, solution: Solution, n_lambdas: int) -> Paths:
    return Paths(tuple(one.path(solution, n_lambdas, k) for k, one in enumerate(problems)), batch.names)
