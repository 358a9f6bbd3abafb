"""What the package asks of a family; `families` holds the entries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Family(ABC):
    """A distribution of the target with its link; arrays `y`, `eta` and `mean` are broadcast against each other.

    Attributes
    ----------
    name : str
        The name, in native code too.
    label : str
        What a regression of this family is called.
    has_classes : bool
        Whether the target is one of two classes, or a proportion.
    quadratic : bool
        Whether the loss is the squared error, known everywhere from one gradient and one Hessian.
    amounts : bool
        Whether any number will do as a target, which is then taken for an amount.
    inverse_link, variance_function : str
        The mean by eta, and the variance by the mean (but for a factor) as the page computes them ("" if not known).
    kind : str
        What the target is.
    factor : str
        What exp(coefficient) multiplies, "" where it has no meaning.
    eta_is, predicted : str
        The linear predictor and the prediction in words; "" for the target itself.
    shows_zeros : bool
        Whether the share of zeros says more about a target than its standard deviation.
    views : frozenset of str
        Those views of the page that not every family has.
    root_scores : tuple of str
        Scores that are mean squared errors, shown by their root in the unit of the target.
    glmnet : str
        R's name of the family, as an argument of glmnet; "" if it has none.
    glmnet_scales_target : bool
        Whether glmnet divides the target by its standard deviation, which changes what its L2 part means.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    has_classes: ClassVar[bool] = False
    quadratic: ClassVar[bool] = False
    amounts: ClassVar[bool] = False
    inverse_link: ClassVar[str]
    variance_function: ClassVar[str] = ""
    kind: ClassVar[str]
    factor: ClassVar[str] = ""
    eta_is: ClassVar[str] = ""
    predicted: ClassVar[str] = "Predicted"
    shows_zeros: ClassVar[bool] = False
    views: ClassVar[frozenset[str]] = frozenset()
    root_scores: ClassVar[tuple[str, ...]] = ()
    glmnet: ClassVar[str] = ""
    glmnet_scales_target: ClassVar[bool] = False

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """The label, with the parameter where there is one."""
        return self.label

    @property
    def range(self) -> tuple[float, float]:
        """What means lie between."""
        low, high = self.mean(np.array([-np.inf, np.inf]))
        return float(low), float(high)

    @abstractmethod
    def mean(self, eta: Array) -> Array:
        """The expected target at linear predictor `eta`."""

    @abstractmethod
    def link(self, mean: Array) -> Array:
        """The linear predictor at an expected target."""

    @abstractmethod
    def loss(self, y: Array, eta: Array) -> Array:
        """Half the unit deviance, f."""

    @abstractmethod
    def residual(self, y: Array, eta: Array) -> Array:
        """Derivative of the loss by eta, f'."""

    @abstractmethod
    def curvature(self, y: Array, eta: Array) -> Array:
        """Second derivative, f''."""

    def mean_loss(self, y: Array, weights: Array, eta: Array) -> Array:
        """Mean loss of each column of `eta` (n, m) with weights of sum 1."""
        return np.asarray(weights @ self.loss(y[:, None], eta))

    @abstractmethod
    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float:
        """The linear predictor, less the offset, of the model without features."""

    def refused(self, y: Array) -> tuple[Mask, str, str]:
        """The numbers that cannot be targets, what is wrong with them, and the family that takes them."""
        return np.zeros(y.shape, dtype=bool), "", ""

    def sklearn(self, lam: float, l1_ratio: float, total_weight: float, digits: int) -> str:
        """The call of scikit-learn's class for this model, left open for more arguments; "" where it has none."""
        return ""


def entropy(values: Array) -> Array:
    """`v log v`, 0 at 0."""
    return values * np.log(values, out=np.zeros_like(values), where=values > 0.0)


def by_newton(family: Family, y: Array, weights: Array, offset: Array, start: float) -> float:
    """The intercept at which the residuals add up to 0, by Newton's method."""
    intercept = start
    for _ in range(100):
        eta = offset + intercept
        slope, bend = weights @ family.residual(y, eta), weights @ family.curvature(y, eta)
        step = float(np.clip(-slope / bend, -1.0, 1.0))
        intercept += step
        if abs(step) <= 1e-12 * (1.0 + abs(intercept)):
            break
    return intercept
