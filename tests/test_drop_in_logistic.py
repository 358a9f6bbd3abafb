"""What the solver of scikit-learn's LogisticRegression decides: liblinear's intercept, cut-off fits, callbacks."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as sk
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from normball import drop_in

RNG = np.random.default_rng(0)
X, Y = load_breast_cancer(return_X_y=True)
X = (X[:200, :5] - X[:200, :5].mean(axis=0)) / X[:200, :5].std(axis=0) + np.array([0.0, 0.0, 3.0, 0.0, -1.0])
Y = Y[:200]
WEIGHTS = RNG.integers(0, 4, size=Y.size).astype(float)
IRIS, SPECIES = load_iris(return_X_y=True)
EXACT = {"solver": "liblinear", "tol": 1e-10, "max_iter": 1_000_000}


# -- liblinear's intercept


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"C": 0.05, "intercept_scaling": 3.0},
        {"l1_ratio": 1.0},
        {"l1_ratio": 1.0, "C": 0.05, "intercept_scaling": 0.5},
        {"class_weight": "balanced", "intercept_scaling": 100.0},
        {"fit_intercept": False},
    ],
)
def test_liblinear_penalises_the_intercept_as_in_scikit_learn(options, weights, container):
    ours = drop_in.LogisticRegression(**{**EXACT, **options}).fit(container(X), Y, sample_weight=weights)
    theirs = sk.LogisticRegression(**{**EXACT, **options}).fit(X, Y, sample_weight=weights)
    assert ours.coef_ == pytest.approx(theirs.coef_, abs=2e-5)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=2e-5)
    assert ours.predict_proba(container(X)) == pytest.approx(theirs.predict_proba(X), abs=1e-4)
    assert ours.dual_gap_ < 1e-9


@pytest.mark.parametrize(("refit", "l1_ratio"), [(True, 0.0), (True, 1.0), (False, 1.0)])
def test_liblinear_penalises_the_intercept_in_every_fold(refit, l1_ratio):
    options = {"Cs": [0.01, 1.0], "l1_ratios": (l1_ratio,), "refit": refit}
    options["intercept_scaling"] = 1.0 if refit else 2.0  # scikit-learn's refit forgets it
    options |= {"scoring": "neg_log_loss", "use_legacy_attributes": False, **EXACT}
    ours, theirs = (module.LogisticRegressionCV(**options).fit(X, Y, sample_weight=WEIGHTS) for module in (drop_in, sk))
    for name in ("coefs_paths_", "scores_", "coef_", "intercept_"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-4), name
    assert (ours.C_, ours.l1_ratio_) == (theirs.C_, l1_ratio)


def test_the_refit_minds_the_scale_of_the_intercept():
    options = {"l1_ratios": (0.0,), "scoring": "accuracy", "use_legacy_attributes": False, "intercept_scaling": 0.1}
    ours = drop_in.LogisticRegressionCV(Cs=[0.1], **options, solver="liblinear").fit(X, Y)
    alone = drop_in.LogisticRegression(C=0.1, intercept_scaling=0.1, solver="liblinear").fit(X, Y)
    assert ours.intercept_ == pytest.approx(alone.intercept_, rel=1e-6)


# -- fits that max_iter cuts off


@pytest.mark.parametrize("target", [Y == 1, Y + (X[:, 0] > 1.0)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_short_fits_one_after_the_other_are_one_long_fit(target, fit_intercept):
    options = {"C": 100.0, "fit_intercept": fit_intercept, "tol": 1e-8}
    short = drop_in.LogisticRegression(**options, max_iter=1, warm_start=True)
    for steps in range(1, 4):
        long = drop_in.LogisticRegression(**options, max_iter=steps).fit(X, target)
        assert short.fit(X, target).n_iter_.tolist() == [1]
        assert (short.coef_ == long.coef_).all()
    for _ in range(30):
        short.fit(X, target)
    solved = drop_in.LogisticRegression(**options).fit(X, target)
    assert short.coef_ == pytest.approx(solved.coef_, abs=1e-6)
    assert short.fit(X, target).n_iter_.tolist() == [0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_was_cut_off_is_not_gone_on_from_elsewhere():
    first = drop_in.LogisticRegression(max_iter=1).fit(X, Y)
    for change in ("rows", "C", "coef_", "warm_start"):
        model = drop_in.LogisticRegression(max_iter=1, warm_start=True).fit(X, Y)
        rows = slice(None)
        if change == "rows":
            rows = slice(100)
        elif change == "coef_":
            model.coef_ = model.coef_ + 1.0
        else:
            model.set_params(**{change: 2.0 if change == "C" else False})
        fresh = drop_in.LogisticRegression(max_iter=1, C=model.C).fit(X[rows], Y[rows])
        assert (model.fit(X[rows], Y[rows]).coef_ == fresh.coef_).all()
        assert (model.coef_ == first.coef_).all() == (change in ("coef_", "warm_start"))


@pytest.mark.parametrize("solver", ["lbfgs", "liblinear"])
def test_no_iteration_is_a_model_of_zeros_with_its_gap(solver):
    options = {"solver": solver, "C": 0.5}
    with pytest.warns(ConvergenceWarning, match=r"max_iter=0.*duality gap"):
        model = drop_in.LogisticRegression(**options, max_iter=0).fit(X, Y)
    assert model.n_iter_.tolist() == [0]
    assert not model.coef_.any()
    assert (model.predict_proba(X) == 0.5).all()
    solved = drop_in.LogisticRegression(**options, tol=1e-10).fit(X, Y)
    penalty = (solved.coef_**2).sum() + (solver == "liblinear") * (solved.intercept_**2).sum()
    log_loss = -np.log(solved.predict_proba(X)[np.arange(Y.size), Y]).mean()
    assert model.dual_gap_ >= np.log(2.0) - log_loss - penalty / (2.0 * 0.5 * Y.size) - 1e-12


def test_a_small_tol_gives_its_digits():
    """The gap of a solution goes with the square of what scikit-learn's `tol` limits."""
    options = {"l1_ratio": 1.0, "tol": 1e-10}
    dense, by_column = (
        drop_in.LogisticRegression(**options).fit(kind(X), Y) for kind in (np.asarray, sparse.csc_array)
    )
    assert dense.coef_ == pytest.approx(by_column.coef_, rel=1e-9)


# -- callbacks


class Recorder:
    """The models that a callback is given."""

    max_propagation_depth = None

    def __init__(self):
        """Begin with an empty record."""
        self.models, self.n_begun, self.is_open = [], 0, False

    def setup(self, estimator, context):
        """Remember that a fit began."""
        self.is_open = True

    def teardown(self, estimator, context):
        """Remember that it ended."""
        self.is_open = False

    def on_fit_task_begin(self, estimator, context):
        """Count the tasks."""
        self.n_begun += 1

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Take the model after a task."""
        self.models.append((context.task_name, fitted_estimator))


@pytest.mark.parametrize("target", [SPECIES, SPECIES == 1])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_callbacks_are_told_of_every_iteration(target):
    seen = Recorder()
    fitted = drop_in.LogisticRegression(C=10.0).set_callbacks(seen).fit(IRIS, target)
    iterations = [model for task, model in seen.models if task == "iteration"]
    assert len(iterations) == fitted.n_iter_[0] + 1  # the last one finds nothing to do
    assert iterations.pop() is None
    losses = []
    for k, model in enumerate(iterations, start=1):
        cut_off = drop_in.LogisticRegression(C=10.0, max_iter=k).fit(IRIS, target)
        assert (model.coef_ == cut_off.coef_).all()
        assert (model.predict(IRIS) == cut_off.predict(IRIS)).all()
        losses.append(cut_off.dual_gap_)
    decreasing = [loss for loss in losses if loss > 1e-8]
    assert decreasing == sorted(decreasing, reverse=True)
    assert len(decreasing) > 2
    assert seen.models[-1][0] == "fit"
    assert (seen.models[-1][1].coef_ == fitted.coef_).all()
    assert seen.n_begun == len(seen.models)
    assert not seen.is_open
    assert (fitted.coef_ == drop_in.LogisticRegression(C=10.0).fit(IRIS, target).coef_).all()


def test_callbacks_of_a_search_reach_the_models():
    seen = Recorder()
    search = GridSearchCV(drop_in.LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).set_callbacks(seen)
    search.fit(IRIS, SPECIES)
    assert sum(task == "iteration" for task, _ in seen.models) > 5
    assert not seen.is_open


def test_callbacks_end_when_the_fit_fails():
    seen = Recorder()
    with pytest.raises(ValueError, match="only one class"):
        drop_in.LogisticRegression().set_callbacks(seen).fit(IRIS, np.ones(150))
    assert not seen.is_open
