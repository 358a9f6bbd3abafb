"""What must not change a fit whose penalty has blocks, and what must change it in a known way.

The blocks are the outputs of a feature or the features of a group.  Fits are compared by the objective, which both have
within ``TOL`` of its minimum, and by their linear predictors in the metric of the loss.
"""

import numpy as np
import pytest
import scipy.sparse

from judges import GROUPS, KINDS, N_OUTPUTS, Case, assert_certified, assert_same_fits, fit, judge, points, strengths

SEEDS = range(2)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.replace(" ", "_"))
def kind(request):
    return request.param


@pytest.fixture(params=SEEDS)
def case(kind, request):
    return Case(kind, request.param)


def test_weight_zero_removes_a_row(case):
    weights = case.rng.integers(0, 3, case.y.shape[0]).astype(float)
    weights[: 2 * N_OUTPUTS] = 1
    kept = weights > 0
    options = case.options | {"sample_weight": weights}
    problem = judge(case.X, case.y, options)
    lambdas = strengths(problem)
    whole = fit(case.X, case.y, options, lambdas=lambdas)
    part = fit(case.X[kept].copy(), case.y[kept], case.of_rows(kept, sample_weight=weights[kept]), lambdas=lambdas)
    assert_same_fits(problem, lambdas, points(whole), points(part))
    assert whole.null_loss == pytest.approx(part.null_loss, rel=1e-10)
    assert whole.lambda_max == pytest.approx(part.lambda_max, rel=1e-8)
    np.testing.assert_allclose(whole.scales, part.scales, rtol=1e-10)


def test_weight_two_is_the_row_twice_and_the_scale_of_weights_nothing(case):
    weights = case.rng.integers(1, 3, case.y.shape[0])
    rows = np.repeat(np.arange(weights.size), weights)
    problem = judge(case.X, case.y, case.options | {"sample_weight": weights})
    lambdas = strengths(problem)
    weighted = fit(case.X, case.y, case.options | {"sample_weight": 0.37 * weights}, lambdas=lambdas)
    repeated = fit(case.X[rows], case.y[rows], case.of_rows(rows, sample_weight=None), lambdas=lambdas)
    assert_same_fits(problem, lambdas, points(weighted), points(repeated))


def test_order_of_rows_and_features_is_nothing(case):
    rows, columns = case.rng.permutation(case.y.shape[0]), case.rng.permutation(GROUPS.size)
    problem = judge(case.X, case.y, case.options)
    lambdas, options = strengths(problem), case.of_rows(rows)
    if "groups" in options:
        options["groups"] = options["groups"][columns]
    one = fit(case.X, case.y, case.options, lambdas=lambdas)
    other = fit(case.X[rows][:, columns].copy(), case.y[rows], options, lambdas=lambdas)
    back = np.argsort(columns)
    assert_same_fits(problem, lambdas, points(one), [(b0, b[..., back]) for b0, b in points(other)])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "groups" not in KINDS[kind]])
def test_order_of_outputs_is_nothing(kind, seed):
    case = Case(kind, seed)
    new = np.array([2, 0, 1])  # output k becomes this one
    old = np.argsort(new)
    problem = judge(case.X, case.y, case.options)
    lambdas, offset = strengths(problem), case.options["offset"]
    one = fit(case.X, case.y, case.options, lambdas=lambdas)
    y = new[case.y] if case.y.ndim == 1 else case.y[:, old]
    options = case.options | {"offset": None if offset is None else offset[:, old]}
    other = fit(case.X, y, options, lambdas=lambdas)
    assert_same_fits(problem, lambdas, points(one), [(b0[new], b[new]) for b0, b in points(other)])


def test_units_of_the_features_are_nothing_when_standardised(case):
    factors = 10.0 ** case.rng.integers(-4, 5, GROUPS.size)
    options = case.options | {"standardize": True}
    problem = judge(case.X, case.y, options)
    lambdas = strengths(problem)
    one = fit(case.X, case.y, options, lambdas=lambdas)
    other = fit(case.X * factors, case.y, options, lambdas=lambdas)
    np.testing.assert_allclose(other.scales, one.scales * factors, rtol=1e-8)
    assert_same_fits(problem, lambdas, points(one), [(b0, b * factors) for b0, b in points(other)])


def test_shift_of_the_features_is_nothing_with_an_intercept(case):
    shift = 10 * case.rng.normal(size=GROUPS.size)
    options = case.options | {"fit_intercept": True}
    problem = judge(case.X, case.y, options)
    lambdas = strengths(problem)
    one = fit(case.X, case.y, options, lambdas=lambdas)
    other = fit(case.X + shift, case.y, options, lambdas=lambdas)
    assert_same_fits(problem, lambdas, points(one), [(b0 + b @ shift, b) for b0, b in points(other)])


@pytest.mark.parametrize("l1_ratio", [0.4, 1.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_lambda_max_is_the_smallest_with_nothing_selected(kind, seed, l1_ratio):
    case = Case(kind, seed, l1_ratio=l1_ratio)
    problem = judge(case.X, case.y, case.options)
    top = fit(case.X, case.y, case.options, n_lambdas=3).lambda_max
    assert top == pytest.approx(problem.lambda_max(), rel=1e-8)
    path = fit(case.X, case.y, case.options, lambdas=[top * (1 + 1e-6), top * (1 - 1e-2)])
    assert not path.coefs[0].any()
    assert path.coefs[1].any()


def test_layouts_are_nothing(case):
    """Row-major, column-major and sparse designs give the same fit; float32 that of its values."""
    X = case.X * (case.rng.random(case.X.shape) < 0.6)
    X[0], X[1] = 1, -1
    problem = judge(X, case.y, case.options)
    lambdas = strengths(problem)
    one = fit(np.ascontiguousarray(X), case.y, case.options, lambdas=lambdas)
    for other in (np.asfortranarray(X), scipy.sparse.csc_array(X), scipy.sparse.csr_array(X)):
        assert_same_fits(problem, lambdas, points(one), points(fit(other, case.y, case.options, lambdas=lambdas)))
    narrow = X.astype(np.float32)
    single = judge(narrow, case.y, case.options)
    exact = fit(narrow.astype(float), case.y, case.options, lambdas=lambdas)
    for other in (np.asfortranarray(narrow), scipy.sparse.csc_array(narrow)):
        assert_same_fits(single, lambdas, points(fit(other, case.y, case.options, lambdas=lambdas)), points(exact))


@pytest.mark.parametrize("tol", [1e-6, 1e-10])
@pytest.mark.parametrize("seed", range(4))
def test_path_is_certified(kind, seed, tol):
    """At every strength; as it falls, the loss falls and the penalty of the solution grows."""
    case = Case(kind, seed)
    problem = judge(case.X, case.y, case.options)
    path = fit(case.X, case.y, case.options, tol=tol, lambdas=problem.lambda_max() * np.geomspace(1, 1e-3, 10))
    assert_certified(path, problem, tol)
    assert (np.diff(path.loss) <= 2 * tol * path.null_loss).all()
    np.testing.assert_allclose(path.deviance_ratio, 1 - path.loss / path.null_loss, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(path.n_nonzero, [np.atleast_2d(b).any(axis=0).sum() for b in path.coefs])
    assert (path.intercepts == 0).all() or case.options["fit_intercept"]


def test_penalty_factors(case):
    """0 frees a feature and its group from the first strength on, infinity removes one; one for all moves lam alone."""
    factors = np.array([0, 0, 0, np.inf, 2, 2, 0.5, 1])
    options = case.options | {"penalty_factors": factors}
    problem = judge(case.X, case.y, options)
    lambdas = strengths(problem)
    path = fit(case.X, case.y, options, lambdas=lambdas)
    assert (path.coefs[..., :3] != 0).all()
    assert (path.coefs[..., 3] == 0).all()
    assert_certified(path, problem)
    half = fit(case.X, case.y, options | {"penalty_factors": 2 * factors}, lambdas=lambdas / 2)
    assert_same_fits(problem, lambdas, points(path), points(half))


def test_offset_is_a_shift_of_eta(case):
    """An offset along an unpenalised feature, or along the intercept, moves that coefficient alone."""
    factors = np.array([0, 0, 0, 1, 1, 1, 1, 1.0])
    options = case.options | {"penalty_factors": factors, "fit_intercept": True}
    problem = judge(case.X, case.y, options)
    lambdas = strengths(problem)
    one = fit(case.X, case.y, options, lambdas=lambdas)
    before = 0.0 if options["offset"] is None else options["offset"]
    slope, shift = case.rng.normal(size=(2, *case.shape[1:]))
    moved = options | {"offset": before + np.multiply.outer(case.X[:, 0], slope) - shift}
    change = np.multiply.outer(slope, np.eye(GROUPS.size)[0])
    other = [(b0 - shift, b + change) for b0, b in points(fit(case.X, case.y, moved, lambdas=lambdas))]
    assert_same_fits(problem, lambdas, points(one), other)


def test_a_column_that_does_not_vary_gets_nothing(case):
    """Nor does it count in the rank of its group, which the weight of an orthonormalised one follows."""
    X = case.X.copy()
    X[:, 1], X[:, 7] = 0.1, 1e6 / 3
    options = case.options | {"fit_intercept": True}
    problem = judge(X, case.y, options)
    if "groups" in options and not problem.orthonormalize:
        options["group_weights"] = [1.5, 1.0, 0.7]
        problem = judge(X, case.y, options)
    path = fit(X, case.y, options, lambdas=strengths(problem))
    assert (path.coefs[..., [1, 7]] == 0).all()
    assert_certified(path, problem)


@pytest.mark.parametrize("seed", [0])
def test_results_are_reproduced_bitwise(kind, seed):
    """Two runs, and one and two threads, agree in every bit."""
    case = Case(kind, seed)
    runs = [fit(case.X, case.y, case.options, n_lambdas=6, n_threads=k) for k in (1, 1, 2)]
    for run in runs[1:]:
        for name in ("lambdas", "coefs", "intercepts", "loss", "dual_gaps", "kkt_violations", "n_iters"):
            np.testing.assert_array_equal(getattr(run, name), getattr(runs[0], name))
