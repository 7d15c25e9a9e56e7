"""RPC latency on an open connection: SecLoop's session beside raw NETCONF clients and plain ncclient, alternated.

    python -m benchmarks.netconf_rpc [--rounds 30] [--emulator] [--json]

Every client keeps one session to the same SSH server and in turn puts a filter entry into effect and takes it away
again: edit, confirmed commit, confirm. The device is the lab's gateway where the lab can run (root), else the
embedded one. A ratio is SecLoop's median over that of the faster raw client; the figure to reach is at most 3.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Protocol

import asyncssh
import paramiko
from ncclient import manager

from benchmarks.table import show
from labs.emulator import EmulatedDevice
from labs.lab import Lab, requirements
from secloop_ai.contracts import Connection, Device, Direction, FilterOp, PacketRule, RuleAction, TaggedOp
from secloop_ai.dialects import dialect
from secloop_ai.netconf import open_session
from secloop_ai.netconf.pace import Pace

IETF = dialect("ietf")
PERSIST = "secloop-benchmark"
TIMEOUT_S = 60
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
END = b"\n##\n"
SETTLE_S = 0.3  # netconfd leaves a request lying that arrives in one read with the hello; only the raw clients need it
PLAIN_EVERY = 5
HELLO = (
    f'<hello xmlns="{BASE}"><capabilities><capability>urn:ietf:params:netconf:base:1.1</capability></capabilities>'
    "</hello>]]>]]>"
).encode()
EDIT = (
    "<edit-config><target><candidate/></target><default-operation>merge</default-operation>"
    "<error-option>rollback-on-error</error-option><config>{}</config></edit-config>"
)
COMMIT = f"<commit><confirmed/><confirm-timeout>{TIMEOUT_S}</confirm-timeout><persist>{PERSIST}</persist></commit>"
CONFIRM = f"<commit><persist-id>{PERSIST}</persist-id></commit>"


class Client(Protocol):
    """One open session."""

    def edit(self, config: str) -> None:
        """Edit the candidate."""

    def commit(self) -> None:
        """Confirmed commit with a persist id."""

    def confirm(self) -> None:
        """Confirm it."""

    def close(self) -> None:
        """Hang up."""


class Ours:
    """SecLoop's session."""

    def __init__(self, device: Device) -> None:
        self._session = open_session(device, pace=Pace(0.0))
        self.edit = lambda config: self._session.edit("candidate", config)
        self.commit = lambda: self._session.commit_confirmed(TIMEOUT_S, PERSIST)
        self.confirm = lambda: self._session.confirm(PERSIST)
        self.close = self._session.close


class Plain:
    """Ncclient as it comes."""

    def __init__(self, device: Device) -> None:
        where = device.connection
        self._manager = manager.connect(
            host=where.address,
            port=where.port,
            username=where.user,
            key_filename=where.key_file,
            hostkey_verify=False,
            allow_agent=False,
            look_for_keys=False,
        )
        self.close = self._manager.close_session

    def edit(self, config: str) -> None:
        """Edit the candidate."""
        body = f'<config xmlns="{BASE}" xmlns:nc="{BASE}">{config}</config>'
        self._manager.edit_config(body, target="candidate", error_option="rollback-on-error")

    def commit(self) -> None:
        """Confirmed commit with a persist id."""
        self._manager.commit(confirmed=True, timeout=str(TIMEOUT_S), persist=PERSIST)

    def confirm(self) -> None:
        """Confirm it."""
        self._manager.commit(persist_id=PERSIST)


class Raw:
    """Messages framed by hand; the channel is the subclass's."""

    def exchange(self, data: bytes) -> bytes:
        """Send, and read one whole chunked message."""
        raise NotImplementedError

    def rpc(self, body: str) -> None:
        """One RPC; anything but ok ends the benchmark."""
        message = f'<rpc xmlns="{BASE}" xmlns:nc="{BASE}" message-id="1">{body}</rpc>'.encode()
        reply = self.exchange(b"\n#%d\n%b%b" % (len(message), message, END))
        if b"rpc-error" in reply:
            sys.exit(f"the device refused: {reply.decode()}")

    def edit(self, config: str) -> None:
        """Edit the candidate."""
        self.rpc(EDIT.format(config))

    def commit(self) -> None:
        """Confirmed commit with a persist id."""
        self.rpc(COMMIT)

    def confirm(self) -> None:
        """Confirm it."""
        self.rpc(CONFIRM)


class RawParamiko(Raw):
    """A paramiko channel."""

    def __init__(self, device: Device) -> None:
        where = device.connection
        self._transport = paramiko.Transport((where.address, where.port))
        self._transport.start_client()
        self._transport.auth_publickey(where.user, paramiko.PKey.from_path(where.key_file))
        self._channel = self._transport.open_session()
        self._channel.invoke_subsystem("netconf")
        self._channel.sendall(HELLO)
        self._until(b"]]>]]>")
        time.sleep(SETTLE_S)

    def _until(self, mark: bytes) -> bytes:
        data = b""
        while not data.endswith(mark):
            data += self._channel.recv(65536)
        return data

    def exchange(self, data: bytes) -> bytes:
        """Send, and read one whole chunked message."""
        self._channel.sendall(data)
        return self._until(END)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


class RawAsyncssh(Raw):
    """An asyncssh channel on a loop of its own."""

    def __init__(self, device: Device) -> None:
        self._runner = asyncio.Runner()
        self._runner.run(self._open(device.connection))
        time.sleep(SETTLE_S)

    async def _open(self, where: Connection) -> None:
        self._connection = await asyncssh.connect(
            where.address, where.port, username=where.user, client_keys=[where.key_file], known_hosts=None, config=None
        )
        channel = await self._connection.open_session(subsystem="netconf", encoding=None)
        self._stdin, self._stdout, _ = channel
        self._stdin.write(HELLO)
        await self._stdout.readuntil(b"]]>]]>")

    async def _exchange(self, data: bytes) -> bytes:
        self._stdin.write(data)
        reply: bytes = await self._stdout.readuntil(END)
        return reply

    def exchange(self, data: bytes) -> bytes:
        """Send, and read one whole chunked message."""
        return self._runner.run(self._exchange(data))

    async def _hang_up(self) -> None:
        self._connection.close()
        await self._connection.wait_closed()

    def close(self) -> None:
        """Hang up."""
        self._runner.run(self._hang_up())
        self._runner.close()


CLIENTS: dict[str, Callable[[Device], Client]] = {
    "secloop": Ours,
    "raw paramiko": RawParamiko,
    "raw asyncssh": RawAsyncssh,
    "ncclient": Plain,
}


@contextmanager
def target(*, emulator: bool) -> Iterator[tuple[str, Device, str]]:
    """What is measured against: its kind, how to reach it, a port of it to filter."""
    if emulator or requirements.explain():
        with EmulatedDevice() as found:
            where = (found.host, found.port, found.user, found.private_key)
            yield "embedded device", _device(*where), "ge0"
        return
    with Lab("rpcbench") as lab:
        status = lab.status()
        yield "lab device", _device(str(status.address), status.port, status.user, status.key_file), "ge0"


def _device(address: str, port: int, user: str, key_file: Path | None) -> Device:
    where = Connection(address=address, port=port, user=user, key_file=str(key_file), verify_host_key=False)
    return Device(name="gw1", dialect="ietf", connection=where)


def edits(device: Device, port: str) -> tuple[str, str]:
    """The edit that drops one source, and the one that takes it away again."""
    rule = PacketRule(name="drop", action=RuleAction.DROP, source=ip_network("198.18.0.7/32"))
    op = FilterOp(interface=port, direction=Direction.INGRESS, family=4, rules=(rule,))
    operations = (TaggedOp(tag="be4c400000-0", op=op),)
    session = open_session(device)
    before = session.get_config("running", IETF.read_filter())
    session.close()
    there = IETF.apply(before, operations)
    back = IETF.remove(there.after, operations)
    if not (there.edit and back.edit):
        sys.exit("the device holds the benchmark's entry already")
    return there.edit, back.edit


def measure(device: Device, port: str, rounds: int) -> dict[tuple[str, str], list[float]]:
    """Milliseconds of every RPC by client and operation, the clients taking turns."""
    both = edits(device, port)
    spent: dict[tuple[str, str], list[float]] = defaultdict(list)
    with ExitStack() as stack:
        clients = {}
        for name, kind in CLIENTS.items():
            clients[name] = kind(device)
            stack.callback(clients[name].close)
        for turn in range(rounds + 1):
            for name, client in clients.items():
                if name == "ncclient" and turn % PLAIN_EVERY:
                    continue
                for edit in both:
                    _cycle(client, edit, spent if turn else defaultdict(list), name)  # the first round warms up
    return spent


def _cycle(client: Client, edit: str, spent: dict[tuple[str, str], list[float]], name: str) -> None:
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("edit", lambda: client.edit(edit)),
        ("commit", client.commit),
        ("confirm", client.confirm),
    )
    for step, act in steps:
        began = time.perf_counter()
        act()
        spent[(name, step)].append((time.perf_counter() - began) * 1000)


def rows(spent: dict[tuple[str, str], list[float]]) -> list[dict[str, Any]]:
    """One row per operation."""
    found = []
    for step in ("edit", "commit", "confirm"):
        medians = {name: statistics.median(spent[(name, step)]) for name in CLIENTS}
        raw = min(medians["raw paramiko"], medians["raw asyncssh"])
        row: dict[str, Any] = {"operation": step, "samples": len(spent[("secloop", step)])}
        row |= {f"{name.replace(' ', '_')}_p50_ms": value for name, value in medians.items()}
        found.append(row | {"ratio": medians["secloop"] / raw})
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.netconf_rpc", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--emulator", action="store_true", help="the embedded device, even where the lab could run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with target(emulator=options.emulator) as (kind, device, port):
        spent = measure(device, port, options.rounds)
    title = f"RPC median on an open connection, {kind}: ratio to the faster raw client (at most 3)"
    show([{"device": kind, **row} for row in rows(spent)], as_json=options.json, title=title)
    return 0


if __name__ == "__main__":
    sys.exit(main())
