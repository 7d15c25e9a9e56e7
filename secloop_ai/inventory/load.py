"""From inventory sources to an Environment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from pydantic import SecretStr

from secloop_ai.contracts import Device, Environment

from .build import build_device, build_host
from .checks import check_membership, cross_check
from .clients import with_clients
from .findings import Findings, closest
from .limits import limits_of, protected_of
from .offers import merge_not_offered, not_offered
from .schema import DEVICE, DEVICES, HOST, HOSTS, LIMITS, PROTECTED
from .source import RawHost, RawInventory, Reading, Unreadable, start

TIMEOUT_S = 60.0
PASSWORD = "ansible_password"  # noqa: S105 - the name of a variable
OURS = (DEVICE, HOST, PROTECTED, LIMITS)
Refusals = Callable[[Device], Mapping[str, str]]


class Loaded(NamedTuple):
    """An Environment and, kept apart from it, the passwords of its devices and hosts by inventory name."""

    environment: Environment
    secrets: dict[str, SecretStr]


def load_environment(
    sources: Sequence[str] | Reading,
    *,
    config: str | None = None,
    known_dialects: Collection[str] | None = None,
    refusals: Refusals | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Environment:
    """Build the Environment from an Ansible inventory, by Ansible's own rules of precedence and templating.

    Args:
        sources: inventory files, folders or host lists, as for ``ansible-playbook -i``; none: those that ansible.cfg
            names; or a :class:`Reading` already under way.
        config: the ansible.cfg to go by; None: as Ansible finds it.
        known_dialects: where given, a device of any other dialect is an error.
        refusals: says which actions a device cannot take and why; an action that every device refuses is not offered.
        timeout_s: for reading the inventory, in seconds.

    Raises:
        InventoryError: every problem found, each with file, line, host and key.
    """
    raw, findings = _read(sources, config=config, secrets=False, timeout_s=timeout_s)
    return _environment(raw, findings, known_dialects, refusals)


def load_with_secrets(
    sources: Sequence[str] | Reading,
    *,
    config: str | None = None,
    known_dialects: Collection[str] | None = None,
    refusals: Refusals | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Loaded:
    """Like :func:`load_environment`, with the passwords read in the same pass.

    Raises:
        InventoryError: as there, or a password that cannot be decrypted or templated.
        ValueError: the Reading was started without ``secrets=True``.
    """
    raw, findings = _read(sources, config=config, secrets=True, timeout_s=timeout_s)
    found = _secrets(raw, findings)
    return Loaded(_environment(raw, findings, known_dialects, refusals), found)


def secrets(
    sources: Sequence[str] | Reading, *, config: str | None = None, timeout_s: float = TIMEOUT_S
) -> dict[str, SecretStr]:
    """Passwords (``ansible_password``) of devices and hosts by inventory name; who has none is left out.

    Raises:
        InventoryError: the inventory cannot be read, or a password cannot be decrypted or templated.
        ValueError: the Reading was started without ``secrets=True``.
    """
    raw, findings = _read(sources, config=config, secrets=True, timeout_s=timeout_s)
    found = _secrets(raw, findings)
    findings.raise_if_any()
    return found


def _read(
    sources: Sequence[str] | Reading, *, config: str | None, secrets: bool, timeout_s: float
) -> tuple[RawInventory, Findings]:
    reading = sources if isinstance(sources, Reading) else start(sources, config=config, secrets=secrets)
    raw, findings = reading.result(timeout_s), Findings()
    if secrets and not reading.with_secrets:
        raise ValueError("the inventory was read without its secrets: start(..., secrets=True)")
    for problem in raw.unreadable or _nothing_there(raw):
        findings.unreadable(problem)
    findings.raise_if_any()
    return raw, findings


def _nothing_there(raw: RawInventory) -> tuple[Unreadable, ...]:
    where = ", ".join(raw.sources)
    if not raw.hosts:
        return (Unreadable("holds no host", where),)
    if not any({DEVICES, HOSTS} & set(h.groups) for h in raw.hosts):
        near = [g for name in (DEVICES, HOSTS) for g in closest(name, raw.groups)]
        hint = f"; there is a group {near[0]!r}" if near else ""
        return (Unreadable(f"no host is in the group {DEVICES} or {HOSTS}{hint}", where),)
    return ()


def _secrets(raw: RawInventory, findings: Findings) -> dict[str, SecretStr]:
    found = {}
    for host in raw.hosts:
        if not {DEVICES, HOSTS} & set(host.groups):
            continue
        for path in [p for p in host.problems if p[0] == PASSWORD]:
            findings.add(host, path, host.problems[path])
        value = host.values.get(PASSWORD)
        if isinstance(value, dict | list | bool):
            findings.add(host, (PASSWORD,), "must be text")
        elif value is not None:
            found[host.name] = SecretStr(str(value))
    return found


def _environment(
    raw: RawInventory, findings: Findings, known_dialects: Collection[str] | None, refusals: Refusals | None
) -> Environment:
    for host in raw.hosts:
        _template_problems(host, findings)
        check_membership(host, findings)
    devices = [(r, d) for r in raw.hosts if DEVICES in r.groups and (d := build_device(r, findings))]
    drafts = [h for r in raw.hosts if HOSTS in r.groups and (h := build_host(r, findings))]
    cross_check(devices, drafts, raw, known_dialects, findings)
    hosts = tuple(with_clients(d, raw, findings) for d in drafts)
    bare = Environment(devices=tuple(d for _, d in devices), hosts=hosts)
    shared = {"protected": protected_of(raw, bare, findings), **limits_of(raw, findings)}
    findings.raise_if_any()
    found = bare.model_copy(update={**shared, "not_offered": not_offered(bare, raw.roles_path)})
    if refusals is None:
        return found
    return merge_not_offered(found, {d.name: refusals(d) for d in found.devices})


def _template_problems(host: RawHost, findings: Findings) -> None:
    """Note the templates that do not resolve, of the variables that this host needs."""
    ours = bool({DEVICES, HOSTS} & set(host.groups))
    for path, message in host.problems.items():
        if path[0] != PASSWORD and (ours or path[0] in OURS):
            findings.add(host, path, message)
