"""Other shapes than the office: more gateways, servers of the attacker's own, many clones at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labs.attacks.registry import means
from labs.battlefield import Battlefield, standing
from labs.scenario import Scenario, load_scenario
from secloop_ai.loop.watch import Watch

from .support import ROOT, leftovers, needs_lab, office

pytestmark = needs_lab
CAMPUS = Path(__file__).with_name("campus.yaml")
ANOTHER = """
import sys
from pathlib import Path
from labs.battlefield import Battlefield
from labs.scenario import load_scenario
for seed in range(3):
    with Battlefield.clone(load_scenario(Path(sys.argv[1])), seed) as field:
        print(field.index, len(field.snapshot()))
"""


def campus() -> Scenario:
    return load_scenario(CAMPUS)


@pytest.fixture(scope="module")
def wide() -> Iterator[Battlefield]:
    with Battlefield.clone(campus(), 1) as made:
        yield made


def test_three_gateways_in_a_row(wide: Battlefield) -> None:
    assert sorted(wide.snapshot()) == ["edge", "inner", "middle"]
    with Watch(wide.environment) as watch:
        watch.wait(rounds=2, timeout_s=10)
        results = watch.results()
    assert {r.client for r in results} == {f.client for f in wide.case.flows if f.service == "http"}
    assert all(r.tries and not r.failures for r in results), results
    flow = next(f for f in wide.case.flows if f.service == "dns")
    asked = wide.exec(flow.client, ["dig", "+time=2", "+tries=1", f"@{flow.packet.destination}", "www.house.example"])
    assert "status: " in asked.stdout


def test_an_implant_reaches_its_server_outside(wide: Battlefield) -> None:
    stage = wide.case.stages[0]
    assert stage.source_host == wide.case.names["old"]
    receipt = means(stage.means).run(wide.red(stage), stage)
    assert receipt.succeeded, receipt
    assert receipt.canary == wide.red(stage).canary(stage)


def test_neighbours_on_a_switch_reach_each_other_without_the_gateway(wide: Battlefield) -> None:
    one, other = (h for h in wide.environment.hosts if h.role == "client" and h.zone == "hall")
    assert wide.exec(one.name, ["ping", "-c", "1", "-W", "2", str(other.addresses[0])]).returncode == 0
    assert str(other.addresses[0]) in wide.exec(one.name, ["ip", "neigh"]).stdout


def test_clones_side_by_side_do_not_meet() -> None:
    fields = [Battlefield.clone(office(), seed) for seed in (1, 1, 2, 3)]
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Battlefield.up, fields))
        records = [f._record for f in fields if f._record]
        assert len({f.index for f in fields}) == 4
        assert len({d.connection.address for f in fields for d in f.environment.devices}) == 8
        assert fields[0].snapshot() == fields[1].snapshot()
        for field in fields:
            with Watch(field.environment) as watch:
                watch.wait(rounds=1, timeout_s=10)
                assert all(r.tries and not r.failures for r in watch.results())
    finally:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Battlefield.down, fields))
    assert [leftovers(r) for r in records] == [[]] * 4


def test_two_makers_at_once() -> None:
    argv = [sys.executable, "-c", ANOTHER, str(ROOT / "tests/scenario/office.yaml")]
    makers = [subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [maker.communicate(timeout=120)[0].split() for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0]
    assert all(words[1::2] == ["2"] * 3 for words in said)
    assert not {r.owner for r in standing()} & {maker.pid for maker in makers}
