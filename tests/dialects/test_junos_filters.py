from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from secloop_ai.contracts import Direction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.junos import DIALECT as JUNOS
from secloop_ai.dialects.junos.names import XNM, YANG
from secloop_ai.dialects.marks import PERMIT_REST

from .making import ATTACKER, ONE, SERVER, THREE, TWO, filtered, rule, tagged
from .making_junos import BASE, TEN, config, filter_, listed, single, term, unit

REPO = Path(__file__).parents[2]
VALIDATE = Path(os.environ.get("SECLOOP_YANG_VALIDATE", REPO.parent / "shared" / "yang" / "validate"))
PORT, OTHER = "ge-0/0/0.0", "ge-0/0/1.0"
BLOCK = filtered(PORT, "ingress", 4, rule("drop", source=ATTACKER))
LIMIT = filtered(PORT, "ingress", 4, rule("permit", source=ATTACKER, rate_bytes_per_s=12_500), rank=1)
WEB = term("web", "<accept/>", "<protocol>tcp</protocol><destination-port>80</destination-port>")
EDGE = filter_("EDGE", WEB)
ALONE = config(EDGE, unit(PORT, single("EDGE")))
SHARED = config(EDGE, unit(PORT, single("EDGE")) + unit(OTHER, single("EDGE")))
OWN = "secloop-ge-0/0/0.0-in-v4"


def entries(data: str, name: str) -> list[str]:
    model = JUNOS.parse(data).acl(name)
    assert model is not None
    return [r.name for r in model.rules]


def attached(data: str, interface: str = PORT, direction: Direction = Direction.INGRESS) -> list[str]:
    return [a.name for a in JUNOS.parse(data).attached(interface, direction)]


def test_ours_go_in_front_of_a_foreign_filter_and_nothing_else_of_it_is_sent() -> None:
    done = JUNOS.apply(ALONE, tagged(ONE, BLOCK))
    assert entries(done.after, "EDGE") == [f"sl-{ONE}-0-0", "web"]
    assert done.edit is not None
    assert '<term insert="first">' in done.edit
    assert "web" not in done.edit
    later = JUNOS.apply(done.after, tagged(TWO, LIMIT))
    assert later.edit is not None
    assert f'insert="after" name="sl-{ONE}-0-0"' in later.edit
    assert entries(later.after, "EDGE") == [f"sl-{ONE}-0-0", f"sl-{TWO}-1-0", "web"]


def test_what_no_term_matches_is_discarded_where_a_packet_can_get_there() -> None:
    assert attached(ALONE) == ["EDGE", "implicit-deny-inet"]
    assert attached(config(filter_("ALL", term("all", "<accept/>")), unit(PORT, single("ALL")))) == ["ALL"]
    assert attached(config("", unit(PORT))) == []
    assert attached(JUNOS.apply(config("", unit(PORT)), tagged(ONE, BLOCK)).after) == [OWN]


def test_a_filter_attached_elsewhere_too_is_left_alone_and_the_single_becomes_a_list_until_ours_goes() -> None:
    done = JUNOS.apply(SHARED, tagged(ONE, BLOCK))
    assert attached(done.after) == [OWN, "EDGE", "implicit-deny-inet"]
    assert attached(done.after, OTHER) == ["EDGE", "implicit-deny-inet"]
    assert entries(done.after, OWN) == [f"sl-{ONE}-0-0"]
    assert done.edit is not None
    assert done.edit.index("operation=") < done.edit.index("<input-list>")
    assert JUNOS.remove(done.after, tagged(ONE, BLOCK)).after == SHARED


def test_a_list_stays_a_list() -> None:
    start = config(EDGE, unit(PORT, listed("EDGE")) + unit(OTHER, listed("EDGE")))
    done = JUNOS.apply(start, tagged(ONE, BLOCK))
    assert done.edit is not None
    assert '<input-list insert="first">' in done.edit
    assert attached(done.after) == [OWN, "EDGE", "implicit-deny-inet"]
    assert JUNOS.remove(done.after, tagged(ONE, BLOCK)).after == start


def test_a_filter_another_one_includes_is_not_touched() -> None:
    outer = filter_("OUTER", "<term><name>t</name><filter>EDGE</filter></term>")
    after = JUNOS.apply(config(EDGE + outer, unit(PORT, single("EDGE"))), tagged(ONE, BLOCK)).after
    assert attached(after)[:2] == [OWN, "EDGE"]
    assert entries(after, "EDGE") == ["web"]


def test_a_filter_of_ours_ends_in_an_accept_only_while_nothing_is_attached_behind_it() -> None:
    after = JUNOS.apply(config(EDGE, unit(PORT)), tagged(ONE, BLOCK)).after
    assert entries(after, OWN) == [f"sl-{ONE}-0-0", PERMIT_REST]
    behind = after.replace(single(OWN), listed(OWN, "EDGE"))
    assert behind != after
    assert entries(JUNOS.apply(behind, tagged(ONE, BLOCK)).after, OWN) == [f"sl-{ONE}-0-0"]


def test_ours_are_detached_before_they_are_deleted_and_made_before_they_are_attached() -> None:
    done = JUNOS.apply(config("", unit(PORT)), tagged(ONE, BLOCK))
    back = JUNOS.remove(done.after, tagged(ONE, BLOCK))
    assert done.edit is not None
    assert back.edit is not None
    assert done.edit.index("<firewall") < done.edit.index("<interfaces")
    assert back.edit.index("<interfaces") < back.edit.index("<firewall")


def test_a_term_of_ours_that_was_altered_or_deactivated_or_moved_is_put_right() -> None:
    after = JUNOS.apply(ALONE, tagged(ONE, BLOCK)).after
    ours = f"<term><name>sl-{ONE}-0-0</name>"
    for altered in (
        after.replace("<discard/>", "<accept/>"),
        after.replace(ours, ours.replace("<term>", '<term inactive="inactive">')),
        after.replace(WEB, "").replace(ours, WEB + ours),
    ):
        assert altered != after
        again = JUNOS.apply(altered, tagged(ONE, BLOCK))
        assert again.after == after
        assert again.edit is not None
        assert 'insert="' in again.edit


def test_a_policer_is_shared_by_terms_of_one_rate_and_goes_with_the_last_of_them() -> None:
    data = JUNOS.apply(ALONE, tagged(ONE, LIMIT)).after
    data = JUNOS.apply(data, tagged(TWO, LIMIT)).after
    assert data.count("<policer><name>secloop-100000bps</name>") == 1
    assert "<bandwidth-limit>100000</bandwidth-limit><burst-size-limit>15000</burst-size-limit>" in data
    left = JUNOS.remove(data, tagged(ONE, LIMIT)).after
    assert "<name>secloop-100000bps" in left
    assert JUNOS.remove(left, tagged(TWO, LIMIT)).after == ALONE


def test_a_policer_the_device_spells_otherwise_is_the_same_and_an_altered_one_is_put_right() -> None:
    after = JUNOS.apply(ALONE, tagged(ONE, LIMIT)).after
    spelled = after.replace(">100000<", ">100k<").replace(">15000<", ">15k<")
    assert JUNOS.apply(spelled, tagged(ONE, LIMIT)).edit is None
    assert JUNOS.apply(after.replace(">100000<", ">9m<"), tagged(ONE, LIMIT)).after == after


@pytest.mark.parametrize(("rate", "bits"), [(0.25, "2"), (999.0, "7992"), (1000.3, "8002.4")])
def test_a_rate_no_policer_takes_is_refused(rate: float, bits: str) -> None:
    op = filtered(PORT, "ingress", 4, rule("permit", source=ATTACKER, rate_bytes_per_s=rate))
    with pytest.raises(DialectError, match=f"are {bits} bits per second"):
        JUNOS.apply(ALONE, tagged(ONE, op))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (config("", unit(OTHER)), r"no logical interface ge-0/0/0\.0"),
        (config("", unit(PORT, None, "")), "has no family inet: nothing of IPv4 passes"),
        (config(EDGE, unit(PORT, "<input-chain>EDGE</input-chain>")), "an input-chain stands there"),
        (
            config(
                EDGE,
                unit(PORT, f"{single('EDGE')[:-8]}<precedence>5</precedence></input>") + unit(OTHER, single("EDGE")),
            ),
            "its filter has a <precedence>",
        ),
        (ALONE.replace("<input>", '<input inactive="inactive">'), "<input> is deactivated on the device; activate"),
        (ALONE.replace("<unit>", '<unit protect="protect">'), "<unit> 0 is protected on the device; unprotect"),
        (ALONE.replace("<filter><name>EDGE", '<filter protect="protect"><name>EDGE'), "<filter> EDGE is protected"),
    ],
)
def test_a_place_that_cannot_be_filtered_is_refused_by_name(data: str, why: str) -> None:
    with pytest.raises(DialectError, match=why):
        JUNOS.apply(data, tagged(ONE, BLOCK))


def test_an_interface_without_a_unit_is_told_what_a_unit_is() -> None:
    with pytest.raises(DialectError, match=r"a filter goes on a unit: ge-0/0/0\.0 perhaps"):
        JUNOS.apply(ALONE, tagged(ONE, BLOCK.model_copy(update={"interface": "ge-0/0/0"})))


def test_what_is_deactivated_has_no_effect() -> None:
    off = ' inactive="inactive"'
    data = config(
        filter_("EDGE", term("a", "<discard/>", marks=off), WEB) + filter_("OFF", WEB, marks=off),
        unit(PORT, f"{single('EDGE')}<output{off}><filter-name>EDGE</filter-name></output>"),
    )
    model = JUNOS.parse(data)
    assert [a.name for a in model.acls] == ["EDGE", "implicit-deny-inet"]
    assert entries(data, "EDGE") == ["web"]
    assert attached(data, direction=Direction.EGRESS) == []


def test_filters_of_one_name_in_both_families_are_told_apart() -> None:
    six = (
        "<family><inet6><filter><name>EDGE</name><term><name>six</name><then><discard/></then></term></filter></inet6>"
    )
    data = config(EDGE, unit(PORT, single("EDGE"), single("EDGE"))).replace(
        "<family><inet><filter><name>", f"{six}<inet><filter><name>"
    )
    assert entries(data, "EDGE") == ["web"]
    assert entries(data, "inet6/EDGE") == ["six"]
    assert attached(data) == ["EDGE", "implicit-deny-inet", "inet6/EDGE"]


@pytest.mark.parametrize("uri", [XNM, BASE, "http://xml.juniper.net/junos/24.4R1/junos-config", f"{YANG}root"])
def test_an_edit_is_in_the_namespace_the_data_came_in(uri: str) -> None:
    data = ALONE.replace(XNM, uri)
    if uri.startswith(YANG):
        for part in ("interfaces", "firewall"):
            data = data.replace(f"<{part}>", f'<{part} xmlns="{YANG}{part}">')
    limit = filtered(PORT, "egress", 4, rule("permit", source=ATTACKER, rate_bytes_per_s=12_500))
    done = JUNOS.apply(data, tagged(ONE, BLOCK, limit))
    assert done.edit is not None
    for element in etree.fromstring(f"<c>{done.edit}</c>").iter():
        space = etree.QName(element).namespace
        part = next(
            (
                p
                for p in ("interfaces", "firewall")
                if p in [etree.QName(a).localname for a in [element, *element.iterancestors()]]
            ),
            "root",
        )
        if element.tag != "c":
            assert space == (f"{YANG}{part}" if uri.startswith(YANG) else uri)
    assert JUNOS.remove(done.after, tagged(ONE, BLOCK)).after == data


def test_attributes_that_say_who_changed_what_when_are_no_configuration() -> None:
    stamped = ALONE.replace(
        f'xmlns="{XNM}"',
        f'xmlns="{XNM}" xmlns:junos="http://xml.juniper.net/junos/24.4R1/junos" junos:changed-seconds="1732900000"',
    )
    assert JUNOS.canonical(stamped) == JUNOS.canonical(ALONE)
    ops = tagged(ONE, BLOCK)
    assert JUNOS.digests(stamped, ops) == JUNOS.digests(ALONE, ops)


def test_a_digest_moves_with_what_the_rendering_depends_on_and_with_nothing_else() -> None:
    ops = tagged(ONE, BLOCK)
    base = JUNOS.digests(ALONE, ops)
    assert JUNOS.digests(ALONE.replace("web", "shop"), ops) != base
    assert JUNOS.digests(SHARED, ops) != base
    other = filter_("OTHER", WEB)
    assert JUNOS.digests(config(EDGE + other, unit(PORT, single("EDGE")) + unit(OTHER, single("OTHER"))), ops) == base
    ours = JUNOS.apply(config("", unit(PORT)), ops).after
    assert JUNOS.digests(ours, ops) != JUNOS.digests(ours.replace("</firewall>", f"{TEN}</firewall>"), ops)


def test_undo_in_any_order_with_three_of_ours() -> None:
    restrict = filtered(PORT, "ingress", 4, rule("permit", source=SERVER), rule("drop", destination=SERVER), rank=2)
    data = ALONE
    for tag, op in ((ONE, restrict), (THREE, BLOCK), (TWO, BLOCK)):
        data = JUNOS.apply(data, tagged(tag, op)).after
    assert entries(data, "EDGE") == [f"sl-{TWO}-0-0", f"sl-{THREE}-0-0", f"sl-{ONE}-2-0", f"sl-{ONE}-2-1", "web"]
    for tag in (THREE, ONE, TWO):
        data = JUNOS.remove(data, tagged(tag, BLOCK)).after
    assert data == ALONE


def test_a_body_in_junos_own_namespace_is_valid_yang(tmp_path: Path) -> None:
    if not VALIDATE.is_file() or not shutil.which("yanglint"):
        pytest.skip(f"no YANG validator at {VALIDATE} or no yanglint (Debian: libyang2-tools)")
    ops = tagged(ONE, BLOCK, LIMIT)
    done = JUNOS.apply(SHARED, ops)
    back = JUNOS.remove(done.after, ops)
    for name, base, edit in (("there", SHARED, done.edit), ("back", done.after, back.edit)):
        files = [tmp_path / f"{name}.{part}.xml" for part in ("base", "edit")]
        files[0].write_text(base, encoding="utf-8")
        files[1].write_text(f"<config>{edit}</config>", encoding="utf-8")
        command = [str(VALIDATE), "--full", "--bare", "--with", str(files[0]), "junos", str(files[1])]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
