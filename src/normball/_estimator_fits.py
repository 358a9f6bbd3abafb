"""The two ways an estimator is fitted: at one strength, and along a path with cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from normball._estimator_base import GLM, estimator, in_words_of
from normball.families import find_family
from normball.inputs.sources import source_of
from normball.mixes import compare
from normball.path import Fit, fit_path, prepare_problem
from normball.settings import FitOptions


@estimator
class OneStrength(GLM):
    """Fitting at the given `lam`."""

    lam: float = 0.01

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | str | None = None,
        offset: ArrayLike | str | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            The features; in a frame, string, boolean and categorical columns become indicators of all levels.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The target; a regressor of numbers takes several.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row; ones if left out.
        offset : array-like of shape (n_samples,) or (n_samples, n_outputs) or str, default=None
            Added to the linear predictor, of several outputs (classes or targets) to that of each; zeros if left out.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit_rows(X, y, sample_weight=sample_weight, offset=offset)

    def _fit_rows(self, X: Any, y: Any, sample_weight: ArrayLike | str | None, **by_row: Any) -> Self:
        """Fit the model; `by_row` is what else is given row by row."""
        X, y = self._data(X, y)
        weights = self._weights(y, sample_weight)
        with in_words_of(self):
            path = fit_path(X, y, lambdas=[self.lam], sample_weight=weights, **by_row, **self._options())
        self._keep(path, path.at(lam=self.lam))
        return self


@estimator
class CrossValidated(GLM):
    """Fitting along a path, at the strength that cross-validation selects."""

    l1_ratio: float | Sequence[float] = 1.0  # type: ignore[assignment]  # several are compared
    lambdas: ArrayLike | None = None
    n_lambdas: int = 100
    lambda_min_ratio: float | None = None
    cv: Any = None
    select: Literal["1se", "best"] = "1se"
    scoring: str | Callable[..., Any] | None = None  # an attribute `score` would hide the method
    random_state: int = 0

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | str | None = None,
        offset: ArrayLike | str | None = None,
        groups: ArrayLike | str | None = None,
        time_order: ArrayLike | str | bool | None = None,
    ) -> Self:
        """Fit the path, cross-validate it and select a strength.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            The features; in a frame, string, boolean and categorical columns become indicators of all levels.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The target; a regressor of numbers takes several.
        sample_weight : array-like of shape (n_samples,) or str, default=None
            Weight of each row, in the fits and in the scores; ones if left out.
        offset : array-like of shape (n_samples,) or (n_samples, n_outputs) or str, default=None
            Added to the linear predictor, of several outputs (classes or targets) to that of each; zeros if left out.
        groups : array-like of shape (n_samples,) or str, default=None
            Rows of one group stay in one fold. A name, here and below, is that of a column of a frame, which is no
            feature then.
        time_order : array-like of shape (n_samples,), str or True, default=None
            Times of the rows (True: rows are in order). Each fold is trained on the past of the rows that it holds out.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        by_row = {"offset": offset, "fold_groups": groups, "time_order": time_order}
        return self._fit_rows(X, y, sample_weight=sample_weight, **by_row)

    def _fit_rows(self, X: Any, y: Any, sample_weight: ArrayLike | str | None, **by_row: Any) -> Self:
        """Fit, cross-validate and select; `by_row` is what else is given row by row."""
        if not isinstance(self.select, str) or self.select not in ("1se", "best"):
            raise ValueError(f'select is {self.select!r}, but must be "1se" or "best"')
        X, y = self._data(X, y)
        options: dict[str, Any] = {
            **self._grid(),
            "cv": self._default_folds(X, y, by_row["fold_groups"]) if self.cv is None else self.cv,
            "score": self.scoring,
            "random_state": self.random_state,
            "sample_weight": self._weights(y, sample_weight),
            **by_row,
            **self._options(),
        }
        with in_words_of(self):
            self.comparison_ = compare(X, y, options.pop("l1_ratio"), **options)
        self.cv_path_ = self.comparison_.best
        self.l1_ratio_ = float(self.cv_path_.path.l1_ratio)
        self._keep(self.cv_path_.path, self._solved_alone(self.cv_path_.at(self.select), X, y, options))
        self.lambdas_ = self.cv_path_.lambdas
        self.cv_mean_ = self.cv_path_.cv_mean
        self.cv_se_ = self.cv_path_.cv_se
        self.lambda_best_ = float(self.cv_path_.lambda_best)
        self.lambda_1se_ = float(self.cv_path_.lambda_1se)
        return self

    def _grid(self) -> dict[str, Any]:
        """The options of the grid; where several mixes are compared those alone that ask for another one than usual."""
        given = {name: getattr(self, name) for name in ("lambdas", "n_lambdas", "lambda_min_ratio")}
        is_usual = given["lambdas"] is None and (self.n_lambdas, self.lambda_min_ratio) == (100, None)
        return {} if is_usual and np.size(self.l1_ratio) > 1 else given

    def _solved_alone(self, chosen: Fit, X: Any, y: Any, options: Mapping[str, Any]) -> Fit:
        """The chosen model; of more than two classes with the digits that there is no time for along a path."""
        family = find_family(chosen.family)
        if family.quadratic or not family.has_outputs:
            return chosen
        by_row = {name: options[name] for name in ("fold_groups", "time_order")}
        given = {name: options[name] for name in FitOptions.__annotations__ if name in options}
        given |= {"l1_ratio": chosen.l1_ratio, "lambdas": [chosen.lam], "tol": 1e-3 * self.tol}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the path has given the same ones
            problem = prepare_problem(X, y, given, by_row)
            found = problem.finished_path(problem.solve(problem.data.weights[None, :]))
        alone = found.at(lam=chosen.lam)
        return alone if alone.dual_gap < chosen.dual_gap else chosen

    def _default_folds(self, X: Any, y: NDArray[Any], groups: ArrayLike | str | None) -> int:
        """10, or as many as the groups, the rows of the rarest class or the rows allow."""
        source = source_of(X)
        if isinstance(groups, str):
            groups = source.values(groups) if groups in source.names else None  # cv_path says what is not there
        allowed = np.unique(groups).size if groups is not None else self._n_scarce(X, y)
        return int(min(max(allowed, 2), 10))

    def _n_scarce(self, X: Any, y: Any) -> int:
        """How many rows there are of what each fold needs some of."""
        return int(np.unique(y, return_counts=True)[1].min()) if is_classifier(self) else len(y)

    @property
    def coef_path_(self) -> NDArray[np.float64]:
        """Coefficients in the data's units at every strength, shape (n_lambdas, n_coefficients).

        Of several outputs (classes or targets) the shape is (n_lambdas, n_outputs, n_coefficients).
        """
        return self.path_.coefs

    def at(self, choice: Literal["best", "1se"] | None = None, *, lam: float | None = None) -> Fit:
        """Return another point of the path.

        Parameters
        ----------
        choice : {"best", "1se"}, default=None
            A choice of the cross-validation.
        lam : float, default=None
            Or a strength within the grid.

        Returns
        -------
        fit : Fit
            The model at that strength.
        """
        check_is_fitted(self)
        return self.cv_path_.at(choice, lam=lam)
