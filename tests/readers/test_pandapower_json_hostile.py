"""Files that try to run code or to read files. Payloads are those known to work against pandapower's own reader."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmodel.errors import InputError
from gridmodel.readers import plain_json
from gridmodel.readers.pandapower_json import read_pandapower
from gridmodel.snapshot import Snapshot
from tests.readers import pandapower_files as files

TINY = files.as_object(files.write(files.tiny()))

PROBE = """
import json, sys
from pathlib import Path
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
from gridmodel.errors import InputError
from gridmodel.readers.pandapower_json import read_pandapower
clean = (folder / "clean.json").read_bytes()
read_pandapower(clean, file="clean.json")          # everything the reader needs is imported now
payloads = {path.name: path.read_bytes() for path in sorted(folder.glob("bad_*.json"))}
modules, events, outcome = set(sys.modules), [], {}
def watch(event, args):
    if event in ("open", "import", "exec", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "compile"):
        events.append([event, str(args[0])[:200]])
sys.addaudithook(watch)
for name, data in payloads.items():
    try:
        read_pandapower(data, file=name)
        outcome[name] = "accepted"
    except InputError as error:
        outcome[name] = str(error)
seen = list(events)
print(json.dumps({"outcome": outcome, "events": seen, "modules": sorted(set(sys.modules) - modules)}))
"""


def payloads(folder: Path) -> dict[str, Any]:
    marker, secret = folder / "marker", folder / "secret.json"
    touch = f"touch {marker}"
    return {
        "popen": {"_module": "subprocess", "_class": "Popen", "_object": ["touch", str(marker)]},
        "posix_system": {"_module": "posix", "_class": "system", "_object": touch},
        "os_system": {"_module": "os", "_class": "system", "_object": touch},
        "eval": {"_module": "builtins", "_class": "eval", "_object": f"open({str(marker)!r}, 'w')"},
        "exec": {"_module": "builtins", "_class": "exec", "_object": f"open({str(marker)!r}, 'w')"},
        "class_of_module": {"_module": "planted_module", "_class": "Thing", "_object": "{}"},
        "function": {"_module": "planted_module", "_class": "function", "_object": "thing"},
        "os_function": {"_module": "os", "_class": "function", "_object": "system"},
        "table_from_path": {
            "_module": "pandas.core.frame",
            "_class": "DataFrame",
            "_object": str(secret),
            "orient": "split",
        },
    }


def as_entry(payload: Any) -> dict[str, Any]:
    root = copy.deepcopy(TINY)
    root["_object"]["extra"] = payload
    return root


def in_cell(payload: Any) -> dict[str, Any]:
    root = copy.deepcopy(TINY)
    bus = root["_object"]["bus"]["_object"]
    bus["data"][0][bus["columns"].index("name")] = payload
    return root


def as_cell_text(payload: Any) -> dict[str, Any]:
    return in_cell(json.dumps(payload))


def in_types(payload: Any) -> dict[str, Any]:
    root = copy.deepcopy(TINY)
    root["_object"]["std_types"]["line"]["mine"] = {"r_ohm_per_km": payload}
    return root


def in_controller(payload: Any) -> dict[str, Any]:
    root = copy.deepcopy(TINY)
    root["_object"]["controller"]["_object"] = {
        "columns": ["object", "in_service", "order", "level", "initial_run", "recycle"],
        "index": [0],
        "data": [[payload, True, 0.0, 0, True, None]],
    }
    return root


def inside_controller(payload: Any) -> dict[str, Any]:
    known = {
        "_module": "pandapower.control.controller.trafo.ContinuousTapControl",
        "_class": "ContinuousTapControl",
        "_object": json.dumps({"tol": payload}),
    }
    return in_controller(known)


def instead_of_table(payload: Any) -> dict[str, Any]:
    root = copy.deepcopy(TINY)
    root["_object"]["load"] = payload
    return root


def beside_object(payload: Any) -> dict[str, Any]:
    root = copy.deepcopy(TINY)
    root["_object"]["load"]["dtype"] = {"p_mw": payload}
    return root


PLACES = (
    as_entry,
    in_cell,
    as_cell_text,
    in_types,
    in_controller,
    inside_controller,
    instead_of_table,
    beside_object,
)


def test_no_payload_imports_a_module_or_opens_a_file(tmp_path: Path) -> None:
    """Watched from inside the interpreter by an audit hook, in a process of its own."""
    (tmp_path / "planted_module.py").write_text(
        f"open({str(tmp_path / 'marker')!r}, 'w').close()\ndef thing(*a): pass\nclass Thing: pass\n"
    )
    (tmp_path / "secret.json").write_text('{"columns": ["secret"], "index": [0], "data": [["top secret"]]}')
    (tmp_path / "clean.json").write_bytes(files.as_bytes(TINY))
    expected = set()
    for place in PLACES:
        for name, payload in payloads(tmp_path).items():
            file = f"bad_{place.__name__}_{name}.json"
            (tmp_path / file).write_bytes(files.as_bytes(place(payload)))
            expected.add(file)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["events"] == []
    assert report["modules"] == []
    assert not (tmp_path / "marker").exists()
    assert set(report["outcome"]) == expected
    assert "top secret" not in done.stdout
    assert [name for name, outcome in report["outcome"].items() if outcome == "accepted"] == []


@pytest.mark.parametrize("place", PLACES)
def test_refusal_names_place_and_pair(place: Any, tmp_path: Path) -> None:
    payload = payloads(tmp_path)["posix_system"]
    with pytest.raises(InputError) as caught:
        read_pandapower(files.as_bytes(place(payload)), file="bad.json")
    where = {
        as_entry: "extra",
        in_cell: "bus[0].name",
        as_cell_text: "bus[0].name",
        in_types: "std_types.line.mine.r_ohm_per_km",
        in_controller: "controller[0].object",
        inside_controller: "controller[0].object.tol",
        instead_of_table: "load",
        beside_object: "load.dtype.p_mw",
    }[place]
    assert caught.value.context["field"] == where
    assert "posix" in str(caught.value.context["value"])
    assert "system" in str(caught.value.context["value"])


@pytest.mark.parametrize(
    "pair",
    [
        {"_module": "pandapower.auxiliary"},
        {"_class": "DataFrame"},
        {"_module": "pandas.core.frame.x", "_class": "DataFrame", "_object": "{}"},
        {"_module": "pandapower.control.controller.mine", "_class": "MyControl", "_object": "{}"},
        {"_module": ["os"], "_class": {"a": 1}},
    ],
)
def test_pair_outside_the_list_is_refused_even_when_it_looks_harmless(pair: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="never built from a file"):
        read_pandapower(files.as_bytes(as_entry(pair)), file="x")


def test_key_given_twice_is_refused() -> None:
    text = files.as_bytes(TINY).decode().replace('"f_hz":', '"f_hz": 60, "f_hz":', 1)
    with pytest.raises(InputError, match=r"f_hz.*twice"):
        read_pandapower(text.encode(), file="x")


def test_half_a_character_is_refused() -> None:
    root = copy.deepcopy(TINY)
    root["_object"]["name"] = "\ud800"
    with pytest.raises(InputError, match="half a character"):
        read_pandapower(files.as_bytes(root), file="x")


def test_control_characters_are_taken_out_of_names_and_reported() -> None:
    snapshot = read_pandapower(files.as_bytes(in_cell("A\x00\u202eB 站")), file="x")
    assert snapshot.nodes.name[0] == "AB 站"
    [finding] = [finding for finding in snapshot.findings if finding.code == "control_characters_removed"]
    assert (finding.table, finding.row, finding.column) == ("bus", 0, "name")


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("FILE_BYTES_MAX", 1000, "too large"),
        ("DEPTH_MAX", 2, "too deep"),
        ("TABLE_COUNT_MAX", 5, "too many tables"),
        ("ROW_COUNT_MAX", 3, "too many rows"),
        ("CELL_COUNT_MAX", 10, "too many rows or cells"),
        ("TEXT_LENGTH_MAX", 1, "too long"),
    ],
)
def test_limits_are_kept(limit: str, value: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_json, limit, value)
    with pytest.raises(InputError, match=message):
        read_pandapower(files.as_bytes(TINY), file="x")


KEPT = ("bus", "line", "trafo", "load", "switch", "ext_grid")
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.integers(-2, 12),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0, 0.0, 1e300, 10**400, "0.15", "x", "\x00", [], {}, [1], {"a": 1}, "l", "b", "t3"]),
    st.text(max_size=3),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """One to three changes anywhere: cells, columns, index, rows, whole tables, entries."""
    root = copy.deepcopy(SMALL)
    content = root["_object"]
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(KEPT))
        node = content[name]
        kind = draw(st.sampled_from(["cell", "cell", "cell", "index", "column", "row", "entry", "table", "key"]))
        table = node.get("_object") if isinstance(node, dict) else None
        if kind == "entry":
            content[draw(st.sampled_from(["f_hz", "sn_mva", "name", "format_version", "x"]))] = draw(CELLS)
        elif kind == "table":
            content[name] = draw(CELLS)
        elif not isinstance(table, dict) or not table.get("data"):
            continue
        elif kind == "key":
            table[draw(st.sampled_from(["columns", "index", "data"]))] = draw(CELLS)
        elif not isinstance(table["data"], list) or not isinstance(table["columns"], list):
            continue
        elif kind == "index" and isinstance(table["index"], list):
            table["index"][draw(st.integers(0, len(table["index"]) - 1))] = draw(CELLS)
        elif kind == "column":
            table["columns"][draw(st.integers(0, len(table["columns"]) - 1))] = draw(st.text(max_size=3))
        elif kind == "row":
            table["data"].append(copy.deepcopy(table["data"][0]))
            if isinstance(table["index"], list):
                table["index"].append(draw(st.integers(0, 9)))
        elif kind == "cell":
            row = table["data"][draw(st.integers(0, len(table["data"]) - 1))]
            row[draw(st.integers(0, len(row) - 1))] = draw(CELLS)
    return files.as_bytes(root)


SMALL = {
    **TINY,
    "_object": {key: value for key, value in TINY["_object"].items() if key in KEPT or not isinstance(value, dict)},
}


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_file_gives_a_snapshot_or_an_input_error(data: bytes) -> None:
    try:
        snapshot = read_pandapower(data, file="mutated.json")
    except InputError:
        return
    assert isinstance(snapshot, Snapshot)
    for count in snapshot.counts:
        assert count.read == count.accepted + count.quarantined + count.merged
    dropped = {(f.table, f.row) for f in snapshot.findings if f.disposition in ("quarantined", "merged")}
    assert sum(count.quarantined + count.merged for count in snapshot.counts) >= len(dropped)
    assert not snapshot.nodes.status.isna().any()


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
def test_any_bytes_give_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        read_pandapower(data, file="noise")
