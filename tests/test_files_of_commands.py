"""What commands read from stdin and write beside the model: held-out predictions, the path, kept columns, knots."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, fit, run
from normball.cli.fit_files import MOST_COLUMNS
from normball.inputs.tables import read_table
from normball.messages import DataError
from normball.model_file import load
from test_terminal import Terminal


class Piped(io.TextIOWrapper):
    """A stdin into which something is piped."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "tsv", "parquet", "arrow", "svmlight"])
@pytest.mark.parametrize("word", ["-", "/dev/stdin"])
def test_a_table_on_stdin(kind: str, word: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    from sklearn.datasets import dump_svmlight_file

    table = pl.read_csv("t.csv").select("y", "a", "b", "w")
    target = "y"
    if kind.startswith("csv"):
        table.write_csv("s.csv")
        if kind == "csv.gz":
            Path("s.csv.gz").write_bytes(gzip.compress(Path("s.csv").read_bytes()))
    elif kind == "tsv":
        table.write_csv("s.tsv", separator="\t")
    elif kind == "parquet":
        table.write_parquet("s.parquet")
    elif kind == "arrow":
        table.write_ipc("s.arrow")
    else:
        dump_svmlight_file(table.select("a", "b", "w").to_numpy(), (table["y"] == "yes").to_numpy(), "s.svmlight")
        target = "label"
    content = Path(f"s.{kind}").read_bytes()
    words = ["--target", target, "--cv", "3", "--no-compare"]
    code, out, _ = run(capsys, "fit", f"s.{kind}", *words, "-o", "file")
    assert code == 0
    monkeypatch.setattr(sys, "stdin", Piped(content))
    code, piped, _ = run(capsys, "fit", word, *words, "-o", "pipe")
    assert code == 0
    shown = f"stdin.{kind.removesuffix('.gz').replace('tsv', 'csv')}"
    assert piped.startswith(f"Read     {shown}: ")
    assert piped.splitlines()[1:13] == out.splitlines()[1:13]
    assert load("pipe/model.json").path.coefs.tolist() == load("file/model.json").path.coefs.tolist()
    monkeypatch.setattr(sys, "stdin", Piped(content))
    assert run(capsys, "predict", "pipe/model.json", word) == run(capsys, "predict", "file/model.json", f"s.{kind}")
    for command in (["check", word, "--target", target], ["report", "pipe/model.json", "--data", word]):
        monkeypatch.setattr(sys, "stdin", Piped(content))
        assert run(capsys, *command)[0] == 0
    monkeypatch.setattr(sys, "stdin", Piped(content))
    code, scored, _ = run(capsys, "score", "pipe/model.json", word)
    assert code == 0
    assert scored == run(capsys, "score", "file/model.json", f"s.{kind}")[1].replace(f"s.{kind}:", "stdin:")


def test_nothing_on_stdin(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Piped(b""))
    code, _, err = run(capsys, "fit", "-", "--target", "y")
    assert (code, err) == (5, 'E11 "stdin.csv" is empty.\n')
    monkeypatch.setattr(sys, "stdin", Terminal())
    code, _, err = run(capsys, "fit", "-", "--target", "y")
    assert code == 2
    assert "normball fit: - stands for what is piped in, and nothing is" in err


def test_a_stream_is_read_as_a_file(folder: Path) -> None:
    with open("t.csv", "rb") as stream:
        assert read_table(stream).equals(read_table("t.csv"))
    with pytest.raises(DataError, match=r'"stream\.csv" is not a text table'):
        read_table(io.BytesIO(bytes(range(256))))


@pytest.mark.parametrize("more", [[], ["--repeats", "2"]])
def test_out_of_fold_predictions_are_those_of_the_other_folds(more: list[str], folder: Path, capsys: Capture) -> None:
    table = pl.read_csv("t.csv")
    gaps = table.with_columns(a=pl.when(pl.col("t") % 17 == 3).then(None).otherwise(pl.col("a")))
    gaps.write_csv("t.csv")
    words = ["--missing", "drop", "--select", "best", "--out-of-fold", "held/out.csv", *more]
    assert fit(capsys, *words)[0] == 5
    Path("held").mkdir()
    code, out, _ = fit(capsys, *words)
    assert code == 0
    assert "KB) in out; out.csv (" in out
    told = pl.read_csv("held/out.csv")
    folds = [name for name in told.columns if name.startswith("fold")]
    assert told.columns == ["row", *folds, "observed", "prediction", "probability of yes"]
    assert len(folds) == len(more) or folds == ["fold"]
    used = np.flatnonzero(table["t"].to_numpy() % 17 != 3)
    assert told["row"].to_list() == (used + 1).tolist()
    assert told["observed"].to_list() == table["y"].gather(used).to_list()
    cv = load("out/model.json")
    X, y = table.select("a", "b", "colour")[used], told["observed"].to_numpy()
    chances = np.zeros((len(folds), used.size))
    for k, name in enumerate(folds):
        for fold in told[name].unique():
            test = (told[name] == fold).to_numpy()
            path = nb.fit_path(X.filter(~test), y[~test], family="binomial", lambdas=cv.lambdas, tol=1e-9)
            eta = path.predict(X.filter(test), lam=cv.lambda_best, kind="link")
            chances[k, test] = eta
    mean = 1 / (1 + np.exp(-chances.mean(axis=0)))
    np.testing.assert_allclose(told["probability of yes"], mean, atol=2e-4)
    assert (told["prediction"] == np.where(told["probability of yes"] > 0.5, "yes", "no")).all()


def test_out_of_fold_of_several_outputs_and_of_rows_without_a_fold(folder: Path, capsys: Capture) -> None:
    words = ["--target", "colour", "--drop", "w", "--cv", "3", "--no-compare", "-o", "out", "--time-order", "t"]
    assert run(capsys, "fit", "t.csv", *words, "--out-of-fold", "o.csv")[0] == 0
    told = pl.read_csv("o.csv")
    chances = [name for name in told.columns if name.startswith("probability of ")]
    assert told.columns == ["row", "fold", "observed", "prediction", *chances]
    assert len(chances) == 3
    never = told["fold"].is_null()
    assert 0 < never.sum() < 60
    for name in ("prediction", *chances):
        assert (told[name].is_null() == never).all()
    known = told.filter(~never)
    np.testing.assert_allclose(known.select(chances).sum_horizontal(), 1.0)
    chance = known.select(chances).to_numpy()
    chosen = [chances.index(f"probability of {label}") for label in known["prediction"]]
    np.testing.assert_allclose(chance[np.arange(len(chance)), chosen], chance.max(axis=1))  # several may be as likely
    words = ["--target", "a,b", "--family", "multigaussian", "--drop", "t,w", "--cv", "3", "-o", "out"]
    assert run(capsys, "fit", "t.csv", *words, "--out-of-fold", "o.csv")[0] == 0
    told, table = pl.read_csv("o.csv"), pl.read_csv("t.csv")
    assert told.columns == ["row", "fold", "observed a", "observed b", "a", "b"]
    np.testing.assert_allclose(told["observed b"], table["b"])


def test_out_of_fold_of_compared_penalties_is_that_of_the_one_picked(folder: Path, capsys: Capture) -> None:
    words = ["fit", "t.csv", "--target", "a", "--drop", "t,w", "--cv", "3", "-o", "out"]
    assert run(capsys, *words, "--out-of-fold", "all.csv")[0] == 0
    picked = load("out/model.json").pick("1se")
    assert run(capsys, *words, "--out-of-fold", "one.csv", "--l1-ratio", str(picked.path.l1_ratio))[0] == 0
    ours, alone = pl.read_csv("all.csv"), pl.read_csv("one.csv")
    assert ours["fold"].equals(alone["fold"])
    np.testing.assert_allclose(ours["prediction"], alone["prediction"], atol=1e-4)


def test_out_of_fold_needs_a_file(folder: Path, capsys: Capture) -> None:
    code, _, err = fit(capsys, "--out-of-fold", "-")
    assert code == 2
    assert "--out-of-fold names a file" in err


def test_out_of_fold_of_more_than_there_is_room_for(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("normball.cli.fit_files.MOST_HELD_OUT", 120 * 30)
    code, _, err = fit(capsys, "--out-of-fold", "o.csv", "--n-lambdas", "31")
    assert code == 2
    assert "--out-of-fold needs 3,720 predictions in memory" in err
    assert "make it fewer with --n-lambdas 20" in err
    words = ("fit", "t.csv", "--target", "y", "--drop", "t,w", "--out-of-fold", "o.csv", "-o", "out")
    assert "make it fewer with --no-compare or --n-lambdas 20" in run(capsys, *words)[2]
    assert "make it fewer with --n-lambdas 20" in run(capsys, *words, "--l1-ratio", "0.1,0.5")[2]
    monkeypatch.setattr("normball.report.MOST_PREDICTIONS", 0)
    assert fit(capsys, "--out-of-fold", "o.csv", "--n-lambdas", "30")[0] == 0
    assert pl.read_csv("o.csv").height == 120


def test_the_path_has_its_coefficients(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    path, told = load("out/model.json").path, pl.read_csv("out/path.csv")
    kept = np.flatnonzero((path.coefs != 0).any(axis=0))
    names = [f"coef of {path.feature_names[j]}" for j in kept]
    assert told.columns[-len(names) :] == names
    np.testing.assert_array_equal(told.select(names).to_numpy(), path.coefs[:, kept])
    run(capsys, "fit", "t.csv", "--target", "colour", "--drop", "t,w", "--cv", "3", "--no-compare", "-o", "out")
    path, told = load("out/model.json").path, pl.read_csv("out/path.csv")
    red, a = path.output_names.index("red"), path.feature_names.index("a")
    np.testing.assert_array_equal(told["coef of a for red"], path.coefs[:, red, a])


def test_a_path_of_very_many_features_goes_without(folder: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, MOST_COLUMNS + 1))
    table = pl.DataFrame(X, schema=[f"x{j}" for j in range(X.shape[1])]).with_columns(y=pl.Series(X[:, 0]))
    table.write_csv("wide.csv")
    code, _, err = run(capsys, "fit", "wide.csv", "--target", "y", "--penalty", "l2", "--cv", "3", "--n-lambdas", "5")
    assert code == 0
    assert "Left out the coefficients in path.csv: 1,001 coefficients" in err
    assert not any(name.startswith("coef of") for name in pl.read_csv("path.csv").columns)


def test_kept_columns_stand_beside_the_predictions(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    table = pl.read_csv("t.csv").with_columns(id=pl.Series([f"{k:05d}" for k in range(120)]), y=None)
    table = table.with_columns(note=pl.when(pl.col("t") == 3).then(None).otherwise(pl.lit("-")))
    table.write_csv("new.csv")
    plain = pl.read_csv(io.StringIO(run(capsys, "predict", "out/model.json", "new.csv")[1]))
    code, out, _ = run(capsys, "predict", "out/model.json", "new.csv", "--keep", "id,a", "--keep", "note")
    assert code == 0
    told = pl.read_csv(io.StringIO(out), schema_overrides={"id": pl.String})
    assert told.columns == ["id", "a", "note", *plain.columns]
    assert told.select(plain.columns).equals(plain)
    assert told.select("id", "a", "note").equals(table.select("id", "a", "note"))
    document = json.loads(run(capsys, "predict", "out/model.json", "new.csv", "--keep", "id", "--json")[1])
    assert document["id"][7] == "00007"
    for words, code, message in (
        (
            ["--keep", "idd"],
            3,
            '"idd" (of --keep). Its columns: y, a, b, colour, t and 4 more. Did you mean "id"?',
        ),
        (["--keep", "prediction"], 2, "there is a column of predictions of this name"),
    ):
        table.with_columns(prediction=1).write_csv("new.csv")
        found, _, err = run(capsys, "predict", "out/model.json", "new.csv", *words)
        assert found == code
        assert message in err


def test_knots_of_a_path(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    cv = load("out/model.json")
    code, out, _ = run(capsys, "show", "out/model.json", "--path", "-v")
    assert code == 0
    head, *rows = out.splitlines()
    assert head.split() == ["lambda", "features", "CV", "deviance", "enters", "(+)", "or", "leaves", "(-)"]
    kept: set[str] = set()
    for row in rows:
        numbers, *changes = row.replace("1-SE", "").replace("best", "").split("  +", 1)
        lam, n_features, mean = map(float, numbers.replace("-colour", "").split()[:3])
        place = int(np.argmin(np.abs(np.log(cv.lambdas / lam))))
        assert n_features == cv.path.n_nonzero[place]
        assert mean == pytest.approx(cv.cv_mean[place], rel=1e-3)
        kept |= set(", ".join(changes).replace("+", "").split(", ")) - {""}
    names = cv.path.preparation.shown_names
    assert "colour: red" in names
    assert kept == {name for j, name in enumerate(names) if (cv.path.coefs[:, j] != 0).any()}
    assert "   1-SE" in out
    assert "   best" in out
    told = json.loads(run(capsys, "show", "out/model.json", "--path", "--json")[1])["path"]
    now: set[str] = set()
    for place, row in enumerate(told):
        now = (now | set(row["entered"])) - set(row["left"])
        assert now == {name for name, coef in zip(cv.path.feature_names, cv.path.coefs[place], strict=True) if coef}


def test_knots_of_what_has_none(folder: Path, capsys: Capture) -> None:
    fit(capsys, "--penalty", "l2")
    assert "none enters or leaves" in run(capsys, "show", "out/model.json", "--path")[1]
    code, _, err = run(capsys, "show", "out/model.json", "--path", "--lam", "best")
    assert code == 2
    assert "leave --lam out" in err
    path = nb.fit_path(pl.read_csv("t.csv").select("a", "b"), pl.read_csv("t.csv")["y"], family="binomial")
    path.save("path.json")
    out = run(capsys, "show", "path.json", "--path")[1]
    assert out.splitlines()[0].split()[:3] == ["lambda", "features", "enters"]
    path.at(lam=float(path.lambdas[50])).save("one.json")
    code, _, err = run(capsys, "show", "one.json", "--path")
    assert code == 2
    assert "holds one model, no path" in err


def test_the_page_is_opened(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda place: opened.append(place) or len(opened) < 4)
    fit(capsys, "--open")
    run(capsys, "report", "out/model.json", "--open", "-o", "p.html")
    run(capsys, "learn", "a", "--open")
    assert opened == [(folder / name).resolve().as_uri() for name in ("out/report.html", "p.html", "learn.html")]
    assert "No browser was found to open p.html" in run(capsys, "report", "out/model.json", "--open", "-o", "p.html")[2]
    for words in (["report", "out/model.json", "-o", "-"], ["learn", "--html", "-"], ["learn", "a", "--svg", "."]):
        code, _, err = run(capsys, *words, "--open")
        assert code == 2
        assert "--open needs" in err
