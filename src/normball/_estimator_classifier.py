"""What the estimators of classes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight

from normball._estimator_base import estimator
from normball.inputs.prepare import column_values
from normball.path import Fit, Path


def two_classes(y: NDArray[Any]) -> NDArray[Any]:
    """The classes of a binary target, sorted; other targets raise a ValueError."""
    check_classification_targets(y)
    target = type_of_target(y, input_name="y")
    if target != "binary":
        raise ValueError(f"Only binary classification is supported. The type of the target is {target}.")
    return np.unique(y)


@estimator
class Classifier(ClassifierMixin):
    """Prediction and score of a classifier with two classes."""

    class_weight: Mapping[Any, float] | Literal["balanced"] | None = None

    def _target(self, y: NDArray[Any]) -> NDArray[Any]:
        self.classes_ = two_classes(y)
        return y

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
        self.coef_ = fit.coef[np.newaxis]
        self.intercept_ = np.array([fit.intercept])

    def decision_function(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[np.float64]:
        """Compute the linear predictor: the log odds of the second class.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        eta : ndarray of shape (n_samples,)
            Positive where `classes_[1]` is the likelier class.
        """
        return np.asarray(self._predict(X, "link", offset))

    def predict_proba(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[np.float64]:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        proba : ndarray of shape (n_samples, 2)
            One column for each of `classes_`.
        """
        return np.asarray(np.exp(self.predict_log_proba(X, offset)))

    def predict_log_proba(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[np.float64]:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, 2)
            One column for each of `classes_`.
        """
        eta = self.decision_function(X, offset)
        return np.asarray(-np.logaddexp(0.0, np.column_stack([eta, -eta])))

    def predict(self: Any, X: Any, offset: ArrayLike | str | None = None) -> NDArray[Any]:
        """Predict the likelier class.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows to predict.
        offset : array-like of shape (n_samples,) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            A member of `classes_` for each row.
        """
        eta = self.decision_function(X, offset)
        return np.asarray(self.classes_[(eta > 0.0).astype(int)])

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
        offset : array-like of shape (n_samples,) or str, default=None
            Added to the linear predictor, or the name of its column in a frame; needed exactly when the model was
            fitted with one.

        Returns
        -------
        score : float
            The share of rows whose class is predicted.
        """
        if isinstance(sample_weight, str):
            sample_weight = column_values(X, sample_weight, "sample_weight")
        return float(accuracy_score(y, self.predict(X, offset), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
