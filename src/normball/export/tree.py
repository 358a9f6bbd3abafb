"""A model as a small tree of expressions that knows no target language: what is read, in which steps, to which outputs.

Numbers are double precision and may be missing; what is calculated from a missing number is missing. How a target has
that (NULL, NaN, #N/A) is its printer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["number", "text", "date"]


@dataclass(frozen=True)
class Input:
    """A column of the table to score."""

    name: str
    kind: Kind
    inf_is_missing: bool = False
    levels: tuple[str, ...] = ()  # of a text column, for those who read about it
    role: Literal["feature", "offset", "exposure", "strata"] = "feature"


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Text:
    """A constant text; only whole outputs and branches of a case are texts."""

    value: str


@dataclass(frozen=True)
class Missing:
    """No number, or no text."""

    kind: Literal["number", "text"] = "number"


@dataclass(frozen=True)
class Value:
    """A number of the table, of a date the days since 1970-01-01, with `fill` where it is missing."""

    input: Input
    fill: float | None = None


@dataclass(frozen=True)
class Lookup:
    """A number for the text in a column; None as `missing` is no number, None as `otherwise` refuses other texts."""

    input: Input
    entries: tuple[tuple[tuple[str, ...], float], ...]  # the spellings of some levels, and their number
    missing: float | None
    otherwise: float | None


@dataclass(frozen=True)
class DatePart:
    """Of a date the year, the month (1 to 12), the weekday (0 is Monday), or the days since 1970-01-01."""

    input: Input
    part: str


@dataclass(frozen=True)
class Words:
    """How often words, and pairs of neighbouring words, occur in a text, times their numbers; None is no number."""

    input: Input
    entries: tuple[tuple[str, float], ...]
    missing: float | None


@dataclass(frozen=True)
class Sum:
    """All terms added up."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True)
class Product:
    """All factors multiplied."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True)
class Quotient:
    """One over the other."""

    above: Expression
    below: Expression


@dataclass(frozen=True)
class Exp:
    """The exponential: 0 and infinite far out, never an error."""

    of: Expression


@dataclass(frozen=True)
class Log:
    """The logarithm of a positive number."""

    of: Expression


@dataclass(frozen=True)
class Floor:
    """The largest whole number that is not above it."""

    of: Expression


@dataclass(frozen=True)
class Largest:
    """The largest of several."""

    of: tuple[Expression, ...]


@dataclass(frozen=True)
class Smallest:
    """The smallest of several."""

    of: tuple[Expression, ...]


@dataclass(frozen=True)
class Step:
    """The result of an earlier step."""

    name: str


@dataclass(frozen=True)
class IsMissing:
    """Whether something is missing."""

    of: Expression


@dataclass(frozen=True)
class Compare:
    """How two numbers compare; not so where one is missing."""

    left: Expression
    sign: Literal["<", "<=", ">", ">=", "=="]
    right: Expression


@dataclass(frozen=True)
class Case:
    """One thing or another."""

    condition: Condition
    then: Expression
    otherwise: Expression


Condition: TypeAlias = IsMissing | Compare
Expression: TypeAlias = (
    Number
    | Text
    | Missing
    | Value
    | Lookup
    | DatePart
    | Words
    | Sum
    | Product
    | Quotient
    | Exp
    | Log
    | Floor
    | Largest
    | Smallest
    | Step
    | Case
)


@dataclass(frozen=True)
class Output:
    """A column of the answer; text of classes that are no numbers."""

    name: str
    of: Expression
    kind: Literal["number", "text"] = "number"


@dataclass(frozen=True)
class Program:
    """A model to be written in some language.

    Attributes
    ----------
    title : str
        What it is, in a line.
    inputs : tuple of Input
        The columns that it needs.
    before : dict of str
        What the linear predictors refer to, by name.
    links : dict of str
        By the name of its step, each linear predictor; of features first, then the offset.
    steps : dict of str
        What is calculated from those, by name, in order.
    outputs : tuple of Output
        The columns of the answer.
    response : str
        Which function of the linear predictors the mean is: "identity", "exp", "logistic" or "softmax".
    kind : str
        Which kind of prediction the outputs are, "" for class and probabilities.
    classes : tuple
        Labels, of a model of classes.
    refuses : bool
        Whether a level unseen in training is an error.
    """

    title: str
    inputs: tuple[Input, ...]
    before: dict[str, Expression]
    links: dict[str, Sum]
    steps: dict[str, Expression]
    outputs: tuple[Output, ...]
    response: str
    kind: str
    classes: tuple[object, ...]
    refuses: bool
