"""UNSW-NB15: the four raw files ``UNSW-NB15_1.csv`` to ``_4.csv``, which have 49 columns and no header line.

The ready-made training and testing sets lack the addresses; no alert can be made of those.
"""

from __future__ import annotations

from datetime import UTC, datetime

from secloop_ai.contracts import Protocol

from .flow import MOST_PORT, BadRow, LabelledFlow, Layout, Row, address, whole

COLUMNS = (
    *("srcip", "sport", "dstip", "dsport", "proto", "state", "dur", "sbytes", "dbytes", "sttl", "dttl", "sloss"),
    *("dloss", "service", "Sload", "Dload", "Spkts", "Dpkts", "swin", "dwin", "stcpb", "dtcpb", "smeansz", "dmeansz"),
    *("trans_depth", "res_bdy_len", "Sjit", "Djit", "Stime", "Ltime", "Sintpkt", "Dintpkt", "tcprtt", "synack"),
    *("ackdat", "is_sm_ips_ports", "ct_state_ttl", "ct_flw_http_mthd", "is_ftp_login", "ct_ftp_cmd", "ct_srv_src"),
    *("ct_srv_dst", "ct_dst_ltm", "ct_src_ltm", "ct_src_dport_ltm", "ct_dst_sport_ltm", "ct_dst_src_ltm"),
    *("attack_cat", "Label"),
)
"""The features' names in their published order."""
NEEDED = (
    *("srcip", "sport", "dstip", "dsport", "proto", "sbytes", "dbytes", "service", "Spkts", "Dpkts", "Stime"),
    *("attack_cat", "Label"),
)
NAMED = {"tcp": Protocol.TCP, "udp": Protocol.UDP, "icmp": Protocol.ICMP}
APPLICATIONS = {"ssl": "tls", "ftp-data": "ftp-data"}
LAST_S = 4_102_444_800
"""The year 2100, in seconds since 1970."""


def _read(row: Row) -> LabelledFlow:
    attack = whole(row, "Label", most=1) == 1
    label = row["attack_cat"].strip()
    if attack and not label:
        raise BadRow("attack_cat is empty")
    service = row["service"].strip().lower()
    return LabelledFlow(
        start=datetime.fromtimestamp(whole(row, "Stime", most=LAST_S), UTC),
        source=address(row, "srcip"),
        source_port=whole(row, "sport", most=MOST_PORT),
        destination=address(row, "dstip"),
        destination_port=whole(row, "dsport", most=MOST_PORT),
        protocol=NAMED.get(row["proto"].strip().lower(), Protocol.OTHER),
        application=APPLICATIONS.get(service, service) if service not in {"", "-"} else None,
        packets=(whole(row, "Spkts"), whole(row, "Dpkts")),
        octets=(whole(row, "sbytes"), whole(row, "dbytes")),
        label=label if attack else "",
    )


UNSW_NB15 = Layout("UNSW-NB15", NEEDED, _read, label="Label", columns=COLUMNS)
