"""Models of tables that are read in parts are those of the same tables in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.blocks import estimates
from normball.blocks.tables import open_table

N = 300


def table() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((N, 4))
    eta = X @ [1.0, -0.5, 0.0, 0.3]
    return pl.DataFrame(X, schema=["a", "b", "c", "d"]).with_columns(
        pl.Series("level", rng.choice(["u", "v", "w"], N)),
        pl.Series("gaps", [None if gap else value for gap, value in zip(rng.random(N) < 0.1, eta, strict=True)]),
        pl.Series("weight", rng.integers(1, 4, N)),
        pl.Series("fold", rng.integers(0, 4, N) - 1),
        pl.Series("y", eta + rng.standard_normal(N)),
        pl.Series("hits", rng.poisson(np.exp(0.3 * eta))),
        pl.Series("class", np.where(rng.random(N) < 1 / (1 + np.exp(-eta)), "yes", "no")),
        pl.Series(
            "choice", np.array(["bus", "car", "foot"])[(eta[:, None] * [0, 1, -1] + rng.gumbel(size=(N, 3))).argmax(1)]
        ),
        pl.Series("z", X[:, 1] - eta + rng.standard_normal(N)),
    )


TARGETS = ("y", "hits", "class", "choice", "z")
IN_GROUPS = {"groups": {"pair": ["a", "b"], "rest": ["c", "d", "gaps"]}}


def written(folder: Path, kind: str) -> Any:
    if kind == "lazy":
        return table().lazy()
    for k in range(3):
        getattr(table()[100 * k : 100 * k + 100], f"write_{kind}")(folder / f"{k}.{kind}")
    return str(folder / f"*.{kind}")


@pytest.mark.parametrize("kind", ["parquet", "csv", "lazy"])
@pytest.mark.parametrize(
    ("y", "family", "more"),
    [
        ("y", "gaussian", {}), ("class", "binomial", {}), ("hits", "poisson", {}), ("choice", "multinomial", {}),
        (["y", "z"], "multigaussian", {}), ("y", "gaussian", IN_GROUPS), ("class", "binomial", {"groups": "columns"}),
    ],
)  # fmt: skip
def test_a_path(tmp_path: Path, kind: str, y: Any, family: str, more: dict[str, Any]) -> None:
    drop = [name for name in (*TARGETS, "fold") if name not in y and name != y]
    options: dict[str, Any] = {"family": family, "missing": "impute", "sample_weight": "weight", "drop": drop, **more}
    options |= {"tol": 1e-9} if more or "multi" in family else {}
    path = nb.fit_path(nb.Blocks(written(tmp_path, kind), rows=37), y, n_lambdas=20, **options)
    expected = nb.fit_path(table(), y, n_lambdas=20, **options)
    assert path.preparation == expected.preparation
    assert path.feature_names == expected.feature_names
    np.testing.assert_allclose(path.lambdas, expected.lambdas, rtol=1e-9)
    if family.endswith("gaussian"):
        np.testing.assert_allclose(path.coefs, expected.coefs, rtol=0, atol=1e-4 if more or "multi" in family else 1e-9)
    np.testing.assert_allclose(path.loss, expected.loss, rtol=1e-5)
    lam = float(path.lambdas[-1])
    np.testing.assert_allclose(path.predict(table(), lam=lam), expected.predict(table(), lam=lam), rtol=1e-3)


def test_folds_of_a_column(tmp_path: Path) -> None:
    drop = ["hits", "class", "choice", "z"]
    cv = nb.cv_path(written(tmp_path, "parquet"), "y", fold_ids="fold", missing="drop", drop=drop, n_lambdas=20)
    expected = nb.cv_path(table(), "y", fold_ids="fold", missing="drop", drop=drop, n_lambdas=20)
    np.testing.assert_allclose(cv.cv_mean, expected.cv_mean, rtol=1e-8)


@pytest.mark.parametrize("name", ["a", "level"])
def test_folds_that_are_none(tmp_path: Path, name: str) -> None:
    source = table().with_columns(pl.lit("u").alias("level")).lazy()
    with pytest.raises(ValueError, match="fold_ids must name"):
        nb.cv_path(source, "y", fold_ids=name, missing="drop", drop=["class", "choice", "z"])


def test_a_parameter_is_estimated(tmp_path: Path, monkeypatch: Any) -> None:
    y, family, drop = "hits", "negative_binomial", ["y", "class", "fold", "gaps", "choice", "z"]
    source = written(tmp_path, "parquet")
    path = nb.fit_path(source, y, family=family, drop=drop, n_lambdas=3)
    assert path.family == nb.fit_path(table(), y, family=family, drop=drop, n_lambdas=3).family
    assert not [finding for finding in path.findings if finding.code == "W38"]
    monkeypatch.setattr(estimates, "SAMPLED", 100)
    path = nb.fit_path(nb.Blocks(source, rows=7), y, family=family, drop=drop, n_lambdas=3)
    assert path.family == nb.fit_path(table()[::3], y, family=family, drop=drop, n_lambdas=3).family
    assert "from 100 evenly spaced rows of 300" in str(path.findings[-1])


def test_options_about_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;y\n" + "".join(f"{k},5;{'-' if k == 7 else k * k}\n" for k in range(20)))
    options = {"decimal": ",", "na": ["-"]}
    path = nb.fit_path(open_table(tmp_path / "t.csv", **options), "y", missing="drop", n_lambdas=5)
    expected = nb.fit_path(nb.read_table(tmp_path / "t.csv", **options), "y", missing="drop", n_lambdas=5)
    np.testing.assert_allclose(path.coefs, expected.coefs, rtol=1e-9)


def test_families_that_need_all_rows_are_refused_before_any_is_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a fit of rows in blocks is not offered"):
        nb.fit_path(str(tmp_path / "nothing.parquet"), "y", family="cox")


def test_progress_may_stop_the_first_pass(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> bool:
        told.append((done, total))
        return done >= 100

    with pytest.raises(nb.Interrupted, match="while the table was looked at"):
        nb.fit_path(nb.Blocks(written(tmp_path, "parquet"), rows=50), "y", missing="drop", progress=stop)
    assert told == [(50, N), (100, N)]
