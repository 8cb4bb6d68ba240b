"""What the grid is and what it can still carry: networks, quality gate, open capacity, trial connections.

The public Python call is re-exported here; importing it starts no load-flow library.
"""

from gridmodel.capacity.limits import Limits, VoltageBand
from gridmodel.capacity.search import open_capacity

__all__ = ["Limits", "VoltageBand", "open_capacity"]
