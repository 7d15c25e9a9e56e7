"""Suricata on the gateway's mirror port."""

from __future__ import annotations

from pathlib import Path

from .network import SPAN_OUT
from .paths import RunPaths

RULES = Path(__file__).resolve().parent / "suricata"
STARTED = "Engine started"


def write_config(paths: RunPaths) -> Path:
    """Write the sensor's configuration into the run directory; returns its path."""
    paths.sensor.mkdir(mode=0o700, exist_ok=True)
    text = (RULES / "suricata.yaml").read_text(encoding="utf-8")
    target = paths.sensor / "suricata.yaml"
    target.write_text(text.replace("@RUN@", str(paths.sensor)).replace("@RULES@", str(RULES)), encoding="utf-8")
    return target


def argv(config: Path, paths: RunPaths) -> list[str]:
    """Command line of the sensor."""
    return ["suricata", "-c", str(config), "-l", str(paths.sensor), f"--af-packet={SPAN_OUT}", "-k", "none"]
