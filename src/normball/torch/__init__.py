"""L1, L2 and group penalties for neural networks that solve the problem they state.

A soft threshold of `lr * lam` after the optimizer's step solves another problem as soon as there is momentum or Adam.
Here it acts in the optimizer's own metric: the fixed points of step and threshold together are then the stationary
points of `mean loss + penalty` (ProxGen: Yun, Lozano & Yang, NeurIPS 2021, eq. 4). Needs `pip install normball[torch]`.
"""

from __future__ import annotations

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("normball.torch needs PyTorch: pip install normball[torch]") from error

from normball.torch.audit import Audit
from normball.torch.certify import Certificate
from normball.torch.monitor import Monitor
from normball.torch.network_path import NetworkPath
from normball.torch.path import path
from normball.torch.penalize import penalize
from normball.torch.penalized import Penalized
from normball.torch.penalties import L1, L2, ElasticNet, GroupLasso, Penalty, SparseGroupLasso
from normball.torch.point import Point
from normball.torch.shrink import shrink

__all__ = [
    "L1",
    "L2",
    "Audit",
    "Certificate",
    "ElasticNet",
    "GroupLasso",
    "Monitor",
    "NetworkPath",
    "Penalized",
    "Penalty",
    "Point",
    "SparseGroupLasso",
    "path",
    "penalize",
    "shrink",
]
