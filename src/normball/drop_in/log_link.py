"""PoissonRegressor, GammaRegressor and TweedieRegressor in scikit-learn's words."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn import linear_model

from normball.drop_in._common import SparseInput, one_target, solved, take, validated
from normball.families import family_of_power
from normball.path import fit_path


class _OfFamily(SparseInput):
    """Fitting a generalised linear model with an L2 penalty."""

    _validate_params: Any
    _get_loss: Any
    alpha: float

    def _family(self) -> str:
        raise NotImplementedError

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The features.
        y : array-like of shape (n_samples,)
            The target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; only their ratios matter.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._validate_params()
        family = self._family()
        X, y, weights = validated(self, X, y, sample_weight, y_numeric=True)
        y = one_target(self, y)
        self._base_loss = self._get_loss()  # by which scikit-learn's `predict` and `score` know the family
        if not self._base_loss.in_y_true_range(y):
            raise ValueError(  # scikit-learn's own words
                f"Some value(s) of y are out of the valid range of the loss {type(self._base_loss).__name__!r}."
            )
        options: dict[str, Any] = {"family": family, "lambdas": [self.alpha], "l1_ratio": 0.0}
        path = solved(fit_path, self, X, y, sample_weight=weights, **options)
        take(self, [path.fit_at(0)], X, y)
        return self


class PoissonRegressor(_OfFamily, linear_model.PoissonRegressor):
    """`sklearn.linear_model.PoissonRegressor` with a certified solution; parameters and attributes are the same.

    `dual_gap_` is an attribute that scikit-learn's does not have.

    See Also
    --------
    normball.GLMRegressor : The same model, an L1 penalty and offsets, in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import PoissonRegressor
    >>> model = PoissonRegressor(alpha=0.1).fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 2.0, 6.0, 9.0])
    >>> model.predict([[1.0]]).round(2).tolist()
    [2.41]
    """

    def _family(self) -> str:
        return family_of_power(1.0)


class GammaRegressor(_OfFamily, linear_model.GammaRegressor):
    """`sklearn.linear_model.GammaRegressor` with a certified solution; parameters and attributes are the same.

    `dual_gap_` is an attribute that scikit-learn's does not have.

    See Also
    --------
    normball.GLMRegressor : The same model, an L1 penalty and offsets, in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import GammaRegressor
    >>> model = GammaRegressor(alpha=0.1).fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 2.0, 6.0, 9.0])
    >>> model.predict([[1.0]]).round(2).tolist()
    [2.29]
    """

    def _family(self) -> str:
        return family_of_power(2.0)


class TweedieRegressor(_OfFamily, linear_model.TweedieRegressor):
    """`sklearn.linear_model.TweedieRegressor` with a certified solution; parameters and attributes are the same.

    Power 0 goes with the identity link, powers from 1 to 2 with the log link. Other links raise NotImplementedError,
    and so do other powers: their loss is not convex in the linear predictor, so that nothing could certify a solution.
    `dual_gap_` is an attribute that scikit-learn's does not have.

    See Also
    --------
    normball.GLMRegressor : The same model, an L1 penalty and offsets, in normball's words.
    normball.drop_in : What the parameters mean here.

    Examples
    --------
    >>> from normball.drop_in import TweedieRegressor
    >>> model = TweedieRegressor(power=1.5, alpha=0.1).fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 2.0, 6.0, 9.0])
    >>> model.predict([[1.0]]).round(2).tolist()
    [1.48]
    """

    power: float
    link: str

    def _family(self) -> str:
        by_identity = self.power <= 0 if self.link == "auto" else self.link == "identity"
        if by_identity != (self.power == 0):
            raise NotImplementedError(
                f"TweedieRegressor(power={self.power:g}, link={self.link!r}) is not offered: here power 0 goes with "
                "the identity link, and powers from 1 to 2 with the log link"
            )
        try:
            return family_of_power(self.power)
        except ValueError as error:
            raise NotImplementedError(str(error)) from None
