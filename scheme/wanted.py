"""Where a request is and what its supply must carry: what every search for a connection starts from."""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

from gridmodel.errors import InputError
from gridmodel.geometry import ServiceArea, locate, service_area
from gridmodel.snapshot import Snapshot
from scheme.policy.parameter import PolicyView
from scheme.request import SupplyRequest
from scheme.routes import WantedSupply
from scheme.rules.voltage_level import SupplyDecision

_AREAS: WeakKeyDictionary[Snapshot, tuple[float, ServiceArea | None]] = WeakKeyDictionary()
"""Margin and area last asked for; the hull of a county takes as long as a search."""


def locate_request(request: SupplyRequest, snapshot: Snapshot, policy: PolicyView) -> tuple[float, float]:
    """Return CGCS2000 longitude and latitude of a request.

    Raises:
        InputError: The place is outside the service area, or the network has no coordinates.
    """
    area = _area_of(snapshot, policy.number("connection.service_area_margin_m"))
    if area is None:
        raise InputError(
            "the imported network has no coordinates, so no place can be answered",
            field="location",
            allowed="a network whose nodes have coordinates",
        )
    place = request.location
    lon_deg, lat_deg = locate(place.lon_deg, place.lat_deg, place.datum, area)
    return round(lon_deg, 8), round(lat_deg, 8)


def _area_of(snapshot: Snapshot, margin_m: float) -> ServiceArea | None:
    known = _AREAS.get(snapshot)
    if known is not None and known[0] == margin_m:
        return known[1]
    nodes = snapshot.nodes
    area = service_area(nodes.lon_deg.to_numpy(), nodes.lat_deg.to_numpy(), margin_m=margin_m)
    _AREAS[snapshot] = margin_m, area
    return area


def wanted_supply(decision: SupplyDecision) -> WantedSupply:
    """Return what the connection must carry for a decision that names a voltage."""
    assert decision.capacity_kva is not None
    assert decision.power_factor is not None
    p_kw = decision.capacity_kva * decision.power_factor
    return WantedSupply(
        voltage_class="mv" if decision.voltage == "10kV" else "lv",
        is_single_phase=decision.voltage == "220V",
        p_kw=p_kw,
        q_kvar=math.sqrt(max(decision.capacity_kva**2 - p_kw**2, 0.0)),
        capacity_kva=decision.capacity_kva,
    )
