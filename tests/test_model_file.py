"""Saved models come back bit for bit, and files that are no models are refused with a reason."""

import json
from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import run
from normball.results.held_out import HeldOut
from normball.results.ranges import Ranges
from normball.results.sparse_rows import SparseRows


@pytest.fixture(scope="module")
def frame():
    generator = np.random.default_rng(3)
    n = 60
    return pl.DataFrame(
        {
            "größe": generator.normal(size=n),
            "age": [None if i % 7 == 0 else float(i) for i in range(n)],
            "colour": generator.choice(["red", "blue \n\"', ü"], size=n),
            "flag": generator.random(n) > 0.5,
            "y": generator.choice(["yes", "no"], size=n),
        }
    )


@pytest.fixture(scope="module")
def cv(frame):
    return nb.cv_path(
        frame,
        "y",
        family="binomial",
        missing="impute",
        n_lambdas=9,
        cv=3,
        keep_predictions=True,
        penalty_factors={"flag": np.inf},
        upper_bounds={"größe": 0.2},
    )


def assert_same(one, other):
    """Equal in every field, arrays to the last bit and in their types."""
    assert type(one) is type(other)
    for field in fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype, field.name
            np.testing.assert_array_equal(left, right, err_msg=field.name)
            assert not right.flags.writeable
        elif isinstance(left, (nb.Path, SparseRows, HeldOut, Ranges)):
            assert_same(left, right)
        else:
            assert left == right, field.name


def test_a_cross_validated_path_comes_back(cv, frame, tmp_path):
    file = tmp_path / "model.json"
    cv.save(file)
    again = nb.load(file)
    assert_same(cv, again)
    assert again.summary() == cv.summary()
    assert (again.lambda_best, again.lambda_1se) == (cv.lambda_best, cv.lambda_1se)
    np.testing.assert_array_equal(again.predict(frame, kind="class"), cv.predict(frame, kind="class"))


def test_a_path_comes_back(frame, tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 4))
    counts = np.arange(20) // 4
    for y, family in (
        (X[:, 0], "gaussian"),
        (X[:, 0], "huber"),
        (X[:, 0] > 0, "binomial"),
        (counts, "poisson"),
        (counts**3, "negative_binomial"),
        (counts, "tweedie"),
        (counts + 1, "gamma"),
    ):
        path = nb.fit_path(X, y, family=family, n_lambdas=7, offset=np.ones(20), l1_ratio=0.3, lower_bounds=-1.0)
        path.save(str(tmp_path / "path.json"))
        assert_same(path, nb.load(str(tmp_path / "path.json")))


def test_a_ridge_is_saved_without_what_goes_without_saying(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 4))
    X[1:, 3] = 0.0  # constant wherever row 0 is left out
    for n_features, counts in ((3, 5), (4, [5, 5, 5, 4] * 3)):
        cv = nb.cv_path(X[:, :n_features], X[:, 0], l1_ratio=0, cv=5, n_lambdas=3)
        cv.save(tmp_path / "ridge.json")
        content = json.loads((tmp_path / "ridge.json").read_text())
        assert content["cv"]["selection_counts"]["values"] == counts
        assert "indices" not in content["cv"]["selection_counts"]
        assert "indices" not in content["path"]["coef_rows"]
        assert_same(cv, nb.load(tmp_path / "ridge.json"))


def test_the_file_is_plain_json_for_any_reader(cv, tmp_path):
    cv.save(tmp_path / "model.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = (tmp_path / "model.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=refuse)
    assert (content["format"], content["schema"], content["kind"]) == ("normball", 1, "cv_path")
    assert content["cv"]["lambda_1se"] == cv.lambda_1se
    assert content["path"]["lower_bounds"] == "-inf"
    assert "inf" in content["path"]["penalty_factors"]
    assert len(content["path"]["fingerprint"]) == 16


def test_numbers_that_json_does_not_know_come_back(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 3))
    cv = nb.cv_path(X, X[:, 0], cv=3, time_order=True, n_lambdas=3, keep_predictions=True)
    assert np.isnan(cv.predictions).any()
    cv.save(tmp_path / "model.json")
    assert_same(cv, nb.load(tmp_path / "model.json"))


@pytest.mark.parametrize("labels", [[3, 7], [False, True], ["a", "b"], [0.5, 2.5], np.array([1, 2], dtype=np.int8)])
def test_labels_keep_their_types(labels, tmp_path):
    y = np.asarray(labels)[np.arange(12) % 2]
    path = nb.fit_path(np.random.default_rng(0).normal(size=(12, 2)), y, family="binomial", n_lambdas=3)
    path.save(tmp_path / "model.json")
    loaded = nb.load(tmp_path / "model.json").classes
    assert loaded == path.classes
    assert [type(label) for label in loaded] == [type(np.asarray(label).item()) for label in labels]


def test_the_fingerprint_is_that_of_the_data():
    X = np.random.default_rng(0).normal(size=(20, 3))
    prints = [nb.fit_path(X, y, lambdas=[0.1]).fingerprint for y in (X[:, 0], X[:, 0], X[:, 1])]
    assert prints[0] == prints[1] != prints[2]


def test_saving_replaces_the_file_at_once_or_not_at_all(cv, tmp_path, monkeypatch):
    file = tmp_path / "model.json"
    file.write_text("before")
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            cv.save(file)
    assert file.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.json"]
    cv.save(file)
    plain = tmp_path / "plain"
    plain.touch()
    assert file.stat().st_mode == plain.stat().st_mode


def test_a_fit_comes_back(cv, frame, tmp_path):
    file = tmp_path / "fit.json"
    X = np.random.default_rng(0).normal(size=(20, 4))
    ball = nb.fit_ball(X, X[:, 0], radius=0.5)
    ridge = nb.fit_path(X, X[:, 0], l1_ratio=0, offset=np.ones(20), standardize=False, n_lambdas=3)
    between = ridge.at(lam=float(ridge.lambdas[:2].mean()))
    assert np.isnan(between.dual_gap)
    for fit in (cv.at("best"), ball, replace(between, dual_gap=0.0, kkt_violation=0.0)):
        fit.save(file)
        assert json.loads(file.read_text())["kind"] == "fit"
        assert_same(fit, nb.load(file))
    between.save(file)
    assert np.isnan(nb.load(file).dual_gap)
    cv.at("best").save(file)
    np.testing.assert_array_equal(
        nb.load(file).predict(frame, kind="class"), cv.predict(frame, lam="best", kind="class")
    )


def test_the_commands_take_a_saved_fit(capsys, tmp_path):
    X = pl.DataFrame(np.random.default_rng(0).normal(size=(20, 2)), schema=["a", "b"])
    X.write_csv(tmp_path / "t.csv")
    model, table = str(tmp_path / "fit.json"), str(tmp_path / "t.csv")
    fit = nb.fit_ball(X.select("a"), X["a"], radius=0.5)
    fit.save(model)
    code, out, _ = run(capsys, "show", model)
    assert (code, out) == (0, fit.summary() + "\n")
    code, out, _ = run(capsys, "predict", model, table)
    assert code == 0
    np.testing.assert_array_equal([float(line) for line in out.split()[1:]], fit.predict(X))
    for words, reason in (
        (("predict", model, table, "--lam", "1"), "so --lam has nothing to choose"),
        (("report", model), "holds a model without cross-validation"),
    ):
        code, _, err = run(capsys, *words)
        assert code != 0
        assert reason in err


def test_only_results_are_saved(tmp_path):
    from normball.results.saving import save

    with pytest.raises(TypeError, match="takes a Fit, a Path, a CVPath or a Comparison, not dict"):
        save({}, tmp_path / "fit.json")


def test_a_newer_schema_is_refused(cv, tmp_path):
    file = tmp_path / "model.json"
    cv.save(file)
    file.write_text(file.read_text().replace('"schema":1', '"schema":3'))
    with pytest.raises(nb.DataError, match=r"E10 .*was written by schema 3; this normball reads 1\.") as error:
        nb.load(file)
    assert "pip install -U normball" in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "is not a normball model, or was cut off: it is no JSON"),
        (b"\xff\xfe\x00", "is not a normball model"),
        (b"[1, 2]", "is JSON, but not a normball model"),
        (b'{"format": "other"}', "is JSON, but not a normball model"),
        (b'{"format": "normball", "kind": "path"}', "is a damaged normball model"),
        (b'{"format": "normball", "schema": 1, "kind": "path"}', "is a damaged normball model"),
        (
            b'{"format": "normball", "schema": 1, "kind": "path", "path": {"lambdas": []}}',
            "is a damaged normball model",
        ),
    ],
)
def test_files_that_are_no_models(content, message, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(nb.DataError, match=message):
        nb.load(tmp_path / "file")


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        nb.load(tmp_path / "nothing.json")
