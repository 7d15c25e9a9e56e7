from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from labs.simulator import FastField
from labs.suites import cases
from secloop_ai.contracts import PolicyRequest
from secloop_ai.loop.decide import build_request
from secloop_ai.policies.chat import build_prompt
from tests.policies.samples import request, summary, with_access

from .faults import FaultServer
from .tiny import make_model

SUITES = ("autoattack", "ccdc-2018", "cic-ids2017", "cse-cic-ids2018", "unsw-nb15")


class Served(NamedTuple):
    """A server process and where it listens."""

    url: str
    model: str
    log: Path

    def policy(self, **options: object) -> str:
        """Its name as a policy."""
        chosen = "&".join(f"{k}={v}" for k, v in options.items())
        return f"openai:{self.model}@{self.url}" + (f"?{chosen}" if chosen else "")


@pytest.fixture
def asked() -> PolicyRequest:
    return request(summary(), env=with_access())


@pytest.fixture(scope="session")
def train_requests() -> tuple[PolicyRequest, ...]:
    """Requests of the train split, a few of each suite."""
    found = [c for suite in SUITES for c in list(cases(suite, "train", [0]))[::3]]
    return tuple(build_request(FastField(c).alerts(), c.environment) for c in found)


@pytest.fixture(scope="session")
def texts(train_requests: tuple[PolicyRequest, ...]) -> tuple[str, ...]:
    prompts = [build_prompt(r, max_tokens=1024) for r in train_requests[:6]]
    return tuple(f"{p.system}\n{p.user}" for p in prompts)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, texts: tuple[str, ...]) -> Path:
    pytest.importorskip("torch", reason="the extra train is not installed (torch)")
    pytest.importorskip("llguidance", reason="the extra train is not installed (llguidance)")
    return make_model(tmp_path_factory.mktemp("models") / "tiny", texts)


@pytest.fixture(scope="session")
def served(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The project's own server, a process of its own, until the session ends; it must end well when told to."""
    pytest.importorskip("openai", reason="the extra chat is not installed (openai)")
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [sys.executable, "-m", "training.serve", str(tiny), "--port", "0", "--verbose"]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        with process:
            try:
                assert process.stdout
                line = process.stdout.readline().split()
                assert line[:1] == ["serving"], log.read_text()
                yield Served(line[3], line[1], log)
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(20)
    assert code == 0, log.read_text()


@pytest.fixture
def faulty() -> Iterator[FaultServer]:
    pytest.importorskip("openai", reason="the extra chat is not installed (openai)")
    with FaultServer() as server:
        yield server
