"""One figure of a policy's speed, measured in this process and told as JSON on stdout.

    python -m secloop_ai.loop.bench warm POLICY INCIDENTS        seconds of each decision, one candidate asked for
    python -m secloop_ai.loop.bench candidates POLICY INCIDENTS  the same with 16 candidates
    python -m secloop_ai.loop.bench cold POLICY FOLDER           one decision, by way of the imports of `secloop_decide`

A decision goes from summaries and Environment to what the guard says. `cold` writes an empty line when it has decided:
whoever started it has the clock. A process of its own for each figure, so that none warms another's caches. What is
imported at the top is what an Ansible module imports there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from secloop_ai.contracts import AlertSummary, Environment, Policy

CANDIDATES = 16
WARM_UP = 5
"""Decisions before those that count."""
SUMMARIES_FILE, ENVIRONMENT_FILE = "summaries.json", "environment.json"
STATUS = Path("/proc/self/status")


def cold(name: str, folder: Path) -> dict[str, Any]:
    """Import what `decide_step` imports, read an incident of a folder, and decide."""
    from ansible.module_utils.basic import AnsibleModule  # noqa: F401 - what a module's process begins with

    from .module import begin

    begin()
    import secloop_ai.ledger
    import secloop_ai.loop.steps
    import secloop_ai.netconf  # noqa: F401 - as in decide_step
    from secloop_ai.policies import load_policy

    from .context import load_environment_file
    from .decide import build_request, decide  # noqa: F401 - as in decide_step
    from .devices import on_path, read_running, with_offers  # noqa: F401 - as in decide_step
    from .folder import dump_mitigations, load_summaries  # noqa: F401 - as in decide_step

    summaries = load_summaries(folder / SUMMARIES_FILE)
    environment = load_environment_file(folder / ENVIRONMENT_FILE)
    _decide(summaries, environment, load_policy(name), 1)
    sys.stdout.write("\n")
    sys.stdout.flush()
    return {"cpu_s": time.process_time()}


def warm(name: str, incidents: int, candidates: int) -> dict[str, Any]:
    """Decide on so many different drawn incidents, one after the other."""
    from secloop_ai.policies import load_policy
    from secloop_ai.policies.examples import example

    policy = load_policy(name)
    for number in range(WARM_UP):
        _decide(*example(incidents + number), policy, candidates)
    seconds, cpu = [], []
    for made in map(example, range(incidents)):
        start, worked = time.perf_counter(), time.process_time()
        _decide(*made, policy, candidates)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - worked)
    return {"seconds": seconds, "cpu_seconds": cpu, "policy": policy.name, "digest": policy.digest()}


def _decide(summaries: tuple[AlertSummary, ...], environment: Environment, policy: Policy, candidates: int) -> None:
    from secloop_ai.contracts import GuardRefusal

    from .decide import build_request, decide

    try:
        decide(build_request(summaries, environment), policy, candidates=candidates, seed=0)
    except GuardRefusal:  # a decision as well
        return


def peak_mb() -> float | None:
    """The most memory (MB, 10^6 bytes) this process ever held; None where the system does not say.

    Not ``ru_maxrss``: a process inherits that from the one that started it.
    """
    if not STATUS.exists():
        return None
    rows: Iterator[list[str]] = (line.split() for line in STATUS.read_text(encoding="utf-8").splitlines())
    return next((int(r[1]) * 1024 / 1e6 for r in rows if r[:1] == ["VmHWM:"]), None)


def main(arguments: list[str]) -> int:
    """Measure; what the policy says against it goes out as ``{"error": ...}``."""
    figure, name, argument = arguments
    try:
        if figure == "cold":
            found = cold(name, Path(argument))
        else:
            found = warm(name, int(argument), CANDIDATES if figure == "candidates" else 1)
    except Exception as error:
        from secloop_ai.contracts import SecLoopError

        if not isinstance(error, SecLoopError):
            raise
        found = {"error": str(error)}
    sys.stdout.write(json.dumps(found | {"peak_mb": peak_mb()}) + "\n")
    return 1 if "error" in found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
