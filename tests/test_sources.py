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
from normball.inputs.streams import at_hand
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


class Stream:
    """Gives an Arrow stream whenever it is asked, of whatever is left of it, and says nothing else of itself."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


class Shuffled:
    """A stream whose rows come in another order each time."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        table: Any = TABLE.sample(fraction=1.0, shuffle=True).to_arrow()
        return table.__arrow_c_stream__(requested_schema)


def reader(rows: int = N) -> Any:
    """What can be read once, so many rows at a time."""
    return TABLE.to_arrow().to_reader(rows)


FRAMES: dict[str, Callable[[], Any]] = {
    "polars": lambda: TABLE,
    "pandas": TABLE.to_pandas,
    "arrow": TABLE.to_arrow,
    "reader": reader,
    "reader of parts": lambda: reader(7),
    "read once": lambda: Stream(reader()),
    "read once, two parts": lambda: Stream(reader(N // 2)),
    "read once, parts": lambda: Stream(reader(7)),
    "collected": lambda: TABLE.lazy().collect(),
    "duckdb's table": lambda: pytest.importorskip("duckdb").from_arrow(TABLE.to_arrow()).to_arrow_table(),
    "duckdb's reader": lambda: pytest.importorskip("duckdb").from_arrow(TABLE.to_arrow()).to_arrow_reader(20),
}
IN_PARTS: dict[str, Callable[[Path], Any]] = {
    "lazy": lambda folder: TABLE.lazy(),
    "stream": lambda folder: Stream(TABLE.to_arrow()),
    "duckdb": lambda folder: pytest.importorskip("duckdb").from_arrow(TABLE.to_arrow()),
    **{
        name: lambda folder, name=name: folder / name
        for name in ("t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.feather")
    },
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


def test_the_same_model_from_everything_that_is_read_in_parts(tmp_path: Path) -> None:
    """To the bit among themselves; beside rows in memory sums are added up in another order."""
    models = {}
    for name, source in IN_PARTS.items():
        if name in FILES:
            (tmp_path / name).write_bytes(FILES[name]())
        models[name] = model(source(tmp_path))
    assert len(set(models.values())) == 1
    names, lambdas, coefs, _ = models["lazy"]
    assert names == MODEL[0]
    for found, wanted in zip((lambdas, coefs), MODEL[1:3], strict=True):
        assert np.frombuffer(found) == pytest.approx(np.frombuffer(wanted), rel=1e-9, abs=1e-12)


def test_everything_in_python_takes_what_can_be_read_once(tmp_path: Path) -> None:
    how: dict[str, Any] = {"missing": "impute", "n_lambdas": 10}
    path, cv = nb.fit_path(TABLE, "y", **how), nb.cv_path(TABLE, "y", cv=3, **how)
    fit = path.at(n_nonzero=2)
    assert (nb.cv_path(reader(), "y", cv=3, **how).cv_mean == cv.cv_mean).all()
    assert (nb.compare(reader(), "y", (1.0, 0.0), cv=3, **how)[0].cv_mean == cv.cv_mean).all()
    assert (nb.fit_paths(reader(), "y", sample_weight=np.ones((N, 2)), **how)[1].coefs == path.coefs).all()
    ball = nb.fit_ball(reader(), "y", radius=0.1, missing="impute")
    assert (ball.coef == nb.fit_ball(TABLE, "y", radius=0.1, missing="impute").coef).all()
    assert str(nb.check(reader(), "y", missing="impute")) == str(nb.check(TABLE, "y", missing="impute"))
    assert (fit.predict(reader()) == fit.predict(TABLE)).all()
    assert fit.evaluate(reader(), "y").to_dict() == fit.evaluate(TABLE, "y").to_dict()
    ranges = [cv.bootstrap(X, "y", 3).bootstrap_ranges for X in (reader(), TABLE)]
    assert str(ranges[0]) == str(ranges[1])
    for place, X in (("a.html", reader()), ("b.html", TABLE)):
        cv.report(tmp_path / place, X, "y")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert read_table(reader()).equals(read_table(TABLE))
    model = nb.GLMRegressor(lam=0.01, missing="impute").fit(reader(), TABLE["y"])
    assert (model.coef_ == nb.GLMRegressor(lam=0.01, missing="impute").fit(TABLE, TABLE["y"]).coef_).all()
    assert (model.predict(reader()) == model.predict(TABLE)).all()
    weights = {"sample_weight": "size"}
    assert model.score(reader(), TABLE["y"], **weights) == model.score(TABLE, TABLE["y"], **weights)


def test_streams_that_cannot_be_used_say_why() -> None:
    with pytest.raises(DataError, match=r"E14 X is a stream that gives other rows each time \(Shuffled\)"):
        nb.fit_path(Shuffled(), "y", missing="impute")
    with pytest.raises(DataError, match=r"read once \(RecordBatchReader\)") as caught:
        nb.fit_path(nb.Blocks(reader()), "y", missing="impute")
    assert "hand it over without Blocks" in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_the_same_table_from_a_stream(name: str) -> None:
    assert read_table(io.BytesIO(FILES[name]())).equals(read_table(io.BytesIO(CSV)))


@pytest.mark.parametrize("name", FILES)
def test_the_same_model_from_standard_input(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Piped:
        buffer = io.BytesIO(FILES[name]())
        isatty = staticmethod(lambda: False)

    monkeypatch.setattr(sys, "stdin", Piped)
    words = ["fit", "-", "--target", "y", "--missing", "impute", "--cv", "3", "--n-lambdas", "15", "--penalty", "l1"]
    assert main([*words, "-o", str(tmp_path)]) == 0
    assert ": 90 rows x 4 columns" in capsys.readouterr().out
    path = nb.load(tmp_path / "model.json").path
    assert (path.feature_names, path.lambdas.tobytes(), path.coefs.tobytes(), path.intercepts.tobytes()) == MODEL


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


def test_a_stream_with_nan_can_be_read_again() -> None:
    class Again:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            table: Any = pl.DataFrame({"a": [1.0, float("nan"), 3.0]}).to_arrow()
            return table.__arrow_c_stream__(requested_schema)

    stream = Again()
    assert at_hand(stream) is stream


def test_streams_that_cannot_be_used_say_so_in_korean() -> None:
    with pytest.raises(DataError) as caught:
        at_hand(Shuffled())
    with nb.language.speaking("ko"):
        told = caught.value.findings[0].retold()
    assert ("스트림입니다(Shuffled)" in told.text, "한 번만 읽으세요" in told.fix) == (True, True)
