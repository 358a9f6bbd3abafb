"""fit_paths: a batch is its problems, whatever makes them differ, and says which of them cannot be solved."""

import doctest

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

import normball as nb
import oracle
from normball import batch
from targets import FAMILIES, draw, each_family

TOL = 1e-6


@pytest.fixture(scope="module")
def table():
    return each_family()


def bootstrap(n, n_problems, seed=0):
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_problems).T.astype(float)


def several(y, n_problems=3, seed=0):
    """The target and shuffled copies of it, a column each."""
    generator = np.random.default_rng(seed)
    return np.column_stack([y, *(generator.permutation(y) for _ in range(n_problems - 1))])


def assert_same_minimum(path, alone, X, y, weights, **options):
    """Both are certified, so their objectives differ by no more than the certificates allow."""
    assert (path.statuses == "converged").all()
    assert path.null_loss == pytest.approx(alone.null_loss, rel=1e-10)
    np.testing.assert_allclose(path.scales, alone.scales, rtol=1e-10)
    problem = oracle.Problem(X, y, path.family, weights=weights, **options)
    for index, lam in enumerate(path.lambdas):
        one, other = (
            problem.objective(problem.theta(which.intercepts[index], which.coefs[index]), lam)
            for which in (path, alone)
        )
        assert abs(one - other) <= TOL * path.null_loss * (1 + 1e-6) + 1e-12


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layout", [np.asfortranarray, np.ascontiguousarray, scipy.sparse.csc_array])
@pytest.mark.parametrize("vary", ["weights", "targets", "both"])
def test_a_batch_is_its_problems(table, family, layout, vary):
    X, targets, _ = table
    y = several(targets[family]) if vary != "weights" else targets[family]
    weights = bootstrap(90, 3) if vary != "targets" else None
    paths = nb.fit_paths(layout(X), y, sample_weight=weights, family=family, l1_ratio=0.9, n_lambdas=8, tol=TOL)
    assert len(paths) == 3
    for k, path in enumerate(paths):
        one_y = y if y.ndim == 1 else y[:, k]
        one_weight = None if weights is None else weights[:, k]
        alone = nb.fit_path(
            X, one_y, sample_weight=one_weight, family=family, l1_ratio=0.9, lambdas=paths.lambdas, tol=TOL
        )
        assert path.lambda_max == pytest.approx(alone.lambda_max, rel=1e-9)
        assert (path.sum_weights, path.fingerprint) == (alone.sum_weights, alone.fingerprint)
        assert_same_minimum(path, alone, X, one_y, one_weight, l1_ratio=0.9)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_wide_batches(family, l1_ratio):
    generator = np.random.default_rng(3)
    X = generator.normal(size=(40, 200))
    eta = X[:, :3].sum(axis=1)
    y, weights = several(draw(family, eta, generator, log=(0.0, 1 / 3)), 4), bootstrap(40, 4)
    options = {"family": family, "l1_ratio": l1_ratio, "tol": TOL}
    paths = nb.fit_paths(X, y, sample_weight=weights, n_lambdas=6, lambda_min_ratio=0.1, **options)
    for k, path in enumerate(paths):
        alone = nb.fit_path(X, y[:, k], sample_weight=weights[:, k], lambdas=paths.lambdas, **options)
        assert_same_minimum(path, alone, X, y[:, k], weights[:, k], l1_ratio=l1_ratio)


def test_other_options_hold_for_all_problems(table):
    X, targets, _ = table
    y, offset = several(targets["gaussian"]), np.linspace(-1, 1, 90)
    options = {
        "offset": offset, "penalty_factors": {"x0": 0.0, "x3": 2.0}, "lower_bounds": -0.3, "fit_intercept": False,
        "standardize": False, "lambdas": [0.3, 0.1, 0.02], "tol": 1e-9,
    }  # fmt: skip
    paths = nb.fit_paths(X, y, **options)
    assert paths.lambdas.tolist() == [0.3, 0.1, 0.02]
    for k, path in enumerate(paths):
        alone = nb.fit_path(X, y[:, k], **options)
        np.testing.assert_allclose(path.coefs, alone.coefs, atol=1e-5)
        assert not path.intercepts.any()


def test_a_frame_names_its_problems(table):
    X, targets, weights = table
    frame = pl.DataFrame(X, schema=[f"f{j}" for j in range(8)])
    labels = np.where(targets["binomial"] > 0, "yes", "no")
    y = pl.DataFrame({"bought": labels, "first": X[:, 0] > 0})
    paths = nb.fit_paths(frame, y, family="binomial", n_lambdas=5)
    assert paths.names == ("bought", "first")
    assert [path.classes for path in paths] == [("no", "yes"), (False, True)]
    assert paths[0].feature_names == tuple(frame.columns)
    full = frame.hstack(y).with_columns(pl.Series("w", weights))
    named = nb.fit_paths(full, ["bought", "first"], sample_weight="w", family="binomial", n_lambdas=5)
    assert named.names == paths.names
    assert named[1].feature_names == tuple(frame.columns)
    weighted = nb.fit_paths(frame, y.to_pandas(), sample_weight=weights, family="binomial", n_lambdas=5)
    for one, other in zip(named, weighted, strict=True):
        np.testing.assert_array_equal(one.coefs, other.coefs)
    by_weights = nb.fit_paths(full, "f1", sample_weight=pd.DataFrame({"a": weights, 7: 1.0}), drop=["first"])
    assert by_weights.names == ("a", "7")
    assert by_weights[0].feature_names[:2] == ("f0", "f2")


def test_one_target_and_one_weight_is_a_batch_of_one(table):
    X, targets, weights = table
    alone = nb.fit_path(X, targets["poisson"], sample_weight=weights, family="poisson", n_lambdas=7)
    for y in (targets["poisson"], targets["poisson"][:, None], pd.Series(targets["poisson"], name="y")):
        (path,) = nb.fit_paths(X, y, sample_weight=weights, family="poisson", n_lambdas=7)
        np.testing.assert_array_equal(path.coefs, alone.coefs)
        np.testing.assert_array_equal(path.lambdas, alone.lambdas)


def test_the_grid_is_that_of_the_first_problem(table):
    X, targets, _ = table
    y = several(targets["gaussian"])
    first = nb.fit_path(X, y[:, 1], n_lambdas=9)
    paths = nb.fit_paths(X, y[:, [1, 0]], n_lambdas=9)
    np.testing.assert_allclose(paths.lambdas, first.lambdas, rtol=1e-12)
    assert paths[1].lambda_max > paths.lambdas[0]
    assert (paths.statuses == "converged").all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", [(90, 8), (30, 150)])
def test_the_number_of_threads_changes_no_bit(family, shape):
    generator = np.random.default_rng(0)
    X = generator.normal(size=shape)
    y = draw(family, X[:, 0], generator)
    weights = bootstrap(shape[0], 5)
    one, two, again = (
        nb.fit_paths(X, y, sample_weight=weights, family=family, n_lambdas=8, n_threads=n) for n in (1, 2, 2)
    )
    for other in (two, again):
        np.testing.assert_array_equal(one.dual_gaps, other.dual_gaps)
        for path, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(path.coefs, same.coefs)
            np.testing.assert_array_equal(path.intercepts, same.intercepts)


def test_rows_without_a_target_are_absent_from_that_problem_alone(table):
    X, targets, _ = table
    holes = several(targets["gaussian"])
    holes[:5, 0] = holes[10:17, 2] = np.nan
    with pytest.raises(nb.DataError, match=r"E04 Missing values \(NaN\): y\[:, 0\] \(target\) 5 ") as error:
        nb.fit_paths(X, holes)
    assert 'missing="drop"' in str(error.value)
    options = {"missing": "drop", "tol": 1e-12}
    paths = nb.fit_paths(X, holes, n_lambdas=5, **options)
    for k, n_used in enumerate((85, 90, 83)):
        alone = nb.fit_path(X, holes[:, k], lambdas=paths.lambdas, **options)
        assert paths[k].sum_weights == alone.sum_weights == n_used
        np.testing.assert_allclose(paths[k].coefs, alone.coefs, atol=1e-5)
    assert [[finding.code for finding in path.findings] for path in paths] == [["W04"], [], ["W04"]]
    assert '7 of 90 rows have no target "y[:, 2]"' in paths[2].findings[0].text
    labels = np.where(holes > 0, "a", "b").astype(object)
    labels[np.isnan(holes)] = None
    by_label = nb.fit_paths(X, labels, family="binomial", n_lambdas=5, missing="drop")
    assert [path.sum_weights for path in by_label] == [85, 90, 83]
    X = X.copy()
    X[:3, 0] = np.nan  # such rows are of no use to any problem
    left = nb.fit_paths(X, holes[:, 0], sample_weight=bootstrap(90, 2), n_lambdas=5, missing="drop")
    assert left[0].n_rows == 85
    assert nb.fit_paths(X, holes, sample_weight=np.ones(90), n_lambdas=5, missing="drop")[1].n_rows == 87


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.zeros((2, 90))}, r"E14 y has shape \(2, 90\); a row for each row of X.*\n.*Fix: y.T"),
        ({"sample_weight": np.ones((3, 90))}, r"E14 sample_weight has shape \(3, 90\)(.|\n)*sample_weight.T"),
        ({"sample_weight": np.ones((90, 2, 2))}, r"sample_weight must have 1 or 2 dimensions; its shape is \(90, 2, 2"),
        ({"sample_weight": np.ones((90, 2))}, "y has 3 columns, sample_weight has 2: one column for each"),
        ({"sample_weight": np.ones((90, 0))}, "E14 sample_weight has no columns"),
        ({"y": np.ones((89, 2))}, r"E14 y\[:, 0\] has 89 values; X has 90 rows"),
        ({"y": [[1.0, 2.0], [1.0]]}, "E14 The rows of y do not all have the same length"),
        ({"y": "z"}, 'E02 Target "z" not found'),
        ({"y": ["x0", "y2"]}, 'E02 Target "y2" not found'),
        ({"y": scipy.sparse.eye_array(90)}, "E14 y must have 1 or 2 dimensions"),
        ({"sample_weight": [["a", "b", "c"]] * 90}, r"E15 sample_weight\[:, 0\] must be numbers"),
        ({"sample_weight": np.outer(np.ones(90), [1, 0, 1])}, r"E15 All sample_weight\[:, 1\] values are zero"),
        (
            {"sample_weight": np.outer(np.ones(90), [1, 1, -1])},
            r"90 of 90 values of sample_weight\[:, 2\] are negative",
        ),
        (
            {"sample_weight": np.outer(np.ones(90), [1, np.nan, 1])},
            r"E04 .* sample_weight\[:, 1\] \(weight\) 90",
        ),
    ],
)
def test_what_cannot_be_a_batch(table, change, message):
    X, targets, _ = table
    with pytest.raises(nb.DataError, match=message):
        nb.fit_paths(X, **{"y": several(targets["gaussian"]), **change})


def test_the_problem_that_cannot_be_solved_is_named(table):
    X, targets, _ = table
    y = several(targets["gaussian"])
    infinite = y.copy()
    infinite[4, 1] = np.inf
    with pytest.raises(nb.DataError, match=r"E07 Infinite values: y\[:, 1\] \(target\), row 5"):
        nb.fit_paths(X, infinite)
    constant = y.copy()
    constant[:, 2] = 1.0
    with pytest.raises(nb.DataError, match=r'E03 Target "y\[:, 2\]" has one value only: 1 in all 90 rows'):
        nb.fit_paths(X, constant)
    assert len(nb.fit_paths(X, constant, offset=X[:, 0], n_lambdas=3)) == 3
    with pytest.raises(nb.DataError, match=r'Target "y\[:, 1\]" has 3 negative values') as error:
        nb.fit_paths(X, np.where(np.arange(90)[:, None] < [0, 3, 0], -1.0, 2.0 + (y > 0)), family="poisson")
    assert "rows 1, 2, 3" in str(error.value)
    labels = targets["binomial"]
    with pytest.raises(nb.DataError, match=r'"y, weighted by sample_weight\[:, 1\]" has one class only: "1.0"'):
        nb.fit_paths(X, labels, family="binomial", sample_weight=np.column_stack([np.ones(90), labels]))
    with pytest.raises(nb.DataError, match=r'Target "y\[:, 2\]" holds labels'):
        nb.fit_paths(X, np.array([[1, 2, "a"], [3, 4, "b"]] * 45, dtype=object))
    with pytest.raises(nb.DataError, match=r'"auto" finds gaussian for "y\[:, 0\]" and binomial for "y\[:, 2\]"'):
        nb.fit_paths(X, np.column_stack([y[:, :2], labels]), family="auto")
    assert nb.fit_paths(X, several(labels), family="auto", n_lambdas=3)[1].family == "binomial"


def test_a_missing_feature_is_an_error_as_in_a_single_fit(table):
    X, targets, _ = table
    holes = X.copy()
    holes[3, 2] = np.nan
    with pytest.raises(nb.DataError, match="x2 1 "):
        nb.fit_paths(holes, several(targets["gaussian"]))
    infinite = X.copy()
    infinite[3, 2] = np.inf
    paths = nb.fit_paths(infinite, several(targets["gaussian"]), inf="nan", missing="impute", n_lambdas=3)
    assert paths[2].feature_names[3] == "x2 is missing"


@pytest.mark.parametrize("fit", [nb.fit_path, nb.fit_paths])
def test_weight_on_rows_left_out_is_no_weight(table, fit):
    X, targets, _ = table
    holes = X.copy()
    holes[:5, 2] = np.nan
    weights = (np.arange(90) < 5).astype(float)
    with pytest.raises(nb.DataError, match="All sample_weight values are zero in the rows without missing values"):
        fit(holes, targets["gaussian"], sample_weight=weights, missing="drop")
    if fit is nb.fit_paths:
        both = np.column_stack([np.ones(90), weights])
        with pytest.raises(nb.DataError, match=r"All sample_weight\[:, 1\] values are zero in the rows without"):
            fit(holes, targets["gaussian"], sample_weight=both, missing="drop")


def test_masked_values_are_missing(table):
    X, targets, _ = table
    y = np.ma.masked_array(several(targets["gaussian"]), mask=np.arange(90)[:, None] < [0, 2, 0])
    assert [path.sum_weights for path in nb.fit_paths(X, y, missing="drop", n_lambdas=3)] == [90, 88, 90]


def test_stopping_keeps_what_all_problems_finished():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(400, 300))
    y = X[:, :50].sum(axis=1) + 3 * generator.normal(size=400) > 0
    options = {"family": "binomial", "sample_weight": bootstrap(400, 3)}
    with pytest.raises(nb.Interrupted, match="of 100 lambdas") as stopped:
        nb.fit_paths(X, y, progress=lambda done, total: done > total // 20, **options)
    part = stopped.value.result
    assert 0 < part.lambdas.size < 100
    assert (part.dual_gaps <= 1e-6).all()
    with pytest.raises(nb.Interrupted, match="after 0 of") as stopped:
        nb.fit_paths(X, y, progress=lambda *_: True, **options)
    assert stopped.value.result is None


def test_one_warning_for_all_problems():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(100, 150))
    y = X[:, :10].sum(axis=1) + generator.normal(size=100) > 0
    with pytest.warns(nb.NotConverged, match="of 8 lambdas did not reach") as caught:
        nb.fit_paths(X, several(y), family="binomial", n_lambdas=8, tol=1e-10, max_iter=1)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_words_of_other_programs(table):
    X, targets, _ = table
    with pytest.raises(TypeError, match=r"fit_paths\(\) has no argument 'alpha'"):
        nb.fit_paths(X, targets["gaussian"], alpha=1.0)
    with pytest.raises(TypeError, match="row weights are called sample_weight"):
        nb.fit_paths(X, targets["gaussian"], weights=None)


def test_a_single_fit_points_to_the_batch(table):
    X, targets, _ = table
    with pytest.raises(nb.DataError, match=r"y must have 1 dimension; its shape is \(90, 3\)(.|\n)*fit_paths") as error:
        nb.fit_path(X, several(targets["gaussian"]))
    assert len(error.value.findings) == 1


def test_what_the_paths_of_a_batch_offer(table):
    X, targets, _ = table
    paths = nb.fit_paths(X, targets["gaussian"], sample_weight=bootstrap(90, 12), n_lambdas=6)
    assert isinstance(paths, nb.Paths)
    kept = np.array([path.coefs != 0 for path in paths])
    np.testing.assert_array_equal(paths.selection_counts.toarray(), kept.sum(axis=0))
    assert paths.dual_gaps.shape == paths.statuses.shape == paths.n_iters.shape == (12, 6)
    assert paths.n_sweeps == paths[3].n_sweeps > 0
    assert [fit.lam for fit in paths.at(lam=paths.lambdas[2])] == [paths.lambdas[2]] * 12
    frame = paths.to_frame()
    assert frame.shape[0] == 72
    assert frame["problem"][-1] == "sample_weight[:, 11]"
    rest = paths[1:]
    assert len(rest) == 11
    assert rest.names[0] == "sample_weight[:, 1]"
    assert rest[-1] is paths[11]
    text = paths.summary()
    assert "(12 problems in all)" in text
    assert "72 of 72 solutions certified to a relative duality gap of 1e-06; " in text
    assert paths._repr_html_().count("<tr>") == 11
    assert "(2 problems" not in paths[:2].summary()
    assert repr(paths).startswith("<Paths of 12 problems, each <Path gaussian")


def test_one_read_serves_all_problems():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 400))
    y = X[:, 0] + generator.normal(size=60)
    alone, many = nb.fit_path(X, y), nb.fit_paths(X, y, sample_weight=np.ones((60, 8)))
    assert many.n_sweeps < 5 * alone.n_sweeps


def test_the_example_of_the_documentation():
    assert doctest.testmod(batch).failed == 0
