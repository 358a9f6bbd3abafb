"""normball.torch.path: from dense to sparse, the choice among the points, the refit."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import normball as nb

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import normball.torch as nbt  # noqa: E402
from normball.torch.penalties import Term  # noqa: E402

functional = torch.nn.functional
torch.set_num_threads(1)


def linear_problem() -> tuple[Any, Any]:
    X, y = load_diabetes(return_X_y=True)
    left, _, right = np.linalg.svd(X - X.mean(0), full_matrices=False)
    return torch.tensor(left @ right * np.sqrt(len(X))), torch.tensor((y - y.mean()) / y.std())[:, None]


def linear_path(X: Any, y: Any, **options: Any) -> nbt.NetworkPath:
    model = torch.nn.Linear(X.shape[1], 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(1.0)})
    return nbt.path(
        penalized, functional.mse_loss, [(X, y)], [(X, y)], tol=1e-12, patience=10, max_epochs=400, **options
    )


def test_a_linear_network_gets_the_path_of_the_convex_solver() -> None:
    X, y = linear_problem()
    lambdas = [0.02, 0.1, 0.3, 0.6]
    path = linear_path(X, y, lambdas=lambdas)
    expected = nb.fit_path(
        X.numpy(), y.numpy()[:, 0], lambdas=[lam / 2 for lam in lambdas[::-1]], standardize=False, tol=1e-12
    )  # mse_loss is twice the package's squared error
    for point in path.points[1:]:
        coef = expected.at(lam=point.lam / 2).coef
        np.testing.assert_array_equal(point.selected, coef != 0)
        np.testing.assert_allclose(point.state["weight"].numpy()[0], coef, atol=1e-6)
    assert path.points[0].lam == 0
    assert path.points[0].selected.all()


def test_the_grid_ends_where_nothing_is_left() -> None:
    X, y = linear_problem()
    path = linear_path(X, y, n_lambdas=12)
    lambda_max = 2 * nb.fit_path(X.numpy(), y.numpy()[:, 0], standardize=False).lambdas[0]
    lams = np.array([point.lam for point in path.points])
    assert path.points[-1].n_nonzero == 0
    assert path.points[-2].n_nonzero > 0
    np.testing.assert_allclose(lams[-1], lambda_max, rtol=1e-6)
    np.testing.assert_allclose(lams[1], lambda_max / 100, rtol=1e-6)
    np.testing.assert_allclose(np.diff(np.log(lams[1:])), np.log(100) / 11, rtol=1e-6)


def toy(n: int = 480) -> tuple[Any, Any]:
    """Three of ten inputs matter, not linearly."""
    X = torch.randn(n, 10, generator=torch.Generator().manual_seed(1))
    return X, (torch.sin(2 * X[:, 0]) + X[:, 3].relu() - X[:, 7].abs())[:, None]


def toy_path(**options: Any) -> tuple[Any, nbt.NetworkPath]:
    torch.manual_seed(0)
    X, y = toy()
    model = torch.nn.Sequential(torch.nn.Linear(10, 20), torch.nn.Tanh(), torch.nn.Linear(20, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    penalties = {"0.weight": nbt.GroupLasso(1.0, by="input"), "2.weight": nbt.L2(1e-2)}
    penalized = nbt.penalize(model, optimizer, penalties)
    train = [(X[i : i + 100], y[i : i + 100]) for i in range(0, 400, 100)]
    return penalized, nbt.path(penalized, functional.mse_loss, train, [(X[400:], y[400:])], n_lambdas=12, **options)


@pytest.fixture(scope="module")
def found() -> tuple[Any, nbt.NetworkPath]:
    return toy_path(max_epochs=40)


def test_the_features_that_matter_stay_longest(found: tuple[Any, nbt.NetworkPath]) -> None:
    _, path = found
    assert set(path.ranking[:3]) == {0, 3, 7}
    point = path.at(n_selected=3)
    assert point.n_selected <= 3
    assert point.n_nonzero == 20 * point.n_selected
    assert path.points[-1].n_nonzero == 0
    assert path.at(lam=1e9) is path.points[-1]


def test_the_one_standard_error_rule(found: tuple[Any, nbt.NetworkPath]) -> None:
    penalized, path = found
    losses = [point.loss for point in path.points]
    best = int(np.argmin(losses))
    assert path.best is path.points[best]
    within = [k for k, loss in enumerate(losses) if loss <= losses[best] + path.points[best].standard_error]
    assert path.one_se is path.points[within[-1]]
    assert path.one_se.n_selected <= path.best.n_selected
    X, y = toy()
    path.load(path.best)
    with torch.no_grad():
        rows = (penalized.model(X[400:]) - y[400:]).square()[:, 0]
    np.testing.assert_allclose(path.best.loss, float(rows.mean()), rtol=1e-5)
    np.testing.assert_allclose(path.best.standard_error, float(rows.std()) / 80**0.5, rtol=1e-5)


def test_loading_a_point_restores_its_objective(found: tuple[Any, nbt.NetworkPath]) -> None:
    penalized, path = found
    X, y = toy()
    point = path.points[5]
    path.load(point)
    certificate = penalized.certify(penalized.model, functional.mse_loss, [(X[400:], y[400:])])
    np.testing.assert_allclose(certificate.objective, point.loss + point.penalty, rtol=1e-5)
    columns = point.state["0.weight"].norm(dim=0).sum()
    ridge = 0.5e-2 * point.state["2.weight"].square().sum()  # its strength does not move
    np.testing.assert_allclose(point.penalty, float(point.lam * columns + ridge), rtol=1e-5)


def test_the_refit_takes_the_shrinkage_out_and_keeps_the_zeros(found: tuple[Any, nbt.NetworkPath]) -> None:
    penalized, path = found
    point = path.at(n_selected=3)
    after = path.refit(point)
    weights = penalized.model[0].weight.detach()
    assert after.loss < point.loss
    assert torch.equal(weights, after.state["0.weight"])
    np.testing.assert_array_equal(weights.numpy().any(0), point.selected)
    assert after.lam == point.lam == penalized.selection
    loss = functional.mse_loss(penalized.model(toy()[0]), toy()[1])
    loss.backward()
    penalized.optimizer.step()  # and lets go of them afterwards
    assert penalized._held == {}


def test_a_cut_has_exactly_so_many_features(found: tuple[Any, nbt.NetworkPath]) -> None:
    penalized, path = found
    order = list(path.ranking)
    for size in range(1, 11):
        point = path.cut(size)
        assert set(np.flatnonzero(point.selected)) == set(order[:size])
        np.testing.assert_array_equal(penalized.model[0].weight.detach().numpy().any(0), point.selected)
        assert point.n_nonzero == 20 * size
    assert path.refit(path.cut(5)).n_selected == 5
    assert path.cut(2).loss >= path.refit(path.cut(2)).loss
    leaving = [max(k for k, point in enumerate(path.points) if point.selected[number]) for number in order]
    assert leaving == sorted(leaving, reverse=True)
    for bad in (0, 11):
        with pytest.raises(ValueError, match="between 1 and 10"):
            path.cut(bad)


def test_pictures_and_words(found: tuple[Any, nbt.NetworkPath]) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    _, path = found
    above, below = path.plot()
    assert below.get_xlabel() == "lam"
    assert "one standard error" in above.get_legend_handles_labels()[1]
    lines = str(path).splitlines()
    assert len(lines) == 1 + len(path.points)
    assert sum("best" in line for line in lines) == 1
    matplotlib.pyplot.close("all")


def test_a_training_loop_of_ones_own() -> None:
    X, y = linear_problem()
    model = torch.nn.Linear(10, 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(1.0)}, every=3)
    calls = []

    def epoch() -> None:
        assert model.training
        calls.append(1)
        for rows in (slice(0, 200), slice(200, None)):
            optimizer.zero_grad()
            functional.mse_loss(model(X[rows]), y[rows]).backward()
            optimizer.step()

    path = nbt.path(penalized, functional.mse_loss, epoch, [(X, y)], lambdas=[0.3, 5.0], max_epochs=20)
    assert len(calls) == sum(point.n_epochs for point in path.points)
    assert 0 < path.points[1].n_selected < 10  # the zeros are there though shrinking is due every third step only
    assert path.points[2].n_nonzero == 0


def test_channels_are_the_features_of_a_convolution() -> None:
    torch.manual_seed(0)
    X = torch.randn(60, 4, 5, 5)
    y = X[:, 2].mean((1, 2))[:, None] * 5
    model = torch.nn.Sequential(torch.nn.Conv2d(4, 3, 3), torch.nn.Flatten(), torch.nn.Linear(27, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    penalized = nbt.penalize(model, optimizer, {"0.weight": nbt.GroupLasso(1.0, by="input"), "2.*": nbt.L1(0.01)})
    options = {"n_lambdas": 10, "max_epochs": 60, "features": "0.weight"}
    path = nbt.path(penalized, functional.mse_loss, [(X[:40], y[:40])], [(X[40:], y[40:])], **options)
    assert path.at(n_selected=1).selected.tolist() == [False, False, True, False]


@pytest.mark.parametrize("by", ["input", lambda w: torch.arange(4).expand(3, 4) // 2], ids=["columns", "pairs"])
@pytest.mark.parametrize("kind", ["l1", "group", "sparse group"])
def test_zero_is_stationary_from_there_on(kind: str, by: Any) -> None:
    gradient = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).double()
    penalty = {
        "l1": nbt.L1(0.5),
        "group": nbt.GroupLasso(0.5, by=by),
        "sparse group": nbt.SparseGroupLasso(0.5, by=by, l1_ratio=0.3),
    }[kind]
    term = Term(penalty, gradient)
    scale = float(term.zero_from(gradient))
    assert term.distance(torch.zeros_like(gradient), gradient, scale * (1 + 1e-9))[0] == 0
    below = 0.99 if kind != "sparse group" else 0.3  # there it is a bound
    assert term.distance(torch.zeros_like(gradient), gradient, scale * below)[0] > 0


@pytest.mark.parametrize(
    "module", [torch.nn.ConvTranspose1d(4, 4, 2), torch.nn.Conv1d(4, 4, 2, groups=4)], ids=["transposed", "depthwise"]
)
def test_features_are_not_counted_where_columns_are_no_inputs(module: Any) -> None:
    model = torch.nn.Sequential(module, torch.nn.Conv1d(4, 1, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    penalized = nbt.penalize(model, optimizer, {"*.weight": nbt.L1(1.0)})
    data = [(torch.randn(5, 4, 6), torch.randn(5, 1, 4))]
    with pytest.raises(ValueError, match=r"0\.weight: the inputs of this Conv.* features="):
        nbt.path(penalized, functional.mse_loss, data, data)


def test_what_a_path_cannot_do_is_said() -> None:
    X, y = linear_problem()
    data = [(X, y)]
    model = torch.nn.Linear(10, 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    penalized = nbt.penalize(model, optimizer, {"weight": nbt.L1(1.0)})
    others = [torch.optim.SGD(model.parameters(), lr=0.05) for _ in range(2)]
    ridge = nbt.penalize(model, others[0], {"weight": nbt.L2(1.0)})
    loss = functional.mse_loss
    with pytest.raises(ValueError, match="L2 alone sets nothing to zero"):
        nbt.path(ridge, loss, data, data)
    decoupled = nbt.penalize(model, others[1], {"weight": nbt.L1(1.0)}, mode="decoupled")
    with pytest.raises(ValueError, match="decoupled"):
        nbt.path(decoupled, loss, data, data)
    with pytest.raises(ValueError, match="train is an iterator"):
        nbt.path(penalized, loss, iter(data), data)
    with pytest.raises(ValueError, match="validation holds no rows"):
        nbt.path(penalized, loss, data, [])
    with pytest.raises(ValueError, match="two rows"):
        nbt.path(penalized, loss, data, [(X[:1], y[:1])], max_epochs=1)
    with pytest.raises(ValueError, match=r"'wight'.*There are: weight"):
        nbt.path(penalized, loss, data, data, features="wight")
    for options, message in (
        ({"lambdas": [1.0, 0.5]}, "grow"),
        ({"lambdas": []}, "grow"),
        ({"lambdas": [0.0, 1.0]}, "positive"),
        ({"n_lambdas": 1}, "n_lambdas"),
        ({"lambda_min_ratio": 1.0}, "lambda_min_ratio"),
        ({"patience": 0}, "patience"),
    ):
        with pytest.raises(ValueError, match=message):
            nbt.path(penalized, loss, data, data, max_epochs=1, **options)
    with pytest.raises(ValueError, match=r"give lambdas="):
        nbt.path(penalized, loss, data, [(torch.zeros_like(X), y)], max_epochs=1)
    optimizer.param_groups[0]["lr"] = 0.0
    with pytest.raises(ValueError, match="learning rate of weight is 0"):
        nbt.path(penalized, loss, data, data)
    optimizer.param_groups[0]["lr"] = 1e200
    with pytest.raises(ValueError, match="smaller learning rate"):
        nbt.path(penalized, loss, data, data, lambdas=[1e-9])
    path = linear_path(X, y, lambdas=[0.3])
    with pytest.raises(ValueError, match="either"):
        path.at()
    with pytest.raises(ValueError, match="the sparsest has"):
        path.at(n_selected=0)
