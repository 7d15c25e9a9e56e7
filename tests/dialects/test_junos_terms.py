"""What a term says as packet rules, and rules as terms."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import AclModel, Family, PacketRule, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.junos import DIALECT as JUNOS
from secloop_ai.dialects.junos.device import Device
from secloop_ai.dialects.junos.names import XNM, names_in
from secloop_ai.dialects.junos.rules import ensure_policer, write_term
from secloop_ai.dialects.xml import load, text_of

from .foreign_junos import takes
from .making import rule
from .making_junos import TEN, config, filter_, single, term, unit
from .strategies import families, rules


def read(then: str, conditions: str = "", *, inside: str = "", rest: str = "") -> tuple[list[str], tuple[str, ...]]:
    """A term's rules without their names, and its notes."""
    one = term("t", then, conditions).replace("<then>", f"{inside}<then>")
    model = JUNOS.parse(config(filter_("F", one), unit("ge-0/0/0.0"), more=TEN + rest))
    acl = model.acl("F")
    assert acl is not None
    return [str(r) for r in acl.rules], tuple(n.removeprefix("filter F: term t: ") for n in model.notes)


@settings(deadline=None, max_examples=60)
@given(families, st.data())
def test_a_rendered_filter_reads_back_as_it_was(family: Family, draws: st.DataObject) -> None:
    wanted = [r for r in draws.draw(st.lists(rules(family), max_size=6)) if takes(r)]
    wanted = [r.model_copy(update={"name": f"{r.name}-{i}"}) for i, r in enumerate(wanted)]
    names = names_in(XNM)
    root = load("<data/>")
    device = Device(root, names)
    host = device.create("WHOLE", family)
    for one in wanted:
        assert device.firewall is not None
        ensure_policer(device.firewall, names.fw, one)
        write_term(host, names.fw, one.name, one, family)
    model = JUNOS.parse(text_of(root))
    assert model.acls == (AclModel(name="WHOLE", family=family, rules=tuple(wanted)),)
    assert model.notes == ()


@pytest.mark.parametrize(
    ("then", "conditions", "said"),
    [
        ("<discard/>", "", ["drop ip any -> any"]),
        ("<count>c</count>", "", ["permit ip any -> any"]),
        ("<reject><tcp-reset/></reject>", "<protocol>tcp</protocol>", ["reject tcp any -> any"]),
        ("<policer>TEN</policer>", "<protocol>17</protocol>", ["permit udp any -> any up to 1.25e+06 B/s"]),
        ("<policer>TEN</policer><discard/>", "", ["drop ip any -> any"]),
        ("<next>term</next>", "<protocol>tcp</protocol>", []),
        (
            "<discard/>",
            "<address><name>10.0.0.0/8</name></address>",
            ["drop ip 10.0.0.0/8 -> any", "drop ip any -> 10.0.0.0/8"],
        ),
        (
            "<accept/>",
            "<protocol>tcp</protocol><protocol>udp</protocol><destination-port>domain</destination-port>",
            ["permit tcp any -> any:53", "permit udp any -> any:53"],
        ),
        (
            "<accept/>",
            "<protocol>tcp</protocol><port>ftp-data</port><port>80-81</port>",
            [
                "permit tcp any:20 -> any",
                "permit tcp any -> any:20",
                "permit tcp any:80-81 -> any",
                "permit tcp any -> any:80-81",
            ],
        ),
    ],
)
def test_a_term_stands_for_one_rule_per_combination(then: str, conditions: str, said: list[str]) -> None:
    assert read(then, conditions) == (said, ())


SCRUB = "<routing-instance><routing-instance-name>S</routing-instance-name></routing-instance>"
TEN_NET = "<source-address><name>10.0.0.0/8</name></source-address>"
ESTABLISHED = "<protocol>tcp</protocol><tcp-established/>"
PREFIX_LIST = f"{TEN_NET}<source-prefix-list><name>X</name></source-prefix-list>"
EXCEPT = f"{TEN_NET}<source-address><name>10.1.0.0/16</name><except/></source-address>"
MASK = "<source-address><name>10.0.0.1/0.0.255.255</name></source-address>"
UNREAD = "condition {} is not looked at"
ANY = ["drop ip any -> any"]
TCP_UDP = "ports without a protocol are read as those of tcp and udp"


@pytest.mark.parametrize(
    ("then", "conditions", "said", "note"),
    [
        ("<accept/>", ESTABLISHED, [], f"{UNREAD.format('tcp-established')}; accept left out"),
        ("<discard/>", ESTABLISHED, ["drop tcp any -> any"], UNREAD.format("tcp-established")),
        ("<accept/>", PREFIX_LIST, [], f"{UNREAD.format('source-prefix-list')}; accept left out"),
        ("<discard/>", PREFIX_LIST, ANY, UNREAD.format("source-prefix-list")),
        ("<discard/>", EXCEPT, ANY, UNREAD.format("source-address")),
        ("<discard/>", MASK, ANY, UNREAD.format("source-address")),
        ("<reject/>", "<port>80</port>", ["reject tcp any:80 -> any", "reject tcp any -> any:80"], TCP_UDP),
        (SCRUB, "", ANY, "action routing-instance is taken as discard"),
        ("<policer>GONE</policer>", "", ["permit ip any -> any"], "policer GONE is not looked at"),
        ("<policer>TEN</policer><next>term</next>", "", [], "a policer before the next term is not looked at"),
    ],
)
def test_what_a_rule_cannot_say_is_noted_and_never_lets_more_pass(
    then: str, conditions: str, said: list[str], note: str
) -> None:
    rules_, notes = read(then, conditions)
    assert [r for r in rules_ if " udp " not in r] == said
    assert notes == (note,)


def test_a_term_that_includes_another_filter_is_taken_to_discard_everything() -> None:
    said, notes = read("<accept/>", inside="<filter>OTHER</filter>")
    assert said == ["drop ip any -> any"]
    assert notes == ("filter is not looked at; taken to discard everything",)


def test_more_combinations_than_anyone_reads_are_not_made() -> None:
    many = "".join(f"<source-address><name>10.{i}.0.0/16</name></source-address>" for i in range(100))
    many += "".join(f"<destination-address><name>10.{i}.0.0/16</name></destination-address>" for i in range(100))
    said, notes = read("<discard/>", many)
    assert said == ["drop ip any -> any"]
    assert notes == ("condition with more than 4096 combinations is not looked at",)


def test_names_longer_than_a_rule_may_have_are_cut_and_stay_apart() -> None:
    long = [term(f"{'x' * 80}{end}", "<discard/>") for end in "ab"]
    model = JUNOS.parse(config(filter_("F", *long), unit("ge-0/0/0.0", single("F"))))
    names = [r.name for r in model.acls[0].rules]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names)


def test_a_rule_of_the_other_family_is_refused() -> None:
    host = load("<data/>")
    wrong = rule("drop", source="2001:db8::/32")
    assert wrong.action is RuleAction.DROP
    with pytest.raises(DialectError, match="an IPv6 address in a term of family inet"):
        write_term(host, names_in(XNM).fw, "t", PacketRule.model_validate(wrong.model_dump()), 4)
