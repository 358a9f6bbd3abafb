"""Parts of dates by arithmetic on days, for targets that have no dates: the Gregorian calendar (Hinnant 2013)."""

from __future__ import annotations

from dataclasses import replace

from normball.export.tree import (
    Case,
    Compare,
    DatePart,
    Expression,
    Floor,
    Number,
    Product,
    Program,
    Quotient,
    Step,
    Sum,
    Value,
)

DAYS = "days since 1970-01-01"


def with_days(program: Program) -> Program:
    """The same program with steps in the place of the parts of dates; its dates are days since 1970-01-01."""
    before: dict[str, Expression] = {}
    for name, node in program.before.items():
        if isinstance(node, DatePart):
            steps = _parts(node, name)
            before |= steps
        else:
            before[name] = node
    return replace(program, before=before)


def _parts(node: DatePart, name: str) -> dict[str, Expression]:
    """The steps to a part, the last of which has the name; years begin in March, eras are 400 years."""
    days = Value(node.input)
    if node.part == "days":
        return {name: days}
    if node.part == "weekday":
        return {f"{name}_day": _sum(Floor(days), 3), name: _sum(Step(f"{name}_day"), (-7, _over(f"{name}_day", 7)))}
    day, era, of_era, year, of_year, month = (
        f"{name}_{one}" for one in ("day", "era", "day_of_era", "year_of_era", "day_of_year", "month")
    )
    leaps = _sum(Step(of_era), (-1, _over(of_era, 1460)), (1, _over(of_era, 36524)), (-1, _over(of_era, 146096)))
    steps: dict[str, Expression] = {
        day: _sum(Floor(days), 719468),
        era: _over(day, 146097),
        of_era: _sum(Step(day), (-146097, Step(era))),
        year: Floor(Quotient(leaps, Number(365.0))),
        of_year: _sum(Step(of_era), (-365, Step(year)), (-1, _over(year, 4)), (1, _over(year, 100))),
        month: Floor(Quotient(_sum((5, Step(of_year)), 2), Number(153.0))),
    }
    late = Case(Compare(Step(month), "<", Number(10.0)), Number(0.0), Number(1.0))
    if node.part == "month":
        return {**steps, name: _sum(Step(month), 3, (-12, late))}
    return {**steps, name: _sum(Step(year), (400, Step(era)), (1, late))}


def _over(name: str, number: int) -> Expression:
    """How often a number goes into a step."""
    return Floor(Quotient(Step(name), Number(float(number))))


def _sum(*terms: Expression | int | tuple[int, Expression]) -> Sum:
    """Expressions, numbers, and numbers times expressions."""
    found: list[Expression] = []
    for term in terms:
        if isinstance(term, tuple):
            found.append(Product((Number(float(term[0])), term[1])))
        else:
            found.append(Number(float(term)) if isinstance(term, int) else term)
    return Sum(tuple(found))
