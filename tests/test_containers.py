"""The same table in every container: fitted from one, predicted from another, cell by cell the same."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import normball as nb
from normball.inputs.text import label_key

N = 48
RNG = np.random.default_rng(7)
A = RNG.normal(size=N).round(3)

# what the cells of the column say in a text file; each list is repeated down the column
KINDS: dict[str, Sequence[str]] = {
    "numbers": ["1.5", "-2", "3e1", "0.25", "+4", "1E2"],
    "whole numbers": ["3", "1", "4", "1", "5", "9"],
    "spaces around numbers": [" 1.5", "2 ", "\u00a03", "4", "-5 ", " 6"],
    "minus of Unicode": ["\u22121.5", "2", "\u22123", "4", "5", "6"],
    "True": ["True", "False", "False"],
    "TRUE": ["TRUE", "FALSE", "FALSE"],
    "true": ["true", "false", "false"],
    "labels": ["red", " green", "blue ", "\u00e9t\u00e9"],
    "labels and numbers": ["1", "red", "2.0", "blue"],
    "yes and no": ["yes", "no", "T"],
    "gaps in numbers": ["1.5", "NA", "3", "n/a", "", "6", "NaN", "null", "9.5"],
    "gaps in labels": ["red", "NA", "blue", "", "N/A", "#N/A", "<NA>"],
    "gaps in truth values": ["TRUE", "NA", "FALSE", "FALSE"],
}
CODES: dict[str, Sequence[str]] = {
    "codes": ["1", "3", "2", "3"],
    "codes with zeros in front": ["01", "03", "02", "03"],
    "codes with a point": ["1.0", "3.0", "2.0", "3.0"],
    "codes in two ways": ["1", "3.0", "2", "3"],
    "codes with gaps": ["1.0", "NA", "2.0", "3.0"],
}


def written(cells: Sequence[str], folder: Path, ending: str = "csv", delimiter: str = ",") -> Path:
    path = folder / f"table.{ending}"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["a", "v"])
        writer.writerows([value, cells[i % len(cells)]] for i, value in enumerate(A.tolist()))
    return path


def text_of(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False).with_columns(pl.col("a").cast(pl.Float64))


def as_file(save: Callable[[pl.DataFrame, Path], object], ending: str) -> Callable[[Path], Any]:
    def convert(path: Path) -> Any:
        place = path.with_suffix(f".{ending}")
        save(text_of(path), place)
        return nb.read_table(place)

    return convert


def typed_parquet(path: Path) -> Any:
    place = path.with_name("typed.parquet")
    pd.read_csv(path).to_parquet(place)
    return nb.read_table(place)


def delimited(delimiter: str, ending: str) -> Callable[[Path], Any]:
    def convert(path: Path) -> Any:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        place = path.with_suffix(f".{ending}")
        with open(place, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        return nb.read_table(place)

    return convert


CONTAINERS: dict[str, Callable[[Path], Any]] = {
    "csv": nb.read_table,
    "tsv": delimited("\t", "tsv"),
    "semicolons": delimited(";", "txt"),
    "parquet of text": as_file(pl.DataFrame.write_parquet, "parquet"),
    "parquet of types": typed_parquet,
    "arrow file": as_file(pl.DataFrame.write_ipc, "arrow"),
    "polars": pl.read_csv,
    "polars, all text": text_of,
    "pandas": pd.read_csv,
    "pandas, nullable": lambda path: pd.read_csv(path, dtype_backend="numpy_nullable"),
    "pandas, pyarrow": lambda path: pd.read_csv(path, dtype_backend="pyarrow"),
    "pandas, text": lambda path: pd.read_csv(path, dtype={"v": str}, keep_default_na=False),
    "pandas, objects": lambda path: pd.read_csv(path).astype({"v": object}),
    "arrow": lambda path: text_of(path).to_arrow(),
    "array of objects": lambda path: pd.read_csv(path).astype(object).to_numpy(),
}
CATEGORICAL = {
    "pandas, categorical": lambda path: pd.read_csv(path).astype({"v": "category"}),
    "polars, categorical": lambda path: text_of(path).with_columns(pl.col("v").cast(pl.Categorical)),
}


def assert_all_alike(
    cells: Sequence[str], folder: Path, at_fit: dict[str, Callable[[Path], Any]], categorical: Sequence[str] = ()
) -> None:
    """A model of the table in any of the containers predicts the same for the table in every container."""
    path = written(cells, folder)
    keys = [label_key(cells[i % len(cells)].strip()) for i in range(N)]
    effects = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    y = A + np.array([effects[key] for key in keys])
    tables = {name: read(path) for name, read in {**CONTAINERS, **CATEGORICAL}.items()}
    expected = None
    for fitted_from in at_fit:
        labels = ["x1" if fitted_from == "array of objects" else "v"] if categorical else []
        table = tables[fitted_from]
        fitted = nb.fit_path(table, y, missing="impute", lambdas=[0.01], categorical=labels)
        for name, table in tables.items():
            found = fitted.predict(table, lam=0.01)
            expected = found if expected is None else expected
            assert found == pytest.approx(expected, abs=1e-9), (fitted_from, name)
    assert expected is not None
    assert np.ptp(expected - A) > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_the_same_in_every_container(kind: str, tmp_path: Path) -> None:
    assert_all_alike(KINDS[kind], tmp_path, CONTAINERS)


@pytest.mark.parametrize("kind", CODES)
def test_codes_are_the_same_however_they_are_written(kind: str, tmp_path: Path) -> None:
    assert_all_alike(CODES[kind], tmp_path, {**CONTAINERS, **CATEGORICAL}, categorical=["v"])


def test_codes_of_one_file_meet_those_of_another(tmp_path: Path) -> None:
    tables = {kind: nb.read_table(written(cells, tmp_path), categorical=["v"]) for kind, cells in CODES.items()}
    y = A + np.array([float(value) for value in CODES["codes"]] * (N // 4))
    kinds = [kind for kind in CODES if "gaps" not in kind]
    for kind in kinds:
        fitted = nb.fit_path(tables[kind], y, lambdas=[0.01], categorical=["v"])
        expected = fitted.predict(tables[kind], lam=0.01)
        for other in kinds:
            assert fitted.predict(tables[other], lam=0.01).tolist() == expected.tolist(), (kind, other)


def test_codes_that_differ_only_as_text_stay_apart() -> None:
    table = pl.DataFrame({"a": A, "v": ["01", "1", "2", "3.10", "3.1", "3.1"] * 8})
    fitted = nb.fit_path(table, A, lambdas=[0.01], categorical=["v"])
    assert fitted.feature_names == ("a", "v = 01", "v = 1", "v = 2", "v = 3.1", "v = 3.10")
    new = pl.DataFrame({"a": [0.0, 0.0, 0.0], "v": [1, 2, 1]})
    design = fitted.preparation.transform(new)
    assert design[:, 1:4].tolist() == [[0, 1, 0], [0, 0, 1], [0, 1, 0]]
    with pytest.raises(nb.DataError, match=r'E09 .*"001"'):
        fitted.preparation.transform(pl.DataFrame({"a": [0.0], "v": ["001"]}))


@pytest.mark.parametrize(
    "new", [[True, False], ["TRUE", "false"], [1, 0], [1.0, 0.0], ["1", "0"], np.array([1, 0]) > 0]
)
@pytest.mark.parametrize("words", [["True", "False"], ["TRUE", "FALSE"], [True, False], ["1", "0"], [1, 0]])
def test_truth_values_in_any_form(words: Sequence[Any], new: Any) -> None:
    fitted = nb.fit_path(pl.DataFrame({"a": A, "v": [*words] * (N // 2)}), A + [1, 0] * (N // 2), lambdas=[0.01])
    first, second = fitted.predict(pl.DataFrame({"a": [0.0, 0.0], "v": new}), lam=0.01)
    assert first - second > 0.8


@pytest.mark.parametrize("words", [["TRUE", "FALSE"], ["True", "False"], ["true", "false"]])
def test_classes_are_the_words_of_the_file(words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    pl.DataFrame({"a": A, "y": [words[int(a < 0)] for a in A]}).write_csv(path)
    fitted = nb.fit_path(nb.read_table(path), "y", family="binomial", lambdas=[0.01])
    assert set(fitted.predict(nb.read_table(path), lam=0.01, kind="class").tolist()) == set(words)


def test_sparse_and_dense_tables_are_the_same(tmp_path: Path) -> None:
    values = np.where(RNG.random((N, 3)) < 0.5, 0, RNG.integers(1, 5, (N, 3)))
    lines = (
        " ".join([f"{y}", *(f"{j + 1}:{x}" for j, x in enumerate(row) if x)]) for y, row in zip(A, values, strict=True)
    )
    (tmp_path / "t.svmlight").write_text("\n".join(lines) + "\n")
    pl.DataFrame({"label": A, **{f"x{j + 1}": values[:, j] for j in range(3)}}).write_csv(tmp_path / "t.csv")
    tables = [nb.read_table(tmp_path / f"t.{ending}", na=["4"]) for ending in ("svmlight", "csv")]
    for table in tables:
        fitted = nb.fit_path(table, "label", lambdas=[0.01], missing="impute", categorical=["x1"])
        first, second = (fitted.predict(other, lam=0.01) for other in tables)
        assert first.tolist() == second.tolist()
