"""Cross-validated paths: `CVPath`.

The one kind of result that stands above `results`: `CVPath.report` writes a page, and what a page says about the data
has to be solved for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.messages import Finding
from normball.results.arrays import Array, freeze
from normball.results.fit import Fit
from normball.results.frames import in_library, numbers_of
from normball.results.held_out import HeldOut
from normball.results.kinds import Kind, Unknown
from normball.results.path import Path
from normball.results.ranges import Ranges
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    import os

    from normball.bootstrap import BootstrapOptions
    from normball.export.exporting import ExportOptions
    from normball.results.evaluation import EvaluateOptions, Evaluation

Choice = Literal["best", "1se"]


@dataclass(frozen=True, eq=False, repr=False)
class CVPath:
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
    diagnostics : dict
        For "best" and "1se" what some families have. Counts and amounts have a "dispersion", Pearson's statistic over
        its degrees of freedom (rows with a weight less nonzero coefficients and intercept). Where targets may be zero,
        "zeros" are those of the rows, "zeros_expected" and "zeros_se" what the family expects of out-of-fold means and
        one standard error of that; more zeros than that speak for rows that can only be zero. Classes have the "auc"
        of held-out rows (of several the mean of each against the rest), and on all rows the "largest_margin" and the
        share "saturated" of rows where the sigmoid's slope is below 0.01.
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

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def lambdas(self) -> Array:
        """The strengths, descending."""
        return self.path.lambdas

    @property
    def n_sweeps(self) -> float:
        """Reads of the whole matrix, for the path and all folds together."""
        return self.path.n_sweeps

    @property
    def n_folds(self) -> int:
        """Number of folds, repeats included."""
        return int(self.fold_scores.shape[0])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed about the data and the folds; those of `path`."""
        return self.path.findings

    @property
    def column_counts(self) -> SparseRows:
        """In how many folds each column of the table was kept, whichever of its levels were."""
        return self.selection_counts if self.counts_by_column is None else self.counts_by_column

    @property
    def cv_mean(self) -> Array:
        """Weighted mean of the fold scores."""
        return summarise_folds(self.fold_scores, self.fold_weights)[0]

    @property
    def cv_se(self) -> Array:
        """Standard error of `cv_mean`."""
        return summarise_folds(self.fold_scores, self.fold_weights)[1]

    @property
    def null_mean(self) -> float:
        """Weighted mean of the scores of a model without features."""
        return self._null_summary[0]

    @property
    def null_se(self) -> float:
        """Standard error of `null_mean`."""
        return self._null_summary[1]

    @property
    def _null_summary(self) -> tuple[float, float]:
        if self.null_fold_scores is None:
            return math.nan, math.nan
        counts = ~np.isnan(self.fold_scores).all(axis=1)
        mean, error = summarise_folds(self.null_fold_scores[counts, None], self.fold_weights[counts])
        return float(mean[0]), float(error[0])

    @property
    def index_best(self) -> int:
        """Position of the best mean score; of the largest strength among equals."""
        mean = self.cv_mean
        return int(np.nanargmax(mean) if self.greater_is_better else np.nanargmin(mean))

    @property
    def index_1se(self) -> int:
        """Position of the largest strength whose mean score is within one standard error of the best."""
        sign = 1.0 if self.greater_is_better else -1.0
        mean, best = sign * self.cv_mean, self.index_best
        error = self.cv_se[best]
        return int(np.argmax(mean >= mean[best] - (error if error > 0.0 else 0.0)))

    @property
    def lambda_best(self) -> float:
        """The strength with the best mean score."""
        return float(self.lambdas[self.index_best])

    @property
    def lambda_1se(self) -> float:
        """The largest strength whose mean score is within one standard error of the best."""
        return float(self.lambdas[self.index_1se])

    @property
    def train_validation_gap(self) -> Array:
        """How much worse the score is on held-out rows than on the rows fitted to, at each strength."""
        worse = self.train_mean - self.cv_mean
        return worse if self.greater_is_better else -worse

    def index_of(self, which: Choice) -> int:
        """`index_best` or `index_1se` by name."""
        if isinstance(which, str) and which in ("best", "1se"):
            return self.index_best if which == "best" else self.index_1se
        raise ValueError(f'{which!r} is no choice of lambda: use "best", "1se", or lam=...')

    def at(
        self,
        which: Choice | None = None,
        *,
        lam: float | None = None,
        l1_norm: float | None = None,
        n_nonzero: int | None = None,
    ) -> Fit:
        """Choose one model: "best", "1se", or as `Path.at`."""
        if which is None:
            return self.path.at(lam=lam, l1_norm=l1_norm, n_nonzero=n_nonzero)
        if (lam, l1_norm, n_nonzero) != (None, None, None):
            raise TypeError('at() takes either "best" or "1se", or one of lam, l1_norm and n_nonzero')
        return self.path.at(lam=self.lambdas[self.index_of(which)])

    def predict(
        self,
        X: Any,
        *,
        lam: Choice | float = "1se",
        kind: Kind = "link",
        offset: ArrayLike | str | None = None,
        unknown: Unknown = "error",
        times: ArrayLike | None = None,
        strata: ArrayLike | str | None = None,
    ) -> NDArray[Any]:
        """Predict for new rows at "best", "1se" or a given strength; see `Fit.predict`."""
        fit = self.at(lam) if isinstance(lam, str) else self.at(lam=lam)
        return fit.predict(X, kind=kind, offset=offset, unknown=unknown, times=times, strata=strata)

    def evaluate(
        self, X: Any, y: Any, *, lam: Choice | float = "1se", **options: Unpack[EvaluateOptions]
    ) -> Evaluation:
        """Score the model at "best", "1se" or a given strength on rows with known targets; see `Fit.evaluate`."""
        fit = self.at(lam) if isinstance(lam, str) else self.at(lam=lam)
        return fit.evaluate(X, y, **options)

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
        """
        from normball.bootstrap import bootstrapped

        return bootstrapped(self, X, y, n_samples, **options)

    def to_frame(self) -> Any:
        """One row a strength: the score and the numbers of the path; a frame as that of `Path.to_frame`."""
        import polars

        scores = {"cv_mean": self.cv_mean, "cv_se": self.cv_se, "train_mean": self.train_mean}
        frame = numbers_of(self.path)
        table = frame.select("lam").hstack(polars.DataFrame(scores)).hstack(frame.drop("lam"))
        return in_library(table, self.path.preparation.library)

    def plot(self, ax: Any = None) -> Any:
        """Draw the mean score with its standard error with matplotlib and return the axes."""
        from normball.results.plots import plot_cv

        return plot_cv(self, ax)

    def summary(self, select: Choice = "1se") -> str:
        """The choice of strength and the features it selects, in plain text."""
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

        Raises
        ------
        DataError
            If the data are not those that the model was fitted to.
        """
        from normball.evidence.refound import refound
        from normball.report import write_report

        if (X is None) != (y is None):
            raise TypeError("report() takes both X and y, or neither")
        data = (
            None if X is None else refound(self.path, X, y, sample_weight=sample_weight, offset=offset, strata=strata)
        )
        write_report(self, path, data=data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write path and cross-validation as JSON; `normball.load` reads it."""
        from normball.results.saving import save

        save(self, path)

    def export(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        lam: Choice | float = "1se",
        **options: Unpack[ExportOptions],
    ) -> str | bytes:
        """Write the model at "best", "1se" or a given strength for another program; see `Fit.export`."""
        fit = self.at(lam) if isinstance(lam, str) else self.at(lam=lam)
        return fit.export(path, **options)

    def __repr__(self) -> str:
        return (
            f"<CVPath {self.path.family}, {self.folds}, {self.score}: "
            f"lambda_1se {self.lambda_1se:.3g}, lambda_best {self.lambda_best:.3g}>"
        )

    def _repr_html_(self) -> str:
        from normball.results.notebook import cv_html

        return cv_html(self)


def summarise_folds(scores: Array, weights: Array) -> tuple[Array, Array]:
    """Mean over folds and its standard error, as glmnet's cvstats.

    Folds that have no score at any strength do not count. Where another fold has none there is no mean: over different
    folds means do not compare.
    """
    counts = ~np.isnan(scores).all(axis=1)
    weight, scores = weights[counts, None], scores[counts]
    total = weight.sum()
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN where no fold, or one alone, has a score
        mean = (weight * scores).sum(axis=0) / total
        spread = (weight * (scores - mean) ** 2).sum(axis=0) / total
        return mean, np.sqrt(spread / (counts.sum() - 1))
