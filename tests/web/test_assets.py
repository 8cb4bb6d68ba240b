"""Files of the pages: unchanged where they are of others, text only as text, every word in one place."""

from __future__ import annotations

import gzip
import hashlib
import re
from datetime import date
from pathlib import Path

import brotli
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.services import Services
from api.web.assets import load_assets
from api.web.basemap import Basemap
from api.web.pages import PAGES, content_policy
from gridmodel.errors import InputError
from scheme.store import Store

STATIC = Path(__file__).parents[2] / "api" / "web" / "static"
OWN = sorted(path for path in (STATIC / "js").rglob("*.js"))
TEXTS = sorted((STATIC / "js" / "texts").glob("*.js"))
_CHINESE = re.compile(r"[\u3400-\u9fff\uff01-\uff60\u3000-\u303f]")
_MARKUP_SINKS = re.compile(
    r"\.(innerHTML|outerHTML|srcdoc)\b|insertAdjacentHTML|document\.write|\beval\(|new Function\(|setHTML|DOMParser"
    r"|createContextualFragment|\.setHTML\(|setTimeout\(\s*[\"'`]"
)
_TEXT_ENTRY = re.compile(r'^  "([\w.]+)": \[(".*"), (".*")\],$')


def short(path: Path) -> str:
    return path.relative_to(STATIC).as_posix()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    store = Store(str(tmp_path_factory.mktemp("web") / "store.db"))
    return TestClient(
        create_app(Services(store, profile="shenqiu-2022", clock=lambda: date(2026, 11, 2))),
        base_url="http://127.0.0.1",
    )


def test_files_of_others_are_those_that_are_named() -> None:
    named = dict(
        re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (STATIC / "vendor" / "SOURCE.md").read_text(), re.M)
    )
    found = {
        path.relative_to(STATIC / "vendor").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (STATIC / "vendor").rglob("*")
        if path.is_file() and path.suffix in {".js", ".mjs", ".css"}
    }
    assert found == named


@pytest.mark.parametrize("path", OWN, ids=short)
def test_own_modules_never_make_markup_of_text(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert _MARKUP_SINKS.findall(source) == []
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", source) == [], "no address of another host"


@pytest.mark.parametrize("path", [path for path in OWN if path not in TEXTS], ids=short)
def test_chinese_stands_in_the_texts_alone(path: Path) -> None:
    assert [line for line in path.read_text(encoding="utf-8").splitlines() if _CHINESE.search(line)] == []


@pytest.mark.parametrize("path", TEXTS, ids=short)
def test_every_text_has_both_languages_and_the_same_places_to_fill(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith('  "')]
    assert lines
    for line in lines:
        entry = _TEXT_ENTRY.match(line)
        assert entry is not None, line
        zh, en = entry[2], entry[3]
        assert min(len(zh), len(en)) > 2, line
        assert sorted(set(re.findall(r"\{(\w+)\}", zh))) == sorted(set(re.findall(r"\{(\w+)\}", en))), line


def test_every_text_a_page_asks_for_is_there() -> None:
    keys = {m[1] for path in TEXTS for line in path.read_text().splitlines() if (m := _TEXT_ENTRY.match(line))}
    asked = {key for path in OWN for key in re.findall(r"""\bt\(\s*["']([\w.]+)["']""", path.read_text())}
    assert asked
    assert sorted(asked - keys) == []


def test_no_text_is_kept_twice_or_for_nothing() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in OWN}
    keys = {path: [m[1] for line in sources[path].splitlines() if (m := _TEXT_ENTRY.match(line))] for path in TEXTS}
    every = [key for found in keys.values() for key in found]
    assert sorted({key for key in every if every.count(key) > 1}) == []
    code = "\n".join(source for path, source in sources.items() if path not in TEXTS)
    prefixes = set(re.findall(r"told\(\s*[\"']([\w.]+)[\"']", code)) | set(re.findall(r"`([\w.]+)\.\$\{", code))
    unused = [
        key for key in every if f'"{key}"' not in code and not any(key.startswith(f"{prefix}.") for prefix in prefixes)
    ]
    assert unused == []


def test_every_page_is_served_with_its_module_and_lets_nothing_in_from_elsewhere(client: TestClient) -> None:
    for page in PAGES:
        answer = client.get(page.path.replace("{scheme_id}", "sch_1"))
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        addresses = re.findall(r'(?:href|src)="([^"]+)"', answer.text)
        assert len(addresses) >= 4
        for address in addresses:
            file = client.get(address)
            assert file.status_code == 200, address
            assert "immutable" in file.headers["cache-control"]


def test_file_of_another_version_is_not_there(client: TestClient) -> None:
    digest = load_assets().digest
    assert client.get(f"/assets/{'0' * len(digest)}/css/base.css").status_code == 404
    for outside in ("../pages.py", "..%2fpages.py", "css/../../pages.py", "vendor/SOURCE.md", "css"):
        assert client.get(f"/assets/{digest}/{outside}").status_code == 404


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("identity", None), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("br;q=0, gzip", "gzip"), ("", None)],
)
def test_file_is_the_same_compressed_and_plain(client: TestClient, accepted: str, coding: str | None) -> None:
    file = "vendor/maplibre-gl/maplibre-gl.css"
    answer = client.get(load_assets().url(file), headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert answer.content == (STATIC / file).read_bytes()


def test_compressed_files_are_what_they_were() -> None:
    for path, asset in load_assets().by_path.items():
        content = (STATIC / path).read_bytes()
        assert gzip.decompress(asset.packed["gzip"]) == brotli.decompress(asset.packed["br"]) == content


def test_base_map_of_a_utility_is_the_only_other_host() -> None:
    basemap = Basemap(url="https://tiles.example.org/{z}/{x}/{y}.png", attribution="GS(2026)1")
    policy = content_policy(basemap)
    assert policy.count("https://tiles.example.org") == 2
    assert re.findall(r"https?://[^ ;]+", policy) == ["https://tiles.example.org"] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://tiles.example.org/{z}/{x}/{y}.png"},
        {"url": "https://tiles.example.org/tile.png"},
        {"url": "https://tiles.example.org/{z}/{x}/{y}.png; script-src *"},
        {"url": 'https://tiles.example.org/{z}/{x}/{y}.png" onload="alert(1)'},
        {"attribution": " "},
    ],
    ids=["no TLS", "no template", "a policy of its own", "markup", "no source"],
)
def test_base_map_that_could_do_harm_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(InputError):
        Basemap(**{"url": "https://tiles.example.org/{z}/{x}/{y}.png", "attribution": "GS(2026)1", **changes})
