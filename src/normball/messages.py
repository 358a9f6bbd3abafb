"""What normball says about data and fits: findings, errors and warnings.

A finding says what is wrong, where, how often, and what to do about it. Its `fix` is written in the words of Python:
`missing="drop"` is an argument of the function that says it, `cv_path(X, y, repeats=5)` a call of another one; several
remedies are joined by `OR`. `command_line_words` turns it into `--missing drop` where a command says it.
"""

from __future__ import annotations

import difflib
import json
import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from normball.language import message, retold, tr

OR = message("  or  ")
SAMPLE = 5  # how many rows, values or names a message shows


@dataclass(frozen=True)
class Finding:
    """One thing said about the data or the fit.

    Attributes
    ----------
    code : str
        "E.." for an error, "W.." for something to know.
    text : str
        What, where, how many, with sample values.
    fix : str
        What to do, in the words of the Python functions.
    columns : tuple of str
        The columns that the finding is about.
    """

    code: str
    text: str
    fix: str = ""
    columns: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether nothing can be fitted until this is mended."""
        return self.code.startswith("E")

    def in_command_line_words(self, known: Collection[str] | None = None) -> Finding:
        """The same finding in the language that is spoken, with its remedy as command-line options.

        Those are `known` ones, if a command has not all of them.
        """
        fix = self.fix if known is None else with_known_options(self.fix, known)
        told = replace(self, fix=fix).retold()
        text = told.text
        if known is not None:
            text = _ROLE.sub(lambda of: of[0] if is_known(of["role"] or of["own"], known) else "", text)
        return replace(told, text=command_line_words(text), fix=command_line_words(told.fix))

    def with_known_options(self, known: Collection[str]) -> Finding:
        """The same finding without the remedies whose options a function lacks."""
        return replace(self, fix=with_known_options(self.fix, known))

    def for_another_fit(self) -> Finding:
        """The same finding where the fit is over: its options are those of another fit."""
        if not _OPTION.search(_CALL.sub("", self.fix)):
            return self
        return replace(self, fix=f"fit again with {self.fix}")

    def retold(self) -> Finding:
        """The same finding in the language that is spoken, as far as that has words for it."""
        remedies = [retold(remedy, "terminal") for remedy in self.fix.split(OR)]
        return replace(self, text=retold(self.text, "terminal"), fix=tr(OR).join(remedies))

    def __str__(self) -> str:
        fix = f"\n{tr('Fix:')} {self.fix}" if self.fix else ""
        return f"{self.code} {self.text}{fix}".replace("\n", "\n    ")


class DataError(ValueError):
    """The data cannot be used as they are; `findings` holds every problem that was found."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(*findings)
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


class NormballWarning(UserWarning):
    """Base of the warnings that normball emits."""


class NotConverged(NormballWarning):
    """Some point of the path did not reach the requested duality gap."""


class Interrupted(KeyboardInterrupt):
    """The fit was interrupted; `result` holds what was finished (None if nothing was)."""

    def __init__(self, message: str = "", result: Any = None) -> None:
        super().__init__(message)
        self.result = result


def raise_errors(findings: Iterable[Finding]) -> None:
    """Raise one DataError with all the errors among `findings`, if there are any."""
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        raise DataError(*errors)


_STRING = r'"(?:[^"\\]|\\.)*"'
_VALUE = rf"{_STRING}|\[(?:{_STRING}(?:, )?)*\]|[A-Za-z0-9_.-]*[A-Za-z0-9_]"
_OPTION = re.compile(rf"\b([a-z_0-9]+)=({_VALUE})")
_CALL = re.compile(
    r"\b(cv_path|check|\w+ = normball\.read_table)\((?:X, y|X|\{[^}]*\})(?:, )?"
    rf"((?:{_STRING}|[^()\"])*)\)(?:\[{_STRING}\])?"
)
_FOR_SKLEARN = " (n_samples = 1)"  # which its checks of estimators look for
_COMMANDS = {"cv_path": "normball fit", "check": "normball check"}  # a table is read by the options of every command
_RENAMED = {  # arguments whose option has another name
    "sample_weight": "--weights",
    "y": "--target",
    "fold_groups": "--group",
    "row_groups": "--group",
    "penalty_factors": "--keep-unpenalised",
    "n_threads": "--threads",
    "random_state": "--seed",
    "n_bootstrap": "--bootstrap",
}
_ARGUMENTS = (  # those whose option has the same name
    *("baseline", "categorical", "cv", "dates", "decimal", "dedupe", "delimiter", "dialect", "drop", "encoding"),
    *("exposure", "family", "fill_value", "group_ratio", "grouped", "groups", "header", "inf", "interact", "keep"),
    *("kind", "l1_ratio", "lam", "lambda_min_ratio", "memory", "min_count", "missing", "n_lambdas", "na", "offset"),
    *("positive", "repeats", "score", "seconds", "spline", "strata", "table", "text", "thousands", "time_order"),
    *("times", "to", "tol", "units", "unknown"),
)
_TERMS = re.compile(  # what is an interface's own in a sentence; what stands in quotes is the user's
    rf"\b(?P<name>{'|'.join((*_RENAMED, *_ARGUMENTS))})=(?P<value>{_VALUE})"
    rf"|(?P<quoted>{_STRING}|“[^”]*”)"
    rf"|\b(?P<given>{'|'.join((*_RENAMED, *_ARGUMENTS))})=(?=[ ),:]|[^\x00-\x7f])"
    rf"|(?<![-\w.])(?P<bare>{'|'.join(name for name in (*_RENAMED, *_ARGUMENTS) if '_' in name)})(?![A-Za-z0-9_])"
    rf"|(?<=\(of )(?P<role>{'|'.join((*_RENAMED, *_ARGUMENTS))})(?=\))"
    r"|(?<![-\w])(?P<lam>lam)(?![A-Za-z0-9_])"
    r"|(?P<table>(?<=\bof )X\b|(?:^|(?<=\. )|(?<=; ))X(?= (?:lacks|has|must)\b))"
)

_NAME = "|".join((*_RENAMED, *_ARGUMENTS))
_ROLE = re.compile(rf"\((?P<own>{_NAME})=\)| \(of (?P<role>{_NAME})\)")


def command_line_words(text: str) -> str:
    """What is said in the words of Python, in those of the command line.

    `name="value"` and `name=["a", "b"]` become `--name value` and `--name a,b`, calls become commands, and an argument
    is called by its option.
    """

    def command(match: re.Match[str]) -> str:
        function, arguments = match.groups()
        options = [_TERMS.sub(_term, one[0]) for one in _OPTION.finditer(arguments)]
        return " ".join([*filter(None, [_COMMANDS.get(function)]), *options])

    text, told, end = text.replace(_FOR_SKLEARN, ""), "", 0
    for call in _CALL.finditer(text):
        told += _TERMS.sub(_term, text[end : call.start()]) + command(call)
        end = call.end()
    return told + _TERMS.sub(_term, text[end:])


def _term(match: re.Match[str]) -> str:
    """One argument, or one word for the table, as the command line has it."""
    if match["quoted"]:
        return match["quoted"]
    if match["table"]:
        return (
            "The table"
            if match.start() == 0 or match.string[match.start() - 2 : match.start()] == ". "
            else "the table"
        )
    if match["lam"]:
        return "lambda"
    name = match["name"] or match["bare"] or match["given"] or match["role"]
    option = _RENAMED.get(name, f"--{name.replace('_', '-')}")
    if not match["name"]:
        return option
    value = match["value"]
    if value.startswith("["):
        value = ",".join(word.replace(",", r"\,") for word in json.loads(value))
    elif value.startswith('"'):
        value = json.loads(value)
    return f"{option} {shlex.quote(value)}"


def is_known(name: str, known: Collection[str]) -> bool:
    """Whether an argument is among the options of a command, perhaps by another name."""
    return name in known or _RENAMED.get(name, "")[2:].replace("-", "_") in known


def with_known_options(fix: str, known: Collection[str]) -> str:
    """Leave out those of the remedies that need an option which is not known; calls of other functions stay."""

    def can_be_followed(remedy: str) -> bool:
        return all(is_known(match[1], known) for match in _OPTION.finditer(_CALL.sub("", remedy)))

    return OR.join(remedy for remedy in fix.split(OR) if can_be_followed(remedy))


def words(values: Sequence[str]) -> str:
    """A list of texts as Python writes it, for a remedy: `["a", "b"]`."""
    return json.dumps(list(values), ensure_ascii=False)


def count(number: int) -> str:
    """A whole number with thousands separators."""
    return f"{number:,}"


def count_rows(number: int) -> str:
    """How many rows, in words: `1 row`, `1,382 rows`."""
    return "1 row" if number == 1 else f"{count(number)} rows"


def sample(items: Sequence[Any], *, quote: bool = False) -> str:
    """The first few items in words: `3, 9, 12, 14, 20 and 7 more`."""
    shown = ", ".join(f'"{item}"' if quote else str(item) for item in items[:SAMPLE])
    return shown if len(items) <= SAMPLE else f"{shown} and {count(len(items) - SAMPLE)} more"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """` Did you mean "Y"?`, or nothing when no name is close."""
    by_folded = {known.strip().casefold(): known for known in names}
    close = difflib.get_close_matches(name.strip().casefold(), by_folded, n=1)
    return f' Did you mean "{by_folded[close[0]]}"?' if close else ""
