"""The devices as Nornir sees them: for our own phases, and for tasks that users bring along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nornir.core import Nornir
from nornir.core.configuration import Config, LoggingConfig
from nornir.core.inventory import ConnectionOptions, Defaults, Group, Groups, Host, Hosts, Inventory, ParentGroups
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.core.plugins.runners import RunnerPlugin
from nornir.core.state import GlobalState
from nornir.plugins.runners import ThreadedRunner
from pydantic import SecretStr

from secloop_ai.contracts import Device, Environment

from .pace import Pace
from .session import Session, open_session

CONNECTION = "secloop_netconf"
Passwords = Mapping[str, SecretStr | None]


class NetconfConnection:
    """Nornir connection plug-in ``secloop_netconf``: the connection is a :class:`~secloop_ai.netconf.Session`."""

    connection: Session

    def open(
        self,
        hostname: str | None,
        username: str | None,
        password: str | None,
        port: int | None,
        platform: str | None,
        extras: dict[str, Any] | None = None,
        configuration: Config | None = None,
    ) -> None:
        """Open the session of the device in ``extras["device"]``.

        What Nornir resolved for host, port and user wins over the device's own, so that a user's overrides hold.

        Raises:
            ConnectError: see :func:`secloop_ai.netconf.open_session`.
        """
        del platform, configuration
        given = dict(extras or {})
        device: Device = given.pop("device")
        overrides = {"address": hostname, "user": username, "port": port}
        where = device.connection.model_copy(update={k: v for k, v in overrides.items() if v is not None})
        secret: SecretStr | None = given.pop("password", None) or (SecretStr(password) if password else None)
        self.connection = open_session(device.model_copy(update={"connection": where}), secret, **given)

    def close(self) -> None:
        """Close the session; harmless when it is gone."""
        self.connection.close()


def nornir_from(environment: Environment, passwords: Passwords | None = None, *, workers: int = 20) -> Nornir:
    """A Nornir over an Environment's devices, ready for ``nr.run``; nothing is connected, no log file is written.

    Hosts carry address, port, user, the dialect as platform and as group, and the device's fields as data, so that
    ``nr.filter(dialect="ietf")`` works. ``task.host.get_connection("secloop_netconf", task.nornir.config)`` is a
    :class:`~secloop_ai.netconf.Session`.

    Args:
        environment: the network.
        passwords: device name → password, where one is needed.
        workers: devices worked on side by side.
    """
    return build_nornir(environment.devices, passwords or {}, runner=ThreadedRunner(num_workers=max(1, workers)))


def build_nornir(
    devices: Iterable[Device],
    passwords: Passwords,
    *,
    runner: RunnerPlugin,
    paces: Mapping[str, Pace] | None = None,
    timings: Mapping[str, dict[str, float]] | None = None,
) -> Nornir:
    """A Nornir of its own state over the devices; `paces` and `timings` are handed to every session of a device."""
    ConnectionPluginRegister.register(CONNECTION, NetconfConnection)
    groups: dict[str, Group] = {}
    hosts = {}
    for device in devices:
        group = groups.setdefault(device.dialect, Group(name=device.dialect, platform=device.dialect))
        extras: dict[str, Any] = {"device": device, "password": passwords.get(device.name)}
        if paces is not None:
            extras["pace"] = paces[device.name]
        if timings is not None:
            extras["timings_ms"] = timings[device.name]
        hosts[device.name] = _host(device, group, extras)
    return Nornir(
        inventory=Inventory(hosts=Hosts(hosts), groups=Groups(groups), defaults=Defaults()),
        config=Config(logging=LoggingConfig(enabled=False)),
        data=GlobalState(),
        runner=runner,
    )


def take_failed(nornir: Nornir) -> tuple[str, ...]:
    """Names of the hosts that failed since this was last asked, sorted; from now on they are asked again.

    Nornir would leave them out of every later run of this Nornir, and of those filtered from it.
    """
    failed = tuple(sorted(nornir.data.failed_hosts))
    nornir.data.reset_failed_hosts()
    return failed


def _host(device: Device, group: Group, extras: dict[str, Any]) -> Host:
    where = device.connection
    return Host(
        name=device.name,
        hostname=where.address,
        port=where.port,
        username=where.user,
        platform=device.dialect,
        groups=ParentGroups([group]),
        data=device.model_dump(mode="json", exclude={"name", "connection"}),
        connection_options={CONNECTION: ConnectionOptions(extras=extras)},
    )
