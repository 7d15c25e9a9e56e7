"""Actions and strategies for the guard's tests, well grounded or wild."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from hypothesis import strategies as st

from secloop_ai.contracts import (
    RATES_BYTES_PER_S,
    Action,
    AlertSummary,
    BaseAction,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    ClosePort,
    DisableAccount,
    DnsSinkhole,
    Environment,
    HardenKernel,
    IsolateHost,
    Observe,
    ObserveReason,
    PolicyRequest,
    RateLimit,
    Refusal,
    RestrictService,
    SecureSshd,
    ShutdownPort,
    StopProcess,
    Strategy,
)
from secloop_ai.guard import review
from tests.policies.samples import ATTACKER, ATTACKER6, CLIENT, DB, DNS, GATEWAY, PC, SCANNER, WEB, WEB6, request

TTL = 3600


def block_ip(source: str = ATTACKER) -> BlockIp:
    return BlockIp(ttl_s=TTL, source=ip_network(source))


def block_flow(source: str = ATTACKER, destination: str = WEB, port: int = 22, **more: Any) -> BlockFlow:
    fields: dict[str, Any] = {"protocol": "tcp"} | more
    return BlockFlow(ttl_s=TTL, source=ip_network(source), destination=ip_address(destination), port=port, **fields)


def rate_limit(destination: str = WEB, port: int = 22, **more: Any) -> RateLimit:
    fields: dict[str, Any] = {"protocol": "tcp"} | more
    return RateLimit(
        ttl_s=TTL, destination=ip_address(destination), port=port, rate_bytes_per_s=RATES_BYTES_PER_S[0], **fields
    )


def isolate(host: str) -> IsolateHost:
    return IsolateHost(ttl_s=TTL, host=host)


def restrict(host: str = "web", service: str = "ssh") -> RestrictService:
    return RestrictService(ttl_s=TTL, host=host, service=service)


def blackhole(destination: str = ATTACKER, device: str = "gw") -> BlackholeRoute:
    return BlackholeRoute(ttl_s=TTL, destination=ip_network(destination), device=device)


def shutdown(interface: str = "lan1", device: str = "gw") -> ShutdownPort:
    return ShutdownPort(ttl_s=TTL, device=device, interface=interface)


def close_port(host: str = "web", port: int = 22, protocol: Any = "tcp") -> ClosePort:
    return ClosePort(ttl_s=TTL, host=host, protocol=protocol, port=port)


def stop(process: str = "ssh", host: str = "web") -> StopProcess:
    return StopProcess(ttl_s=TTL, host=host, process=process)


def lock(account: str = "operator", host: str = "web") -> DisableAccount:
    return DisableAccount(ttl_s=TTL, host=host, account=account)


def sinkhole(name: str = "t.lure.example", host: str = "dns") -> DnsSinkhole:
    return DnsSinkhole(ttl_s=TTL, host=host, name=name)


def sshd(host: str = "web") -> SecureSshd:
    return SecureSshd(ttl_s=TTL, host=host)


def kernel(host: str = "web") -> HardenKernel:
    return HardenKernel(ttl_s=TTL, host=host)


def observe(reason: ObserveReason = ObserveReason.FALSE_ALARM) -> Observe:
    return Observe(ttl_s=TTL, reason=reason)


def strategy(actions: tuple[Action, ...], asked: PolicyRequest, evidence: tuple[str, ...] | None = None) -> Strategy:
    """A strategy whose evidence is the whole request unless told otherwise."""
    ids = tuple(s.summary_id for s in asked.summaries) if evidence is None else evidence
    return Strategy(actions=actions, evidence=ids, policy="test")


def refusals(*actions: Action, seen: tuple[AlertSummary, ...], env: Environment | None = None) -> tuple[Refusal, ...]:
    asked = request(*seen, env=env)
    return review(strategy(actions, asked), asked).refusals


_NETS = (
    *(f"{a}/32" for a in (ATTACKER, CLIENT, WEB, DB, DNS, PC, SCANNER, GATEWAY, "172.16.0.9", "9.9.9.9", "8.8.8.8")),
    "203.0.113.0/24", "10.0.1.0/24", "10.0.0.0/16", "10.0.3.0/30", "0.0.0.0/0", f"{ATTACKER6}/128", f"{WEB6}/128",
    "2001:db8:1::/64", "::ffff:10.0.1.53/128",
)  # fmt: skip
_HOSTS = ("admin", "client", "db", "dns", "pc", "scanner", "web", "nobody")
_PORTS = st.sampled_from((22, 23, 53, 80, 443, 3306, 6379, 50123))


@st.composite
def _flow(draw: st.DrawFn) -> BlockFlow:
    source = draw(st.sampled_from(_NETS))
    four = ip_network(source).version == 4
    destination = draw(st.sampled_from((ATTACKER, WEB, DB, DNS, PC, "8.8.8.8") if four else (ATTACKER6, WEB6)))
    return block_flow(source, destination, draw(_PORTS), protocol=draw(st.sampled_from(("tcp", "udp"))))


def any_action() -> st.SearchStrategy[Action]:
    """Any well-formed action about this network or another."""
    nets, hosts = st.sampled_from(_NETS), st.sampled_from(_HOSTS)
    ports = st.sampled_from(("mgmt0", "wan0", "dmz0", "lan0", "lan1", "lan9"))
    return st.one_of(
        nets.map(block_ip),
        _flow(),
        st.builds(rate_limit, st.sampled_from((WEB, DB, DNS, PC, ATTACKER)), _PORTS),
        hosts.map(isolate),
        st.builds(restrict, hosts, st.sampled_from(("http", "ssh", "telnet", "redis", "mysql", "dns"))),
        st.builds(blackhole, nets, st.sampled_from(("gw", "other"))),
        ports.map(shutdown),
        st.builds(observe, st.sampled_from(ObserveReason)),
        host_action(),
    )


def host_action() -> st.SearchStrategy[Action]:
    """Any host action about this network."""
    hosts = st.sampled_from(_HOSTS)
    return st.one_of(
        st.builds(close_port, hosts, _PORTS, st.sampled_from(("tcp", "udp"))),
        st.builds(stop, st.sampled_from(("http", "ssh", "telnet", "cron", "redis", "mysql", "dns", "init")), hosts),
        st.builds(lock, st.sampled_from(("operator", "backup", "dba", "p.moss", "root")), hosts),
        st.builds(sinkhole, st.sampled_from(("t.lure.example", "a.example", "lure.example")), hosts),
        hosts.map(sshd),
        hosts.map(kernel),
    )


@st.composite
def fitting_action(draw: st.DrawFn, seen: list[AlertSummary]) -> Action:
    """An action on what one of the alerts names: about the best a policy can do, right or wrong."""
    one = draw(st.sampled_from(seen))
    ends = [str(one.source), str(one.destination)]
    first, second = ends if draw(st.booleans()) else ends[::-1]
    at = draw(st.sampled_from(_HOSTS))
    port = one.destination_port or draw(_PORTS)
    protocol = one.protocol.value if one.protocol.value in {"tcp", "udp"} else "tcp"
    services = ("http", "ssh", "telnet", "redis", "mysql", "dns")
    kinds: list[Action] = [
        block_ip(first),
        block_flow(first, second, port, protocol=protocol),
        rate_limit(second, port, protocol=protocol),
        isolate(at),
        restrict(at, draw(st.sampled_from(services))),
        blackhole(first),
        shutdown(draw(st.sampled_from(("wan0", "dmz0", "lan0", "lan1", "mgmt0")))),
        close_port(at, port, protocol),
        draw(host_action()),
    ]
    return draw(st.sampled_from(kinds))


def _made(made: type[BaseAction], /, **fields: Any) -> Any:
    """An action past all validation."""
    return made.model_construct(**fields)


def forged() -> list[Any]:
    """Actions that no parser would have let through."""
    return [
        _made(BlockIp, kind="block_ip", source=ip_network(ATTACKER)),
        _made(BlockIp, kind="block_ip", ttl_s=TTL),
        _made(BlockIp, kind="block_ip", ttl_s=TTL, source="any"),
        _made(BlockIp, kind="isolate_host", ttl_s=TTL, source=ip_network(ATTACKER)),
        _made(BlockIp, kind="block_ip", ttl_s=10**9, source=ip_network(ATTACKER)),
        _made(IsolateHost, kind="isolate_host", ttl_s=TTL, host="web; reboot"),
        _made(
            RateLimit,
            kind="rate_limit",
            ttl_s=TTL,
            destination=ip_address(WEB),
            protocol="tcp",
            port=22,
            rate_bytes_per_s=0,
        ),
        _made(StopProcess, kind="{{ 1 }}", ttl_s=TTL, host="web", process="x"),
        "block everything",
        None,
    ]
