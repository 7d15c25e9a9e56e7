from __future__ import annotations

import pytest
from lxml import etree

from secloop_ai.contracts import Direction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.ietf import DIALECT as IETF
from secloop_ai.dialects.ietf import names as n
from secloop_ai.dialects.marks import PERMIT_REST

from .making import ATTACKER, BLOCK, ONE, SERVER, THREE, TWO, ace, acl, config, filtered, point, rule, tagged

EDGE = acl("EDGE", "ipv4-acl-type", ace("web", "accept"))
IN, OUT = Direction.INGRESS, Direction.EGRESS


def entries(data: str, name: str) -> list[str]:
    model = IETF.parse(data).acl(name)
    assert model is not None
    return [r.name for r in model.rules]


def attached(data: str, interface: str = "ge0", direction: Direction = IN) -> list[str]:
    return [a.name for a in IETF.parse(data).attached(interface, direction)]


def test_ours_stand_by_rank_and_tag_before_what_is_there_whatever_came_first() -> None:
    allow = filtered("ge0", "ingress", 4, rule("permit", source=SERVER), rule("drop", destination=SERVER), rank=2)
    data = IETF.apply(config(EDGE, point("ge0", "EDGE")), tagged(ONE, allow)).after
    data = IETF.apply(data, tagged(THREE, BLOCK)).after
    data = IETF.apply(data, tagged(TWO, BLOCK)).after
    assert entries(data, "EDGE") == [f"sl-{TWO}-0-0", f"sl-{THREE}-0-0", f"sl-{ONE}-2-0", f"sl-{ONE}-2-1", "web"]


def test_without_an_acl_ours_is_made_before_it_is_attached_and_ends_in_a_permit() -> None:
    done = IETF.apply(config(), tagged(ONE, BLOCK))
    assert done.edit is not None
    assert done.edit.index("permit-rest") < done.edit.index("attachment-points")
    assert entries(done.after, "secloop-ge0-in-v4") == [f"sl-{ONE}-0-0", PERMIT_REST]
    assert attached(done.after) == ["secloop-ge0-in-v4"]


def test_ours_is_detached_before_it_is_deleted() -> None:
    after = IETF.apply(config(EDGE, point("ge0", "EDGE", side="egress")), tagged(ONE, BLOCK)).after
    edit = IETF.remove(after, tagged(ONE, BLOCK)).edit
    assert edit is not None
    assert edit.index("<ingress") < edit.index("secloop-ge0-in-v4")
    careful = IETF.remove(after, tagged(ONE, BLOCK), tidy=False).edit
    assert careful is not None
    assert "<acl-set" in careful


def test_an_acl_attached_elsewhere_too_is_left_alone_and_ours_goes_in_front_without_a_permit() -> None:
    data = config(EDGE, point("ge0", "EDGE") + point("ge1", "EDGE"))
    after = IETF.apply(data, tagged(ONE, BLOCK)).after
    assert attached(after) == ["secloop-ge0-in-v4", "EDGE"]
    assert attached(after, "ge1") == ["EDGE"]
    assert entries(after, "secloop-ge0-in-v4") == [f"sl-{ONE}-0-0"]


def test_an_acl_that_cannot_hold_the_family_but_may_decide_keeps_its_say_behind_ours() -> None:
    data = config(acl("L2", "eth-acl-type", ace("all", "drop")) + EDGE, point("ge0", "L2", "EDGE"))
    after = IETF.apply(data, tagged(ONE, BLOCK)).after
    assert attached(after) == ["secloop-ge0-in-v4", "L2", "EDGE"]
    assert PERMIT_REST not in entries(after, "secloop-ge0-in-v4")


def test_an_acl_of_the_other_family_is_no_hindrance() -> None:
    data = config(acl("SIX", "ipv6-acl-type", ace("all", "drop")) + EDGE, point("ge0", "SIX", "EDGE"))
    after = IETF.apply(data, tagged(ONE, BLOCK)).after
    assert entries(after, "EDGE") == [f"sl-{ONE}-0-0", "web"]
    alone = config(acl("SIX", "ipv6-acl-type", ace("all", "drop")), point("ge0", "SIX"))
    assert attached(IETF.apply(alone, tagged(ONE, BLOCK)).after) == ["SIX", "secloop-ge0-in-v4"]


def test_both_families_of_one_mitigation_share_a_mixed_acl_with_names_of_their_own() -> None:
    mixed = acl("MIX", "mixed-eth-ipv4-ipv6-acl-type", ace("rest", "drop"))
    everything = [filtered("ge0", "ingress", family, rule("drop", protocol=6), rule("permit")) for family in (4, 6)]
    at_once = IETF.apply(config(mixed, point("ge0", "MIX")), tagged(ONE, *everything)).after
    assert entries(at_once, "MIX") == [*(f"sl-{ONE}-0-{k}" for k in range(4)), "rest"]
    apart = config(mixed, point("ge0", "MIX"))
    for op in everything:
        apart = IETF.apply(apart, tagged(ONE, op)).after
    assert IETF.canonical(apart) == IETF.canonical(at_once)
    assert IETF.apply(apart, tagged(ONE, everything[0])).edit is None


def test_an_entry_of_ours_that_was_altered_or_lost_is_put_right() -> None:
    after = IETF.apply(config(EDGE, point("ge0", "EDGE")), tagged(ONE, BLOCK)).after
    altered = after.replace("<forwarding>drop", "<forwarding>accept")
    assert IETF.apply(altered, tagged(ONE, BLOCK)).after == after
    widened = after.replace("203.0.113.66/32", "203.0.0.0/16")
    assert IETF.apply(widened, tagged(ONE, BLOCK)).after == after


def test_an_entry_moved_before_ours_goes_back_behind_them() -> None:
    after = IETF.apply(config(EDGE, point("ge0", "EDGE")), tagged(ONE, BLOCK)).after
    root = etree.fromstring(after)
    aces = root.find(f".//{n.ACES}")
    assert aces is not None
    aces.insert(0, aces[1])
    assert IETF.apply(etree.tostring(root, encoding="unicode"), tagged(ONE, BLOCK)).after == after


def test_an_acl_that_somebody_attaches_behind_ours_is_reached_after_the_next_apply() -> None:
    after = IETF.apply(config(EDGE, point("ge1", "EDGE")), tagged(ONE, BLOCK)).after
    more = after.replace(
        "<acl-set><name>secloop-ge0-in-v4</name></acl-set>",
        "<acl-set><name>secloop-ge0-in-v4</name></acl-set><acl-set><name>EDGE</name></acl-set>",
    )
    assert more != after
    again = IETF.apply(more, tagged(ONE, BLOCK))
    assert entries(again.after, "secloop-ge0-in-v4") == [f"sl-{ONE}-0-0"]
    assert IETF.apply(again.after, tagged(ONE, BLOCK)).edit is None


def test_ours_detached_by_somebody_is_attached_again_and_removed_wherever_it_is() -> None:
    start = config(EDGE, point("ge0", "EDGE", side="egress"))
    after = IETF.apply(start, tagged(ONE, BLOCK)).after
    loose = after.replace(
        "<ingress><acl-sets><acl-set><name>secloop-ge0-in-v4</name></acl-set></acl-sets></ingress>", ""
    )
    assert loose != after
    assert attached(IETF.apply(loose, tagged(ONE, BLOCK)).after) == ["secloop-ge0-in-v4"]
    assert IETF.remove(loose, tagged(ONE, BLOCK)).after == IETF.apply(start, ()).after


def test_an_entry_somebody_put_into_our_acl_outlives_ours() -> None:
    after = IETF.apply(config(), tagged(ONE, BLOCK)).after
    theirs = after.replace("<aces>", f"<aces>{ace('theirs', 'drop')}")
    left = IETF.remove(theirs, tagged(ONE, BLOCK)).after
    assert entries(left, "secloop-ge0-in-v4") == ["theirs", PERMIT_REST]
    assert attached(left) == ["secloop-ge0-in-v4"]


def test_attachment_settings_that_were_there_before_us_stay() -> None:
    start = config("", point("ge0"))
    both = filtered("ge0", "egress", 6, rule("drop"))
    after = IETF.apply(start, [*tagged(ONE, BLOCK), *tagged(TWO, both)]).after
    for order in ([ONE, TWO], [TWO, ONE]):
        left = after
        for tag in order:
            left = IETF.remove(left, tagged(tag, BLOCK)).after
        assert left == start


def test_a_device_that_prefixes_its_elements_gets_identities_it_can_resolve() -> None:
    data = (
        f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><a:acls xmlns:a="{n.ACL}"><a:acl><a:name>E</a:name>'
        "<a:type>a:ipv4-acl-type</a:type></a:acl><a:attachment-points><a:interface><a:interface-id>ge0</a:interface-id>"
        "<a:ingress><a:acl-sets><a:acl-set><a:name>E</a:name></a:acl-set></a:acl-sets></a:ingress></a:interface>"
        "</a:attachment-points></a:acls></data>"
    )
    elsewhere = filtered("ge1", "ingress", 6, rule("drop", source="2001:db8::/32"))
    done = IETF.apply(data, tagged(ONE, BLOCK, elsewhere))
    assert done.edit is not None
    for text in (done.edit, done.after):
        root = etree.fromstring(f"<c>{text}</c>")
        for tag in (n.FORWARDING, n.ACL_TYPE):
            for leaf in root.iter(tag):
                prefix = (leaf.text or "").rpartition(":")[0] or None
                assert leaf.nsmap[prefix] == n.ACL
    assert IETF.parse(done.after).notes == ()
    assert IETF.remove(done.after, tagged(ONE, BLOCK)).after == data


def test_an_identity_keeps_its_prefix_when_our_entries_change_places() -> None:
    after = IETF.apply(config(EDGE, point("ge0", "EDGE")), [*tagged(ONE, BLOCK), *tagged(TWO, BLOCK)]).after
    as_netconfd = after.replace("<forwarding>drop", f'<forwarding xmlns:acl="{n.ACL}">acl:drop')
    root = etree.fromstring(as_netconfd)
    aces = root.find(f".//{n.ACES}")
    assert aces is not None
    aces.insert(0, aces[2])
    mixed_up = etree.tostring(root, encoding="unicode")
    again = IETF.apply(mixed_up, tagged(ONE, BLOCK))
    assert again.edit is not None
    for leaf in etree.fromstring(f"<c>{again.edit}</c>").iter(n.FORWARDING):
        prefix = (leaf.text or "").rpartition(":")[0] or None
        assert leaf.nsmap[prefix] == n.ACL
    assert entries(again.after, "EDGE") == [f"sl-{ONE}-0-0", f"sl-{TWO}-0-0", "web"]


def test_unknown_parts_of_foreign_entries_reach_the_edit_untouched() -> None:
    odd = '<x:shape xmlns:x="urn:example:shapes"><x:of when="now">x:round</x:of></x:shape>'
    data = config(acl("EDGE", "ipv4-acl-type", ace("odd", "accept", odd)), point("ge0", "EDGE"))
    done = IETF.apply(data, tagged(ONE, BLOCK))
    assert done.edit is not None
    assert odd in done.edit


def test_a_rule_of_the_wrong_family_is_refused() -> None:
    wrong = filtered("ge0", "ingress", 6, rule("drop", source=ATTACKER))
    with pytest.raises(DialectError, match="IPv4 address in an entry for IPv6"):
        IETF.apply(config(), tagged(ONE, wrong))


def test_a_dangling_attachment_is_noted() -> None:
    assert IETF.parse(config("", point("ge0", "GONE"))).notes == ("ge0 ingress: there is no acl GONE",)


def test_a_digest_moves_with_what_the_rendering_depends_on_and_with_nothing_else() -> None:
    ops = tagged(ONE, BLOCK)
    data = config(EDGE, point("ge0", "EDGE"))
    base = IETF.digests(data, ops)
    assert "/acls/acl[name='EDGE']" in base
    assert IETF.digests(data.replace("web", "shop"), ops) != base
    assert IETF.digests(config(EDGE, point("ge0", "EDGE") + point("ge1", "EDGE")), ops) != base
    other = acl("OTHER", "ipv4-acl-type", ace("x", "drop"))
    assert IETF.digests(config(EDGE + other, point("ge0", "EDGE") + point("ge1", "OTHER")), ops) == base
    ours = IETF.apply(config(), ops).after
    assert IETF.digests(ours, ops) != IETF.digests(
        ours.replace("<attachment-points>", EDGE + "<attachment-points>"), ops
    )
