"""Which cases can be answered at all."""

from __future__ import annotations

from labs.simulator.answers import answers
from secloop_ai.contracts import Observe, RestrictService

from .world import GUESS_SSH, field_of, infected


def test_an_outsider_can_be_stopped_by_one_action() -> None:
    found = answers(field_of())
    assert found.valid
    assert found.best is not None
    assert len(found.best.actions) == 1
    assert 0 < found.right < found.tried


def test_a_persistent_outsider_only_by_leaving_the_service_to_its_clients_or_hardening_it() -> None:
    field = field_of(persistent=True)
    found = answers(field)
    assert found.best is not None
    assert field.evaluate(found.best).correct
    assert isinstance(found.best.actions[0], RestrictService)


def test_two_services_under_attack_from_ever_new_addresses_need_two_actions() -> None:
    upload = {"means": "upload", "target": "web/http"}
    found = answers(field_of(GUESS_SSH, upload, persistent=True))
    assert found.best is not None
    assert len(found.best.actions) == 2


def test_a_client_that_attacks_the_service_it_uses_can_only_be_met_on_the_host() -> None:
    field = field_of({"means": "guess", "source": "desk", "target": "web/ssh"}, hosts=infected("desk"))
    found = answers(field)
    assert found.best is not None
    assert {a.kind for a in found.best.actions} == {"secure_sshd"}
    bare = field.case.environment.model_copy(update={"not_offered": {"secure_sshd": "no access to hosts"}})
    field.case = field.case.model_copy(update={"environment": bare})
    assert answers(field).best is None


def test_without_an_attack_only_observing_is_right() -> None:
    found = answers(field_of(kind="quiet", chain=[]))
    assert found.best is not None
    assert isinstance(found.best.actions[0], Observe)
    assert found.right == found.tried == 4
