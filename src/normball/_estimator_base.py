"""What the estimators share: options, validation by scikit-learn's rules, prediction and score."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar, cast, dataclass_transform, get_args

import narwhals.dependencies
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, is_regressor
from sklearn.metrics import r2_score
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from normball.blocks.opening import refuse_blocks
from normball.families import find_family
from normball.inputs.row_numbers import column_values
from normball.inputs.rows import index_of, misplaced
from normball.inputs.streams import at_hand
from normball.messages import DataError
from normball.path import Fit, Path
from normball.results.kinds import Kind, Unknown
from normball.results.remarks import rare_levels
from normball.scores import explained_deviance
from normball.settings import DEFAULT_MAX_ITER, DEFAULT_TOL, check_words

PerFeature = ArrayLike | Mapping[str, float] | None
_Class = TypeVar("_Class")
_OF_CLASSES = re.compile('family="(bi|multi)nomial"')
_READS_BLOCKS = "normball.fit_path and normball.cv_path read them, and what they give predicts and evaluates"
_OF_NUMBERS = 'family="gaussian"'
_TWINS = ("Regressor", "Classifier")


@dataclass_transform(kw_only_default=True)
def estimator(cls: type[_Class]) -> type[_Class]:
    """Make the annotated options of `cls` and its bases the keyword-only arguments of its constructor.

    The constructor answers `alpha=` and other foreign words with a TypeError that names the right one.
    """
    made: Any = dataclass(eq=False, repr=False, kw_only=True)(cls)
    init = made.__init__
    options = tuple(field.name for field in fields(made))

    @functools.wraps(init)
    def checked(self: Any, **given: Any) -> None:
        check_words(cls.__name__, given, options)
        init(self, **given)

    made.__init__ = checked
    return cast("type[_Class]", made)


def _holds_text(X: Any) -> bool:
    return isinstance(X, np.ndarray) and X.dtype == object and any(isinstance(cell, str) for cell in X.flat)


@contextmanager
def in_words_of(model: Any) -> Iterator[None]:
    """Say what is wrong in the words of an estimator: remedies that it has no options for are left out."""
    of_fit = inspect.signature(model.fit).parameters
    known = {*model.get_params(), *of_fit}
    name = type(model).__name__
    of_classes, of_numbers = (f"{name.replace(one, other)}()" for one, other in (_TWINS, reversed(_TWINS)))

    def in_words(text: str) -> str:  # the groups of `fit` are those of rows, as scikit-learn has it
        if "groups" not in of_fit:
            return text
        return text.replace("fold_groups of cv_path", "groups of fit").replace("fold_groups", "groups")

    try:
        yield
    except DataError as error:
        fixes = [in_words(_OF_CLASSES.sub(of_classes, one.fix)) for one in error.findings]
        if "family" not in known:
            fixes = [fix.replace(_OF_NUMBERS, of_numbers) for fix in fixes]
        findings = [
            replace(one, text=in_words(one.text), fix=fix) for one, fix in zip(error.findings, fixes, strict=True)
        ]
        raise DataError(*(finding.with_known_options(known) for finding in findings)) from None
    except ValueError as error:
        if "fold_groups" not in str(error):
            raise
        raise ValueError(in_words(str(error))) from None


def _is_frame(X: Any) -> bool:
    return bool(narwhals.dependencies.is_into_dataframe(X))


@estimator
class GLM(BaseEstimator):
    """Input, options and prediction of every estimator."""

    l1_ratio: float = 1.0
    standardize: bool = True
    penalty_factors: PerFeature = None
    lower_bounds: PerFeature = None
    upper_bounds: PerFeature = None
    groups: Mapping[str, Sequence[str | int]] | ArrayLike | str | None = None
    group_weights: Mapping[str, float] | None = None
    group_ratio: float = 1.0
    orthonormalize: bool | None = None
    missing: str = "error"
    fill_value: float | None = None
    inf: str = "error"
    categorical: Sequence[str] = ()
    drop: Sequence[str] = ()
    min_count: int = 0
    baseline: Mapping[str, str] | str | None = None
    dates: Sequence[str] = ()
    text: Sequence[str] | Mapping[str, int | None] = ()
    spline: Sequence[str] | Mapping[str, int | None] = ()
    interact: Sequence[str | tuple[str, str]] = ()
    unknown: Unknown = "warn"
    tol: float = DEFAULT_TOL
    max_iter: int = DEFAULT_MAX_ITER
    n_threads: int | None = None

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            New values by name.

        Returns
        -------
        self : object
            The estimator.
        """
        check_words(type(self).__name__, params, self.get_params())
        return cast(Self, super().set_params(**params))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.missing != "error"
        return tags

    def _options(self) -> dict[str, Any]:
        """The options of `fit_path` that every estimator has; of a classifier after its classes are known."""
        options = {field.name: getattr(self, field.name) for field in fields(GLM) if field.name != "unknown"}
        return {"progress": False, **options}

    def _takes_targets(self) -> bool:
        """Whether `y` may have several columns."""
        return False

    def _data(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        """Validate as scikit-learn does; a frame with named columns stays one, for its levels and names."""
        self._check_unknown()
        X = at_hand(X)
        refuse_blocks(X, f"{type(self).__name__}.fit", _READS_BLOCKS)
        if _is_frame(X):
            if found := misplaced(index_of(X), y, "y"):
                raise DataError(found)
            validate_data(self, X, y, skip_check_array=True)
            if hasattr(self, "feature_names_in_"):
                return X, self._target(y)
        X, y = self._validated(X, y=y, y_numeric=is_regressor(self), multi_output=self._takes_targets())
        return X, self._target(y)

    def _check_unknown(self) -> None:
        if self.unknown not in get_args(Unknown):
            raise ValueError(f"unknown is {self.unknown!r}, but must be one of {', '.join(get_args(Unknown))}")

    def _features(self, X: Any) -> Any:
        """Validate features alone, of a target that scikit-learn does not know."""
        self._check_unknown()
        X = at_hand(X)
        if _is_frame(X):
            validate_data(self, X, skip_check_array=True)
            if hasattr(self, "feature_names_in_"):
                return X
        return self._validated(X)

    def _weights(self, y: NDArray[Any], sample_weight: ArrayLike | None) -> ArrayLike | None:
        """The weights of the rows as the fit takes them."""
        return sample_weight

    def _new_data(self, X: Any) -> Any:
        check_is_fitted(self)
        X = at_hand(X)
        instead = f".path_.predict(X, lam={self.lam_!r}) reads them"
        refuse_blocks(X, f"{type(self).__name__}.predict", instead)
        if _is_frame(X) and hasattr(self, "feature_names_in_"):
            return validate_data(self, X, reset=False, skip_check_array=True)
        return self._validated(X, reset=False)

    def _validated(self, X: Any, **checks: Any) -> Any:
        """Numbers, or an array of objects as it is where it holds text: scikit-learn makes such arrays of frames."""
        try:
            return validate_data(self, X, **checks, **self._accepted())
        except ValueError:
            if not _holds_text(X):
                raise
            return validate_data(self, X, **checks, dtype=None, ensure_all_finite=False)

    def _accepted(self) -> dict[str, Any]:
        finite = False if self.inf == "nan" else True if self.missing == "error" else "allow-nan"
        return {
            "accept_sparse": ["csc", "csr"],
            "dtype": [np.float64, np.float32],
            "ensure_all_finite": finite,
        }

    def _target(self, y: Any) -> NDArray[Any]:
        """One target, or a column for each of several where the model takes them."""
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=self)
        if self._takes_targets() and y.ndim == 2 and y.shape[1] > 1:
            return np.asarray(y)
        return np.asarray(column_or_1d(y, warn=True))

    def _keep(self, path: Path, fit: Fit) -> None:
        """Take the fitted attributes from the point `fit` of `path`."""
        self._fit = fit
        self.path_ = path
        self.lam_ = float(fit.lam)
        self.coef_ = fit.coef
        self.dual_gap_ = float(fit.dual_gap)
        self.n_iter_ = fit.n_iters
        self.status_ = str(fit.status)
        self.feature_names_out_ = np.asarray(path.feature_names, dtype=object)
        self.feature_importances_ = self._importances(fit)
        self.findings_ = [*path.findings, *rare_levels(fit)]

    def _importances(self, fit: Fit) -> NDArray[np.float64]:
        """By column of X the sum of what an L1 penalty charges for its coefficients; 0 for what is no feature."""
        preparation = fit.preparation
        known = {name: j for j, name in enumerate(getattr(self, "feature_names_in_", preparation.sources))}
        importances = np.zeros(self.n_features_in_)
        per_sd = np.atleast_2d(fit.coef_per_sd)
        charged = np.linalg.norm(per_sd, axis=0) if fit.grouped else np.abs(per_sd).sum(axis=0)
        of_columns = np.bincount(preparation.column_of_feature, weights=charged)
        for column, charge in zip(preparation.columns, of_columns.tolist(), strict=True):
            for name in column.sources:  # a product belongs to both of its columns
                importances[known[name]] += charge / len(column.sources)
        return importances

    def _predict(self, X: Any, kind: Kind, offset: ArrayLike | str | None, **more: Any) -> NDArray[Any]:
        X = self._new_data(X)
        return np.asarray(self._fit.predict(X, kind=kind, offset=offset, unknown=self.unknown, **more))


@estimator
class Regressor(RegressorMixin):
    """Prediction and score of a regressor."""

    family: str = "gaussian"
    fit_intercept: bool = True
    grouped: bool | None = None

    def predict(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[np.float64]:
        """Predict the expected target.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or (n_samples, n_targets) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            The expected target.
        """
        return np.asarray(self._predict(X, "response", offset))

    def score(
        self: Any,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | str | None = None,
        offset: ArrayLike | str | None = None,
    ) -> float:
        """Compute the share of the deviance that is explained: R² for gaussian, D² for the other families.

        Of several targets it is the mean of their R², as in scikit-learn.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their targets.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row, or the name of their column in a frame.
        offset : array-like of shape (n_samples,) or (n_samples, n_targets) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        score : float
            1 for a perfect prediction, 0 for one as good as the mean of `y`.
        """
        X = at_hand(X)
        predicted = self.predict(X, offset)
        if isinstance(sample_weight, str):
            sample_weight = column_values(X, sample_weight, "sample_weight")
        family = find_family(self.path_.family)
        if family.quadratic:
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        target = column_or_1d(check_array(y, ensure_2d=False, dtype=np.float64, input_name="y"))
        weights = _check_sample_weight(sample_weight, predicted, dtype=np.float64)
        return explained_deviance(family, target, predicted, weights)

    def _target(self: Any, y: NDArray[Any]) -> NDArray[Any]:
        find_family(self.family).check_rows(type(self).__name__, "CoxRegressor and CoxRegressorCV are")
        if find_family(self.family).has_classes:
            raise ValueError(f"family is {self.family!r}, but a regressor is for numbers; GLMClassifier is for classes")
        y = super()._target(y)
        self._n_targets = 1 if y.ndim == 1 else y.shape[1]
        return y

    def _takes_targets(self) -> bool:
        return bool(find_family(self.family).with_outputs)

    def _data(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, target = super()._data(X, y)
        return X, y if target.ndim == 2 and _is_frame(y) else target  # a frame names the targets

    def _options(self: Any) -> dict[str, Any]:
        family = find_family(self.family).with_outputs if self._n_targets > 1 else self.family
        return {"family": family, "fit_intercept": self.fit_intercept, "grouped": self.grouped, **super()._options()}

    def _keep(self, path: Path, fit: Fit) -> None:
        super()._keep(path, fit)
        self.intercept_: Any = fit.intercept

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        family = find_family(self.family)
        tags.target_tags.positive_only = bool(family.refused(np.array([-1.0]))[0][0])
        tags.target_tags.multi_output = bool(family.with_outputs)
        tags.target_tags.single_output = not family.has_outputs
        return tags
