"""CICFlowMeter files: CIC-IDS2017 (``GeneratedLabelledFlows``) and CSE-CIC-IDS2018 (the file with addresses).

The flows of ``MachineLearningCSV`` and of most days of 2018 come without addresses; no alert can be made of those.
Times are taken as written: minutes without seconds and afternoon hours on a 12-hour clock stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from secloop_ai.contracts import Protocol

from .flow import MOST_PORT, BadRow, LabelledFlow, Layout, Reader, Row, address, application, whole

FORMATS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M %p")
SUMMER = timezone(timedelta(hours=-3))
"""Fredericton in July 2017."""
WINTER = timezone(timedelta(hours=-4))
"""Fredericton in February and March 2018."""
NUMBERED = {1: Protocol.ICMP, 6: Protocol.TCP, 17: Protocol.UDP}
ORDINARY = "benign"
HEADERS = 54
"""Bytes of headers in a TCP packet; these files count payload alone."""
NAMES_2017 = (
    *("Source IP", "Source Port", "Destination IP", "Destination Port", "Protocol", "Timestamp"),
    *("Total Fwd Packets", "Total Backward Packets", "Total Length of Fwd Packets", "Total Length of Bwd Packets"),
    "Label",
)
NAMES_2018 = (
    *("Src IP", "Src Port", "Dst IP", "Dst Port", "Protocol", "Timestamp"),
    *("Tot Fwd Pkts", "Tot Bwd Pkts", "TotLen Fwd Pkts", "TotLen Bwd Pkts"),
    "Label",
)


def _reader(names: Sequence[str], zone: timezone) -> Reader:
    source, source_port, target, port, protocol, time, fwd, bwd, fwd_len, bwd_len, label = names

    def read(row: Row) -> LabelledFlow:
        packets = (whole(row, fwd), whole(row, bwd))
        payload = (whole(row, fwd_len), whole(row, bwd_len))
        server_port = whole(row, port, most=MOST_PORT)
        text = row[label].strip()
        return LabelledFlow(
            start=_time(row[time], zone),
            source=address(row, source),
            source_port=whole(row, source_port, most=MOST_PORT),
            destination=address(row, target),
            destination_port=server_port,
            protocol=NUMBERED.get(whole(row, protocol), Protocol.OTHER),
            application=application(server_port, payload),
            packets=packets,
            octets=(payload[0] + HEADERS * packets[0], payload[1] + HEADERS * packets[1]),
            label="" if text.lower() == ORDINARY else text,
        )

    return read


def _time(text: str, zone: timezone) -> datetime:
    for form in FORMATS:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=zone)
        except ValueError:
            continue
    raise BadRow("Timestamp is not a time")


CIC_IDS2017 = Layout("CIC-IDS2017", NAMES_2017, _reader(NAMES_2017, SUMMER))
CSE_CIC_IDS2018 = Layout("CSE-CIC-IDS2018", NAMES_2018, _reader(NAMES_2018, WINTER))
