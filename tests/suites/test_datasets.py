"""Rows built from the published headers become alerts. The real data sets are not here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from labs.suites import SuiteError
from labs.suites.datasets import LABELS, ConversionReport, meaning, write_eve
from labs.suites.datasets.__main__ import main
from labs.suites.datasets.unsw import COLUMNS
from secloop_ai.alerts import summarise
from secloop_ai.contracts import AlertSummary, Protocol

HEADER_2017 = (
    "Flow ID, Source IP, Source Port, Destination IP, Destination Port, Protocol, Timestamp, Flow Duration,"
    " Total Fwd Packets, Total Backward Packets,Total Length of Fwd Packets, Total Length of Bwd Packets,"
    " Fwd Packet Length Max,Flow Bytes/s, Fwd Header Length, Bwd Header Length, Fwd Header Length, Label"
)
HEADER_2018 = (
    "Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,"
    "TotLen Fwd Pkts,TotLen Bwd Pkts,Fwd Pkt Len Max,Flow Byts/s,Fwd Header Len,Bwd Header Len,Label"
)
UNSW_VALUES = (
    *("srcip=175.45.176.0", "sport=21223", "dstip=149.171.126.18", "dsport=25", "proto=tcp", "state=FIN", "dur=0.2"),
    *("sbytes=3000", "dbytes=900", "service=smtp", "Spkts=24", "Dpkts=12", "Stime=1421927414", "Ltime=1421927415"),
    *("attack_cat= Fuzzers ", "Label=1"),
)
UNSW_ROW: dict[str, str] = {**dict.fromkeys(COLUMNS, "0"), **dict(v.split("=") for v in UNSW_VALUES)}


def row_2017(label: str, *, time: str = "4/7/2017 9:17", source: str = "172.16.0.1", target: str = "80") -> str:
    return (
        f"172.16.0.1-192.168.10.50-52108-{target}-6,{source},52108,192.168.10.50,{target},6,{time},5021059,"
        f"6,5,703,1414,356,421.6,124,172,124,{label}"
    )


def row_2018(label: str, *, protocol: str = "6", port: str = "22", time: str = "20/02/2018 10:15:30") -> str:
    ends = f"18.219.193.20,51042,172.31.69.25,{port}"
    return f"f,{ends},{protocol},{time},6453966,15,10.0,1239,2273,744,544.1,328,296,{label}"


def unsw(*changes: Mapping[str, str]) -> str:
    return "\n".join(",".join({**UNSW_ROW, **c}.values()) for c in changes) + "\n"


def converted(folder: Path, text: str | Sequence[str]) -> tuple[ConversionReport, tuple[AlertSummary, ...]]:
    flows, eve = folder / "flows.csv", folder / "eve.json"
    flows.write_bytes((text if isinstance(text, str) else "\r\n".join(text) + "\r\n").encode("latin-1"))
    report = write_eve(flows, eve)
    assert report.rows == report.alerts + report.ordinary + report.blank + report.headers + report.bad
    summaries, ingest = summarise(eve)
    assert ingest.bad == 0
    assert ingest.alerts == report.alerts
    return report, summaries


def test_flows_of_2017_become_summaries(tmp_path: Path) -> None:
    report, summaries = converted(
        tmp_path,
        [
            HEADER_2017,
            row_2017("BENIGN"),
            row_2017("Web Attack \x96 Brute Force"),
            row_2017("Web Attack \x96 Brute Force"),
            row_2017("SSH-Patator", target="22", time="4/7/2017 2:09:05 PM"),
            "," * 17,
        ],
    )
    assert (report.data_set, report.alerts, report.ordinary, report.blank, report.bad) == ("CIC-IDS2017", 3, 1, 1, 0)
    web, ssh = sorted(summaries, key=lambda s: s.first_seen)
    assert (web.count, web.destination_port, web.app_protocol, web.techniques) == (2, 80, "http", ("T1110.001",))
    assert (str(web.source), web.classification, web.severity, web.handshake) == (
        "172.16.0.1",
        "attempted-admin",
        1,
        True,
    )
    assert web.first_seen.utcoffset() is not None
    assert (web.first_seen.hour, web.first_seen.minute) == (12, 17)
    assert (ssh.app_protocol, ssh.first_seen.hour, ssh.first_seen.second) == ("ssh", 17, 5)


def test_flows_of_2018_become_summaries(tmp_path: Path) -> None:
    report, summaries = converted(
        tmp_path,
        [
            HEADER_2018,
            row_2018("SSH-Bruteforce"),
            HEADER_2018,
            row_2018("DDOS attack-LOIC-UDP", protocol="17", port="80"),
            row_2018("Infilteration", protocol="0", port="0"),
            row_2018("Benign"),
        ],
    )
    assert (report.data_set, report.alerts, report.ordinary, report.headers) == ("CSE-CIC-IDS2018", 3, 1, 1)
    by_protocol = {s.protocol: s for s in summaries}
    assert by_protocol[Protocol.TCP].flow.packets_to_client == 10
    assert by_protocol[Protocol.UDP].classification == "attempted-dos"
    assert not by_protocol[Protocol.UDP].handshake
    assert by_protocol[Protocol.OTHER].destination_port is None


def test_flows_of_unsw_become_summaries(tmp_path: Path) -> None:
    text = "\u00ef\u00bb\u00bf" + unsw(
        {},
        {"attack_cat": "", "Label": "0"},
        {"attack_cat": "Backdoors", "dsport": "0x000b", "service": "-", "proto": "ospf"},
        {"attack_cat": "Exploits", "service": "ssl", "dsport": "443"},
    )
    report, summaries = converted(tmp_path, text)
    assert (report.data_set, report.alerts, report.ordinary, report.bad) == ("UNSW-NB15", 3, 1, 0)
    found = {s.signature.raw: s for s in summaries}
    fuzzers = found["labelled flow: nonsense for a service"]
    assert (fuzzers.app_protocol, fuzzers.flow.bytes_to_server, fuzzers.first_seen.year) == ("smtp", 3000, 2015)
    assert found["labelled flow: a hidden way in"].protocol is Protocol.OTHER
    assert found["labelled flow: an exploit"].app_protocol == "tls"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (row_2017("Teleport"), "Label names no known attack"),
        (row_2017("DDoS", source="{{ 1 }}"), "Source IP is not an address"),
        (row_2017("DDoS", time="yesterday"), "Timestamp is not a time"),
        (row_2017("DDoS", target="70000"), "Destination Port is out of range"),
        (row_2017("DDoS", target="web"), "Destination Port is not a number"),
        (row_2017("DDoS") + ",more", "19 cells, 18 columns"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_goes_on(tmp_path: Path, row: str, reason: str) -> None:
    report, summaries = converted(tmp_path, [HEADER_2017, row, row_2017("PortScan")])
    assert report.bad_rows == ((2, reason),)
    assert len(summaries) == 1


@pytest.mark.parametrize(
    "change", [{"attack_cat": ""}, {"Label": "2"}, {"Stime": "inf"}, {"Stime": "99999999999"}, {"Spkts": "-3"}]
)
def test_a_bad_row_of_unsw_is_counted(tmp_path: Path, change: dict[str, str]) -> None:
    report, _ = converted(tmp_path, unsw({}, change))
    assert (report.alerts, report.bad) == (1, 1)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "Dst Port,Protocol,Timestamp,Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,Label",
            "no column Src IP, Src Port, Dst IP",
        ),
        (" Destination Port, Flow Duration, Total Fwd Packets, Total Backward Packets, Label", "no column Source IP"),
        ("id,dur,proto,service,state,spkts,dpkts,sbytes,dbytes,attack_cat,label", "alerts need addresses"),
        ("", "alerts need addresses"),
    ],
)
def test_a_file_without_addresses_is_refused(tmp_path: Path, header: str, words: str) -> None:
    flows = tmp_path / "flows.csv"
    flows.write_text(f"{header}\n", encoding="utf-8")
    with pytest.raises(SuiteError, match=words) as error:
        write_eve(flows, tmp_path / "eve.json")
    assert str(flows) in str(error.value)


def test_the_command_converts_a_file_or_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flows, eve = tmp_path / "flows.csv", tmp_path / "eve.json"
    flows.write_text(unsw({}), encoding="utf-8")
    assert main([str(flows), str(eve)]) == 0
    assert json.loads(capsys.readouterr().out)["alerts"] == 1
    assert main([str(tmp_path / "absent.csv"), str(eve)]) == 1
    assert "absent.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("label", "technique"),
    [
        ("Web Attack \x96 Sql Injection", "T1190"),
        ("Web Attack ï¿½ XSS", "T1539"),
        ("DoS slowloris", "T1499.002"),
        ("DDoS attacks-LOIC-HTTP", "T1499.002"),
        ("DDOS attack-HOIC", "T1499.002"),
        ("Brute Force -Web", "T1110.001"),
        ("FTP-BruteForce", "T1110.001"),
        ("Reconnaissance ", "T1595.001"),
    ],
)
def test_labels_are_known_however_they_are_written(label: str, technique: str) -> None:
    found = meaning(label)
    assert found is not None
    assert found.technique == technique


def test_meanings_have_numbers_of_their_own() -> None:
    numbers = {m.name: m.sid for m in LABELS.values()}
    assert len(set(numbers.values())) == len(numbers)
    assert meaning("BENIGN") is None
