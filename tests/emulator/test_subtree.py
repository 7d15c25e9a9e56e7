from __future__ import annotations

import pytest

from labs.emulator.names import parse_xml
from labs.emulator.subtree import select
from labs.emulator.tree import canonical

from .documents import ACL, IF, ace, acl, acls, attach, config, interface
from .pure import ROOT, tree

DATA = tree(
    config(
        acls(acl("a", ace("x"), ace("y", action="accept")), acl("b"), attach("ge0", "a")),
        interface("ge0", enabled=True),
    )
)


def selected(inside: str) -> str:
    return canonical(select(ROOT, DATA, parse_xml(f"<filter>{inside}</filter>".encode())))


def expected(*inside: str) -> str:
    return canonical(tree(config(*inside)))


@pytest.mark.parametrize(
    ("wanted", "inside"),
    [
        ("", []),
        (f'<acls xmlns="{IF}"/>', []),
        (f'<interfaces xmlns="{IF}"/>', [interface("ge0", enabled=True)]),
        ("<interfaces/>", [interface("ge0", enabled=True)]),
        (f'<acls xmlns="{ACL}"><acl><name>b</name></acl></acls>', [acls(acl("b"))]),
        (f'<acls xmlns="{ACL}"><acl><name> b </name><type/></acl></acls>', [acls(acl("b"))]),
        (f'<acls xmlns="{ACL}"><acl><name>q</name></acl></acls>', []),
        (f'<acls xmlns="{ACL}"><acl><aces>yes</aces></acl></acls>', []),
        (
            f'<acls xmlns="{ACL}"><acl><name/></acl></acls>',
            [acls("<acl><name>a</name></acl><acl><name>b</name></acl>")],
        ),
        (
            f'<acls xmlns="{ACL}"><acl><name>a</name></acl><acl><name>b</name><type/></acl></acls>',
            [acls(acl("a", ace("x"), ace("y", action="accept")), acl("b"))],
        ),
        (
            (
                f'<acls xmlns="{ACL}"><acl><aces><ace><actions><forwarding>accept</forwarding></actions></ace></aces>'
                "</acl></acls>"
            ),
            [
                acls(
                    "<acl><name>a</name><aces><ace><name>y</name><actions><forwarding>accept</forwarding></actions></ace></aces></acl>"
                )
            ],
        ),
        (f'<acls xmlns="{ACL}"><attachment-points/></acls><interfaces colour="red"/>', [acls(attach("ge0", "a"))]),
    ],
)
def test_selection(wanted: str, inside: list[str]) -> None:
    assert selected(wanted) == expected(*inside)


def test_an_identity_matches_by_its_namespace() -> None:
    wanted = '<acls xmlns="{0}" xmlns:q="{1}"><acl><type>q:ipv4-acl-type</type></acl></acls>'
    assert "<name>b</name>" in selected(wanted.format(ACL, ACL))
    assert "<acl>" not in selected(wanted.format(ACL, IF))
