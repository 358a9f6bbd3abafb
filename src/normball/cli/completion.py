"""`normball completion`: the words that a shell offers at the tab key."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from normball.cli.arguments import parser
from normball.cli.console import Console
from normball.cli.options import FAMILIES

FILES = ("data", "model")
PLACES = {
    ("predict", "output"): "FILE",
    ("export", "output"): "FILE",
    ("report", "output"): "FILE",
    ("report", "data"): "FILE",
    ("fit", "output"): "DIRECTORY",
    ("fit", "out_of_fold"): "FILE",
    ("fit", "groups"): "FILE",
    ("learn", "output"): "FILE",
    ("learn", "svg"): "DIRECTORY",
    ("learn", "png"): "DIRECTORY",
}


def run(arguments: argparse.Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    import shtab

    top = parser()
    for name, action in _actions(top):
        if action.dest == "family":
            action.choices = ("auto", *FAMILIES)
        if action.dest in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif place := PLACES.get((name, action.dest)):
            action.complete = getattr(shtab, place)  # type: ignore[attr-defined]
    script = shtab.complete(top, shell=arguments.shell)
    console.product(script)
    console.document({"shell": arguments.shell, "script": script})
    return 0


def _actions(top: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    """Every argument with the name of its command."""
    commands = next(action.choices for action in top._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in (commands or {}).items():
        for action in command._actions:
            yield name, action
