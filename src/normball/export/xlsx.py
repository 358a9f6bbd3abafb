"""Workbooks (Office Open XML) with texts, numbers and formulas: what a model needs, and no more."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

MOST_COLUMNS = 16384
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_ESCAPED = re.compile("_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b\x0c\r\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Formula:
    """A formula without its equals sign."""

    text: str


Cell: TypeAlias = "str | float | Formula | None"


@dataclass
class Sheet:
    """A sheet by rows; headings are rows at its top that stay when one scrolls, in bold."""

    name: str
    rows: list[Sequence[Cell]] = field(default_factory=list)
    headings: int = 1
    width: float = 16.0

    def add(self, *cells: Cell) -> int:
        """A further row; its number, counted from 1."""
        self.rows.append(cells)
        return len(self.rows)


def letters(column: int) -> str:
    """A column, counted from 0, as A, B, … Z, AA."""
    column += 1
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """The file; a spreadsheet program calculates the formulas when it opens it."""
    parts = {
        "[Content_Types].xml": _types(len(sheets)),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _book(sheets),
        "xl/_rels/workbook.xml.rels": _relations(
            [("worksheet", f"worksheets/sheet{k + 1}.xml") for k in range(len(sheets))] + [("styles", "styles.xml")]
        ),
        "xl/styles.xml": _styles(),
        **{f"xl/worksheets/sheet{k + 1}.xml": _sheet(sheet) for k, sheet in enumerate(sheets)},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name)  # without the time: the same model is the same file
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _DECLARED + text)
    return file.getvalue()


def _types(n_sheets: int) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{k + 1}.xml" ContentType="{_CONTENT}.worksheet+xml"/>'
        for k in range(n_sheets)
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_CONTENT}.styles+xml"/>{sheets}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="rId{k + 1}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for k, (kind, target) in enumerate(targets)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _book(sheets: Sequence[Sheet]) -> str:
    each = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{k + 1}" r:id="rId{k + 1}"/>' for k, sheet in enumerate(sheets)
    )
    calculated = '<calcPr calcId="0" fullCalcOnLoad="1"/>'
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{each}</sheets>{calculated}</workbook>'


def _styles() -> str:
    """Plain and bold."""
    return (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1"/></cellXfs></styleSheet>'
    )


def _sheet(sheet: Sheet) -> str:
    n_columns = max(map(len, sheet.rows), default=1)
    below = sheet.headings + 1
    top = f'<pane ySplit="{sheet.headings}" topLeftCell="A{below}" activePane="bottomLeft" state="frozen"/>'
    view = f'<sheetViews><sheetView workbookViewId="0">{top if sheet.headings else ""}</sheetView></sheetViews>'
    columns = f'<cols><col min="1" max="{n_columns}" width="{sheet.width}" customWidth="1"/></cols>'
    rows = "".join(_row(place, row, place < sheet.headings) for place, row in enumerate(sheet.rows))
    return f'<worksheet xmlns="{_MAIN}">{view}{columns}<sheetData>{rows}</sheetData></worksheet>'


def _row(place: int, row: Sequence[Cell], bold: bool) -> str:
    cells = "".join(
        _cell(f"{letters(column)}{place + 1}", cell, bold) for column, cell in enumerate(row) if cell is not None
    )
    return f'<row r="{place + 1}">{cells}</row>'


def _cell(where: str, cell: Cell, bold: bool) -> str:
    style = ' s="1"' if bold else ""
    if isinstance(cell, Formula):
        return f'<c r="{where}"{style}><f>{escape(cell.text)}</f></c>'
    if isinstance(cell, str):
        return f'<c r="{where}"{style} t="inlineStr"><is><t xml:space="preserve">{xstring(cell)}</t></is></c>'
    return f'<c r="{where}"{style}><v>{cell!r}</v></c>'


def xstring(text: str) -> str:
    """A text of a cell: characters that XML cannot hold as _x001B_, and what looks like that so that it stays."""

    def code(found: re.Match[str]) -> str:
        return f"_x005F{found[0]}" if found[0][0] == "_" else f"_x{ord(found[0]):04X}_"

    return escape(_ESCAPED.sub(code, text))
