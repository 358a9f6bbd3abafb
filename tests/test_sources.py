"""The same table through every door gives the same model, to the bit; what is no door is said."""

import gzip
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.cli import main
from normball.inputs.tables import read_table
from normball.messages import DataError

N = 90
RNG = np.random.default_rng(3)
TABLE = pl.DataFrame(
    {
        "y": np.round(RNG.normal(size=N), 3),
        "size": RNG.integers(0, 50, size=N),
        "weight": np.where(RNG.uniform(size=N) < 0.1, None, np.round(RNG.normal(size=N), 4)).tolist(),
        "colour": RNG.choice(["red", "grün", "blue, dark", 'with "quotes"'], size=N),
    }
)
CSV = TABLE.write_csv().encode()
LINES = [{name: value for name, value in row.items() if value is not None} for row in TABLE.iter_rows(named=True)]
JSON_LINES = "\n".join(json.dumps(row) for row in LINES).encode()


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        archive.writestr("__MACOSX/._" + name, b"x")
    return file.getvalue()


def zstd(content: bytes) -> bytes:
    return bytes(pytest.importorskip("zstandard").ZstdCompressor().compress(content))


def written(how: Callable[[io.BytesIO], Any]) -> bytes:
    file = io.BytesIO()
    how(file)
    return file.getvalue()


def excel() -> bytes:
    book = pytest.importorskip("openpyxl").Workbook()
    for row in (TABLE.columns, *TABLE.iter_rows()):
        book.active.append(list(row))
    return written(book.save)


FILES: dict[str, Callable[[], bytes]] = {
    "t.csv": lambda: CSV,
    "t.tsv": lambda: TABLE.write_csv(separator="\t").encode(),
    "t.csv.gz": lambda: gzip.compress(CSV),
    "t.csv.zip": lambda: zipped("inner.csv", CSV),
    "t.zip": lambda: zipped("inner.csv", CSV),
    "t.csv.zst": lambda: zstd(CSV),
    "t.parquet": lambda: written(TABLE.write_parquet),
    "t.feather": lambda: written(TABLE.write_ipc),
    "t.jsonl": lambda: JSON_LINES,
    "t.ndjson.gz": lambda: gzip.compress(JSON_LINES),
    "t.xlsx": excel,
}
FRAMES: dict[str, Callable[[], Any]] = {
    "polars": lambda: TABLE,
    "pandas": TABLE.to_pandas,
    "arrow": TABLE.to_arrow,
    "read once, then in memory": lambda: TABLE.to_arrow().to_reader().read_all(),
    "collected": lambda: TABLE.lazy().collect(),
    "duckdb": lambda: pytest.importorskip("duckdb").from_arrow(TABLE.to_arrow()).to_arrow_table(),
}


def model(table: Any) -> tuple[Any, ...]:
    path = nb.fit_path(table, "y", missing="impute", n_lambdas=15)
    return path.feature_names, path.lambdas.tobytes(), path.coefs.tobytes(), path.intercepts.tobytes()


MODEL = model(read_table(io.BytesIO(CSV)))


@pytest.mark.parametrize("name", FILES)
def test_the_same_model_from_every_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name]())
    assert model(read_table(tmp_path / name)) == MODEL


@pytest.mark.parametrize("name", FRAMES)
def test_the_same_model_from_every_frame(name: str) -> None:
    assert model(FRAMES[name]()) == MODEL


@pytest.mark.parametrize("name", FILES)
def test_the_same_table_from_a_stream(name: str) -> None:
    assert read_table(io.BytesIO(FILES[name]())).equals(read_table(io.BytesIO(CSV)))


def test_standard_input_takes_json_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Piped:
        buffer = io.BytesIO(JSON_LINES)
        isatty = staticmethod(lambda: False)

    monkeypatch.setattr(sys, "stdin", Piped)
    words = ["fit", "-", "--target", "y", "--missing", "impute", "--cv", "3", "--n-lambdas", "10", "--penalty", "l1"]
    assert main([*words, "-o", str(tmp_path)]) == 0
    assert "stdin.jsonl: 90 rows x 4 columns" in capsys.readouterr().out
    assert nb.load(tmp_path / "model.json").path.n_rows == N


def test_an_address_is_refused_with_a_word() -> None:
    for place in ("https://example.org/data/prices.csv?raw=1", "s3://bucket/t.parquet"):
        for door in (read_table, lambda place: nb.fit_path(place, "y")):
            with pytest.raises(DataError, match="is an address") as caught:
                door(place)
            assert "download it first" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("two.zip", lambda: zipped("a.csv", CSV) and _two(), 'holds 2 files: "a.csv", "b.csv"'),
        ("broken.csv.gz", lambda: gzip.compress(CSV)[:60], "cannot be unpacked"),
        ("broken.zip", lambda: zipped("a.csv", CSV)[:60], "cannot be unpacked"),
        ("broken.csv.zst", lambda: zstd(CSV)[:20], "cannot be unpacked"),
        ("odd.jsonl", lambda: b'{"a": 1}\n[1, 2]\n', "a line is no object, but [1, 2]"),
        ("deep.jsonl", lambda: b'{"a": {"b": 1}}\n', "a value is a list or an object"),
        ("torn.jsonl", lambda: b'{"a": 1}\n{"a": \n', "cannot be read as jsonl"),
        ("empty.jsonl", lambda: b"\n", "has no rows"),
        ("odd.xlsx", lambda: b"no spreadsheet", "xlsx"),
        ("t.docx", lambda: b"", "is no kind of table"),
    ],
)
def test_files_that_cannot_be_read(name: str, content: Callable[[], bytes], words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content())
    with pytest.raises(DataError, match=f'E11 "{name}"') as caught:
        read_table(tmp_path / name)
    assert words in str(caught.value)


def _two() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", CSV)
        archive.writestr("b.csv", CSV)
    return file.getvalue()


@pytest.mark.parametrize(("name", "package"), [("t.xlsx", "openpyxl"), ("t.csv.zst", "zstandard")])
def test_what_is_not_installed_is_named(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(FILES[name]())
    monkeypatch.setattr("normball.inputs.file_kinds.find_spec", lambda _: None)
    with pytest.raises(DataError, match=f"pip install {package}"):
        read_table(tmp_path / name)


def test_values_of_several_types_are_text_and_gaps_may_lack() -> None:
    table = read_table(io.BytesIO(b'{"a": 1, "b": true}\n{"a": "x"}\n\n{"b": false, "c": 2.5}\n'))
    assert table["a"].to_list() == ["1", "x", None]
    assert table["b"].to_list() == [True, None, False]
    assert table["c"].to_list() == [None, None, 2.5]


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_results_are_frames_of_the_library_that_the_table_came_in(library: str, tmp_path: Path) -> None:
    table = {"polars": TABLE, "pandas": TABLE.to_pandas(), "pyarrow": TABLE.to_arrow()}[library]
    how: dict[str, Any] = {"missing": "impute", "n_lambdas": 10}
    cv = nb.cv_path(table, "y", cv=3, **how)
    results = [cv, cv.path, cv.at("best"), nb.compare(table, "y", (1.0, 0.0), cv=3, **how)]
    results.append(nb.fit_paths(table, "y", sample_weight=np.ones((N, 2)), **how))
    for result in results:
        found = result.to_frame()
        assert type(found).__module__.partition(".")[0] == library
        plain = found if library == "polars" else pl.DataFrame(found)
        assert plain.height > 0
    cv.save(tmp_path / "model.json")
    told = pl.DataFrame(cv.to_frame())
    assert nb.load(tmp_path / "model.json").to_frame().equals(told)  # a file forgets the library
