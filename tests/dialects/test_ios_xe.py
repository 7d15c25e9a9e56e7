"""What is IOS-XE's own: its entries, its numbers, its one list a place, its policy maps and its names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import AdminOp, Direction, DiscardOp, Family, PacketRule, PortRange, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.ios_xe import DIALECT as IOS_XE
from secloop_ai.dialects.ios_xe import names as n
from secloop_ai.dialects.ios_xe.acls import AccessLists
from secloop_ai.dialects.ios_xe.interfaces import path, split
from secloop_ai.dialects.ios_xe.rules import normal
from secloop_ai.dialects.numbered import IMPLICIT_DENY
from secloop_ai.dialects.numbered.reading import read_acl
from secloop_ai.dialects.xml import load

from .foreign_ios_xe import takes
from .making import ATTACKER, ONE, SERVER, TWO, filtered, rule, tagged
from .strategies import families, rules

GE1, GE2 = "GigabitEthernet0/0/1", "GigabitEthernet0/0/2"
ANY4 = "<any/><dst-any/>"
PERMIT4 = f"<action>permit</action><protocol>ip</protocol>{ANY4}"
WEB = {"protocol": 6, "destination": SERVER, "destination_port": {"low": 80, "high": 80}}
LIMIT = rule("permit", rate_bytes_per_s=12_500, **WEB)
BLOCK = filtered(GE1, "ingress", 4, rule("drop", source=ATTACKER))


def entry(number: int, body: str, remark: str = "") -> str:
    held = f"<ace-rule>{body}</ace-rule>" if body else ""
    note = f"<remark>{remark}</remark>" if remark else ""
    return f"<access-list-seq-rule><sequence>{number}</sequence>{held}{note}</access-list-seq-rule>"


def acl(name: str, *entries: str, kind: str = "extended") -> str:
    return f'<{kind} xmlns="{n.ACL}"><name>{name}</name>{"".join(entries)}</{kind}>'


def port(name: str, inside: str = "", *, kind: str = "GigabitEthernet") -> str:
    return f"<{kind}><name>{name}</name>{inside}</{kind}>"


def grouped(name: str, word: str = "in") -> str:
    return f"<ip><access-group><{word}><acl><acl-name>{name}</acl-name><{word}/></acl></{word}></access-group></ip>"


def config(lists: str = "", ports: str = port("0/0/1") + port("0/0/2"), more: str = "", v6: str = "") -> str:
    ip = f"<ip><access-list>{lists}</access-list></ip>" if lists else ""
    ipv6 = f"<ipv6><access-list>{v6}</access-list></ipv6>" if v6 else ""
    native = f'<native xmlns="{n.IOS}">{ip}{ipv6}<interface>{ports}</interface>{more}</native>'
    return f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{native}</data>'


def shown(data: str, name: str) -> list[tuple[str, str]]:
    model = IOS_XE.parse(data).acl(name)
    assert model is not None
    return [(r.name, str(r)) for r in model.rules]


@settings(deadline=None)
@given(families, st.data())
def test_a_list_reads_back_as_it_was_written(family: Family, draws: st.DataObject) -> None:
    wanted = [r for r in draws.draw(st.lists(rules(family), max_size=6)) if takes(r)]
    adapter, root = AccessLists(), load("<data/>")
    made = adapter.create(root, "WHOLE", family)
    for index, one in enumerate(wanted, start=1):
        adapter.write(root, made, index * 10, f"sl-0123456789-0-0-{index}", normal(one))
    model, notes = read_acl(adapter, root, made, "WHOLE")
    read = [r for r in model.rules if r.name != IMPLICIT_DENY]
    assert notes == []
    assert [r.model_copy(update={"name": w.name}) for r, w in zip(read, wanted, strict=True)] == [
        normal(w) for w in wanted
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<host-address>10.0.0.1</host-address><dst-any/>", ["drop tcp 10.0.0.1/32 -> any"]),
        ("<host>10.0.0.1</host><dst-any/>", ["drop tcp 10.0.0.1/32 -> any"]),
        ("<ipv4-address>10.1.2.3</ipv4-address><mask>0.0.255.255</mask><dst-any/>", ["drop tcp 10.1.0.0/16 -> any"]),
        ("<any/><dest-ipv4-address>10.0.0.0</dest-ipv4-address><dest-mask>0.255.255.255</dest-mask>",
         ["drop tcp any -> 10.0.0.0/8"]),
        (f"{ANY4}<dst-eq>www</dst-eq>", ["drop tcp any -> any:80"]),
        ("<any/><src-gt>1023</src-gt><dst-any/>", ["drop tcp any:1024-65535 -> any"]),
        (f"{ANY4}<dst-lt>22</dst-lt>", ["drop tcp any -> any:0-21"]),
        (f"{ANY4}<dst-eq>22</dst-eq><dst-eq-port2>telnet</dst-eq-port2>",
         ["drop tcp any -> any:22", "drop tcp any -> any:23"]),
        (f"{ANY4}<dst-neq>22</dst-neq><dst-neq-port2>24</dst-neq-port2>",
         ["drop tcp any -> any:0-21", "drop tcp any -> any:23", "drop tcp any -> any:25-65535"]),
        (f"{ANY4}<dst-range1>20</dst-range1><dst-range2>ftp</dst-range2><log/>", ["drop tcp any -> any:20-21"]),
        (f"{ANY4}<dst-gt>65535</dst-gt>", []),
    ],
)  # fmt: skip
def test_conditions_are_read(body: str, said: list[str]) -> None:
    data = config(acl("A", entry(10, f"<action>deny</action><protocol>tcp</protocol>{body}")))
    assert [text for name, text in shown(data, "A") if name != IMPLICIT_DENY] == said


@pytest.mark.parametrize(
    "body",
    [
        "<ipv4-address>10.0.0.1</ipv4-address><mask>0.255.0.255</mask><dst-any/>",
        "<host>www.example.net</host><dst-any/>",
        "<object-group>friends</object-group><dst-any/>",
        f"{ANY4}<established/>",
        f"{ANY4}<dst-eq>no-such-word</dst-eq>",
        "<dst-any/>",
        f"{ANY4}<match-all><plussyn/></match-all>",
        f'{ANY4}<odd xmlns="urn:example:odd">1</odd>',
    ],
)
def test_what_a_rule_cannot_say_stops_what_the_device_might_stop(body: str) -> None:
    head = "<protocol>tcp</protocol>"
    data = config(
        acl("A", entry(10, f"<action>permit</action>{head}{body}"), entry(20, f"<action>deny</action>{head}{body}"))
    )
    drops = [text.partition(" ")[0] for _, text in shown(data, "A")]
    assert drops == ["drop", "drop"]
    assert len(IOS_XE.parse(data).notes) == 2


@pytest.mark.parametrize(
    ("name", "kind", "number"),
    [
        (GE1, "GigabitEthernet", "0/0/1"),
        ("TwentyFiveGigE1/0/3", "TwentyFiveGigE", "1/0/3"),
        ("Port-channel12.100", "Port-channel", "12.100"),
        ("BD-VIF4", "BD-VIF", "4"),
        ("Vlan10", "Vlan", "10"),
    ],
)
def test_an_interface_is_a_type_and_a_number(name: str, kind: str, number: str) -> None:
    assert split(name) == (kind, number)
    assert path(name) == f"/native/interface/{kind}[name='{number}']"


@pytest.mark.parametrize("name", ["ge0", "Gi0/0/1", "GigabitEthernet", "GigabitEthernet0-0-1"])
def test_another_name_is_refused_with_the_types_there_are(name: str) -> None:
    with pytest.raises(DialectError, match=r"GigabitEthernet0/0/1; known types: .*Port-channel"):
        IOS_XE.apply(config(), tagged(ONE, AdminOp(interface=name)))


def test_numbers_and_words_are_those_of_the_device() -> None:
    foreign = acl("EDGE", entry(10, PERMIT4))
    op = filtered(GE1, "ingress", 4, rule("drop", **WEB))
    done = IOS_XE.apply(config(foreign, port("0/0/1", grouped("EDGE"))), tagged(ONE, op))
    assert done.edit is not None
    assert "<dst-eq>www</dst-eq>" in done.edit
    assert "permit" not in done.edit, "an entry of the operator's is sent again"
    assert [name for name, _ in shown(done.after, "EDGE")] == [f"sl-{ONE}-0-0", "10"]


def test_a_list_is_made_before_it_is_attached_and_detached_before_it_goes() -> None:
    there = IOS_XE.apply(config(), tagged(ONE, BLOCK))
    assert there.edit is not None
    assert there.edit.index("secloop-permit-rest") < there.edit.index("<interface>")
    back = IOS_XE.remove(there.after, tagged(ONE, BLOCK))
    assert back.edit is not None
    assert back.edit.index("access-group") < back.edit.index("secloop-GigabitEthernet0/0/1-in-v4")


def test_our_entries_in_an_empty_list_leave_what_passed() -> None:
    data = config(acl("EMPTY"), port("0/0/1", grouped("EMPTY")))
    done = IOS_XE.apply(data, tagged(ONE, BLOCK))
    assert [text for _, text in shown(done.after, "EMPTY")] == [
        "drop ip 203.0.113.66/32 -> any",
        "permit ip any -> any",
    ]
    assert IOS_XE.remove(done.after, tagged(ONE, BLOCK)).after == data


def test_an_entry_of_ours_in_an_ipv6_list_is_a_remark_and_a_rule() -> None:
    body = "<action>permit</action><protocol>ipv6</protocol><any/><destination-any/>"
    held = "<ipv6><traffic-filter><direction>in</direction><access-list>E6</access-list></traffic-filter></ipv6>"
    data = config(ports=port("0/0/1", held), v6=acl("E6", entry(5, "", "ours"), entry(10, body), kind="named-acl"))
    op = filtered(GE1, "ingress", 6, rule("drop", source="2001:db8::/32"), rule("drop", protocol=58))
    done = IOS_XE.apply(data, tagged(ONE, op))
    root = load(done.after)
    numbers = [e.findtext(n.NUMBER) for e in root.iter(n.ENTRY)]
    assert numbers == ["1", "2", "3", "4", "5", "10"]
    torn = done.after.replace("<sequence>4</sequence>", "<sequence>7</sequence>")
    assert IOS_XE.apply(torn, tagged(ONE, op)).edit is not None, "a remark without its rule is taken for an entry"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (config(acl("S", kind="standard"), port("0/0/1", grouped("S"))), "S .*standard list"),
        (config(ports=port("0/0/1", grouped("GONE"))), "GONE is attached .*but not in the configuration"),
        (config(acl("E", entry(10, PERMIT4)), port("0/0/1", grouped("E")) + port("0/0/2", grouped("E", "out"))),
         "E .*GigabitEthernet0/0/2 egress"),
        (config(acl("E", entry(1, PERMIT4)), port("0/0/1", grouped("E"))), "E .*room for 0 of our 1 entries"),
        (config(ports=port("0/0/2")), "GigabitEthernet0/0/1 is not in the configuration"),
    ],
)  # fmt: skip
def test_a_place_that_cannot_take_our_entries_is_named(data: str, said: str) -> None:
    with pytest.raises(DialectError, match=said):
        IOS_XE.apply(data, tagged(ONE, BLOCK))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (rule("reject", source=ATTACKER), "no reject"),
        (rule("drop", protocol=0), "protocol 0"),
        (rule("permit", rate_bytes_per_s=999, **WEB), "from 8000"),
        (rule("permit", rate_bytes_per_s=1000.01, **WEB), "whole bits"),
    ],
)
def test_a_rule_the_device_has_no_form_for_is_refused(one: PacketRule, said: str) -> None:
    with pytest.raises(DialectError, match=said):
        IOS_XE.apply(config(), tagged(ONE, filtered(GE1, "ingress", 4, one)))


def rated(data: str, name: str) -> list[float | None]:
    model = IOS_XE.parse(data).acl(name)
    assert model is not None
    return [r.rate_bytes_per_s for r in model.rules]


LIMITED = filtered(GE1, "egress", 4, LIMIT, rank=1)


def test_a_limit_is_read_only_where_its_class_is_at_work() -> None:
    after = IOS_XE.apply(config(), tagged(ONE, LIMITED)).after
    own = "secloop-GigabitEthernet0/0/1-out-v4"
    assert rated(after, own) == [12_500, None]
    assert rated(after.replace("<output>", "<input>").replace("</output>", "</input>"), own) == [None, None]
    assert rated(after.replace("exceed-drop", "exceed-kept"), own) == [None, None]
    assert rated(after.replace("<bit-rate>100000<", "<bit-rate>200000<"), own) == [25_000, None]
    head, _, last = after.rpartition("<dst-eq>www</dst-eq>")
    assert rated(f"{head}<dst-eq>443</dst-eq>{last}", own) == [None, None], "the class polices something else"


def test_what_a_limit_replaces_is_taken_away() -> None:
    after = IOS_XE.apply(config(), tagged(ONE, LIMITED)).after
    faster = filtered(GE1, "egress", 4, LIMIT.model_copy(update={"rate_bytes_per_s": 25_000.0}), rank=1)
    changed = IOS_XE.apply(after, tagged(ONE, faster))
    assert rated(changed.after, "secloop-GigabitEthernet0/0/1-out-v4") == [25_000, None]
    plain = filtered(GE1, "egress", 4, rule("permit", **WEB), rank=1)
    unlimited = IOS_XE.apply(changed.after, tagged(ONE, plain)).after
    assert "policy" not in unlimited


def test_a_permit_before_a_limit_keeps_its_packets_out_of_the_policer() -> None:
    first = filtered(GE1, "egress", 4, rule("permit", source=ATTACKER, **WEB))
    data = IOS_XE.apply(config(), [*tagged(TWO, first), *tagged(ONE, LIMITED)]).after
    root = load(data)
    classes = [((c.findtext(n.POLICY_NAME) or "")[:-7], c.find(n.ACTIONS) is not None) for c in root.iter(n.CLASS)]
    assert classes == [(f"sl-{TWO}-0-0", False), (f"sl-{ONE}-1-0", True)]
    for gone, kept in ((tagged(TWO, first), tagged(ONE, LIMITED)), (tagged(ONE, LIMITED), tagged(TWO, first))):
        left, alone = IOS_XE.remove(data, gone).after, IOS_XE.apply(config(), kept).after
        assert IOS_XE.parse(left) == IOS_XE.parse(alone)
        policies = [[c.findtext(n.POLICY_NAME) for c in load(d).iter(n.CLASS, n.CLASS_MAP)] for d in (left, alone)]
        assert policies[0] == policies[1]


def test_a_limit_says_why_it_cannot_be() -> None:
    shaped = f'<service-policy xmlns="{n.POLICY}"><output>SHAPE</output></service-policy>'
    with pytest.raises(DialectError, match="GigabitEthernet0/0/1 egress already has the policy map SHAPE"):
        IOS_XE.apply(config(ports=port("0/0/1", shaped)), tagged(ONE, LIMITED))
    fast = filtered("FourHundredGigE0/0/1", "egress", 4, LIMIT, rank=1)
    with pytest.raises(DialectError, match="no rate limits"):
        IOS_XE.apply(config(ports=port("0/0/1", kind="FourHundredGigE")), tagged(ONE, fast))


def routed(prefix: str = ATTACKER) -> list[TaggedOp]:
    return tagged(ONE, DiscardOp.model_validate({"prefix": prefix}))


def route(inside: str) -> str:
    key = "<prefix>203.0.113.66</prefix><mask>255.255.255.255</mask>"
    held = f"<ip-route-interface-forwarding-list>{key}{inside}</ip-route-interface-forwarding-list>"
    data = f'<native xmlns="{n.IOS}"><ip><route>{held}</route></ip></native>'
    return f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{data}</data>'


@pytest.mark.parametrize(
    "inside",
    [
        "<fwd-list><fwd>192.0.2.1</fwd></fwd-list>",
        "<fwd-list><fwd>Null0</fwd><name>mine</name></fwd-list>",
        "<fwd-list-with-track><fwd>192.0.2.1</fwd></fwd-list-with-track>",
    ],
)
def test_a_route_of_somebody_else_is_named(inside: str) -> None:
    with pytest.raises(DialectError, match=r"203\.0\.113\.66/32 already has a static route to .*not ours"):
        IOS_XE.apply(route(inside), routed())


def test_a_route_keeps_the_tags_of_those_that_stay_in_one_word() -> None:
    both = [*routed(), TaggedOp(tag=TWO, op=routed()[0].op)]
    after = IOS_XE.apply(config(), both).after
    assert f"<name>secloop,{ONE},{TWO}</name>" in after
    assert [d.tag for d in IOS_XE.parse(IOS_XE.remove(after, routed()).after).discards] == [TWO]


@pytest.mark.parametrize("prior", [None, True, False])
def test_a_port_gets_its_prior_state_back(prior: bool | None) -> None:
    start = config(ports=port("0/0/1", "<shutdown/>" if prior is False else ""))
    ops = tagged(ONE, AdminOp(interface=GE1, prior=prior))
    after = IOS_XE.apply(start, ops).after
    assert not IOS_XE.parse(after).is_up(GE1)
    assert IOS_XE.canonical(IOS_XE.remove(after, ops).after) == IOS_XE.canonical(start)


def test_subinterfaces_of_a_port_channel_stand_apart() -> None:
    inside = f"<Port-channel-subinterface>{port('7.12', kind='Port-channel')}</Port-channel-subinterface>"
    done = IOS_XE.apply(
        config(ports=port("7", kind="Port-channel") + inside), tagged(ONE, AdminOp(interface="Port-channel7.12"))
    )
    assert done.edit is not None
    assert "<Port-channel-subinterface><Port-channel><name>7.12</name><shutdown/>" in done.edit


def test_what_the_hello_must_offer() -> None:
    native = f"{n.IOS}?module=Cisco-IOS-XE-native&revision=2023-07-01"
    lacking = IOS_XE.not_offered([native, f"{n.ACL}?module=Cisco-IOS-XE-acl"])
    assert list(lacking) == ["rate_limit"]
    assert "policy maps" in lacking["rate_limit"]
    assert set(IOS_XE.not_offered([])) == set(IOS_XE.needs)


def test_a_port_range_is_one_condition() -> None:
    op = filtered(GE1, "ingress", 4, rule("drop", protocol=17, source_port=PortRange(low=53, high=123)))
    after = IOS_XE.apply(config(), tagged(ONE, op)).after
    assert "<src-range1>domain</src-range1><src-range2>ntp</src-range2>" in after
    assert IOS_XE.parse(after).attached(GE1, Direction.INGRESS)[0].rules[0].source_port == PortRange(low=53, high=123)
