"""A closed pipe, a full disk or Ctrl-C in the middle lose nothing that was finished, and what is said of it is true."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import normball.mixes
from commands import Capture, fit, run
from normball.cv import cv_path
from normball.messages import Interrupted
from normball.mixes import compare
from normball.model_file import load

FILES = ["coefficients.csv", "model.json", "path.csv", "report.html"]
FIT = "fit t.csv --target y --drop t,w --cv 5 -o out"


@pytest.fixture
def model(folder: Path, capsys: Capture) -> Path:
    fit(capsys, "--n-lambdas", "20")
    return Path("out/model.json")


def program(words: str, stdout: str) -> tuple[int, str]:
    """Exit code and stderr of a command whose stdout is a closed pipe, a full disk, or closed from the beginning."""
    to = {"closed pipe": "3>&1 | true", "full disk": "3>&1 > /dev/full", "none": "3>&1 >&-"}[stdout]
    wait = "sleep 0.2; " if stdout == "closed pipe" else ""
    command = f"{{ {wait}{sys.executable} -m normball.cli {words}; echo $? > code; }} {to}"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    return int(Path("code").read_text()), done.stderr


@pytest.mark.parametrize(
    ("stdout", "with_files", "without_files"), [("closed pipe", 0, 141), ("full disk", 5, 5), ("none", 0, 0)]
)
def test_nobody_reads_what_is_printed(stdout: str, with_files: int, without_files: int, model: Path) -> None:
    """A pipe is the usual case and is tried with every command; the others go the same ways."""
    (Path("out") / "report.html").unlink()
    commands: list[tuple[str, list[str] | None]] = [
        (f"{FIT.replace('out', 'new')} --n-lambdas 20", [f"new/{name}" for name in FILES]),
        ("predict out/model.json t.csv", []),
        ("fit --help", None),
    ]
    if stdout == "closed pipe":
        commands += [
            (f"{FIT.replace('out', 'json')} --n-lambdas 20 --json", [f"json/{name}" for name in FILES]),
            ("predict out/model.json t.csv -o p.csv", ["p.csv"]),
            ("report out/model.json", ["out/report.html"]),
            ("learn a", ["learn.html"]),
            ("show out/model.json", []),
            ("check t.csv --target y", []),
            ("completion bash", []),
        ]
    for words, written in commands:
        code, err = program(words, stdout)
        assert "Traceback" not in err, words
        assert "Exception ignored" not in err, words
        if written is None:
            assert code == 0
            continue
        for name in written:
            assert Path(name).exists(), words
        prints = not words.startswith("predict") or not written
        assert code == ((with_files if written else without_files) if prints else 0), words
        if stdout == "full disk" and prints:
            assert "stdout: No space left on device" in err
            assert all(name in err.splitlines()[-1] for name in written)
            assert ("no file was written" in err) == (not written)
    assert load("new/model.json")[0].lambdas.size == 20


def test_stderr_that_nobody_reads(model: Path) -> None:
    done = subprocess.run(
        f"{{ sleep 0.2; {sys.executable} -m normball.cli {FIT} --n-lambdas 5; echo $? > code; }} 2>&1 | true",
        shell=True,
    )
    assert done.returncode == 0
    assert int(Path("code").read_text()) == 0
    assert load("out/model.json")[0].lambdas.size == 5


@pytest.mark.parametrize("which", [*FILES, "all"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_full_disk_keeps_what_was_written_and_prints_the_rest(
    which: str, as_json: bool, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out").mkdir()
    for name in FILES:
        (Path("out") / name).write_text("before")
    replace = os.replace

    def full(temporary: str, place: str) -> None:
        if which in (Path(place).name, "all"):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(temporary, place)

    monkeypatch.setattr("normball.files.os.replace", full)
    code, out, err = fit(capsys, "--n-lambdas", "20", *(["--json"] if as_json else []))
    assert code == 5
    assert sorted(os.listdir("out")) == FILES
    failed = {"all": "model.json"}.get(which, which)
    assert f"normball fit: -o out: out/{failed}: No space left on device" in err
    new = [name for name in FILES if (Path("out") / name).read_text() != "before"]
    assert ("; written: out/model.json" in err) == (failed != "model.json") == ("model.json" in new)
    assert failed not in new
    if as_json:
        content = json.loads(out)
        assert content["error"] == "file"
        assert content["choices"]["lambda_1se"]["lam"] > 0
        assert sorted(content["files"].values()) == [f"out/{name}" for name in new]
    else:
        assert "Solved " in out
        assert "Wrote " not in out


@pytest.mark.parametrize("name", FILES)
def test_control_c_while_writing(name: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def interrupted(temporary: str, place: str) -> None:
        if Path(place).name == name:
            raise KeyboardInterrupt
        replace(temporary, place)

    monkeypatch.setattr("normball.files.os.replace", interrupted)
    code, _, err = fit(capsys, "--n-lambdas", "20")
    assert code == 130
    last = err.splitlines()[-1]
    written = sorted(os.listdir("out"))
    assert name not in written
    assert all(f"out/{one}" in last for one in written)
    assert last == "Interrupted; no file was written." if not written else last.startswith("Interrupted; written: out/")


def test_control_c_in_the_second_of_several_mixes(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    fits: list[Any] = []
    stops: list[BaseException] = []

    def second_stops(problem: Any, *rest: Any) -> Any:
        if fits:
            raise stops[-1]
        fits.append(cross_validate(problem, *rest))
        return fits[0]

    cross_validate = normball.mixes.cross_validate
    for stop, n_kept in (
        (KeyboardInterrupt(), 1),
        (Interrupted("", None), 1),
        (Interrupted("", cv_path(X, X[:, 0], l1_ratio=0.5, n_lambdas=4)), 2),
    ):
        fits.clear()
        stops.append(stop)
        with monkeypatch.context() as patch:
            patch.setattr("normball.mixes.cross_validate", second_stops)
            with pytest.raises(Interrupted, match="after 1 of 2 penalties") as caught:
                compare(X, X[:, 0], [1.0, 0.5], cv=3, n_lambdas=30)
        assert [cv.path.l1_ratio for cv in caught.value.result] == [1.0, 0.5][:n_kept]
        assert caught.value.result[0].lambdas.size == 30

    def compared(*arguments: Any, progress: Any, **options: Any) -> None:
        raise Interrupted("Interrupted after 1 of 2 penalties", compare(*arguments[:2], [0.5], **options))

    monkeypatch.setattr("normball.mixes.compare", compared)
    code, _, err = fit(capsys, "--l1-ratio", "0.5,1")
    assert code == 130
    assert "Interrupted after 1 of 2 penalties. What was finished is in out." in err
    assert load("out/model.json").path.l1_ratio == 0.5


def test_control_c_before_the_grid_of_a_wanted_lambda(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise Interrupted("Interrupted after 1 of 1 lambdas", cv_path(np.eye(6), np.arange(6.0), cv=2).path)

    monkeypatch.setattr("normball.path.fit_path", stopped)
    code, _, err = fit(capsys, "--select", "0.03")
    assert (code, err) == (130, "Interrupted; no file was written.\n")
    assert not os.path.exists("out")


def test_places_that_cannot_be_written_are_known_before_the_fit(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("normball.cv.cv_path", lambda *_, **__: pytest.fail("fitted"))
    (Path("out") / "report.html").mkdir(parents=True)
    code, out, err = fit(capsys)
    assert (code, out, err) == (5, "", "normball fit: -o out: out/report.html: Is a directory\n")
    code, _, err = run(capsys, "fit", "t.csv", "--target", "y", "-o", "-")
    assert code == 2
    assert "-o names their folder, and - is none" in err


@pytest.mark.parametrize("stdout", ["-", "/dev/stdout"])
def test_a_dash_is_stdout(stdout: str, model: Path, capsys: Capture) -> None:
    predictions = run(capsys, "predict", "out/model.json", "t.csv")
    assert run(capsys, "predict", "out/model.json", "t.csv", "-o", stdout) == predictions
    run(capsys, "report", "out/model.json", "-o", "page.html")
    code, out, _ = run(capsys, "report", "out/model.json", "-o", stdout)
    assert (code, out.strip()) == (0, Path("page.html").read_text().strip())
    code, out, _ = run(capsys, "learn", "a", "--html", stdout)
    assert code == 0
    assert out.startswith("<!doctype html>")
    code, _, err = run(capsys, "report", "out/model.json", "-o", stdout, "--json")
    assert code == 2
    assert "both want stdout" in err
    assert not Path("-").exists()
