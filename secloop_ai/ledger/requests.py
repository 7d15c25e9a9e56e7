"""What policies were asked, word for word; an environment that many requests share is kept once."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select
from sqlalchemy.sql.schema import Table

from secloop_ai.contracts import PolicyRequest
from secloop_ai.contracts.errors import LedgerError

from .codec import dump, load, undump
from .schema import environments, requests

OWN = "environment"


def keep(c: Connection, request: PolicyRequest) -> None:
    """Keep a request under its digest; the same one again changes nothing."""
    network, prompt = request.environment.digest(), request.prompt_digest()
    if not _there(c, environments, network, "sha256"):
        c.execute(insert(environments).values(sha256=network, body=dump(request.environment)))
    if not _there(c, requests, prompt, "prompt_sha256"):
        body = dump(request.model_dump(mode="json", exclude={OWN}))
        c.execute(insert(requests).values(prompt_sha256=prompt, environment_sha256=network, body=body))


def find(c: Connection, prompt_sha256: str) -> PolicyRequest | None:
    """The request of that digest; None of a decision that an older release kept.

    Raises:
        LedgerError: what is kept is damaged, or is another request than the digest says.
    """
    query = select(requests.c.body, environments.c.body.label(OWN)).join(environments)
    row = c.execute(query.where(requests.c.prompt_sha256 == prompt_sha256)).first()
    if row is None:
        return None
    where = f"the request {prompt_sha256[:12]}"
    found = load(PolicyRequest, {**undump(row.body, where), OWN: undump(row.environment, where)}, where)
    if found.prompt_digest() != prompt_sha256:
        raise LedgerError(f"{where} is damaged: it is not the one that was decided on")
    return found


def _there(c: Connection, table: Table, digest: str, column: str) -> bool:
    return c.execute(select(table.c[column]).where(table.c[column] == digest)).first() is not None
