"""What single outages leave of a variant, from a table of surviving capacities made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from scheme import reliability
from scheme.model_quality import OutageSecurity
from scheme.policy.loader import load_policy

TABLE = pd.DataFrame(
    {
        "n1_status": ["restorable", "own_section", "not_restorable", "not_assessable", "own_section"],
        "n1_kva": [900.0, 640.0, None, None, None],
        "n1_outage": ["line:1", "line:0", "line:1", None, "station:3"],
    },
    index=[10, 11, 12, 13, 14],
)
SNAPSHOT: Any = SimpleNamespace(
    net=SimpleNamespace(line=pd.DataFrame({"from_bus": [10, 10, 11], "to_bus": [11, 12, 14]}, index=[0, 1, 2])),
    lines=pd.DataFrame({"element_id": ["W0", "W1"]}, index=[0, 1]),
)


def judged(monkeypatch: pytest.MonkeyPatch, *, further_sources: tuple[object, ...] = (), **place: Any) -> Any:
    monkeypatch.setattr(reliability, "_survivors", lambda *_: TABLE)
    monkeypatch.setattr(reliability, "replace", lambda draft, outage_security: outage_security)
    draft: Any = SimpleNamespace(**{"bus": None, "line": None, **place}, further_sources=further_sources)
    policy = load_policy("shenqiu-2022", date(2026, 6, 15))
    (found,) = reliability.with_outage_security([draft], capacity_kva=630.0, snapshot=SNAPSHOT, policy=policy)
    return found


CARRIED = OutageSecurity(status="restorable", n1_kva=900.0, is_carried=True, outage_element_id="W1")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"bus": 10}, CARRIED),
        # the end with less counts for a point along the line between buses 10 and 11
        ({"line": 0}, replace(CARRIED, status="own_section", n1_kva=640.0, outage_element_id="W0")),
        ({"bus": 12}, replace(CARRIED, status="not_restorable", n1_kva=None, is_carried=False)),
        (
            {"bus": 14},
            OutageSecurity(status="own_section", n1_kva=None, is_carried=None, outage_element_id="station:3"),
        ),
        # what is not known at one end is not known of the line
        (
            {"line": 2},
            OutageSecurity(status="own_section", n1_kva=None, is_carried=None, outage_element_id="station:3"),
        ),
        ({"bus": 13}, None),
    ],
)
def test_worst_outage_of_the_point_counts(
    monkeypatch: pytest.MonkeyPatch, place: dict[str, int], expected: OutageSecurity | None
) -> None:
    assert judged(monkeypatch, **place) == expected


def test_second_source_is_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, bus=12, further_sources=(object(),))
    assert (found.status, found.is_carried) == ("other_source", True)
