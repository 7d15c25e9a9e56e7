"""The operations through ncclient, without locks, confirmed commits and faults."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree
from ncclient.operations import RPCError

from labs.emulator import Device

from .conftest import Connect
from .documents import ACL, IF, ace, acl, acls, attach, block, config, discard_route, interface

SUBTREE = f'<acls xmlns="{ACL}"><acl><name>edge-in</name><type/></acl></acls>'


def refused(call: Any, *arguments: Any, **options: Any) -> RPCError:
    with pytest.raises(RPCError) as caught:
        call(*arguments, **options)
    return caught.value


def dispatch(session: Any, operation: str) -> Any:
    return session.dispatch(etree.fromstring(operation))


def test_the_hello_names_protocol_and_modules(gateway: Device, connect: Connect) -> None:
    capabilities = list(connect(gateway).server_capabilities)
    for short in ("candidate:1.0", "confirmed-commit:1.1", "validate:1.1", "rollback-on-error:1.0"):
        assert f"urn:ietf:params:netconf:capability:{short}" in capabilities
    for module, revision in {
        "ietf-access-control-list": "2019-03-04",
        "ietf-interfaces": "2018-02-20",
        "ietf-routing": "2018-03-13",
        "ietf-ipv4-unicast-routing": "2018-03-13",
        "ietf-ipv6-unicast-routing": "2018-03-13",
    }.items():
        assert any(f"?module={module}&revision={revision}" in uri for uri in capabilities)
    assert any(uri.startswith("urn:secloop:yang:acl-rate-limit?") for uri in capabilities)
    assert not any("xpath" in uri for uri in capabilities)


def test_get_and_get_config_with_a_filter(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    for reply in (session.get_config("running", ("subtree", SUBTREE)), session.get(("subtree", SUBTREE))):
        assert "edge-in" in reply.data_xml
        assert "<aces>" not in reply.data_xml
        assert "interfaces" not in reply.data_xml
    assert refused(session.get_config, "running", ("xpath", "/acls")).tag == "operation-not-supported"
    assert refused(session.get_config, "startup").tag == "invalid-value"


def test_edit_reaches_the_candidate_alone_until_the_commit(gateway: Device, connect: Connect) -> None:
    session, before = connect(gateway), gateway.running()
    session.edit_config(block(), target="candidate", error_option="rollback-on-error")
    assert gateway.running() == before
    assert "secloop-in" in session.get_config("candidate").data_xml
    session.validate("candidate")
    session.commit()
    assert "secloop-in" in gateway.running()
    assert gateway.candidate() == gateway.running()


def test_apply_and_inverse_give_the_same_bytes(gateway: Device, connect: Connect) -> None:
    session, before = connect(gateway), gateway.running()
    session.edit_config(block(interface="ge0"), target="candidate")
    session.edit_config(config(interface("ge3", enabled=False)), target="candidate")
    session.edit_config(config(discard_route("198.18.0.0/15")), target="candidate")
    session.commit()
    assert gateway.running().count("<acl-set>") == 2
    detach = attach("ge0", "secloop-in").replace("<acl-set>", '<acl-set nc:operation="delete">')
    drop = "<acl nc:operation='delete'><name>secloop-in</name></acl>"
    session.edit_config(config(acls(detach, drop)), target="candidate")
    session.edit_config(config(interface("ge3", enabled=True)), target="candidate")
    route = discard_route("198.18.0.0/15").replace(
        "<control-plane-protocol>", "<control-plane-protocol nc:operation='delete'>"
    )
    session.edit_config(config(route), target="candidate")
    session.commit()
    assert gateway.running() == before


def test_a_dangling_attachment_is_found_by_validate_and_commit(gateway: Device, connect: Connect) -> None:
    session, before = connect(gateway), gateway.running()
    session.edit_config(config(acls(attach("ge1", "nobody"))), target="candidate")
    for operation in (lambda: session.validate("candidate"), session.commit):
        error = refused(operation)
        assert (error.tag, error.type, error.severity) == ("data-missing", "application", "error")
        assert "acl:acl-set[acl:name='nobody']" in error.path
        assert "nobody" in error.message
        assert "instance-required" in etree.tostring(error.xml).decode()
    assert gateway.running() == before


def test_an_edit_that_is_wrong_names_tag_and_path(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    document = config(acls(acl("a", ace("x", source="203.0.113.300/32"))))
    error = refused(session.edit_config, document, target="candidate", error_option="rollback-on-error")
    assert error.tag == "invalid-value"
    assert error.path.endswith("acl:ace[acl:name='x']/acl:matches/acl:ipv4/acl:source-ipv4-network")
    assert "bad-element" in str(error.info)
    assert not gateway.state().candidate_modified


@pytest.mark.parametrize(("option", "kept"), [("rollback-on-error", 0), ("stop-on-error", 1), ("continue-on-error", 2)])
def test_error_options(gateway: Device, connect: Connect, option: str, kept: int) -> None:
    session = connect(gateway)
    wrong = acls("<acl nc:operation='delete'><name>nobody</name></acl>")
    document = config(interface("ge0", enabled=False), wrong, discard_route("198.18.0.0/15"))
    assert refused(session.edit_config, document, target="candidate", error_option=option).tag == "data-missing"
    candidate = gateway.candidate()
    assert ("<enabled>false" in candidate) + ("198.18.0.0" in candidate) == kept


def test_default_operations(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    error = refused(session.edit_config, config(acls(acl("new"))), target="candidate", default_operation="none")
    assert error.tag == "data-missing"
    session.edit_config(config(acls(acl("new"))), target="candidate", default_operation="replace")
    assert "edge-in" not in gateway.candidate()


def test_test_options(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    dangling, whole = config(acls(attach("ge1", "nobody"))), block()
    assert refused(session.edit_config, dangling, target="candidate", test_option="test-then-set").tag == "data-missing"
    assert refused(session.edit_config, dangling, target="candidate", test_option="test-only").tag == "data-missing"
    session.edit_config(whole, target="candidate", test_option="test-only")
    assert not gateway.state().candidate_modified
    session.edit_config(whole, target="candidate", test_option="test-then-set")
    assert gateway.state().candidate_modified


def test_validate_a_configuration_that_comes_along(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    source = "<validate xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'><source>{}</source></validate>"
    dispatch(session, source.format(config(acls(acl("a")))))
    # Two things are wrong with it, the interface and the ACL: two rpc-errors.
    error = refused(dispatch, session, source.format(config(acls(attach("ge1", "b")))))
    assert [part.tag for part in error.errors] == ["data-missing", "data-missing"]


def test_discard(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    session.edit_config(block(), target="candidate")
    session.discard_changes()
    assert not gateway.state().candidate_modified


def test_running_is_not_writable_without_its_capability(gateway: Device, connect: Connect) -> None:
    error = refused(connect(gateway).edit_config, block(), target="running")
    assert error.tag in {"operation-not-supported", "MissingCapabilityError"}


def test_writable_running(fleet: dict[str, Device], connect: Connect) -> None:
    direct = fleet["direct"]
    direct.reset()
    session = connect(direct)
    session.edit_config(block(), target="running")
    assert "secloop-in" in direct.running()
    dangling = config(acls(attach("ge2", "nobody")))
    assert refused(session.edit_config, dangling, target="running").tag == "data-missing"
    assert "ge2</interface-id>" not in direct.running()
    commit = "<commit xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'/>"
    assert refused(dispatch, session, commit).tag == "operation-not-supported"


def test_kill_session(gateway: Device, connect: Connect) -> None:
    killer, victim = connect(gateway), connect(gateway)
    victim.lock("candidate")
    assert refused(killer.kill_session, killer.session_id).tag == "invalid-value"
    assert refused(killer.kill_session, "999999").tag == "invalid-value"
    killer.kill_session(victim.session_id)
    killer.lock("candidate")
    victim._session.join(5)
    assert not victim.connected


def test_close_session_frees_what_it_held(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    session.lock("candidate")
    session.close_session()
    assert gateway.state().locks == {}
    assert gateway.state().sessions == ()


def test_the_log_tells_what_reached_the_device(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    session.get_config("running")
    session.edit_config(block(), target="candidate")
    session.discard_changes()
    session.close_session()
    number = int(session.session_id)
    lines = [(line.session, line.operation, line.detail) for line in gateway.log() if line.session]
    expected = [("hello", ""), ("get-config", "running"), ("edit", "candidate"), ("discard", ""), ("close-session", "")]
    assert lines == [(number, *line) for line in expected]
    assert gateway.served("commit") == []
    times = [line.time_s for line in gateway.log()]
    assert times == sorted(times)


def test_foreign_edits_reach_running_past_all_locks(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    session.lock("running")
    gateway.foreign_edit(config(acls(acl("theirs", ace("x")))))
    assert "theirs" in session.get_config("candidate").data_xml
    kept = f'<interfaces xmlns="{IF}"/>'
    interfaces = session.get_config("running", ("subtree", kept)).data_xml
    gateway.set_running(interfaces.partition("?>")[2])
    assert "<acls" not in gateway.running()
