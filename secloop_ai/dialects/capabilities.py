"""What a hello must offer for an action, as data, and the sentence for what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from secloop_ai.contracts import CATALOGUE, Plane

YANG_LIBRARY = "urn:ietf:params:netconf:capability:yang-library:"


@dataclass(frozen=True, slots=True)
class Need:
    """A module, by its namespace, and the features of it that are needed.

    A module announced without a list of features is trusted to have them. `instead` are URIs any of which does as well.
    """

    uri: str
    what: str
    features: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()

    def lacking(self, announced: Mapping[str, str]) -> str | None:
        """What is missing, for a person; None when all is there."""
        if any(uri in announced for uri in self.instead):
            return None
        if self.uri not in announced:
            return f"the device does not announce {self.uri} ({self.what})"
        features = parse_qs(announced[self.uri]).get("features")
        absent = [f for f in self.features if features and f not in ",".join(features).split(",")]
        return f"{self.uri} is announced without the feature {', '.join(absent)}" if absent else None


def lacking(needs: Mapping[str, Sequence[Need]], capabilities: Iterable[str]) -> dict[str, str]:
    """Network actions a device cannot take, each with the reason.

    A server that announces its modules by YANG library alone offers nothing here until the caller adds their
    namespaces to the capabilities; the reason then says so.
    """
    announced = {uri: rest for uri, _, rest in (c.strip().partition("?") for c in capabilities)}
    hint = " (a YANG library is: read it)" if any(u.startswith(YANG_LIBRARY) for u in announced) else ""
    found: dict[str, str] = {}
    for name, action in CATALOGUE.items():
        if action.spec.plane is not Plane.NETWORK:
            continue
        if name not in needs:
            found[name] = "this dialect has no model for it"
        elif reason := next((r for need in needs[name] if (r := need.lacking(announced))), None):
            found[name] = reason + hint
    return found
