"""The pandapower fixtures are what the package ships, and the licence stands beside everything of others."""

from __future__ import annotations

from pathlib import Path

import pandapower.networks
import pytest

from tests.township.source import FIXTURES, FOLDER, read_source


def test_source_files_equal_the_networks_pandapower_ships() -> None:
    """Every cell of the tables a load flow uses."""
    source = read_source()
    shipped = {"mv": pandapower.networks.mv_oberrhein("load"), "lv": pandapower.networks.lv_schutterwald()}
    for level, net in shipped.items():
        tables = getattr(source, level)
        for name, columns in {
            "bus": ["name", "vn_kv"],
            "line": ["from_bus", "to_bus", "length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka"],
            "load": ["bus", "p_mw", "q_mvar", "scaling"],
            "switch": ["bus", "element", "et", "closed"],
            "trafo": ["hv_bus", "lv_bus", "sn_mva", "vk_percent", "vkr_percent", "tap_pos"],
        }.items():
            assert sorted(tables[name]) == sorted(net[name].index)
            for column in columns:
                for index, expected in net[name][column].items():
                    found = tables[name][index][column]
                    is_close = found == expected or found == pytest.approx(expected, rel=1e-12)
                    assert is_close, (level, name, index, column)


@pytest.mark.parametrize(
    ("folder", "licence"),
    [
        (FOLDER, "LICENSE"),
        (FIXTURES / "pandapower" / "simbench_10kv_urban", "LICENSE.md"),
        (FIXTURES / "township", "LICENSE"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_source_and_licence_stand_beside_the_data(folder: Path, licence: str) -> None:
    assert len((folder / "SOURCE.md").read_text(encoding="utf-8")) > 200
    assert len((folder / licence).read_text(encoding="utf-8")) > 200
