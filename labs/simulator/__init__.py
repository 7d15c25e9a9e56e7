"""The fast model: the battlefields' scenarios evaluated without packets and without XML.

field = FastField(draw(scenario, seed=7))
field.alerts()                 # what a sensor makes of the undefended twin
field.evaluate(strategy)       # a Measurement, like the live battlefield's
field.undefended()
"""

from __future__ import annotations

from .field import FastField, registered
from .script import MeansSource

__all__ = ["FastField", "MeansSource", "registered"]
