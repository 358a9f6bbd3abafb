"""What an import costs: nothing heavy before it is used."""

import subprocess
import sys
import time

import pytest

import normball

HEAVY = {"jinja2", "matplotlib", "numpy", "pandas", "polars", "pyarrow", "rich", "scipy", "sklearn"}


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def modules_after(code: str) -> set[str]:
    output = run(f"{code}\nimport sys\nprint('modules', *sys.modules)")
    return {name.partition(".")[0] for name in output.splitlines()[-1].split()[1:]}


def test_import_loads_nothing_heavy() -> None:
    assert modules_after("import normball") & HEAVY == set()


def test_help_loads_nothing_heavy() -> None:
    code = "from normball.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert modules_after(code) & HEAVY == set()


def test_import_is_quick() -> None:
    def seconds(code: str) -> float:
        start = time.perf_counter()
        run(code)
        return time.perf_counter() - start

    assert min(seconds("import normball") for _ in range(3)) < 0.5


@pytest.mark.parametrize("family", ["gaussian", "cox"])
def test_a_cross_validation_loads_no_statistics(family: str) -> None:
    """Loading `scipy.stats` takes longer than many a fit."""
    target = "np.column_stack([1 + X[:, 0] ** 2, X[:, 1] > -1])" if family == "cox" else "X[:, 0]"
    code = "import numpy as np, normball as nb\nX = np.random.default_rng(0).normal(size=(60, 2))\n"
    code += f"nb.cv_path(X, {target}, family={family!r}, cv=3)\nimport sys\nprint('scipy.stats' in sys.modules)"
    assert run(code).strip() == "False"


@pytest.mark.parametrize("name", normball.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert name in dir(normball)
    assert getattr(normball, name).__name__ == name


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lasso'"):
        normball.lasso  # noqa: B018
