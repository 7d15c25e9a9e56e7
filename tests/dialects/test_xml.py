from __future__ import annotations

from pathlib import Path

import pytest

from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.ietf import DIALECT as IETF

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"


@pytest.mark.parametrize("text", ["", "no XML", "<data>", "<data/><data/>", "<data>\x00</data>", "<data>\ud800</data>"])
def test_what_is_not_xml_is_a_dialect_error(text: str) -> None:
    with pytest.raises(DialectError, match="not XML"):
        IETF.parse(text)


def test_another_element_is_a_dialect_error() -> None:
    with pytest.raises(DialectError, match="<rpc-reply>"):
        IETF.parse("<rpc-reply/>")


def test_an_entity_is_neither_expanded_nor_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("treasure", encoding="utf-8")
    for document in (
        f'<!DOCTYPE data [<!ENTITY x SYSTEM "file://{secret}">]><data>&x;</data>',
        '<!DOCTYPE data [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><data>&b;</data>',
        '<!DOCTYPE data SYSTEM "http://127.0.0.1:9/x.dtd"><data/>',
    ):
        with pytest.raises(DialectError) as caught:
            IETF.pretty(document)
        assert "treasure" not in str(caught.value)


def test_white_space_comments_and_prefixes_nobody_uses_do_not_matter() -> None:
    one = f'<data xmlns="{BASE}"><i xmlns="urn:x"><n>a b</n></i></data>'
    inner = '\n <i xmlns="urn:x"><!-- c -->\n<n>a b</n>\n</i>'
    two = f'<?xml version="1.0"?>\n<data xmlns="{BASE}" xmlns:nc="{BASE}">{inner}</data>'
    assert IETF.canonical(one) == IETF.canonical(two)
    assert IETF.canonical(one) != IETF.canonical(one.replace("a b", "a  b"))


def test_the_pretty_form_has_a_line_per_leaf() -> None:
    assert IETF.pretty(f'<data xmlns="{BASE}"><a><b>1</b><c/></a></data>').splitlines() == [
        f'<data xmlns="{BASE}">',
        "  <a>",
        "    <b>1</b>",
        "    <c/>",
        "  </a>",
        "</data>",
    ]
