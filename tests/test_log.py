"""What is told to `logging`, and that nothing is told where nobody listens."""

import logging
import re
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import normball as nb

SOLVED = re.compile(
    r"(\w+), l1_ratio (\S+): 60 rows x 4 features, (\d+) lambdas of (\d+) problems?, (\d+) not solved, "
    r"largest duality gap (\S+), \S+ reads of the data, in \S+ s"
)


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(60, 4))
    return X, X @ [2.0, 0.0, -1.0, 0.0] + rng.normal(size=60)


def told(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "normball" and record.levelno == level]


@pytest.mark.parametrize(("call", "n_problems"), [(nb.fit_path, 1), (nb.cv_path, 6)])
def test_a_fit_tells_what_was_solved(data, call, n_problems, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "normball")
    options = {} if call is nb.fit_path else {"cv": 5}
    result = call(*data, family="gaussian", n_lambdas=20, **options)
    (line,) = told(caplog, logging.INFO)
    found = SOLVED.fullmatch(line)
    assert found, line
    assert found.groups()[:5] == ("gaussian", "1", "20", str(n_problems), "0")
    path = result if call is nb.fit_path else result.path
    assert float(found[6]) >= path.dual_gaps.max() * 0.99


def test_findings_are_told(data, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "normball")
    X, y = data
    table = pl.DataFrame({"id": np.arange(60), "x": X[:, 0]})
    result = nb.fit_path(table, y, family="gaussian")
    found = [f"{one.code}: {one.text}" for one in result.findings]
    assert [line[:3] for line in found] == ["W14"]
    assert told(caplog, logging.INFO)[:-1] == found


def test_passes_over_blocks_are_told(data, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "normball")
    nb.fit_path(nb.Blocks(data[0], rows=20), data[1], family="gaussian")
    (line,) = told(caplog, logging.DEBUG)
    assert re.fullmatch(r"pass 1 over 3 blocks, in \S+ s", line)


def test_silent_where_nobody_listens() -> None:
    script = (
        "import numpy as np, normball as nb; X = np.eye(6); X[:, 5] = 1; "
        "nb.fit_path(X, np.arange(6.0), family='gaussian'); import logging; "
        "logging.getLogger('normball').error('an error too')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
