"""What a penalty costs beside a step of fused AdamW, on 784-2048-2048-10.

`python -m benchmarks.torch_overhead` prints the table; `--device cuda` for a GPU. Each way has a network and an
optimizer of its own; in each round all of them take a step in turn, after a forward and backward pass each, so that
the caches are those of training. The overhead is the median over the rounds of the difference to the plain step of
the same round. torchao's pruning optimizer takes part where it is installed (dependency group `torch-bench`).
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

import normball.torch as nbt

LAM = 1e-4


def network(device: str) -> nn.Sequential:
    torch.manual_seed(0)
    sizes = (784, 2048, 2048, 10)
    layers = [nn.Linear(before, after) for before, after in pairwise(sizes)]
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2]).to(device)


def adamw(groups: Any) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.0, fused=True)


def plain(model: nn.Module) -> Any:
    return adamw(model.parameters())


def penalised(penalty: nbt.Penalty, every: int = 1) -> Callable[[nn.Module], Any]:
    def make(model: nn.Module) -> Any:
        optimizer = adamw(model.parameters())
        nbt.penalize(model, optimizer, {"*.weight": penalty}, every=every)
        return optimizer

    return make


def naive(model: nn.Module) -> Any:
    """The threshold lr * lam in a loop, as in many repositories: cheaper, and another problem under Adam."""
    optimizer = adamw(model.parameters())
    weights = [p for p in model.parameters() if p.ndim > 1]

    @torch.no_grad()
    def hook(optimizer: Any, *_: Any) -> None:
        threshold = optimizer.param_groups[0]["lr"] * LAM
        for p in weights:
            p.copy_(nn.functional.softshrink(p, threshold))

    optimizer.register_step_post_hook(hook)
    return optimizer


def torchao(model: nn.Module) -> Any:
    from torchao.prototype.pat.optim import PruneOptimizer

    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    lasso = {"params": weights, "prox_type": "ProxLasso", "group_type": "ElemGrouper"}
    return PruneOptimizer(adamw([lasso, {"params": others}]), reg_lambda=LAM)


WAYS: dict[str, Callable[[nn.Module], Any]] = {
    "fused AdamW alone": plain,
    "L1": penalised(nbt.L1(LAM)),
    "L1, every=4": penalised(nbt.L1(LAM), every=4),
    "group lasso by output": penalised(nbt.GroupLasso(LAM)),
    "group lasso by output, every=4": penalised(nbt.GroupLasso(LAM), every=4),
    "soft threshold lr * lam (another problem)": naive,
    "torchao PruneOptimizer, ProxLasso (another problem)": torchao,
}


def measure(device: str, rounds: int, batch: int) -> tuple[dict[str, list[float]], list[float]]:
    """Milliseconds of each way's steps, and of the forward and backward passes of the plain one."""
    wait: Callable[[], None] = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    clock = time.perf_counter
    X, y = torch.randn(batch, 784, device=device), torch.randint(0, 10, (batch,), device=device)
    taking_part = {}
    for name, make in WAYS.items():
        model = network(device)
        try:
            taking_part[name] = model, make(model)
        except ImportError as error:
            print(f"{name}: left out ({error})")
    steps: dict[str, list[float]] = {name: [] for name in taking_part}
    passes: list[float] = []
    for number in range(-4, rounds):  # four rounds to warm up
        for name, (model, optimizer) in taking_part.items():
            optimizer.zero_grad()
            wait()
            start = clock()
            cross_entropy(model(X), y).backward()  # type: ignore[no-untyped-call]
            wait()
            middle = clock()
            optimizer.step()
            wait()
            if number >= 0:
                steps[name].append(1e3 * (clock() - middle))
            if number >= 0 and name == "fused AdamW alone":
                passes.append(1e3 * (middle - start))
    return steps, passes


def averaged(steps: list[float], cycle: int = 4) -> list[float]:
    """Means of whole cycles: with every=4 one step in four does the work."""
    return [statistics.fmean(steps[i : i + cycle]) for i in range(0, len(steps) - cycle + 1, cycle)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torchao's own
        steps, passes = measure(options.device, options.rounds, options.batch)
    base, forward = averaged(steps["fused AdamW alone"]), averaged(passes)
    name = torch.cuda.get_device_name() if options.device.startswith("cuda") else f"{options.threads} thread(s)"
    print(f"{options.device}, {name}, batch {options.batch}, forward and backward {statistics.median(forward):.1f} ms")
    print("\n| step of | ms | overhead, ms | of the step | of forward + backward |\n| - | - | - | - | - |")
    for way, values in steps.items():
        means = averaged(values)
        extra = statistics.median(a - b for a, b in zip(means, base, strict=True))
        ratio = statistics.median((a - b) / b for a, b in zip(means, base, strict=True))
        share = statistics.median((a - b) / c for a, b, c in zip(means, base, forward, strict=True))
        print(f"| {way} | {statistics.median(means):.2f} | {extra:.2f} | {100 * ratio:.0f} % | {100 * share:.1f} % |")


if __name__ == "__main__":
    main()
