"""fit_path, Path and Fit: choosing points, predicting, and saying what went wrong."""

import warnings

import numpy as np
import polars as pl
import pytest
import scipy.sparse

import normball as nb


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(80, 6)) * [1.0, 2.0, 0.5, 3.0, 1.0, 1.0]
    return X, X @ [1.0, -0.5, 0.0, 0.2, 0.0, 0.0] + generator.normal(size=80)


@pytest.fixture(scope="module")
def path(table):
    return nb.fit_path(*table, n_lambdas=30, lambda_min_ratio=1e-3)


def test_shapes_and_numbers_of_a_path(path, table):
    X, y = table
    assert path.coefs.shape == (30, 6)
    assert path.lambdas[0] == pytest.approx(path.lambda_max)
    assert path.lambdas[-1] == pytest.approx(1e-3 * path.lambda_max)
    assert (np.diff(path.lambdas) < 0).all()
    assert (path.statuses == "converged").all()
    assert (path.dual_gaps <= 1e-6).all()
    np.testing.assert_allclose(path.scales, X.std(axis=0))
    per_sd = path.coefs * path.scales
    np.testing.assert_allclose(path.l1_norms, np.abs(per_sd).sum(axis=1))
    np.testing.assert_allclose(path.l2_norms, np.sqrt((per_sd**2).sum(axis=1)))
    np.testing.assert_array_equal(path.n_nonzero, (path.coefs != 0).sum(axis=1))
    eta = X @ path.coefs.T + path.intercepts
    np.testing.assert_allclose(path.loss, ((y[:, None] - eta) ** 2).mean(axis=0) / 2)
    np.testing.assert_allclose(path.deviance_ratio, 1 - path.loss / path.null_loss)
    assert path.sum_weights == 80


def test_the_default_grid_ends_earlier_where_there_are_fewer_rows_than_features():
    X = np.random.default_rng(0).normal(size=(10, 12))
    wide, tall = nb.fit_path(X, X[:, 0], n_lambdas=5), nb.fit_path(X.T, X[0], n_lambdas=5)
    assert wide.lambdas[-1] == pytest.approx(1e-2 * wide.lambda_max)
    assert tall.lambdas[-1] == pytest.approx(1e-4 * tall.lambda_max)


def test_a_given_grid_is_sorted_and_freed_of_repetitions(table):
    assert nb.fit_path(*table, lambdas=[0.1, 0.5, 0.1]).lambdas.tolist() == [0.5, 0.1]


def test_arrays_are_read_only(path):
    for array in (path.lambdas, path.intercepts, path.coef_rows.values, path.at(n_nonzero=2).coef):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_a_grid_strength_gives_the_point_itself(path):
    fit = path.at(lam=path.lambdas[7])
    assert fit.lam == path.lambdas[7]
    np.testing.assert_array_equal(fit.coef, path.coefs[7])
    assert (fit.intercept, fit.loss) == (path.intercepts[7], path.loss[7])
    assert (fit.dual_gap, fit.status) == (path.dual_gaps[7], "converged")
    assert fit.kkt_violation == path.kkt_violations[7]
    assert fit.deviance_ratio == path.deviance_ratio[7]
    assert fit.n_nonzero == path.n_nonzero[7]
    assert fit.l1_norm == pytest.approx(path.l1_norms[7])
    assert fit.l2_norm == pytest.approx(path.l2_norms[7])


def test_between_grid_points_coefficients_are_interpolated_linearly(path):
    lam = 0.25 * path.lambdas[3] + 0.75 * path.lambdas[4]
    fit = path.at(lam=lam)
    assert fit.lam == pytest.approx(lam, rel=1e-14)
    np.testing.assert_allclose(fit.coef, 0.25 * path.coefs[3] + 0.75 * path.coefs[4], atol=1e-15)
    assert fit.intercept == pytest.approx(0.25 * path.intercepts[3] + 0.75 * path.intercepts[4])
    assert fit.status == "interpolated"
    assert np.isnan(fit.dual_gap)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_strength_outside_the_path_is_refused_with_its_range(path, factor):
    edge = path.lambdas[-1] if factor < 1 else path.lambdas[0]
    with pytest.raises(
        ValueError, match=f"the path runs from {path.lambdas[0]:.6g} to {path.lambdas[-1]:.6g}"
    ) as error:
        path.at(lam=factor * edge)
    assert "lambdas=[...]" in str(error.value)


def test_choosing_by_norm(path):
    fit = path.at(l1_norm=1.0)
    assert fit.l1_norm == pytest.approx(1.0, rel=1e-12)
    assert path.at(l1_norm=0.0).n_nonzero == 0
    assert path.at(l1_norm=path.l1_norms[5]).lam == path.lambdas[5]
    for unreachable in (1e3, -1.0, np.nan):
        with pytest.raises(ValueError, match="on this path it runs from 0 to"):
            path.at(l1_norm=unreachable)


def test_choosing_by_number_of_features(path):
    fit = path.at(n_nonzero=3)
    assert fit.n_nonzero >= 3
    assert (path.n_nonzero[path.lambdas > fit.lam] < 3).all()
    with pytest.raises(ValueError, match="keeps more than 6 features"):
        path.at(n_nonzero=7)


def test_exactly_one_choice(path):
    for choices in ({}, {"lam": 0.1, "n_nonzero": 2}):
        with pytest.raises(TypeError, match="exactly one of lam, l1_norm and n_nonzero"):
            path.at(**choices)


def test_predictions_of_path_and_fit_agree(path, table):
    X, _ = table
    strengths = [path.lambdas[4], 0.9 * path.lambdas[4]]
    both = path.predict(X, lam=strengths)
    assert both.shape == (80, 2)
    for column, lam in enumerate(strengths):
        fit = path.at(lam=lam)
        np.testing.assert_allclose(both[:, column], X @ fit.coef + fit.intercept)
        np.testing.assert_allclose(path.predict(X, lam=lam), both[:, column], rtol=1e-12)
        np.testing.assert_allclose(fit.predict(X), both[:, column], rtol=1e-12)


@pytest.mark.parametrize("convert", [np.asfortranarray, np.float32, scipy.sparse.csr_array, scipy.sparse.csc_matrix])
def test_predictions_do_not_depend_on_the_container(path, table, convert):
    X, _ = table
    np.testing.assert_allclose(path.predict(convert(X), lam=0.1), path.predict(X, lam=0.1), rtol=1e-4, atol=1e-5)


def test_frames_are_matched_by_name_and_arrays_by_width(table):
    X, y = table
    frame = pl.DataFrame(X, schema=list("abcdef"))
    path = nb.fit_path(frame, y, lambdas=[0.1])
    assert path.feature_names == tuple("abcdef")
    shuffled = frame.select("f", "b", "a", pl.lit("?").alias("other"), "e", "d", "c")
    np.testing.assert_array_equal(path.predict(shuffled, lam=0.1), path.predict(frame, lam=0.1))
    with pytest.raises(nb.DataError, match="E08"):
        path.predict(frame.drop("b"), lam=0.1)
    with pytest.raises(nb.DataError, match="5 columns"):
        path.predict(X[:, :5], lam=0.1)


def test_a_level_unseen_in_training():
    frame = pl.DataFrame({"colour": ["red", "blue", "red", "blue"], "size": [1.0, 2.0, 3.0, 4.5]})
    path = nb.fit_path(frame, [1.0, 2.0, 2.0, 5.0], lambdas=[0.1])
    new = pl.DataFrame({"colour": ["rose"], "size": [1.0]})
    with pytest.raises(nb.DataError, match="unseen in training"):
        path.predict(new, lam=0.1)
    fit = path.at(lam=0.1)
    expected = fit.intercept + fit.coef[path.feature_names.index("size")]
    assert path.predict(new, lam=0.1, unknown="baseline") == pytest.approx(expected)
    assert fit.predict(new, unknown="baseline") == pytest.approx(expected)


def test_kinds_of_prediction(table):
    X, y = table
    labels = np.where(y > 0, "yes", "no")
    fit = nb.fit_path(X, labels, family="binomial", lambdas=[0.02]).at(lam=0.02)
    assert fit.classes == ("no", "yes")
    link = fit.predict(X)
    np.testing.assert_allclose(fit.predict(X, kind="response"), 1 / (1 + np.exp(-link)))
    np.testing.assert_array_equal(fit.predict(X, kind="class"), np.where(link > 0, "yes", "no"))
    counts = np.random.default_rng(0).poisson(np.exp(0.3 * X[:, 0]))
    rates = nb.fit_path(X, counts, family="poisson", lambdas=[0.02]).at(lam=0.02)
    np.testing.assert_allclose(rates.predict(X, kind="response"), np.exp(rates.predict(X)))
    with pytest.raises(ValueError, match='kind="class" needs a binomial or multinomial model; this one is poisson'):
        rates.predict(X, kind="class")
    with pytest.raises(ValueError, match='must be "link", "response" or "class"'):
        rates.predict(X, kind="probability")


def test_an_offset_is_required_exactly_when_there_was_one(path, table):
    X, y = table
    shift = np.linspace(0.0, 1.0, 80)
    moved = nb.fit_path(X, y + shift, lambdas=[0.1], offset=shift)
    plain = nb.fit_path(X, y, lambdas=[0.1])
    np.testing.assert_allclose(moved.coefs, plain.coefs, atol=1e-6)
    np.testing.assert_allclose(moved.predict(X, lam=0.1, offset=shift), plain.predict(X, lam=0.1) + shift, atol=1e-6)
    with pytest.raises(ValueError, match="fitted with an offset: pass offset="):
        moved.predict(X, lam=0.1)
    with pytest.raises(ValueError, match="offset has shape"):
        moved.predict(X, lam=0.1, offset=shift[:3])
    with pytest.raises(ValueError, match="not finite"):
        moved.predict(X, lam=0.1, offset=np.full(80, np.nan))
    with pytest.raises(ValueError, match="without an offset"):
        path.predict(X, lam=0.1, offset=shift)


def test_frames_of_path_and_fit(path, table):
    frame = path.to_frame()
    assert frame.height == 30
    np.testing.assert_array_equal(frame["lam"], path.lambdas)
    np.testing.assert_array_equal(frame["status"], path.statuses)
    coefs = path.to_frame(lam=0.1)
    fit = path.at(lam=0.1)
    assert coefs["feature"].to_list() == [*path.feature_names, "(intercept)"]
    np.testing.assert_array_equal(coefs["per_unit"], [*fit.coef, fit.intercept])
    np.testing.assert_array_equal(coefs["per_sd"][:-1], fit.coef_per_sd)
    X, y = table
    odds = nb.fit_path(X, y > 0, family="binomial", lambdas=[0.02]).to_frame(lam=0.02)
    np.testing.assert_allclose(odds["odds"], np.exp(odds["per_unit"]))


def test_words_of_other_programs_get_the_right_word(table):
    with pytest.raises(TypeError, match=r"alpha.*called lam here.*l1_ratio.*\.at\(lam=\.\.\.\)"):
        nb.fit_path(*table, alpha=0.1)
    with pytest.raises(TypeError, match=r"no argument 'lam'.*lambdas=\[\.\.\.\]"):
        nb.fit_path(*table, lam=0.1)
    with pytest.raises(TypeError, match=r"'C'.*lam = 1/\(C \* sum of weights\)"):
        nb.fit_path(*table, C=1.0)
    with pytest.raises(TypeError, match=r'no argument \'lamdas\'. Did you mean "lambdas"\?'):
        nb.fit_path(*table, lamdas=[1.0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"family": "gama"}, ValueError, "family is 'gama', but must be one of gaussian, binomial, poisson"),
        ({"l1_ratio": 1.5}, ValueError, "l1_ratio is 1.5, but must be at least 0 and at most 1"),
        ({"l1_ratio": "lasso"}, TypeError, "l1_ratio is 'lasso', but must be a number"),
        ({"tol": 0}, ValueError, "tol is 0, but must be above 0"),
        ({"tol": np.nan}, ValueError, "tol is nan"),
        ({"max_iter": 0}, ValueError, "max_iter is 0, but must be at least 1"),
        ({"n_lambdas": 2.5}, TypeError, "n_lambdas is 2.5, but must be a whole number"),
        ({"n_threads": True}, TypeError, "n_threads is True, but must be a whole number"),
        ({"lambda_min_ratio": 1.0}, ValueError, "lambda_min_ratio is 1, but must be below 1"),
        ({"lambdas": []}, ValueError, "lambdas is empty"),
        ({"lambdas": [1.0, -1.0]}, ValueError, "must be finite and not negative, but hold -1"),
        ({"lambdas": [np.nan]}, ValueError, "must be finite and not negative, but hold nan"),
        ({"penalty_factors": [-1.0] * 6}, ValueError, "penalty_factors must be 0 or more"),
    ],
)
def test_settings_that_make_no_sense(table, options, error, message):
    with pytest.raises(error, match=message):
        nb.fit_path(*table, **options)


def test_bounds_and_factors_by_name(table):
    X, y = table
    path = nb.fit_path(
        X, y, lambdas=[0.01], lower_bounds={"x1": -0.1}, upper_bounds=0.5, penalty_factors={"x3": np.inf}
    )
    coef = path.at(lam=0.01).coef
    assert (coef[0], coef[1], coef[3]) == (0.5, -0.1, 0.0)


def test_one_warning_says_how_many_strengths_are_not_certified():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(200, 300))
    y = X[:, :20].sum(axis=1) + generator.normal(size=200) > 0
    with pytest.warns(nb.NotConverged, match=r"^\d+ of 20 lambdas did not reach the duality gap 1e-10; ") as caught:
        path = nb.fit_path(X, y, family="binomial", n_lambdas=20, tol=1e-10, max_iter=1)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    unsolved = path.statuses != "converged"
    assert str(caught[0].message).startswith(f"{unsolved.sum()} of 20")
    assert f"{path.dual_gaps[unsolved].max():.2g}" in str(caught[0].message)


def test_plots(path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    for x, title in (("lam", "lam"), ("l1_norm", "sum of"), ("deviance", "share of")):
        ax = path.plot(x=x)
        assert ax.get_xlabel().startswith(title)
        assert len(ax.lines) >= path.n_nonzero[-1]
        assert path.plot(ax, x=x) is ax
        matplotlib.pyplot.close(ax.figure)
    with pytest.raises(ValueError, match="x is 'time'"):
        path.plot(x="time")


def test_plot_without_matplotlib_says_what_to_install(path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install normball\[plot\]"):
        path.plot()


def test_summaries(path):
    text = path.summary()
    assert text.startswith("gaussian, L1\n")
    assert "30 of 30 lambdas certified" in text
    assert text.splitlines()[-1].endswith(" of the matrix")
    assert path.n_sweeps > 0
    assert "\x1b" not in text
    fit = path.at(n_nonzero=2)
    assert "features kept" in fit.summary()
    assert "(intercept)" in fit.summary()
    assert "interpolated" in path.at(l1_norm=1.0).summary()
    assert path._repr_html_().count("<tr>") == 11
    assert "<bdi>x0</bdi>" in fit._repr_html_()
    assert repr(path).startswith("<Path gaussian, l1_ratio=1: 30 lambdas")
    assert repr(fit).startswith("<Fit gaussian, lam=")


def test_a_long_list_of_features_is_cut_in_the_summary():
    X = np.random.default_rng(0).normal(size=(100, 50))
    fit = nb.fit_path(X, X.sum(axis=1), lambdas=[0.01], l1_ratio=0.5, standardize=False).at(lam=0.01)
    text = fit.summary()
    assert "... and 20 more" in text
    assert "per SD" not in text
    assert text.startswith("gaussian, elastic net (l1_ratio 0.5), not standardised")


def test_names_are_escaped_in_html(table):
    X, y = table
    frame = pl.DataFrame({"<script>": X[:, 0], "b": X[:, 1]})
    assert "<script>" not in nb.fit_path(frame, y, lambdas=[0.01]).at(lam=0.01)._repr_html_()


def test_no_warning_where_all_is_well(table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nb.fit_path(*table)
