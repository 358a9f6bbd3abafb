"""Rare levels and baselines of tables that are read in parts: those of the same table in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.blocks.prepare import prepare_long_table
from normball.blocks.tables import long_table_of
from normball.inputs.prepare import prepare
from normball.model_file import load

N = 300


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    x = rng.normal(size=N)
    shop = rng.choice([*"abc", "x1", "x2", "x3"], N, p=[0.5, 0.3, 0.16, 0.02, 0.01, 0.01])
    code = rng.choice([1, 2, 77], N, p=[0.6, 0.37, 0.03])
    shops = [None if gap else one for gap, one in zip(rng.random(N) < 0.05, shop, strict=True)]
    return pl.DataFrame({"x": x, "shop": shops, "code": code, "y": x + (code == 2)})


OPTIONS: list[dict[str, Any]] = [
    {"min_count": 20},
    {"min_count": 20, "missing": "drop"},
    {"min_count": 20, "baseline": "commonest"},
    {"min_count": 20, "baseline": {"shop": "x1", "code": "1"}},
    {"baseline": {"shop": "b"}},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_levels_are_those_in_memory(frame: pl.DataFrame, tmp_path: Path, options: dict[str, Any], end: str) -> None:
    getattr(frame, f"write_{end}")(tmp_path / f"t.{end}")
    table = long_table_of(tmp_path / f"t.{end}")
    assert table is not None
    how = {"family": "gaussian", "missing": "impute", "categorical": ["code"], **options}
    blocks = prepare_long_table(table, "y", block_rows=40, **how)
    whole = prepare(frame, "y", **how)
    assert blocks.preparation == whole.preparation
    assert {str(one) for one in blocks.findings} == {str(one) for one in whole.findings}
    rows = np.concatenate([block.X for block in blocks.source.open()])
    np.testing.assert_array_equal(rows, whole.design)


def test_a_model_of_rare_levels_predicts_labels_that_it_never_saw(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_parquet(tmp_path / "t.parquet")
    how = {"missing": "impute", "categorical": ["code"], "min_count": 20, "n_lambdas": 10}
    found, whole = (nb.fit_path(rows, "y", **how) for rows in (str(tmp_path / "t.parquet"), frame))
    np.testing.assert_allclose(found.coefs, whole.coefs, atol=1e-9)
    new = frame.with_columns(shop=pl.lit("never seen"))
    fit = found.at(lam=found.lambdas[5])
    np.testing.assert_allclose(fit.predict(new.lazy()), fit.predict(new), atol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"baseline": {"shop": "q"}}, 'has no level "q" to be the baseline'),
        ({"baseline": {"x": "1"}}, "has no levels"),
        ({"baseline": {"shops": "a"}}, "not found"),
        ({"baseline": {"shop": "a"}, "drop": ["shop"]}, "shop"),
    ],
)
def test_what_is_wrong_is_told_as_in_memory(frame: pl.DataFrame, options: dict[str, Any], words: str) -> None:
    how = {"missing": "drop", **options}
    with pytest.raises(nb.DataError, match=words) as expected:
        nb.fit_path(frame, "y", **how)
    with pytest.raises(nb.DataError) as found:
        nb.fit_path(frame.lazy(), "y", **how)
    assert str(found.value) == str(expected.value)


def test_the_terminal_has_them(
    frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    frame.write_parquet("t.parquet")
    words = ["--target", "y", "--missing", "impute", "--min-count", "20", "--baseline", "shop=a", "--cv", "3"]
    words += ["--n-lambdas", "10", "--no-compare"]
    code, out, err = run(capsys, "fit", "t.parquet", *words, "--memory", "100MB")
    assert code == 0
    assert "stand together" in out + err
    names = load("model.json").path.feature_names
    assert "shop = (rare)" in names
    assert "shop = a" not in names
