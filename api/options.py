"""Options every command knows, accepted before or after the command word; the later one counts."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gridmodel.errors import InputError

if TYPE_CHECKING:
    from api.services import Parts, Services
    from scheme.store import Store

Source = Annotated[Path, typer.Argument(metavar="SOURCE", help="pandapower JSON 文件,或数据表(CSV 文件夹、xlsx)")]
Format = Annotated[Literal["auto", "pandapower", "tables", "cim"], typer.Option("--format", help="来源格式")]
DEFAULT_PROFILE = "shenqiu-2022"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_POLICY_HELP = "本单位政策目录;默认 GRIDSCHEME_POLICY。给出时规则集默认取目录中 profile.yaml 的编号"
_DB_HELP = "存储:SQLite 文件,或 postgresql+psycopg:// 网址;默认 GRIDSCHEME_DB,否则当前目录 gridscheme.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The shared options as given; None where not given."""

    db: Annotated[str | None, typer.Option(metavar="URL", help=_DB_HELP)] = None
    profile: Annotated[str | None, typer.Option(metavar="NAME", help=f"规则集;默认 {DEFAULT_PROFILE}")] = None
    policy_folder: Annotated[Path | None, typer.Option("--policy", metavar="FOLDER", help=_POLICY_HELP)] = None
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="决定日期 YYYY-MM-DD;默认今天")] = None
    json: Annotated[bool | None, typer.Option("--json", help="结果以 JSON 输出到 stdout")] = None
    debug: Annotated[bool | None, typer.Option("--debug", help="内部错误时显示调用栈")] = None

    def open_store(self) -> Store:
        """Return the store named by option or environment; nothing is created before the first write.

        Raises:
            InputError: Not a store this version can use.
        """
        from scheme.store import Store

        return Store(self.store_url())

    def store_url(self) -> str:
        """Return the address of the store, named by option or environment."""
        from scheme.store import DEFAULT_FILE

        return self.db if self.db is not None else os.environ.get("GRIDSCHEME_DB") or DEFAULT_FILE

    def clock(self) -> Callable[[], date]:
        """Return the date of decision as a callable; the only place where today is read.

        Raises:
            InputError: Not a date.
        """
        if self.as_of is None:
            return date.today
        allowed = "a date as YYYY-MM-DD"
        if not _DATE.fullmatch(self.as_of):
            raise InputError("not a date", field="--as-of", value=self.as_of, allowed=allowed)
        try:
            day = date.fromisoformat(self.as_of)
        except ValueError as error:
            raise InputError(f"not a date: {error}", field="--as-of", value=self.as_of, allowed=allowed) from error
        return lambda: day

    def find_policy_folder(self) -> Path | None:
        """Return the utility's own policy folder, named by option or environment."""
        if self.policy_folder is not None:
            return self.policy_folder
        named = os.environ.get("GRIDSCHEME_POLICY")
        return Path(named) if named else None

    def profile_name(self) -> str:
        """Return the rule profile; that of the own policy folder where one is given and no profile is named.

        Raises:
            InputError: The folder has no readable ``profile.yaml``.
        """
        from scheme.policy.loader import read_profile_id

        if self.profile is not None:
            return self.profile
        folder = self.find_policy_folder()
        return DEFAULT_PROFILE if folder is None else read_profile_id(folder)

    def parts(self) -> Parts:
        """Return the product's calculations, under the own policy folder where one is given."""
        from api.services import product_parts

        return product_parts(self.find_policy_folder())

    def open_services(self) -> Services:
        """Return the use cases over the store; profile and date are checked at once.

        Raises:
            InputError: Wrong store, profile or date.
        """
        from api.services import Services

        services = Services(self.open_store(), profile=self.profile_name(), clock=self.clock(), parts=self.parts())
        services.load_policy()
        return services


def callback(app: typer.Typer, *own: inspect.Parameter) -> None:
    """Give the program itself the shared options and ``own``."""

    def before(context: typer.Context, **given: Any) -> None:
        context.obj = Shared(**{item.name: given[item.name] for item in fields(Shared)})

    _describe(before, own)
    app.callback()(before)


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Register a command that takes the merged shared options first and returns the exit status."""

    def register(function: Callable[..., int]) -> Callable[..., int]:
        def run(context: typer.Context, **given: Any) -> int:
            after = {item.name: given.pop(item.name) for item in fields(Shared)}
            shared = replace(context.obj, **{key: value for key, value in after.items() if value is not None})
            shared.clock()
            return function(shared, **given)

        _describe(run, list(inspect.signature(function, eval_str=True).parameters.values())[1:])
        run.__doc__ = function.__doc__
        app.command(name)(run)
        return function

    return register


def _describe(function: Callable[..., Any], own: Sequence[inspect.Parameter]) -> None:
    """Set the signature typer reads the options from: context, ``own``, then the shared ones."""
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    named = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in own]
    shared = inspect.signature(Shared, eval_str=True).parameters.values()
    function.__signature__ = inspect.Signature([context, *named, *shared])  # type: ignore[attr-defined]
