"""What must not change a fit, and what must change it in a known way.

Fits are compared by the objective, which both have within ``TOL`` of its minimum, and by their
linear predictors in the metric of the loss; coefficients only where they are unique.
"""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import normball as nb
from oracle import Problem
from targets import FAMILIES, two_values
from test_certificate import assert_certified, make_target

TOL = 1e-10


class Case:
    """A small problem: data, options of fit_path, and what is left of its random numbers."""

    def __init__(self, X, y, rng, seed, options):
        self.X, self.y, self.rng, self.seed, self.options = X, y, rng, seed, options

    def __repr__(self):
        return f"Case(seed {self.seed}, shape {self.X.shape}, {self.options})"


@st.composite
def problems(draw, families=FAMILIES, l1_ratios=(0.0, 0.3, 1.0)):
    seed = draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    n, p = draw(st.integers(12, 40)), draw(st.integers(3, 20))
    X = rng.normal(size=(n, p)) @ (np.eye(p) + draw(st.sampled_from([0.0, 1.0])) * rng.normal(size=(p, p)))
    family = draw(st.sampled_from(families))
    y = make_target(family, X, rng)
    y[:2] = two_values(family)
    options = {
        "family": family,
        "l1_ratio": draw(st.sampled_from(l1_ratios)),
        "fit_intercept": draw(st.booleans()),
        "standardize": draw(st.booleans()),
        "offset": 0.3 * rng.normal(size=n) if draw(st.booleans()) else None,
        "sample_weight": rng.integers(1, 4, n).astype(float) if draw(st.booleans()) else None,
    }
    return Case(X, y, rng, seed, options)


def fit(X, y, options, **more):
    return nb.fit_path(X, y, **{"tol": TOL, **options, **more})


def oracle(X, y, options):
    words = {"sample_weight": "weights", "lower_bounds": "lower", "upper_bounds": "upper"}
    return Problem(X, y, **{words.get(name, name): value for name, value in options.items()})


def strengths(problem):
    return problem.lambda_max() * np.array([1.1, 0.3, 0.1, 0.03])


def assert_same_fits(problem, one, other, tol=TOL):
    """Two paths, lists of (intercept, coef), have the same objective and the same linear predictors."""
    for lam, first, second in zip(strengths(problem), one, other, strict=True):
        theta, twin = problem.theta(*first), problem.theta(*second)
        value, again = problem.objective(theta, lam), problem.objective(twin, lam)
        assert abs(value - again) <= 2 * tol * problem.null_loss + 1e-14 * value
        bend = problem.w * problem.loss.curvature(problem.y, problem.eta(theta))
        assert bend @ (problem.Z @ (theta - twin)) ** 2 <= 20 * tol * problem.null_loss


def points(path):
    return list(zip(path.intercepts, path.coefs, strict=True))


@given(problems())
@settings(max_examples=40)
def test_weight_zero_removes_a_row(case):
    weights = case.rng.integers(0, 3, case.y.size).astype(float)
    weights[:4] = [1, 1, 0, 2]
    kept = weights > 0
    problem = oracle(case.X, case.y, case.options | {"sample_weight": weights})
    lambdas = strengths(problem)
    whole = fit(case.X, case.y, case.options | {"sample_weight": weights}, lambdas=lambdas)
    offset = case.options["offset"]
    options = case.options | {"sample_weight": weights[kept], "offset": None if offset is None else offset[kept]}
    part = fit(case.X[kept].copy(), case.y[kept], options, lambdas=lambdas)
    assert_same_fits(problem, points(whole), points(part))
    assert whole.null_loss == pytest.approx(part.null_loss, rel=1e-10)
    assert whole.lambda_max == pytest.approx(part.lambda_max, rel=1e-8)
    np.testing.assert_allclose(whole.scales, part.scales, rtol=1e-10)


@given(problems())
@settings(max_examples=40)
def test_weight_two_is_the_row_twice(case):
    weights = case.rng.integers(1, 3, case.y.size).astype(float)
    rows = np.repeat(np.arange(case.y.size), weights.astype(int))
    problem = oracle(case.X, case.y, case.options | {"sample_weight": weights})
    lambdas = strengths(problem)
    weighted = fit(case.X, case.y, case.options | {"sample_weight": weights}, lambdas=lambdas)
    offset = case.options["offset"]
    options = case.options | {"sample_weight": None, "offset": None if offset is None else offset[rows]}
    repeated = fit(case.X[rows], case.y[rows], options, lambdas=lambdas)
    assert_same_fits(problem, points(weighted), points(repeated))


@given(problems(), st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_scale_of_the_weights_is_nothing(case, factor):
    weights = case.rng.random(case.y.size) + 0.1
    problem = oracle(case.X, case.y, case.options | {"sample_weight": weights})
    one = fit(case.X, case.y, case.options | {"sample_weight": weights}, lambdas=strengths(problem))
    other = fit(case.X, case.y, case.options | {"sample_weight": factor * weights}, lambdas=strengths(problem))
    assert_same_fits(problem, points(one), points(other))


@given(problems())
@settings(max_examples=40)
def test_order_of_rows_and_columns_is_nothing(case):
    rows, columns = case.rng.permutation(case.y.size), case.rng.permutation(case.X.shape[1])
    options = case.options | {
        name: None if case.options[name] is None else case.options[name][rows] for name in ("offset", "sample_weight")
    }
    problem = oracle(case.X, case.y, case.options)
    lambdas = strengths(problem)
    one = fit(case.X, case.y, case.options, lambdas=lambdas)
    other = fit(case.X[rows][:, columns].copy(), case.y[rows], options, lambdas=lambdas)
    back = np.argsort(columns)
    assert_same_fits(problem, points(one), [(b0, b[back]) for b0, b in points(other)])


@given(problems())
@settings(max_examples=40)
def test_units_of_the_columns_are_nothing_when_standardised(case):
    factors = 10.0 ** case.rng.integers(-4, 5, case.X.shape[1])
    options = case.options | {"standardize": True}
    problem = oracle(case.X, case.y, options)
    lambdas = strengths(problem)
    one = fit(case.X, case.y, options, lambdas=lambdas)
    other = fit(case.X * factors, case.y, options, lambdas=lambdas)
    np.testing.assert_allclose(other.scales, one.scales * factors, rtol=1e-8)
    assert_same_fits(problem, points(one), [(b0, b * factors) for b0, b in points(other)])


@given(problems())
@settings(max_examples=20)
def test_shift_of_the_columns_is_nothing_with_an_intercept(case):
    shift = case.rng.normal(size=case.X.shape[1]) * 10
    options = case.options | {"fit_intercept": True}
    problem = oracle(case.X, case.y, options)
    one = fit(case.X, case.y, options, lambdas=strengths(problem))
    other = fit(case.X + shift, case.y, options, lambdas=strengths(problem))
    assert_same_fits(problem, points(one), [(b0 + shift @ b, b) for b0, b in points(other)])


@given(problems(l1_ratios=(0.3, 1.0)))
@settings(max_examples=40)
def test_lambda_max_is_the_smallest_with_nothing_selected(case):
    problem = oracle(case.X, case.y, case.options)
    top = fit(case.X, case.y, case.options, n_lambdas=3).lambda_max
    assert top == pytest.approx(problem.lambda_max(), rel=1e-8)
    path = fit(case.X, case.y, case.options, lambdas=[top * (1 + 1e-6), top * (1 - 1e-2)])
    assert path.n_nonzero[0] == 0
    assert path.n_nonzero[1] > 0


@given(problems())
@settings(max_examples=40)
def test_layouts_are_nothing(case):
    """Row-major, column-major and sparse designs give the same fit; float32 that of its values."""
    X = case.X * (case.rng.random(case.X.shape) < 0.5)
    X[0], X[1] = 1, -1
    problem = oracle(X, case.y, case.options)
    lambdas = strengths(problem)
    one = fit(np.ascontiguousarray(X), case.y, case.options, lambdas=lambdas)
    for other in (np.asfortranarray(X), scipy.sparse.csc_array(X), scipy.sparse.csr_array(X), X[:, ::-1][:, ::-1]):
        assert_same_fits(problem, points(one), points(fit(other, case.y, case.options, lambdas=lambdas)))
    X32 = X.astype(np.float32)
    single = oracle(X32, case.y, case.options)
    exact = fit(X32.astype(float), case.y, case.options, lambdas=strengths(single))
    for narrow in (X32, np.asfortranarray(X32), scipy.sparse.csc_array(X32)):
        path = fit(narrow, case.y, case.options, lambdas=strengths(single))
        assert_same_fits(single, points(path), points(exact))
        assert_same_fits(problem, points(path), points(one), tol=1e-6)


@given(problems())
@settings(max_examples=30)
def test_path_is_certified_and_monotone(case):
    """As the strength falls, the loss falls, and the penalty of the solution grows."""
    path = fit(case.X, case.y, case.options, n_lambdas=30)
    problem = oracle(case.X, case.y, case.options)
    assert_certified(path, problem, TOL)
    slack = 2 * TOL * path.null_loss
    assert (np.diff(path.loss) <= slack).all()
    values, penalties = [], []
    for lam, point in zip(path.lambdas, points(path), strict=True):
        theta = problem.theta(*point)
        values.append(problem.objective(theta, lam))
        penalties.append((values[-1] - problem.mean_loss(theta)) / lam)
    assert (np.diff(values) <= slack).all()
    assert (np.diff(penalties) * path.lambdas[1:] >= -100 * slack).all()
    np.testing.assert_allclose(path.deviance_ratio, 1 - path.loss / path.null_loss, rtol=0, atol=1e-12)


@given(problems())
@settings(max_examples=30)
def test_penalty_factors(case):
    """0 frees a coefficient from the first strength on, infinity removes it; a common factor only moves lam."""
    p = case.X.shape[1]
    factors = np.ones(p)
    factors[:2] = [0, np.inf]
    options = case.options | {"penalty_factors": factors}
    path = fit(case.X, case.y, options, n_lambdas=5)
    assert (path.coefs[:, 0] != 0).all()
    assert (path.coefs[:, 1] == 0).all()
    problem = oracle(case.X, case.y, options)
    doubled = case.options | {"penalty_factors": 2 * factors}
    one = fit(case.X, case.y, options, lambdas=strengths(problem))
    half = fit(case.X, case.y, doubled, lambdas=strengths(problem) / 2)
    assert_same_fits(problem, points(one), points(half))


@given(problems())
@settings(max_examples=30)
def test_bounds(case):
    """Bounds hold to the last bit, bind where the free fit is outside, and are nothing where they are far."""
    problem = oracle(case.X, case.y, case.options)
    lambdas = strengths(problem)
    free = fit(case.X, case.y, case.options, lambdas=lambdas)
    reach = np.abs(free.coefs[-1]).max()
    lower, upper = -0.3 * reach, 0.2 * reach
    boxed_options = case.options | {"lower_bounds": lower, "upper_bounds": upper}
    boxed = fit(case.X, case.y, boxed_options, lambdas=lambdas)
    assert (boxed.coefs >= lower).all()
    assert (boxed.coefs <= upper).all()
    assert ((boxed.coefs[-1] == lower) | (boxed.coefs[-1] == upper)).any()
    assert_certified(boxed, oracle(case.X, case.y, boxed_options), TOL)
    far = fit(case.X, case.y, case.options, lambdas=lambdas, lower_bounds=-1e6, upper_bounds=1e6)
    assert_same_fits(problem, points(free), points(far))


@given(problems())
@settings(max_examples=30)
def test_offset_is_a_shift_of_eta(case):
    """An offset along an unpenalised column, or along the intercept, moves that coefficient alone."""
    factors = np.ones(case.X.shape[1])
    factors[0] = 0
    options = case.options | {"penalty_factors": factors, "fit_intercept": True}
    problem = oracle(case.X, case.y, options)
    lambdas = strengths(problem)
    one = fit(case.X, case.y, options, lambdas=lambdas)
    before = np.zeros(case.y.size) if options["offset"] is None else options["offset"]
    moved = fit(case.X, case.y, options | {"offset": before + 0.7 * case.X[:, 0] - 0.4}, lambdas=lambdas)
    change = 0.7 * np.eye(case.X.shape[1])[0]
    assert_same_fits(problem, points(one), [(b0 - 0.4, b + change) for b0, b in points(moved)])


@given(problems(families=("gaussian",)))
@settings(max_examples=20)
def test_gaussian_offset_is_a_change_of_y(case):
    offset = case.rng.normal(size=case.y.size)
    options = case.options | {"offset": offset}
    problem = oracle(case.X, case.y, options)
    one = fit(case.X, case.y, options, lambdas=strengths(problem))
    other = fit(case.X, case.y - offset, case.options | {"offset": None}, lambdas=strengths(problem))
    assert_same_fits(problem, points(one), points(other))


@given(problems())
@settings(max_examples=15)
def test_results_are_reproduced_bitwise(case):
    """Two runs, and one and two threads, agree in every bit."""
    runs = [fit(case.X, case.y, case.options, n_lambdas=10, n_threads=k) for k in (1, 1, 2)]
    for run in runs[1:]:
        for name in ("lambdas", "coefs", "intercepts", "loss", "dual_gaps", "kkt_violations", "n_iters"):
            np.testing.assert_array_equal(getattr(run, name), getattr(runs[0], name))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", [(400, 6), (50, 120)])
def test_folds_in_one_call_are_single_fits(family, shape):
    """Each fold of cv_path is the fit of its training rows, whatever the number of threads."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=shape)
    y = make_target(family, X, rng)
    weights = rng.random(y.size) + 0.5
    fold_ids = np.arange(y.size) % 3
    options = {"family": family, "tol": TOL, "n_lambdas": 6}
    cv = nb.cv_path(X, y, fold_ids=fold_ids, sample_weight=weights, keep_predictions=True, n_threads=1, **options)
    again = nb.cv_path(X, y, fold_ids=fold_ids, sample_weight=weights, keep_predictions=True, n_threads=2, **options)
    np.testing.assert_array_equal(cv.predictions, again.predictions)
    np.testing.assert_array_equal(cv.path.coefs, again.path.coefs)
    whole = nb.fit_path(X, y, sample_weight=weights, **options)
    np.testing.assert_allclose(cv.lambdas, whole.lambdas, rtol=1e-12)
    options["lambdas"] = cv.lambdas
    for fold in range(3):
        held_out = fold_ids == fold
        train = ~held_out
        single = nb.fit_path(X[train], y[train], sample_weight=weights[train], **options)
        eta = np.column_stack([single.predict(X[held_out], lam=lam) for lam in single.lambdas])
        np.testing.assert_allclose(cv.predictions[held_out], eta, rtol=0, atol=1e-5 * max(1, np.abs(eta).max()))


@given(problems())
@settings(max_examples=20)
def test_constant_columns_get_nothing(case):
    """A constant column has no effect of its own, with an intercept or standardised; not even through rounding."""
    X = np.column_stack([np.full(case.y.size, 0.1), case.X, np.zeros(case.y.size), np.full(case.y.size, 1e6 / 3)])
    options = case.options if case.options["fit_intercept"] else case.options | {"standardize": True}
    problem = oracle(case.X, case.y, options)
    for design in (X, np.asfortranarray(X), scipy.sparse.csc_array(X)):
        path = fit(design, case.y, options, lambdas=strengths(problem))
        assert (path.coefs[:, [0, -2, -1]] == 0).all()
        without = fit(case.X, case.y, options, lambdas=strengths(problem))
        assert_same_fits(problem, points(without), [(b0, b[1:-2]) for b0, b in points(path)])


@given(problems())
@settings(max_examples=20)
def test_duplicated_columns_share_one_effect(case):
    """The lasso's objective is that without the copy; with an L2 part the two get the same coefficient."""
    X = np.column_stack([case.X, case.X[:, 0]])
    l1_ratio = case.options["l1_ratio"]
    problem, double = oracle(case.X, case.y, case.options), oracle(X, case.y, case.options)
    path = fit(X, case.y, case.options, lambdas=strengths(double))
    assert_certified(path, double, TOL)
    if l1_ratio == 1:
        alone = fit(case.X, case.y, case.options, lambdas=strengths(problem))
        merged = [(b0, np.r_[b[0] + b[-1], b[1:-1]]) for b0, b in points(path)]
        assert_same_fits(problem, points(alone), merged)
    else:
        apart = (path.coefs[:, 0] - path.coefs[:, -1]) * double.scales[0]
        bound = np.sqrt(8 * TOL * double.null_loss / (strengths(double) * (1 - l1_ratio)))
        assert (np.abs(apart) <= bound).all()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("n_features", [2, 60])
def test_separable_classes_give_finite_certified_answers(l1_ratio, n_features):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, n_features))
    y = (X[:, 0] > 0.1).astype(float)
    path = nb.fit_path(X, y, family="binomial", l1_ratio=l1_ratio, n_lambdas=20)
    assert np.isfinite(path.coefs).all()
    assert_certified(path, Problem(X, y, "binomial", l1_ratio=l1_ratio))
    bare = nb.fit_path(X[:, :1], y, family="binomial", l1_ratio=l1_ratio, lambdas=[0.1, 1e-6])
    assert np.isfinite(bare.coefs).all()
    assert_certified(bare, Problem(X[:, :1], y, "binomial", l1_ratio=l1_ratio))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n_rows", [2, 3])
def test_tiny_data(family, n_rows):
    X = np.array([[0.0], [1.0], [3.0]])[:n_rows]
    low, high = two_values(family)
    y = np.array([low, high, high])[:n_rows]
    for l1_ratio in (0.0, 1.0):
        path = nb.fit_path(X, y, family=family, l1_ratio=l1_ratio, lambdas=[1.0, 0.3, 0.1])
        assert_certified(path, Problem(X, y, family, l1_ratio=l1_ratio))


@pytest.mark.parametrize("family", FAMILIES)
def test_one_row_is_refused(family):
    with pytest.raises(nb.DataError, match="E14"):
        nb.fit_path([[1.0]], [1.0], family=family)


@pytest.mark.parametrize("family", FAMILIES)
def test_constant_target(family):
    """One value only is refused, as nothing can be learned; not so where an offset varies."""
    X = np.random.default_rng(2).normal(size=(30, 4))
    y = np.ones(30)
    with pytest.raises(nb.DataError, match="E03"):
        nb.fit_path(X, y, family=family)
    if family != "binomial":
        offset = 0.5 * X[:, 0]
        path = nb.fit_path(X, y, family=family, offset=offset)
        assert_certified(path, Problem(X, y, family, offset=offset))


def test_no_column_that_varies():
    """Every column constant: the null model at every strength."""
    X, y = np.ones((10, 3)), np.arange(10.0)
    path = nb.fit_path(X, y, lambdas=[1.0, 0.1])
    assert path.n_nonzero.tolist() == [0, 0]
    np.testing.assert_allclose(path.intercepts, 4.5)
    np.testing.assert_allclose(path.dual_gaps, 0, atol=1e-12)


def test_one_problem_of_a_batch_may_have_nothing_to_learn():
    """A fold whose training targets are all alike is solved like the others, inside one call."""
    X = np.random.default_rng(4).normal(size=(20, 3))
    y = np.r_[np.full(10, 2.0), np.arange(10.0)]
    cv = nb.cv_path(X, y, fold_ids=np.repeat([0, 1], 10), keep_predictions=True, lambdas=[1.0, 0.1])
    np.testing.assert_allclose(cv.predictions[10:], 2.0)
    assert np.isfinite(cv.predictions).all()
