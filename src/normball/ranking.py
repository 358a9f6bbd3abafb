"""`Ranking`: how models of several mixes of the penalty do beside the best of all, and which of them to take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from normball.cv_result import CVPath
from normball.family import written
from normball.results.arrays import Array
from normball.results.cross_validated import Choice, summarise_folds
from normball.results.fit import Fit

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


class Ranking:
    """Cross-validated paths of several mixes on the same folds; the attribute is a field of `Comparison`."""

    paths: tuple[CVPath, ...]

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

        Parameters
        ----------
        l1_ratio : float
            The mix.

        Returns
        -------
        CVPath

        Raises
        ------
        ValueError
            If that mix was not compared.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> comparison.with_mix(0).at("best").n_nonzero
        5
        """
        for cv in self.paths:
            if math.isclose(cv.path.l1_ratio, l1_ratio, rel_tol=0.0, abs_tol=1e-12):
                return cv
        kept = ", ".join(map(written, self.l1_ratios))
        raise ValueError(f"there is no path with l1_ratio={written(l1_ratio)}: those compared are {kept}")

    def losses(self, cv: CVPath) -> tuple[Array, Array]:
        """How much worse than the best model of all each model of a path is.

        Parameters
        ----------
        cv : CVPath
            One of `paths`.

        Returns
        -------
        losses, errors : ndarray, shape (n_lambdas,)
            The mean of the differences fold by fold, and its standard error.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> losses, errors = comparison.losses(comparison.best)
        >>> float(losses[comparison.best.index_best])
        0.0
        """
        best = self.best
        mean, error = summarise_folds(
            self._sign * (cv.fold_scores - best.fold_scores[:, [best.index_best]]), cv.fold_weights
        )
        return mean, error

    def candidate(self, cv: CVPath, which: Choice | int) -> Candidate:
        """One model of a path, beside the best of all.

        Parameters
        ----------
        cv : CVPath
            One of `paths`.
        which : {"best", "1se"} or int
            The strength, by name or by its position on the path.

        Returns
        -------
        Candidate
            With its `fit`, its score, and its `loss`.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> comparison.candidate(comparison.with_mix(1), "1se").n_nonzero
        1
        """
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
        """The model with the fewest features that loses little.

        Parameters
        ----------
        most_loss : float
            How much it may lose: a share, 0 to 1, of the `gain`.

        Returns
        -------
        Candidate

        Raises
        ------
        ValueError
            If `most_loss` is no share.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> comparison.short_list(0.05).n_nonzero
        1
        """
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

        Raises
        ------
        ValueError
            If `select` is neither of the two.

        Examples
        --------
        >>> import numpy as np, normball as nb
        >>> X = np.random.default_rng(0).normal(size=(80, 5))
        >>> y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=80)
        >>> comparison = nb.compare(X, y, (1, 0), cv=5)
        >>> comparison.pick("1se").path.l1_ratio
        1.0
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
