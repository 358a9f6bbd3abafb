"""What the printers of programs share: arithmetic in the notation that SQL, Python, JavaScript and C have in common."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from normball.export.tree import (
    Case,
    Compare,
    Condition,
    DatePart,
    Exp,
    Expression,
    Floor,
    Input,
    IsMissing,
    Largest,
    Log,
    Lookup,
    Missing,
    Number,
    Product,
    Program,
    Quotient,
    Smallest,
    Step,
    Sum,
    Text,
    Value,
    Words,
)


class Printer(ABC):
    """Expressions as text; every method returns something that binds at least as strongly as a product."""

    signs: ClassVar[dict[str, str]] = {}  # of comparisons, where they are others
    together = 0  # so many terms of a sum stand in brackets of their own, where depth is limited

    def expression(self, node: Expression) -> str:
        """Any expression."""
        match node:
            case Number(value):
                return self.number(value)
            case Text(value):
                return self.text(value)
            case Missing(kind):
                return self.missing(kind)
            case Value(source, fill):
                return self.value(source, fill)
            case Lookup():
                return self.lookup(node)
            case DatePart():
                return self.date_part(node)
            case Words():
                return self.words(node)
            case Sum(terms):
                return f"({self.sum([self.expression(term) for term in terms])})"
            case Product(factors):
                return self.product(factors)
            case Quotient(above, below):
                return f"({self.expression(above)} / {self.expression(below)})"
            case Exp(of):
                return self.exp(self.expression(of))
            case Log(of):
                return self.log(self.expression(of))
            case Floor(of):
                return f"floor({self.expression(of)})"
            case Largest(of):
                return self.extreme("largest", [self.expression(one) for one in of])
            case Smallest(of):
                return self.extreme("smallest", [self.expression(one) for one in of])
            case Step(name):
                return self.step(name)
            case Case():
                return self.case(node)

    def condition(self, node: Condition) -> str:
        """A condition."""
        match node:
            case IsMissing(of):
                return self.is_missing(of)
            case Compare(left, sign, right):
                return f"{self.expression(left)} {self.signs.get(sign, sign)} {self.expression(right)}"

    def sum(self, terms: Sequence[str]) -> str:
        """Terms added up, without brackets."""
        if self.together and len(terms) > self.together:
            parts = [terms[start : start + self.together] for start in range(0, len(terms), self.together)]
            return self.sum([f"({self.sum(part)})" for part in parts])
        return "".join(self.added(term) if place else term for place, term in enumerate(terms))

    def added(self, term: str) -> str:
        """A further term with its sign."""
        return f" - {term[1:]}" if term.startswith("-") else f" + {term}"

    def product(self, factors: Sequence[Expression]) -> str:
        """Factors multiplied; those of 1 and -1 are signs."""
        first, *rest = factors
        if isinstance(first, Number) and rest and abs(first.value) == 1.0:
            printed = " * ".join(map(self.expression, rest))
            if first.value == 1.0:
                return printed
            return f"-{printed}" if not printed.startswith("-") else f"(0 - ({printed}))"
        return " * ".join(map(self.expression, factors))

    def number(self, value: float) -> str:
        """A constant with all its digits: what reads it finds the same double."""
        return number(value)

    @abstractmethod
    def text(self, value: str) -> str:
        """A constant text."""

    @abstractmethod
    def missing(self, kind: str) -> str:
        """No number, or no text."""

    @abstractmethod
    def value(self, source: Input, fill: float | None) -> str:
        """A number of the table."""

    @abstractmethod
    def lookup(self, node: Lookup) -> str:
        """The number of a level."""

    @abstractmethod
    def date_part(self, node: DatePart) -> str:
        """A part of a date."""

    def words(self, node: Words) -> str:
        """How often words occur."""
        raise no_words(node)

    @abstractmethod
    def exp(self, of: str) -> str:
        """The exponential."""

    @abstractmethod
    def log(self, of: str) -> str:
        """The logarithm."""

    @abstractmethod
    def extreme(self, which: str, of: Sequence[str]) -> str:
        """The largest or smallest."""

    @abstractmethod
    def step(self, name: str) -> str:
        """An earlier result."""

    @abstractmethod
    def is_missing(self, of: Expression) -> str:
        """The condition that something is missing."""

    @abstractmethod
    def case(self, node: Case) -> str:
        """One thing or another."""


def no_words(node: Words) -> ValueError:
    """What is said where a target cannot count words."""
    name = quoted(node.input.name)
    remedy = 'to="python" (score.py) or to="javascript" (score.js)'
    return ValueError(f"column {name} is text, whose words only two exports count: {remedy}")


def number(value: float) -> str:
    """A double so that it is read back to the last bit."""
    if not math.isfinite(value):
        raise ValueError(f"the model holds the number {value}, which cannot be written")
    return repr(float(value))


def quoted(text: str) -> str:
    """A text for a comment: in one line, and without what any language takes for the end of one."""
    safe = json.dumps(text, ensure_ascii=False)
    return "".join(one if one == " " or one.isprintable() else _escape(one) for one in safe)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def notes(program: Program, missing: str, refused: str, dates: str) -> list[str]:
    """What a reader of the exported file has to know, in lines: the model, and what its columns have to be.

    `missing` says what stands for a missing value, `refused` what becomes of a level unseen in training, and `dates`
    what these are.
    """
    lines = [program.title, "", "Reads"]
    for source in program.inputs:
        what = {"feature": "", "offset": ", added to the linear predictor", "exposure": ", greater than 0"}
        levels = f": {', '.join(map(quoted, source.levels[:5]))}" if source.levels else ""
        more = f" and {len(source.levels) - 5} more" if len(source.levels) > 5 else ""
        lines.append(f"  {quoted(source.name)} ({source.kind}{what.get(source.role, '')}){levels}{more}")
    lines += ["", "Gives"]
    lines += [f"  {quoted(one.name)} ({one.kind})" for one in program.outputs]
    lines += ["", f"Missing values are {missing}; where the model has no number for one, so is the result."]
    if any(source.kind == "date" for source in program.inputs):
        lines.append(f"Dates are {dates}.")
    if any(source.kind == "text" for source in program.inputs):
        lines.append(
            "Levels are compared as texts, letter by letter; numbers and truth values by their text (7, true)."
        )
        lines.append("Words for a missing value, such as NA, are to be made missing values before.")
        lines.append(
            f"A level unseen in training {refused}."
            if program.refuses
            else "A level unseen in training counts as none of the levels."
        )
    return lines
