"""The same model in R's glmnet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from normball.families import find_family
from normball.family import written
from normball.language import tr
from normball.report.reproduce import (
    BY_BRESLOW,
    GROUP_PENALTY,
    OWN_FEATURES,
    WITH_GROUPS,
    Recipe,
    call,
    factor_scale,
    glmnet_lacks,
    glmnet_outputs,
)

if TYPE_CHECKING:
    from normball.results.path import Path
    from normball.run import Run

TITLE = "glmnet (R)"


def in_glmnet(path: Path, run: Run, lam: float) -> Recipe:
    """R code; its grid leads down to the strength wanted, since glmnet is less exact at a single one."""
    family = find_family(path.family)
    if not path.preparation.is_plain:
        return Recipe(TITLE, note=tr(OWN_FEATURES, "R"))
    if family.glmnet_lacks:
        return Recipe(TITLE, note=tr("glmnet has no {0}.", tr(family.glmnet_lacks)))
    if path.has_group_penalty:
        return Recipe(TITLE, note=tr("glmnet has no {0}; in R {1} have it.", tr(GROUP_PENALTY), WITH_GROUPS))
    if lacking := glmnet_lacks(path):
        return Recipe(TITLE, note=tr("glmnet has no {0}.", tr(lacking)))
    if np.isfinite(path.lower_bounds).any() or np.isfinite(path.upper_bounds).any():
        return Recipe(TITLE, note=tr("Bounds are not written out here; see glmnet's lower.limits and upper.limits."))
    if not path.penalty_factors.any():
        name = "coxph" if family.has_risk_sets else "glm"
        return Recipe(TITLE, note=tr("Nothing is penalised here: R's {0}() gives the same model.", name))
    lines = ["library(glmnet)", *_reading(path, run)]
    if not family.glmnet.startswith('"') or family.has_risk_sets:  # not in Fortran: its steps stop early otherwise
        lines.append("glmnet.control(epsnr = 1e-12, mxitnr = 500)")
    alpha, strength = written(path.l1_ratio), repr(lam * factor_scale(path))
    if family.glmnet_scales_target and path.l1_ratio < 1:
        w = ", w" if run.weights else ""
        mean = f"weighted.mean(y{w})" if path.fit_intercept else "0"
        lines += [
            f"s <- sqrt(weighted.mean((y - {mean})^2{w}))  # glmnet scales y by it, and the L2 part with y",
            f"lambda <- {strength} * ({written(path.l1_ratio)} + {1 - path.l1_ratio:g} * s)",
            f"alpha <- {strength} * {written(path.l1_ratio)} / lambda",
        ]
        alpha, strength = "alpha", "lambda"
    arguments = ["x", "y", f"family = {family.in_glmnet}", *glmnet_outputs(path), f"alpha = {alpha}"]
    arguments += [f"lambda = {strength} * 10^seq(2, 0, -0.1)"]
    arguments += ["weights = w"] if run.weights else []
    arguments += ["offset = offset"] if path.has_offset else []
    arguments += [] if path.standardize else ["standardize = FALSE"]
    arguments += [] if path.fit_intercept or family.has_risk_sets else ["intercept = FALSE"]
    free = np.flatnonzero(path.penalty_factors == 0)
    if free.size:
        names = ", ".join(_quoted(_their_name(path, int(j))) for j in free)
        lines.append(f"factors <- as.numeric(!colnames(x) %in% c({names}))")
        arguments.append("penalty.factor = factors")
    arguments += ["thresh = 1e-14", "maxit = 1e7"]
    lines.append(call("fit <- glmnet", arguments).replace(",\n)", "\n)"))
    lines.append(f"coef(fit, s = {strength})")
    note = ""
    if run.options.get("missing") == "impute":
        note = "Impute the missing values first, by median and indicator."
    if family.has_risk_sets and family.ties == "efron":
        note = " ".join(filter(None, [note, tr(BY_BRESLOW), tr("From its version 5 on glmnet has Efron's, too.")]))
    return Recipe(TITLE, "\n".join(lines), note)


def _reading(path: Path, run: Run) -> list[str]:
    """Lines that define x, y, and w and offset where there are some."""
    name = run.source.lower().removesuffix(".gz")
    if not run.source or name.endswith((".svmlight", ".svm", ".libsvm")):
        origin = (
            f"the {run.example} data of scikit-learn" if run.example else run.source or "the arrays that were fitted"
        )
        return [f"# x, y: {origin}, as a matrix and a vector"]
    if name.endswith((".parquet", ".pq")):
        reader = f"as.data.frame(arrow::read_parquet({_quoted(run.source)}))"
    elif name.endswith((".arrow", ".feather", ".ipc")):
        reader = f"as.data.frame(arrow::read_feather({_quoted(run.source)}))"
    else:
        function = "read.delim" if name.endswith((".tsv", ".tab")) else "read.csv"
        missing = ", ".join(_quoted(word) for word in ("", "NA", *run.reading.get("na", ())))
        words = {"delimiter": "sep", "decimal": "dec", "encoding": "fileEncoding"}
        options = [f", {word} = {_quoted(run.reading[key])}" for key, word in words.items() if key in run.reading]
        header = run.reading.get("header", 1)
        options.append(", header = FALSE" if header == "none" else f", skip = {header - 1}" if header > 1 else "")
        more = "".join(options)
        reader = f"{function}({_quoted(run.source)}, check.names = FALSE, na.strings = c({missing}){more})"
    away = [
        name
        for name in run.not_features
        if name not in (*run.target_columns, run.weights, run.strata, *run.offset_columns, run.exposure)
    ]
    lines = [f"table <- {reader}"]
    lines += ["# first take thousands separators and units out of the numbers"] * bool(
        {"thousands", "units"} & {*run.reading}
    )
    if away:
        lines.append(f"table <- table[setdiff(names(table), {_vector(away)})]")
    if run.options.get("missing") == "drop":
        lines.append("table <- na.omit(table)")
    all_roles = (*run.target_columns, run.weights, run.strata, *run.offset_columns, run.exposure)
    roles = [role for role in all_roles if role]
    labels = path.preparation.leveled
    lines.append(f"features <- table[setdiff(names(table), {_vector(roles)})]")
    if labels:
        lines.append(f"for (name in {_vector(labels)}) features[[name]] <- factor(features[[name]])")
    lines += ["x <- makeX(features)", f"y <- {_times(run) if path.baselines is not None else _columns(run.y)}"]
    lines += ["y <- factor(y)"] if find_family(path.family).has_classes and not run.targets else []
    lines += [f"w <- table[[{_quoted(run.weights)}]]"] if run.weights else []
    lines += [f"offset <- {_columns(run.offset)}"] if run.offset else []
    return [*lines, f"offset <- log(table[[{_quoted(run.exposure)}]])"] if run.exposure else lines


def _times(run: Run) -> str:
    """The target of a Cox model, with its strata."""
    *times, event = run.targets
    truth = f'tolower({_columns(event)}) %in% c("1", "true")'  # R takes "true" for a word
    surv = f"survival::Surv({', '.join(map(_columns, times))}, {truth})"
    return f"stratifySurv({surv}, table[[{_quoted(run.strata)}]])" if run.strata else surv


def _their_name(path: Path, feature: int) -> str:
    """The column name that makeX gives: column and level put together."""
    for column in path.preparation.columns:
        if feature < len(column.features):
            return column.name if column.levels is None else column.name + column.levels[feature]
        feature -= len(column.features)
    raise IndexError(feature)


def _columns(named: str | list[str]) -> str:
    """A column of the table, or a matrix of several."""
    return f"table[[{_quoted(named)}]]" if isinstance(named, str) else f"as.matrix(table[{_vector(named)}])"


def _vector(names: list[str]) -> str:
    return f"c({', '.join(_quoted(name) for name in names)})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
