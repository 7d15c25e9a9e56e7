"""Hello, framing and the envelope of a request, on the wire."""

from __future__ import annotations

import pytest

from labs.emulator import Device
from labs.framing import END_OF_MESSAGE, frame

from .conftest import Connect
from .raw import NC, Wire, hello, rpc, talk

END_OF_CHUNKS = b"\n##\n"
CLOSE = "<close-session/>"


def test_both_sides_at_1_1_talk_in_chunks(gateway: Device) -> None:
    async def conversation(wire: Wire) -> tuple[bytes, bytes]:
        greeting = await wire.until(END_OF_MESSAGE)
        wire.send(hello("1.0", "1.1") + frame(rpc(CLOSE), chunked=True))
        return greeting, await wire.until(END_OF_CHUNKS)

    greeting, answer = talk(gateway, conversation)
    assert b"base:1.1</capability>" in greeting
    assert b"<session-id>" in greeting
    assert answer.startswith(b"\n#")
    assert b"<ok " in answer


def test_a_client_of_1_0_gets_its_own_framing(gateway: Device) -> None:
    async def conversation(wire: Wire) -> bytes:
        wire.send(hello("1.0") + rpc("<get/>") + END_OF_MESSAGE)
        await wire.until(END_OF_MESSAGE)
        return await wire.until(END_OF_MESSAGE)

    answer = talk(gateway, conversation)
    assert answer.startswith(b"<rpc-reply")
    assert b"edge-in" in answer


def test_requests_sent_together_are_answered_in_order(gateway: Device) -> None:
    async def conversation(wire: Wire) -> list[bytes]:
        wire.send(hello("1.1") + b"".join(frame(rpc("<get/>", str(n)), chunked=True) for n in range(5)))
        await wire.until(END_OF_MESSAGE)
        return [await wire.until(END_OF_CHUNKS) for _ in range(5)]

    for number, answer in enumerate(talk(gateway, conversation)):
        assert f'message-id="{number}"'.encode() in answer


def test_the_reply_carries_every_attribute_of_the_request(gateway: Device) -> None:
    async def conversation(wire: Wire) -> bytes:
        request = f'<n:rpc xmlns:n="{NC}" xmlns:e="urn:e" e:user="ann" message-id="a&lt;b"><n:get/></n:rpc>'
        wire.send(hello("1.1") + frame(request.encode(), chunked=True))
        await wire.until(END_OF_MESSAGE)
        return await wire.until(END_OF_CHUNKS)

    answer = talk(gateway, conversation)
    assert b'e:user="ann"' in answer
    assert b'message-id="a&lt;b"' in answer


@pytest.mark.parametrize(
    "opening",
    [
        b"<hello/>" + END_OF_MESSAGE,
        b"not xml" + END_OF_MESSAGE,
        hello(),
        hello("1.0").replace(b"</hello>", b"<session-id>1</session-id></hello>"),
        hello("1.1") + b"<rpc/>" + END_OF_MESSAGE,
        hello("1.0") + b"<rpc" + END_OF_MESSAGE,
    ],
)
def test_whoever_breaks_the_protocol_is_cut_off(gateway: Device, opening: bytes) -> None:
    async def conversation(wire: Wire) -> bytes:
        await wire.until(END_OF_MESSAGE)
        wire.send(opening)
        return await wire.rest()

    assert talk(gateway, conversation) == b""


def test_a_device_of_1_1_alone_refuses_a_client_of_1_0(fleet: dict[str, Device]) -> None:
    async def conversation(wire: Wire) -> bytes:
        await wire.until(END_OF_MESSAGE)
        wire.send(hello("1.0") + rpc("<get/>") + END_OF_MESSAGE)
        return await wire.rest()

    assert talk(fleet["direct"], conversation) == b""


@pytest.mark.parametrize(
    ("request_", "tag"),
    [
        (b"<rpc", b"malformed-message"),
        (b'<!DOCTYPE x [<!ENTITY e "boom">]>' + rpc("<get/>"), b"malformed-message"),
        (rpc("<get/>").replace(b' message-id="1"', b""), b"missing-attribute"),
        (rpc("<get/><get/>"), b"bad-element"),
        (rpc("<reboot/>"), b"operation-not-supported"),
        (rpc('<get xmlns="urn:example:other"/>'), b"operation-not-supported"),
    ],
)
def test_bad_requests_are_answered(gateway: Device, request_: bytes, tag: bytes) -> None:
    async def conversation(wire: Wire) -> bytes:
        wire.send(hello("1.1") + frame(request_, chunked=True))
        await wire.until(END_OF_MESSAGE)
        return await wire.until(END_OF_CHUNKS)

    assert b"<error-tag>" + tag + b"</error-tag>" in talk(gateway, conversation)


def test_no_other_subsystem_and_no_other_user(gateway: Device) -> None:
    import asyncssh

    with pytest.raises(asyncssh.PermissionDenied):
        talk(gateway.model_copy(update={"user": "root"}), Wire.rest)


def test_ncclient_speaks_1_0_to_an_old_device(fleet: dict[str, Device], connect: Connect) -> None:
    old = fleet["old"]
    old.reset()
    session = connect(old)
    assert "urn:ietf:params:netconf:base:1.1" not in session.server_capabilities
    assert "edge-in" in session.get_config("running").data_xml
    session.close_session()
    assert old.served("close-session")
