"""The English that commands print, read from the source: errors, findings, remedies, help."""

import ast
import re
from collections.abc import Iterator

from messages_in_source import PACKAGE

MODULES = (
    *(
        "cli/*.py",
        "findings/*.py",
        "inputs/**/*.py",
        "blocks/*.py",
        "messages.py",
        "learn/table.py",
        "results/remarks.py",
    ),
    *("bootstrap.py", "cv.py", "cv_blocks.py", "families*.py", "family.py", "folds.py", "mixes.py", "model_file.py"),
    *("out_of_fold.py", "partial_likelihood.py", "scorers.py", "scoring.py", "results/predictions.py", "unfinished.py"),
    *("results/in_parts.py", "results/judged_in_parts.py", "results/kinds.py", "results/remarks.py", "block_*.py"),
    "survival/horizon.py",
)
OF_PYTHON_ALONE = (  # several problems at once; other blocks than those of files; streams
    *("inputs/batch.py", "blocks/arrays.py", "blocks/tables.py", "blocks/opening.py", "blocks/executor.py"),
    *("blocks/dask_executor.py", "blocks/dask_tables.py", "inputs/streams.py"),
)
FOR_PROGRAMS = ("cli/out_of_fold_file.py", "cli/describe.py")  # columns of files; what model files hold in English
PHRASE = re.compile(r"[A-Za-z]{2,}[,;:.]? [A-Za-z(]|\} [a-z]{2,}|[a-z]{2,} \{|[a-z]{3}[:;,.?] ?\{")
NO_SENTENCE = re.compile(
    r"<|normball[ .]|\(\?|\[\^|\\|system-ui|paths\[|--[\w-]+ \{0\}$|pip install|   \||\b\(missing\)"
)
NOT_SAID = {  # names of columns in files, what is looked for in other texts, what model files hold, a log, an example
    *("probability of {0}", "coef of {0}", "{0} for {1}", "{0} at {1}", "The option {0} ", "The table", "the table"),
    *("{0} {1}folds at random{2}", "mu (1 - mu)", "pass %d over %d blocks, in %.3g s"),
    *("--target TIME --event COL", "--target ({0})", "train ranks"),
    *("{0} days", "{0} month", "{0} weekday", "{0} year", '{0} of "{1}"', "{0}:other column"),
    *("spline {0}", "{0} spline {1}", "{0}: spline {1}"),
}


def phrases() -> set[str]:
    """What reads as English in the modules of the commands, as keys of a table."""
    files = {path for pattern in MODULES for path in PACKAGE.glob(pattern)}
    files -= {PACKAGE / name for name in (*OF_PYTHON_ALONE, *FOR_PROGRAMS)}
    found = {text for path in files for text in texts(path.read_text("utf-8")) if PHRASE.search(text)}
    return {text for text in found if not NO_SENTENCE.match(text)} - NOT_SAID


def every_text() -> set[str]:
    """All texts of the package that are no documentation."""
    return {text for path in PACKAGE.rglob("*.py") for text in texts(path.read_text("utf-8"))}


def texts(code: str) -> Iterator[str]:
    """Texts outside of documentation, annotations and `tr`; of f"{kept} of {all}" the key "{0} of {1}"."""
    tree = ast.parse(code)
    skipped = {part for node in ast.walk(tree) for part in _no_message(node)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from keys(node)


def keys(node: ast.JoinedStr) -> list[str]:
    """An f-string with numbered places; remedies that {OR} joins are told one by one."""
    found, n_places = [""], 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            found[-1] += str(part.value)
        elif isinstance(part, ast.FormattedValue) and ast.unparse(part.value) == "OR":
            found.append("")
            n_places = 0
        else:
            found[-1] += f"{{{n_places}}}"
            n_places += 1
    return found


def _no_message(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node whose texts are not said, or are found otherwise."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("tr", "message") and node.args:
        yield from ast.walk(node.args[0])
    elif isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.FormattedValue) and node.format_spec is not None:
        yield from ast.walk(node.format_spec)
    elif isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
        yield from ast.walk(node.annotation)
    elif isinstance(node, ast.FunctionDef) and node.returns is not None:
        yield from ast.walk(node.returns)
