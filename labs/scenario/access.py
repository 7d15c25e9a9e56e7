"""What host roles may do on a case's hosts, and what they have that an action may name.

The inventory of a house names its accounts and processes; nothing in it may say which of them the attack uses. So a
host's accounts are drawn: those that its weak services really have, and others of the same look beside them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping

from secloop_ai.contracts import CATALOGUE, Host, HostAccess, Plane

from .accounts import COLLEAGUES, LOGIN_KINDS, USED_BY
from .model import HostSpec

COMM = 15
"""Characters of a process's name that Linux keeps."""
LEAST_ACCOUNTS = 3
"""Accounts of a host with logins, at least; a fourth is drawn in or out."""


def _serves(*kinds: str) -> Callable[[HostSpec], bool]:
    return lambda host: any(s.kind in kinds for s in host.services)


def _serving(host: HostSpec) -> bool:
    return bool(host.services)


def _any(_: HostSpec) -> bool:
    return True


ALLOWED: Mapping[str, Callable[[HostSpec], bool]] = {
    "secure_sshd": _serves("ssh"),
    "harden_kernel": _any,
    "deploy_hids": _any,
    "stop_process": _serving,
    "close_port": _serving,
    "disable_account": _serves(*LOGIN_KINDS),
    "dns_sinkhole": _serves("dns"),
}
"""Host actions that a battlefield host allows, and which hosts do; one line more enables one more."""
ABSENT: Mapping[str, str] = {
    "enforce_apparmor": "a profile holds in the kernel and so for the whole machine, not for one host of a battlefield",
    "patch_vulnerability": "the services are the lab's own programs, which no package brings",
    "secure_sshd": "no host here serves SSH",
    "stop_process": "no host here has a service",
    "close_port": "no host here has a service",
    "disable_account": "no host here has a service with logins",
    "dns_sinkhole": "no host here answers names",
}
"""Why no host of a case allows an action."""


def access_of(host: HostSpec, dice: random.Random) -> HostAccess:
    """What roles may do on a host of ours.

    Args:
        host: inside, and not protected.
        dice: the host's own.
    """
    actions = tuple(name for name in CATALOGUE if name in ALLOWED and ALLOWED[name](host))
    return HostAccess(
        actions=actions,
        accounts=tuple(_accounts(host, dice)) if "disable_account" in actions else (),
        processes=tuple(dict.fromkeys(process_of(s.name) for s in host.services)),
        packages=tuple(dict.fromkeys(s.kind for s in host.services)) if "patch_vulnerability" in actions else (),
        resolver="dnsmasq" if "dns_sinkhole" in actions else None,
    )


def process_of(service: str) -> str:
    """The name of the process behind a service, as the kernel keeps it."""
    return service[:COMM]


def not_offered(hosts: Iterable[Host]) -> dict[str, str]:
    """Host actions that no host allows, each with the reason."""
    allowed = {action for host in hosts if host.access for action in host.access.actions}
    wanted = (name for name, kind in CATALOGUE.items() if kind.spec.plane is Plane.HOST and name not in allowed)
    return {name: ABSENT.get(name, "no host here allows it") for name in wanted}


def _accounts(host: HostSpec, dice: random.Random) -> list[str]:
    """The accounts behind its weaknesses and some others, in an order that says nothing."""
    used = {USED_BY[m] for s in host.services if s.kind in LOGIN_KINDS for m in s.weaknesses if m in USED_BY}
    found = sorted(used)
    others = [name for name in sorted({*USED_BY.values(), *COLLEAGUES}) if name not in used]
    most = max(LEAST_ACCOUNTS, len(found) + 1) + dice.randint(0, 1)
    found += dice.sample(others, most - len(found))
    dice.shuffle(found)
    return found
