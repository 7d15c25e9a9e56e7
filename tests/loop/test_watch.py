"""The watch sees what a client sees, from a real socket to a real server."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from secloop_ai.contracts import BannerCheck, ProbeVantage, TcpCheck
from secloop_ai.loop.watch import Watch, checks, unprobed

from .make import network


class Page(http.server.BaseHTTPRequestHandler):
    status = HTTPStatus.OK

    def do_GET(self) -> None:
        self.send_response(type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    Page.status = HTTPStatus.OK
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_service_that_serves_is_green_before_and_during(server: http.server.ThreadingHTTPServer) -> None:
    with Watch(network(web_address="127.0.0.1", web_port=server.server_port)) as watch:
        watch.wait(rounds=2, timeout_s=20)
        watch.commit_sent()
        watch.wait(rounds=2, timeout_s=20)
        before, during = watch.results()
    assert (before.phase, before.green, before.detail) == ("before", True, "HTTP 200")
    assert (during.phase, during.green) == ("during", True)
    assert during.tries >= 2


def test_a_service_that_breaks_meanwhile_is_red_only_during(server: http.server.ThreadingHTTPServer) -> None:
    with Watch(network(web_address="127.0.0.1", web_port=server.server_port)) as watch:
        watch.wait(rounds=1, timeout_s=20)
        Page.status = HTTPStatus.SERVICE_UNAVAILABLE
        watch.commit_sent()
        watch.wait(rounds=3, timeout_s=20)
        before, during = watch.results()
    assert before.green
    assert during.failures > 0
    assert during.detail == "HTTP 503"


def test_a_closed_port_is_red() -> None:
    with Watch(network(web_address="127.0.0.1", web_port=1)) as watch:
        watch.wait(rounds=1, timeout_s=20)
        (before,) = watch.results()
    assert not before.green
    assert before.detail == "Connection refused"


@pytest.mark.parametrize("check", [TcpCheck(), BannerCheck(expect="SSH-")])
def test_other_checks(server: http.server.ThreadingHTTPServer, check: TcpCheck | BannerCheck) -> None:
    environment = network(web_address="127.0.0.1", web_port=server.server_port)
    hosts = tuple(
        h.model_copy(update={"services": tuple(s.model_copy(update={"check": check}) for s in h.services)})
        if h.name == "web1"
        else h
        for h in environment.hosts
    )
    with Watch(environment.model_copy(update={"hosts": hosts})) as watch:
        watch.wait(rounds=1, timeout_s=20)
        (before,) = watch.results()
    assert before.green is isinstance(check, TcpCheck)  # an HTTP server does not speak first


def test_a_place_that_cannot_be_reached_is_red_and_says_why() -> None:
    environment = network()
    nowhere = ProbeVantage(via="netns", netns="secloop-no-such-namespace")
    hosts = tuple(h.model_copy(update={"probe": nowhere}) if h.probe else h for h in environment.hosts)
    with Watch(environment.model_copy(update={"hosts": hosts})) as watch:
        watch.wait(rounds=1, timeout_s=20)
        (before,) = watch.results()
    assert not before.green
    assert before.detail.startswith("probe ended: ") or before.detail.startswith("probe could not start: ")


def test_a_check_nobody_runs_is_said() -> None:
    environment = network()
    hosts = tuple(h.model_copy(update={"probe": None}) for h in environment.hosts)
    silent = environment.model_copy(update={"hosts": hosts})
    assert list(checks(silent)) == []
    assert len(unprobed(silent)) == 1
    assert "web1/web" in unprobed(silent)[0]
