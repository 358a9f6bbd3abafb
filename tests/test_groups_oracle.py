"""Groups of features: certified, equal to other programs' minima, and independent of how categories are coded."""

import numpy as np
import polars as pl
import pytest

import normball as nb
import oracle_cones
from judges import GROUPS, Case, assert_certified, assert_same_fits, draw_target, fit, judge, points, strengths
from oracle_outputs import indicators
from test_certificate import make_design

FAMILIES = ("gaussian", "binomial", "poisson")
PENALTIES = {
    "orthonormal": {},
    "as they are": {"orthonormalize": False},
    "sparse": {"group_ratio": 0.5},
    "nearly plain": {"group_ratio": 0.05, "group_weights": [0.3, 1.0, 4.0]},
}


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda name: name.replace(" ", "_"))
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("design", ["tall", "wide", "correlated", "badly scaled", "sparse"])
def test_certificate(design, family, penalty, l1_ratio):
    rng = np.random.default_rng([FAMILIES.index(family), len(design)])
    X = make_design(design, rng)
    signal = (X[:, :3] - X[:, :3].mean(axis=0)) / X[:, :3].std(axis=0) @ [[0.8], [-0.6], [0.4]]
    y = draw_target(family, signal, rng)
    groups = np.arange(X.shape[1]) * 3 // X.shape[1] if penalty == "nearly plain" else np.arange(X.shape[1]) // 4
    groups[::5] = -1
    options = {"family": family, "l1_ratio": l1_ratio, "groups": groups, **PENALTIES[penalty]}
    if design in ("tall", "sparse"):
        options["sample_weight"] = rng.random(y.size)
        options["offset"] = 0.3 * rng.normal(size=y.size)
    problem = judge(X, y, options)
    lambdas = problem.lambda_max() * np.array([1.0, 0.3, 0.1, 0.03])
    assert_certified(fit(X, y, options, lambdas=lambdas, tol=1e-6), problem, 1e-6)


@pytest.mark.parametrize("penalty", list(PENALTIES)[:3], ids=lambda name: name.replace(" ", "_"))
@pytest.mark.parametrize("share", [0.5, 0.05])
def test_twenty_genes_of_five_basis_functions(read_shared, penalty, share):
    """The example data of gglasso, against the cone solver and the oracle's own minimum."""
    table = read_shared("trim32_bardet100").to_numpy().astype(float)
    X, y = table[:, 1:].copy(), table[:, 0] / table[:, 0].std()
    words = {"groups": np.arange(100) // 5, **PENALTIES[penalty]}
    problem = judge(X, y, {"family": "gaussian", **words})
    lam = share * problem.lambda_max()
    path = fit(X, y, {"family": "gaussian", **words}, lambdas=problem.lambda_max() * np.geomspace(1, share, 5))
    ours = problem.objective(problem.theta(*points(path)[-1]), lam)
    cones = problem.objective(problem.theta(*oracle_cones.minimum(X, y, "gaussian", lam, **words)), lam)
    assert cones == pytest.approx(ours, rel=1e-8)
    assert ours <= cones + 1e-9 * problem.null_loss
    assert_certified(path, problem)


def houses(read_shared):
    """The table of predictors, the price in its own unit, and the design with the groups of its text columns."""
    frame = read_shared("ames_housing")
    y, X = frame["Sale_Price"].to_numpy() / 1e5, frame.drop("Sale_Price")
    columns, groups, n_groups = {}, [], 0
    for name, dtype in X.schema.items():
        if dtype != pl.String:
            columns[name], own = X[name].to_numpy().astype(float), [-1]
        else:
            levels = sorted(X[name].unique())
            columns |= {f"{name} = {level.strip()}": (X[name] == level).to_numpy().astype(float) for level in levels}
            own, n_groups = [n_groups] * len(levels), n_groups + 1
        groups += own
    return X, y, columns, np.array(groups)


def test_houses_by_columns(read_shared):
    """groups="columns": the levels of a category come and go together; the minimum is the cone solver's."""
    X, y, columns, groups = houses(read_shared)
    design = np.column_stack(list(columns.values()))
    problem = judge(design, y, {"family": "gaussian", "groups": groups})
    lambdas = problem.lambda_max() * np.array([1.0, 0.3, 0.1])
    path = nb.fit_path(X, y, groups="columns", lambdas=lambdas, tol=1e-9)
    place = {name: j for j, name in enumerate(path.feature_names)}
    coefs = path.coefs[:, [place[name] for name in columns]]
    assert path.lambda_max == pytest.approx(lambdas[0], rel=1e-8)
    for g in range(groups.max() + 1):
        alive = (coefs[:, groups == g] != 0).sum(axis=1)
        assert set(alive) <= {0, *range((groups == g).sum() - 1, (groups == g).sum() + 1)}
    for index, lam in enumerate(lambdas):
        theta = problem.theta(path.intercepts[index], coefs[index])
        assert problem.gap(theta, lam) <= path.dual_gaps[index] + 1e-11
    other = oracle_cones.minimum(design, y, "gaussian", lam, groups=groups)
    cones = problem.objective(problem.theta(*other), lam)
    ours = problem.objective(theta, lam)
    assert ours == pytest.approx(cones, rel=1e-8)


@pytest.mark.parametrize("l1_ratio", [0.4, 1.0])
@pytest.mark.parametrize("family", FAMILIES)
def test_coding_of_categories_is_nothing(family, l1_ratio):
    """Every level, all but one, or effects: the same fitted values, as the penalty is that of the fitted values."""
    rng = np.random.default_rng(4)
    n = 120
    kinds, number = [rng.integers(0, 5, n), rng.integers(0, 3, n)], rng.normal(size=n)
    signal = np.array([-1, 0, 0.5, 1, 0.2])[kinds[0]] + 0.5 * number
    y, weights = draw_target(family, signal[:, None], rng), rng.random(n)

    def coded(matrix_of):
        parts = [indicators(kind) @ matrix_of(kind.max() + 1) for kind in kinds]
        return np.column_stack([*parts, number]), np.r_[[0] * parts[0].shape[1], [1] * parts[1].shape[1], -1]

    codings = [
        coded(np.eye),
        coded(lambda k: np.eye(k)[:, 1:]),
        coded(lambda k: np.vstack([np.eye(k - 1), -np.ones(k - 1)])),
        coded(lambda k: np.random.default_rng(k).normal(size=(k, k + 2))),
    ]
    options = {"family": family, "l1_ratio": l1_ratio, "sample_weight": weights, "tol": 1e-12}
    problem = judge(codings[0][0], y, {"family": family, "l1_ratio": l1_ratio, "sample_weight": weights,
                                       "groups": codings[0][1]})  # fmt: skip
    lambdas = problem.lambda_max() * np.array([0.8, 0.3, 0.05])
    paths = [fit(X, y, options | {"groups": groups}, lambdas=lambdas) for X, groups in codings]
    fitted = [path.intercepts[:, None] + path.coefs @ X.T for path, (X, _) in zip(paths, codings, strict=True)]
    assert_certified(paths[0], problem, 1e-12)
    for path, eta in zip(paths[1:], fitted[1:], strict=True):
        np.testing.assert_allclose(eta, fitted[0], atol=2e-5)
        # a loss is off by the root of the gap, 1e-6 of the null loss: what is lost there the penalty gains
        np.testing.assert_allclose(path.loss, paths[0].loss, rtol=1e-8)
        assert path.lambda_max == pytest.approx(paths[0].lambda_max, rel=1e-9)


def test_columns_of_a_table_are_groups_by_name():
    rng = np.random.default_rng(6)
    table = pl.DataFrame({
        "kind": rng.choice(["red", "green", "blue"], 60), "age": rng.normal(size=60), "old": rng.normal(size=60),
        "place": rng.choice(["north", "south"], 60),
    })  # fmt: skip
    y = table["age"] + (table["kind"] == "red") + rng.normal(size=60)
    by_columns = nb.fit_path(table, y, groups="columns", n_lambdas=6)
    by_name = nb.fit_path(table, y, groups={"one": ["kind"], "other": ["place"]}, n_lambdas=6)
    np.testing.assert_array_equal(by_columns.coefs, by_name.coefs)
    both = nb.fit_path(table, y, groups={"ages": ["age", "old"]}, lambdas=by_columns.lambdas)
    assert (
        (both.coefs[:, both.feature_names.index("age")] != 0) == (both.coefs[:, both.feature_names.index("old")] != 0)
    ).all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(3))
def test_groups_come_and_go_as_a_whole(family, seed):
    case = Case("groups", seed)
    y = draw_target(family, case.X[:, :1] - case.X[:, 4:5], case.rng)
    options = {"family": family, "groups": GROUPS}
    path = fit(case.X, y, options, n_lambdas=12, lambda_min_ratio=0.01)
    for g in range(3):
        own = np.flatnonzero(g == GROUPS)
        assert set((path.coefs[:, own] != 0).sum(axis=1)) <= {0, own.size}
    assert not path.coefs[0].any()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", FAMILIES)
def test_what_groups_are_when_they_are_nothing(family, seed):
    """A group of one is a feature, and at group_ratio 0 groups are none; close to 1 they are those that they are."""
    case = Case("groups", seed, standardize=True, fit_intercept=True, family=family)
    y = draw_target(family, case.X[:, :1] - case.X[:, 4:5], case.rng)
    plain = {name: value for name, value in case.options.items() if name != "groups"}
    problem = judge(case.X, y, plain)
    lambdas = strengths(problem)
    none = fit(case.X, y, plain, lambdas=lambdas)
    singles = plain | {"groups": np.r_[np.arange(6), -1, 6]}
    for options in (singles, singles | {"orthonormalize": False}, case.options | {"group_ratio": 0.0}):
        assert_same_fits(problem, lambdas, points(none), points(fit(case.X, y, options, lambdas=lambdas)))
    groups = case.options | {"orthonormalize": False}
    problem = judge(case.X, y, groups)
    lambdas = strengths(problem)
    close = fit(case.X, y, case.options | {"group_ratio": 1 - 1e-12}, lambdas=lambdas)
    assert_same_fits(problem, lambdas, points(fit(case.X, y, groups, lambdas=lambdas)), points(close))


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda name: name.replace(" ", "_"))
def test_factors_weights_and_excluded_members(penalty):
    """A group's weight times its factor is what counts; an excluded member gets nothing, the rest stays a group."""
    case = Case("groups", 1)
    weights = np.array([0.5, 1.0, 2.0])
    base = case.options | PENALTIES[penalty] | {"group_weights": weights}
    factors = np.array([3, 3, np.inf, 1, 2, 2, 0, 1])
    problem = judge(case.X, case.y, base | {"penalty_factors": factors})
    lambdas = strengths(problem)
    path = fit(case.X, case.y, base | {"penalty_factors": factors}, lambdas=lambdas)
    assert (path.coefs[:, 2] == 0).all()
    assert (path.coefs[:, 6] != 0).all()
    assert_certified(path, problem)
    if base.get("group_ratio", 1) == 1:
        same = base | {
            "group_weights": weights * [3, 2, 0],
            "penalty_factors": np.where(np.isinf(factors), np.inf, 1.0),
        }
        assert_same_fits(problem, lambdas, points(path), points(fit(case.X, case.y, same, lambdas=lambdas)))


@pytest.mark.parametrize("penalty", ["orthonormal", "as they are", "sparse"], ids=lambda name: name.replace(" ", "_"))
@pytest.mark.parametrize("family", FAMILIES)
def test_members_may_depend_on_each_other(family, penalty):
    """A sum of members and a copy among them: no fit is lost, and none is gained."""
    case = Case("groups", 2, family=family)
    X = case.X.copy()
    X[:, 2], X[:, 5] = X[:, 0] - 2 * X[:, 1], X[:, 4]
    y = draw_target(family, X[:, :1] - X[:, 4:5], case.rng)
    options = case.options | PENALTIES[penalty]
    problem = judge(X, y, options)
    path = fit(X, y, options, lambdas=strengths(problem))
    assert_certified(path, problem)
    if penalty == "orthonormal":
        fewer, groups = np.delete(X, [2, 5], axis=1), np.delete(GROUPS, [2, 5])
        small = judge(fewer, y, options | {"groups": groups})
        other = fit(fewer, y, options | {"groups": groups}, lambdas=path.lambdas)
        for index, lam in enumerate(path.lambdas):
            one, two = problem.theta(*points(path)[index]), small.theta(*points(other)[index])
            assert problem.objective(one, lam) == pytest.approx(small.objective(two, lam), rel=1e-9)
            assert problem.w @ ((problem.eta(one) - small.eta(two)) ** 2)[:, 0] <= 1e-6


@pytest.mark.parametrize("penalty", list(PENALTIES)[:3], ids=lambda name: name.replace(" ", "_"))
@pytest.mark.parametrize("family", FAMILIES)
def test_folds_have_scales_and_bases_of_their_own(family, penalty):
    """Each fold of cv_path is the fit of its training rows, whose groups are orthonormalised among themselves."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(90, 8))
    X[::3] *= 1 + np.arange(8)
    y, weights = draw_target(family, X[:, :1] / 3, rng), rng.random(90) + 0.5
    fold_ids = np.arange(90) % 3
    options = {"family": family, "groups": {"a": ["x0", "x1", "x2"], "b": ["x4", "x5"]}, "tol": 1e-10, "n_lambdas": 5}
    options |= {"lambda_min_ratio": 0.02, **PENALTIES[penalty]}
    cv = nb.cv_path(X, y, fold_ids=fold_ids, sample_weight=weights, keep_predictions=True, **options)
    for fold in range(3):
        train = fold_ids != fold
        own = options | {"sample_weight": weights[train], "lambdas": cv.lambdas}
        single = nb.fit_path(X[train], y[train], **own)
        eta = np.column_stack([single.predict(X[~train], lam=lam) for lam in single.lambdas])
        np.testing.assert_allclose(cv.predictions[~train], eta, rtol=0, atol=1e-4 * max(1, np.abs(eta).max()))


@pytest.mark.parametrize("penalty", list(PENALTIES)[:3], ids=lambda name: name.replace(" ", "_"))
@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_too_few_iterations_are_admitted(family, penalty):
    """A run that its limit stops says so, and its reported gap is still true."""
    rng = np.random.default_rng(11)
    X = make_design("correlated", rng)[:, :8]
    y = draw_target(family, X[:, :1], rng)
    options = {"family": family, "groups": GROUPS, **PENALTIES[penalty]}
    problem = judge(X, y, options)
    lam = 1e-3 * problem.lambda_max()
    with pytest.warns(nb.NotConverged, match="did not reach"):
        path = fit(X, y, options, lambdas=[lam], tol=1e-13, max_iter=1)
    assert path.statuses[0] == "max_iter"
    assert path.dual_gaps[0] >= problem.gap(problem.theta(*points(path)[0]), lam) - 1e-11
    assert path.dual_gaps[0] > 1e-13


def test_sparse_groups_are_not_orthonormalised():
    case = Case("sparse groups", 0)
    with pytest.raises(ValueError, match="orthonormalize"):
        fit(case.X, case.y, case.options, orthonormalize=True)
