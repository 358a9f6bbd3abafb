"""The native boundary: what it refuses, and that a batch of problems is those problems."""

import signal
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

from normball import _native
from targets import name_and_parameter


def arguments(X, responses, weights, family="gaussian", **changes):
    n, p = X.shape if isinstance(X, np.ndarray) else (X[3], X[2].size - 1)
    values = {
        "X": X, "responses": responses, "weights": weights, "offsets": np.zeros((1, n)),
        **name_and_parameter(family), "l1_ratio": 1.0, "lambdas": None, "n_lambdas": 20, "lambda_min_ratio": 1e-2,
        "penalty_factors": np.ones((1, p)), "lower_bounds": np.full((1, p), -np.inf),
        "upper_bounds": np.full((1, p), np.inf), "fit_intercept": True, "standardize": True, "tol": 1e-10,
        "max_iter": 1000, "n_threads": 2, "poll": None,
    }  # fmt: skip
    return values | changes


def data(n=60, p=8, seed=0):
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.normal(size=(n, p)))
    return X, rng.normal(size=(3, n)) + X[:, :3].T, rng.random((3, n))


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("shape", [(60, 8), (30, 300)])
def test_several_responses_are_those_problems(family, shape):
    X, responses, weights = data(*shape)
    if family != "gaussian":
        responses = (responses > 0).astype(float)
    batch = _native.solve_path(**arguments(X, responses, weights, family))
    for k in range(3):
        alone = _native.solve_path(
            **arguments(X, responses[k : k + 1], weights[k : k + 1], family, lambdas=batch["lambdas"])
        )
        assert (batch["statuses"][k] == 0).all()
        np.testing.assert_allclose(batch["loss"][k], alone["loss"][0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(batch["scales"][k], alone["scales"][0], rtol=1e-12)
        assert batch["null_loss"][k] == pytest.approx(alone["null_loss"][0], rel=1e-10)


@pytest.mark.parametrize(
    "X",
    [
        np.ones((4, 2), dtype=np.int64),
        np.ones((8, 4))[::2, ::2],
        (np.ones(2), np.zeros(2, np.int64), np.array([0, 2]), 2),
        "x",
    ],
)
def test_other_layouts_are_refused(X):
    given = arguments(np.ones((4, 2)), np.ones((1, 4)), np.ones((1, 4))) | {"X": X}
    with pytest.raises((TypeError, RuntimeError)):
        _native.solve_path(**given)


@pytest.mark.parametrize("name", ["responses", "weights", "offsets", "penalty_factors", "lower_bounds", "upper_bounds"])
def test_shapes_that_do_not_agree_are_refused(name):
    X, responses, weights = data()
    given = arguments(X, responses, weights)
    given[name] = np.ascontiguousarray(given[name][..., :-1])
    with pytest.raises(ValueError, match="do not agree"):
        _native.solve_path(**given)


def test_an_unknown_family_is_refused():
    X, responses, weights = data()
    with pytest.raises(ValueError, match="unknown family: cauchy"):
        _native.solve_path(**arguments(X, responses, weights, "cauchy"))


def test_the_arguments_go_by_name():
    X, responses, weights = data()
    given = arguments(X, responses, weights)
    with pytest.raises(TypeError):
        _native.solve_path(*given.values())


OTHER_BLAS = """
import ctypes, sys
import numpy as np
import normball as nb
from scipy.linalg import cython_blas, cython_lapack
name, old, new = sys.argv[1:]
table = next(m.__pyx_capi__ for m in (cython_blas, cython_lapack) if name in m.__pyx_capi__)
api = ctypes.pythonapi
api.PyCapsule_GetName.restype = ctypes.c_char_p
api.PyCapsule_GetName.argtypes = [ctypes.py_object]
api.PyCapsule_GetPointer.restype = ctypes.c_void_p
api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
api.PyCapsule_New.restype = ctypes.py_object
api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
before = api.PyCapsule_GetName(table[name])
after = before.decode().replace(old, new).encode()
table[name] = api.PyCapsule_New(api.PyCapsule_GetPointer(table[name], before), after, None)
for _ in range(2):
    try:
        nb.fit_path(np.eye(4), np.arange(4.0), n_lambdas=3)
    except ImportError as error:
        print(error)
    else:
        print("fitted")
"""


@pytest.mark.parametrize(
    ("name", "old", "new", "is_taken"),
    [
        ("dgemm", "int *", "long *", False),
        ("dsyevd", "int *", "__pyx_t_5scipy_6linalg_13cython_lapack_blas_int *", False),
        ("dsyrk", "_d *", "_s *", False),
        ("dtrsv", "char *, ", "", False),
        ("dpotrf", "void", "int", False),
        ("dgemv", "__pyx_t_5scipy_6linalg_11cython_blas_d *", "double *", True),
    ],
)
def test_a_blas_of_another_signature_is_refused(name, old, new, is_taken):
    """With 64-bit integers every call would write beyond what it was given; this one has no mend but another scipy."""
    words = [sys.executable, "-c", OTHER_BLAS, name, old, new]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    if is_taken:
        assert said == ["fitted", "fitted"]
        return
    assert len(said) == 2
    for line in said:
        assert f"{name} has the signature " in line
        assert "Install a scipy built with the usual LP64 BLAS" in line


def test_an_error_in_poll_comes_through():
    def poll(done, total):
        raise RuntimeError("the caller's own")

    X, responses, weights = data(30, 300)
    with pytest.raises(RuntimeError, match="the caller's own"):
        _native.solve_path(**arguments(X, responses, weights, poll=poll))


def test_another_signal_keeps_its_exception():
    class Alarm(Exception):
        pass

    def ring(*_):
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 400))
    y = (rng.random((1, 3000)) < 0.5).astype(float)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Alarm):
            _native.solve_path(**arguments(X, y, np.ones((1, 3000)), "binomial", n_lambdas=1000, lambda_min_ratio=1e-6))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_rows_may_be_asked_for_twice_and_in_any_order():
    X, _, _ = data()
    sparse = scipy.sparse.csc_array(X)
    parts = (sparse.data, sparse.indices.astype(np.int32), sparse.indptr.astype(np.int64), X.shape[0])
    rows = np.array([5, 0, 5], dtype=np.int64)
    coefs = scipy.sparse.csr_array(np.array([[1.0, 0, 0, 2, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, -1.0]]))
    store = (coefs.indptr.astype(np.int64), coefs.indices.astype(np.int32), coefs.data)
    wanted = (X @ coefs.toarray().T + [0.5, -1.0])[rows]
    for design in (X, np.ascontiguousarray(X), parts):
        eta = _native.linear_predictor(design, rows, np.array([0.5, -1.0]), *store)
        np.testing.assert_allclose(eta, wanted, rtol=1e-12)


def test_threads_change_no_bit_of_the_linear_predictor():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 7))
    coefs = scipy.sparse.csr_array(rng.normal(size=(3, 7)) * (rng.random((3, 7)) < 0.6))
    store = (coefs.indptr.astype(np.int64), coefs.indices.astype(np.int32), coefs.data)
    rows = rng.integers(0, 5000, 4000)
    one, two = (_native.linear_predictor(X, rows, np.arange(3.0), *store, threads) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one, (X @ coefs.toarray().T + np.arange(3.0))[rows], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("shape", [(10, 5), (10, 400)])
def test_a_design_without_any_variation_gives_the_null_model(family, l1_ratio, shape, capfd):
    y = np.arange(10.0)[None, :] if family == "gaussian" else (np.arange(10.0)[None, :] > 4).astype(float)
    answer = _native.solve_path(**arguments(np.zeros(shape), y, np.ones((1, 10)), family, l1_ratio=l1_ratio))
    assert (answer["statuses"] == 0).all()
    assert answer["values"].size == 0
    np.testing.assert_allclose(answer["loss"], answer["null_loss"][0])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("shape", [(60, 8), (30, 300)])
@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_another_unit_of_the_response_is_the_same_path(unit, shape, l1_ratio):
    """Certified alike, whatever the unit; the ridge grid does not know it at all."""
    X, responses, weights = data(*shape)
    one = _native.solve_path(**arguments(X, responses[:1], weights[:1], l1_ratio=l1_ratio))
    other = _native.solve_path(**arguments(X, responses[:1] * unit, weights[:1], l1_ratio=l1_ratio))
    assert (other["statuses"] == 0).all()
    np.testing.assert_allclose(other["lambdas"], one["lambdas"] * (unit if l1_ratio else 1.0), rtol=1e-9)
    np.testing.assert_allclose(other["loss"], one["loss"] * unit**2, rtol=1e-6)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("l2", [0.0, 2.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_pass_over_the_weights_of_a_network(dtype: type, l2: float, adaptive: bool, n_threads: int) -> None:
    """Soft threshold and division in the metric of an adaptive optimizer; 50,001 weights are some blocks and a rest."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=50_001).astype(dtype)
    second = rng.chisquare(1, size=weights.size).astype(dtype)
    second[::7] = 0.0
    step, root, eps, unseen, l1 = 0.3, 1.7, 0.01, 0.5, 0.4
    d = step / np.where(second > 0, root * np.sqrt(second) + eps, unseen) if adaptive else step
    expected = np.sign(weights) * np.maximum(np.abs(weights) - d * l1, 0) / (1 + d * l2)
    _native.shrink_weights(weights, second if adaptive else None, step, root, eps, unseen, l1, l2, n_threads)
    np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)
    assert (weights[expected == 0] == 0).mean() > 0.999
