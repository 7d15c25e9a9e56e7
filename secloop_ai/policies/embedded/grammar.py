"""What may come next: the closed schema of one request as sets of words. An invalid strategy has no spelling.

An answer is one or more calls and then the end. A call is its tool, its parameters in the catalogue's order, and its
lifetime. `observe` stands alone. No call is said twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from secloop_ai.contracts import CATALOGUE, TTLS_S, ActionCall, PolicyError, PolicyRequest, Role, Slot
from secloop_ai.policies.resolve import takes_slots

from .vocabulary import EOS, tool_word, ttl_word, value_word

QUIET = "observe"
OWNED = {"service", "interface", "account", "process", "package"}
"""Parameters whose slot says which host or device it is of."""


class _Tool(NamedTuple):
    name: str
    params: tuple[str, ...]
    choices: Mapping[str, Mapping[str, str]]
    """Parameter → word → value."""


class Grammar:
    """The schema of one request.

    Args:
        request: its slots, its offered tools, its budget.
        spoken: tools that the weights know; others are left out.
    """

    def __init__(self, request: PolicyRequest, spoken: Sequence[str] = tuple(CATALOGUE)) -> None:
        self._slots: dict[str, Slot] = {s.slot: s for s in request.pointers.slots}
        self._most = request.environment.max_actions
        tools = (self._tool(name, request) for name in CATALOGUE if name in request.offered and name in spoken)
        self._tools = {tool_word(t.name): t for t in tools if all(t.choices.values())}

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that a strategy can use here."""
        return tuple(t.name for t in self._tools.values())

    def _tool(self, name: str, request: PolicyRequest) -> _Tool:
        choices: dict[str, Mapping[str, str]] = {}
        for parameter, allowed in CATALOGUE[name].spec.params.items():
            if takes_slots(allowed):
                slots = request.pointers.of(*(Role(r) for r in allowed))
                choices[parameter] = {s.slot: s.slot for s in slots if _fits(name, parameter, s, request)}
            else:
                choices[parameter] = {value_word(parameter, v): v for v in allowed}
        return _Tool(name, tuple(choices), choices)

    def allowed(self, said: Sequence[str]) -> tuple[str, ...]:
        """The words that may follow these of the answer; never empty but after the end.

        Raises:
            PolicyError: what was said is no beginning of an answer.
        """
        if said and said[-1] == EOS:
            return ()
        done, rest = self._split(said)
        if not rest:
            return self._openings(done)
        tool = self._tools.get(rest[0])
        if tool is None:
            raise PolicyError(f"the policy said {rest[0]!r} where a tool belongs")
        if len(rest) > len(tool.params):
            return tuple(ttl_word(t) for t in TTLS_S)
        return self._values(tool, rest[1:], done)

    def _openings(self, done: list[ActionCall]) -> tuple[str, ...]:
        if not done:
            return tuple(self._tools)
        if done[0].tool == QUIET or len(done) >= self._most:
            return (EOS,)
        open_tools = (w for w, t in self._tools.items() if t.name != QUIET and self._values(t, (), done))
        return (EOS, *open_tools)

    def _values(self, tool: _Tool, given: Sequence[str], done: list[ActionCall]) -> tuple[str, ...]:
        """Words for the next parameter that leave the call completable, well-formed and new."""
        parameter = tool.params[len(given)]
        return tuple(w for w in tool.choices[parameter] if self._leads(tool, (*given, w), done))

    def _leads(self, tool: _Tool, given: tuple[str, ...], done: list[ActionCall]) -> bool:
        if not self._agree(tool, given):
            return False
        if len(given) < len(tool.params):
            rest = tool.choices[tool.params[len(given)]]
            return any(self._leads(tool, (*given, w), done) for w in rest)
        params = self._params(tool, given)
        return all((c.tool, c.params) != (tool.name, params) for c in done)

    def _agree(self, tool: _Tool, given: tuple[str, ...]) -> bool:
        """Whether the slots belong together: one address family, one owner, two different ends."""
        slots = [(p, self._slots[w]) for p, w in zip(tool.params, given, strict=False) if w in self._slots]
        ends = [s.address for p, s in slots if p in ("source", "destination") and s.address]
        if len({a.version for a in ends}) > 1 or (len(ends) > 1 and len(set(ends)) == 1):
            return False
        owners = {s.host for p, s in slots if p == "host" or p in OWNED - {"service", "interface"}}
        return len(owners) <= 1

    def _params(self, tool: _Tool, given: Sequence[str]) -> dict[str, str]:
        return {p: tool.choices[p][w] for p, w in zip(tool.params, given, strict=True)}

    def _split(self, said: Sequence[str]) -> tuple[list[ActionCall], list[str]]:
        """Finished calls, and the words of the one begun."""
        done: list[ActionCall] = []
        rest: list[str] = []
        for word in said:
            rest.append(word)
            tool = self._tools.get(rest[0])
            if tool is not None and len(rest) == len(tool.params) + 2:
                ttl = next(t for t in TTLS_S if ttl_word(t) == word)
                done.append(ActionCall(tool=tool.name, params=self._params(tool, rest[1:-1]), ttl_s=ttl))
                rest = []
        return done, rest

    def calls(self, said: Sequence[str]) -> tuple[ActionCall, ...]:
        """The calls of a finished answer.

        Raises:
            PolicyError: it is not finished, or not of this grammar.
        """
        if not said or said[-1] != EOS:
            raise PolicyError("the policy's answer has no end")
        done, rest = self._split(said[:-1])
        if rest or not done:
            raise PolicyError("the policy's answer ends in the middle of a call")
        return tuple(done)


def spell(calls: Sequence[ActionCall]) -> Iterator[str]:
    """An answer's words: what :meth:`Grammar.calls` reads."""
    for call in calls:
        yield tool_word(call.tool)
        for parameter, allowed in CATALOGUE[call.tool].spec.params.items():
            value = call.params[parameter]
            yield value if takes_slots(allowed) else value_word(parameter, value)
        yield ttl_word(call.ttl_s)
    yield EOS


def _fits(tool: str, parameter: str, slot: Slot, request: PolicyRequest) -> bool:
    """Whether an entity can be this parameter at all: its address is known, and a host allows the role."""
    if parameter in ("source", "destination") and slot.address is None:
        return False
    if parameter == "host" and tool != "isolate_host":
        host = request.environment.host(slot.host or "")
        return host is not None and host.access is not None and tool in host.access.actions
    return True
