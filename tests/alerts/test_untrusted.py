"""Attacker-controlled text stays inside Untrusted, and what is shown of it is harmless."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest

from secloop_ai.alerts import read_alerts, summarise
from secloop_ai.alerts.untrusted import MAX_FIELDS
from secloop_ai.contracts import UNTRUSTED_LIMIT, Alert, AlertSummary, Untrusted
from tests.alerts.events import INJECTION, event, rule, write

CANARY = "lookup"
HARMLESS = set(string.ascii_letters + string.digits + string.punctuation + " ·…") - set("{}<>&`$%\\")


def outside(model: Alert | AlertSummary) -> str:
    """Everything a model shows that is not declared untrusted."""
    return json.dumps(model.model_dump(mode="json", exclude={"signature": {"raw"}, "untrusted": True}))


def attack(text: str) -> dict[str, object]:
    """An event whose every free text is the attacker's."""
    return event(
        alert=rule(signature=text, category=text, metadata={"mitre_technique_id": [text]}),
        app_proto=text,
        direction=text,
        in_iface="span1",
        http={"url": text, "http_user_agent": text, "request_headers": [{"name": text, "value": text}]},
        dns={"queries": [{"rrname": text}]},
        tls={"sni": text, "subject": text},
        ssh={"client": {"software_version": text}},
        smtp={"mail_from": text},
        metadata={"flowvars": [{text: text}]},
        payload_printable=text,
        xff=text,
        brand_new_parser={"in_version_9": text},
    )


def test_every_text_of_the_traffic_is_kept_apart(tmp_path: Path) -> None:
    (alert,) = read_alerts(write(tmp_path / "eve.json", attack(INJECTION)))
    assert CANARY not in outside(alert)
    assert CANARY not in repr(alert)
    assert alert.signature.raw == INJECTION
    assert {path for path, text in alert.untrusted.items() if text.raw == INJECTION} == {
        "http.url",
        "http.http_user_agent",
        "http.request_headers.0.name",
        "http.request_headers.0.value",
        "dns.queries.0.rrname",
        "tls.sni",
        "tls.subject",
        "ssh.client.software_version",
        "smtp.mail_from",
        "metadata.flowvars.0.?0",
        "payload_printable",
        "xff",
        "brand_new_parser.in_version_9",
    }


def test_a_summary_shows_none_of_it(tmp_path: Path) -> None:
    ((summary,), report) = summarise(write(tmp_path / "eve.json", attack(INJECTION), event(event_type=INJECTION)))
    assert CANARY not in outside(summary)
    assert CANARY not in repr(summary)
    assert CANARY not in report.model_dump_json()
    assert summary.signature.raw == INJECTION
    assert (summary.classification, summary.app_protocol, summary.techniques) == ("unknown", None, ())
    assert not summary.handshake or summary.app_protocol is None


@pytest.mark.parametrize("text", [INJECTION, INJECTION * 50, "\x1b]0;pwned\x07", "{{7*7}}", "a\nb", "\u202eevil"])
def test_showing_it_is_harmless(tmp_path: Path, text: str) -> None:
    (alert,) = read_alerts(write(tmp_path / "eve.json", attack(text)))
    for field in (alert.signature, *alert.untrusted.values()):
        assert set(field.display()) <= HARMLESS
        assert len(field.display()) <= 81
        assert f"{field}" == str(field) == f"<untrusted text, {len(text)} characters>"
        assert text not in repr(field)


def test_a_megabyte_is_capped_and_its_length_kept(tmp_path: Path) -> None:
    text = "{{ x }}" * 150_000
    path = write(tmp_path / "eve.json", event(alert=rule(signature=text), http={"url": text}))
    (alert,) = read_alerts(path)
    ((summary,), _) = summarise(path)
    for field in (alert.signature, alert.untrusted["http.url"], summary.signature):
        assert (field.raw, field.length) == (text[:UNTRUSTED_LIMIT], 1_050_000)


def test_texts_per_alert_are_bounded(tmp_path: Path) -> None:
    headers = [{"name": str(number), "value": "x"} for number in range(5000)]
    (alert,) = read_alerts(write(tmp_path / "eve.json", event(http={"request_headers": headers})))
    assert len(alert.untrusted) == MAX_FIELDS


def test_odd_keys_get_a_number_and_are_not_lost(tmp_path: Path) -> None:
    odd = {INJECTION: "a", "two words": "b", "plain": "c"}
    (alert,) = read_alerts(write(tmp_path / "eve.json", event(http=odd)))
    assert {path: text.raw for path, text in alert.untrusted.items()} == {
        "http.?0": "a",
        "http.?1": "b",
        "http.plain": "c",
    }


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (b'"http":{"url":"\xff\xfe"}', {"http": '{"url":"��"}'}),
        (b'"http":{"length":1e999}', {"http": '{"length":1e999}'}),
        (b'"\xff":1,"http":{"url":"/"}', None),
    ],
)
def test_members_that_cannot_be_decoded_are_kept_as_text(
    tmp_path: Path, member: bytes, expected: dict[str, str] | None
) -> None:
    line = json.dumps(event()).encode()[:-1] + b"," + member + b"}\n"
    (alert,) = read_alerts(write(tmp_path / "eve.json", line))
    texts = {path: text.raw for path, text in alert.untrusted.items()}
    assert texts == (expected or {"line": line.decode("utf-8", "replace")})


def test_varying_texts_of_one_signature_are_kept_short(tmp_path: Path) -> None:
    path = write(
        tmp_path / "eve.json",
        event(0, alert=rule(signature="a" * 5000)),
        event(0, alert=rule(signature="b" * 5000), src_ip="198.51.100.1"),
        event(0, alert=rule(signature="a" * 5000), src_ip="198.51.100.2"),
    )
    texts = {str(summary.source): summary.signature for summary in summarise(path)[0]}
    assert texts["203.0.113.9"] is texts["198.51.100.2"]
    assert texts["203.0.113.9"] == Untrusted(raw="a" * UNTRUSTED_LIMIT, length=5000)
    assert texts["198.51.100.1"] == Untrusted(raw="b" * 256, length=5000)
