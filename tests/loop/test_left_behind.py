"""After a removal nothing of ours may be left, of whatever kind it is."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from secloop_ai.contracts import (
    AdminOp,
    DeviceModel,
    DeviceOperation,
    DiscardOp,
    InterfaceState,
    StaticDiscard,
    TaggedOp,
)
from secloop_ai.loop.commit import left_behind

TAG, OTHER = "0123456789-1", "0123456789-2"
NET = ip_network("203.0.113.0/24")
ROUTE = TaggedOp(tag=TAG, op=DiscardOp(prefix=NET))
PORT = TaggedOp(tag=TAG, op=AdminOp(interface="ge1"))


@pytest.mark.parametrize(
    ("op", "model", "said"),
    [
        (ROUTE.op, DeviceModel(discards=(StaticDiscard(prefix=NET, tag=TAG),)), "discard route 203.0.113.0/24"),
        (ROUTE.op, DeviceModel(discards=(StaticDiscard(prefix=NET, tag=OTHER),)), ""),
        (ROUTE.op, DeviceModel(discards=(StaticDiscard(prefix=NET),)), ""),
        (PORT.op, DeviceModel(interfaces=(InterfaceState(name="ge1", enabled=False),)), "port ge1"),
        (PORT.op, DeviceModel(interfaces=(InterfaceState(name="ge1"),)), ""),
    ],
)
def test_what_is_still_there_is_said(op: DeviceOperation, model: DeviceModel, said: str) -> None:
    found = left_behind(model, (TaggedOp(tag=TAG, op=op),))
    assert bool(found) is bool(said)
    assert all(said in sentence for sentence in found)
