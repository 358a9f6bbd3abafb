"""scikit-learn's linear models with normball's solver: change the import, nothing else.

::

    from normball.drop_in import Lasso, LassoCV     # was: from sklearn.linear_model import Lasso, LassoCV

Each class is scikit-learn's own with another `fit`: its parameters, defaults, fitted attributes, deprecations and the
scaling of its strength are those of the installed version (written for 1.9). Nothing is standardised. What differs is
that every solution is certified: `dual_gap_` bounds how far the objective is from its minimum.

=====================  =====================  =============================================================
scikit-learn           here                   objective in scikit-learn's scale, whose gap is `dual_gap_`
=====================  =====================  =============================================================
Lasso(alpha)           lam = alpha            1/(2 W) sum w (y - Xb)² + alpha |b|₁
ElasticNet(alpha, r)   lam = alpha            1/(2 W) sum w (y - Xb)² + alpha (r |b|₁ + (1 - r)/2 |b|₂²)
Ridge(alpha)           lam = alpha / W        sum w (y - Xb)² + alpha |b|₂²
LogisticRegression     lam = 1 / (C W)        1/W sum w loss + (r |b|₁ + (1 - r)/2 |b|₂²) / (C W)
=====================  =====================  =============================================================

where `W` is the sum of the sample weights (times the class weights), `r` is `l1_ratio` and the words `lam` and
`l1_ratio` are those of `normball.fit_path`. In cross-validation `W` is the sum over the training rows of a fold.

Some options concern the method and not the answer. They are accepted, and what they promise holds:

* `solver`, `selection`, `random_state`, `gcv_mode`, `copy_X` and a boolean or "auto" `precompute` choose among ways to
  the same minimum; here there is one way, without randomness or writing to `X`. `solver` limits neither `l1_ratio` nor
  the kind of `X`.
* `tol` is an upper limit: the relative duality gap is at most `tol` and at most 1e-6.
* `max_iter` limits this solver's own iterations; ConvergenceWarning says when it was reached.
* `n_jobs` is the number of threads, `verbose` shows a progress bar.

What has no meaning here raises NotImplementedError: several targets, `warm_start=True`, a given Gram matrix,
`dual=True`, `intercept_scaling`, and `solver="liblinear"` with an intercept, which it would penalise. More than two
classes are a ValueError.
"""

from normball.drop_in.linear import ElasticNet, ElasticNetCV, Lasso, LassoCV
from normball.drop_in.logistic import LogisticRegression, LogisticRegressionCV
from normball.drop_in.ridge import Ridge, RidgeCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "LogisticRegression",
    "LogisticRegressionCV",
    "Ridge",
    "RidgeCV",
]
