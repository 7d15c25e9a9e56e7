"""Compiles the netconfd plug-in and keeps the result in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from secloop_ai.contracts.errors import LabError

from . import network

SOURCE = Path(__file__).resolve().parent / "sil" / "secloop_applier.c"
LIBRARY = "libsecloop-acl-rate-limit.so"
YUMA = Path("/usr/include/yuma")
INCLUDES = (YUMA / "agt", YUMA / "ncx", YUMA / "platform", Path("/usr/include/libxml2"))
NETCONFD = Path("/usr/sbin/netconfd")


def cache_dir() -> Path:
    """Where compiled plug-ins are kept: ``$XDG_CACHE_HOME/secloop`` or ``~/.cache/secloop``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "secloop"


def install(target: Path, env: Mapping[str, str]) -> None:
    """Put the plug-in into the folder `target`, compiling it where no earlier result fits.

    Raises:
        LabError: gcc refused the source.
    """
    target.mkdir(mode=0o700, exist_ok=True)
    kept = cache_dir() / f"sil-{_key()}" / LIBRARY
    if not kept.is_file():
        _compile(kept, env)
    shutil.copyfile(kept, target / LIBRARY)


def _key() -> str:
    """Changes with the source and with the netconfd it is built for."""
    server = NETCONFD.stat() if NETCONFD.exists() else None
    digest = hashlib.sha256(SOURCE.read_bytes())
    digest.update(f"{server.st_size} {server.st_mtime_ns}".encode() if server else b"")
    return digest.hexdigest()[:16]


def _compile(result: Path, env: Mapping[str, str]) -> None:
    result.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=result.parent) as folder:
        built = Path(folder) / LIBRARY
        includes = [f"-I{path}" for path in INCLUDES]
        options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
        try:
            network.run(["gcc", *options, *includes, "-o", str(built), str(SOURCE)], env)
        except LabError as error:
            raise LabError(f"the netconfd plug-in does not compile: {error}") from error
        built.replace(result)
