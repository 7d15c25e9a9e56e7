"""The web services: one server, told by data what it is and where it is weak."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from labs.scenario.model import MeansId
from secloop_ai.contracts.base import Frozen

from .base import HERE, ServiceOrder, ServiceProgram, config_file, python_server

RULES_PREFIX = "web_"
STRONG_WORKERS, WEAK_WORKERS = 256, 24
STRONG_IDLE_S, WEAK_IDLE_S = 3.0, 60.0
EXHAUSTIBLE = frozenset({"slow-http", "http-flood", "goldeneye"})
"""Means that find a server with few workers and much patience."""


class WebRule(Frozen):
    """An exchange that a weak web server falls for. All of what is given must be there.

    Attributes:
        target: text in the request's path and query as sent.
        header: name and text in the value; the name ignores case.
        body: text in the first bytes of the body.
        sets, needs: a flag this request leaves behind, or that an earlier one must have left.
        answer: ``{canary}`` is replaced; empty for a step before the last.
    """

    means: MeansId
    method: str = "GET"
    target: str
    header: tuple[str, str] | None = None
    body: str = ""
    sets: str = ""
    needs: str = ""
    status: int = 200
    answer: str = ""


@cache
def rules() -> tuple[WebRule, ...]:
    """The exchanges of every module ``labs/services/web_*.py``, each of which has a tuple ``RULES``."""
    package = __name__.rpartition(".")[0]
    names = sorted(m.name for m in iter_modules([str(HERE)]) if m.name.startswith(RULES_PREFIX))
    return tuple(rule for name in names for rule in _rules_of(f"{package}.{name}"))


def _rules_of(module: str) -> Iterable[WebRule]:
    found: tuple[WebRule, ...] = import_module(module).RULES
    return found


class Http(ServiceProgram):
    """A plain web server: ``GET /`` is a page; what it does not know is 404, what it does not take is 403."""

    kind = "http"
    banner = "nginx"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("web", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """Where it is weak, and how much it bears."""
        weak = bool(EXHAUSTIBLE & set(order.weaknesses))
        return config_file(
            order,
            banner=self.banner,
            rules=[r.model_dump(mode="json") for r in rules() if r.means in order.weaknesses],
            workers=WEAK_WORKERS if weak else STRONG_WORKERS,
            idle_s=WEAK_IDLE_S if weak else STRONG_IDLE_S,
        )

    def sysctls(self, order: ServiceOrder) -> dict[str, str]:
        """Those of a host that half-open connections exhaust."""
        return half_open(order)


class Nextjs(Http):
    """Looks like a Next.js server."""

    kind = "nextjs"
    banner = "Next.js"


class Vite(Http):
    """Looks like Vite's development server."""

    kind = "vite"
    banner = "vite"


class Tomcat(Http):
    """Looks like Tomcat."""

    kind = "tomcat"
    banner = "Apache-Coyote/1.1"


class Jenkins(Http):
    """Looks like Jenkins."""

    kind = "jenkins"
    banner = "Jetty(10.0.18)"


def half_open(order: ServiceOrder) -> dict[str, str]:
    """A host weak to a SYN flood: no SYN cookies, a short queue, and half-open connections gone after 3 seconds.

    Without saved metrics: the kernel lets peers it has served before past a queue that is nearly full.
    """
    if not {"dos-flood", "syn-half-open"} & set(order.weaknesses):
        return {}
    return {
        "net/ipv4/tcp_syncookies": "0",
        "net/ipv4/tcp_max_syn_backlog": "128",
        "net/ipv4/tcp_synack_retries": "1",
        "net/ipv4/tcp_no_metrics_save": "1",
    }
