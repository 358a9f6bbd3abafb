"""What a time depends on besides the program."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.problems import ROOT

_TELLING_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")


def describe(arguments: list[str]) -> dict[str, Any]:
    """Processor, caches, memory, versions and the command of this run."""
    return {
        "started": time.strftime("%Y-%m-%d %H:%M"),
        "command": "python -m benchmarks " + " ".join(arguments),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "caches": _caches(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "load_average": os.getloadavg()[0],
        "normball": importlib.metadata.version("normball"),
        "commit": _commit(),
        "blas": _blas(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor()
    fields = dict(line.split(":", 1) for line in info.read_text().split("\n\n")[0].splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = [flag for flag in _TELLING_FLAGS if flag in fields.get("flags", "").split()]
    family = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
    return f"{fields.get('model name', '?')} ({family}; {' '.join(flags)})"


def _caches() -> str:
    """Per core, as the kernel tells: L1d, L2, L3."""
    folders = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"))
    told = [{name: (folder / name).read_text().strip() for name in ("type", "level", "size")} for folder in folders]
    return ", ".join(f"L{one['level']} {one['size']}" for one in told if one["type"] != "Instruction")


def _commit() -> str:
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()


def _blas() -> str:
    """The BLAS of this interpreter, where threadpoolctl is installed, and the kernels it has chosen."""
    import numpy  # noqa: F401  loads its BLAS
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    found = {
        f"{one['internal_api']} {one.get('version')} ({one.get('architecture')})"
        for one in threadpool_info()
        if one.get("user_api") == "blas"
    }
    return ", ".join(sorted(found)) or f"unknown, in {sys.prefix}"
