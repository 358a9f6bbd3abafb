"""normball.torch: penalties that solve the stated problem under every supported optimizer, and the traps on the way."""

import copy
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.preprocessing import StandardScaler

import normball as nb

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import normball.torch as nbt  # noqa: E402
from normball.torch import penalties  # noqa: E402
from normball.torch.penalties import Term  # noqa: E402

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


@pytest.mark.parametrize("name", ["lasso", "logistic", "ridge", "elastic net"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_layer_is_the_convex_solution(optimizer: str, name: str) -> None:
    X, y, loss, lam, _ = problem(name)
    penalty = {"ridge": nbt.L2(lam), "elastic net": nbt.ElasticNet(lam, 0.6)}.get(name, nbt.L1(lam))
    model = torch.nn.Linear(X.shape[1], 1).double()
    moves = OPTIMIZERS[optimizer](model.parameters(), FLATTER.get(name, 1.0))
    penalized = nbt.penalize(model, moves, {"weight": penalty})
    train(model, moves, X, y, loss, optimizer in SIGNED)
    found = penalized.certify(model, loss, [(X[:100], y[:100]), (X[100:], y[100:])])
    assert found.kkt <= (1e-2 if optimizer in SIGNED else 1e-3)
    assert found.dual_gap is not None
    assert -1e-10 <= found.dual_gap <= 1e-6
    family = "binomial" if name == "logistic" else "gaussian"
    factor = 1.0 if name == "logistic" else 2.0  # mse_loss is twice the package's squared error
    fit = nb.fit_path(
        X.numpy(),
        y.numpy()[:, 0],
        family=family,
        l1_ratio=penalty.l1,
        lambdas=[lam / factor],
        standardize=False,
        tol=1e-12,
    ).at(lam=lam / factor)
    weights = model.weight.detach().numpy()[0]
    np.testing.assert_array_equal(weights != 0, fit.coef != 0)
    np.testing.assert_allclose(weights, fit.coef, atol=2e-3)


@pytest.mark.parametrize("grouped", [False, True], ids=["multinomial", "group lasso"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_multinomial_and_groups(optimizer: str, grouped: bool) -> None:
    X, y, loss, lam, n_outputs = problem("multinomial")
    model = torch.nn.Linear(X.shape[1], n_outputs).double()
    moves = OPTIMIZERS[optimizer](model.parameters(), 3.0)
    penalty = nbt.GroupLasso(lam, by="input") if grouped else nbt.L1(lam)
    penalized = nbt.penalize(model, moves, {"weight": penalty})
    train(model, moves, X, y, loss, optimizer in SIGNED)
    expected, objective = reference(X.numpy(), y.numpy(), lam, grouped)
    found = penalized.certify(model, loss, [(X, y)])
    assert found.kkt <= (1e-2 if optimizer in SIGNED else 1e-3)
    assert found.objective - objective <= 1e-6 * np.log(3)
    np.testing.assert_array_equal(model.weight.detach().numpy() != 0, expected != 0)
    assert not (expected != 0).all()


@pytest.mark.parametrize("labels", [False, True])
def test_group_step_minimises(labels: bool) -> None:
    """In a metric that spans eight decades, against the stationarity conditions."""
    rng = np.random.default_rng(1)
    start = torch.tensor(rng.normal(size=(6, 40)))
    metric = torch.tensor(10.0 ** rng.uniform(-8, 0, size=(6, 40)))
    by = (lambda w: torch.arange(40).expand(6, 40)) if labels else "input"
    for penalty in (nbt.GroupLasso(3.0, by=by), nbt.SparseGroupLasso(3.0, by=by, l1_ratio=0.4)):
        weights = start.clone()
        Term(penalty, weights).shrink_(weights, metric)
        group, single = 3.0 * penalty.group, 3.0 * penalty.l1
        for g in range(40):
            w, z, d = weights[:, g], start[:, g], metric[:, g]
            pull = (w - z) / d
            if (w == 0).all():
                assert torch.clamp(z.abs() / d - single, min=0).norm() <= group * (1 + 1e-9)
            else:
                residual = pull + group * w / w.norm() + single * w.sign()
                residual = torch.where(w == 0, (pull.abs() - single).clamp(min=0), residual.abs())
                assert residual.max() <= 1e-7 * max(1.0, float(pull.abs().max()))


def test_a_unit_without_second_moment_shrinks_and_stays_finite() -> None:
    X = torch.zeros(20, 3)
    X[:, 0] = torch.arange(20) / 20.0
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    nbt.penalize(model, optimizer, {"weight": nbt.L1(0.1)})
    before = model.weight.detach().clone()
    train(model, optimizer, X, X[:, :1] * 3, functional.mse_loss, False, n_steps=1)
    assert torch.isfinite(model.weight).all()
    np.testing.assert_allclose(before[0, 1:].abs() - 0.001, model.weight[0, 1:].detach().abs(), atol=1e-7)
    train(model, optimizer, X, X[:, :1] * 3, functional.mse_loss, False, n_steps=2000)
    assert (model.weight[0, 1:] == 0).all()
    assert model.weight[0, 0] > 1


@pytest.mark.parametrize("penalty", [nbt.L1(0.0), nbt.GroupLasso(0.0), nbt.SparseGroupLasso(0.0), nbt.L2(0.0)])
def test_lam_of_zero_changes_nothing(penalty: Any) -> None:
    def run(penalised: bool) -> Any:
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 2)
        optimizer = torch.optim.Adam(model.parameters())
        if penalised:
            nbt.penalize(model, optimizer, {"weight": penalty})
        torch.manual_seed(1)
        train(model, optimizer, torch.randn(10, 4), torch.randn(10, 2), functional.mse_loss, False, n_steps=5)
        return model.weight

    assert torch.equal(run(True), run(False))


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


def test_audit_names_every_parameter_once() -> None:
    model = Net()
    model.last.bias.requires_grad_(False)
    optimizer = torch.optim.AdamW(
        [
            {"params": [model.first.weight, model.norm.weight], "weight_decay": 0.0},
            {"params": [model.last.weight, model.table.weight]},
        ],
        lr=0.01,
    )
    penalties = {"norm.weight": nbt.L1(0.1), "first.*": nbt.GroupLasso(0.2, by="input")}
    penalized = nbt.penalize(model, optimizer, penalties)
    audit = penalized.audit()
    assert [row.name for row in audit.rows] == [name for name, _ in model.named_parameters()]
    rows = {row.name: row for row in audit.rows}
    assert rows["first.weight"].penalty == "group lasso by input"
    assert rows["first.weight"].lam == 0.2
    assert rows["first.bias"].reason.startswith("a bias")
    assert rows["norm.weight"].penalty == "L1"  # named in full
    assert rows["last.weight"].reason == "no pattern fits"
    assert "weight_decay 0.01" in rows["last.weight"].notes[0]
    assert "frozen" in rows["last.bias"].reason
    assert "no gradient so far" in rows["first.weight"].notes[0]
    assert rows["norm.bias"].reason == "not among the optimizer's parameters"
    assert any("first.weight is followed by the normalisation norm" in text for text in audit.warnings)
    assert "group lasso by input" in str(audit)


def test_a_pattern_says_what_it_left_alone() -> None:
    model = Net()
    model.last.weight.requires_grad_(False)
    optimizer = torch.optim.SGD([model.first.weight], lr=0.1)
    rows = {row.name: row for row in nbt.penalize(model, optimizer, {"*": nbt.L1(0.1)}).audit().rows}
    assert rows["first.weight"].penalty == "L1"
    assert rows["last.weight"].reason == "frozen (requires_grad=False)"
    assert rows["norm.weight"].reason.startswith("belongs to a BatchNorm1d")
    assert rows["table.weight"].reason.startswith("belongs to a Embedding")
    free = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    optimizer = torch.optim.SGD(free[0].parameters(), lr=0.1)
    rows = {row.name: row for row in nbt.penalize(free, optimizer, {"*": nbt.L1(0.1)}).audit().rows}
    assert rows["1.weight"].reason == "not among the optimizer's parameters"


def test_audit_warns_of_a_homogeneous_follower_and_of_ties() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4), torch.nn.Tanh())
    model.again = model[0]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    audit = nbt.penalize(model, optimizer, {"0.weight": nbt.L1(0.1)}).audit()
    assert any("0.weight can shrink while 2.weight grows" in text for text in audit.warnings)
    assert "the same tensor as again.weight" in audit.rows[0].notes[0]
    quiet = nbt.penalize(model, torch.optim.SGD(model.parameters(), lr=0.1), {"*.weight": nbt.L1(0.1)}).audit()
    assert not quiet.warnings


def test_what_cannot_mean_what_it_says_is_refused() -> None:
    model = Net()
    with pytest.raises(ValueError, match="would count twice"):
        nbt.penalize(model, torch.optim.AdamW(model.parameters()), {"first.weight": nbt.L1(0.1)})
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"No parameter is named like 'frist\.weight'.*first\.weight"):
        nbt.penalize(model, sgd, {"frist.weight": nbt.L1(0.1)})
    with pytest.raises(ValueError, match="Nothing is penalised"):
        nbt.penalize(model, sgd, {"table.*": nbt.L1(0.1)})
    other = torch.optim.Rprop(model.parameters())
    with pytest.raises(ValueError, match=r"Rprop.*Known: SGD, Adam, AdamW, Adagrad, RMSprop"):
        nbt.penalize(model, other, {"first.weight": nbt.L1(0.1)})
    nbt.penalize(model, other, {"first.weight": nbt.L1(0.1)}, mode="decoupled")
    nbt.penalize(model, other, {"first.weight": nbt.L1(0.1)}, metric=lambda group, state: group["lr"])
    with pytest.raises(ValueError, match="maximises"):
        nbt.penalize(model, torch.optim.SGD(model.parameters(), lr=0.1, maximize=True), {"first.weight": nbt.L1(0.1)})
    with pytest.raises(TypeError, match="no penalty"):
        nbt.penalize(model, sgd, {"first.weight": 0.1})
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="lam"):
            nbt.L1(bad)
    with pytest.raises(ValueError, match="l1_ratio"):
        nbt.ElasticNet(1.0, 1.5)
    with pytest.raises(ValueError, match="by must be"):
        nbt.GroupLasso(1.0, by="rows")
    with pytest.raises(ValueError, match="two axes"):
        nbt.penalize(model, sgd, {"norm.weight": nbt.GroupLasso(0.1)})
    with pytest.raises(ValueError, match="every"):
        nbt.penalize(model, sgd, {"first.weight": nbt.L1(0.1)}, every=0)
    with pytest.raises(ValueError, match=r"by\(weights\) must have their shape"):
        nbt.penalize(model, sgd, {"first.weight": nbt.GroupLasso(0.1, by=lambda w: w[0])})
    with pytest.raises(ValueError, match="mode must be"):
        nbt.penalize(model, sgd, {"first.weight": nbt.L1(0.1)}, mode="both")
    with pytest.raises(ValueError, match="decoupled"):
        nbt.penalize(model, sgd, {"first.weight": nbt.L1(0.1)}, mode="decoupled").certify(
            model, functional.cross_entropy, []
        )


def test_a_skipped_amp_step_shrinks_nothing() -> None:
    for fused in (False, True):
        model = torch.nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
        nbt.penalize(model, optimizer, {"weight": nbt.L1(0.1)})
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        before = model.weight.detach().clone()
        for value, moved in ((float("inf"), False), (1.0, True)):
            optimizer.zero_grad()
            scaler.scale((model(torch.ones(2, 3)) * value).mean()).backward()
            scaler.step(optimizer)
            scaler.update()
            assert torch.equal(before, model.weight) != moved


def test_a_tensor_without_gradient_is_left_alone() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    nbt.penalize(model, optimizer, {"table.weight": nbt.L1(0.1), "first.weight": nbt.L1(0.1)})
    before = model.table.weight.detach().clone()
    train(model, optimizer, torch.randn(8, 6), torch.randn(8, 2), functional.mse_loss, False, n_steps=1)
    assert torch.equal(before, model.table.weight)


def test_accumulated_gradients_are_one_step() -> None:
    def run(parts: int) -> Any:
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 1).double()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        nbt.penalize(model, optimizer, {"weight": nbt.L1(0.1)})
        X, y = torch.randn(8, 4).double(), torch.randn(8, 1).double()
        for _ in range(10):
            optimizer.zero_grad()
            for x, t in zip(X.chunk(parts), y.chunk(parts), strict=True):
                (functional.mse_loss(model(x), t) / parts).backward()
            optimizer.step()
        return model.weight.detach()

    torch.testing.assert_close(run(1), run(4))


@pytest.mark.parametrize("penalty", [nbt.L1(0.05), nbt.GroupLasso(0.05, by="input")], ids=["L1", "groups"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resuming_from_state_dicts_gives_the_same_bits(optimizer: str, penalty: Any) -> None:
    def start() -> tuple[Any, Any]:
        torch.manual_seed(0)
        model = torch.nn.Linear(5, 2)
        moves = OPTIMIZERS[optimizer](model.parameters(), 0.2)
        nbt.penalize(model, moves, {"weight": penalty})
        return model, moves

    X, y = torch.randn(16, 5), torch.randn(16, 2)
    model, moves = start()
    train(model, moves, X, y, functional.mse_loss, False, n_steps=20)
    saved = copy.deepcopy((model.state_dict(), moves.state_dict()))
    train(model, moves, X, y, functional.mse_loss, False, n_steps=20)
    other, again = start()
    other.load_state_dict(saved[0])
    again.load_state_dict(saved[1])
    train(other, again, X, y, functional.mse_loss, False, n_steps=20)
    assert torch.equal(model.weight, other.weight)


def test_a_loaded_optimizer_state_brings_its_learning_rate() -> None:
    """load_state_dict replaces the parameter groups."""
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    nbt.penalize(model, optimizer, {"weight": nbt.L1(1.0)})
    saved = optimizer.state_dict()
    saved["param_groups"][0]["lr"] = 0.01
    optimizer.load_state_dict(saved)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
    with torch.no_grad():
        model.weight.fill_(1.0)
    for expected in (0.99, 0.989):
        optimizer.zero_grad()
        (model(torch.ones(2, 3)) * 0).sum().backward()
        optimizer.step()
        schedule.step()
        torch.testing.assert_close(model.weight.detach(), torch.full((1, 3), expected))


def test_a_deep_copy_works_on_its_own_model() -> None:
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(0.1)})
    twin, moves, copied = copy.deepcopy((model, optimizer, penalized))
    before = model.weight.detach().clone()
    assert copied.terms[0].weights is twin.weight
    train(twin, moves, torch.randn(8, 3), torch.zeros(8, 1), functional.mse_loss, False, n_steps=200)
    assert torch.equal(before, model.weight)
    assert (twin.weight == 0).all()


def test_parameter_groups_and_several_penalties() -> None:
    model = Net()
    optimizer = torch.optim.SGD(
        [{"params": [model.first.weight], "lr": 0.5}, {"params": [model.last.weight], "lr": 0.0}], lr=0.1
    )
    penalized = nbt.penalize(model, optimizer, {"first.weight": nbt.L1(1.0), "last.*": nbt.GroupLasso(1.0)})
    before = model.last.weight.detach().clone()
    train(model, optimizer, torch.randn(8, 6), torch.zeros(8, 2), functional.mse_loss, False, n_steps=20)
    assert (model.first.weight == 0).all()
    assert torch.equal(before, model.last.weight)
    assert [float(value) for name, value in penalized.stats().items() if name.startswith("nonzero")] == [0.0, 10.0]
    penalized.remove()
    with torch.no_grad():
        model.first.weight.fill_(1.0)
    optimizer.zero_grad()
    (model(torch.ones(2, 6)) * 0).sum().backward()
    optimizer.step()
    assert (model.first.weight == 1).all()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adagrad", "rmsprop"])
def test_shrinking_every_third_step_finds_the_same_solution(optimizer: str) -> None:
    X, y, loss, lam, _ = problem("lasso")
    model = torch.nn.Linear(X.shape[1], 1).double()
    moves = OPTIMIZERS[optimizer](model.parameters(), 1.0)
    penalized = nbt.penalize(model, moves, {"weight": nbt.L1(lam)}, every=3)
    train(model, moves, X, y, loss, True, n_steps=1000)  # one more than a multiple of three
    near = penalized.certify(model, loss, [(X, y)])
    fit = nb.fit_path(X.numpy(), y.numpy()[:, 0], lambdas=[lam / 2], standardize=False, tol=1e-12).at(lam=lam / 2)
    np.testing.assert_array_equal(model.weight.detach().numpy()[0] != 0, fit.coef != 0)
    assert near.dual_gap is not None
    assert near.dual_gap <= 1e-4
    penalized.every = 1
    for group in moves.param_groups:
        group["lr"] = group["initial_lr"]
    train(model, moves, X, y, loss, True, n_steps=1000)
    found = penalized.certify(model, loss, [(X, y)])
    assert found.dual_gap is not None
    assert found.dual_gap <= 1e-6


def test_what_is_owed_is_what_the_steps_add_up_to() -> None:
    """Under a loss without slope only the penalty moves the weights: 7 steps, then the rest on request."""
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(0.1)}, every=3)
    with torch.no_grad():
        model.weight.fill_(1.0)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    rates = []
    for _ in range(7):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        (model(torch.ones(2, 3)) * 0).sum().backward()
        optimizer.step()
        schedule.step()
    after_six = 1 - 10 * 0.1 * sum(rates[:6])
    torch.testing.assert_close(model.weight.detach(), torch.full((1, 3), after_six))
    twin = copy.deepcopy((model, optimizer, penalized))[2]
    for one in (penalized, twin):
        assert float(one.stats()["penalty"]) == pytest.approx(0.3 * (after_six - rates[6]))
        one.settle()
        torch.testing.assert_close(one.model.weight.detach(), torch.full((1, 3), after_six - rates[6]))


@pytest.mark.parametrize("device_like", [False, True], ids=["one pass", "tensor by tensor"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_compiled_pass_is_the_formula(optimizer: str, device_like: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step from a random start against the formula in double precision, with its own metric for each optimizer."""
    if device_like:
        monkeypatch.setattr(penalties, "_runs_at_once", lambda weights: False)
    torch.manual_seed(0)
    start, pull = torch.randn(20_000), torch.randn(20_000)
    pull[::7] = 0.0  # never a gradient
    finals = []
    for lam in (0.0, 0.2):
        weights = torch.nn.Parameter(start.clone())
        model = torch.nn.ParameterList([weights])
        moves = OPTIMIZERS[optimizer]([weights], 1.0)
        nbt.penalize(model, moves, {"0": nbt.ElasticNet(lam, 0.7)})
        weights.grad = pull.clone()
        moves.step()
        finals.append(weights.detach().double())
    group, slope, g = moves.param_groups[0], 1.0, pull.double().abs()
    if "rmsprop" in optimizer:
        slope = 0.01 if optimizer != "rmsprop centred" else (0.01 - 0.01**2)
    scale = g * slope**0.5 + group.get("eps", 0.0)
    scale[g == 0] = 1.0
    d = group["lr"] / (1 - group.get("momentum", 0.0)) * (1 - group.get("dampening", 0.0))
    d = torch.full_like(g, d) if isinstance(moves, torch.optim.SGD) else d / scale
    expected = finals[0].sign() * (finals[0].abs() - d * 0.14).clamp(min=0) / (1 + d * 0.06)
    torch.testing.assert_close(finals[1], expected, rtol=1e-3, atol=1e-5)  # Adam's correction is in single precision
    assert (finals[1] == 0).any()


def test_weights_that_compiled_code_does_not_take() -> None:
    torch.manual_seed(0)
    for weights in (
        torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last),
        torch.randn(40).to(torch.bfloat16),
        torch.randn(5, 6).t(),
    ):
        before = weights.clone().float()
        Term(nbt.L1(0.5), weights).shrink_(weights, 0.6)
        expected = before.sign() * (before.abs() - 0.3).clamp(min=0)
        torch.testing.assert_close(weights.float(), expected, rtol=1e-2, atol=1e-2)
        assert (weights[expected == 0] == 0).float().mean() > 0.9


class NoReading(torch.utils._python_dispatch.TorchDispatchMode):  # type: ignore[misc]
    """Raises where a value is read from a tensor: on an accelerator that waits for it."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert function is not torch.ops.aten._local_scalar_dense.default, "a value was read"
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("optimizer", ["momentum", "adam", "adagrad", "rmsprop centred"])
def test_a_step_reads_nothing_from_the_device(optimizer: str, every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(penalties, "_runs_at_once", lambda weights: False)
    model = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(4)))
    moves = OPTIMIZERS[optimizer](model.parameters(), 1.0)
    found = nbt.penalize(
        model,
        moves,
        {
            "0.weight": nbt.L1(0.1),
            "1.weight": nbt.GroupLasso(0.1, by="input"),
            "2.weight": nbt.SparseGroupLasso(0.1, by=lambda w: torch.arange(4).expand(4, 4) // 2),
            "3.weight": nbt.L2(0.1),
        },
        every=every,
    )
    model(torch.randn(5, 4)).square().mean().backward()
    moves.step()
    with NoReading():
        for _ in range(2):
            found._after_step(moves)
        found.stats()
    with NoReading(), pytest.raises(AssertionError, match="was read"):
        float(model[0].weight.detach().sum())


def test_decoupled_is_a_threshold_of_lr_times_lam() -> None:
    for kind in (torch.optim.Rprop, torch.optim.Adadelta, torch.optim.NAdam):
        weights = torch.nn.Parameter(torch.tensor([0.5, -0.5, 1e-6]))
        optimizer = kind([weights], lr=0.01)
        nbt.penalize(torch.nn.ParameterList([weights]), optimizer, {"0": nbt.L1(0.2)}, mode="decoupled")
        weights.grad = torch.zeros(3)
        optimizer.step()
        torch.testing.assert_close(weights.detach(), torch.tensor([0.498, -0.498, 0.0]))


def test_a_metric_of_ones_own_gives_the_convex_solution() -> None:
    class Own(torch.optim.SGD):  # type: ignore[misc]
        pass

    X, y, loss, lam, _ = problem("lasso")
    model = torch.nn.Linear(X.shape[1], 1).double()
    optimizer = Own(model.parameters(), lr=0.02, momentum=0.9)
    with pytest.raises(ValueError, match="Own"):
        nbt.penalize(model, optimizer, {"weight": nbt.L1(lam)})
    penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(lam)}, metric=lambda group, state: group["lr"] * 10)
    train(model, optimizer, X, y, loss, False)
    found = penalized.certify(model, loss, [(X, y)])
    assert found.dual_gap is not None
    assert found.dual_gap <= 1e-6


def test_scale_is_a_schedule() -> None:
    X, y, loss, lam, _ = problem("lasso")
    model = torch.nn.Linear(X.shape[1], 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(lam)})
    penalized.scale = 100.0
    train(model, optimizer, X, y, loss, False, n_steps=100)
    assert (model.weight == 0).all()
    assert penalized.certify(model, loss, [(X, y)]).kkt == 0.0
    penalized.scale = 1.0
    assert sum(penalized.certify(model, loss, [(X, y)]).false_zeros.values()) > 0
    assert "false zeros" in str(penalized.certify(model, loss, [(X, y)]))


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize("penalty", [nbt.L1(1.0), nbt.GroupLasso(1.0)], ids=["L1", "groups"])
def test_a_compiled_step_is_the_plain_one(kind: Any, penalty: Any) -> None:
    torch._dynamo.reset()
    X, y = torch.randn(8, 3), torch.zeros(8, 2)
    ends = []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 2)
        optimizer = kind(model.parameters(), lr=torch.tensor(0.1))
        nbt.penalize(model, optimizer, {"weight": penalty})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler's own
            step = torch.compile(optimizer.step, backend="eager") if compiled else optimizer.step
            for _ in range(5):
                optimizer.zero_grad()
                functional.mse_loss(model(X), y).backward()
                step()
        ends.append(model.weight.detach())
    torch.testing.assert_close(ends[0], ends[1])
    assert (ends[1] == 0).any()


def test_a_plain_threshold_solves_another_problem() -> None:
    """What decoupled mode (lr * lam, as in many loops) ends at under momentum 0.9: the lasso with lam / 10."""
    X, y, loss, lam, _ = problem("lasso")
    model = torch.nn.Linear(X.shape[1], 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    nbt.penalize(model, optimizer, {"weight": nbt.L1(lam)}, mode="decoupled")
    train(model, optimizer, X, y, loss, False)
    fit = nb.fit_path(X.numpy(), y.numpy()[:, 0], lambdas=[lam / 20], standardize=False, tol=1e-12).at(lam=lam / 20)
    np.testing.assert_allclose(model.weight.detach().numpy()[0], fit.coef, atol=1e-6)


@pytest.mark.parametrize("page", ["docs/torch.md", "README.md"])
def test_the_code_of_the_documents_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[1] / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    code = "\n".join(block for block in blocks if "nbt" in block)
    exec(compile(code, page, "exec"), names := {})
    printed = capsys.readouterr().out
    assert "group lasso by input" in printed
    if page == "docs/torch.md":
        assert "false zeros" in printed
        assert "Pick(2 inputs)" in printed
        assert "one standard error" in printed
        assert names["found"].at(n_selected=2).selected[:2].all()


def test_certify_says_where_it_does_not_know() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    penalized = nbt.penalize(model, optimizer, {"first.weight": nbt.L1(0.1)})
    X, y = torch.randn(8, 6), torch.randint(0, 2, (8,))
    model.train()
    found = penalized.certify(model, functional.cross_entropy, [(X, y)])
    assert model.training
    assert model.first.weight.grad is None
    assert found.dual_gap is None
    assert "not known to be convex" in str(found)
    with pytest.raises(ValueError, match="no rows"):
        penalized.certify(model, functional.cross_entropy, iter([]))
    with pytest.raises(ValueError, match="single number"):
        penalized.certify(model, torch.nn.CrossEntropyLoss(reduction="none"), [(X, y)])
