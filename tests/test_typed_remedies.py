"""Whatever an error message of the command line names as a way out can be typed, and then the command runs.

Each fault is a command; beside it stand the commands that its message leads to, one for each option or name that it
holds out. An option that a message names and nobody types is a failure, as is a word of Python.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.cli.arguments import parser

N = 60
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z0-9-]*")
OF_PYTHON = re.compile(
    r"\b(?:cv_path|fit_path|fit_paths|sample_weight|fold_groups|row_groups|fold_ids|penalty_factors|random_state"
    r"|n_threads|n_bootstrap|numpy|pandas|DataFrame|None|True|False|dict|X)\b|(?<![-\w\"])[a-z]\w*=(?=[\[\"\w])"
)


@dataclass(frozen=True)
class Fault:
    """A faulty command, part of what it says, and the commands that it names."""

    words: str
    says: str
    remedies: tuple[str, ...] = ()


def write_tables() -> None:
    """Tables in this folder, with models of them."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, N)).round(3)
    num = (a - b + rng.normal(size=N)).round(3)
    table = pl.DataFrame(
        {
            "id": [f"p{i:03d}" for i in range(N)],
            "num": num,
            "label": np.where(num > 0, "yes", "no"),
            "rare": np.where(np.arange(N) % 5 == 0, "odd", "usual"),
            "kind": np.array(["red", "green", "blue"])[np.arange(N) % 3],
            "a": a,
            "b": b,
            "w": rng.uniform(1, 2, N).round(3),
            "group": np.arange(N) % 6,
            "time": np.arange(N) % 4,
            "one": np.ones(N, int),
            "zero": np.zeros(N, int),
        }
    )
    table.write_csv("t.csv")
    holes = pl.Series([None if i % 20 == 3 else value for i, value in enumerate(table["w"])])
    table.with_columns(w=holes, group=pl.when(pl.col("group") != 5).then("group")).write_csv("gaps.csv")
    table.with_columns(a=pl.when(pl.col("a") < 1).then("a")).write_csv("holes.csv")
    table.with_columns(a=pl.Series(["1,5", "2,25", *table["a"].cast(str)[2:]])).write_csv("commas.csv")
    table.with_columns(kind=pl.lit("pink")).write_csv("pink.csv")
    table.select("num", "a", "b", "w").write_csv("l.csv")
    table.write_csv("semi.csv", separator=";")
    Path("wide.csv").write_bytes(table.write_csv().encode("utf-16-be"))
    twice = table.select("num", "a", b_="b").write_csv().replace("b_", "a")
    Path("twice.csv").write_text(twice)
    table.select("num", "a", "b").write_csv("bare.csv", include_header=False)
    Path("groups.json").write_text(json.dumps({"both": ["a", "b"]}))
    Path("no.json").write_text("{")
    nb.cv_path(table.select("a", "b"), table["num"].to_numpy(), cv=3, n_lambdas=5).save("python.json")


FIT = "fit t.csv --target num --drop id,label,rare --no-compare --cv 3 --n-lambdas 5 --bootstrap 0 -o made"
ALL = FIT.replace("--no-compare ", "")
LABEL = FIT.replace("num --drop id,label", "label --drop id,num")
GAPS = FIT.replace("t.csv", "gaps.csv")

FAULTS = (
    # folds
    Fault(FIT.replace("--cv 3", "--cv 200"), "60 rows cannot make 200 folds", (FIT.replace("--cv 3", "--cv 60"),)),
    Fault(
        FIT.replace("num --drop id,label,rare --no-compare --cv 3", "rare --drop id,label,num --no-compare --cv 200"),
        'Class "odd" has 12 rows',
        (FIT.replace("num --drop id,label,rare --no-compare --cv 3", "rare --drop id,label,num --no-compare --cv 12"),),
    ),
    Fault(f"{FIT} --group group --cv 9", "6 groups cannot make 9", (f"{FIT} --group group --cv 6",)),
    Fault(f"{FIT} --time-order time --cv 9", "4 distinct times", (f"{FIT} --time-order time --cv 3",)),
    Fault(f"{FIT} --group group --time-order time", "give one", (f"{FIT} --group group", f"{FIT} --time-order time")),
    # targets
    Fault(
        FIT.replace("--target num", "--target label,num"),
        "give --target label or --target num",
        (LABEL, FIT),
    ),
    Fault(
        FIT.replace("--target num", "--target num,a"),
        "--family multigaussian",
        (FIT, FIT.replace("--target num", "--target a"), FIT.replace("num", "num,a", 1) + " --family multigaussian"),
    ),
    Fault(FIT.replace("--target num", "--target nim"), 'Did you mean "num"?', (FIT,)),
    Fault(FIT.replace("--target num ", ""), "--target is missing", (FIT,)),
    Fault(FIT.replace("--target num", "--targt num"), "A similar option exists: --target", (FIT,)),
    Fault(FIT.replace("fit", "fitt", 1), "A similar command exists: fit", (FIT,)),
    Fault(FIT.replace("num", "one", 1), "E03"),
    Fault(f"{FIT} --family poisson", "E13", (f"{FIT} --family gaussian",)),
    Fault(f"{FIT} --family binomial", "E13", (f"{FIT} --family gaussian",)),
    Fault(f"{LABEL} --positive maybe", "one of these for --positive", (f"{LABEL} --positive yes",)),
    Fault(f"{FIT} --weights num", "which is the target", (f"{FIT} --weights w", FIT)),
    Fault(f"{FIT} --offset num", "which is the target", (f"{FIT} --offset w",)),
    Fault(f"{FIT} --exposure num", "which is the target", (f"{FIT} --exposure w",)),
    # tables
    Fault(f"{GAPS} --weights w", "w (weight) 3", (f"{GAPS} --weights w --missing drop",)),
    Fault(f"{GAPS} --offset w", "w (offset) 3", (f"{GAPS} --offset w --missing drop",)),
    Fault(f"{GAPS} --exposure w", "w (offset) 3", (f"{GAPS} --exposure w --missing drop",)),
    Fault(
        f"{GAPS} --group group --weights w",
        "w (weight) 3 (5.0 %), group (group) 10",
        (f"{GAPS} --group group --weights w --missing drop",),
    ),
    Fault(
        FIT.replace("t.csv", "holes.csv"),
        "E04",
        (FIT.replace("t.csv", "holes.csv --missing drop"), FIT.replace("t.csv", "holes.csv --missing impute")),
    ),
    Fault(
        FIT.replace("t.csv", "commas.csv"),
        "E01",
        (
            FIT.replace("t.csv", "commas.csv --decimal ,"),
            FIT.replace("t.csv", "commas.csv --categorical a"),
            FIT.replace("t.csv", "commas.csv --drop a"),
        ),
    ),
    Fault(
        "fit twice.csv --target num --cv 3 -o made",
        "E06",
        ("fit twice.csv --target num --cv 3 -o made --dedupe suffix",),
    ),
    Fault(
        "fit bare.csv --target num --cv 3 -o made",
        "is the header row missing?",
        ("fit bare.csv --target column_1 --cv 3 -o made --header none",),
    ),
    Fault(
        FIT.replace("t.csv", "semi.csv --delimiter ,"),
        "E11",
        (FIT.replace("t.csv", "semi.csv --delimiter ';'"),),
    ),
    Fault(f"{FIT} --thousands ,  --decimal ,", "both", (f"{FIT} --decimal ,", f"{FIT} --thousands ,")),
    Fault(f"{FIT} --exposure a", "must be positive numbers"),
    Fault(f"{FIT} --drop nothing", "E02"),
    Fault(f"{FIT} --weights zero", "All --weights values are zero", (FIT,)),
    Fault(f"{FIT} --interact a", "any other column beside it", (f"{FIT} --interact a:b",)),
    Fault(f"{FIT} --interact nowhere", "leave it out (of --interact)", (FIT,)),
    Fault("fit wide.csv --target num", "E11", (FIT.replace("t.csv", "wide.csv --encoding utf-16-be"),)),
    Fault(f"{FIT} --weights weight", "E02"),
    # options of a fit
    Fault(f"{ALL} --penalty l1 --l1-ratio 0.5", "elasticnet", (f"{ALL} --penalty elasticnet --l1-ratio 0.5",)),
    Fault(f"{FIT} --l1-ratio 0.5,1", "single --l1-ratio", (f"{FIT} --l1-ratio 0.5", f"{ALL} --l1-ratio 0.5,1")),
    Fault(f"{ALL} --select 0.1 --l1-ratio 0.5,1", "single --l1-ratio", (f"{ALL} --select 0.1 --l1-ratio 0.5",)),
    Fault(
        f"{FIT} --group-ratio 0.5",
        "--groups FILE or --group-columns",
        (f"{FIT} --group-ratio 0.5 --groups groups.json", f"{FIT} --group-ratio 0.5 --group-columns"),
    ),
    Fault(
        f"{FIT} --groups groups.json --group-columns",
        "give one",
        (f"{FIT} --groups groups.json", f"{FIT} --group-columns"),
    ),
    Fault(f"{FIT} --offset w --exposure w", "give one", (f"{FIT} --offset w", f"{FIT} --exposure w")),
    Fault(f"{FIT} --grouped", "leave it out", (FIT,)),
    Fault(f"{FIT} --keep-unpenalised bb", 'Did you mean "b"?', (f"{FIT} --keep-unpenalised b",)),
    Fault(f"{FIT} --keep-unpenalised id", "name it in one place"),
    Fault(f"{FIT} --split kind", "E15"),
    Fault(f"{FIT} --score nonsense", "is no score"),
    Fault(f"{FIT} --score auc", "--score auc"),
    Fault(
        FIT.replace("num --drop id,label", "kind --drop id,label") + " --bootstrap 9",
        "leave it out",
        (FIT.replace("num --drop id,label", "kind --drop id,label"),),
    ),
    Fault(f"{FIT} --holdout 0.001", "another share", (f"{FIT} --holdout 0.2",)),
    Fault("fit --example wine --na x", "an example needs none", ("fit --example wine --cv 3 --no-compare -o made",)),
    Fault("fit --example wine --target hue", "leave --target out", ("fit --example wine --cv 3 --no-compare -o made",)),
    Fault("fit", "--example", ("fit --example wine --cv 3 --no-compare -o made",)),
    # places
    Fault(FIT.replace("-o made", "-o made.html"), "name a folder: made", (FIT,)),
    Fault(FIT.replace("-o made", "-o -"), "-o names their folder", (FIT,)),
    Fault(f"{FIT} --out-of-fold folds", "name it folds.csv", (f"{FIT} --out-of-fold folds.csv",)),
    Fault(f"{FIT} --out-of-fold -", "--out-of-fold names a file", (f"{FIT} --out-of-fold folds.csv",)),
    Fault("predict m/model.json t.csv -o p.xlsx", "name it p.csv", ("predict m/model.json t.csv -o p.csv",)),
    Fault("predict m/model.json t.csv -o m", "m/NAME.csv", ("predict m/model.json t.csv -o m/p.csv",)),
    Fault("predict m/model.json t.csv -o t.csv", "another name", ("predict m/model.json t.csv -o p.csv",)),
    Fault("report m/model.json -o m", "m/NAME.html", ("report m/model.json -o m/page.html",)),
    Fault("report m/model.json -o page", "name it page.html", ("report m/model.json -o page.html",)),
    Fault("report m/model.json -o - --open", "-o names one"),
    Fault("report m/model.json -o - --json", "name a file", ("report m/model.json -o page.html --json",)),
    # models
    Fault("show m/model.json --lam 99", "give --lam a number from", (f"{FIT} --select 99",)),
    Fault("show m/model.json --lam 1e-9", "or fit with --select 1e-09", (f"{FIT} --select 1e-09",)),
    Fault("show four/model.json --lam 9", "or fit with --select 9", (f"{ALL} --select 9",)),
    Fault("show m/model.json --penalty l2", "leave --penalty l2 out", ("show m/model.json",)),
    Fault("show m/model.json --l1-ratio 0.3", "leave --l1-ratio 0.3 out", ("show m/model.json",)),
    Fault("report four/model.json --l1-ratio 0.7", "one of 1, ", ("report four/model.json --l1-ratio 1",)),
    Fault("show m/model.json --penalty l1 --l1-ratio 0.5", "give one", ("show m/model.json --penalty l1",)),
    Fault("show m/model.json --path --lam best", "leave --lam out", ("show m/model.json --path",)),
    Fault("show no.json", "E10"),
    Fault("predict m/model.json pink.csv", "E09", ("predict m/model.json pink.csv --unknown baseline",)),
    Fault("predict m/model.json holes.csv", "E04", (FIT.replace("t.csv", "holes.csv --missing impute"),)),
    Fault("predict m/model.json twice.csv", "E06", ("predict m/model.json t.csv --dedupe suffix",)),
    Fault("predict m/model.json t.csv --keep idd", 'Did you mean "id"?', ("predict m/model.json t.csv --keep id",)),
    Fault("score python.json t.csv", "give --target COL", ("score python.json t.csv --target num",)),
    Fault("score m/model.json t.csv --target num,a", "give one", ("score m/model.json t.csv --target num",)),
    Fault("score m/model.json gaps.csv --weights w", "E15"),
    Fault("report python.json --data t.csv", "E02"),
    # lessons
    Fault("learn page.html", "-o page.html", ("learn -o page.html",)),
    Fault("learn -o page", "name it page.html", ("learn -o page.html",)),
    Fault("learn j", "a to i", ("learn a", "learn i")),
    Fault("learn --quiz --svg s", "add -o FILE", ("learn a --quiz --svg s -o page.html",)),
    Fault("learn --target num --x a,b", "give it with --data FILE", ("learn a --target num --x a,b --data l.csv",)),
    Fault("learn --data l.csv", "--target is missing", ("learn a --data l.csv --target num",)),
    Fault("learn --data l.csv --target num --x a", "--x age,income", ("learn a --data l.csv --target num --x a,b",)),
    Fault("learn --units kg", "give it with --data FILE", ("learn a --data l.csv --target num --units kg",)),
    Fault("learn --drop a", "give it with --data FILE", ("learn a --data l.csv --target num --drop w",)),
    Fault("learn a --svg s --open", "-o FILE", ("learn a --svg s --open -o page.html",)),
    Fault(
        "learn --data l.csv --example wine", "either", ("learn a --data l.csv --target num", "learn a --example wine")
    ),
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables and models."""
    folder = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_tables()
        from normball.cli import main

        assert main([*shlex.split(FIT.replace("-o made", "-o m")), "--quiet"]) == 0
        assert main([*shlex.split(ALL.replace("-o made", "-o four")), "--quiet"]) == 0
    return folder


def options_of(command: str) -> set[str]:
    """The options of one command, or of all."""
    top = parser()
    commands = next(one.choices for one in top._actions if isinstance(one, argparse._SubParsersAction))
    assert commands is not None
    each = [commands[command]] if command in commands else [top, *commands.values()]
    return {option for one in each for option in one._option_string_actions}


def named(message: str) -> set[str]:
    """The options that a message names, what is the user's aside."""
    message = re.sub(r'"(?:[^"\\]|\\.)*"', '""', message.split("\nAll options: ")[0])
    message = re.sub(r"argument [-\w/. |]*:|there is no option \S+", "", message)
    return {option for option in OPTION.findall(message) if option not in ("-o", "-")} | ({"-o"} & {*message.split()})


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.words.replace(FIT, "FIT")[:70])
def test_what_is_named_runs(
    fault: Fault, tables: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tables)
    monkeypatch.setattr("webbrowser.open", lambda *_: True)
    words = shlex.split(fault.words)
    code, _, message = run(capsys, *words)
    assert code in (2, 3, 5), message
    assert fault.says in message
    assert not OF_PYTHON.search(re.sub(r'"(?:[^"\\]|\\.)*"', '""', message)), message
    others = re.findall(r"(?:normball|or) (fit|predict|show|score|report)(?= [^:])", message)
    known = {option for command in {words[0], *others} for option in options_of(command)}
    assert named(message) <= known, f"{named(message) - known} is no option of {words[0]}: {message}"
    typed = {option for remedy in fault.remedies for option in OPTION.findall(remedy)} | {*OPTION.findall(fault.words)}
    assert named(message) <= typed, f"nobody typed {named(message) - typed}: {message}"
    for remedy in fault.remedies:
        code, _, err = run(capsys, *shlex.split(remedy))
        assert code in (0, 4), f"{remedy}: {err}"


def test_the_ends_of_the_path_can_be_typed(tables: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tables)
    message = run(capsys, "show", "m/model.json", "--lam", "99")[2]
    ends = re.findall(r"from (\S+) to (\S+),", message)[0]
    assert all(len(re.sub(r"e.*|^[0.]+|\.", "", end)) <= 4 for end in ends)  # no more digits than can be read
    for lam in ends:
        assert run(capsys, "show", "m/model.json", "--lam", lam)[0] == 0


@pytest.mark.parametrize("fault", FAULTS[::4], ids=lambda fault: fault.words.replace(FIT, "FIT")[:70])
def test_errors_are_data_too(fault: Fault, tables: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tables)
    words = shlex.split(fault.words)
    code, _, message = run(capsys, *words)
    same_code, out, err = run(capsys, *words, "--json")
    told = json.loads(out)
    assert (same_code, err) == (code, message)
    assert told["error"] == {2: "usage", 3: "data", 5: "file" if "E1" not in message else "data"}[code]
    first = told["message"].splitlines()[0].split(" --")[0]
    assert first in message
    assert bool(told.get("findings")) == (told["error"] == "data")


def test_a_folder_is_made_when_there_is_something_to_write(
    tables: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tables)
    for more in (["--cv", "200"], ["--score", "auc"], ["--groups", "no.json"], ["--weights", "weight"]):
        code, _, _ = run(capsys, *shlex.split(FIT.replace("-o made", "-o never/made")), *more)
        assert code in (2, 3, 5)
        assert not Path("never").exists()
