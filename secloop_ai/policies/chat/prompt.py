"""The one prompt of all chat back ends, after the published method (arXiv 2512.09485).

Tools, environment, alerts, example: built from slots, enumerations and typed features alone (see :mod:`.scene`), so
that nothing an attacker or an inventory wrote can speak in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from secloop_ai.contracts import CATALOGUE, TTLS_S, Plane, PolicyRequest, Role
from secloop_ai.policies.resolve import takes_slots
from secloop_ai.policies.schema import choices, strategy_schema

from .scene import Scene

VERSION = 1
"""Of the template; part of a policy's digest."""
MAX_ALERTS = 32
"""Summaries shown, the most urgent first; how many were not is said."""
LONGEST_CALL = 112
"""Characters of the longest tool call in compact JSON, rounded up; a test measures it over the catalogue."""
WRAPPING = 16
"""Characters around the calls."""

SYSTEM = """\
You are the decision step of a network defence loop. You read summaries of intrusion alerts and answer with ONE
strategy: an ordered list of tool calls that stops the attack and takes nothing from legitimate users.

Rules
- Answer with JSON only, no other text: {"calls": [{"tool": TOOL, "params": {NAME: WORD, ...}, "ttl_s": SECONDS}, ...]}.
- Use only the tools listed, with exactly their parameters, and only the words listed: slots such as @src0 stand for
  the entities of this network. Never write an address, a name or a command.
- An address without a seen handshake may be forged: do not block it; protect the attacked service instead.
- Never touch what is protected, nor cut off a declared client for what somebody else may have sent in its name.
- Prefer the narrowest measure that stops the attack, and the shortest lifetime that is long enough.
- A false alarm, or too little evidence, is answered with one call of observe and its reason, and nothing else.
- A guard checks every answer; what it refuses is not executed."""


class Prompt(NamedTuple):
    """A request for a chat model.

    Attributes:
        schema: JSON schema that the answer must fit.
        left_out: what found no room, by kind.
    """

    system: str
    user: str
    schema: dict[str, Any]
    left_out: dict[str, int]

    @property
    def messages(self) -> list[dict[str, str]]:
        """As chat messages."""
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]


def build_prompt(request: PolicyRequest, *, max_tokens: int) -> Prompt:
    """The prompt of a request.

    Args:
        request: what may be looked at.
        max_tokens: of the answer. The schema admits only as many calls as surely fit, at a character a token; so
            that a constrained answer can never be cut off.
    """
    scene = Scene(request)
    hidden = max(0, len(scene.ranked) - MAX_ALERTS)
    most = calls_that_fit(request, max_tokens)
    left = {**request.pointers.left_out, **({"alerts": hidden} if hidden else {})}
    budget = f"at most {most} {'call' if most == 1 else 'calls'}; ttl_s is one of {', '.join(map(str, TTLS_S))}"
    sections = {
        f"Tools ({budget})": _tools(request),
        "Environment": scene.network(),
        "Alerts (risk level 1 is the highest, 4 the lowest)": scene.alerts(MAX_ALERTS),
        **({"Not shown for want of room": [f"{n} of {kind}" for kind, n in left.items()]} if left else {}),
        "Example of an answer (its form, not its content)": [example(request)],
    }
    user = "\n\n".join("\n".join([f"## {title}", *(lines or ())]) for title, lines in sections.items())
    schema = strategy_schema(request)
    schema["properties"]["calls"]["maxItems"] = most
    return Prompt(SYSTEM, user + "\n\nAnswer with the JSON of the strategy.", schema, left)


def calls_that_fit(request: PolicyRequest, max_tokens: int) -> int:
    """How many calls an answer may hold, at least one."""
    return max(1, min(request.environment.max_actions, (max_tokens - WRAPPING) // LONGEST_CALL))


def example(request: PolicyRequest) -> str:
    """An answer in the right form, of a tool that is offered."""
    if "block_ip" in request.offered and request.pointers.of(Role.SOURCE):
        return '{"calls":[{"tool":"block_ip","params":{"source":"@src0"},"ttl_s":3600}]}'
    return '{"calls":[{"tool":"observe","params":{"reason":"false_alarm"},"ttl_s":300}]}'


def _tools(request: PolicyRequest) -> Iterator[str]:
    """A line for every tool, with the words of its parameters; where several sets of words fit together, each."""
    for tool in (t for t in request.offered if t in CATALOGUE):
        sets = [", ".join(f"{k} = {_words(tool, k, w)}" for k, w in found.items()) for found in choices(tool, request)]
        if sets:
            felt = CATALOGUE[tool].spec.blast_radius
            yield f"- {tool}: {_about(tool)} May be felt by: {felt}. Parameters: {'; or '.join(sets)}."


def _about(tool: str) -> str:
    """The first line of the action's docstring, which an interpreter may have stripped."""
    return (CATALOGUE[tool].__doc__ or tool).partition("\n")[0]


def _words(tool: str, name: str, found: list[str]) -> str:
    """The words themselves; of a parameter that takes every slot of its roles, only the roles."""
    spec = CATALOGUE[tool].spec
    if spec.plane is Plane.HOST or not takes_slots(spec.params[name]):
        return " | ".join(found)
    there = {word.rstrip("0123456789") for word in found}
    return "any " + " or ".join(f"@{role}" for role in spec.params[name] if f"@{role}" in there)
