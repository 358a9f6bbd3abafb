"""Models to be exported, new rows, and what `predict` says of these."""

import shutil
from functools import cache

import numpy as np
import polars as pl
import pytest

import exported
import normball
from normball.messages import DataError
from targets import draw

SEVERAL = ("multinomial", "multigaussian", "cox")
LEVELS = ("a", "b'c", 'd "quoted"', "é\n\\", "7")
LANGUAGES = ("sqlite", "duckdb", "postgres", "python", "javascript", "c", "onnx", "pmml")


@cache
def table(n=240):
    rng = np.random.default_rng(5)
    age = [None if i % 11 == 0 else x for i, x in enumerate(rng.normal(40, 10, n).tolist())]
    return pl.DataFrame(
        {
            "age": age,
            "size": rng.normal(size=n),
            "kind": [None if i % 17 == 0 else str(x) for i, x in enumerate(rng.choice(LEVELS, n))],
            "hour": rng.choice([1, 2, 10], n),
            "none": rng.normal(size=n),
            "off": rng.normal(size=n) / 4,
            "off 2": rng.normal(size=n) / 4,
            "off 3": rng.normal(size=n) / 4,
        }
    )


@cache
def fitted(family, missing="impute"):
    """A model at a strength that keeps some columns, and the names of its offset."""
    rng = np.random.default_rng(7)
    rows = table() if missing == "impute" else table().drop_nulls()
    signal = rows["size"].to_numpy() + 0.8 * (rows["kind"] == "a").fill_null(False).to_numpy()
    signal = signal + 0.05 * np.nan_to_num(rows["age"].cast(pl.Float64).to_numpy() - 40, nan=30.0)
    offset, n = "off", len(signal)
    if family == "multinomial":
        y = np.array(["red", "green's", "blue"])[
            np.argmax(np.outer(signal, [1, -1, 0]) + rng.gumbel(size=(n, 3)), axis=1)
        ]
        offset = ["off", "off 2", "off 3"]
    elif family == "multigaussian":
        y = pl.DataFrame({"u": signal + rng.normal(size=n), "v": rng.normal(size=n) - signal})
        offset = ["off", "off 2"]
    elif family == "cox":
        y = np.column_stack([rng.exponential(np.exp(-signal)) + 0.01, rng.random(n) < 0.7])
    else:
        y = draw(family, signal, rng)
    path = normball.fit_path(
        rows,
        y,
        family=family,
        offset=offset,
        missing=missing,
        categorical=["hour"],
        drop=sorted({"off", "off 2", "off 3"} - set(offset)),
    )
    return path.at(lam=float(path.lambdas[45])), offset


def new_rows(*, gaps):
    """Rows with the levels in other spellings, far out, and, with `gaps`, without some values."""
    rows = table()[:40].with_columns(pl.col("hour").cast(pl.String))
    rows = rows.with_columns(pl.when(pl.int_range(pl.len()) == 3).then(400.0).otherwise("size").alias("size"))
    rows = rows.with_columns(pl.when(pl.int_range(pl.len()) == 4).then(-2000.0).otherwise("size").alias("size"))
    return rows if gaps else rows.drop_nulls()


def expected(fit, rows, offset, kind, unknown="error"):
    """The columns of the answer by `predict`; None in rows that it refuses."""
    kinds = (
        [kind] if kind else (["class", "response"] if fit.classes else ["risk" if fit.family == "cox" else "response"])
    )
    found = []
    for one in kinds:
        answers = []
        for place in range(len(rows)):
            try:
                answers.append(fit.predict(rows[place], kind=one, offset=offset, unknown=unknown)[0])
            except (DataError, ValueError):
                answers.append(None)
        found.append(answers)
    several = len(fit.output_names)

    def columns(answers):
        return [[None if one is None else one[k] for one in answers] for k in range(several)] if several else [answers]

    return [
        column
        for one, answers in zip(kinds, found, strict=True)
        for column in ([answers] if one == "class" else columns(answers))
    ]


def names_of(fit, kind):
    if fit.family == "cox":
        return ["prediction" if kind else "risk"]
    if fit.classes is None or kind in ("link", "response"):
        return list(fit.output_names) or ["prediction"]
    chances = [] if kind else [f"probability of {one}" for one in fit.output_names or fit.classes[1:]]
    return ["prediction", *chances]


def run(language, fit, rows, names, folder, **options):
    """The answer of one language."""
    if language in ("sqlite", "duckdb", "postgres"):
        query = fit.export(to="sql", dialect=language, **options)
        return getattr(exported, f"by_{language}")(query, rows, names)
    code = fit.export(to=language, **options)
    if language == "python":
        return exported.by_python(code, rows, names)
    if language == "pmml":
        return exported.by_pmml(code, rows, names)
    if language == "javascript":
        if shutil.which("node") is None:
            pytest.skip("node is not here")
        return exported.by_node(code, rows, names, folder)
    given = [options[name] for name in ("offset", "exposure") if name in options]
    given = given[0] if given and isinstance(given[0], list) else given
    rows = pl.DataFrame([rows[name] for name in used_columns(fit, given)])
    if language == "onnx":
        return exported.by_onnx(code, rows, names)
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not here")
    of_text = fit.classes and isinstance(fit.classes[0], str) and options.get("kind") in (None, "class")
    return exported.by_c(code, rows, names, {"prediction"} if of_text else set(), folder)


def used_columns(fit, offset):
    """The columns with a coefficient, in the order of the table, and the offset."""
    kept = dict.fromkeys(fit.preparation.column_of_feature[fit.kept].tolist())
    read = {name for j in kept for name in fit.preparation.columns[j].sources}
    return [name for name in fit.preparation.sources if name in read] + list(offset)


def check(found, names, wanted, relative=1e-12):
    for name, column in zip(names, wanted, strict=True):
        for place, (one, other) in enumerate(zip(found[name], column, strict=True)):
            where = f"{name}, row {place}: {one!r} for {other!r}"
            if isinstance(other, str) or other is None:
                assert one == other, where
            else:
                assert one == pytest.approx(other, rel=relative, abs=1e-300, nan_ok=True), where


def strange(rows):
    """Rows with levels unseen in training."""
    return rows[:2].with_columns(pl.Series("kind", ["A", "unseen"]))
