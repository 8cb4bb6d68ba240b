"""Text from outside stays text in every document, whatever it looks like."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from gridmodel.snapshot import Snapshot
from scheme.document.build_templates import build_template, pack
from scheme.document.forms import LAYOUTS
from scheme.document.layout import FigureName
from scheme.document.payload import build_payload
from scheme.document.pdf import breakable, render_png
from scheme.document.word import render_word
from scheme.document.write import render_documents
from scheme.model import Scheme
from tests.document.conftest import as_scheme, load_plain
from tests.document.reading import drawable, pdf_page_count, pdf_text, squeezed, word_text

WHEN = datetime(2026, 11, 20, tzinfo=UTC)
HOSTILE = [
    "甲<乙> & 丙\"'",
    "{{ 7*7 }}",
    "{% for x in y %}",
    "{# 注释 #}",
    '#import "x": *',
    "#sys.inputs $x^2$ *粗* _斜_ `代码` \\u{1F600} @ref <label>",
    '=HYPERLINK("http://example.invalid","点我")',
    "</w:t></w:r></w:p><w:p><w:r><w:t>同意供电 9999 kVA",
    "</text><script>alert(1)</script>",
    "第一行\n第二行\t制表",
    "A" * 200,
    "长" * 200,
    "[[图:diagram]]",
]


def named(name: str, *, scheme: str = "hv_single_source_10kv") -> Scheme:
    """The scheme with ``name`` wherever outside text appears: customer, contact, asset names, notices."""
    plain = load_plain(scheme)
    plain["request"]["applicant"].update(name=name, contact=name)
    plain["notices"] = [name]
    for variant in plain["variants"]:
        variant["connection_point"]["name"] = name
        variant["feeder"] = name
        variant["substation"] = name
    plain["supply"]["sources"][0].update(point=name, feeder=name, ownership_boundary=name)
    return as_scheme(plain)


@pytest.mark.parametrize("text", HOSTILE)
def test_outside_text_comes_out_literally(text: str, snapshot: Snapshot) -> None:
    files = render_documents(named(text), snapshot)
    assert squeezed(text) in word_text(files["scheme.docx"])
    assert drawable(text) in pdf_text(files["scheme.pdf"])
    for name in ("diagram.svg", "map.svg"):
        tags = {element.tag.rsplit("}", 1)[-1] for element in ElementTree.fromstring(files[name]).iter()}
        assert tags <= {"svg", "g", "rect", "path", "circle", "text", "title", "clipPath"}


def test_forged_paragraph_does_not_become_one(snapshot: Snapshot) -> None:
    plain = render_documents(named("某客户"), snapshot)["scheme.docx"]
    forged = render_documents(named(HOSTILE[7]), snapshot)["scheme.docx"]
    assert _paragraph_count(forged) == _paragraph_count(plain)


@pytest.mark.parametrize("text", ["A" * 200, "长" * 200, "ZC-YJV22-8.7/15-3x300-" * 9])
def test_long_text_stays_inside_the_page(text: str, snapshot: Snapshot) -> None:
    """Rendered pages keep their margins white: 20 mm at the sides, measured on the picture of every page."""
    pdf = render_documents(named(text), snapshot)["scheme.pdf"]
    assert _ink_outside_margins(pdf, margin_mm=19.0) == 0


@pytest.mark.parametrize(("character", "is_drawn"), [("㐀", True), ("𠮷", False), ("\U0001f600", False)])
def test_rare_character_is_drawn_or_marked(character: str, is_drawn: bool, snapshot: Snapshot) -> None:
    """Coverage read off the font's own table: U+3400 is in it, U+20BB7 is not."""
    files = render_documents(named(f"{character}记粮行"), snapshot)
    pdf = pdf_text(files["scheme.pdf"])
    assert f"{character}记粮行" in word_text(files["scheme.docx"])
    assert ("〓记粮行" in pdf) is not is_drawn
    assert (f"U+{ord(character):04X}" in pdf) is not is_drawn


def test_template_cannot_reach_beyond_the_payload() -> None:
    with pytest.raises(SecurityError):
        _render_edited("{{ scheme_id }}", "{{ scheme_id.__class__.__mro__[1].__subclasses__() }}")


def test_template_naming_an_unknown_field_is_refused() -> None:
    with pytest.raises(UndefinedError):
        _render_edited("{{ scheme_id }}", "{{ scheme_idd }}")


def test_edited_template_of_a_utility_is_used() -> None:
    assert "沈丘专用" in word_text(_render_edited("低压供电方案答复单", "沈丘专用"))


def test_long_codes_break_after_their_separators() -> None:
    assert breakable("ZC-YJV22-8.7/15-3x120") == "ZC-\u200bYJV22-\u200b8.\u200b7/\u200b15-\u200b3x120"
    assert breakable("短码 A-1") == "短码 A-1"


def _render_edited(old: str, new: str) -> bytes:
    layout = LAYOUTS["lv_reply"][-1]
    with zipfile.ZipFile(BytesIO(build_template(layout))) as archive:
        parts = {name: archive.read(name).replace(old.encode(), new.encode()) for name in archive.namelist()}
    payload = build_payload(as_scheme(load_plain("lv_resident_220v")))
    png = render_png('<svg xmlns="http://www.w3.org/2000/svg" width="10mm" height="10mm"/>')
    path = BytesIO(pack(parts))
    return render_word(
        payload, layout=layout, pictures=dict.fromkeys(("diagram", "map", "scores"), png), as_of=WHEN, template=path
    )


def _paragraph_count(docx: bytes) -> int:
    with zipfile.ZipFile(BytesIO(docx)) as archive:
        return archive.read("word/document.xml").count(b"</w:p>")


def _ink_outside_margins(pdf: bytes, *, margin_mm: float) -> int:
    import pypdfium2

    count = 0
    scale = 1.0
    assert pdf_page_count(pdf) > 1
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            pixels = page.render(scale=scale, grayscale=True).to_numpy()
            edge = int(margin_mm * 72 / 25.4 * scale)
            count += int((pixels[:, :edge] < 200).sum() + (pixels[:, -edge:] < 200).sum())
    return count


def test_ink_outside_the_margins_would_be_seen(tmp_path: Path) -> None:
    """The measuring itself: a page with text running out of its margin is told."""
    import typst

    source = tmp_path / "bad.typ"
    source.write_text(
        '#set page(paper: "a4", margin: 20mm)\n#box(width: 400mm, fill: black, height: 5mm)\n#pagebreak()\nx'
    )
    assert _ink_outside_margins(typst.compile(str(source)), margin_mm=19.0) > 0
