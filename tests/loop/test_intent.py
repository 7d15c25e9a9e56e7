"""A loss that the action is for is no damage; any other is."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from secloop_ai.contracts import (
    Action,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    IsolateHost,
    RateLimit,
    RestrictService,
    ShutdownPort,
)
from secloop_ai.loop.intent import meant_to_fail
from secloop_ai.loop.watch import checks

from .make import network

CLIENT, SERVER = ip_network("198.51.100.10/32"), ip_network("192.0.2.10/32")
STRANGER = ip_network("203.0.113.66/32")


@pytest.mark.parametrize(
    "action",
    [
        IsolateHost(ttl_s=300, host="web1"),
        IsolateHost(ttl_s=300, host="client1"),
        ShutdownPort(ttl_s=300, device="gw1", interface="ge2"),
        BlockIp(ttl_s=300, source=CLIENT),
        BlackholeRoute(ttl_s=300, destination=SERVER, device="gw1"),
        BlockFlow(ttl_s=300, source=CLIENT, destination=ip_address("192.0.2.10"), protocol="tcp", port=80),
    ],
)
def test_what_names_an_end_of_the_check_means_it(action: Action) -> None:
    (check,) = checks(network())
    assert meant_to_fail(check, [action])


@pytest.mark.parametrize(
    "action",
    [
        IsolateHost(ttl_s=300, host="app1"),
        ShutdownPort(ttl_s=300, device="gw1", interface="ge3"),
        BlockIp(ttl_s=300, source=STRANGER),
        BlackholeRoute(ttl_s=300, destination=STRANGER, device="gw1"),
        BlockFlow(ttl_s=300, source=CLIENT, destination=ip_address("192.0.2.10"), protocol="tcp", port=443),
        RestrictService(ttl_s=300, host="web1", service="web"),
        RateLimit(ttl_s=300, destination=ip_address("192.0.2.10"), protocol="tcp", port=80, rate_bytes_per_s=12_500),
    ],
)
def test_everybody_elses_service_must_survive(action: Action) -> None:
    (check,) = checks(network())
    assert not meant_to_fail(check, [action])
