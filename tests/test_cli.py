"""The commands, as a user meets them: what they print, write and answer."""

import csv
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import Capture, fit, run
from normball.comparison import Comparison
from normball.mixes import compare
from normball.model_file import load
from normball.results.answers import answer
from pages import payload_of


def test_fit_prints_the_numbers_of_the_model_that_it_writes(folder: Path, capsys: Capture) -> None:
    code, out, err = fit(capsys)
    assert (code, err) == (0, "")
    cv = load("out/model.json")
    assert "Read     t.csv: 120 rows x 6 columns (2 numeric, 1 categorical -> 3 indicators)" in out
    n_yes = int((pl.read_csv("t.csv")["y"] == "yes").sum())
    assert f'Target   y: binary, "yes" {n_yes} (' in out
    assert "-> logistic, L1" in out
    assert "lambda_1se (selected)" in out
    assert re.search(rf"features kept +{cv.at('1se').n_nonzero} of 5", out)
    assert re.search(rf"\nCV deviance .*\n  without features +{cv.null_mean:.2f}\n", out)
    assert f"Answer   {answer(cv, 'y', cv.index_1se)}\n" in out
    assert f"{cv.diagnostics['1se']['auc']:.3f}" in out
    assert f"C={1 / (120 * cv.lambda_1se):.4g})" in out
    assert "Next     normball predict out/model.json new.csv" in out
    assert sorted(os.listdir("out")) == ["coefficients.csv", "model.json", "path.csv", "report.html"]
    assert pl.read_csv("out/path.csv")["lam"].to_list() == cv.lambdas.tolist()


def test_names_and_labels_are_written_as_they_are(folder: Path, capsys: Capture) -> None:
    names = {"a": "=a", "b": "-b", "w": "+", "t": "1e3"}
    table = pl.read_csv("t.csv").rename(names)
    for labels in (["+", "-"], ["-low", "+high"], ["@no", "=yes()"], ["'+", "'-"]):
        y = pl.Series("y", np.where(table["y"] == "yes", *labels))
        table.with_columns(y).write_csv("t.csv")
        code, _, err = run(capsys, "fit", "t.csv", "--target", "y", "--cv", "3", "-o", "out")
        assert code == 0
        assert 'Careful  a spreadsheet takes these for formulas: "=a", "-b"\n' in err
        with open("out/coefficients.csv", newline="") as file:
            features = [row[0] for row in csv.reader(file)]
        colours = ["colour = =cmd()", "colour = red", "colour = white"]
        assert features == ["feature", "=a", "-b", *colours, "1e3", "+", "(intercept)"]
        for words in ([], ["--kind", "class"], ["-o", "p.csv"]):
            code, out, err = run(capsys, "predict", "out/model.json", "t.csv", *words)
            assert code == 0
            rows = list(csv.reader((Path("p.csv").read_text() if "-o" in words else out).splitlines()))
            assert {row[0] for row in rows[1:]} == set(labels)
            assert ("Careful" in err) == (labels[0] in ("-low", "@no"))


@pytest.mark.parametrize("select", ["best", "0.03"])
def test_select(select: str, folder: Path, capsys: Capture) -> None:
    code, out, _ = fit(capsys, "--select", select)
    assert code == 0
    cv = load("out/model.json")
    if select == "best":
        assert "lambda_best (selected)" in out
    else:
        assert "lambda (selected)" in out
        assert 0.03 in cv.lambdas
        assert cv.at(lam=0.03).dual_gap <= 1e-6
    code, shown, _ = run(capsys, "show", "out/model.json")
    assert code == 0
    assert shown.splitlines()[-10:-2] == out.splitlines()[-12:-4]


def test_several_mixes_are_compared(folder: Path, capsys: Capture) -> None:
    code, out, _ = fit(capsys, "--penalty", "elasticnet", "--l1-ratio", "0,0.5,1")
    assert code == 0
    assert "-> logistic, l1_ratio 0, 0.5, 1" in out
    saved = load("out/model.json")
    assert isinstance(saved, Comparison)
    assert saved.l1_ratios == (0.0, 0.5, 1.0)


def test_ridge_has_no_folds_column(folder: Path, capsys: Capture) -> None:
    code, out, _ = fit(capsys, "--penalty", "l2")
    assert code == 0
    assert "kept in folds" not in out
    assert "alpha=0" in out


def test_columns_with_a_role(folder: Path, capsys: Capture) -> None:
    words = ("--weights", "w", "--keep-unpenalised", "colour", "--seed", "3", "--threads", "1", "--no-standardize")
    code, out, _ = run(
        capsys, "fit", "--no-compare", "t.csv", "--target", "y", "--time-order", "t", "--cv", "4", *words
    )
    assert code == 0
    cv = load("model.json")
    assert cv.folds == "4 folds in time order"
    assert cv.path.penalty_factors.tolist() == [1, 1, 0, 0, 0]
    assert "sklearn" not in out
    assert "per SD" not in out
    code, out, _ = run(
        capsys, "fit", "--no-compare", "t.csv", "--target", "y", "--group", "t", "--cv", "4", "--repeats", "2"
    )
    assert code == 0
    assert load("model.json").folds == "4 grouped folds at random, 2 times"


@pytest.mark.parametrize("option", ["--group", "--time-order"])
def test_gaps_in_a_column_that_makes_folds(option: str, folder: Path, capsys: Capture) -> None:
    table = pl.read_csv("t.csv").with_columns(g=pl.Series(["2020-01", "2020-02", "2020-03"] * 40))
    table.with_columns(g=pl.when(pl.col("t") != 6).then("g")).write_csv("t.csv")
    code, _, err = fit(capsys, option, "g")
    assert code == 3
    assert f"E04 Missing values (NaN): g ({'group' if option == '--group' else 'time'}) 1 (0.8 %). First row 7." in err
    table.write_csv("t.csv")
    assert fit(capsys, option, "g", "--cv", "2")[0] == 0


def test_every_family_on_the_command_line(folder: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=150)
    amounts = np.exp(0.5 * x) * rng.gamma(1.0, size=150)
    counts = rng.poisson(amounts)
    pl.DataFrame({"y": amounts, "x": x}).write_csv("amounts.csv")
    pl.DataFrame({"y": counts, "x": x}).write_csv("counts.csv")
    for name, file, words in (
        ("gamma", "amounts.csv", "positive amount, mean 1.39 -> gamma, L1"),
        ("tweedie", "counts.csv", "% zeros -> Tweedie (power 1.5), L1"),
        ("tweedie(1.2)", "counts.csv", "-> Tweedie (power 1.2), L1"),
        ("negative_binomial", "counts.csv", "% zeros -> negative binomial (theta "),
        ("negative_binomial(2)", "counts.csv", "-> negative binomial (theta 2), L1"),
        ("huber", "amounts.csv", "-> Huber (delta "),
        ("huber(0.5)", "amounts.csv", "-> Huber (delta 0.5), L1"),
    ):
        code, out, _ = run(capsys, "fit", "--no-compare", file, "--target", "y", "--family", name, "--cv", "3")
        assert code == 0
        assert words in out
        saved = load("model.json")
        assert saved.path.family.startswith(name.removesuffix(")"))
        mean = run(capsys, "predict", "model.json", file, "--lam", "best")[1].splitlines()[1:]
        expected = saved.predict(pl.read_csv(file), lam="best", kind="response")
        assert np.allclose(np.array(mean, dtype=float), expected)
    code, _, err = run(capsys, "fit", "amounts.csv", "--target", "y", "--family", "inverse_gaussian")
    assert code == 2
    assert "not convex" in err
    code, _, err = run(capsys, "fit", "counts.csv", "--target", "y", "--family", "gamma")
    assert code == 3
    assert "--family tweedie" in err


def test_exposure_is_an_offset_again_when_predicting(folder: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(0)
    x, expo = rng.normal(size=200), rng.uniform(0.1, 2, 200)
    pl.DataFrame({"n": rng.poisson(expo * np.exp(0.5 * x)), "x": x, "expo": expo}).write_csv("c.csv")
    code, out, _ = run(
        capsys, "fit", "--no-compare", "c.csv", "--target", "n", "--family", "poisson", "--exposure", "expo"
    )
    assert code == 0
    assert "-> Poisson, L1" in out
    assert "rate x/SD" in out
    code, out, _ = run(capsys, "predict", "model.json", "c.csv", "--kind", "link")
    fitted_model = load("model.json").at("1se")
    link = np.array([float(line) for line in out.splitlines()[1:]])
    assert np.allclose(link, fitted_model.intercept + fitted_model.coef[0] * x + np.log(expo))
    pl.DataFrame({"x": x}).write_csv("new.csv")
    code, _, err = run(capsys, "predict", "model.json", "new.csv")
    assert code == 3
    assert 'E08 The new table lacks the column "expo"' in err
    pl.DataFrame({"n": [1, 2], "x": [0.0, 1.0], "expo": [0.0, -1.0]}).write_csv("c.csv")
    code, _, err = run(capsys, "fit", "c.csv", "--target", "n", "--family", "poisson", "--exposure", "expo")
    assert code == 3
    assert 'E15 The exposure "expo" must be positive numbers; 2 values are not: rows 1, 2.' in err
    pl.DataFrame({"n": [1, 2], "x": [0.0, 1.0], "expo": ["a", "b"]}).write_csv("c.csv")
    code, _, err = run(capsys, "fit", "c.csv", "--target", "n", "--family", "poisson", "--exposure", "expo")
    assert "must be numbers" in err


def test_offset_column(folder: Path, capsys: Capture) -> None:
    assert fit(capsys, "--offset", "w", "--drop", "t")[0] == 0
    _code, out, _ = run(capsys, "predict", "out/model.json", "t.csv", "--kind", "link")
    table = pl.read_csv("t.csv")
    expected = load("out/model.json").predict(table, offset=table["w"].to_numpy())
    assert np.allclose([float(line) for line in out.splitlines()[1:]], expected)


@pytest.mark.parametrize("example", ["diabetes", "breast_cancer", "wine"])
def test_examples(example: str, folder: Path, capsys: Capture) -> None:
    code, out, _ = run(capsys, "fit", "--example", example, "--cv", "3")
    assert code == 0
    assert ("class 0 against the other two" in out) == (example == "wine")
    assert f"Read     example {example}" in out


def test_predict(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    cv, table = load("out/model.json"), pl.read_csv("t.csv")
    code, out, _ = run(capsys, "predict", "out/model.json", "t.csv")
    assert code == 0
    rows = list(csv.reader(out.splitlines()))
    assert rows[0] == ["prediction", "probability of yes"]
    assert np.allclose([float(row[1]) for row in rows[1:]], cv.predict(table, kind="response"))
    assert [row[0] for row in rows[1:]] == cv.predict(table, kind="class").tolist()
    code, out, err = run(capsys, "predict", "out/model.json", "t.csv", "--lam", "best", "--proba", "-o", "p.csv")
    assert (code, out) == (0, "")
    assert "Wrote    120 predictions" in err
    assert np.allclose(pl.read_csv("p.csv")["prediction"], cv.predict(table, lam="best", kind="response"))
    code, out, _ = run(capsys, "predict", "out/model.json", "t.csv", "--json")
    assert json.loads(out)["prediction"] == cv.predict(table, kind="class").tolist()


def test_predict_of_other_tables(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    table = pl.read_csv("t.csv")
    table.drop("a").write_csv("new.csv")
    code, out, err = run(capsys, "predict", "out/model.json", "new.csv")
    assert (code, out) == (3, "")
    assert err.startswith("E08")
    table.with_columns(colour=pl.lit("rose")).write_csv("new.csv")
    code, _, err = run(capsys, "predict", "out/model.json", "new.csv")
    assert code == 3
    assert "E09" in err
    assert "Fix: --unknown baseline" in err
    assert run(capsys, "predict", "out/model.json", "new.csv", "--unknown", "baseline")[0] == 0
    code, _, err = run(capsys, "predict", "out/model.json", "t.csv", "--lam", "99")
    assert code == 2
    assert "the path has no lambda 99" in err


def test_report_and_show_of_another_lambda(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    Path("out/report.html").unlink()
    code, out, _ = run(capsys, "report", "out/model.json", "--lam", "best")
    assert code == 0
    assert out.startswith("Wrote    report.html (")
    assert out.endswith(" KB) in out\n")
    assert "lambda_best (selected)" in Path("out/report.html").read_text()
    between = str(float(np.sqrt(np.prod(load("out/model.json").lambdas[30:32]))))
    code, out, _ = run(capsys, "show", "out/model.json", "--lam", between)
    assert code == 0
    assert re.search("CV deviance +-  ", out)
    code, out, _ = run(capsys, "show", "out/model.json", "--json")
    assert json.loads(out)["choices"]["lambda_1se"]["status"] == "converged"


@pytest.mark.parametrize(
    "words",
    [["--weights", "w"], ["--time-order", "t"], ["--penalty", "elasticnet", "--select", "0.03"], ["--repeats", "2"]],
)
def test_a_report_with_the_data_is_that_of_the_fit(words: list[str], folder: Path, capsys: Capture) -> None:
    assert (
        run(
            capsys,
            "fit",
            "--no-compare",
            "t.csv",
            "--target",
            "y",
            "--cv",
            "4",
            "--n-lambdas",
            "20",
            "-o",
            "out",
            *words,
        )[0]
        == 0
    )
    model, page = Path("out/model.json").read_text(), Path("out/report.html").read_text()
    assert load("out/model.json").predictions is None
    assert payload_of(page)["evidence"]["held_out"]
    assert run(capsys, "report", "out/model.json", "--data", "t.csv", "-o", "again.html")[0] == 0
    assert Path("again.html").read_text() == page
    assert Path("out/model.json").read_text() == model
    for without in (["--data", "t.csv", "--embed", "none"], []):
        assert run(capsys, "report", "out/model.json", *without, "-o", "bare.html")[0] == 0
        assert payload_of(Path("bare.html").read_text())["evidence"] is None


def test_a_report_with_other_data(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    table = pl.read_csv("t.csv")
    for other, message in ((table.head(100), "they have 100 rows"), (table.drop("a"), "The table lacks 1 column")):
        other.write_csv("other.csv")
        code, _, err = run(capsys, "report", "out/model.json", "--data", "other.csv")
        assert code == 3
        assert message in err


def test_a_path_without_cross_validation(folder: Path, capsys: Capture) -> None:
    import normball as nb

    nb.fit_path(np.eye(5), np.arange(5.0)).save("path.json")
    assert "lambda" in run(capsys, "show", "path.json")[1]
    assert "x4" in run(capsys, "show", "path.json", "--lam", "0.1")[1]
    code, _, err = run(capsys, "report", "path.json")
    assert code == 2
    assert "cross-validation" in err
    code, _, err = run(capsys, "predict", "path.json", "t.csv")
    assert code == 2
    assert "give --lam a number" in err


def test_check(folder: Path, capsys: Capture) -> None:
    pl.read_csv("t.csv").with_columns(one=pl.lit(1.0)).write_csv("t.csv")
    code, out, err = run(capsys, "check", "t.csv", "--target", "y")
    assert (code, err) == (0, "")
    assert "W11 Constant column: one" in out
    assert not Path("model.json").exists()
    code, out, _ = run(capsys, "check", "t.csv", "--target", "z", "--json")
    assert code == 3
    assert json.loads(out)["findings"][0]["code"] == "E02"


def test_constant_columns_and_copies_are_dropped(folder: Path, capsys: Capture) -> None:
    pl.read_csv("t.csv").with_columns(one=pl.lit(1.0), again=pl.col("a")).write_csv("t.csv")
    code, out, _ = fit(capsys)
    assert code == 0
    assert "Dropped  one (constant)  W11" in out
    assert "Dropped  again (exact copy of another column)  W12" in out
    cv = load("out/model.json")
    assert cv.path.n_features == 5
    assert [finding.code for finding in cv.path.findings][:2] == ["W11", "W12"]


def test_nothing_kept_at_lambda_1se(folder: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(5)
    pl.DataFrame({f"x{j}": rng.normal(size=40) for j in range(4)} | {"y": rng.normal(size=40)}).write_csv("n.csv")
    code, out, err = run(capsys, "fit", "--no-compare", "n.csv", "--target", "y")
    assert code == 0
    assert "W03 lambda_1se keeps no feature" in err
    assert re.search("features kept +0 of 4", out)
    assert "Nothing was found that helps." in Path("report.html").read_text()


def test_a_path_that_ends_too_early(folder: Path, capsys: Capture) -> None:
    x = np.random.default_rng(2).normal(size=(60, 3))
    pl.DataFrame({"y": x.sum(axis=1), "a": x[:, 0], "b": x[:, 1], "c": x[:, 2]}).write_csv("n.csv")
    code, _, err = run(capsys, "fit", "--no-compare", "n.csv", "--target", "y", "--lambda-min-ratio", "0.1")
    assert code == 0
    assert "W33 lambda_best is the weakest lambda of the path" in err
    assert "Fix: --lambda-min-ratio 1e-03" in err


def test_not_converged(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(*arguments: Any, **options: Any) -> Any:
        return compare(*arguments, max_iter=1, **{**options, "tol": 1e-14})

    monkeypatch.setattr("normball.mixes.compare", hasty)
    code, out, err = fit(capsys)
    assert code == 4
    assert "W31 Not converged at " in err
    assert "the selected models are affected" in err
    assert "of 100 lambdas; the largest duality gap is" in out


def test_json(folder: Path, capsys: Capture) -> None:
    code, out, _ = run(capsys, "--json", "fit", "--no-compare", "t.csv", "--target", "y", "--cv", "3", "--quiet")
    assert code == 0
    content = json.loads(out)
    cv = load("model.json")
    assert content["choices"]["lambda_best"]["lam"] == cv.lambda_best
    assert content["path"]["n_sweeps"] == cv.n_sweeps > 0
    assert content["path"]["n_iters"] == cv.path.n_iters.tolist()
    assert len(content["features"]) == cv.at("1se").n_nonzero
    assert content["files"]["report"] == "report.html"


def test_data_errors_say_all(folder: Path, capsys: Capture) -> None:
    lines = ["y,a,b", *[f"{j % 2},{j},{j * j}" for j in range(30)], "1,n/z,", "0,-,5"]
    Path("bad.csv").write_text("\n".join(lines))
    code, out, err = run(capsys, "fit", "bad.csv", "--target", "y")
    assert code == 3
    assert "Traceback" not in err
    assert 'E01 Column "a" is not numeric: 2 of 32 values' in err
    assert "E04 Missing values" in err
    assert "--missing impute" in err
    assert not Path("model.json").exists()
    code, out, err = run(capsys, "fit", "bad.csv", "--target", "y", "--na", "-,n/z", "--missing", "drop")
    assert code == 0
    code, out, _ = run(capsys, "fit", "bad.csv", "--target", "y", "--json")
    assert {finding["code"] for finding in json.loads(out)["findings"]} == {"E01", "E04"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["fit"], 2, "give either a file or --example"),
        (["fit", "t.csv", "--example", "wine"], 2, "give either a file or --example"),
        (["fit", "t.csv"], 2, "--target is missing"),
        (["fit", "t.csv", "--target", "Y"], 3, 'Did you mean "y"?'),
        (["fit", "t.csv", "--target", "y", "--weights", "v"], 3, 'E02 Column "v" of --weights not found'),
        (["fit", "t.csv", "--target", "y", "--offset", "w", "--exposure", "w"], 2, "--offset and --exposure"),
        (["fit", "t.csv", "--target", "y", "--group", "w", "--time-order", "t"], 2, "--group and --time-order"),
        (["fit", "t.csv", "--target", "y", "--penalty", "l1", "--l1-ratio", "0.5"], 2, "--penalty elasticnet"),
        (["fit", "t.csv", "--target", "y", "--l1-ratio", "0,1", "--select", "0.1"], 2, "a single --l1-ratio"),
        (["fit", "t.csv", "--target", "y", "--l1-ratio", "2"], 2, "numbers from 0 to 1"),
        (["fit", "t.csv", "--target", "y", "--l1-ratio", "a"], 2, "numbers from 0 to 1"),
        (["fit", "t.csv", "--target", "y", "--select", "two"], 2, "neither 1se, best nor"),
        (["fit", "t.csv", "--target", "y", "--cv", "1"], 2, "whole number of 2 or more"),
        (["fit", "t.csv", "--target", "y", "--cv", "x"], 2, "whole number of 2 or more"),
        (["fit", "t.csv", "--target", "y", "--seed", "-1"], 2, "whole number of 0 or more"),
        (["fit", "t.csv", "--target", "y", "--threads", "0"], 2, "whole number of 1 or more"),
        (["fit", "t.csv", "--target", "y", "--tol", "0"], 2, "between 0 and 1"),
        (["fit", "t.csv", "--target", "y", "--tol", "x"], 2, "between 0 and 1"),
        (["fit", "t.csv", "--target", "a", "--score", "auc"], 2, "--score auc is about classes"),
        (["fit", "t.csv", "--target", "y", "--cv", "90"], 3, "E05"),
        (["fit", "--example", "wine", "--target", "x"], 2, "the target of this example is class_0"),
        (["fit", "none.csv", "--target", "y"], 5, 'E11 "none.csv" does not exist'),
        (["fit", "t.csv", "--target", "y", "-o", "t.csv/out"], 5, "t.csv/out: "),
        (["show", "none.json"], 5, "none.json: No such file"),
        (["show", "t.csv"], 5, "E10"),
        (["fitt"], 2, 'there is no command "fitt". A similar command exists: fit\n'),
        (["fit", "--pnalty", "l1"], 2, "there is no option --pnalty. A similar option exists: --penalty\n"),
        (["predict", "--lamm=1"], 2, "normball predict: there is no option --lamm. A similar option exists: --lam\n"),
        (["show", "--frob", "--lam"], 2, "there is no option --frob\n"),
        (["fit", "t.csv", "u.csv", "--target", "y"], 2, "normball fit: not understood: u.csv\n"),
        (["fit", "t.csv", "--penalty", "lasso"], 2, '--penalty: "lasso" is none of l1, l2, elasticnet\n'),
        (["frob"], 2, 'there is no command "frob"; there are fit, check, predict,'),
    ],
)
def test_what_the_user_can_mend(words: list[str], code: int, message: str, folder: Path, capsys: Capture) -> None:
    found, out, err = run(capsys, *words)
    assert message in err
    assert (found, "Traceback" in err) == (code, False)
    assert "Selected" not in out
