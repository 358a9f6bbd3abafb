"""The README shows what the program does now."""

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import normball as nb
from commands import Capture, run

README = Path(__file__).parents[1] / "README.md"
GAP = re.compile(r"gap is (\d\.\de-\d\d) of")  # rounding alone, another on every processor


def block(language: str, start: str) -> str:
    """The fenced block in this language that starts so."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return next(text for text in blocks if text.startswith(start))


def test_the_python_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(block("python", "import normball"), str(README), "exec"), {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "report.html"]
    assert capsys.readouterr().out.endswith("{np.str_('converged')}\n")


def test_the_block_of_classes_runs() -> None:
    given: dict[str, Any] = {"nb": nb}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(block("python", "from sklearn.datasets import load_wine"), str(README), "exec"), given)
    fit, X, y = given["fit"], given["X"], given["y"]
    assert fit.to_frame().columns == ["feature", "output", "per_sd", "per_unit"]
    assert fit.predict(X, kind="response").shape == (178, 3)
    assert (fit.predict(X, kind="class") == y).mean() > 0.95
    kept = fit.coef != 0
    assert (kept.all(axis=0) == kept.any(axis=0)).all()
    assert not kept.all()


def test_the_terminal_block_is_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = run(capsys, "fit", "--example", "diabetes")
    assert code == 0
    printed = "".join(line for line in out.splitlines(keepends=True) if not line.startswith(("Wrote", "Next")))
    shown = block("", "Read     example diabetes")
    assert GAP.sub("", printed) == GAP.sub("", shown)
    assert all(float(gap) < 1e-12 for gap in GAP.findall(printed + shown))
