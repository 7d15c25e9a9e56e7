"""The plan folder: files a person can read, and what proves that nobody changed them since.

    PLAN/
      manifest.json            format, plan id, incident, SHA-256 of every other file
      summary.txt              what, why, which traffic changes
      request.json             the alert summaries that are the evidence
      decision.json            strategy, verdict, candidates, digests
      plan.json                operations, mitigations, base digest of every touched subtree
      devices/NAME/edit.xml    body of <config> for edit-config
      devices/NAME/inverse.xml what takes it away again
      devices/NAME/traffic.txt the semantic diff
      devices/NAME/document.diff
      hosts/NAME/roles.txt     what is done on the host, a line for each role

One writer and one staleness rule for every workflow: `write_plan` and `read_plan`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from secloop_ai.contracts import AlertSummary, ChangePlan, Decision, DevicePlan, Mitigation, PlanError, StalePlanError

from .roles import role_line

FORMAT = 1
MANIFEST = "manifest.json"
_SUMMARIES = TypeAdapter(tuple[AlertSummary, ...])
_MITIGATIONS = TypeAdapter(tuple[Mitigation, ...])
_Read = TypeVar("_Read")


class PlanFolder(NamedTuple):
    """A plan with the evidence and the decision it came from; both are empty for rollback and expiry."""

    plan: ChangePlan
    decision: Decision | None
    summaries: tuple[AlertSummary, ...]


def write_plan(folder: Path, content: PlanFolder, summary: str) -> bool:
    """Write the folder (created, mode 0700); says whether any file differs from what was there.

    Raises:
        PlanError: the folder cannot be written, or holds something that is not a plan.
    """
    files = _files(content, summary)
    hashes = {name: _sha256(text.encode()) for name, text in sorted(files.items())}
    plan = content.plan
    manifest = {"format": FORMAT, "plan_id": plan.plan_id, "incident_id": plan.incident_id, "files": hashes}
    files[MANIFEST] = json.dumps(manifest, indent=2) + "\n"
    try:
        return _put(folder, files)
    except OSError as error:
        raise PlanError(f"{error.filename or folder}: cannot write the plan: {error.strerror}") from None


def _files(content: PlanFolder, summary: str) -> dict[str, str]:
    plan = content.plan
    bare = [d.model_copy(update={"edit": None, "inverse": None, "traffic": (), "document": ""}) for d in plan.devices]
    files = {
        "summary.txt": summary,
        "plan.json": plan.model_copy(update={"devices": tuple(bare)}).model_dump_json(indent=2) + "\n",
    }
    if content.decision:
        files["decision.json"] = content.decision.model_dump_json(indent=2) + "\n"
        files["request.json"] = dump_summaries(content.summaries)
    for device in plan.devices:
        at = f"devices/{device.device}"
        files[f"{at}/edit.xml"] = device.edit or ""
        files[f"{at}/inverse.xml"] = device.inverse or ""
        files[f"{at}/traffic.txt"] = "".join(line + "\n" for line in device.traffic)
        files[f"{at}/document.diff"] = device.document
    for host in plan.hosts:
        files[f"hosts/{host.host}/roles.txt"] = "".join(role_line(t) + "\n" for t in host.operations)
    return files


def _put(folder: Path, files: Mapping[str, str]) -> bool:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    there = {p for p in _present(folder) if not p.startswith(".git")}
    if there and MANIFEST not in there:
        raise PlanError(f"{folder}: not empty and not a plan folder: choose another")
    changed = False
    for name in there - set(files):
        (folder / name).unlink()
        changed = True
    for name, text in files.items():
        path = folder / name
        if path.is_file() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        changed = True
    return changed


def read_plan(folder: Path) -> PlanFolder:
    """Read a plan folder, holding every file to the manifest's digest.

    Raises:
        PlanError: not a plan folder, or a file of it does not fit its schema.
        StalePlanError: a file is missing, added, or not what the manifest says.
    """
    manifest = _manifest(folder)
    _hold_to(folder, manifest["files"])
    plan = _read(folder / "plan.json", ChangePlan.model_validate_json)
    devices = tuple(_with_files(folder, device) for device in plan.devices)
    decision: Decision | None = None
    summaries: tuple[AlertSummary, ...] = ()
    if "decision.json" in manifest["files"]:
        decision = _read(folder / "decision.json", Decision.model_validate_json)
        summaries = load_summaries(folder / "request.json")
    return PlanFolder(plan.model_copy(update={"devices": devices}), decision, summaries)


def _manifest(folder: Path) -> dict[str, dict[str, str]]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        if manifest["format"] == FORMAT and isinstance(manifest["files"], dict):
            return dict(manifest)
    except OSError as error:
        raise PlanError(f"{folder / MANIFEST}: {error.strerror}: not a plan folder") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise PlanError(f"{folder / MANIFEST}: not a manifest of format {FORMAT}")


def _hold_to(folder: Path, hashes: Mapping[str, str]) -> None:
    present = {p for p in _present(folder) if p != MANIFEST and not p.startswith(".git")}
    for name in sorted(set(hashes) | present):
        if name not in hashes:
            raise StalePlanError(f"{folder / name}: not in the manifest: added after the plan was written")
        if name not in present:
            raise StalePlanError(f"{folder / name}: in the manifest, but missing")
        if _sha256((folder / name).read_bytes()) != hashes[name]:
            raise StalePlanError(f"{folder / name}: changed since the plan was written: render it again")


def _with_files(folder: Path, device: DevicePlan) -> DevicePlan:
    at = folder / "devices" / device.device
    return device.model_copy(
        update={
            "edit": (at / "edit.xml").read_text() or None,
            "inverse": (at / "inverse.xml").read_text() or None,
            "traffic": tuple((at / "traffic.txt").read_text().splitlines()),
            "document": (at / "document.diff").read_text(),
        }
    )


def dump_summaries(summaries: tuple[AlertSummary, ...]) -> str:
    """Summaries as JSON text; what an attacker wrote stays a JSON string, escaped to ASCII."""
    data = _SUMMARIES.dump_python(summaries, mode="json")
    return json.dumps(data, indent=1, ensure_ascii=True) + "\n"


def load_summaries(path: Path) -> tuple[AlertSummary, ...]:
    """Summaries written by :func:`dump_summaries`.

    Raises:
        PlanError: unreadable, or not summaries.
    """
    return _read(path, _SUMMARIES.validate_json)


def dump_mitigations(mitigations: tuple[Mitigation, ...]) -> str:
    """Mitigations as JSON text."""
    return _MITIGATIONS.dump_json(mitigations).decode()


def load_mitigations(path: Path) -> tuple[Mitigation, ...]:
    """Mitigations written by :func:`dump_mitigations`.

    Raises:
        PlanError: unreadable, or not mitigations.
    """
    return _read(path, _MITIGATIONS.validate_json)


def _read(path: Path, parse: Callable[[bytes], _Read]) -> _Read:
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise PlanError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise PlanError(f"{path}: {_first(error)}") from None


def load_decision(path: Path) -> Decision:
    """A decision written by the decide step.

    Raises:
        PlanError: unreadable, or not a decision.
    """
    return _read(path, Decision.model_validate_json)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}"


def _present(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
