"""The page about clusters: what it shows of Dask runs; Ray and Spark are played by stand-ins of what it calls."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import normball as nb

PAGE = Path(__file__).parents[1] / "docs" / "clusters.md"
CODE = dict(re.findall(r"<!-- (\w+) -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S))


class Remote:
    """A function of Ray's, called at once."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def remote(self, *arguments: Any) -> Any:
        return self._function(*arguments)


def put(value: Any) -> Any:
    return value


def wait(values: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
    return values[:1], values[1:]


class Rdd:
    """Some values of Spark's."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def persist(self) -> Rdd:
        return self

    def map(self, function: Any) -> Rdd:
        return Rdd([function(value) for value in self._values])

    def collect(self) -> list[Any]:
        return self._values


def ray_executor(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(remote=Remote, put=put, get=put, wait=wait))
    names: dict[str, Any] = {}
    exec(CODE["ray"], names)
    return names["RayExecutor"]()


def spark_executor(monkeypatch: pytest.MonkeyPatch) -> Any:
    names: dict[str, Any] = {}
    exec(CODE["spark"], names)
    return names["SparkExecutor"](SimpleNamespace(parallelize=lambda values, n_slices: Rdd(values)))


@pytest.mark.parametrize("executor_of", [ray_executor, spark_executor])
def test_other_clusters_give_the_same_bits(executor_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 4))
    y = X @ [1.0, -1.0, 0.5, 0.0] + rng.standard_normal(300)
    told: list[Any] = []
    found = nb.fit_path(
        nb.Blocks(X, rows=40, executor=executor_of(monkeypatch)), y, progress=lambda *now: told.append(now)
    )
    np.testing.assert_array_equal(found.coefs, nb.fit_path(nb.Blocks(X, rows=40), y).coefs)


def test_what_the_page_shows_of_dask_runs(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed")
    pytest.importorskip("dask.dataframe")
    exec(CODE["runs"], {})
    assert "Solved: all 100 lambdas" in capsys.readouterr().out
