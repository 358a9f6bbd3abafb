"""The same model again in normball, and what every way to write it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from normball.families import find_family
from normball.family import Family, written
from normball.language import message, tr
from normball.settings import BY_COLUMNS, GROUP_OPTIONS, RIDGE_LAMBDAS, RIDGE_SHORTER, default_min_ratio

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.path import Path
    from normball.run import Run

WIDTH = 100
GROUP_PENALTY = message("penalty on groups of features (group lasso)")
OWN_FEATURES = message(
    "Some features are made here of dates, words, splines, products or levels taken together, which is not written out "
    "in the words of {0}."
)
BY_BRESLOW = message(
    "It takes tied events by Breslow's approximation, and this model by Efron's: the two are the same only where no "
    'events are at the same time. family="cox(breslow)" fits Breslow\'s.'
)
MOST_GROUPED = 100  # features whose groups are written out
WITH_GROUPS = "gglasso, grpreg and adelie"


@dataclass(frozen=True)
class Recipe:
    """Code that makes the model again, or the reason why there is none."""

    title: str
    code: str = ""
    note: str = ""


def in_normball(cv: CVPath, run: Run, lam: float) -> Recipe:
    """The command line where there was one, and Python."""
    arguments = ["X", "y"]
    lines = [f"# {run.command}", ""] if run.command else []
    lines.append("import normball as nb")
    if run.source:
        reading = "".join(f", {name}={value!r}" for name, value in run.reading.items())
        lines += ["from normball.inputs.tables import read_table", "", f"table = read_table({run.source!r}{reading})"]
        arguments = ["table", repr(run.y)]
    elif run.example:
        lines += example_lines(run.example)
    arguments += [f'family="{cv.path.family}"', f"l1_ratio={written(cv.path.l1_ratio)}"]
    of_path = (*GROUP_OPTIONS, "grouped")
    arguments += [f"{name}={value!r}" for name, value in run.options.items() if name not in of_path]
    arguments += _grid(cv.path, run)
    if cv.path.grouped != find_family(cv.path.family).grouped_by_default:
        arguments.append(f"grouped={cv.path.grouped}")
    notes, about_groups = _about_groups(cv.path)
    arguments += about_groups
    if run.exposure:
        lines.insert(lines.index("import normball as nb") + 1, "import numpy as np")
        arguments.append(f"offset=np.log(table[{run.exposure!r}])")
    arguments += [f"fold_groups=table[{run.group!r}]"] if run.group else []
    arguments += [f"time_order=table[{run.time_order!r}]"] if run.time_order else []
    lines += [*notes, call("cv = nb.cv_path", arguments), f"fit = cv.at(lam={lam!r})"]
    return Recipe("normball", "\n".join(lines))


def _grid(path: Path, run: Run) -> list[str]:
    """The grid of ridge where it was compared with other mixes."""
    ratio = default_min_ratio(path.n_rows, path.n_features) / RIDGE_SHORTER
    if path.l1_ratio > 0 or not math.isclose(path.lambdas[-1], ratio * path.lambda_max, rel_tol=1e-6):
        return []
    return [] if "lambda_min_ratio" in run.options else [f"n_lambdas={RIDGE_LAMBDAS}", f"lambda_min_ratio={ratio!r}"]


def _about_groups(path: Path) -> tuple[list[str], list[str]]:
    """The arguments about groups of features, and a comment where these are too many to be written out."""
    groups = path.groups
    if groups is None:
        return [], []
    members: dict[str, list[str]] = {name: [] for name in groups.names}
    for feature, name in zip(path.feature_names, groups.by_feature(), strict=True):
        if name is not None:
            members[name].append(feature)
    by_column = {column.name: [*column.features] for column in path.preparation.columns if column.n_features > 1}
    weights = {
        name: weight
        for name, weight in zip(groups.names, groups.weights.tolist(), strict=True)
        if not math.isnan(weight)
    }
    shown, notes = repr(BY_COLUMNS if members == by_column else members), []
    if members != by_column and sum(map(len, members.values())) > MOST_GROUPED:
        shown, notes = "groups", [f"# groups: {{name: [features]}}, the {len(groups):,} groups that were given"]
    return notes, [
        f"groups={shown}",
        *([f"group_weights={weights!r}"] if weights else []),
        *([f"group_ratio={groups.ratio:g}"] if groups.ratio != 1 else []),
        *([f"orthonormalize={groups.orthonormalize}"] if groups.orthonormalize != (groups.ratio == 1) else []),
    ]


def one_line(path: Path, lam: float, run: Run | None = None) -> str:
    """The same model in one line: scikit-learn's class and glmnet's lambda."""
    if path.has_group_penalty:
        text = "nothing in scikit-learn or glmnet, which have no {0}; in R {1} have it"
        return tr(text, tr(GROUP_PENALTY), WITH_GROUPS)
    parts = []
    if not sklearn_lacks(path, run):
        estimator = sklearn_estimator(path, lam)
        parts.append(tr("sklearn {0} on standardised X", estimator) if path.standardize else f"sklearn {estimator}")
    family = find_family(path.family)
    if family.glmnet_lacks:
        parts.append(tr("nothing in glmnet: see the report"))
    elif lacking := glmnet_lacks(path):
        parts.append(tr("nothing in glmnet, which has no {0}", tr(lacking)))
    elif not path.penalty_factors.any():
        parts.append(tr("R {0}(): nothing is penalised", "glm"))
    elif family.glmnet_scales_target and path.l1_ratio < 1:
        parts.append(tr("glmnet: see the report (its L2 part depends on the sd of y)"))
    else:
        mix = "" if path.l1_ratio == 1 else f", alpha={written(path.l1_ratio)}"
        parts.append(
            f"glmnet lambda={lam * factor_scale(path):.4g}{mix}{''.join(f', {one}' for one in glmnet_outputs(path))}"
        )
    return ";  ".join(parts)


def sklearn_estimator(path: Path, lam: float, precision: str = "", digits: int = 4) -> str:
    """The call of scikit-learn's class for this family and penalty; `precision` holds more arguments."""
    call = _sklearn_family(path).sklearn(lam, path.l1_ratio, path.sum_weights, digits)
    return f"{call}{'' if path.fit_intercept else ', fit_intercept=False'}{precision})"


def _sklearn_family(path: Path) -> Family:
    """Their regressions fit several targets one by one, where the penalty does not take them together."""
    family = find_family(path.family)
    one_by_one = family.has_outputs and not family.has_classes and not path.grouped
    return find_family(family.of_one) if one_by_one else family


def sklearn_lacks(path: Path, run: Run | None = None) -> str:
    """What this model has and scikit-learn's have not, or ""."""
    family = find_family(path.family)
    if path.grouped and path.l1_ratio > 0 and family.has_classes:
        return message("penalty that takes a feature for all classes or for none")
    if run is not None and run.targets and family.has_classes:
        return message("target of shares of classes")
    if run is not None and run.weights and path.grouped and path.l1_ratio > 0:
        return message("weights of rows for several targets that are penalised together")
    if not family.sklearn(1.0, path.l1_ratio, 1.0, 1):
        text = "{0} regression with an L1 penalty" if family.ridge_in_sklearn else "{0} regression"
        return family.sklearn_lacks or tr(text, tr(family.label))
    if path.has_group_penalty:
        return GROUP_PENALTY
    if path.has_offset:
        return message("offset")
    if not np.all(path.penalty_factors == 1):
        return message("feature without a penalty")
    if np.isfinite(path.lower_bounds).any() or np.isfinite(path.upper_bounds).any():
        return message("bounds on coefficients")
    return ""


def glmnet_lacks(path: Path) -> str:
    """What a model of several outputs has and glmnet has not, or ""."""
    family = find_family(path.family)
    together = path.grouped or path.l1_ratio == 0 or family.has_classes or not family.has_outputs
    return "" if together else message("penalty on each of several targets by itself (fit one after the other)")


def glmnet_outputs(path: Path) -> list[str]:
    """Its argument about classes that are penalised together, where they are."""
    has_classes = find_family(path.family).has_classes
    return ['type.multinomial = "grouped"'] if path.grouped and has_classes else []


def factor_scale(path: Path) -> float:
    """Glmnet rescales the penalty factors to a mean of 1, and its lambda with them."""
    return float(np.mean(path.penalty_factors[np.isfinite(path.penalty_factors)]))


def example_lines(example: str) -> list[str]:
    """Python lines that load one of scikit-learn's data sets as X and y."""
    lines = [f"from sklearn.datasets import load_{example}", ""]
    lines.append(f"X, y = load_{example}(return_X_y=True, as_frame=True)")
    return [*lines, "y = y == 0"] if example == "wine" else lines


def call(function: str, arguments: Sequence[str]) -> str:
    """A call on one line, or on one line an argument where it is long."""
    short = f"{function}({', '.join(arguments)})"
    if len(short) <= WIDTH:
        return short
    return "\n".join([f"{function}(", *(f"    {argument}," for argument in arguments), ")"])
