"""What may come next: the closed schema of one request as sets of words. An invalid strategy has no spelling.

An answer is one or more calls and then the end. A call is its tool, its parameters in the catalogue's order, and its
lifetime. `observe` stands alone. No call is said twice. What no alert gives ground for (grounds.py) cannot be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from secloop_ai.contracts import CATALOGUE, TTLS_S, ActionCall, PolicyError, PolicyRequest, Role, Slot
from secloop_ai.policies.ends import address_key
from secloop_ai.policies.pointers import SINKHOLE
from secloop_ai.policies.resolve import takes_slots

from .grounds import grounds
from .vocabulary import EOS, ids, tool_word, ttl_word, value_word, words

QUIET = "observe"
OWNED = frozenset({"host", "account", "process", "package"})
"""Parameters that must all be of one host."""
ENDS = frozenset({"source", "destination"})
MAX_WORDS = 64
"""Of an answer, its end included."""
LONGEST_CALL = 2 + max(len(kind.spec.params) for kind in CATALOGUE.values())
TTL_WORDS = {ttl_word(t): t for t in TTLS_S}

_Given = tuple[str, ...]
_Taken = frozenset[_Given]


class _Word(NamedTuple):
    """What a word of a parameter stands for.

    Attributes:
        value: as a call carries it.
        end: family and number of the address of an end of a flow.
        owner: the host it is of, where all of a call must be of one.
    """

    value: str
    end: tuple[int, int] | None = None
    owner: str | None = None


class _Tool(NamedTuple):
    """A tool of this request.

    Attributes:
        choices: per parameter, word → what it stands for.
        bound: what one parameter is limits what another may be.
        ground: beginnings of its parameters that the alerts give ground for; None: that is no matter here.
        depth: how many parameters the longest of them has.
    """

    name: str
    word: str
    params: tuple[str, ...]
    choices: tuple[Mapping[str, _Word], ...]
    bound: bool
    ground: frozenset[tuple[str, ...]] | None
    depth: int


class _State(NamedTuple):
    """After some words of an answer.

    Attributes:
        done: finished calls as words, each with its lifetime.
        begun: words of the call in hand.
        allowed: ids of the words that may follow, sorted.
    """

    done: tuple[_Given, ...]
    begun: _Given
    allowed: tuple[int, ...]


class Grammar:
    """The schema of one request.

    Args:
        request: its slots, its offered tools, its budget.
        spoken: tools that the weights know; others are left out.
        room: words that an answer may have at most.

    Raises:
        PolicyError: nothing at all can be said: no tool is offered that the weights know, or there is no room.
    """

    def __init__(
        self, request: PolicyRequest, spoken: Sequence[str] = tuple(CATALOGUE), *, room: int = MAX_WORDS
    ) -> None:
        self._most = min(request.environment.max_actions, (min(room, MAX_WORDS) - 1) // LONGEST_CALL)
        self._tools: dict[str, _Tool] = {}
        self._known: dict[tuple[str, _Given, _Taken], tuple[str, ...]] = {}
        ground = grounds(request)
        for name in CATALOGUE:
            if name in request.offered and name in spoken:
                tool = _tool(name, request, ground.get(name))
                if all(tool.choices) and self._values(tool, (), frozenset()):
                    self._tools[tool.word] = tool
        if not self._tools:
            raise PolicyError("no action that this policy knows is offered in this network, not even to observe")
        if self._most < 1:
            raise PolicyError(f"the policy's model has no room for an answer: {max(room, 0)} words are left")
        self._states: dict[_Given, _State] = {(): _State((), (), _ids(self._tools))}

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that a strategy can use here."""
        return tuple(t.name for t in self._tools.values())

    def allowed(self, said: Sequence[str]) -> tuple[str, ...]:
        """The words that may follow these of the answer; never empty but after the end.

        Raises:
            PolicyError: what was said is no beginning of an answer.
        """
        return tuple(words()[n] for n in self.allowed_ids(tuple(said)))

    def allowed_ids(self, said: tuple[str, ...]) -> tuple[int, ...]:
        """The same as sorted ids.

        Raises:
            PolicyError: what was said is no beginning of an answer.
        """
        return self._state(said).allowed

    def _state(self, said: _Given) -> _State:
        state = self._states.get(said)
        if state is None:
            before, word = self._state(said[:-1]), said[-1]
            if ids().get(word) not in before.allowed:
                raise PolicyError(f"the policy said {word!r} where {_wanted(before)} belongs")
            state = self._states[said] = self._after(before, word)
        return state

    def _after(self, before: _State, word: str) -> _State:
        done, begun = before.done, (*before.begun, word)
        if word == EOS:
            return _State(done, (), ())
        tool = self._tools[begun[0]]
        if word in TTL_WORDS:
            done = (*done, begun)
            return _State(done, (), self._openings(done))
        given = begun[1:]
        if len(given) == len(tool.params):
            return _State(done, begun, _ids(TTL_WORDS))
        return _State(done, begun, _ids(self._values(tool, given, _taken(tool, done))))

    def _openings(self, done: tuple[_Given, ...]) -> tuple[int, ...]:
        if done[0][0] == tool_word(QUIET) or len(done) >= self._most:
            return _ids((EOS,))
        others = (t for t in self._tools.values() if t.name != QUIET)
        return _ids((EOS, *(t.word for t in others if self._more(t, _taken(t, done)))))

    def _more(self, tool: _Tool, taken: _Taken) -> bool:
        """Whether the tool has a call that was not said before."""
        return not taken or any(_leads(tool, (w,), taken) for w in tool.choices[0])

    def _values(self, tool: _Tool, given: _Given, taken: _Taken) -> tuple[str, ...]:
        """Words for the next parameter that leave the call completable, well-formed and new."""
        choices = tool.choices[len(given)]
        if taken:
            taken = frozenset(t for t in taken if t[: len(given)] == given)
        if not taken and not tool.bound:
            return tuple(choices)
        key = (tool.word, given, taken)
        if key not in self._known:
            self._known[key] = tuple(w for w in choices if _leads(tool, (*given, w), taken))
        return self._known[key]

    def calls(self, said: Sequence[str]) -> tuple[ActionCall, ...]:
        """The calls of a finished answer.

        Raises:
            PolicyError: it is not finished, or not of this grammar.
        """
        if not said or said[-1] != EOS:
            raise PolicyError("the policy's answer has no end")
        return tuple(map(self._call, self._state(tuple(said)).done))

    def says(self, calls: Sequence[ActionCall]) -> bool:
        """Whether these calls, in this order, are an answer of the grammar."""
        try:
            self._state(tuple(spell(calls)))
        except PolicyError:
            return False
        return True

    def _call(self, spelt: _Given) -> ActionCall:
        tool = self._tools[spelt[0]]
        rows = zip(tool.params, spelt[1:-1], tool.choices, strict=True)
        return ActionCall(tool=tool.name, params={p: c[w].value for p, w, c in rows}, ttl_s=TTL_WORDS[spelt[-1]])


def spell(calls: Sequence[ActionCall]) -> Iterator[str]:
    """An answer's words: what :meth:`Grammar.calls` reads."""
    for call in calls:
        yield tool_word(call.tool)
        for parameter, allowed in CATALOGUE[call.tool].spec.params.items():
            value = call.params[parameter]
            yield value if takes_slots(allowed) else value_word(parameter, value)
        yield ttl_word(call.ttl_s)
    yield EOS


def _tool(name: str, request: PolicyRequest, ground: frozenset[_Given] | None) -> _Tool:
    params = CATALOGUE[name].spec.params
    choices = tuple(_choices(name, p, request) for p in params)
    bound = ground is not None or max(len(ENDS & params.keys()), len(OWNED & params.keys())) > 1
    depth = max(map(len, ground or ()), default=0)
    return _Tool(name, tool_word(name), tuple(params), choices, bound, ground, depth)


def _choices(name: str, parameter: str, request: PolicyRequest) -> Mapping[str, _Word]:
    allowed = CATALOGUE[name].spec.params[parameter]
    if not takes_slots(allowed):
        return {value_word(parameter, v): _Word(v) for v in allowed}
    slots = (s for s in request.pointers.of(*(Role(r) for r in allowed)) if _fits(name, parameter, s, request))
    return {s.slot: _word(parameter, s) for s in slots}


def _word(parameter: str, slot: Slot) -> _Word:
    end = address_key(slot.address) if parameter in ENDS and slot.address else None
    return _Word(slot.slot, end, slot.host if parameter in OWNED else None)


def _fits(tool: str, parameter: str, slot: Slot, request: PolicyRequest) -> bool:
    """Whether an entity can be this parameter at all.

    Its address is known, a host allows the role, and a service has clients to be left to.
    """
    if parameter in ENDS and slot.address is None:
        return False
    if parameter == "host" and tool != "isolate_host":
        host = request.environment.host(slot.host or "")
        access = host.access if host else None
        return access is not None and tool in access.actions and (tool != SINKHOLE or access.resolver is not None)
    if parameter == "service":
        owner = request.environment.host(slot.host or "")
        found = next((s for s in owner.services if s.name == slot.value), None) if owner else None
        return found is not None and bool(request.environment.client_networks(found))
    return True


def _leads(tool: _Tool, given: _Given, taken: _Taken) -> bool:
    """Whether some call of the tool begins like this, holds together, has ground, and was not said before."""
    if tool.ground is not None and given[: tool.depth] not in tool.ground:
        return False
    if tool.bound and not _agree([c[w] for c, w in zip(tool.choices, given, strict=False)]):
        return False
    if len(given) < len(tool.params):
        return any(_leads(tool, (*given, w), taken) for w in tool.choices[len(given)])
    return given not in taken


def _agree(found: Sequence[_Word]) -> bool:
    """Whether the entities belong together: one address family, two different ends, one owner."""
    ends = [w.end for w in found if w.end]
    if len(ends) > 1 and (len({family for family, _ in ends}) > 1 or len(set(ends)) < len(ends)):
        return False
    return len({w.owner for w in found if w.owner}) <= 1


def _taken(tool: _Tool, done: Sequence[_Given]) -> _Taken:
    """The parameters of the tool's finished calls."""
    return frozenset(c[1:-1] for c in done if c[0] == tool.word)


def _wanted(before: _State) -> str:
    if not before.allowed:
        return "nothing"
    return "another word of the call" if before.begun else "a tool"


def _ids(found: Iterable[str]) -> tuple[int, ...]:
    index = ids()
    return tuple(sorted(index[w] for w in found))
