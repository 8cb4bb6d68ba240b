"""Word and PDF are read back and compared with the payload, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from scheme.document.forms import LAYOUTS, find_layout, layout_id
from scheme.document.layout import Comparison, Field, Figure, Form, Grid, Heading, Layout
from scheme.document.payload import build_payload
from scheme.document.tables import Payload
from tests.document.conftest import NAMES, as_scheme, load_plain, rendered_files
from tests.document.reading import drawable, pdf_text, squeezed, word_text


def is_printed(row: Any, field: Field) -> bool:
    """What does not apply is left out where the form says so."""
    return not (field.is_optional and row[field.key] == "—")


def expected_texts(payload: Payload, layout: Layout) -> list[tuple[str, str]]:
    """Label or key, and the text that must be printed for it; ``row.title`` stands in the banner of a repeated form."""
    found: list[tuple[str, str]] = [("title", layout.title), ("basis", layout.basis), ("version", layout.version)]
    for section in layout.sections:
        if isinstance(section, Form) and (section.shown_if is None or payload[section.shown_if]):
            rows: list[Any] = [payload] if section.repeat is None else list(payload[section.repeat])
            printed = [(row, field) for row in rows for field in section.fields if is_printed(row, field)]
            found += [(field.key, row[field.key]) for row, field in printed]
            found += [("label", f"{field.no}{field.label}") for _, field in printed]
        elif isinstance(section, Grid):
            rows = list(payload[section.rows])
            found += [(f"{section.rows}.{c.key}", row[c.key]) for row in rows for c in section.columns]
            if section.note and (rows or not section.is_optional):
                found.append((section.note, str(payload[section.note])))
        elif isinstance(section, Comparison):
            columns = [f"v{place}" for place in range(1, int(str(payload[section.count])) + 1)]
            rows = [*payload[section.head], *payload[section.rows]] if columns else []
            found += [(row["label"], row[key]) for row in rows for key in ("label", *columns)]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_field_stands_in_word_and_in_the_pdf(name: str) -> None:
    scheme, files = as_scheme(load_plain(name)), rendered_files(name)
    for form, stem in ((layout_id(scheme), "scheme"), ("works_order", "works_order")):
        if f"{stem}.pdf" not in files:
            continue
        word, pdf = word_text(files[f"{stem}.docx"]), pdf_text(files[f"{stem}.pdf"])
        texts = expected_texts(build_payload(scheme, form), find_layout(form, scheme))
        assert [(key, text) for key, text in texts if squeezed(text) not in word] == []
        assert [(key, text) for key, text in texts if drawable(text) not in pdf] == []


def test_no_field_of_the_payload_is_printed_nowhere() -> None:
    """A key no layout names would be data silently dropped from every reply."""
    payload = build_payload(as_scheme(load_plain("hv_dual_source_10kv")))
    named = {"scheme_id"}
    for section in (section for versions in LAYOUTS.values() for layout in versions for section in layout.sections):
        if isinstance(section, Form):
            named |= {section.repeat} if section.repeat else {field.key for field in section.fields}
            named |= {section.shown_if} if section.shown_if else set()
        elif isinstance(section, Grid):
            named |= {section.rows} | ({section.note} if section.note else set())
        elif isinstance(section, Comparison):
            named |= {section.head, section.rows, section.count, str(section.note)}
        elif isinstance(section, Figure | Heading):
            named |= {section.shown_if} if section.shown_if else set()
    assert set(payload) - named == set()


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (
            "hv_single_source_10kv",
            [
                "高压供电方案答复单",
                "2026年11月20日至2027年11月19日",  # validity, both days inclusive
                "713kW（750.5kVA）",  # 713 / 0.95 = 750.53
                "46.8%",  # ratio 0.468
                "1.0049p.u.",
                "园区07线3号环网柜904间隔",
                "75/5",
                "10/0.1",
                "高可靠性供电费",
                "另有4个接入点未列出",  # 14 refused, 10 shown
                "84.60",  # 45.1 + 3.5 + 36
                "由供电企业填写",
            ],
        ),
        (
            "lv_resident_220v",
            ["低压供电方案答复单", "交流220伏单相", "50m（估算）", "2027年2月19日", "王庄2号公变台区"],
        ),
        (
            "lv_small_micro_380v",
            ["低压供电方案答复单", "交流380伏三相四线", "200/5", "0.5S", "最迟完成日期2026年11月27日"],
        ),
        (
            "joint_work_10kv",
            ["供电方案转专业联动单", "转专业联动办理", "城西变1号主变接入后负载率91.4%", "另有2个接入点"],
        ),
    ],
)
def test_a_reply_says_what_a_clerk_reads_off_the_record(name: str, texts: list[str]) -> None:
    files = rendered_files(name)
    word, pdf = word_text(files["scheme.docx"]), pdf_text(files["scheme.pdf"])
    assert [text for text in texts if text not in word or text not in pdf] == []


def test_joint_work_promises_nothing() -> None:
    pdf = pdf_text(rendered_files("joint_work_10kv")["scheme.pdf"])
    assert [word for word in ("同意供电", "计量方案", "产权分界点", "方案有效期") if word in pdf] == []
