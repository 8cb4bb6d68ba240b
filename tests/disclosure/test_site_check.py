"""A check of a site against records in which every text says where it stood: it tells less than a reply does."""

from __future__ import annotations

import json
import re

import pytest

from scheme.disclosure.customer_view import customer_view
from scheme.disclosure.site_check import site_check
from tests.disclosure.test_customer_view import Tainted, policy
from tests.document.conftest import NAMES, as_scheme, load_plain

MAY_BE_SEEN = tuple(
    re.compile(pattern)
    for pattern in (
        r"investment_boundary\.(boundary|utility_scope|customer_scope|offers\[\d+\])",
        r"fees\[\d+\]\.(name|unit_price_cny|amount_cny|basis)",
        r"steps\[\d+\]\.name",
        r"timeline\.(promise_text|milestones\[\d+\]\.(text|needs_text))",
        r"variants\[0\]\.(further_sources\[\d+\]\.)?power_quality\.(conditions|data_needed)\[\d+\]",
    )
)
"""Written by hand: all of them from the policy."""


@pytest.mark.parametrize("name", NAMES)
def test_only_texts_named_by_hand_are_told(name: str) -> None:
    tainted = Tainted(name)
    told = json.dumps(site_check(customer_view(tainted.record, policy())).as_dict(), ensure_ascii=False)
    seen = tainted.seen_in(told)
    assert {place for place in seen if not any(allowed.fullmatch(place) for allowed in MAY_BE_SEEN)} == set()
    assert "115.777" not in told
    assert "33.888" not in told
    assert "route" not in told
    assert "source" not in told


@pytest.mark.parametrize(
    ("name", "verdict", "answer"),
    [
        ("lv_resident_220v", "answered", "yes"),
        ("transition_10kv", "transition", "up_to"),
        ("joint_work_10kv", "joint_work", "review"),
    ],
)
def test_the_answer_is_that_of_the_reply(name: str, verdict: str, answer: str) -> None:
    view = customer_view(as_scheme(load_plain(name)), policy())
    told = site_check(view)
    assert (told.verdict, told.answer) == (verdict, answer)
    assert told.capacity_kva == view.own_site.capacity_kva
    assert told.timeline == view.timeline
    assert (told.capacity_kva is None) is (answer == "review")
