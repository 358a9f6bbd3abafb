import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# The oracle's matrices are small: threads of BLAS that wait for each other would take ten times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis
import pytest

from commands import small_table
from normball import _native

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"

hypothesis.settings.register_profile("normball", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("normball")

# the versions of the kernels that are tested; NORMBALL_CPU_LEVEL holds all tests to one, as an older CPU would
CPU_LEVELS = _native.cpu_levels()
if "NORMBALL_CPU_LEVEL" in os.environ:
    CPU_LEVELS = [os.environ["NORMBALL_CPU_LEVEL"]]
    _native.set_cpu_level(CPU_LEVELS[0])


@pytest.fixture(scope="module", params=CPU_LEVELS)
def cpu_level(request: pytest.FixtureRequest) -> Iterator[str]:
    """The tests of a module with each version of the kernels that this CPU can run."""
    before = _native.cpu_level()
    _native.set_cpu_level(request.param)
    assert _native.cpu_level() == request.param
    yield request.param
    _native.set_cpu_level(before)


@pytest.fixture
def control_c() -> Iterator[None]:
    """Python's own answer to SIGINT, here and in what is started from here: background jobs inherit none."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the open data sets; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data sets are not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def read_shared(shared_data: Path) -> Callable[[str], Any]:
    """Reader by name: a polars frame for a CSV, (sparse X, y) for an svmlight file."""
    import polars as pl
    from sklearn.datasets import load_svmlight_file

    def read(name: str) -> Any:
        table = shared_data / f"{name}.csv.gz"
        if table.exists():
            return pl.read_csv(table, null_values="NA", infer_schema_length=None)
        return load_svmlight_file(shared_data / f"{name}.svmlight.gz")

    return read


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a table of two kinds of columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    small_table().write_csv("t.csv")
    return tmp_path
