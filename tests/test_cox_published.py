"""Published Cox models: glmnet's paths that scikit-survival keeps, the vignettes of glmnet and of penalized."""

import re
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pytest

import normball as nb
from survival_data import load
from test_survival_golden import GLMNET


@dataclass(frozen=True)
class Published:
    """A stored path (`coefs`, features x strengths, on the scale of `X`), and how it was asked for."""

    X: np.ndarray
    y: np.ndarray
    coefs: np.ndarray
    lambdas: np.ndarray
    options: dict = field(default_factory=dict)


def breslow_losses(y, eta):
    """Half the deviance over the rows, but for a constant, of each column of eta: added up from the last time on."""
    order = np.argsort(-y[:, 0], kind="stable")
    time, event, eta = y[order, 0], y[order, 1] == 1, eta[order]
    last = np.searchsorted(-time, -time, side="right") - 1  # of those at risk
    terms = np.logaddexp.accumulate(eta, axis=0)[last] - eta
    return terms[event].sum(axis=0) / len(y)


def objectives(one, coefs):
    factors = one.options.get("penalty_factors", np.ones(len(coefs)))[:, None]
    scaled = coefs * (one.X.std(axis=0)[:, None] if one.options["standardize"] else 1.0)
    ratio = one.options["l1_ratio"]
    penalty = (factors * (ratio * np.abs(scaled) + (1 - ratio) / 2 * scaled**2)).sum(axis=0)
    return breslow_losses(one.y, one.X @ coefs) + one.lambdas * penalty


def grid(largest, ratio, n_lambdas=100):
    return largest * ratio ** (np.arange(n_lambdas) / (n_lambdas - 1))


def factors_of(**some):
    """glmnet's penalty factors, which it scales to sum to the number of features."""
    factors = np.ones(30)
    for place, value in some.items():
        factors[int(place[1:])] = value
    return factors * 30 / factors.sum()


# strengths, l1_ratio, penalty factors, and what becomes of the columns
EXAMPLES = {
    "1": (grid(0.468899812444165, 1e-4), 0.5, None, ""),
    "1-pf": (grid(1.58712986523032, 1e-4), 0.5, factors_of(x4=0.125), ""),
    "1-pf2": (grid(1.58712986523032, 1e-4), 0.5, factors_of(x4=0.125, x10=1.25, x12=0.75), ""),
    "1-unpen": (grid(0.486489606631737, 1e-4), 0.5, factors_of(x0=0.0, x29=0.0), ""),
    "2": (grid(0.260499895802314, 1e-4), 0.9, None, ""),
    "2-norm": (grid(0.00831887750878913, 1e-4), 0.9, None, "length 1"),
    "2-std": (grid(0.263066005037211, 1e-4), 0.9, None, "standardised"),
    "2-alpha": (np.array([0.45, 0.4, 0.35, 0.25, 0.1, 0.05, 0.001]), 0.9, None, "length 1"),
    "2-nalpha": (grid(0.260499895802314, 1e-3, 11), 0.9, None, ""),
    "2-nalpha-norm": (grid(0.00831887750878913, 1e-3, 11), 0.9, None, "length 1"),
}


def example(name, folder, read_shared):
    lambdas, l1_ratio, factors, columns = EXAMPLES[name]
    y, X, _ = load("glmnet_cox", read_shared)
    coefs = pl.read_csv(folder / f"sksurv_cox-example-coef-{name}.csv").to_numpy()
    if columns == "length 1":
        lengths = X.std(axis=0) * np.sqrt(len(X))
        X, coefs = X / lengths, coefs * lengths[:, None]
    options = {"l1_ratio": l1_ratio, "standardize": columns == "standardised"}
    if factors is not None:
        options["penalty_factors"] = factors
    return Published(X, y, coefs, lambdas[: coefs.shape[1]], options)


def five_rows(folder):
    y = np.array([[7.0, 1], [8, 0], [11, 0], [11, 1], [23, 0]])
    X = [[1, 23, 120, 0.123], [1, 43, 98, 0.541], [1, 54, 78, 0.784], [0, 75, 91, 0.846], [0, 67, 79, 0.331]]
    coefs = pl.read_csv(folder / "sksurv_cox-simple-coef.csv").to_numpy().astype(float)
    options = {"l1_ratio": 1.0, "standardize": False}
    return Published(np.array(X), y, coefs, grid(7.02666666666667, 1e-4)[: coefs.shape[1]], options)


def breast(name, folder, read_shared):
    is_high = name.endswith("high")
    table = read_shared("breast_gse7390").with_columns(
        (pl.col("er") == "positive").cast(float).alias("er='positive'"),
        *[(pl.col("grade") == g).cast(float).alias(f"grade='{g}'")
          for g in ("intermediate", "poorly differentiated", "unkown")],
    )  # fmt: skip
    stored = pl.read_csv(folder / f"sksurv_breast_cancer_glmnet_coefficients{name.removeprefix('breast')}.csv")
    y = table.select("time", "event").to_numpy().astype(float)
    plain = {re.sub(r"\W", ".", column): column for column in table.columns}  # R has other names for some
    X = table.select([plain[re.sub(r"\W", ".", label)] for label in stored[:, 0]]).to_numpy().astype(float)
    if is_high:
        longest = np.argsort(-y[:, 0])[:80]
        X, y = X[longest], y[longest]
    lambdas = grid(0.0948288922619048, 1e-2) if is_high else grid(0.207764947265866, 1e-4)
    coefs = stored[:, 1:].to_numpy().astype(float)
    return Published(X, y, coefs, lambdas[: coefs.shape[1]], {"l1_ratio": 1.0, "standardize": False})


@pytest.mark.parametrize("name", [*EXAMPLES, "five rows", "breast", "breast_high"])
def test_no_published_path_is_lower(name, shared_data, read_shared):
    """Those of glmnet that scikit-survival keeps, at any strength; their grids begin where ours does."""
    folder = shared_data / "published"
    if name in EXAMPLES:
        one = example(name, folder, read_shared)
    else:
        one = five_rows(folder) if name == "five rows" else breast(name, folder, read_shared)
    path = nb.fit_path(one.X, one.y, family="cox(breslow)", lambdas=one.lambdas, tol=1e-10, **one.options)
    ours, theirs = objectives(one, path.coefs.T), objectives(one, one.coefs)
    assert (ours <= theirs + 1e-9).all()
    assert (theirs - ours)[0] <= 1e-4
    if name != "2-alpha":
        assert path.lambda_max == pytest.approx(one.lambdas[0], rel=1e-5)


def test_glmnet_s_vignette(read_shared):
    """To 1e-7 of glmnet at the threshold 1e-14; the table it prints has that of its default, 3e-4 away."""
    y, X, _ = load("glmnet_cox", read_shared)
    coefs = nb.fit_path(X, y, family="cox(breslow)", lambdas=[0.05], tol=1e-13).coefs[0]
    np.testing.assert_allclose(coefs[:8], GLMNET["tight"]["at_0.05"], rtol=0, atol=1e-7)
    printed = [0.37693638, -0.09547797, -0.13595972, 0.09814146, -0.11437545, -0.38898545, 0.24291400, 0.03647596]
    np.testing.assert_allclose(coefs[:8], printed, rtol=0, atol=4e-4)
    assert not coefs[30:].any()


def test_penalized_s_vignette(read_shared):
    """70 genes of 144 patients: lambda1 = 1 on the sum, which is 1/144 on the mean."""
    table = read_shared("nki70")
    y, X = table.select("time", "event").to_numpy().astype(float), table[:, 7:].to_numpy().astype(float)
    assert X.shape == (144, 70)
    path = nb.fit_path(X, y, family="cox(breslow)", lambdas=[1 / 144], standardize=False, tol=1e-10)
    assert np.count_nonzero(path.coefs[0]) == 28
    assert np.abs(path.coefs[0]).sum() == pytest.approx(24.29771, abs=5.1e-6)
    assert -144 * breslow_losses(y, X @ path.coefs.T)[0] == pytest.approx(-166.92, abs=0.0051)
