"""`Fit`: one fitted model, a point on a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.families import find_family
from normball.results.arrays import Array, explained, freeze
from normball.results.frames import in_library
from normball.results.kinds import Kind, Unknown
from normball.results.predictions import predict
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    import os

    import polars

    from normball.export.exporting import ExportOptions
    from normball.inputs.feature_groups import FeatureGroups
    from normball.inputs.preparation import Preparation
    from normball.results.evaluation import EvaluateOptions, Evaluation
    from normball.survival.baseline import Baseline


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """One fitted model: the coefficients at one strength.

    Attributes
    ----------
    lam, l1_ratio : float
        Strength and mix of the penalty.
    coef : ndarray, shape (n_features,), or with several outputs (n_outputs, n_features)
        Coefficients in the units of the data.
    coef_per_sd : ndarray, of the same shape
        Coefficients on the scale that the penalty acts on: per standard deviation of the feature with
        ``standardize=True``, else the same as `coef`.
    intercept : float, or with several outputs ndarray, shape (n_outputs,)
        Prediction of the link at all-zero features.
    loss : float
        Mean weighted loss (half the mean unit deviance); between grid points an upper bound.
    deviance_ratio : float
        Share of the null model's deviance that is explained.
    dual_gap, kkt_violation : float
        The certificate of optimality, relative to the null model's loss and in units of `lam`; NaN between grid points.
    status : str
        "converged", "max_iter" or "numerical"; "interpolated" between grid points.
    radius : float or None
        The bound on the norm, from `fit_ball`.
    n_outputs, output_names, grouped
        As in `Path`.
    groups, null_intercept
        As in `Path`.
    baseline : Baseline or None
        The hazard at linear predictor 0, of a model of survival.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> import normball as nb
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> fit = nb.fit_path(X, y).at(lam=5.0)
    >>> fit.n_nonzero, fit.predict(X.head(2)).round(1).tolist()
    (5, [201.3, 80.7])
    """

    saved_as: ClassVar[str] = "fit"

    family: str
    lam: float
    l1_ratio: float
    coef: Array
    intercept: float | Array
    scales: Array
    standardize: bool
    feature_names: tuple[str, ...]
    classes: tuple[Any, ...] | None
    has_offset: bool
    preparation: Preparation
    loss: float
    null_loss: float
    dual_gap: float
    kkt_violation: float
    status: str
    n_iters: int
    radius: float | None = None
    n_outputs: int = 1
    output_names: tuple[str, ...] = ()
    grouped: bool = False
    groups: FeatureGroups | None = None
    null_intercept: float | Array | None = None
    baseline: Baseline | None = None

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def coef_per_sd(self) -> Array:
        """Coefficients on the scale that the penalty acts on."""
        return self.coef * self.scales

    @property
    def n_nonzero(self) -> int:
        """Number of features with a coefficient that is not zero."""
        return self.kept.size

    @property
    def kept(self) -> NDArray[np.intp]:
        """The places of those features."""
        return np.flatnonzero(np.atleast_2d(self.coef).any(axis=0))

    @property
    def n_groups_nonzero(self) -> int | None:
        """Number of groups with a nonzero coefficient; None without groups."""
        if self.groups is None:
            return None
        features = np.flatnonzero(self.coef.reshape(-1, self.scales.size).any(axis=0))
        return int(self.groups.n_kept(np.zeros_like(features), features, 1)[0])

    @property
    def deviance_ratio(self) -> float:
        """Share of the null model's deviance that is explained."""
        return float(explained(np.array(self.loss), self.null_loss))

    @property
    def l1_norm(self) -> float:
        """Sum of the absolute coefficients per standard deviation."""
        return float(np.abs(self.coef_per_sd).sum())

    @property
    def l2_norm(self) -> float:
        """Euclidean length of the coefficients per standard deviation."""
        return float(np.sqrt((self.coef_per_sd**2).sum()))

    def predict(
        self,
        X: Any,
        *,
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
            A frame's columns are matched by name, whatever their order. What `fit_path` reads in blocks is read
            in parts here too: files, folders and patterns, `open_table`, lazy frames, dask collections, `Blocks`.
        kind : {"link", "response", "class"}, of survival {"link", "risk", "survival", "cumulative_hazard", "median"}
            The linear predictor, the expected target (a probability, a rate), or the most probable class. Of survival
            the linear predictor, its exponential (the hazard over that of a row whose linear predictor is 0), the
            probability of no event up to and including each of the `times`, minus its logarithm, or the time by which
            half of such rows have the event: infinite where fewer had as long as anybody was seen.
        offset : array, shape (n,), or str, optional
            Required exactly when the model was fitted with one; a name is that of a column of X. Of several outputs
            (n, n_outputs), or a list of names.
        unknown : {"error", "warn", "baseline"}
            What to do with a level unseen in training: raise a DataError, or take none of the levels, with a warning
            or without.
        times : float or array, shape (n_times,), optional
            Where curves are wanted, in the unit of the target; they are NaN beyond the last time that was seen.
        strata : array, shape (n,), or str, optional
            The stratum of each row, for curves and medians of a model with strata; a name is that of a column of X.

        Returns
        -------
        ndarray, shape (n,), or with several outputs (n, n_outputs), classes apart; of curves (n, n_times)
        """
        rows = SparseRows.from_rows(np.atleast_2d(self.coef), len(self.feature_names))
        intercepts, baselines = np.array([self.intercept]), [self.baseline]
        return predict(self, X, intercepts, rows, kind, offset, unknown, times, strata, baselines)[:, 0]

    def evaluate(self, X: Any, y: Any, **options: Unpack[EvaluateOptions]) -> Evaluation:
        """Score the model on rows with known targets, beside the model without features.

        Parameters
        ----------
        X, y
            Rows that the model was not fitted to, as for the fit; y may name a column of X, and does where X is read in
            parts (see `predict`).
        sample_weight, offset : array, shape (n,), or str, optional
            As for the fit.
        strata : array, shape (n,), or str, optional
            The stratum of each row, exactly where the model has strata.
        row_groups : array, shape (n,), or str, optional
            Rows that belong together (several of one patient): the bootstrap draws groups as wholes.
        n_bootstrap : int
            Bootstrap samples for the intervals, 500 by default; 0 for none, as where the predictions of rows that are
            read in parts have no room in half the memory that is allowed for (`Blocks`).
        random_state : int or Generator
            Seed of these samples, 0 by default.
        unknown
            As in `predict`.
        horizon : float, optional
            Of times to an event, a time for a Brier score by itself, in their unit; none by default.

        Returns
        -------
        Evaluation
            Numbers: RMSE, MAE and R2, counts and amounts also the deviance. Classes: accuracy, area under the ROC curve
            (of several the mean of each against the rest), macro F1, Brier score and deviance. With a link other than
            the identity the calibration slope. Without that room the area is by bins of predictions, and `within` says
            how near the exact one; the others are exact. Times to an event: Harrell's and Uno's concordance, the Brier
            score integrated up to the time by which 90 % of the events have happened (beside that of Kaplan & Meier's
            curve of the rows of the fit), and per event the deviance of the partial likelihood of these rows by
            themselves; with late entry the first and the last of these. At a `horizon` "brier_at_horizon", which is NaN
            where none of the rows was seen beyond it.

        Raises
        ------
        DataError
            If the rows cannot be used; E09 if a label is none of the model's.
        ValueError
            If there is a `horizon`, but no times to an event, or late entry.
        """
        from normball.results.evaluate import evaluate

        return evaluate(self, X, y, **options)

    def to_frame(self) -> Any:
        """One row a feature and one for the intercept: `feature`, `per_sd`, `per_unit` (and `odds` or `rate`).

        Of survival there is no intercept, and `hazard_per_sd` and `hazard_per_unit` are the hazard ratios.
        With several outputs one row for each feature and `output`, the outputs of a feature one after the other. With
        groups of features `group` stands beside `feature`. A frame of pandas or pyarrow where the model was fitted to
        one, else of polars.
        """
        return in_library(self._table(), self.preparation.library)

    def _table(self) -> polars.DataFrame:
        import polars

        if self.output_names:
            from normball.results.outputs import coefficients

            return polars.DataFrame(coefficients(self))
        per_unit = np.append(self.coef, self.intercept)
        table: dict[str, Any] = {
            "feature": [*self.feature_names, "(intercept)"],
            **({} if self.groups is None else {"group": [*self.groups.by_feature(), None]}),
            "per_sd": [*self.coef_per_sd.tolist(), None],
            "per_unit": per_unit,
        }
        family = find_family(self.family)
        with np.errstate(over="ignore"):
            if family.has_risk_sets:
                table[f"{family.factor}_per_sd"] = [*np.exp(self.coef_per_sd).tolist(), None]
                table[f"{family.factor}_per_unit"] = np.exp(per_unit)
                return polars.DataFrame(table).head(-1)
            if family.factor:
                table[family.factor] = np.exp(per_unit)
        return polars.DataFrame(table)

    def summary(self) -> str:
        """The model in plain text."""
        from normball.results.summaries import fit_summary

        return fit_summary(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as JSON; `normball.load` reads it."""
        from normball.results.saving import save

        save(self, path)

    def export(self, path: str | os.PathLike[str] | None = None, **options: Unpack[ExportOptions]) -> str | bytes:
        """Write the model for another program, which then predicts without normball.

        Columns whose coefficients are all zero are left out. What the file reads, and what it makes of missing values
        and unseen levels, stands at its top.

        Parameters
        ----------
        path : path, optional
            The file; its ending tells the target: ``.sql``, ``.py``, ``.js``, ``.c``, ``.onnx``, ``.pmml``, ``.xlsx``.
            Without one nothing is written.
        to : {"sql", "python", "javascript", "c", "onnx", "pmml", "excel"}
            The target, where no name of a file tells.
        kind : {"link", "response", "class"}, of survival {"link", "risk", "survival", "cumulative_hazard"}
            As in `predict`. By default the mean, or the class and the probabilities; of survival the risk.
        times : list of float, optional
            Where survival is wanted.
        unknown : {"error", "baseline"}
            A level unseen in training is refused where the target can (elsewhere the result is missing), or counts as
            none of the levels.
        offset : str or list of str, optional
            The column of the offset, or one for each of several outputs; required exactly when the model has one.
        exposure : str, optional
            In its place the column whose logarithm the offset is.
        dialect : {"postgres", "duckdb", "sqlite", "bigquery"}
            Of SQL.
        table : str
            Of SQL, the table to score; "data" by default.
        keep : list of str
            Of SQL, the columns beside the predictions; all by default.

        Returns
        -------
        str, of ONNX and Excel bytes
            The content of the file.

        Raises
        ------
        ValueError
            If the target cannot hold the model: a name that it does not allow, a kind of prediction that it lacks.
        ImportError
            If the package that the target needs is not installed: ``onnx`` for ONNX.

        Examples
        --------
        >>> import normball
        >>> fit = normball.fit_path([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]).at(lam=0.01)
        >>> print(fit.export(to="python").partition("the prediction.")[2])  # doctest: +ELLIPSIS
        \"\"\"
            link = 1.01341640786...
            link += 1.99105572809... * _number(row['x0'])
            return link
        <BLANKLINE>
        """
        from normball.export.exporting import export

        return export(self, path, **options)

    def __repr__(self) -> str:
        return f"<Fit {self.family}, lam={self.lam:.6g}: {self.n_nonzero} of {len(self.feature_names)} features>"

    def _repr_html_(self) -> str:
        from normball.results.notebook import fit_html

        return fit_html(self)
