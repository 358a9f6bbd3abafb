"""The numbers and the picture of torch.md: handwritten digits, one network, three penalties and none.

`python docs/torch_digits.py` takes about a minute, prints the table and writes docs/images/torch-digits.svg.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import polars as pl
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import normball.torch as nbt

WAYS: dict[str, dict[str, nbt.Penalty]] = {
    "no penalty": {},
    "L2": {"*.weight": nbt.L2(3e-3)},
    "L1": {"*.weight": nbt.L1(1e-3)},
    "group lasso": {"0.weight": nbt.GroupLasso(1e-2, by="input"), "2.weight": nbt.L2(1e-3)},
}
N_TRAIN, N_HIDDEN, BATCH, N_EPOCHS = 300, 128, 75, 1000
PICTURE = Path(__file__).parent / "images" / "torch-digits.svg"


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """300 images to learn from and 1,497 that are never learned from, centred, in units of a pixel's spread."""
    X, y = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(X, y, train_size=N_TRAIN, random_state=0, stratify=y)
    mean, spread = train.mean(0), train.std(0).clip(min=1.0)  # border pixels hardly vary
    inputs = [torch.tensor((part - mean) / spread, dtype=torch.float32) for part in (train, test)]
    return inputs[0], inputs[1], torch.tensor(y_train), torch.tensor(y_test)


def network() -> nn.Sequential:
    """One hidden layer of sigmoids, the same first weights every time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, N_HIDDEN), nn.Sigmoid(), nn.Linear(N_HIDDEN, 10))


@dataclass(frozen=True)
class Result:
    """A trained network, the numbers along the way, and the row of the table."""

    model: nn.Sequential
    monitor: pl.DataFrame
    row: dict[str, Any]


def trained(way: str, X: Tensor, X_test: Tensor, y: Tensor, y_test: Tensor) -> Result:
    """Train one way; the loop is the same for all."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    penalized = nbt.penalize(model, optimizer, WAYS[way]) if WAYS[way] else None
    monitor = nbt.Monitor(model, optimizer)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, N_EPOCHS)
    for _ in range(N_EPOCHS):
        for rows in torch.randperm(N_TRAIN).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(model(X[rows]), y[rows]).backward()
            optimizer.step()
        schedule.step()
    small = nbt.shrink(model, X)
    frame = monitor.to_frame()
    with torch.no_grad():
        right = [(model(x).argmax(1) == target).float().mean().item() for x, target in ((X, y), (X_test, y_test))]
        loss = cross_entropy(model(X_test), y_test).item()
    weights = model[0].weight.detach()
    row = {
        "right on the images learned from, %": 100 * right[0],
        "right on the others, %": 100 * right[1],
        "mean loss on the others": loss,
        "largest weight between pixels and sigmoids": weights.abs().max().item(),
        "norm of these weights": weights.norm().item(),
        "sigmoids saturated, %": 100 * frame["saturated/1"][-1],
        "norm of the gradient, first layer": frame["gradient/0.weight"][-1],
        "weights other than zero": sum(int((p != 0).sum()) for p in (model[0].weight, model[2].weight)),
        "pixels in use": int((weights != 0).any(0).sum()),
        "parameters after shrink": sum(p.numel() for p in small.parameters()),
        "largest KKT violation, in lam": float("nan")
        if penalized is None
        else penalized.certify(model, cross_entropy, [(X, y)]).kkt,
    }
    return Result(model, frame, row)


def draw(results: dict[str, Result]) -> None:
    """Saturation, gradient and weights over training; below, what each way makes of the 64 pixels."""
    figure, axes = plt.subplot_mosaic([["a", "a", "b", "b"], list("0123")], figsize=(8, 5), layout="constrained")
    for way, result in results.items():
        frame = result.monitor
        axes["a"].plot(frame["step"], 100 * frame["saturated/1"], label=way, lw=1)
        axes["b"].plot(frame["step"], frame["norm/0.weight"], label=way, lw=1)
    axes["a"].set(xlabel="step", ylabel="saturated sigmoids, %")
    axes["b"].set(xlabel="step", ylabel="norm of the first weights", yscale="log")
    axes["b"].legend(fontsize="small", frameon=False)
    for number, (way, result) in enumerate(results.items()):
        ax = axes[str(number)]
        ax.imshow(result.model[0].weight.detach().norm(dim=0).reshape(8, 8), cmap="magma", vmin=0)
        ax.set(title=f"{way}: {result.row['pixels in use']} pixels", xticks=[], yticks=[])
        ax.title.set_fontsize("medium")
    plt.rcParams["svg.hashsalt"] = "normball"
    figure.savefig(PICTURE, metadata={"Date": None})


def main() -> None:
    """Train all ways, print the table, draw the picture."""
    torch.set_num_threads(1)
    data = digits()
    results = {way: trained(way, *data) for way in WAYS}
    rows = [result.row for result in results.values()]
    print(f"| | {' | '.join(WAYS)} |\n|{' - |' * (1 + len(WAYS))}")
    for name in rows[0]:
        cells = (f"{row[name]:.{3 if row[name] < 100 else 5}g}" for row in rows)
        print(f"| {name} | {' | '.join(cells)} |")
    draw(results)


if __name__ == "__main__":
    main()
