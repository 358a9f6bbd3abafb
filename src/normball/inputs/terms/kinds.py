"""Terms as a model file holds them."""

from __future__ import annotations

from typing import Any

from normball.inputs.terms.dates import DateTerm
from normball.inputs.terms.interaction import InteractionTerm
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.spline import SplineTerm
from normball.inputs.terms.term import Term
from normball.inputs.terms.words import TextTerm
from normball.schema import Reader, fields, listed, one_of, record

KINDS: dict[str, type[Term]] = {one.kind: one for one in (DateTerm, TextTerm, SplineTerm, InteractionTerm)}
NEEDED: dict[type[Term], tuple[str, ...]] = {
    NumberTerm: ("name",),
    LevelTerm: ("name", "levels"),
    DateTerm: ("name", "first", "terms"),
    TextTerm: ("name", "words"),
    SplineTerm: ("name", "knots"),
    InteractionTerm: ("name", "left", "right", "pairs"),
}


def term_from(data: Any, where: str) -> Term:
    """The term that `to_dict` wrote; raises Damaged where it cannot be that. A plain number is its name."""
    if isinstance(data, str):
        return NumberTerm(data)
    given = fields(data, where)
    kind: type[Term] = LevelTerm if "levels" in given else NumberTerm
    if "kind" in given:
        kind = KINDS[one_of(*KINDS)(given["kind"], f"{where}.kind")]
    readers: dict[str, Reader] = {**kind.readers}
    if kind is DateTerm:
        readers["terms"] = listed(term_from)
    if kind is InteractionTerm:
        readers |= {"left": term_from, "right": term_from}
    own = {name: value for name, value in given.items() if name != "kind"}
    values = record(own, where, readers, optional=[name for name in readers if name not in NEEDED[kind]])
    kind.check(values, where)
    return kind(**values)
