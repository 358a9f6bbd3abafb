"""The table of families: nobody else compares their names, and its mathematics is what it says."""

import ast
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import normball as nb
from normball.cli import options
from normball.families import FAMILIES, family_name, find_family
from normball.family import Family
from normball.inputs.prepare import prepare
from normball.inputs.targets import settled
from normball.messages import DataError
from normball.results.facts import figures
from normball.scores import dispersion
from targets import NEW, each_family

ROOT = Path(__file__).parents[1]
TABLE = ("families.py", "families_outputs.py", "families_survival.py", "family.py")
K = 3  # outputs, where there are several
NAMES = [name for name, entry in FAMILIES.items() if not entry.has_risk_sets]
OF_PARAMETERS = (
    "tweedie(1.2)",
    "tweedie(1.85)",
    "negative_binomial(2)",
    "negative_binomial(0.3)",
    "huber(1.345)",
    "huber(0.4)",
)
SETTLED = [*(name for name in NAMES if not find_family(name).is_open), *OF_PARAMETERS]


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


def shape(family: Family, *lengths: int) -> tuple[int, ...]:
    """With several outputs these are the last axis of everything but losses."""
    return (*lengths, K) if family.has_outputs else lengths


def targets(family: Family, n: int, rng: np.random.Generator) -> np.ndarray:
    """Random targets that a family takes, zeros among them where it takes those."""
    y = rng.uniform(0.0, 1.0, shape(family, n)) if family.has_classes else rng.normal(size=shape(family, n)) * 3.0
    refused = family.refused(y)[0]
    y[refused] = np.abs(y[refused])
    if family.has_classes and family.has_outputs:
        y[: n // 8] = np.eye(K)[rng.integers(0, K, n // 8)]
        return y / y.sum(axis=1, keepdims=True)
    y[: n // 8] = np.where(family.refused(np.zeros_like(y[: n // 8]))[0], y[: n // 8], 0.0)
    return y


def directions(family: Family) -> np.ndarray:
    """Each linear predictor by itself."""
    return np.eye(K) if family.has_outputs else np.ones((1,))


def slopes(family: Family, function: Callable[[np.ndarray], np.ndarray], eta: np.ndarray) -> np.ndarray:
    """Differences of a function of the linear predictors, along each of them."""
    small = 1e-6
    found = [(function(eta + small * one) - function(eta - small * one)) / (2 * small) for one in directions(family)]
    return np.stack(found, axis=-1).reshape(*found[0].shape, -1)


@pytest.mark.parametrize("name", SETTLED)
def test_derivatives_belong_to_the_loss(name: str) -> None:
    family, rng = find_family(name), np.random.default_rng(0)
    y, eta = targets(family, 200, rng), rng.normal(size=shape(family, 200))
    slope = slopes(family, lambda at: family.loss(y, at), eta).reshape(eta.shape)
    np.testing.assert_allclose(family.residual(y, eta), slope, rtol=1e-6, atol=1e-7)
    small = 1e-6
    smooth = family.curvature(y, eta - small) == family.curvature(y, eta + small) if "huber" in name else np.isfinite(y)
    bend = slopes(family, lambda at: family.residual(y, at), eta)
    bend = np.diagonal(bend, axis1=-2, axis2=-1) if family.has_outputs else bend[..., 0]
    np.testing.assert_allclose(family.curvature(y, eta)[smooth], bend[smooth], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", SETTLED)
def test_the_loss_is_zero_at_a_perfect_fit_and_positive_elsewhere(name: str) -> None:
    family, rng = find_family(name), np.random.default_rng(1)
    eta = rng.normal(size=shape(family, 300))
    mean = family.mean(eta)
    np.testing.assert_allclose(family.loss(mean, eta), 0.0, atol=1e-13)
    np.testing.assert_allclose(family.residual(mean, eta), 0.0, atol=1e-14)
    free = eta.mean(axis=1, keepdims=True) if family.has_outputs and family.has_classes else 0.0
    np.testing.assert_allclose(family.link(mean), eta - free, atol=1e-12)
    y = targets(family, 300, rng)
    assert (family.loss(y, eta) >= -1e-14).all()
    assert (family.curvature(y, eta) >= 0.0).all()


@pytest.mark.parametrize("name", SETTLED)
def test_the_null_model_has_no_residual(name: str) -> None:
    family, rng = find_family(name), np.random.default_rng(2)
    y, weights = targets(family, 400, rng), rng.uniform(0.0, 2.0, 400)
    offset = 0.3 * rng.normal(size=y.shape)
    for shift in (np.zeros(y.shape), offset):
        intercept = family.null_intercept(y, weights, shift)
        assert np.abs(weights @ family.residual(y, shift + intercept)).max() <= 1e-9 * weights.sum()


@pytest.mark.parametrize("name", SETTLED)
def test_mean_losses_are_means_of_losses(name: str) -> None:
    family, rng = find_family(name), np.random.default_rng(3)
    y, weights, eta = targets(family, 50, rng), rng.uniform(size=50), rng.normal(size=shape(family, 50, 4))
    weights /= weights.sum()
    np.testing.assert_allclose(family.mean_loss(y, weights, eta), weights @ family.loss(y[:, None], eta), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tweedie(0)", 'write family="gaussian"'),
        ("tweedie(1)", 'write family="poisson"'),
        ("tweedie(2)", 'write family="gamma"'),
        ("tweedie(3)", "not convex in the linear predictor .* above 2 times the target"),
        ("tweedie(0.5)", "not convex"),
        ("tweedie(-1)", "not convex"),
        ("inverse_gaussian", 'not convex .* write family="gamma"'),
        ("tweedie(x)", "power must be a number"),
        ("negative_binomial(0)", "theta must be a positive number"),
        ("huber(inf)", "delta must be a positive number"),
        ("gamma(2)", "has no parameter: write 'gamma'"),
    ],
)
def test_what_cannot_be_says_why(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        find_family(name)


@pytest.mark.parametrize("power", [3.0, 0.5, -1.0])
def test_other_powers_are_not_convex_where_the_message_says(power: float) -> None:
    """f'' of the unit deviance of any power changes its sign at the multiple of the target that the message names."""
    bound = (power - 1.0) / (power - 2.0)
    for target in (0.5, 2.0):
        for share, sign in ((0.9, 1.0 if power > 2 else -1.0), (1.1, -1.0 if power > 2 else 1.0)):
            mu = share * bound * target
            curvature = (2 - power) * mu ** (2 - power) + (power - 1) * target * mu ** (1 - power)
            assert np.sign(curvature) == sign


def test_bare_names_take_the_default_or_an_estimate() -> None:
    rng = np.random.default_rng(0)
    mean = np.exp(1.0 + 0.5 * rng.normal(size=20_000))
    offset, weights = np.log(mean), rng.integers(1, 3, mean.size).astype(float)
    counts = rng.negative_binomial(2.0, 2.0 / (2.0 + mean)).astype(float)
    assert str(find_family("tweedie")) == "tweedie(1.5)"
    name = settled("negative_binomial", counts, weights, offset, "y")
    assert find_family(name).parameter == pytest.approx(2.0, rel=0.05)
    name = settled("huber", mean + 3.0 * rng.normal(size=mean.size), weights, mean, "y")
    assert find_family(name).parameter == pytest.approx(3.0 * 1.345, rel=0.05)
    assert settled("huber(2)", counts, weights, offset, "y") == "huber(2)"
    poisson = np.repeat([0.0, 1.0, 2.0], 50)
    with pytest.raises(DataError, match=r'(?s)no more than Poisson counts would.*family="poisson"'):
        settled("negative_binomial", poisson, np.ones(150), np.zeros(150), "y")
    with pytest.raises(DataError, match=r'(?s)one value in more than half of its rows.*family="huber'):
        settled("huber", np.repeat([0.0, 1.0], [100, 50]), np.ones(150), np.zeros(150), "y")


@pytest.mark.parametrize(
    ("name", "y", "problem", "remedy"),
    [
        ("gamma", [0.0, 1.0, 2.0], "1 values that are not positive", "tweedie"),
        ("gamma", [-1.0, 0.0, 2.0], "2 values that are not positive", "gaussian"),
        ("tweedie", [-1.0, 0.0, 2.0], "1 negative values; a Tweedie target is zero or positive", "gaussian"),
        ("negative_binomial", [-1.0, 0.0, 2.0], "1 negative values; counts cannot be negative", "gaussian"),
    ],
)
def test_targets_that_a_family_refuses(name: str, y: list[float], problem: str, remedy: str) -> None:
    with pytest.raises(DataError) as caught:
        prepare(np.eye(3), np.array(y), family=name)
    (finding,) = caught.value.findings
    assert problem in finding.text
    assert f'family="{remedy}"' in finding.fix
    prepare(np.eye(3), np.array(y), family=remedy)  # the remedy works


@pytest.mark.parametrize(("zeros", "remedy"), [(0, "gamma"), (30, "tweedie")])
def test_amounts_with_a_long_tail_are_told_which_family(zeros: int, remedy: str) -> None:
    rng = np.random.default_rng(0)
    y = np.exp(1.2 * rng.normal(size=200))
    y[:zeros] = 0.0
    (finding,) = prepare(rng.normal(size=(200, 2)), y, family="auto").findings
    assert finding.code == "W16"
    assert finding.fix.endswith(f'family="{remedy}"')
    assert prepare(rng.normal(size=(200, 2)), y, family=remedy).findings == []
    assert prepare(rng.normal(size=(200, 2)), rng.normal(size=200) + 9.0, family="auto").findings == []


def test_dispersion_is_pearsons() -> None:
    family, rng = find_family("gamma"), np.random.default_rng(0)
    eta = rng.normal(size=50)
    y, weights = np.exp(eta) * rng.gamma(2.0, 0.5, 50), np.append(np.zeros(5), rng.uniform(size=45))
    expected = (weights * (y / np.exp(eta) - 1.0) ** 2).sum() / (45 - 3)
    assert dispersion(family, y, eta, weights, 3) == pytest.approx(expected)
    assert np.isnan(dispersion(family, y, eta, weights, 45))


@pytest.mark.parametrize("family", NEW)
def test_a_path_knows_the_dispersion_at_its_end(family: str, tmp_path: Path) -> None:
    X, targets, weights = each_family()
    path = nb.fit_path(X, targets[family], family=family, sample_weight=weights, n_lambdas=20)
    if not find_family(family).reports_dispersion:
        assert path.dispersion is None
        assert "dispersion" not in path.summary() + path._repr_html_()
        return
    fit = path.at(lam=path.lambdas[-1])
    expected = dispersion(find_family(family), targets[family], fit.predict(X), weights, fit.n_nonzero + 1)
    assert path.dispersion == pytest.approx(expected, rel=1e-12)
    assert path.summary().endswith(f"\ndispersion {figures(expected)} at the last lambda")
    assert f"dispersion {figures(expected)}" in path._repr_html_()
    path.save(tmp_path / "path.json")
    loaded = nb.load(tmp_path / "path.json")
    assert isinstance(loaded, nb.Path)
    assert loaded.dispersion == path.dispersion
    saturated = nb.fit_path(X[:9], targets[family][:9], family=family, l1_ratio=0.0)  # 8 features and the intercept
    assert saturated.dispersion is None


def test_counts_that_vary_too_much_are_told_so() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = rng.poisson(np.exp(1.0 + 0.5 * X[:, 0] + rng.normal(size=400))).astype(float)
    cv = nb.cv_path(X, y, family="poisson", cv=4, n_lambdas=20)
    fit = cv.at("best")
    mean = fit.predict(X, kind="response")
    found = ((y - mean) ** 2 / mean).sum() / (400 - fit.n_nonzero - 1)
    assert cv.diagnostics["best"]["dispersion"] == pytest.approx(found, rel=1e-9)
    (finding,) = [one for one in cv.findings if one.code == "W36"]
    assert 'family="negative_binomial"' in finding.fix
    assert "dispersion" in cv.summary()
    even = nb.cv_path(X, rng.poisson(np.exp(1.0 + 0.5 * X[:, 0])), family="poisson", cv=4, n_lambdas=20)
    assert not [one for one in even.findings if one.code == "W36"]


def test_the_terminal_lists_the_table() -> None:
    assert tuple(FAMILIES) == options.FAMILIES


def test_the_page_knows_the_functions_that_families_name() -> None:
    source = (ROOT / "web" / "src" / "mathematics.js").read_text(encoding="utf-8")
    links, variances = (source.split(f"const {name} = ")[1].split("};")[0] for name in ("INVERSE_LINKS", "VARIANCES"))
    for entry in FAMILIES.values():
        if entry.has_outputs or entry.has_risk_sets:  # pages of these are still to come
            continue
        assert re.search(rf'^  "?{re.escape(entry.inverse_link)}"?:|^  {entry.inverse_link},', links, re.M), entry
        assert re.search(rf'^  "?{re.escape(entry.variance_function)}"?:', variances, re.M), entry


def test_probabilities_are_right_far_out() -> None:
    binomial = find_family("binomial")
    eta = np.array([-800.0, -300.0, -40.0, 0.0, 40.0, 300.0, 800.0])
    chances = [math.exp(x) / (1 + math.exp(x)) if x < 700 else 1.0 for x in eta]
    np.testing.assert_allclose(binomial.mean(eta), chances, rtol=1e-14)
    bends = [math.exp(-abs(x)) / (1 + math.exp(-abs(x))) ** 2 for x in eta]
    np.testing.assert_allclose(binomial.curvature(np.zeros(7), eta), bends, rtol=1e-14)
