"""What crosses a wall must survive being written down, and refuse what it does not know."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from pydantic import ValidationError

from secloop_ai.contracts import (
    CATALOGUE,
    AclAttachment,
    AclModel,
    ActionCall,
    AlertSummary,
    DeviceModel,
    Direction,
    Environment,
    Packet,
    PacketRule,
    Plane,
    PointerError,
    PointerTable,
    PortRange,
    Role,
    RuleAction,
    Slot,
    Untrusted,
    incident_id,
)
from tests.loop.make import network, summary

DROP = PacketRule(
    name="d", action=RuleAction.DROP, protocol=6, source=ip_network("10.0.0.0/8"), destination_port=PortRange.one(22)
)
PERMIT = PacketRule(name="p", action=RuleAction.PERMIT)


def packet(source: str, port: int = 22, protocol: int = 6) -> Packet:
    return Packet(
        source=ip_address(source), destination=ip_address("192.0.2.1"), protocol=protocol, destination_port=port
    )


def test_an_environment_survives_being_written_down() -> None:
    environment = network()
    again = Environment.model_validate_json(environment.model_dump_json())
    assert again == environment
    assert again.legitimate_packets() == environment.legitimate_packets()


def test_a_summary_survives_with_its_untrusted_text() -> None:
    held = summary().model_copy(update={"signature": Untrusted.of("  {{ x }}\n\x1b[31m ")})
    assert AlertSummary.model_validate_json(held.model_dump_json()) == held


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        ActionCall.model_validate({"tool": "observe", "params": {}, "ttl_s": 300, "shell": "rm"})


@pytest.mark.parametrize("word", ["203.0.113.66", "a b", "{{x}}", "@src0;", ""])
def test_a_call_says_slots_and_words_only(word: str) -> None:
    with pytest.raises(ValidationError):
        ActionCall(tool="block_ip", params={"source": word}, ttl_s=300)


def test_untrusted_text_formats_itself_as_nothing() -> None:
    text = Untrusted.of("{{ lookup('pipe','id') }}<b>\x1b[31m[red]" + "x" * 5000)
    assert str(text) == f"<untrusted text, {text.length} characters>"
    assert "pipe" not in repr(text)
    shown = text.display()
    assert not set(shown) & set("{}<>[]\x1b$`")
    assert len(text.raw) == 4096


def test_the_first_matching_rule_decides() -> None:
    acl = AclModel(name="a", family=4, rules=(DROP, PERMIT))
    assert acl.decide(packet("10.1.1.1")).action is RuleAction.DROP  # type: ignore[union-attr]
    assert acl.decide(packet("10.1.1.1", port=23)).action is RuleAction.PERMIT  # type: ignore[union-attr]
    assert acl.decide(packet("11.1.1.1")).action is RuleAction.PERMIT  # type: ignore[union-attr]
    six = Packet(source=ip_address("::1"), destination=ip_address("::2"), protocol=6)
    assert acl.decide(six) is None


def test_an_acl_without_a_match_hands_on_to_the_next() -> None:
    model = DeviceModel(
        acls=(AclModel(name="one", family=4, rules=(DROP,)), AclModel(name="two", family=4, rules=(DROP,))),
        attachments=(AclAttachment(interface="ge0", direction=Direction.INGRESS, acls=("one", "gone", "two")),),
    )
    assert model.filter(packet("10.1.1.1"), "ge0", Direction.INGRESS).acl == "one"
    assert model.filter(packet("11.1.1.1"), "ge0", Direction.INGRESS).action is RuleAction.PERMIT
    assert model.filter(packet("10.1.1.1"), "ge0", Direction.EGRESS).rule is None


def test_overlap_is_about_packets() -> None:
    inside = PacketRule(name="i", action=RuleAction.PERMIT, source=ip_network("10.1.0.0/16"))
    outside = PacketRule(name="o", action=RuleAction.PERMIT, source=ip_network("11.0.0.0/8"))
    udp = PacketRule(name="u", action=RuleAction.PERMIT, protocol=17)
    assert DROP.overlaps(inside)
    assert not DROP.overlaps(outside)
    assert not DROP.overlaps(udp)
    assert DROP.overlaps(PERMIT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x", "action": "permit", "destination_port": {"low": 1, "high": 2}},
        {"name": "x", "action": "drop", "rate_bytes_per_s": 5.0},
        {"name": "x", "action": "drop", "source": "10.0.0.0/8", "destination": "::/0"},
        {"name": "x", "action": "drop", "protocol": 6, "source_port": {"low": 9, "high": 2}},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PacketRule.model_validate(wrong)


def test_the_catalogue_is_whole() -> None:
    planes = [kind.spec.plane for kind in CATALOGUE.values()]
    assert (planes.count(Plane.NETWORK), planes.count(Plane.HOST), planes.count(Plane.NONE)) == (7, 9, 1)
    for name, kind in CATALOGUE.items():
        assert kind.model_fields["ttl_s"].is_required(), name
        assert kind.spec.mitigation.startswith("M1"), name
        assert all(d.startswith("D3-") for d in kind.spec.d3fend), name


def test_a_slot_of_another_role_or_request_is_an_error() -> None:
    table = PointerTable(slots=(Slot(slot="@src0", role=Role.SOURCE, address=ip_address("10.0.0.1")),))
    assert table.resolve("@src0", ("src", "host")).address == ip_address("10.0.0.1")
    with pytest.raises(PointerError, match="stands for a source"):
        table.resolve("@src0", ("host",))
    with pytest.raises(PointerError, match="not in this request"):
        table.resolve("@src1", ("src",))


def test_the_incident_follows_from_the_evidence() -> None:
    one, two = summary(), summary(source="203.0.113.77")
    assert incident_id((one, two)) == incident_id((two, one))
    assert incident_id((one,)) != incident_id((two,))
    grown = one.model_copy(update={"count": 99, "last_seen": one.last_seen.replace(second=9)})
    assert incident_id((grown,)) == incident_id((one,))
