"""`Comparison`: cross-validated paths of several mixes of the penalty on the same folds, and which of them to take."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.cv_result import Choice, CVPath, summarise_folds
from normball.family import written
from normball.results.arrays import Array
from normball.results.fit import Fit
from normball.results.frames import in_library
from normball.results.kinds import Kind, Unknown

if TYPE_CHECKING:
    import os

    from normball.export.exporting import ExportOptions
SHORT_LIST_LOSS = 0.1  # of what the best model gains over the one without features


@dataclass(frozen=True, eq=False)
class Candidate:
    """One model of a comparison, and how it does beside the best of all on the same folds.

    Attributes
    ----------
    cv : CVPath
        The cross-validated path of its mix.
    index : int
        Its position on that path.
    loss : float
        How much worse its score is than that of the best model of all: the mean of the differences fold by fold.
    loss_se : float
        The standard error of that mean; NaN with a single fold.
    """

    cv: CVPath
    index: int
    loss: float
    loss_se: float

    @property
    def l1_ratio(self) -> float:
        """The mix of its penalty."""
        return self.cv.path.l1_ratio

    @property
    def lam(self) -> float:
        """Its strength."""
        return float(self.cv.lambdas[self.index])

    @property
    def n_nonzero(self) -> int:
        """How many features it keeps."""
        return int(self.cv.path.n_nonzero[self.index])

    @property
    def cv_mean(self) -> float:
        """Its mean score on held-out rows."""
        return float(self.cv.cv_mean[self.index])

    @property
    def cv_se(self) -> float:
        """The standard error of `cv_mean`; that of the differences is usually much smaller."""
        return float(self.cv.cv_se[self.index])

    @property
    def fit(self) -> Fit:
        """The model."""
        return self.cv.at(lam=self.lam)

    def __repr__(self) -> str:
        loss = f"{self.loss:.3g} +/- {self.loss_se:.2g}"
        kept = f"{self.n_nonzero:,} features"
        return f"<Candidate l1_ratio {written(self.l1_ratio)}, lambda {self.lam:.3g}, {kept}, loss {loss}>"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Cross-validated paths of several mixes on the same folds; iterates over them.

    A loss is a paired difference: the score of a model less that of another one fold by fold, with the sign that makes
    it positive where the first is worse. Folds that are hard for one model are hard for the others, so that the mean of
    the differences is known better than either score.

    Attributes
    ----------
    paths : tuple of CVPath
        One for each mix.
    best : CVPath
        The path with the best mean score of all.
    null_mean, null_se : float
        Score of the model without features on the same folds.
    """

    saved_as: ClassVar[str] = "comparison"

    paths: tuple[CVPath, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[CVPath]:
        return iter(self.paths)

    def __getitem__(self, index: int) -> CVPath:
        return self.paths[index]

    @property
    def l1_ratios(self) -> tuple[float, ...]:
        """The mixes, in the order of `paths`."""
        return tuple(cv.path.l1_ratio for cv in self.paths)

    @property
    def best(self) -> CVPath:
        """The path with the best mean score of all."""
        scores = [cv.cv_mean[cv.index_best] for cv in self.paths]
        return self.paths[int(np.argmax(scores) if self.paths[0].greater_is_better else np.argmin(scores))]

    @property
    def null_mean(self) -> float:
        """Mean score of the model without features."""
        return self.paths[0].null_mean

    @property
    def null_se(self) -> float:
        """Standard error of `null_mean`."""
        return self.paths[0].null_se

    @property
    def gain(self) -> float:
        """How much better the best model of all is than the one without features; 0 where it is not, NaN if unknown."""
        return float(np.maximum(0.0, self._sign * (self.null_mean - self.best.cv_mean[self.best.index_best])))

    @property
    def _sign(self) -> float:
        """What turns a difference of scores into a loss."""
        return -1.0 if self.paths[0].greater_is_better else 1.0

    @property
    def null_loss(self) -> tuple[float, float]:
        """How much worse the model without features is than the best model of all, and the standard error."""
        best = self.best
        if best.null_fold_scores is None:
            return math.nan, math.nan
        own = best.null_fold_scores - best.fold_scores[:, best.index_best]
        mean, error = summarise_folds(self._sign * own[:, None], best.fold_weights)
        return float(mean[0]), float(error[0])

    @property
    def finds_nothing(self) -> bool:
        """Whether no model of any mix does better than the one without features."""
        return self.gain == 0.0

    def with_mix(self, l1_ratio: float) -> CVPath:
        """The path of one mix.

        Raises
        ------
        ValueError
            If that mix was not compared.
        """
        for cv in self.paths:
            if math.isclose(cv.path.l1_ratio, l1_ratio, rel_tol=0.0, abs_tol=1e-12):
                return cv
        kept = ", ".join(map(written, self.l1_ratios))
        raise ValueError(f"there is no path with l1_ratio={written(l1_ratio)}: those compared are {kept}")

    def losses(self, cv: CVPath) -> tuple[Array, Array]:
        """How much worse than the best model of all each model of a path is, and the standard errors, by lambda."""
        best = self.best
        mean, error = summarise_folds(
            self._sign * (cv.fold_scores - best.fold_scores[:, [best.index_best]]), cv.fold_weights
        )
        return mean, error

    def candidate(self, cv: CVPath, which: Choice | int) -> Candidate:
        """The model of a path at "best", "1se" or a position on it."""
        index = cv.index_of(which) if isinstance(which, str) else range(cv.lambdas.size)[which]
        mean, error = self.losses(cv)
        return Candidate(cv, int(index), float(mean[index]), float(error[index]))

    @property
    def for_prediction(self) -> Candidate:
        """The model with the best mean score of all."""
        return self.candidate(self.best, "best")

    @property
    def simpler(self) -> Candidate | None:
        """The model with the fewest features whose loss is within one standard error; None if none has fewer."""
        found = self._fewest_features(lambda loss, error: loss <= error)
        return found if found is not None and found.n_nonzero < self.for_prediction.n_nonzero else None

    def short_list(self, most_loss: float = SHORT_LIST_LOSS) -> Candidate:
        """The model with the fewest features that loses at most this share of the `gain`."""
        if not 0.0 <= most_loss <= 1.0:
            raise ValueError(f"most_loss is {most_loss!r}, but must be a share from 0 to 1")
        most = most_loss * self.gain
        found = self._fewest_features(lambda loss, error: loss <= most)
        return self.for_prediction if found is None else found

    def _fewest_features(self, admits: Any) -> Candidate | None:
        """The model with the fewest features among those admitted by loss and error, the best of several."""
        found: tuple[int, float, CVPath, int, float] | None = None
        for cv in self.paths:
            losses, errors = self.losses(cv)
            n_nonzero = cv.path.n_nonzero
            with np.errstate(invalid="ignore"):
                places = np.flatnonzero(admits(losses, np.nan_to_num(errors)))
            for index in places.tolist():
                one = (int(n_nonzero[index]), float(losses[index]), cv, index, float(errors[index]))
                if found is None or one[:2] < found[:2]:
                    found = one
        return None if found is None else Candidate(found[2], found[3], found[1], found[4])

    def pick(self, select: Choice = "1se") -> CVPath:
        """The path to predict with.

        Parameters
        ----------
        select : {"1se", "best"}
            "best" takes the mix with the best score. "1se" takes one of the mixes whose best model is within one
            standard error of that (of the paired differences): the one that keeps the fewest features at its
            `lambda_1se`, and of several such the one with most of L1. It is the simplest where the data cannot tell, as
            the rule of that name is along lambda. Where no mix does better than the model without features, all of
            them are as near.

        Returns
        -------
        CVPath
        """
        if select == "best":
            return self.best
        if select != "1se":
            raise ValueError(f'{select!r} is no rule to pick a mix by: use "best" or "1se"')
        near = []
        for cv in self.paths:
            one = self.candidate(cv, "best")
            if self.finds_nothing or one.loss <= (one.loss_se if one.loss_se > 0.0 else 0.0):
                near.append((int(cv.path.n_nonzero[cv.index_1se]), -cv.path.l1_ratio, cv))
        return min(near, key=lambda found: found[:2])[2]

    @property
    def picked(self) -> CVPath:
        """The path to predict with, by the rule "1se"; see `pick`."""
        return self.pick("1se")

    def predict(
        self,
        X: Any,
        *,
        l1_ratio: float | None = None,
        lam: Choice | float = "1se",
        kind: Kind = "link",
        offset: ArrayLike | str | None = None,
        unknown: Unknown = "error",
        times: ArrayLike | None = None,
        strata: ArrayLike | str | None = None,
    ) -> NDArray[Any]:
        """Predict for new rows with one mix, by default the one that `pick` takes; see `CVPath.predict`."""
        cv = self.pick(lam if isinstance(lam, str) else "1se") if l1_ratio is None else self.with_mix(l1_ratio)
        return cv.predict(X, lam=lam, kind=kind, offset=offset, unknown=unknown, times=times, strata=strata)

    def export(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        l1_ratio: float | None = None,
        lam: Choice | float = "1se",
        **options: Unpack[ExportOptions],
    ) -> str | bytes:
        """Write the model of one mix, by default the one that `pick` takes, for another program; see `Fit.export`."""
        cv = self.pick(lam if isinstance(lam, str) else "1se") if l1_ratio is None else self.with_mix(l1_ratio)
        return cv.export(path, lam=lam, **options)

    def to_frame(self) -> Any:
        """One row for each mix and choice of strength ("best", "1se"): its score, and its loss to the best of all."""
        import polars

        choices: tuple[Choice, Choice] = ("best", "1se")
        rows = [
            {
                "l1_ratio": one.l1_ratio,
                "choice": which,
                "lam": one.lam,
                "cv_mean": one.cv_mean,
                "cv_se": one.cv_se,
                "loss": one.loss,
                "loss_se": one.loss_se,
                "n_nonzero": one.n_nonzero,
            }
            for cv in self.paths
            for which in choices
            for one in (self.candidate(cv, which),)
        ]
        return in_library(polars.DataFrame(rows), self.paths[0].path.preparation.library)

    def summary(self) -> str:
        """The comparison in plain text."""
        from normball.results.mixes import comparison_summary

        return comparison_summary(self)

    def report(
        self,
        path: str | os.PathLike[str],
        X: Any = None,
        y: Any = None,
        *,
        select: Choice = "1se",
        sample_weight: Any = None,
        offset: Any = None,
        strata: Any = None,
    ) -> None:
        """Write the HTML page about all mixes; it opens with the one that `pick(select)` takes.

        Parameters
        ----------
        path : path-like
            The file to write.
        X, y, sample_weight, offset, strata : optional
            The data as `compare` got them; see `CVPath.report`.
        select : {"1se", "best"}
            The rule that chooses mix and strength.

        Raises
        ------
        DataError
            If the data are not those that the models were fitted to.
        """
        from normball.evidence.refound import refound
        from normball.report import write_report
        from normball.run import Run

        if (X is None) != (y is None):
            raise TypeError("report() takes both X and y, or neither")
        first = self.paths[0].path
        data = None if X is None else refound(first, X, y, sample_weight=sample_weight, offset=offset, strata=strata)
        write_report(self.pick(select), path, Run(select=select), data, self if len(self) > 1 else None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all paths and their cross-validation as JSON; `normball.load` reads it."""
        from normball.results.saving import save

        save(self, path)

    def __repr__(self) -> str:
        ratios = ", ".join(map(written, self.l1_ratios))
        return f"<Comparison of l1_ratio {ratios}: best {written(self.best.path.l1_ratio)}>"

    def _repr_html_(self) -> str:
        from normball.results.notebook import comparison_html

        return comparison_html(self)
