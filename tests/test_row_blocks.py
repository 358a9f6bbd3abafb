"""Rows in blocks: the same answers as in memory, whatever the blocks, the layout and the number of threads."""

import pickle
import time
from functools import partial

import numpy as np
import pytest

import normball as nb
from normball import _native
from normball.blocks.arrays import read_arrays
from normball.blocks.executor import Tree
from normball.blocks.folds import fold_of_rows
from normball.blocks.local import LocalExecutor
from normball.blocks.sums import block_sums, native_sums
from oracle import Problem
from targets import draw

FAMILIES = ("gaussian", "binomial", "poisson", "gamma", "tweedie(1.5)", "negative_binomial(2)", "huber(1.345)")
OPTIONS = {
    "plain": {},
    "ridge": {"l1_ratio": 0.0},
    "net as it stands": {"l1_ratio": 0.4, "standardize": False, "fit_intercept": False},
    "factors": {"penalty_factors": [0, 1, 1, 2, np.inf, 1, 1], "upper_bounds": [np.inf, 0.2, 1, 1, 1, 1, 1]},
    "weights": {"sample_weight": "w"},
    "weights and offset": {"sample_weight": "w", "offset": "o"},
}
N_ROWS = 203
WORDS = {"sample_weight": "weights", "lower_bounds": "lower", "upper_bounds": "upper"}


class Case:
    def __init__(self, family, options="plain", seed=0):
        rng = np.random.default_rng([seed, FAMILIES.index(family), list(OPTIONS).index(options)])
        self.X = rng.normal(size=(N_ROWS, 7)) * [1, 10, 1, 0.1, 1, 1, 1] + [0, 0, 30, 0, 0, 0, 0]
        self.X[:, 6] = 5.0  # constant
        signal = self.X[:, :3] @ [0.5, 0.03, -0.3] + 9.0
        self.y = draw(family, signal, rng, log=(0.0, 0.5))
        of_rows = {"w": rng.integers(0, 3, N_ROWS).astype(float), "o": 0.5 * rng.normal(size=N_ROWS)}
        self.options = {"family": family, "n_lambdas": 12, "lambda_min_ratio": 1e-2, "tol": 1e-6}
        self.options |= {name: of_rows.get(str(value), value) for name, value in OPTIONS[options].items()}
        self.folds = np.arange(N_ROWS) % 4 - (np.arange(N_ROWS) % 11 == 0)

    def oracle(self):
        known = {"family", "l1_ratio", "standardize", "fit_intercept", "penalty_factors", "offset", *WORDS}
        return Problem(self.X, self.y, **{WORDS.get(k, k): v for k, v in self.options.items() if k in known})


def assert_same(one, other, tol=1e-9):
    """Paths over the same rows; `tol` in standard deviations of the predictions."""
    np.testing.assert_allclose(one.lambdas, other.lambdas, rtol=1e-9)
    np.testing.assert_allclose(one.scales, other.scales, rtol=1e-9)
    np.testing.assert_allclose(one.coefs * one.scales, other.coefs * other.scales, rtol=tol, atol=tol)
    assert one.null_loss == pytest.approx(other.null_loss, rel=1e-9)
    assert one.sum_weights == pytest.approx(other.sum_weights)
    assert (one.n_rows, one.feature_names, one.classes) == (other.n_rows, other.feature_names, other.classes)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_paths_are_those_in_memory_and_certified(family, options):
    case = Case(family, options)
    whole, problem = nb.fit_path(case.X, case.y, **case.options), case.oracle()
    for rows in (1, 50, N_ROWS, 10 * N_ROWS):
        path = nb.fit_path(nb.Blocks(case.X, rows=rows), case.y, **case.options)
        assert set(path.statuses) == {"converged"}
        np.testing.assert_allclose(path.lambdas, whole.lambdas, rtol=1e-7)
        np.testing.assert_allclose(path.scales, whole.scales, rtol=1e-9)
        if family == "gaussian":
            assert_same(path, whole)
            assert path.n_sweeps == 1.0
        for lam, intercept, coef in zip(path.lambdas, path.intercepts, path.coefs, strict=True):
            theta = problem.theta(intercept, coef)
            best = problem.objective(problem.polish(theta, lam), lam)
            assert problem.objective(theta, lam) - best <= 1.01e-6 * problem.null_loss


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_bits_do_not_depend_on_threads(family):
    case = Case(family)
    paths = [
        nb.cv_path(nb.Blocks(case.X, rows=20, executor=LocalExecutor(n)), case.y, cv=4, n_threads=n, **case.options)
        for n in (1, 2, 5)
    ]
    for other in paths[1:]:
        assert np.array_equal(paths[0].path.coefs, other.path.coefs)
        assert np.array_equal(paths[0].fold_scores, other.fold_scores)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_on_disk_in_any_layout(tmp_path, dtype, order):
    case = Case("gaussian")
    X = np.asarray(np.round(100 * case.X), dtype=dtype, order=order)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", case.y)
    whole = nb.fit_path(X, case.y, **case.options)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for given in (mapped, tmp_path / "X.npy", str(tmp_path / "X.npy"), nb.Blocks(mapped, rows=30, memory=10**9)):
        assert_same(nb.fit_path(given, case.y, **case.options), whole, 1e-6 if dtype == np.float32 else 1e-9)
    assert_same(nb.fit_path(mapped, str(tmp_path / "y.npy"), **case.options), whole, 1e-6)


def test_blocks_of_an_array_are_views(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", dtype=np.float64, shape=(1000, 5))
    source = read_arrays(mapped, np.arange(1000.0), family="gaussian", block_rows=300).source
    blocks = list(source.open())
    assert [(one.number, one.first_row, one.n_rows) for one in blocks] == [
        (0, 0, 300), (1, 300, 300), (2, 600, 300), (3, 900, 100),
    ]  # fmt: skip
    assert all(np.shares_memory(one.X, mapped) for one in blocks)
    assert source.n_blocks_hint == 4


def test_targets_weights_and_offsets_may_be_columns_of_arrays():
    case = Case("binomial", "weights and offset")
    columns = np.column_stack([case.y, case.options["sample_weight"], case.options["offset"]])  # row-major
    options = {**case.options, "sample_weight": columns[:, 1], "offset": columns[:, 2]}
    found = nb.fit_path(nb.Blocks(case.X, rows=50), columns[:, 0], **options)
    same = nb.fit_path(nb.Blocks(case.X, rows=50), case.y, **case.options)
    np.testing.assert_array_equal(found.coefs, same.coefs)


def test_a_wide_column_major_map_is_read_by_columns_and_not_copied(tmp_path):
    import tracemalloc

    form = {"mode": "w+", "dtype": np.float64, "shape": (100, 20_000), "fortran_order": True}
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", **form)
    mapped[:] = np.random.default_rng(0).normal(size=mapped.shape)
    y = mapped[:, 0] + np.random.default_rng(1).normal(size=100)
    nb.fit_path(mapped[:, :50], y, n_lambdas=3)  # imports
    tracemalloc.start()
    path = nb.fit_path(mapped, y, n_lambdas=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.n_features == 20_000
    assert peak < 0.75 * mapped.nbytes  # names and terms of 20,000 columns take half as much


SCORES = {
    "gaussian": ("deviance", "mse", "mae"),
    "binomial": ("deviance", "accuracy", "brier", "auc"),
    "poisson": ("deviance", "mae"),
    "huber(1.345)": ("deviance",),
}


@pytest.mark.parametrize("options", ["plain", "weights and offset"])
@pytest.mark.parametrize(("family", "score"), [(family, one) for family, some in SCORES.items() for one in some])
def test_cross_validation_is_that_in_memory(family, score, options):
    case = Case(family, options)
    given = {"fold_ids": case.folds, "score": score, **case.options, "tol": 1e-10}
    whole = nb.cv_path(case.X, case.y, **given)
    for rows in (9, N_ROWS):
        cv = nb.cv_path(nb.Blocks(case.X, rows=rows), case.y, **given)
        assert_same(cv.path, whole.path, 1e-4)
        loose = {"rtol": 1e-6, "atol": 1e-9} if score != "accuracy" else {"atol": 0.011}  # a row may lie on the border
        np.testing.assert_allclose(cv.fold_scores, whole.fold_scores, **loose)
        np.testing.assert_allclose(cv.null_fold_scores, whole.null_fold_scores, rtol=1e-9)
        np.testing.assert_allclose(cv.train_mean, whole.train_mean, **loose)
        np.testing.assert_allclose(cv.fold_weights, whole.fold_weights)
        np.testing.assert_array_equal(cv.fold_sizes, whole.fold_sizes)
        np.testing.assert_allclose(cv.held_out.values, whole.held_out.values, atol=0.011, rtol=1e-6)
        assert cv.held_out.null == pytest.approx(whole.held_out.null, rel=1e-9)
        assert (cv.held_out.measure, cv.held_out.commonest) == (whole.held_out.measure, whole.held_out.commonest)
        assert cv.fold_dual_gaps.max() <= 1e-10
        assert cv.diagnostics.keys() == whole.diagnostics.keys()
        for which, known in whole.diagnostics.items():
            assert cv.diagnostics[which] == pytest.approx(known, rel=1e-4)
        assert cv.summary()


def test_folds_by_row_number_are_those_of_the_same_ids():
    case = Case("binomial")
    cv = nb.cv_path(nb.Blocks(case.X, rows=13), case.y, cv=5, random_state=3, **case.options)
    ids = fold_of_rows(0, N_ROWS, 5, 3)
    whole = nb.cv_path(case.X, case.y, fold_ids=ids, **case.options)
    np.testing.assert_allclose(cv.fold_scores, whole.fold_scores, rtol=1e-5)
    assert cv.folds == "5 folds at random by row number"


@pytest.mark.parametrize("n_folds", [2, 3, 10])
def test_folds_of_rows_are_balanced_and_differ_by_seed(n_folds):
    ids = fold_of_rows(0, 1000, n_folds, 7)
    sizes = np.bincount(ids, minlength=n_folds)
    assert np.ptp(sizes) <= 1
    for first, count in ((0, 1), (3, 500), (997, 3), (250, 0)):
        np.testing.assert_array_equal(fold_of_rows(first, count, n_folds, 7), ids[first : first + count])
    assert (ids != fold_of_rows(0, 1000, n_folds, 8)).mean() > 0.3
    for place in range(n_folds):  # no fold has a place of its own in the runs of rows
        if n_folds == 10:
            assert np.bincount(ids[place::n_folds], minlength=n_folds).max() < 40


def test_comparison_of_mixes_is_that_in_memory():
    case = Case("gaussian")
    given = {"fold_ids": case.folds, **case.options}
    whole, blocks = nb.compare(case.X, case.y, **given), nb.compare(nb.Blocks(case.X, rows=31), case.y, **given)
    assert blocks.l1_ratios == whole.l1_ratios
    for one, other in zip(blocks, whole, strict=True):
        assert_same(one.path, other.path)
        np.testing.assert_allclose(one.fold_scores, other.fold_scores, rtol=1e-8)


def test_few_passes_serve_a_hundred_lambdas_and_ten_folds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8000, 12))
    y = rng.random(8000) < 1 / (1 + np.exp(-X[:, :4].sum(axis=1)))
    opened = []

    class Counting(LocalExecutor):
        def map_reduce(self, *given):
            opened.append(1)
            return super().map_reduce(*given)

    cv = nb.cv_path(nb.Blocks(X, rows=1000, executor=Counting()), y, family="binomial", cv=10)
    assert cv.lambdas.size == 100
    assert cv.n_sweeps <= len(opened) <= 30
    opened.clear()
    cv = nb.cv_path(nb.Blocks(X, rows=1000, executor=Counting()), X[:, 0] + rng.normal(size=8000), cv=10)
    assert len(opened) == cv.n_sweeps == 1


@pytest.mark.parametrize("has_gram", [True, False])
@pytest.mark.parametrize("far", [0.0, 1e9])
def test_moments_of_parts_join_to_those_of_all(has_gram, far):
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(400, 4)) + far, rng.normal(size=400) + far, rng.integers(0, 3, 400).astype(float)
    X[:, 3] = far + 0.1  # constant
    fold = (np.arange(400) % 3 - 1).astype(np.int32)
    parts = [slice(0, 1), slice(1, 3), slice(3, 200), slice(200, 200), slice(200, 400)]
    given = [
        _native.block_moments(
            X=X[rows], y=y[rows], weights=w[rows], offset=np.zeros(400)[rows], fold=fold[rows], first_row=0,
            n_repeats=1, family="gaussian", parameter=np.nan, n_outputs=1, n_folds=2, has_gram=has_gram,
        )
        for rows in parts
    ]  # fmt: skip
    tree = Tree(lambda a, b: _native.joined_moments(a, b, 4, 1, has_gram))
    for one in given:
        tree.add(one)
    facts = _native.moment_facts(tree.total(), 4, 1, has_gram)
    size = tree.total().size // 3
    for place, name in enumerate((-1, 0, 1)):
        rows = (fold == name) & (w > 0)
        weights, Z = w[rows] / w[rows].sum(), np.longdouble(X[rows])
        mean = weights @ Z
        np.testing.assert_allclose(facts["means"][place], mean.astype(float), rtol=1e-15, atol=1e-15)
        assert facts["n_rows"][place] == (fold == name).sum()
        assert facts["n_weighted"][place] == rows.sum()
        products = ((Z - mean).T * w[rows]) @ (Z - mean)
        upper = np.concatenate([products[: b + 1, b] for b in range(4)]) if has_gram else np.diag(products)
        found = tree.total()[place * size + 14 : place * size + 14 + upper.size]
        np.testing.assert_allclose(found, upper.astype(float), rtol=1e-6 if far else 1e-12, atol=1e-12)
        assert found[-1] == 0.0  # of the constant column, exactly


def test_a_column_far_from_zero_keeps_its_digits():
    case = Case("binomial")
    case.X[:, 0] += 1e7
    whole = nb.fit_path(case.X, case.y, **case.options)
    path = nb.fit_path(nb.Blocks(case.X, rows=17), case.y, **case.options)
    np.testing.assert_allclose(path.scales, whole.scales, rtol=1e-8)
    assert set(path.statuses) == {"converged"}


class Changing:
    """An executor whose second pass finds another row."""

    def __init__(self, X):
        self.X, self.inner, self.n_passes = X, LocalExecutor(1), 0

    def place(self, source):
        return self.inner.place(source)

    def map_reduce(self, *given):
        self.n_passes += 1
        if self.n_passes == 2:
            self.X[111, 1] += 1.0
        return self.inner.map_reduce(*given)


def test_data_that_change_between_passes_are_an_error():
    case = Case("binomial")
    with pytest.raises(nb.DataError, match="changed between two passes") as caught:
        nb.fit_path(nb.Blocks(case.X, rows=50, executor=Changing(case.X)), case.y, **case.options)
    assert "block 2, from row 101 on" in str(caught.value)


class Slow(LocalExecutor):
    """Passes that take longer than the time between two reports of the engine."""

    def map_reduce(self, *given):
        time.sleep(0.06)
        return super().map_reduce(*given)


def test_progress_sees_blocks_and_may_stop_with_what_is_finished():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 10))
    y = rng.random(6000) < 1 / (1 + np.exp(-X[:, 0]))
    blocks, seen = nb.Blocks(X, rows=500, executor=Slow()), []

    def stop(done, total):
        seen.append((done, total))
        return done >= 3

    with pytest.raises(nb.Interrupted) as caught:
        nb.fit_path(blocks, y, family="binomial", progress=stop)
    path = caught.value.result
    whole = nb.fit_path(X, y, family="binomial")
    assert 3 <= path.lambdas.size < 100
    assert len(seen) > 24  # of every block of some passes
    np.testing.assert_allclose(path.coefs, whole.coefs[: path.lambdas.size], atol=1e-4)
    with pytest.raises(nb.Interrupted) as caught:
        nb.cv_path(blocks, y, family="binomial", progress=stop, cv=3)
    assert 3 <= caught.value.result.lambdas.size < 100
    with pytest.raises(nb.Interrupted) as caught:
        nb.fit_path(blocks, y, family="binomial", progress=lambda done, total: True)
    assert caught.value.result is None


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
@pytest.mark.parametrize("at_pass", [1, 2, 9])
def test_control_c_within_a_pass(family, at_pass):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 10))
    y = (rng.random(6000) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    passes = []

    class Interrupting(LocalExecutor):
        def map_reduce(self, handle, function, merge, on_block):
            passes.append(1)

            def interrupt(n_done):
                if len(passes) == at_pass and n_done == 3:
                    raise KeyboardInterrupt
                on_block(n_done)

            return super().map_reduce(handle, function, merge, interrupt)

    def fitted():
        return nb.fit_path(nb.Blocks(X, rows=500, executor=Interrupting()), y, family=family)

    if family == "gaussian" and at_pass > 1:
        assert fitted().lambdas.size == 100
        return
    with pytest.raises(nb.Interrupted) as caught:
        fitted()
    path = caught.value.result
    assert (path is None) == (at_pass < 9)
    if path is not None:
        assert set(path.statuses) == {"converged"}


def test_what_a_block_adds_can_be_sent_elsewhere():
    case = Case("binomial")
    source = read_arrays(case.X, case.y, family="binomial", block_rows=60).source
    block = next(source.open())
    request = {"family": "binomial", "parameter": np.nan, "n_outputs": 1, "n_folds": 0, "has_gram": False}
    function = partial(block_sums, partial(native_sums, "block_moments", request))
    here, there = function(block), pickle.loads(pickle.dumps(function))(pickle.loads(pickle.dumps(block)))
    assert here.seen == there.seen
    assert np.array_equal(here.values, there.values)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 100])
def test_the_tree_depends_on_the_number_of_blocks_alone(n):
    tree = Tree(lambda a, b: (a[0] + b[0], 1 + max(a[1], b[1])))
    for one in range(n):
        tree.add(([one], 0))
    order, depth = tree.total()
    assert order == list(range(n))
    assert depth <= np.ceil(np.log2(n))
    with pytest.raises(ValueError, match="no blocks"):
        Tree(max).total()


def spoiled(name):
    case = Case("binomial")
    X, y, options = case.X, case.y, {"family": "binomial", "cv": 5}
    match name:
        case "gap":
            X[17, 2] = np.nan
        case "infinite" | "huge":
            X[17, 2] = np.inf if name == "infinite" else 1e200
        case "one class":
            y[:] = 1.0
        case "rare class":
            y[:], options["fold_ids"] = np.arange(N_ROWS) == 3, case.folds
        case "wide" | "no columns":
            X, y = np.zeros((50, 3001 if name == "wide" else 0)), y[:50]
        case "many classes":
            X, y, options["family"] = np.zeros((400, 100)), np.arange(400) % 31, "multinomial"
        case "rare of three":
            y[:], options = np.where(np.arange(N_ROWS) == 3, 2, y), {"family": "multinomial", "fold_ids": case.folds}
        case "roc_auc":
            options["score"] = name
        case "splitter":
            options["cv"] = [(np.arange(100), np.arange(100, N_ROWS))]
        case "folds" | "repeats":
            options |= {"cv": 300} if name == "folds" else {"repeats": 2, "fold_ids": case.folds}
        case "seed":
            options["random_state"] = np.random.default_rng(0)
    return X, y, options


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gap", '"x2"'), ("infinite", '"x2"'), ("huge", '"x2"'),
        ("one class", "class"), ("rare class", "absent from the training rows"),
        ("no columns", "X has no columns"), ("wide", "3,001 features are too many"),
        ("many classes", "100 features of 31 classes are too many"),
        ("rare of three", "absent from the training rows"), ("roc_auc", "use one of deviance"),
        ("splitter", "fold_ids"),
        ("folds", "cannot make 300 folds"), ("seed", "whole number"),
        ("repeats", "needs folds that are drawn at random"),
    ],
)  # fmt: skip
def test_what_blocks_cannot_do_is_told(name, message):
    X, y, options = spoiled(name)
    with pytest.raises((nb.DataError, ValueError), match=message):
        nb.cv_path(nb.Blocks(X, rows=30), y, **options)


def test_what_is_no_source_is_told(tmp_path):
    (tmp_path / "X.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(nb.DataError, match="no whole"):
        nb.fit_path(tmp_path / "X.npy", np.ones(3))
    with pytest.raises(TypeError, match="nothing that can be read in blocks"):
        nb.fit_path(nb.Blocks({"a": [1.0]}), "a")
    with pytest.raises(nb.DataError, match="no column"):
        nb.fit_path(nb.Blocks(np.ones((30, 2))), "y")
    with pytest.raises(ValueError, match="missing is not available"):
        nb.fit_path(nb.Blocks(np.ones((30, 2))), np.arange(30.0), missing="impute")


def test_areas_of_many_rows_are_by_bins_and_as_near_as_they_say(monkeypatch):
    case = Case("binomial")
    given = {"fold_ids": case.folds, "score": "auc", "n_lambdas": 10, **case.options}
    whole = nb.cv_path(case.X, case.y, **given)
    monkeypatch.setattr("normball.cv_blocks.ranks_kept", lambda *_: 16)
    cv = nb.cv_path(nb.Blocks(case.X, rows=50), case.y, **given)
    (remark,) = (one for one in cv.path.findings if one.code == "W38")
    within = float(remark.text.split("within ")[1].split()[0])
    assert 0.0 < np.abs(cv.fold_scores - whole.fold_scores).max() <= 1.1 * within
