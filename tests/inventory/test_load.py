from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

import pytest

from secloop_ai.contracts import (
    Attachment,
    BannerCheck,
    Connection,
    Criticality,
    Device,
    Host,
    HttpCheck,
    Interface,
    InventoryError,
    ProbeVantage,
    Service,
    TcpCheck,
)
from secloop_ai.inventory import load_environment, start
from tests.inventory.tree import GOOD, HOSTS_YML, R1_YML, write


def test_a_small_inventory_becomes_devices_hosts_and_services(tmp_path: Path) -> None:
    environment = load_environment([write(tmp_path / "inv", GOOD)])

    r1 = Device(
        name="r1",
        dialect="ietf",
        connection=Connection(address="192.0.2.250", port=830, timeout_s=30.0),
        interfaces=(
            Interface(name="ge0", zone="inside", addresses=(ip_interface("198.51.100.1/24"),)),
            Interface(name="ge1", addresses=(ip_interface("203.0.113.1/24"),)),
        ),
    )
    web = Host(
        name="web",
        addresses=(ip_address("198.51.100.10"),),
        attached_to=Attachment(device="r1", interface="ge0"),
        services=(Service(name="ssh", port=22, clients=("pc",)),),
    )
    assert environment.devices == (r1,)
    assert environment.hosts == (web, Host(name="pc", addresses=(ip_address("203.0.113.7"),)))
    assert (environment.max_prefix_v4, environment.max_prefix_v6, environment.max_actions) == (32, 64, 8)


EVERY_KEY = {
    "hosts.yml": HOSTS_YML,
    "host_vars/r1.yml": """\
        ansible_host: r1.example.net
        ansible_port: 8300
        ansible_user: netops
        ansible_ssh_private_key_file: keys/r1
        secloop_device:
          dialect: other
          known_hosts: ~/known
          verify_host_key: false
          timeout_s: 2.5
          lock_running: true
          interfaces:
            ge-0/0/1.7:
              zone: z
              addresses: [192.0.2.1/24]
              networks: [203.0.113.0/24, 198.51.100.9]
              management: true
        """,
    "host_vars/web.yml": """\
        secloop_host:
          addresses: [198.51.100.10, 198.51.100.11]
          zone: dmz
          role: server
          attached_to: {device: r1, interface: ge-0/0/1.7}
          criticality: high
          probe: {via: netns, netns: blue-1}
          services:
            - {name: a, port: 80, check: {type: http, path: /x, expect_status: 204}, criticality: low}
            - {name: b, port: 22, check: {type: banner, expect: SSH-2}, clients: [web, 203.0.113.0/24]}
            - {name: c, port: 25, check: {type: tcp}}
            - {name: d, port: 53, protocol: udp}
        """,
    "host_vars/pc.yml": "secloop_host: {probe: {via: ssh}}\n",
}


def test_every_key_of_the_schema_arrives(tmp_path: Path) -> None:
    source = write(tmp_path / "inv", EVERY_KEY)
    environment = load_environment([source])

    assert environment.device("r1") == Device(
        name="r1",
        dialect="other",
        connection=Connection(
            address="r1.example.net",
            port=8300,
            user="netops",
            key_file=f"{source}/keys/r1",
            known_hosts=str(tmp_path / "elsewhere" / "known"),
            verify_host_key=False,
            timeout_s=2.5,
        ),
        interfaces=(
            Interface(
                name="ge-0/0/1.7",
                zone="z",
                addresses=(ip_interface("192.0.2.1/24"),),
                networks=(ip_network("203.0.113.0/24"), ip_network("198.51.100.9/32")),
                management=True,
            ),
        ),
        lock_running=True,
    )
    web = environment.host("web")
    assert web is not None
    assert web.probe == ProbeVantage(via="netns", netns="blue-1")
    assert (web.zone, web.role, web.criticality) == ("dmz", "server", Criticality.HIGH)
    assert web.addresses == (ip_address("198.51.100.10"), ip_address("198.51.100.11"))
    assert [s.check for s in web.services] == [
        HttpCheck(path="/x", expect_status=204),
        BannerCheck(expect="SSH-2"),
        TcpCheck(),
        None,
    ]
    assert [s.protocol for s in web.services] == ["tcp", "tcp", "tcp", "udp"]
    assert web.services[1].clients == ("web", ip_network("203.0.113.0/24"))
    pc = environment.host("pc")
    assert pc is not None
    assert pc.probe == ProbeVantage(via="ssh", address="203.0.113.7")


def test_ipv6_everywhere(tmp_path: Path) -> None:
    files = {
        "hosts.yml": """\
            all:
              vars:
                secloop_protected: ["2001:db8:9::/48", gone]
              hosts:
                gone: {ansible_host: "2001:db8::99"}
              children:
                secloop_devices:
                  hosts:
                    r1:
                      ansible_host: "[2001:db8:ff::1]"
                      secloop_device:
                        dialect: ietf
                        interfaces:
                          ge0: {addresses: ["2001:db8::1/64", "fe80::1/64"], networks: ["2001:db8:7::/48"]}
                          ge1: {addresses: ["2001:db8:0:1::1/64", "fe80::1/64"]}
                          mgmt: {addresses: ["2001:db8:ff::1/64"], management: true}
                secloop_hosts:
                  hosts:
                    web:
                      ansible_host: "2001:db8::10"
                      secloop_host: {services: [{name: www, port: 80, clients: ["2001:db8:0:1::/64", "::/0"]}]}
            """
    }
    environment = load_environment([write(tmp_path, files)])

    assert environment.devices[0].connection.address == "2001:db8:ff::1"
    web = environment.host_at(ip_address("2001:db8::10"))
    assert web is not None
    assert web.services[0].clients == (ip_network("2001:db8:0:1::/64"), ip_network("::/0"))
    assert [str(n) for n in environment.protected] == [
        "2001:db8::1/128",
        "2001:db8::99/128",
        "2001:db8:0:1::1/128",
        "2001:db8:9::/48",
        "2001:db8:ff::1/128",
        "fe80::1/128",
    ]


def test_protected_is_the_union_of_all_hosts_lists_and_the_devices_own_addresses(tmp_path: Path) -> None:
    files = {
        **GOOD,
        "group_vars/secloop_hosts.yml": "secloop_protected: [pc, 10.9.0.0/16]\n",
        "host_vars/r1.yml": R1_YML + "secloop_protected: [192.0.2.1, web]\n",
    }
    environment = load_environment([write(tmp_path, files)])
    assert [str(n) for n in environment.protected] == [
        "10.9.0.0/16",
        "192.0.2.1/32",
        "192.0.2.250/32",
        "198.51.100.1/32",
        "198.51.100.10/32",
        "203.0.113.1/32",
        "203.0.113.7/32",
    ]


def test_limits_come_from_any_group(tmp_path: Path) -> None:
    files = {**GOOD, "group_vars/secloop_hosts.yml": "secloop_limits: {max_prefix_v4: 24, max_actions: 3}\n"}
    environment = load_environment([write(tmp_path, files)])
    assert (environment.max_prefix_v4, environment.max_prefix_v6, environment.max_actions) == (24, 64, 3)


def test_a_member_of_secloop_hosts_needs_only_an_address(tmp_path: Path) -> None:
    text = "[secloop_hosts]\n192.0.2.9\nnamed ansible_host=192.0.2.8\n"
    environment = load_environment([write(tmp_path, {"hosts": text})])
    assert [(h.name, [str(a) for a in h.addresses]) for h in environment.hosts] == [
        ("192.0.2.9", ["192.0.2.9"]),
        ("named", ["192.0.2.8"]),
    ]


def test_an_unknown_dialect_is_judged_only_where_the_caller_knows_them(tmp_path: Path) -> None:
    source = write(tmp_path, {**GOOD, "host_vars/r1.yml": R1_YML.replace("ietf", "itef")})
    assert load_environment([source]).devices[0].dialect == "itef"
    with pytest.raises(InventoryError, match=r"r1.yml:2: r1: secloop_device.dialect: unknown dialect 'itef' ") as error:
        load_environment([source], known_dialects=["ietf", "cisco"])
    assert str(error.value).endswith("(known: cisco, ietf; did you mean 'ietf'?)")


def test_a_reading_started_early_gives_the_same_environment(tmp_path: Path) -> None:
    source = write(tmp_path, GOOD)
    reading = start([source])
    assert load_environment(reading) == load_environment([source])


def test_the_same_inventory_has_the_same_digest_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "inv", GOOD)
    write(tmp_path / "other", {"group_vars/all.yml": "secloop_protected: [192.0.2.77]\n"})
    before = load_environment([source]).digest()
    monkeypatch.chdir(tmp_path / "other")  # group_vars beside the working directory are not the inventory's
    assert load_environment(["../inv/hosts.yml"]).digest() == before


def test_an_inventory_of_hosts_alone_is_fine(tmp_path: Path) -> None:
    environment = load_environment([write(tmp_path, {"hosts.yml": HOSTS_YML.replace("secloop_devices", "routers")})])
    assert environment.devices == ()
    assert len(environment.hosts) == 2
