"""The zero-day: an exchange that no signature names. A sensor can only say that something about it is odd."""

from __future__ import annotations

from labs.scenario import Stage

from .base import Observable
from .kit import INITIAL_ACCESS, observable
from .web import Request, WebMeans


class ZeroDay(WebMeans):
    """A relay is reached by a transfer coding nobody knows: what is seen is the parser's complaint, not a rule's."""

    id = "zero-day"
    about = "A relay behind the web server reached by an unknown transfer coding; no signature"
    tactic = INITIAL_ACCESS
    technique = "T1190"
    countered_by = ("close_port", "stop_process")
    requests = (Request(method="POST", target="/rpc/relay", headers=(("Transfer-Encoding", "lab-relay"),)),)
    sid = 0
    classification = "bad-unknown"

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """The parser's anomaly: no signature, no technique."""
        return (observable(self.sid, self.classification, self.technique, techniques=(), app_protocol="http"),)
