"""``gridscheme key``: make, list and revoke API keys. A key is shown once, when it is made."""

from __future__ import annotations

import re
import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.options import Shared, command
from gridmodel.errors import InputError

if TYPE_CHECKING:
    from scheme.access.keys import ApiKey

key_app = typer.Typer(name="key", help="接口密钥:新建、列出、注销。", add_completion=False)
_SUBJECT = re.compile(r"[\w.:@-]{1,64}")
_ROLES_HELP = "角色,可多次给出:customer、engineer、planner、operator"


@command(key_app, "create")
def create(
    shared: Shared,
    subject: Annotated[str, typer.Option(metavar="NAME", help="密钥属于谁(客户编号、工号或系统名)")],
    expires: Annotated[str, typer.Option(metavar="DATE", help="最后有效日 YYYY-MM-DD")],
    role: Annotated[list[str], typer.Option(help=_ROLES_HELP)],
) -> int:
    """新建密钥;密钥只显示这一次。"""
    from api.access.keys import create_key
    from api.access.principal import ANONYMOUS_SUBJECT, ROLES
    from api.report import note, write_json
    from scheme.access.keys import ApiKeys

    allowed = [name for name in ROLES if name != "public"]
    wrong = [name for name in role if name not in allowed]
    if wrong:
        raise InputError("no such role", field="--role", value=wrong[0], allowed=", ".join(allowed))
    if "customer" in role and set(role) != {"customer"}:
        raise InputError("a customer has no other role", field="--role", allowed="a key of its own for staff")
    if not _SUBJECT.fullmatch(subject) or subject == ANONYMOUS_SUBJECT:
        raise InputError("not a name of a subject", field="--subject", value=subject, allowed=_SUBJECT.pattern)
    roles = [name for name in allowed if name in role]
    kept, text = create_key(
        ApiKeys(shared.open_store()), subject_id=subject, roles=roles, expires_on=_parse_day(expires)
    )
    if shared.json:
        write_json({**_plain(kept), "key": text})
    else:
        note(f"密钥 {kept.key_id} 属于 {subject},至 {kept.expires_on};以下一行只显示这一次:")
        sys.stdout.write(f"{text}\n")
    return 0


@command(key_app, "list")
def list_keys(shared: Shared) -> int:
    """列出密钥(不含密钥本身)。"""
    from api.report import write_json
    from scheme.access.keys import ApiKeys

    keys = ApiKeys(shared.open_store()).list_all()
    if shared.json:
        write_json({"keys": [_plain(key) for key in keys]})
        return 0
    for key in keys:
        state = "已注销" if key.is_revoked else f"至 {key.expires_on}"
        used = "从未使用" if key.last_used_on is None else f"最近使用 {key.last_used_on}"
        sys.stdout.write(f"{key.key_id}  {key.subject_id}  {','.join(key.roles)}  {state}  {used}\n")
    return 0


@command(key_app, "revoke")
def revoke(shared: Shared, key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="key_…")]) -> int:
    """注销密钥,立即失效。"""
    from api.report import write_json
    from scheme.access.keys import ApiKeys

    key = ApiKeys(shared.open_store()).revoke(key_id)
    if shared.json:
        write_json(_plain(key))
    else:
        sys.stdout.write(f"已注销 {key.key_id}({key.subject_id})\n")
    return 0


def _plain(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "subject": key.subject_id,
        "roles": list(key.roles),
        "expires_on": key.expires_on.isoformat(),
        "created_at": key.created_at,
        "is_revoked": key.is_revoked,
        "last_used_on": None if key.last_used_on is None else key.last_used_on.isoformat(),
    }


def _parse_day(text: str) -> date:
    allowed = "a date as YYYY-MM-DD"
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InputError("not a date", field="--expires", value=text, allowed=allowed) from error
    if text != day.isoformat():
        raise InputError("not a date", field="--expires", value=text, allowed=allowed)
    return day
