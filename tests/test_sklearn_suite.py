"""The drop-ins pass scikit-learn's own tests, but for those that tests/sklearn_suite/left_out.py lists with reasons."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn

SUITE = Path(__file__).parent / "sklearn_suite"


@pytest.mark.slow
@pytest.mark.skipif(not sklearn.__version__.startswith("1.9."), reason="the list is that of scikit-learn 1.9")
@pytest.mark.parametrize(
    ("module", "at_least"),
    [
        ("tests.test_coordinate_descent", 282),
        ("tests.test_sparse_coordinate_descent", 159),
        ("tests.test_logistic", 282),
        ("tests.test_ridge", 984),
        ("_glm.tests.test_glm", 206),
    ],
)
def test_scikit_learns_own_tests(module, at_least):
    command = [sys.executable, "-m", "pytest", "-c", str(SUITE / "pytest.ini"), "-q", "--tb=short", "-p", "replaced"]
    command += ["-p", "no:cacheprovider", "--pyargs", f"sklearn.linear_model.{module}"]
    path = os.pathsep.join([str(SUITE), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    found = re.search(r"(\d+) passed", done.stdout)
    assert found, done.stdout[-2000:]
    assert int(found[1]) >= at_least
