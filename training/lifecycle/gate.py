"""The one way for weights to go live: they beat those that are, on held-out cases. Nothing goes round it."""

from __future__ import annotations

from pathlib import Path

from secloop_ai.contracts import Policy, PolicyError
from secloop_ai.ledger import Ledger
from secloop_ai.loop.context import now
from secloop_ai.policies import load_policy
from secloop_ai.policies.embedded.policy import SHIPPED, EmbeddedPolicy
from secloop_ai.policies.embedded.store import SHIPPED as SHIPPED_NAME
from secloop_ai.policies.embedded.store import Store, checked

from .compare import INJECTIONS, SEEDS, Comparison, Say, compare

PROMOTED, REFUSED = "policy-promoted", "policy-refused"
EXPERT = "playbook"


def live_folder(store: Store) -> Path | None:
    """The folder of the weights that answer now: promoted, else shipped; None where neither can be used."""
    try:
        name = store.pointer().live
        if name != SHIPPED_NAME:
            checked(EmbeddedPolicy, store.folder / name, EmbeddedPolicy.digest)
            return store.folder / name
    except PolicyError:
        pass  # the shipped ones answer then: see secloop_ai/policies/embedded/store.py
    try:
        EmbeddedPolicy(SHIPPED)
    except PolicyError:
        return None
    return SHIPPED


def live_policy(store: Store) -> Policy:
    """The policy to beat: that of the weights that answer now, or where there are none the expert table."""
    folder = live_folder(store)
    return load_policy(EXPERT) if folder is None else EmbeddedPolicy(folder)


def promote(
    folder: Path, ledger: Ledger, store: Store, say: Say, *, seeds: int = SEEDS, injections: int = INJECTIONS
) -> Comparison:
    """Compare, and make the new weights live if they are better.

    Side effects: a line of the audit, whatever the outcome; where they are better, a copy of the weights in the store,
    and the pointer to it. The audit comes first: what cannot be audited does not go live.

    Args:
        folder: of the new weights.
        ledger: for the audit.
        store: of the live weights.
        say: is told what is under way.
        seeds: of every scenario of the held-out split.
        injections: requests with injected text.

    Raises:
        PolicyError: the folder holds no policy, or the one that is live; or others went live meanwhile.
        InputError: too few seeds or injections.
        LedgerError: the audit cannot be written.
    """
    new, live = EmbeddedPolicy(folder), live_policy(store)
    if new.digest() == live.digest():
        raise PolicyError(f"{folder}: these weights are live already")
    was = _live_name(store)
    found = compare(new, live, seeds=seeds, injections=injections, say=say)
    digests = {"old": found.live_sha256, "new": found.new_sha256}
    if not found.better:
        detail = f"{'; '.join(found.reasons)}. {found.words()}"
        ledger.audit(REFUSED, new.name, digests=digests, detail=detail, now=now())
        return found
    name = store.keep(folder, new.digest())
    checked(EmbeddedPolicy, store.folder / name, EmbeddedPolicy.digest)  # what was compared is what was copied
    ledger.audit(PROMOTED, new.name, digests=digests, detail=found.words(), now=now())
    store.promote(name, instead_of=was)
    return found


def _live_name(store: Store) -> str:
    try:
        return store.pointer().live
    except PolicyError:
        return SHIPPED_NAME
