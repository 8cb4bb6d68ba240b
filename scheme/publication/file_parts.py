"""Pieces of a file nobody vouches for: what is not of the form looked for is passed over, never an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def properties_of(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of a feature, empty where it has none."""
    told = feature.get("properties")
    return told if isinstance(told, dict) else {}


def ring_of(feature: Mapping[str, Any]) -> list[tuple[float, float]] | None:
    """Return the ring of a polygon without holes, ``None`` for every other geometry."""
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") != "Polygon":
        return None
    rings = geometry.get("coordinates")
    pairs = pairs_of(rings)
    is_plain = (
        isinstance(rings, list) and len(rings) == 1 and isinstance(rings[0], list) and len(rings[0]) == len(pairs)
    )
    return pairs if is_plain else None


def pairs_of(value: object) -> list[tuple[float, float]]:
    """Return every pair of numbers that stands anywhere in a value."""
    if isinstance(value, dict):
        return [pair for item in value.values() for pair in pairs_of(item)]
    if not isinstance(value, list):
        return []
    if len(value) == 2 and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        return [(float(value[0]), float(value[1]))]
    return [pair for item in value for pair in pairs_of(item)]


def leaves_of(value: object, place: str) -> Iterator[tuple[str, object]]:
    """Yield every key and every single value, with its place."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield f"{place}/{name}", str(name)
            yield from leaves_of(item, f"{place}/{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves_of(item, f"{place}/{number}")
    else:
        yield place, value


def count_decimals(number: float) -> int:
    """Return how many decimals a number is written with."""
    text = repr(float(number))
    if "e-" in text:
        return int(text.rpartition("e-")[2])
    return len(text.partition(".")[2].rstrip("0"))
