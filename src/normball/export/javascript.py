"""JavaScript: a file with one function, for browsers and Node."""

from __future__ import annotations

import json
from collections.abc import Sequence

from normball.export.code import CodePrinter, indented
from normball.export.printer import notes
from normball.export.tree import Case, DatePart, Expression, Input, Lookup, Program, Value, Words
from normball.inputs.text import MISSING_WORDS

DATES = "objects of Date, by their time in UTC, or text as 2021-12-31"
CELL = """
/** What a row has in a column; missing values are null, undefined or NaN. */
function cellOf(row, column) {
  if (!Object.prototype.hasOwnProperty.call(row, column)) throw new Error(`the row lacks ${JSON.stringify(column)}`);
  return row[column];
}"""
NUMBER = """
function numberOf(row, column) {
  const value = cellOf(row, column);
  if (value === null || value === undefined) return NaN;
  if (typeof value !== "number" && typeof value !== "boolean" && typeof value !== "bigint") {
    throw new TypeError(`${JSON.stringify(column)} is no number: ${String(value)}`);
  }
  return %s;
}"""
FILL = """
function filled(value, fill) {
  return Number.isNaN(value) ? fill : value;
}"""
LOOKUP = """
/** The number of a level; `otherwise` is null where others are refused. */
function levelOf(row, column, levels, missing, otherwise) {
  const value = cellOf(row, column);
  if (value === null || value === undefined || Number.isNaN(value)) return missing === null ? NaN : missing;
  const found = levels.get(String(value).trim()) ?? otherwise;
  if (found === null) throw new RangeError(`${JSON.stringify(column)} has the level ${value}, unseen in training`);
  return found;
}"""

DATE = r"""
/** A part of a date in UTC; days are counted from 1970-01-01, weekdays from Monday, 0. */
function dateOf(row, column, part) {
  let value = cellOf(row, column);
  let micros = 0;
  if (value === null || value === undefined) return NaN;
  if (typeof value === "string") {
    const fraction = /:\d\d(\.\d+)/.exec(value)?.[1] ?? ""; // a Date has no more than milliseconds
    micros = Math.round(1e6 * Number(`0${fraction}`));
    const text = value.trim().replace(" ", "T").replace(fraction, "");
    const isPlain = !text.includes("T") || /(Z|[+-]\d\d:?\d\d)$/.test(text);
    value = new Date(/^\d{4}-\d\d-\d\d(T|$)/.test(text) ? text + (isPlain ? "" : "Z") : NaN);
  }
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) {
    throw new TypeError(`${JSON.stringify(column)} is no date: ${String(row[column])}`);
  }
  if (part === "year") return value.getUTCFullYear();
  if (part === "month") return value.getUTCMonth() + 1;
  return part === "weekday" ? (value.getUTCDay() + 6) % 7 : (value.getTime() * 1000 + micros) / 86400e6;
}"""
WORDS = r"""
const GAPS = new Set({MISSING_WORDS});
/** How often words and pairs of neighbouring words occur, times their numbers. */
function wordsOf(row, column, numbers, missing) {
  const text = cellOf(row, column);
  const isGap = text === null || text === undefined || Number.isNaN(text) || GAPS.has(String(text).trim());
  if (isGap) return missing === null ? NaN : missing;
  const words = String(text).toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
  const pairs = words.slice(1).map((word, place) => `${words[place]} ${word}`);
  return [...words, ...pairs].reduce((sum, word) => sum + (numbers.get(word) ?? 0), 0);
}"""


class JavaScriptPrinter(CodePrinter):
    """Expressions of JavaScript."""

    end = ";"
    declare = "let "

    def string(self, value: str) -> str:
        """A string literal in ASCII."""
        return json.dumps(value)

    def missing(self, kind: str) -> str:
        """NaN, or null of texts."""
        return "null" if kind == "text" else "NaN"

    def value(self, source: Input, fill: float | None) -> str:
        """A call that checks the type."""
        if source.kind == "date":
            return self.date_part(DatePart(source, "days"))
        plain = f"numberOf(row, {self.string(source.name)})"
        return plain if fill is None else f"filled({plain}, {self.number(fill)})"

    def found(self, node: Lookup, table: str) -> str:
        """A call that looks it up."""
        missing, otherwise = (self.optional_number(one, "null") for one in (node.missing, node.otherwise))
        return f"levelOf(row, {self.string(node.input.name)}, {table}, {missing}, {otherwise})"

    def date_part(self, node: DatePart) -> str:
        """A call with the name of the part."""
        return f"dateOf(row, {self.string(node.input.name)}, {self.string(node.part)})"

    def words(self, node: Words) -> str:
        """A call with the table of the words."""
        missing = self.optional_number(node.missing, "null")
        return f"wordsOf(row, {self.string(node.input.name)}, {self.table(node)}, {missing})"

    def exp(self, of: str) -> str:
        """The exponential."""
        return f"Math.exp({of})"

    def log(self, of: str) -> str:
        """The natural logarithm."""
        return f"Math.log({of})"

    def extreme(self, which: str, of: Sequence[str]) -> str:
        """Math.max or Math.min."""
        return f"Math.{'max' if which == 'largest' else 'min'}({', '.join(of)})"

    def is_missing(self, of: Expression) -> str:
        """NaN."""
        return f"Number.isNaN({self.expression(Value(of.input) if isinstance(of, Value) else of)})"

    def case(self, node: Case) -> str:
        """A conditional expression."""
        return f"({self.condition(node.condition)} ? {self.expression(node.then)} : {self.expression(node.otherwise)})"


def write_javascript(program: Program) -> str:
    """The file as text."""
    printer = JavaScriptPrinter(program)
    body = printer.statements()
    results = {one.name: printer.expression(one.of) for one in program.outputs}
    if len(results) == 1:
        body.append(f"return {next(iter(results.values()))};")
    else:
        pairs = [f"  [{printer.string(name)}]: {value}," for name, value in results.items()]
        body += ["return {", *pairs, "};"]
    inf_is_missing = any(source.inf_is_missing for source in program.inputs)
    text = "\n".join(body)
    finite = "Number.isFinite(Number(value)) ? Number(value) : NaN" if inf_is_missing else "Number(value)"
    known = (
        (CELL, "Of(row"),
        (NUMBER % finite, "numberOf("),
        (FILL, "filled("),
        (LOOKUP, "levelOf("),
        (DATE, "dateOf("),
        (WORDS, "wordsOf("),
    )
    gaps = json.dumps(sorted(MISSING_WORDS))
    helpers = [one.replace("{MISSING_WORDS}", gaps) for one, name in known if name in text]
    lines = [f"// {line}".rstrip() for line in notes(program, "null or NaN", "throws a RangeError", DATES)]
    for place, table in enumerate(printer.tables):
        pairs = [f"  [{printer.string(text)}, {printer.number(value)}]," for text, value in printer.texts_of(table)]
        lines += ["", f"const TABLE_{place + 1} = new Map([", *pairs, "]);"]
    answer = "the prediction" if len(results) == 1 else "an object of predictions"
    head = ["", f"/** Take an object with a value for each column and give {answer}. */", "function predict(row) {"]
    export = 'if (typeof module !== "undefined") module.exports = { predict };'
    return "\n".join([*lines, *helpers, *head, *indented(body, "  "), "}", "", export, ""])
