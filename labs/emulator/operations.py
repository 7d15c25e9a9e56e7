"""The NETCONF operations: each reads its parameters, asks the datastores, and returns the reply's body."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .confirmed import DEFAULT_TIMEOUT_S, CommitRequest
from .datastores import Datastores, EditRequest
from .edit import Operation
from .errors import RpcError, invalid, not_supported
from .faults import Step
from .features import Features
from .junos import respelled
from .messages import OK, Rpc
from .names import BASE, Element, base, elements, split_tag, tag_of
from .profile import Profile
from .schema import Schema
from .subtree import select
from .tree import Node, children_xml
from .writing import prefixed_xml

_LONGEST_TIMEOUT_S = 2**32 - 1
_TOP = re.compile(r"<[\w.:-]+")


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of one session, with all it may touch.

    Attributes:
        partly: apply a part of what is asked, and fail.
    """

    session: int
    rpc: Rpc
    schema: Schema
    features: Features
    stores: Datastores
    profile: Profile
    end_session: Callable[[int], bool]
    partly: bool = False

    def parameters(self, *allowed: str) -> dict[str, Element]:
        """The operation's child elements by local name.

        Raises:
            RpcError: unknown-element for one that is not allowed.
        """
        found: dict[str, Element] = {}
        for element in elements(self.rpc.operation):
            namespace, name = split_tag(tag_of(element))
            if namespace != BASE or name not in allowed:
                message = f"<{self.rpc.name}> knows no <{name}>"
                raise RpcError("unknown-element", message, kind="protocol", info={"bad-element": name})
            found[name] = element
        return found


def _need(parameters: dict[str, Element], name: str) -> Element:
    if name not in parameters:
        raise RpcError("missing-element", f"<{name}> is absent", kind="protocol", info={"bad-element": name})
    return parameters[name]


def _datastore(parameters: dict[str, Element], name: str) -> str:
    """The local name of the datastore inside `<source>` or `<target>`."""
    inside = list(elements(_need(parameters, name)))
    if len(inside) != 1:
        raise RpcError("missing-element", f"<{name}> names no datastore", kind="protocol", info={"bad-element": name})
    return split_tag(tag_of(inside[0]))[1]


def _word(parameters: dict[str, Element], name: str, default: str, *allowed: str) -> str:
    word = (parameters[name].text or "").strip() if name in parameters else default
    if word not in allowed:
        raise invalid(name, f"<{name}> {word!r} is none of {', '.join(allowed)}")
    return word


def _text(parameters: dict[str, Element], name: str) -> str | None:
    return (parameters[name].text or "").strip() if name in parameters else None


def _data(call: Call, content: Node, parameters: dict[str, Element]) -> str:
    wanted = parameters.get("filter")
    if wanted is not None:
        if wanted.get("type", "subtree") != "subtree":
            raise not_supported("filter", "only subtree filters: no :xpath capability")
        content = select(call.schema.root, content, wanted)
    shape = call.profile.reply
    written = prefixed_xml(call.schema, content) if shape.prefixed else children_xml(content)
    if shape.stamps:
        stamps = "".join(f' {name}="{call.stores.changed_s:.0f}"' for name in shape.stamps)
        written = _TOP.sub(rf"\g<0>{stamps}", written, count=1)
    return f'<data xmlns="{BASE}">{written}</data>'


def get_config(call: Call) -> str:
    """`<get-config>`."""
    parameters = call.parameters("source", "filter")
    return _data(call, call.stores.read(_datastore(parameters, "source")), parameters)


def get(call: Call) -> str:
    """`<get>`: the device keeps no state data, so this is running."""
    return _data(call, call.stores.running, call.parameters("filter"))


def edit_config(call: Call) -> str:
    """`<edit-config>`."""
    call.stores.edit(call.session, edit_request(call), partly=call.partly)
    return OK


def edit_request(call: Call) -> EditRequest:
    """The parameters of an `<edit-config>`.

    Raises:
        RpcError: one is absent, unknown, or beyond the capabilities.
    """
    given = call.parameters("target", "default-operation", "test-option", "error-option", "config")
    if "test-option" in given and not call.features.validate:
        raise not_supported("test-option", "<test-option> needs the :validate capability")
    error_option = _word(
        given, "error-option", "stop-on-error", "stop-on-error", "continue-on-error", "rollback-on-error"
    )
    if error_option == "rollback-on-error" and not call.features.rollback_on_error:
        raise not_supported("error-option", "rollback-on-error needs its capability")
    config = _need(given, "config")
    return EditRequest(
        target=_datastore(given, "target"),
        config=respelled(call.schema.root, config) if call.profile.quirks.junos_spellings else config,
        default=Operation(_word(given, "default-operation", "merge", "merge", "replace", "none")),
        error_option=error_option,
        test_option=_word(given, "test-option", "set", "set", "test-then-set", "test-only"),
    )


def validate(call: Call) -> str:
    """`<validate>` of a datastore or of a configuration that comes along."""
    if not call.features.validate:
        raise not_supported("validate", "<validate> needs its capability")
    source = _need(call.parameters("source"), "source")
    inline = source.find(base("config"))
    if inline is not None:
        call.stores.validate(call.stores.parse(inline))
    else:
        call.stores.validate(call.stores.read(_datastore({"source": source}, "source")))
    return OK


def commit(call: Call) -> str:
    """`<commit>`, plain, confirmed, or confirming."""
    call.stores.commit(call.session, commit_request(call), partly=call.partly)
    return OK


def commit_request(call: Call) -> CommitRequest:
    """The parameters of a `<commit>`.

    Raises:
        RpcError: a parameter the capabilities do not know, or a timeout that is no number of seconds.
    """
    known = ("confirmed", "confirm-timeout") if call.features.confirmed_commit else ()
    given = call.parameters(*known, *(("persist", "persist-id") if call.features.persist else ()))
    for name in ("confirm-timeout", "persist"):
        if name in given:
            _need(given, "confirmed")
    timeout = _text(given, "confirm-timeout")
    if timeout is not None and not (timeout.isdecimal() and 0 < int(timeout) <= _LONGEST_TIMEOUT_S):
        raise invalid("confirm-timeout", f"confirm-timeout {timeout!r} is no number of seconds above 0")
    return CommitRequest(
        confirmed="confirmed" in given,
        timeout_s=int(timeout) if timeout else DEFAULT_TIMEOUT_S,
        persist=_text(given, "persist"),
        persist_id=_text(given, "persist-id"),
    )


def commit_configuration(call: Call) -> str:
    """Junos's `<commit-configuration>`: a confirm-timeout in MINUTES, or `<check/>`, which validates alone."""
    if not call.profile.quirks.junos_spellings:
        raise not_supported("commit-configuration", "this device has no operation <commit-configuration>")
    given = {split_tag(tag_of(e))[1]: e for e in elements(call.rpc.operation)}
    if "check" in given:
        call.stores.validate(call.stores.read("candidate"))
        return OK
    minutes = _text(given, "confirm-timeout") or str(DEFAULT_TIMEOUT_S // 60)
    if not minutes.isdecimal() or not int(minutes):
        raise invalid("confirm-timeout", f"confirm-timeout {minutes!r} is no number of minutes above 0")
    request = CommitRequest(confirmed="confirmed" in given, timeout_s=60 * int(minutes))
    call.stores.commit(call.session, request, partly=call.partly)
    return OK


def cancel_commit(call: Call) -> str:
    """`<cancel-commit>`."""
    if not call.features.persist:
        raise not_supported("cancel-commit", "<cancel-commit> needs :confirmed-commit:1.1")
    given = call.parameters("persist-id")
    call.stores.confirmed.cancel(call.session, _text(given, "persist-id"))
    return OK


def discard_changes(call: Call) -> str:
    """`<discard-changes>`."""
    call.parameters()
    call.stores.discard(call.session)
    return OK


def lock(call: Call) -> str:
    """`<lock>`."""
    call.stores.lock(call.session, _datastore(call.parameters("target"), "target"))
    return OK


def unlock(call: Call) -> str:
    """`<unlock>`."""
    call.stores.unlock(call.session, _datastore(call.parameters("target"), "target"))
    return OK


def close_session(call: Call) -> str:
    """`<close-session>`; the session closes once the reply is out."""
    call.parameters()
    return OK


def kill_session(call: Call) -> str:
    """`<kill-session>` of another session."""
    text = _need(call.parameters("session-id"), "session-id").text or ""
    if not text.strip().isdecimal() or int(text) == call.session or not call.end_session(int(text)):
        raise invalid("session-id", f"{text.strip()!r} is no other session of this device")
    return OK


OPERATIONS: dict[str, Callable[[Call], str]] = {
    "get-config": get_config,
    "get": get,
    "edit-config": edit_config,
    "validate": validate,
    "commit": commit,
    "commit-configuration": commit_configuration,
    "cancel-commit": cancel_commit,
    "discard-changes": discard_changes,
    "lock": lock,
    "unlock": unlock,
    "close-session": close_session,
    "kill-session": kill_session,
}

_STEPS = {
    "get-config": Step.GET_CONFIG,
    "get": Step.GET_CONFIG,
    "edit-config": Step.EDIT,
    "validate": Step.VALIDATE,
    "cancel-commit": Step.CANCEL,
    "discard-changes": Step.DISCARD,
    "lock": Step.LOCK,
    "unlock": Step.UNLOCK,
}


def step_of(call: Call) -> Step | None:
    """Which fault step the request is; a commit that settles a pending one is a `confirm`."""
    if call.rpc.name not in {"commit", "commit-configuration"}:
        return _STEPS.get(call.rpc.name)
    given = {split_tag(tag_of(e))[1] for e in elements(call.rpc.operation)}
    if "check" in given:
        return Step.VALIDATE
    settles = "persist-id" in given or call.stores.confirmed.pending is not None
    return Step.CONFIRM if settles and "confirmed" not in given else Step.COMMIT


def detail_of(call: Call) -> str:
    """What the log says beside the operation's name: parameters that hold a name or a number."""
    words = []
    for element in elements(call.rpc.operation):
        name = split_tag(tag_of(element))[1]
        if name in {"source", "target"}:
            words.append("/".join(split_tag(tag_of(inside))[1] for inside in elements(element)))
        elif name not in {"config", "filter"}:
            words.append(f"{name}={(element.text or '').strip()}".removesuffix("="))
    return " ".join(words)


def perform(call: Call) -> str:
    """Do the operation; the reply's body.

    Raises:
        RpcError, Failures: why it was not done.
    """
    known = call.rpc.standard or call.rpc.name == "commit-configuration"
    operation = OPERATIONS.get(call.rpc.name) if known else None
    if operation is None:
        raise not_supported(call.rpc.name, f"this device has no operation <{call.rpc.name}>")
    return operation(call)
