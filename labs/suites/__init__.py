"""Five suites of scenarios, split so that the test holds techniques and networks that training never saw.

load_suite("cic-ids2017")                       # scenarios
cases("cic-ids2017", Split.TEST, range(20))     # concrete cases: every scenario with every seed
digests()                                       # SHA-256 of each split; committed in digests.json

The rules of the splits are those of :mod:`labs.suites.rules`, and ``labs/suites/README.md`` says where each family of a
data set went.
"""

from __future__ import annotations

from .cases import PLANS, cases, plan_of
from .digest import DIGESTS, committed, digests
from .load import Network, SuiteError, load_networks, load_suite, network_of
from .report import rows
from .rules import shape, violations

__all__ = [
    "DIGESTS",
    "PLANS",
    "Network",
    "SuiteError",
    "cases",
    "committed",
    "digests",
    "load_networks",
    "load_suite",
    "network_of",
    "plan_of",
    "rows",
    "shape",
    "violations",
]
