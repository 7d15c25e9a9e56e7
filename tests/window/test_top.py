"""`secloop lab top`: a frame fits its terminal and says what is so; the case that was looked at is followed."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from labs.window import top
from labs.window.frame import LEAST_HEIGHT, LEAST_WIDTH, figure, frame
from labs.window.lookout import Lookout
from labs.window.status import ProbeState
from labs.window.view import AlertRow, MitigationRow, PortRow, StageRow, View

ALERT = AlertRow(
    signature_id=9000001,
    name="SSH brute force",
    classification="attempted-admin",
    severity=1,
    source=ip_address("203.0.113.9"),
    destination=ip_address("10.0.0.2"),
    destination_port=22,
    count=3,
    age_s=1.5,
)
BLOCK = MitigationRow(mitigation_id="a-0", action="block_ip source=x", places=("edge",), state="active", left_s=240.0)


def busy(ports: int = 20) -> View:
    """More of everything than fits."""
    well = tuple(ProbeState(client=f"c{n}", service="s/http", tries=9, served=9) for n in range(9))
    row = {"packets_out_per_s": 1.0, "bytes_in_per_s": 2e6, "bytes_out_per_s": 3.0}
    return View(
        name="battlefield 3",
        state="playing",
        case="office#7",
        maker=1,
        mode="mid-attack",
        policy="playbook/1",
        phase="the attack begins",
        clock_s=12.25,
        stages=(StageRow(stage=1, means="ssh-brute-force", source="red", target="jump", state="running", seconds=2.0),),
        ports=tuple(
            PortRow(device="edge", port=f"ge{n}", hosts=(f"server-{n}",), packets_in_per_s=n, **row)
            for n in range(ports)
        ),
        alerts=(ALERT,) * 30,
        alerts_seen=90,
        mitigations=(BLOCK,) * 5,
        probes=(*well, ProbeState(client="desk", service="jump/ssh", tries=9, served=4, failing=True)),
        sensor="gone",
    )


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60), (LEAST_WIDTH, LEAST_HEIGHT)])
@pytest.mark.parametrize("view", [busy(), busy(0), View(name="lab lab0", state="standing"), None])
def test_a_frame_fits(view: View | None, width: int, height: int) -> None:
    lines = frame(view, "1 of 2", width, height).plain.split("\n")
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert "q quit" in lines[-1]


def test_a_frame_says_what_matters_first() -> None:
    text = frame(busy(), "1 of 2", 80, 24).plain
    assert "sensor gone" in text
    assert "stage 1 ssh-brute-force: red to jump  running 2.0 s" in text
    assert "desk to jump/ssh  4/9  FAILING" in text
    assert "PROBES 1 of 10 failing" in text
    assert "edge ge19" in text
    assert "edge ge0 " not in text
    assert "4 min left  on edge  block_ip" in text
    assert "9000001 SSH brute force" in text
    assert "more)" in text


def test_room_that_one_part_leaves_goes_to_the_others() -> None:
    alone = View(name="battlefield 1", state="standing", ports=busy(16).ports)
    lines = frame(alone, "1 of 1", 80, 24).plain.split("\n")
    assert sum("edge ge" in line for line in lines) == 15


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (9999, "9999"), (12_300, "12k"), (45_600_000, "46M"), (9e10, "90G")]
)
def test_figures_are_short(value: float, text: str) -> None:
    assert figure(value) == text


class Standing:
    """A thing to look at."""

    def __init__(self, name: str, case: str, identity: int, *, played: bool = False) -> None:
        self.name, self.case, self.identity, self.played = name, case, identity, played

    def view(self) -> View | None:
        """Nothing but its name."""
        return View(name=self.name, case=self.case, state="standing")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> list[Lookout]:
    """What stands on the machine; the test changes it."""
    found: list[Lookout] = []
    monkeypatch.setattr(top, "lookouts", lambda: list(found))
    return found


def test_the_case_that_is_played_is_followed(there: list[Lookout]) -> None:
    gallery = top.Gallery()
    gallery.refresh()
    assert gallery.view() is None
    there[:] = [Standing("battlefield 1", "shop#1", 2)]
    gallery.refresh()
    assert shown(gallery) == "battlefield 1"
    there.append(Standing("battlefield 0", "office#1", 1, played=True))
    gallery.refresh()
    assert shown(gallery) == "battlefield 0"
    assert gallery.place == "2 of 2"
    there.pop()
    gallery.refresh()
    assert shown(gallery) == "battlefield 1"
    there.append(Standing("battlefield 2", "office#1", 3, played=True))
    gallery.refresh()
    assert shown(gallery) == "battlefield 2"
    gallery.next()
    gallery.refresh()
    assert shown(gallery) == "battlefield 1"


def test_another_clone_under_the_same_name_is_looked_at_anew(there: list[Lookout]) -> None:
    gallery = top.Gallery()
    there[:] = [Standing("battlefield 0", "office#1", 1)]
    gallery.refresh()
    there[:] = [Standing("battlefield 0", "shop#1", 2)]
    gallery.refresh()
    view = gallery.view()
    assert view is not None
    assert view.case == "shop#1"


def shown(gallery: top.Gallery) -> str:
    """Name of what is shown."""
    view = gallery.view()
    return view.name if view else ""
