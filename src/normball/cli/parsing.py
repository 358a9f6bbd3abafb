"""A parser of words that says what is wrong with one, and what was meant perhaps."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NoReturn, TypeAlias

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
)


class NotUnderstood(Exception):
    """Words that are no command; `prog` is as far as they were understood."""

    def __init__(self, message: str, prog: str) -> None:
        super().__init__(message)
        self.prog = prog


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong without repeating every option."""

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


def with_dashed_values(words: Sequence[str]) -> list[str]:
    """`--na -,n/a` as `--na=-,n/a`, since argparse takes a value that starts with a dash for an option."""
    merged: list[str] = []
    for word in words:
        if merged and merged[-1] in TAKES_TEXT and word.startswith("-") and not word.startswith("--"):
            merged[-1] += f"={word}"
        else:
            merged.append(word)
    return merged


def _similar(word: str, known: Iterable[str], noun: str) -> str:
    """`. A similar command exists: fit`, or nothing where none is close."""
    bare = {name.lstrip("-"): name for name in known}  # dashes are alike in all options
    close = difflib.get_close_matches(word.lower().lstrip("-"), bare, n=1)
    return f". A similar {noun} exists: {bare[close[0]]}" if close else ""
