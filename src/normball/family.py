"""What the package asks of a family; `families` holds the entries."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from normball.survival.target import Ties

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]

DEFAULT = "gaussian"
LANDSCAPES = frozenset({"geometry", "convexity"})  # views of the loss over single coefficients


@dataclass(frozen=True)
class Family(ABC):
    """A distribution of the target with its link; arrays `y`, `eta` and `mean` are broadcast against each other.

    Attributes
    ----------
    parameter : float
        The number in brackets after the name; NaN where the family has none, or where it is still to be estimated.
    name : str
        The name, in native code too.
    parameter_name : str
        What the parameter is called, "" where there is none.
    default : float
        What the bare name takes for it; NaN where that is estimated from the target.
    no_estimate : tuple of str
        What is wrong with a target that gives no estimate, and the remedy.
    label : str
        What a regression of this family is called.
    has_classes : bool
        Whether the target is a class, or proportions of classes.
    has_outputs : bool
        Whether it has several linear predictors, the last axis of `y`, `eta` and `mean`; losses then lack that axis.
    has_risk_sets : bool
        Whether rows are judged together, by who is at risk when: a target has several columns (`families_survival`),
        there is no intercept, and `mean_loss` alone says what a prediction costs.
    ties : str
        With risk sets, how events at the same time are treated.
    of_one : str
        With several outputs the family of one of them by itself, `alone`.
    with_outputs : str
        The family that models several targets of this kind together, "" where there is none.
    grouped_by_default : bool
        Whether the penalty takes a feature for all outputs or for none, where nothing is said about it.
    quadratic : bool
        Whether the loss is the squared error, known everywhere from one gradient and one Hessian.
    limits : (float, float)
        Between which the mean lies. A target at one of them is fitted the better the farther the linear predictor goes.
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
        Whether the share of zeros is worth saying of a target.
    reports_dispersion : bool
        Whether Pearson's dispersion belongs to a summary.
    grows_even : bool
        Whether a larger parameter is the remedy where targets vary less than the variance of this one says.
    if_overdispersed : str
        The family for targets that vary more than the variance of this one admits; "" where it admits any.
    views : frozenset of str
        Those views of the page that not every family has.
    typical_error : {"mse", "mae"}
        The error that is called typical: root mean squared, or mean absolute where far rows shall not decide.
    root_scores : tuple of str
        Scores that are mean squared errors, shown by their root in the unit of the target.
    told : tuple of str
        The scores that an evaluation on other rows tells, the plainest first.
    least, takes_least, refusal : float, bool, str
        The smallest target, whether it is one itself, and what is wrong with those below.
    ridge_in_sklearn : str
        The call of scikit-learn's class for an L2 penalty up to the strength, where its alpha is our lam.
    sklearn_lacks, glmnet_lacks : str
        What these have not, where they have no counterpart at all; a sentence goes on with it.
    glmnet : str
        R's name of the family, as an argument of glmnet, with the {parameter}; "" if it has none.
    glmnet_scales_target : bool
        Whether glmnet divides the target by its standard deviation, which changes what its L2 part means.
    """

    parameter: float = math.nan

    name: ClassVar[str]
    label: ClassVar[str]
    parameter_name: ClassVar[str] = ""
    default: ClassVar[float] = math.nan
    no_estimate: ClassVar[tuple[str, str]] = ("", "")
    has_classes: ClassVar[bool] = False
    has_outputs: ClassVar[bool] = False
    has_risk_sets: ClassVar[bool] = False
    ties: ClassVar[Ties] = "efron"
    of_one: ClassVar[str] = ""
    with_outputs: ClassVar[str] = ""
    grouped_by_default: ClassVar[bool] = False
    quadratic: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    amounts: ClassVar[bool] = False
    inverse_link: ClassVar[str]
    variance_function: ClassVar[str] = ""
    kind: ClassVar[str]
    factor: ClassVar[str] = ""
    eta_is: ClassVar[str] = ""
    predicted: ClassVar[str] = "Predicted"
    shows_zeros: ClassVar[bool] = False
    reports_dispersion: ClassVar[bool] = False
    grows_even: ClassVar[bool] = False
    if_overdispersed: ClassVar[str] = ""
    views: ClassVar[frozenset[str]] = frozenset()
    typical_error: ClassVar[str] = "mse"
    root_scores: ClassVar[tuple[str, ...]] = ()
    told: ClassVar[tuple[str, ...]] = ("rmse", "mae", "r2")
    least: ClassVar[float] = -math.inf
    takes_least: ClassVar[bool] = True
    refusal: ClassVar[str] = ""
    ridge_in_sklearn: ClassVar[str] = ""
    sklearn_lacks: ClassVar[str] = ""
    glmnet: ClassVar[str] = ""
    glmnet_lacks: ClassVar[str] = ""
    glmnet_scales_target: ClassVar[bool] = False

    def __str__(self) -> str:
        return self.name if math.isnan(self.parameter) else f"{self.name}({written(self.parameter)})"

    @property
    def title(self) -> str:
        """The label, with the parameter where there is one."""
        if math.isnan(self.parameter):
            return self.label
        return f"{self.label} ({self.parameter_name} {written(self.parameter)})"

    @property
    def is_default(self) -> bool:
        """Whether it goes without saying."""
        return self.name == DEFAULT

    @property
    def is_open(self) -> bool:
        """Whether a parameter is still to be estimated."""
        return bool(self.parameter_name) and math.isnan(self.parameter)

    @classmethod
    def check_parameter(cls, value: float) -> None:
        """Raise a ValueError that says why there is no family with this parameter."""
        if not 0.0 < value < math.inf:
            raise ValueError(f"{cls.parameter_name} must be a positive number")

    @classmethod
    def read(cls, given: str | None) -> Family:
        """The family with the parameter in the brackets, None for a bare name; a ValueError says why there is none."""
        if given is None:
            return cls(cls.default)
        if not cls.parameter_name:
            raise ValueError(f"{cls.name} has no parameter: write {cls.name!r}")
        try:
            parameter = float(given)
        except ValueError:
            raise ValueError(f"{cls.parameter_name} must be a number") from None
        cls.check_parameter(parameter)
        return cls(parameter)

    def check_rows(self, what: str, instead: str) -> None:
        """Raise a ValueError that says what to do `instead` where `what` judges rows one by one, and the family not."""
        if self.has_risk_sets:
            raise ValueError(f'{what} is not offered for family="{self}" yet; {instead}')

    def estimate(self, y: Array, weights: Array, offset: Array) -> float:
        """The parameter that suits the null model of these rows, to three digits; NaN where there is none."""
        return math.nan

    @property
    def in_glmnet(self) -> str:
        """The argument of glmnet for this family."""
        return self.glmnet.format(parameter=written(self.parameter))

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

    def variance(self, mean: Array) -> Array:
        """The variance of a target by its mean, but for the dispersion; only where `variance_function` names it."""
        raise NotImplementedError(f"the variance of {self.name} does not follow from its mean")

    def probability_of_zero(self, mean: Array, dispersion: float) -> Array:
        """How probable a target of zero is by its mean and, where the family has one, the dispersion.

        Only where `shows_zeros`.
        """
        raise NotImplementedError(f"a zero has no probability of its own under {self.name}")

    @abstractmethod
    def null_intercept(self, y: Array, weights: Array, offset: Array) -> float | Array:
        """The linear predictor, less the offset, of the model without features."""

    def choice(self, eta: Array) -> Places:
        """The place of the likeliest class among the classes; of two it is the second where `eta` is above 0."""
        return (eta > 0.0).astype(np.intp)

    def margin(self, eta: Array) -> Array:
        """The logarithm of the odds of the likeliest class."""
        return np.abs(eta)

    def alone(self, eta: Array, output: int) -> Array:
        """The linear predictor of one of several outputs by itself, as the family `of_one` has it."""
        return np.asarray(eta[..., output])

    def refused(self, y: Array) -> tuple[Mask, str, str]:
        """The numbers that cannot be targets, what is wrong with them, and the family that takes them."""
        other = DEFAULT if self.takes_least or (y < self.least).any() else "tweedie"
        return y < self.least if self.takes_least else y <= self.least, self.refusal, other

    def sklearn(self, lam: float, l1_ratio: float, total_weight: float, digits: int) -> str:
        """The call of scikit-learn's class for this model, left open for more arguments; "" where it has none."""
        if not self.ridge_in_sklearn or l1_ratio > 0:
            return ""
        return f"{self.ridge_in_sklearn.format(parameter=written(self.parameter))}alpha={lam:.{digits}g}"


def entropy(values: Array) -> Array:
    """`v log v`, 0 at 0."""
    if not ((values != 0.0) & (values != 1.0)).any():  # labels, at a fraction of the time
        return np.zeros_like(values)
    return values * np.log(values, out=np.zeros_like(values), where=values > 0.0)


def logistic(eta: Array) -> Array:
    """The probability whose odds have this logarithm, with all digits far out, too."""
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-eta)))


def logistic_slope(eta: Array) -> Array:
    """The product of that probability and what it lacks to 1."""
    ratio = np.exp(-np.abs(eta))
    return np.asarray(ratio / (1.0 + ratio) ** 2)


def written(value: float) -> str:
    """A parameter as it stands in brackets: every digit, and no more."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


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
