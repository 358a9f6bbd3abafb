"""What exported models say is what `predict` says, in every language that runs here."""

import numpy as np
import polars as pl
import pytest

import exported
import normball
from exported_models import (
    LANGUAGES,
    SEVERAL,
    check,
    expected,
    fitted,
    names_of,
    new_rows,
    run,
    strange,
    table,
    used_columns,
)
from targets import FAMILIES


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
