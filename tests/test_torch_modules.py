"""normball.torch with the modules and types of networks: whose weights belong together, and what is spared."""

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch import nn  # noqa: E402

import normball as nb  # noqa: E402
import normball.torch as nbt  # noqa: E402
from torch_training import functional  # noqa: E402

CONVOLUTIONS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "conv": (lambda: nn.Conv2d(4, 6, 3), (5, 5)),
    "grouped": (lambda: nn.Conv2d(4, 6, 3, groups=2), (5, 5)),
    "depthwise": (lambda: nn.Conv1d(4, 4, 3, groups=4), (7,)),
    "depthwise, two for each": (lambda: nn.Conv1d(4, 8, 3, groups=4), (7,)),
    "transposed": (lambda: nn.ConvTranspose2d(4, 6, 3), (5, 5)),
    "transposed, grouped": (lambda: nn.ConvTranspose1d(4, 6, 3, groups=2), (7,)),
    "transposed, depthwise": (lambda: nn.ConvTranspose3d(4, 4, 2, groups=4), (3, 3, 3)),
    "linear": (lambda: nn.Linear(4, 6), ()),
}


def touched(module: Any, shape: tuple[int, ...], by: str, channel: int) -> Any:
    """The weights through which an input channel acts, or an output channel is made, by what gradients they get."""
    x = torch.ones(1, 4, *shape)
    if by == "input":
        x = torch.zeros_like(x)
        x[:, channel] = 1.0
    out = module(x)
    (out if by == "input" else out[:, channel]).sum().backward()
    found = module.weight.grad != 0
    module.weight.grad = None
    return found


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("by", ["input", "output"])
def test_groups_are_the_weights_of_a_channel(name: str, by: str) -> None:
    make, shape = CONVOLUTIONS[name]
    module = make()
    n_channels = 4 if by == "input" else module(torch.zeros(1, 4, *shape)).shape[1]
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for penalty in (nbt.GroupLasso(1.0, by=by), nbt.SparseGroupLasso(2.0, by=by)):
        term = nbt.penalize(module, optimizer, {"weight": penalty}).terms[0].term
        torch.nn.init.normal_(module.weight)
        lasso = penalty.l1 * module.weight.abs().sum()
        norms = [module.weight[touched(module, shape, by, channel)].norm() for channel in range(n_channels)]
        expected = penalty.lam * (lasso + penalty.group * torch.stack(norms).sum())
        torch.testing.assert_close(term.value(module.weight), expected)
        optimizer.normball_penalized.remove()
    dead = touched(module, shape, by, 1)
    with torch.no_grad():
        module.weight[dead] *= 1e-4
        before = module.weight.clone()
        nbt.penalize(module, optimizer, {"weight": nbt.GroupLasso(0.1, by=by)})
        module.weight.grad = torch.zeros_like(module.weight)
        optimizer.step()
    assert (module.weight[dead] == 0).all()
    assert (module.weight[~dead] != 0).all()
    assert (before[dead] != 0).all()


def test_groups_of_other_modules() -> None:
    table = nn.Embedding(5, 3)
    optimizer = torch.optim.SGD(table.parameters(), lr=0.1)
    term = nbt.penalize(table, optimizer, {"weight": nbt.GroupLasso(1.0, by="input")}).terms[0].term
    torch.testing.assert_close(term.value(table.weight), table.weight.norm(dim=1).sum())  # a row is one word
    both = nn.Bilinear(3, 4, 2)
    with pytest.raises(ValueError, match="two meanings for a Bilinear"):
        nbt.penalize(both, torch.optim.SGD(both.parameters(), lr=0.1), {"weight": nbt.GroupLasso(1.0, by="input")})


class Scales(nn.Module):  # type: ignore[misc]
    """Tensors of fewer than two axes that are neither biases nor norms."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.slope, self.norm = nn.Linear(3, 3), nn.PReLU(3), nn.InstanceNorm1d(3, affine=True)
        self.gain, self.temperature = nn.Parameter(torch.ones(3)), nn.Parameter(torch.tensor(1.0))
        self.table = nn.Embedding(2, 3)


def test_a_pattern_spares_all_that_has_fewer_than_two_axes() -> None:
    model = Scales()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    penalized = nbt.penalize(model, optimizer, {"*": nbt.L1(0.1)})
    assert [one.name for one in penalized.terms] == ["first.weight"]
    reasons = {row.name: row.reason for row in penalized.audit().rows}
    for name in ("slope.weight", "gain", "temperature"):
        assert reasons[name] == "has fewer than two axes; only penalised when named in full"
    assert reasons["first.bias"].startswith("a bias")
    penalized.remove()
    named = nbt.penalize(model, optimizer, {"gain": nbt.L1(0.1), "temperature": nbt.L2(0.1)})
    assert [one.name for one in named.terms] == ["gain", "temperature"]


@pytest.mark.parametrize("every", [1, 3])
def test_a_second_penalize_replaces_the_first_and_says_so(every: int) -> None:
    def made() -> tuple[Any, Any]:
        torch.manual_seed(0)
        model = nn.Linear(4, 2)
        return model, torch.optim.SGD(model.parameters(), lr=0.1)

    def stepped(model: Any, optimizer: Any) -> Any:
        model.weight.grad = torch.zeros_like(model.weight)
        optimizer.step()
        return model.weight.detach().clone()

    model, optimizer = made()
    first = nbt.penalize(model, optimizer, {"weight": nbt.L1(0.1)}, every=every)
    stepped(model, optimizer)
    with pytest.warns(nb.NormballWarning, match=r"penalties that this optimizer had \(weight\) are replaced") as caught:
        nbt.penalize(model, optimizer, {"*": nbt.L1(0.2)})
    assert [warning.filename for warning in caught] == [__file__]
    alone, moves = made()
    nbt.penalize(alone, moves, {"weight": nbt.L1(0.1)}).terms  # noqa: B018
    stepped(alone, moves)
    moves.normball_penalized.remove()
    nbt.penalize(alone, moves, {"weight": nbt.L1(0.2)})  # after remove() there is nothing to say
    torch.testing.assert_close(stepped(model, optimizer), stepped(alone, moves))
    first.remove()  # which no longer acts, and takes nothing off that is not its own
    torch.testing.assert_close(stepped(model, optimizer), stepped(alone, moves))
    twin = copy.deepcopy((model, optimizer, optimizer.normball_penalized))
    torch.testing.assert_close(stepped(*twin[:2]), stepped(model, optimizer))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("loss", [functional.mse_loss, functional.binary_cross_entropy_with_logits])
def test_certify_in_half_precision(dtype: Any, loss: Any) -> None:
    """The certificate is that of the same weights in single precision, gap included."""
    torch.manual_seed(1)
    X = torch.randn(60, 5).to(dtype)
    y = (X[:, :1] > 0).to(dtype)
    model = nn.Linear(5, 1).to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(0.02)})
    for _ in range(200):
        optimizer.zero_grad()
        loss(model(X), y).backward()
        optimizer.step()
    before = copy.deepcopy(model.state_dict()), model.weight.grad.clone()
    found = penalized.certify(model, loss, [(X[:30], y[:30]), (X[30:], y[30:])])
    assert all(torch.equal(before[0][name], value) for name, value in model.state_dict().items())
    assert torch.equal(before[1], model.weight.grad)
    assert model.training
    exact = penalized.certify(copy.deepcopy(model).double(), loss, [(X.double(), y.double())])
    assert found.objective == pytest.approx(exact.objective, rel=1e-5)
    assert found.dual_gap == pytest.approx(exact.dual_gap, abs=1e-5)
    assert found.kkt == pytest.approx(exact.kkt, abs=1e-3)
    assert 0 <= found.dual_gap < 0.1
    assert penalized.value() >= 0


def test_a_network_in_bfloat16_is_certified() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)).to(torch.bfloat16)
    X, y = torch.randn(20, 4).to(torch.bfloat16), torch.randint(3, (20,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    penalized = nbt.penalize(model, optimizer, {"*": nbt.SparseGroupLasso(0.01, by="input")})
    found = penalized.certify(model, functional.cross_entropy, [(X, y)])
    assert found.dual_gap is None
    assert found.kkt > 0
    assert found.objective > found.loss > 0


def test_channels_whose_normalisation_has_weight_zero_are_taken_out() -> None:
    torch.manual_seed(0)
    conv = nn.Sequential(
        *(nn.Conv2d(2, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 4, 2), nn.BatchNorm2d(4)),
        *(nn.Tanh(), nn.Flatten(), nn.Linear(4 * 4, 6), nn.BatchNorm1d(6), nn.Sigmoid(), nn.Linear(6, 3)),
    )
    behind = nn.Sequential(nn.Conv1d(2, 3, 2), nn.Flatten(), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 3))
    for model, shape, cuts, sizes in (
        (conv, (2, 8, 8), {1: [0, 3], 5: [2], 9: [1, 5]}, [(3, 2), (3, 3), (4, 12), (3, 4)]),
        (behind, (2, 5), {2: [4, 5, 6, 7]}, [(2, 2), (3, 8)]),  # all that became of the second channel
    ):
        for _ in range(3):
            model.train()(torch.randn(16, *shape))
        with torch.no_grad():
            for place, channels in cuts.items():
                model[place].weight[channels] = 0
                model[place].bias.normal_()
        small = nbt.shrink(model, torch.randn(4, *shape))
        weights = [p for name, p in small.named_parameters() if p.ndim > 1]
        assert [tuple(p.shape[:2]) for p in weights] == sizes
        other = 3 * torch.randn(9, *shape)
        torch.testing.assert_close(small.eval()(other), model.eval()(other), atol=1e-5, rtol=1e-5)
