"""The policy that ships, in the playbook and by default."""

from __future__ import annotations

from secloop_ai.settings import DEFAULT_POLICY, Settings

from .desk import Desk


def test_it_is_the_default() -> None:
    assert Settings.load({}).policy == DEFAULT_POLICY
    assert DEFAULT_POLICY.endswith(":embedded")


def test_respond_answers_with_it_and_the_same_file_again_changes_nothing(desk: Desk) -> None:
    environ = {"SECLOOP_POLICY": Settings().policy}
    first = desk.play("respond.yml", alert_file=desk.alerts, environ=environ)
    assert (first.rc, first.changed) == (0, 1)
    assert "strategy (best-of-6/embedded/" in first.said
    assert "gw1: confirmed" in first.said
    second = desk.play("respond.yml", alert_file=desk.alerts, environ=environ)
    assert (second.rc, second.changed) == (0, 0)
