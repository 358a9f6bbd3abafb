"""`fit_path` and `cv_path` of dask collections: the answers in memory, and none of the faults known of dask-ml."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import normball as nb
from normball.messages import Interrupted

dask = pytest.importorskip("dask")
dd = pytest.importorskip("dask.dataframe")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

from normball.blocks.dask_executor import DaskExecutor  # noqa: E402
from test_dask_executor import cluster  # noqa: E402

N, N_PARTITIONS = 600, 7


def table(n: int = N) -> Any:
    """Numbers, levels, and targets that depend on some of them."""
    rng = np.random.default_rng(0)
    found = pd.DataFrame(rng.standard_normal((n, 6)), columns=[*"abcdef"])
    found["level"] = rng.choice(["u", "v", "w"], n)
    eta = 2.0 + found["a"] - 0.7 * found["c"] + (found["level"] == "u")
    found["amount"] = eta + rng.standard_normal(n)
    found["bought"] = np.where(eta + rng.logistic(size=n) > 0, "yes", "no")
    found["hits"] = rng.poisson(np.exp(eta / 3))
    found["second"] = found["b"] - eta + rng.standard_normal(n)
    found["choice"] = np.array(["bus", "car", "foot"])[
        (eta.to_numpy()[:, None] * [0, 1, -1] + rng.gumbel(size=(n, 3))).argmax(1)
    ]
    return found


TARGETS: dict[str, str | list[str]] = {
    "gaussian": "amount",
    "binomial": "bought",
    "poisson": "hits",
    "huber(1.5)": "amount",
    "multinomial": "choice",
    "multigaussian": ["amount", "second"],
    "gaussian in groups": "amount",
    "binomial in groups": "bought",
}
# two workers solve everything, one and four a target of each kind
ON_WORKERS = [
    (n, family) for n in (1, 2, 4) for family in TARGETS if n == 2 or family in ("gaussian", "binomial", "multinomial")
]
EXACT = ("gaussian", "multigaussian")


def asked(kind: str, rows: Any) -> tuple[Any, Any, dict[str, Any]]:
    y, (family, *in_groups) = TARGETS[kind], kind.split(maxsplit=1)
    names = [y] if isinstance(y, str) else y
    groups = {"groups": {"first": ["a", "b"], "second": ["c", "d", "e"]}} if in_groups else {}
    return rows[[*"abcdef", "level", *names]], y, {"family": family, "n_lambdas": 30, **groups}


@pytest.fixture(scope="module")
def frame() -> Any:
    return dd.from_pandas(table(), npartitions=N_PARTITIONS)


@pytest.fixture(scope="module")
def by_threads(frame: Any) -> dict[str, Any]:
    """What the threads of this process find."""
    return {family: cv_path_of(family, frame, DaskExecutor()) for family in TARGETS}


@pytest.fixture(scope="module")
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    with cluster(request.param) as one:
        yield one


def cv_path_of(family: str, rows: Any, executor: Any, **options: Any) -> Any:
    X, y, how = asked(family, rows)
    repeats = 2 if family.startswith("huber") else 1
    given = {"cv": 3, "repeats": repeats, "keep_predictions": True, **how, **options}
    return nb.cv_path(nb.Blocks(X, executor=executor), y, **given)


def check_same_bits(found: Any, expected: Any) -> None:
    for name in ("lambdas", "coefs", "intercepts", "dual_gaps"):
        np.testing.assert_array_equal(getattr(found.path, name), getattr(expected.path, name))
    np.testing.assert_array_equal(found.cv_mean, expected.cv_mean)
    np.testing.assert_array_equal(found.predictions, expected.predictions)


@pytest.mark.parametrize(("client", "family"), ON_WORKERS, indirect=["client"])
def test_workers_find_the_same_bits(client: Any, frame: Any, by_threads: Any, family: str) -> None:
    check_same_bits(cv_path_of(family, frame, DaskExecutor(client)), by_threads[family])


@pytest.mark.parametrize("family", TARGETS)
def test_the_path_is_that_in_memory(frame: Any, by_threads: Any, family: str) -> None:
    found = by_threads[family].path
    X, y, how = asked(family, table())
    expected = nb.fit_path(X, y, lambdas=found.lambdas, **how)
    assert found.feature_names == expected.feature_names
    atol = 1e-9 if family == "gaussian" else 1e-5 if family.split()[0] in EXACT else 1e-3
    np.testing.assert_allclose(found.coefs, expected.coefs, rtol=0, atol=atol)


def test_the_active_client_is_taken(frame: Any, by_threads: Any) -> None:
    with cluster(1) as client, client.as_current():
        X, y, how = asked("gaussian", frame)
        before = client.run_on_scheduler(n_transitions)
        check_same_bits(nb.cv_path(X, y, cv=3, keep_predictions=True, **how), by_threads["gaussian"])
        assert client.run_on_scheduler(n_transitions) > before + 4 * N_PARTITIONS


def n_transitions(dask_scheduler: Any = None) -> int:
    return int(dask_scheduler.transition_counter)


@pytest.mark.parametrize("at", [2, 40])
def test_a_worker_killed_in_a_pass_changes_nothing(frame: Any, by_threads: Any, at: int) -> None:
    with cluster(2) as client:
        calls: list[int] = []

        def kill(done: int, total: int) -> None:
            calls.append(done)
            if len(calls) == at:
                os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)

        found = cv_path_of("binomial", frame, DaskExecutor(client), progress=kill)
    assert len(calls) > at
    check_same_bits(found, by_threads["binomial"])


def test_progress_stops_a_fit_and_keeps_what_is_done(frame: Any) -> None:
    X, y, how = asked("binomial", frame)
    calls: list[int] = []

    def stop(done: int, total: int) -> bool:
        calls.append(done)
        return done >= 3

    with pytest.raises(Interrupted, match=r"after \d+ of 30 lambdas") as stopped:
        nb.fit_path(X, y, progress=stop, **how)
    assert 3 <= len(stopped.value.result.lambdas) < 30


def read(folder: Path, number: int) -> Any:
    """A partition; a mark in the folder changes the third one."""
    rows = table()[number * 100 : number * 100 + 100]
    return rows.assign(a=rows["a"] + 1.0) if number == 2 and (folder / "changed").exists() else rows


def test_data_that_change_between_passes_are_an_error(tmp_path: Path) -> None:
    """Threads that keep nothing read again in each pass."""
    frame = dd.from_map(partial(read, tmp_path), range(6), meta=table()[:0])
    X, y, how = asked("binomial", frame)
    calls: list[int] = []

    def change(done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == 20:
            (tmp_path / "changed").touch()

    with pytest.raises(nb.DataError, match=r"E17 .*block 2, from row 201 on"):
        nb.fit_path(nb.Blocks(X, executor=DaskExecutor(memory=0)), y, progress=change, **how)


# dask-ml's known faults


def test_the_intercept_is_not_penalised(frame: Any) -> None:
    X, y, how = asked("binomial", frame)
    path = nb.fit_path(X, y, **how)
    share = np.mean(table()["bought"] == "yes")
    assert not path.coefs[0].any()
    np.testing.assert_allclose(path.intercepts[0], np.log(share / (1 - share)), rtol=1e-6)


def test_coefficients_belong_to_their_columns(frame: Any, by_threads: Any) -> None:
    """Whatever the order of columns, and of rows."""
    order = ["f", "level", "c", "a", "e", "b", "d", "bought"]
    expected = by_threads["binomial"].path
    path = nb.fit_path(frame[order], "bought", family="binomial", lambdas=expected.lambdas)
    places = [path.feature_names.index(name) for name in expected.feature_names]
    np.testing.assert_allclose(path.coefs[:, places], expected.coefs, rtol=0, atol=1e-3)


def test_zeros_are_zeros(by_threads: Any) -> None:
    coefs = by_threads["binomial"].path.coefs
    assert (coefs == 0.0).mean() > 0.2
    assert np.abs(coefs[coefs != 0.0]).min() > 1e-9


def test_chunks_of_unknown_size(frame: Any) -> None:
    X, y = frame[[*"abcdef"]].values, frame["amount"].values
    assert np.isnan(X.shape[0])
    rows = table()
    found = nb.fit_path(X, y)
    expected = nb.fit_path(rows[[*"abcdef"]].to_numpy(), rows["amount"].to_numpy(), lambdas=found.lambdas)
    np.testing.assert_allclose(found.coefs, expected.coefs, rtol=0, atol=1e-9)


def test_rows_of_a_block_are_those_of_partitions(frame: Any) -> None:
    with pytest.raises(ValueError, match=r"rows is not available for dask collections.*repartition"):
        nb.fit_path(nb.Blocks(frame, rows=10), "amount")
    with pytest.raises(TypeError, match="needs a DaskExecutor, not int"):
        nb.fit_path(nb.Blocks(frame, executor=3), "amount")  # type: ignore[arg-type]
