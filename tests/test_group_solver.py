"""Terms of groups against grids and cvxpy, and the solver of a quadratic with them against cvxpy and its conditions."""

import itertools

import cvxpy
import numpy as np
import pytest

from normball import _native

WEIGHTS = [
    (0, 0, 0),
    (0.7, 0, 0),
    (0, 0.7, 0),
    (0, 0, 0.7),
    (0.4, 0.6, 0),
    (0.4, 0, 0.3),
    (0, 0.6, 0.3),
    (0.4, 0.6, 0.3),
]


def say(weights, z, b=None, curvature=1.0):
    z = np.ascontiguousarray(z, dtype=float)
    prox = np.empty_like(z)
    b = z if b is None else np.ascontiguousarray(b, dtype=float)
    return _native.group_term(*map(float, weights), z, b, curvature, prox) | {"prox": prox}


def value(weights, b):
    l1, group, l2 = weights
    return l1 * abs(b).sum(-1) + group * np.sqrt((b * b).sum(-1)) + l2 / 2 * (b * b).sum(-1)


def grid_minimum(function, radius):
    """Of a convex function of two numbers: a grid around the best point of the last one, 25 times finer each time."""
    centre = np.zeros(2)
    line = np.linspace(-1, 1, 101)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    while radius > 1e-9:
        points = np.concatenate([centre + radius * grid, centre * [1, 0], centre * [0, 1], np.zeros((1, 2))], axis=None)
        points = points.reshape(-1, 2)
        centre = points[function(points).argmin()]
        radius /= 25
    return centre


@pytest.mark.parametrize("curvature", [1.0, 0.3])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_value_and_prox_are_those_of_a_grid(weights, curvature):
    for z in np.random.default_rng(0).normal(size=(8, 2)) * [2, 1]:
        said = say(weights, z, curvature=curvature)
        assert said["value"] == pytest.approx(value(weights, z))
        best = grid_minimum(lambda b, z=z: curvature / 2 * (b * b).sum(-1) - b @ z + value(weights, b), 30.0)
        np.testing.assert_allclose(said["prox"], best, atol=1e-6)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_conjugate_is_the_supremum(weights):
    l1, group, l2 = weights
    for z in np.random.default_rng(1).normal(size=(12, 2)):
        excess = max(0.0, np.linalg.norm(np.maximum(abs(z) - l1, 0)) - group)
        conjugate = say(weights, z)["conjugate"]
        if l2 > 0:
            best = grid_minimum(lambda b, z=z: value(weights, b) - b @ z, 30.0)
            assert conjugate == pytest.approx(best @ z - value(weights, best), abs=1e-8)
        else:
            assert conjugate == (np.inf if excess > 0 else 0)


def distance(weights, gradient, b):
    """Of -gradient to the subdifferential, by cvxpy."""
    l1, group, l2 = weights
    corner, ball = cvxpy.Variable(b.size), cvxpy.Variable(b.size)
    bounds = [cvxpy.abs(corner) <= 1, cvxpy.norm(ball) <= 1]
    bounds += [corner[i] == np.sign(b[i]) for i in np.flatnonzero(b)]
    if b.any():
        bounds.append(ball == b / np.linalg.norm(b))
    length = cvxpy.norm(gradient + l2 * b + l1 * corner + group * ball)
    return cvxpy.Problem(cvxpy.Minimize(length), bounds).solve(solver=cvxpy.CLARABEL)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_violation_is_the_distance_to_the_subdifferential(weights):
    rng = np.random.default_rng(2)
    for n, sparsity in itertools.product([1, 4], [0, 0.5, 1]):
        gradient = rng.normal(size=n)
        b = rng.normal(size=n) * (rng.random(n) >= sparsity)
        assert say(weights, gradient, b)["violation"] == pytest.approx(distance(weights, gradient, b), abs=1e-6)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_prox_violates_nothing(weights):
    rng = np.random.default_rng(3)
    for n, curvature in itertools.product([1, 2, 7], [0.2, 5.0]):
        z = rng.normal(size=n) * rng.choice([0.3, 3.0], n)
        b = say(weights, z, curvature=curvature)["prox"]
        assert say(weights, curvature * b - z, b)["violation"] <= 1e-14
        assert say(weights, curvature * b - z + 1e-3, b + 1e-3)["violation"] > 1e-6


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_a_block_of_one_is_an_elastic_net(l2):
    """To the last bit, however its weight is split."""
    for z in [-2.0, -0.75, -0.5, 0.0, 0.3, 1.7]:
        shrunk = np.sign(z) * max(abs(z) - 0.75, 0)
        for weights in [(0.75, 0, l2), (0, 0.75, l2), (0.5, 0.25, l2)]:
            said = say(weights, [z], [0.3], curvature=2.0)
            assert said["prox"][0] == shrunk / (2 + l2)
            assert said["value"] == 0.75 * 0.3 + 0.5 * l2 * 0.3 * 0.3
            assert said["violation"] == abs(z + l2 * 0.3 + 0.75)
            assert said["strength_asked"] == abs(z) / 0.75
            assert said["costless_scale"] == (1 if shrunk == 0 else 0.75 / abs(z) * (1 - 4e-16))
            assert (said["conjugate"] == 0) == (shrunk == 0)


def test_an_excluded_block_stays_at_zero():
    for weights in [(np.inf, 0, 0), (0, np.inf, 0), (np.inf, np.inf, 0)]:
        for n in (1, 3):
            said = say(weights, np.arange(1.0, n + 1), np.zeros(n))
            assert (said["value"], said["violation"], said["conjugate"], said["costless_scale"]) == (0, 0, 0, 1)
            assert said["strength_asked"] == 0
            assert (said["prox"] == 0).all()


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_the_costless_scale_holds_in_floating_point_and_is_the_largest(unit):
    rng = np.random.default_rng(4)
    n_scaled = 0
    for _ in range(2000):
        z = rng.standard_cauchy(rng.integers(1, 9))
        if rng.random() < 0.3:
            z = np.round(z)  # ties and zeros
        l1, group = rng.random(2) * rng.choice([0, 1], 2)
        term = (unit * l1, unit * group, 0)
        scale = say(term, unit * z)["costless_scale"]
        assert 0 <= scale <= 1
        assert say(term, scale * (unit * z))["conjugate"] == 0
        if scale < 1:
            n_scaled += 1
            assert say(term, (1 + 1e-12) * scale * (unit * z) + (scale == 0) * z)["conjugate"] == np.inf
    assert n_scaled > 500


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_the_strength_that_is_asked_just_holds_the_block(unit):
    rng = np.random.default_rng(5)
    for _ in range(500):
        n = rng.integers(1, 9)
        z = unit * rng.normal(size=n) * rng.choice([0.1, 1.0], n)
        a, c = rng.random(2) * [[1, 0], [0, 1], [1, 1]][rng.integers(3)]
        t = say((a, c, 0), z)["strength_asked"]
        assert say((t * a, t * c, 0), z, np.zeros(n))["violation"] <= 1e-13 * abs(z).max()
        assert say((0.999 * t * a, 0.999 * t * c, 0), z, np.zeros(n))["violation"] > 1e-8 * abs(z).max()
    assert say((0, 0, 0), [1.0, 2.0])["strength_asked"] == 0
    assert say((1, 1, 0), [0.0, 0.0])["strength_asked"] == 0


# -- the solver


def solve(H, linear, counts, terms, tolerance=1e-10, versions=None, start=None):
    """b and gradient for each row of `linear`, each begun where the last one ended."""
    H, linear, terms = (np.ascontiguousarray(one, dtype=float) for one in (H, linear, terms))
    b, gradients = np.zeros_like(linear), np.zeros_like(linear)
    if start is not None:
        b[0] = start
    versions = versions or [0] * len(linear)
    _native.solve_groups(H, versions, linear, counts, terms, tolerance, b, gradients)
    return b, gradients


def violation(gradient, b, counts, terms):
    """The longest distance of a block, written anew."""
    worst = 0.0
    for rows, (l1, group, l2) in zip(np.split(np.arange(b.size), np.cumsum(counts)[:-1]), terms, strict=True):
        g, x = gradient[rows], b[rows]
        if not x.any():
            worst = max(worst, np.linalg.norm(np.maximum(abs(g) - l1, 0)) - group)
            continue
        slope = g + l2 * x + group * x / np.linalg.norm(x) + l1 * np.sign(x)
        inside = np.sign(g) * np.maximum(abs(g) - l1, 0)
        worst = max(worst, np.linalg.norm(np.where(x == 0, inside, slope)))
    return worst


def problem(rng, counts, kind="full", n=None):
    """H, linear and the design of squared errors; kind: full rank, fewer rows than columns, or copies of columns."""
    p = sum(counts)
    n = n or {"full": 2 * p + 5, "wide": max(p // 2, 1), "copies": 2 * p + 5}[kind]
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    if kind == "copies":
        X[:, p // 2 :] = X[:, : p - p // 2]
    beta = rng.normal(size=p) * np.repeat(rng.random(len(counts)) < 0.5, counts)
    y = X @ beta + rng.normal(size=n) * np.sqrt(p)
    return X.T @ X / n, -X.T @ y / n


def random_counts(rng, p):
    counts = []
    while sum(counts) < p:
        counts.append(int(min(rng.integers(1, 9), p - sum(counts))))
    return counts


def cvxpy_minimum(H, linear, counts, terms):
    b = cvxpy.Variable(linear.size)
    values, vectors = np.linalg.eigh(H)
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    total = linear @ b + cvxpy.sum_squares(root @ b) / 2
    for rows, (l1, group, l2) in zip(np.split(np.arange(linear.size), np.cumsum(counts)[:-1]), terms, strict=True):
        total += l1 * cvxpy.norm1(b[rows]) + group * cvxpy.norm(b[rows]) + l2 / 2 * cvxpy.sum_squares(b[rows])
    return cvxpy.Problem(cvxpy.Minimize(total)).solve(solver=cvxpy.CLARABEL)


def objective(H, linear, counts, terms, b):
    pieces = np.split(b, np.cumsum(counts)[:-1])
    penalty = sum(value(term, piece) for term, piece in zip(terms, pieces, strict=True))
    return linear @ b + b @ H @ b / 2 + penalty


MIXES = {"groups": (0, 1, 0), "sparse groups": (0.5, 0.5, 0), "elastic net": (0.7, 0, 0.3), "all": (0.4, 0.5, 0.2)}


@pytest.mark.parametrize("strength", [0.3, 0.01])
@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("kind", ["full", "wide", "copies"])
@pytest.mark.parametrize("p", [1, 2, 7, 25, 60])
def test_the_minimum_is_cvxpy_s(p, kind, mix, strength):
    rng = np.random.default_rng(p)
    counts = random_counts(rng, p)
    H, linear = problem(rng, counts, kind)
    strengths = strength * abs(linear).max() * rng.uniform(0.5, 1.5, (len(counts), 1))
    terms = strengths * MIXES[mix] * np.sqrt(counts)[:, None] ** [0, 1, 0]
    terms[0] = 0  # without any penalty
    b, gradient = solve(H[None], linear[None], counts, terms[None])
    np.testing.assert_allclose(gradient[0], linear + H @ b[0], atol=1e-11 * abs(linear).max())
    assert violation(linear + H @ b[0], b[0], counts, terms) <= 2e-10
    wanted = cvxpy_minimum(H, linear, counts, terms)
    assert objective(H, linear, counts, terms, b[0]) == pytest.approx(wanted, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("n", [200, 1000])
def test_conditions_hold_at_five_hundred_coordinates_along_a_path(n, mix):
    """Each strength is begun at the last one's minimum; the last ones are close to what has no penalty."""
    rng = np.random.default_rng(0)
    counts = [2, 3, 20, 5, 10, 10] * 10
    H, linear = problem(rng, counts, n=n)
    strengths = np.append(abs(linear).max() * np.geomspace(1, 1e-3, 8), 0.3 * abs(linear).max())
    terms = strengths[:, None, None] * MIXES[mix] * np.sqrt(counts)[:, None] ** [0, 1, 0]
    b, _ = solve(H[None], np.tile(linear, (len(strengths), 1)), counts, terms, tolerance=1e-9)
    for k in range(len(strengths)):
        assert violation(linear + H @ b[k], b[k], counts, terms[k]) <= 2e-9
    n_nonzero = (b != 0).sum(1)
    assert n_nonzero[0] < n_nonzero[-1] < n_nonzero[-2]


def test_another_h_is_noticed_and_the_start_does_not_matter():
    rng = np.random.default_rng(1)
    counts = [3, 1, 6, 5, 5]
    pairs = [problem(rng, counts) for _ in range(3)]
    H, linear = (np.stack(both) for both in zip(*pairs, strict=True))
    terms = np.tile([0.1, 0.3, 0.01], (3, len(counts), 1))
    b, _ = solve(H, linear, counts, terms, versions=[0, 1, 2], start=rng.normal(size=20))
    for k in range(3):
        alone, _ = solve(H[k : k + 1], linear[k : k + 1], counts, terms[:1])
        np.testing.assert_allclose(b[k], alone[0], atol=1e-9)


def test_a_solved_problem_is_left_alone():
    rng = np.random.default_rng(2)
    counts = [4] * 10
    H, linear = problem(rng, counts)
    terms = np.tile([0.1, 0.3, 0.0], (2, 10, 1))
    b, _ = solve(H[None], np.stack([linear, linear]), counts, terms, tolerance=1e-9)
    np.testing.assert_array_equal(b[0], b[1])


@pytest.mark.parametrize("orthonormal", [True, False])
def test_one_block_alone_is_its_prox_where_it_is_orthonormal(orthonormal):
    rng = np.random.default_rng(3)
    weights, z = (0.2, 0.4, 0.1), rng.normal(size=6)
    H = 1.7 * np.eye(6) if orthonormal else problem(rng, [6])[0]
    b, _ = solve(H[None], -z[None], [6], [[weights]])
    prox = say(weights, z, curvature=1.7)["prox"]
    assert (abs(b[0] - prox).max() <= 1e-12) == orthonormal
    assert violation(H @ b[0] - z, b[0], [6], [weights]) <= 1e-10


def test_the_shift_of_all_classes_moves_nothing():
    """Softmax's H: rows and columns of each feature's block sum to 0, and the first block is free."""
    rng = np.random.default_rng(4)
    n, p, K = 300, 6, 4
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p))])
    mu = rng.dirichlet(np.ones(K), n)
    weights = mu[:, :, None] * (np.eye(K) - mu[:, None, :])
    H = np.einsum("ij,ikl,im->jkml", X, weights, X).reshape((p + 1) * K, -1) / n
    y = np.eye(K)[np.argmax(X[:, 1:5] + rng.gumbel(size=(n, K)), 1)]
    linear = (X.T @ (mu - y) / n).ravel()
    for mix in MIXES.values():
        terms = 0.05 * np.tile(mix, (p + 1, 1))
        terms[0] = 0
        b, _ = solve(H[None], linear[None], [K] * (p + 1), terms[None])
        assert violation(linear + H @ b[0], b[0], [K] * (p + 1), terms) <= 2e-10
        np.testing.assert_allclose(b[0].reshape(-1, K)[0].mean(), 0, atol=1e-4)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_another_unit_is_the_same_problem(unit):
    """Of the response; the tolerance goes with it."""
    rng = np.random.default_rng(5)
    counts = [3] * 12
    H, linear = problem(rng, counts, "wide")
    terms = abs(linear).max() * np.tile([0.05, 0.1, 0.0], (12, 1))
    one, _ = solve(H[None], linear[None], counts, terms[None])
    other, _ = solve(H[None], unit * linear[None], counts, unit * terms[None], tolerance=unit * 1e-10)
    np.testing.assert_allclose(other, unit * one, rtol=1e-6, atol=unit * 1e-7)


def test_a_column_without_variation_is_no_obstacle():
    rng = np.random.default_rng(6)
    counts = [3, 1, 4]
    H, linear = problem(rng, counts)
    for j in (1, 3):
        H[j], H[:, j], linear[j] = 0, 0, 0
    terms = np.array([[0, 0.1, 0], [0.1, 0, 0], [0, 0, 0]])
    b, _ = solve(H[None], linear[None], counts, terms[None])
    assert violation(linear + H @ b[0], b[0], counts, terms) <= 1e-10
    assert (b[0][[1, 3]] == 0).all()
