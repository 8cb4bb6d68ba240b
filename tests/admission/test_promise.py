"""What a scheme promises, read from its record."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scheme.admission.errors import NotIssuableError
from scheme.admission.promise import read_promise, to_va
from tests.admission.utility import scheme_record


def test_one_source_takes_the_whole_capacity() -> None:
    promise = read_promise(scheme_record(["bus:2"], 500.0))
    assert [(s.source_no, s.element_id, s.share_va) for s in promise.sources] == [(1, "bus:2", 500_000)]
    assert (promise.capacity_va, promise.is_low_voltage, promise.valid_to) == (500_000, False, date(2026, 6, 1))


@pytest.mark.parametrize(("kva", "va"), [(500.0, 500_000), (33.3333, 33_334), (0.0005, 1), (88.4210000000001, 88_421)])
def test_capacities_become_whole_va_and_never_less(kva: float, va: int) -> None:
    assert to_va(kva) == va


def test_every_source_takes_what_it_must_carry_alone_and_the_first_what_is_left_in_normal_service() -> None:
    record = scheme_record(["bus:2", "bus:6"], 800.0, normal_kva=300.0)
    record["supply"]["required_share_kva"] = 600.0
    record["supply"]["sources"] = [{"source_no": 1, "capacity_kva": 800.0}, {"source_no": 2, "capacity_kva": 600.0}]
    record["variants"][0]["further_sources"][0]["required_share_kva"] = 600.0
    promise = read_promise(record)
    assert [(s.share_va, s.normal_kva) for s in promise.sources] == [(800_000, 500.0), (600_000, 300.0)]


def test_variant_chosen_is_the_one_promised() -> None:
    record = scheme_record(["bus:2"], 500.0)
    other = scheme_record(["bus:3"], 500.0)["variants"][0] | {"rank": 2}
    record["variants"].append(other)
    assert read_promise(record, variant_no=2).sources[0].element_id == "bus:3"
    with pytest.raises(NotIssuableError):
        read_promise(record, variant_no=3)


def transition(stage_kva: float, measures: list[str]) -> dict[str, Any]:
    record = scheme_record(["bus:3"], 900.0, verdict="transition")
    stage = scheme_record(["bus:2"], 900.0)["variants"][0]
    stages = [stage | {"capacity_kva": stage_kva, "measures": measures}, stage | {"capacity_kva": 900.0}]
    return record | {"transition": {"stages": stages}}


def test_transition_promises_its_first_stage_alone() -> None:
    promise = read_promise(transition(350.0, []))
    assert (promise.capacity_va, promise.sources[0].element_id, promise.sources[0].share_va) == (
        350_000,
        "bus:2",
        350_000,
    )


@pytest.mark.parametrize(
    "record",
    [
        scheme_record(["bus:2"], 5.0, consultation={"documents": []}),
        scheme_record(["bus:2"], 5.0, verdict="joint_work", supply=None),
        scheme_record(["bus:2"], 5.0, validity=None),
        transition(0.0, []),
        transition(350.0, ["larger_transformer"]),
    ],
    ids=["consultation", "joint work", "no validity", "nothing before the works", "works before the first stage"],
)
def test_scheme_that_binds_nobody_cannot_be_issued(record: dict[str, Any]) -> None:
    with pytest.raises(NotIssuableError):
        read_promise(record)
