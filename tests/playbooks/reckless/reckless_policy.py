"""A policy that blocks the first source it is shown, whatever the evidence."""

from __future__ import annotations

from secloop_ai.contracts import ActionCall, Candidate, PolicyRequest


class Reckless:
    name = "reckless/1"

    def digest(self) -> str:
        return "0" * 64

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
        del request, n, seed
        call = ActionCall(tool="block_ip", params={"source": "@src0"}, ttl_s=3600)
        return (Candidate(calls=(call,), rationale="block first, ask later"),)


def load(argument: str) -> Reckless:
    return Reckless()
