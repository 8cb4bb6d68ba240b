"""The first limit on a way that more load breaks, as the last walk foresees it.

A voltage that moves away from its limit is harmless where even its tangent keeps the limit back to no load at all:
along the solutions voltages are concave in the load, so they stay below their tangents.

Along the solutions every squared voltage and every power is a straight line in the load, so a current or an apparent
power reaches its limit where a parabola does.
"""

from __future__ import annotations

import math

import numpy as np

from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.ways import FIXED, P_UP, PER_W, P, Way

NOTHING = -1
VOLTAGE, LOWER, UPPER, KINDS = 0, 1, 2, 3
"""A limit on a way is ``KINDS * depth + VOLTAGE``, or the flow at the ``LOWER`` or ``UPPER`` end of that branch."""
_TIE_MW = 1e-6


@compiled
def first_to_break(
    way: Way, depth: int, top: int, p: float, shift: float, slope: float, sign: float
) -> tuple[float, int, bool]:
    """Return how much more load breaks a limit, which one, and whether no voltage may have broken its limit before.

    Of flows that break at the same load the one with the first row is named.

    Args:
        way: The way and its last walk.
        depth: Of the candidate.
        top: Depth at which the walk ended.
        p: Load of that walk (MW).
        shift: Change of the candidate's ``w`` that meets the voltage there at the present load.
        slope: Change of ``w`` per change of the load along the solutions (1/MW).
        sign: +1 for a load, -1 for generation.

    Returns:
        Load (MW, inf = none), limit on the way, and whether every voltage moves towards its limit or is harmless.
    """
    best, at, is_safe = np.inf, NOTHING, True
    for k in range(depth, top, -1):
        fall = -sign * (way.seen[2, k] + way.seen[1, k] * slope)
        margin = sign * (way.seen[0, k] + way.seen[1, k] * shift) - way.need[k]
        if fall > 0.0:
            if margin < (best - _TIE_MW) * fall:
                best, at = margin / fall, KINDS * k + VOLTAGE
        elif sign > 0.0 or margin + fall * p < 0.0:
            is_safe = False
    row = NOTHING
    for k in range(depth, top, -1):
        for end in range(2):
            if way.flow[2 * end + FIXED, k] < np.inf and _excess(way, k, end, shift, slope, best + 2.0 * _TIE_MW) > 0.0:
                more = _way_out(way, k, end, shift, slope)
                if more < best + _TIE_MW:
                    own = way.flow_row[end, k]
                    if more < best - _TIE_MW or own < row:
                        best, at, row = min(more, best), KINDS * k + LOWER + end, own
    return best, at, is_safe


@compiled
def breaks_first(
    way: Way, depth: int, p: float, shift: float, slope: float, sign: float, at: int
) -> tuple[float, bool]:
    """Return how much more load breaks the limit ``at``, and whether that is certainly the first one.

    It is where no other breaks before it or together with it, and no voltage may have broken its limit before.
    """
    k, kind = divmod(at, KINDS)
    if kind == VOLTAGE:
        fall = -sign * (way.seen[2, k] + way.seen[1, k] * slope)
        best = (sign * (way.seen[0, k] + way.seen[1, k] * shift) - way.need[k]) / fall
        broken = 0
    else:
        best = _way_out(way, k, kind - LOWER, shift, slope)
        broken = 1 if _excess(way, k, kind - LOWER, shift, slope, best + 2.0 * _TIE_MW) > 0.0 else 0
    if not abs(best) < np.inf:
        return best, False
    early, late = best - _TIE_MW, best + 2.0 * _TIE_MW
    w_early, w_late = shift + slope * early, shift + slope * late
    seen, flow = way.seen, way.flow
    back_to_none = np.inf if sign > 0.0 else p + early
    for d in range(1, depth + 1):
        margin = sign * (seen[0, d] + seen[1, d] * w_early + seen[2, d] * early) - way.need[d]
        fall = -sign * (seen[2, d] + seen[1, d] * slope)
        broken += 0 if min(margin, margin + fall * back_to_none) >= 0.0 else 2
        s_p = seen[3, d] + seen[4, d] * w_late + seen[5, d] * late
        s_q = seen[6, d] + seen[7, d] * w_late + seen[8, d] * late
        w = seen[0, d] + seen[1, d] * w_late + seen[2, d] * late
        broken += 1 if s_p * s_p + s_q * s_q > flow[0, d] * w + flow[1, d] else 0
        s_p = seen[9, d] + seen[10, d] * w_late + seen[11, d] * late
        s_q = seen[12, d] + seen[13, d] * w_late + seen[14, d] * late
        w = seen[0, d - 1] + seen[1, d - 1] * w_late + seen[2, d - 1] * late
        broken += 1 if s_p * s_p + s_q * s_q > flow[2, d] * w + flow[3, d] else 0
    return best, broken == (0 if kind == VOLTAGE else 1)


@compiled
def _excess(way: Way, k: int, end: int, shift: float, slope: float, more: float) -> float:
    """Return by how much a squared power exceeds its limit at ``more`` load; positive where that is unbounded."""
    if more == np.inf:
        return np.inf
    seen, w_step, at, over = way.seen, shift + slope * more, P_UP if end else P, k - 1 if end else k
    p = seen[at, k] + seen[at + 1, k] * w_step + seen[at + 2, k] * more
    q = seen[at + 3, k] + seen[at + 4, k] * w_step + seen[at + 5, k] * more
    w = seen[0, over] + seen[1, over] * w_step + seen[2, over] * more
    return float(p * p + q * q - way.flow[2 * end + PER_W, k] * w - way.flow[2 * end + FIXED, k])


@compiled
def _way_out(way: Way, k: int, end: int, shift: float, slope: float) -> float:
    """Return the load at which a flow reaches its limit.

    It is the greater root, where the flow leaves its limit for good: one that shrinks before it grows (reverse flow)
    is met by the square. Where no root is left, the least value.
    """
    seen, at, over = way.seen, P_UP if end else P, k - 1 if end else k
    per_w, fixed = way.flow[2 * end + PER_W, k], way.flow[2 * end + FIXED, k]
    p, p_m = seen[at, k] + seen[at + 1, k] * shift, seen[at + 2, k] + seen[at + 1, k] * slope
    q, q_m = seen[at + 3, k] + seen[at + 4, k] * shift, seen[at + 5, k] + seen[at + 4, k] * slope
    w, w_m = seen[0, over] + seen[1, over] * shift, seen[2, over] + seen[1, over] * slope
    a, b, c = p_m * p_m + q_m * q_m, p * p_m + q * q_m - 0.5 * per_w * w_m, p * p + q * q - per_w * w - fixed
    if not a > 0.0:
        return np.inf
    square = b * b - a * c
    if square < 0.0:
        return float(-b / a)
    root = math.sqrt(square)
    return float(-c / (b + root) if b > 0.0 else (root - b) / a)
