"""How well a fitted model predicts rows with known targets, beside the model without features."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.families import find_family
from normball.family import Family
from normball.language import tr
from normball.results.arrays import Array
from normball.results.kinds import Unknown
from normball.results.text import table
from normball.weighted_scores import OF_LABELS, ByWeighting, label_of, weighted_score

if TYPE_CHECKING:
    import polars

    from normball.results.fit import Fit

LEVEL = 0.95
AT_HORIZON = "brier_at_horizon"  # the score of times to an event up to one time
BLOCK = 4_000_000  # weights held at a time


class EvaluateOptions(TypedDict, total=False):
    """The keyword arguments of `Fit.evaluate`; see there."""

    sample_weight: ArrayLike | str | None
    offset: ArrayLike | str | None
    strata: ArrayLike | str | None
    row_groups: ArrayLike | str | None
    n_bootstrap: int
    random_state: Any
    unknown: Unknown
    horizon: float | None


@dataclass(frozen=True)
class Evaluation:
    """Scores of one model on rows with known targets.

    Attributes
    ----------
    family, lam
        Of the model.
    n_rows : int
        The rows that have a weight.
    n_groups : int or None
        How many groups of rows were drawn as wholes, where groups were given.
    n_bootstrap : int
        From how many bootstrap samples of the rows the intervals are.
    scores : dict of str to float
        Each score by name; NaN where it is undefined, as the area under the curve is where a class has no row.
    intervals : dict of str to (float, float)
        From the 2.5 % to the 97.5 % point of each score over the bootstrap samples: how much it would vary with other
        rows of this kind, the model being what it is. Empty without bootstrap samples.
    null_scores : dict of str to float
        The same scores, as far as it has them, of the model without features with the intercept of the rows that were
        fitted; empty where that is not known (files of earlier versions).
    within : dict of str to float
        Scores by ranks of more rows than memory was allowed for, which were put in bins of predictions: how far from
        the exact value at most. Empty where all scores are exact.
    horizon : float or None
        Of times to an event the one that a Brier score by itself is of, where it was asked for.
    """

    family: str
    lam: float
    n_rows: int
    n_groups: int | None
    n_bootstrap: int
    scores: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    null_scores: dict[str, float]
    within: dict[str, float] = field(default_factory=dict)
    horizon: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data, as `normball score --json` prints it."""
        return {
            "family": self.family,
            "lam": self.lam,
            "n_rows": self.n_rows,
            "n_groups": self.n_groups,
            "n_bootstrap": self.n_bootstrap,
            **({} if self.horizon is None else {"horizon": self.horizon}),
            "scores": [
                {
                    "score": name,
                    "value": value,
                    "low": self.intervals.get(name, (math.nan, math.nan))[0],
                    "high": self.intervals.get(name, (math.nan, math.nan))[1],
                    "without_features": self.null_scores.get(name, math.nan),
                }
                for name, value in self.scores.items()
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evaluation:
        """What `to_dict` gave; None stands for NaN."""

        def of(column: str) -> dict[str, float]:
            return {row["score"]: math.nan if row[column] is None else row[column] for row in data["scores"]}

        low, high, null = of("low"), of("high"), of("without_features")
        return cls(
            **{name: data[name] for name in ("family", "lam", "n_rows", "n_groups", "n_bootstrap")},
            scores=of("value"),
            intervals={name: (low[name], high[name]) for name in low if data["n_bootstrap"]},
            null_scores={name: value for name, value in null.items() if not math.isnan(value)},
            horizon=data.get("horizon"),
        )

    def to_frame(self) -> polars.DataFrame:
        """One row a score: `score`, `value`, `low`, `high`, `without_features`."""
        import polars

        return polars.DataFrame(self.to_dict()["scores"])

    def summary(self) -> str:
        """The scores in plain text."""
        return "\n".join([self.head(), *table(self.rows(), align="<>>>")])

    def head(self) -> str:
        """Which rows these are, in a sentence."""
        rows = tr("{0} row" if self.n_rows == 1 else "{0} rows", f"{self.n_rows:,}")
        groups = "" if self.n_groups is None else tr(" in {0} groups", f"{self.n_groups:,}")
        return tr("{0}{1} at lambda {2}", rows, groups, f"{self.lam:.4g}")

    def rows(self, title: str = "") -> list[list[str]]:
        """Titles, and a row for each score."""
        from normball.results.facts import figures

        def shown(value: float | None) -> str:
            return "-" if value is None or math.isnan(value) else figures(value)

        head = [title, tr("model"), tr("{0} % interval", f"{100 * LEVEL:.0f}"), tr("without features")]
        body = []
        for name, value in self.scores.items():
            low, high = self.intervals.get(name, (math.nan, math.nan))
            between = "-" if math.isnan(low) else tr("{0} to {1}", figures(low), figures(high))
            body.append([self._label(name), shown(value), between, shown(self.null_scores.get(name))])
        return [head, *body]

    def _label(self, name: str) -> str:
        if name == AT_HORIZON:
            return tr("Brier score at time {0}", f"{self.horizon:g}")
        return tr(label_of(name, find_family(self.family)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{self._label(name)} {value:.4g}" for name, value in self.scores.items())
        return f"<Evaluation {self.family}, {self.n_rows:,} rows: {shown}>"


@dataclass(frozen=True)
class JudgedRows:
    """The rows that are judged, all of which have a weight."""

    scores: dict[str, ByWeighting]
    null_scores: dict[str, ByWeighting]  # of the model without features
    weights: Array
    groups: NDArray[np.intp] | None
    n_predictions: int

    @classmethod
    def of_numbers(
        cls,
        family: Family,
        y: Array,
        eta: Array,
        null_eta: Array | None,
        weights: Array,
        groups: NDArray[np.intp] | None,
    ) -> JudgedRows:
        """Those with a target of numbers or classes, and linear predictors."""
        names = told_of(family, bool(np.isin(y, (0.0, 1.0)).all()))
        scores, null_scores = (
            {name: weighted_score(name, family, y, one) for name in names} if one is not None else {}
            for one in (eta, null_eta)
        )
        return cls(scores, null_scores, weights, groups, y.size)

    def evaluation(self, fit: Fit, n_bootstrap: int, generator: np.random.Generator) -> Evaluation:
        """All scores, their intervals, and those of the model without features."""
        once = self.weights[None, :] / self.weights.mean()
        samples: dict[str, list[Array]] = {name: [] for name in self.scores}
        width = max(1, BLOCK // self.n_predictions)
        for start in range(0, n_bootstrap, width):
            weights = self.resampled(min(width, n_bootstrap - start), generator)
            for name, score in self.scores.items():
                samples[name].append(score(weights))
        null_scores = {name: float(score(once)[0]) for name, score in self.null_scores.items()}
        return Evaluation(
            family=fit.family,
            lam=fit.lam,
            n_rows=self.weights.size,
            n_groups=None if self.groups is None else int(self.groups.max()) + 1,
            n_bootstrap=n_bootstrap,
            scores={name: float(score(once)[0]) for name, score in self.scores.items()},
            intervals={name: interval(np.concatenate(parts)) for name, parts in samples.items() if parts},
            null_scores={name: value for name, value in null_scores.items() if math.isfinite(value)},
        )

    def resampled(self, n_samples: int, generator: np.random.Generator) -> Array:
        """Weights (n_samples, n) of bootstrap samples: how often each row or its group was drawn, times its weight."""
        size = self.weights.size if self.groups is None else int(self.groups.max()) + 1
        counts = np.array([np.bincount(generator.integers(size, size=size), minlength=size) for _ in range(n_samples)])
        drawn = counts if self.groups is None else counts[:, self.groups]
        return np.asarray(drawn * (self.weights / self.weights.mean()))


def told_of(family: Family, has_labels: bool) -> list[str]:
    """The scores of a family, of shares of classes without those that need labels."""
    return [name for name in family.told if name not in OF_LABELS or has_labels]


def interval(values: Array) -> tuple[float, float]:
    """The middle 95 % of the values that are numbers; NaN where half of them are none."""
    known = values[np.isfinite(values)]
    if 2 * known.size < values.size or not known.size:
        return math.nan, math.nan
    low, high = np.quantile(known, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return float(low), float(high)
