"""The drawing file is read back by the library's own checker and by its text, as a CAD program would."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import ezdxf
import pytest

from scheme.document.diagram import LAYERS, cad_text, render_dxf
from tests.document.conftest import NAMES, as_scheme, load_plain, rendered_files

MILLIMETRES = 4  # $INSUNITS of the DXF reference


def read(content: bytes) -> Any:
    return ezdxf.read(io.StringIO(content.decode()))


def texts_of(content: bytes) -> set[str]:
    return {text.dxf.text for text in read(content).modelspace().query("TEXT")}


@pytest.mark.parametrize("name", NAMES)
def test_drawing_file_is_sound_and_says_units_layers_and_font(name: str) -> None:
    drawing = read(rendered_files(name)["diagram.dxf"])
    audit = drawing.audit()
    assert (audit.errors, audit.fixes) == ([], [])
    assert drawing.header["$INSUNITS"] == MILLIMETRES
    assert set(LAYERS.values()) <= {layer.dxf.name for layer in drawing.layers}
    space = drawing.modelspace()
    assert {entity.dxf.layer for entity in space} <= set(LAYERS.values())
    texts = list(space.query("TEXT"))
    assert {drawing.styles.get(text.dxf.style).dxf.font for text in texts} == {"simhei.ttf"}
    assert any(as_scheme(load_plain(name)).scheme_id in text.dxf.text for text in texts)


def test_both_sources_and_the_interlock_are_real_texts() -> None:
    assert {
        *("产业园110千伏变电站", "城西110千伏变电站", "10千伏园区07线", "10千伏西12线"),
        *("园区07线3号环网柜904间隔", "西12线1号开关站908间隔", "闭锁", "母联"),
        *("电源1（主供电源（互为备用））", "电源2（主供电源（互为备用））"),
    } <= texts_of(rendered_files("hv_dual_source_10kv")["diagram.dxf"])


def test_third_source_is_drawn_in_short() -> None:
    plain = load_plain("hv_dual_source_10kv")
    further = plain["variants"][0]["further_sources"]
    further.append({**further[0], "source_no": 3, "role": "备用电源", "substation": "城南110千伏变电站"})
    assert {"电源3（备用电源）", "城南110千伏变电站"} <= texts_of(render_dxf(as_scheme(plain)))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("直径%%c50", "直径％％c50"),  # %%c is the diameter sign
        ("甲^J乙", "甲＾J乙"),  # ^J is a line feed
        (r"\U+4E2D", "＼U+4E2D"),  # \U+4E2D is 中
        ("一行\n  0\nLINE", "一行   0 LINE"),  # a line feed would start a new group
        ("\x00\x1b某\ud800", "某"),
        ("𠮷记 <b>{{x}}", "𠮷记 <b>{{x}}"),
    ],
)
def test_outside_text_cannot_command_a_cad_program(text: str, written: str) -> None:
    assert cad_text(text) == written


def test_hostile_name_reads_back_as_one_text() -> None:
    plain = load_plain("lv_resident_220v")
    plain["variants"][0]["connection_point"]["name"] = "%%u1\n0\nLINE^J"
    space = read(render_dxf(as_scheme(plain))).modelspace()
    assert "％％u1 0 LINE＾J" in {text.plain_text() for text in space.query("TEXT")}
    unharmed = read(rendered_files("lv_resident_220v")["diagram.dxf"]).modelspace()
    assert len(space.query("LINE")) == len(unharmed.query("LINE"))


def test_another_process_writes_the_same_bytes() -> None:
    """Another hash seed, another time of day: neither may show."""
    code = (
        "import sys; from tests.document.conftest import as_scheme, load_plain;"
        "from scheme.document.diagram import render_dxf;"
        "sys.stdout.buffer.write(render_dxf(as_scheme(load_plain('hv_dual_source_10kv'))))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai"}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, check=True)
    assert done.stdout == rendered_files("hv_dual_source_10kv")["diagram.dxf"]
