"""What the lab writes, checked without building one."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest
import yaml

from labs.lab import inventory, network, requirements, yang
from labs.lab.paths import RunPaths
from labs.lab.state import LabState, load
from labs.lab.topology import PORTS, management_subnet, namespace, port_of
from labs.setup import packages, sources
from secloop_ai.contracts.errors import LabError

CLAB = Path(yang.__file__).resolve().parents[1] / "containerlab"


def test_gateway_batch_names_every_port_and_far_end() -> None:
    lines = network.gateway_batch("lab0").splitlines()
    assert "link add ge0 type veth peer name eth0 netns sl-lab0-attacker" in lines
    assert "addr add 192.0.2.129/25 dev ge3" in lines
    assert sum(line.endswith(" nodad") for line in lines) == len(PORTS)


def test_host_batch() -> None:
    assert network.host_batch(port_of("client")) == (
        "link set lo up\n"
        "addr add 198.51.100.10/24 dev eth0\n"
        "addr add 2001:db8:10::10/64 dev eth0 nodad\n"
        "link set eth0 up\n"
        "route add default via 198.51.100.1\n"
        "route add default via 2001:db8:10::1\n"
    )


@pytest.mark.parametrize("name", ["", "Lab", "0lab", "a-b", "a" * 13, "../x"])
def test_bad_lab_names(name: str) -> None:
    with pytest.raises(LabError, match="lab name"):
        namespace(name, "gw")


def test_unknown_host() -> None:
    with pytest.raises(LabError, match="no host 'db'"):
        namespace("lab0", "db")


def test_run_dir_too_long_for_a_socket() -> None:
    with pytest.raises(LabError, match="shorter run directory"):
        RunPaths(root=Path("/") / ("x" * 120)).checked()


def test_inventory_holds_the_network_but_not_the_attacker(tmp_path: Path) -> None:
    paths = RunPaths(root=tmp_path / "run")
    texts = inventory.targets("lab0", 7, paths, tmp_path / "inv")
    whole = "".join(texts.values())
    assert str(port_of("attacker").host_v4.ip) not in whole
    device = yaml.safe_load(texts[tmp_path / "inv/host_vars/gw1.yaml"])
    assert device["ansible_host"] == str(management_subnet(7)[2])
    assert device["secloop_device"]["interfaces"]["mgmt0"]["management"] is True
    client = yaml.safe_load(texts[tmp_path / "inv/host_vars/client1.yaml"])["secloop_host"]
    assert client["probe"] == {"via": "netns", "netns": "sl-lab0-client"}


def test_inventory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "hosts.yaml").write_text("all: {}\n", encoding="utf-8")
    with pytest.raises(LabError, match="somebody else"):
        inventory.targets("lab0", 0, RunPaths(root=tmp_path), tmp_path)


def test_state_is_read_back(tmp_path: Path) -> None:
    state = LabState(name="lab0", run_dir=str(tmp_path), namespaces=("sl-lab0-gw",), index=3).save()
    assert load(tmp_path) == state
    (tmp_path / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(LabError, match="not the record of a lab"):
        load(tmp_path)


def test_acl_module_is_edited_in_exactly_the_known_places() -> None:
    text = (yang.module_dir() / f"{yang.ACL}.yang").read_text(encoding="utf-8")
    fitted = yang.fit_acl_module(text)
    assert "derived-from-or-self(/acls/acl/type" not in fitted
    assert """when "contains(../../../../type, 'ipv6')";""" in fitted
    assert (
        '    if-feature "match-on-eth";\n    if-feature "match-on-ipv4";\n    if-feature "match-on-ipv6";\n' in fitted
    )
    with pytest.raises(LabError, match="differs from RFC 8519"):
        yang.fit_acl_module(fitted)


def test_every_missing_thing_names_a_package_that_the_installer_knows() -> None:
    brought = {package for _, package in (*requirements.PROGRAMS, *requirements.FILES)}
    assert brought == set(requirements.PACKAGES)


DEB822 = """\
Types: deb deb-src
# a snapshot
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""


def test_backports_come_from_the_mirror_in_use() -> None:
    found = tuple(sources.from_deb822(DEB822))
    assert [s.suite for s in found] == ["bookworm", "bookworm-updates"]
    assert found[0].components == ("main", "contrib")
    extra = sources.backports(found, "bookworm")
    assert extra is not None
    assert sources.as_line(extra) == (
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
        "http://mirror.example/debian bookworm-backports main\n"
    )


def test_backports_of_one_line_sources() -> None:
    off, other = "# deb http://y/ bookworm main", "deb-src http://x/ bookworm main"
    text = f"{other}\n{off}\ndeb [arch=amd64] http://z/ bookworm main # ours\n"
    found = tuple(sources.from_list(text))
    assert found == (sources.Source("http://z/", "bookworm", ("main",)),)
    assert sources.backports(found, "bookworm") == sources.Source("http://z/", "bookworm-backports", ("main",))


def test_no_backports_where_they_are_configured_or_unknown() -> None:
    there = (sources.Source("u", "bookworm", ("main",)), sources.Source("u", "bookworm-backports", ("main",)))
    assert sources.backports(there, "bookworm") is None
    assert sources.backports(there[:1], "trixie") is None
    assert sources.backports(there[:1], "") is None


def test_apt_files_of_both_kinds_are_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://z/ bookworm main\n", encoding="utf-8")
    (tmp_path / "sources.list.d/a.sources").write_text(DEB822, encoding="utf-8")
    assert [s.uri for s in sources.configured(tmp_path)] == ["http://z/", *["http://mirror.example/debian"] * 2]


def test_installer_without_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(packages, "CONTAINER_SIGNS", ())
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(packages.Refused, match=r"needs root|no apt") as refused:
        packages.may_install(yes=True)
    assert refused.value.code in {packages.EXIT_NO_ROOT, packages.EXIT_NO_APT}


def test_containerlab_is_the_same_network() -> None:
    topology = yaml.safe_load((CLAB / "secloop.clab.yml").read_text(encoding="utf-8"))["topology"]
    ends = {tuple(link["endpoints"]) for link in topology["links"]}
    config = (CLAB / "gw1.cfg").read_text(encoding="utf-8")
    device = yaml.safe_load((CLAB / "inventory/host_vars/gw1.yaml").read_text(encoding="utf-8"))["secloop_device"]
    for number, port in enumerate(PORTS, start=1):
        assert (f"gw1:e1-{number}", f"{port.host}:eth1") in ends
        commands = topology["nodes"][port.host]["exec"]
        assert {f"ip addr add {a} dev eth1" for a in (port.host_v4, port.host_v6)} <= set(commands)
        gateways = {ip_address(c.split()[-1]) for c in commands if "route add" in c}
        assert gateways == {port.v4.ip, port.v6.ip}
        assert f"ethernet-1/{number} subinterface 0 ipv4 address {port.v4}" in config
        assert f"ethernet-1/{number} subinterface 0 ipv6 address {port.v6}" in config
        said = device["interfaces"][f"ethernet-1/{number}"]
        assert [ip_interface(a) for a in said["addresses"]] == [port.v4, port.v6]
        assert (said["zone"], said["networks"]) == (port.zone, [str(n) for n in port.networks])
