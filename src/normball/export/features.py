"""What the columns of a table add to a linear predictor, as expressions: one function for each kind of term."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from normball.export.spellings import spellings
from normball.export.tree import (
    Case,
    Compare,
    DatePart,
    Expression,
    Input,
    IsMissing,
    Kind,
    Lookup,
    Missing,
    Number,
    Product,
    Step,
    Sum,
    Value,
    Words,
)
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.preparation import Preparation
from normball.inputs.terms.dates import MONTHS, WEEKDAYS, DateTerm
from normball.inputs.terms.interaction import InteractionTerm
from normball.inputs.terms.levels import RARE_LEVEL, LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.spline import SplineTerm
from normball.inputs.terms.term import Term
from normball.inputs.terms.words import TextTerm
from normball.inputs.text import MISSING_WORDS

WORDS = tuple(sorted(MISSING_WORDS))
_CODES = {"month": dict(zip(MONTHS, range(1, 13), strict=True)), "weekday": dict(zip(WEEKDAYS, range(7), strict=True))}


class Features:
    """The columns of a model; `refuse` says whether levels unseen in training are an error.

    Attributes
    ----------
    sources : dict
        The columns of the table by their names.
    before : dict
        Steps that the terms refer to, by name.
    """

    def __init__(self, preparation: Preparation, refuse: bool) -> None:
        self.refuse = refuse
        self.sources: dict[str, Input] = {}
        self.before: dict[str, Expression] = {}
        for term in preparation.columns:
            factors = (term.left, term.right) if isinstance(term, InteractionTerm) else (term,)
            for one in factors:
                self.sources.setdefault(one.name, _input_of(one, preparation.inf_is_missing))

    def terms(self, term: Term, coefs: Sequence[float]) -> list[Expression]:
        """The terms that a column adds to a linear predictor in which its features have these coefficients."""
        if not any(coefs):
            return []
        match term:
            case LevelTerm():
                return [self._lookup(term, coefs)]
            case NumberTerm():
                source = self.sources[term.name]
                return [*_scaled(coefs[0], Value(source, term.fill)), *_gaps(source, coefs[1:])]
            case SplineTerm():
                source, n = self.sources[term.name], term.n_functions
                gaps = _gaps(source, coefs[n:])
                if not any(coefs[:n]):
                    return gaps
                return [_curve(term, self._named(Value(source, term.fill), "number"), coefs[:n]), *gaps]
            case DateTerm():
                return self._date(term, coefs)
            case TextTerm():
                return [self._words(term, coefs)]
            case InteractionTerm():
                return self._products(term, coefs)
        raise ValueError(f'"{term.name}" gives features of the kind {term.kind}, which no export has')

    def _lookup(self, term: LevelTerm, numbers: Sequence[float]) -> Lookup:
        """The number of each level, 0 that of the baseline."""
        levels, values = list(term.levels), list(map(float, numbers))
        if term.baseline is not None:
            levels, values = [*levels, term.baseline], [*values, 0.0]
        spelled: dict[float, list[str]] = {}
        for number, texts in zip(values, spellings(levels), strict=True):
            spelled.setdefault(number, []).extend(texts)
        number_of = dict(zip(levels, values, strict=True))
        missing = number_of.get(MISSING_LEVEL, 0.0 if term.takes_gaps or not self.refuse else None)
        otherwise = number_of[RARE_LEVEL] if term.rare else None if self.refuse else 0.0
        if missing is not None and otherwise is not None and missing != otherwise:  # else the words are refused
            taken = {text for texts in spelled.values() for text in texts}
            spelled.setdefault(missing, []).extend(word for word in WORDS if word not in taken)
        entries = tuple((tuple(texts), number) for number, texts in spelled.items() if number != otherwise)
        return Lookup(self.sources[term.name], entries, missing, otherwise)

    def _date(self, term: DateTerm, coefs: Sequence[float]) -> list[Expression]:
        """Year and days as numbers, month and weekday as cases."""
        source, place = self.sources[term.name], 0
        found: list[Expression] = []
        for one in term.terms:
            own = coefs[place : place + one.n_features]
            place += one.n_features
            if not any(own):
                continue
            part = one.name.removeprefix(f"{term.name} ")
            step = self._named(DatePart(source, part), part)
            if isinstance(one, LevelTerm):
                found.append(self._cases(one, source, step, own, _CODES[part]))
                continue
            value: Expression = Sum((step, Number(-float(term.start)))) if part == "days" else step
            if one.fill is not None:
                value = Case(IsMissing(Value(source)), Number(one.fill), value)
            found += [*_scaled(own[0], value), *_gaps(source, own[1:])]
        return found

    def _named(self, node: Expression, called: str) -> Step:
        """The step with something that is used more than once."""
        for name, known in self.before.items():
            if known == node:
                return Step(name)
        name = f"{called}_{len(self.before) + 1}"
        self.before[name] = node
        return Step(name)

    def _cases(
        self, term: LevelTerm, source: Input, step: Step, coefs: Sequence[float], codes: dict[str, int]
    ) -> Expression:
        """The number of a month or weekday."""
        found: Expression = Missing() if self.refuse and len(term.levels) < len(codes) else Number(0.0)
        for level, coef in reversed(list(zip(term.levels, coefs, strict=True))):
            if coef or isinstance(found, Missing) or (self.refuse and len(term.levels) < len(codes)):
                found = Case(Compare(step, "==", Number(float(codes[level]))), Number(coef), found)
        gap: Expression = Number(0.0) if term.takes_gaps or not self.refuse else Missing()
        return Case(IsMissing(Value(source)), gap, found)

    def _words(self, term: TextTerm, coefs: Sequence[float]) -> Words:
        """How often the words occur, times their numbers."""
        entries = tuple((word, float(coef)) for word, coef in zip(term.words, coefs, strict=False) if coef)
        gap = float(coefs[-1]) if term.indicator else term.fill
        return Words(self.sources[term.name], entries, gap)

    def _products(self, term: InteractionTerm, coefs: Sequence[float]) -> list[Expression]:
        """For each feature of the left column that has a coefficient, it times what the right one adds then."""
        rows = np.zeros((term.left.n_features, term.right.n_features))
        for (i, j), coef in zip(term.pairs, coefs, strict=True):
            rows[i, j] = coef
        if isinstance(term.left, NumberTerm):
            left: list[Expression] = [Value(self.sources[term.left.name], term.left.fill)]
        else:
            left = [self._lookup(term.left, row) for row in np.eye(term.left.n_features).tolist()]
        found: list[Expression] = []
        for one, row in zip(left, rows.tolist(), strict=True):
            if any(row) and isinstance(term.right, NumberTerm):
                right = Value(self.sources[term.right.name], term.right.fill)
                found.append(Product((Number(row[0]), Product((one, right)))))
            elif any(row) and isinstance(term.right, LevelTerm):
                found.append(Product((Number(1.0), Product((one, self._lookup(term.right, row))))))
        return found


def _input_of(term: Term, inf_is_missing: bool) -> Input:
    """What the column has to be in the table."""
    kinds: dict[type[Term], Kind] = {LevelTerm: "text", TextTerm: "text", DateTerm: "date"}
    kind = kinds.get(type(term), "number")
    known = (*term.levels, *filter(None, [term.baseline])) if isinstance(term, LevelTerm) else ()
    levels = tuple(level for level in known if level not in (MISSING_LEVEL, RARE_LEVEL))
    return Input(term.name, kind, inf_is_missing and kind == "number", levels)


def _scaled(coef: float, feature: Expression) -> list[Expression]:
    return [Product((Number(float(coef)), feature))] if coef else []


def _gaps(source: Input, coefs: Sequence[float]) -> list[Expression]:
    """The indicator of missing values, where there is one with a coefficient."""
    gap = Case(IsMissing(Value(source)), Number(1.0), Number(0.0))
    return [one for coef in coefs for one in _scaled(coef, gap)]


def _curve(term: SplineTerm, x: Step, coefs: Sequence[float]) -> Expression:
    """A cubic between each two knots, a line beyond the outer ones."""
    pieces = term.pieces(coefs)
    *inner, (start, last) = pieces
    found = _polynomial(x, start, last)
    for (begin, piece), (end, _) in zip(inner[::-1], pieces[:0:-1], strict=True):
        found = Case(Compare(x, "<", Number(end)), _polynomial(x, begin, piece), found)
    return found


def _polynomial(x: Step, start: float, coefs: Sequence[float]) -> Expression:
    """By Horner's rule in the distance from `start`; the constant comes first."""
    *lower, highest = coefs
    distance = Sum((x, Number(-start)))
    found: Expression = Number(highest)
    for coef in lower[::-1]:
        found = Sum((Number(coef), Product((distance, found))))
    return found
