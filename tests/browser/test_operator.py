"""The operator's page: is all well, the books audited, a draft that its maker cannot release and another one can."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage

SLOW_MS = 60_000
PARTS = ["运行状态", "后台任务", "可开放容量公开", "容量台账", "审计记录", "请求统计"]


def test_every_part_is_there_and_the_books_are_audited(
    open_page: OpenPage, check_accessible: Callable[[Page], None]
) -> None:
    page = open_page("/operator", "operator")
    for name in PARTS:
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text("就绪", exact=True)).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("没有待处理事项")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="核对台账").click()
    expect(page.get_by_text("核对通过")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="刷新").click()
    expect(page.locator("#jobs").get_by_role("rowheader", name="容量台账核对").first).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("#audit table")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("#metrics ol.bars li").first).to_be_visible(timeout=SLOW_MS)
    check_accessible(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_whoever_made_a_draft_cannot_release_it(open_page: OpenPage) -> None:
    page = open_page("/operator", "operator", refuses=(403,))
    page.get_by_role("button", name="生成草稿并检查").click()
    draft = page.locator("details.publication").first
    expect(draft).to_contain_text("检查通过,待发布", timeout=SLOW_MS)
    draft.get_by_role("button", name="查看文件").click()
    expect(draft.get_by_text("摘要与草稿一致")).to_be_visible(timeout=SLOW_MS)
    draft.get_by_role("button", name="发布此文件").click()
    expect(draft.get_by_role("alert")).to_contain_text("不能是同一人", timeout=SLOW_MS)
    draft.get_by_role("button", name="撤回").click()
    draft.get_by_label("撤回理由").fill("试发布")
    draft.get_by_role("button", name="确认撤回").click()
    expect(page.locator("details.publication").first).to_contain_text("已撤回", timeout=SLOW_MS)
