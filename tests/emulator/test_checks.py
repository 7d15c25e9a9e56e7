from __future__ import annotations

import pytest

from labs.emulator.checks import violations

from .documents import ace, acl, acls, attach, config, interface
from .pure import ROOT, edited, tree

ETHERNET = '<type xmlns:t="urn:ietf:params:xml:ns:yang:iana-if-type">t:ethernetCsmacd</type>'
PORTS = config(interface("ge0", enabled=True).replace("<enabled", f"{ETHERNET}<enabled"))
NO_ACTION = "<ace><name>n</name><matches><icmp><type>8</type></icmp></matches></ace>"
HALF_A_RANGE = (
    "<ace><name>n</name><matches><tcp><destination-port><lower-port>1</lower-port></destination-port></tcp></matches>"
    "<actions><forwarding>drop</forwarding></actions></ace>"
)
LIMITED = ace("n", action="{}").replace("</actions>", '<rate-limit xmlns="{}">9</rate-limit></actions>')
LIMIT = "urn:secloop:yang:acl-rate-limit"


def found(inside: str) -> list[tuple[str, str, str]]:
    errors = violations(ROOT, edited(tree(PORTS), config(inside)))
    return [(error.tag, error.app_tag, error.path.rsplit("/", 1)[-1]) for error in errors]


def test_a_whole_acl_is_valid() -> None:
    assert (
        found(acls(acl("a", ace("n"), LIMITED.format("accept", LIMIT).replace(">n<", ">m<")), attach("ge0", "a"))) == []
    )


@pytest.mark.parametrize(
    ("inside", "tag", "app_tag", "where"),
    [
        (acls(attach("ge0", "nobody")), "data-missing", "instance-required", "acl:name"),
        (acls(acl("a"), attach("ge7", "a")), "data-missing", "instance-required", "acl:interface-id"),
        (acls(acl("a", NO_ACTION)), "data-missing", "", "acl:actions"),
        (acls(acl("a", HALF_A_RANGE)), "data-missing", "", "acl:destination-port"),
        (interface("ge1", enabled=False), "data-missing", "", "if:interface[if:name='ge1']"),
        (acls(acl("a", ace("n")).replace("ipv4-acl", "ipv6-acl")), "unknown-element", "", "acl:ipv4"),
        (acls(acl("a", LIMITED.format("drop", LIMIT))), "unknown-element", "", "slrl:rate-limit"),
    ],
)
def test_what_must_not_run(inside: str, tag: str, app_tag: str, where: str) -> None:
    assert found(inside) == [(tag, app_tag, where)]
