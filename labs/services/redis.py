"""Redis: a password is asked for, unless it is weak to being told where to write its dump."""

from __future__ import annotations

from .base import ServiceOrder, ServiceProgram, config_file, python_server

NO_AUTH = "-NOAUTH Authentication required.\r\n"
MEANS = "redis-webroot-write"


def words(*parts: str) -> str:
    """The beginning of a command as it comes over the wire, up to the last word given."""
    return "".join(f"${len(part)}\r\n{part}\r\n" for part in parts)


def turns(canary: str | None) -> list[tuple[str, str, str, str]]:
    """The conversation: state, beginning of the message, answer, next state."""
    always = [
        ("*", f"*1\r\n{words('PING')}", "+PONG\r\n", "*"),
        ("*", "PING", "+PONG\r\n", "*"),
        ("*", "", NO_AUTH, "*"),
    ]
    if canary is None:
        return always
    ok = "+OK\r\n"
    return [
        ("start", f"*4\r\n{words('CONFIG', 'SET', 'DIR')}", ok, "dir"),
        ("dir", f"*4\r\n{words('CONFIG', 'SET', 'DBFILENAME')}", ok, "file"),
        ("file", f"*3\r\n{words('SET', 'LAB')}", ok, "set"),
        ("set", f"*1\r\n{words('SAVE')}", ok, "saved"),
        ("saved", f"*2\r\n{words('GET', 'LAB')}", words(canary), "saved"),
        *always,
    ]


class Redis(ServiceProgram):
    """Speaks as much of Redis as its clients and its attacker need; it keeps no data and writes no file."""

    kind = "redis"

    def command(self, order: ServiceOrder) -> list[str]:
        """The server of conversations."""
        return python_server("chat", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """The conversation."""
        return config_file(order, hello="", ends="", turns=turns(order.loot().get(MEANS)))
