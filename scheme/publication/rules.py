"""What may stand on the public map, by the disclosure profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

from gridmodel.errors import InputError
from scheme.policy.parameter import PolicyValue, PolicyView

MapAudience = Literal["public", "on_application"]
"""Anyone; staff only, who answer for the area applied for."""
_AUDIENCES = ("public", "on_application")
_VA_PER_KVA = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRules:
    """Thresholds and classes of one publication."""

    cell_side_m: float
    block_side_cells: int
    transformers: PolicyValue
    """Fewest transformers behind a class."""
    customers: PolicyValue
    """Fewest customers behind a class, where their number is known."""
    band_edges_va: tuple[int, ...]
    """Ascending, whole VA."""
    hysteresis: PolicyValue
    """Share of an edge a value must lie beyond it for the class to change."""

    @property
    def band_edges_kva(self) -> tuple[int | float, ...]:
        """Edges as the legend prints them."""
        edges = (edge_va / _VA_PER_KVA for edge_va in self.band_edges_va)
        return tuple(int(edge) if edge.is_integer() else edge for edge in edges)

    def is_enough(self, transformers: int, customers: int | None) -> bool:
        """Return whether a class may rest on so many transformers and customers (``None``: not known)."""
        return self.transformers.allows(transformers) and (customers is None or self.customers.allows(customers))


def read_map_rules(policy: PolicyView) -> MapRules:
    """Return the rules of the public map.

    Args:
        policy: Reads ``disclosure.map_*``.

    Raises:
        InputError: The edges do not ascend from above 0.
    """
    edges_va = tuple(round(edge * _VA_PER_KVA) for edge in policy.numbers("disclosure.map_band_edges_kva"))
    if list(edges_va) != sorted(set(edges_va)) or edges_va[0] <= 0:
        raise InputError("edges must ascend from above 0", field="disclosure.map_band_edges_kva", value=edges_va)
    return MapRules(
        cell_side_m=policy.number("disclosure.map_cell_side_m"),
        block_side_cells=policy.count("disclosure.map_block_side_cells"),
        transformers=policy.get("disclosure.map_transformers_min"),
        customers=policy.get("disclosure.map_customers_min"),
        band_edges_va=edges_va,
        hysteresis=policy.get("disclosure.map_hysteresis_ratio"),
    )


def find_map_audience(policy: PolicyView) -> MapAudience:
    """Return who may read the released map.

    Args:
        policy: Reads ``disclosure.map_audience``.

    Raises:
        PolicyNotInForceError: Nobody decided; the utility must, in its own profile.
        InputError: The profile names an audience that does not exist.
    """
    audience = policy.text("disclosure.map_audience")
    if audience not in _AUDIENCES:
        raise InputError(
            "unknown audience", field="disclosure.map_audience", value=audience, allowed=", ".join(_AUDIENCES)
        )
    return cast(MapAudience, audience)


def is_due(months_since_last: int | None, policy: PolicyView) -> bool:
    """Return whether a publication may follow one whose data are so many months older (``None``: there is none).

    Args:
        months_since_last: Difference of the data months.
        policy: Reads ``disclosure.map_refresh_months_min``.
    """
    return months_since_last is None or policy.get("disclosure.map_refresh_months_min").allows(months_since_last)


def list_band_codes(edges_kva: Sequence[int | float]) -> tuple[str, ...]:
    """Return the codes of the classes from the lowest: ``zero``, ``10_50``, ..., ``ge_500``."""
    between = (f"{low:g}_{high:g}" for low, high in pairwise(edges_kva))
    return ("zero", *between, f"ge_{edges_kva[-1]:g}")
