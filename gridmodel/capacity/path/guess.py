"""A first guess for a candidate from the solution one position nearer to the source.

Below its parent a candidate differs by one branch. What the network above does to a load drawn at the parent is known
at two points, without any and at the parent's own solution with its slope; a parabola through them replaces the walk.
Only the branch itself is then solved. The guess is exact but for the network's third-order terms, so one walk confirms
it; nothing else is taken from it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridmodel.capacity.arrays import Integers
from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.path.breaks import KINDS, NOTHING, VOLTAGE, first_to_break
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.oneport import OnePorts, power_at
from gridmodel.capacity.path.ways import FIXED, PER_W, P, Q, W, Way, walk_up

_STEPS_MAX = 4
_CLOSE_RATIO = 1e-2
_LEAST_MW = 1e-6
_LEAST_W = 0.04


class Known(NamedTuple):
    """Solutions found so far, shape (positions,)."""

    p_mw: Floats
    """Load (MW), zero where there is no solution."""
    w_pu2: Floats
    """Squared voltage at that load."""
    slope_pu2_per_mw: Floats
    """Of ``w_pu2`` over the load there (1/MW)."""
    at: Integers
    """Limit that binds, on the way."""


class Guess(NamedTuple):
    """Where to begin."""

    w_pu2: float
    p_mw: float
    at: int
    """Limit on the way that will bind; ``NOTHING`` where that is not known."""
    bend_mw_per_mw2: float
    """How much of a Newton step squared is left after it (MW per MW squared); inf where that is not known."""


class _Above(NamedTuple):
    """The parabola ``w = w_0 + start z + bend z^2`` of the parent over the load ``z`` drawn there, and its limit."""

    w_0_pu2: float
    start_pu2_per_mw: float
    bend_pu2_per_mw2: float
    z_mw_max: float
    reactive_ratio: float
    """What reactive power adds to ``z``: it lowers the voltage as the active one does."""
    limit_ratio: float
    """The same for the parent's limit."""


@compiled
def no_guess(w_base: float) -> Guess:
    """Return the base case."""
    return Guess(w_base, 0.0, NOTHING, np.inf)


@compiled
def guess_from_parent(ports: OnePorts, w_base: Floats, known: Known, way: Way, depth: int, s_sign: complex) -> Guess:
    """Return a guess for the candidate at ``depth`` of ``way``, the base case where its parent has no solution."""
    i, parent = way.position[depth], way.position[depth - 1]
    if not known.p_mw[parent] > _LEAST_MW:
        return no_guess(w_base[i])
    sign, tan_phi = s_sign.real, s_sign.imag * s_sign.real
    above = _network_above(w_base, known, way, depth - 1, tan_phi)
    w, p, at = w_base[i], 0.0, NOTHING
    room = way.flow[PER_W, depth] * w + way.flow[FIXED, depth]
    if above.z_mw_max * above.z_mw_max * (1.0 + tan_phi * tan_phi) < room:  # the branch itself will hardly bind
        w, p = w + (known.w_pu2[parent] - above.w_0_pu2) / ports.steps[i, 0], above.z_mw_max
    for _ in range(_STEPS_MAX):
        walk_up(ports, way, depth, depth - 1, w, p, s_sign)
        shift, slope, room_above = _match(ports, way, depth - 1, above, sign, tan_phi)
        more, at, _ = first_to_break(way, depth, depth - 1, p, shift, slope, sign)
        if room_above < more:
            more, at = room_above, known.at[parent]
        more = max(more, -p)
        w, p = w + shift + slope * more, p + more
        if abs(more) < _CLOSE_RATIO * p:
            break
    if not (w > _LEAST_W and 0.0 <= p < np.inf):
        return no_guess(w_base[i])
    return Guess(w, p, at, abs(above.bend_pu2_per_mw2 / known.slope_pu2_per_mw[parent]))


@compiled
def _network_above(w_base: Floats, known: Known, way: Way, depth: int, tan_phi: float) -> _Above:
    i = way.position[depth]
    p = known.p_mw[i]
    chord = (known.w_pu2[i] - w_base[i]) / p
    bend = (known.slope_pu2_per_mw[i] - chord) / p
    by_p, by_q = way.reach[0, depth], way.reach[1, depth]
    reactive_ratio = by_q / (by_p + tan_phi * by_q)
    is_voltage = known.at[i] % KINDS == VOLTAGE
    limit_ratio = reactive_ratio if is_voltage else tan_phi / (1.0 + tan_phi * tan_phi)
    return _Above(w_base[i], chord - bend * p, bend, p, reactive_ratio, limit_ratio)


@compiled
def _match(
    ports: OnePorts, way: Way, depth: int, above: _Above, sign: float, tan_phi: float
) -> tuple[float, float, float]:
    """Return how to meet the parabola after a walk to ``depth``: ``shift``, ``slope``, and the load its limit allows.

    For the first two see ``first_to_break``.
    """
    i, seen = way.position[depth], way.seen
    w, w_w, w_p = seen[W, depth], seen[W + 1, depth], seen[W + 2, depth]
    inverse, scale = 1.0 / w, ports.scale[i]
    x = (inverse - ports.centre[i]) * scale
    p_own, q_own, p_own_w, q_own_w = power_at(ports.whole, i, 0, x, scale, w, inverse)
    p = sign * (seen[P, depth] - p_own)
    p_w, p_p = sign * (seen[P + 1, depth] - p_own_w * w_w), sign * (seen[P + 2, depth] - p_own_w * w_p)
    q = sign * (seen[Q, depth] - q_own) - tan_phi * p  # beyond what belongs to the active power
    q_w = sign * (seen[Q + 1, depth] - q_own_w * w_w) - tan_phi * p_w
    q_p = sign * (seen[Q + 2, depth] - q_own_w * w_p) - tan_phi * p_p
    share = above.reactive_ratio
    z, z_w, z_p = p + share * q, p_w + share * q_w, p_p + share * q_p
    start, bend = above.start_pu2_per_mw, above.bend_pu2_per_mw2
    bent = start + 2.0 * z * bend
    miss, miss_w, miss_p = w - above.w_0_pu2 - z * (start + z * bend), w_w - bent * z_w, w_p - bent * z_p
    shift, slope = -miss / miss_w, -miss_p / miss_w
    share = above.limit_ratio
    z, z_w, z_p = p + share * q, p_w + share * q_w, p_p + share * q_p
    return shift, slope, (above.z_mw_max - z - z_w * shift) / (z_p + z_w * slope)
