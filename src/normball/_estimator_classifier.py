"""What the estimators of classes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight

from normball._estimator_base import estimator
from normball.inputs.row_numbers import column_values
from normball.inputs.streams import at_hand
from normball.path import Fit, Path
from normball.settings import truth


def classes_of(y: NDArray[Any]) -> NDArray[Any]:
    """The classes, sorted; numbers that are none raise a ValueError."""
    check_classification_targets(y)
    return np.unique(y)


@estimator
class Classifier(ClassifierMixin):
    """Prediction and score of a classifier."""

    class_weight: Mapping[Any, float] | Literal["balanced"] | None = None
    fit_intercept: bool = True
    grouped: bool | None = None

    def _target(self, y: NDArray[Any]) -> NDArray[Any]:
        y = super()._target(y)
        self.classes_ = classes_of(y)
        return y

    def _options(self: Any) -> dict[str, Any]:
        options = {"fit_intercept": self.fit_intercept, "grouped": self.grouped, **super()._options()}
        if self.classes_.size > 2:
            return {"family": "multinomial", **options}
        if self.grouped is not None:
            truth("grouped", self.grouped)
        return {"family": "binomial", **options, "grouped": None}  # one coefficient a feature is its own group

    def _weights(self: Any, y: NDArray[Any], sample_weight: ArrayLike | None) -> ArrayLike | None:
        if self.class_weight is None:
            return sample_weight
        if isinstance(sample_weight, str):
            raise TypeError("With class_weight, sample_weight must be an array, not the name of a column")
        given = _check_sample_weight(sample_weight, y)
        of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y, sample_weight=given)
        return np.asarray(given * of_class[np.searchsorted(self.classes_, y)])

    def _keep(self, path: Path, fit: Fit) -> None:
        super()._keep(path, fit)
        self.coef_ = np.atleast_2d(fit.coef)
        self.intercept_ = np.atleast_1d(fit.intercept)

    def decision_function(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[np.float64]:
        """Compute the linear predictor: of two classes the log odds of the second one.

        Of more classes there is one each, whose differences are the logarithms of ratios of probabilities.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        eta : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Positive where `classes_[1]` is the likelier class of two; of more the largest is that of the likeliest.
        """
        return np.asarray(self._predict(X, "link", offset))

    def predict_proba(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[np.float64]:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            One column for each of `classes_`.
        """
        return np.asarray(np.exp(self.predict_log_proba(X, offset)))

    def predict_log_proba(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[np.float64]:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            One column for each of `classes_`.
        """
        eta = self.decision_function(X, offset)
        if eta.ndim == 2:
            return np.asarray(log_softmax(eta, axis=1))
        return np.asarray(-np.logaddexp(0.0, np.column_stack([eta, -eta])))

    def predict(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[Any]:
        """Predict the likeliest class.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            A member of `classes_` for each row.
        """
        eta = self.decision_function(X, offset)
        return np.asarray(self.classes_[eta.argmax(axis=1) if eta.ndim == 2 else (eta > 0.0).astype(int)])

    def score(
        self: Any,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | str | None = None,
        offset: ArrayLike | str | None = None,
    ) -> float:
        """Compute the accuracy of `predict`.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        y : array-like of shape (n_samples,)
            Their classes.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row, or the name of their column in a frame.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        score : float
            The share of rows whose class is predicted.
        """
        X = at_hand(X)
        if isinstance(sample_weight, str):
            sample_weight = column_values(X, sample_weight, "sample_weight")
        return float(accuracy_score(y, self.predict(X, offset), sample_weight=sample_weight))
