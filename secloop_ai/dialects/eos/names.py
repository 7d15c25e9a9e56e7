"""What Arista EOS says differently from the OpenConfig models, as data."""

from __future__ import annotations

from secloop_ai.contracts import RuleAction
from secloop_ai.dialects.openconfig import names as openconfig

ACTIONS = frozenset({RuleAction.PERMIT, RuleAction.DROP})
"""arista-acl-deviations: a forwarding action is ACCEPT or DROP."""
READ_FILTER = openconfig.READ_FILTER
NEEDS = openconfig.NEEDS
ABSENT = {
    "rate_limit": (
        "openconfig-acl has no rate, and EOS takes no policer of openconfig-qos on the input of an interface "
        "(arista-qos-notsupported-deviations); its own policy maps are beyond these models"
    ),
}
