"""A worker as its parent sees it: one program in its own process, with its own threads and a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.problems import ROOT
from benchmarks.solvers import SOLVERS

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Failed(Exception):
    """A program could not be started, failed, or ran out of time; the message says which."""


def peers_python() -> str:
    """The interpreter whose environment holds the peers: NORMBALL_BENCHMARK_PEERS, .venv-peers, or our own."""
    given = os.environ.get("NORMBALL_BENCHMARK_PEERS")
    if given:
        return given
    usual = ROOT / ".venv-peers" / "bin" / "python"
    return str(usual) if usual.exists() else sys.executable


class Program:
    """A solver on a problem, in a process of its own until `close`; from a folder, if one is given."""

    def __init__(self, solver: str, page: Path, n_threads: int, limit: float, folder: Path | None = None) -> None:
        kind = SOLVERS[solver]
        self.name, self.limit = solver, limit
        python = peers_python() if kind.in_peers else sys.executable
        command = [*kind.command, str(page)] if kind.command else [
            python, "-m", "benchmarks.worker", solver, str(page), str(n_threads), *([str(folder)] if folder else [])
        ]  # fmt: skip
        environment = {**os.environ, **dict.fromkeys(_THREAD_VARIABLES, str(n_threads)), **kind.environment}
        try:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise Failed(f"{command[0]} is not installed") from None
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._last_words: list[str] = []
        self._listeners = [threading.Thread(target=one, daemon=True) for one in (self._listen, self._listen_to_errors)]
        for listener in self._listeners:
            listener.start()
        try:
            ready = self._answer(max(limit, 120.0))  # reading and just-in-time compilation
        except BaseException:
            self.close()
            raise
        if not ready.get("ready"):
            self.close()
            raise Failed(str(ready.get("error")))
        self.versions: Mapping[str, str] = ready["versions"]

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def measure(self, task: str, rung: float, number: int = 1, stem: str = "-") -> dict[str, Any]:
        """Run a task and wait for its measurement."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{task} {rung!r} {number} {stem}\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):  # it has ended, or has been ended
            raise Failed(f"ended: {self._words()}") from None
        answer = self._answer(self.limit)
        if "error" in answer:
            raise Failed(str(answer["error"]))
        return answer

    def close(self) -> None:
        """End the process and those that it has started, which would keep its pipes open, whatever they are doing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for listener in self._listeners:
            listener.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and not pipe.closed:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("@"):
                self._answers.put(line[1:])
        self._answers.put(None)

    def _listen_to_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._last_words = [*self._last_words[-4:], line.strip()]

    def _answer(self, limit: float) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=limit)
        except queue.Empty:
            self.close()
            raise Failed(f"no answer within {limit:g} s") from None
        if line is None:
            raise Failed(f"ended: {self._words()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _words(self) -> str:
        self._process.wait()
        return " ".join(self._last_words)[-300:] or f"exit code {self._process.returncode}"
