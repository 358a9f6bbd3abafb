"""What the tests of normball.torch train: problems with a convex answer, optimizers, and one of two layers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.preprocessing import StandardScaler

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


functional = torch.nn.functional
N_STEPS = 2000
torch.set_num_threads(1)  # the tensors are small, and the tests run side by side

OPTIMIZERS: dict[str, Callable[[Any, float], Any]] = {
    "sgd": lambda p, f: torch.optim.SGD(p, lr=0.1 * f),
    "momentum": lambda p, f: torch.optim.SGD(p, lr=0.02 * f, momentum=0.9),
    "dampening": lambda p, f: torch.optim.SGD(p, lr=0.04 * f, momentum=0.9, dampening=0.5),
    "nesterov": lambda p, f: torch.optim.SGD(p, lr=0.02 * f, momentum=0.9, nesterov=True),
    "adam": lambda p, f: torch.optim.Adam(p, lr=0.05),
    "amsgrad": lambda p, f: torch.optim.Adam(p, lr=0.05, amsgrad=True),
    "adamw": lambda p, f: torch.optim.AdamW(p, lr=0.05, weight_decay=0.0),
    "adagrad": lambda p, f: torch.optim.Adagrad(p, lr=0.5, lr_decay=1e-4),
    "rmsprop": lambda p, f: torch.optim.RMSprop(p, lr=0.01 * f),
    "rmsprop momentum": lambda p, f: torch.optim.RMSprop(p, lr=0.002 * f, momentum=0.9),
    "rmsprop centred": lambda p, f: torch.optim.RMSprop(p, lr=0.005 * f, centered=True),
}
FLATTER = {"logistic": 4.0}  # a quarter of the curvature of squared error allows longer steps
SIGNED = {"adam", "amsgrad", "adamw", "rmsprop", "rmsprop momentum", "rmsprop centred"}  # need a falling learning rate


def whitened(X: np.ndarray) -> np.ndarray:
    """Uncorrelated columns of unit variance, so that first-order steps get to the optimum in a test's time."""
    left, _, right = np.linalg.svd(X - X.mean(0), full_matrices=False)
    return left @ right * np.sqrt(len(X))


def problem(name: str) -> tuple[Any, Any, Any, float, int]:
    """X, y, loss, lam, number of outputs."""
    torch.manual_seed(0)
    if name in ("lasso", "ridge", "elastic net"):
        X, y = load_diabetes(return_X_y=True)
        y = StandardScaler().fit_transform(y[:, None])
        return torch.tensor(whitened(X)), torch.tensor(y), functional.mse_loss, 0.2, 1
    if name == "logistic":
        X, y = load_breast_cancer(return_X_y=True)
        X = whitened(X[:, :12])
        return torch.tensor(X), torch.tensor(y[:, None] * 1.0), functional.binary_cross_entropy_with_logits, 0.05, 1
    X, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(0)
    X = whitened(np.hstack([X, rng.normal(size=(150, 3))]))
    return torch.tensor(X), torch.tensor(y), functional.cross_entropy, 0.05, 3


def train(model: Any, optimizer: Any, X: Any, y: Any, loss: Any, falling: bool, n_steps: int = N_STEPS) -> None:
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps) if falling else None
    for _ in range(n_steps):
        optimizer.zero_grad()
        loss(model(X), y).backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()


def reference(X: np.ndarray, y: np.ndarray, lam: float, grouped: bool) -> tuple[np.ndarray, float]:
    """Multinomial model with an L1 or group penalty (groups: inputs), by FISTA in numpy; its own code throughout."""
    n, p = X.shape
    onehot = np.eye(3)[y]
    step = n / np.linalg.norm(np.hstack([X, np.ones((n, 1))]), 2) ** 2 * 2
    W, b = np.zeros((3, p)), np.zeros(3)
    V, c, t = W.copy(), b.copy(), 1.0

    def parts(W: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray]:
        eta = X @ W.T + b
        top = eta.max(1, keepdims=True)
        total = np.exp(eta - top).sum(1, keepdims=True)
        loss = float(np.mean(top + np.log(total)) - np.mean(np.sum(onehot * eta, 1)))
        return loss, (np.exp(eta - top) / total - onehot) / n

    for _ in range(20_000):
        _, residual = parts(V, c)
        Z = V - step * residual.T @ X
        norm = np.linalg.norm(Z, axis=0) if grouped else np.abs(Z)
        new = Z * np.maximum(1 - step * lam / np.maximum(norm, 1e-300), 0)
        new_b = c - step * residual.sum(0)
        after = (1 + np.sqrt(1 + 4 * t * t)) / 2
        V, c = new + (t - 1) / after * (new - W), new_b + (t - 1) / after * (new_b - b)
        W, b, t = new, new_b, after
    penalty = np.linalg.norm(W, axis=0).sum() if grouped else np.abs(W).sum()
    return W, parts(W, b)[0] + lam * float(penalty)


class Net(torch.nn.Module):  # type: ignore[misc]
    """Two layers with a normalisation, and an embedding beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(6, 5)
        self.norm = torch.nn.BatchNorm1d(5)
        self.last = torch.nn.Linear(5, 2)
        self.table = torch.nn.Embedding(3, 2)

    def forward(self, x: Any) -> Any:
        return self.last(torch.relu(self.norm(self.first(x))))
