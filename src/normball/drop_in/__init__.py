"""scikit-learn's linear models with normball's solver: change the import, nothing else.

::

    from normball.drop_in import Lasso, LassoCV     # was: from sklearn.linear_model import Lasso, LassoCV

Each class is scikit-learn's own with another `fit`: its parameters, defaults, fitted attributes, deprecations and the
scaling of its strength are those of the installed version (written for 1.9). Nothing is standardised. What differs is
that every solution is certified: `dual_gap_` bounds how far the objective is from its minimum.

=====================  =====================  =============================================================
scikit-learn           here                   objective in scikit-learn's scale, whose gap is `dual_gap_`
=====================  =====================  =============================================================
Lasso(alpha)           lam = alpha            1/(2 W) sum w (y - Xb)² + alpha ‖b‖₁
ElasticNet(alpha, r)   lam = alpha            1/(2 W) sum w (y - Xb)² + alpha (r ‖b‖₁ + (1 - r)/2 ‖b‖₂²)
Ridge(alpha)           lam = alpha / W        sum w (y - Xb)² + alpha ‖b‖₂²
MultiTaskLasso(alpha)  lam = alpha            1/(2 W) sum w ‖y - Bx‖₂² + alpha sum_j ‖b_j‖₂
MultiTaskElasticNet    lam = alpha            1/(2 W) sum w ‖y - Bx‖₂² + alpha sum_j (r ‖b_j‖₂ + (1 - r)/2 ‖b_j‖₂²)
LogisticRegression     lam = 1 / (C W)        1/W sum w loss + (r ‖b‖₁ + (1 - r)/2 ‖b‖₂²) / (C W)
PoissonRegressor       lam = alpha            1/(2 W) sum w deviance + alpha/2 ‖b‖₂²
GammaRegressor         lam = alpha            the same
TweedieRegressor       lam = alpha            the same; power 0, or 1 to 2
=====================  =====================  =============================================================

where `W` is the sum of the sample weights (times the class weights), `r` is `l1_ratio` and the words `lam` and
`l1_ratio` are those of `normball.fit_path`. In cross-validation `W` is the sum over the training rows of a fold.

Some options concern the way and not the answer. They are accepted, and what they promise holds:

* `solver`, `selection`, `dual`, `random_state`, `gcv_mode` and `copy_X` choose among ways to the same minimum; here
  there is one way, without randomness or writing to `X`. A solver limits neither `l1_ratio` nor `positive` nor the kind
  of `X`.
* `precompute`: no Gram matrix is needed. One that is given has to be that of the data (every entry is checked), since
  scikit-learn's answer would be that of the matrix.
* `tol` is an upper limit: the relative duality gap is at most `tol` and at most 1e-6. `LogisticRegression` aims at a
  thousandth of that, and at the square of `tol`: errors of coefficients go with the root of the gap.
* `max_iter` limits the iterations; convergence warnings begin as those of the `solver` do. `Lasso` and `ElasticNet` go
  down a path to `alpha` and `n_iter_` counts its steps: where `max_iter` ends it before `alpha`, a ConvergenceWarning
  says so, and `dual_gap_` how far the model is from the minimum.
* `warm_start`: coefficients of the last fit that solve the new problem are kept (`n_iter_` is 0); otherwise the path
  goes on from where it ended. `LogisticRegression` has no such path: it starts afresh, with the same answer, and where
  `max_iter` had cut off the same problem it takes as many iterations more.
* `n_jobs` is the number of threads, `verbose` shows a progress bar, `check_input` is always on.

`Lasso`, `ElasticNet`, `Ridge` and `RidgeCV` fit several targets, a model for each column of `y`.

One solver changes the answer: `solver="liblinear"` penalises the intercept, as in scikit-learn, as the coefficient of a
column of the value `intercept_scaling` (in `LogisticRegressionCV` that goes for the last fit, too, where scikit-learn
takes 1). It computes in double precision.

Callbacks (`set_callbacks`) of `LogisticRegression` are told of every iteration where `solver` is "lbfgs", the default.
The engine starts afresh for each of them, which takes its time; without callbacks it does not.

More than two classes are multinomial, with a row of coefficients each, all of them penalised; intercepts (and
coefficients under an L2 penalty or none) sum to 0 over the classes. `solver="liblinear"` is a ValueError there, as in
scikit-learn. A class that the training rows of a fold lack, or whose weight is 0, has the intercept minus infinity,
that is the probability 0; without an intercept, that is a ValueError. The training rows of a fold may even be of one
class, which is then certain, with a warning.

A fold without a score does not decide: where its held-out rows weigh nothing, or lack a class that the score needs, it
is left out of the mean over folds, with a warning. (scikit-learn takes the first strength there, or raises.)

`TweedieRegressor` of powers other than 0 and 1 to 2 raises NotImplementedError, since their loss is not convex, and so
does one with another link than identity for power 0 and log for the others.

scikit-learn's own tests run on these classes; docs/drop_in.md has the numbers, and what is left out and why.
"""

from normball.drop_in.linear import ElasticNet, ElasticNetCV, Lasso, LassoCV
from normball.drop_in.log_link import GammaRegressor, PoissonRegressor, TweedieRegressor
from normball.drop_in.logistic import LogisticRegression, LogisticRegressionCV
from normball.drop_in.multi_task import MultiTaskElasticNet, MultiTaskElasticNetCV, MultiTaskLasso, MultiTaskLassoCV
from normball.drop_in.ridge import Ridge, RidgeCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "GammaRegressor",
    "Lasso",
    "LassoCV",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "PoissonRegressor",
    "Ridge",
    "RidgeCV",
    "TweedieRegressor",
]
