"""The JSON schema of a strategy for one request: the closed vocabulary, as a chat model's server understands it."""

from __future__ import annotations

from typing import Any

from secloop_ai.contracts import CATALOGUE, TTLS_S, BaseAction, PointerTable, PolicyRequest, Role

from .resolve import takes_slots


def strategy_schema(request: PolicyRequest) -> dict[str, Any]:
    """A schema that admits calls of offered tools with this request's slots, and nothing else.

    It has the shape of ``Candidate.calls``. A tool whose parameter no slot of this request can fill is left out. Only
    keywords that constrained decoders know are used (``anyOf``, ``const``, ``enum``, ``required``).
    """
    rows = (_call(name, CATALOGUE[name], request.pointers) for name in request.offered if name in CATALOGUE)
    return {
        "type": "object",
        "properties": {
            "calls": {
                "type": "array",
                "items": {"anyOf": [row for row in rows if row]},
                "minItems": 1,
                "maxItems": request.environment.max_actions,
            },
        },
        "required": ["calls"],
        "additionalProperties": False,
    }


def words(allowed: tuple[str, ...], pointers: PointerTable) -> list[str]:
    """What a parameter may be in this request: slots of the roles, or the enumeration's words."""
    if takes_slots(allowed):
        return [s.slot for role in allowed for s in pointers.of(Role(role))]
    return list(allowed)


def _call(name: str, kind: type[BaseAction], pointers: PointerTable) -> dict[str, Any] | None:
    choices = {param: words(allowed, pointers) for param, allowed in kind.spec.params.items()}
    if not all(choices.values()):
        return None
    return {
        "type": "object",
        "properties": {
            "tool": {"const": name},
            "params": {
                "type": "object",
                "properties": {param: {"enum": values} for param, values in choices.items()},
                "required": list(choices),
                "additionalProperties": False,
            },
            "ttl_s": {"enum": list(TTLS_S)},
        },
        "required": ["tool", "params", "ttl_s"],
        "additionalProperties": False,
    }
