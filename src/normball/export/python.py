"""Python: a module of its own with one function, which needs nothing but the standard library."""

from __future__ import annotations

from collections.abc import Sequence

from normball.export.code import CodePrinter, indented
from normball.export.printer import notes
from normball.export.tree import Case, Expression, Input, Lookup, Program, Value

NUMBER = '''
def _number(value):
    """A number; None and NaN are missing."""
    if value is None:
        return math.nan
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{{value!r}} is text, but must be a number")
    return {result}
'''
FILL = '''
def _filled(value, fill):
    """A number, or what stands for a missing one."""
    value = _number(value)
    return fill if value != value else value
'''
LOOKUP = '''
def _level(value, column, levels, missing, otherwise):
    """The number of a level; `otherwise` is None where others are refused."""
    if value is None or value != value:
        return math.nan if missing is None else missing
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    found = levels.get(str(value).strip(), otherwise)
    if found is None:
        raise ValueError(f"column {column!r} has the level {value!r}, unseen in training")
    return found
'''
EXP = '''
def _exp(value):
    """The exponential, infinite where it is too large for a float."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
'''


class PythonPrinter(CodePrinter):
    """Expressions of Python."""

    def string(self, value: str) -> str:
        """A string literal in ASCII."""
        return ascii(value)

    def missing(self, kind: str) -> str:
        """NaN, or None of texts."""
        return "None" if kind == "text" else "math.nan"

    def value(self, source: Input, fill: float | None) -> str:
        """A call that checks the type."""
        cell = self._cell(source)
        return f"_number({cell})" if fill is None else f"_filled({cell}, {self.number(fill)})"

    def _cell(self, source: Input) -> str:
        return f"row[{self.string(source.name)}]"

    def found(self, node: Lookup, table: str) -> str:
        """A call that looks it up."""
        missing, otherwise = (self.optional_number(one, "None") for one in (node.missing, node.otherwise))
        return f"_level({self._cell(node.input)}, {self.string(node.input.name)}, {table}, {missing}, {otherwise})"

    def exp(self, of: str) -> str:
        """A call that never raises."""
        return f"_exp({of})"

    def log(self, of: str) -> str:
        """The natural logarithm."""
        return f"math.log({of})"

    def extreme(self, which: str, of: Sequence[str]) -> str:
        """By max or min."""
        return f"{'max' if which == 'largest' else 'min'}({', '.join(of)})"

    def is_missing(self, of: Expression) -> str:
        """NaN."""
        return f"math.isnan({self.expression(Value(of.input) if isinstance(of, Value) else of)})"

    def case(self, node: Case) -> str:
        """A conditional expression."""
        return (
            f"({self.expression(node.then)} if {self.condition(node.condition)} else {self.expression(node.otherwise)})"
        )


def write_python(program: Program) -> str:
    """The module as text."""
    printer = PythonPrinter(program)
    body = printer.statements()
    results = {one.name: printer.expression(one.of) for one in program.outputs}
    if len(results) == 1:
        body.append(f"return {next(iter(results.values()))}")
    else:
        body += ["return {", *(f"    {printer.string(name)}: {value}," for name, value in results.items()), "}"]
    inf_is_missing = any(source.inf_is_missing for source in program.inputs)
    text = "\n".join(body)
    helpers = [
        NUMBER.format(result="float(value) if math.isfinite(value) else math.nan" if inf_is_missing else "float(value)")
    ]
    helpers += [one for one, name in ((FILL, "_filled("), (LOOKUP, "_level("), (EXP, "_exp(")) if name in text]
    lines = [
        *(f"# {line}".rstrip() for line in notes(program, "None or NaN", "raises a ValueError")),
        "import math",
        "",
    ]
    for place, table in enumerate(printer.tables):
        pairs = indented(
            [f"{printer.string(text)}: {printer.number(value)}," for text, value in printer.texts_of(table)]
        )
        lines += ["", f"LEVELS_{place + 1} = {{", *pairs, "}"]
    answer = "the prediction" if len(results) == 1 else "a dict of predictions"
    head = ["", "", "def predict(row):", f'    """Take a mapping of column names to values and give {answer}."""']
    return "\n".join([*lines, *"\n".join(helpers).rstrip("\n").split("\n"), *head, *indented(body), ""])
