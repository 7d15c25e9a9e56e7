"""The accounts of the house: which of them a means logs in with. Names alone; what opens them is the services' matter.

An account here is one of the host, so that locking it locks the service. The logins of web pages, of anonymous uploads
and of the attacker's own servers are none.
"""

from __future__ import annotations

from collections.abc import Mapping

LOGIN_KINDS = ("ssh", "ftp", "smb", "smtp")
"""Kinds of service that let the host's accounts in."""
USED_BY: Mapping[str, str] = {
    "ssh-brute-force": "operator",
    "ssh-pivot": "deploy",
    "smb-brute-force": "office",
    "ftp-brute-force": "backup",
    "credential-stuffing": "m.weber",
    "valid-accounts": "m.weber",
    "password-spray": "k.lang",
}
"""Means → the account it logs in with."""
COLLEAGUES = ("monitor", "print", "scanner", "stock", "a.berg", "c.dorn", "i.jung", "s.thal")
"""Accounts that nobody attacks."""
