"""Means that are a few HTTP requests: what differs between them is data."""

from __future__ import annotations

from typing import ClassVar

from labs.scenario import Stage
from secloop_ai.contracts.base import Frozen

from .base import Exchange, Means, Observable, Receipt, Red
from .kit import CURL, exchange, literal, observable, obtained, port_of, receipt

HTTP_PORT = 80
REQUEST_S = 4.0
RECEIVED_MOST = 4000


class Request(Frozen):
    """One HTTP request.

    Attributes:
        target: path and query, sent as it stands.
    """

    method: str = "GET"
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


class WebMeans(Means):
    """Sends its requests in order with curl; one of the answers holds the canary where the service is weak.

    Class attributes:
        requests: in order; all must get through.
        sid, classification: of the rule that names it.
    """

    service_kinds = ("http",)
    tools = (CURL,)
    countered_by: ClassVar[tuple[str, ...]] = ("patch_vulnerability", "close_port", "stop_process")
    requests: ClassVar[tuple[Request, ...]]
    sid: ClassVar[int]
    classification: ClassVar[str] = "web-application-attack"

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """One connection to the web server."""
        return (exchange(stage, port_of(stage, HTTP_PORT)),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:  # noqa: ARG002 - the same at every target
        """Its own rule, once."""
        return (observable(self.sid, self.classification, self.technique, app_protocol="http"),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Send the requests, at most `REQUEST_S` seconds each."""
        started = red.clock_s()
        said = []
        for request in self.requests:
            done = red.run(curl(stage, request), timeout_s=REQUEST_S + 2, stdin=request.body)
            said.append((done.stdout or done.stderr)[:RECEIVED_MOST])
            if done.returncode:
                break
        text = "\n".join(said)
        return receipt(red, stage, started, canary=obtained(red, stage, text), detail=text)


def curl(stage: Stage, request: Request, *, default_port: int = HTTP_PORT) -> list[str]:
    """The command line that sends the request; its body comes by standard input."""
    url = f"http://{literal(stage.target)}:{port_of(stage, default_port)}{request.target}"
    argv = ["curl", "-sS", "--globoff", "--path-as-is", "--max-time", f"{REQUEST_S:g}", "-X", request.method]
    # an empty "Expect:" keeps curl from waiting for a go-ahead that small servers never give
    for name, value in (*request.headers, ("Expect", "")):
        argv += ["-H", f"{name}: {value}"]
    return [*argv, "--data-binary", "@-", url] if request.body else [*argv, url]
