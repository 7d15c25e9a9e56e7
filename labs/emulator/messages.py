"""hello, rpc and rpc-reply (RFC 6241 sections 4 and 8.1) as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from .errors import RFC_SHAPE, RpcError
from .names import BASE, BASE_CAPABILITY, Element, base, elements, parse_xml, split_tag, tag_of
from .profile import ErrorShape

NO_BINDINGS: Mapping[str, str] = {}
OK = f'<ok xmlns="{BASE}"/>'


@dataclass(frozen=True, slots=True)
class Rpc:
    """A request: the envelope, whose attributes go back with the reply, and the operation in it."""

    envelope: Element
    operation: Element

    @property
    def name(self) -> str:
        """The operation's local name."""
        return split_tag(tag_of(self.operation))[1]

    @property
    def standard(self) -> bool:
        """Whether the operation is one of NETCONF's own namespace."""
        return split_tag(tag_of(self.operation))[0] == BASE


def hello(capabilities: Iterable[str], session: int) -> bytes:
    """The server's hello."""
    inside = "".join(f"<capability>{escape(uri)}</capability>" for uri in capabilities)
    return (
        f'<hello xmlns="{BASE}"><capabilities>{inside}</capabilities><session-id>{session}</session-id></hello>'
    ).encode()


def read_hello(message: bytes) -> bool:
    """Read the client's hello; True where it speaks base:1.1.

    Raises:
        ValueError: it is no hello, carries a session-id, or speaks no NETCONF we know.
    """
    root = parse_xml(message.strip())
    if root.tag != base("hello"):
        raise ValueError(f"expected <hello>, got <{split_tag(tag_of(root))[1]}>")
    if root.find(base("session-id")) is not None:
        raise ValueError("a client's hello must not carry a session-id")
    spoken = {(c.text or "").strip() for c in root.iter(base("capability"))}
    if not spoken & {f"{BASE_CAPABILITY}1.0", f"{BASE_CAPABILITY}1.1"}:
        raise ValueError("the client's hello names no NETCONF base capability")
    return f"{BASE_CAPABILITY}1.1" in spoken


def read_rpc(message: bytes) -> Rpc:
    """Read a request.

    Raises:
        ValueError: the message is not XML or no `<rpc>`; only closing the session helps.
        RpcError: missing-attribute or unknown-element, to be answered.
    """
    root = parse_xml(message.strip())
    if root.tag != base("rpc"):
        raise ValueError(f"expected <rpc>, got <{split_tag(tag_of(root))[1]}>")
    if root.get("message-id") is None:
        info = {"bad-attribute": "message-id", "bad-element": "rpc"}
        raise RpcError("missing-attribute", "an <rpc> needs a message-id", kind="rpc", info=info)
    operations = list(elements(root))
    if len(operations) != 1:
        raise RpcError("bad-element", "an <rpc> holds exactly one operation", kind="rpc", info={"bad-element": "rpc"})
    return Rpc(root, operations[0])


def reply(rpc: Rpc | None, body: str, bindings: Mapping[str, str] = NO_BINDINGS) -> bytes:
    """The `<rpc-reply>`, with every attribute of the request (RFC 6241 section 4.2) and the vendor's bindings."""
    envelope = rpc.envelope if rpc else None
    # An envelope is an <rpc>, so its bindings include NETCONF's. (lxml-stubs has no None for the default one.)
    nsmap: Any = {**bindings, **({None: BASE} if envelope is None else envelope.nsmap)}
    head = etree.Element(base("rpc-reply"), nsmap=nsmap)
    if envelope is not None:
        head.attrib.update(envelope.attrib)
    name = f"{head.prefix}:rpc-reply" if head.prefix else "rpc-reply"
    opening = etree.tostring(head).decode().removesuffix("/>")
    return f"{opening}>{body}</{name}>".encode()


def errors_body(errors: Iterable[RpcError], prefixes: Mapping[str, str], shape: ErrorShape = RFC_SHAPE) -> str:
    """The rpc-error elements of a reply."""
    return "".join(error.to_xml(prefixes, shape) for error in errors)
