from __future__ import annotations

import json
import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from gridmodel.errors import InputError
from gridmodel.snapshot import Snapshot
from scheme.document.build_templates import TEMPLATES, build_template, template_path
from scheme.document.forms import LAYOUTS
from scheme.document.write import canonical_json, render_documents, write_documents
from tests.document.conftest import as_scheme, load_plain, rendered_files

FILES = {
    *("scheme.json", "scheme.docx", "scheme.pdf", "diagram.svg", "diagram.dxf", "map.svg"),
    *("works_order.docx", "works_order.pdf"),
}


@pytest.mark.parametrize("name", ["hv_dual_source_10kv", "lv_small_micro_380v", "consultation_10kv", "joint_work_10kv"])
def test_same_scheme_gives_the_same_bytes(name: str, snapshot: Snapshot) -> None:
    first = rendered_files(name)
    second = render_documents(as_scheme(load_plain(name)), snapshot)
    assert [file for file in first if first[file] != second[file]] == []


def test_every_file_is_written_and_named_in_the_record(snapshot: Snapshot, tmp_path: Path) -> None:
    complete = write_documents(as_scheme(load_plain("lv_resident_220v")), snapshot, tmp_path / "new" / "out")
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == FILES
    record = json.loads((tmp_path / "new" / "out" / "scheme.json").read_bytes())
    assert {document["file"] for document in record["documents"]} == FILES == {d.file for d in complete.documents}
    assert record["validity"] == {"from": "2026-11-20", "to": "2027-02-19"}


def test_a_failure_while_rendering_leaves_the_folder_as_it_was(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_documents(as_scheme(load_plain("lv_resident_220v")), snapshot, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(*_: object, **__: object) -> bytes:
        raise RuntimeError("broken")

    monkeypatch.setattr("scheme.document.pdf.render_pdf", broken)
    with pytest.raises(RuntimeError, match="broken"):
        write_documents(as_scheme(load_plain("hv_single_source_10kv")), snapshot, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_failure_while_moving_puts_the_old_files_back(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_documents(as_scheme(load_plain("lv_resident_220v")), snapshot, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    calls: list[Path] = []
    replace = os.replace

    def failing(source: Path, target: Path) -> None:
        calls.append(source)
        if len(calls) == 6:  # two moves per file: the third file's old copy is set aside, the new one fails
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr("os.replace", failing)
    with pytest.raises(InputError, match="No space left"):
        write_documents(as_scheme(load_plain("hv_single_source_10kv")), snapshot, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_in_the_place_of_the_folder_is_refused(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="file out"):
        write_documents(as_scheme(load_plain("lv_resident_220v")), snapshot, tmp_path / "out")


def test_numbers_are_rounded_to_six_digits() -> None:
    text = canonical_json({"b": 114.65231049999, "a": 0.049000000000000044, "c": 1.23456789e-5, "d": -0.0, "e": 3})
    assert text.decode() == '{\n  "a": 0.049,\n  "b": 114.65231,\n  "c": 1.23457e-05,\n  "d": 0.0,\n  "e": 3\n}\n'


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": float("nan")})


def test_committed_templates_are_what_the_layouts_build() -> None:
    """Parts are compared, not the zip: another zlib packs the same parts into other bytes."""
    layouts = [layout for versions in LAYOUTS.values() for layout in versions]
    assert {template_path(layout) for layout in layouts} == set(TEMPLATES.rglob("*.docx"))
    for layout in layouts:
        assert _parts(template_path(layout).read_bytes()) == _parts(build_template(layout)), layout.id


def test_word_properties_name_nobody_and_no_clock() -> None:
    parts = _parts(rendered_files("lv_resident_220v")["scheme.docx"])
    core = parts["docProps/core.xml"].decode()
    assert "2026-11-20T00:00:00Z" in core
    assert "python-docx" not in core
    assert 'w:eastAsia="zh-CN"' in parts["word/styles.xml"].decode()


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
