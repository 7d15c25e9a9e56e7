"""The weak services' own sense, without a network: what they answer, and what they refuse."""

from __future__ import annotations

import json
import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from labs.services.base import ServiceOrder, program
from labs.services.servers import dhcpc, dns, knock, snmp
from labs.services.servers.chat import Conversation
from secloop_ai.contracts.errors import LabError

PEER = "203.0.113.9"
LONG = "a" * 50


def order(tmp_path: Path, kind: str, *weaknesses: str) -> ServiceOrder:
    return ServiceOrder(
        kind=kind,
        address=ip_address("10.1.2.3"),
        port=9,
        weaknesses=weaknesses,
        canaries={w: f"loot-of-{w}" for w in weaknesses},
        root=tmp_path,
    )


def config(tmp_path: Path, kind: str, *weaknesses: str) -> dict[str, object]:
    files = program(kind).files(order(tmp_path, kind, *weaknesses))
    loaded: dict[str, object] = json.loads(files["service.json"])
    return loaded


def query(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def zone(tmp_path: Path, *weaknesses: str) -> dns.Zone:
    return dns.Zone(config(tmp_path, "dns", *weaknesses))


def test_a_zone_goes_out_only_where_it_is_open_and_only_by_stream(tmp_path: Path) -> None:
    asked = query("house.example", dns.AXFR)
    assert b"loot-of-dns-axfr" in zone(tmp_path, "dns-axfr").reply(asked, PEER, stream=True)
    assert b"loot" not in zone(tmp_path, "dns-axfr").reply(asked, PEER, stream=False)
    refused = zone(tmp_path).reply(asked, PEER, stream=True)
    assert refused[3] & 15 == dns.REFUSED


def test_any_is_many_times_its_question_only_where_it_is_open(tmp_path: Path) -> None:
    asked = query("house.example", dns.ANY)
    assert len(zone(tmp_path, "reflection").reply(asked, PEER, stream=False)) > 20 * len(asked)
    assert len(zone(tmp_path).reply(asked, PEER, stream=False)) == len(asked)


def test_a_tunnel_is_answered_when_enough_has_come_through(tmp_path: Path) -> None:
    far_end = zone(tmp_path, "dns-tunnel")
    asked = query(f"{LONG}.t.lure.example", dns.TXT)
    answers = [far_end.reply(asked, PEER, stream=False) for _ in range(8)]
    assert [b"loot-of-dns-tunnel" in answer for answer in answers] == [False] * 7 + [True]
    assert b"loot" not in far_end.reply(asked, "203.0.113.10", stream=False)


@pytest.mark.parametrize("junk", [b"", b"x", bytes(12), query("a.b", 1)[:-3], b"\xff" * 40])
def test_junk_is_no_question(tmp_path: Path, junk: bytes) -> None:
    answer = zone(tmp_path, "dns-axfr").reply(junk, PEER, stream=True)
    assert b"loot" not in answer


def snmp_message(community: str, kind: int) -> bytes:
    binding = snmp.tlv(snmp.SEQUENCE, snmp.tlv(snmp.OID, snmp.CONTACT) + snmp.tlv(snmp.NULL, b""))
    numbers = snmp.tlv(snmp.INTEGER, b"\x07") + snmp.tlv(snmp.INTEGER, b"\0") * 2
    request = snmp.tlv(kind, numbers + snmp.tlv(snmp.SEQUENCE, binding))
    head = snmp.tlv(snmp.INTEGER, b"\1") + snmp.tlv(snmp.TEXT, community.encode())
    return snmp.tlv(snmp.SEQUENCE, head + request)


def test_an_agent_answers_only_its_communities(tmp_path: Path) -> None:
    sound = snmp.Agent(config(tmp_path, "snmp"))
    weak = snmp.Agent(config(tmp_path, "snmp", "snmp-mib-dump", "service-stop"))
    assert b"the cellar" in sound.reply(snmp_message("house-ro", snmp.GET))
    assert sound.reply(snmp_message("public", snmp.GET)) == b""
    assert sound.reply(snmp_message("private", snmp.SET)) == b""
    assert b"loot-of-snmp-mib-dump" in weak.reply(snmp_message("public", snmp.GET))
    assert b"loot-of-service-stop" in weak.reply(snmp_message("private", snmp.SET))
    assert weak.reply(snmp_message("public", snmp.SET)) == b""


@pytest.mark.parametrize("junk", [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x05\x02\x01\x01", b"\x02\x01\x01"])
def test_what_is_no_snmp_is_refused(tmp_path: Path, junk: bytes) -> None:
    with pytest.raises(snmp.Malformed):
        snmp.Agent(config(tmp_path, "snmp")).reply(junk)


@pytest.mark.parametrize(
    ("touched", "opens"),
    [((7000, 8000, 9000), True), ((8000, 7000, 9000), False), ((7000, 9000), False), ((), False), ((7000,) * 3, False)],
)
def test_a_door_opens_to_the_right_knock_alone(touched: tuple[int, ...], opens: bool) -> None:
    door = knock.Door([7000, 8000, 9000], "canary", "closed")
    for n, port in enumerate(touched):
        assert door.touch(PEER, port, n) == ""
    assert door.touch("203.0.113.10", 2222, 4) == "closed"
    assert door.touch(PEER, 2222, 5) == ("canary" if opens else "closed")


def test_a_door_forgets_a_slow_knock() -> None:
    door = knock.Door([1, 2], "canary", "closed")
    door.touch(PEER, 1, 0)
    door.touch(PEER, 2, 60)
    assert door.touch(PEER, 9, 61) == "closed"


def test_an_offer_is_accepted_by_name() -> None:
    offer = bytes([2, 1, 6]) + bytes(233) + dhcpc.COOKIE + dhcpc.OFFER_OPTION + bytes([255, 0, 0])
    assert b"loot" in dhcpc.request(offer, "loot")
    assert dhcpc.request(bytes([1]) + offer[1:], "loot") == b""
    assert dhcpc.request(offer[:200], "loot") == b""


@pytest.mark.parametrize(
    ("kind", "weakness", "said"),
    [
        ("smtp", "worm-spread", ["DEBUG\r"]),
        ("smtp", "fuzzing", ["A" * 400]),
        ("smtp", "shellcode-marker", ["\x90" * 32]),
        ("smtp", "password-spray", ["AUTH LOGIN\r", "ay5sYW5n\r", "V2ludGVyMjAyNg==\r"]),
        ("vnc", "vnc-login", ["RFB 003.008\n", "\x01", "\x01"]),
        ("tls", "heartbleed", ["\x18\x03\x02"]),
        ("netconf", "firewall-off", ['<rpc message-id="lab-acl">']),
        ("c2-raw", "stratum-miner", ['{"id": 2, "method": "mining.authorize"']),
    ],
)
def test_a_conversation_gives_its_loot_to_the_right_words_alone(
    tmp_path: Path, kind: str, weakness: str, said: list[str]
) -> None:
    def last(weak: tuple[str, ...], words: list[str]) -> str:
        talk = Conversation.__new__(Conversation)
        talk.table = config(tmp_path, kind, *weak)  # type: ignore[misc]
        state, answer = "start", ""
        for word in words:
            state, answer = talk._turn(state, word.encode("latin-1"))
        return answer

    assert f"loot-of-{weakness}" in last((weakness,), said)
    assert "loot" not in last((), said)
    assert "loot" not in last((weakness,), ["GET / HTTP/1.1\r"])


def test_a_weakness_without_loot_is_an_error(tmp_path: Path) -> None:
    without = order(tmp_path, "ftp", "exfil-ftp").model_copy(update={"canaries": {}})
    with pytest.raises(LabError, match="no canary for exfil-ftp"):
        program("ftp").files(without)


def test_accounts_exist_only_where_a_weakness_needs_them(tmp_path: Path) -> None:
    assert set(config(tmp_path, "ftp")["accounts"]) == {"house"}  # type: ignore[call-overload]
    weak = config(tmp_path, "ftp", "ftp-brute-force", "exfil-ftp")
    assert set(weak["accounts"]) == {"house", "backup", "anonymous"}  # type: ignore[call-overload]
    assert weak["takes"] == {"incoming/data": "loot-of-exfil-ftp"}
