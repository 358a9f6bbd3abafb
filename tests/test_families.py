"""The table of families: nobody else compares their names, and its mathematics is what it says."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from normball.families import FAMILIES, family_name, find_family
from normball.family import Family

ROOT = Path(__file__).parents[1]
TABLE = ("families.py", "family.py")
NAMES = list(FAMILIES)
OF_PARAMETERS = (
    "tweedie(1.2)",
    "tweedie(1.85)",
    "negative_binomial(2)",
    "negative_binomial(0.3)",
    "huber(1.345)",
    "huber(0.4)",
)
SETTLED = [name for name in NAMES if not find_family(name).is_open] + OF_PARAMETERS


def compared(tree: ast.AST) -> list[int]:
    """Lines that compare the name of a family with anything but "auto"."""
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [part for side in (node.left, *node.comparators) for part in getattr(side, "elts", [side])]
        names = {getattr(side, "id", getattr(side, "attr", "")) for side in sides}
        words = {getattr(side, "value", None) for side in sides if isinstance(side, ast.Constant)}
        if words & {*FAMILIES} or ("family" in names and "AUTO" not in names):
            lines.append(node.lineno)
    return lines


def test_the_search_for_comparisons_finds_them() -> None:
    for wrong in ('family == "poisson"', "path.family != other", 'name in ("gaussian", "huber")', "x in table.family"):
        assert compared(ast.parse(wrong))
    assert not compared(ast.parse('family == AUTO or name == "deviance"'))


@pytest.mark.parametrize("file", sorted((ROOT / "src").rglob("*.py")), ids=str)
def test_nobody_else_compares_families(file: Path) -> None:
    if file.name not in TABLE:
        assert compared(ast.parse(file.read_text(encoding="utf-8"))) == []


def test_the_page_knows_no_family() -> None:
    sources = sorted((ROOT / "web" / "src").rglob("*.js"))
    assert sources
    quoted = re.compile(r"[\"'`](?:" + "|".join(NAMES) + r")[\"'`]|\bfamily\s*[!=]=")
    assert [file.name for file in sources if quoted.search(file.read_text(encoding="utf-8"))] == []


def test_names_are_read_as_they_are_written() -> None:
    for name in NAMES:
        assert family_name(name) == str(find_family(name))
        assert find_family(str(find_family(name))) == find_family(name)
    assert family_name("auto") == "auto"
    for wrong in ("logistic", "poisson(2)", "", 5, None, ["gaussian"], "auto(1)"):
        with pytest.raises(ValueError, match=r"^family is "):
            family_name(wrong)
    with pytest.raises(ValueError, match='Did you mean "poisson"'):
        find_family("poison")


def targets(family: Family, n: int, rng: np.random.Generator) -> np.ndarray:
    """Random targets that a family takes, zeros among them where it takes those."""
    y = rng.uniform(0.0, 1.0, n) if family.has_classes else rng.normal(size=n) * 3.0
    refused = family.refused(y)[0]
    y[refused] = np.abs(y[refused])
    y[: n // 8] = np.where(family.refused(np.zeros(n // 8))[0], y[: n // 8], 0.0)
    return y


@pytest.mark.parametrize("name", SETTLED)
def test_derivatives_belong_to_the_loss(name: str) -> None:
    family, rng = find_family(name), np.random.default_rng(0)
    y, eta = targets(family, 200, rng), rng.normal(size=200)
    small = 1e-6
    slope = (family.loss(y, eta + small) - family.loss(y, eta - small)) / (2 * small)
    np.testing.assert_allclose(family.residual(y, eta), slope, rtol=1e-6, atol=1e-7)
    smooth = family.curvature(y, eta - small) == family.curvature(y, eta + small) if "huber" in name else np.isfinite(y)
    bend = (family.residual(y, eta + small) - family.residual(y, eta - small)) / (2 * small)
    np.testing.assert_allclose(family.curvature(y, eta)[smooth], bend[smooth], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", SETTLED)
def test_the_loss_is_zero_at_a_perfect_fit_and_positive_elsewhere(name: str) -> None:
    family, rng = find_family(name), np.random.default_rng(1)
    eta = rng.normal(size=300)
    mean = family.mean(eta)
    np.testing.assert_allclose(family.loss(mean, eta), 0.0, atol=1e-13)
    np.testing.assert_allclose(family.residual(mean, eta), 0.0, atol=1e-14)
    np.testing.assert_allclose(family.link(mean), eta, atol=1e-12)
    y = targets(family, 300, rng)
    assert (family.loss(y, eta) >= -1e-14).all()
    assert (family.curvature(y, eta) >= 0.0).all()


@pytest.mark.parametrize("name", SETTLED)
def test_the_null_model_has_no_residual(name: str) -> None:
    family, rng = find_family(name), np.random.default_rng(2)
    y, weights, offset = targets(family, 400, rng), rng.uniform(0.0, 2.0, 400), 0.3 * rng.normal(size=400)
    for shift in (np.zeros(400), offset):
        intercept = family.null_intercept(y, weights, shift)
        assert abs(weights @ family.residual(y, shift + intercept)) <= 1e-9 * weights.sum()


@pytest.mark.parametrize("name", SETTLED)
def test_mean_losses_are_means_of_losses(name: str) -> None:
    family, rng = find_family(name), np.random.default_rng(3)
    y, weights, eta = targets(family, 50, rng), rng.uniform(size=50), rng.normal(size=(50, 4))
    weights /= weights.sum()
    np.testing.assert_allclose(family.mean_loss(y, weights, eta), weights @ family.loss(y[:, None], eta), rtol=1e-12)
