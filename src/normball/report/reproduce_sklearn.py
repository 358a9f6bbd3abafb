"""The same model in scikit-learn: its class behind the encoding and the scaling that give the same problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.plan import FILLED_BY
from normball.language import tr
from normball.report.reproduce import OWN_FEATURES, Recipe, call, example_lines, sklearn_estimator, sklearn_lacks

if TYPE_CHECKING:
    from normball.results.path import Path
    from normball.run import Run

TITLE = "scikit-learn"
PRECISION = {  # the defaults stop early
    "LogisticRegression": ', solver="saga", tol=1e-7, max_iter=100_000',
    "PoissonRegressor": ', solver="newton-cholesky", tol=1e-10',
    "GammaRegressor": ', solver="newton-cholesky", tol=1e-10',
    "TweedieRegressor": ', solver="newton-cholesky", tol=1e-10',
    "Ridge": "",
    "Lasso": ", tol=1e-10, max_iter=1_000_000",
    "ElasticNet": ", tol=1e-10, max_iter=1_000_000",
    "MultiTaskLasso": ", tol=1e-10, max_iter=1_000_000",
    "MultiTaskElasticNet": ", tol=1e-10, max_iter=1_000_000",
}


def in_sklearn(path: Path, run: Run, lam: float) -> Recipe:
    """Code that reads the same table and fits the same model with scikit-learn."""
    if not path.preparation.is_plain:
        return Recipe(TITLE, note=tr(OWN_FEATURES, "scikit-learn"))
    if lacking := sklearn_lacks(path, run):
        return Recipe(TITLE, note=tr("scikit-learn has no {0}.", tr(lacking)))
    name = sklearn_estimator(path, lam).partition("(")[0]
    imports = {f"from sklearn.linear_model import {name}", "from sklearn.pipeline import make_pipeline"}
    encoding = encoders(path, run, imports)
    body = ["encode = make_column_transformer(", *encoding, ")"] if encoding else []
    steps = ["encode"] if encoding else []
    if path.standardize:
        imports.add("from sklearn.preprocessing import StandardScaler")
        steps.append(f"StandardScaler({'with_mean=False' if is_svmlight(run) else ''})")
    steps.append(sklearn_estimator(path, lam, PRECISION[name], digits=15))
    body.append(call("model = make_pipeline", steps))
    weighted = ["standardscaler"] * path.standardize + [name.lower()] if run.weights else []
    body.append(f"model.fit({', '.join(['X', 'y', *(f'{step}__sample_weight=w' for step in weighted)])})")
    lines = reading(run, imports)
    return Recipe(TITLE, "\n".join([*sorted(imports), *lines, "", *body]))


def encoders(path: Path, run: Run, imports: set[str]) -> list[str]:
    """Lines of a column transformer for labels and gaps; none where all columns are numbers."""
    leveled, imputed = path.preparation.leveled, path.preparation.indicated
    lines = []
    if leveled:
        imports.add("from sklearn.preprocessing import OneHotEncoder")
        encoder = "OneHotEncoder(sparse_output=False)"
        if run.options.get("missing") in FILLED_BY:
            imports.add("from sklearn.impute import SimpleImputer")
            encoder = f'make_pipeline(SimpleImputer(strategy="constant", fill_value="(missing)"), {encoder})'
        lines.append(f"    ({encoder}, {leveled!r}),")
    if imputed:
        imports.add("from sklearn.impute import SimpleImputer")
        lines.append(f"    ({_imputer(path)}, {imputed!r}),")
    if lines:
        imports.add("from sklearn.compose import make_column_transformer")
        lines.append('    remainder="passthrough",')
    return lines


def _imputer(path: Path) -> str:
    """How gaps of numbers are filled, which is alike in all columns."""
    column = next(one for one in path.preparation.columns if isinstance(one, NumberTerm) and one.indicator)
    value = f", fill_value={column.fill:g}" if column.fill_by == "constant" and column.fill else ""
    return f'SimpleImputer(strategy="{column.fill_by}"{value}, add_indicator=True)'


def reading(run: Run, imports: set[str]) -> list[str]:
    """Lines that define X, y and, where there are weights, w."""
    if run.example:
        imported, *lines = example_lines(run.example)
        imports.add(imported)
        return lines
    if not run.source:
        return ["", "# X, y: the arrays that were fitted"]
    if is_svmlight(run):
        imports.add("from sklearn.datasets import load_svmlight_file")
        return ["", f"X, y = load_svmlight_file({run.source!r})"]
    if run.reading.keys() & {"units", "header"}:  # what pandas does not know
        imports.add("import normball")
        reading = "".join(f", {name}={value!r}" for name, value in run.reading.items())
        lines = ["", f"table = normball.read_table({run.source!r}{reading}).to_pandas()"]
    else:
        imports.add("import pandas as pd")
        lines = ["", f"table = pd.{_reader(run)}"]
    others = [name for name in run.not_features if name not in (*run.target_columns, run.weights, run.strata)]
    if others:
        lines.append(f"table = table.drop(columns={others!r})")
    if run.options.get("missing") == "drop":
        lines.append("table = table.dropna()")
    apart = [*run.target_columns, *filter(None, [run.weights, run.strata])]
    lines += [f"X = table.drop(columns={apart!r})", f"y = table[{run.y!r}]"]
    return [*lines, f"w = table[{run.weights!r}]"] if run.weights else lines


def _reader(run: Run) -> str:
    name = run.source.lower().removesuffix(".gz")
    if name.endswith((".parquet", ".pq")):
        return f"read_parquet({run.source!r})"
    if name.endswith((".arrow", ".feather", ".ipc")):
        return f"read_feather({run.source!r})"
    options = {"sep": "\t"} if name.endswith((".tsv", ".tab")) else {}
    words = {
        "na": "na_values",
        "thousands": "thousands",
        "decimal": "decimal",
        "delimiter": "sep",
        "encoding": "encoding",
    }
    options |= {words[key]: value for key, value in run.reading.items() if key in words}
    return f"read_csv({', '.join([repr(run.source), *(f'{key}={value!r}' for key, value in options.items())])})"


def is_svmlight(run: Run) -> bool:
    """Whether the table is a sparse matrix in a file."""
    return run.source.lower().removesuffix(".gz").endswith((".svmlight", ".svm", ".libsvm"))
