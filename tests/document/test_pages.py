"""How the documents are set on their pages: bounds of the forms, not of what happens to come out."""

from __future__ import annotations

import functools
from dataclasses import asdict
from datetime import date

import pypdfium2
import pytest

from scheme.document.write import render_documents
from scheme.policy.loader import load_policy
from tests.document.conftest import NAMES, as_scheme, load_plain, rendered_files, small_snapshot
from tests.document.reading import squeezed

REPLY_PAGES_MAX = {"hv_dual_source_10kv": 8, "lv_small_micro_380v": 5, "lv_resident_220v": 5, "joint_work_10kv": 4}
"""What one can expect a reader to turn: eight pages for two sources, five at low voltage, appendices included."""
FOOT_MM = 18.0
PAGE_MM = 297.0


def page_texts(content: bytes) -> list[str]:
    with pypdfium2.PdfDocument(content) as document:
        return [squeezed(page.get_textpage().get_text_bounded()) for page in document]


def used_share(content: bytes) -> list[float]:
    """For every page, how far down its lowest ink above the footer reaches."""
    shares = []
    with pypdfium2.PdfDocument(content) as document:
        for page in document:
            pixels = page.render(scale=1.0, grayscale=True).to_numpy()
            body = pixels[: int(pixels.shape[0] * (1 - FOOT_MM / PAGE_MM))]
            inked = (body.reshape(body.shape[0], -1) < 200).any(axis=1).nonzero()[0]
            shares.append(float(inked.max()) / body.shape[0])
    return shares


@functools.cache
def with_every_policy_value(name: str) -> bytes:
    """The reply of a scheme that read every parameter there is: no real one reads more."""
    policy = load_policy("shenqiu-2022", as_of=date(2026, 11, 20))
    for parameter_id in policy.policies.parameters:
        policy.find(parameter_id)
    plain = load_plain(name)
    plain["policy_reads"] = [asdict(read) for read in policy.reads]
    return render_documents(as_scheme(plain), small_snapshot())["scheme.pdf"]


@pytest.mark.parametrize("name", NAMES)
def test_signatures_never_stand_alone_on_a_page(name: str) -> None:
    """Whoever signs sees what: the page of the signatures holds other parts of the form, too."""
    files = rendered_files(name)
    for file in (file for file in files if file.endswith("pdf")):
        signed = [text for text in page_texts(files[file]) if "签署" in text and "经办人" in text]
        assert len(signed) == 1
        outside = signed[0].partition("签署")
        assert len(outside[0]) + len(outside[2]) > 250, file  # a signature block and the margins hold some 120


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_stands_on_the_first_page(name: str) -> None:
    first = page_texts(rendered_files(name)["scheme.pdf"])[0]
    wanted = ["户名", "结论"] if name != "consultation_10kv" else ["户名", "意见"]
    if name not in {"joint_work_10kv"}:
        wanted += ["接入点", "客户投资估算"]
    assert [text for text in wanted if text not in first] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_page_but_the_last_is_left_mostly_blank(name: str) -> None:
    files = rendered_files(name)
    for file in (file for file in files if file.endswith("pdf")):
        assert min(used_share(files[file])[:-1], default=1.0) > 0.5, file


def test_blank_page_would_be_seen() -> None:
    """The measuring itself: a page with one line reads as nearly unused."""
    import typst

    assert used_share(typst.compile(b'#set page(paper: "a4")\nfirst'))[0] < 0.2


@pytest.mark.parametrize("name", sorted(REPLY_PAGES_MAX))
def test_reply_is_no_longer_than_one_reads(name: str) -> None:
    assert len(page_texts(rendered_files(name)["scheme.pdf"])) <= REPLY_PAGES_MAX[name]


def test_appendix_of_every_policy_value_takes_at_most_three_pages() -> None:
    """Some 250 values, the longest possible appendix."""
    texts = page_texts(with_every_policy_value("lv_resident_220v"))
    assert sum("采用的规定参数" in text for text in texts) <= 3


@pytest.mark.parametrize("name", NAMES)
def test_note_follows_its_table_on_the_same_page(name: str) -> None:
    files = rendered_files(name)
    for file in (file for file in files if file.endswith("pdf")):
        for text in page_texts(files[file]):
            body = text.partition("方案编号：")[2]
            assert not body[30:].startswith("注：")
