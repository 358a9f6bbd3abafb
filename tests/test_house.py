"""The house: which way its modules import, and how large its rooms, files and functions are.

docs/architecture.md draws it.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import normball
from normball.settings import CV_OPTIONS, GROUP_OPTIONS, FitOptions

SOURCE = Path(normball.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
ABOVE = ("report", "cli", "estimators", "drop_in")
MOST_LINES = {"file": 400, "function": 60}


def name_of(file: Path) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in FILES}


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of the code that can run, functions' insides too: all but imports for types."""
    for child in ast.iter_child_nodes(tree):
        for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        for node in child.orelse if for_types else [child]:
            yield node
            yield from running(node)


def imports(tree: ast.AST) -> set[str]:
    """The modules of the package that are imported; a package counts where a name of its own is.

    `import_module(f"normball.cli.{command}")` counts as an import of all that it may mean.
    """
    found = set()
    for node in running(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES or full == "normball._native" else str(node.module))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
            parts = getattr(node.args[0], "values", node.args)
            meant = "".join(re.escape(part.value) if isinstance(part, ast.Constant) else ".+" for part in parts)
            found.update(name for name in MODULES if re.fullmatch(meant, name) and not name.endswith("__main__"))
    return found & MODULES.keys()


GRAPH = {name: imports(ast.parse(file.read_text())) for name, file in MODULES.items()}


def test_imports_are_found_wherever_they_stand() -> None:
    code = """
import normball.cv
if TYPE_CHECKING:
    from normball.ball import fit_ball
else:
    from normball import charts
def lazily():
    if True:
        from normball.path import fit_path
    from normball import _native
def by_name(name):
    import_module(f"normball.charts.{name}")
    import_module(f"normball.cli.{name}").run()
"""
    commands = {name for name in MODULES if name.startswith("normball.cli.") and not name.endswith("__main__")}
    assert imports(ast.parse(code)) == {"normball.cv", "normball.charts", "normball.path"} | commands


def room_of(name: str) -> str:
    """A folder of the package, or a module beside the folders."""
    return ".".join(name.split(".")[:2])


def test_no_circle_among_modules() -> None:
    check_order(GRAPH)


def test_no_circle_among_rooms() -> None:
    rooms: dict[str, set[str]] = {}
    for name, found in GRAPH.items():
        rooms.setdefault(room_of(name), set()).update(map(room_of, found))
    check_order({room: found - {room} for room, found in rooms.items()})


def check_order(graph: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"these import one another: {' <- '.join(circle.args[1])}")


@pytest.mark.parametrize("room", ["results", "inputs", "findings"])
def test_no_arrow_upwards(room: str) -> None:
    above = tuple(f"normball.{name}" for name in ABOVE)
    assert {
        (name, one)
        for name, found in GRAPH.items()
        if name.startswith(f"normball.{room}")
        for one in found
        if one.startswith(above)
    } == set()


def test_report_solves_nothing() -> None:
    """What has to be solved for stands in `evidence`."""
    solvers = {"normball.path", "normball.batch", "normball.cv", "normball.ball"}
    assert {name for name, found in GRAPH.items() if name.startswith("normball.report") and found & solvers} == set()


def test_no_room_holds_more_than_a_third() -> None:
    lines: dict[str, int] = {}
    for file in FILES:
        place = file.relative_to(SOURCE).parts
        room = place[0] if len(place) > 1 else "the top"
        lines[room] = lines.get(room, 0) + len(file.read_text().splitlines())
    assert max(lines.values()) <= sum(lines.values()) / 3, lines


def test_no_long_file() -> None:
    sizes = {name: len(file.read_text().splitlines()) for name, file in MODULES.items()}
    assert {name: size for name, size in sizes.items() if size > MOST_LINES["file"]} == {}


def test_no_long_function() -> None:
    sizes = {
        f"{name}.{one.name}": one.end_lineno - one.lineno + 1 - documentation(one)
        for name, file in MODULES.items()
        for one in ast.walk(ast.parse(file.read_text()))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.end_lineno is not None
    }
    assert {name: size for name, size in sizes.items() if size > MOST_LINES["function"]} == {}


def documentation(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the docstring: every parameter of a public function has its paragraph there."""
    first = function.body[0]
    if ast.get_docstring(function) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1


def test_options_of_cross_validation_are_listed_in_full() -> None:
    own = set(inspect.signature(normball.cv_path, follow_wrapped=False).parameters) - {"X", "y"}
    assert own == {*CV_OPTIONS, *FitOptions.__annotations__}
    assert set(CV_OPTIONS).isdisjoint(FitOptions.__annotations__)


@pytest.mark.parametrize("name", ["cv_path", "compare", "fit_paths", "fit_ball"])
def test_help_shows_every_option(name: str) -> None:
    function, of_path = getattr(normball, name), inspect.signature(normball.fit_path).parameters
    shown = inspect.signature(function).parameters
    assert not any(one.kind is one.VAR_KEYWORD for one in shown.values())
    for option in {*shown}.intersection(of_path) - {"X", "y", "sample_weight"}:
        assert shown[option].default == of_path[option].default
    with pytest.raises(TypeError, match="has no argument"):
        function([[0.0], [1.0]], [0.0, 1.0], **({"radius": 1.0} if name == "fit_ball" else {}), nonsense=1)
    rejected = {"fit_ball": {*GROUP_OPTIONS, "l1_ratio", "lambdas", "n_lambdas", "lambda_min_ratio"}}
    rejected["compare"] = {"l1_ratio"}
    assert {*FitOptions.__annotations__} - {*shown} == rejected.get(name, set())
