"""The message parts that need no device."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from lxml import etree

from secloop_ai.netconf import rpc

HELLO = (
    "urn:ietf:params:netconf:base:1.1",
    "urn:ietf:params:netconf:capability:candidate:1.0",
    "urn:ietf:params:netconf:capability:confirmed-commit:1.0",
    "urn:ietf:params:netconf:capability:with-defaults:1.0?basic-mode=explicit",
)


@dataclass
class Error:
    severity: str | None = "error"
    tag: str | None = "operation-failed"
    message: str | None = None
    app_tag: str | None = None
    path: str | None = None


def test_what_a_hello_lacks_is_named_and_a_version_counts() -> None:
    needed = ("candidate:1.0", "confirmed-commit:1.1", "validate")
    assert rpc.missing(HELLO, needed) == ("confirmed-commit:1.1", "validate")


@pytest.mark.parametrize("name", ["confirmed-commit", ":candidate:1.0", "with-defaults:1.0", "with-defaults"])
def test_a_capability_is_found_by_any_usual_name(name: str) -> None:
    assert rpc.has(HELLO, name)


def test_a_capability_is_not_found_by_the_beginning_of_its_name() -> None:
    assert not rpc.has(HELLO, "confirmed")


def test_a_filter_keeps_its_children_in_their_own_namespaces() -> None:
    built = rpc.subtree_filter('<acls xmlns="urn:a"><acl/></acls><plain/>')
    assert built.get("type") == "subtree"
    assert [child.tag for child in built] == ["{urn:a}acls", "plain"]
    assert etree.tostring(built).startswith(b"<nc:filter")


def test_config_takes_operation_attributes_of_the_prefix_it_declares() -> None:
    built = rpc.config('<acl xmlns="urn:a" nc:operation="delete"/>')
    assert built[0].get(f"{{{rpc.BASE}}}operation") == "delete"


def test_only_warnings_are_no_error() -> None:
    assert rpc.first_error([Error(severity="warning", message="mind the gap")]) is None


def test_the_first_real_error_gives_the_tag_and_all_of_them_the_text() -> None:
    errors = [
        Error(severity="warning", tag="x"),
        Error(tag="data-missing", message="no such ACL"),
        Error(message="two"),
    ]
    assert rpc.first_error(errors) == ("data-missing", "no such ACL; two")


def test_an_error_without_a_message_is_told_by_what_it_has() -> None:
    assert rpc.describe(Error(tag="in-use", path=" /acls/acl ")) == "in-use (at /acls/acl)"
    assert rpc.describe(Error(tag=None)) == "the device gave no reason"


def test_device_text_cannot_play_with_the_terminal() -> None:
    assert rpc.one_line("bad\x1b[31m\r\nname\x9b") == "bad [31m name"
    assert len(rpc.one_line("x" * 10_000)) == rpc.MESSAGE_LIMIT
