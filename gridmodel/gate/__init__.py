"""The quality gate (数据质量关): what may enter the model, what is left out, and what can then no longer be assessed.

Three questions, three calls. :func:`check_net` looks at rows, before any load-flow library sees them; every row is
accepted, quarantined with a finding, or merged by a named rule. :func:`check_topology` looks at the built net as a
whole, :func:`check_places` at its coordinates. Nothing is scaled, guessed or repaired in silence.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from gridmodel.errors import InputError
from gridmodel.gate.connectivity import check_topology
from gridmodel.gate.coordinates import check_places
from gridmodel.gate.electrical import check_electrical
from gridmodel.gate.outcome import collect
from gridmodel.gate.references import check_references
from gridmodel.gate.report import ElementNames, Gap, Report, RowCheck, TopologyCheck
from gridmodel.gate.rows import Checking, type_tables

__all__ = ["ElementNames", "Gap", "RowCheck", "TopologyCheck", "check_net", "check_places", "check_topology"]


def check_net(net: Mapping[str, pd.DataFrame], *, file: str, element_names: ElementNames | None = None) -> RowCheck:
    """Check every row of pandapower-like tables.

    Args:
        net: Element tables by pandapower name, cells as they were read; a built net will do as well. Not changed.
        file: File name for the findings.
        element_names: Imported identifiers; without one an element is named ``table:index``.

    Raises:
        InputError: There is no bus, a mandatory column is missing, an index is no element number, or a whole column
            has the wrong unit.
    """
    buses = net.get("bus")
    if buses is None or not len(buses):
        raise InputError("no buses", file=file, field="bus", allowed="a table bus with at least one row")
    checking = Checking(report=Report(file=file, names=element_names))
    type_tables(checking, net)
    check_references(checking)
    check_electrical(checking)
    check_references(checking)  # again: what names a row that has just been left out
    return collect(checking, net)
