"""Families with several outputs: what they are given, what they give, and that it is what they say."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_digits, load_iris, load_linnerud, load_wine
from sklearn.linear_model import LogisticRegression, MultiTaskElasticNet

import normball as nb
from normball.families import find_family
from normball.results.sparse_rows import SparseRows

matplotlib.use("agg")

IRIS = load_iris(as_frame=True)
X = IRIS.data
LABELS = IRIS.target_names[IRIS.target]
INDICATORS = np.eye(3)[IRIS.target]
SPECIES = ("setosa", "versicolor", "virginica")
FITNESS = load_linnerud(as_frame=True)
SHORT = {"n_lambdas": 12}
TIGHT = {"tol": 1e-12}


def classes(**options: Any) -> nb.Path:
    return nb.fit_path(X, LABELS, family="multinomial", **{**SHORT, **options})


def targets(**options: Any) -> nb.Path:
    return nb.fit_path(FITNESS.data, FITNESS.target, family="multigaussian", **{**SHORT, **options})


@pytest.fixture(scope="module")
def path() -> nb.Path:
    return classes()


# what is fitted


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4, 0.0])
def test_classes_by_scikit_learn(l1_ratio: float) -> None:
    wine = load_wine()
    Z = (wine.data - wine.data.mean(0)) / wine.data.std(0)
    path = nb.fit_path(Z, wine.target, family="multinomial", l1_ratio=l1_ratio, lambdas=[0.1, 0.02], **TIGHT)
    for index, lam in enumerate(path.lambdas):
        strength = {"C": 1 / (lam * len(Z)), "l1_ratio": l1_ratio}
        peer = LogisticRegression(**strength, solver="saga", tol=1e-9, max_iter=20_000).fit(Z, wine.target)
        np.testing.assert_allclose(path.coefs[index], peer.coef_, atol=2e-5)
        np.testing.assert_allclose(path.predict(Z, lam=lam, kind="response"), peer.predict_proba(Z), atol=1e-5)
        np.testing.assert_array_equal(path.predict(Z, lam=lam, kind="class"), peer.predict(Z))


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_targets_by_scikit_learn(l1_ratio: float) -> None:
    Z, Y = FITNESS.data.to_numpy(), FITNESS.target.to_numpy()
    Z = (Z - Z.mean(0)) / Z.std(0)
    path = nb.fit_path(Z, Y, family="multigaussian", l1_ratio=l1_ratio, lambdas=[6.0, 1.0], **TIGHT)
    assert path.grouped
    for index, lam in enumerate(path.lambdas):
        peer = MultiTaskElasticNet(alpha=lam, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000).fit(Z, Y)
        np.testing.assert_allclose(path.coefs[index], peer.coef_, atol=1e-5)
        np.testing.assert_allclose(path.intercepts[index], peer.intercept_, atol=1e-5)


def test_targets_apart_are_so_many_fits() -> None:
    path = targets(grouped=False, lambdas=[2.0, 0.5], **TIGHT)
    assert not path.grouped
    for k, name in enumerate(path.output_names):
        alone = nb.fit_path(FITNESS.data, FITNESS.target[name], lambdas=[2.0, 0.5], **TIGHT)
        np.testing.assert_allclose(path.coefs[:, k], alone.coefs, atol=1e-6)
        np.testing.assert_allclose(path.intercepts[:, k], alone.intercepts, atol=1e-4)


def test_two_classes_are_a_binomial_of_twice_the_penalty() -> None:
    two = LABELS != "setosa"
    options = {"l1_ratio": 0.0, **TIGHT}  # the ridge is the same for b/2 and -b/2, of which b is the difference
    both = nb.fit_path(X[two], LABELS[two], family="multinomial", lambdas=[0.1], **options)
    one = nb.fit_path(X[two], LABELS[two], family="binomial", lambdas=[0.05], **options)
    np.testing.assert_allclose(both.coefs[0, 1] - both.coefs[0, 0], one.coefs[0], atol=1e-6)
    np.testing.assert_allclose(
        both.predict(X, lam=0.1, kind="response")[:, 1], one.predict(X, lam=0.05, kind="response"), atol=1e-7
    )


@pytest.mark.parametrize("grouped", [False, True])
def test_no_other_point_is_better(grouped: bool) -> None:
    weights = np.linspace(0.2, 2.0, len(X))
    path = classes(grouped=grouped, l1_ratio=0.7, sample_weight=weights)
    assert (path.statuses == "converged").all()
    family, rng = find_family("multinomial"), np.random.default_rng(0)

    def objective(fit: nb.Fit) -> float:
        lengths = np.linalg.norm(fit.coef_per_sd, axis=0)
        sizes = lengths if grouped else np.abs(fit.coef_per_sd).sum(axis=0)
        penalty = (0.7 * sizes + 0.15 * lengths**2).sum()
        return float(np.average(family.loss(INDICATORS, fit.predict(X)), weights=weights) + fit.lam * penalty)

    for index in (2, 6, 11):
        fit = path.fit_at(float(index))
        loss = np.average(family.loss(INDICATORS, fit.predict(X)), weights=weights)
        assert path.loss[index] == pytest.approx(loss, rel=1e-9)
        for size in (1e-4, 1e-2):
            other = replace(fit, coef=fit.coef + size * rng.normal(size=fit.coef.shape))
            assert objective(other) > objective(fit) - path.tol * path.null_loss


def test_a_group_is_taken_whole_or_not() -> None:
    wine = load_wine()
    whole = nb.fit_path(wine.data, wine.target, family="multinomial", grouped=True)
    kept = whole.coefs != 0
    np.testing.assert_array_equal(kept.any(axis=1), kept.all(axis=1))
    assert not kept.all()
    apart = nb.fit_path(wine.data, wine.target, family="multinomial").coefs != 0
    assert (apart.any(axis=1) != apart.all(axis=1)).any()


def test_bounds_hold_for_each_class() -> None:
    path = classes(lower_bounds=0.0, upper_bounds={"petal width (cm)": 0.5})
    assert path.coefs.min() == 0.0
    assert path.coefs[:, :, 3].max() <= 0.5 < path.coefs[:, :, 2].max()


def test_offsets_are_a_column_for_each_output() -> None:
    shift = np.column_stack([np.zeros(150), X.iloc[:, 0], np.zeros(150)])
    moved = classes(offset=shift, lambdas=[0.02])
    np.testing.assert_allclose(
        moved.predict(X, lam=0.02, offset=shift), moved.predict(X, lam=0.02, offset=0 * shift) + shift, atol=1e-12
    )
    assert not np.allclose(moved.coefs, classes(lambdas=[0.02]).coefs)
    with pytest.raises(ValueError, match=r"offset has shape .150,., but X has 150 rows and the model 3 outputs"):
        moved.predict(X, lam=0.02, offset=shift[:, 0])
    with pytest.raises(nb.DataError, match="E14 offset has 1 column; the model has 3 outputs"):
        classes(offset=shift[:, 0])
    names = ["Weight", "Waist", "Pulse"]
    both = pd.concat([FITNESS.data, FITNESS.target, FITNESS.target.add_prefix("o_") / 2], axis=1)
    named = nb.fit_path(both, names, family="multigaussian", offset=[f"o_{name}" for name in names], lambdas=[1.0])
    assert named.feature_names == tuple(FITNESS.data.columns)
    given = targets(offset=FITNESS.target.to_numpy() / 2, lambdas=[1.0])
    np.testing.assert_allclose(named.coefs, given.coefs, atol=1e-12)
    np.testing.assert_array_equal(
        named.predict(both, lam=1.0, offset=[f"o_{name}" for name in names]),
        given.predict(FITNESS.data, lam=1.0, offset=FITNESS.target / 2),
    )


# what comes back


def test_shapes(path: nb.Path) -> None:
    assert (path.n_outputs, path.output_names, path.classes) == (3, SPECIES, SPECIES)
    assert path.coefs.shape == (12, 3, 4)
    assert path.intercepts.shape == (12, 3)
    assert path.coef_rows.shape == (36, 4)
    np.testing.assert_array_equal(path.coef_rows[3 * 5 + 2], path.coefs[5, 2])
    np.testing.assert_array_equal(path.n_nonzero, (path.coefs != 0).any(axis=1).sum(axis=1))
    per_sd = path.coefs * path.scales
    np.testing.assert_allclose(path.l1_norms, np.abs(per_sd).sum(axis=(1, 2)))
    np.testing.assert_allclose(path.l2_norms, np.sqrt((per_sd**2).sum(axis=(1, 2))))
    fit = path.at(lam=path.lambdas[5])
    np.testing.assert_array_equal(fit.coef, path.coefs[5])
    np.testing.assert_array_equal(fit.intercept, path.intercepts[5])
    assert (fit.n_nonzero, fit.l1_norm) == (path.n_nonzero[5], pytest.approx(path.l1_norms[5]))
    assert repr(fit).endswith(f"{fit.n_nonzero} of 4 features>")
    one = nb.fit_path(X, X.iloc[:, 0], **SHORT)
    assert (one.n_outputs, one.output_names, one.coefs.ndim, one.intercepts.ndim) == (1, (), 2, 1)


def test_points_between_and_by_size(path: nb.Path) -> None:
    lam = float(path.lambdas[4:6].mean())
    between = path.at(lam=lam)
    np.testing.assert_allclose(between.coef, path.coefs[4:6].mean(axis=0))
    assert path.at(n_nonzero=3).n_nonzero >= 3
    assert path.at(l1_norm=2.5).l1_norm == pytest.approx(2.5)


def test_kinds_of_prediction(path: nb.Path) -> None:
    fit = path.at(lam=path.lambdas[8])
    link = fit.predict(X)
    np.testing.assert_allclose(link, fit.intercept + X.to_numpy() @ fit.coef.T, atol=1e-10)
    response = fit.predict(X, kind="response")
    np.testing.assert_allclose(response, np.exp(link) / np.exp(link).sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(fit.predict(X, kind="class"), np.array(SPECIES)[link.argmax(axis=1)])
    assert (fit.predict(X, kind="class") == LABELS).mean() > 0.9
    several = path.lambdas[[3, 8]]
    assert path.predict(X, lam=several).shape == (150, 2, 3)
    assert path.predict(X, lam=several, kind="class").shape == (150, 2)
    np.testing.assert_array_equal(path.predict(X, lam=several, kind="response")[:, 1], response)
    expected = targets()
    assert expected.classes is None
    np.testing.assert_array_equal(
        expected.predict(FITNESS.data, lam=1.0, kind="response"), expected.predict(FITNESS.data, lam=1.0)
    )
    with pytest.raises(ValueError, match='kind="class" needs a binomial or multinomial model'):
        expected.predict(FITNESS.data, lam=1.0, kind="class")


def test_the_null_model_has_the_shares_of_the_classes(path: nb.Path) -> None:
    weights = np.where(LABELS == "setosa", 2.0, 1.0)
    first = classes(sample_weight=weights, n_lambdas=2)
    assert first.n_nonzero[0] == 0
    np.testing.assert_allclose(first.predict(X[:1], lam=first.lambdas[0], kind="response"), [[0.5, 0.25, 0.25]])
    assert first.null_loss == pytest.approx(1.5 * np.log(2))
    assert path.null_loss == pytest.approx(np.log(3))


def test_frames(path: nb.Path) -> None:
    fit = path.at(lam=path.lambdas[8])
    long = pl.DataFrame(fit.to_frame())
    assert long.columns == ["feature", "output", "per_sd", "per_unit"]
    assert long["output"].to_list() == [*SPECIES] * 5
    chosen = long.filter(pl.col("output") == "virginica")
    assert chosen["feature"].to_list() == [*X.columns, "(intercept)"]
    np.testing.assert_array_equal(chosen["per_unit"], [*fit.coef[2], fit.intercept[2]])
    np.testing.assert_array_equal(chosen["per_sd"][:-1], fit.coef_per_sd[2])
    along = pl.DataFrame(path.to_frame())
    np.testing.assert_array_equal(along["intercept = versicolor"], path.intercepts[:, 1])
    assert "intercept" not in along.columns


def test_tables_have_a_column_for_each_output(path: nb.Path) -> None:
    fit = path.at(lam=path.lambdas[8])
    lines = fit.summary().splitlines()
    assert lines[0] == "multinomial of 3 classes, L1"
    head = next(line for line in lines if line.startswith("Features"))
    assert head.split("   ")[-3:] == ["setosa", "versicolor", "virginica"]
    order = np.argsort(-np.linalg.norm(fit.coef_per_sd, axis=0))
    shown = lines[lines.index(head) + 1 :][: fit.n_nonzero]
    assert [line.split("   ")[0].strip() for line in shown] == [X.columns[j] for j in order[: fit.n_nonzero]]
    assert targets().summary().splitlines()[0] == "multigaussian of 3 targets, L1 across targets"
    for html in (fit._repr_html_(), path._repr_html_()):
        assert "multinomial of 3 classes" in html
    many = nb.fit_path(*load_digits(return_X_y=True), family="multinomial", n_lambdas=3).fit_at(1.0).summary()
    assert "   9\n" in many
    letters = [f"class number {k % 12}" for k in range(150)]
    wide = nb.fit_path(X, letters, family="multinomial", lambdas=[1e-3], l1_ratio=0.0).fit_at(0.0).summary()
    assert "largest\n" in wide
    assert re.search(r"sepal width \(cm\) +\S+ +[+-]\S+ \(class number \d+\)\n", wide)


def test_pictures(path: nb.Path) -> None:
    pictures = path.plot()
    assert [ax.get_title() for ax in pictures] == [*SPECIES]
    assert all(ax.xaxis_inverted() for ax in pictures)
    np.testing.assert_array_equal(pictures[2].lines[1].get_ydata(), (path.coefs * path.scales)[:, 2, 1])
    one = path.plot(ax=matplotlib.figure.Figure().subplots(), x="deviance")
    np.testing.assert_allclose(
        np.array([line.get_ydata() for line in one.lines[:-1]]).T, np.linalg.norm(path.coefs * path.scales, axis=1)
    )
    two = targets().plot(x="l1_norm")
    assert [ax.get_title() for ax in two] == [*FITNESS.target_names]
    many = nb.fit_path(*load_digits(return_X_y=True), family="multinomial", n_lambdas=3).plot()
    assert many.get_ylabel().startswith("length of the coefficients")


def test_rows_of_several_outputs() -> None:
    dense = np.array([[0, 1.0, 0], [0, 0, 0], [0, 2, 3], [0, 0, 0], [0, 0, 0], [4, 0, 0], [0, 0, 0], [0, 0, 0]])
    rows = SparseRows.from_rows(dense, 3)
    np.testing.assert_array_equal(rows.take(slice(1, 3), 2).toarray(), dense[2:6])
    np.testing.assert_array_equal(rows.take(slice(3, None), 2).toarray(), dense[6:])
    np.testing.assert_array_equal(rows.any_output(2).toarray(), dense.reshape(4, 2, 3).any(axis=1))
    np.testing.assert_array_equal(rows.any_output(4).toarray(), dense.reshape(2, 4, 3).any(axis=1))
    assert rows.any_output(1) is rows


# many problems over one table


def test_a_bootstrap_of_classes() -> None:
    counts = np.random.default_rng(0).multinomial(150, np.full(150, 1 / 150), size=3).T
    paths = nb.fit_paths(X, LABELS, family="multinomial", sample_weight=counts, **SHORT)
    for k, one in enumerate(paths):
        alone = classes(sample_weight=counts[:, k], lambdas=paths.lambdas)
        assert one.coefs.shape == (12, 3, 4)
        np.testing.assert_allclose(one.loss, alone.loss, atol=2e-6)
    kept = np.sum([(one.coefs != 0).any(axis=1) for one in paths], axis=0)
    np.testing.assert_array_equal(paths.selection_counts.toarray(), kept)
    np.testing.assert_array_equal(paths.column_counts.toarray(), kept)
    counts[LABELS == "setosa", 1] = 0
    with pytest.raises(
        nb.DataError, match=r'weighted by sample_weight\[:, 1\]" has no row that counts of class "setosa"'
    ):
        nb.fit_paths(X, LABELS, family="multinomial", sample_weight=counts)


@pytest.mark.parametrize(
    ("y", "family", "options", "words"),
    [
        (FITNESS.target, "multigaussian", {}, "fits each column of y by itself"),
        (
            np.column_stack([IRIS.target, IRIS.target]),
            "multinomial",
            {},
            "weighted in several ways; here are 2 columns",
        ),
        (LABELS, "multinomial", {"offset": np.zeros(150)}, "weighted in several ways; here are offsets"),
    ],
)
def test_batches_that_are_none(y: Any, family: str, options: Any, words: str) -> None:
    with pytest.raises(nb.DataError, match=words):
        nb.fit_paths(X.iloc[: len(y)], y, family=family, **options)


# errors


def test_what_goes_together_and_what_does_not() -> None:
    with pytest.raises(ValueError, match="grouped is about the outputs of a family that has several; gaussian has one"):
        nb.fit_path(X, X.iloc[:, 0], grouped=False)
    with pytest.raises(TypeError, match="grouped is 'yes', but must be True or False"):
        classes(grouped="yes")
    for call in (lambda: classes(grouped=True, upper_bounds=1.0), lambda: targets(lower_bounds=0.0)):
        with pytest.raises(ValueError, match=r"bounds and group penalties do not go together.*write grouped=False"):
            call()
    assert targets(grouped=False, lower_bounds=0.0).coefs.min() == 0.0
    with pytest.raises(ValueError, match="fit_ball takes families with one output, but multinomial has 3 here"):
        nb.fit_ball(X, LABELS, radius=1.0, family="multinomial")


@pytest.mark.parametrize("layout", [np.asarray, np.asfortranarray, sparse.csc_array, lambda Z: Z.astype(np.float32)])
def test_layouts(layout: Any, path: nb.Path) -> None:
    other = nb.fit_path(layout(X.to_numpy()), LABELS, family="multinomial", **SHORT)
    np.testing.assert_allclose(other.loss, path.loss, atol=2e-6)
    lam = path.lambdas[4]
    np.testing.assert_allclose(other.predict(layout(X.to_numpy()), lam=lam), path.predict(X, lam=lam), atol=1e-2)


def test_groups_of_features_beside_outputs() -> None:
    groups = {"sepal": list(X.columns[:2]), "petal": list(X.columns[2:])}
    together = classes(groups=groups, grouped=True, n_lambdas=30)
    kept = (together.coefs != 0).reshape(30, 3, 2, 2)
    np.testing.assert_array_equal(kept.any(axis=(1, 3)), kept.all(axis=(1, 3)))
    np.testing.assert_array_equal(together.n_groups_nonzero, kept.any(axis=(1, 3)).sum(axis=1))
    apart = classes(groups=groups, n_lambdas=30)
    kept = (apart.coefs != 0).reshape(30, 3, 2, 2)
    np.testing.assert_array_equal(kept.any(axis=3), kept.all(axis=3))  # of each class by itself
    assert (kept.any(axis=(1, 3)) != kept.all(axis=(1, 3))).any()
    fit = together.at(lam=together.lambdas[20])
    assert fit.summary().splitlines()[0] == "multinomial of 3 classes, L1 on groups across classes"
    frame = pl.DataFrame(fit.to_frame())
    assert frame.columns[:3] == ["feature", "group", "output"]
    assert frame["group"].to_list() == [*["sepal"] * 6, *["petal"] * 6, *[None] * 3]


@pytest.mark.parametrize(
    "options",
    [
        {"l1_ratio": 0, "lambdas": [0.0]},
        {"fit_intercept": False, "lambdas": [0.0]},
        {"penalty_factors": 0, "n_lambdas": 3},
        {"penalty_factors": [0, 0, 1, 1], "n_lambdas": 5},
        {"n_lambdas": 5, "offset": 300 * np.random.default_rng(0).standard_normal((150, 3))},
    ],
)
@pytest.mark.filterwarnings("ignore::normball.messages.NotConverged")
def test_without_an_end_numbers_stay_numbers(options: dict[str, Any]) -> None:
    """Separable classes without a penalty, and offsets beyond measure: as good as the null model, and no NaN."""
    X, y = load_iris(return_X_y=True)
    path = nb.fit_path(X, y, family="multinomial", **options)
    assert np.isfinite(path.coefs).all()
    assert np.isfinite(path.intercepts).all()
    assert (path.loss <= path.null_loss * (1 + 1e-12)).all()


def test_columns_of_offsets_are_no_features() -> None:
    """Neither where the target is one column of labels, nor where a list names one column."""
    table = IRIS.data.assign(o0=0.5, o1=np.linspace(0, 1, 150), o2=-0.5, kind=LABELS)
    path = nb.fit_path(table, "kind", family="multinomial", offset=["o0", "o1", "o2"], n_lambdas=5)
    assert path.feature_names == tuple(IRIS.data.columns)
    given = nb.fit_path(IRIS.data, LABELS, family="multinomial", offset=table[["o0", "o1", "o2"]], n_lambdas=5)
    assert (path.coefs == given.coefs).all()
    one = nb.fit_path(table.drop(columns="kind"), table["o2"] + table["o1"], offset=["o1"], n_lambdas=5)
    assert "o1" not in one.feature_names
    with pytest.raises(nb.DataError, match="E14 offset has 2 columns; the model has one output"):
        nb.fit_path(table.drop(columns="kind"), table["o2"] + table["o1"], offset=["o1", "o0"])
