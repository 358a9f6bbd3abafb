"""The command line as a program: what it shows on a terminal, imports, and does when it is interrupted."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import Capture, fit, run
from normball.cli.console import Console
from normball.messages import Interrupted
from normball.mixes import compare
from normball.model_file import load
from normball.results.summaries import cut
from normball.results.text import display_width, shortened


def test_names_are_cut_to_the_terminal(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    long = "a very \x1b[31mlong name " * 9
    pl.read_csv("t.csv").rename({"a": long, "colour": "色" * 60}).write_csv("t.csv")
    code, out, _ = fit(capsys)
    assert code == 0
    assert "\x1b" not in out
    table = out[out.index("Selec") : out.index("Solved")]
    assert max(display_width(line) for line in table.splitlines()) <= 70
    assert "…" in table
    assert 'No room here for "90 % of samples"; a terminal of ' in " ".join(table.split())
    assert "90 % of samples" not in table.splitlines()[0]
    assert "Samples  " not in out  # what explains a column that had no room
    assert shortened("abc", 3) == "abc"
    assert shortened("abcdefgh", 5) == "ab…gh"
    assert cut("  sex:passengerClass (2 of 3 features)", 34) == "  sex:pas…rClass (2 of 3 features)"
    assert cut("  sex:passengerClass (2 of 3 features)", 20) == "  sex:passe…eatures)"


@pytest.mark.parametrize(
    "program",
    [
        [sys.executable, "-m", "normball"],
        [sys.executable, "-m", "normball.cli"],
        [str(Path(sys.executable).with_name("normball"))],
    ],
    ids=["module", "cli", "program"],
)
def test_without_a_command_the_help_is_shown(program: list[str]) -> None:
    if not Path(program[0]).exists():
        pytest.skip("installed without its command")
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: normball")
    for command in ("fit", "check", "predict", "score", "show", "report", "learn"):
        assert f"    {command} " in done.stdout


def test_an_option_is_no_command(capsys: Capture) -> None:
    code, out, err = run(capsys, "--json")
    assert code == 2
    assert json.loads(out)["error"] == "usage"
    assert "command" in err


def test_help_imports_nothing_heavy() -> None:
    heavy = ("numpy", "polars", "sklearn", "pandas", "matplotlib", "jinja2", "rich", "scipy")
    code = f"""
import sys
from normball.cli import main
codes = [main(words.split()) for words in ("--help", "fit --help", "predict --help", "--version")]
assert codes == [0, 0, 0, 0], codes
assert not set({heavy!r}) & set(sys.modules), set({heavy!r}) & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


def test_predict_imports_neither_sklearn_nor_pandas(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    code = """
import sys
from normball.cli import main
assert main(["predict", "out/model.json", "t.csv"]) == 0
assert not {"sklearn", "pandas", "matplotlib", "scipy.stats"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


def test_as_a_module_and_into_a_closed_pipe(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    command = f"{sys.executable} -m normball show out/model.json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Read")
    assert done.stderr == ""


class Terminal:
    """A stream that is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_the_bar_moves_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    still = Console().bar("Path", "lambdas")
    assert still(1, 2) is False
    still.close()
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Console().phase("Check") as at:
        at("columns")
    assert "Check" in terminal.text
    bar = Console(colour=False).bar("Path", "lambdas", 2)
    for done in (1, 50, 100, 1):
        assert bar(done, 100) is False
    bar.close()
    last = [line for line in terminal.text.splitlines() if "lambdas" in line][-1]
    assert re.fullmatch(r"(\x1b\[2K)?Path .* 1/100 lambdas  fit 2/2 0:00:0\d", last)
    written = terminal.text
    with Console(quiet=True).phase("Check") as at:
        at("columns")
        Console(quiet=True).bar("Path", "lambdas")(1, 2)
    Console(quiet=True).took()
    assert terminal.text == written


def test_colours_only_where_they_are_wanted(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    fit(capsys)
    assert "\x1b[1mSelected at" in terminal.text
    assert "Check" in terminal.text
    terminal.text = ""
    fit(capsys, "--no-color", "--quiet")
    assert "\x1b" not in terminal.text
    monkeypatch.setenv("NO_COLOR", "1")
    fit(capsys, "--quiet")
    assert "\x1b" not in terminal.text


def test_codes_and_remedies_have_colours(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    pl.read_csv("t.csv").with_columns(twin=pl.col("a"), gap=pl.Series([None] * 60 + [1] * 60)).write_csv("g.csv")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    for command in ("fit", "check"):
        terminal.text = ""
        assert run(capsys, command, "g.csv", "--target", "y")[0] == 3
        assert "\x1b[1;31mE" in terminal.text
        assert re.search(r"\x1b\[36m    Fix: --[^\x1b]*\x1b\[0m", terminal.text)
    assert "\x1b[1;33mW12\x1b[0m" in terminal.text
    terminal.text = ""
    assert run(capsys, "fitt")[0] == 2
    assert terminal.text.startswith("\x1b[1;31mnormball:\x1b[0m there is no command")
    assert "\x1b[36mfit\x1b[0m" in terminal.text
    for words in (["fitt", "--no-color"], ["--no-color", "check", "g.csv", "--target", "y"]):
        terminal.text = ""
        run(capsys, *words)
        assert "\x1b" not in terminal.text.replace("\x1b[?25", "").replace("\x1b[2K", "").replace("\x1b[1A", "")


def test_a_number_stays_with_its_sign(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", terminal)
    Console().sentence("Answer   of the rows that are left 78.0 % are right")
    assert terminal.text == "Answer   of the rows that are left\n         78.0 % are right\n"


def test_phases_and_their_seconds(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    begun = time.perf_counter()
    assert fit(capsys)[0] == 0
    whole = time.perf_counter() - begun
    form = r"Took     ([\d.]+) s \(read ([\d.]+), check ([\d.]+), path ([\d.]+), samples ([\d.]+), write ([\d.]+)\)"
    told = re.search(form, terminal.text)
    assert told is not None
    total, *each = map(float, told.groups())
    assert sum(each) - 0.2 <= total <= whole + 0.1
    assert "report.html" in terminal.text
    seconds = json.loads(fit(capsys, "--json")[1])["seconds"]
    assert list(seconds) == ["read", "check", "path", "samples", "write"]
    assert all(value > 0 for value in seconds.values())


@pytest.mark.parametrize("command", ["fit", "check", "report", "learn"])
def test_quiet_tells_by_its_exit_code_alone(command: str, folder: Path, capsys: Capture) -> None:
    fit(capsys)
    words = {
        "fit": ["t.csv", "--target", "y", "--drop", "t,w", "--cv", "5", "-o", "out"],
        "check": ["t.csv", "--target", "y"],
        "report": ["out/model.json"],
        "learn": ["a"],
    }[command]
    assert run(capsys, command, *words, "--quiet") == (0, "", "")
    code, out, err = run(capsys, "check", "t.csv", "--target", "missing", "--quiet")
    assert (code, out) == (3, "")
    assert "E02" in err


def test_quiet_keeps_what_was_asked_for_on_stdout(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    for words in (["show", "out/model.json"], ["predict", "out/model.json", "t.csv"], ["completion", "bash"]):
        assert run(capsys, *words, "--quiet") == run(capsys, *words)
    assert run(capsys, "report", "out/model.json", "-o", "-", "--quiet")[1].startswith("<!doctype html>")


def test_interrupted_while_the_page_is_written(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("normball.report.write_report", stopped)
    for older in ("", " (what is there is older)"):
        code, _, err = fit(capsys)
        assert code == 130
        files = "out/model.json, out/coefficients.csv, out/path.csv"
        assert err == f"Interrupted; written: {files}; not written: out/report.html{older}.\n"
        assert Path("out/report.html").exists() == bool(older)
        Path("out/report.html").touch()


def test_interrupted_keeps_what_was_finished(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(capsys)
    lambdas = load("out/model.json").lambdas

    def stopped(*arguments: Any, progress: Any, **options: Any) -> None:
        result = compare(*arguments, lambdas=lambdas[:40], **options)
        raise Interrupted("Interrupted after 40 of 100 lambdas", result)

    monkeypatch.setattr("normball.mixes.compare", stopped)
    code, _out, err = fit(capsys)
    assert code == 130
    assert "W32 Interrupted after 40 of 100 lambdas" in err
    assert "Interrupted after 40 of 100 lambdas. What was finished is in out." in err
    cv = load("out/model.json")
    assert cv.lambdas.size == 40
    assert "W32" in [finding.code for finding in cv.path.findings]


def test_stopped_at_once_leaves_nothing(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*arguments: Any, **options: Any) -> None:
        raise Interrupted("Interrupted before the first lambda was finished")

    monkeypatch.setattr("normball.mixes.compare", stopped)
    code, _, err = fit(capsys)
    assert code == 130
    assert "Interrupted; no file was written." in err
    assert not os.path.exists("out")


def test_control_c(folder: Path, control_c: None) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 800))
    y = (X[:, :400].sum(axis=1) + rng.normal(size=3000) > 0).astype(int)
    pl.DataFrame(X, schema=[f"x{j}" for j in range(800)]).insert_column(0, pl.Series("y", y)).write_parquet(
        "big.parquet"
    )
    words = [sys.executable, "-m", "normball", "fit", "big.parquet", "--target", "y", "--repeats", "10"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Interrupted" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(shell: str, capsys: Capture) -> None:
    code, out, err = run(capsys, "completion", shell)
    assert (code, err) == (0, "")
    for word in ("predict", "report", "keep-unpenalised", "impute"):
        assert word in out


def test_bash_completes(capsys: Capture, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    (tmp_path / "words").write_text(run(capsys, "completion", "bash")[1])
    script = """
source words
COMP_WORDS=(normball fit --pen) COMP_CWORD=2 COMP_LINE="normball fit --pen"
_shtab_normball
echo "${COMPREPLY[@]}"
COMP_WORDS=(normball fit --penalty "") COMP_CWORD=3
_shtab_normball
echo "${COMPREPLY[@]}"
"""
    done = subprocess.run([bash, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["--penalty", "l1 l2 elasticnet"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_option(shell: str, capsys: Capture) -> None:
    script = run(capsys, "completion", shell)[1]
    for command in ("fit", "predict", "show", "report", "learn"):
        told = run(capsys, command, "--help")[1]
        options = re.findall(r"^  (?:-\w(?: \w+)?, )?--([a-z][\w-]+)", told, re.MULTILINE)
        assert len(options) > 4
        assert [option for option in options if option not in script] == []


def test_completion_as_json(capsys: Capture) -> None:
    code, out, _ = run(capsys, "completion", "bash", "--json")
    assert code == 0
    assert json.loads(out)["shell"] == "bash"


@pytest.mark.parametrize("width", [44, 60, 80, 100, 200])
def test_a_terminal_of_any_width(width: int, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(capsys, "--l1-ratio", "0,0.5,1")
    in_a_pipe = run(capsys, "show", "out/model.json")[1]
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stdout", terminal)
    command = "fit t.csv --target y --drop t,w --cv 5 -o out"
    for words in (f"{command} --l1-ratio 0,0.5,1", "show out/model.json", "check t.csv --target y"):
        terminal.text = ""
        assert run(capsys, *words.split(), "--no-color")[0] in (0, 3)
        assert max(display_width(line) for line in terminal.text.splitlines()) <= width
        if words.startswith("show"):
            assert "lambda_best" in terminal.text
            assert terminal.text.count("  without features ") == 1
            lacking = 'No room here for "90 % of samples"'  # the first column that goes
            assert (lacking in terminal.text) == (60 < width < 100)
            assert ("No room here for" in terminal.text) == (width < 100)
            assert (terminal.text.split() == in_a_pipe.split()) == (width >= 100)
            assert "ridge" in terminal.text
            assert "For a short list" in terminal.text


def test_every_command_has_json(folder: Path, capsys: Capture) -> None:
    for words in (
        "fit t.csv --target y --drop t,w --cv 5 -o out",
        "show out/model.json",
        "check t.csv --target y",
        "predict out/model.json t.csv",
        "score out/model.json t.csv",
        "report out/model.json",
        "completion bash",
        "fit missing.csv --target y",
        "predict missing.json t.csv",
    ):
        out = run(capsys, *words.split(), "--json")[1]
        assert isinstance(json.loads(out), (dict, list)), words


def test_nothing_is_said_of_l1_to_somebody_who_asks_for_l2(folder: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 40))
    X[:, 1] = X[:, 0] + 1e-4 * rng.normal(size=30)
    X[:, 3] = X[:, 2]
    table = pl.DataFrame(X, schema=[f"x{j}" for j in range(40)]).with_columns(y=pl.Series(X[:, 0] > 0).cast(int))
    table.write_csv("wide.csv")
    words = ["fit", "wide.csv", "--target", "y", "--cv", "3", "-o", "out"]
    assert "W22 p = " in run(capsys, *words, "--penalty", "l1")[2]
    for ridge in (["--penalty", "l2"], ["--l1-ratio", "0"]):
        code, out, err = run(capsys, *words, *ridge)
        assert code == 0
        assert "W23" in err
        assert "W22" not in err
        assert "L1" not in err + out
        assert "l1-ratio" not in err
