"""The commands with times to an event."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from pages import payload_of


@pytest.fixture
def table(folder: Path) -> pl.DataFrame:
    """Times of patients of three centres, with late entry."""
    rng = np.random.default_rng(2)
    n = 150
    a, b, c = rng.normal(size=(3, n)).round(3)
    time, cut = rng.exponential(np.exp(-a)), rng.exponential(2, n)
    days = np.ceil(100 * np.minimum(time, cut)) + 1
    columns = {
        "days": days,
        "died": time <= cut,
        "a": a,
        "b": b,
        "c": c,
        "centre": np.array(list("xyz"))[np.arange(n) % 3],
    }
    made = pl.DataFrame({**columns, "since": np.floor(days * rng.random(n) * 0.5)})
    made.write_csv("t.csv")
    return made


TIMES = ("t.csv", "--target", "days", "--event", "died", "--drop", "since")


def test_a_cox_model_from_table_to_predictions(table: pl.DataFrame, capsys: Capture) -> None:
    code, out, _ = run(capsys, "fit", "--no-compare", *TIMES, "--strata", "centre", "--cv", "3", "-o", "out")
    assert code == 0
    n_events = int(table["died"].sum())
    assert f"Target   days, died: time to an event, {n_events} of 150 rows have it, between " in out
    assert ", 3 strata -> Cox, L1\n" in out
    assert "hazard x/SD" in out
    assert "Same as  glmnet lambda=" in out
    assert sorted(file.name for file in Path("out").iterdir()) == [
        "coefficients.csv",
        "model.json",
        "path.csv",
        "report.html",
    ]
    model = nb.load("out/model.json")
    assert (model.path.family, model.path.feature_names) == ("cox", ("a", "b", "c"))
    fit = model.at("1se")
    code, shown, _ = run(capsys, "predict", "out/model.json", "t.csv", "--times", "50,100.5", "--keep", "a")
    assert code == 0
    found = pl.read_csv(shown.encode())
    assert found.columns == ["a", "survival at 50", "survival at 100.5"]
    expected = fit.predict(table, kind="survival", times=[50, 100.5], strata="centre")
    np.testing.assert_allclose(found.drop("a").to_numpy(), expected)
    _, shown, _ = run(capsys, "predict", "out/model.json", "t.csv")
    found = pl.read_csv(shown.encode())
    np.testing.assert_allclose(found["risk"], fit.predict(table, kind="risk"))
    medians = fit.predict(table, kind="median", strata="centre")
    np.testing.assert_array_equal(found["median"].cast(pl.Float64), medians)
    _, shown, _ = run(capsys, "predict", "out/model.json", "t.csv", "--kind", "cumulative_hazard", "--times", "50")
    assert shown.splitlines()[0] == "cumulative hazard at 50"
    code, again, _ = run(capsys, "show", "out/model.json")
    assert code == 0
    assert "a  " in again


def test_late_entry_and_the_same_as_in_python(table: pl.DataFrame, capsys: Capture) -> None:
    words = ("t.csv", "--target", "days", "--event", "died", "--start", "since", "--drop", "centre")
    code, out, _ = run(capsys, "fit", "--no-compare", *words, "--score", "concordance", "--json", "-o", "out")
    assert code == 0
    document = json.loads(out)
    ours = nb.cv_path(table.drop("centre"), ["since", "days", "died"], family="cox", score="concordance")
    saved = nb.load("out/model.json")
    np.testing.assert_array_equal(saved.path.coefs, ours.path.coefs)
    np.testing.assert_array_equal(saved.fold_scores, ours.fold_scores)
    assert document["target"] == "since, days, died"
    assert document["family"] == "cox"


def test_all_penalties_are_compared(table: pl.DataFrame, capsys: Capture) -> None:
    code, out, _ = run(capsys, "fit", *TIMES, "--strata", "centre", "--cv", "3", "--n-lambdas", "20", "-o", "out")
    assert code == 0
    assert "ridge" in out
    assert len(nb.load("out/model.json")) == 4


def test_held_out_predictions_in_a_file(table: pl.DataFrame, capsys: Capture) -> None:
    words = ("t.csv", "--target", "days", "--event", "died", "--start", "since", "--strata", "centre", "--cv", "3")
    code, _, _ = run(capsys, "fit", "--no-compare", *words, "--out-of-fold", "held.csv", "-o", "out")
    assert code == 0
    held = pl.read_csv("held.csv")
    assert held.columns == ["row", "fold", "start", "time", "event", "stratum", "risk", "median"]
    assert held["stratum"].to_list() == table["centre"].to_list()
    cv = nb.cv_path(
        table, ["since", "days", "died"], family="cox", strata="centre", cv=3, keep_predictions=True
    )  # fmt: skip
    np.testing.assert_allclose(held["risk"], np.exp(cv.predictions[:, cv.index_1se]), rtol=1e-9)
    medians = cv.path.baselines[cv.index_1se].quantile(0.5, cv.predictions[:, cv.index_1se], np.arange(150) % 3)
    np.testing.assert_allclose(held["median"].cast(pl.Float64), medians)


def test_a_time_beside_its_event_has_a_remedy_to_type(table: pl.DataFrame, capsys: Capture) -> None:
    _, out, _ = run(capsys, "check", "t.csv", "--target", "days", "--drop", "since,centre")
    assert "W27" in out
    assert "--target days,died, --family cox  or  --drop died if every time is a full one" in " ".join(
        out.split("\n    ")
    )
    code, out, _ = run(capsys, "check", "t.csv", "--target", "days,died", "--family", "cox", "--drop", "since,centre")
    assert (code, "Found    nothing" in out) == (0, True)


def test_scores_of_times_in_words(table: pl.DataFrame, capsys: Capture) -> None:
    words = ("fit", "--no-compare", *TIMES, "--cv", "3", "--n-lambdas", "8", "--bootstrap", "0", "-o", "out")
    for score, name in (("uno", "concordance (Uno)"), ("brier", "integrated Brier score")):
        code, out, _ = run(capsys, *words, "--score", score)
        assert code == 0
        assert f" The {name} is " in out
        assert f"CV {name} " in out
        assert nb.load("out/model.json").score == score
    late = ("t.csv", "--target", "days", "--event", "died", "--start", "since", "--drop", "centre", "--score", "brier")
    code, _, said = run(capsys, "fit", *late)
    assert code == 2
    assert "rows that come under observation late (start, stop, event) do not tell" in said
    code, _, said = run(capsys, "fit", *TIMES, "--score", "auc")
    assert code == 2
    assert 'judges rows one by one; --family cox has "deviance", "concordance", "uno", "brier"' in said


def test_check_looks_at_times(table: pl.DataFrame, capsys: Capture) -> None:
    table.with_columns(code=pl.col("centre").replace_strict({"x": 1.0, "y": 2.5, "z": 3.0})).write_csv("c.csv")
    code, out, _ = run(
        capsys, "check", "c.csv", "--target", "days", "--event", "died", "--drop", "since", "--strata", "centre"
    )
    assert code == 0
    assert "W11 Constant within every stratum: code." in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--strata", "centre"),
            "--strata is about times to an event: --target TIME --event COL, which is --family cox",
        ),
        (("--event", "died", "--family", "poisson"), "--event is about times to an event"),
        (("--event", "dead"), 'Column "dead" of --event not found'),
        (("--event", "died", "--start", "begin"), 'Column "begin" of --start not found'),
        (("--event", "days"), '--event names "days", which --target names, too'),
        (("--event", "died", "--start", "days"), '--target names "days", which --start names, too'),
        (("--family", "cox"), "--event is missing: times to an event are --target TIME --event COL"),
        (("--family", "cox", "--start", "since"), "--event is missing"),
        (("--event", "died", "--strata", "center"), 'Column "center" of --strata not found'),
        (("--event", "a"), 'E13 Event "a" has'),
    ],
)
def test_what_cannot_be_asked_for(table: pl.DataFrame, capsys: Capture, words: tuple[str, ...], message: str) -> None:
    code, _, said = run(capsys, "fit", "t.csv", "--target", "days", "--drop", "since", *words, "-o", "out")
    assert code in (2, 3)
    assert message in said


def test_times_are_asked_of_models_of_times(table: pl.DataFrame, capsys: Capture) -> None:
    run(capsys, "fit", "--no-compare", "t.csv", "--target", "a", "--drop", "since,days,died,centre", "-o", "out")
    code, _, said = run(capsys, "predict", "out/model.json", "t.csv", "--times", "5")
    assert code == 2
    assert "--times is about models of times to an event; this one is gaussian" in said
    run(capsys, "fit", "--no-compare", *TIMES, "--strata", "centre", "--n-lambdas", "10", "-o", "out")
    code, _, said = run(capsys, "predict", "out/model.json", "t.csv", "--kind", "survival")
    assert "--kind survival needs --times" in said
    table.drop("centre").write_csv("n.csv")
    code, _, said = run(capsys, "predict", "out/model.json", "n.csv", "--times", "5")
    assert 'The new table lacks the column "centre", which the model takes for strata.' in said
    assert run(capsys, "report", "out/model.json", "--data", "t.csv", "-o", "again.html")[0] == 0
    assert 'data-view="survival_curves"' in Path("again.html").read_text()


def test_rows_set_apart_and_rows_scored_later(table: pl.DataFrame, capsys: Capture) -> None:
    """--holdout and --split score as `normball score` does, and that as `evaluate`; events are set apart evenly."""
    words = ("fit", "--no-compare", *TIMES, "--strata", "centre", "--cv", "3", "--n-lambdas", "15", "-o", "out")
    code, out, _ = run(capsys, *words, "--holdout", "0.4", "--bootstrap", "10")
    assert code == 0
    assert "besides 60 rows set apart, 40 % of all at random" in out
    model, apart = nb.load("out/model.json"), json.loads(Path("out/model.json").read_text())["run"]["apart"]
    assert {one["score"] for one in apart["evaluation"]["scores"]} == {"concordance", "uno", "brier", "deviance"}
    assert model.bootstrap_ranges.n_fits == 10
    from normball.folds import held_out_rows

    held = held_out_rows(150, 0.4, table["died"].to_numpy().astype(float))
    assert abs(table[held]["died"].mean() - table["died"].mean()) < 0.02
    rows = table[held]
    found = model.evaluate(rows, ["days", "died"], lam="1se", strata="centre", random_state=0)
    assert {one["score"]: one["value"] for one in apart["evaluation"]["scores"]} == pytest.approx(found.scores)
    rows.rename({"days": "time", "died": "dead", "centre": "site"}).write_csv("new.csv")
    renamed = ("--target", "time", "--event", "dead", "--strata", "site")
    code, out, _ = run(capsys, "score", "out/model.json", "new.csv", *renamed, "--json")
    assert code == 0
    assert {one["score"]: one["value"] for one in json.loads(out)["scores"]} == pytest.approx(found.scores)
    assert json.loads(out)["target"] == "time, dead"
    rows.write_csv("same.csv")
    code, shown, _ = run(capsys, "score", "out/model.json", "same.csv", "--bootstrap", "20")
    assert code == 0
    assert [line.split("  ")[0] for line in shown.splitlines()[-4:]] == [
        "concordance", "concordance (Uno)", "integrated Brier score", "deviance"
    ]  # fmt: skip
    code, shown, _ = run(capsys, "predict", "out/model.json", "new.csv", "--times", "50", "--strata", "site")
    expected = model.predict(rows, kind="survival", times=[50], strata="centre")
    np.testing.assert_allclose(pl.read_csv(shown.encode()).to_numpy(), expected)
    table.with_columns(part=pl.Series(np.where(np.isin(np.arange(150), held), "test", "train"))).write_csv("t.csv")
    code, _, _ = run(capsys, *words, "--split", "part", "--bootstrap", "0")
    assert code == 0
    again = json.loads(Path("out/model.json").read_text())["run"]["apart"]
    assert again["evaluation"]["scores"][0]["value"] == pytest.approx(found.scores["concordance"])
    code, _, said = run(capsys, "score", "out/model.json", "t.csv")
    assert "The model was fitted to 90 of these rows" in said


def test_what_cannot_be_scored(table: pl.DataFrame, capsys: Capture) -> None:
    words = ("--cv", "3", "--n-lambdas", "8", "--bootstrap", "0", "-o", "out")
    run(capsys, "fit", "--no-compare", *TIMES, "--strata", "centre", *words)
    table.rename({"died": "dead"}).write_csv("d.csv")
    score = ("score", "out/model.json")
    for words, message in (
        (("d.csv",), 'The new table lacks the column "died" (of --event)'),
        (("d.csv", "--event", "deaths"), 'The new table lacks the column "deaths" (of --event)'),
        (("t.csv", "--target", "days,died"), "of times to an event it names the time alone"),
        (("t.csv", "--strata", "site"), 'The new table lacks the column "site", which the model takes for strata'),
    ):
        code, _, said = run(capsys, *score, *words)
        assert code in (2, 3)
        assert message in said
    nb.load("out/model.json").save("bare.json")
    for words, message in (
        ((), "--target is missing: this model was saved from Python and does not know the name of its target; give "),
        (("--target", "days"), "--event is missing"),
        (("--target", "days", "--event", "died"), "it was saved from Python: give --strata"),
    ):
        code, _, said = run(capsys, "score", "bare.json", "t.csv", *words)
        assert code == 2
        assert message in said
    asked = ("--target", "days", "--event", "died", "--strata", "centre")
    code, _, _ = run(capsys, "score", "bare.json", "t.csv", *asked, "--bootstrap", "0")
    assert code == 0
    run(capsys, "fit", "--no-compare", "t.csv", "--target", "a", "--drop", "since,days,died,centre", "-o", "out")
    code, _, said = run(capsys, *score, "t.csv", "--event", "died")
    assert "--event is about models of times to an event; this one is not: leave it out" in said
    code, _, said = run(capsys, "predict", "out/model.json", "t.csv", "--strata", "centre")
    assert "--strata is about models of times to an event; this one is gaussian" in said


def test_a_horizon_that_is_chosen(table: pl.DataFrame, capsys: Capture) -> None:
    words = ("--cv", "3", "--n-lambdas", "8", "--bootstrap", "0", "--holdout", "0.3", "-o", "out")
    code, out, _ = run(capsys, "fit", "--no-compare", *TIMES, "--horizon", "60", *words)
    assert code == 0
    assert "Brier score at time 60 " in out
    page = payload_of(Path("out/report.html").read_text("utf-8"))["evidence"]["survival"]
    assert page["horizons"][page["horizon"]] == 60
    assert json.loads(Path("out/model.json").read_text())["run"]["horizon"] == 60
    score = ("score", "out/model.json", "t.csv", "--bootstrap", "0")
    told = {words: run(capsys, *score, *words)[1] for words in ((), ("--horizon", "90"))}
    assert "Brier score at time 60 " in told[()]
    assert "Brier score at time 90 " in told["--horizon", "90"]
    report = ("report", "out/model.json", "--data", "t.csv", "-o", "r.html")
    for asked, horizon in (((), 60), (("--horizon", "90"), 90)):
        assert run(capsys, *report, *asked)[0] == 0
        page = payload_of(Path("r.html").read_text("utf-8"))["evidence"]["survival"]
        assert page["horizons"][page["horizon"]] == horizon
    first, last = table.filter("died")["days"].min(), table["days"].max()
    late = ("t.csv", "--target", "days", "--event", "died", "--start", "since", "-o", "late", "--horizon", "60")
    assert run(capsys, "fit", "--no-compare", *late, *words[:-2])[0] == 0
    assert "Brier" not in run(capsys, "score", "late/model.json", "t.csv", "--bootstrap", "0")[1]
    for command, message in (
        (("fit", *TIMES, "--horizon", "1"), f"--horizon 1 is before {first:g}, the time of the first event: give a "),
        ((*report, "--horizon", "1e6"), "--horizon 1e+06 is not before "),
        ((*report[:2], "--horizon", "60"), "--horizon needs the rows of the fit"),
        ((*report, "--embed", "none", "--horizon", "60"), "--horizon needs the rows of the fit"),
        (("fit", "t.csv", "--target", "a", "--horizon", "6"), "--horizon 6 is about times to an event; this"),
        (("score", "late/model.json", "t.csv", "--horizon", "60"), "--horizon asks for a Brier score, which rows"),
        (("fit", *TIMES, "--horizon", "soon"), '"soon" is no number'),
        (("score", "out/model.json", "t.csv", "--horizon", "-1"), '"-1" is no time after 0'),
        (("score", "out/model.json", "t.csv", "--horizon", "inf"), '"inf" is no number'),
    ):
        code, _, said = run(capsys, *command)
        assert (code, message in said) == (2, True), said
    assert last > 90


@pytest.mark.parametrize("kinds", [("alive", "dead"), ("1", "2"), ("0", "1", "2"), ("lost", "dead", "0")])
def test_an_event_of_labels_is_named_and_the_same_as_its_numbers(
    kinds: tuple[str, ...], table: pl.DataFrame, capsys: Capture
) -> None:
    died = table["died"].to_numpy()
    others = [kind for kind in kinds if kind != kinds[1]]
    labels = [kinds[1] if one else others[k % len(others)] for k, one in enumerate(died.tolist())]
    table.with_columns(died=pl.Series(labels)).write_csv("labels.csv")
    words = (
        "--target",
        "days",
        "--event",
        "died",
        "--drop",
        "since",
        "--cv",
        "3",
        "--n-lambdas",
        "8",
        "--no-compare",
        "--bootstrap",
        "0",
    )
    for command in ("check", "fit"):
        code, _, err = run(capsys, command, "labels.csv", *words[: 6 if command == "check" else None])
        remedies = re.findall(r"--positive (\S+)", err)
        assert (code, {*remedies}) == (3, {*kinds} - {"0"})
    for remedy in remedies:
        assert run(capsys, "fit", "labels.csv", *words, "--positive", remedy, "-o", "any")[0] == 0
    assert run(capsys, "check", "labels.csv", *words[:6], "--positive", kinds[1])[0] == 0
    table.write_csv("numbers.csv")
    assert run(capsys, "fit", "numbers.csv", *words, "-o", "numbers")[0] == 0
    assert run(capsys, "fit", "labels.csv", *words, "--positive", kinds[1], "--holdout", "0.2", "-o", "apart")[0] == 0
    assert run(capsys, "fit", "labels.csv", *words, "--positive", kinds[1], "-o", "labels")[0] == 0
    one, other = (nb.load(f"{name}/model.json") for name in ("numbers", "labels"))
    assert one.path.coefs.tolist() == other.path.coefs.tolist()
    scored = [
        run(capsys, "score", "labels/model.json", f"{name}.csv")[1].splitlines()[1:] for name in ("numbers", "labels")
    ]
    assert scored[0] == scored[1]
    assert run(capsys, "report", "labels/model.json", "--data", "labels.csv")[0] == 0
    assert f"First make died 1 where it is “{kinds[1]}”, and else 0." in Path("labels/report.html").read_text()
