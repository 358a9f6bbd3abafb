"""From columns of the training data to terms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from normball.inputs.columns import Dates, Labels, Numbers
from normball.inputs.terms.dates import DateTerm
from normball.inputs.terms.interaction import InteractionTerm
from normball.inputs.terms.levels import LevelTerm, taken_together
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.plan import Plan, factors_of
from normball.inputs.terms.spline import SplineTerm, of_labels
from normball.inputs.terms.term import Term
from normball.inputs.terms.words import TextTerm
from normball.messages import DataError, Finding


def learn(contents: Mapping[str, Numbers | Labels | Dates], plan: Plan, findings: list[Finding]) -> tuple[Term, ...]:
    """The terms of these columns in their order, then their products; what was done to levels is added to `findings`.

    Raises
    ------
    DataError
        With all that keeps columns from becoming what was asked for.
    """
    terms: list[Term] = []
    problems: list[Finding] = []

    def add(make: Any, *given: Any) -> None:
        try:
            terms.append(make(*given))
        except DataError as error:
            problems.extend(error.findings)

    for name, content in contents.items():
        if isinstance(content, Dates):
            add(DateTerm.learn, name, content, plan)
        elif name in plan.text:
            add(TextTerm.learn, name, content, plan)
        elif name in plan.spline:
            add(_spline, name, content, plan)
        elif isinstance(content, Labels):
            add(LevelTerm.learn, name, content, plan)
        else:
            add(NumberTerm.learn, name, content, plan.filling)
    findings += taken_together(terms, contents, plan.min_count)
    problems += without_levels([name for name, one in contents.items() if not isinstance(one, Labels)], plan)
    for pair in plan.interact:
        names = factors_of(pair, contents)
        assert names is not None  # as `Plan.problems` found out
        add(InteractionTerm.learn, names, contents, plan)
    if problems:
        raise DataError(*problems)
    return tuple(terms)


def _spline(name: str, content: Numbers | Labels, plan: Plan) -> SplineTerm:
    if isinstance(content, Labels):
        raise DataError(of_labels(name))
    return SplineTerm.learn(name, content, plan)


def without_levels(others: Collection[str], plan: Plan) -> list[Finding]:
    """E16 for a baseline of a column that has no levels, but numbers or dates."""
    named = [*plan.baseline] if isinstance(plan.baseline, Mapping) else []
    wrong = [name for name in named if name in others]
    wrong += [name for name in named if name in plan.text]
    return [
        Finding(
            "E16",
            f'Column "{name}" (of baseline) has no levels.',
            f'categorical=["{name}"] if its numbers are codes',
            (name,),
        )
        for name in wrong
    ]
