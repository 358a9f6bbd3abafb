"""Cox models, judged by an oracle that writes every risk set down, and by what must not matter."""

from itertools import product

import numpy as np
import pytest
from scipy import sparse

import normball as nb
from normball import _native
from normball.survival.risk_sets import risk_rows
from normball.survival.target import SurvivalTarget
from oracle_cox import CoxLoss, Problem
from test_oracle_cox import minimum

TIES = ("efron", "breslow")
FAMILY = {"efron": "cox", "breslow": "cox(breslow)"}
GRID = list(product(TIES, *[(False, True)] * 3))
grid = pytest.mark.parametrize(("ties", "strata", "entry", "weights"), GRID)


class Case:
    """A small target with ties, late entry, strata and weights of which one is 0, and features with a say in it."""

    def __init__(self, seed, ties="efron", strata=False, entry=False, weights=False, n=30, p=6):
        self.rng = rng = np.random.default_rng(seed)
        self.ties = ties
        self.X = 3.0 * rng.normal(size=(n, p)) + 5.0
        hazard = np.exp(np.clip((self.X[:, 0] - self.X[:, 1]) / 3.0, -2.0, 2.0))
        stop = np.ceil(6.0 * rng.exponential(size=n) / hazard) + 2.0
        event = (rng.random(n) < 0.7).astype(float)
        stop[:3], event[:3] = 4.0, 1.0
        start = np.where(rng.random(n) < 0.5, 0.0, np.floor(rng.random(n) * stop)).clip(0, stop - 1)
        self.target = np.column_stack([start, stop, event] if entry else [stop, event])
        self.strata = rng.integers(0, 2, n) if strata else None
        self.weights = rng.integers(1, 4, n) + 0.5 if weights else None
        if weights:
            self.weights[1] = 0.0

    def options(self):
        return {"family": FAMILY[self.ties], "strata": self.strata, "sample_weight": self.weights}

    def path(self, **options):
        return nb.fit_path(self.X, self.target, **{**self.options(), **options})

    def problem(self, **options):
        return Problem(self.X, self.target, ties=self.ties, strata=self.strata, weights=self.weights, **options)

    def rows(self):
        start = self.target[:, 0].copy() if self.target.shape[1] == 3 else None
        return risk_rows(
            SurvivalTarget(self.target[:, -2], self.target[:, -1] == 1.0, start, self.strata, (0, 1))
            if self.strata is not None
            else SurvivalTarget(self.target[:, -2], self.target[:, -1] == 1.0, start)
        )


GROUPS = [0, 1, 1, 2, 2, 2]


@grid
@pytest.mark.parametrize(("orthonormalize", "l1_ratio"), [(True, 1.0), (False, 0.7)])
def test_groups_are_optimal(ties, strata, entry, weights, orthonormalize, l1_ratio):
    """What holds a group at zero, or where it is, by the gradient of the oracle."""
    case = Case(41, ties, strata, entry, weights, n=50)
    offset = case.rng.normal(scale=0.3, size=50)
    options = {"groups": GROUPS, "orthonormalize": orthonormalize, "l1_ratio": l1_ratio, "n_lambdas": 12}
    path = case.path(**options, offset=offset, lambda_min_ratio=0.01, tol=1e-11)
    assert (path.statuses == "converged").all()
    assert not path.intercepts.any()
    loss = CoxLoss(case.target, case.weights, case.strata, ties)
    w = np.ones(50) if case.weights is None else case.weights
    centred = case.X - w @ case.X / w.sum()
    covariance = centred.T @ (centred * w[:, None]) / w.sum()
    for index, lam in enumerate(path.lambdas):
        b = path.coefs[index]
        eta = case.X @ b + offset
        assert path.loss[index] == pytest.approx(loss.value(eta), rel=1e-9)
        slope = case.X.T @ loss.gradient(eta)
        for group in range(3):
            own = np.flatnonzero(np.array(GROUPS) == group)
            metric = covariance[np.ix_(own, own)]
            metric = metric if orthonormalize else np.diag(np.diag(metric))
            strength = lam * np.sqrt(len(own))
            if b[own].any():
                norm = np.sqrt(b[own] @ metric @ b[own])
                pull = strength * (l1_ratio / norm + 1 - l1_ratio) * metric @ b[own]
                np.testing.assert_allclose(slope[own], -pull, rtol=0, atol=1e-3 * strength * np.sqrt(metric.max()))
            else:
                assert np.sqrt(slope[own] @ np.linalg.solve(metric, slope[own])) <= strength * l1_ratio * (1 + 1e-6)
    assert 0 < path.n_groups_nonzero[1] < 3


def test_groups_that_are_nothing():
    """Groups of one feature, or none of the penalty on groups; sparse columns; groups without a penalty."""
    case = Case(42, "efron", True, True, True, n=50)
    alone = case.path(n_lambdas=8, tol=1e-11)
    options = {"lambdas": alone.lambdas, "tol": 1e-11}
    for given in ({"groups": list(range(6))}, {"groups": GROUPS, "group_ratio": 0.0}):
        np.testing.assert_allclose(case.path(**given, **options).coefs, alone.coefs, atol=1e-6)
    together = case.path(groups=GROUPS, orthonormalize=False, **options)
    X = np.where(np.abs(case.X - 5) < 1, 0.0, case.X)
    dense, thin = (
        nb.fit_path(one, case.target, groups=GROUPS, orthonormalize=False, **case.options(), **options)
        for one in (X, sparse.csc_array(X))
    )
    np.testing.assert_allclose(dense.coefs, thin.coefs, atol=1e-6)
    assert together.null_loss == pytest.approx(alone.null_loss, rel=1e-12)
    free = case.path(groups=GROUPS, penalty_factors=[0, 1, 1, 1, 1, 1], **options)
    null = nb.fit_path(case.X[:, :1], case.target, **case.options(), lambdas=[0.0], tol=1e-12)
    assert free.null_loss == pytest.approx(null.loss[0], rel=1e-7)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
def test_groups_of_many_features(l1_ratio):
    """More features than rows, and more of them at work than a matrix of their curvature is worth."""
    case = Case(43, n=40, p=900)
    path = case.path(groups=np.arange(900) // 3, l1_ratio=l1_ratio, n_lambdas=8, orthonormalize=False)
    assert (path.statuses == "converged").all()
    cv = nb.cv_path(case.X, case.target, family="cox", groups=np.arange(900) // 3, n_lambdas=5, cv=3, l1_ratio=l1_ratio)
    assert (cv.fold_dual_gaps <= 1e-6).all()


@grid
@pytest.mark.parametrize("size", [1.0, 50.0, 1000.0])
def test_the_loss_is_that_of_the_oracle_however_far_eta_goes(ties, strata, entry, weights, size):
    """Also where rows without weight have no finite eta."""
    case = Case(1, ties, strata, entry, weights)
    eta = size * case.rng.normal(size=30)
    w = np.ones(30) if case.weights is None else case.weights
    expected = CoxLoss(case.target, case.weights, case.strata, ties).value(eta)
    eta[w == 0.0] = np.nan
    found = _native.mean_losses(FAMILY[ties], np.nan, case.rows().ravel(), w / w.sum(), eta[None])
    assert found[0] == pytest.approx(expected, rel=1e-13)


@grid
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("has_offset", [False, True])
def test_paths_are_certified_and_the_oracle_agrees(ties, strata, entry, weights, l1_ratio, has_offset):
    case = Case(2, ties, strata, entry, weights)
    offset = case.rng.normal(size=30) if has_offset else None
    mix = {"offset": offset, "l1_ratio": l1_ratio}
    path = case.path(n_lambdas=4, lambda_min_ratio=0.01, tol=1e-9, **mix)
    problem = case.problem(**mix)
    assert (path.statuses == "converged").all()
    assert path.lambda_max == pytest.approx(problem.lambda_max(), rel=1e-10)
    assert path.null_loss == pytest.approx(problem.null_loss, rel=1e-12)
    assert (path.intercepts == 0.0).all()
    for lam, coef, loss in zip(path.lambdas, path.coefs, path.loss, strict=True):
        theta = problem.theta(0.0, coef)
        assert loss == pytest.approx(problem.mean_loss(theta), rel=1e-12)
        assert problem.gap(theta, lam) <= 1e-6
        assert problem.kkt(theta, lam) <= 1e-3 * lam
    usual = case.path(lambdas=path.lambdas, **mix)
    for k, lam in enumerate(path.lambdas):
        ahead = [problem.objective(problem.theta(0.0, one.coefs[k]), lam) for one in (usual, path)]
        assert (ahead[0] - ahead[1]) / problem.null_loss <= usual.dual_gaps[k] + 1e-12 <= 1.01e-6


@grid
def test_factors_and_bounds(ties, strata, entry, weights):
    case = Case(3, ties, strata, entry, weights)
    own = {"penalty_factors": np.array([1.0, 0.0, 2.0, np.inf, 1.0, 0.5])}
    lower, upper = np.full(6, -np.inf), np.full(6, np.inf)
    lower[4], upper[0] = 0.0, 0.05
    path = case.path(n_lambdas=4, lambda_min_ratio=0.01, tol=1e-9, lower_bounds=lower, upper_bounds=upper, **own)
    problem = case.problem(lower=lower, upper=upper, **own)
    assert (path.statuses == "converged").all()
    for lam, coef in zip(path.lambdas, path.coefs, strict=True):
        assert coef[3] == 0.0
        assert (lower <= coef).all()
        assert (coef <= upper).all()
        assert problem.gap(problem.theta(0.0, coef), lam) <= 1e-6


def fitted(X, target, lam=0.03, **options):
    return nb.fit_path(X, target, lambdas=[lam], tol=1e-11, **options).coefs[0]


@pytest.mark.parametrize("ties", TIES)
def test_what_must_not_matter(ties):
    """The unit of time, a constant of the offset in each stratum, the order of the rows, rows of weight 0."""
    case = Case(4, ties, strata=True, entry=True, weights=True)
    options, target = case.options(), case.target
    expected = fitted(case.X, target, **options)
    assert np.count_nonzero(expected) >= 2
    stretched = np.column_stack([np.sqrt(target[:, :2]) / 365.25, target[:, 2]])
    np.testing.assert_array_equal(fitted(case.X, stretched, **options), expected)

    def close(found):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)

    close(fitted(case.X, target, **options, offset=np.array([7.0, -40.0])[case.strata]))
    order = case.rng.permutation(30)
    moved = {"family": FAMILY[ties], "strata": case.strata[order], "sample_weight": case.weights[order]}
    close(fitted(case.X[order], target[order], **moved))
    kept = case.weights > 0
    own = {"family": FAMILY[ties], "strata": case.strata[kept], "sample_weight": case.weights[kept]}
    close(fitted(case.X[kept], target[kept], **own))
    wild = target.copy()
    wild[~kept] = [0.0, 4.0, 1.0]  # at a time with tied events, which it must not be counted among
    close(fitted(case.X, wild, **options))


def test_a_weight_of_two_is_two_rows_by_breslow():
    case = Case(5, "breslow", entry=True)
    weights = np.where(np.arange(30) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(30), weights.astype(int))
    one = fitted(case.X, case.target, family="cox(breslow)", sample_weight=weights)
    np.testing.assert_allclose(fitted(case.X[twice], case.target[twice], family="cox(breslow)"), one, rtol=0, atol=1e-6)


@pytest.mark.parametrize("ties", TIES)
def test_an_interval_may_be_cut_in_two(ties):
    """The likelihood stays; its mean is over more rows, so that the strength changes with their number."""
    case = Case(6, ties)
    target = np.column_stack([np.zeros(30), case.target])
    long = target[:, 1] > 3
    first, second = target[long].copy(), target[long].copy()
    first[:, 1], first[:, 2], second[:, 0] = 2.0, 0.0, 2.0
    cut = np.vstack([target[~long], first, second])
    X = np.vstack([case.X[~long], case.X[long], case.X[long]])
    options = {"family": FAMILY[ties], "standardize": False}
    expected = fitted(case.X, target, 0.03, **options)
    np.testing.assert_allclose(fitted(X, cut, 0.03 * 30 / len(cut), **options), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("ties", TIES)
def test_sparse_columns_and_batches_give_the_same(ties):
    case = Case(7, ties, strata=True, entry=True, weights=True)
    X = np.where(case.rng.random(case.X.shape) < 0.6, 0.0, case.X)
    options = case.options() | {"lambdas": [0.1, 0.03, 0.01], "tol": 1e-11}
    dense = nb.fit_path(X, case.target, **options)
    np.testing.assert_allclose(
        nb.fit_path(sparse.csc_array(X), case.target, **options).coefs, dense.coefs, rtol=0, atol=1e-6
    )
    weights = np.column_stack([case.weights, case.rng.integers(0, 3, 30)])
    both = nb.fit_paths(X, case.target, **options | {"sample_weight": weights})
    alone = nb.fit_path(X, case.target, **options | {"sample_weight": weights[:, 1]})
    np.testing.assert_allclose(both[0].coefs, dense.coefs, rtol=0, atol=1e-6)
    np.testing.assert_allclose(both[1].coefs, alone.coefs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.02])
@pytest.mark.parametrize("ties", TIES)
def test_more_features_at_work_than_a_matrix_holds(ties, l1_ratio):
    """Above 4096 the curvature is used by products alone; ridge goes by the row space."""
    case = Case(8, ties, strata=True, entry=True, weights=True, n=40, p=4500)
    problem = case.problem(l1_ratio=l1_ratio)
    lambdas = problem.lambda_max() * np.array([1e-2, 1e-3])
    path = case.path(lambdas=lambdas, l1_ratio=l1_ratio)
    assert (path.statuses == "converged").all()
    for lam, coef in zip(lambdas, path.coefs, strict=True):
        theta = problem.theta(0.0, coef)
        assert (problem.objective(theta, lam) - problem.dual(theta, lam)) / problem.null_loss <= 1e-5
        assert problem.kkt(theta, lam) <= 1e-3 * lam


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("entry", [False, True])
def test_offsets_from_minus_500_to_500(ties, entry):
    case = Case(9, ties, entry=entry)
    offset = np.linspace(-500.0, 500.0, 30)[case.rng.permutation(30)]
    path = case.path(offset=offset, n_lambdas=5)
    assert (path.statuses == "converged").all()
    problem = case.problem(offset=offset)
    for lam, coef in zip(path.lambdas, path.coefs, strict=True):
        assert problem.gap(problem.theta(0.0, coef), lam) <= 1e-6


@pytest.mark.parametrize("ties", TIES)
def test_all_events_tied_and_a_last_risk_set_of_one_row(ties):
    rng = np.random.default_rng(10)
    X = rng.normal(size=(60, 8))
    tied = np.column_stack([np.ones(60), (X[:, 0] + rng.normal(size=60) > 0)])
    assert (nb.fit_path(X, tied, family=FAMILY[ties]).statuses == "converged").all()
    stop = np.arange(1.0, 61.0)
    late = np.column_stack([np.where(stop == 60, 59.5, 0.0), stop, np.ones(60)])
    path = nb.fit_path(X, late, family=FAMILY[ties])
    assert (path.statuses == "converged").all()
    assert np.isfinite(path.coefs).all()


@pytest.mark.parametrize(("ties", "strata", "entry", "weights"), [(t, *[o] * 3) for t in TIES for o in (False, True)])
def test_tall_data_goes_by_windows(ties, strata, entry, weights):
    """From 1,000 rows on: certified, optimal by the oracle, and what working sets find, which sparse columns go by."""
    case = Case(20, ties, strata, entry, weights, n=1050)
    lower = np.array([-np.inf] * 5 + [0.0])
    own = {"l1_ratio": 0.7, "penalty_factors": [1.0, 0.0, 2.0, 1.0, 1.0, 0.5], "lower_bounds": lower}
    path = case.path(n_lambdas=6, lambda_min_ratio=1e-3, tol=1e-9, **own)
    assert (path.statuses == "converged").all()
    if ties == "breslow":  # a term a time: the oracle writes few risk sets down
        problem = case.problem(l1_ratio=0.7, penalty_factors=own["penalty_factors"], lower=lower)
        theta, lam = problem.theta(0.0, path.coefs[3]), path.lambdas[3]
        assert path.loss[3] == pytest.approx(problem.mean_loss(theta), rel=1e-12)
        assert problem.kkt(theta, lam) <= 1e-3 * lam
    on_sets = nb.fit_path(sparse.csc_array(case.X), case.target, **case.options() | own, lambdas=path.lambdas, tol=1e-9)
    np.testing.assert_allclose(path.coefs, on_sets.coefs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("n", [900, 1500])
@pytest.mark.parametrize("size", [1.0, 300.0])
def test_offsets_far_apart_and_a_feature_of_few_rows(n, size):
    """There is hardly any curvature, and from one step to the next it changes in few rows; tall or not."""
    rng = np.random.default_rng(21)
    X = rng.normal(size=(n, 2))
    X[:, 0] = rng.random(n) < 0.02
    target = np.column_stack([rng.exponential(size=n) * np.exp(20.0 * X[:, 0]), rng.random(n) < 0.7])
    path = nb.fit_path(X, target, family="cox", n_lambdas=10, offset=size * rng.normal(size=n))
    assert (path.statuses == "converged").all()


@pytest.mark.parametrize("ties", TIES)
def test_many_rows_on_few_times(ties):
    rng = np.random.default_rng(11)
    X = rng.normal(size=(100_000, 4))
    target = np.column_stack([np.ceil(100 * rng.random(100_000)), rng.random(100_000) < 0.5])
    path = nb.fit_path(X, target, family=FAMILY[ties], n_lambdas=10)
    assert (path.statuses == "converged").all()


def test_the_bound_is_one():
    """On other data at each lambda: what a path says of its gap is never less than what a tight fit finds."""
    for seed in range(20):
        case = Case([12, seed], TIES[seed % 2], seed % 3 == 0, seed % 4 < 2, seed % 5 < 2, n=25, p=40)
        usual = case.path(n_lambdas=20)
        tight = case.path(lambdas=usual.lambdas, tol=1e-12)
        problem = case.problem()
        for k, lam in enumerate(usual.lambdas):
            one, best = (problem.objective(problem.theta(0.0, path.coefs[k]), lam) for path in (usual, tight))
            assert (one - best) / problem.null_loss <= usual.dual_gaps[k] + 1e-12


@pytest.mark.slow
def test_no_lower_bound_is_above_the_minimum_of_a_cone_solver():
    """On 200 problems, half of them left at a rough gap."""
    kinds = list(GRID)
    for seed in range(200):
        ties, strata, entry, weights = kinds[seed % len(kinds)]
        case = Case([18, seed], ties, strata, entry, weights, n=14, p=3)
        offset, l1_ratio = case.rng.normal(size=14), (1.0, 0.5, 0.0)[seed % 3]
        problem = case.problem(l1_ratio=l1_ratio, offset=offset)
        lam = problem.lambda_max() * 10.0 ** case.rng.uniform(-3.0, -0.2)
        path = case.path(lambdas=[lam], tol=(1e-6, 0.03)[seed % 2], l1_ratio=l1_ratio, offset=offset)
        own = problem.objective(problem.theta(0.0, path.coefs[0]), lam)
        least = minimum(problem, lam)
        bound = own - path.dual_gaps[0] * problem.null_loss
        assert bound <= least + 1e-7 * (1.0 + abs(least))
        assert own >= least - 1e-7 * (1.0 + abs(least))


@grid
def test_held_out_rows_are_scored_by_what_they_add(ties, strata, entry, weights):
    case = Case(13, ties, strata, entry, weights)
    folds = np.arange(30) % 3
    w = np.ones(30) if case.weights is None else case.weights
    cv = nb.cv_path(case.X, case.target, fold_ids=folds, n_lambdas=5, keep_predictions=True, **case.options())
    for fold in range(3):
        kept = np.where(folds == fold, 0.0, w)
        coefs = nb.fit_path(
            case.X, case.target, **case.options() | {"sample_weight": kept}, lambdas=cv.lambdas, tol=1e-11
        ).coefs
        events = w @ ((folds == fold) & (case.target[:, -1] == 1.0))
        losses = [(some.sum(), CoxLoss(case.target, some, case.strata, ties)) for some in (w, kept)]
        for k, coef in enumerate(coefs):
            whole, own = (total * loss.value(case.X @ coef) for total, loss in losses)
            assert cv.fold_scores[fold, k] == pytest.approx(2.0 * (whole - own) / events, rel=1e-4)
        test = folds == fold
        shifts = cv.predictions[test] - case.X[test] @ coefs.T  # on the scale of the hazard of all rows
        np.testing.assert_allclose(shifts, np.broadcast_to(shifts[0], shifts.shape), rtol=0, atol=1e-2)
        assert cv.fold_weights[fold] == pytest.approx(events)


def test_folds_hold_events_alike():
    case = Case(14, n=100)
    cv = nb.cv_path(case.X, case.target, family="cox", cv=4)
    n_events = [case.target[cv.fold_ids == fold, 1].sum() for fold in range(4)]
    assert max(n_events) - min(n_events) <= 1
    assert cv.folds == "4 stratified folds at random"
    assert "train-validation gap" not in cv.summary()
    assert cv.null_mean > cv.cv_mean.min()
    comparison = nb.compare(case.X, case.target, [1.0, 0.0], family="cox", cv=4)
    np.testing.assert_array_equal(comparison.paths[0].cv_mean, cv.cv_mean)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_the_ball(norm):
    case = Case(15, strata=True)
    fit = nb.fit_ball(case.X, case.target, radius=0.5, norm=norm, family="cox", strata=case.strata)
    size = np.abs(fit.coef * fit.scales).sum() if norm == "l1" else np.linalg.norm(fit.coef * fit.scales)
    assert size == pytest.approx(0.5, rel=1e-6)
    assert fit.dual_gap <= 1e-6
    problem = case.problem()
    assert fit.loss == pytest.approx(problem.mean_loss(problem.theta(0.0, fit.coef)), rel=1e-12)


def test_models_are_saved_and_predict_relative_hazards(tmp_path):
    case = Case(16)
    path = case.path(n_lambdas=5)
    path.save(tmp_path / "path.json")
    again = nb.load(tmp_path / "path.json")
    np.testing.assert_array_equal(again.coefs, path.coefs)
    eta = path.predict(case.X, lam=path.lambdas[-1])
    np.testing.assert_allclose(eta, case.X @ path.coefs[-1], rtol=1e-12)
    np.testing.assert_allclose(path.predict(case.X, lam=path.lambdas[-1], kind="risk"), np.exp(eta), rtol=1e-14)


CASE = Case(17)
NOT_YET = {
    "GLMRegressor": lambda: nb.GLMRegressor(family="cox").fit(CASE.X, CASE.target[:, 0]),
}


@pytest.mark.parametrize("what", NOT_YET)
def test_what_is_not_offered_says_so(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f'{what} is not offered for family="cox" yet; CoxRegressor'):
        NOT_YET[what]()


def test_errors_say_what_to_write():
    with pytest.raises(ValueError, match=r'its ties are efron or breslow: write "cox" \(efron\)'):
        CASE.path(family="cox(exact)")
    assert CASE.path(family="cox(efron)", n_lambdas=2).family == "cox"
    with pytest.raises(ValueError, match='strata are given, but family="gaussian" has none'):
        nb.fit_path(CASE.X, CASE.target[:, 0], strata=np.zeros(30))
    with pytest.raises(ValueError, match='family="cox" has "deviance"'):
        nb.cv_path(CASE.X, CASE.target, family="cox", score="mse")
    with pytest.raises(nb.DataError, match="29 events cannot make 30 folds with an event each"):
        nb.cv_path(CASE.X, CASE.target, family="cox", cv=30)
    event_of = (CASE.target[:, 1] == 1).astype(int)
    with pytest.raises(nb.DataError, match="no event in the training rows of fold 2 of 2"):
        nb.cv_path(CASE.X, CASE.target, family="cox", fold_ids=event_of)
    with pytest.raises(nb.DataError, match=r"no event among the rows .* in 1 of 2 problems"):
        nb.fit_paths(CASE.X, CASE.target, family="cox", sample_weight=np.column_stack([event_of, 1 - event_of]))
    with pytest.raises(nb.DataError, match=r"two columns \(time, event\)"):
        nb.fit_path(CASE.X, CASE.target[:, 0], family="cox")
