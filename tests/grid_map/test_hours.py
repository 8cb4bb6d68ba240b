"""Hours: every one against the network with its loads multiplied by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridmodel import open_capacity
from gridmodel.capacity.hour_table import capacity_by_hour
from gridmodel.net import copy_net
from gridmodel.profiles import LoadProfiles
from gridmodel.snapshot import Snapshot
from scheme.limits import capacity_settings
from tests.admission.utility import small_grid
from tests.http.conftest import Office

CURVES = LoadProfiles(
    hours=("night", "day", "evening"),
    names=("house",),
    p=np.array([[0.2], [0.7], [1.1]]),
    q=np.array([[0.3], [0.6], [1.2]]),
)


def with_curves(grid: Snapshot) -> Snapshot:
    """Every load of the grid draws as a house."""
    grid.net.load["profile"] = "house"
    return grid


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    found = open_office(change=with_curves)
    found.utility.services.curves = CURVES
    return found


def asked(office: Office, path: str) -> Any:
    """Ask until it is worked out, as a client does that is told to come again."""
    first = office.engineer.get(path)
    assert (first.status_code, first.json()["code"]) == (503, "capacity.not_ready")
    assert "retry-after" in first.headers
    office.engineer.app.state.hours.wait()  # type: ignore[attr-defined]
    answer = office.engineer.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_hour_is_the_network_with_its_loads_multiplied(office: Office) -> None:
    """The AC capacity by the product's search on a net made by hand; the formula of the rules allows more here."""
    policy = office.utility.services.load_policy()
    settings = capacity_settings(policy)
    told = asked(office, "/v1/nodes/bus:4/hours")
    assert told["hours"] == list(CURVES.hours)
    for row, (open_kva, kind) in enumerate(zip(told["open_kva"], told["limit_kind"], strict=True)):
        net = copy_net(small_grid().net)
        net.load["p_mw"] *= CURVES.p[row, 0]
        net.load["q_mvar"] *= CURVES.q[row, 0]
        table = open_capacity(net, limits=settings["limits"], power_factor=0.95, confirm="all")
        by_hand_kva = table.capacity_kw[4] / 0.95
        if kind == "administrative":
            assert open_kva <= by_hand_kva
        else:
            assert open_kva == pytest.approx(by_hand_kva)
            assert kind == table.limit_kind[4]
    assert {kind != "administrative" for kind in told["limit_kind"]} >= {True}


def test_slider_shows_of_every_node_what_its_own_hours_say(office: Office) -> None:
    evening = asked(office, "/v1/capacity/hours/2")
    assert evening["hour"] == "evening"
    of_bus = dict(zip(evening["bus"], evening["open_kva"], strict=True))
    told = asked(office, "/v1/nodes/bus:4/hours")
    assert of_bus[4] == pytest.approx(told["open_kva"][2], abs=0.051)
    assert of_bus[0] is None
    assert len(of_bus) == 8


def test_least_of_the_hours_is_that_of_the_table_over_hours(office: Office) -> None:
    """The table of the command line, which solves the hours that may bind alone."""
    services = office.utility.services
    settings = capacity_settings(services.load_policy())
    grid = services.get_snapshot()
    buses = grid.nodes.index.to_numpy(dtype=np.int64)
    every = capacity_by_hour(grid, CURVES, **settings, buses=buses)
    least = services.parts.node_capacity(grid, **settings, profiles=CURVES, confirm="none")
    known = least["open_kva"].notna().to_numpy()
    assert known.sum() == 7
    assert np.isnan(every.open_kva[:, ~known]).all()
    assert every.open_kva[:, known].min(axis=0) == pytest.approx(least["open_kva"][known].to_numpy())


def test_hold_takes_from_every_hour(office: Office) -> None:
    before = asked(office, "/v1/nodes/bus:4/hours")["open_kva"]
    assert office.act(office.quote(50.0), "issue").status_code == 201
    after = asked(office, "/v1/nodes/bus:4/hours")["open_kva"]
    assert all(now < then for now, then in zip(after, before, strict=True))


def test_without_curves_there_are_no_hours(open_office: Callable[..., Office]) -> None:
    office = open_office()
    for path in ("/v1/nodes/bus:4/hours", "/v1/capacity/hours/0"):
        answer = office.engineer.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "hours.none")


def test_grid_names_the_hours_there_are(office: Office) -> None:
    grid = office.engineer.get("/v1/grid").json()
    assert (grid["has_hours"], grid["hours"]) == (True, list(CURVES.hours))
    assert office.engineer.get("/v1/capacity/hours/3").status_code == 404
    assert office.engineer.get("/v1/nodes/none/hours").status_code == 404


def test_what_a_client_has_of_other_curves_is_sent_again(office: Office) -> None:
    first = office.engineer.get("/v1/grid")
    known = {"If-None-Match": first.headers["etag"]}
    assert office.engineer.get("/v1/grid", headers=known).status_code == 304
    office.utility.services.curves = replace(CURVES, hours=("morning", "day", "evening"))
    again = office.engineer.get("/v1/grid", headers=known)
    assert again.status_code == 200
    assert again.json()["hours"] == ["morning", "day", "evening"]
