"""Published results, from open data: vignettes and books, through the public surface alone.

glmnet's vignette prints what glmnet reaches at its default threshold, 1e-7, which is up to 5e-5
(gaussian) or 5e-3 (other families) away from the minimiser.  golden/vignette.R makes the same calls
at the default and at 1e-14: the first equals the printed digits, the second equals ours.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import normball as nb

VIGNETTE = json.loads((Path(__file__).parent / "golden" / "vignette.json").read_text())
EXACT = {"tol": 1e-12}
PROSTATE = ("lcavol", "lweight", "age", "lbph", "svi", "lcp", "gleason", "pgg45")


def printed(digits):
    """Return the values of a printed row and half a unit of their last digits."""
    words = digits.split()
    unit = max(0.5 * 10.0 ** -len(w.partition(".")[2]) for w in words)
    return np.array([float(w) for w in words]), unit * (1 + 1e-6)


def assert_printed(values, digits, slack=0.0):
    numbers, unit = printed(digits)
    np.testing.assert_allclose(values, numbers, rtol=0, atol=unit + slack)


def assert_vignette(key, values, digits, slack, rows=slice(None), tight=1e-6):
    """Compare three parties: glmnet's default with print, glmnet's tight run with ours, and print with ours."""
    assert_printed(np.array(VIGNETTE["default"][key])[rows], digits)
    np.testing.assert_allclose(values, VIGNETTE["tight"][key], rtol=tight, atol=tight)
    assert_printed(np.asarray(values)[rows], digits, slack)


def with_intercept(fit):
    return np.r_[fit.intercept, fit.coef]


def columns(frame, names):
    return frame.select(names).to_numpy().astype(float)


@pytest.fixture(scope="module")
def quickstart(read_shared):
    frame = read_shared("glmnet_quickstart").to_numpy().astype(float)
    return frame[:, 1:].copy(), frame[:, 0].copy()


@pytest.fixture(scope="module")
def quickstart_path(quickstart):
    return nb.fit_path(*quickstart, **EXACT)


@pytest.fixture(scope="module")
def binomial(read_shared):
    frame = read_shared("glmnet_binomial").to_numpy().astype(float)
    return frame[:, 1:].copy(), frame[:, 0].copy()


@pytest.fixture(scope="module")
def diabetes(read_shared):
    frame = read_shared("diabetes10")
    names = ["age", "sex", "bmi", "map", "tc", "ldl", "hdl", "tch", "ltg", "glu"]
    return columns(frame, names), frame["y"].to_numpy().astype(float), names


@pytest.fixture(scope="module")
def prostate(read_shared):
    frame = read_shared("prostate_esl")
    return columns(frame, PROSTATE), frame["lpsa"].to_numpy(), frame["train"].to_numpy() == 1


class TestVignetteGaussian:
    """glmnet 4.1-8, inst/doc/glmnet.pdf, pages 4-13 and 36-37 (data glmnet_quickstart)."""

    def test_path(self, quickstart_path):
        """Print of glmnet(x, y), first rows: Df, %Dev, Lambda."""
        lambdas = ["1.63100", "1.48600", "1.35400", "1.23400", "1.12400", "1.02400"]
        assert [f"{float(f'{lam:.4g}'):.5f}" for lam in quickstart_path.lambdas[:6]] == lambdas
        assert quickstart_path.n_nonzero[:6].tolist() == [0, 2, 2, 2, 2, 2]
        assert_printed(100 * quickstart_path.deviance_ratio[:6], "0.00 5.53 14.59 22.11 28.36 33.54")

    def test_coefficients(self, quickstart_path):
        """coef(fit, s = 0.1), interpolated as glmnet does; the print stops at V7."""
        digits = "0.150928072 1.320597195 0.000000000 0.675110234 0.000000000 -0.817411518 0.521436671 0.004829335"
        assert_vignette("coef_0.1", with_intercept(quickstart_path.at(lam=0.1)), digits, 4e-5, slice(0, 8))

    def test_exact_and_interpolated(self, quickstart, quickstart_path):
        """coef.approx and coef.exact at s = 0.5, nonzero ones."""
        nonzero = [0, 1, 3, 5, 6, 14, 20]
        interpolated = "0.2613110 1.0055473 0.2677134 -0.4476475 0.2379283 -0.8230865 -0.5553675"
        assert_vignette("coef_0.5", with_intercept(quickstart_path.at(lam=0.5)), interpolated, 5e-6, nonzero)
        exact = nb.fit_path(*quickstart, lambdas=[1.0, 0.5], **EXACT).at(lam=0.5)
        digits = "0.2613110 1.0055470 0.2677140 -0.4476485 0.2379286 -0.8230862 -0.5553678"
        assert_printed(with_intercept(exact)[nonzero], digits, 5e-6)
        assert np.flatnonzero(with_intercept(exact)).tolist() == nonzero

    def test_predictions(self, quickstart, quickstart_path):
        """predict(fit, newx = x[1:5, ], s = 0.05)."""
        digits = "-1.3362652 2.5894245 0.5872868 2.0977222 1.6436280"
        assert_vignette("predict_0.05", quickstart_path.predict(quickstart[0][:5], lam=0.05), digits, 5e-5)

    @pytest.mark.parametrize(
        ("run", "lam", "coef", "predictions"),
        [
            (
                "first_cv",
                0.06284188,
                "0.145832036 1.340981414 0.708347140 -0.848087765 0.554823782 0.038519738",
                "-1.3574653 2.5776672 0.5846421 2.0280562 1.5780633",
            ),
            (
                "second_cv",
                0.07569327,
                "0.14867414 1.33377821 0.69787701 -0.83726751 0.54334327 0.02668633",
                "-1.3638848 2.5713428 0.5729785 1.9881422 1.5179882",
            ),
        ],
    )
    def test_at_the_lambdas_of_its_cross_validation(self, quickstart, quickstart_path, run, lam, coef, predictions):
        """coef and predict of cv.glmnet at lambda.min of its two printed runs (the folds are not printed)."""
        lam = quickstart_path.lambdas[np.argmin(np.abs(quickstart_path.lambdas - lam))]
        assert_vignette(f"coef_{run}", with_intercept(quickstart_path.at(lam=lam)), coef, 2e-4, [0, 1, 3, 5, 6, 7])
        ours = quickstart_path.predict(quickstart[0][:5], lam=lam)
        assert_vignette(f"predict_{run}", ours, predictions, 5e-4)

    def test_weighted_elastic_net(self, quickstart):
        """Print of glmnet(x, y, alpha = 0.2, weights = c(rep(1, 50), rep(2, 50)), nlambda = 20).

        glmnet brings y to unit variance before it adds the ridge part, so that its penalty is
        lambda (alpha |b| + (1 - alpha)/2 b²/sd(y)).  Ours is the same for
        l1_ratio = alpha/m and lam = m lambda with m = alpha + (1 - alpha)/sd(y).
        """
        X, y = quickstart
        weights = np.r_[np.ones(50), np.full(50, 2.0)]
        sd = np.sqrt(np.cov(y, aweights=weights, ddof=0))
        m = 0.2 + 0.8 / sd
        path = nb.fit_path(X, y, l1_ratio=0.2 / m, sample_weight=weights, n_lambdas=20, lambda_min_ratio=1e-4, **EXACT)
        digits = (
            "7.939 4.889 3.011 1.854 1.142 0.7033 0.4331 0.2667 0.1643 0."
            "1012 0.0623 0.0384 0.0236 0.0146 0.0090 0.0055 0.0034"
        )
        for ours, word in zip(path.lambdas[:17] / m, digits.split(), strict=True):
            assert_printed([float(f"{ours:.4g}")], word)
        expected = [0, 4, 7, 7, 8, 9, 10, 11, 14, 17, 17, 17, 19, 20, 20, 20, 20]
        assert path.n_nonzero[:17].tolist() == expected
        deviances = (
            "0.00 17.89 44.45 65.67 78.50 85.39 88.67 90.25 91.01 91.38 91.54 91.60 91.63 91.64 91.64 91.65 91.65"
        )
        assert_printed(100 * path.deviance_ratio[:17], deviances)

    def test_single_problem(self, quickstart):
        """Appendix 2: min |y - Xb|² + 8 |b|, solved alike by glmnet, lars and CVX."""
        fit = nb.fit_path(*quickstart, lambdas=[1.0, 0.04], fit_intercept=False, standardize=False, **EXACT).at(
            lam=0.04
        )
        digits = (
            "1.389118 0.007991 0.731234 0.031119 -0.866793 0.564867 0.069678 0.358346 0.000000 0.070565 0.173464"
            " -0.027472 -0.017960 -1.138053 -0.070990 0.000000 0.000000 0.000000 0.000000 -1.097528"
        )
        assert_printed(fit.coef, digits)
        assert np.flatnonzero(fit.coef == 0).tolist() == [8, 15, 16, 17, 18]


class TestVignetteOtherFamilies:
    """glmnet 4.1-8, inst/doc/glmnet.pdf, pages 15-27 (data glmnet_binomial and glmnet_poisson)."""

    def test_classes(self, binomial):
        """predict(fit, newx = x[1:5, ], type = "class", s = c(0.05, 0.01))."""
        path = nb.fit_path(*binomial, family="binomial", **EXACT)
        for lam in (0.05, 0.01):
            assert path.predict(binomial[0][:5], lam=lam, kind="class").tolist() == [0, 1, 1, 0, 1]

    def test_assessment(self, binomial):
        """assess.glmnet on rows 71-100 of a fit with nlambda = 5 on rows 1-70.

        glmnet keeps probabilities within 1e-5 of 0 and 1 when it computes the deviance, and sums
        mse and mae over both classes.  These 70 rows are separable in 30 columns: at the last two
        strengths glmnet's default threshold stops well before the minimum, and 1e-14 a little before.
        """
        X, y = binomial
        path = nb.fit_path(X[:70], y[:70], family="binomial", n_lambdas=5, lambda_min_ratio=1e-4, **EXACT)
        truth = y[70:]
        assessed = {"deviance": [], "misclassification": [], "auc": [], "mse": [], "mae": []}
        for lam in path.lambdas:
            p = path.predict(X[70:], lam=lam, kind="response")
            kept = p.clip(1e-5, 1 - 1e-5)
            above = p[truth == 1][:, None] - p[truth == 0]
            assessed["deviance"].append(-2 * np.mean(truth * np.log(kept) + (1 - truth) * np.log(1 - kept)))
            assessed["misclassification"].append(np.mean((p > 0.5) != truth))
            assessed["auc"].append(np.mean((above > 0) + 0.5 * (above == 0)))
            assessed["mse"].append(2 * np.mean((truth - p) ** 2))
            assessed["mae"].append(2 * np.mean(np.abs(truth - p)))
        for key, digits, slack in (
            ("deviance", "1.3877348 0.8612331 1.7948439 3.0335905 3.6930687", 0.03),
            ("misclassification", "0.4666667 0.1666667 0.2333333 0.1666667 0.1666667", 0),
            ("auc", "0.5000000 0.9062500 0.8482143 0.8169643 0.8303571", 0.03),
            ("mse", "0.5006803 0.2529304 0.3633411 0.3514574 0.3500440", 0.006),
            ("mae", "0.9904762 0.5114320 0.4597047 0.3928790 0.3767338", 0.007),
        ):
            assert_vignette(key, assessed[key], digits, slack, tight=1e-5)

    def test_poisson(self, read_shared):
        """coef(fit, s = 1) and predict(fit, newx = x[1:5, ], type = "response", s = c(0.1, 1))."""
        frame = read_shared("glmnet_poisson").to_numpy().astype(float)
        X, y = frame[:, 1:].copy(), frame[:, 0].copy()
        path = nb.fit_path(X, y, family="poisson", tol=1e-11)
        coef = "0.61123371 0.45819758 -0.77060709 1.34015128 0.04350500"
        assert_vignette("poisson_coef_1", with_intercept(path.at(lam=1)), coef, 2e-3, slice(0, 5))
        for lam, means in (
            (0.1, "2.4944232 10.3513120 0.1179704 0.9713412 1.1133472"),
            (1, "4.4263365 11.0586174 0.1781626 1.6828778 1.9934537"),
        ):
            ours = path.predict(X[:5], lam=lam, kind="response")
            assert_vignette(f"poisson_mean_{lam}", ours, means, 6e-3)


class TestLarsOnDiabetes:
    """Efron, Hastie, Johnstone & Tibshirani (2004), data diabetes10: knots of the lasso path.

    Read in scikit-learn's old page auto_examples/linear_model/plot_lasso_lars ("Script output");
    the sums of |b| are scikit-learn's lars_path(method="lasso").  C = max |X'r| = n lam.
    """

    KNOTS = (949.435260384, 889.315990735, 452.900968908, 316.074052698, 130.130851302, 88.7824298155, 68.9652212024,
             19.9812546781, 5.47747294605, 5.0891788056, 2.18224972883, 1.31043524851, 0.0)  # fmt: skip
    MOVES = ("+bmi", "+ltg", "+map", "+hdl", "+sex", "+glu", "+tc", "+tch", "+ldl", "+age", "-hdl", "+hdl")
    NORMS = (0, 60.11926965, 663.66995526, 888.91024335, 1250.6953637, 1440.79804251, 1537.06598321, 1914.57052862,
             2115.73774356, 2195.55885544, 2802.37509283, 2863.01080401, 3460.00495515)  # fmt: skip
    OLS = "-10.0122 -239.8191 519.8398 324.3904 -792.1842 476.7458 101.0446 177.0642 751.2793 67.6254"

    def fit(self, diabetes, bounds):
        X, y, _ = diabetes
        return nb.fit_path(X, y, lambdas=np.asarray(bounds) / y.size, standardize=False, **EXACT)

    def test_supports(self, diabetes):
        """A variable enters, or leaves, between just above and just below its knot."""
        bounds = np.array([[c * (1 + 1e-3), c * (1 - 1e-3)] for c in self.KNOTS[:-1]]).ravel()
        path = self.fit(diabetes, bounds)
        names = np.array(diabetes[2])
        support = set()
        for move, above, below in zip(self.MOVES, path.coefs[::2], path.coefs[1::2], strict=True):
            assert set(names[above != 0]) == support
            support = support ^ {move[1:]}
            assert set(names[below != 0]) == support
        assert path.lambda_max == pytest.approx(self.KNOTS[0] / path.n_rows, rel=1e-11)

    def test_knots_and_norms(self, diabetes):
        """Between two knots the coefficients are linear in C: extended to a knot, the entering one meets C there."""
        X, y, _ = diabetes
        starts, ends = np.array(self.KNOTS[:-1]), np.array(self.KNOTS[1:])
        thirds = np.column_stack([(2 * starts + ends) / 3, (starts + 2 * ends) / 3]).ravel()
        path = self.fit(diabetes, thirds)
        first, second = path.coefs[::2], path.coefs[1::2]
        at_start, at_end = 2 * first - second, 2 * second - first
        for side, knots, norms in ((at_start, starts, self.NORMS[:-1]), (at_end, ends, self.NORMS[1:])):
            np.testing.assert_allclose(np.abs(side).sum(axis=1), norms, rtol=1e-7, atol=1e-4)
            reach = np.sort(np.abs((y - y.mean() - side @ X.T) @ X), axis=1)
            np.testing.assert_allclose(reach[:, -1], knots, rtol=1e-7, atol=1e-5)
        names = list(diabetes[2])
        for k, move in enumerate(self.MOVES):
            j = names.index(move[1:])
            if k > 0 and move[0] == "+":  # at the end of the segment before it enters, already at C
                reach = abs(X[:, j] @ (y - y.mean() - X @ at_end[k - 1]))
                assert reach == pytest.approx(self.KNOTS[k], rel=1e-7)
            if move[0] == "-":
                assert at_end[k - 1, j] == pytest.approx(0, abs=1e-4)

    def test_ends(self, diabetes):
        """Least squares at lam = 0; one variable alone has the slope lambda_max n and the mean as intercept."""
        X, y, _ = diabetes
        ols = self.fit(diabetes, [1.0, 0.0])
        assert_printed(ols.coefs[-1], self.OLS)
        assert ols.statuses[-1] == "converged"
        bmi = nb.fit_path(X[:, 2:3], y, lambdas=[0.0], standardize=False, **EXACT)
        assert_printed(bmi.coefs[0], "949.4352603839")
        assert_printed(bmi.intercepts, "152.1334841629")


class TestProstate:
    """The Elements of Statistical Learning, tables 3.2 and 3.3 (data prostate_esl): 67 rows to fit, 30 to test."""

    def fit(self, prostate, lam, *, ddof, names=PROSTATE, **options):
        """Return intercept, coefficients, test error and its standard error, columns scaled over all 97 rows."""
        X, y, train = prostate
        X = ((X - X.mean(axis=0)) / X.std(axis=0, ddof=ddof))[:, [PROSTATE.index(n) for n in names]]
        path = nb.fit_path(X[train], y[train], lambdas=[lam], **EXACT, **options)
        assert path.statuses[0] == "converged"
        return path.intercepts[0], path.coefs[0], *self.held_out_error(X, y, train, path.intercepts[0], path.coefs[0])

    @staticmethod
    def held_out_error(X, y, train, intercept, coef):
        errors = (y - intercept - X @ coef)[~train] ** 2
        return errors.mean(), errors.std(ddof=1) / np.sqrt(errors.size)

    def test_least_squares_and_subset(self, prostate):
        """clemonster/regressions-by-hand, Ponsonnet_solution.md: the columns LS and best subset."""
        intercept, coef, error, se = self.fit(prostate, 0.0, ddof=1)
        assert_printed([intercept], "2.465")
        assert_printed(coef, "0.680 0.263 -0.141 0.210 0.305 -0.288 -0.021 0.267")
        assert_printed([error, se], "0.521 0.179")
        intercept, coef, error, se = self.fit(prostate, 0.0, ddof=1, names=("lcavol", "lweight"))
        assert_printed([intercept, *coef], "2.477 0.740 0.316")
        assert_printed([error, se], "0.492 0.143")

    def test_lasso_and_ridge_as_lars_scales(self, prostate):
        """The same file's lasso and ridge ("lambda ~22"): penalty on the training rows' scale, intercept mean(y).

        Their strengths are not printed; one strength gives every number of the column.
        """
        X, y, train = prostate
        X = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
        for lam, l1_ratio, digits, errors in (
            (0.2112, 1.0, "0.532 0.169 0 0 0.092 0 0 0", "0.481 0.166"),
            (22.33 / 67, 0.0, "0.418 0.229 -0.048 0.169 0.234 0.000 0.042 0.132", "0.493 0.163"),
        ):
            _, coef, _, _ = self.fit(prostate, lam, ddof=1, l1_ratio=l1_ratio)
            assert_printed(coef, digits)
            assert_printed(self.held_out_error(X, y, train, y[train].mean(), coef), errors)

    def test_table_3_2(self, prostate):
        """empathy87's notebook "Prostate Cancer": coefficients, standard errors and Z of least squares."""
        X, y, train = prostate
        intercept, coef, _, _ = self.fit(prostate, 0.0, ddof=1)
        rows = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)])[train]
        theta = np.r_[intercept, coef]
        variance = np.sum((y[train] - rows @ theta) ** 2) / (67 - 9)
        se = np.sqrt(variance * np.diag(np.linalg.inv(rows.T @ rows)))
        assert_printed(theta, "2.46 0.68 0.26 -0.14 0.21 0.31 -0.29 -0.02 0.27")
        assert_printed(se, "0.09 0.13 0.10 0.10 0.10 0.12 0.15 0.15 0.15")
        assert_printed(theta / se, "27.60 5.37 2.75 -1.40 2.06 2.47 -1.87 -0.15 1.74")
        assert np.mean((y[~train] - y[train].mean()) ** 2) == pytest.approx(1.057, abs=5e-4)

    def test_table_3_3(self, prostate):
        """The same notebook's lasso (lambda 0.209) and ridge (5 degrees of freedom; its strength is not printed)."""
        intercept, coef, error, se = self.fit(prostate, 0.209, ddof=0, standardize=False)
        assert_printed([intercept, *coef], "2.468 0.536 0.187 0 0 0.085 0 0 0.006")
        assert_printed([error, se], "0.479 0.164")
        intercept, coef, error, se = self.fit(prostate, 27.0 / 67, ddof=0, standardize=False, l1_ratio=0.0)
        assert_printed([intercept, *coef], "2.464 0.405 0.234 -0.042 0.158 0.221 0.010 0.042 0.128")
        assert_printed([error, se], "0.492 0.164")
        redone = self.fit(prostate, 0.209, ddof=1, standardize=False)[1]
        assert_printed(redone[[0, 1, 4, 7]], "0.538 0.188 0.085 0.005")


@pytest.mark.parametrize(
    ("names", "coefficients", "errors"),
    [
        (
            "sbp tobacco ldl famhist obesity alcohol age",
            "-4.130 0.006 0.080 0.185 0.939 -0.035 0.001 0.043",
            "0.964 0.006 0.026 0.057 0.225 0.029 0.004 0.010",
        ),
        ("tobacco ldl famhist age", "-4.204 0.081 0.168 0.924 0.044", "0.498 0.026 0.054 0.223 0.010"),
    ],
)
def test_heart_disease(read_shared, names, coefficients, errors):
    """ESL tables 4.2 and 4.3 (empathy87's notebook "South African Heart Disease"): logistic without penalty."""
    frame = read_shared("saheart")
    frame = frame.with_columns(famhist=frame["famhist"] == "Present")
    X, y = columns(frame, names.split()), frame["chd"].to_numpy()
    path = nb.fit_path(X, y, family="binomial", lambdas=[0.0], **EXACT)
    assert path.statuses[0] == "converged"
    p = path.predict(X, lam=0.0, kind="response")
    rows = np.column_stack([np.ones(len(X)), X])
    se = np.sqrt(np.diag(np.linalg.inv((rows.T * (p * (1 - p))) @ rows)))
    assert_printed(np.r_[path.intercepts, path.coefs[0]], coefficients)
    assert_printed(se, errors)
