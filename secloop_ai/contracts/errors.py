"""Every error SecLoop raises on purpose, one tree.

SecLoopError
├── InputError                  what a user or a sensor handed in is wrong; names file and place
│   ├── AlertFileError          an alert file cannot be read at all
│   ├── InventoryError          the Ansible inventory breaks the schema; names host, key, file
│   └── SettingsError           a setting is wrong
├── PolicyError                 a policy back end could not answer
│   └── PointerError            a slot that this request's PointerTable does not hold
├── GuardRefusal                the guard refused a strategy; carries the Verdict
├── PlanError                   a strategy cannot be turned into a change
│   ├── StalePlanError          a file's digest or a device's base has moved since the plan was written
│   └── DialectError            a dialect cannot express or read something
│       └── UnknownDialectError
├── DeviceError                 a device did not do what was asked; carries device, operation, error-tag
│   ├── ConnectError            unreachable, refused authentication, unknown host key, dropped
│   ├── CapabilityError         the hello lacks a capability
│   ├── RpcFailure              an rpc-error came back
│   └── VerifyError             the change is there, but its effect or the service is not
├── TransactionFailed           a network-wide transaction was undone or is in doubt; carries the CommitReport
├── WatchdogError               what should undo a change when its controller is gone did not come up
├── LedgerError                 the ledger cannot be read or written
└── LabError                    the lab cannot be built; carries the part and its log
"""

from __future__ import annotations

from typing import Any


class SecLoopError(Exception):
    """Base of all. Its text is one sentence for a person."""


class InputError(SecLoopError):
    """Bad input; the text names file and place."""


class AlertFileError(InputError):
    """An alert file that cannot be read at all."""


class InventoryError(InputError):
    """The inventory breaks the schema; the text names host, key and file."""


class SettingsError(InputError):
    """A setting is wrong; the text names it."""


class PolicyError(SecLoopError):
    """A policy back end could not answer."""


class PointerError(PolicyError):
    """A slot that this request's PointerTable does not hold."""


class GuardRefusal(SecLoopError):  # noqa: N818 - a refusal is the field's word
    """The guard refused a strategy.

    Attributes:
        verdict: the :class:`secloop_ai.contracts.Verdict` with every refusal.
    """

    def __init__(self, message: str, *, verdict: Any = None) -> None:
        super().__init__(message)
        self.verdict = verdict


class PlanError(SecLoopError):
    """A strategy cannot be turned into a change."""


class StalePlanError(PlanError):
    """A plan's file digest, or a device's base, has moved since the plan was written."""


class DialectError(PlanError):
    """A dialect cannot express or read something."""


class UnknownDialectError(DialectError):
    """No dialect of that name."""


class DeviceError(SecLoopError):
    """A device did not do what was asked.

    Attributes:
        device: inventory name.
        operation: the step in hand (``connect``, ``hello``, ``lock``, ``edit``, ``validate``, ``commit`` ...).
        error_tag: the NETCONF ``error-tag`` (RFC 6241 appendix A), or ``""`` when no rpc-error came.
    """

    def __init__(self, message: str, *, device: str, operation: str, error_tag: str = "") -> None:
        tag = f" [{error_tag}]" if error_tag else ""
        super().__init__(f"{device}: {operation}{tag}: {message}")
        self.device = device
        self.operation = operation
        self.error_tag = error_tag
        self.reason = message


class ConnectError(DeviceError):
    """Unreachable, refused authentication, unknown host key, or a dropped session."""


class CapabilityError(DeviceError):
    """The device's hello lacks a capability that the operation needs."""


class RpcFailure(DeviceError):  # noqa: N818 - named after the rpc-error it carries
    """The device answered with an rpc-error."""


class VerifyError(DeviceError):
    """The change was committed, but its effect or a legitimate service is not there."""


class TransactionFailed(SecLoopError):  # noqa: N818 - says what happened to the transaction
    """A network-wide transaction was undone, or is in doubt.

    Attributes:
        report: the :class:`secloop_ai.contracts.CommitReport`.
    """

    def __init__(self, message: str, *, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class WatchdogError(SecLoopError):
    """What should undo a change when its controller is gone did not come up."""


class LedgerError(SecLoopError):
    """The ledger cannot be read or written."""


class LabError(SecLoopError):
    """The lab cannot be built; the text names the part and quotes its log."""
