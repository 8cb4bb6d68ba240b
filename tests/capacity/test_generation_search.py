"""The search for generation on made-up curves whose first crossing is known in closed form, whatever the load flow."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmodel.capacity.bracket import NOTHING, WIDTH_KW, Question, find_brackets
from gridmodel.capacity.constraints import KINDS, TABLES, Constraints

U_MAX_PU = 1.07
RATIO_MAX = 0.8


class Curves:
    """Values of limits as given functions of the generation."""

    name, direction = "curves", "generation"

    def __init__(self, curves, collapse_kw=math.inf):
        self.curves, self.collapse_kw = curves, collapse_kw

    def values(self, buses, p_kw, tan_phi):
        values = np.array([[curve(p) for curve in self.curves] for p in p_kw]).reshape(len(p_kw), len(self.curves))
        has_solution = p_kw <= self.collapse_kw
        values[~has_solution] = np.nan
        return values, has_solution


def hump(first_kw, last_kw, height_pu):
    """A voltage above its limit between two generations only; concave."""
    bend = height_pu / (0.5 * (last_kw - first_kw)) ** 2
    return lambda p_kw: U_MAX_PU - bend * (p_kw - first_kw) * (p_kw - last_kw)


def reversed_flow(s_load_kva, rating_kva, tan_phi):
    """The loading of an element that carries a load first: it falls, then rises."""
    return lambda p_kw: abs(s_load_kva - p_kw * complex(1.0, tan_phi)) / rating_kva


def overload_kw(s_load_kva, rating_kva, tan_phi):
    """|S - P (1 + j t)| = ratio x rating, the larger root of the quadratic in P."""
    a, b = 1.0 + tan_phi**2, s_load_kva.real + tan_phi * s_load_kva.imag
    return (b + math.sqrt(b * b - a * (abs(s_load_kva) ** 2 - (RATIO_MAX * rating_kva) ** 2))) / a


def ask(curves, kinds, *, guess_kw=100.0, collapse_kw=math.inf, ceiling_kw=1e6):
    limits = {"voltage_high": U_MAX_PU, "voltage_low": 0.93, "line_loading": RATIO_MAX}
    question = Question(
        buses=np.zeros(1, dtype=np.int64),
        constraints=Constraints(
            table_codes=np.array([TABLES.index("line" if "loading" in kind else "bus") for kind in kinds], np.int8),
            elements=np.arange(len(kinds)),
            kind_codes=np.array([KINDS.index(kind) for kind in kinds], np.int8),
            limits=np.array([limits[kind] for kind in kinds]),
            signs=np.array([-1.0 if kind == "voltage_low" else 1.0 for kind in kinds]),
            effects=np.zeros(len(kinds)),
        ),
        base=np.array([curve(0.0) for curve in curves]),
        on_path=np.ones((1, len(kinds)), dtype=bool),
        guess_kw=np.array([guess_kw]),
        tan_phi=0.0,
        ceiling_kw=ceiling_kw,
        direction="generation",
    )
    return question, find_brackets(Curves(curves, collapse_kw), question)


def assert_first_break(brackets, expected_kw):
    value_kw = float(brackets.value_kw()[0])
    assert value_kw <= expected_kw <= float(brackets.breaks_kw[0]) + 1e-6
    assert brackets.breaks_kw[0] - value_kw <= WIDTH_KW


sizes = st.floats(min_value=1.0, max_value=2e4)


@settings(max_examples=400, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    humps=st.lists(st.tuples(sizes, sizes, st.floats(1e-4, 0.2)), max_size=3),
    loads=st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(-math.pi, math.pi), sizes), max_size=3),
    tan_phi=st.sampled_from([0.0, 0.33]),
    guess_kw=st.floats(0.1, 1e5),
)
def test_the_first_crossing_is_found_wherever_the_search_starts(humps, loads, tan_phi, guess_kw):
    curves, kinds, breaks = [], [], [1e6]
    for first, width, height in humps:
        curves.append(hump(first, first + width, height))
        kinds.append("voltage_high")
        breaks.append(first)
    for share, angle, rating in loads:
        s_load = 0.99 * RATIO_MAX * rating * share * complex(math.cos(angle), math.sin(angle))
        curves.append(reversed_flow(s_load, rating, tan_phi))
        kinds.append("line_loading")
        breaks.append(overload_kw(s_load, rating, tan_phi))
    _, brackets = ask(curves, kinds, guess_kw=guess_kw)
    if min(breaks) == 1e6:
        assert brackets.holds_kw[0] == 1e6
        assert brackets.binding[0] == NOTHING
    else:
        assert_first_break(brackets, min(breaks))


@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(first=sizes, width=sizes, height=st.floats(1e-4, 0.2), beyond=sizes, guess_kw=st.floats(0.1, 1e5))
def test_a_missing_solution_beyond_does_not_hide_a_voltage_that_rose_and_fell(first, width, height, beyond, guess_kw):
    _, brackets = ask(
        [hump(first, first + width, height)],
        ["voltage_high"],
        guess_kw=guess_kw,
        collapse_kw=first + width + beyond,
    )
    assert_first_break(brackets, first)
    assert brackets.binding[0] == 0


def test_first_load_at_which_a_reversed_flow_breaks_is_beyond_the_load_it_met():
    # 1000 kW are taken, 0.8 x 2000 kVA may flow back: 2600 kW.
    curves = [reversed_flow(1000.0 + 0.0j, 2000.0, 0.0)]
    _, brackets = ask(curves, ["line_loading"], guess_kw=540.0)
    assert_first_break(brackets, 2600.0)


def test_a_lower_voltage_limit_never_counts_whether_broken_before_or_not():
    falling = [lambda p_kw: 0.92 - 1e-5 * p_kw, lambda p_kw: 0.94 - 1e-5 * p_kw]
    _, brackets = ask(falling, ["voltage_low", "voltage_low"], ceiling_kw=5000.0)
    assert brackets.holds_kw[0] == 5000.0
    assert brackets.unattributed[0].tolist() == [True, True]


def test_an_over_voltage_of_the_path_without_generation_gives_nothing():
    _, brackets = ask([lambda p_kw: 1.08 - 1e-5 * p_kw], ["voltage_high"])
    assert brackets.base_breaks[0]
    assert brackets.value_kw()[0] == 0.0


def test_an_overload_of_the_path_without_generation_gives_nothing_although_generation_would_relieve_it():
    _, brackets = ask([reversed_flow(1900.0 + 0.0j, 2000.0, 0.0)], ["line_loading"])
    assert brackets.base_breaks[0]
    assert brackets.value_kw()[0] == 0.0
    assert brackets.binding[0] == 0


@pytest.mark.parametrize(
    ("effect_pu", "expected_kw"),
    [
        (0.0, 4000.0),  # literal: broken before, so it does not count and the other limit binds
        (0.01, 1000.0),  # 1e-5 pu a kW: it counts when generation has raised it by 0.01 pu
    ],
)
def test_an_over_voltage_beside_the_path_counts_when_the_generation_raises_it_by_the_threshold(effect_pu, expected_kw):
    curves = [lambda p_kw: 1.08 + 1e-5 * p_kw, reversed_flow(0.0j, 5000.0, 0.0)]
    question, _ = ask(curves, ["voltage_high", "line_loading"])
    effects = np.array([effect_pu, 0.0])
    question = replace(
        question,
        constraints=replace(question.constraints, effects=effects),
        on_path=np.array([[False, True]]),
    )
    assert_first_break(find_brackets(Curves(curves), question), expected_kw)


def test_an_evaluator_of_the_other_direction_is_refused():
    question, _ = ask([reversed_flow(0.0j, 5000.0, 0.0)], ["line_loading"])
    with pytest.raises(ValueError, match="generation"):
        find_brackets(Curves([]), replace(question, direction="load"))
