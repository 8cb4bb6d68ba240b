"""Short-circuit power of a substation's source: the greatest, and the least where somebody knows it."""

from pathlib import Path

import pytest

from gridmodel.errors import InputError
from gridmodel.readers.tables import read_tables
from gridmodel.snapshot import seal, unseal
from tests.readers.small_network import small_network, write_folder


def test_the_least_short_circuit_power_reaches_the_source_and_survives_the_store(tmp_path: Path) -> None:
    tables = small_network()
    tables["substations"][0] |= {"s_sc_min_mva": 1200, "rx_min": 0.2}
    snapshot = read_tables(write_folder(tables, tmp_path / "net"))
    for found in (snapshot, unseal(seal(snapshot)[1])):
        row = found.net.ext_grid.iloc[0]
        assert (row.s_sc_max_mva, row.rx_max, row.s_sc_min_mva, row.rx_min) == (2000.0, 0.1, 1200.0, 0.2)


def test_a_source_whose_least_power_nobody_knows_has_no_such_column(tmp_path: Path) -> None:
    net = read_tables(write_folder(small_network(), tmp_path / "net")).net
    assert {"s_sc_min_mva", "rx_min"}.isdisjoint(net.ext_grid.columns)


def test_a_least_power_in_the_wrong_unit_is_refused(tmp_path: Path) -> None:
    tables = small_network()
    tables["substations"][0] |= {"s_sc_min_mva": 1_200_000, "rx_min": 0.2}
    with pytest.raises(InputError):
        read_tables(write_folder(tables, tmp_path / "net"))
