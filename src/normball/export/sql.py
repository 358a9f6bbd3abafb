"""SQL: one SELECT over the table, for SQLite, DuckDB, PostgreSQL and BigQuery."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from normball.export.printer import Printer, notes, number, quoted
from normball.export.tree import Case, DatePart, Expression, Input, Lookup, Program, Step, Sum, Value

BREAK = "\n     "
ZONES = "dates, timestamps without a time zone, in UTC (column AT TIME ZONE 'UTC' first), or text as 2021-12-31"
DATES = dict.fromkeys(("postgres", "duckdb"), ZONES) | {"bigquery": "dates, timestamps, or text as 2021-12-31"}
DATES["sqlite"] = "text as 2021-12-31, with a time as 2021-12-31 23:59:59"
A_DAY = "86400e6"  # microseconds: days are one quotient of whole numbers, so rounded once
DEEPEST = 100  # terms in one pair of brackets: SQLite and DuckDB stop at a depth of 1000


@dataclass(frozen=True)
class Dialect:
    """What differs."""

    name: str
    double: str
    text_type: str
    tells_case: bool = False  # of quoted names
    most_bytes: int | None = None  # of a name
    forbidden: str = "\0"  # characters that no name can have
    allows_empty: bool = False
    backslashes: bool = False  # in names and texts
    guards_exp: bool = False  # whose exponential raises where it is not a normal number
    nan_differs: bool = False  # from itself


DIALECTS = {
    "sqlite": Dialect("sqlite", "REAL", "TEXT", allows_empty=True),
    "duckdb": Dialect("duckdb", "DOUBLE", "VARCHAR"),
    "postgres": Dialect("postgres", "DOUBLE PRECISION", "TEXT", tells_case=True, most_bytes=63, guards_exp=True),
    "bigquery": Dialect(
        "bigquery",
        "FLOAT64",
        "STRING",
        most_bytes=300,
        forbidden='\0!"$()*,./;?@[\\]^`{}~\n\r\t',
        backslashes=True,
        guards_exp=True,
        nan_differs=True,
    ),
}


class SqlPrinter(Printer):
    """Expressions of one dialect; the table is called `data` inside."""

    together = DEEPEST
    signs: ClassVar[dict[str, str]] = {"==": "="}

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def number(self, value: float) -> str:
        """With an exponent, which makes it double precision everywhere, rather than decimal."""
        written = number(value)
        return written if "e" in written else f"{written}e0"

    def name(self, name: str) -> str:
        """A quoted name of a column or table."""
        if self.dialect.backslashes:
            return f"`{_escaped(name)}`"
        return '"{}"'.format(name.replace('"', '""'))

    def text(self, value: str) -> str:
        """A string."""
        if self.dialect.backslashes:
            return f"'{_escaped(value)}'"
        return "'{}'".format(value.replace("'", "''"))

    def missing(self, kind: str) -> str:
        """NULL."""
        return "NULL"

    def value(self, source: Input, fill: float | None) -> str:
        """NULL or NaN where it is missing; in SQLite also where it is text, which it would take for 0."""
        if source.kind == "date":
            return self.date_part(DatePart(source, "days"))
        column = self._column(source)
        if self.dialect.name == "sqlite":
            finite = f" AND abs({column}) < 9e999" if source.inf_is_missing else ""
            known = f"WHEN typeof({column}) IN ('integer', 'real'){finite} THEN CAST({column} AS REAL)"
            filled = "" if fill is None else f"WHEN {self._without(source)} THEN {self.number(fill)} "
            return f"CASE {filled}{known} END"
        if fill is not None:
            return f"COALESCE({self._or_null(source)}, {self.number(fill)})"
        return self._or_null(source) if source.inf_is_missing else self._cast(source)

    def _cast(self, source: Input) -> str:
        return f"CAST({self._column(source)} AS {self.dialect.double})"

    def _or_null(self, source: Input) -> str:
        """A number, NULL in the place of NaN and perhaps of infinite ones."""
        cast = self._cast(source)
        for word in ("NaN", "Infinity", "-Infinity") if source.inf_is_missing else ("NaN",):
            cast = f"NULLIF({cast}, {self._special(word)})" if not self.dialect.nan_differs else cast
        if self.dialect.nan_differs:
            odd = f"IS_NAN({cast}) OR IS_INF({cast})" if source.inf_is_missing else f"IS_NAN({cast})"
            return f"IF({odd}, NULL, {cast})"
        return cast

    def _special(self, word: str) -> str:
        return f"CAST('{word}' AS {self.dialect.double})"

    def _without(self, source: Input) -> str:
        """The condition, of SQLite, that a number is missing."""
        column = self._column(source)
        return f"({column} IS NULL OR abs({column}) >= 9e999)" if source.inf_is_missing else f"{column} IS NULL"

    def _column(self, source: Input) -> str:
        return f"data.{self.name(source.name)}"

    def lookup(self, node: Lookup) -> str:
        """CASE over the levels."""
        column = f"CAST({self._column(node.input)} AS {self.dialect.text_type})"
        parts = []
        if node.missing != node.otherwise:
            missing = "NULL" if node.missing is None else self.number(node.missing)
            parts.append(f"WHEN {self._column(node.input)} IS NULL THEN {missing}")
        for texts, value in node.entries:
            listed = ", ".join(map(self.text, texts))
            parts.append(f"WHEN {column} IN ({listed}) THEN {self.number(value)}")
        if node.otherwise is not None:
            parts.append(f"ELSE {self.number(node.otherwise)}")
        return f"CASE {' '.join(parts)} END" if node.entries else self.number(node.otherwise or 0.0)

    def date_part(self, node: DatePart) -> str:
        """By the functions of the dialect."""
        column, part = self._column(node.input), node.part
        if self.dialect.name == "sqlite":
            # the decimals of seconds by themselves: strftime rounds them, as it likes up to the next day
            fraction = f"CAST('0' || substr({column}, 20) AS REAL)"
            moment = f"substr({column}, 1, 19) || ltrim(substr({column}, 20), '.0123456789')"
            if part == "days":
                micros = f"CAST(round(1e6 * {fraction}) AS INTEGER)"
                return f"((strftime('%s', {moment}) * 1000000 + {micros}) / {A_DAY})"
            sign = {"year": "%Y", "month": "%m", "weekday": "%w"}[part]
            if part == "weekday":
                return f"(CAST(strftime('{sign}', {moment}) + 6 AS INTEGER) % 7)"
            return f"CAST(strftime('{sign}', {moment}) AS REAL)"
        if self.dialect.name == "bigquery":
            moment = f"CAST({column} AS DATETIME)"
            others = {
                "weekday": f"MOD(EXTRACT(DAYOFWEEK FROM {moment}) + 5, 7)",
                "days": f"(UNIX_MICROS(TIMESTAMP({moment})) / {A_DAY})",
            }
        else:
            moment = f"CAST({column} AS TIMESTAMP)"
            micros = (
                f"epoch_us({moment})" if self.dialect.name == "duckdb" else f"EXTRACT(EPOCH FROM {moment}) * 1000000"
            )
            others = {
                "weekday": f"(EXTRACT(ISODOW FROM {moment}) - 1)",
                "days": f"(CAST({micros} AS {self.dialect.double}) / {A_DAY})",
            }
        return f"CAST({others.get(part, f'EXTRACT({part.upper()} FROM {moment})')} AS {self.dialect.double})"

    def exp(self, of: str) -> str:
        """The exponential; 0 and infinite where that of the dialect would raise."""
        if not self.dialect.guards_exp:
            return f"EXP({of})"
        infinite = self._special("Infinity")
        return f"CASE WHEN {of} < -745.13 THEN 0e0 WHEN {of} <= 709.78 THEN EXP({of}) ELSE {of} + {infinite} END"

    def log(self, of: str) -> str:
        """The natural logarithm."""
        return f"LN({of})"

    def extreme(self, which: str, of: Sequence[str]) -> str:
        """By the function of several values."""
        if self.dialect.name == "sqlite":
            return f"{'MAX' if which == 'largest' else 'MIN'}({', '.join(of)})"
        return f"{'GREATEST' if which == 'largest' else 'LEAST'}({', '.join(of)})"

    def step(self, name: str) -> str:
        """A column of the query inside."""
        return f"data.{self.name(step_column(name))}"

    def is_missing(self, of: Expression) -> str:
        """NULL or NaN."""
        if isinstance(of, Value) and of.input.kind == "date":
            return f"{self._column(of.input)} IS NULL"
        if isinstance(of, Value):
            return self._without(of.input) if self.dialect.name == "sqlite" else f"{self._or_null(of.input)} IS NULL"
        printed = self.expression(of)
        if self.dialect.name == "sqlite":
            return f"{printed} IS NULL"
        return f"{printed} IS NULL OR " + (
            f"IS_NAN({printed})" if self.dialect.nan_differs else f"{printed} = {self._special('NaN')}"
        )

    def case(self, node: Case) -> str:
        """CASE; of several in a row one."""
        branches = []
        found: Expression = node
        while isinstance(found, Case):
            branches.append(f"WHEN {self.condition(found.condition)} THEN {self.expression(found.then)}")
            found = found.otherwise
        return f"CASE {' '.join(branches)} ELSE {self.expression(found)} END"


def step_column(name: str) -> str:
    """What a step is called as a column: no table has that."""
    return f"normball {name.replace('_', ' ')}"


def _escaped(text: str) -> str:
    """With backslashes before what would end a text of BigQuery, and for what cannot stand in one."""
    named = {"\\": "\\\\", "'": "\\'", '"': '\\"', "`": "\\`", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(named.get(one) or (one if one == " " or one.isprintable() else _code(one)) for one in text)


def _code(character: str) -> str:
    return f"\\U{ord(character):08x}"


def write_sql(program: Program, dialect: str, table: str, keep: Sequence[str]) -> str:
    """The query as text; every step whose result is used more than once is a query inside."""
    printer = SqlPrinter(DIALECTS[dialect])
    _check_names(printer.dialect, [*(source.name for source in program.inputs), *keep])
    _check_texts(program)
    lines = [f"-- {line}".rstrip() for line in notes(program, "NULL", "gives NULL", DATES[dialect])]
    lines.append(f"-- The dialect is that of {dialect}; put the name of your table in the place of {quoted(table)}.")
    inner = f"{_table(printer, table)} AS data"
    for names in _layers(program):
        added = [f"{_over_lines(printer, node)} AS {printer.name(step_column(name))}" for name, node in names.items()]
        columns = ",\n".join(f"    {one}" for one in ("data.*", *added))
        inner = f"(\n  SELECT\n{columns}\n  FROM {inner}\n) AS data"
    outputs = [f"{printer.expression(one.of)} AS {printer.name(one.name)}" for one in program.outputs]
    kept = [f"data.{printer.name(name)}" for name in keep] or ["data.*"]
    columns = ",\n".join(f"  {one}" for one in (*kept, *outputs))
    return "\n".join([*lines, "SELECT", columns, f"FROM {inner};", ""])


def _layers(program: Program) -> list[dict[str, Expression]]:
    """Steps that can stand in one query, the innermost first."""
    layers: list[dict[str, Expression]] = []
    depth: dict[str, int] = {}
    for name, node in (*program.before.items(), *program.links.items(), *program.steps.items()):
        depth[name] = max((1 + depth[one] for one in steps_in(node)), default=0)
        while len(layers) <= depth[name]:
            layers.append({})
        layers[depth[name]][name] = node
    return layers


def steps_in(node: object) -> set[str]:
    """The steps that an expression uses."""
    if isinstance(node, Step):
        return {node.name}
    parts = (
        node if isinstance(node, tuple) else [getattr(node, one) for one in getattr(node, "__dataclass_fields__", ())]
    )
    return set[str]().union(*map(steps_in, parts))


def _over_lines(printer: SqlPrinter, node: Expression) -> str:
    """An expression with the terms of a sum in lines of their own."""
    if not isinstance(node, Sum):
        return printer.expression(node)
    lines = [printer.expression(node.terms[0]), *(printer.added(printer.expression(one)) for one in node.terms[1:])]
    size = max(DEEPEST, math.isqrt(len(lines)))
    if len(lines) > size:
        parts = [lines[start : start + size] for start in range(0, len(lines), size)]
        lines = [f"({BREAK.join(part).removeprefix(' + ')})" for part in parts]
        lines = [lines[0], *(f" + {one}" for one in lines[1:])]
    return BREAK.join(lines)


def _table(printer: SqlPrinter, table: str) -> str:
    """Its name, with that of its schema."""
    return ".".join(printer.name(part) for part in table.split("."))


def _check_names(dialect: Dialect, names: Sequence[str]) -> None:
    """Raise where the dialect cannot have these columns side by side."""
    met: dict[str, str] = {}
    for name in dict.fromkeys(names):
        wrong = next((one for one in name if one in dialect.forbidden), None)
        if wrong is not None or (not name and not dialect.allows_empty):
            what = "an empty name" if not name else f"the character {quoted(wrong or '')}"
            raise ValueError(
                f"column {quoted(name)} has {what}, which {dialect.name} does not allow in a name: rename it"
            )
        seen = name if dialect.tells_case else name.casefold()
        if dialect.most_bytes:
            seen = seen.encode()[: dialect.most_bytes].decode(errors="ignore")
        if seen in met:
            both = f"{quoted(met[seen])} and {quoted(name)}"
            raise ValueError(f"{dialect.name} takes the names {both} for one: rename one of the columns")
        met[seen] = name


def _check_texts(program: Program) -> None:
    """Raise where a level holds what no text of SQL can."""
    for source in program.inputs:
        if any("\0" in level for level in source.levels):
            raise ValueError(
                f'a level of column {quoted(source.name)} holds the character "\\u0000", which SQL does not allow'
            )
