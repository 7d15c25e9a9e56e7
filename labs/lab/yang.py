"""The YANG modules the lab device loads, made fit for netconfd 2.13."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from secloop_ai.contracts.errors import LabError

OWN = Path(__file__).resolve().parent.parent / "yang"
ACL = "ietf-access-control-list"
FROM_PYANG = (ACL, "ietf-packet-fields", "ietf-ethertypes")
OWN_MODULES = ("secloop-acl-rate-limit",)
# the NMDA revisions of interfaces and routing come first: RFC 8343 and RFC 8349
SYSTEM_PATH = "/usr/share/yuma/nmda-modules:/usr/share/yuma/modules"
LOADED = (
    "ietf-interfaces",
    "iana-if-type",
    ACL,
    *OWN_MODULES,
    "ietf-routing",
    "ietf-ipv4-unicast-routing",
    "ietf-ipv6-unicast-routing",
)
_IF_FEATURE = re.compile(r'^( *)if-feature\s+"([^"]*\band\b[^"]*)";', re.MULTILINE)
_DERIVED = re.compile(r'when "derived-from-or-self\(/acls/acl/type, "\s*\+ "\'acl:(\w+)-acl-type\'\)";')
_EXPECTED_EDITS = 3


def module_dir() -> Path:
    """The folder of IETF modules that the Python package pyang brings along.

    Raises:
        LabError: pyang is not installed, or without its modules.
    """
    candidates = [Path(sys.prefix) / "share/yang/modules/ietf"]
    try:
        files = metadata.files("pyang") or []
    except metadata.PackageNotFoundError:
        files = []
    own = [entry for entry in files if entry.name == f"{ACL}.yang"]
    candidates.extend(Path(str(entry.locate())).resolve().parent for entry in own)
    for folder in candidates:
        if (folder / f"{ACL}.yang").is_file():
            return folder
    raise LabError(f"no {ACL}.yang: install the Python package pyang (pip install 'secloop[lab]')")


def fit_acl_module(text: str) -> str:
    """RFC 8519's module as netconfd 2.13 can load it; nothing of this leaves the run directory.

    Two edits, both in the conditions: an ``if-feature "a and b"`` inside a feature becomes one line for each
    (netconfd reports a definition loop otherwise; the meaning is the same), and ``derived-from-or-self`` on the
    module's own identities becomes a look at the type's name (netconfd rejects the identity).

    Raises:
        LabError: the text is not the module these edits were made for.
    """
    text, split = _IF_FEATURE.subn(_one_each, text)
    text, named = _DERIVED.subn(r"""when "contains(../../../../type, '\1')";""", text)
    if (split, named) != (_EXPECTED_EDITS, _EXPECTED_EDITS):
        raise LabError(f"{ACL}.yang of this pyang differs from RFC 8519: {split} and {named} places, not 3 and 3")
    return text


def _one_each(match: re.Match[str]) -> str:
    features = [word for word in re.findall(r"[\w-]+", match[2]) if word != "and"]
    return "\n".join(f'{match[1]}if-feature "{feature}";' for feature in features)


def prepare(target: Path) -> str:
    """Write the modules into `target`; returns netconfd's module search path.

    Raises:
        LabError: a module is missing or not the expected one.
    """
    target.mkdir(mode=0o700, exist_ok=True)
    source = module_dir()
    for name in FROM_PYANG:
        text = (source / f"{name}.yang").read_text(encoding="utf-8")
        (target / f"{name}.yang").write_text(fit_acl_module(text) if name == ACL else text, encoding="utf-8")
    for name in OWN_MODULES:
        (target / f"{name}.yang").write_text((OWN / f"{name}.yang").read_text(encoding="utf-8"), encoding="utf-8")
    return f"{target}:{SYSTEM_PATH}"
