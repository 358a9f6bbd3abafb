"""`check` of a table that is read in parts."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.findings import in_blocks

N = 400


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.standard_normal(N)
    late = np.zeros(N)
    late[-1] = 1.0  # varies in the last row only
    eta = a + rng.standard_normal(N)
    return pl.DataFrame(
        {
            "a": a,
            "copy": a,
            "nearly": a + 1e-3 * rng.standard_normal(N),
            "constant": np.full(N, 2.0),
            "late": late,
            "also late": late,
            "level": rng.choice(["u", "v"], N),
            "leak": eta + 1e-6 * rng.standard_normal(N),
            "y": np.where(eta > 0, "yes", "no"),
        }
    )


def test_all_rows_are_looked_at_where_they_are_few() -> None:
    assert str(nb.check(table().lazy(), "y")) == str(nb.check(table(), "y"))


def test_weights_of_zero_do_not_count() -> None:
    weighted = table().with_columns(pl.Series("weight", (np.arange(N) < N - 1).astype(float)))
    found = nb.check(nb.Blocks(weighted.lazy(), rows=7), "y", sample_weight="weight", trial_fit=False)
    assert str(found) == str(nb.check(weighted, "y", sample_weight="weight", trial_fit=False))
    assert "late (always 0)" in str(found)


@pytest.mark.parametrize("rows", [7, 1000])
def test_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(in_blocks, "MOST_ROWS", 60)
    table().write_parquet(tmp_path / "t.parquet")
    found = {finding.code: finding for finding in nb.check(nb.Blocks(tmp_path / "t.parquet", rows=rows), "y")}
    assert "one row in 4, 100 of 400" in found["W39"].text
    assert "constant (always 2)" in found["W11"].text
    assert "late" not in found["W11"].text  # it is not constant, though in the sample it is
    assert "copy (= a)" in found["W12"].text
    assert "also late (= late)" in found["W12"].text
    assert '"leak"' in found["W15"].text
    assert "nearly" in found["W23"].text


def test_errors_are_findings(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,2\n,3\n4,4\n")
    (finding,) = nb.check(tmp_path / "t.csv", "y")
    assert finding.code == "E04"
