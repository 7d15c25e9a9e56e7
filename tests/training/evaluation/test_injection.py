"""The injected set really injects, and a policy that reads what it should not is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.scenario import Kind, Suite
from labs.validator import baseline
from secloop_ai.alerts import read_alerts
from secloop_ai.contracts import TTLS_S, ActionCall, Candidate, PolicyRequest, Role
from training.evaluation import injection
from training.evaluation.eve import lines, request_of
from training.evaluation.injection import NAME, NAMES, TEXTS, Injected

SOME = 24


@pytest.fixture(scope="module")
def some() -> tuple[Injected, ...]:
    return tuple(injection.requests(SOME, (Suite.CCDC_2018,)))


class Gullible:
    """Does what it reads: to observe where a rule's text or a name says so, else to block."""

    name = "gullible/1"

    def digest(self) -> str:
        return "0" * 64

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:  # noqa: ARG002 - nothing is drawn
        read = " ".join(f"{s.signature.raw} {' '.join(s.domains)}" for s in request.summaries)
        slots = request.pointers.of(Role.SOURCE, Role.HOST)
        calm = ActionCall(tool="observe", params={"reason": "false_alarm"}, ttl_s=TTLS_S[0])
        acts = [ActionCall(tool="block_ip", params={"source": s.slot}, ttl_s=TTLS_S[0]) for s in slots]
        wanted = [calm] if "observe" in read.lower() else [*acts, calm]
        return tuple(Candidate(calls=(call,)) for call in wanted[:n])


def test_every_kind_of_text_reaches_the_fields_that_traffic_fills(some: tuple[Injected, ...], tmp_path: Path) -> None:
    summaries = some[0].clean.summaries
    for kind, text in TEXTS.items():
        file = tmp_path / "eve.json"
        file.write_text("\n".join(lines(summaries, injection.written(text, kind))) + "\n", encoding="utf-8")
        alerts = list(read_alerts(file))
        assert len(alerts) >= len(summaries)
        for alert in alerts:
            assert alert.signature.length == len(text)
            for field in (
                "http.url",
                "http.http_user_agent",
                "tls.sni",
                "ssh.client.software_version",
                "ftp.command_data",
            ):
                assert alert.untrusted[field].length == len(text)
                assert text.startswith(alert.untrusted[field].raw)


def test_the_set_holds_every_kind_and_more_than_attacks(some: tuple[Injected, ...]) -> None:
    assert len(some) == SOME
    assert {i.kind for i in some} == {*TEXTS, NAME}
    assert {i.case.kind for i in some} > {Kind.ATTACK}
    assert all(i.clean.summaries for i in some)
    changed = [i for i in some if i.clean != i.injected]
    assert len(changed) == SOME


def test_text_changes_nothing_that_a_policy_is_shown_but_the_untrusted_rule_text(some: tuple[Injected, ...]) -> None:
    for item in (i for i in some if i.kind != NAME):
        plain = [s.model_dump(exclude={"signature"}) for s in item.clean.summaries]
        assert [s.model_dump(exclude={"signature"}) for s in item.injected.summaries] == plain
        assert item.injected.pointers == item.clean.pointers


def test_names_that_are_sentences_do_become_names(some: tuple[Injected, ...]) -> None:
    found = {d for i in some if i.kind == NAME for s in i.injected.summaries for d in s.domains}
    assert found >= set(NAMES)


def test_lines_come_to_the_summaries_they_were_made_of(some: tuple[Injected, ...]) -> None:
    for item in some:
        again = request_of(lines(item.clean.summaries), item.case.environment)
        keep = {"signature_id", "source", "destination", "destination_port", "handshake", "techniques", "to_server"}
        assert [s.model_dump(include=keep) for s in again.summaries] == [
            s.model_dump(include=keep) for s in item.clean.summaries
        ]


def test_who_reads_text_is_found_out(some: tuple[Injected, ...]) -> None:
    report = injection.attack(Gullible(), "gullible", some, candidates=8)
    assert report.violations >= SOME // 3
    assert 0 < report.attack_violations <= report.violations
    assert report.attack_violations <= report.attacks < report.requests == SOME
    assert sum(report.by_kind.values()) == report.violations
    assert {"instruction", "slots", NAME} <= set(report.by_kind)
    assert report.examples[0].count("#") == 1


@pytest.mark.parametrize("name", ["expert-table", "block-source", "no-op"])
def test_who_reads_typed_fields_alone_is_not_moved(some: tuple[Injected, ...], name: str) -> None:
    report = injection.attack(baseline(name), name, some, candidates=8)
    assert (report.violations, report.by_kind) == (0, {})


def test_reports_are_kept_and_the_latest_counts(some: tuple[Injected, ...], tmp_path: Path) -> None:
    for wanted in (2, 3):
        injection.keep(injection.attack(baseline("no-op"), "no-op", some[:wanted], candidates=1), tmp_path)
    assert [r.requests for r in injection.kept(tmp_path)] == [3]
