from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from secloop_ai.contracts import ObserveReason, PolicyError
from secloop_ai.policies.table import BUILT_IN, load_table

from .samples import summary

TABLE, _ = load_table()

# The techniques a network lab can stage, and those of the published method's attacks.
STAGED_TEXT = """
T1595.001 T1595.002 T1595.003 T1590.002 T1592.002 T1190 T1133 T1078 T1189 T1659 T1059.004 T1505.003 T1098.004
T1562.004 T1205.001 T1110.001 T1110.003 T1110.004 T1557.001 T1557.002 T1557.003 T1040 T1046 T1018 T1135 T1021.004
T1021.002 T1021.005 T1210 T1570 T1563.001 T1039 T1602.001 T1602.002 T1071.001 T1071.002 T1071.004 T1071.005 T1095
T1571 T1572 T1573.002 T1090.001 T1105 T1132.001 T1008 T1568.002 T1568.001 T1041 T1048.001 T1048.002 T1048.003 T1030
T1029 T1567 T1498.001 T1498.002 T1499.001 T1499.002 T1499.003 T1499.004 T1489 T1565.002 T1496.001 T1496.002 T1531
T1083 T1539 T1185 T1005 T1685 T1686.001
"""
STAGED = STAGED_TEXT.split()


@pytest.mark.parametrize("technique", STAGED)
def test_every_staged_technique_has_an_entry(technique: str) -> None:
    assert TABLE.entry_for(summary(techniques=(technique,), classification="unknown")).name != TABLE.default


@pytest.mark.parametrize(
    ("techniques", "entry"),
    [
        (("T1071.001",), "command-and-control"),
        (("T1071.004",), "dns-tunnel"),
        (("T1059",), "web-attack"),
        (("T1059.004",), "reverse-shell"),
        (("T1602",), "remote-exploit"),
        (("T1602.001",), "collection"),
        (("T1071.001", "T1071.004"), "dns-tunnel"),
        (("T1105", "T1110.001"), "password-guessing"),
    ],
)
def test_the_longest_technique_wins_then_the_tables_order(techniques: tuple[str, ...], entry: str) -> None:
    assert TABLE.entry_for(summary(techniques=techniques)).name == entry


def test_a_technique_is_no_prefix_of_another_number() -> None:
    assert TABLE.entry_for(summary(techniques=("T1021.004",))).name == "lateral-movement"
    assert TABLE.entry_for(summary(techniques=("T9999",), classification="unknown", port=9)).name == TABLE.default


@pytest.mark.parametrize(
    ("classification", "app", "port", "entry"),
    [
        ("attempted-admin", "ssh", 22, "password-guessing"),
        ("attempted-admin", "http", 9999, "web-attack"),
        ("attempted-admin", None, 80, "web-attack"),
        ("attempted-admin", None, 6379, "remote-exploit"),
        ("attempted-recon", None, 4444, "scanning"),
        ("denial-of-service", "http", 80, "flood"),
        ("web-application-attack", "http", 80, "web-attack"),
        ("trojan-activity", "dns", 53, "dns-tunnel"),
        ("trojan-activity", "tls", 443, "command-and-control"),
        ("coin-mining", None, 3333, "resource-hijack"),
        ("bad-unknown", "dhcp", 68, "man-in-the-middle"),
        ("bad-unknown", None, 9, "unknown"),
    ],
)
def test_without_a_technique_the_features_decide(classification: str, app: str | None, port: int, entry: str) -> None:
    seen = summary(port=port, techniques=(), classification=classification, app_protocol=app)
    assert TABLE.entry_for(seen).name == entry


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (summary(classification="not-suspicious"), ObserveReason.INFORMATIONAL),
        (summary(classification="policy-violation", techniques=()), ObserveReason.INFORMATIONAL),
        (summary(classification="policy-violation"), None),
        (summary(severity=4), ObserveReason.INFORMATIONAL),
        (summary(classification="misc-activity", severity=3, count=1), ObserveReason.INSUFFICIENT_EVIDENCE),
        (summary(classification="misc-activity", severity=3, count=2), None),
        (summary(), None),
    ],
)
def test_what_is_quiet(seen: object, reason: ObserveReason | None) -> None:
    assert TABLE.quiet_for(seen) == reason  # type: ignore[arg-type]


WRONG = [
    ("block_ip, at: client", "block_ip", "entry 'password-guessing': rows.0.0: block_ip needs 'at'"),
    ("rate: 125000", "rate: 7", "entry 'password-guessing': rows.3.0: rate must be one of"),
    ("rate_limit, rate: 125000", "rate_limit", "entry 'password-guessing': rows.3.0: 'rate' goes with rate_limit"),
    ("do: block_ip,", "do: delete_all,", "entry 'password-guessing': rows.0.0.do: Input should be"),
    ("techniques: [T1110]", "techniques: [1110]", "entry 'password-guessing': techniques.0: "),
    ("techniques: [T1040]", "technique: [T1040]", "entry 'sniffing': technique: Extra inputs"),
    ("ttl_s: 900", "ttl_s: 901", "entry 'flood': ttl_s: "),
    ("name: sniffing", "name: scanning", "entry 'scanning' stands twice"),
    ("default: unknown", "default: nobody", "default: no entry 'nobody'"),
    ("port_classes: [web]", "port_classes: [wob]", "entry 'web-attack': port_classes: 'wob' is not defined"),
    ("  - name: sniffing\n", "  - titel: sniffing\n", "entry number 14: name: Field required"),
    ("version: 1", "version: 2", "version: Input should be 1"),
    ("entries:", "entries: {", "cannot be read"),
]


@pytest.mark.parametrize(("old", "new", "text"), WRONG, ids=[w[2][:40] for w in WRONG])
def test_a_wrong_table_names_file_entry_and_key(tmp_path: Path, old: str, new: str, text: str) -> None:
    content = BUILT_IN.read_text()
    assert old in content
    path = tmp_path / "own.yaml"
    path.write_text(content.replace(old, new, 1))
    with pytest.raises(PolicyError) as caught:
        load_table(path)
    assert str(caught.value).startswith(f"{path}: {text}")


def test_an_entry_that_asks_for_nothing_is_wrong(tmp_path: Path) -> None:
    raw = yaml.safe_load(BUILT_IN.read_text())
    raw["entries"][0]["features"] = [{}]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(PolicyError, match=r"entry 'password-guessing': features\.0: asks for nothing"):
        load_table(path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"none\.yaml: cannot be read"):
        load_table(tmp_path / "none.yaml")


def test_the_digest_follows_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(BUILT_IN.read_text() + "# changed\n")
    assert load_table(path)[0] == TABLE
    assert load_table(path)[1] != load_table()[1]
