"""The page of a run: whole, alone, small, and nothing in it that somebody else wrote can act."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from lxml import html

from labs.window.charts import charts, nice, smooth
from labs.window.drawing import draw_topology, order
from labs.window.page import MOST_ROWS, page
from labs.window.timeline import ActionApplied, AlertSeen, EvidenceFact, Marked, ProbeTurned, Timeline
from tests.window.support import HOSTILE, changed, long_series, recorded

LARGEST = 400_000


def parsed(run: Timeline) -> Any:
    """The page as a browser's parser has it."""
    return tree_of(page(run))


def tree_of(text: str) -> Any:
    """Parsed HTML; the stubs of its XPath answers are of no help in a test."""
    return html.document_fromstring(text)


def test_the_page_shows_the_run() -> None:
    run = recorded()
    tree = parsed(run)
    text = tree.text_content()
    assert run.facts.case_id in tree.findtext(".//h1")
    for node in run.facts.nodes:
        assert tree.xpath(f"//*[@data-node='{node.name}']"), node.name
    assert len(tree.xpath("//table[@id='log']/tbody/tr")) == len(run.events)
    assert "UNION SELECT in a query" in text
    assert "block_ip" in text
    assert tree.xpath("//*[local-name()='path' and @data-stage='0']")


def test_the_charts_are_there_without_a_script() -> None:
    tree = parsed(recorded())
    curves = tree.xpath("//*[@id='charts']//*[contains(@class, 'curve') and string-length(@d) > 40]")
    assert len(curves) >= 2
    assert tree.xpath("//*[@id='charts']//*[contains(@class, 'bar') and contains(@class, 'bad')]")
    assert tree.xpath("//*[@id='charts']//*[contains(@class, 'alert')]")


def test_nothing_is_fetched_and_only_our_script_runs() -> None:
    text = page(recorded())
    tree = tree_of(text)
    assert not tree.xpath("//@src | //link | //iframe | //object | //@action")
    assert not re.search(r"url\(\s*['\"]?\w+:", text)
    _, script = tree.xpath("//script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def hostile() -> Timeline:
    """The run with hostile text wherever the model has room for text."""
    run = recorded()
    first = next(e for e in run.events if isinstance(e, AlertSeen))
    action = next(e for e in run.events if isinstance(e, ActionApplied))
    found = first.model_copy(update={"name": HOSTILE})
    done = action.model_copy(
        update={"policy": HOSTILE, "actions": (HOSTILE,), "reasons": (HOSTILE,), "outcome": "failed"}
    )
    evidence = EvidenceFact(
        name=HOSTILE, **{k: getattr(first, k) for k in EvidenceFact.model_fields if k != "name"}
    ).model_dump()
    facts = run.facts.model_copy(update={"case_id": HOSTILE}).model_dump()
    verdict = run.verdict.model_copy(update={"refusals": (HOSTILE,)}).model_dump()
    phase = Marked(at_s=0.5, phase=HOSTILE)
    events = [phase.model_dump(), found.model_dump(), done.model_dump()]
    return changed(run, policy=HOSTILE, facts=facts, events=events, evidence=[evidence], verdict=verdict)


def test_hostile_text_stays_text() -> None:
    tree = parsed(hostile())
    assert len(tree.xpath("//script")) == 2
    assert not tree.xpath("//img")
    assert not [name for name in tree.xpath("//@*/..") if any(a.startswith("on") for a in name.attrib)]
    assert HOSTILE in tree.text_content()
    data = json.loads(tree.xpath("//script[@type='application/json']")[0].text)
    assert data["phases"] == [[0.5, HOSTILE]]


def test_a_long_run_stays_small_and_says_what_it_leaves_out() -> None:
    run = recorded()
    alert = next(e for e in run.events if isinstance(e, AlertSeen))
    many = [alert.model_copy(update={"at_s": n / 10}).model_dump() for n in range(1000)]
    twenty = [p.model_copy(update={"port": f"{p.port}x{n}"}) for p in run.facts.ports for n in range(8)]
    facts = run.facts.model_copy(update={"ports": tuple(twenty)})
    series = long_series(run.model_copy(update={"facts": facts}), 1200)
    long = changed(run, facts=facts.model_dump(), events=many, series=series.model_dump(), alerts_left_out=7)
    text = page(long)
    assert len(text.encode()) < LARGEST
    tree = tree_of(text)
    assert len(tree.xpath("//table[@id='log']/tbody/tr")) == MOST_ROWS
    assert "600 rows of alerts are left out" in tree.text_content()
    assert "7 of them came after the recorder's bound" in tree.text_content()


def test_a_run_without_anything_makes_a_page() -> None:
    run = recorded()
    facts = run.facts.model_copy(update={"stages": ()}).model_dump()
    tree = parsed(changed(run, facts=facts, events=[], series={}, probes=[], alerts=0, twin=None))
    assert "no attack in this case" in tree.text_content()
    assert "Nobody uses anything" in tree.text_content()


def test_the_script_is_told_when_somebody_is_not_served() -> None:
    run = recorded()
    lost = ProbeTurned(at_s=1.0, client="a", service="b/http", served=False)
    events = [lost.model_dump(), lost.model_copy(update={"at_s": 3.0, "served": True}).model_dump()]
    data = json.loads(parsed(changed(run, events=events)).xpath("//script[@type='application/json']")[0].text)
    assert data["failing"] == [{"from_s": 1.0, "to_s": 3.0, "client": "a", "service": "b/http"}]


def test_no_node_lies_on_another_and_all_are_inside() -> None:
    drawing = draw_topology(recorded().facts)
    boxes = drawing.boxes
    for n, one in enumerate(boxes):
        assert one.x >= 0
        assert one.x + one.w <= drawing.width
        assert one.y + one.h <= drawing.height
        for other in boxes[n + 1 :]:
            apart = one.x + one.w <= other.x or other.x + other.w <= one.x
            assert apart or one.y + one.h <= other.y or other.y + other.h <= one.y, (one.name, other.name)
    assert order(recorded().facts)[0] == next(p.device for p in recorded().facts.ports if "red" in p.members)


def test_every_chart_point_is_inside() -> None:
    drawn = charts(recorded())
    for bars in drawn.stages:
        assert all(b.x >= 0 and b.x + b.width <= 963 for b in bars)
    assert all(0 <= a.x <= 960 for a in drawn.alerts)
    assert all(0 <= t.x <= 960 for t in drawn.ticks)


@pytest.mark.parametrize(
    ("value", "top"), [(0.2, 1), (1, 1), (7, 10), (23, 30), (101, 200), (2600, 3000), (5001, 10000)]
)
def test_round_figures(value: float, top: float) -> None:
    assert nice(value) == top


def test_a_mean_over_a_second() -> None:
    assert smooth([4.0, 0.0, 4.0, 0.0, 4.0]) == [4.0, 2.0, 8 / 3, 2.0, 2.0]
