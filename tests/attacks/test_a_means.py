"""What the published method's means say of themselves agrees with the rule file, the services and the stage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from labs.attacks import registry
from labs.attacks.base import Means
from labs.attacks.kit import Bounds
from labs.scenario import Stage
from labs.services import web_a
from labs.services.base import ServiceOrder, program
from secloop_ai.contracts import Action

RULES = Path(registry.__file__).parent / "rules" / "a.rules"
RULE = re.compile(
    r"^alert .*?classtype:(?P<kind>[a-z-]+); sid:(?P<sid>\d+);.*?metadata:(?P<metadata>[^;]+);\)$", re.MULTILINE
)
TABLE = {
    "TA0043": {"port-scan"},
    "TA0001": {"redis-webroot-write", "nextjs-middleware-bypass", "zero-day"},
    "TA0002": {"upload-web-shell", "unsafe-deserialisation", "jenkins-cli-file-read", "tomcat-partial-put"},
    "TA0003": {"web-shell-stage-two", "php-filter-chain"},
    "TA0006": {"xss-cookie-theft", "csrf"},
    "TA0007": {"sql-injection", "file-inclusion", "ssrf", "vite-file-read"},
    "TA0008": {"smb-brute-force", "ssh-brute-force"},
    "TA0009": {"implant-collect"},
    "TA0011": {"implant-beacon"},
    "TA0010": {"exfil-c2"},
    "TA0040": {"dns-hijack", "dos-flood"},
}
IDS = sorted(i for ids in TABLE.values() for i in ids)
OURS = [registry.means(name) for name in IDS]


def stage(name: str, **params: object) -> Stage:
    return Stage.model_validate(
        {
            "index": 3,
            "means": name,
            "source": "203.0.113.66",
            "source_host": None,
            "target": "10.1.2.3",
            "target_host": "web-ada1",
            "port": 4711,
            "params": params,
            "seed": 5,
        }
    )


def rules() -> dict[int, tuple[str, dict[str, str]]]:
    """sid → classification and metadata of every rule."""
    found = {}
    for match in RULE.finditer(RULES.read_text(encoding="utf-8")):
        pairs = [part.strip().partition(" ")[::2] for part in match["metadata"].split(",")]
        found[int(match["sid"])] = (match["kind"], dict(pairs))
    return found


def test_every_rule_is_read_here_and_has_a_sid_of_its_own_in_our_range() -> None:
    text = RULES.read_text(encoding="utf-8")
    assert len(rules()) == text.count("\nalert ")
    assert all(9001000 <= sid <= 9001999 for sid in rules())


def test_the_eleven_tactics_of_the_table_are_covered() -> None:
    assert {m.tactic.id for m in OURS} == set(TABLE)
    assert {m.id: m.tactic.id for m in OURS} == {name: tactic for tactic, names in TABLE.items() for name in names}


@pytest.mark.parametrize("plugin", OURS, ids=IDS)
def test_alerts_expected_are_those_the_rules_raise(plugin: Means) -> None:
    expected = plugin.observables(stage(plugin.id))
    assert expected
    for alert in expected:
        if alert.sid == 0:
            assert (plugin.id, alert.techniques) == ("zero-day", ())
            continue
        kind, metadata = rules()[alert.sid]
        assert kind == alert.classification
        assert metadata["mitre_technique_id"] in alert.techniques
        assert metadata["mitre_technique_id"] == plugin.technique
        assert metadata["mitre_tactic_id"] == plugin.tactic.id


def test_every_rule_is_some_means_s_and_no_two_means_share_one() -> None:
    every = [a.sid for m in OURS for a in m.observables(stage(m.id))]
    every += [a.sid for a in registry.means("dos-flood").observables(stage("dos-flood", kind="udp"))]
    assert sorted(every) == sorted([0, *rules()])


@pytest.mark.parametrize("plugin", OURS, ids=IDS)
def test_traffic_needed_goes_from_the_stages_source_to_its_target_and_port(plugin: Means) -> None:
    needed = plugin.exchanges(stage(plugin.id))
    assert [(str(e.initiator), str(e.responder), e.port) for e in needed] == [("203.0.113.66", "10.1.2.3", 4711)]
    assert all(0 < e.patience_s <= Bounds.SECONDS for e in needed)


@pytest.mark.parametrize("plugin", OURS, ids=IDS)
def test_what_counters_a_means_is_a_host_action_of_the_catalogue(plugin: Means) -> None:
    kinds = {get_args(a.model_fields["kind"].annotation)[0] for a in get_args(get_args(Action)[0])}
    assert set(plugin.countered_by) <= kinds


def test_a_scenario_cannot_ask_for_more_than_the_bounds() -> None:
    huge = 10**9
    flood = registry.means("dos-flood")
    (needed,) = flood.exchanges(stage(flood.id, rate=huge, seconds=huge))
    assert needed.bytes_per_s == Bounds.PACKETS_PER_S * 60
    assert needed.patience_s == Bounds.SECONDS
    leak = registry.means("exfil-c2")
    assert leak.exchanges(stage(leak.id, kbytes=huge))[0].bytes_needed == Bounds.BYTES
    guess = registry.means("smb-brute-force")
    assert guess.observables(stage(guess.id, attempts=huge))[0].count == Bounds.ATTEMPTS // 5


def test_a_udp_flood_is_another_protocol_and_another_rule_than_a_syn_flood() -> None:
    flood = registry.means("dos-flood")
    protocols = [flood.exchanges(stage(flood.id, kind=k))[0].protocol for k in ("syn", "udp")]
    assert protocols == [6, 17]
    assert len({flood.observables(stage(flood.id, kind=k))[0].sid for k in ("syn", "udp")}) == 2


@pytest.mark.parametrize("plugin", [m for m in OURS if m.service_kinds], ids=lambda m: m.id)
def test_only_a_weak_service_is_given_the_canary(plugin: Means, tmp_path: Path) -> None:
    texts = []
    for weaknesses in ((plugin.id,), ()):
        order = ServiceOrder.model_validate(
            {
                "kind": plugin.service_kinds[0],
                "address": "127.0.0.1",
                "port": 4711,
                "weaknesses": weaknesses,
                "canaries": {plugin.id: "the-loot"},
                "root": tmp_path,
            }
        )
        texts.append("".join(program(order.kind).files(order).values()))
    assert ["the-loot" in text for text in texts] == [True, False]


def test_no_request_asks_for_a_file_or_a_table_that_exists_anywhere_else() -> None:
    from labs.attacks import means_a_web

    for plugin in OURS:
        for request in getattr(plugin, "requests", ()):
            sent = f"{request.target} {request.headers} {request.body}"
            assert "lab" in sent or request.target == "/comments", plugin.id
            assert not re.search(r"/etc/|/proc/|system\(|eval\(|Runtime|bash|/bin/", sent)
    assert means_a_web.MARKER == web_a.MARKER
