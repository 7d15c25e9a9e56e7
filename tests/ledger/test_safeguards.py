"""What takes an open commit back is stored before any device hears of it."""

from __future__ import annotations

from secloop_ai.contracts import DeviceUndo, DiscardOp, Safeguard, TaggedOp
from secloop_ai.ledger import Ledger, open_ledger

from .make import INCIDENT, SOURCE, mitigation, pending

OPS = (TaggedOp(tag=f"{INCIDENT}-0", op=DiscardOp(prefix=SOURCE)),)
UNDO = DeviceUndo(
    device="gw1",
    path="candidate",
    edit="<a/>",
    before={"routes": "0"},
    after={"routes": "1"},
    touched=OPS,
    operations=OPS,
)
SAFE = Safeguard(owner="here/1/2", watchdog="/var/lib/secloop/watchdogs/t1", undos=(UNDO,))


def test_inverse_edits_owner_and_watchdog_survive_the_process(ledger: Ledger, url: str) -> None:
    begun = pending("t1", [mitigation()]).model_copy(update={"safeguard": SAFE})
    ledger.begin_commit(begun, [mitigation()])
    with open_ledger(url) as later:
        assert later.pending_commits() == (begun,)
        assert later.pending_commits()[0].safeguard.of("gw1") == UNDO
        assert later.pending_commits()[0].safeguard.of("gw2") is None


def test_a_ledger_of_the_release_before_gets_the_table(ledger: Ledger, url: str) -> None:
    old = pending("t0", [mitigation()])
    ledger.begin_commit(old, [mitigation()])
    with ledger._db.writing("test") as c:
        c.exec_driver_sql("DROP TABLE safeguards")
        c.exec_driver_sql("UPDATE secloop_meta SET value = '2' WHERE key = 'schema_version'")
    with open_ledger(url) as upgraded:
        assert upgraded.pending_commits() == (old,)
        begun = pending("t1", [mitigation(1)], devices=("gw2",)).model_copy(update={"safeguard": SAFE})
        upgraded.begin_commit(begun, [mitigation(1)])
        assert upgraded.pending_commits() == (old, begun)
