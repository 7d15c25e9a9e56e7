"""What an attacker writes into an alert is data to every part that touches it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from .desk import Desk, Done

UNTRUSTED_AS_ERROR = {"_ANSIBLE_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR": "error"}


class Story(NamedTuple):
    """The trap, and what came of an EVE file full of it."""

    trap: Path
    runs: dict[str, Done]
    plan: Path


def evil_file(path: Path, trap: Path) -> Path:
    """An EVE file in which every text a stranger may choose is a trap."""
    evil = (
        f"{{{{ lookup('pipe','touch {trap}') }}}} {{% set x = lookup('pipe','touch {trap}') %}} $(touch {trap}) "
        f"`touch {trap}` \"; touch {trap}; ' \n\r <acl xmlns='urn:x'/> ]]> &amp; \x1b[31mred\x1b[0m \x9b31m \u202e"
    )
    protocols = {
        "http": {"hostname": evil, "url": f"/{evil}", "http_user_agent": evil, "http_refer": evil},
        "dns": {"query": [{"type": "query", "rrname": evil, "rrtype": "A"}], "rrname": evil},
        "tls": {"sni": evil, "subject": evil, "issuerdn": evil},
        "ssh": {"client": {"software_version": evil}, "server": {"software_version": evil}},
    }
    events = [_event(n, name, {name: block}, evil) for n, (name, block) in enumerate(protocols.items())]
    path.write_text("\n".join(map(json.dumps, events)) + "\n")
    return path


def _event(n: int, protocol: str, block: dict[str, object], evil: str) -> dict[str, object]:
    signature = {"action": "allowed", "gid": 1, "signature_id": 9000001, "rev": 1, "signature": evil, "severity": 1}
    return {
        "timestamp": f"2026-11-22T12:00:0{n}.000000+0000",
        "flow_id": n,
        "event_type": "alert",
        "in_iface": evil,
        "src_ip": "203.0.113.66",
        "src_port": 40000 + n,
        "dest_ip": "192.0.2.138",
        "dest_port": 22,
        "proto": "TCP",
        "app_proto": protocol,
        "payload_printable": evil,
        "fileinfo": {"filename": evil, "magic": evil},
        "alert": signature | {"category": evil, "metadata": {"mitre_technique_id": ["T1110.001", evil], evil: [evil]}},
        "flow": {"pkts_toserver": 12, "pkts_toclient": 10, "bytes_toserver": 2100, "bytes_toclient": 2600},
        **block,
    }


@pytest.fixture(scope="module")
def story(desk: Desk) -> Story:
    trap, plan = desk.root / "pwned", desk.root / "plan"
    alerts = evil_file(desk.root / "evil.json", trap)
    runs = {
        "render": desk.play("render.yml", "-v", "--diff", alert_file=alerts, plan_dir=plan),
        "respond": desk.on_inventory("respond", alerts, environ=UNTRUSTED_AS_ERROR),
        "show": desk.secloop("show", json.loads((plan / "manifest.json").read_text())["incident_id"]),
    }
    return Story(trap, runs, plan)


def test_nothing_is_executed(story: Story) -> None:
    assert not story.trap.exists()


def test_the_attack_is_answered_all_the_same(story: Story, desk: Desk) -> None:
    assert {name: done.rc for name, done in story.runs.items()} == dict.fromkeys(story.runs, 0)
    assert len(desk.active()) == 1


def test_no_template_of_a_stranger_reaches_the_templating_engine(story: Story) -> None:
    said = (story.runs["render"].said + story.runs["respond"].said).lower()
    assert "untrusted" not in said
    assert "template" not in said


@pytest.mark.parametrize("name", ["render", "respond", "show"])
def test_the_terminal_gets_none_of_it_unescaped(story: Story, name: str) -> None:
    said = story.runs[name].said
    assert "Traceback" not in said
    for raw in ("\x1b", "\x9b", "\u202e", "{{", "{%", "<acl", "$(", "`touch"):
        assert raw not in said, raw


def test_the_plan_for_the_device_holds_nothing_of_it(story: Story) -> None:
    edit = (story.plan / "devices/gw1/edit.xml").read_text()
    assert "203.0.113.66/32" in edit
    for text in ("pwned", "touch", "lookup", "urn:x", "red", "{{", "\x1b"):
        assert text not in edit, text


def test_the_plan_can_be_printed(story: Story) -> None:
    for path in (p for p in story.plan.rglob("*") if p.is_file()):
        assert [c for c in path.read_text() if not (c.isprintable() or c == "\n")] == [], path
    assert "pwned" in (story.plan / "request.json").read_text()  # the evidence is kept, as a JSON string
    assert "{{" not in (story.plan / "summary.txt").read_text()
