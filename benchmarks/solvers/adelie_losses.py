"""What adelie's GLMs lack, as its documentation lets users define them: three losses of the log link, in NumPy.

adelie minimises sum w (A(eta) - y eta) with weights that add up to 1, and asks for the negative gradient, the diagonal
of the Hessian and that sum itself. Called from its C++ code, each function costs a pass or two over the rows; its own
families do the same in C++.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def make_glm(name: str, parameter: float, y: Array, weights: Array | None = None) -> Any:
    """The GLM object that `grpnet` takes, of the family with this parameter."""
    import adelie as ad

    slope, curvature, loss = _FORMULAS[name]

    class _LogLink(ad.glm.glm_base, ad.glm.GlmBase64):  # type: ignore[misc]
        def __init__(self) -> None:
            ad.glm.glm_base.__init__(self, y, weights, ad.glm.GlmBase64, np.float64)
            ad.glm.GlmBase64.__init__(self, name, self.y, self.weights)

        def reweight(self, weights: Array | None = None) -> Any:
            return make_glm(name, parameter, y, self.weights if weights is None else weights)

        def gradient(self, eta: Array, grad: Array) -> None:
            grad[...] = -self.weights * slope(self.y, eta, parameter)

        def hessian(self, eta: Array, grad: Array, hess: Array) -> None:
            hess[...] = self.weights * curvature(self.y, eta, parameter)

        def loss(self, eta: Array) -> float:
            return float(self.weights @ loss(self.y, eta, parameter))

        def loss_full(self) -> float:
            """The loss of a perfect fit; of eta = -30 where that is at minus infinity."""
            return self.loss(np.log(np.maximum(self.y, 1e-13)))

        def inv_link(self, eta: Array, out: Array) -> None:
            out[...] = np.exp(eta)

    return _LogLink()


_FORMULAS: dict[str, tuple[Any, Any, Any]] = {
    "gamma": (
        lambda y, eta, _: 1 - y * np.exp(-eta),
        lambda y, eta, _: y * np.exp(-eta),
        lambda y, eta, _: y * np.exp(-eta) + eta,
    ),
    "tweedie": (
        lambda y, eta, p: np.exp((2 - p) * eta) - y * np.exp((1 - p) * eta),
        lambda y, eta, p: (2 - p) * np.exp((2 - p) * eta) + (p - 1) * y * np.exp((1 - p) * eta),
        lambda y, eta, p: np.exp((2 - p) * eta) / (2 - p) + y * np.exp((1 - p) * eta) / (p - 1),
    ),
    "negative_binomial": (
        lambda y, eta, theta: (y + theta) / (1 + theta * np.exp(-eta)) - y,
        lambda y, eta, theta: (y + theta) * theta / (np.exp(eta / 2) + theta * np.exp(-eta / 2)) ** 2,
        lambda y, eta, theta: (y + theta) * np.log(theta + np.exp(eta)) - y * eta,
    ),
}
