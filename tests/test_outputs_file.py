"""Models of several outputs in files: they come back to the last bit, and what disagrees in a file is told by name."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_iris, load_linnerud

import normball as nb
from normball.model_file import from_dict
from normball.results.saving import to_dict
from normball.schema import Damaged
from test_model_file import assert_same

IRIS = load_iris(as_frame=True)
X = IRIS.data
LABELS = IRIS.target_names[IRIS.target]
FITNESS = load_linnerud(as_frame=True)


def made(kind: str) -> tuple[Any, Any]:
    """A result, and data that it predicts for."""
    if kind == "classes, cross-validated":
        options = {"n_lambdas": 6, "cv": 3, "keep_predictions": True, "missing": "impute"}
        table = pl.DataFrame({**X.to_dict("list"), "site": ["a", "b", None] * 50})
        return nb.cv_path(table, LABELS, family="multinomial", **options), table
    if kind == "classes by numbers":
        return nb.fit_path(X, IRIS.target, family="multinomial", n_lambdas=5, grouped=True), X
    if kind == "targets":
        return nb.fit_path(FITNESS.data, FITNESS.target, family="multigaussian", n_lambdas=5, l1_ratio=0), FITNESS.data
    if kind == "targets, one point":
        path = nb.fit_path(FITNESS.data, FITNESS.target, family="multigaussian", n_lambdas=5)
        return path.fit_at(2.0), FITNESS.data
    return nb.fit_path(X, LABELS, family="multinomial", n_lambdas=5, grouped=False).fit_at(3.0), X


KINDS = ("classes, cross-validated", "classes by numbers", "targets", "targets, one point", "classes, one point")


@pytest.mark.parametrize("kind", KINDS)
def test_it_comes_back(kind: str, tmp_path: Path) -> None:
    result, data = made(kind)
    result.save(tmp_path / "model.json")
    loaded = nb.load(tmp_path / "model.json")
    assert_same(loaded, result)
    choice = {} if isinstance(result, nb.Fit) else {"lam": getattr(result, "lambda_best", 0) or result.lambdas[2]}
    for given in ("link", "response", *(["class"] if "classes" in kind else [])):
        before, after = (one.predict(data, kind=given, **choice) for one in (result, loaded))
        np.testing.assert_array_equal(before, after)
        assert before.dtype == after.dtype
    assert loaded.summary() == result.summary()


def test_one_output_is_written_as_ever() -> None:
    path = nb.fit_path(X, X.iloc[:, 0], n_lambdas=3)
    for result, name in ((path, "path"), (path.fit_at(1.0), "fit")):
        assert not {"n_outputs", "output_names", "grouped"} & set(to_dict(result)[name])
        assert from_dict(json.loads(json.dumps(to_dict(result)))).n_outputs == 1


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("classes by numbers", {"n_outputs": 4}, "path.n_outputs is 4, but there are 3 output_names"),
        ("classes by numbers", {"n_outputs": 1}, "path.n_outputs is 1, but must be at least 2"),
        ("classes by numbers", {"n_outputs": ...}, "path.n_outputs is missing"),
        ("classes by numbers", {"output_names": ...}, "path.output_names is missing"),
        ("classes by numbers", {"grouped": ...}, "path.grouped is missing"),
        ("classes by numbers", {"grouped": 1}, "path.grouped is 1, but must be true or false"),
        ("classes by numbers", {"output_names": ["0", "1", "1"]}, "path.output_names holds '1' twice"),
        ("classes by numbers", {"output_names": ["0", "1", "3"]}, "path.output_names are not those of the classes"),
        ("classes by numbers", {"classes": None}, "path.classes is null, but the family is multinomial"),
        ("classes by numbers", {"classes": [0, 1]}, "path.classes has 2 entries, but must have 3"),
        ("classes by numbers", {"family": "gaussian"}, "path.classes are given, but the family is gaussian"),
        ("classes by numbers", {"family": "binomial"}, "path.n_outputs is 3, but the family is binomial"),
        ("targets", {"family": "gaussian"}, "path.n_outputs is 3, but the family is gaussian"),
        ("targets", {"classes": ["a", "b", "c"]}, "path.classes are given, but the family is multigaussian"),
        ("targets", {"intercepts": [1.0] * 5}, r"path.intercepts\[0\] is 1.0, but must be a list"),
        ("targets, one point", {"intercept": 1.0}, "fit.intercept is 1.0, but must be a list"),
        ("targets, one point", {"intercept": [1.0, 2.0]}, "fit.intercept has 2 entries, but must have 3"),
        (
            "classes, one point",
            {"coef": {"indptr": [0, 0], "values": []}},
            "fit.coef.indptr has 2 entries, but must have 4",
        ),
    ],
)
def test_what_disagrees(kind: str, change: dict[str, Any], words: str) -> None:
    content = json.loads(json.dumps(to_dict(made(kind)[0])))
    name = content["kind"]
    good = copy.deepcopy(content)
    for field, value in change.items():
        if value is ...:
            del content[name][field]
        else:
            content[name][field] = value
    with pytest.raises(Damaged, match=words):
        from_dict(content)
    assert from_dict(good).n_outputs == 3


def test_a_model_of_one_output_with_the_family_of_several() -> None:
    content = json.loads(json.dumps(to_dict(nb.fit_path(X, X.iloc[:, 0], n_lambdas=3))))
    content["path"]["family"] = "multigaussian"
    with pytest.raises(Damaged, match=r"path.n_outputs is 1, but the family is multigaussian"):
        from_dict(content)
