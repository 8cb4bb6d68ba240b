"""HTTP: which number is in force, since when, by which clause."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query

from api.access import ROLES, Principal, allow
from api.openapi import reference, response_of
from api.routes.backend import Backend
from gridmodel.errors import InputError
from scheme.policy.parameter import PolicyView

ParameterId = Annotated[
    str, Path(pattern=r"^[a-z0-9_]{1,64}\.[a-z0-9_]{1,64}$", description="topic.name", examples=["validity.lv_months"])
]


def add_policy(app: FastAPI, backend: Backend) -> None:
    """Add the policy calls to ``app``."""

    @app.get(
        "/v1/policy/parameters/{parameter_id}",
        tags=["policy"],
        summary="Read a policy parameter",
        responses={200: response_of("The value in force", reference("PolicyParameter"))},
    )
    def get_parameter(
        principal: Annotated[Principal, allow(*ROLES)],
        parameter_id: ParameterId,
        as_of: Annotated[
            str | None, Query(max_length=10, description="YYYY-MM-DD; the service's date of decision by default")
        ] = None,
        profile: Annotated[
            str | None, Query(max_length=64, description="rule profile; the service's own by default")
        ] = None,
    ) -> dict[str, Any]:
        """A value nobody gave is 409 and says what the utility must supply; an unknown parameter is 404."""
        services = backend.services
        day = services.clock() if as_of is None else _parse_day(as_of)
        view = services.parts.load_policy(services.profile if profile is None else profile, day)
        return describe_parameter(view, parameter_id)


def describe_parameter(view: PolicyView, parameter_id: str) -> dict[str, Any]:
    """Return the parameter, its value in force and where it comes from.

    Raises:
        NotFoundError: No such parameter.
        PolicyNotInForceError: Nobody gave a value for this profile and date.
    """
    value = view.get(parameter_id)
    parameter = view.policies.parameters[parameter_id]
    later = [
        other.effective_from.isoformat()
        for other in parameter.values
        if other.profile == value.profile and other.effective_from > view.as_of
    ]
    return {
        "id": parameter.id,
        "name": parameter.name_zh,
        "description": parameter.description,
        "unit": parameter.unit,
        "op": None if value.op == "none" else value.op,
        "value": value.value,
        "profile": view.profile,
        "as_of": view.as_of.isoformat(),
        "given_by_profile": value.profile,
        "effective_from": value.effective_from.isoformat(),
        "next_change_on": min(later, default=None),
        "document": value.document,
        "clause": value.clause,
        "confidence": value.confidence,
        "policy_sha256": view.sha256,
    }


def _parse_day(text: str) -> date:
    allowed = "a date as YYYY-MM-DD"
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InputError("not a date", field="as_of", value=text, allowed=allowed) from error
    if text != day.isoformat():
        raise InputError("not a date", field="as_of", value=text, allowed=allowed)
    return day
