"""Numbers near the ends of what a double can hold: the right answer, or an error that says so."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

import normball as nb
from commands import Capture, run

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(N, 3))
ETA = X @ [1.0, 2.0, 0.0] + RNG.normal(size=N)
TARGETS = {"gaussian": ETA, "binomial": (ETA > 0).astype(float), "poisson": RNG.poisson(np.exp(ETA / 2)).astype(float)}
OPTIONS = {"n_lambdas": 8}


@pytest.mark.parametrize("family", TARGETS)
@pytest.mark.parametrize("size", [5e-324, 1e-310, 1e-200, 1e200, 1e307])
def test_only_ratios_of_weights_matter(family, size) -> None:
    plain = nb.cv_path(X, TARGETS[family], family=family, cv=3, **OPTIONS)
    scaled = nb.cv_path(X, TARGETS[family], family=family, cv=3, sample_weight=np.full(N, size), **OPTIONS)
    np.testing.assert_allclose(scaled.path.coefs, plain.path.coefs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scaled.cv_mean, plain.cv_mean, rtol=1e-5)
    np.testing.assert_allclose(scaled.cv_se, plain.cv_se, rtol=1e-4)
    assert (scaled.path.statuses == "converged").all()
    uneven = np.array([1.0, 2.0, 3.0])[np.arange(N) % 3]
    if size > 1.0 or size == 1e-200:
        unit = size / 4 if size > 1.0 else size
        one = nb.fit_path(X, TARGETS[family], family=family, sample_weight=uneven, **OPTIONS)
        two = nb.fit_path(X, TARGETS[family], family=family, sample_weight=uneven * unit, **OPTIONS)
        np.testing.assert_allclose(two.coefs, one.coefs, rtol=1e-4, atol=1e-5)
    columns = np.column_stack([np.ones(N), np.full(N, size)])
    first, second = nb.fit_paths(X, TARGETS[family], family=family, sample_weight=columns, **OPTIONS)
    np.testing.assert_allclose(first.coefs, second.coefs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", TARGETS)
@pytest.mark.parametrize("size", [1e-140, 1e140])
@pytest.mark.parametrize("layout", [np.asarray, np.asfortranarray, sparse.csc_array])
def test_units_of_features_within_the_range(family, size, layout) -> None:
    plain = nb.fit_path(layout(X), TARGETS[family], family=family, **OPTIONS)
    for columns in ([1], [0, 1, 2]):
        Z = X.copy()
        Z[:, columns] *= size
        path = nb.fit_path(layout(Z), TARGETS[family], family=family, **OPTIONS)
        coefs = path.coefs.copy()
        coefs[:, columns] *= size
        np.testing.assert_allclose(coefs, plain.coefs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("family", TARGETS)
@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-160, 1e160, 1e200, 1e300])
@pytest.mark.parametrize("layout", [np.asarray, np.asfortranarray, sparse.csc_array, pl.DataFrame])
@pytest.mark.parametrize("standardize", [True, False])
def test_features_beyond_the_range(family, size, layout, standardize) -> None:
    Z = X.copy()
    Z[:, 1] *= size
    name = "column_1" if layout is pl.DataFrame else "x1"
    with pytest.raises(
        nb.DataError, match=rf"E07 Values beyond 1e-150 to 1e\+150 in size.*: {name}, rows 1, 2"
    ) as caught:
        nb.fit_path(layout(Z), TARGETS[family], family=family, standardize=standardize, **OPTIONS)
    assert caught.value.findings[0].fix == f'choose another unit  or  drop=["{name}"]'
    assert nb.fit_path(layout(Z), TARGETS[family], family=family, drop=[name], **OPTIONS).n_features == 2
    assert nb.check(layout(Z), TARGETS[family]).errors[0].code == "E07"


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_targets_and_offsets_beyond_the_range(size) -> None:
    with pytest.raises(nb.DataError, match=r"E07 Values beyond 1e-150 to 1e\+150 in size.*: y \(target\), rows"):
        nb.fit_path(X, ETA * size)
    if size > 1:
        with pytest.raises(nb.DataError, match=r"E15 Values of offset are beyond 1e\+150 in size: rows 1, 2"):
            nb.fit_path(X, ETA, offset=np.full(N, size))


@pytest.mark.parametrize("size", [1e-140, 1e-30, 1e30, 1e140])
def test_units_of_a_numeric_target(size) -> None:
    plain, scaled = nb.fit_path(X, ETA, **OPTIONS), nb.fit_path(X, ETA * size, **OPTIONS)
    np.testing.assert_allclose(scaled.coefs / size, plain.coefs, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(scaled.deviance_ratio, plain.deviance_ratio, rtol=1e-6, atol=1e-9)


def test_one_huge_value_and_zeros_among_tiny_ones() -> None:
    Z = X.copy()
    Z[7, 2] = 1e200
    with pytest.raises(nb.DataError, match=r"E07 .*: x2, row 8\."):
        nb.fit_path(Z, ETA)
    Z[:, 2] = np.where(np.arange(N) % 2, 1e-200, 1.0)  # tiny beside others is zero
    assert nb.fit_path(Z, ETA, **OPTIONS).n_features == 3
    Z[:, 2] = 0.0
    assert (nb.fit_path(Z, ETA, **OPTIONS).coefs[:, 2] == 0).all()
    narrow = (1e25 * X).astype(np.float32)  # squares overflow in single precision only
    assert (nb.fit_path(narrow, ETA, **OPTIONS).statuses == "converged").all()


def test_whole_numbers_beyond_every_float_are_infinite() -> None:
    huge = [10**400, *range(1, N)]
    with pytest.raises(nb.DataError, match=r"E07 Infinite values: y \(target\), row 1"):
        nb.fit_path(X, huge)
    with pytest.raises(nb.DataError, match="E07 Infinite values: big, row 1"):
        nb.fit_path(pd.DataFrame({"big": pd.Series(huge, dtype=object), "a": X[:, 0]}), ETA)


@pytest.mark.parametrize("factor", [5e-324, 1e-300, 1e-101])
def test_factors_too_small_to_divide_by(factor) -> None:
    with pytest.raises(nb.DataError, match=r"E16 penalty_factors must be 0, or 1e-100 or more; not so for x1"):
        nb.fit_path(X, ETA, penalty_factors=[1.0, factor, 1.0])
    with pytest.warns(nb.NotConverged):  # strengths of 1e100 are numbers, though nothing can be proved there
        assert np.isfinite(nb.fit_path(X, ETA, penalty_factors=[1.0, 1e-100, 1.0]).lambda_max)
    assert (nb.fit_path(X, ETA, penalty_factors=[1.0, 1e300, 1.0]).statuses == "converged").all()


def test_command_line(folder, capsys: Capture) -> None:
    table = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": ETA, "w": np.full(N, 1e307), "huge": X[:, 2] * 1e200})
    table.write_csv("r.csv")
    words = ("fit", "--no-compare", "r.csv", "--target", "y", "--cv", "3", "-o", "m", "--n-lambdas", "9")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, _, stderr = run(capsys, *words, "--weights", "w", "--drop", "huge")
    assert code == 0
    assert stderr == "W05 --weights up to 1e+307 were divided by the largest: only their ratios matter.\n"
    code, _, stderr = run(capsys, *words, "--drop", "w")
    assert code == 3
    assert "E07 Values beyond" in stderr
    assert "--drop huge" in stderr
