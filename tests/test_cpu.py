"""The kernels in their versions for several CPUs: all give certified answers, and the one asked for is the one run."""

import os
import pathlib
import platform

import numpy as np
import pytest
import scipy.sparse

import normball as nb
from normball import _native
from oracle import Problem
from targets import FAMILIES
from test_certificate import make_target

NEEDED = {
    "plain": set(),
    "avx2": {"avx2", "fma"},
    "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "avx512_vnni": {"avx512_vnni"},
}
X86 = platform.machine() in ("x86_64", "AMD64")


def test_each_level_is_one_that_the_cpu_has():
    levels = _native.cpu_levels()
    assert levels == list(NEEDED)[: len(levels)]
    assert _native.cpu_level() == os.environ.get("NORMBALL_CPU_LEVEL", levels[-1])
    info = pathlib.Path("/proc/cpuinfo")
    if not X86 or not info.exists():
        pytest.skip("nothing to compare with")
    flags = set(next(line for line in info.read_text().splitlines() if line.startswith("flags")).split())
    assert all(NEEDED[level] <= flags for level in levels)
    if 1 < len(levels) < len(NEEDED):  # one level alone may be a portable build
        assert not NEEDED[list(NEEDED)[len(levels)]] <= flags


@pytest.mark.parametrize("name", ["avx", "", "AVX2", "avx1024"])
def test_a_level_that_is_none_is_refused(name):
    before = _native.cpu_level()
    with pytest.raises(ValueError, match="no level"):
        _native.set_cpu_level(name)
    assert _native.cpu_level() == before


@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer build fuses nothing")
def test_a_lower_level_runs_other_code():
    """Multiplying and adding in one instruction rounds once; the plain version cannot."""
    levels = _native.cpu_levels()
    if len(levels) == 1:
        pytest.skip("one version only")
    rng = np.random.default_rng(0)
    weights, second = rng.normal(size=1000), rng.chisquare(1, size=1000)
    before = _native.cpu_level()
    answers = {}
    for level in levels:
        _native.set_cpu_level(level)
        answers[level] = weights.copy()
        _native.shrink_weights(answers[level], second, 0.3, 1.7, 0.01, 0.5, 0.1, 2.0, 1)
    _native.set_cpu_level(before)
    assert (answers["plain"] != answers["avx2"]).any()
    for answer in answers.values():
        np.testing.assert_allclose(answer, answers["plain"], rtol=1e-14)


LAYOUTS = {
    "column-major": np.asfortranarray,
    "row-major": np.ascontiguousarray,
    "single precision": lambda X: np.asfortranarray(X, dtype=np.float32),
    "row-major, single precision": lambda X: np.ascontiguousarray(X, dtype=np.float32),
    "sparse": scipy.sparse.csc_array,
    "sparse, single precision": lambda X: scipy.sparse.csc_array(X.astype(np.float32)),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", [(70, 300), (5000, 25)])
@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_every_level_is_certified(cpu_level, layout, shape, family):
    rng = np.random.default_rng(shape[1])
    X = np.float32(rng.normal(size=shape) * (rng.random(shape) < 0.3)).astype(float)
    y = make_target(family, X, rng)
    path = nb.fit_path(LAYOUTS[layout](X), y, family=family, n_lambdas=20, lambda_min_ratio=0.02)
    assert set(path.statuses) == {"converged"}
    problem = Problem(X, y, family)
    for index in (5, 19):
        theta = problem.theta(path.intercepts[index], path.coefs[index])
        assert problem.gap(theta, path.lambdas[index]) <= 1.001e-6


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("l2", [0.0, 2.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_level_shrinks_weights(cpu_level, dtype, l2, adaptive):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=1003).astype(dtype)
    second = rng.chisquare(1, size=weights.size).astype(dtype)
    d = 0.3 / (1.7 * np.sqrt(second) + 0.01) if adaptive else 0.3
    expected = np.sign(weights) * np.maximum(np.abs(weights) - d * 0.4, 0) / (1 + d * l2)
    _native.shrink_weights(weights, second if adaptive else None, 0.3, 1.7, 0.01, 0.5, 0.4, l2, 1)
    np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)
