"""The Environment of a live battlefield: the case's own, with real connections, service checks and probes."""

from __future__ import annotations

from collections.abc import Mapping

from labs.lab.topology import NETCONF_PORT, NETCONF_USER
from secloop_ai.contracts import (
    BannerCheck,
    Connection,
    Device,
    Environment,
    Host,
    HttpCheck,
    Interface,
    ProbeVantage,
    Service,
    ServiceCheck,
    TcpCheck,
)

from .atlas import MANAGEMENT_PORT, Atlas
from .gateway import Keys
from .services import Place, Serving

HTTP_KINDS = frozenset({"http", "tomcat", "jenkins", "nextjs", "vite"})
BANNERS = {"ssh": "SSH-", "ftp": "220", "smtp": "220", "vnc": "RFB "}
RPC_TIMEOUT_S = 15.0


def describe(atlas: Atlas, kinds: Mapping[Place, Serving], keys: Keys) -> Environment:
    """What SecLoop is told about the running battlefield. Nothing of it comes from the attack."""
    case = atlas.case.environment
    return case.model_copy(
        update={
            "devices": tuple(_device(atlas, d, keys) for d in case.devices),
            "hosts": tuple(_host(atlas, h, kinds) for h in case.hosts),
            "protected": (*case.protected, *(m.device.network for m in atlas.management.values())),
        }
    )


def _device(atlas: Atlas, device: Device, keys: Keys) -> Device:
    management = atlas.management[device.name]
    port = Interface(
        name=MANAGEMENT_PORT, zone="management", addresses=(management.device,), networks=(), management=True
    )
    own = tuple(i for i in device.interfaces if not i.management)
    connection = Connection(
        address=str(management.device.ip),
        port=NETCONF_PORT,
        user=NETCONF_USER,
        key_file=str(keys.login),
        known_hosts=str(keys.known_hosts),
        timeout_s=RPC_TIMEOUT_S,
    )
    return device.model_copy(update={"interfaces": (*own, port), "connection": connection})


def _host(atlas: Atlas, host: Host, kinds: Mapping[Place, Serving]) -> Host:
    services = tuple(_service(s, kinds.get((host.name, s.name))) for s in host.services)
    probe = ProbeVantage(via="netns", netns=atlas.nodes[host.name].netns)
    return host.model_copy(update={"services": services, "probe": probe})


def _service(service: Service, serving: Serving | None) -> Service:
    kind = serving.kind if serving else service.name
    return service.model_copy(update={"check": _check(kind)}) if service.protocol == "tcp" else service


def _check(kind: str) -> ServiceCheck:
    if kind in HTTP_KINDS:
        return HttpCheck()
    return BannerCheck(expect=BANNERS[kind]) if kind in BANNERS else TcpCheck()
