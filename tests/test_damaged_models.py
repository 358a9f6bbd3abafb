"""A damaged model file is one clear error that names the field, or it predicts what it always did."""

import copy
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sparse

import normball as nb
from commands import Capture, fit, run
from normball.cli.models import load_model
from normball.model_file import from_dict
from normball.run import Run
from normball.schema import Damaged

Place = tuple[str | int, ...]
HEAD = ("format", "schema", "version", "kind", "checksum")


def table() -> pl.DataFrame:
    generator = np.random.default_rng(3)
    n = 24
    return pl.DataFrame(
        {
            "size": generator.normal(size=n),
            "age": [None if i % 7 == 0 else float(i) for i in range(n)],
            "colour": generator.choice(["red", "blue"], size=n),
            "y": generator.choice(["yes", "no"], size=n),
        }
    )


def made(kind: str) -> tuple[Any, Any]:
    """A result, and data that it predicts for."""
    frame = table()
    X = np.random.default_rng(0).normal(size=(30, 4))
    if kind == "cv_path with preparation":
        options = {"missing": "impute", "n_lambdas": 4, "cv": 2, "keep_predictions": True}
        return nb.cv_path(frame, "y", family="binomial", penalty_factors={"size": 0.5}, **options), frame
    if kind == "cv_path with repeats":
        return nb.cv_path(X, X[:, 0] + X[:, 1], n_lambdas=4, cv=3, repeats=2, l1_ratio=0), X
    if kind == "path of a sparse matrix":
        S = sparse.csc_array(np.where(X > 0.5, X, 0.0))
        return nb.fit_path(S, np.arange(30) // 10, family="poisson", n_lambdas=4, upper_bounds=1.0), S
    if kind == "cv_path of three classes":
        labels = np.array(["a", "b", "c"])[np.arange(30) % 3]
        return nb.cv_path(X, labels, family="multinomial", n_lambdas=4, cv=2, keep_predictions=True), X
    if kind == "fit of two targets":
        Y = {"one": X[:, 0], "two": X[:, 1]}
        return nb.fit_path(X, pl.DataFrame(Y), family="multigaussian", grouped=False, n_lambdas=4).fit_at(2.5), X
    if kind == "path of survival with strata":
        times, event = np.ceil(4 * np.exp(X[:, 0])), np.arange(30) % 3 > 0
        return nb.fit_path(X, (times, event), family="cox", strata=["a", "b", "b"] * 10, n_lambdas=4), X
    if kind == "path with groups":
        groups = {"pair": [0, 1], "one": [3]}
        return nb.fit_path(X, X[:, 0] - X[:, 3], groups=groups, group_weights={"one": 0.5}, n_lambdas=4), X
    if kind == "fit":
        return nb.fit_path(frame.drop("y"), X[:24, 0], missing="impute", n_lambdas=4).fit_at(2.5), frame
    return nb.fit_ball(X, X[:, 0] > 0, radius=0.5, family="binomial"), X


KINDS = (
    "cv_path with preparation",
    "cv_path with repeats",
    "cv_path of three classes",
    "path of a sparse matrix",
    "path of survival with strata",
    "path with groups",
    "fit",
    "fit of two targets",
    "ball",
)


def places(content: Any, place: Place = ()) -> Iterator[Place]:
    """Every field, and of a list its first and its last entries."""
    if place:
        yield place
    if isinstance(content, dict):
        for name, value in content.items():
            yield from places(value, (*place, name))
    elif isinstance(content, list):
        for j in sorted({0, len(content) - 1} & set(range(len(content)))):
            yield from places(content[j], (*place, j))


def damages(value: Any) -> Iterator[Any]:
    """What may stand in the place of a value; `...` deletes it."""
    wrong = [..., None, "word", "", -1, 0, 1, 10**400, 0.5, float("nan"), "nan", "inf", True, [], {}, [[]], {"a": 1}]
    yield from (one for one in wrong if one is ... or repr(one) != repr(value))
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield from (-value - 1, value * 1000 + 1, str(value), [value])
    elif isinstance(value, str):
        yield from (value + "x", value.upper() + "Y", [value])
    elif isinstance(value, list):
        yield from (value[:-1], value[1:], [*value, *value[-1:]], [value], dict.fromkeys(map(str, value)))
        yield from ([*value, one] for one in (None, "word", -1, 0, 1e30, "nan", True))
        if value != value[::-1]:
            yield value[::-1]
    elif isinstance(value, dict):
        yield {**value, "another": 1}
        yield list(value.items())


def damaged(good: Any, place: Place, value: Any) -> Any:
    """A copy in which another value stands at a place; what lies beside the way there is shared."""
    content = copy.copy(good)
    step: Any = place[0]
    if len(place) > 1:
        content[step] = damaged(good[step], place[1:], value)
    elif value is ...:
        del content[step]
    else:
        content[step] = value
    return content


def at(content: Any, place: Place) -> Any:
    for step in place:
        content = content[step]
    return content


def predicted(result: Any, X: Any) -> Any:
    """Predictions at all that can be chosen."""
    kinds = ("link", "class") if result_classes(result) else ("link",)
    if isinstance(result, nb.CVPath):
        return [result.predict(X, lam=lam, kind=kind).tolist() for lam in ("best", "1se") for kind in kinds]
    if isinstance(result, nb.Path) and result.baselines is not None:
        curves = {"kind": "survival", "times": [1.0, 3.0, 5.0], "strata": ["a", "b", "b"] * 10}
        return [np.nan_to_num(result.predict(X, lam=result.lambdas, **options)).tolist() for options in ({}, curves)]
    if isinstance(result, nb.Path):
        return [result.predict(X, lam=result.lambdas, kind=kind).tolist() for kind in kinds]
    return [result.predict(X, kind=kind).tolist() for kind in kinds]


def result_classes(result: Any) -> Any:
    return (result.path if isinstance(result, nb.CVPath) else result).classes


def in_words(place: Place) -> list[str]:
    """The field as messages name it, and those around it."""
    text, every = "", []
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        every.append(text)
    return every


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_damaged_in_many_ways(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, X = made(kind)
    file = tmp_path / "model.json"
    result.save(file)
    good = json.loads(file.read_text())
    right = predicted(nb.load(file), X)
    n_named = n_tried = 0
    for place in places(good):
        for value in damages(at(good, place)):
            content = damaged(good, place, value)
            monkeypatch.setattr("normball.model_file._json", lambda _, content=content: content)  # for speed
            n_tried += 1
            with suppress(Damaged):  # a file of old, without checksum: any fault that a field shows is this error
                from_dict(content)
            try:
                again = nb.load(file)
            except nb.DataError as error:
                codes, said = [finding.code for finding in error.findings], f"{error} ".replace(":", " ")
            else:
                assert predicted(again, X) == right, (place, value)
                continue
            assert codes == ["E10"], (place, value)
            n_named += any(f" {name} " in said for name in in_words(place))
    assert n_tried > 400
    assert n_named > 0.7 * n_tried


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("path", "family"), "logistic", "path.family is 'logistic', but must be one of gaussian, binomial, poisson"),
        (("path", "lambdas"), [0.1, 0.2, 0.05, 0.01], "path.lambdas[1] is 0.2, but must be descending"),
        (("path", "lambdas"), [0.1, 0.05, 0.01], "path.lambdas has 3 entries, but must have 4"),
        (("path", "intercepts"), [0.0, 0.0], "path.intercepts has 2 entries, but must have 4"),
        (("path", "intercepts"), [0.0, 0.0, 0.0, "nan"], "path.intercepts[3] is 'nan', but must be a finite number"),
        (("path", "feature_names"), ["a"] * 5, "path.feature_names holds 'a' twice"),
        (
            ("path", "statuses"),
            ["converged"] * 3 + ["done"],
            "path.statuses[3] is 'done', but must be one of",
        ),
        (("path", "classes"), ["no"], "path.classes has 1 entries, but must have 2"),
        (("path", "classes"), ["no", "no"], "path.classes holds 'no' twice"),
        (("path", "l1_ratio"), 1.5, "path.l1_ratio is 1.5, but must be at least 0 and at most 1"),
        (("path", "scales"), ..., "path.scales is missing"),
        (("path", "tol"), float("nan"), "it is no JSON (NaN is no number of JSON)"),
        (("path", "colour"), 1, "path.colour is no field of a model"),
        (("path", "coef_rows", "indptr"), [0, 9, 3, 9, 9], "path.coef_rows.indptr[2] is 3, but must begin with 0 and"),
        (("path", "coef_rows", "indptr"), [0, 0, 0, 0, 999], "path.coef_rows.indptr ends with 999, but there are"),
        (("path", "preparation", "columns", 0), {"name": "size", "levels": ["a", "a"]}, "columns[0].levels holds 'a'"),
        (("cv", "fold_scores"), [[1.0] * 4] * 3, "cv.fold_scores has 3 entries, but must have 2"),
        (("cv", "fold_ids", 0), 2, "cv.fold_ids[0] is 2, but must be at least -1 and at most 1"),
        (("cv", "lambda_1se"), 0.5, "cv.lambda_1se is 0.5, but by the scores of the folds it is"),
        (("schema",), 0, "schema is 0, but must be at least 1"),
        (("kind",), "paths", "kind is 'paths', but must be one of fit, path, cv_path"),
        (("checksum",), "0", 'its content does not match its "checksum"'),
        (("path", "intercepts", 0), 0.123, 'its content does not match its "checksum"'),
    ],
)
def test_the_field_is_named(place: Place, value: Any, message: str, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    made(KINDS[0])[0].save(file)
    content = damaged({**json.loads(file.read_text())}, place, value)
    file.write_text(json.dumps(content))
    with pytest.raises(nb.DataError, match=re.escape(message)) as error:
        nb.load(file)
    assert str(error.value).count("\n") == 1  # what, and the remedy
    assert "fit and save the model again" in str(error.value)


def test_a_columns_own_places(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    made(KINDS[2])[0].save(file)
    good = json.loads(file.read_text())
    places = good["path"]["coef_rows"]["indices"]
    for j, problem in ((4, "at most 3"), (-1, "at least 0")):
        file.write_text(json.dumps(damaged(good, ("path", "coef_rows", "indices", len(places) - 1), j)))
        with pytest.raises(nb.DataError, match=f"indices.* is {j}, but must be .*{problem}"):
            nb.load(file)
    file.write_text(json.dumps(damaged(good, ("path", "coef_rows", "indices", len(places) - 1), places[-2])))
    with pytest.raises(nb.DataError, match=r"path\.coef_rows\.indices names a column twice in one row"):
        nb.load(file)


def test_layout_and_order_of_the_fields_are_free(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    result, X = made(KINDS[0])
    result.save(file)
    right = predicted(result, X)
    file.write_text(json.dumps(json.loads(file.read_text()), sort_keys=True, indent=2))
    assert predicted(nb.load(file), X) == right


@pytest.mark.parametrize("end", [0, 1, 100, -2])
def test_a_file_that_was_cut_off(end: int, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    made("ball")[0].save(file)
    os.truncate(file, end if end >= 0 else file.stat().st_size + end)
    with pytest.raises(nb.DataError, match="is not a normball model, or was cut off"):
        nb.load(file)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": NaN}', '{"a": ' + "9" * 5000 + "}"])
def test_json_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(nb.DataError, match="it is no JSON"):
        nb.load(tmp_path / "file")


def test_where_the_model_came_from_is_checked_too(folder: Path, capsys: Capture) -> None:
    assert fit(capsys, "--missing", "impute", "--keep-unpenalised", "b", "--na", "x", "--n-lambdas", "3")[0] == 0
    good = json.loads(Path("out/model.json").read_text())
    made_from = load_model("out/model.json")[1]
    assert made_from.reading == {"na": ["x"]}
    assert made_from.options["penalty_factors"] == {"b": 0.0}
    n_read = 0
    for place in places(good["run"]):
        for value in damages(at(good["run"], place)):
            content = damaged(good, ("run", *place), value)
            Path("bad.json").write_text(json.dumps(content))
            with pytest.raises(nb.DataError, match="E10"):
                load_model("bad.json")
            with suppress(Damaged):  # and without the checksum
                made_from = Run.from_dict(content["run"])
                assert all(isinstance(name, str) for name in (*made_from.not_features, *made_from.offset_columns))
                n_read += 1
    assert n_read > 20


def test_every_command_refuses_a_damaged_model(folder: Path, capsys: Capture) -> None:
    fit(capsys, "--n-lambdas", "9")
    good = json.loads(Path("out/model.json").read_text())
    for place, value, message in (
        (("run",), "x", "run is 'x', but must be an object"),
        (("run", "reading"), {"quotes": 1}, "run.reading.quotes is no field of a model"),
        (("run", "reading"), {"na": "x"}, "run.reading.na is 'x', but must be a list"),
        (("run", "options"), {"drop": 5}, "run.options.drop is 5, but must be a list"),
        (("run", "options"), {"fold": 5}, "run.options.fold is no field of a model"),
        (("run", "apart"), {"share": 0.2, "how": "x"}, "run.apart.seed is missing"),
        (("run", "apart"), {"share": 0.2, "seed": 1}, "run.apart.how is missing"),
        (("run", "apart"), {"seed": 1, "how": "x"}, 'run.apart must have either "share" or "column"'),
        (
            ("run", "apart"),
            {"seed": 1, "how": "x", "share": 0.2, "column": "a"},
            'run.apart must have either "share" or "column"',
        ),
        (("run", "select"), "2se", "run.select is '2se', but must be one of 1se, best"),
        (("path", "family"), "logistic", "path.family is 'logistic', but must be one of"),
    ):
        Path("bad.json").write_text(json.dumps(damaged(good, place, value)))
        for words in (["show", "bad.json"], ["predict", "bad.json", "t.csv"], ["report", "bad.json", "-o", "p.html"]):
            code, out, err = run(capsys, *words)
            assert (code, out) == (5, "")
            assert err.startswith(f'E10 "bad.json" is a damaged normball model: {message}')
    assert not Path("p.html").exists()
