"""The options about columns, checked: how missing values are filled in, and which columns become what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from normball.inputs.columns import AnyNumbers
from normball.inputs.text import label_text
from normball.messages import OR, Finding, did_you_mean, sample, words
from normball.settings import as_number, name_list, whole

COMMONEST = "commonest"
FILLED_BY = {"impute": "median", "median": "median", "mean": "mean", "constant": "constant"}
POLICIES = ("error", "drop", *FILLED_BY)
LEAST_ROWS = 3  # that must have a word
SHARE_OF_ROWS = 1e-3  # of all that must have it
N_KNOTS = 5
FEWEST_KNOTS = 2


@dataclass(frozen=True)
class Filling:
    """What stands in for a missing number: the median, the mean, or a constant."""

    by: str = "median"
    constant: float = 0.0

    def of(self, content: AnyNumbers) -> float | None:
        """The number for one column; None where it has no values."""
        if self.by == "constant":
            return self.constant
        return content.median if self.by == "median" else content.mean


@dataclass(frozen=True)
class Plan:
    """The options about columns, as `fit_path` has them.

    Attributes
    ----------
    missing : {"error", "drop", "impute"}
        What is done about missing values; `filling` says with what they are imputed.
    inf : {"error", "nan"}
        Whether an infinite value is an error or a missing one.
    categorical, drop : list of str
        Columns to take for labels, and to leave out.
    min_count : int
        Levels in fewer rows stand together as one.
    baseline : {column: level}, "commonest" or None
        Levels without an indicator.
    dates : list of str
        Columns of dates.
    text, spline : {column: int or None}
        Columns of text with the least number of rows that have a word, and numbers with the number of knots of their
        spline; None for the usual one.
    interact : list of (str or pair)
        Products of two columns.
    """

    missing: str = "error"
    inf: str = "error"
    categorical: Any = ()
    drop: Any = ()
    min_count: int = 0
    baseline: Any = None
    fill_value: float | None = None
    dates: Any = ()
    text: Any = ()
    spline: Any = ()
    interact: Any = ()
    filling: Filling | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        check_word("missing", self.missing, POLICIES)
        check_word("inf", self.inf, ("error", "nan"))
        for name in ("categorical", "drop", "dates"):
            self._set(name, name_list(name, getattr(self, name)))
        self._set("min_count", whole("min_count", self.min_count, 0))
        self._set("baseline", _baseline(self.baseline))
        self._set("text", numbers_of_columns("text", self.text, 1))
        self._set("spline", numbers_of_columns("spline", self.spline, FEWEST_KNOTS))
        self._set("interact", _pairs(self.interact))
        by = FILLED_BY.get(self.missing)
        if self.fill_value is not None and by != "constant":
            raise ValueError('fill_value stands in for missing numbers where missing="constant": give both')
        if by is not None:
            constant = 0.0 if self.fill_value is None else as_number("fill_value", self.fill_value)
            if not np.isfinite(constant):
                raise ValueError(f"fill_value is {constant:g}, but must be finite")
            self._set("filling", Filling(by, constant))
            self._set("missing", "impute")

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def imputes(self) -> bool:
        """Whether missing values are filled in."""
        return self.filling is not None

    @property
    def fill_words(self) -> str:
        """What missing numbers take, in a sentence."""
        if self.filling is None:
            return ""
        return f"the value {self.filling.constant:g}" if self.filling.by == "constant" else f"the {self.filling.by}"

    @property
    def named(self) -> dict[str, list[str]]:
        """The columns that each option names, but for those whose products are wanted."""
        levels = [*self.baseline] if isinstance(self.baseline, Mapping) else []
        return {
            "categorical": self.categorical,
            "dates": self.dates,
            "text": [*self.text],
            "spline": [*self.spline],
            "baseline": levels,
        }

    def problems(self, names: Collection[str], left_out: Collection[str]) -> list[Finding]:
        """What is wrong with the columns that are named: features are `names` less those `left_out`."""
        findings = []
        wanted = {role: [name for name in named if name in names] for role, named in self.named.items()}
        findings += [_left_out(role, name) for role, named in wanted.items() for name in named if name in left_out]
        kinds = ("dates", "text", "spline", "categorical")
        for k, one in enumerate(kinds):
            for other in kinds[k + 1 :]:
                for name in wanted[one]:
                    if name in wanted[other]:
                        text = f'Column "{name}" is named by both {one} and {other}: it can be one of them.'
                        fix = f"leave it out (of {one}){OR}leave it out (of {other})"
                        findings.append(Finding("E16", text, fix, (name,)))
        for pair in self.interact:
            found = factors_of(pair, names)
            if found is None:
                apart = {*left_out, *wanted["dates"], *wanted["text"]}
                findings.append(_no_pair(pair, names, [name for name in names if name not in apart]))
                continue
            findings += [_left_out("interact", name) for name in found if name in left_out]
            for name in found:
                if kind := next((kind for kind in ("dates", "text") if name in wanted[kind]), ""):
                    text = f'Column "{name}" (of interact) is one of {kind}; products are of numbers and of levels.'
                    findings.append(Finding("E16", text, "leave it out (of interact)", (name,)))
        return findings


def policy_of(missing: str) -> str:
    """What is done about missing values, whatever numbers are filled in: "error", "drop" or "impute"."""
    return "impute" if missing in FILLED_BY else missing


ABOUT_COLUMNS = (
    *("missing", "inf", "categorical", "drop"),
    *("min_count", "baseline", "fill_value", "dates", "text", "spline", "interact"),
)


def check_word(name: str, value: Any, known: Sequence[str]) -> None:
    """Raise a ValueError where an option is none of the words that it may be."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(known)}")


def factors_of(pair: Any, names: Collection[str]) -> tuple[str, str] | None:
    """The two columns that `a:b` or a pair names; None where they are not both among the `names`."""
    if not isinstance(pair, str):
        one, other = (str(name) for name in pair)
        return (one, other) if one in names and other in names else None
    for place, sign in enumerate(pair):
        one, other = pair[:place].strip(), pair[place + 1 :].strip()
        if sign == ":" and one in names and other in names:
            return one, other
    return None


def numbers_of_columns(name: str, value: Any, least: int) -> dict[str, int | None]:
    """Names of columns, each with a whole number of its own or None."""
    if not isinstance(value, Mapping):
        return dict.fromkeys(name_list(name, value))
    return {
        str(column): None if number is None else whole(f'{name} of "{column}"', number, least)
        for column, number in value.items()
    }


def _baseline(value: Any) -> dict[str, str] | str | None:
    if value is None:
        return None
    if isinstance(value, str) and value == COMMONEST:
        return COMMONEST
    if not isinstance(value, Mapping):
        raise TypeError(f'baseline is {value!r}, but must be {{"column": "level"}} or "{COMMONEST}"')
    return {str(column): label_text(level) for column, level in value.items()}


def _pairs(value: Any) -> list[Any]:
    pairs = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [value]
    for pair in pairs:
        is_pair = isinstance(pair, str) or (isinstance(pair, tuple | list) and len(pair) == 2)
        if not is_pair:
            raise TypeError(f'interact holds {pair!r}, but must hold pairs of columns: ["a:b"] or [("a", "b")]')
    return pairs


def _no_pair(pair: Any, names: Collection[str], factors: Collection[str]) -> Finding:
    if not isinstance(pair, str):
        pair = ":".join(str(name) for name in pair)
    if ":" not in pair:
        text = f'"{pair}" (of interact) is no pair of columns.'
        others = [name for name in factors if name != pair]
        if pair not in factors or not others:
            return Finding("E16", text + did_you_mean(pair, factors), "leave it out (of interact)")
        return Finding("E16", text, f"interact={words([f'{pair}:{others[0]}'])}, or any other column beside it")
    lacking = [name.strip() for name in pair.split(":") if name.strip() not in names]
    text = f'"{pair}" (of interact) is no pair of columns; there is no {sample(lacking, quote=True)}.'
    return Finding("E02", text + did_you_mean(lacking[0] if lacking else pair, names))


def _left_out(role: str, name: str) -> Finding:
    text = f'Column "{name}" (of {role}) is no feature: it is left out, or has another role.'
    return Finding("E16", text, f"name it in one place{OR}leave it out (of {role})", (name,))
