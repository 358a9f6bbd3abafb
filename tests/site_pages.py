"""The code on the pages of docs/: every block runs, in the order of its page, and gives what the page shows.

Blocks of `python` run in one namespace a page, and a block of `text` after one is what it prints; an error about data
counts as printed. Blocks of `console` are commands after "$ " with what they print. Three dots stand for anything.
A block of other languages, or about a program that is not installed here, is left alone with its text, and so is one
that goes on from there.

`python tests/site_pages.py PAGES` writes what the blocks give now into the pages, where it differs.
"""

from __future__ import annotations

import ast
import doctest
import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
TINY = re.compile(r"\b\d(?:\.\d+)?e-(?:0[7-9]|[1-9]\d)\b")  # rounding, another on every processor
PEER = re.compile(r"^(?:from|import) (lifelines|onnx|onnxruntime|openpyxl|skl2onnx|statsmodels)\b", re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Shown:
    """Something that a page shows of what its code gives, and what it gives now."""

    page: Path
    start: int
    end: int
    code: str
    shown: str
    gives: str

    @property
    def agrees(self) -> bool:
        """Whether it is the same, white space, three dots and the size of rounding aside."""
        return doctest.OutputChecker().check_output(TINY.sub("tiny", self.shown), TINY.sub("tiny", self.gives), FLAGS)

    def __str__(self) -> str:
        line = self.page.read_text(encoding="utf-8")[: self.start].count("\n") + 1
        return f"{self.page}:{line}\n{self.code}\n--- shown\n{self.shown}\n--- given\n{self.gives}"


def printed(code: str, names: dict[str, Any]) -> str:
    """What code prints, with the value of its last expression, or the error about data that it ends with."""
    from normball.messages import DataError

    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with redirect_stdout(io.StringIO()) as out, warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            exec(compile(tree, "<page>", "exec"), names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), "<page>", "eval"), names)
                if value is not None:
                    print(value if isinstance(value, str) else repr(value))
        except DataError as error:
            print(f"DataError: {error}")
    return out.getvalue()


def command(words: str) -> str:
    """What a command of normball prints, on either stream."""
    from normball.cli import main

    name, *rest = shlex.split(words)
    if name != "normball":
        raise ValueError(f"{name}: of the commands on the pages only normball runs")
    with io.StringIO() as out, redirect_stdout(out), redirect_stderr(out):
        main(rest)
        return out.getvalue()


def needs_a_peer(code: str) -> bool:
    """Whether code is about another program that is not installed here."""
    return any(find_spec(name) is None for name in PEER.findall(code))


def blocks(page: Path) -> Iterator[re.Match[str]]:
    """The blocks of a page that count."""
    return BLOCK.finditer(page.read_text(encoding="utf-8"))


def run(page: Path, within: str = "") -> Iterator[Shown]:
    """Run the blocks of a page in this folder, in its order."""
    names: dict[str, Any] = {"__name__": "page"}
    before: tuple[str, str] | None = None
    left_alone = False
    for block in blocks(page):
        kind, text = block.groups()
        if kind == "python":
            before = None
            if needs_a_peer(text):
                left_alone = True
                continue
            try:
                before = (text, printed(text, names))
            except NameError:
                if not left_alone:
                    raise
        elif kind == "text" and before is not None:
            yield Shown(page, block.start(2), block.end(2), before[0], text, before[1])
            before = None
        elif kind == "console":
            for line in LINE.finditer(text):
                start = block.start(2)
                yield Shown(page, start + line.start(2), start + line.end(2), line[1], line[2], command(line[1]))
            before = None
        else:  # another language, whose output is not ours
            before = None


def rewrite(page: Path) -> int:
    """Write what the blocks give where the page shows something else; the number of places."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        wrong = [one for one in run(page) if not one.agrees]
    text = page.read_text(encoding="utf-8")
    for one in reversed(wrong):
        text = text[: one.start] + one.gives + text[one.end :]
    page.write_text(text, encoding="utf-8")
    return len(wrong)


if __name__ == "__main__":
    os.environ["COLUMNS"] = "100"
    for name in sys.argv[1:]:
        print(name, rewrite(Path(name).resolve()))
