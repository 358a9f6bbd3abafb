"""Exported models put to work: each function scores rows by the file of one language and gives a dict of columns."""

import ctypes
import io
import json
import math
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl

import pmml_evaluator
import postgres
from normball.export.c import identifiers
from normball.export.xlsx import letters

Columns = dict[str, list[Any]]


class Failed(Exception):
    """What a program said in the place of an answer."""


def _plain(value: Any) -> Any:
    """NaN and null are the same here."""
    return None if isinstance(value, float) and math.isnan(value) else value


def by_sqlite(query: str, table: pl.DataFrame, names: Sequence[str]) -> Columns:
    base = sqlite3.connect(":memory:")
    quoted = ['"{}"'.format(name.replace('"', '""')) for name in table.columns]
    types = ["TEXT" if kind == pl.String else "REAL" for kind in table.dtypes]
    base.execute(f"CREATE TABLE data ({', '.join(map(' '.join, zip(quoted, types, strict=True)))})")
    base.executemany(f"INSERT INTO data VALUES ({', '.join('?' * len(quoted))})", table.rows())
    return _columns(base.execute(query).fetchall(), names)


def by_duckdb(query: str, table: pl.DataFrame, names: Sequence[str]) -> Columns:
    import duckdb

    base = duckdb.connect()
    base.register("data", table.to_arrow())
    return _columns(base.execute(query).fetchall(), names)


def by_postgres(query: str, table: pl.DataFrame, names: Sequence[str]) -> Columns:
    return _columns([[_read(cell) for cell in row] for row in postgres.rows_of(query, table)], names)


def _read(cell: str) -> Any:
    """A number where it is the text of one."""
    try:
        return None if cell == "" else float(cell)
    except ValueError:
        return cell


def _columns(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> Columns:
    """The last columns of a query's answer."""
    return {name: [_plain(row[place - len(names)]) for row in rows] for place, name in enumerate(names)}


def by_python(code: str, table: pl.DataFrame, names: Sequence[str]) -> Columns:
    space: dict[str, Any] = {}
    exec(compile(code, "model.py", "exec"), space)
    return _answers([space["predict"](row) for row in table.to_dicts()], names)


def _answers(found: Sequence[Any], names: Sequence[str]) -> Columns:
    if len(names) == 1:
        return {names[0]: [_plain(one) for one in found]}
    return {name: [_plain(one[name]) for one in found] for name in names}


NODE = """
const { predict } = require(process.argv[2]);
const rows = JSON.parse(require("fs").readFileSync(process.argv[3], "utf8"));
const plain = (key, value) => (typeof value === "number" && !Number.isFinite(value) ? `number ${value}` : value);
console.log(JSON.stringify(rows.map((row) => predict(row)), plain));
"""


def by_node(code: str, table: pl.DataFrame, names: Sequence[str], folder: Path) -> Columns:
    (folder / "model.js").write_text(code, encoding="utf-8")
    (folder / "run.js").write_text(NODE)
    (folder / "rows.json").write_text(json.dumps(table.to_dicts(), default=str))
    command = [shutil.which("node") or "", folder / "run.js", folder / "model.js", folder / "rows.json"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise Failed(ran.stderr)
    answer = ran.stdout
    numbers = {"number NaN": None, "number Infinity": math.inf, "number -Infinity": -math.inf}

    def read(value: Any) -> Any:
        return (
            {name: read(one) for name, one in value.items()} if isinstance(value, dict) else numbers.get(value, value)
        )

    return _answers([read(one) for one in json.loads(answer)], names)


def by_c(code: str, table: pl.DataFrame, names: Sequence[str], texts: set[str], folder: Path) -> Columns:
    """`table` has the columns of the model only, in its order; `texts` are the outputs that are none numbers."""
    source, library = folder / "model.c", folder / f"model{abs(hash(code))}.so"
    source.write_text(code, encoding="utf-8")
    strict = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"]
    subprocess.run(["gcc", *strict, "-shared", "-fPIC", "-o", library, source, "-lm"], check=True)

    def struct(columns: Sequence[str], are_texts: Sequence[bool]) -> type[ctypes.Structure]:
        types = [ctypes.c_char_p if text else ctypes.c_double for text in are_texts]
        return type("S", (ctypes.Structure,), {"_fields_": list(zip(identifiers(columns), types, strict=True))})

    row_type = struct(table.columns, [kind == pl.String for kind in table.dtypes])
    result_type = struct(names, [name in texts for name in names])
    predict = ctypes.CDLL(str(library)).predict
    found: Columns = {name: [] for name in names}
    for row in table.rows():
        cells = [one.encode() if isinstance(one, str) else one for one in row]
        numeric = [kind != pl.String for kind in table.dtypes]
        given = row_type(*(math.nan if one is None and bare else one for one, bare in zip(cells, numeric, strict=True)))
        result = result_type()
        predict(ctypes.byref(given), ctypes.byref(result))
        for name, member in zip(names, identifiers(names), strict=True):
            value = getattr(result, member)
            found[name].append(value.decode() if isinstance(value, bytes) else _plain(value))
    return found


def by_onnx(content: bytes, table: pl.DataFrame, names: Sequence[str]) -> Columns:
    """`table` has the columns of the model only."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    fed = {}
    for column in table:
        if column.dtype == pl.String:
            fed[column.name] = np.array([["" if one is None else one] for one in column], dtype=object)
        else:
            fed[column.name] = column.cast(pl.Float64).to_numpy().astype(float).reshape(-1, 1)
    found = session.run(list(names), fed)
    columns = zip(names, [one[:, 0].tolist() for one in found], strict=True)
    return {name: [None if one == "" else _plain(one) for one in column] for name, column in columns}


def by_pmml(document: str, table: pl.DataFrame, names: Sequence[str]) -> Columns:
    found: Columns = {name: [] for name in names}
    for row in table.to_dicts():
        try:
            answer = pmml_evaluator.evaluate(document, row)
        except pmml_evaluator.Invalid:
            answer = {}
        for name in names:
            found[name].append(_plain(answer.get(name)))
    return found


MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TABLE, OFFICE, TEXT = (f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("table", "office", "text"))


def by_calc(content: bytes, table: pl.DataFrame, names: Sequence[str], folder: Path) -> Columns:
    """`table` has the columns of the model only, in its order; LibreOffice calculates the formulas beside them."""
    place = folder / "model.xlsx"
    _fill_in(content, table, place)
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [shutil.which("soffice") or "", profile, "--headless", "--convert-to", "fods", "--outdir", folder, place]
    subprocess.run(command, check=True, capture_output=True)
    tree = ElementTree.parse(folder / "model.fods")
    rows = next(tree.getroot().iter(f"{TABLE}table")).findall(f"{TABLE}table-row")
    found: Columns = {name: [] for name in names}
    for row in rows[1 : len(table) + 1]:
        cells = [one for cell in row for one in [cell] * int(cell.get(f"{TABLE}number-columns-repeated", 1))]
        for name, cell in zip(names, cells[table.width :], strict=False):
            shown = "\n".join("".join(part.itertext()) for part in cell.iter(f"{TEXT}p"))
            is_number = cell.get(f"{OFFICE}value-type") == "float" and not shown.startswith(("#", "Err:"))
            found[name].append(float(cell.get(f"{OFFICE}value")) if is_number else None if shown == "#N/A" else shown)
    return found


def _fill_in(content: bytes, table: pl.DataFrame, place: Path) -> None:
    """Put rows before the formulas of the first sheet."""
    ElementTree.register_namespace("", MAIN[1:-1])
    with zipfile.ZipFile(io.BytesIO(content)) as read, zipfile.ZipFile(place, "w") as written:
        for name in read.namelist():
            part = read.read(name)
            if name.endswith("sheet1.xml"):
                root = ElementTree.fromstring(part)
                rows = root.find(f"{MAIN}sheetData")
                for values, row in zip(table.rows(), list(rows)[1:], strict=False):
                    for column, value in reversed(list(enumerate(values))):
                        if value is not None:
                            row.insert(0, _cell(f"{letters(column)}{row.get('r')}", value))
                part = ElementTree.tostring(root)
            written.writestr(name, part)


def _cell(where: str, value: Any) -> ElementTree.Element:
    cell = ElementTree.Element(f"{MAIN}c", r=where)
    if isinstance(value, str):
        cell.set("t", "inlineStr")
        text = ElementTree.SubElement(ElementTree.SubElement(cell, f"{MAIN}is"), f"{MAIN}t")
        text.text = value
    else:
        ElementTree.SubElement(cell, f"{MAIN}v").text = repr(float(value))
    return cell
