from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import api.services
from api.cli import main
from scheme.publication.document import digest_of
from scheme.publication.public_store import PublicStore
from scheme.publication.tables import PUBLICATION
from scheme.store import Store
from tests.publication.examples import write_public_policy
from tests.publication.test_public_http import quick_capacity


@pytest.fixture
def shell(tmp_path: Path, grid_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command in a folder with the township imported; returns exit status and what was written."""
    shutil.copy(grid_file, tmp_path / "gridscheme.db")
    write_public_policy(tmp_path / "policy")
    monkeypatch.chdir(tmp_path)
    for name in ("GRIDSCHEME_DB", "GRIDSCHEME_PUBLIC_DB", "GRIDSCHEME_POLICY"):
        monkeypatch.delenv(name, raising=False)
    own = api.services.product_parts
    monkeypatch.setattr(
        api.services, "product_parts", lambda *given: replace(own(*given), node_capacity=quick_capacity)
    )

    def run(*arguments: str) -> tuple[int, str]:
        status = main([*arguments, "--policy", "policy", "--as-of", "2026-11-20"])
        told = capsys.readouterr()
        return status, told.out if status in (0, 1) else told.err

    return run


def test_the_map_is_made_scanned_released_and_withdrawn_by_command(shell: Any, tmp_path: Path) -> None:
    status, told = shell("publish", "draft", "--by", "张三", "--json")
    made = json.loads(told)
    assert (status, made["state"], made["made_by"]) == (0, "draft", "张三")
    publication_id, sha256 = made["publication_id"], made["content_sha256"]
    assert shell("publish", "release", publication_id, "--sha256", sha256, "--by", "李四")[0] == 2
    status, told = shell("publish", "scan", publication_id, "--by", "张三")
    assert status == 0
    assert "检查通过" in told
    assert "0 项发现" in told
    status, told = shell("publish", "release", publication_id, "--sha256", sha256, "--by", "张三")
    assert (status, "whoever made it may not release it" in told) == (2, True)
    assert shell("publish", "release", publication_id, "--sha256", sha256, "--by", "李四")[0] == 0
    public = PublicStore("gridscheme-public.db")
    shown = public.find_current()
    assert shown is not None
    assert shown.publication_id == publication_id
    assert shell("publish", "file", publication_id, "--out", "map.geojson")[0] == 0
    assert (tmp_path / "map.geojson").read_bytes() == shown.content
    status, told = shell("publish", "withdraw", publication_id, "--reason", "数据有误", "--by", "李四", "--json")
    assert (status, json.loads(told)["state"]) == (0, "withdrawn")
    assert public.find_current() is None
    public.close()
    status, told = shell("publish", "list")
    assert "已撤回" in told
    assert "数据有误" in told


def test_a_file_is_made_again_from_the_pair_it_names(shell: Any) -> None:
    publication_id = json.loads(shell("publish", "draft", "--by", "张三", "--json")[1])["publication_id"]
    assert shell("publish", "verify", publication_id) == (0, "逐字节相同\n")
    store = Store("gridscheme.db")
    with store.write() as connection:  # a draft nobody made of this grid
        content = b'{"features":[]}'
        connection.execute(update(PUBLICATION).values(content=content, content_sha256=digest_of(content)))
    store.close()
    status, told = shell("publish", "verify", publication_id, "--json")
    assert (status, json.loads(told)["is_reproduced"]) == (1, False)


def test_staff_tell_an_applicant_the_class_of_the_area_applied_for(shell: Any) -> None:
    place = ("--lon", "7.765226", "--lat", "48.410916", "--datum", "CGCS2000")
    status, told = shell("publish", "area", *place)
    assert (status, "no capacity is published" in told) == (2, True)
    made = json.loads(shell("publish", "draft", "--by", "张三", "--json")[1])
    shell("publish", "scan", made["publication_id"], "--by", "张三")
    shell("publish", "release", made["publication_id"], "--sha256", made["content_sha256"], "--by", "李四")
    status, told = shell("publish", "area", *place, "--json")
    answer = json.loads(told)
    assert status == (1 if answer["class"] == "suppressed" else 0)
    assert answer["data_month"] == "2026-11"
    assert answer["square"]["properties"]["class"] == answer["class"]
    assert "不可相加" in shell("publish", "area", *place)[1]
    status, told = shell("publish", "area", "--lon", "120", "--lat", "30", "--datum", "GCJ02")
    assert (status, told.startswith("2026-11 所在方格:未公布")) == (1, True)
    assert shell("publish", "area", "--lon", "200", "--lat", "30", "--datum", "CGCS2000")[0] == 2


def test_a_file_that_is_no_database_is_refused_as_the_public_side(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_bytes(b"no database at all, only words" * 40)
    status, told = shell("publish", "list", "--public-db", "bad.db")
    assert (status, "not an SQLite database" in told) == (2, True)


def test_nothing_made_yet_is_said_so(shell: Any) -> None:
    assert shell("publish", "list") == (0, "尚无草稿或发布\n")
    assert json.loads(shell("publish", "list", "--json")[1]) == {"publications": []}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("draft", "--by", " "), "--by"),
        (("draft", "--by", "x" * 65), "--by"),
        (("draft", "--by", "张三", "--public-db", "gridscheme.db"), "database of its own"),
        (("draft", "--by", "张三", "--negative-list", "none.csv"), "none.csv"),
        (("scan", "pub_none", "--by", "张三"), "no such publication"),
        (("withdraw", "pub_none", "--reason", "x", "--by", "张三"), "no such publication"),
        (("file", "pub_none", "--out", "x.geojson"), "no such publication"),
        (("monthly-list", "--out", "x.xlsx"), "no monthly list"),
    ],
)
def test_wrong_use_says_what_is_wrong(shell: Any, arguments: tuple[str, ...], said: str) -> None:
    status, told = shell("publish", *arguments)
    assert status == 2
    assert said in told
    assert told.count("\n") == 1


def test_monthly_list_is_a_file_of_its_own(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("element_id,reason\nF11,重载\n", encoding="utf-8")
    arguments = ("publish", "monthly-list", "--out", "m.xlsx", "--profile", "xinyang-2021", "--negative-list", "n.csv")
    status, told = shell(*arguments, "--json")
    assert status == 0
    assert json.loads(told)["rows"]["公用变压器台区负荷"] == 99
    assert (tmp_path / "m.xlsx").exists()
    assert not (tmp_path / "gridscheme-public.db").exists()
