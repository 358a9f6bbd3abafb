"""The numbers and the picture of torch.md: handwritten digits, one network, three penalties.

Run `python docs/torch_digits.py`; it takes half a minute and writes docs/images/torch-digits.svg.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import normball.torch as nbt

WAYS: dict[str, dict[str, nbt.Penalty]] = {
    "no penalty": {},
    "L2": {"*.weight": nbt.L2(1e-3)},
    "L1": {"*.weight": nbt.L1(1e-3)},
    "group": {"0.weight": nbt.GroupLasso(1e-2, by="input"), "2.weight": nbt.L2(1e-3)},
}
N_TRAIN, N_HIDDEN, BATCH = 300, 128, 75


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
