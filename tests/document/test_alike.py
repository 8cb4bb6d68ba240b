"""What many items have alike is said once, and nothing of it is lost."""

from __future__ import annotations

from typing import Any

from scheme.document.alike import group_alike, list_alike
from scheme.document.payload import build_payload
from tests.document.conftest import as_scheme, load_plain


def test_items_that_differ_in_one_code_become_one_that_names_them_all() -> None:
    texts = [f"更换线路W{n}导线为YJV22" for n in (1, 2, 3)] + ["启用间隔", "更换线路W9导线为YJV22"]
    assert list_alike(texts) == ["更换线路W1、W2、W3、W9（共4项）导线为YJV22", "启用间隔"]
    assert list_alike(texts, named_max=2)[0] == "更换线路W1、W2等（共4项）导线为YJV22"


def test_few_items_and_items_of_another_kind_stay_apart() -> None:
    texts = [f"更换线路W{n}导线为YJV22" for n in range(5)]
    assert list_alike(texts[:3]) == texts[:3]
    assert group_alike(texts, ["a", "a", "b", "b", "b"]) == [(text, (n,)) for n, text in enumerate(texts)]


def test_items_without_a_code_are_never_taken_for_another() -> None:
    assert list_alike(["甲", "乙", "丙", "丁", "戊"]) == ["甲", "乙", "丙", "丁", "戊"]


def test_works_alike_add_up() -> None:
    """Five sections of 0.2 km at 7, 10 and 15 make 1 km at 35, 50 and 75; the total stays the record's."""
    plain = load_plain("hv_single_source_10kv")
    best = plain["variants"][0]
    for n in range(5):
        work = {
            "code": f"r{n}",
            "text": f"更换线路W{n}导线为JKLYJ",
            "quantity": 0.2,
            "unit": "km",
            "side": "utility",
        }
        best["works"].append(work)
        prices = {"low_cny10k": 7.0, "typical_cny10k": 10.0, "high_cny10k": 15.0, "price_basis": "2024"}
        best["cost"]["items"].append({**work, **prices})
    rows: Any = build_payload(as_scheme(plain))["works"]
    merged = [row for row in rows if "更换线路" in row["text"]]
    assert [(row["text"], row["quantity"]) for row in merged] == [
        ("更换线路W0、W1、W2、W3、W4（共5项）导线为JKLYJ", "1")
    ]
    assert (merged[0]["low"], merged[0]["typical"], merged[0]["high"]) == ("35.00", "50.00", "75.00")
