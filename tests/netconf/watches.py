"""Services as a script has them, and whether devices are left as they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from labs.emulator import Device as Emulated
from secloop_ai.contracts import ProbeResult

from .change import SETTINGS


def quiet(*devices: Emulated) -> bool:
    """Whether nothing of ours is left on the devices: no lock, no staged edit, no pending commit."""
    states = [d.state() for d in devices]
    return not any(s.locks or s.candidate_modified or s.pending for s in states)


@dataclass
class Watch:
    """Services as a script has them."""

    before: tuple[ProbeResult, ...] = ()
    during: tuple[ProbeResult, ...] = ()
    on_wait: Callable[[], None] = lambda: None
    calls: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.calls.append("start")

    def commit_sent(self) -> None:
        self.calls.append("commit_sent")

    def wait(self, *, rounds: int, timeout_s: float) -> None:
        assert timeout_s == SETTINGS.verify_timeout_s
        self.calls.append(f"wait {rounds}")
        self.on_wait()

    def results(self) -> tuple[ProbeResult, ...]:
        return (*self.before, *(self.during if "commit_sent" in self.calls else ()))

    def stop(self) -> None:
        self.calls.append("stop")


def probe(phase: str, *, tries: int = 3, failures: int = 0) -> ProbeResult:
    return ProbeResult(
        client="client1", service="web1/web", target="192.0.2.10 tcp/80", phase=phase, tries=tries, failures=failures
    )
