"""What is SR OS's own: default actions, inactive entries, masks, and one interface per attachment."""

from __future__ import annotations

import pytest

from secloop_ai.contracts import AdminOp, DiscardOp, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.numbered import IMPLICIT_DENY
from secloop_ai.dialects.sros import DIALECT as SROS

from . import golden_files
from .making import ATTACKER, ONE, filtered, rule, tagged

RUNNING = golden_files.running("sros")
DISCARD = DiscardOp.model_validate({"prefix": ATTACKER})


def rules(data: str, name: str) -> list[tuple[str, RuleAction]]:
    acl = SROS.parse(data).acl(name)
    assert acl is not None
    return [(r.name, r.action) for r in acl.rules]


def test_what_no_entry_matches_meets_the_default_action() -> None:
    assert rules(RUNNING, "EDGE/v4") == [("100", RuleAction.DROP)]
    assert rules(RUNNING, "EDGE/v6") == [("50", RuleAction.PERMIT), (IMPLICIT_DENY, RuleAction.DROP)]


def test_an_entry_without_an_action_is_not_active() -> None:
    inactive = RUNNING.replace("<action>\n            <drop/>\n          </action>", "")
    assert rules(inactive, "EDGE/v4") == []
    assert any("matches nothing" in note for note in SROS.parse(inactive).notes)


def test_an_address_may_have_its_mask_apart() -> None:
    apart = RUNNING.replace("10.0.2.0/24</address>", "10.0.2.0</address><mask>255.255.255.0</mask>")
    assert SROS.parse(apart) == SROS.parse(RUNNING)


def test_a_filter_at_two_places_is_not_touched() -> None:
    side = "<egress><filter><ip>EDGE</ip></filter></egress>"
    shared = RUNNING.replace(
        "<interface-name>to-dmz</interface-name>", f"<interface-name>to-dmz</interface-name>{side}"
    )
    with pytest.raises(DialectError, match=r"EDGE .*to-access ingress.* to-dmz egress"):
        SROS.apply(shared, tagged(ONE, filtered("to-access", "ingress", 4, rule("drop", source=ATTACKER))))


@pytest.mark.parametrize("op", [AdminOp(interface="to-mars"), filtered("to-mars", "ingress", 4, rule("drop"))])
def test_an_interface_that_router_base_lacks_is_named(op: AdminOp) -> None:
    with pytest.raises(DialectError, match="interface to-mars"):
        SROS.apply(RUNNING, tagged(ONE, op))


def test_a_discard_route_that_somebody_switched_off_is_not_ours_any_more() -> None:
    after = SROS.apply(RUNNING, tagged(ONE, DISCARD)).after
    off = after.replace("<blackhole><admin-state>enable<", "<blackhole><admin-state>disable<")
    assert off != after
    assert SROS.parse(off).discards == ()
    with pytest.raises(DialectError, match="not ours"):
        SROS.apply(off, tagged(ONE, DISCARD))
    assert SROS.canonical(SROS.remove(off, tagged(ONE, DISCARD)).after) == SROS.canonical(RUNNING)


def test_a_route_tells_of_no_more_mitigations_than_its_description_holds() -> None:
    many = [tagged(f"{number:010x}-0", DISCARD)[0] for number in range(9)]
    with pytest.raises(DialectError, match="cannot carry"):
        SROS.apply(RUNNING, many)
