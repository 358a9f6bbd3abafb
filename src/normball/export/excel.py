"""A workbook that predicts the rows put into it: every number in a cell, every term of the model in a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from normball.export.printer import Printer, notes, number
from normball.export.program import inputs_in
from normball.export.tree import (
    Case,
    DatePart,
    Expression,
    Input,
    IsMissing,
    Lookup,
    Number,
    Product,
    Program,
    Sum,
    Value,
)
from normball.export.xlsx import MOST_COLUMNS, Formula, Sheet, letters, workbook

MOST_ROWS, MOST_CELLS = 1000, 200_000
TABLE, TERMS, MODEL, NOTES = "Predict", "Terms", "Model", "Notes"
LARGEST = "9.99E+307"  # there is no infinite number
_DIGITS = 15  # of a number in a formula; cells hold all


class ExcelPrinter(Printer):
    """Formulas of one row; numbers with many digits, levels and labels are cells of the sheet with the model."""

    signs: ClassVar[dict[str, str]] = {"==": "="}

    def __init__(self, program: Program) -> None:
        self.model = Sheet(MODEL, width=24.0)
        self.model.add("column", "term or level", "number")
        self.columns = {source: letters(place) for place, source in enumerate(program.inputs)}
        self.steps: dict[str, str] = {}
        self._cells: dict[tuple[object, ...], str] = {}
        self.row = "{row}"  # filled in row by row

    def cell(self, source: Input) -> str:
        """The cell of an input."""
        return f"{TABLE}!${self.columns[source]}{self.row}"

    def kept(self, value: float | str, column: str, what: str) -> str:
        """A cell of the sheet with the model that holds a number or a text."""
        key = (value, column, what)
        if key not in self._cells:
            self._cells[key] = f"{MODEL}!$C${self.model.add(column, what, value)}"
        return self._cells[key]

    def number(self, value: float) -> str:
        """In the formula where that does not cost a digit."""
        if float(f"{value:.{_DIGITS}g}") == value and abs(value) < 1e15:
            return f"{value:.{_DIGITS}g}".upper()
        return self.kept(float(number(value)), "", "constant")

    def text(self, value: str) -> str:
        """A cell with the text."""
        return self.kept(value, "", "class")

    def missing(self, kind: str) -> str:
        """Not available."""
        return "NA()"

    def value(self, source: Input, fill: float | None) -> str:
        """A number, or what stands for one that is missing; other texts are not available."""
        if source.kind == "date":
            return self.date_part(DatePart(source, "days"))
        cell = self.cell(source)
        plain = f"IF(ISNUMBER({cell}),{cell},NA())"
        return plain if fill is None else f'IF({cell}="",{self.kept(fill, source.name, "if missing")},{plain})'

    def lookup(self, node: Lookup) -> str:
        """Which of the texts it is, letter by letter, times their numbers."""
        cell, pairs = self.cell(node.input), [(text, value) for texts, value in node.entries for text in texts]
        otherwise = "NA()" if node.otherwise is None else self.number(node.otherwise)
        if not pairs:
            return otherwise
        first = last = 0
        for text, value in pairs:
            last = self.model.add(node.input.name, text, value)
            first = first or last
        same = f'EXACT({MODEL}!$B${first}:$B${last},{cell}&"")'
        found = f"SUMPRODUCT({same}*{MODEL}!$C${first}:$C${last})"
        known = found if node.otherwise == 0.0 else f"IF(SUMPRODUCT({same}*1)>0,{found},{otherwise})"
        missing = "NA()" if node.missing is None else self.number(node.missing)
        return known if missing == otherwise else f'IF({cell}="",{missing},{known})'

    def date_part(self, node: DatePart) -> str:
        """By the functions of dates; spreadsheets count days from 1899-12-30."""
        cell = self.cell(node.input)
        parts = {"year": f"YEAR({cell})", "month": f"MONTH({cell})", "weekday": f"WEEKDAY({cell},2)-1"}
        return f"IF(ISNUMBER({cell}),{parts.get(node.part, f'{cell}-25569')},NA())"

    def exp(self, of: str) -> str:
        """The exponential, at most the largest number that there is."""
        return f"IF({of}>709.7,{LARGEST},EXP({of}))"

    def log(self, of: str) -> str:
        """The natural logarithm."""
        return f"LN({of})"

    def extreme(self, which: str, of: Sequence[str]) -> str:
        """By MAX or MIN."""
        return f"{'MAX' if which == 'largest' else 'MIN'}({','.join(of)})"

    def step(self, name: str) -> str:
        """The cell of a step."""
        return f"{TERMS}!${self.steps[name]}{self.row}"

    def is_missing(self, of: Expression) -> str:
        """An empty cell, or a result that is not available."""
        return f'{self.cell(of.input)}=""' if isinstance(of, Value) else f"ISNA({self.expression(of)})"

    def case(self, node: Case) -> str:
        """By IF."""
        return f"IF({self.condition(node.condition)},{self.expression(node.then)},{self.expression(node.otherwise)})"

    def term(self, node: Expression) -> tuple[str, str]:
        """The heading of a term of a linear predictor, and its formula."""
        match node:
            case Number(value):
                return "intercept", self.kept(value, "", "intercept")
            case Product((Number(coef), Value(source) as feature)):
                return source.name, f"{self.kept(coef, source.name, 'coefficient')}*{self.expression(feature)}"
            case Product((Number(coef), Case(IsMissing(Value(source)), Number(), Number()) as feature)):
                called = f"{source.name} is missing"
                return called, f"{self.kept(coef, source.name, 'is missing')}*{self.expression(feature)}"
            case Product((Number(coef), feature)):
                return "term", f"{self.kept(coef, '', 'coefficient')}*{self.expression(feature)}"
            case Lookup(source):
                return source.name, self.expression(node)
        return " and ".join(dict.fromkeys(one.name for one in inputs_in(node))), self.expression(node)


def write_excel(program: Program) -> bytes:
    """The file."""
    printer = ExcelPrinter(program)
    headings: list[str] = []
    formulas: list[str] = []

    def add(heading: str, formula: str) -> str:
        headings.append(heading)
        formulas.append(formula)
        return letters(len(formulas) - 1)

    for name, node in program.before.items():
        printer.steps[name] = add(name.replace("_", " "), printer.expression(node))
    for name, link in program.links.items():
        columns = [add(*printer.term(term)) for term in link.terms]
        printer.steps[name] = add(name, f"SUM({columns[0]}{printer.row}:{columns[-1]}{printer.row})")
    for name, node in program.steps.items():
        bare = printer.sum(list(map(printer.expression, node.terms))) if isinstance(node, Sum) else None
        printer.steps[name] = add(name, bare or printer.expression(node))
    outputs = [printer.expression(one.of) for one in program.outputs]
    if len(formulas) > MOST_COLUMNS or len(program.inputs) + len(outputs) > MOST_COLUMNS:
        raise ValueError(f"the model has {len(formulas):,} terms, but a sheet has {MOST_COLUMNS:,} columns")
    n_rows = max(10, min(MOST_ROWS, MOST_CELLS // len(formulas)))
    table, terms, note = Sheet(TABLE), Sheet(TERMS), Sheet(NOTES, headings=0, width=100.0)
    table.add(*(source.name for source in program.inputs), *(one.name for one in program.outputs))
    terms.add(*headings)
    ends = f"{TABLE}!$A{{row}}:${letters(len(program.inputs) - 1)}{{row}}"
    empty = [None] * len(program.inputs)
    for row in range(2, n_rows + 2):
        asked = f"COUNTA({_at(ends, row)})=0" if program.inputs else "FALSE"
        table.add(*empty, *(Formula(f'IF({asked},"",{_at(one, row)})') for one in outputs))
        terms.add(*(Formula(_at(one, row)) for one in formulas))
    for line in notes(program, "empty cells", "gives #N/A", "dates as the spreadsheet has them"):
        note.add(line)
    note.add("")
    note.add(f"Put the rows into the sheet {TABLE}.")
    note.add(f"Formulas stand in {n_rows:,} rows: for more, copy those of {TABLE} and {TERMS} down.")
    return workbook([table, terms, printer.model, note])


def _at(formula: str, row: int) -> str:
    return formula.replace("{row}", str(row))
