"""What is penalised, by what, what is not and why; what cannot mean what it says is refused."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import normball.torch as nbt  # noqa: E402
from torch_training import Net, functional  # noqa: E402


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
    nbt.penalize(model, other, {"first.weight": nbt.L1(0.1)}, mode="decoupled").remove()
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
