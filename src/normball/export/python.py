"""Python: a module of its own with one function, which needs nothing but the standard library."""

from __future__ import annotations

from collections.abc import Sequence

from normball.export.code import CodePrinter, indented
from normball.export.printer import notes
from normball.export.tree import Case, DatePart, Expression, Input, Lookup, Program, Value, Words
from normball.inputs.text import MISSING_WORDS

DATES = "datetime.date or datetime, or text as 2021-12-31"
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
DAYS = '''
def _moment(value):
    """A date as a datetime without a zone, None where it is missing."""
    if value is None or value != value:
        return None
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.strip())
    elif not isinstance(value, datetime.date):
        raise TypeError(f"{value!r} is no date")
    if not isinstance(value, datetime.datetime):
        return datetime.datetime(value.year, value.month, value.day)
    return value.astimezone(datetime.timezone.utc).replace(tzinfo=None) if value.tzinfo else value


def _date(value, part):
    """A part of a date; days are counted from 1970-01-01, weekdays from Monday, 0."""
    moment = _moment(value)
    if moment is None:
        return math.nan
    if part == "days":
        return (moment - datetime.datetime(1970, 1, 1)) / datetime.timedelta(1)
    return float(moment.weekday() if part == "weekday" else getattr(moment, part))
'''
WORDS = r'''
GAPS = {MISSING_WORDS}


def _words(text, numbers, missing):
    """How often words and pairs of neighbouring words occur, times their numbers."""
    if text is None or text != text or str(text).strip() in GAPS:
        return math.nan if missing is None else missing
    words = re.findall(r"\b\w\w+\b", str(text).lower())
    pairs = [" ".join(pair) for pair in zip(words, words[1:])]
    return math.fsum(numbers.get(word, 0.0) for word in words + pairs)
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
        if source.kind == "date":
            return self.date_part(DatePart(source, "days"))
        cell = self._cell(source)
        return f"_number({cell})" if fill is None else f"_filled({cell}, {self.number(fill)})"

    def _cell(self, source: Input) -> str:
        return f"row[{self.string(source.name)}]"

    def found(self, node: Lookup, table: str) -> str:
        """A call that looks it up."""
        missing, otherwise = (self.optional_number(one, "None") for one in (node.missing, node.otherwise))
        return f"_level({self._cell(node.input)}, {self.string(node.input.name)}, {table}, {missing}, {otherwise})"

    def date_part(self, node: DatePart) -> str:
        """A call with the name of the part."""
        return f"_date({self._cell(node.input)}, {self.string(node.part)})"

    def words(self, node: Words) -> str:
        """A call with the table of the words."""
        return f"_words({self._cell(node.input)}, {self.table(node)}, {self.optional_number(node.missing, 'None')})"

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
    known = ((FILL, "_filled("), (LOOKUP, "_level("), (DAYS, "_date("), (WORDS, "_words("), (EXP, "_exp("))
    gaps = "{" + ", ".join(map(ascii, sorted(MISSING_WORDS))) + "}"
    helpers += [one.replace("{MISSING_WORDS}", gaps) for one, name in known if name in text]
    needed = (("datetime", "_date("), ("math", ""), ("re", "_words("))
    imports = [f"import {name}" for name, call in needed if call in text]
    lines = [
        *(f"# {line}".rstrip() for line in notes(program, "None or NaN", "raises a ValueError", DATES)),
        *imports,
        "",
    ]
    for place, table in enumerate(printer.tables):
        pairs = indented(
            [f"{printer.string(text)}: {printer.number(value)}," for text, value in printer.texts_of(table)]
        )
        lines += ["", f"TABLE_{place + 1} = {{", *pairs, "}"]
    answer = "the prediction" if len(results) == 1 else "a dict of predictions"
    head = ["", "", "def predict(row):", f'    """Take a mapping of column names to values and give {answer}."""']
    return "\n".join([*lines, *"\n".join(helpers).rstrip("\n").split("\n"), *head, *indented(body), ""])
