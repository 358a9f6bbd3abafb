"""The numbers that summaries, terminal and page show, taken from the result objects once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.families import find_family
from normball.family import written
from normball.language import message, tr
from normball.results import outputs
from normball.results.arrays import explained
from normball.results.remarks import few_rows, rare_levels
from normball.results.zeros import zeros
from normball.weighted_scores import score_name

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.feature_groups import FeatureGroups
    from normball.inputs.preparation import Preparation
    from normball.messages import Finding
    from normball.results.fit import Fit
    from normball.results.ranges import Ranges

PENALTIES = {0.0: "L2", 1.0: "L1"}
FACTOR = message(" x/")  # after what is multiplied by exp(coefficient), before the step that does it
RANGE = message("90 % of samples")  # above the range of a coefficient over bootstrap samples
STABLE = 0.8  # of the folds
RMSE = "CV RMSE"
LARGE = 1e7  # from here on numbers have an exponent


@dataclass(frozen=True)
class Point:
    """One choice of strength and what is known about it; None where it is not."""

    label: str
    fit: Fit
    index: int | None  # on the grid
    mean: float | None = None
    se: float | None = None
    gap: float | None = None
    diagnostics: dict[str, float] | None = None
    counts: Any = None  # in how many folds each column of the table was kept
    own_counts: Any = None  # and each feature by itself
    n_folds: int = 0
    ranges: Ranges | None = None  # of the coefficients over bootstrap samples, at this strength

    @property
    def title(self) -> str:
        """What stands above the features; L2 alone selects none."""
        return tr("Selected at {0}" if self.fit.l1_ratio > 0 else "Coefficients at {0}", self.label)

    def numbers(self, cv: CVPath) -> dict[str, Any]:
        """As plain data."""
        fit = self.fit
        return {
            "lam": fit.lam,
            "n_nonzero": fit.n_nonzero,
            **({} if fit.groups is None else {"n_groups_nonzero": fit.n_groups_nonzero}),
            "deviance_ratio": fit.deviance_ratio,
            "cv_mean": self.mean,
            "cv_se": self.se,
            "score": cv.score,
            "train_validation_gap": self.gap,
            **self._concordance(cv),
            "dual_gap": fit.dual_gap,
            "kkt_violation": fit.kkt_violation,
            "status": fit.status,
            **(self.diagnostics or {}),
        }

    def _concordance(self, cv: CVPath) -> dict[str, float]:
        """Of times to an event how well held-out rows are ranked."""
        found = None if self.index is None or cv.held_out is None else cv.held_out.concordance(self.index)
        return {} if found is None else dict(zip(("concordance", "concordance_se"), found, strict=True))


@dataclass(frozen=True)
class Feature:
    """One selected feature; of several outputs `per_sd` and `per_unit` are the lengths of its coefficients."""

    name: str
    per_sd: float
    per_unit: float
    factor: float | None  # of the odds or the rate, for one standard deviation (else one unit) more, or for the level
    few_rows: str  # "1 row", "all but 2 rows" where so few decide
    folds: int | None  # that kept its column, by this or another of its levels
    own_folds: int | None  # that kept this feature, where that is something else
    by_output: tuple[float, ...] = ()  # per standard deviation, where there are several outputs
    low: float | None = None  # ends of the middle 90 % over bootstrap samples, per standard deviation
    high: float | None = None
    samples: int | None = None  # bootstrap samples in which it is not zero
    column: str = ""  # of the table
    level: str | None = None  # of that column; None for a number
    n_rows: int | None = None  # that have the level


def points(cv: CVPath, select: str | float) -> list[Point]:
    """The chosen strength first, then those of the two rules, "1se" and "best"."""
    names: list[str | float] = list(dict.fromkeys([select, "1se", "best"]))
    return [point(cv, name) for name in names]


def point(cv: CVPath, name: str | float) -> Point:
    """What is known about one choice of strength."""
    if isinstance(name, str):
        fit, label = cv.at("best" if name == "best" else "1se"), f"lambda_{name}"
    else:
        fit, label = cv.at(lam=name), "lambda"
    nearest = int(np.argmin(np.abs(cv.lambdas - fit.lam)))
    if cv.lambdas[nearest] != fit.lam:
        return Point(label, fit, None, n_folds=cv.n_folds)
    ranges = None if cv.bootstrap_ranges is None or fit.output_names else cv.bootstrap_ranges.at(fit.lam)
    return Point(
        label,
        fit,
        nearest,
        mean=float(cv.cv_mean[nearest]),
        se=float(cv.cv_se[nearest]),
        gap=float(cv.train_validation_gap[nearest]),
        diagnostics=cv.diagnostics.get(str(name)),
        counts=cv.column_counts[nearest],
        own_counts=cv.selection_counts[nearest],
        n_folds=cv.n_folds,
        ranges=ranges,
    )


def selected(point: Point) -> list[Feature]:
    """The features kept, the largest per standard deviation first."""
    fit = point.fit
    per_sd, per_unit = (np.linalg.norm(one, axis=0) if fit.output_names else one for one in (fit.coef_per_sd, fit.coef))
    order = fit.kept[np.argsort(-np.abs(per_sd[fit.kept]), kind="stable")]
    return [_feature(point, j, float(per_sd[j]), float(per_unit[j])) for j in order.tolist()]


def _feature(point: Point, j: int, per_sd: float, per_unit: float) -> Feature:
    """What is known about one feature with these coefficients."""
    fit, preparation = point.fit, point.fit.preparation
    column, part = preparation.origin(j)
    step = per_unit if part.is_indicator or not fit.standardize else per_sd
    own = point.counts is not None and speaks_for_itself(preparation, j)
    low, high, samples = _range(point, j)
    return Feature(
        fit.feature_names[j],
        per_sd,
        per_unit,
        _exp(step) if find_family(fit.family).factor else None,
        few_rows(preparation, j),
        None if point.counts is None else int(point.counts[preparation.column_of_feature[j]]),
        int(point.own_counts[j]) if own else None,
        tuple(fit.coef_per_sd[:, j].tolist()) if fit.output_names else (),
        low,
        high,
        samples,
        column.name,
        part.name,
        part.n_rows,
    )


def _range(point: Point, feature: int) -> tuple[float | None, float | None, int | None]:
    """The ends of a coefficient per standard deviation over the samples, and in how many it is not zero."""
    ranges, scale = point.ranges, float(point.fit.scales[feature])
    if ranges is None:
        return None, None, None
    low, high = (float(rows[0][feature]) * scale for rows in (ranges.low, ranges.high))
    return low, high, int(ranges.counts[0][feature])


def speaks_for_itself(preparation: Preparation, feature: int) -> bool:
    """Whether folds may keep the column of this feature and mean something else; not so for either of two levels."""
    column = preparation.columns[preparation.column_of_feature[feature]]
    return column.n_features > 1 and (column.levels is None or column.n_features > 2)


def comparison(cv: CVPath, chosen: list[Point]) -> list[list[str]]:
    """Titles, and a row for each number; a column for each choice, the picked one first."""
    family = find_family(cv.path.family)
    rows = [["", *(tr("{0} (selected)", one.label) if one is chosen[0] else one.label for one in chosen)]]
    rows.append([tr("lambda"), *(figures(one.fit.lam) for one in chosen)])
    if cv.score in family.root_scores:
        rows.append([RMSE, *(_root(one) for one in chosen)])
    rows.append([tr("CV {0}", score_name(cv.score, cv.path.family)), *(with_error(one.mean, one.se) for one in chosen)])
    if (whole := explained_of(cv)) is not None:
        rows.append([tr("CV deviance explained"), *(_share(one.mean, whole) for one in chosen)])
    rows.append([tr("explained, fitted rows"), *(tr("{0} %", f"{100 * one.fit.deviance_ratio:.1f}") for one in chosen)])
    rows.append([tr("CV {0}", tr("concordance")), *(_ranked(cv, one) for one in chosen)])
    if family.has_classes and cv.score != "auc":
        rows.append(
            [
                tr("CV AUC, one against the rest") if family.has_outputs else "CV AUC",
                *(_diagnostic(one, "auc") for one in chosen),
            ]
        )
    rows += kept_rows([one.fit for one in chosen])
    if kept_of_each := [text for one in chosen if (text := groups_kept(one.fit))]:
        rows.append([tr("groups kept"), *kept_of_each])
    if not family.has_risk_sets:  # of which the score compares held-out rows with the others, too
        rows.append([tr("train-validation gap"), *("-" if one.gap is None else figures(one.gap) for one in chosen)])
    rows.append([tr("dispersion"), *(_dispersion(one) for one in chosen)])
    rows.append([tr("zeros (expected)"), *(zeros(one.diagnostics) for one in chosen)])
    if family.has_classes:
        rows.append([tr("largest |margin|"), *(_margin(one) for one in chosen)])
    return [row for row in rows if not row[0] or any(cell != "-" for cell in row[1:])]


def kept_rows(fits: Sequence[Fit]) -> list[list[str]]:
    """How many columns of the table and how many features are kept, a row each; one row where these are the same."""
    columns, n_features = fits[0].preparation.columns, len(fits[0].feature_names)
    kept = fits[0].l1_ratio > 0  # ridge leaves none out
    first = tr("features kept" if kept else "features used")
    rows = [[first, *(tr("{0} of {1}", f"{fit.n_nonzero:,}", f"{n_features:,}") for fit in fits)]]
    if len(columns) == n_features:
        return rows
    first = tr("columns kept" if kept else "columns used")
    return [[first, *(tr("{0} of {1}", f"{n_columns_kept(fit):,}", f"{len(columns):,}") for fit in fits)], *rows]


def n_columns_kept(fit: Fit) -> int:
    """How many columns of the table are kept."""
    return int(np.unique(fit.preparation.column_of_feature[fit.kept]).size)


def feature_titles(point: Point, short: bool = False) -> list[str]:
    """What `feature_cells` are; of several outputs `short` tells the largest alone."""
    fit = point.fit
    if fit.output_names:
        return outputs.titles(fit, short) + [tr("kept in folds")] * _counts_folds(point)
    factor = find_family(fit.family).factor
    levels = any(fit.preparation.origin(int(j)).part.is_indicator for j in fit.kept)
    step = tr("unit" if not fit.standardize else "SD or level" if levels else "SD")
    titles = [tr("per SD")] * fit.standardize + [tr("per unit")] + [f"{tr(factor)}{tr(FACTOR)}{step}"] * bool(factor)
    titles += [f"{tr(factor)}{tr(FACTOR)}{tr('unit')}"] * has_both_factors(fit)
    titles += [] if point.ranges is None else [tr(RANGE)]
    return titles + [tr("kept in folds")] * _counts_folds(point)


def has_both_factors(fit: Fit) -> bool:
    """Whether what a unit multiplies is told besides what a standard deviation does: it is usual of hazards."""
    return fit.standardize and find_family(fit.family).has_risk_sets


def feature_cells(point: Point, feature: Feature, short: bool = False) -> list[str]:
    """What is shown beside the name of a feature."""
    folds = [_in_folds(feature, point.n_folds)] if _counts_folds(point) else []
    if feature.by_output:
        values = [signed(value) if value else "0" for value in feature.by_output]
        return [figures(feature.per_sd), *outputs.cells(point.fit, feature.by_output, values, short), *folds]
    cells = [signed(feature.per_sd)] * point.fit.standardize + [signed(feature.per_unit)]
    cells += [factor(feature.factor)] if feature.factor is not None else []
    cells += [factor(_exp(feature.per_unit))] * has_both_factors(point.fit)
    if feature.low is not None and feature.high is not None:
        cells += [tr("{0} to {1}", signed(feature.low), signed(feature.high))]
    return cells + folds


def intercept_cells(fit: Fit, short: bool = False) -> list[str]:
    """What is shown beside the intercept, under the same titles; nothing where there is none."""
    values = np.atleast_1d(fit.intercept).tolist()
    if not any(values):
        return []
    if fit.output_names:
        return ["", *outputs.cells(fit, values, [signed(value) for value in values], short)]
    return [*[""] * fit.standardize, signed(values[0])]


def findings(cv: CVPath, point: Point) -> tuple[Finding, ...]:
    """What is to be known about the data, the folds and the model chosen."""
    return (*cv.findings, *rare_levels(point.fit))


def of_score(cv: CVPath, value: float) -> str:
    """A score: what features take from the deviance of a partial likelihood is little beside the whole."""
    return figures(value, 4 if find_family(cv.path.family).has_risk_sets and cv.score == "deviance" else 3)


def null_score(cv: CVPath) -> float | None:
    """The score of a model without features on the same held-out rows; None where it is not known."""
    return None if math.isnan(cv.null_mean) else cv.null_mean


def penalty(l1_ratio: float, groups: FeatureGroups | None = None) -> str:
    """The penalty in a word or two."""
    mix = PENALTIES.get(l1_ratio) or tr("elastic net (l1_ratio {0})", written(l1_ratio))
    if groups is None or groups.ratio == 0:
        return mix
    if groups.ratio == 1:
        return tr("{0} on groups", mix)
    return tr("{0} on groups and features (group_ratio {1})", mix, f"{groups.ratio:g}")


def groups_kept(fit: Fit) -> str:
    """`3 of 7`; nothing where there are no groups, or none can be left out."""
    if fit.groups is None or fit.l1_ratio == 0:
        return ""
    return tr("{0} of {1}", f"{fit.n_groups_nonzero:,}", f"{len(fit.groups):,}")


def figures(value: float, digits: int = 3) -> str:
    """A number with so many significant digits; whole numbers below a million keep all of theirs."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or abs(value) >= LARGE:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - size)}f}"


def signed(value: float) -> str:
    """A coefficient with its sign."""
    return f"+{figures(value)}" if value > 0 else figures(value)


def factor(value: float) -> str:
    """What odds or rates are multiplied by; close to 1 as many digits as tell it from 1."""
    excess = abs(value - 1)
    if 1e-8 < excess < 0.1:
        return f"{value:.{1 - math.floor(math.log10(excess))}f}"
    return figures(value)


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf


def with_error(mean: float | None, se: float | None) -> str:
    """A number and its standard error, two digits of which decide how many decimals both have."""
    if mean is None or se is None:
        return "-"
    if not math.isfinite(se) or se == 0:
        return figures(mean)
    decimals = max(0, 1 - math.floor(math.log10(se)))
    if decimals > 8 or abs(mean) >= LARGE:
        return f"{figures(mean)} +/- {figures(se, 2)}"
    return f"{mean:,.{decimals}f} +/- {se:,.{decimals}f}"


def _root(one: Point) -> str:
    """The root of a mean square with the standard error that follows from that of the square."""
    if one.mean is None or one.se is None:
        return "-"
    root = math.sqrt(one.mean)
    return with_error(root, one.se / (2 * root) if root else 0.0)


def explained_of(cv: CVPath) -> float | None:
    """The deviance of held-out rows without features, of which models explain a share; None for other scores."""
    return null_score(cv) if cv.score == "deviance" else None


def _share(left: float | None, whole: float) -> str:
    return "-" if left is None else tr("{0} %", f"{100 * float(explained(np.array(left), whole)):.1f}")


def _diagnostic(one: Point, name: str) -> str:
    return "-" if one.diagnostics is None else f"{one.diagnostics[name]:.3f}"


def _ranked(cv: CVPath, one: Point) -> str:
    """The concordance, where it is not the score itself."""
    if one.index is None or cv.score == "concordance" or cv.held_out is None:
        return "-"
    return with_error(*(cv.held_out.concordance(one.index) or (None, None)))


def _dispersion(one: Point) -> str:
    found = math.nan if one.diagnostics is None else one.diagnostics.get("dispersion", math.nan)
    return "-" if math.isnan(found) else figures(found)


def _margin(one: Point) -> str:
    if one.diagnostics is None:
        return "-"
    share = 100 * one.diagnostics["saturated"]
    largest = figures(one.diagnostics["largest_margin"], 2)
    return tr("{0} ({1} % saturated)", largest, f"{share:.{0 if share in (0, 100) else 1}f}")


def _counts_folds(point: Point) -> bool:
    return point.n_folds > 0 and point.fit.l1_ratio > 0  # ridge keeps every feature in every fold


def _in_folds(feature: Feature, n_folds: int) -> str:
    """In how many folds its column was kept, a word where these are few, and where fewer kept the feature itself."""
    kept, own = feature.folds, feature.own_folds
    if kept is None:
        return "-"
    itself = tr(" (itself {0}/{1})", own, n_folds) if own is not None and own < kept else ""
    return in_folds(kept, n_folds) + itself


def in_folds(kept: int, n_folds: int) -> str:
    """`8/10`, with a word where these are few."""
    return f"{kept}/{n_folds}{'' if kept >= STABLE * n_folds else tr(' unstable')}"
