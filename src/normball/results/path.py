"""`Path`: the fitted models for a whole grid of strengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.language import message
from normball.messages import Finding
from normball.results.arrays import Array, explained, freeze
from normball.results.fit import Fit
from normball.results.frames import in_library, numbers_of
from normball.results.kinds import Kind, Unknown
from normball.results.predictions import predict
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    import os

    from normball.export.exporting import ExportOptions
    from normball.inputs.feature_groups import FeatureGroups
    from normball.inputs.preparation import Preparation
    from normball.results.evaluation import EvaluateOptions, Evaluation
    from normball.survival.baseline import Baselines


@dataclass(frozen=True, eq=False, repr=False)
class Path:
    """The solutions for a whole grid of strengths; arrays are read-only.

    Attributes
    ----------
    lambdas : ndarray, shape (n_lambdas,)
        The strengths, descending.
    intercepts : ndarray, shape (n_lambdas,), or with several outputs (n_lambdas, n_outputs)
        Intercepts.
    coefs : ndarray, shape (n_lambdas, n_features), or with several outputs (n_lambdas, n_outputs, n_features)
        Coefficients in the units of the data; made anew at each access from `coef_rows`, the sparse store, which has a
        row for each strength and output.
    loss : ndarray, shape (n_lambdas,)
        Mean weighted loss, which is half the mean unit deviance.
    null_loss : float
        The loss of the null model (intercept, offset and unpenalised features only).
    deviance_ratio : ndarray, shape (n_lambdas,)
        Share of the null model's deviance that is explained.
    dual_gaps : ndarray, shape (n_lambdas,)
        Certified distance of the objective from its minimum, relative to `null_loss`.
    kkt_violations : ndarray, shape (n_lambdas,)
        Largest violation of the optimality conditions, in units of lam on the scale of the penalty.
    statuses : ndarray of str, shape (n_lambdas,)
        "converged" (dual gap at most `tol`), "max_iter" or "numerical".
    n_iters : ndarray of int, shape (n_lambdas,)
        Iterations of the solver.
    n_sweeps : float
        How often the whole matrix was read to solve the path, counted by the engine: products of single columns count
        as their share of it. One read serves all problems of a batch, so for a path from `cv_path` or `fit_paths` this
        is what all folds or problems took together.
    n_nonzero, l1_norms, l2_norms : ndarray, shape (n_lambdas,)
        Number of features with a nonzero coefficient, and the norms of all coefficients on the scale of the penalty
        (per standard deviation).
    groups : FeatureGroups or None
        The groups of features that were given: `names`, and the group of each feature in `of_feature`.
    null_intercept : float or None, or with several outputs ndarray, shape (n_outputs,)
        The linear predictor, less the offset, of the model without any feature; None where it is not finite.
    n_groups_nonzero : ndarray, shape (n_lambdas,), or None
        Number of groups with a nonzero coefficient; None without groups.
    scales : ndarray, shape (n_features,)
        Weighted standard deviations of the features; ones with ``standardize=False``.
    lambda_max : float
        The smallest strength at which every penalised coefficient is zero.
    findings : tuple of Finding
        What was noticed about the data.
    dispersion : float or None
        Pearson's statistic over its degrees of freedom at the smallest strength, of counts and amounts from `fit_path`;
        None elsewhere, and where no degrees of freedom are left.
    classes : tuple or None
        The two labels of a binomial target, the second one being that whose probability is modelled; all labels of a
        multinomial one.
    n_outputs : int
        How many linear predictors a row has: one for each class or target, or 1.
    output_names : tuple of str
        What they are called, where there are several.
    grouped : bool
        Whether the penalty took a feature for all outputs or for none.
    baselines : Baselines or None
        Of a model of survival, the hazards at linear predictor 0, of each strength.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> import normball as nb
    >>> path = nb.fit_path(*load_diabetes(return_X_y=True, as_frame=True))
    >>> path.coefs.shape, bool(path.dual_gaps.max() < 1e-6)
    ((100, 10), True)
    >>> [path.feature_names[j] for j in path.at(n_nonzero=3).kept]
    ['bmi', 'bp', 's5']
    """

    saved_as: ClassVar[str] = "path"

    family: str
    l1_ratio: float
    fit_intercept: bool
    standardize: bool
    tol: float
    n_rows: int
    n_features: int
    sum_weights: float
    feature_names: tuple[str, ...]
    classes: tuple[Any, ...] | None
    has_offset: bool
    preparation: Preparation
    penalty_factors: Array
    lower_bounds: Array
    upper_bounds: Array
    scales: Array
    lambdas: Array
    lambda_max: float
    intercepts: Array
    coef_rows: SparseRows
    loss: Array
    null_loss: float
    dual_gaps: Array
    kkt_violations: Array
    statuses: NDArray[np.str_]
    n_iters: NDArray[np.int32]
    n_sweeps: float
    fingerprint: str
    findings: tuple[Finding, ...] = ()
    dispersion: float | None = None
    n_outputs: int = 1
    output_names: tuple[str, ...] = ()
    grouped: bool = False
    groups: FeatureGroups | None = None
    null_intercept: float | Array | None = None
    baselines: Baselines | None = None

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def coefs(self) -> Array:
        """Coefficients in the units of the data as a new dense array, strength by strength."""
        dense: Array = self.coef_rows.toarray()
        return dense if self.n_outputs == 1 else dense.reshape(-1, self.n_outputs, self.n_features)

    def coef_at(self, index: int) -> Array:
        """The coefficients at one point of the grid, (n_features,) or (n_outputs, n_features)."""
        if self.n_outputs == 1:
            return np.asarray(self.coef_rows[index])
        return np.asarray(self.coef_rows.take(slice(index, index + 1), self.n_outputs).toarray())

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns of the table that the features come from; a column of labels gives several."""
        return tuple(column.name for column in self.preparation.columns)

    @property
    def deviance_ratio(self) -> Array:
        """Share of the null model's deviance that is explained, at each strength."""
        return explained(self.loss, self.null_loss)

    @cached_property
    def n_nonzero(self) -> NDArray[np.int64]:
        """Number of features with a nonzero coefficient, at each strength."""
        kept = self.coef_rows.any_output(self.n_outputs)
        counts = kept.sums(kept.values != 0).astype(np.int64)
        counts.setflags(write=False)
        return counts

    @property
    def has_group_penalty(self) -> bool:
        """Whether the penalty acts on groups of features: some were given, with a ratio above 0."""
        return self.groups is not None and self.groups.ratio > 0.0

    @property
    def n_groups_nonzero(self) -> NDArray[np.int64] | None:
        """Number of groups with a nonzero coefficient at each strength; None without groups."""
        if self.groups is None:
            return None
        rows, n_lambdas = self.coef_rows, self.lambdas.size
        nonzero = rows.values != 0
        which = np.repeat(np.arange(len(rows)) // (len(rows) // n_lambdas), np.diff(rows.indptr))
        return self.groups.n_kept(which[nonzero], rows.indices[nonzero], n_lambdas)

    @property
    def l1_norms(self) -> Array:
        """Sum of the absolute coefficients per standard deviation, at each strength."""
        return self._sums(np.abs(self._stored_per_sd()))

    @property
    def l2_norms(self) -> Array:
        """Euclidean length of the coefficients per standard deviation, at each strength."""
        return np.sqrt(self._sums(self._stored_per_sd() ** 2))

    def _sums(self, values: Array) -> Array:
        return np.asarray(self.coef_rows.sums(values).reshape(-1, self.n_outputs).sum(axis=1))

    def _stored_per_sd(self) -> Array:
        return np.asarray(self.coef_rows.values * self.scales[self.coef_rows.indices])

    def at(self, *, lam: float | None = None, l1_norm: float | None = None, n_nonzero: int | None = None) -> Fit:
        """Choose one model on the path.

        Parameters
        ----------
        lam : float, optional
            A strength. Between two grid points the coefficients are interpolated linearly, as glmnet does.
        l1_norm : float, optional
            The sum of absolute coefficients per standard deviation, interpolated along the path.
        n_nonzero : int, optional
            The largest strength of the grid with at least so many nonzero coefficients.

        Returns
        -------
        Fit

        Raises
        ------
        ValueError
            If the path does not reach what is asked for.
        """
        from normball.results.points import position

        return self.fit_at(position(self, lam=lam, l1_norm=l1_norm, n_nonzero=n_nonzero))

    def fit_at(self, position: float) -> Fit:
        """Make the model at `position` on the grid: 2.0 is the third point, 2.5 half way to the fourth."""
        index = int(position)
        share = position - index
        ahead = min(index + 1, self.lambdas.size - 1)

        def between(value: Callable[[int], Any]) -> Any:
            return value(index) if share == 0.0 else (1.0 - share) * value(index) + share * value(ahead)

        on_grid = share == 0.0
        intercept = between(self.intercepts.__getitem__)
        return Fit(
            family=self.family,
            lam=float(between(self.lambdas.__getitem__)),
            l1_ratio=self.l1_ratio,
            coef=between(self.coef_at),
            intercept=intercept if self.output_names else float(intercept),
            scales=self.scales,
            standardize=self.standardize,
            feature_names=self.feature_names,
            classes=self.classes,
            has_offset=self.has_offset,
            preparation=self.preparation,
            loss=float(between(self.loss.__getitem__)),
            null_loss=self.null_loss,
            dual_gap=float(self.dual_gaps[index]) if on_grid else float("nan"),
            kkt_violation=float(self.kkt_violations[index]) if on_grid else float("nan"),
            status=str(self.statuses[index]) if on_grid else "interpolated",
            n_iters=int(self.n_iters[index]) if on_grid else 0,
            n_outputs=self.n_outputs,
            output_names=self.output_names,
            grouped=self.grouped,
            groups=self.groups,
            null_intercept=self.null_intercept,
            baseline=None if self.baselines is None else self.baselines.between(index, ahead, share),
        )

    def predict(
        self,
        X: Any,
        *,
        lam: float | Sequence[float] | Array,
        kind: Kind = "link",
        offset: ArrayLike | str | None = None,
        unknown: Unknown = "error",
        times: ArrayLike | None = None,
        strata: ArrayLike | str | None = None,
    ) -> NDArray[Any]:
        """Predict for new rows at one strength, or at several.

        Parameters
        ----------
        lam : float or sequence of float
            Strengths within the range of the path.
        X, kind, offset, unknown, times, strata
            As in `Fit.predict`.

        Returns
        -------
        ndarray, shape (n,) for one strength, (n, len(lam)) for several
            Of several outputs (n, n_outputs) and (n, len(lam), n_outputs), classes apart; of curves at several times
            (n, n_times) and (n, len(lam), n_times).
        """
        intercepts, baselines = [], []

        def coefs() -> Iterator[Array]:
            for one in np.atleast_1d(np.asarray(lam, dtype=np.float64)):
                fit = self.at(lam=float(one))
                intercepts.append(fit.intercept)
                baselines.append(fit.baseline)
                yield from np.atleast_2d(fit.coef)

        rows = SparseRows.from_rows(coefs(), self.n_features)
        predictions = predict(self, X, np.array(intercepts), rows, kind, offset, unknown, times, strata, baselines)
        return predictions[:, 0] if np.ndim(lam) == 0 else predictions

    def evaluate(self, X: Any, y: Any, *, lam: float, **options: Unpack[EvaluateOptions]) -> Evaluation:
        """Score the model at one strength on rows with known targets; see `Fit.evaluate`."""
        return self.at(lam=lam).evaluate(X, y, **options)

    def to_frame(self, lam: float | None = None) -> Any:
        """One row a strength with the numbers of the path, or with `lam` the coefficients there (`Fit.to_frame`).

        Several outputs have a column of intercepts each, `intercept = name`. A frame of pandas or pyarrow where the
        path was fitted to one, else of polars.
        """
        return in_library(numbers_of(self), self.preparation.library) if lam is None else self.at(lam=lam).to_frame()

    def plot(self, ax: Any = None, x: Literal["lam", "l1_norm", "deviance"] = "lam") -> Any:
        """Draw the coefficients along the path with matplotlib and return the axes.

        Up to six outputs have a picture each, and axes are returned for each. More of them, or one `ax` that is given,
        show the length of each feature's coefficients over the outputs.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default a new figure.
        x : {"lam", "l1_norm", "deviance"}
            What the coefficients are drawn against: the strength, the sum of their absolute values per standard
            deviation, or the share of the deviance that is explained.
        """
        from normball.results.plots import plot_path

        return plot_path(self, ax, x)

    def summary(self) -> str:
        """The path in plain text."""
        from normball.results.summaries import path_summary

        return path_summary(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole path as JSON; `normball.load` reads it."""
        from normball.results.saving import save

        save(self, path)

    def export(
        self, path: str | os.PathLike[str] | None = None, *, lam: float, **options: Unpack[ExportOptions]
    ) -> str | bytes:
        """Write the model at one strength for another program; see `Fit.export`."""
        return self.at(lam=lam).export(path, **options)

    def __repr__(self) -> str:
        low, high = self.lambdas[-1], self.lambdas[0]
        return f"<Path {self.family}, l1_ratio={self.l1_ratio:g}: {self.lambdas.size} lambdas {high:.3g} to {low:.3g}>"

    def _repr_html_(self) -> str:
        from normball.results.notebook import path_html

        return path_html(self)


_STATUSES = (message("converged"), message("max_iter"), message("interrupted"), message("numerical"))
STATUSES = np.array(_STATUSES)  # in the order of the native code's numbers
