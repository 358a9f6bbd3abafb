"""normball.torch: penalties that solve the stated problem under every supported optimizer."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import normball as nb

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import normball.torch as nbt  # noqa: E402
from normball.torch.penalties import Term  # noqa: E402
from torch_training import FLATTER, OPTIMIZERS, SIGNED, Net, functional, problem, reference, train  # noqa: E402


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


def test_a_plain_threshold_solves_another_problem() -> None:
    """What decoupled mode (lr * lam, as in many loops) ends at under momentum 0.9: the lasso with lam / 10."""
    X, y, loss, lam, _ = problem("lasso")
    model = torch.nn.Linear(X.shape[1], 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    nbt.penalize(model, optimizer, {"weight": nbt.L1(lam)}, mode="decoupled")
    train(model, optimizer, X, y, loss, False)
    fit = nb.fit_path(X.numpy(), y.numpy()[:, 0], lambdas=[lam / 20], standardize=False, tol=1e-12).at(lam=lam / 20)
    np.testing.assert_allclose(model.weight.detach().numpy()[0], fit.coef, atol=1e-6)


def test_the_code_of_the_guide_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[1] / "docs" / "torch.md"
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    code = "\n".join(block for block in blocks if "nbt" in block)
    exec(compile(code, str(page), "exec"), names := {})
    printed = capsys.readouterr().out
    assert "group lasso by input" in printed
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
