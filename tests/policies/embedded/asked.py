"""Requests of every size and oddity, and models too small to be right about anything."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

import numpy as np

from secloop_ai.contracts import CATALOGUE, AlertSummary, Attachment, Environment, Host, HostAccess, PolicyRequest
from secloop_ai.loop.decide import build_request
from secloop_ai.policies.embedded.network import Network, Shape
from secloop_ai.policies.embedded.vocabulary import words
from secloop_ai.policies.examples import example
from tests.policies.samples import ATTACKER6, WEB, WEB6, environment, summary, with_access

EVERYTHING = tuple(map(ip_network, ("0.0.0.0/0", "::/0")))
BUT_OBSERVE = {name: "not here" for name in CATALOGUE if name != "observe"}


def tiny(seed: int = 0, *, positions: int = 512) -> Network:
    """One block of eight numbers a word."""
    dice = np.random.default_rng(seed)
    shape = Shape(
        layers=1, hidden=8, heads=2, middle=8, words=len(words()), positions=positions, epsilon=1e-5, theta=1e4
    )

    def drawn(*size: int) -> Any:
        return dice.normal(0, 1, size).astype(np.float32)

    at = "model.layers.0."
    found = {"model.embed_tokens.weight": drawn(shape.words, 8), "model.norm.weight": drawn(8)}
    found |= {f"{at}self_attn.{x}_proj.weight": drawn(8, 8) for x in "qkvo"}
    found |= {f"{at}mlp.{x}_proj.weight": drawn(8, 8) for x in ("gate", "up", "down")}
    found |= {f"{at}{x}_layernorm.weight": drawn(8) for x in ("input", "post_attention")}
    return Network(shape, found)


def odd() -> dict[str, PolicyRequest]:
    """Requests at the edges, by what is odd about them."""
    some = tuple(summary(f"203.0.113.{n}", port=n, signature_id=n) for n in range(1, 65))
    six = summary(ATTACKER6, WEB6, 80, app_protocol="http", techniques=("T1190",))
    two = summary(WEB6, ATTACKER6, 443)
    resolverless = with_access(hosts=tuple(_resolverless(with_access().hosts)))
    strange = summary("192.0.2.1", "192.0.2.2", 9, domains=("a.example", "b.example"))
    return {
        "no alert": build_request((), environment()),
        "no alert and no network": build_request((), Environment()),
        "64 alerts": build_request(some, with_access()),
        "200 hosts": build_request(some[:8], _crowd(200)),
        "IPv6": build_request((six, two), with_access()),
        "both families": build_request((summary(), six), with_access()),
        "only observe": build_request(some[:3], environment(not_offered=BUT_OBSERVE)),
        "all protected": build_request(some[:3], with_access(protected=EVERYTHING)),
        "a network of strangers": build_request((strange,), environment(devices=(), hosts=())),
        "one end is both": build_request((summary(WEB, WEB),), environment(devices=(), hosts=())),
        "an action in hand": build_request((summary(),), with_access(max_actions=1)),
        "no end of actions": build_request((summary(), six), with_access(max_actions=1000)),
        "a sinkhole on no resolver": build_request((strange,), resolverless),
    }


def _crowd(count: int) -> Environment:
    base = with_access()
    more = (
        Host(
            name=f"h{n}",
            addresses=(ip_address("10.0.1.0") + 256 * (n // 200) + 100 + n % 100,),
            attached_to=Attachment(device="gw", interface="dmz0"),
            services=base.hosts[-1].services,
            access=base.hosts[-1].access,
        )
        for n in range(count)
    )
    return base.model_copy(update={"hosts": (*base.hosts, *more)})


def _resolverless(hosts: Iterable[Host]) -> Iterable[Host]:
    """One host that answers names, and one that only says that it could be told to forget them."""
    for host in hosts:
        if host.name == "web":
            yield host.model_copy(update={"access": HostAccess(actions=("dns_sinkhole", "close_port"))})
        else:
            yield host


def drawn(seeds: Iterable[int]) -> list[PolicyRequest]:
    """Drawn incidents: few and many alerts, hosts, devices and actions allowed."""
    found = []
    for seed in seeds:
        made = example(seed, summaries=1 + seed % 12, hosts=seed % 9 * 4, devices=1 + seed % 5)
        network = made.environment.model_copy(update={"max_actions": 1 + seed % 3})
        found.append(build_request(made.summaries, network))
    return found


def shuffled(found: PolicyRequest, order: Iterable[int]) -> tuple[AlertSummary, ...]:
    """The summaries of a request in another order."""
    return tuple(found.summaries[n] for n in order)
