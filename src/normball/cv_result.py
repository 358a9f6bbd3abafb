"""Cross-validated paths: `CVPath`.

The one kind of result that stands above `results`: `CVPath.report` writes a page, and what a page says about the data
has to be solved for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from normball.messages import Finding
from normball.results.arrays import Array, freeze
from normball.results.cross_validated import Choice, CrossValidated
from normball.results.frames import in_library, numbers_of
from normball.results.held_out import HeldOut
from normball.results.path import Path
from normball.results.ranges import Ranges
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    import os

    from normball.block_scores import Models
    from normball.bootstrap import BootstrapOptions


@dataclass(frozen=True, eq=False, repr=False)
class CVPath(CrossValidated):
    """A path and what cross-validation says about each of its strengths; arrays are read-only.

    Attributes
    ----------
    path : Path
        The path of all rows; every fold uses its grid.
    lambdas : ndarray, shape (n_lambdas,)
        The strengths, descending.
    score : str
        Name of the score.
    greater_is_better : bool
        Direction of the score.
    fold_scores : ndarray, shape (n_folds, n_lambdas)
        Score of the held-out rows; NaN where it is undefined.
    fold_weights : ndarray, shape (n_folds,)
        Sums of the held-out rows' weights.
    fold_sizes : ndarray of int, shape (n_folds,)
        Numbers of held-out rows.
    fold_dual_gaps : ndarray, shape (n_folds, n_lambdas)
        Certified relative duality gaps of the folds' own models.
    fold_ids : ndarray of int or None
        For each row the fold that holds it out, -1 for none: (n,), or (n_repeats, n) with repeated folds.
    folds : str
        The kind of folds in words.
    cv_mean : ndarray, shape (n_lambdas,)
        Mean of the fold scores, weighted by `fold_weights`, over the folds that have a score; NaN at a strength where
        one of those has none.
    cv_se : ndarray, shape (n_lambdas,)
        Its standard error: the weighted standard deviation of the fold scores over sqrt(n_folds - 1), as in glmnet.
    n_sweeps : float
        Reads of the whole matrix, for the path and all folds together; see `Path`.
    train_mean : ndarray, shape (n_lambdas,)
        The same score of `path` on the rows that it was fitted to.
    index_best, index_1se : int
        Positions in the grid of the best mean, and of the largest strength within one standard error of it.
    lambda_best, lambda_1se : float
        The strengths there.
    selection_counts : SparseRows, shape (n_lambdas, n_features)
        In how many folds each feature had a nonzero coefficient; indexed like the dense array, `toarray()` gives the
        whole.
    column_counts : SparseRows, shape (n_lambdas, n_columns)
        In how many folds each column of the table was kept, whichever of its levels were: folds may tell a column of
        two levels by the one or by the other. The columns are `path.column_names`.
    findings : tuple of Finding
        What was noticed about the data, and whether held-out rows are predicted too well to be true.
    predictions : ndarray or None, shape (n, n_lambdas), or with several outputs (n, n_lambdas, n_outputs)
        Linear predictor of each row from the folds that held it out (their mean), NaN where none did; kept on request.
        Those of Cox models compare within a fold alone. So that all can be laid side by side, those of a fold are
        shifted by the number with which the baseline hazard of `path` expects as many events of the fold's training
        rows as with its own predictors.
    null_fold_scores : ndarray or None, shape (n_folds,)
        The same score of a model without features (intercept and offset alone) that is fitted to the training rows of
        each fold; NaN under a score of the user's. None in files of earlier versions.
    null_mean, null_se : float
        Weighted mean of these, over the folds that `cv_mean` counts; NaN where it is not known.
    held_out : HeldOut or None
        What held-out rows say in a measure that needs no statistics: rows put into the right class, or the typical
        error. None in files of earlier versions.
    fold_ranges : Ranges or None
        How far the coefficients of the folds' models lie apart at "1se" and "best". None of several outputs, and in
        files of earlier versions.
    bootstrap_ranges : Ranges or None
        How far the coefficients lie apart over bootstrap samples of the rows; from `bootstrap`.
    fold_models : Models or None
        Of rows in blocks the models of all rows and of each fold, by which held-out rows can be predicted block by
        block; files do not keep them.
    diagnostics : dict
        For "best" and "1se" what some families have. Counts and amounts have a "dispersion", Pearson's statistic over
        its degrees of freedom (rows with a weight less nonzero coefficients and intercept). Where targets may be zero,
        "zeros" are those of the rows, "zeros_expected" and "zeros_se" what the family expects of out-of-fold means and
        one standard error of that; more zeros than that speak for rows that can only be zero. Classes have the "auc"
        of held-out rows (of several the mean of each against the rest), and on all rows the "largest_margin" and the
        share "saturated" of rows where the sigmoid's slope is below 0.01.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> import normball as nb
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> cv = nb.cv_path(X, y)
    >>> cv
    <CVPath gaussian, 10 folds at random, deviance: lambda_1se 5.31, lambda_best 0.0736>
    >>> {which: [cv.path.feature_names[j] for j in cv.at(which).kept] for which in ("1se", "best")}
    {'1se': ['sex', 'bmi', 'bp', 's3', 's5'], 'best': ['age', 'sex', 'bmi', 'bp', 's1', 's2', 's4', 's5', 's6']}
    >>> kept = cv.selection_counts[cv.index_1se]  # in how many of the ten folds
    >>> dict(zip(cv.path.feature_names, kept.tolist()))
    {'age': 0, 'sex': 10, 'bmi': 10, 'bp': 10, 's1': 0, 's2': 0, 's3': 10, 's4': 0, 's5': 10, 's6': 2}
    """

    saved_as: ClassVar[str] = "cv_path"

    path: Path
    score: str
    greater_is_better: bool
    fold_scores: Array
    fold_weights: Array
    fold_sizes: NDArray[np.int64]
    fold_dual_gaps: Array
    fold_ids: NDArray[np.int64] | None
    folds: str
    train_mean: Array
    selection_counts: SparseRows
    predictions: Array | None
    diagnostics: dict[str, dict[str, float]]
    counts_by_column: SparseRows | None = None  # None where every column is one feature
    null_fold_scores: Array | None = None
    held_out: HeldOut | None = None
    fold_ranges: Ranges | None = None
    bootstrap_ranges: Ranges | None = None
    fold_models: Models | None = None

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def n_sweeps(self) -> float:
        """Reads of the whole matrix, for the path and all folds together."""
        return self.path.n_sweeps

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed about the data and the folds; those of `path`."""
        return self.path.findings

    @property
    def column_counts(self) -> SparseRows:
        """In how many folds each column of the table was kept, whichever of its levels were."""
        return self.selection_counts if self.counts_by_column is None else self.counts_by_column

    def bootstrap(self, X: Any, y: Any, n_samples: int = 100, **options: Unpack[BootstrapOptions]) -> CVPath:
        """Fit bootstrap samples of the rows, and return the same result with its `bootstrap_ranges`.

        Parameters
        ----------
        X, y : array-like, data frame or sparse matrix
            The data as `cv_path` got them; y may name a column of X.
        n_samples : int
            How many samples to draw, at least 1.
        lambdas : array-like, optional
            The strengths, by default those of "1se" and "best". They are not chosen anew for each sample.
        sample_weight, offset, strata : optional
            As `cv_path` got them.
        row_groups : array-like, shape (n,), optional
            Rows that belong together: groups are drawn as wholes.
        random_state : int or Generator, optional
            Seed of the draws, 0 by default.

        Returns
        -------
        CVPath
            The same with `bootstrap_ranges`.

        Raises
        ------
        DataError
            If the data are not those that the model was fitted to, or a class is too rare to be in the samples.
        ValueError, TypeError
            If `n_samples` is no whole number of at least 1.
        Interrupted
            On Ctrl-C; its `result` holds the `Ranges` of the samples that were finished, None for fewer than two.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> y = X[:, 0] + noise[:, 0] / 4
        >>> cv = nb.cv_path(X, y, cv=5).bootstrap(X, y, 50)
        >>> cv.bootstrap_ranges
        <Ranges of 50 fits at lambda 0.0727, 0.0379>
        """
        from normball.bootstrap import bootstrapped

        return bootstrapped(self, X, y, n_samples, **options)

    def to_frame(self) -> Any:
        """One row a strength: the score and the numbers of the path; a frame as that of `Path.to_frame`.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> cv = nb.cv_path(X, X[:, 0] + noise[:, 0] / 4, cv=5)
        >>> cv.to_frame().columns[:5]
        ['lam', 'cv_mean', 'cv_se', 'train_mean', 'n_nonzero']
        """
        import polars

        scores = {"cv_mean": self.cv_mean, "cv_se": self.cv_se, "train_mean": self.train_mean}
        frame = numbers_of(self.path)
        table = frame.select("lam").hstack(polars.DataFrame(scores)).hstack(frame.drop("lam"))
        return in_library(table, self.path.preparation.library)

    def plot(self, ax: Any = None) -> Any:
        """Draw the mean score with its standard error.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default new axes.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> cv = nb.cv_path(X, X[:, 0] + noise[:, 0] / 4, cv=5)
        >>> axes = cv.plot()
        >>> axes.get_xlabel()
        'lambda'
        """
        from normball.results.plots import plot_cv

        return plot_cv(self, ax)

    def summary(self, select: Choice = "1se") -> str:
        """The choice of strength and the features it selects, in plain text.

        Parameters
        ----------
        select : {"1se", "best"}
            The strength.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> cv = nb.cv_path(X, X[:, 0] + noise[:, 0] / 4, cv=5)
        >>> print(cv.summary("best").partition("  without")[0].rstrip())
        gaussian, L1
                                 lambda_best (selected)   lambda_1se
        lambda                   0.0379                   0.0727
        CV RMSE                  0.214 +/- 0.013          0.224 +/- 0.013
        """
        from normball.results.summaries import cv_summary

        return cv_summary(self, select)

    def report(
        self,
        path: str | os.PathLike[str],
        X: Any = None,
        y: Any = None,
        *,
        sample_weight: Any = None,
        offset: Any = None,
        strata: Any = None,
        horizon: float | None = None,
    ) -> None:
        """Write the HTML page about this result.

        Parameters
        ----------
        path : path-like
            The file to write.
        X, y, sample_weight, offset, strata : optional
            The data as `cv_path` got them. The page then also shows the loss round the solution, margins or
            residuals, and, with `keep_predictions`, how well rows are predicted that were held out. It holds
            statistics of the data, never a row of them.
        horizon : float, optional
            Up to when predicted and observed survival are compared; by default the median time of the events.

        Raises
        ------
        ValueError
            If the horizon is not between the first event and the last time, or the model of something else.
        DataError
            If the data are not those that the model was fitted to.

        Examples
        --------
        >>> import pathlib, tempfile, numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> y = X[:, 0] + noise[:, 0] / 4
        >>> place = pathlib.Path(tempfile.mkdtemp()) / "report.html"
        >>> nb.cv_path(X, y, cv=5).report(place, X, y)
        >>> place.exists()
        True
        """
        from normball.report import data_of_page, write_report
        from normball.run import Run

        data = data_of_page(self.path, X, y, horizon, sample_weight=sample_weight, offset=offset, strata=strata)
        write_report(self, path, Run(horizon=None if horizon is None else float(horizon)), data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write path and cross-validation as JSON; `normball.load` reads it.

        Examples
        --------
        >>> import pathlib, tempfile, numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> cv = nb.cv_path(X, X[:, 0] + noise[:, 0] / 4, cv=5)
        >>> place = pathlib.Path(tempfile.mkdtemp()) / "model.json"
        >>> cv.save(place)
        >>> nb.load(place).lambda_1se == cv.lambda_1se
        True
        """
        from normball.results.saving import save

        save(self, path)

    def __repr__(self) -> str:
        return (
            f"<CVPath {self.path.family}, {self.folds}, {self.score}: "
            f"lambda_1se {self.lambda_1se:.3g}, lambda_best {self.lambda_best:.3g}>"
        )

    def _repr_html_(self) -> str:
        from normball.results.notebook import cv_html

        return cv_html(self)
