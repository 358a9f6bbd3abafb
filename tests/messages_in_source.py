"""The messages that stand in the source, read without running it: what a table of another language has to hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import normball
from normball.families import FAMILIES

PACKAGE = Path(normball.__file__).parent
WEB = PACKAGE.parents[1] / "web" / "src"
OF_FAMILIES = ("factor", "eta_is", "predicted", "label", "sklearn_lacks", "glmnet_lacks")
TEMPLATE = re.compile(r"\btr\((\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')")


def in_javascript(code: str) -> set[str]:
    r"""Of tr`${kept} of ${all}` the key "{0} of {1}", and those of messages inside its places."""
    found: set[str] = set()
    for match in re.finditer(r"\btr`", code):
        key, _ = _template(code, match.end())
        found.add(key)
    return found


def _template(code: str, at: int) -> tuple[str, int]:
    """A template literal as a key, and where it ends."""
    key, n_places = "", 0
    while code[at] != "`":
        if code.startswith("${", at):
            key, n_places, at = key + f"{{{n_places}}}", n_places + 1, _expression(code, at + 2)
        elif code[at] == "\\":
            key, at = key + ast.literal_eval(f'"{_escape(code, at)}"'), at + len(_escape(code, at))
        else:
            key, at = key + code[at], at + 1
    return key, at + 1


def _escape(code: str, at: int) -> str:
    found = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)").match(code, at)
    assert found is not None
    return found[0]


def _expression(code: str, at: int) -> int:
    """Where an expression ends that began after `${`."""
    depth = 0
    while True:
        letter = code[at]
        if letter == "`":
            _, at = _template(code, at + 1)
        elif letter in "\"'":
            at = code.index(letter, at + 1) + 1
        elif letter == "}" and depth == 0:
            return at + 1
        else:
            depth += (letter == "{") - (letter == "}")
            at += 1


def in_python(code: str) -> set[str]:
    """The texts that `tr` and `message` get, also by a variable of the same function."""
    found: set[str] = set()
    tree = ast.parse(code)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for scope in (tree, *functions):
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("tr", "message") and node.args:
                found.update(_texts(node.args[0], scope))
    return found


def _texts(node: ast.expr, scope: ast.AST) -> Iterator[str]:
    """Every text that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, scope)
        yield from _texts(node.orelse, scope)
    elif isinstance(node, ast.Tuple):
        for one in node.elts:
            yield from _texts(one, scope)
    elif isinstance(node, ast.Name) and not isinstance(scope, ast.Module):
        for one in ast.walk(scope):
            if isinstance(one, ast.Assign) and node.id in map(ast.unparse, _names(one.targets)):
                yield from _texts(one.value, scope)


def _names(targets: list[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        yield from target.elts if isinstance(target, ast.Tuple) else [target]


def in_template(text: str) -> set[str]:
    """The texts that `tr` gets in a template of jinja."""
    return {ast.literal_eval(match) for match in TEMPLATE.findall(text)}


def of_families() -> set[str]:
    """What families are called and what they say of themselves."""
    return {text for entry in FAMILIES.values() for name in OF_FAMILIES if (text := getattr(entry, name))}


def messages() -> dict[str, set[str]]:
    """All messages by the part of a table in which they stand."""
    scripts = sorted(WEB.rglob("*.js"))
    lessons = {path for path in scripts if path.parent.name == "learn"}
    page = set().union(*(in_javascript(path.read_text("utf-8")) for path in scripts if path not in lessons))
    of_lessons = set().union(*(in_javascript(path.read_text("utf-8")) for path in lessons))
    python = of_families().union(
        *(in_python(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")),
        *(in_template(path.read_text("utf-8")) for path in PACKAGE.rglob("*.j2")),
    )
    return {"page": page, "lessons": of_lessons - page, "python": python}
