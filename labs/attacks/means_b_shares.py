"""Shares of a file server: naming them, and reading what lies there. The frames are SMB 2, the file server our own."""

from __future__ import annotations

from labs.scenario import Stage
from labs.services.smb_share import read, tree_connect

from .kit import COLLECTION, DISCOVERY, number
from .means_b_kit import Talk

MOST_PIECES = 20


class SmbShareDiscovery(Talk):
    """The share that lists the others."""

    id = "smb-share-discovery"
    about = "A taken host asks a file server for its shares"
    tactic = DISCOVERY
    technique = "T1135"
    service_kinds = ("smb-share",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 445
    says = (tree_connect("IPC$").decode("latin-1"),)
    sid, classification = 9002042, "attempted-recon"


class SmbShareLoot(Talk):
    """A share that anybody may read, read piece by piece."""

    id = "smb-share-loot"
    about = "A taken host reads a share that is open to all"
    tactic = COLLECTION
    technique = "T1039"
    service_kinds = ("smb-share",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 445
    sid, classification = 9002043, "policy-violation"

    def rounds(self, stage: Stage) -> list[list[str]]:
        """At most `MOST_PIECES` pieces."""
        pieces = [read(n) for n in range(number(stage, "pieces", 6, MOST_PIECES))]
        return [[message.decode("latin-1") for message in (tree_connect("backup"), *pieces)]]
