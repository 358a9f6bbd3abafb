"""normball.torch.shrink and Monitor: smaller networks with the same outputs; numbers along the way."""

import copy
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import normball.torch as nbt  # noqa: E402

nn = torch.nn
torch.set_num_threads(1)


class OwnForward(nn.Module):  # type: ignore[misc]
    """Names, functions and nesting of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(3, 6, 3), nn.BatchNorm1d(6))
        self.head = nn.Linear(6 * 4, 5)
        self.out = nn.Linear(5, 2, bias=False)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.body(x)).flatten(1)
        return self.out(torch.nn.functional.gelu(self.head(x)))


CHAINS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(9, 8), nn.Sigmoid(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3)), (9,)),
    "normalised": (
        lambda: nn.Sequential(
            *(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.PReLU(), nn.Dropout(), nn.Linear(8, 2)),
        ),
        (6,),
    ),
    "convolutions": (
        lambda: nn.Sequential(
            *(nn.BatchNorm2d(4), nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 6, 3, bias=False), nn.Tanh(), nn.Flatten(), nn.BatchNorm1d(24), nn.Linear(24, 5)),
            *(nn.Sigmoid(), nn.Linear(5, 3)),
        ),
        (4, 8, 8),
    ),
    "padding": (
        lambda: nn.Sequential(
            nn.Conv1d(2, 5, 3), nn.Sigmoid(), nn.Conv1d(5, 4, 3, padding="same"), nn.ELU(), nn.Conv1d(4, 1, 1)
        ),
        (2, 9),
    ),
    "one layer": (lambda: nn.Linear(5, 2), (5,)),
    "own forward": (OwnForward, (3, 6)),
}


def weighted(model: Any) -> list[Any]:
    return [module for module in model.modules() if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d))]


def prepared(name: str, seed: int) -> tuple[Any, Any]:
    """A network with statistics in its norms and random zero rows and columns."""
    torch.manual_seed(seed)
    make, shape = CHAINS[name]
    model = make()
    model.train()
    for _ in range(3):
        model(torch.randn(16, *shape))
    with torch.no_grad():
        for module in weighted(model):
            rows, columns = (torch.rand(size) < 0.3 for size in module.weight.shape[:2])
            if module is not weighted(model)[-1]:
                module.weight[rows] = 0
            module.weight[:, columns] = 0
    return model, torch.randn(11, *shape)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", CHAINS)
def test_the_outputs_stay_the_same(name: str, seed: int) -> None:
    model, example = prepared(name, seed)
    kept = copy.deepcopy(model.state_dict())
    small = nbt.shrink(model, example[:3])
    assert small.training
    assert all(torch.equal(kept[key], value) for key, value in model.state_dict().items())
    assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in model.parameters())
    with torch.no_grad():
        difference = small.eval()(example) - model.eval()(example)
        assert difference.abs().max() <= 1e-6
        other = torch.randn_like(example) * 3  # what was constant for the example is so for all
        torch.testing.assert_close(small(other), model(other), atol=1e-5, rtol=1e-5)
    small.train()(example)  # and it can be trained on
    small(example).sum().backward()


def test_what_is_cut_off_is_gone() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))
    with torch.no_grad():
        model[4].weight[:, 1] = 0  # unit 1 of the second layer is not used,
        model[2].weight[[0, 2, 3], 3] = 0  # and unit 3 of the first only by it,
        model[0].weight[[0, 1, 2, 4], 5] = 0  # and the last input only by that
        model[0].weight[2] = 0  # a constant
    small = nbt.shrink(model, torch.randn(4, 6))
    assert [tuple(module.weight.shape) for module in weighted(small)] == [(3, 5), (3, 3), (2, 3)]
    assert small[0][0].indices.tolist() == [0, 1, 2, 3, 4]


def test_a_padded_constant_stays() -> None:
    model = nn.Sequential(nn.Conv1d(2, 3, 1), nn.Conv1d(3, 2, 3, padding=1))
    with torch.no_grad():
        model[0].weight[1:] = 0
        model[0].bias[2] = 0  # nothing, with or without padding
    small = nbt.shrink(model, torch.randn(4, 2, 7))
    assert small[1].weight.shape == (2, 2, 3)


def test_a_network_of_zeros_keeps_its_constant() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        for module in weighted(model):
            module.weight.zero_()
    small = nbt.shrink(model, torch.randn(4, 3))
    assert [tuple(module.weight.shape) for module in weighted(small)] == [(1, 1), (2, 1)]
    torch.testing.assert_close(small(torch.randn(2, 3)), model(torch.randn(2, 3)))


class Branching(nn.Module):  # type: ignore[misc]
    """A residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        return x + self.layer(x)


class Odd(nn.Module):  # type: ignore[misc]
    """Runs what it is given."""

    def __init__(self, run: Any) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.run = run

    def forward(self, x: Any) -> Any:
        return self.run(self.layer, x)


def branches_on_data(layer: Any, x: Any) -> Any:
    return layer(x) if x.sum() > 0 else x


def uses_twice(layer: Any, x: Any) -> Any:
    return layer(layer(x))


def views(layer: Any, x: Any) -> Any:
    return layer(x).view(-1, 2)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Branching(), r"layer \(Linear\)|x is not one link|add"),
        (Odd(uses_twice), "layer is used twice"),
        (Odd(views), "view in the model's forward"),
        (Odd(branches_on_data), "could not be traced"),
        (nn.Sequential(nn.Linear(4, 4), nn.Softmax(1)), r"1 \(Softmax\)"),
        (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), r"1 \(LayerNorm\)"),
        (nn.Sequential(nn.Linear(4, 4), nn.PReLU(4)), r"1 \(PReLU\)"),
        (nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4, track_running_stats=False)), "no running statistics"),
        (nn.Sequential(nn.ReLU()), "no Linear and no Conv"),
        (nn.Sequential(nn.Unflatten(1, (4, 1)), nn.Conv1d(4, 4, 1, groups=2)), "Unflatten"),
        (nn.Sequential(nn.Conv1d(4, 4, 1, groups=2)), "groups=2"),
    ],
)
def test_what_is_no_chain_is_refused_by_name(model: Any, message: str) -> None:
    example = torch.randn(3, 4, 1) if isinstance(model, nn.Sequential) and isinstance(model[0], nn.Conv1d) else None
    with pytest.raises(ValueError, match=message):
        nbt.shrink(model, torch.randn(3, 4) if example is None else example)


def test_a_linear_layer_over_sequences_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0 \(Linear\) gets inputs of shape \(3, 7, 4\)"):
        nbt.shrink(nn.Sequential(nn.Linear(4, 2)), torch.randn(3, 7, 4))


def watched(every: int = 1) -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 50), nn.Sigmoid(), nn.Linear(50, 40), nn.Tanh(), nn.Linear(40, 30), nn.ReLU6())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return model, optimizer, nbt.Monitor(model, optimizer, every=every)


def test_the_monitor_measures() -> None:
    model, optimizer, monitor = watched()
    X = torch.randn(20, 3) * 20
    for _ in range(3):
        optimizer.zero_grad()
        parts = [(model(x).square().mean() / 2).backward() for x in X.chunk(2)]  # accumulated: one step
        assert len(parts) == 2
        gradient = float(model[2].weight.grad.norm())
        norm = float(model[2].weight.detach().norm())
        with torch.no_grad():
            first = torch.sigmoid(model[0](X))
            second = torch.tanh(model[2](first))
            third = model[4](second)
        optimizer.step()
    frame = monitor.to_frame()
    last = frame.row(-1, named=True)
    assert frame["step"].to_list() == [0, 1, 2]
    np.testing.assert_allclose(last["norm/2.weight"], norm, rtol=1e-6)
    np.testing.assert_allclose(last["gradient/2.weight"], gradient, rtol=1e-6)
    sigmoid = ((first - 0.5).abs() > 0.4743416).float().mean()  # 4 s (1 - s) = 0.1
    tanh = (second.abs() > 0.9486833).float().mean()
    np.testing.assert_allclose(last["saturated/1"], float(sigmoid), rtol=1e-6)
    np.testing.assert_allclose(last["saturated/3"], float(tanh), atol=1e-6)
    np.testing.assert_allclose(last["saturated/5"], float(((third <= 0) | (third >= 6)).float().mean()), rtol=1e-6)
    assert 0.2 < last["saturated/1"] < 1


def test_the_monitor_keeps_to_its_clock_and_stops() -> None:
    model, optimizer, monitor = watched(every=2)
    for step in range(5):
        if step == 4:
            monitor.remove()
        model.eval()(torch.ones(2, 3))  # not training
        model.train()(torch.randn(2, 3)).mean().backward()
        optimizer.step()
    assert monitor.to_frame()["step"].to_list() == [0, 2]
    with pytest.raises(ValueError, match="every"):
        nbt.Monitor(model, optimizer, every=0)


def test_the_monitor_draws() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    model, optimizer, monitor = watched()
    for _ in range(2):
        model(torch.randn(2, 3)).mean().backward()
        optimizer.step()
    axes = monitor.plot()
    assert [len(ax.lines) for ax in axes] == [3, 3, 3]
    matplotlib.pyplot.close("all")
