"""Where a result came from: what its arrays do not say, kept beside them in the model file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from inspect import signature
from pathlib import PurePath
from typing import Any, Literal

from normball.schema import Damaged, Reader, listed, mapping, number, one_of, optional, record, text, truth

BY_ROW_NUMBER = "row number"


def rule_of(select: str | float) -> Literal["1se", "best"]:
    """The rule that picks among several penalties; a number, a lambda of its own, goes with "1se"."""
    return "best" if select == "best" else "1se"


@dataclass(frozen=True)
class Run:
    """What was read and what was asked for.

    Attributes
    ----------
    source : str
        The name of the file, without its folder, or "" for arrays and examples.
    example : str
        The example data set, if it was one.
    target : str
        Name of the target.
    targets : tuple of str
        The columns of a target that has several; empty where `target` is one.
    command : str
        The command line, files without their folders.
    date : str
        The day of the fit, as 2026-11-29.
    table, outcome : str
        The table and its target in words.
    select : str or float
        The choice of strength: "1se", "best", or a number.
    reading : dict
        The options of `read_table`.
    options : dict
        The options of `cv_path` that are plain data; columns with a role are named.
    apart : dict
        Of rows that no fit saw: "share" or "column" says which these are, with the "seed", and "how" in words; a share
        is drawn from usable rows as folds are, or "by" the numbers of all rows alone, as those in blocks are; "drop"
        are the columns in which a gap does not keep a row from being drawn; "evaluation" is how well they are
        predicted. Empty where there are none.
    positive : str
        The label that was asked to be the modelled one of two, or the event; "" where the second one is, or
        where events are 1 and 0.
    event_labels : tuple of str
        The labels that an event had beside that one, and that one; empty where none was asked for.
    exposure, group, time_order : str
        Columns that become the offset (their logarithm), the groups of rows and the times; "" for none.
    horizon : float or None
        Of times to an event the one up to which predicted and observed survival are compared, in their unit; None for
        the median time of the events.
    """

    source: str = ""
    example: str = ""
    target: str = "y"
    targets: tuple[str, ...] = ()
    command: str = ""
    date: str = ""
    table: str = ""
    outcome: str = ""
    select: str | float = "1se"
    reading: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    apart: dict[str, Any] = field(default_factory=dict)
    positive: str = ""
    event_labels: tuple[str, ...] = ()
    exposure: str = ""
    group: str = ""
    time_order: str = ""
    horizon: float | None = None

    def __post_init__(self) -> None:
        """Forget the folder of the file: model and page are handed on to people who need not know it."""
        name = PurePath(self.source).name
        object.__setattr__(self, "table", name + self.table.removeprefix(self.source))
        object.__setattr__(self, "source", name)

    @property
    def y(self) -> str | list[str]:
        """The target as it is named in a call: its column, or its columns."""
        return list(self.targets) or self.target

    @property
    def target_columns(self) -> list[str]:
        """The columns of the target."""
        return list(self.targets) or [self.target]

    @property
    def rule(self) -> Literal["1se", "best"]:
        """The rule that picks among several penalties."""
        return rule_of(self.select)

    @property
    def weights(self) -> str:
        """The column of weights, "" for none."""
        return str(self.options.get("sample_weight") or "")

    @property
    def strata(self) -> str:
        """The column of strata, "" for none."""
        return str(self.options.get("strata") or "")

    @property
    def offset(self) -> str | list[str]:
        """The offset as it is named in a call: its column, or one for each of several outputs; "" for none."""
        named = self.options.get("offset") or ""
        return list(named) if isinstance(named, list | tuple) else str(named)

    @property
    def offset_columns(self) -> list[str]:
        """The columns of the offset."""
        return [self.offset] if isinstance(self.offset, str) and self.offset else [*self.offset]

    @property
    def not_features(self) -> list[str]:
        """Columns of the table that are no features."""
        roles = (*self.target_columns, self.weights, self.strata, *self.offset_columns, *self.options.get("drop", ()))
        return list(dict.fromkeys(name for name in roles if name))

    def to_dict(self) -> dict[str, Any]:
        """As JSON data; files of a single target say nothing of several, nor of what was not asked for."""
        unsaid = {name for name in ("targets", "event_labels") if not getattr(self, name)}
        unsaid |= {"horizon"} if self.horizon is None else set()
        return {name: value for name, value in asdict(self).items() if name not in unsaid}

    @classmethod
    def from_dict(cls, data: Any, where: str = "run") -> Run:
        """What `to_dict` wrote; raises Damaged where it cannot be that. What lacks takes its default."""
        readers = {
            **{one.name: text for one in fields(cls)},
            "targets": _NAMES,
            "event_labels": _NAMES,
            "select": _select,
            "reading": _reading,
            "options": _options,
            "apart": _apart,
            "horizon": number(),
        }
        return cls(**record(data, where, readers, optional=readers))


_NAMES = listed(text)


def _groups(value: Any, where: str) -> Any:
    """A word, or the names of each group as they were given."""
    if isinstance(value, str):
        return value
    return {name: list(features) for name, features in mapping(_NAMES)(value, where).items()}


def _offset(value: Any, where: str) -> Any:
    return text(value, where) if isinstance(value, str) else _NAMES(value, where)


def _baseline(value: Any, where: str) -> Any:
    return text(value, where) if isinstance(value, str) else mapping(text)(value, where)


_OPTIONS: dict[str, Reader] = {
    "sample_weight": text,
    "strata": text,
    "offset": _offset,
    "missing": text,
    "inf": text,
    "categorical": _NAMES,
    "drop": _NAMES,
    "fill_value": number(),
    "min_count": number(0, whole=True),
    "baseline": _baseline,
    "dates": _NAMES,
    "text": mapping(optional(number(1, whole=True))),
    "spline": mapping(optional(number(1, whole=True))),
    "interact": _NAMES,
    "grouped": truth,
    "penalty_factors": mapping(number(0, finite=False)),
    "groups": _groups,
    "group_weights": mapping(number(0)),
    "group_ratio": number(0, 1),
    "orthonormalize": truth,
    "score": text,
    "standardize": truth,
    "n_lambdas": number(1, whole=True),
    "lambda_min_ratio": number(0, 1),
    "tol": number(0),
    "repeats": number(1, whole=True),
    "cv": number(2, whole=True),
    "random_state": number(0, whole=True),
}


def _select(value: Any, where: str) -> str | float:
    return one_of("1se", "best")(value, where) if isinstance(value, str) else float(number(0)(value, where))


def _reading(value: Any, where: str) -> dict[str, Any]:
    """Options of `read_table`: texts, a line for the header, and lists of texts where that is what the option takes."""
    from normball.inputs.tables import read_table

    known: dict[str, Reader] = {
        name: listed(text) if isinstance(option.default, tuple) else text
        for name, option in signature(read_table).parameters.items()
        if name not in ("path", "findings")
    } | {"header": lambda value, where: (text if isinstance(value, str) else number(1, whole=True))(value, where)}
    return {
        name: list(one) if isinstance(one, tuple) else one for name, one in record(value, where, known, known).items()
    }


def _apart(value: Any, where: str) -> dict[str, Any]:
    """What `cli.apart` keeps of the rows that no fit saw."""
    known: dict[str, Reader] = {
        "share": number(0, 1),
        "column": text,
        "drop": _NAMES,
        "seed": number(0, whole=True),
        "by": one_of(BY_ROW_NUMBER),
        "how": text,
        "evaluation": _evaluation,
    }
    read = record(value, where, known, optional=("share", "column", "by", "drop", "evaluation") if value else known)
    if read and ("share" in read) == ("column" in read):
        raise Damaged(where, 'must have either "share" or "column"')
    return read


def _evaluation(value: Any, where: str) -> dict[str, Any]:
    """What `Evaluation.to_dict` gives, with null for NaN."""
    score: dict[str, Reader] = {
        "score": text,
        **dict.fromkeys(("value", "low", "high", "without_features"), optional(number())),
    }
    readers: dict[str, Reader] = {
        "family": text,
        "lam": number(0),
        "n_rows": number(1, whole=True),
        "n_groups": optional(number(1, whole=True)),
        "n_bootstrap": number(0, whole=True),
        "scores": listed(lambda one, where: record(one, where, score)),
        "horizon": number(),
    }
    return record(value, where, readers, optional=("horizon",))


def _options(value: Any, where: str) -> dict[str, Any]:
    """Options of `cv_path`."""
    from normball.settings import CV_OPTIONS, FitOptions

    known: dict[str, Reader] = dict.fromkeys((*CV_OPTIONS, *FitOptions.__annotations__), _as_it_is)
    read = record(value, where, known | _OPTIONS, known)
    return {name: list(one) if isinstance(one, tuple) else one for name, one in read.items()}


def _as_it_is(value: Any, where: str) -> Any:
    return value
