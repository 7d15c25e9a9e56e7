"""The libraries under a session log payloads at INFO and tracebacks at ERROR: neither belongs on a terminal."""

from __future__ import annotations

import logging

CHATTY = ("ncclient", "paramiko", "nornir")


def quiet() -> None:
    """Raise the libraries' loggers to WARNING and keep them off stderr, unless the user has set them up already."""
    for name in CHATTY:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
