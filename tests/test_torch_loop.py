"""The penalties in a training loop as people write it: its traps, and what a step may cost."""

import copy
import warnings
from typing import Any

import numpy as np
import pytest

import normball as nb

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import normball.torch as nbt  # noqa: E402
from normball.torch import penalties  # noqa: E402
from normball.torch.penalties import Term  # noqa: E402
from torch_training import OPTIMIZERS, Net, functional, problem, train  # noqa: E402


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
