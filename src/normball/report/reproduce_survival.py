"""The same Cox model in scikit-survival and in lifelines, behind the encoding and the scaling of scikit-learn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from normball.families import find_family
from normball.family import written
from normball.language import message, tr
from normball.report.reproduce import BY_BRESLOW, GROUP_PENALTY, OWN_FEATURES, Recipe, call, factor_scale
from normball.report.reproduce_sklearn import encoders, is_svmlight, reading

if TYPE_CHECKING:
    from normball.results.path import Path
    from normball.run import Run

SKSURV, LIFELINES = "scikit-survival", "lifelines"
BY_EFRON = message(
    "It takes tied events by Efron's approximation, and this model by Breslow's: the two are the same only where no "
    "events are at the same time."
)
NEARLY_ZERO = message("What is exactly zero here is only close to zero there: it smooths |b|.")


def in_sksurv(path: Path, run: Run, lam: float) -> Recipe:
    """Its elastic net, or with an L2 penalty alone its Cox model."""
    if reason := _why_not(SKSURV, sksurv_lacks(path, run), path, run):
        return Recipe(SKSURV, note=reason)
    ties = find_family(path.family).ties
    name = "CoxnetSurvivalAnalysis" if path.l1_ratio > 0 else "CoxPHSurvivalAnalysis"
    imports = {f"from sksurv.linear_model import {name}", "from sksurv.util import Surv"}
    lines, steps = _prepared(path, run, imports)
    if path.l1_ratio > 0:
        imports.add("import numpy as np")
        arguments = [f"alphas={lam!r} * np.logspace(1, 0, 11)", f"l1_ratio={written(path.l1_ratio)}", "tol=1e-12"]
        model = f"{name}({', '.join(arguments)})"
    else:
        model = f'{name}(alpha=len(X) * {lam!r}, ties="{ties}", tol=1e-12)'
    lines.append(f"y = Surv.from_arrays({', '.join(_named(run, name) for name in _event_and_time(run))})")
    lines += [call("model = make_pipeline", [*steps, model]), "model.fit(X, y)"]
    imports.add("from sklearn.pipeline import make_pipeline")
    note = tr(BY_BRESLOW) if path.l1_ratio > 0 and ties == "efron" else ""
    return Recipe(SKSURV, "\n".join([*sorted(imports), *lines]), note)


def in_lifelines(path: Path, run: Run, lam: float) -> Recipe:
    """Its Cox model, whose penalty counts in standard deviations with n - 1 and with the number of rows."""
    if reason := _why_not(LIFELINES, lifelines_lacks(path, run), path, run):
        return Recipe(LIFELINES, note=reason)
    imports = {"from lifelines import CoxPHFitter", "import pandas as pd"}
    lines, steps = _prepared(path, run, imports)
    columns = "X"
    if steps:
        imports.add("from sklearn.pipeline import make_pipeline")
        weights = f", {steps[-1].partition('(')[0].lower()}__sample_weight=w" * bool(run.weights and path.standardize)
        lines.append(f"prepare = make_pipeline({', '.join(steps)})")
        columns = f"prepare.fit_transform(X{weights})"
    index = ", index=X.index" if run.source else ""
    lines.append(f'Z = pd.DataFrame({columns}{index}).add_prefix("x")')
    strength = f"{lam!r} * w.sum() / len(Z)" if run.weights else repr(lam)
    power = {1.0: "", 0.0: " ** 2"}.get(path.l1_ratio)
    ratio = written(path.l1_ratio)
    if power is not None:
        lines.append(f"penalizer = {strength} / Z.std().to_numpy(){power}  # it divides Z by that itself")
    else:
        lines += [
            "s = (1 - 1 / len(Z)) ** 0.5  # it divides Z by 1 / s itself",
            f"penalizer = {strength} * ({ratio} * s + {1 - path.l1_ratio:g} * s**2)",
        ]
        ratio = f"{strength} * {ratio} * s / penalizer"
    lines.append(f"fitter = CoxPHFitter(penalizer=penalizer, l1_ratio={ratio})")
    lines += _fitted(path, run)
    notes = [BY_EFRON] * (find_family(path.family).ties == "breslow") + [NEARLY_ZERO] * (path.l1_ratio > 0)
    return Recipe(LIFELINES, "\n".join([*sorted(imports), *lines]), " ".join(map(tr, notes)))


def _fitted(path: Path, run: Run) -> list[str]:
    """The call that fits, with the roles of columns."""
    event, time = _event_and_time(run)
    roles = {"time": _named(run, time), "event": _named(run, event)}
    arguments = ['"time"', '"event"']
    if len(run.targets) > 2:
        roles["start"] = _named(run, run.targets[0])
        arguments.append('entry_col="start"')
    if run.strata:
        roles["strata"] = f"table[{run.strata!r}]"
        arguments.append('strata=["strata"]')
    if run.weights:
        roles["weights"] = "w"
        arguments.append('weights_col="weights"')
    if path.l1_ratio > 0:
        arguments.append('fit_options={"max_steps": 500, "precision": 1e-12, "r_precision": 1e-12}')
    given = [f"{name}={value}" for name, value in roles.items()]
    return [call("rows = Z.assign", given), call("fitter.fit", ["rows", *arguments]), "fitter.params_"]


def _prepared(path: Path, run: Run, imports: set[str]) -> tuple[list[str], list[str]]:
    """Lines that read the table, and the steps that encode and scale its columns."""
    body = encoders(path, run, imports)
    lines = reading(run, imports)
    lines += [] if run.targets else ["event, time = y[:, -1] == 1, y[:, -2]"]
    steps = []
    if body:
        lines += ["encode = make_column_transformer(", *body, ")"]
        steps.append("encode")
    if path.standardize:
        imports.add("from sklearn.preprocessing import StandardScaler")
        steps.append("StandardScaler()")
    return [*lines, ""], steps


def _event_and_time(run: Run) -> tuple[str, str]:
    return (run.targets[-1], run.targets[-2]) if run.targets else ("event", "time")


def _named(run: Run, column: str) -> str:
    """A column of the table; the event as truth."""
    if not run.targets:
        return column
    return f"table[{column!r}] == 1" if column == run.targets[-1] else f"table[{column!r}]"


def sksurv_lacks(path: Path, run: Run) -> str:
    """What this model has and scikit-survival's have not, or ""."""
    if len(run.targets) > 2:
        return message("late entry (rows that come under observation after the start)")
    if path.baselines is not None and path.baselines.stratum_names:
        return message("strata")
    if run.weights:
        return message("weights of rows")
    return _both_lack(path)


def lifelines_lacks(path: Path, run: Run) -> str:
    """What this model has and lifelines' have not, or ""."""
    if 0 < path.l1_ratio < 1 and (run.weights or not path.standardize):
        return message("elastic net on this scale (it divides by standard deviations without weights)")
    return _both_lack(path)


def _why_not(program: str, lacking: str, path: Path, run: Run) -> str:
    """Why there is no code, in a sentence, or ""."""
    if lacking:
        return tr("{0} has no {1}.", program, tr(lacking))
    if not path.preparation.is_plain:
        return tr(OWN_FEATURES, program)
    if not np.all(path.penalty_factors == 1):
        return tr("Features without a penalty are not written out here.")
    if is_svmlight(run):
        return tr("A sparse matrix is not written out here.")
    if path.baselines is not None and path.baselines.stratum_names and not run.strata:
        return tr("Strata are not written out here: their column is not known.")
    return ""


def _both_lack(path: Path) -> str:
    if path.has_group_penalty:
        return GROUP_PENALTY
    if path.has_offset:
        return message("offset")
    if np.isfinite(path.lower_bounds).any() or np.isfinite(path.upper_bounds).any():
        return message("bounds on coefficients")
    return ""


def one_line_of_times(path: Path, lam: float, run: Run) -> str:
    """The same Cox model in a line: glmnet's lambda, and the call of the package that has its ties."""
    if not path.penalty_factors.any():
        return tr("R {0}(): nothing is penalised", "coxph")
    efron = find_family(path.family).ties == "efron"
    mix = "" if path.l1_ratio == 1 else f", alpha={written(path.l1_ratio)}"
    ours = tr(" (Breslow's ties; Efron's from its version 5 on)") if efron else ""
    parts = [f"glmnet lambda={lam * factor_scale(path):.4g}{mix}{ours}"]
    if not efron and path.l1_ratio > 0 and not _why_not(SKSURV, sksurv_lacks(path, run), path, run):
        estimator = f"sksurv CoxnetSurvivalAnalysis(alphas=[{lam:.4g}], l1_ratio={written(path.l1_ratio)})"
        parts.append(tr("{0} on standardised X", estimator) if path.standardize else estimator)
    if efron and path.l1_ratio in (0.0, 1.0) and path.standardize and not run.weights:
        share = math.sqrt(1 - 1 / path.n_rows) ** (2 - path.l1_ratio)
        fitter = f"lifelines CoxPHFitter(penalizer={lam * share:.4g}, l1_ratio={written(path.l1_ratio)})"
        if not _why_not(LIFELINES, lifelines_lacks(path, run), path, run):
            parts.append(tr("{0}, whose zeros are approximate", fitter) if path.l1_ratio > 0 else fitter)
    return ";  ".join(parts)
