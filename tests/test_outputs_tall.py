"""Several outputs and groups of features on tall data in memory, which go by windows where the loss is curved."""

import numpy as np
import pytest
from scipy import sparse

import normball as nb
from judges import KINDS, Case, assert_certified, fit, judge, public

CURVED = [kind for kind, options in KINDS.items() if options["family"] in ("multinomial", "binomial", "poisson")]


@pytest.fixture(params=CURVED, ids=lambda kind: kind.replace(" ", "_"))
def kind(request):
    return request.param


def test_paths_are_certified(kind):
    case = Case(kind, 1, n=1010)
    problem = judge(case.X, case.y, case.options)
    lambdas = problem.lambda_max() * np.array([1.1, 0.1, 1e-3])
    assert_certified(fit(case.X, case.y, case.options, lambdas=lambdas, tol=1e-7), problem, 1e-7)


def test_a_path_takes_few_reads(kind):
    """On sets of blocks each lambda takes one."""
    case = Case(kind, 0, n=1100)
    assert fit(case.X, case.y, case.options, n_lambdas=50, tol=1e-6).n_sweeps < 40


def test_the_answers_are_those_of_working_sets(kind):
    """Which sparse columns go by."""
    case = Case(kind, 0, n=1100)
    path = fit(case.X, case.y, case.options, n_lambdas=7, lambda_min_ratio=1e-2, tol=1e-9)
    on_sets = fit(sparse.csc_array(case.X), case.y, case.options, lambdas=path.lambdas, tol=1e-9)
    np.testing.assert_allclose(path.lambdas[0], on_sets.lambda_max, rtol=1e-7)
    np.testing.assert_allclose(path.coefs, on_sets.coefs, rtol=0, atol=2e-4)
    assert path.null_loss == pytest.approx(on_sets.null_loss, rel=1e-9)


def test_bits_do_not_depend_on_threads_and_folds_are_certified(kind):
    case = Case(kind, 2, n=2100)
    runs = [nb.cv_path(case.X, case.y, cv=3, n_threads=n, n_lambdas=6, **public(case.options)) for n in (1, 3)]
    for name in ("coefs", "intercepts", "loss", "dual_gaps"):
        np.testing.assert_array_equal(getattr(runs[0].path, name), getattr(runs[1].path, name))
    np.testing.assert_array_equal(runs[0].fold_scores, runs[1].fold_scores)
    np.testing.assert_array_less(runs[0].fold_dual_gaps, 1e-6)


def test_separated_classes_go_on_by_working_sets():
    """A likelihood without a largest value leaves hardly any curvature."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 4))
    labels = np.digitize(X[:, 0], [-0.5, 0.5])
    path = nb.fit_path(X, labels, family="multinomial", n_lambdas=10, lambda_min_ratio=1e-6)
    assert (path.statuses == "converged").all()


@pytest.mark.parametrize("options", [{}, {"grouped": False}, {"fit_intercept": False}, {"l1_ratio": 0.0}])
def test_squared_errors_of_folds_share_one_read(options):
    """And their moments are those of each fold's own rows, however far the targets lie from 0."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(6000, 6)) + np.arange(6.0)
    Y = X @ rng.normal(size=(6, 2)) + 1e3 * np.array([1.0, -2.0]) + rng.normal(size=(6000, 2))
    folds = np.arange(6000) % 5
    options = {"family": "multigaussian", "n_lambdas": 5, "tol": 1e-9, "offset": rng.normal(size=Y.shape)} | options
    cv = nb.cv_path(X, Y, fold_ids=folds, keep_predictions=True, **options)
    assert cv.path.n_sweeps == 1.0
    kept = folds != 2
    own = options | {"offset": options["offset"][kept], "lambdas": cv.path.lambdas}
    alone = nb.fit_path(X[kept], Y[kept], **own)
    expected = alone.predict(X[~kept], lam=cv.path.lambdas[3], offset=options["offset"][~kept])
    np.testing.assert_allclose(cv.predictions[~kept][:, 3], expected, rtol=1e-6)
