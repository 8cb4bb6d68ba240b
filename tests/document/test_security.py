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
from scheme.document.layout import FIGURES
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


FIELDS = ("name", "contact", "notice", "point", "feeder", "substation", "boundary")
"""Where outside text appears in a record."""


def named(*texts: str, scheme: str = "hv_dual_source_10kv") -> Scheme:
    """The scheme with outside texts in turn wherever one appears: customer, asset names of every source, notices."""
    given = {field: texts[place % len(texts)] for place, field in enumerate(FIELDS)}
    plain = load_plain(scheme)
    plain["request"]["applicant"].update(name=given["name"], contact=given["contact"])
    plain["notices"] = [given["notice"], *texts]
    for variant in plain["variants"]:
        for source in (variant, *variant.get("further_sources", ())):
            source["connection_point"]["name"] = given["point"]
            source.update(feeder=given["feeder"], substation=given["substation"])
    for source in plain["supply"]["sources"] if plain["supply"] else ():
        source.update(point=given["point"], feeder=given["feeder"], ownership_boundary=given["boundary"])
    return as_scheme(plain)


@pytest.mark.parametrize(
    "scheme", ["hv_dual_source_10kv", "lv_small_micro_380v", "residential_area_10kv", "consultation_10kv"]
)
def test_outside_text_comes_out_literally_in_every_document(scheme: str, snapshot: Snapshot) -> None:
    files = render_documents(named(*HOSTILE, scheme=scheme), snapshot)
    in_order = [HOSTILE[FIELDS.index("name")], HOSTILE[FIELDS.index("point")]]  # a works order prints no notices
    for name in (name for name in files if name.endswith(("docx", "pdf"))):
        is_word = name.endswith("docx")
        content = word_text(files[name]) if is_word else pdf_text(files[name])
        shown = squeezed if is_word else drawable
        expected = HOSTILE if name.startswith("scheme") else in_order
        assert [text for text in expected if shown(text) not in content] == [], name
    for name in ("diagram.svg", "map.svg"):
        tags = {element.tag.rsplit("}", 1)[-1] for element in ElementTree.fromstring(files[name]).iter()}
        assert tags <= {"svg", "g", "rect", "path", "circle", "text", "title", "clipPath"}


def test_forged_paragraph_does_not_become_one(snapshot: Snapshot) -> None:
    plain = render_documents(named("某客户"), snapshot)
    forged = render_documents(named(HOSTILE[7]), snapshot)
    for name in ("scheme.docx", "works_order.docx"):
        assert _paragraph_count(forged[name]) == _paragraph_count(plain[name])


@pytest.mark.parametrize("scheme", ["hv_dual_source_10kv", "consultation_10kv"])
def test_long_text_stays_inside_the_page(scheme: str, snapshot: Snapshot) -> None:
    """Rendered pages keep their margins white: 20 mm at the sides, measured on the picture of every page."""
    long = named("A" * 200, "长" * 200, "ZC-YJV22-8.7/15-3x300-" * 9, scheme=scheme)
    files = render_documents(long, snapshot)
    for name in (name for name in files if name.endswith("pdf")):
        assert _ink_outside_margins(files[name], margin_mm=19.0) == 0, name


def test_text_longer_than_a_page_is_printed_to_its_end(snapshot: Snapshot) -> None:
    """A stage of sixty measures, a policy of a page of words: the table goes on overleaf and loses nothing."""
    plain = load_plain("transition_10kv")
    measures = plain["transition"]["stages"][1]["measures"]
    measures[0]["text"] = "".join(f"更换线路第{n}段；" for n in range(700)) + "最后一段"
    plain["investment_boundary"]["utility_scope"] = "界" * 3000 + "线末"
    files = render_documents(as_scheme(plain), snapshot)
    for name in ("scheme.pdf", "works_order.pdf"):
        text = pdf_text(files[name])
        assert "更换线路第699段；最后一段" in text
        assert "界线末" in text
        assert _ink_in_the_foot(files[name]) == 0, name


def _ink_in_the_foot(pdf: bytes) -> int:
    """Dark pixels between the lowest text of a page (16 mm from its edge) and the footer's line."""
    import pypdfium2

    count = 0
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            pixels = page.render(scale=1.0, grayscale=True).to_numpy()
            height = pixels.shape[0]
            count += int((pixels[int(height * (1 - 14.5 / 297)) : int(height * (1 - 12.5 / 297))] < 200).sum())
    return count


RARE = {"㐀": True, "㐂": True, "\U00020bb7": False, "\U0001f600": False}
"""Whether the bundled fonts draw a character: read off the fonts' own tables (U+3402 is in them, U+20BB7 is not)."""


def test_rare_character_is_drawn_or_marked(snapshot: Snapshot) -> None:
    """Word, DXF and the titles in the SVG keep the character; where no glyph draws it, the PDF marks it."""
    files = render_documents(named(*(f"{character}记粮行" for character in RARE)), snapshot)
    pdf, word = pdf_text(files["scheme.pdf"]), word_text(files["scheme.docx"])
    titles = "".join(element.text or "" for element in ElementTree.fromstring(files["diagram.svg"]).iter())
    for character, is_drawn in RARE.items():
        assert f"{character}记粮行" in word
        assert (f"{character}记粮行" in pdf) is is_drawn
        assert (f"U+{ord(character):04X}" in pdf) is not is_drawn
    assert "〓记粮行" in pdf
    assert "㐀记粮行" in word_text(files["works_order.docx"])
    assert "U+1F600" in pdf_text(files["works_order.pdf"])  # the connection point's
    drawn = ["\U0001f600", "㐀", "㐂", "\U00020bb7"]  # point, feeder and substation: the texts in turn
    assert [
        c for c in drawn[:3] if f"{c}记粮行" not in files["diagram.dxf"].decode() or f"{c}记粮行" not in titles
    ] == []


def test_name_cannot_turn_the_direction_of_writing(snapshot: Snapshot) -> None:
    """U+202E would let a name read backwards and swallow what follows it; both files mark it and say so."""
    files = render_documents(named("某\u202e司公某\u202c客户"), snapshot)
    for text in (word_text(files["scheme.docx"]), pdf_text(files["scheme.pdf"])):
        assert "\u202e" not in text
        assert "某〓司公某〓客户" in text
        assert "U+202E、U+202C" in text
    assert "\u202e" not in files["diagram.dxf"].decode()


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


def test_figure_and_unit_stay_on_one_line() -> None:
    assert breakable("容量 630 kVA，共 2 台") == "容量 630\u00a0kVA，共 2\u00a0台"
    assert breakable("第 3 Apartment") == "第 3 Apartment"


def _render_edited(old: str, new: str) -> bytes:
    layout = LAYOUTS["lv_reply"][-1]
    with zipfile.ZipFile(BytesIO(build_template(layout))) as archive:
        parts = {name: archive.read(name).replace(old.encode(), new.encode()) for name in archive.namelist()}
    payload = build_payload(as_scheme(load_plain("lv_resident_220v")))
    png = render_png('<svg xmlns="http://www.w3.org/2000/svg" width="10mm" height="10mm"/>')
    path = BytesIO(pack(parts))
    return render_word(payload, layout=layout, pictures=dict.fromkeys(FIGURES, png), as_of=WHEN, template=path)


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
