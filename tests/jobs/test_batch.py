"""One request of a job of the kind ``schemes`` as a row."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from api.jobs.batch import answer_one, find_feeder
from tests.admission.utility import open_utility, small_grid
from tests.jobs.test_http import REQUEST, InlineSteps


def test_row_names_scheme_and_feeder_of_the_first_variant(tmp_path: Path) -> None:
    live = open_utility(str(tmp_path / "utility.db"), small_grid()).services.get_live
    grid = live().imported
    feeder_id = next(one for one in grid.nodes.feeder_id if isinstance(one, str))
    element = str(grid.nodes.element_id[grid.nodes.feeder_id == feeder_id].iloc[0])
    assert find_feeder(grid, element) == feeder_id
    assert find_feeder(grid, "absent") is None
    record = {
        "request": {"location_cgcs2000": {"lon_deg": 115.0, "lat_deg": 33.4}, "demand": {}},
        "supply": {"voltage": "10kV", "capacity_kva": 630.0},
        "reasons": [{"code": "r", "text": "t"}],
        "variants": [
            {"feeder": "甲线", "connection_point": {"name": "杆", "element_source_id": element},
             "cost": {"total_typical_cny10k": 12.5}},
            {"feeder": "乙线", "connection_point": {"name": "站", "element_source_id": "absent"}, "cost": None},
        ],
    }  # fmt: skip
    stored = SimpleNamespace(scheme_id="sch_1", verdict="answered", content=json.dumps(record).encode())
    services = SimpleNamespace(answer=lambda *_, **__: SimpleNamespace(stored=stored), get_live=live)
    bench: Any = SimpleNamespace(services=services, tables=SimpleNamespace(find=None))
    row = answer_one(bench, InlineSteps(), 3, REQUEST)
    assert (row["number"], row["feeder_id"], row["feeder"], row["point"]) == (3, feeder_id, "甲线", "杆")
    assert (row["capacity_kva"], row["cost_typical_cny10k"], row["lon_deg"]) == (630.0, 12.5, 115.0)
