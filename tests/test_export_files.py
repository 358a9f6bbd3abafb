"""Files of exported models, workbooks among them, and what cannot be exported."""

import io
import shutil
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import exported
import normball
from exported_models import (
    check,
    expected,
    fitted,
    names_of,
    new_rows,
    strange,
    table,
    used_columns,
)
from normball.export import excel


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({}, "no file is named: give to= one of sql, python"),
        ({"to": "rust", "offset": "off"}, "to is 'rust', but must be one of sql"),
        ({"to": "sql"}, "pass offset= the name of its column"),
        ({"to": "sql", "offset": ["off", "off 2"]}, "offset names 2 columns, but the model has 1 outputs"),
        ({"to": "sql", "offset": "kind"}, 'The offset "kind" is a column of labels'),
        ({"to": "sql", "offset": "off", "exposure": "years"}, "offset and exposure are both given"),
        ({"to": "sql", "offset": "off", "dialect": "oracle"}, "dialect is 'oracle', but must be one of postgres"),
        ({"to": "python", "offset": "off", "dialect": "sqlite"}, 'dialect="sqlite" is about SQL'),
        ({"to": "sql", "offset": "off", "unknown": "warn"}, "unknown is 'warn', but must be one of error, baseline"),
        ({"to": "sql", "offset": "off", "kind": "class"}, "needs a binomial or multinomial model"),
        ({"to": "sql", "offset": "off", "kind": "median"}, 'can be "link", "response" or "class"'),
        ({"to": "sql", "offset": "off", "times": [1]}, "does not depend on them"),
    ],
)
def test_what_cannot_be_exported_is_said(options, what):
    fit, _ = fitted("gaussian")
    with pytest.raises(ValueError, match=what):
        fit.export(**options)


def test_of_several_mixes_the_picked_one_is_exported(tmp_path):
    rows = table().select("size", "none")
    y = rows["size"].to_numpy() + rows["none"].to_numpy() / 9
    several = normball.compare(rows, y, l1_ratios=(0, 1), cv=3)
    assert several.export(to="c", lam="best") == several.pick("best").export(to="c", lam="best")
    assert several.export(to="c", l1_ratio=0) == several.with_mix(0).export(to="c")


def test_paths_and_their_files(tmp_path):
    rows = table().select("size", "none")
    y = rows["size"].to_numpy() + rows["none"].to_numpy() / 9
    cv = normball.cv_path(rows, y, cv=3)
    place = tmp_path / "score.py"
    place.write_text("what was there")
    content = cv.export(place, lam="best")
    assert (
        place.read_text()
        == content
        == cv.path.export(to="python", lam=cv.lambda_best)
        == cv.at("best").export(to="python")
    )
    with pytest.raises(TypeError, match="export\\(\\) has no argument 'dialekt'"):
        cv.export(place, dialekt="sqlite")
    assert place.read_text() == content


def test_onnx_without_its_package_is_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    fit, offset = fitted("gaussian")
    with pytest.raises(ImportError, match=r"pip install normball\[onnx\]"):
        fit.export(to="onnx", offset=offset)


def test_no_package_of_a_target_is_imported_unasked():
    code = "import sys, normball.export.exporting; print({'onnx', 'google.protobuf', 'xml.etree'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "set()\n"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not here")
@pytest.mark.parametrize("family", ["binomial", "poisson", "multinomial"])
def test_a_workbook_calculates_what_predict_says(family, tmp_path):
    fit, offset = fitted(family)
    rows = new_rows(gaps=True).filter(pl.col("size").abs() < 100)  # a spreadsheet has no infinite numbers
    rows = pl.concat([rows, strange(rows)])
    names, columns = names_of(fit, None), used_columns(fit, [offset] if isinstance(offset, str) else offset)
    given = pl.DataFrame([rows[name] for name in columns])
    found = exported.by_calc(fit.export(to="excel", offset=offset), given, names, tmp_path)
    check(found, names, expected(fit, rows, offset, None), 1e-9)


def test_a_workbook_holds_any_name_and_is_the_same_each_time():
    names = ["\x1b", "_x0041_", "a\r\nb", "=1+1", "🙂&<>\"'"]
    rows = pl.DataFrame(np.random.default_rng(0).normal(size=(50, len(names))), schema=names)
    fit = normball.fit_path(rows, rows.sum_horizontal()).at(n_nonzero=5)
    content = fit.export(to="excel")
    assert content == fit.export(to="excel")
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        roots = {name: ElementTree.fromstring(parts.read(name)) for name in parts.namelist()}
    texts = [one.text for one in roots["xl/worksheets/sheet1.xml"].iter(f"{exported.MAIN}t")]
    assert texts == ["_x001B_", "_x005F_x0041_", "a_x000D_\nb", "=1+1", "🙂&<>\"'", "prediction"]
    numbers = [float(one.text) for one in roots["xl/worksheets/sheet3.xml"].iter(f"{exported.MAIN}v")]
    assert set(fit.coef.tolist()) <= set(numbers)
    formulas = [
        one.text for sheet in (1, 2) for one in roots[f"xl/worksheets/sheet{sheet}.xml"].iter(f"{exported.MAIN}f")
    ]
    assert len(formulas) == 1000 * (1 + 7)
    assert all(len(one) < 8192 for one in formulas)


def test_a_model_of_more_terms_than_a_sheet_has_columns_is_refused(monkeypatch):
    monkeypatch.setattr(excel, "MOST_COLUMNS", 5)
    fit, offset = fitted("gaussian")
    with pytest.raises(ValueError, match=r"the model has \d+ terms, but a sheet has 5 columns"):
        fit.export(to="excel", offset=offset)


def test_queries_say_in_which_time_zone_dates_are() -> None:
    from normball.export.sql import DATES

    assert {name for name, told in DATES.items() if "AT TIME ZONE 'UTC'" in told} == {"postgres", "duckdb"}
