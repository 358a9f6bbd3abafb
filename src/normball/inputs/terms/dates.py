"""A column of dates: year, month, weekday, and the days since the first date, as far as these vary."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self, cast

import numpy as np

from normball.inputs.columns import AnyLabels, AnyNumbers, Dates, Floats, Labels, Numbers
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.plan import Plan
from normball.inputs.terms.term import Content, Contents, Met, Part, Term
from normball.schema import Damaged, Reader, text

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OF_LEVELS = ("month", "weekday")
FIRST_WEEKDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True)
class DateTerm(Term):
    """Dates as numbers and levels, which are terms of their own.

    Attributes
    ----------
    first : str
        The first date in training, from which days are counted.
    form : str or None
        How text is read; None where there was none.
    terms : tuple of Term
        Those of the year and of the days (numbers), of the month and of the weekday (levels), which are called "NAME
        year" and so on.
    """

    first: str = ""
    form: str | None = None
    terms: tuple[NumberTerm | LevelTerm, ...] = ()

    kind: ClassVar[str] = "dates"
    readers: ClassVar[dict[str, Reader]] = {"name": Term.readers["name"], "first": text, "form": text}

    @classmethod
    def learn(cls, name: str, content: Dates, plan: Plan) -> DateTerm:
        """What a column of dates gives; the days alone where nothing varies."""
        known = content.days[~content.missing]
        empty = cls.of_first(name, known.min() if known.size else 0.0, content.form)
        return empty.learned(empty.columns(content), plan)

    @classmethod
    def of_first(cls, name: str, days: float, form: str | None) -> DateTerm:
        """Dates of which the first is so many days after 1970-01-01, as yet without features."""
        first = datetime.date(1970, 1, 1) + datetime.timedelta(int(np.floor(days)))
        return cls(name, first=first.isoformat(), form=form)

    def learned(self, columns: Mapping[str, AnyNumbers | AnyLabels], plan: Plan) -> DateTerm:
        """The same with what its `columns` give."""
        terms: list[NumberTerm | LevelTerm] = []
        for key, column in columns.items():
            part = key.removeprefix(f"{self.name} ")
            if part in OF_LEVELS:  # the indicator of gaps is that of the days
                levels = cast(AnyLabels, column)
                if (levels.n_rows > 0).sum() > 1:
                    terms.append(replace(LevelTerm.learn(key, levels, Plan()), fill=-1.0 if plan.imputes else None))
                continue
            numbers = cast(AnyNumbers, column)
            if part == "days":
                terms.append(NumberTerm.learn(key, numbers, plan.filling))
            elif numbers.n_distinct > 1:
                terms.append(replace(NumberTerm.learn(key, numbers, plan.filling), indicator=False))
        return replace(self, terms=tuple(terms))

    @property
    def start(self) -> int:
        """The first date as days since 1970-01-01."""
        return (datetime.date.fromisoformat(self.first) - datetime.date(1970, 1, 1)).days

    def columns(self, content: Dates) -> dict[str, Numbers | Labels]:
        """The year, month, weekday and days of dates, each as a column."""
        missing = content.missing
        whole = np.floor(np.where(missing, 0.0, content.days)).astype("int64")
        months = whole.astype("datetime64[D]").astype("datetime64[M]").astype("int64")
        found: dict[str, Numbers | Labels] = {
            "year": Numbers(np.where(missing, np.nan, months // 12 + 1970.0), whole=True),
            "month": _labels(np.where(missing, -1, months % 12), MONTHS),
            "weekday": _labels(np.where(missing, -1, (whole + FIRST_WEEKDAY) % 7), WEEKDAYS),
            "days": Numbers(content.days - self.start),
        }
        return {f"{self.name} {key}": column for key, column in found.items()}

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The features of its terms."""
        found = []
        for term in self.terms:
            part_of = term.name.removeprefix(f"{self.name} ")
            for part in term.parts:
                within = part_of if part.name is None else f"{part_of} {part.name}"
                found.append(part._replace(name=within))
        return tuple(found)

    @property
    def imputes(self) -> bool:
        """Whether missing values are filled in."""
        return any(term.imputes for term in self.terms)

    @property
    def learns(self) -> bool:
        """Whether a fold has a fill of its own."""
        return any(term.learns for term in self.terms)

    def refit(self, contents: Contents) -> Self:
        """The same with the fills of other rows; days are counted from the same day."""
        content = contents[self.name]
        assert isinstance(content, Dates)
        columns = self.columns(content)
        return replace(self, terms=tuple(term.refit(columns) for term in self.terms))

    def encode(self, contents: Contents, met: Met) -> list[Any]:
        """What its terms make of the rows."""
        content = contents[self.name]
        assert isinstance(content, Dates)
        columns: Mapping[str, Content] = self.columns(content)
        own = Met(met.unknown)
        encoded = [term.encode(columns, own) for term in self.terms]
        met.findings += own.findings
        met.missing[self.name] = np.asarray(content.missing & (not self.imputes))
        return encoded

    def n_filled(self, encoded: list[Any]) -> int:
        """How many cells are not zero."""
        return sum(term.n_filled(one) for term, one in zip(self.terms, encoded, strict=True))

    def write(self, encoded: list[Any], out: Floats) -> None:
        """The features of its terms, side by side."""
        start = 0
        for term, one in zip(self.terms, encoded, strict=True):
            term.write(one, out[:, start : start + term.n_features])
            start += term.n_features

    def sparse(self, encoded: list[Any]) -> Any:
        """The same as a CSC matrix."""
        import scipy.sparse as sparse

        each = [term.sparse(one) for term, one in zip(self.terms, encoded, strict=True)]
        return sparse.hstack(each, format="csc")

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return {**super().to_dict(), "terms": [term.to_dict() for term in self.terms]}

    @classmethod
    def check(cls, values: Mapping[str, Any], where: str) -> None:
        """The first date is one."""
        try:
            datetime.date.fromisoformat(values["first"])
        except ValueError:
            raise Damaged(f"{where}.first", f"is {values['first']!r}, but must be a date") from None
        name = values["name"]
        known = {f"{name} year": NumberTerm, f"{name} month": LevelTerm, f"{name} weekday": LevelTerm}
        known[f"{name} days"] = NumberTerm
        if not values["terms"] or any(known.get(term.name) is not type(term) for term in values["terms"]):
            raise Damaged(f"{where}.terms", "are not the year, month, weekday or days")


def _labels(codes: Any, names: Sequence[str]) -> Labels:
    return Labels(np.asarray(codes, dtype=np.int32), tuple(names), declared=True, ordered=True)
