"""Features chosen through a network: normball.torch.path, LassoNet, and magnitude pruning with fine-tuning.

`python -m benchmarks.torch_selection` runs what is missing and prints the tables; it can be stopped and goes on where
it was. It needs `pip install lassonet` (dependency group `torch-bench`) and the data sets of `real_data`.

The same for all: ten splits, 300 rows to learn from and 100 to stop by (60 % and 15 % of small sets),
at most 1,000 to judge; the 128 columns that vary most among the rows to learn from, standardised; one hidden layer of
32; full batches; learning rate 0.01; strengths that grow by 40 %, at most 20 epochs each and 5 without progress. Nobody
is tuned. Small networks, small sets and coarse grids, so that all of it takes a quarter of an hour of one core: the
tables compare methods, they are no records. A method names its K features, and a fresh network is trained on those
alone ("fresh"), in the same way for all. Its own network is judged as well ("own"): normball's cut to K and refitted,
LassoNet's at the point of its path with the most features up to K, the pruned one after its fine-tuning.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import normball.torch as nbt
from benchmarks.real_data import folder

SIZES = (50, 20, 10)
SEEDS = range(10)
RECORDS = Path("build/benchmarks/torch_selection.jsonl")
RATE = 1e-2
WIDTH, GROWTH, EPOCHS, PATIENCE = 32, 1.4, 20, 5
DENSE_EPOCHS, DENSE_PATIENCE = 200, 20
MOST_COLUMNS = 128


@dataclass(frozen=True)
class Split:
    """Inputs and classes to learn from, to choose by, and to judge."""

    X: Tensor
    y: Tensor
    X_held: Tensor
    y_held: Tensor
    X_test: Tensor
    y_test: Tensor

    def columns(self, chosen: NDArray[np.intp]) -> Split:
        pick = torch.from_numpy(chosen)
        return Split(self.X[:, pick], self.y, self.X_held[:, pick], self.y_held, self.X_test[:, pick], self.y_test)


@dataclass(frozen=True)
class Chosen:
    """Features of one K, best first, and the accuracy of the method's own network with them."""

    features: NDArray[np.intp]
    own: float


def table(name: str, target: str) -> tuple[NDArray[Any], NDArray[Any]]:
    import polars as pl

    frame = pl.read_csv(folder() / f"{name}.csv.gz")
    return frame.drop(target, "split", strict=False).to_numpy().astype(float), frame[target].to_numpy()


def cnae9() -> tuple[NDArray[Any], NDArray[Any]]:
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(str(folder() / "cnae9.svmlight.gz"))
    return X.toarray(), y


SETS: dict[str, Callable[[], tuple[NDArray[Any], NDArray[Any]]]] = {
    "digits": lambda: load_digits(return_X_y=True),
    "breast cancer": lambda: load_breast_cancer(return_X_y=True),
    "khan_srbct": lambda: table("khan_srbct", "y"),
    "usps_zip": lambda: table("usps_zip", "digit"),
    "cnae9": cnae9,
    "phoneme": lambda: table("phoneme", "phoneme"),
}


def split(X: NDArray[Any], y: NDArray[Any], seed: int) -> Split:
    """Stratified; columns chosen and standardised by the rows to learn from, and cut at five deviations."""
    y = np.unique(y, return_inverse=True)[1]
    n_learn, n_held = (300, 100) if len(y) > 500 else (int(0.6 * len(y)), int(0.15 * len(y)))
    learn, rest = train_test_split(np.arange(len(y)), train_size=n_learn, random_state=seed, stratify=y)
    held, rest = train_test_split(rest, train_size=n_held, random_state=seed, stratify=y[rest])
    X = X[:, np.sort(np.argsort(-X[learn].std(0), kind="stable")[:MOST_COLUMNS])]
    mean, spread = X[learn].mean(0), X[learn].std(0)
    Z = ((X - mean) / np.where(spread > 0, spread, 1.0)).clip(-5, 5)
    parts = [
        torch.as_tensor(array[rows], dtype=kind)
        for rows in (learn, held, rest[:1000])
        for array, kind in ((Z, torch.float32), (y, torch.int64))
    ]
    return Split(*parts)


def network(data: Split, seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    n_classes = int(torch.cat([data.y, data.y_held, data.y_test]).max()) + 1
    return nn.Sequential(nn.Linear(data.X.shape[1], WIDTH), nn.ReLU(), nn.Linear(WIDTH, n_classes))


@torch.no_grad()
def accuracy(model: Callable[[Tensor], Tensor], data: Split) -> float:
    return float((model(data.X_test).argmax(1) == data.y_test).float().mean())


def train(model: nn.Module, data: Split, epochs: int, patience: int, mask: Tensor | None = None) -> None:
    """Adam with early stopping on the rows held out; `mask` holds inputs of the first layer at zero."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    first = next(model.parameters())
    best, state, waited = np.inf, {}, 0
    for _ in range(epochs):
        optimizer.zero_grad()
        cross_entropy(model(data.X), data.y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            if mask is not None:
                first.mul_(mask)
            loss = float(cross_entropy(model(data.X_held), data.y_held))
        waited += 1
        if loss < best:
            waited = 0 if loss < 0.999 * best else waited
            best, state = loss, {name: tensor.clone() for name, tensor in model.state_dict().items()}
        if waited >= patience:
            break
    model.load_state_dict(state)


def ranked(points: Iterable[tuple[NDArray[np.bool_], NDArray[Any]]]) -> NDArray[np.intp]:
    """Features by how late they leave a path of (selected, sizes), ties by their size when last seen."""
    last: Any = None
    for number, (selected, sizes) in enumerate(points):
        last = np.full((2, selected.size), -1.0) if last is None else last
        last[0, selected], last[1, selected] = number, sizes[selected]
    return np.lexsort(-last[::-1])


def normball_path(data: Split, seed: int) -> tuple[float, int, dict[int, Chosen]]:
    model = network(data, seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    penalties = {"0.weight": nbt.GroupLasso(1.0, by="input"), "2.weight": nbt.L2(1e-3)}
    penalized = nbt.penalize(model, optimizer, penalties)
    start = time.process_time()
    train(model, data, DENSE_EPOCHS, DENSE_PATIENCE)
    path = nbt.path(
        penalized,
        cross_entropy,
        [(data.X, data.y)],
        [(data.X_held, data.y_held)],
        n_lambdas=int(np.log(100) / np.log(GROWTH)) + 2,
        max_epochs=EPOCHS // 2,  # at each of its two step sizes
        patience=PATIENCE,
        tol=1e-2,
    )
    seconds = time.process_time() - start
    order = ranked((point.selected, point.state["0.weight"].norm(dim=0).numpy()) for point in path.points)
    chosen = {}
    for size in sizes_of(data):
        path.refit(path.cut(size))
        chosen[size] = Chosen(order[:size], accuracy(model.eval(), data))
    return seconds, len(path.points), chosen


def lassonet(data: Split, seed: int) -> tuple[float, int, dict[int, Chosen]]:
    from lassonet import LassoNetClassifier

    model = LassoNetClassifier(
        hidden_dims=(WIDTH,),
        path_multiplier=GROWTH,
        optim=(partial(torch.optim.Adam, lr=RATE), partial(torch.optim.SGD, lr=RATE, momentum=0.9)),
        n_iters=(DENSE_EPOCHS, EPOCHS),
        patience=(DENSE_PATIENCE, PATIENCE),
        torch_seed=seed,
        verbose=0,
        device="cpu",
    )
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its own automatic start may be too large
        path = model.path(data.X, data.y, X_val=data.X_held, y_val=data.y_held, return_state_dicts=True)
    seconds = time.process_time() - start
    order = ranked((item.selected.numpy(), item.state_dict["skip.weight"].norm(dim=0).numpy()) for item in path)
    chosen = {}
    for size in sizes_of(data):
        item = max((one for one in path if one.selected.sum() <= size), key=lambda one: int(one.selected.sum()))
        model.model.load_state_dict(item.state_dict)
        chosen[size] = Chosen(order[:size], accuracy(model.model.eval(), data))
    return seconds, len(path), chosen


def magnitude(data: Split, seed: int) -> tuple[float, int, dict[int, Chosen]]:
    """Leave out the inputs with the smallest columns, three in ten at a time, and fine-tune after each cut."""
    model = network(data, seed)
    first = next(model.parameters())
    start = time.process_time()
    train(model, data, DENSE_EPOCHS, DENSE_PATIENCE)
    left, seconds, n_cuts, chosen = data.X.shape[1], 0.0, 0, {}
    for size in sizes_of(data):
        while left > size:
            left, n_cuts = max(size, int(left / GROWTH)), n_cuts + 1
            order = first.detach().norm(dim=0).argsort(descending=True)
            mask = torch.zeros(first.shape[1]).index_fill_(0, order[:left], 1.0)
            with torch.no_grad():
                first.mul_(mask)
            train(model, data, EPOCHS, PATIENCE, mask)
        seconds += time.process_time() - start
        chosen[size] = Chosen(order[:size].numpy(), accuracy(model, data))
        start = time.process_time()
    return seconds, n_cuts, chosen


METHODS: dict[str, Callable[[Split, int], tuple[float, int, dict[int, Chosen]]]] = {
    "normball": normball_path,
    "LassoNet": lassonet,
    "magnitude": magnitude,
}


def sizes_of(data: Split) -> list[int]:
    return [size for size in SIZES if size < data.X.shape[1]]


def cell(data: Split, seed: int, method: str) -> dict[str, Any]:
    seconds, n_points, chosen = METHODS[method](data, seed)
    results = {}
    for size, one in chosen.items():
        fewer = data.columns(one.features)
        fresh = network(fewer, seed)
        train(fresh, fewer, DENSE_EPOCHS, DENSE_PATIENCE)
        results[str(size)] = {"own": one.own, "fresh": accuracy(fresh, fewer)}
    return {"seconds": seconds, "points": n_points, "sizes": results}


def run(names: list[str], seeds: Iterable[int]) -> None:
    """All cells that are not on file yet, seed by seed, so that an interrupted run has whole seeds."""
    RECORDS.parent.mkdir(parents=True, exist_ok=True)
    done = {(r["set"], r["seed"], r["method"]) for r in records()}
    tables = {name: SETS[name]() for name in names}
    for seed in seeds:
        for name in names:
            data = split(*tables[name], seed)
            for method in METHODS:
                if (name, seed, method) in done:
                    continue
                record = {"set": name, "seed": seed, "method": method, **cell(data, seed, method)}
                with RECORDS.open("a") as file:
                    file.write(json.dumps(record) + "\n")


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORDS.read_text().splitlines()] if RECORDS.exists() else []


def accuracies_table(rows: list[dict[str, Any]], kind: str) -> list[str]:
    """A line for each set and K; splits count that all methods have finished."""
    lines = ["| set | K | " + " | ".join(METHODS) + " | normball - LassoNet | splits |", "|" + " - |" * 7]
    for name in SETS:
        for size in map(str, SIZES):
            here = [r for r in rows if r["set"] == name and size in r["sizes"]]
            found = [{r["seed"]: r["sizes"][size][kind] for r in here if r["method"] == method} for method in METHODS]
            seeds = sorted(set.intersection(*map(set, found)))
            if len(seeds) < 2:
                continue
            values = 100 * np.array([[each[seed] for seed in seeds] for each in found])
            cells = [f"{each.mean():.1f} ± {each.std(ddof=1):.1f}" for each in values]
            gap = values[0] - values[1]
            cells.append(f"{gap.mean():+.1f} ± {gap.std(ddof=1) / len(gap) ** 0.5:.1f}")
            lines.append(f"| {name} | {size} | {' | '.join(cells)} | {len(seeds)} |")
    return lines


def times_table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| set | " + " | ".join(METHODS) + " |", "|" + " - |" * 4]
    for name in SETS:
        cells = []
        for method in METHODS:
            here = [r for r in rows if r["set"] == name and r["method"] == method]
            if here:
                times = [r["seconds"] for r in here]
                points = np.median([r["points"] for r in here])
                cells.append(f"{np.median(times):.1f} ({min(times):.1f} to {max(times):.1f}), {points:.0f}")
        if len(cells) == len(METHODS):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def report() -> str:
    rows = records()
    lines = [
        "Test accuracy in %, mean ± standard deviation over the splits; differences are paired, ± their standard error."
    ]
    lines += ["", "A fresh network on the K features:", "", *accuracies_table(rows, "fresh")]
    lines += ["", "The method's own network with K features:", "", *accuracies_table(rows, "own")]
    lines += ["", "CPU seconds of one path (median, range over the splits), and its number of points:", ""]
    return "\n".join([*lines, *times_table(rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs="+", choices=SETS, default=list(SETS), help="data sets")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="number of splits")
    parser.add_argument("--report", action="store_true", help="only print the tables of what is on file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.report:
        run(options.set, range(options.seeds))
    print(report())


if __name__ == "__main__":
    main()
