"""The quality gate (数据质量关): what may enter the model, what is left out, and what can then no longer be assessed.

Two questions, two calls. :func:`check_net` looks at rows, before any load-flow library sees them; every row is accepted,
quarantined with a finding, or merged by a named rule. :func:`check_topology` looks at the built net as a whole. Nothing
is scaled, guessed or repaired in silence.
"""

from gridmodel.gate.connectivity import check_topology
from gridmodel.gate.report import ElementNames, Gap, RowCheck, TopologyCheck

__all__ = ["ElementNames", "Gap", "RowCheck", "TopologyCheck", "check_topology"]
