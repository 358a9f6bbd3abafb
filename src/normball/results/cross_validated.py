"""`CrossValidated`: what the scores of folds along a grid say, and the models that they choose."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.results.arrays import Array
from normball.results.fit import Fit
from normball.results.kinds import Kind, Unknown
from normball.results.path import Path

if TYPE_CHECKING:
    import os

    from normball.export.exporting import ExportOptions
    from normball.results.evaluation import EvaluateOptions, Evaluation

Choice = Literal["best", "1se"]


class CrossValidated:
    """A path with the scores of its folds; the attributes are fields of `CVPath`."""

    path: Path
    greater_is_better: bool
    fold_scores: Array
    fold_weights: Array
    train_mean: Array
    null_fold_scores: Array | None

    @property
    def lambdas(self) -> Array:
        """The strengths, descending."""
        return self.path.lambdas

    @property
    def n_folds(self) -> int:
        """Number of folds, repeats included."""
        return int(self.fold_scores.shape[0])

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
        """`index_best` or `index_1se` by name.

        Parameters
        ----------
        which : {"best", "1se"}
            The choice of the strength.

        Returns
        -------
        int
            Its position in `lambdas`.

        Raises
        ------
        ValueError
            If it is neither of the two.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> cv = nb.cv_path(X, X[:, 0] + noise[:, 0] / 4, cv=5)
        >>> cv.index_of("1se") == cv.index_1se
        True
        """
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
        """Choose one model.

        Parameters
        ----------
        which : {"best", "1se"}, optional
            The strength with the best mean score, or the largest one within a standard error of that.
        lam, l1_norm, n_nonzero : optional
            In its place a strength of one's own, as in `Path.at`.

        Returns
        -------
        Fit

        Raises
        ------
        TypeError
            If both are given.
        ValueError
            If `which` is neither of the two.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> cv = nb.cv_path(X, X[:, 0] + noise[:, 0] / 4, cv=5)
        >>> cv.at("1se").n_nonzero, cv.at("best").n_nonzero, cv.at(lam=0.5).n_nonzero
        (2, 2, 1)
        """
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
        """Predict for new rows.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, n_features)
            The rows.
        lam : {"1se", "best"} or float
            The strength.
        kind, offset, unknown, times, strata
            As in `Fit.predict`.

        Returns
        -------
        ndarray, shape (n,), or as `Fit.predict` says

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> cv = nb.cv_path(X, X[:, 0] + noise[:, 0] / 4, cv=5)
        >>> cv.predict(X[:2], lam="best").round(1).tolist()
        [0.1, 1.3]
        """
        fit = self.at(lam) if isinstance(lam, str) else self.at(lam=lam)
        return fit.predict(X, kind=kind, offset=offset, unknown=unknown, times=times, strata=strata)

    def evaluate(
        self, X: Any, y: Any, *, lam: Choice | float = "1se", **options: Unpack[EvaluateOptions]
    ) -> Evaluation:
        """Score the model on rows with known targets, which it was not fitted to.

        Parameters
        ----------
        X, y
            The rows, as for the fit; y may name a column of X.
        lam : {"1se", "best"} or float
            The strength.
        **options
            As in `Fit.evaluate`.

        Returns
        -------
        Evaluation

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(90, 6)), [5], axis=1)
        >>> y = X[:, 0] + noise[:, 0] / 4
        >>> cv = nb.cv_path(X[:60], y[:60], cv=5)
        >>> print(cv.evaluate(X[60:], y[60:], n_bootstrap=0))
        <Evaluation gaussian, 30 rows: RMSE 0.2923, MAE 0.2305, R2 0.9124>
        """
        fit = self.at(lam) if isinstance(lam, str) else self.at(lam=lam)
        return fit.evaluate(X, y, **options)

    def export(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        lam: Choice | float = "1se",
        **options: Unpack[ExportOptions],
    ) -> str | bytes:
        """Write the model for another program, which then predicts without normball.

        Parameters
        ----------
        path : path, optional
            The file; its ending tells the target.
        lam : {"1se", "best"} or float
            The strength.
        **options
            As in `Fit.export`.

        Returns
        -------
        str, of ONNX and Excel bytes

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X, noise = np.split(np.random.default_rng(0).normal(size=(60, 6)), [5], axis=1)
        >>> cv = nb.cv_path(X, X[:, 0] + noise[:, 0] / 4, cv=5)
        >>> "def predict(row)" in cv.export(to="python", lam="best")
        True
        """
        fit = self.at(lam) if isinstance(lam, str) else self.at(lam=lam)
        return fit.export(path, **options)


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
