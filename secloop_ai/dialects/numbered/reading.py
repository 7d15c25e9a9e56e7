"""The neutral model of numbered ACLs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from secloop_ai.contracts import AclAttachment, AclModel, DeviceModel, Family, PacketRule, RuleAction
from secloop_ai.dialects.xml import Element

from .adapter import IMPLICIT_DENY, Acl, Adapter, Place

Names = Mapping[tuple[str, Family | None], str]


def read(adapter: Adapter, root: Element) -> DeviceModel:
    """ACLs and attachments, with what could not be expressed."""
    acls = list(adapter.acls(root))
    names = model_names(acls)
    models, notes = [], []
    for acl in acls:
        if acl.family is not None:
            model, said = read_acl(adapter, root, acl, names[acl.key])
            models.append(model)
            notes += said
    attached: dict[Place, list[str]] = defaultdict(list)
    for place, name, family in adapter.attachments(root):
        if family is None:
            notes.append(f"{place}: acl {name} filters something else than IP packets; it is not in the model")
        elif (name, family) not in names:
            notes.append(f"{place}: there is no acl {name}")
            attached[place].append(name)
        else:
            attached[place].append(names[name, family])
    places = (AclAttachment(interface=i, direction=d, acls=tuple(a)) for (i, d), a in attached.items())
    return DeviceModel(acls=tuple(models), attachments=tuple(places), notes=tuple(notes))


def model_names(acls: Sequence[Acl]) -> Names:
    """What each ACL is called in the model: its name, with its family where two share the name."""
    count = Counter(acl.name for acl in acls)
    return {acl.key: acl.name if count[acl.name] == 1 else f"{acl.name}/v{acl.family}" for acl in acls}


def read_acl(adapter: Adapter, root: Element, acl: Acl, name: str) -> tuple[AclModel, list[str]]:
    """One ACL: our entries under their labels, those of others under their numbers, then what nothing matches."""
    entries = adapter.entries(acl)
    rules: list[PacketRule] = []
    notes: list[str] = []
    for entry in entries:
        ours = entry.label if entry.mark or entry.is_rest else None
        said = adapter.meaning(root, acl, entry, ours or str(entry.number))
        rules += said.rules
        notes += [f"acl {name}: {note}" for note in said.notes]
    if adapter.unmatched(acl, entries) is not RuleAction.PERMIT and not _closed(rules):
        rules.append(PacketRule(name=IMPLICIT_DENY, action=RuleAction.DROP))
    return AclModel(name=name, family=acl.family, rules=tuple(rules)), notes


def _closed(rules: Sequence[PacketRule]) -> bool:
    """Whether the last rule takes every packet, so that an implicit deny decides nothing."""
    if not rules:
        return False
    last = rules[-1]
    return last.same_effect(PacketRule(name=last.name, action=last.action))
