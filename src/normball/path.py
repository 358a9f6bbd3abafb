"""Fit a whole path: `fit_path`, and the one native call that everything else goes through."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Never

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.block_problem import BlockProblem, block_problem
from normball.blocks.opening import comes_in_blocks
from normball.families import find_family
from normball.hazards import hazards_of
from normball.inputs.streams import at_hand
from normball.inputs.terms.plan import ABOUT_COLUMNS
from normball.messages import NotConverged
from normball.predictor import linear_predictor
from normball.question import Question, checked
from normball.results.fit import Fit
from normball.results.path import Path
from normball.scores import dispersion
from normball.settings import (
    DEFAULT_MAX_ITER,
    DEFAULT_TOL,
    FitOptions,
    Progress,
    Settings,
    check_words,
)
from normball.solution import Solution, rows_of
from normball.threads import default_threads

if TYPE_CHECKING:
    from normball.inputs.prepare import Data
    from normball.results.sparse_rows import SparseRows
    from normball.survival.baseline import Baselines

__all__ = ["Fit", "Path", "fit_path"]

Array = NDArray[np.float64]

_DATA_OPTIONS = ("sample_weight", "offset", "strata", *ABOUT_COLUMNS)


def fit_path(
    X: Any,
    y: Any,
    *,
    family: str = "gaussian",
    l1_ratio: float = 1.0,
    lambdas: ArrayLike | None = None,
    n_lambdas: int = 100,
    lambda_min_ratio: float | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    strata: ArrayLike | str | None = None,
    penalty_factors: ArrayLike | Mapping[str, float] | None = None,
    lower_bounds: ArrayLike | Mapping[str, float] | None = None,
    upper_bounds: ArrayLike | Mapping[str, float] | None = None,
    grouped: bool | None = None,
    groups: Mapping[str, Sequence[str | int]] | ArrayLike | str | None = None,
    group_weights: Mapping[str, float] | None = None,
    group_ratio: float = 1.0,
    orthonormalize: bool | None = None,
    fit_intercept: bool = True,
    standardize: bool = True,
    tol: float = DEFAULT_TOL,
    max_iter: int = DEFAULT_MAX_ITER,
    n_threads: int | None = None,
    progress: Progress = None,
    missing: str = "error",
    fill_value: float | None = None,
    inf: str = "error",
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    min_count: int = 0,
    baseline: Mapping[str, str] | str | None = None,
    dates: Sequence[str] = (),
    text: Sequence[str] | Mapping[str, int | None] = (),
    spline: Sequence[str] | Mapping[str, int | None] = (),
    interact: Sequence[str | tuple[str, str]] = (),
    **unknown: Never,
) -> Path:
    """Fit a regularised model for a whole grid of strengths.

    Minimises, for every ``lam`` of the grid, ::

        1/sum(w) * sum_i w_i * loss(y_i, o_i + b0 + x_i.b)
            + lam * sum_j v_j * (l1_ratio * |b_j| + (1 - l1_ratio)/2 * b_j**2)

    where the loss is half the unit deviance of the family, ``w`` is `sample_weight`, ``o`` is `offset` and ``v`` is
    `penalty_factors`. So ``lam`` is glmnet's lambda, scikit-learn's alpha in Lasso and ElasticNet, and 1/(C sum(w)) in
    its LogisticRegression. With several outputs the sum is over the coefficients of all of them, or as `grouped` says.

    Parameters
    ----------
    X : array, sparse matrix or data frame, shape (n, n_features)
        The features. NumPy, SciPy sparse, pandas, polars or Arrow; string, boolean and categorical columns of a frame
        become one indicator a level. Float arrays are not copied. What does not fit into memory is read in blocks of
        rows: a `numpy.memmap` of many rows, files by their path, and the other things that `Blocks` lists.
    y : array, shape (n,), or str
        The target, or the name of its column in X. For the binomial family two distinct labels of any kind, the second
        one, sorted or in the order of an Enum, being that whose probability is modelled, or proportions. Multinomial
        takes labels of any kind, or for each class a column with its share in each row; for the multigaussian family a
        column for each target; for cox the columns (time, event) or (start, stop, event), the event being 0 or 1 (or
        true), also as a structured array. Columns are an array (n, n_columns), a frame, or a list of names of columns
        of X.
    family : str
        Distribution of the target: "gaussian" and "huber(delta)" (errors beyond delta count in proportion) with the
        identity link, "binomial" with the logit, and with the logarithm "poisson", "negative_binomial(theta)" (variance
        mu + mu**2/theta), "gamma" (mu**2) and "tweedie(power)" (mu**power, between 1 and 2). A bare name takes power
        1.5, the theta of the largest likelihood of the model without features, or for delta 1.345 standard deviations
        of its residuals by their median distance from the median, to three digits; the `family` of the result says
        which. "multinomial" has a linear predictor for each class, "multigaussian" one for each target, and a loss that
        is the sum of their squared errors. "cox" is the model of proportional hazards by its partial likelihood, with
        events at the same time by Efron's method, or "cox(breslow)" by Breslow's. "auto" takes binomial for a target
        of two values, multinomial for more labels that are no numbers, else gaussian.
    l1_ratio : float
        Mix of the penalty: 1 is the lasso, 0 is ridge.
    lambdas : array, optional
        The grid of strengths. By default `n_lambdas` values, evenly spaced in the logarithm, from the smallest
        strength at which all penalised coefficients are zero down to `lambda_min_ratio` times that.
    n_lambdas : int
        Length of the default grid.
    lambda_min_ratio : float, optional
        End of the default grid: 0.01 where n < n_features, else 0.0001.
    sample_weight : array, shape (n,), optional
        Weights of the rows; only their ratios matter.
    offset : array, shape (n,), optional
        A known part of the linear predictor; of several outputs (n, n_outputs).
    strata : array, shape (n,), or str, optional
        Of the cox family, for each row a label of its stratum: each has a baseline hazard of its own.
    penalty_factors : float, array or {name: value}, optional
        Multiplies the strength for each feature: 0 leaves it unpenalised, infinity excludes it. Default 1.
    lower_bounds, upper_bounds : float, array or {name: value}, optional
        Bounds on the coefficients in the units of the data; they must admit 0. They do not go with `groups`, nor with
        `grouped`.
    grouped : bool, optional
        With several outputs, whether the penalty takes a feature for all of them or for none: ``|b_j|`` is then the
        Euclidean length of its coefficients. By default so for multigaussian, and not so for multinomial.
    groups : {name: [features]}, "columns" or array, shape (n_features,), optional
        Groups of features, each of which the penalty keeps or drops as a whole (group lasso): names of features or of
        columns, a column of labels meaning all its indicators, or positions; a label for each feature; or "columns",
        where the features that one column gives (its levels, or a number and the indicator of its gaps) are a group.
        Features in no group are penalised by themselves. Instead of the sum above, ``lam`` then multiplies ::

            r * sum_g v_g * (l1_ratio * |R_g b_g| + (1 - l1_ratio)/2 * |R_g b_g|**2)
                + (1 - r) * sum_j v_j * (l1_ratio * |b_j| + (1 - l1_ratio)/2 * b_j**2)

        with the Euclidean length of the coefficients of each group (of several outputs for each of them, or with
        `grouped` over all), r being `group_ratio`.
    group_weights : {name: value}, optional
        The ``v_g``, which a common penalty factor of the group multiplies. By default the root of the group's rank
        where it is orthonormalised, of its size elsewhere.
    group_ratio : float
        1 penalises whole groups, 0 single features as without groups; in between is the sparse-group lasso.
    orthonormalize : bool, optional
        Whether a group is penalised in an orthonormal basis of its columns (``R_g`` is a root of their covariance), so
        that how they are written makes no difference. By default so where `group_ratio` is 1.
    fit_intercept : bool
        Whether to fit an intercept, which is never penalised. Cox has none: the baseline hazard takes its place.
    standardize : bool
        Whether the penalty acts on the coefficient per standard deviation. Results are in the data's units anyway.
    tol : float
        A solution counts as solved when its duality gap is at most `tol` times the loss of the null model.
    max_iter : int
        Most iterations of the solver at one strength.
    n_threads : int, optional
        Threads to use; by default as many as there are processors for this process, or OMP_NUM_THREADS if that is
        fewer. Results do not depend on it.
    progress : bool or callable, optional
        Progress bar: None shows one on a terminal when the work takes a while. A callable gets (done, total) and stops
        the fit by returning True.
    missing : {"error", "drop", "impute", "median", "mean", "constant"}
        What to do with missing values: refuse them, leave their rows out, or fill in the median ("impute" is the same),
        the mean or a constant, and add an indicator. In cross-validation medians and means are those of each fold's
        training rows. A missing label is a level of its own.
    fill_value : float, optional
        The constant, by default 0.
    inf : {"error", "nan"}
        Whether an infinite feature or target is an error or a missing value.
    categorical, drop : sequence of str
        Names of numeric columns to treat as categories, and of columns to leave out.
    min_count : int
        Levels that fewer rows have stand together as one level, "(rare)", and so does a level of new rows that training
        did not see. Counted in all rows, as are the levels themselves.
    baseline : {column: level} or "commonest", optional
        Levels that get no indicator, so that the others of their column are measured against them.
    dates : sequence of str
        Columns of dates, or of text such as 2021-12-31. Each gives the year, the month and the weekday (levels), and
        the days since the first date, as far as they vary.
    text : sequence of str, or {name: int}
        Columns of text. Each gives how often every word, and every pair of neighbouring words, occurs
        (scikit-learn's `CountVectorizer`), if so many rows have it; by default three rows, and one in a thousand. The
        words are those of all rows; new words of new rows count for nothing.
    spline : sequence of str, or {name: int}
        Columns of numbers that give the functions of a cubic B-spline basis (scikit-learn's `SplineTransformer`) with
        so many knots, by default 5, at quantiles of all rows; beyond the outer knots the curve is a line.
    interact : sequence of str or pairs
        Products of two columns, as "a:b" or ("a", "b"), beside the columns themselves: of numbers, of levels (those
        that occur), or of either.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If the data cannot be used; it holds every problem found.
    Interrupted
        On Ctrl-C; its `result` is the path as far as it was finished.

    Warns
    -----
    NotConverged
        Once, if some strengths were not solved to `tol`.

    Examples
    --------
    >>> import numpy as np, normball as nb
    >>> X = np.eye(4)
    >>> nb.fit_path(X, [4.0, 2.0, 0.0, 0.0], lambdas=[1.0, 0.5], standardize=False).n_nonzero.tolist()
    [0, 1]
    """
    given = {name: value for name, value in locals().items() if name in FitOptions.__annotations__}
    check_words("fit_path", unknown, FitOptions.__annotations__)
    problem = problem_anywhere(X, y, given)
    solution = problem.solve()
    path = problem.finished_path(solution)
    warn_not_converged(solution, problem.settings.tol, depth=2)
    return path


@dataclass(frozen=True)
class Problem(Question["Data"]):
    """A question about rows in memory."""

    def solve(
        self,
        weights: Array | None = None,
        *,
        responses: Array | None = None,
        design: Any = None,
        lambdas: Array | None = None,
        own: Mapping[str, Array] | None = None,
    ) -> Solution:
        """Solve one problem for each row of `weights` (n_problems, n), by default that of the data.

        All are over one design and one grid. `responses` (n_problems, n), or with several columns (n_problems, n,
        n_columns), stand in for the target of the data, `design` for its design (a fold's own imputation) and `lambdas`
        for the grid of the settings; `own` holds what else differs between the problems, a row for each: "offsets" (as
        that of the data), "penalty_factors", "lower_bounds", "upper_bounds".
        """
        from normball import _native

        data, own = self.data, own or {}
        weights = data.weights[None, :] if weights is None else weights
        by_row = {
            "responses": data.y if responses is None else responses,
            "offsets": own.get("offsets", data.offset),
        }
        width = {"responses": data.y.size // data.n_rows, "offsets": data.n_outputs}
        call = {
            "X": data.design if design is None else design,
            **{
                name: np.ascontiguousarray(values).reshape(-1, data.n_rows * width[name])
                for name, values in by_row.items()
            },
            "weights": rows_of(weights),
            **self.native_options(lambdas, own),
            "n_outputs": data.n_outputs,
            "grouped": self.grouped,
            **({} if self.groups is None else self.groups.for_native()),
            "n_threads": self.settings.n_threads or default_threads(weights.size * data.n_features),
        }
        return self.answer_of(lambda poll: _native.solve_path(**call, poll=poll))

    def rows_at(self, path: Path, index: int) -> tuple[Array, Array, Array, int]:
        """Targets, linear predictor and weights of all rows at one strength, and how many coefficients that took."""
        data, which = self.data, slice(index, index + 1)
        rows, n_threads = path.coef_rows.take(which, path.n_outputs), self.settings.n_threads
        eta = linear_predictor(data.design, path.intercepts[which], rows, None, n_threads)[:, 0] + data.offset
        return data.y, eta, data.weights, int(path.n_nonzero[index]) + path.fit_intercept

    def hazards(self, intercepts: Array, coefs: SparseRows) -> Baselines | None:
        """The baseline hazards of models of survival, a row of coefficients each; None of other models."""
        return hazards_of(self.data, intercepts, coefs)

    def dispersion(self, path: Path, index: int) -> float:
        """Pearson's statistic over its degrees of freedom at one strength."""
        return dispersion(find_family(path.family), *self.rows_at(path, index))


def prepare_problem(X: Any, y: Any, options: Mapping[str, Any], by_row: Mapping[str, Any] | None = None) -> Problem:
    """Check settings and data, and lay the data out for the native code; `by_row` is as in `prepare`."""
    from normball.inputs.prepare import prepare

    settings, for_data = split_options(options)
    return problem_of(prepare(X, y, family=settings.family, by_row=by_row, **for_data), settings, options)


def problem_anywhere(
    X: Any, y: Any, options: Mapping[str, Any], by_row: Mapping[str, Any] | None = None
) -> Problem | BlockProblem:
    """The same where the rows may come in blocks, or in a stream that is read once."""
    X = at_hand(X)
    if not comes_in_blocks(X):
        return prepare_problem(X, y, options, by_row)
    settings, for_data = split_options(options)
    return block_problem(X, y, settings, for_data, by_row)


def split_options(options: Mapping[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """The checked settings, and those of the options that are about the data."""
    settings = Settings(**{name: value for name, value in options.items() if name not in _DATA_OPTIONS})
    return settings, {name: options[name] for name in _DATA_OPTIONS if name in options}


def problem_of(data: Data, settings: Settings, options: Mapping[str, Any]) -> Problem:
    """The problem of data that were prepared."""
    return Problem(data, **checked(data, settings, options))


def warn_not_converged(solution: Solution, tol: float, depth: int) -> None:
    """Warn once if some strengths are not certified, naming how many and the worst gap.

    `depth` is how many functions above this one the caller's code lies.
    """
    unsolved = solution.statuses != 0
    if unsolved.any():
        n_lambdas = int(unsolved.any(axis=0).sum())
        worst = float(np.max(solution.dual_gaps[unsolved]))
        ending = ", or end the grid earlier; .statuses tells which they are" if solution.lambdas.size > 1 else ""
        warnings.warn(
            f"{n_lambdas} of {solution.lambdas.size} lambdas did not reach the duality gap {tol:g}; "
            f"the worst relative gap is {worst:.2g}. Raise max_iter or tol{ending}.",
            NotConverged,
            stacklevel=depth + 1,
        )
