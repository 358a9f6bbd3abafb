"""What exported models say is what `predict` says, in every language that runs here."""

import io
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import exported
import normball
from normball.export import excel
from normball.messages import DataError
from targets import FAMILIES, draw

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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("family", [*FAMILIES, *SEVERAL])
def test_every_family(family, language, tmp_path):
    fit, offset = fitted(family)
    rows = new_rows(gaps=True)
    for kind in (None, "link") if family in ("binomial", "gamma", "multinomial") else (None,):
        names = names_of(fit, kind)
        options = {"kind": kind} if kind else {}
        found = run(language, fit, rows, names, tmp_path, offset=offset, **options)
        check(found, names, expected(fit, rows, offset, kind))


def strange(rows):
    """Rows with levels unseen in training."""
    return rows[:2].with_columns(pl.Series("kind", ["A", "unseen"]))


def test_a_spelling_that_no_list_can_hold_is_refused(tmp_path):
    """`predict` finds the level 7 for any text that is the number; a list of texts has 7 and 7.0."""
    fit, offset = fitted("gaussian")
    rows = new_rows(gaps=False)[:3].with_columns(kind=pl.Series(["7", "7.0", "0007"]))
    (answers,) = expected(fit, rows, offset, None)
    found = run("sqlite", fit, rows, ["prediction"], tmp_path, offset=offset)
    check(found, ["prediction"], [[*answers[:2], None]])


@pytest.mark.parametrize("language", LANGUAGES)
def test_levels_unseen_in_training_are_refused_or_count_as_none(language, tmp_path):
    fit, offset = fitted("binomial")
    rows, names = strange(new_rows(gaps=False)), ["prediction"]
    told = {"offset": offset, "kind": "response"}
    found = run(language, fit, rows, names, tmp_path, unknown="baseline", **told)
    check(found, names, expected(fit, rows, offset, "response", "baseline"))
    if language == "python":
        with pytest.raises(ValueError, match="column 'kind' has the level 'A', unseen in training"):
            run(language, fit, rows, names, tmp_path, **told)
    elif language == "javascript":
        with pytest.raises(exported.Failed, match='"kind" has the level A, unseen in training'):
            run(language, fit, rows, names, tmp_path, **told)
    else:
        assert run(language, fit, rows, names, tmp_path, **told) == {"prediction": [None, None]}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("family", ["poisson", "binomial", "multinomial"])
def test_without_imputation_a_missing_value_leaves_no_result(family, language, tmp_path):
    fit, offset = fitted(family, "drop")
    assert {"age", "kind"} <= set(used_columns(fit, ()))
    rows, names = table()[:40].with_columns(pl.col("hour").cast(pl.String)), names_of(fit, None)
    found = run(language, fit, rows, names, tmp_path, offset=offset)
    wanted = expected(fit, rows, offset, None)
    assert None in wanted[0]
    check(found, names, wanted)


def test_other_spellings_of_a_level_are_those_of_predict(tmp_path):
    """Composed letters in two forms, whole numbers with and without a point, truth values; 7 for 007."""
    rng = np.random.default_rng(3)
    columns = {
        "letter": (["é", "e", "ö"], ["e\u0301", "\u00e9", "o\u0308"]),
        "code": (["007", "8", "x"], ["7", "7.0", "8.0", "007"]),
        "answer": (["yes", "True", "False"], ["true", "TRUE", "FALSE", "yes"]),
        "truth": (["True", "False"], ["1", "0", "1.0", "true"]),
    }
    for name, (levels, spelled) in columns.items():
        x = rng.choice(levels, 200)
        y = (x == levels[0]) - 0.5 * (x == levels[1]) + rng.normal(size=200) / 9
        fit = normball.fit_path(pl.DataFrame({name: x}), y, categorical=[name]).at(n_nonzero=1)
        rows = pl.DataFrame({name: spelled})
        wanted = expected(fit, rows, None, None)
        assert None not in wanted[0]
        for language in LANGUAGES:
            check(run(language, fit, rows, ["prediction"], tmp_path), ["prediction"], wanted)


SIGNS = '\'"`\\%;:/*#$?{}[]()<>&|~^@!,.=+-\n\r\t -- /* */ // """ ??/ ${x} {0} é e\u0301 ß İ 日本 🙂 👩\u200d🔬 \u202e'
ODD = [
    "\u2028",
    "\x85",
    "\x0c",
    "\x1b",
    "--",
    "/*",
    "*/",
    "//",
    '"""',
    "??/",
    "${x}",
    "{0}",
    "__proto__",
    "&amp;",
    "]]>",
    "<!--",
]
WORDS = ["select", "NULL", "int", "class", "def", "x", "X", "1", " ", "row", "link"]


def test_columns_and_levels_may_be_called_anything(tmp_path):
    """A thousand names at random, with all that any language takes for a sign of its own."""
    rng = np.random.default_rng(8)
    found = {}
    while len(found) < 1000:
        name = "".join(rng.choice([*SIGNS, *ODD, *WORDS], rng.integers(1, 6))).strip()
        if name and name not in ("NaN", "NULL") and len(name.encode()) < 63:
            found.setdefault(name.casefold().replace("\u0307", ""), name)
    names = list(found.values())
    levels, columns = names[:400], names[400:]
    x = rng.normal(size=(300, len(columns)))
    rows = pl.DataFrame(x, schema=columns).with_columns(pl.Series("kind", rng.choice(levels, 300)))
    y = x @ rng.normal(size=len(columns))
    fit = normball.fit_path(rows, y, l1_ratio=0).at(lam=5.0)
    given = rows[:5]
    wanted = expected(fit, given, None, None)
    for language in set(LANGUAGES) - {"pmml"}:
        check(run(language, fit, given, ["prediction"], tmp_path), ["prediction"], wanted)
    with pytest.raises(ValueError, match=r"PMML, as all XML, cannot hold"):
        fit.export(to="pmml")
    plain = str.maketrans("\x0c\x1b", "\u2010\u2011")
    rows = rows.rename({name: name.translate(plain) for name in columns})
    rows = rows.with_columns(kind=pl.Series([level.translate(plain) for level in rows["kind"]]))
    fit = normball.fit_path(rows, y, l1_ratio=0).at(lam=5.0)
    check(run("pmml", fit, rows[:5], ["prediction"], tmp_path), ["prediction"], expected(fit, rows[:5], None, None))
    for dialect in ("postgres", "bigquery"):
        ok = normball.fit_path(rows.select(columns[:1]).rename({columns[0]: "a b"}), x[:, 0]).at(n_nonzero=1)
        assert ok.export(to="sql", dialect=dialect)


def test_names_that_a_dialect_takes_for_one_are_refused():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    for names, dialects, what in (
        (["age", "AGE"], ("sqlite", "duckdb", "bigquery"), 'takes the names "age" and "AGE" for one'),
        (["é" * 40 + "1", "é" * 40 + "2"], ("postgres",), "for one"),
        (["a\0", "b"], ("sqlite", "duckdb", "postgres", "bigquery"), r'the character "\\u0000"'),
        (["a`", "b"], ("bigquery",), 'the character "`"'),
        (["", "b"], ("duckdb", "postgres", "bigquery"), "an empty name"),
    ):
        fit = normball.fit_path(pl.DataFrame(dict(zip(names, x.T, strict=True))), x.sum(axis=1)).at(n_nonzero=2)
        for dialect in ("sqlite", "duckdb", "postgres", "bigquery"):
            if dialect in dialects:
                with pytest.raises(ValueError, match=what):
                    fit.export(to="sql", dialect=dialect)
            else:
                assert fit.export(to="sql", dialect=dialect)
        assert fit.export(to="python")


def test_survival_at_times(tmp_path):
    fit, offset = fitted("cox")
    rows, times = new_rows(gaps=True).filter(pl.col("size").abs() < 10), [0.001, 0.5, 1.5, 1e6]
    for kind in ("survival", "cumulative_hazard"):
        names = [f"{kind.replace('_', ' ')} at {time:g}" for time in times]
        wanted = fit.predict(rows, kind=kind, times=times, offset=offset).T.tolist()
        wanted[3] = [None] * len(rows)
        for language in LANGUAGES:
            found = run(language, fit, rows, names, tmp_path, kind=kind, times=times, offset=offset)
            check(found, names, wanted)


def test_an_infinite_number_is_missing_where_the_model_takes_it_so(tmp_path):
    rng = np.random.default_rng(1)
    x = rng.normal(size=100)
    x[::9] = np.inf
    rows = pl.DataFrame({"x": x})
    y = np.where(np.isinf(x), 2.0, x) + rng.normal(size=100) / 9
    fit = normball.fit_path(rows, y, inf="nan", missing="impute").at(n_nonzero=2)
    given = pl.DataFrame({"x": [np.inf, -np.inf, np.nan, None, 1.0]})
    wanted = expected(fit, given, None, None)
    for language in set(LANGUAGES) - {"javascript"}:  # JSON has no infinite numbers
        check(run(language, fit, given, ["prediction"], tmp_path), ["prediction"], wanted)


def test_exposure_and_its_logarithm_are_the_same(tmp_path):
    fit, _ = fitted("poisson")
    rows = new_rows(gaps=False).with_columns(off=pl.lit(0.0), years=pl.col("off").exp())
    wanted = [fit.predict(rows, kind="response", offset=np.log(rows["years"].to_numpy())).tolist()]
    bad = rows[:2].with_columns(years=pl.Series([0.0, -1.0]))
    for language in LANGUAGES:
        check(run(language, fit, rows, ["prediction"], tmp_path, exposure="years"), ["prediction"], wanted)
        assert run(language, fit, bad, ["prediction"], tmp_path, exposure="years") == {"prediction": [None, None]}


def test_text_in_the_place_of_a_number_is_no_zero(tmp_path):
    fit, offset = fitted("gaussian")
    rows = new_rows(gaps=False)[:1].with_columns(age=pl.lit("forty"))
    assert run("sqlite", fit, rows, ["prediction"], tmp_path, offset=offset) == {"prediction": [None]}
    with pytest.raises(TypeError, match="'forty' is text, but must be a number"):
        run("python", fit, rows, ["prediction"], tmp_path, offset=offset)
    with pytest.raises(exported.Failed, match='"age" is no number: forty'):
        run("javascript", fit, rows, ["prediction"], tmp_path, offset=offset)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({}, "no file is named: give to= one of sql, python"),
        ({"to": "rust", "offset": "off"}, "to is 'rust', but must be one of sql"),
        ({"to": "sql"}, "pass offset= the name of its column"),
        ({"to": "sql", "offset": ["off", "off 2"]}, "offset names 2 columns, but the model has 1 outputs"),
        ({"to": "sql", "offset": "kind"}, 'The offset "kind" is a column of labels'),
        ({"to": "sql", "offset": "off", "exposure": "years"}, "offset and exposure are both given"),
        ({"to": "sql", "offset": "off", "dialect": "oracle"}, "dialect is 'oracle', but must be one of postgres"),
        ({"to": "python", "offset": "off", "dialect": "sqlite"}, 'dialect="sqlite" is about SQL'),
        ({"to": "sql", "offset": "off", "unknown": "warn"}, "unknown is 'warn', but must be one of error, baseline"),
        ({"to": "sql", "offset": "off", "kind": "class"}, "needs a binomial or multinomial model"),
        ({"to": "sql", "offset": "off", "kind": "median"}, 'can be "link", "response" or "class"'),
        ({"to": "sql", "offset": "off", "times": [1]}, "does not depend on them"),
    ],
)
def test_what_cannot_be_exported_is_said(options, what):
    fit, _ = fitted("gaussian")
    with pytest.raises(ValueError, match=what):
        fit.export(**options)


def test_of_several_mixes_the_picked_one_is_exported(tmp_path):
    rows = table().select("size", "none")
    y = rows["size"].to_numpy() + rows["none"].to_numpy() / 9
    several = normball.compare(rows, y, l1_ratios=(0, 1), cv=3)
    assert several.export(to="c", lam="best") == several.pick("best").export(to="c", lam="best")
    assert several.export(to="c", l1_ratio=0) == several.with_mix(0).export(to="c")


def test_paths_and_their_files(tmp_path):
    rows = table().select("size", "none")
    y = rows["size"].to_numpy() + rows["none"].to_numpy() / 9
    cv = normball.cv_path(rows, y, cv=3)
    place = tmp_path / "score.py"
    place.write_text("what was there")
    content = cv.export(place, lam="best")
    assert (
        place.read_text()
        == content
        == cv.path.export(to="python", lam=cv.lambda_best)
        == cv.at("best").export(to="python")
    )
    with pytest.raises(TypeError, match="export\\(\\) has no argument 'dialekt'"):
        cv.export(place, dialekt="sqlite")
    assert place.read_text() == content


def test_onnx_without_its_package_is_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    fit, offset = fitted("gaussian")
    with pytest.raises(ImportError, match=r"pip install normball\[onnx\]"):
        fit.export(to="onnx", offset=offset)


def test_no_package_of_a_target_is_imported_unasked():
    code = "import sys, normball.export.exporting; print({'onnx', 'google.protobuf', 'xml.etree'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "set()\n"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not here")
@pytest.mark.parametrize("family", ["binomial", "poisson", "multinomial"])
def test_a_workbook_calculates_what_predict_says(family, tmp_path):
    fit, offset = fitted(family)
    rows = new_rows(gaps=True).filter(pl.col("size").abs() < 100)  # a spreadsheet has no infinite numbers
    rows = pl.concat([rows, strange(rows)])
    names, columns = names_of(fit, None), used_columns(fit, [offset] if isinstance(offset, str) else offset)
    given = pl.DataFrame([rows[name] for name in columns])
    found = exported.by_calc(fit.export(to="excel", offset=offset), given, names, tmp_path)
    check(found, names, expected(fit, rows, offset, None), 1e-9)


def test_a_workbook_holds_any_name_and_is_the_same_each_time():
    names = ["\x1b", "_x0041_", "a\r\nb", "=1+1", "🙂&<>\"'"]
    rows = pl.DataFrame(np.random.default_rng(0).normal(size=(50, len(names))), schema=names)
    fit = normball.fit_path(rows, rows.sum_horizontal()).at(n_nonzero=5)
    content = fit.export(to="excel")
    assert content == fit.export(to="excel")
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        roots = {name: ElementTree.fromstring(parts.read(name)) for name in parts.namelist()}
    texts = [one.text for one in roots["xl/worksheets/sheet1.xml"].iter(f"{exported.MAIN}t")]
    assert texts == ["_x001B_", "_x005F_x0041_", "a_x000D_\nb", "=1+1", "🙂&<>\"'", "prediction"]
    numbers = [float(one.text) for one in roots["xl/worksheets/sheet3.xml"].iter(f"{exported.MAIN}v")]
    assert set(fit.coef.tolist()) <= set(numbers)
    formulas = [
        one.text for sheet in (1, 2) for one in roots[f"xl/worksheets/sheet{sheet}.xml"].iter(f"{exported.MAIN}f")
    ]
    assert len(formulas) == 1000 * (1 + 7)
    assert all(len(one) < 8192 for one in formulas)


def test_a_model_of_more_terms_than_a_sheet_has_columns_is_refused(monkeypatch):
    monkeypatch.setattr(excel, "MOST_COLUMNS", 5)
    fit, offset = fitted("gaussian")
    with pytest.raises(ValueError, match=r"the model has \d+ terms, but a sheet has 5 columns"):
        fit.export(to="excel", offset=offset)
