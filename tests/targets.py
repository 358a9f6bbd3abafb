"""One matrix with a target for each family, and weights of its rows."""

import numpy as np


def three_families():
    """X (90, 8), {family: y}, weights."""
    generator = np.random.default_rng(1)
    X = generator.normal(size=(90, 8))
    eta = X @ [1.0, -0.7, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0]
    targets = {
        "gaussian": eta + generator.normal(size=90),
        "binomial": (eta + generator.logistic(size=90) > 0.3).astype(float),
        "poisson": generator.poisson(np.exp(0.5 * eta)).astype(float),
    }
    return X, targets, generator.uniform(0.2, 3.0, size=90)
