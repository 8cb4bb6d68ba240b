"""Symbols of the single-line diagram, drawn into CAD blocks; each hangs on the axis x = 0 from y = 5 to y = -5 (mm).

A block is anything with ``add_line`` and ``add_circle`` (an ezdxf block layout).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Segment = tuple[float, float, float, float]

HALF_HEIGHT_MM = 5.0
_THICK = 70
"""Line weight of busbars (hundredths of a millimetre)."""


def draw_lines(
    block: Any, segments: Iterable[Segment], *, weight: int = 30, linetype: str = "CONTINUOUS", layer: str = "0"
) -> None:
    """Add straight lines ``(x1, y1, x2, y2)`` in millimetres; ``weight`` in hundredths of a millimetre.

    Inside a block, layer ``0`` takes on the layer of the place where the block is put.
    """
    for x1, y1, x2, y2 in segments:
        block.add_line((x1, y1), (x2, y2), dxfattribs={"lineweight": weight, "linetype": linetype, "layer": layer})


def _rectangle(left: float, bottom: float, right: float, top: float) -> list[Segment]:
    return [
        (left, bottom, right, bottom),
        (left, top, right, top),
        (left, bottom, left, top),
        (right, bottom, right, top),
    ]


def _circle(block: Any, x: float, y: float, radius: float) -> None:
    block.add_circle((x, y), radius, dxfattribs={"lineweight": 30, "linetype": "CONTINUOUS"})


def _busbar(block: Any) -> None:
    draw_lines(block, [(0, 5, 0, -5)])
    draw_lines(block, [(-18, 0, 18, 0)], weight=_THICK)


def _breaker(block: Any) -> None:
    draw_lines(block, [(0, 5, 0, 2.4), (0, -2.4, 0, -5), *_rectangle(-1.5, -2.4, 1.5, 2.4)])
    draw_lines(block, [(-1.5, -2.4, 1.5, 2.4), (-1.5, 2.4, 1.5, -2.4)], weight=18)


def _boundary_switch(block: Any) -> None:
    """Breaker with a surge arrester (避雷器) to earth beside it."""
    draw_lines(block, [(0, 5, 0, 4.4), (0, 0.2, 0, -5), *_rectangle(-1.4, 0.2, 1.4, 4.4)])
    draw_lines(block, [(-1.4, 0.2, 1.4, 4.4), (-1.4, 4.4, 1.4, 0.2)], weight=18)
    draw_lines(block, [(0, -1.6, 7, -1.6), *_rectangle(7, -2.5, 11, -0.7), (8, -1.6, 10, -1.6), (9.4, -1.2, 10, -1.6)])
    draw_lines(block, [(9.4, -2.0, 10, -1.6), (11, -1.6, 13, -1.6)])
    draw_lines(block, [(13, -2.9, 13, -0.3), (13.7, -2.3, 13.7, -0.9), (14.4, -1.9, 14.4, -1.3)])


def _transformer(block: Any) -> None:
    _circle(block, 0, 1.4, 2.3)
    _circle(block, 0, -1.4, 2.3)
    draw_lines(block, [(0, 5, 0, 3.7), (0, -3.7, 0, -5)])


def _bay(block: Any) -> None:
    """Ring-main bays (环网柜间隔): the customer's on the axis, the next one of the ring beside it."""
    draw_lines(block, [(0, 5, 0, 2.2)])
    draw_lines(block, _rectangle(-18, -4.2, 18, 4.2), weight=18, linetype="DASHED")
    draw_lines(block, [(-14, 2.2, 14, 2.2)], weight=_THICK)
    for x in (0.0, 10.0):
        draw_lines(block, [(x, 2.2, x, 0.8), (x - 0.9, 0.8, x + 0.9, 0.8), (x, -2.2, x - 1.6, 0.3), (x, -2.2, x, -5)])
        _circle(block, x, 0.45, 0.35)
    draw_lines(block, [(9.2, -3.9, 10, -5), (10.8, -3.9, 10, -5)])


def _pole(block: Any) -> None:
    """Tee from a pole (杆塔T接): the line runs on to the right."""
    draw_lines(block, [(0, 5, 0, 1.7), (0, -1.7, 0, -5), (1.7, 0, 17, 0), (15.4, 0.9, 17, 0), (15.4, -0.9, 17, 0)])
    _circle(block, 0, 0, 1.7)
    _circle(block, 0, 0, 0.5)


def _node(block: Any) -> None:
    draw_lines(block, [(0, 5, 0, -5)])
    _circle(block, 0, 0, 0.8)


def _cable(block: Any) -> None:
    """Cable with its two terminations (电缆终端)."""
    draw_lines(block, [(0, 5, 0, -5)], weight=50)
    draw_lines(block, [(-1.4, 4.6, 1.4, 4.6), (-1.4, 4.6, 0, 2.4), (1.4, 4.6, 0, 2.4)])
    draw_lines(block, [(-1.4, -4.6, 1.4, -4.6), (-1.4, -4.6, 0, -2.4), (1.4, -4.6, 0, -2.4)])


def _overhead(block: Any) -> None:
    draw_lines(block, [(0, 5, 0, -5)], weight=50)
    draw_lines(block, [(-1.2, 2.2, 1.2, 2.8), (-1.2, -2.8, 1.2, -2.2)])


def _meter(block: Any) -> None:
    """Current transformer on the line, meter beside it."""
    draw_lines(block, [(0, 5, 0, -5), (1.7, 0, 6, 0), *_rectangle(6, -2.3, 12.5, 2.3)])
    draw_lines(block, [(3.4, -0.7, 4.2, 0.7)], weight=18)
    _circle(block, 0, 0, 1.7)


def _meter_box(block: Any) -> None:
    _meter(block)
    draw_lines(block, _rectangle(-4, -3.8, 14.5, 3.8), weight=18, linetype="DASHED")


def _meter_box_direct(block: Any) -> None:
    """Meter without current transformers: the line runs through it."""
    draw_lines(block, [(0, 5, 0, 2.3), (0, -2.3, 0, -5), *_rectangle(-3.2, -2.3, 3.2, 2.3)])
    draw_lines(block, _rectangle(-6.5, -3.8, 6.5, 3.8), weight=18, linetype="DASHED")


def _load(block: Any) -> None:
    draw_lines(block, [(0, 5, 0, -3), (-1.6, 0.2, 0, -3), (1.6, 0.2, 0, -3)])


def _arrow_in(block: Any) -> None:
    draw_lines(block, [(0, 5, 0, -5), (-1.5, 2.0, 0, -1.0), (1.5, 2.0, 0, -1.0)])


METER_TEXT_X_MM = {"meter": 9.25, "meter_box": 9.25, "meter_box_direct": 0.0}
"""Where a symbol's ``Wh`` stands."""

SYMBOLS: dict[str, Callable[[Any], None]] = {
    "arrow_in": _arrow_in,
    "bay": _bay,
    "boundary_switch": _boundary_switch,
    "breaker": _breaker,
    "busbar": _busbar,
    "cable": _cable,
    "load": _load,
    "meter": _meter,
    "meter_box": _meter_box,
    "meter_box_direct": _meter_box_direct,
    "node": _node,
    "overhead": _overhead,
    "pole": _pole,
    "transformer": _transformer,
}
