"""The live state of devices: hello and running configuration, read side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pydantic import SecretStr

from secloop_ai.contracts import AlertSummary, Device, DeviceError, Environment
from secloop_ai.dialects import dialect

from .plan import Running

Read = dict[str, Running]


def on_path(summaries: Iterable[AlertSummary], environment: Environment) -> tuple[str, ...]:
    """Devices that traffic of these alerts enters by, or that its ends hang on: the only ones worth asking."""
    found = {
        device.name
        for summary in summaries
        for address in (summary.source, summary.destination)
        for device, _ in environment.entries_for(address)
    }
    return tuple(sorted(found))


def read_running(
    devices: Sequence[Device], passwords: Mapping[str, SecretStr], *, concurrency: int
) -> tuple[Read, dict[str, DeviceError]]:
    """What each device holds now; those that did not answer, with why. Changes nothing on a device."""
    found: Read = {}
    failed: dict[str, DeviceError] = {}

    def read(device: Device) -> Running | DeviceError:
        try:
            return _read(device, passwords.get(device.name))
        except DeviceError as error:
            return error

    with ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(devices)))) as pool:
        for device, result in zip(devices, pool.map(read, devices), strict=True):
            if isinstance(result, DeviceError):
                failed[device.name] = result
            else:
                found[device.name] = result
    return found, failed


def _read(device: Device, password: SecretStr | None) -> Running:
    from secloop_ai.netconf import open_session

    spoken = dialect(device.dialect)
    session = open_session(device, password)
    try:
        return Running(session.get_config("running", spoken.read_filter()), frozenset(session.capabilities))
    finally:
        session.close()


def with_offers(environment: Environment, running: Mapping[str, Running]) -> Environment:
    """The Environment with what the devices' hellos cannot take: an action no device offers is not offered."""
    refusals: dict[str, list[str]] = {}
    for name, state in running.items():
        device = environment.device(name)
        offers = dialect(device.dialect).not_offered(state.capabilities) if device else {}
        for action, reason in offers.items():
            refusals.setdefault(action, []).append(f"{name}: {reason}")
    nowhere = {a: "; ".join(r) for a, r in refusals.items() if len(r) == len(running)}
    return environment.model_copy(update={"not_offered": {**nowhere, **environment.not_offered}})
