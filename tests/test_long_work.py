"""Fits that take long: progress, stopping them, and the threads they use."""

import gc
import os
import signal
import threading

import numpy as np
import pytest
import threadpoolctl

import normball as nb
from normball import threads
from normball.progress import Poll


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(80, 6)) * [1.0, 2.0, 0.5, 3.0, 1.0, 1.0]
    return X, X @ [1.0, -0.5, 0.0, 0.2, 0.0, 0.0] + generator.normal(size=80)


@pytest.fixture(scope="module")
def long_work():
    """Some seconds of work, much longer than the time between two reports."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(1000, 400))
    return X, (X[:, :100].sum(axis=1) + 5 * generator.normal(size=1000) > 0)


def test_a_callable_sees_the_progress_and_stops_the_fit(table, long_work):
    seen = []
    nb.fit_path(*table, n_lambdas=10, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (10, 10)
    assert all(0 <= done <= total for done, total in seen)
    assert seen == sorted(seen)

    with pytest.raises(nb.Interrupted, match="Interrupted after") as stopped:
        nb.fit_path(*long_work, family="binomial", progress=lambda done, total: done > 3)
    part = stopped.value.result
    assert 3 < part.lambdas.size < 100
    assert part.coefs.shape[0] == part.loss.size == part.lambdas.size
    assert (part.statuses == "converged").all()


def test_nothing_finished_gives_no_result(long_work):
    with pytest.raises(nb.Interrupted, match="Interrupted after 0 of 100 lambdas") as stopped:
        nb.fit_path(*long_work, family="binomial", progress=lambda *_: True)
    assert stopped.value.result is None


def test_stopping_at_the_very_end_still_interrupts(table):
    with pytest.raises(nb.Interrupted) as stopped:
        nb.fit_path(*table, n_lambdas=10, progress=lambda done, total: done == total)
    assert stopped.value.result.lambdas.size == 10


@pytest.mark.parametrize("family", ["binomial", "multinomial"])
def test_a_solution_in_the_row_space_is_none_of_the_features(family):
    """Wide ridge is solved there first: stopped on the way back, nothing of it may pass for coefficients."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(40, 300))
    y = np.arange(40) % (2 if family == "binomial" else 3)
    seen = []

    def stop_when_all_are_solved(done, total):
        seen.append((done, total))
        return done == total

    with pytest.raises(nb.Interrupted) as stopped:
        nb.fit_path(X, y, family=family, l1_ratio=0, n_lambdas=30, progress=stop_when_all_are_solved)
    assert seen == sorted(seen)
    whole = nb.fit_path(X, y, family=family, l1_ratio=0, n_lambdas=30)
    part = stopped.value.result
    if part is not None:
        assert (part.statuses == "converged").all()
        assert part.coefs == pytest.approx(whole.coefs[: part.lambdas.size], abs=1e-6)


def test_control_c_keeps_what_is_finished(long_work, control_c):
    def press(done, total):
        if done > 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(nb.Interrupted) as stopped:
        nb.fit_path(*long_work, family="binomial", progress=press)
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert 3 < stopped.value.result.lambdas.size < 100


def test_control_c_while_native_code_runs(long_work, control_c):
    gc.collect()  # hypothesis watches collections in Python: one in the wrong moment would swallow the signal
    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(nb.Interrupted):
        nb.fit_path(*long_work, family="binomial", n_lambdas=1000)
    timer.join()


def test_an_error_in_the_callable_comes_through(table):
    def fail(done, total):
        raise RuntimeError("from the callable")

    with pytest.raises(RuntimeError, match="from the callable"):
        nb.fit_path(*table, progress=fail)


def test_a_bar_appears_after_a_while(monkeypatch, capsys):
    monkeypatch.setattr("normball.progress._PATIENCE", 0.0)
    with Poll(True) as poll:
        assert not poll(1, 10)
        assert not poll(2, 10)
    assert "path" in capsys.readouterr().err
    with Poll(None) as poll:  # the test's stderr is no terminal
        assert not poll(1, 10)
    assert capsys.readouterr().err == ""


def test_blas_is_held_at_one_thread_until_the_last_fit_ends():
    def n_threads():
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}

    inside, leave, outside, end = (threading.Event() for _ in range(4))

    def first_fit():
        with threads.single_threaded_blas:
            inside.set()
            leave.wait(10)
        outside.set()
        end.wait(10)  # still alive: it is this thread that threadpoolctl took for the owner of the limit

    with threads.single_threaded_blas:
        pass  # BLAS is loaded from here on
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = n_threads()  # not only 2 where another package brings a BLAS that knows one thread
        first = threading.Thread(target=first_fit, daemon=True)
        first.start()
        inside.wait(10)
        with threads.single_threaded_blas:
            assert n_threads() == {1}
            leave.set()
            outside.wait(10)
            assert n_threads() == {1}
        assert n_threads() == before
        end.set()
        first.join()


@pytest.mark.parametrize(("variable", "share"), [("", None), ("1", 1), ("1,4", 1), ("100000", None), ("no", None)])
def test_the_default_number_of_threads(monkeypatch, variable, share):
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert threads.default_threads() == (share or 3)
    assert threads.default_threads(442 * 10) == 1


@pytest.mark.parametrize(("count", "expected"), [(8, 8), (None, 1)])
def test_the_number_of_processors_where_there_is_no_affinity(monkeypatch, count, expected):
    """As on macOS and Windows."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert threads.default_threads() == expected
    X = np.random.default_rng(0).normal(size=(700, 100))  # large enough to ask
    assert (nb.fit_path(X, X[:, 0], n_lambdas=3).statuses == "converged").all()


def test_results_do_not_depend_on_the_number_of_threads(table):
    one, two = (nb.fit_path(*table, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.coefs, two.coefs)
