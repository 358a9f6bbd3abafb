"""A parser of words that says what is wrong with one, and what was meant perhaps."""

from __future__ import annotations

import argparse
import difflib
import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NoReturn, TypeAlias

from normball.language import ENGLISH, current, languages, of_locale, retold
from normball.results.text import display_width

TAKES_TEXT = (
    "--na",
    "--units",
    "--drop",
    "--x",
    "--categorical",
    "--keep",
    "--keep-unpenalised",
    "--target",
    "--text",
    "--interact",
    "--baseline",
    "--dates",
    "--spline",
    "--positive",
    "--weights",
    "--offset",
    "--exposure",
    "--event",
    "--start",
    "--strata",
    "--group",
    "--time-order",
    "--split",
)
DASHED_NUMBER = re.compile(r"-[\d.]")


class NotUnderstood(Exception):
    """Words that are no command; `prog` is as far as they were understood."""

    def __init__(self, message: str, prog: str) -> None:
        super().__init__(message)
        self.prog = prog


class Help(argparse.HelpFormatter):
    """Help whose lines are as long as they look: letters of some languages take two columns."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".lstrip()
            if display_width(longer) > width and lines[-1]:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in self._split_lines(text, width))


class HelpAsItStands(Help, argparse.RawDescriptionHelpFormatter):
    """The same with the lines of descriptions and examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return argparse.RawDescriptionHelpFormatter._fill_text(self, text, width, indent)


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong without repeating every option."""

    def __init__(self, *, formatter_class: type[argparse.HelpFormatter] = Help, **options: Any) -> None:
        super().__init__(formatter_class=formatter_class, **options)

    def error(self, message: str) -> NoReturn:
        """Raise what `main` says in the form that is asked for."""
        raise NotUnderstood(message, self.prog)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """As ever, but of a command nothing is left over, and a mistyped option is said before what is missing."""
        if self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        options = self._option_string_actions
        for word in args[: args.index("--")] if "--" in args else args:
            name = word.partition("=")[0]
            if name.startswith("--") and " " not in name and not any(option.startswith(name) for option in options):
                self.error(f"there is no option {name}{_similar(name, options, 'option')}")
        known, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"not understood: {' '.join(rest)}")
        return known, rest

    def format_help(self) -> str:
        """The help in the language that is spoken."""
        if current() == ENGLISH:
            return super().format_help()
        for group in self._action_groups:
            group.title = retold(group.title or "", "terminal")
        for action in self._actions:
            listed = action._choices_actions if isinstance(action, argparse._SubParsersAction) else []
            for one in (action, *listed):
                one.help = retold(one.help or "", "terminal")
        self.description = retold(self.description or "", "terminal")
        self.epilog = retold(self.epilog or "", "terminal")
        usage, blank, rest = super().format_help().partition("\n\n")
        head = retold("usage: ", "terminal")
        wider = " " * (display_width(head) - len("usage: "))  # what stands below begins where the first line does
        return usage.replace("\n", "\n" + wider).replace("usage: ", head, 1) + blank + rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """What `argparse` says, without quotes and brackets of Python, and with the nearest of the choices."""
        choices: Collection[Any] | None = action.choices  # type: ignore[assignment]
        if choices is None or value in choices:
            return
        if isinstance(action, argparse._SubParsersAction):
            others = _similar(value, choices, "command") or f"; there are {', '.join(choices)}"
            raise argparse.ArgumentError(None, f'there is no command "{value}"{others}')
        raise argparse.ArgumentError(action, f'"{value}" is none of {", ".join(map(str, choices))}')


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def language_of(words: Sequence[str]) -> str:
    """The language that the words ask for, before they are understood; of lessons by default that of the locale."""
    asked = [after for word, after in itertools.pairwise(words) if word == "--lang"]
    asked += [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    if asked and asked[-1] in languages():
        return asked[-1]
    return of_locale() if "learn" in words[:1] else ENGLISH


def with_dashed_values(words: Sequence[str]) -> list[str]:
    """`--na -,n/a` as `--na=-,n/a`, since argparse takes a value that starts with a dash for an option.

    So it is with `--memory -5GB`, which it would say has no value.
    """
    merged: list[str] = []
    for word in words:
        is_value = word.startswith("-") and not word.startswith("--") and merged and merged[-1].startswith("--")
        if is_value and (merged[-1] in TAKES_TEXT or DASHED_NUMBER.match(word)):
            merged[-1] += f"={word}"
        else:
            merged.append(word)
    return merged


def _similar(word: str, known: Iterable[str], noun: str) -> str:
    """`. A similar command exists: fit`, or nothing where none is close."""
    bare = {name.lstrip("-"): name for name in known}  # dashes are alike in all options
    close = difflib.get_close_matches(word.lower().lstrip("-"), bare, n=1)
    return f". A similar {noun} exists: {bare[close[0]]}" if close else ""
