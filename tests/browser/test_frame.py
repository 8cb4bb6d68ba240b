"""The frame of every page: who may open what, signing in and out, languages, no address that leads away."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from api.web.pages import PAGES
from tests.browser.conftest import OpenPage
from tests.serve_command import Service

STAFF_PAGES = [page.path for page in PAGES if page.path.startswith(("/console", "/operator")) and "{" not in page.path]


@pytest.mark.parametrize("path", STAFF_PAGES)
@pytest.mark.parametrize("role", [None, "customer"])
def test_pages_of_the_utility_show_others_how_to_sign_in_and_nothing_else(
    open_page: OpenPage, path: str, role: str | None
) -> None:
    page = open_page(path, role)
    expect(page.locator("main .refusal")).to_be_visible()
    assert page.locator("main").locator("table, canvas, input").count() == 0
    links = page.locator("header nav a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert not [link for link in links if link.startswith(("/console", "/operator"))]


def test_key_in_the_address_is_taken_out_of_it(open_page: OpenPage, service: Service) -> None:
    page = open_page("/sign-in", "engineer", refuses=(404,))  # signing out leads to the map, and none is published
    expect(page.locator("header .name")).to_have_text("方案工程师")
    assert "gsk_" not in page.url
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("link", name="登录")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_wrong_key_is_said_to_be_wrong_and_forgotten(open_page: OpenPage) -> None:
    page = open_page("/sign-in", refuses=(401,))
    page.get_by_label("密钥或令牌").fill("gsk_0000000000000000_" + "0" * 64)
    page.locator("main").get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("无效")
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("then", ["https://example.com/", "//example.com", "/\\example.com", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_host(open_page: OpenPage, service: Service, then: str) -> None:
    page = open_page(f"/sign-in?then={then}", refuses=(404,))
    page.get_by_label("密钥或令牌").fill(service.keys["operator"])
    page.locator("main").get_by_role("button", name="登录").click()
    page.wait_for_url(f"{service.url}/")


def test_language_is_switched_and_kept(open_page: OpenPage) -> None:
    page = open_page("/sign-in", language="en")
    expect(page.locator("h1")).to_have_text("Sign in")
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("width", [1280, 360])
def test_sign_in_page_is_accessible_and_fits(
    open_page: OpenPage, check_accessible: Callable[[Page], None], width: int
) -> None:
    page = open_page("/sign-in", width=width, height=740)
    page.locator("h1").wait_for()
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_page_says_that_the_service_refused_rather_than_staying_empty(open_page: OpenPage, service: Service) -> None:
    page = open_page("/sign-in", refuses=(429,))
    problem = {"status": 429, "code": "http.429", "title": "too many requests"}
    page.route(
        "**/v1/session",
        lambda route: route.fulfill(status=429, content_type="application/problem+json", body=json.dumps(problem)),
    )
    page.goto(f"{service.url}/operator")
    expect(page.locator("h1")).to_have_text("运行管理")
    expect(page.get_by_role("alert")).to_contain_text("too many requests")
