"""`Comparison`: cross-validated paths of several mixes of the penalty on the same folds, and which of them to take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from numpy.typing import ArrayLike, NDArray

from normball.cv_result import CVPath
from normball.family import written
from normball.ranking import Ranking
from normball.results.cross_validated import Choice
from normball.results.frames import in_library
from normball.results.kinds import Kind, Unknown

if TYPE_CHECKING:
    import os

    from normball.export.exporting import ExportOptions


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Ranking):
    """Cross-validated paths of several mixes on the same folds; iterates over them.

    A loss is a paired difference: the score of a model less that of another one fold by fold, with the sign that makes
    it positive where the first is worse. Folds that are hard for one model are hard for the others, so that the mean of
    the differences is known better than either score.

    Attributes
    ----------
    paths : tuple of CVPath
        One for each mix.
    best : CVPath
        The path with the best mean score of all.
    null_mean, null_se : float
        Score of the model without features on the same folds.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> import normball as nb
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> comparison = nb.compare(X, y, (1, 0.5, 0))
    >>> comparison
    <Comparison of l1_ratio 1, 0.5, 0: best 0>
    >>> comparison.for_prediction
    <Candidate l1_ratio 0, lambda 0.0024, 10 features, loss 0 +/- 0>
    >>> comparison.simpler
    <Candidate l1_ratio 1, lambda 0.996, 7 features, loss 4.5 +/- 20>
    >>> comparison.short_list()
    <Candidate l1_ratio 1, lambda 6.4, 4 features, loss 195 +/- 61>
    """

    saved_as: ClassVar[str] = "comparison"

    paths: tuple[CVPath, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[CVPath]:
        return iter(self.paths)

    def __getitem__(self, index: int) -> CVPath:
        return self.paths[index]

    def predict(
        self,
        X: Any,
        *,
        l1_ratio: float | None = None,
        lam: Choice | float = "1se",
        kind: Kind = "link",
        offset: ArrayLike | str | None = None,
        unknown: Unknown = "error",
        times: ArrayLike | None = None,
        strata: ArrayLike | str | None = None,
    ) -> NDArray[Any]:
        """Predict for new rows with one mix.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, n_features)
            The rows.
        l1_ratio : float, optional
            The mix, by default the one that `pick` takes by the rule of `lam`.
        lam, kind, offset, unknown, times, strata
            As in `CVPath.predict`.

        Returns
        -------
        ndarray, shape (n,), or as `Fit.predict` says

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> comparison.predict(X[:2], l1_ratio=1, lam="best").round(2).tolist()
        [0.12, 0.36]
        """
        cv = self.pick(lam if isinstance(lam, str) else "1se") if l1_ratio is None else self.with_mix(l1_ratio)
        return cv.predict(X, lam=lam, kind=kind, offset=offset, unknown=unknown, times=times, strata=strata)

    def export(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        l1_ratio: float | None = None,
        lam: Choice | float = "1se",
        **options: Unpack[ExportOptions],
    ) -> str | bytes:
        """Write the model of one mix for another program, which then predicts without normball.

        Parameters
        ----------
        path : path, optional
            The file; its ending tells the target.
        l1_ratio : float, optional
            The mix, by default the one that `pick` takes by the rule of `lam`.
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
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> "def predict(row)" in comparison.export(to="python", l1_ratio=0)
        True
        """
        cv = self.pick(lam if isinstance(lam, str) else "1se") if l1_ratio is None else self.with_mix(l1_ratio)
        return cv.export(path, lam=lam, **options)

    def to_frame(self) -> Any:
        """One row for each mix and choice of strength ("best", "1se"): its score, and its loss to the best of all.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> comparison.to_frame().columns
        ['l1_ratio', 'choice', 'lam', 'cv_mean', 'cv_se', 'loss', 'loss_se', 'n_nonzero']
        """
        import polars

        choices: tuple[Choice, Choice] = ("best", "1se")
        rows = [
            {
                "l1_ratio": one.l1_ratio,
                "choice": which,
                "lam": one.lam,
                "cv_mean": one.cv_mean,
                "cv_se": one.cv_se,
                "loss": one.loss,
                "loss_se": one.loss_se,
                "n_nonzero": one.n_nonzero,
            }
            for cv in self.paths
            for which in choices
            for one in (self.candidate(cv, which),)
        ]
        return in_library(polars.DataFrame(rows), self.paths[0].path.preparation.library)

    def summary(self) -> str:
        """The comparison in plain text.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> print(comparison.summary().partition("For")[0].rstrip())
        Penalty            CV deviance         worse by              features   at lambda_1se         features
        lasso (selected)   0.0075 +/- 0.0010   the best              4          0.00831 +/- 0.00068   1
        ridge              0.0076 +/- 0.0010   0.00014 +/- 0.00010   5          0.00823 +/- 0.00095   5
        no features        0.73 +/- 0.12       0.72 +/- 0.12         0
        """
        from normball.results.mixes import comparison_summary

        return comparison_summary(self)

    def report(
        self,
        path: str | os.PathLike[str],
        X: Any = None,
        y: Any = None,
        *,
        select: Choice = "1se",
        sample_weight: Any = None,
        offset: Any = None,
        strata: Any = None,
        horizon: float | None = None,
    ) -> None:
        """Write the HTML page about all mixes; it opens with the one that `pick(select)` takes.

        Parameters
        ----------
        path : path-like
            The file to write.
        X, y, sample_weight, offset, strata : optional
            The data as `compare` got them; see `CVPath.report`.
        select : {"1se", "best"}
            The rule that chooses mix and strength.
        horizon : float, optional
            Up to when predicted and observed survival are compared; by default the median time of the events.

        Raises
        ------
        ValueError
            If the horizon is not between the first event and the last time, or the model of something else.
        DataError
            If the data are not those that the models were fitted to.

        Examples
        --------
        >>> import pathlib, tempfile, numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> place = pathlib.Path(tempfile.mkdtemp()) / "report.html"
        >>> nb.compare(X, X[:, 0] + X[:, 1], (1, 0), cv=5).report(place)
        >>> place.exists()
        True
        """
        from normball.report import data_of_page, write_report
        from normball.run import Run

        by_row = {"sample_weight": sample_weight, "offset": offset, "strata": strata}
        data = data_of_page(self.paths[0].path, X, y, horizon, **by_row)
        run = Run(select=select, horizon=None if horizon is None else float(horizon))
        write_report(self.pick(select), path, run, data, self if len(self) > 1 else None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all paths and their cross-validation as JSON; `normball.load` reads it.

        Examples
        --------
        >>> import pathlib, tempfile, numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> place = pathlib.Path(tempfile.mkdtemp()) / "model.json"
        >>> nb.compare(X, X[:, 0] + X[:, 1], (1, 0), cv=5).save(place)
        >>> len(nb.load(place))
        2
        """
        from normball.results.saving import save

        save(self, path)

    def __repr__(self) -> str:
        ratios = ", ".join(map(written, self.l1_ratios))
        return f"<Comparison of l1_ratio {ratios}: best {written(self.best.path.l1_ratio)}>"

    def _repr_html_(self) -> str:
        from normball.results.notebook import comparison_html

        return comparison_html(self)
