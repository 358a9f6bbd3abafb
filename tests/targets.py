"""The families that the grids of tests run over, and targets for them."""

import numpy as np

BUILT = ("gaussian", "binomial", "poisson")
NEW = ("gamma", "tweedie(1.5)", "negative_binomial(2)", "huber(1.345)")
# Every grid of tests takes its families from this line; with the native losses of NEW it becomes BUILT + NEW.
FAMILIES = BUILT + NEW
# whose curvature depends on the coefficients
CURVED = tuple(family for family in FAMILIES if family != "gaussian")


def draw(family, signal, rng, identity=(0.0, 1.0), logit=(0.0, 1.0), log=(0.0, 1.0)):
    """A target whose linear predictor is intercept + slope times the signal, a pair for each link.

    Gamma has shape 2, tweedie dispersion 1 (so that about a quarter of the targets with mean 1 are
    zero), a tenth of the targets of huber are far outliers on both sides.
    """
    name, _, value = family.removesuffix(")").partition("(")
    link = {"gaussian": identity, "huber": identity, "binomial": logit}.get(name, log)
    eta, n = link[0] + link[1] * signal, signal.size
    match name:
        case "gaussian":
            return eta + rng.normal(size=n)
        case "huber":
            return eta + rng.normal(size=n) + np.where(rng.random(n) < 0.1, 30 * rng.standard_t(2, size=n), 0.0)
        case "binomial":
            return (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
        case "poisson":
            return rng.poisson(np.exp(eta)).astype(float)
        case "negative_binomial":
            return rng.poisson(np.exp(eta) * rng.gamma(float(value), 1 / float(value), n)).astype(float)
        case "gamma":
            return rng.gamma(2.0, np.exp(eta) / 2)
        case "tweedie":
            return compound(np.exp(eta), float(value), rng)
    raise ValueError(family)


def compound(mu, power, rng):
    """Tweedie targets with dispersion 1: a sum of a Poisson number of gamma sizes (Jorgensen 1987)."""
    number = rng.poisson(mu ** (2 - power) / (2 - power))
    shape = (2 - power) / (power - 1)
    size = rng.gamma(np.maximum(shape * number, 1e-3), (power - 1) * mu ** (power - 1))
    return np.where(number > 0, size, 0.0)


def name_and_parameter(family):
    """The two words in which the native call takes a family."""
    name, _, value = family.removesuffix(")").partition("(")
    return {"family": name, "parameter": float(value or "nan")}


def two_values(family):
    """Two different targets that the family accepts, a label of each class among them."""
    return (0.5, 1.0) if family == "gamma" else (0.0, 1.0)


def each_family():
    """X (90, 8), {family: y}, weights."""
    generator = np.random.default_rng(1)
    X = generator.normal(size=(90, 8))
    eta = X @ [1.0, -0.7, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0]
    targets = {
        "gaussian": eta + generator.normal(size=90),
        "binomial": (eta + generator.logistic(size=90) > 0.3).astype(float),
        "poisson": generator.poisson(np.exp(0.5 * eta)).astype(float),
    }
    weights = generator.uniform(0.2, 3.0, size=90)
    return X, targets | {family: draw(family, eta, generator, log=(0.0, 0.5)) for family in NEW}, weights
