"""The real data sets' CSV flow files as alerts, for users who have them.

write_eve(Path("Tuesday-WorkingHours.pcap_ISCX.csv"), Path("eve.json"))
summaries, report = secloop_ai.alerts.summarise(Path("eve.json"))

Every flow that its file labels as an attack becomes one EVE alert, as if a sensor had seen it without fault; from there
on it goes the way of any alert. The loaders are tested on rows built from the published headers and were NOT run on the
real sets, which are not part of this project.
"""

from __future__ import annotations

from .cicflow import CIC_IDS2017, CSE_CIC_IDS2018
from .convert import ConversionReport, write_eve
from .flow import BadRow, LabelledFlow
from .labels import LABELS, Meaning, meaning
from .unsw import UNSW_NB15

__all__ = [
    "CIC_IDS2017",
    "CSE_CIC_IDS2018",
    "LABELS",
    "UNSW_NB15",
    "BadRow",
    "ConversionReport",
    "LabelledFlow",
    "Meaning",
    "meaning",
    "write_eve",
]
