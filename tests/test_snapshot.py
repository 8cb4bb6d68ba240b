from __future__ import annotations

import gzip
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pandas as pd
import pytest

from gridmodel.errors import SnapshotFormatError
from gridmodel.net import build_net, column_types
from gridmodel.readers.pandapower_json import read_pandapower
from gridmodel.snapshot import Snapshot, build_lookups, in_force_on, seal, unseal
from tests.readers import pandapower_files as files


def test_snapshot_read_back_is_the_one_stored() -> None:
    data = (files.FIXTURES / files.FILES[3]).read_bytes()
    snapshot = read_pandapower(data, file="x.json")
    sealed, blob = seal(snapshot)
    again = unseal(blob, sha256=sealed.sha256)
    for name in ("nodes", "lines", "transformers", "feeders"):
        pd.testing.assert_frame_equal(
            getattr(again, name), getattr(snapshot, name), check_names=False, check_index_type=False
        )
    for name in ("bus", "line", "trafo", "load", "sgen", "switch", "ext_grid"):
        pd.testing.assert_frame_equal(again.net[name], snapshot.net[name], check_index_type=False)
    assert (again.findings, again.counts) == (snapshot.findings, snapshot.counts)
    assert seal(again)[0].sha256 == sealed.sha256
    assert seal(again)[1] == blob


def test_snapshot_read_back_solves_alike() -> None:
    data = files.write(files.NETWORKS["example_multivoltage"]())
    snapshot = read_pandapower(data, file="x.json")
    again = unseal(seal(snapshot)[1])
    assert files.largest_difference(again, snapshot.net) == 0.0


def test_changed_bytes_are_refused() -> None:
    sealed, blob = seal(read_pandapower(files.write(files.tiny()), file="x"))
    plain = json.loads(gzip.decompress(blob))
    plain["net"]["tables"]["load"]["columns"][2][2][0] = 9.9
    changed = gzip.compress(json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    with pytest.raises(SnapshotFormatError, match="digest"):
        unseal(changed, sha256=sealed.sha256)
    for damaged in (blob[:-10], b"", b"no gzip", gzip.compress(b"[]"), gzip.compress(b'{"format": "other/1"}')):
        with pytest.raises(SnapshotFormatError):
            unseal(damaged)


def test_name_of_the_file_is_part_of_the_digest_and_nothing_of_the_machine_is() -> None:
    data = files.write(files.tiny())
    assert read_pandapower(data, file="a").sha256 != read_pandapower(data, file="b").sha256


def test_missing_columns_get_what_pandapower_creates() -> None:
    """Expected: what ``create_load`` and ``create_line`` of pandapower put into these columns."""
    net = build_net(
        {
            "bus": pd.DataFrame({"vn_kv": [10.0, 10.0]}),
            "line": pd.DataFrame({"from_bus": [0], "to_bus": [1], "length_km": [1.0]}),
            "load": pd.DataFrame({"bus": [1], "p_mw": [0.1], "q_mvar": [0.0]}),
        }
    )
    assert net.bus.in_service.all()
    assert net.line.loc[0, ["parallel", "df", "g_us_per_km"]].tolist() == [1, 1.0, 0.0]
    assert net.load.loc[0, ["scaling", "const_z_p_percent", "in_service"]].tolist() == [1.0, 0.0, True]
    for table in ("bus", "line", "load"):
        assert {c: str(d) for c, d in net[table].dtypes.items()} == column_types()[table]


@pytest.mark.parametrize("column", ["in_service", "closed"])
def test_unknown_state_is_never_read_as_open_or_out_of_service(column: str) -> None:
    table = "switch" if column == "closed" else "bus"
    frame = pd.DataFrame({"vn_kv": [10.0]}) if table == "bus" else pd.DataFrame({"bus": [0], "element": [0], "et": "b"})
    with pytest.raises(ValueError, match=column):
        build_net({table: frame.assign(**{column: pd.Series([None], dtype=object)})})


def test_a_commitment_counts_through_its_last_day_and_no_longer(township: Snapshot) -> None:
    """Commitments of the township end on 27 Dec 2026 (one), 14 Jan 2027 (one) and later (three)."""
    assert in_force_on(township, date(2026, 12, 27)) is township
    assert sorted(in_force_on(township, date(2026, 12, 28)).in_flight.valid_to)[0] == "2027-01-14"
    assert len(in_force_on(township, date(2027, 1, 15)).in_flight) == 3
    assert len(township.in_flight) == 5


def test_tables_whose_lookups_are_built_answer_many_threads_at_once() -> None:
    """Without them pandas told one of these threads that there is no such row in 23 of 40 tries."""
    buses, empty, threads = np.arange(100_000), pd.DataFrame(), 8
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            for _ in range(20):
                nodes = pd.DataFrame({"status": "assessable"}, index=pd.Index(buses))
                snapshot = Snapshot(
                    net=build_net({}), nodes=nodes, lines=empty, transformers=empty, feeders=empty, in_flight=empty,
                    findings=(), counts=(), source_name="net", source_format="pandapower",
                )  # fmt: skip
                build_lookups(snapshot)
                last = [int(bus) for bus in buses[-threads * 20 :]]
                assert set(pool.map(nodes.status.__getitem__, last)) == {"assessable"}
    finally:
        sys.setswitchinterval(before)
