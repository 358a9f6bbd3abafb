"""What the reference shows: examples that run, and a paragraph for every option."""

import doctest
import inspect
import re
import warnings
from importlib import import_module
from importlib.util import find_spec

import pytest

import normball as nb
from test_house import MODULES

NEEDS = {"normball.torch": "torch", "normball.blocks.dask": "dask"}


def with_examples() -> list[str]:
    """The modules whose docstrings have examples that can run here."""
    lacking = tuple(name for name, package in NEEDS.items() if find_spec(package) is None)
    found = [name for name, file in MODULES.items() if ">>> " in file.read_text(encoding="utf-8")]
    return [name for name in found if not (lacking and name.startswith(lacking))]


@pytest.mark.parametrize("name", with_examples())
def test_examples_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
    assert found.attempted > 0


@pytest.mark.parametrize("name", ["fit_path", "cv_path", "compare", "fit_paths", "fit_ball"])
def test_every_option_has_a_paragraph_and_none_has_two(name: str) -> None:
    function = getattr(nb, name)
    section = inspect.getdoc(function).partition("Parameters\n")[2].partition("\n\nReturns\n")[0]
    told = [one for names in re.findall(r"^([\w, ]+)(?: :|$)", section, re.MULTILINE) for one in names.split(", ")]
    taken = inspect.signature(function).parameters.values()
    assert sorted(told) == sorted(one.name for one in taken if one.kind is not one.VAR_KEYWORD)


@pytest.mark.parametrize("kind", [nb.CVPath, nb.Comparison])
def test_every_method_of_a_result_has_an_example(kind: type) -> None:
    members = inspect.getmembers(kind, inspect.isfunction)
    assert [name for name, one in members if not name.startswith("_") and ">>> " not in (one.__doc__ or "")] == []
    assert ">>> " in (kind.__doc__ or "")
