"""The JSON schema of a strategy for one request: the closed vocabulary, as a chat model's server understands it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from secloop_ai.contracts import CATALOGUE, TTLS_S, Environment, Plane, PolicyRequest, Role, Slot

from .pointers import OWNED, SINKHOLE
from .resolve import takes_slots

Choices = dict[str, list[str]]
"""Parameter → the words it may be; every combination of them is a call."""


def strategy_schema(request: PolicyRequest) -> dict[str, Any]:
    """A schema that admits calls of offered tools with this request's slots, and nothing else.

    It has the shape of ``Candidate.calls``. A tool whose parameter no slot of this request can fill is left out. Only
    keywords that constrained decoders know are used (``anyOf``, ``const``, ``enum``, ``required``).
    """
    tools = [name for name in request.offered if name in CATALOGUE]
    return {
        "type": "object",
        "properties": {
            "calls": {
                "type": "array",
                "items": {"anyOf": [_call(name, found) for name in tools for found in choices(name, request)]},
                "minItems": 1,
                "maxItems": request.environment.max_actions,
            },
        },
        "required": ["calls"],
        "additionalProperties": False,
    }


def choices(tool: str, request: PolicyRequest) -> Iterator[Choices]:
    """What a tool's parameters may be in this request, as sets of words of which every combination fits together.

    A host action is about hosts that allow it, and an account, process or package stands beside its own host: of a
    tool that takes one, there is a set for each host. Nothing where some parameter has no word.
    """
    spec = CATALOGUE[tool].spec
    if spec.plane is not Plane.HOST:
        found = {name: words(allowed, request) for name, allowed in spec.params.items()}
        if all(found.values()):
            yield found
        return
    hosts = [s for s in request.pointers.of(Role.HOST) if _allows(tool, s, request.environment)]
    owned = any(role in OWNED for allowed in spec.params.values() for role in allowed)
    for group in [[s] for s in hosts] if owned else [hosts]:
        names = {s.host for s in group}
        found = {name: _beside(names, allowed, request) for name, allowed in spec.params.items()}
        found["host"] = [s.slot for s in group]
        if all(found.values()):
            yield found


def words(allowed: tuple[str, ...], request: PolicyRequest) -> list[str]:
    """What a parameter may be in this request: slots of the roles, or the enumeration's words."""
    if takes_slots(allowed):
        return [s.slot for role in allowed for s in request.pointers.of(Role(role))]
    return list(allowed)


def _beside(hosts: set[str | None], allowed: tuple[str, ...], request: PolicyRequest) -> list[str]:
    if not takes_slots(allowed):
        return list(allowed)
    found = (s for role in allowed for s in request.pointers.of(Role(role)))
    return [s.slot for s in found if s.role not in OWNED or s.host in hosts]


def _allows(tool: str, slot: Slot, environment: Environment) -> bool:
    host = environment.host(slot.host) if slot.host else None
    access = host.access if host else None
    return bool(access and tool in access.actions and (tool != SINKHOLE or access.resolver))


def _call(name: str, found: Choices) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "tool": {"const": name},
            "params": {
                "type": "object",
                "properties": {param: {"enum": values} for param, values in found.items()},
                "required": list(found),
                "additionalProperties": False,
            },
            "ttl_s": {"enum": list(TTLS_S)},
        },
        "required": ["tool", "params", "ttl_s"],
        "additionalProperties": False,
    }
