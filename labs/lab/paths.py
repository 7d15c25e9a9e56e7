"""Where everything of a lab lies: one private run directory."""

from __future__ import annotations

from pathlib import Path

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

BASE = Path("/run/secloop")
FIELDS = BASE / "fields"
"""The folders of battlefields."""
LONGEST_SOCKET = 100


class RunPaths(Frozen):
    """The files of a run directory."""

    root: Path

    def checked(self) -> RunPaths:
        """Itself.

        Raises:
            LabError: the path is too long to hold a UNIX socket.
        """
        if len(str(self.netconfd_socket)) > LONGEST_SOCKET or len(str(self.applier_socket)) > LONGEST_SOCKET:
            raise LabError(f"{self.root}: too long for a UNIX socket; choose a shorter run directory")
        return self

    @property
    def logs(self) -> Path:
        """A log for each process."""
        return self.root / "log"

    @property
    def keys(self) -> Path:
        """SSH keys."""
        return self.root / "keys"

    @property
    def host_key(self) -> Path:
        """Host key of every SSH daemon of the lab."""
        return self.keys / "host"

    @property
    def login_key(self) -> Path:
        """The controller's key for the device."""
        return self.keys / "login"

    @property
    def authorized_keys(self) -> Path:
        """The keys the device lets in."""
        return self.keys / "authorized_keys"

    @property
    def known_hosts(self) -> Path:
        """The device's host key, for clients."""
        return self.keys / "known_hosts"

    @property
    def home(self) -> Path:
        """HOME of netconfd and of the device's login."""
        return self.root / "home"

    @property
    def accounts(self) -> Path:
        """The device's account database."""
        return self.root / "passwd"

    @property
    def modules(self) -> Path:
        """YANG modules made fit for netconfd."""
        return self.root / "yang"

    @property
    def plugin(self) -> Path:
        """The compiled plug-in, alone in its folder."""
        return self.root / "plugin"

    @property
    def netconfd_socket(self) -> Path:
        """The socket of netconfd itself."""
        return self.root / "nc.sock"

    @property
    def applier_socket(self) -> Path:
        """Where the plug-in asks the applier."""
        return self.root / "applier.sock"

    @property
    def sensor(self) -> Path:
        """Suricata's folder."""
        return self.root / "ids"

    @property
    def eve(self) -> Path:
        """Suricata's event log, one JSON document a line."""
        return self.sensor / "eve.json"

    @property
    def attacks(self) -> Path:
        """Word lists and output of the attack tools."""
        return self.root / "attack"

    def log(self, process: str) -> Path:
        """The log of one process."""
        return self.logs / f"{process}.log"
