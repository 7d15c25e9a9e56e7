"""Suricata's EVE JSON, one event a line, of every version since 5.

Only ``event_type: alert`` is an alert. A ``drop`` event may carry an ``alert`` object too: it tells of the same
firing, which Suricata logs as an alert event of its own, so it is skipped and counted like every other type.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import msgspec

from secloop_ai.contracts import Alert, Flow, Untrusted

from .addresses import moment
from .lines import read_lines
from .sighting import BadEvent, Sighting, sighting_of
from .tally import BLANK, Tally
from .untrusted import untrusted_fields
from .wire import EVENT, TYPE

_CUT_OFF = "Input data was truncated"


def read_alerts(path: Path | str, tally: Tally | None = None, *, require_stream: bool = False) -> Iterator[Alert]:
    """Every alert of an EVE file (plain or gzip), in file order, in constant memory.

    Args:
        path: the file.
        tally: counts what happens to every line; `tally.report(path)` tells afterwards.
        require_stream: a stricter proof of the handshake, see :mod:`secloop_ai.alerts.handshake`.

    Raises:
        AlertFileError: at the first alert asked for, when the file cannot be read.
    """
    for sighting, line in sightings(path, tally or Tally(), require_stream=require_stream):
        yield _alert(sighting, line)


def sightings(path: Path | str, tally: Tally, *, require_stream: bool = False) -> Iterator[tuple[Sighting, bytes]]:
    """The alerts of a file with their lines; everything else goes to the tally.

    Raises:
        AlertFileError: the file cannot be read.
    """
    for line in read_lines(path):
        tally.lines += 1
        if isinstance(line, str):
            tally.spoil(line)
            continue
        if line.isspace():
            tally.skip(BLANK)
            continue
        try:
            found = decode(line, require_stream=require_stream)
        except BadEvent as error:
            tally.spoil(str(error))
            continue
        if isinstance(found, str):
            tally.skip(found)
            continue
        tally.alerts += 1
        yield found, line


def decode(line: bytes, *, require_stream: bool = False) -> Sighting | str:
    """An alert, or the type of an event that is none.

    Raises:
        BadEvent: the line is not an EVE event or an incomplete alert.
    """
    try:
        event = EVENT.decode(line)
    except msgspec.ValidationError as error:
        return _other_type(line, error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent(_reason(error, line)) from None
    if event.event_type != "alert":
        return event.event_type
    return sighting_of(event, require_stream=require_stream)


def _other_type(line: bytes, error: msgspec.ValidationError) -> str:
    """The type of an event whose members are not an alert's: only an alert's must be as expected."""
    try:
        event_type = TYPE.decode(line).event_type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        event_type = "alert"
    if event_type == "alert":
        raise BadEvent(f"not an EVE event: {error}") from None
    return event_type


def _reason(error: Exception, line: bytes) -> str:
    """What is wrong with a line that is not JSON, without a byte of it."""
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if str(error) == _CUT_OFF:
        return "not JSON: cut off" if line.endswith(b"\n") else "not JSON: cut off at the end of the file"
    return f"not JSON: {error}"


def _alert(sighting: Sighting, line: bytes) -> Alert:
    """The contract's form."""
    sent, back, bytes_sent, bytes_back = sighting.flow
    return Alert(
        timestamp=moment(sighting.time_us),
        signature_id=sighting.signature_id,
        signature=Untrusted.of(sighting.signature),
        classification=sighting.classification,
        severity=sighting.severity,
        source=ip_address(sighting.source),
        source_port=sighting.source_port,
        destination=ip_address(sighting.destination),
        destination_port=sighting.destination_port,
        protocol=sighting.protocol,
        app_protocol=sighting.app_protocol,
        techniques=sighting.techniques,
        to_server=sighting.to_server,
        handshake=sighting.handshake,
        flow=Flow(
            packets_to_server=sent, packets_to_client=back, bytes_to_server=bytes_sent, bytes_to_client=bytes_back
        ),
        flow_id=sighting.flow_id,
        untrusted=untrusted_fields(line),
    )
