"""A project of the shipped township converted with everything real: search, load flows, documents, certificate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.physics_audit import audit_store
from api.replay import replay
from gridmodel.snapshot import Snapshot
from scheme.library.conversion import PROJECT_FILE
from scheme.library.errors import ConversionRefusedError
from tests.admission.utility import open_utility
from tests.library.examples import add
from tests.library.office import PlanningOffice

BOARD = "B117"


def test_a_project_becomes_a_scheme_that_replays_and_a_hold_the_grid_carries(
    tmp_path: Path, township: Snapshot
) -> None:
    office = PlanningOffice(open_utility(str(tmp_path / "store.db"), township))
    node = township.nodes[township.nodes.element_id == BOARD].iloc[0]
    place = {"lon_deg": float(node.lon_deg), "lat_deg": float(node.lat_deg), "datum": "CGCS2000"}
    project = add(office.library, location=place, demand={"installed_kw": 40.0}, category="small_micro")
    office.convert(project.project_id)
    utility = office.utility
    (hold,) = utility.ledger.list_live()
    content = utility.store.get_scheme(hold.scheme_id).content
    scheme = json.loads(content)
    assert (scheme["verdict"], scheme["supply"]["voltage"]) == ("answered", "380V")
    assert hold.capacity_va == 44_445  # 40 kW over a power factor of 0.9, rounded up to the VA
    assert replay(scheme, content, utility.services).is_identical
    assert audit_store(utility.services).is_clean
    for file in ("scheme.docx", "scheme.pdf", PROJECT_FILE):
        assert utility.store.get_document(hold.scheme_id, file)
    utility.check_ledger()

    too_much = add(office.library, location=place, demand={"installed_kw": 100_000.0, "capacity_kva": 100_000.0})
    with pytest.raises(ConversionRefusedError) as caught:
        office.convert(too_much.project_id, "other")
    assert caught.value.context["verdict"] == "joint_work"
    assert caught.value.context["reasons"]
    assert len(utility.ledger.list_live()) == 1
    assert office.read(too_much) == too_much
