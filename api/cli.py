"""The command line: results on stdout, messages and progress on stderr, one exit status for each kind of outcome.

Exit status 0: done; 1: done, and the answer is a refusal or blocking findings; 2: input or usage is wrong; 3: internal;
130: interrupted. Everything heavy is imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import inspect
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

from api.assess_command import add_assess
from api.backup_commands import add_backup_commands
from api.given_files import read_file
from api.import_command import add_import
from api.jobs.commands import add_worker
from api.key_commands import key_app
from api.ledger_commands import add_ledger_commands
from api.options import Format, Shared, Source, callback, command
from api.policy_commands import policy_app
from api.project_commands import projects_app
from api.publication_commands import publish_app
from api.serve_command import add_serve, start_worker
from gridmodel.errors import DomainError, InputError

if TYPE_CHECKING:
    from scheme.stock import StockTable

EXIT_DONE, EXIT_REFUSED, EXIT_INPUT, EXIT_INTERNAL, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
INPUT_CODES = frozenset(
    {"snapshot.missing", "snapshot.moved", "not_found", "grid.no_convergence", "scheme.policy_not_in_force"}
    | {"ledger.clock_jump", "ledger.hold_state"}
    | {"publication.state", "publication.second_person", "publication.leak"}
)
"""Errors that the caller can mend, besides every :class:`InputError`."""

REQUEST_BYTES_MAX = 262_144
CHANGES_BYTES_MAX = 16_777_216
SCHEME_BYTES_MAX = 67_108_864

Stock = Annotated[Path | None, typer.Option("--stock", metavar="FILE", help="物资库存表(.csv、.xlsx)")]

app = typer.Typer(
    name="gridscheme",
    help="配电网可开放容量、就近接入与供电方案。通用选项写在命令之前或之后均可。",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    is_debug = "--debug" in arguments
    with warnings.catch_warnings():
        if not is_debug:
            # One message on stderr means one: libraries stay silent.
            warnings.simplefilter("ignore")
            logging.getLogger().addHandler(logging.NullHandler())
        try:
            program = typer.main.get_command(app)
            status = program.main(args=arguments, prog_name="gridscheme", standalone_mode=False)
            sys.stdout.flush()
            return int(status or EXIT_DONE) if status != EXIT_INTERRUPTED else _interrupted()
        except BrokenPipeError:
            # The reader of stdout went away; everything that had to be kept is kept.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return EXIT_DONE
        except (KeyboardInterrupt, Abort):
            return _interrupted()
        except TyperException as error:
            return _fail(f"{error.format_message()} (see gridscheme --help)", EXIT_INPUT)
        except DomainError as error:
            is_input = isinstance(error, InputError) or error.code in INPUT_CODES
            return _fail(error.message, EXIT_INPUT if is_input else EXIT_INTERNAL)
        except Exception as error:  # noqa: BLE001 - the edge: every fault becomes one line and status 3
            if is_debug:
                traceback.print_exc()
            return _fail(f"internal fault: {type(error).__name__}: {error}", EXIT_INTERNAL)


def _interrupted() -> int:
    return _fail("interrupted; nothing is half-written", EXIT_INTERRUPTED)


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"gridscheme: {' '.join(message.split())}\n")
    return status


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from api.services import product_version

        sys.stdout.write(f"gridscheme {product_version()}\n")
        raise typer.Exit(EXIT_DONE)


_VERSION = Annotated[bool, typer.Option("--version", is_eager=True, callback=_show_version, help="显示版本")]
app.add_typer(policy_app)
app.add_typer(key_app)
app.add_typer(publish_app)
app.add_typer(projects_app)
callback(app, inspect.Parameter("version", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_VERSION))


@command(app, "demo")
def demo(
    shared: Shared,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="完成后不启动网页服务")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="结果文件夹")] = Path("out"),
) -> int:
    """示例乡镇电网全流程:导入、全部节点可开放容量、低压与 10 kV 供电方案各一份,然后启动服务。"""
    from api.demo import run_demo
    from api.report import note, show_capacity, show_scheme, show_snapshot, snapshot_summary, write_json

    result = run_demo(out, profile=shared.profile_name(), clock=shared.clock(), parts=shared.parts())
    if shared.json:
        summary = snapshot_summary(result.snapshot)
        told = {"capacity": result.capacity, "schemes": result.schemes, "publication": result.publication}
        write_json({"out": str(out), "snapshot": summary, **told})
    else:
        show_snapshot(result.snapshot)
        show_capacity(result.capacity)
        for scheme in result.schemes.values():
            show_scheme(scheme)
        note(f"结果在 {out} 文件夹")
    if not no_serve:
        from api.serving import DEFAULT_HOST, DEFAULT_PORT, serve

        serve(
            lambda: result.services,
            host=DEFAULT_HOST,
            port=DEFAULT_PORT,
            announce=note,
            start_worker=partial(start_worker, replace(shared, db=str(result.services.store.file))),
        )
    return EXIT_DONE


add_import(app)
add_assess(app)


@command(app, "check")
def check(shared: Shared, source: Source, source_format: Format = "auto") -> int:
    """只做数据质量检查,不存储。"""
    from api.report import has_error_findings, show_snapshot, snapshot_summary, write_json
    from gridmodel.readers.select import read_source

    snapshot = read_source(source, source_format=source_format)
    if shared.json:
        write_json(snapshot_summary(snapshot))
    else:
        show_snapshot(snapshot)
    return EXIT_REFUSED if has_error_findings(snapshot) else EXIT_DONE


@command(app, "capacity")
def capacity(
    shared: Shared,
    out: Annotated[Path, typer.Option(metavar="FILE", help="结果文件:.csv、.geojson、.gpkg 或 .parquet")],
    curves: Annotated[Path | None, typer.Option(metavar="FILE", help="负荷曲线 CSV;取各时刻最小值")] = None,
    generation: Annotated[bool, typer.Option("--generation", help="另算分布式电源可开放容量;需 --curves")] = False,
    flexible: Annotated[bool, typer.Option("--flexible", help="另算分时(柔性接入)可开放容量;需 --curves")] = False,
    n_minus_one: Annotated[bool, typer.Option("--n-minus-one", help="另算 N-1 转供后仍成立的容量")] = False,
    certify: Annotated[
        bool, typer.Option("--certify", help="用第二个潮流引擎校核全部数值;不能与 --curves 同用")
    ] = False,
) -> int:
    """计算当前断面全部节点的可开放容量。"""
    from api.capacity_files import check_ending, write_capacity
    from api.capacity_further import Further, add_columns, compute_over_hours
    from api.capacity_tables import CapacityTables
    from api.report import capacity_summary, progress_bar, show_capacity, write_json

    check_ending(out)
    further = Further(curves=curves, generation=generation, flexible=flexible, n_minus_one=n_minus_one)
    if certify and curves is not None:
        raise InputError("hours are confirmed by sample only", field="--certify", allowed="without --curves")
    read = further.read_curves()
    services = shared.open_services()
    snapshot = services.get_snapshot()
    with progress_bar("可开放容量") as progress:
        if read is None:
            table = CapacityTables(services).compute(confirm="bulk" if certify else "sample", progress=progress)
        else:
            table = compute_over_hours(services, read, progress)
    table = add_columns(table, services, further, read, progress_bar)
    write_capacity(table, out)
    summary = capacity_summary(table)
    if shared.json:
        basis = {"snapshot_sha256": snapshot.sha256, "profile": services.profile, "as_of": str(services.clock())}
        write_json({"out": str(out), **basis, **summary})
    else:
        show_capacity(summary)
        sys.stdout.write(f"已写入 {out}\n")
    return EXIT_DONE


@command(app, "update")
def update(shared: Shared, changes: Annotated[Path, typer.Argument(metavar="CHANGES.json", help="断面变更")]) -> int:
    """对当前断面应用变更(负荷、额定值、开关、在途),只重算受影响的节点;要么全部成功,要么不改动存储。"""
    from api.report import write_json
    from api.update_report import show_update, update_summary
    from api.updates import Updates
    from gridmodel.change_file import parse_changes

    content = read_file(changes, "changes as a JSON file", CHANGES_BYTES_MAX)
    parsed = parse_changes(content, file=changes.name)
    updates = Updates(shared.open_services())
    with _naming(changes):
        done = updates.apply(parsed)
    summary = update_summary(done, len(parsed), None if done.rows is None else updates.rows_before(done))
    if shared.json:
        write_json(summary)
    else:
        show_update(summary)
    return EXIT_DONE


@command(app, "scheme")
def scheme(
    shared: Shared,
    request: Annotated[Path, typer.Argument(metavar="REQUEST.json", help="用电申请")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="文档文件夹")],
    stock: Stock = None,
) -> int:
    """为一份用电申请生成供电方案及文档。"""
    from api.capacity_tables import CapacityTables
    from api.report import progress_bar, show_scheme, write_json
    from scheme.request import parse_request

    content = read_file(request, "a request as a JSON file", REQUEST_BYTES_MAX)
    parsed = parse_request(content, file=request.name)
    services = shared.open_services()
    services.stock = _read_stock(stock)
    services.get_snapshot()
    find_capacity = CapacityTables(services).find
    with progress_bar("供电方案") as progress, _naming(request):
        answer = services.answer(parsed, find_capacity=find_capacity, folder=out, progress=progress)
    document: dict[str, Any] = json.loads(answer.stored.content)
    if shared.json:
        write_json(document)
    else:
        show_scheme(document)
        sys.stdout.write(f"文档:{'、'.join(str(out / name) for name in answer.files)}\n")
    return EXIT_REFUSED if answer.stored.verdict == "joint_work" else EXIT_DONE


@command(app, "replay")
def replay_scheme(
    shared: Shared,
    scheme_file: Annotated[Path, typer.Argument(metavar="SCHEME.json", help="供电方案记录")],
    stock: Stock = None,
) -> int:
    """按记录的断面、规则和申请重算供电方案,与原记录逐字节比较;规则集与决定日期取自记录。"""
    from api.replay import read_record, replay
    from api.report import show_replay, write_json

    content = read_file(scheme_file, "a scheme.json", SCHEME_BYTES_MAX)
    record = read_record(content, file=scheme_file.name)
    basis = record["provenance"]
    services = replace(shared, profile=basis["profile"], as_of=basis["as_of"]).open_services()
    services.stock = _read_stock(stock)
    with _naming(scheme_file):
        outcome = replay(record, content, services)
    if shared.json:
        write_json(asdict(outcome))
    else:
        show_replay(outcome)
    return EXIT_DONE if outcome.is_identical else EXIT_REFUSED


add_serve(app)
add_worker(app)
add_ledger_commands(app)
add_backup_commands(app)


@command(app, "template")
def template(
    shared: Shared, path: Annotated[Path, typer.Argument(metavar="PATH", help="新文件夹(CSV)或 .xlsx 文件")]
) -> int:
    """写出空白数据表模板。"""
    from api.report import write_json
    from gridmodel.readers.tables import write_template

    write_template(path)
    if shared.json:
        write_json({"out": str(path)})
    else:
        sys.stdout.write(f"已写入 {path}\n")
    return EXIT_DONE


@contextmanager
def _naming(request: Path) -> Iterator[None]:
    """Name the request file in errors about its content; those about an option name the option."""
    try:
        yield
    except InputError as error:
        place = {name: error.context[name] for name in ("row", "field", "value", "allowed")}
        if error.context["file"] is not None or str(place["field"]).startswith("--"):
            raise
        if place["field"] == "as_of":
            raise InputError(error.problem, **{**place, "field": "--as-of"}) from error  # type: ignore[arg-type]
        raise InputError(error.problem, file=request.name, **place) from error  # type: ignore[arg-type]


def _read_stock(path: Path | None) -> StockTable | None:
    from scheme.stock_file import read_stock

    return None if path is None else read_stock(path)


if __name__ == "__main__":
    sys.exit(main())
