"""One NETCONF session over an SSH channel: hello, then one request after the other, with the faults in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import asyncssh

from labs.framing import Decoder, FramingError, frame

from .datastores import Failures
from .device import VirtualDevice
from .errors import RpcError
from .faults import Fault, FaultKind, Step
from .locks import lock_denied
from .messages import Rpc, errors_body, hello, read_hello, read_rpc, reply
from .operations import Call, detail_of, perform, step_of

_OTHER_SESSION = 4242
_BREAKING_AFTER = frozenset({FaultKind.DROP_AFTER, FaultKind.TRUNCATE, FaultKind.REBOOT_AFTER})
_WARNING = RpcError("operation-failed", "a warning on demand: the operation was done", severity="warning")


class NetconfSession(asyncssh.SSHServerSession[bytes]):
    """The `netconf` subsystem of one channel.

    Args:
        device: whose session it is.
        close_connection: closes the TCP connection at once.
    """

    def __init__(self, device: VirtualDevice, close_connection: Callable[[], None]) -> None:
        self._device = device
        self._close_connection = close_connection
        self._decoder = Decoder()
        self._requests: asyncio.Queue[bytes] = asyncio.Queue()
        self._greeted = False
        self._id = 0
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Asyncssh hands over the channel."""
        self._channel = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        """Only NETCONF runs here."""
        return subsystem == "netconf"

    def session_started(self) -> None:
        """The subsystem runs: greet, then serve."""
        self._id = self._device.open(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())
        self._task.add_done_callback(self._finished)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Bytes from the client."""
        del datatype
        try:
            self._decoder.feed(data)
            while (message := self._decoder.take()) is not None:
                if self._greeted:
                    self._requests.put_nowait(message)
                else:
                    self._greet(message)
        except (FramingError, ValueError):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone, for whatever reason."""
        del exc
        self._device.close(self._id)
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        """Close the TCP connection at once; what lived with the session is undone."""
        self._device.close(self._id)
        self._close_connection()

    def _finished(self, task: asyncio.Task[None]) -> None:
        """A session must not hang on a defect of the emulator: report it and hang up."""
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": f"{self._device.spec.name}: session {self._id} failed", "exception": error}
            task.get_loop().call_exception_handler(context)
            self.abort()

    def _greet(self, message: bytes) -> None:
        speaks_1_1 = read_hello(message)
        features = self._device.features
        if not (features.base_1_0 or speaks_1_1):
            raise ValueError("no base version in common")
        self._greeted = True
        self._decoder.chunked = speaks_1_1 and features.base_1_1

    async def _serve(self) -> None:
        fault = await self._strike(Step.HELLO)
        if fault and fault.kind in {FaultKind.DROP, FaultKind.REBOOT}:
            self._record(Step.HELLO, fault, performed=False)
            self._break_off(fault)
            return
        self._record(Step.HELLO, fault, performed=True)
        wrongly = fault is not None and fault.kind is FaultKind.FRAMING
        greeting = frame(hello(self._device.capabilities, self._id), chunked=wrongly)
        if not self._send(greeting, fault):
            return
        while await self._answer(await self._requests.get()):
            pass
        self._channel.exit(0)

    async def _strike(self, step: Step | None) -> Fault | None:
        """The fault this step meets; a delay is over when this returns."""
        fault = self._device.faults.strike(step)
        if fault and fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        return fault

    async def _answer(self, message: bytes) -> bool:
        """Serve one request; False ends the session."""
        try:
            rpc = read_rpc(message)
        except ValueError as error:
            return self._malformed(str(error))
        except RpcError as error:
            return self._send(self._frame(None, errors_body([error], {})), None)
        call = self._device.call(self._id, rpc)
        step = step_of(call)
        name = step.value if step else rpc.name
        fault = await self._strike(step)
        if fault and fault.kind in {FaultKind.DROP, FaultKind.REBOOT}:
            self._record(name, fault, performed=False, detail=detail_of(call))
            self._break_off(fault)
            return False
        refusal = await self._device.yang.refusal(call, self._not_checked)
        body, outcome = self._outcome(call, fault, refusal)
        self._record(name, fault, performed=outcome == "ok", detail=detail_of(call), outcome=outcome)
        if fault and fault.kind is FaultKind.CLOCK_JUMP:
            self._device.stores.confirmed.jump(fault.seconds)
        closing = rpc.name == "close-session" and outcome == "ok"
        if closing:
            self._device.close(self._id)  # before the reply: who reads it finds the locks free
        wrongly = fault is not None and fault.kind is FaultKind.FRAMING
        return self._send(self._frame(rpc, body, wrongly=wrongly), fault) and not closing

    def _outcome(self, call: Call, fault: Fault | None, refusal: RpcError | None) -> tuple[str, str]:
        """The reply's body, and `ok` or the first error-tag."""
        try:
            if error := (_injected(fault) if fault else None) or refusal:
                raise error
            if fault and fault.kind is FaultKind.PARTIAL:
                call = replace(call, partly=True)
            body = perform(call)
            return (self._errors([_WARNING]) + body if fault and fault.kind is FaultKind.WARNING else body), "ok"
        except RpcError as error:
            errors = [error]
        except Failures as failures:
            errors = failures.errors
        return self._errors(errors), errors[0].tag

    def _errors(self, errors: list[RpcError]) -> str:
        return errors_body(errors, self._device.schema.prefixes, self._device.profile.errors)

    def _not_checked(self, why: str) -> None:
        self._device.record("yang", session=self._id, outcome="not-checked", performed=False, detail=why)

    def _break_off(self, fault: Fault) -> None:
        """Lose the connection, because of the fault or because the device restarts."""
        if fault.kind in {FaultKind.REBOOT, FaultKind.REBOOT_AFTER}:
            self._device.reboot(fault.seconds)
        self.abort()

    def _malformed(self, reason: str) -> bool:
        """`malformed-message` exists since base:1.1 only; either way the session ends."""
        if not self._decoder.chunked:
            self.abort()
            return False
        error = RpcError("malformed-message", reason, kind="rpc")
        self._send(self._frame(None, errors_body([error], {})), None)
        return False

    def _frame(self, rpc: Rpc | None, body: str, *, wrongly: bool = False) -> bytes:
        """The reply on the wire; `wrongly`: in the framing that was not agreed on."""
        bindings = self._device.profile.reply.bindings
        return frame(reply(rpc, body, bindings), chunked=self._decoder.chunked is not wrongly)

    def _send(self, data: bytes, fault: Fault | None) -> bool:
        """Write, unless the fault closes the connection before or in the middle; False where it did."""
        if fault is None or fault.kind not in _BREAKING_AFTER:
            self._channel.write(data)
            return True
        if fault.kind is FaultKind.TRUNCATE:
            self._channel.write(data[: len(data) // 2])
        self._break_off(fault)
        return False

    def _record(
        self, operation: str, fault: Fault | None, *, performed: bool, detail: str = "", outcome: str = "ok"
    ) -> None:
        told = fault is not None and (outcome == "ok" or fault.kind is FaultKind.PARTIAL)
        shown = fault.kind.value if fault and told else outcome
        self._device.record(operation, session=self._id, outcome=shown, performed=performed, detail=detail)


def _injected(fault: Fault) -> RpcError | None:
    """The rpc-error that the fault asks for, if it asks for one."""
    tag = fault.error_tag if fault.kind is FaultKind.ERROR else fault.kind.value
    if tag == "lock-denied":
        return lock_denied(_OTHER_SESSION, f"session {_OTHER_SESSION} holds the lock")
    if fault.kind is FaultKind.ACCESS_DENIED:
        return RpcError("access-denied", "access denied", kind="application")
    if fault.kind is FaultKind.ERROR:
        return RpcError(tag, "the operation failed on demand", kind="application")
    return None
