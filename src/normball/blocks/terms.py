"""From columns of a long table to terms, and from rows of it to what the terms make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.learning import Feature
from normball.blocks.surveyed import SurveyedLabels
from normball.blocks.surveyed_dates import SurveyedDates
from normball.inputs.columns import Dates
from normball.inputs.terms.dates import DateTerm
from normball.inputs.terms.interaction import Factor, InteractionTerm
from normball.inputs.terms.learning import without_levels
from normball.inputs.terms.levels import LevelTerm, taken_together
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.plan import Plan, factors_of
from normball.inputs.terms.spline import SplineTerm, of_labels
from normball.inputs.terms.term import Met, Term
from normball.messages import DataError, Finding

if TYPE_CHECKING:
    import polars as pl

    from normball.blocks.encoding import RowReader

Columns = Mapping[str, NDArray[Any]]  # numbers with NaN, or codes with -1, where a value is missing
Levels = dict[str, NDArray[np.int32]]  # for columns of labels the level of each code, and at the end that of gaps
Counts = list[NDArray[np.intp]]


@dataclass(frozen=True)
class Encoder:
    """What terms make of rows that were read."""

    levels: Mapping[str, NDArray[np.int32]]

    def encoded(self, term: Term, columns: Columns) -> Any:
        """What `Term.encode` makes of the same rows in memory."""
        if isinstance(term, InteractionTerm):
            return term.products(self.encoded(term.left, columns), self.encoded(term.right, columns))
        values = columns[term.name]
        if isinstance(term, DateTerm):
            return term.encode({term.name: Dates(values, term.form)}, Met("baseline"))
        return self.levels[term.name][values] if term.name in self.levels else values


class PairsPass:
    """One read of the rows that are used, for the products that occur.

    Attributes
    ----------
    counts : list of ndarray
        For each of the terms in how many rows each of its products is not zero.
    """

    def __init__(self, reader: RowReader, encoder: Encoder, terms: Sequence[InteractionTerm]) -> None:
        self._reader, self._encoder, self._terms = reader, encoder, tuple(terms)
        self.counts: Counts = [np.zeros(len(term.pairs), np.intp) for term in terms]

    def add(self, frame: pl.DataFrame, first_row: int) -> None:
        """Take the next rows."""
        columns = self._reader.read(frame).kept()[0]
        for term, counts in zip(self._terms, self.counts, strict=True):
            left, right = (self._encoder.encoded(one, columns) for one in (term.left, term.right))
            if term.n_level_factors == 2:
                both = (left >= 0) & (right >= 0)
                pairs = left[both].astype(np.intp) * term.right.n_features + right[both]
                counts += np.bincount(pairs, minlength=len(counts))
            else:
                counts += np.diff(term.products(left, right).indptr)

    def join(self, later: PairsPass) -> None:
        """Take what was found in later rows."""
        for mine, other in zip(self.counts, later.counts, strict=True):
            mine += other


def learned_terms(
    contents: Mapping[str, Feature],
    plan: Plan,
    findings: list[Finding],
    counted: Callable[[Levels, Sequence[InteractionTerm]], Counts],
) -> tuple[tuple[Term, ...], Levels]:
    """The terms of these columns in their order, then their products: what `terms.learning.learn` does in memory.

    `counted` counts in the rows that are used in how many of them each product is not zero.
    """
    terms: list[Term] = []
    problems: list[Finding] = []
    for name, content in contents.items():
        try:
            terms.append(_term(name, content, plan))
        except DataError as error:
            problems += error.findings
    findings += taken_together(terms, contents, plan.min_count)
    problems += without_levels([name for name, one in contents.items() if not isinstance(one, SurveyedLabels)], plan)
    levels, factors = Levels(), dict[str, Factor]()
    for term in terms:
        if isinstance(term, LevelTerm):
            content = contents[term.name]
            assert isinstance(content, SurveyedLabels)
            levels[term.name] = np.append(term.codes(content.values)[0], np.int32(term.code_of_gaps))
            factors[term.name] = term
        elif isinstance(term, NumberTerm | SplineTerm):
            number = term.number if isinstance(term, SplineTerm) else term
            factors[term.name] = replace(number, indicator=False)
    products: list[InteractionTerm] = []
    for pair in plan.interact:
        names = factors_of(pair, contents)
        assert names is not None  # as `Plan.problems` found out
        if {*names} <= factors.keys():  # else there is a problem already
            try:
                products.append(InteractionTerm.of_factors(names, factors[names[0]], factors[names[1]]))
            except DataError as error:
                problems += error.findings
    if problems:
        raise DataError(*problems)
    of_levels = [one for one in products if one.n_level_factors]
    counts = dict(zip(map(id, of_levels), counted(levels, of_levels) if of_levels else (), strict=True))
    return (*terms, *(one.kept(counts[id(one)]) if one.n_level_factors else one for one in products)), levels


def _term(name: str, content: Feature, plan: Plan) -> Term:
    if isinstance(content, SurveyedDates):
        return content.learned(name, plan)
    if isinstance(content, SurveyedLabels):
        if name in plan.spline:
            raise DataError(of_labels(name))
        return LevelTerm.learn(name, content, plan)
    if name in plan.spline:
        return SplineTerm.learn(name, content, plan)
    return NumberTerm.learn(name, content, plan.filling)
