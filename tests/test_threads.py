"""The threads of a call: their errors arrive, and one that cannot be started is done without."""

import os
import subprocess
import sys
import threading
import time

import pytest

from normball import _native


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_every_task_is_done_once(n_threads):
    done = []
    assert _native.run_tasks(100, done.append, n_threads) == n_threads
    assert sorted(done) == list(range(100))


def test_the_error_of_a_task_in_another_thread_arrives():
    """Each task waits for the other, so both threads have one; the worker's fails."""
    caller = threading.get_ident()
    both = threading.Barrier(2, timeout=60)

    def task(_):
        both.wait()
        if threading.get_ident() != caller:
            raise LookupError("in a worker")

    for _ in range(3):
        with pytest.raises(LookupError, match="in a worker"):
            _native.run_tasks(2, task, 2)


def test_the_first_error_ends_what_has_not_begun():
    done = []

    def task(i):
        done.append(i)
        if i == 3:
            raise LookupError("the fourth")
        time.sleep(0.001)

    with pytest.raises(LookupError, match="the fourth"):
        _native.run_tasks(100_000, task, 3)
    assert len(done) < 10_000
    again = []
    _native.run_tasks(10, again.append, 3)
    assert sorted(again) == list(range(10))


LITTLE_ROOM = """
import resource
import numpy as np
import normball as nb
from normball import _native
X = np.random.default_rng(0).normal(size=(3000, 60))
y = (X[:, 0] + X[:, 1] > 0.3).astype(float)
before = nb.fit_path(X, y, family="binomial", n_lambdas=5, n_threads=1)  # loads what there is to load
assert _native.run_tasks(1000, lambda i: None, 200) == 200
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
room = used + 100 * 2**20  # a thread asks for some MB of stack
resource.setrlimit(resource.RLIMIT_AS, (room, room))
assert 1 <= _native.run_tasks(1000, lambda i: None, 200) < 100
after = nb.fit_path(X, y, family="binomial", n_lambdas=5, n_threads=200)
assert (after.coefs == before.coefs).all()
print("alive")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""), reason="its shadow memory needs more than is allowed here"
)
def test_threads_that_cannot_be_started_are_done_without():
    done = subprocess.run([sys.executable, "-c", LITTLE_ROOM], capture_output=True, text=True)
    assert done.stdout == "alive\n", (done.returncode, done.stderr)
