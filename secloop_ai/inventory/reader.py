"""Reads an inventory with Ansible's own code and prints it as JSON: the child process of :mod:`.source`.

Ansible's controller code cannot be imported into an Ansible module's process (there, `ansible` is a zip that holds
module_utils only, and importing the rest breaks the module's result), and it reads its configuration once per
process. A process of its own has neither problem. Nothing here imports pydantic, so that the caller's imports and
this run side by side.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.inventory import manager as ansible_manager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import AnsibleVaultError, EncryptedString, VaultSecretsContext
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from .marks import Flattener, place_of
from .source import Place, Unreadable

WANTED: dict[str, tuple[str, ...]] = {
    "secloop_device": ("secloop_device",),
    "secloop_host": ("secloop_host",),
    "secloop_protected": ("secloop_protected",),
    "secloop_limits": ("secloop_limits",),
    "ansible_host": ("ansible_host", "ansible_ssh_host"),
    "ansible_port": ("ansible_port", "ansible_ssh_port"),
    "ansible_user": ("ansible_user", "ansible_ssh_user"),
    "ansible_ssh_private_key_file": ("ansible_ssh_private_key_file", "ansible_private_key_file"),
}
SECRET = {"ansible_password": ("ansible_password", "ansible_ssh_password", "ansible_ssh_pass")}
VAULT_HINT = " (vault_password_file in ansible.cfg, or ANSIBLE_VAULT_PASSWORD_FILE, names the vault password)"
Failure = tuple[str, BaseException]


class InventoryUnreadable(Exception):  # noqa: N818 - it carries the errors, one per file
    """The inventory cannot be read at all."""

    def __init__(self, problems: Sequence[Unreadable]) -> None:
        super().__init__(problems)
        self.problems = list(problems)


class Recorder:
    """Stands in for Ansible's display in the inventory manager: keeps why a plugin could not parse a source."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self.failures: list[Failure] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._display, name)

    def error_as_warning(self, msg: str | None, exception: BaseException, **_: Any) -> None:
        """Keep the failure instead of printing it."""
        self.failures.append((msg or "", exception))


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, outermost first."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__context__ if found.__cause__ is None else found.__cause__


def describe(error: BaseException, value: Any = None) -> str:
    """An Ansible error as one line, with its types named as a YAML author knows them."""
    text = " ".join(str(error).split()).rstrip(".")
    text = re.sub(r"<class '(?:\w+\.)*(?:_AnsibleTagged)?(\w+)'>", lambda m: m[1].lower(), text)
    sealed = isinstance(value, EncryptedString) or any(isinstance(e, AnsibleVaultError) for e in causes(error))
    return text + VAULT_HINT if sealed else text


def unreadable(error: BaseException, source: str = "") -> Unreadable:
    """The error with the deepest place that it or one of its causes names."""
    places = [place for e in causes(error) if (place := place_of(getattr(e, "obj", None)))]
    known = [p for p in places if p.line] or ([Place(source, 0)] if source else places) or [Place("", 0)]
    return Unreadable(describe(error), *known[-1])


def set_up_vault(loader: Any) -> None:
    """Give the loader the vault passwords that Ansible's configuration names."""
    if constants.DEFAULT_VAULT_PASSWORD_FILE or constants.DEFAULT_VAULT_IDENTITY_LIST:
        from ansible.cli import CLI  # noqa: PLC0415 - slow, and needed only where a vault is configured

        identities = list(constants.DEFAULT_VAULT_IDENTITY_LIST)
        loader.set_vault_secrets(CLI.setup_vault_secrets(loader, vault_ids=identities, auto_prompt=False))
    else:
        VaultSecretsContext.initialize(VaultSecretsContext([]))


def parse(sources: list[str], loader: Any) -> Any:
    """Ansible's inventory of the sources.

    Raises:
        InventoryUnreadable: sources that are not there, or that no plugin understands; all of them.
    """
    absent = [s for s in sources if "," not in s and not Path(s).exists()]
    if absent:
        raise InventoryUnreadable([Unreadable("no such inventory file or folder", s) for s in absent])
    recorder = Recorder(ansible_manager.display)
    unparsed: list[Unreadable] = []

    class StrictManager(ansible_manager.InventoryManager):  # type: ignore[misc] # an untyped base
        """Ansible's own, but a file that no plugin can parse is remembered: Ansible only warns and goes on."""

        def parse_source(self, source: str, cache: bool = False) -> bool:  # noqa: FBT001, FBT002 - Ansible's signature
            seen = len(recorder.failures)
            parsed = bool(super().parse_source(source, cache=cache))
            if not parsed and not Path(source).is_dir():
                unparsed.append(why_unparsed(str(source), recorder.failures[seen:]))
            return parsed

    display, ansible_manager.display = ansible_manager.display, recorder
    try:
        found = StrictManager(loader=loader, sources=sources)
    finally:
        ansible_manager.display = display
    if unparsed:
        raise InventoryUnreadable(unparsed)
    return found


def why_unparsed(source: str, failures: list[Failure]) -> Unreadable:
    """The one failure, of all plugins that tried the source, that its author wants to read."""
    if not failures:
        return Unreadable("no inventory plugin understands this file", source)
    by_plugin = {name: error for message, error in failures for name in re.findall(r"'(\w+)' plugin", message)}
    return unreadable(by_plugin.get(meant_for(Path(source)), failures[-1][1]), source)


def meant_for(path: Path) -> str:
    """The inventory plugin that the author of a file had in mind."""
    if path.suffix in {".yml", ".yaml", ".json"}:
        text = path.read_text(encoding="utf-8", errors="replace")
        return "auto" if re.search(r"^plugin\s*:", text, re.MULTILINE) else "yaml"
    return "script" if os.access(path, os.X_OK) else "ini"


class Reader:
    """One inventory, loaded."""

    def __init__(self, sources: list[str], loader: Any) -> None:
        self.loader = loader
        self.sources = [str(s) for s in sources or constants.DEFAULT_HOST_LIST]
        self.inventory = parse(self.sources, self.loader)
        self.variables = VariableManager(loader=self.loader, inventory=self.inventory)
        self.variables.safe_basedir = False  # group_vars beside the working directory are none of ours
        HostVars(self.inventory, self.variables, self.loader)  # makes `hostvars` known to templates

    def answer(self, wanted: dict[str, tuple[str, ...]]) -> dict[str, Any]:
        """Everything SecLoop asks of an inventory."""
        return {
            "sources": self.sources,
            "groups": sorted(self.inventory.groups),
            "roles_path": [str(p) for p in constants.DEFAULT_ROLES_PATH or ()],
            "hosts": [self.host(h, wanted) for h in self.inventory.get_hosts()],
        }

    def host(self, host: Any, wanted: dict[str, tuple[str, ...]]) -> dict[str, Any]:
        """One host's groups and variables; only those that are wanted are templated."""
        variables = self.variables.get_vars(host=host)
        flat = Flattener(Templar(loader=self.loader, variables=variables).template, describe)
        flat.note(host.name, [])
        keys = {str(k): k for k in variables}
        values = {}
        for name, aliases in wanted.items():
            defined = next((a for a in aliases if a in keys), None)
            if defined:
                values[name] = flat.plain(variables[defined], [name], keys[defined])
        return {
            "name": str(host.name),
            "groups": [str(g.name) for g in host.get_groups()],
            "directory": str(variables.get("inventory_dir") or ""),
            "file": str(variables.get("inventory_file") or ""),
            "values": values,
            "marks": flat.marks,
            "problems": flat.problems,
        }


def read(sources: list[str], *, secrets: bool) -> dict[str, Any]:
    """The reader's answer, with Ansible collections only where they are needed: finding them takes 50 ms.

    Raises:
        InventoryUnreadable, AnsibleError, OSError: what is wrong with the inventory.
    """
    loader = DataLoader()
    set_up_vault(loader)
    wanted = WANTED | SECRET if secrets else WANTED
    configured = [*constants.INVENTORY_ENABLED, *constants.VARIABLE_PLUGINS_ENABLED, constants.CACHE_PLUGIN]
    if not any("." in name and not name.startswith("ansible.") for name in map(str, configured)):
        try:
            answer = Reader(sources, loader).answer(wanted)
        except (InventoryUnreadable, AnsibleError):
            answer = {}
        if answer and not any(host["problems"] for host in answer["hosts"]):
            return answer
    init_plugin_loader()
    return Reader(sources, loader).answer(wanted)


def main() -> None:
    """Answer the request on standard input (``{"sources": [...], "secrets": bool}``) on standard output."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a plugin prints must not end up in the answer
    request = json.load(sys.stdin)
    try:
        answer = read(request["sources"], secrets=request["secrets"])
    except InventoryUnreadable as error:
        answer = {"unreadable": error.problems}
    except (AnsibleError, OSError) as error:
        answer = {"unreadable": [unreadable(error)]}
    json.dump(answer, out)
    out.close()
