"""The worker's own side: takes jobs off a socket, one at a time, until it is closed."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from labs.lab import strays

from .calls import Answer, end, perform
from .channel import Channel

PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str]) -> None:
    """Work until the executor closes the socket.

    Args:
        arguments: number of the socket's descriptor, and the executor's process id.
    """
    descriptor, parent = map(int, arguments)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before it could be watched
        return
    strays.mark_offspring()
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - the system's own signature
    channel = Channel(socket.socket(fileno=descriptor))
    channel.send({"ready": os.getpid()})
    serve(channel)
    end()


def serve(channel: Channel) -> None:
    """Answer jobs; prepare for the next one meanwhile, where it says how."""
    late: Future[Answer] = Future()
    with ThreadPoolExecutor(1, thread_name_prefix="warm") as ahead:
        while True:
            try:
                order = channel.receive()
            except EOFError:
                return
            late.cancel()
            if following := order["following"]:
                late = ahead.submit(perform, following["warm"], following["arguments"])
            job: dict[str, Any] = order["job"]
            answer = perform(job["call"], job["arguments"])
            channel.send(answer._asdict())
