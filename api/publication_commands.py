"""``gridscheme publish``: make, scan, release and withdraw the public map; the monthly list at the counter.

Whoever may open the store may use these commands, so they ask who it is by ``--by`` and keep that; over HTTP it is the
holder of the key.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.options import Shared, command
from gridmodel.errors import InputError

if TYPE_CHECKING:
    from api.publications import Publications
    from scheme.ledger.records import Actor
    from scheme.publication.negative_list import Restriction
    from scheme.publication.records import Publication

publish_app = typer.Typer(
    name="publish", help="公开地图:草稿、泄漏检查、由第二人发布、撤回;月度公开清单。", add_completion=False
)
_STATES = {
    "draft": "草稿",
    "scanned": "检查通过",
    "refused": "检查未通过",
    "released": "已发布",
    "replaced": "已被替代",
    "withdrawn": "已撤回",
}
_FINDINGS_SHOWN = 10
_NAME_MAX = 64

Id = Annotated[str, typer.Argument(metavar="PUBLICATION_ID", help="pub_…")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="谁在操作(工号或姓名)")]
PublicDb = Annotated[
    str | None,
    typer.Option("--public-db", metavar="URL", help="公开库;默认 GRIDSCHEME_PUBLIC_DB,否则在 SQLite 存储旁边"),
]
NegativeList = Annotated[
    Path | None, typer.Option("--negative-list", metavar="FILE", help="电网负面清单 CSV:element_id,reason")
]


@command(publish_app, "draft")
def draft(shared: Shared, by: By, negative_list: NegativeList = None, public_db: PublicDb = None) -> int:
    """按当前断面和台账作草稿;尚未公开。"""
    from api.report import progress_bar

    restrictions = _read_list(negative_list)
    listed = None if restrictions is None else [item.element_id for item in restrictions]
    publications, actor = _open(shared, public_db), _actor(by)
    with progress_bar("公开地图草稿") as progress:
        made = publications.draft(actor, negative_list=listed, progress=progress)
    _tell(shared, made)
    return 0


@command(publish_app, "scan")
def scan(shared: Shared, publication_id: Id, by: By, public_db: PublicDb = None) -> int:
    """检查草稿文件有无泄漏;有发现时退出状态为 1。"""
    found = _open(shared, public_db).scan(publication_id, _actor(by))
    _tell(shared, found)
    return 0 if found.state == "scanned" else 1


@command(publish_app, "release")
def release(
    shared: Shared,
    publication_id: Id,
    sha256: Annotated[str, typer.Option("--sha256", metavar="DIGEST", help="所看文件的摘要,见 publish list")],
    by: By,
    public_db: PublicDb = None,
) -> int:
    """发布检查通过的草稿;作草稿的人不能发布。"""
    released = _open(shared, public_db).release(publication_id, content_sha256=sha256, actor=_actor(by))
    _tell(shared, released)
    return 0


@command(publish_app, "withdraw")
def withdraw(
    shared: Shared,
    publication_id: Id,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="原因")],
    by: By,
    public_db: PublicDb = None,
) -> int:
    """立即撤回已发布的地图,或放弃草稿。"""
    ended = _open(shared, public_db).withdraw(publication_id, reason=reason, actor=_actor(by))
    _tell(shared, ended)
    return 0


@command(publish_app, "list")
def list_publications(shared: Shared, public_db: PublicDb = None) -> int:
    """列出全部草稿和发布,附检查结果。"""
    from api.publications import describe_publication
    from api.report import write_json

    publications = _open(shared, public_db)
    made = publications.register.list_all()
    if shared.json:
        write_json({"publications": [describe_publication(item) for item in made]})
    else:
        sys.stdout.write("\n".join(_described(item) for item in made) + "\n" if made else "尚无草稿或发布\n")
    return 0


@command(publish_app, "file")
def write_file(
    shared: Shared,
    publication_id: Id,
    out: Annotated[Path, typer.Option(metavar="FILE", help="结果文件 .geojson")],
    public_db: PublicDb = None,
) -> int:
    """写出草稿或发布的文件,发布前先看。"""
    from api.report import write_json

    content = _open(shared, public_db).register.get_content(publication_id)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", field="--out", value=out.name) from error
    if shared.json:
        write_json({"out": str(out)})
    else:
        sys.stdout.write(f"已写入 {out}\n")
    return 0


@command(publish_app, "area")
def area(
    shared: Shared,
    lon: Annotated[float, typer.Option(metavar="DEGREES", help="经度")],
    lat: Annotated[float, typer.Option(metavar="DEGREES", help="纬度")],
    datum: Annotated[Literal["CGCS2000", "WGS84", "GCJ02", "BD09"], typer.Option(help="坐标系")],
    public_db: PublicDb = None,
) -> int:
    """依客户申请,说出所申请地点所在方格的公布档次;未公布时退出状态为 1。"""
    from api.report import write_json
    from gridmodel.geometry import to_cgcs2000
    from scheme.publication.document import find_square, read_legend

    place = to_cgcs2000(lon, lat, datum)
    shown = _open(shared, public_db).find_public()
    if shown is None:
        raise InputError("no capacity is published", allowed="after gridscheme publish release")
    legend = read_legend(shown.content)
    labels = {item["class"]: item["label"] for item in legend["legend"]}
    square = find_square(shown.content, *place)
    told = {"class": "suppressed", "surroundings_class": None} if square is None else dict(square["properties"])
    if shared.json:
        write_json({"data_month": legend["data_month"], "square": square, "note": legend["note"], **told})
    else:
        lines = [f"{legend['data_month']} 所在方格:{labels[told['class']]}"]
        if told["surroundings_class"] not in (None, "suppressed"):
            lines.append(f"周边:{labels[told['surroundings_class']]}")
        sys.stdout.write("\n".join([*lines, legend["note"]]) + "\n")
    return 1 if told["class"] == "suppressed" else 0


@command(publish_app, "verify")
def verify(shared: Shared, publication_id: Id, public_db: PublicDb = None) -> int:
    """按所载断面和台账重作文件,与登记的逐字节比较;不同时退出状态为 1。日期和规则集取自登记。"""
    from api.report import write_json
    from scheme.publication.register import Register

    store = shared.open_store()
    kept = Register(store).get(publication_id)
    store.close()
    own = replace(shared, as_of=kept.as_of, profile=kept.profile)
    is_reproduced = _open(own, public_db).is_reproduced(publication_id)
    if shared.json:
        write_json({"publication_id": publication_id, "is_reproduced": is_reproduced})
    else:
        sys.stdout.write("逐字节相同\n" if is_reproduced else "不相同\n")
    return 0 if is_reproduced else 1


@command(publish_app, "monthly-list")
def monthly_list(
    shared: Shared,
    out: Annotated[Path, typer.Option(metavar="FILE", help="结果文件:.xlsx 或 .csv")],
    negative_list: NegativeList = None,
) -> int:
    """写出月度公开清单(间隔、线路和台区负荷、负面清单);供营业厅和内部使用,与公开地图分开。"""
    from api.report import write_json
    from scheme.publication.monthly_list import build_monthly_list
    from scheme.publication.spreadsheet import write_sheets

    restrictions = _read_list(negative_list)
    services = shared.open_services()
    snapshot, policy = services.get_live().imported, services.load_policy()
    sheets = build_monthly_list(snapshot, policy, negative_list=restrictions)
    write_sheets(sheets, out)
    if shared.json:
        write_json({"out": str(out), "rows": {sheet.title: len(sheet.rows) for sheet in sheets}})
    else:
        sys.stdout.write(f"已写入 {out}:" + "、".join(f"{s.title} {len(s.rows)} 行" for s in sheets[1:]) + "\n")
    return 0


def _open(shared: Shared, public_db: str | None) -> Publications:
    from api.capacity_tables import CapacityTables
    from api.publications import Publications
    from api.settings import load_settings

    services = shared.open_services()
    publications = Publications(services, CapacityTables(services), load_settings(public_db=public_db).public_db)
    publications.mirror()
    return publications


def _actor(by: str) -> Actor:
    from scheme.ledger.records import Actor

    if not by.strip() or len(by) > _NAME_MAX or not by.isprintable():
        raise InputError("not a name", field="--by", value=by, allowed=f"1 to {_NAME_MAX} characters")
    return Actor(subject_id=by.strip(), role="operator", request_id="command line")


def _read_list(path: Path | None) -> tuple[Restriction, ...] | None:
    from scheme.publication.negative_list import read_negative_list

    return None if path is None else read_negative_list(path)


def _tell(shared: Shared, made: Publication) -> None:
    from api.publications import describe_publication
    from api.report import write_json

    if shared.json:
        write_json(describe_publication(made))
    else:
        sys.stdout.write(_described(made) + "\n")


def _described(made: Publication) -> str:
    lines = [
        f"{made.publication_id}  {made.data_month}  {_STATES[made.state]}",
        f"  文件 {made.content_sha256}",
        f"  断面 {made.basis.snapshot_sha256},台账第 {made.basis.ledger_seq} 条",
        f"  草稿 {made.made_by} {made.made_at}",
    ]
    if made.released_by is not None:
        audience = {"public": "公开", "on_application": "依申请"}[made.audience or "public"]
        lines.append(f"  发布 {made.released_by} {made.released_at}({audience})")
    if made.ended_by is not None:
        lines.append(f"  结束 {made.ended_by} {made.ended_at} {made.ended_reason or ''}".rstrip())
    if made.report is not None:
        counts = "、".join(f"{name} {count}" for name, count in made.report.by_class.items())
        behind = made.report.transformers_behind_squares, made.report.transformers_behind_remainders
        lines.append(f"  检查 {made.report.findings_total} 项发现;方格 {made.report.squares} 个:{counts}")
        lines.append(f"  方格内公用配变 {behind[0]} 台,合并分块 {behind[1]} 台")
        shown = made.report.findings[:_FINDINGS_SHOWN]
        lines += [f"    {finding.kind} {finding.place} {finding.shown}" for finding in shown]
    return "\n".join(lines)
