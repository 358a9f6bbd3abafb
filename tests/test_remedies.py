"""Every remedy that is printed works when it is done literally, in the interface that printed it.

A remedy is an argument of the function (`missing="drop"`), a call of another one (`cv_path(X, y, repeats=5)`), an
option of the command (`--missing drop`), or plain words, which are listed here so that none slips in.
"""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas
import polars as pl
import pytest

import normball as nb
import normball.learn
from commands import Capture, run
from normball.messages import OR, DataError, Finding, command_line_words

N = 60
RNG = np.random.default_rng(11)
A, B, C = RNG.normal(size=(3, N))
Y = A - B + RNG.normal(size=N)
CLASS = np.where(Y > 0, "yes", "no")
TWO = np.arange(N) % 2

WORDS = (  # what no option does
    "collect more of these rows",
    "correct these values",
    "correct them upstream",
    "choose another target; if rows were filtered, check the filter",
    "choose another target",
    "choose another unit",
    "choose another unit: divide by their largest size",
    "convert it to numbers",
    "put a number in its place, such as hours",
    "if it is a quantity: convert it to numbers",
    "keep the penalty: a lam chosen by cross-validation gives finite, valid coefficients",
    "let features be standardised (the default), or choose other units",
    "merge the class with another",
    "merge the class",
    "not accuracy, but deviance (the default)",
    "subtract a round number from these columns",
    "rename one of them",
    "keep two of them",
)


def table(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame({"a": A, "b": B, "y": Y, **columns}, strict=False)


def gaps(share: float, values: Any = C) -> list[Any]:
    missing = np.arange(N) % 100 < 100 * share if share >= 1 else RNG.uniform(size=N) < share
    return [None if gone else value for value, gone in zip(np.asarray(values).tolist(), missing, strict=True)]


RARE = np.where(np.arange(N) < 4, "rare", "common")
WIDE = {f"x{j}": RNG.normal(size=N) for j in range(2 * N)}
DATES = [f"2020-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(N)]
INFINITE = np.where(np.arange(N) == 3, np.inf, C)

# what is wrong, the code that says so, the table, its target, and the family
CASES: dict[str, tuple[str, pl.DataFrame, str]] = {
    "thousands and words": ("E01", table(c=["1,200", "n/a", "-", *map(str, range(N - 3))]), "gaussian"),
    "decimal commas": ("E01", table(c=["1,5", "2,25", *map(str, range(N - 2))]), "gaussian"),
    "a target with words": ("E01", table(y=["x", *Y[1:].round(3).astype(str)]), "gaussian"),
    "one value": ("E03", table(y=np.ones(N)), "gaussian"),
    "gaps": ("E04", table(c=gaps(0.1), k=gaps(0.1, CLASS)), "gaussian"),
    "gaps in the target": ("E04", table(y=gaps(0.1, Y)), "gaussian"),
    "a column mostly missing": ("E04", table(c=gaps(0.88), k=gaps(0.1, CLASS)), "gaussian"),
    "a target that is missing": ("E04", table(y=[1.0, *[None] * (N - 1)], c=gaps(0.1)), "gaussian"),
    "a column that is missing": ("E04", table(c=pl.Series(gaps(1.0), dtype=pl.Float64)), "gaussian"),
    "infinity": ("E07", table(c=INFINITE), "gaussian"),
    "an infinite target": ("E07", table(y=np.where(np.arange(N) == 3, np.inf, Y)), "gaussian"),
    "beyond the range": ("E07", table(c=C * 1e200), "gaussian"),
    "dates": ("E12", table(c=DATES), "gaussian"),
    "names of rows": ("E12", table(c=[f"row {i}" for i in range(N)]), "gaussian"),
    "labels as target": ("E13", table(y=CLASS), "gaussian"),
    "negative counts": ("E13", table(), "poisson"),
    "many numbers as classes": ("E13", table(y=np.arange(N)), "binomial"),
    "numbers with commas as classes": ("E01", table(y=np.array(["1,5", "2", "3,25"])[np.arange(N) % 3]), "binomial"),
    "constant": ("W11", table(c=np.ones(N)), "gaussian"),
    "copy": ("W12", table(c=A), "gaussian"),
    "codes": ("W13", table(zip_code=(np.arange(N) * 7919) % 25 + 10_000), "gaussian"),
    "numbers of rows": ("W14", table(c=np.arange(N)), "gaussian"),
    "many rare levels": ("W14", table(k=[f"l{i % 50}" for i in range(N)]), "gaussian"),
    "leak": ("W15", table(c=Y + 0.001 * C), "gaussian"),
    "counts": ("W16", table(y=(np.abs(Y) * 30).round() - (np.abs(Y) * 30).round().min()), "auto"),
    "rare class": ("W17", table(y=RARE), "binomial"),
    "unbalanced classes": (
        "W18",
        pl.concat([table(y=CLASS)] * 5).with_columns(y=pl.Series(["yes"] * 12 + ["no"] * 288)),
        "binomial",
    ),
    "scales": ("W19", table(c=C * 1e12), "gaussian"),
    "large mean": ("W20", table(c=C + 1e12), "gaussian"),
    "separable": ("W21", table(c=Y, y=CLASS), "binomial"),
    "wide": ("W22", table(**WIDE), "gaussian"),
    "wide classes": ("W22", table(**{**WIDE, "y": CLASS}), "binomial"),
    "alike": ("W23", table(c=A + 0.001 * C), "gaussian"),
}
AS_NUMBERS = ("thousands and words", "decimal commas", "a target with words", "numbers with commas as classes")


def python_remedies(fix: str) -> tuple[list[str], dict[str, Any]]:
    """The calls and the arguments in one remedy."""
    calls = [
        match[0]
        for match in re.finditer(
            r"\b(?:cv_path|check|fit_paths|[Xy] = normball\.\w+|numpy\.\w+|GLM\w+)\((?:[^()]|\([^()]*\))*\)", fix
        )
    ]
    for call in calls:
        fix = fix.replace(call, "")
    return calls, {
        name: eval(value)
        for name, value in re.findall(r"\b([a-z_0-9]+)=(\"[^\"]*\"|\[[^\]]*\]|\{[^}]*\}|[\w.-]*\w)", fix)
    }


def said(call: Callable[[], Any]) -> list[Finding]:
    """What a call finds wrong, as an error or as a remark."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = call()
        except DataError as error:
            return list(error.findings)
    if isinstance(result, Sequence) and all(isinstance(one, Finding) for one in result):
        return list(result)
    path = getattr(result, "path", getattr(result, "path_", result))
    return list(getattr(path, "findings", ()))


def estimator(kind: Any) -> Callable[..., Any]:
    def fit(X: Any, y: Any, **options: Any) -> Any:
        family = {"family": options.pop("family")} if "Regressor" in kind.__name__ else options.pop("family") and {}
        return kind(**family, **options).fit(X.drop(columns=y) if hasattr(X, "loc") else X.drop(y), X[y])

    return fit


INTERFACES: dict[str, Callable[..., Any]] = {
    "fit_path": nb.fit_path,
    "cv_path": nb.cv_path,
    "compare": nb.compare,
    "fit_paths": lambda X, y, **options: nb.fit_paths(X, y, **options)[0],
    "fit_ball": lambda X, y, **options: nb.fit_ball(X, y, radius=1.0, **options),
    "check": nb.check,
    "GLMRegressor": estimator(nb.GLMRegressor),
    "GLMRegressorCV": estimator(nb.GLMRegressorCV),
    "GLMClassifier": estimator(nb.GLMClassifier),
}


def suits(case: str, interface: str) -> bool:
    """Whether the estimator has the family of the case; functions have all of them."""
    family = CASES[case][2]
    if case == "numbers with commas as classes" and "Classifier" in interface:
        return False  # it takes them for three classes
    return "GLM" not in interface or (family != "auto" and ("Classifier" in interface) == (family == "binomial"))


@pytest.mark.parametrize(
    ("case", "interface"), [(case, interface) for case in CASES for interface in INTERFACES if suits(case, interface)]
)
def test_in_python(case: str, interface: str) -> None:
    code, frame, family = CASES[case]
    function = INTERFACES[interface]
    small = {} if interface in ("check", "fit_ball", "GLMRegressor", "GLMClassifier") else {"n_lambdas": 5}

    def call(X: Any = frame, **options: Any) -> Any:
        return function(X, "y", **{"family": family, **small, **options})

    def is_same(finding: Finding) -> bool:
        return (finding.code == code and set(finding.columns) & set(wrong.columns) != set()) or finding == wrong

    try:
        found = [finding for finding in said(call) if finding.code == code]
    except (TypeError, ValueError):
        if "GLM" not in interface:
            raise
        return  # scikit-learn's own words about the target
    if interface == "check" or code.startswith("E"):
        assert found, f"{code} is not said"
    for wrong in found:
        for remedy in wrong.fix.split("\n")[0].split(OR):
            calls, options = python_remedies(remedy)
            assert calls or options or remedy in WORDS, remedy
            for text in calls:
                target = frame["y"] if text.startswith("y = ") else "y"
                names = {"X": frame, "y": target, "normball": nb, "numpy": np}
                code_of = text[4:] if text[1:4] == " = " else text
                result = eval(code_of, {**vars(nb), **{name: getattr(nb, name) for name in nb.__all__}}, names)
                if code_of.startswith("normball") and "GLM" in interface and frame["y"].dtype == pl.String:
                    continue  # scikit-learn refuses targets that are missing, so the caller leaves out these rows
                if code_of.startswith("normball") and case in AS_NUMBERS:
                    problems = [finding for finding in said(lambda: call(result, **options)) if is_same(finding)]  # noqa: B023
                    # what one remedy among several cures: what cannot be cured is left for the other ones
                    assert not problems or case == "numbers with commas as classes", text
                if text.startswith("GLM"):
                    result.fit(frame.drop("y"), frame["y"])
            if options and not calls:
                assert not any(is_same(finding) for finding in said(lambda: call(**options))), remedy  # noqa: B023


# -- the command line


def typed(remedy: str) -> tuple[str, list[str]]:
    """The command that a remedy names, if any, and its options as they are printed."""
    parts = shlex.split(remedy.replace("'s", ""))
    options: list[str] = []
    for place, part in enumerate(parts):
        if part.startswith("--"):
            options += [part, parts[place + 1]]
    return (match[1] if (match := re.search(r"normball (fit|check)", remedy)) else ""), options


def fixes(text: str, code: str) -> list[str]:
    """The remedies of the findings with this code on the terminal."""
    blocks = re.split(r"^(?=[EW]\d\d )", text, flags=re.MULTILINE)
    lines = [line for block in blocks if block.startswith(f"{code} ") for line in block.splitlines()]
    return [line.strip().removeprefix("Fix: ") for line in lines if line.strip().startswith("Fix: ")]


@pytest.mark.parametrize("command", ["fit", "check"])
@pytest.mark.parametrize("case", CASES)
def test_at_the_command_line(case: str, command: str, folder: Any, capsys: Capture) -> None:
    code, frame, family = CASES[case]
    frame.write_csv("r.csv")
    base = {
        "fit": ("fit", "r.csv", "--target", "y", "-o", "m", "--n-lambdas", "5", "--cv", "3"),
        "check": ("check", "r.csv", "--target", "y"),
    }
    given = () if family == "auto" else ("--family", family)
    _, out, err = run(capsys, *base[command], *given)
    remedies = [part for fix in fixes(out + err, code) for part in fix.split(OR)]
    if command == "check" or code.startswith("E"):
        assert f"{code} " in out + err, f"{code} is not said"
    for remedy in remedies:
        other, options = typed(remedy)
        assert options or other or remedy in map(command_line_words, WORDS), remedy
        assert not re.search(r"\b[a-z_]+=|cv_path|pandas", remedy), f"{remedy} is no word of the command line"
        if not (options or other):
            continue
        exit_code, out, err = run(capsys, *base[other or command], *given, *options)
        assert exit_code in (0, 3, 4), (remedy, err)
        before, after = set(fixes(out + err, code)), set(remedies)
        if other and other != command:
            assert exit_code in (0, 4), (remedy, err)
        elif not (
            remedy.endswith("scores") or "--score" in remedy or "to keep both" in remedy
        ):  # these cure nothing else
            assert not any(part in after for fix in before for part in fix.split(OR) if part == remedy), remedy


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda new: new.with_columns(k=pl.Series(["green"] * N)), "E09", ["--unknown", "baseline"]),
        (lambda new: new.with_columns(a=pl.Series([None] + [1.0] * (N - 1))), "E04", None),
        (lambda new: new.with_columns(a=pl.Series(DATES)), "E01|E12", None),
        (lambda new: new.with_columns(a=pl.Series(["n/a", "-"] + ["1.5"] * (N - 2))), "E01", None),
        (lambda new: new.drop("a"), "E08", None),
    ],
)
def test_predict(change: Any, code: str, words: list[str] | None, folder: Any, capsys: Capture) -> None:
    whole = table(k=CLASS)
    whole.write_csv("r.csv")
    assert run(capsys, "fit", "r.csv", "--target", "y", "-o", "m", "--cv", "3")[0] == 0
    change(whole).write_csv("new.csv")
    exit_code, _, err = run(capsys, "predict", "m/model.json", "new.csv")
    assert exit_code == 3
    assert re.match(code, err)
    options = [option for fix in fixes(err, err[:3]) for part in fix.split(OR) for option in typed(part)[1]]
    if "fit again with" in err:
        assert options == ["--missing", "impute"]
        assert run(capsys, "fit", "r.csv", "--target", "y", "-o", "m", "--cv", "3", *options)[0] == 0
        assert run(capsys, "predict", "m/model.json", "new.csv")[0] == 0
    else:
        assert options == (words or [])
        if options and code == "E09":
            assert run(capsys, "predict", "m/model.json", "new.csv", *options)[0] == 0


def test_unseen_levels_in_python() -> None:
    whole = table(k=CLASS)
    new = whole.with_columns(k=pl.lit("green"))
    path, cv = nb.fit_path(whole, "y"), nb.cv_path(whole, "y", cv=3)
    model = nb.GLMRegressor(unknown="error").fit(whole.drop("y"), Y)
    for predict in (
        lambda **options: path.predict(new, lam=path.lambdas[3], **options),
        lambda **options: path.at(lam=path.lambdas[3]).predict(new, **options),
        lambda **options: cv.predict(new, **options),
        lambda **options: model.set_params(**options).predict(new.drop("y")),
    ):
        with pytest.raises(DataError) as caught:
            predict()
        _, options = python_remedies(caught.value.findings[0].fix)
        assert options == {"unknown": "baseline"}
        assert np.isfinite(predict(**options)).all()


def test_too_few_rows_for_folds() -> None:
    frame = table(y=RARE, g=np.arange(N) % 3, t=np.arange(N) % 4, one=np.ones(N, int))
    for options in (
        {"family": "binomial"},
        {"fold_groups": "g"},
        {"time_order": "t"},
        {"fold_groups": "one"},
        {"time_order": "one"},
    ):
        target = "y" if "family" in options else A
        with pytest.raises(DataError, match="E05") as caught:
            nb.cv_path(frame, target, **options)
        for remedy in caught.value.findings[0].fix.split(OR):
            _, better = python_remedies(remedy)
            assert better or remedy in (*WORDS, "more groups", "more times")
            if better:
                assert nb.cv_path(frame, target, n_lambdas=4, **options, **better).n_folds == better["cv"]


@pytest.mark.parametrize("missing", ["drop", "impute"])
def test_no_remedy_was_followed_already(missing: str) -> None:
    lonely = table(y=pl.Series([None] * N, dtype=pl.Float64))
    with pytest.raises(DataError, match=r"E04 Only 0 of 60 rows have a target\.\n    Fix: choose another target"):
        nb.fit_path(lonely, "y", missing=missing)
    with pytest.raises(DataError, match=r"E04 No value in any of the 60 rows: c\.") as caught:
        nb.fit_path(table(c=pl.Series([None] * N, dtype=pl.Float64)), "y", missing=missing)
    assert caught.value.findings[0].fix == 'drop=["c"]'
    apart = table(c=[None] * 30 + list(range(30)), d=list(range(30)) + [None] * 30)
    with pytest.raises(DataError, match="E04 Only 0 of 60 rows have no missing value") as caught:
        nb.fit_path(apart, "y", missing="drop")
    for remedy in caught.value.findings[0].fix.split(OR):
        assert nb.fit_path(apart, "y", **{"missing": "drop", **python_remedies(remedy)[1]}).n_rows >= 30


def test_shapes() -> None:
    for X in ([1.0, 2.0, 3.0], np.arange(3.0), pandas.Series([1.0, 2.0, 3.0])):
        with pytest.raises(DataError, match="E14") as caught:
            nb.fit_path(X, [1.0, 2.0, 4.0])
        first = caught.value.findings[0].fix.split(OR)[0].split(" if ")[0]
        assert nb.fit_path(eval(first, {"X": X, "numpy": np}), [1.0, 2.0, 4.0]).n_features == 1
    with pytest.raises(DataError, match="E14") as caught:
        nb.fit_path(table(), np.column_stack([Y, A]), drop="y")
    call = python_remedies(caught.value.findings[0].fix)[0][0]
    assert len(eval(call, {"fit_paths": nb.fit_paths, "X": table().drop("y"), "y": np.column_stack([Y, A])})) == 2
    with pytest.raises(DataError, match="E16") as caught:
        nb.fit_path(table(), "y", penalty_factors=[1.0])
    assert nb.fit_path(table(), "y", **python_remedies(caught.value.findings[0].fix)[1]).n_features == 2


def test_learn_has_fewer_options(folder: Any, capsys: Capture) -> None:
    frame = CASES["thousands and words"][1]
    frame.write_csv("r.csv")
    words = ("learn", "--data", "r.csv", "--target", "y", "--html", "l.html")
    code, _, err = run(capsys, *words)
    assert (code, fixes(err, "E01")) == (3, ["--thousands , --na -  or  --decimal , --na -  or  --drop c"])
    for remedy in fixes(err, "E01")[0].split(OR):
        assert "E01" not in run(capsys, *words, *typed(remedy)[1])[2]
    with pytest.raises(DataError, match="E01") as caught:
        nb.learn.own(frame, "y")
    assert "categorical" not in caught.value.findings[0].fix


def test_show_says_that_options_are_for_another_fit(folder: Any, capsys: Capture) -> None:
    table(c=np.arange(N)).write_csv("r.csv")
    assert run(capsys, "fit", "r.csv", "--target", "y", "-o", "m", "--cv", "3")[0] == 0
    code, _, err = run(capsys, "show", "m/model.json")
    assert code == 0
    assert "Fix: fit again with --drop c" in err


def test_a_lambda_that_is_not_on_the_path(folder: Any, capsys: Capture) -> None:
    table().write_csv("r.csv")
    fit = ("fit", "r.csv", "--target", "y", "-o", "m", "--cv", "3")
    assert run(capsys, *fit)[0] == 0
    for words in (("predict", "m/model.json", "r.csv"), ("show", "m/model.json"), ("report", "m/model.json")):
        code, _, err = run(capsys, *words, "--lam", "50")
        assert code == 2
        assert "the path has no lambda 50: give --lam a number from" in err
        low, high = re.findall(r"from (\S+) to (\S+),", err)[0]
        for lam in (low, high):
            assert run(capsys, *words, "--lam", lam)[0] == 0
    assert run(capsys, *fit, "--select", "50.0")[0] == 0
    assert run(capsys, "predict", "m/model.json", "r.csv", "--lam", "50.0")[0] == 0
