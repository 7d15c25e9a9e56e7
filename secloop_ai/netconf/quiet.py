"""The libraries under a session log payloads at INFO and tracebacks at ERROR: neither belongs on a terminal."""

from __future__ import annotations

import logging

LIMITS = {
    "ncclient": logging.WARNING,
    "paramiko": logging.WARNING,
    "paramiko.transport": logging.CRITICAL,  # a lost connection is a traceback to it, and a ConnectError to us
    "nornir": logging.WARNING,
}


def quiet() -> None:
    """Raise the libraries' loggers and keep them off stderr, unless the user has set them up already."""
    for name, limit in LIMITS.items():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(limit)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
