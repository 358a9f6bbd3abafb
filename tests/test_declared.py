"""What is declared in one file is what holds in the others."""

import re
import tomllib
from pathlib import Path

import normball

HERE = Path(__file__).parents[1]
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))


def lower_bounds() -> dict[str, str]:
    """The oldest version of every dependency, optional ones but PyTorch and the exporters too."""
    project = PROJECT["project"]
    asked = [*project["dependencies"], *(one for some in project["optional-dependencies"].values() for one in some)]
    parts = [re.fullmatch(r"([\w-]+)(?:\[[\w,]+\])?>=([\d.]+)", one) for one in asked]
    return {part[1]: part[2] for part in parts if part}


def test_the_oldest_versions_are_those_that_are_allowed() -> None:
    tested = dict(
        line.split(" ")[0].split("==") for line in (HERE / "tests" / "oldest.txt").read_text("utf-8").splitlines()[1:]
    )
    bounds = lower_bounds()
    assert len(bounds) > 10
    untested = {name for name in bounds if name not in tested}
    assert untested <= {"onnx", "torch"}, "tests/oldest.txt lacks these"
    for name in bounds.keys() & tested.keys():
        assert (tested[name] + ".").startswith(bounds[name] + "."), name


def test_the_version_is_told_once_more() -> None:
    citation = (HERE / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {normball.__version__}\n" in citation


def test_every_python_that_is_declared_is_tested_by_a_workflow() -> None:
    workflow = (HERE / ".github" / "workflows" / "tests.yml").read_text("utf-8")
    declared = [re.search(r"Python :: (3\.\d+)$", one) for one in PROJECT["project"]["classifiers"]]
    versions = [found[1] for found in declared if found]
    assert len(versions) >= 4
    assert f"python: [{', '.join(repr(v) for v in versions)}]".replace("'", '"') in workflow
