"""The options that every fit shares, checked once."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypedDict, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.families import family_name, find_family
from normball.family import DEFAULT
from normball.messages import did_you_mean

P = ParamSpec("P")
T = TypeVar("T")
Progress = bool | Callable[[int, int], Any] | None

DEFAULT_TOL = 1e-6
DEFAULT_MAX_ITER = 10_000
GROUP_OPTIONS = ("groups", "group_weights", "group_ratio", "orthonormalize")
BY_COLUMNS = "columns"  # groups of features: those that one column gives

_LAM = "the strength is called lam here (lambda in glmnet, alpha in scikit-learn)"
_RIGHT_WORD = {
    "alpha": f"{_LAM}; the mix, glmnet's alpha, is l1_ratio",
    "alphas": "the grid of strengths is called lambdas",
    "lambda_": _LAM,
    "lambd": _LAM,
    "lmda": _LAM,
    "reg": _LAM,
    "C": "the strength is called lam, with lam = 1/(C * sum of weights)",
    "Cs": "the grid of strengths is called lambdas, with lam = 1/(C * sum of weights)",
    "penalty": 'choose the penalty by l1_ratio: 1 is the L1 norm ("l1"), 0 the L2 norm ("l2")',
    "nlambda": "the length of the grid is called n_lambdas",
    "n_alphas": "the length of the grid is called n_lambdas",
    "eps": "the end of the grid is set by lambda_min_ratio",
    "penalty_factor": "it is called penalty_factors",
    "weights": "row weights are called sample_weight",
    "max_iters": "it is called max_iter",
    "n_jobs": "it is called n_threads",
    "nfolds": "the number of folds is called cv",
    "n_folds": "the number of folds is called cv",
    "foldid": "explicit folds are called fold_ids",
    "scoring": "it is called score",
    "type_measure": "it is called score",
    "group": "groups of features are called groups",
    "group_weight": "it is called group_weights",
    "pf_group": "the weights of groups are called group_weights",
    "normalize": "it is called standardize",
}
_A_PATH_HOLDS_EVERY_LAM = (
    "A path holds every lam: pick one afterwards with .at(lam=...), or pass the grid as lambdas=[...]"
)


class BatchOptions(TypedDict, total=False):
    """The keyword arguments that all problems of a batch share; see `fit_path`."""

    family: str
    l1_ratio: float
    lambdas: ArrayLike | None
    n_lambdas: int
    lambda_min_ratio: float | None
    offset: ArrayLike | None
    strata: ArrayLike | str | None
    penalty_factors: ArrayLike | Mapping[str, float] | None
    lower_bounds: ArrayLike | Mapping[str, float] | None
    upper_bounds: ArrayLike | Mapping[str, float] | None
    grouped: bool | None
    groups: Mapping[str, Sequence[str | int]] | ArrayLike | str | None
    group_weights: Mapping[str, float] | None
    group_ratio: float
    orthonormalize: bool | None
    fit_intercept: bool
    standardize: bool
    tol: float
    max_iter: int
    n_threads: int | None
    progress: Progress
    missing: str
    fill_value: float | None
    inf: str
    categorical: Sequence[str]
    drop: Sequence[str]
    min_count: int
    baseline: Mapping[str, str] | str | None
    dates: Sequence[str]
    text: Sequence[str] | Mapping[str, int | None]
    spline: Sequence[str] | Mapping[str, int | None]
    interact: Sequence[str | tuple[str, str]]


class FitOptions(BatchOptions, total=False):
    """The keyword arguments of `fit_path`; see there."""

    sample_weight: ArrayLike | None


CV_OPTIONS = (  # what `cv_path` takes beside those
    "cv",
    "fold_groups",
    "time_order",
    "fold_ids",
    "repeats",
    "score",
    "keep_predictions",
    "random_state",
)


RIDGE_LAMBDAS = 50  # where mixes are compared: its curve is smooth
RIDGE_SHORTER = 100  # its end, to the end of the usual grid, where ridge is often best


def with_options_of(other: Callable[..., Any], *left_out: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let `help` and completion show the keyword arguments of another function that go into ``**options``.

    The signature has them in its place, and the docstring behind what it says of ``**options``, with their paragraphs.
    """

    def told(function: Callable[P, T]) -> Callable[P, T]:
        own = inspect.signature(function)
        mine = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
        hidden = {*left_out, *(one.name for one in mine)}
        options = [one for one in inspect.signature(other).parameters.values() if one.kind is one.KEYWORD_ONLY]
        added = [one for one in options if one.name not in hidden]
        function.__signature__ = own.replace(parameters=[*mine, *added])  # type: ignore[attr-defined]
        if function.__doc__ and other.__doc__:  # which python -OO leaves out
            function.__doc__ = _with_paragraphs(function.__doc__, other.__doc__, {one.name for one in added})
        return function

    return told


_PARAMETERS = re.compile(r"^Parameters\n-+\n(.*?)(?=\n\n\S)", re.DOTALL | re.MULTILINE)


def _with_paragraphs(docstring: str, other: str, names: set[str]) -> str:
    """A docstring with the paragraphs of another one about parameters of these names, at the end of its own."""
    docstring, given = inspect.cleandoc(docstring), _PARAMETERS.search(inspect.cleandoc(other))
    place = _PARAMETERS.search(docstring)
    if given is None or place is None:
        return docstring
    paragraphs = re.split(r"\n(?=\S)", given[1])  # "name, name : type", and lines that are indented
    about = [one for one in paragraphs if not names.isdisjoint(re.split(r"\s*,\s*", one.partition(" : ")[0]))]
    return "\n".join([docstring[: place.end()], *about]) + docstring[place.end() :]


def default_min_ratio(n_rows: int, n_features: int) -> float:
    """The end of the usual grid over its start."""
    return 1e-2 if n_rows < n_features else 1e-4


def check_words(function: str, given: Iterable[str], known: Iterable[str], hint: str = _A_PATH_HOLDS_EVERY_LAM) -> None:
    """Raise a TypeError that names the right word for the first argument of `given` that is not `known`.

    The `hint` is added where the function has no place for what is meant: a strength, or an option of other fits.
    """
    known = set(known)
    for name in given:
        if name in known:
            continue
        meaning = _RIGHT_WORD.get(name, "")
        message = f"{function}() has no argument {name!r}" + (f": {meaning}." if meaning else ".")
        if name == "lam" or name in FitOptions.__annotations__ or (meaning.startswith(_LAM) and "lam" not in known):
            message += f" {hint}."
        elif not meaning:
            message += did_you_mean(name, known)
        raise TypeError(message)


@dataclass(frozen=True)
class Settings:
    """How to solve: everything of `FitOptions` that is not data."""

    family: str = DEFAULT
    l1_ratio: float = 1.0
    lambdas: NDArray[np.float64] | None = None
    n_lambdas: int = 100
    lambda_min_ratio: float | None = None
    penalty_factors: Any = None
    lower_bounds: Any = None
    upper_bounds: Any = None
    grouped: bool | None = None
    groups: Any = None
    group_weights: Any = None
    group_ratio: float = 1.0
    orthonormalize: bool | None = None
    fit_intercept: bool = True
    standardize: bool = True
    tol: float = DEFAULT_TOL
    max_iter: int = DEFAULT_MAX_ITER
    n_threads: int | None = None
    progress: Progress = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", family_name(self.family))
        l1_ratio = number("l1_ratio", self.l1_ratio, minimum=0.0, maximum=1.0)
        object.__setattr__(self, "l1_ratio", l1_ratio)
        for name in ("fit_intercept", "standardize"):
            object.__setattr__(self, name, truth(name, getattr(self, name)))
        if self.grouped is not None:
            object.__setattr__(self, "grouped", truth("grouped", self.grouped))
        if self.progress is not None and not callable(self.progress):
            object.__setattr__(self, "progress", truth("progress", self.progress))
        object.__setattr__(self, "tol", number("tol", self.tol, minimum=0.0, exclusive=True))
        object.__setattr__(self, "n_lambdas", whole("n_lambdas", self.n_lambdas))
        object.__setattr__(self, "max_iter", whole("max_iter", self.max_iter))
        if self.n_threads is not None:
            object.__setattr__(self, "n_threads", whole("n_threads", self.n_threads))
        if self.lambda_min_ratio is not None:
            ratio = number("lambda_min_ratio", self.lambda_min_ratio, minimum=0.0, exclusive=True)
            if ratio >= 1.0:
                raise ValueError(f"lambda_min_ratio is {ratio:g}, but must be below 1")
            object.__setattr__(self, "lambda_min_ratio", ratio)
        if self.lambdas is not None:
            object.__setattr__(self, "lambdas", descending_grid(self.lambdas))
        self._check_groups()

    def _check_groups(self) -> None:
        ratio = number("group_ratio", self.group_ratio, minimum=0.0, maximum=1.0)
        object.__setattr__(self, "group_ratio", ratio)
        if self.orthonormalize is not None:
            object.__setattr__(self, "orthonormalize", truth("orthonormalize", self.orthonormalize))
        given = {
            "group_weights": self.group_weights is not None,
            "group_ratio": ratio < 1.0,
            "orthonormalize": self.orthonormalize is not None,
        }
        if self.groups is None and any(given.values()):
            name = next(name for name, is_given in given.items() if is_given)
            raise ValueError(f"{name} says how groups of features are penalised, but there are no groups: give groups")
        if self.orthonormalize and ratio < 1.0:
            text = (
                f"orthonormalize is True, but group_ratio is {ratio:g}: below 1 coefficients of single features are "
                "penalised, which an orthonormal basis does not keep apart; leave one of them out"
            )
            raise ValueError(text)


def grouped_of(settings: Settings) -> bool:
    """Whether the penalty takes a feature for all outputs or for none; a ValueError where that has no meaning."""
    family = find_family(settings.family)
    if settings.grouped is not None and not family.has_outputs:
        text = f"grouped is about the outputs of a family that has several; {settings.family} has one: leave it out"
        raise ValueError(text)
    grouped = family.grouped_by_default if settings.grouped is None else settings.grouped
    if grouped and (settings.lower_bounds is not None or settings.upper_bounds is not None):
        text = (
            "bounds and group penalties do not go together: grouped=True takes a feature for all outputs or for "
            "none; leave the bounds out, or write grouped=False"
        )
        raise ValueError(text)
    return grouped


def descending_grid(lambdas: ArrayLike) -> NDArray[np.float64]:
    """The distinct strengths of `lambdas`, largest first."""
    try:
        given = np.asarray(lambdas, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"lambdas is {lambdas!r}, but must be numbers; leave it out to get a grid") from None
    grid = np.unique(np.atleast_1d(given).ravel())[::-1]
    if grid.size == 0:
        raise ValueError("lambdas is empty; leave it out to get a grid made for the data")
    wrong = grid[~(np.isfinite(grid) & (grid >= 0.0))]
    if wrong.size:
        raise ValueError(f"lambdas must be finite and not negative, but hold {wrong[0]:g}")
    return np.ascontiguousarray(grid)


def as_number(name: str, value: Any) -> float:
    """`value` as a float, or an error that names it."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is {value!r}, but must be a number") from None


def number(name: str, value: Any, *, minimum: float, maximum: float = math.inf, exclusive: bool = False) -> float:
    """The finite number `value`, or an error that names it and the range wanted."""
    number = as_number(name, value)
    if not (minimum <= number <= maximum) or (exclusive and number == minimum) or math.isinf(number):
        low = f"above {minimum:g}" if exclusive else f"at least {minimum:g}"
        high = "" if math.isinf(maximum) else f" and at most {maximum:g}"
        raise ValueError(f"{name} is {number:g}, but must be {low}{high}")
    return number


def truth(name: str, value: Any) -> bool:
    """The truth value `value`, or an error that names it: text and arrays are none."""
    if not isinstance(value, (bool, np.bool_)) and not (isinstance(value, int) and value in (0, 1)):
        raise TypeError(f"{name} is {value!r}, but must be True or False")
    return bool(value)


def name_list(name: str, value: Any) -> list[str]:
    """Names of columns as a list: one text is one name, and arrays, tuples or an Index are lists."""
    if value is None:
        return []
    if isinstance(value, str) or not isinstance(value, Iterable):
        value = [value]
    wrong = [item for item in value if not isinstance(item, (str, int, np.integer)) or isinstance(item, bool)]
    if wrong:
        raise TypeError(f"{name} holds {wrong[0]!r}, but must be names of columns")
    return [str(item) for item in value]


def whole(name: str, value: Any, minimum: int = 1) -> int:
    """The whole number `value`, or an error that names it and the least that is wanted."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} is {value!r}, but must be a whole number")
    if value < minimum:
        raise ValueError(f"{name} is {value}, but must be at least {minimum}")
    return int(value)
