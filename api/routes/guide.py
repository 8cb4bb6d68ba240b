"""What anyone may ask before applying (办电指引): what the rules say of a wish for power, and a place in one datum.

Neither call looks at the grid or keeps anything, so neither needs a key; a place comes in the body, where no log
has it.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import Field, TypeAdapter, model_validator

from api.access import ROLES, Principal, allow
from api.inputs import JSON_MEDIA_TYPE, JsonBody, parse_body
from api.openapi import Schema, add_schemas, reference, response_of
from api.openapi_schemas import REF
from api.routes.backend import Backend
from gridmodel.geometry import to_cgcs2000
from scheme.guide import Guide, guide
from scheme.request import Category, Circumstances, Location, StrictRecord, SupplyRequest, parse_record

_DEGREE_DECIMALS = 8
_NOWHERE = {"lon_deg": 0.0, "lat_deg": 0.0, "datum": "CGCS2000"}
"""A request has a place; no rule of the guide reads it."""

Anyone = Annotated[Principal, allow(*ROLES)]


class GuideRequest(StrictRecord):
    """A wish for power, wherever it is."""

    category: Category
    business: Literal["new", "increase", "temporary"]
    installed_kw: Annotated[float, Field(gt=0.0, le=1_000_000.0)]
    """用电设备总容量 (kW)."""
    capacity_kva: Annotated[float, Field(gt=0.0, le=1_000_000.0)] | None = None
    """申请容量 (kVA); sized by policy when absent."""
    single_phase: bool | None = None
    importance: Literal["special", "first", "second", "temporary", "ordinary"] | None = None
    sources: Literal["single", "dual_circuit", "dual_source"] = "single"
    circumstances: Circumstances = Circumstances()
    """As in an application, but without the red line, which is a place."""

    @model_validator(mode="after")
    def _check_no_place(self) -> GuideRequest:
        if self.circumstances.red_line is not None:
            raise ValueError("circumstances.red_line is a place, and the guide looks at none")
        return self

    def as_request(self, day: str) -> SupplyRequest:
        """Return the request the rules read.

        Raises:
            InputError: Its facts contradict each other.
        """
        facts = self.circumstances.model_dump(mode="json", exclude_none=True)
        demand = {"installed_kw": self.installed_kw, "capacity_kva": self.capacity_kva}
        plain = {
            "request_id": "guide",
            "applicant": {"name": "guide", "category": self.category, "importance": self.importance},
            "business": self.business,
            "location": _NOWHERE,
            "demand": {**demand, "single_phase": self.single_phase},
            "sources": self.sources,
            "received_on": day,
            "circumstances": facts,
        }
        return parse_record(SupplyRequest, json.dumps(plain))


def add_guide(app: FastAPI, backend: Backend) -> None:
    """Add the calls to ``app``."""
    add_schemas(app, _schemas())
    _add_guide(app, backend)
    _add_place(app)


def _add_guide(app: FastAPI, backend: Backend) -> None:
    @app.post(
        "/v1/public/guide",
        tags=["public"],
        summary="What the rules alone say about a wish for power",
        responses={200: response_of("Voltage, time limits, steps, money, papers", reference("Guide"))},
        openapi_extra=_takes("GuideRequest"),
    )
    def ask_guide(principal: Anyone, body: JsonBody) -> JSONResponse:
        """Voltage level, time limits in working days, steps, investment boundary, fees, documents and validity, with
        the clause of every value read. The grid is not looked at: whether it can carry the wish is not said. What the
        utility has not supplied is null and named in ``missing``."""
        from gridmodel.catalogue.loader import load_catalogue

        policy = backend.services.load_policy()
        asked = parse_body(GuideRequest, body).as_request(policy.as_of.isoformat())
        return JSONResponse(guide(asked, policy, load_catalogue()).as_dict())


def _add_place(app: FastAPI) -> None:
    @app.post(
        "/v1/public/place",
        tags=["public"],
        summary="A place of another datum in CGCS2000",
        responses={200: response_of("The place in CGCS2000", reference("Place"))},
        openapi_extra=_takes("Location"),
    )
    def convert_place(principal: Anyone, body: JsonBody) -> JSONResponse:
        """As applications are read: WGS 84 is taken as it is, GCJ-02 and BD-09 are undone."""
        asked = parse_body(Location, body)
        lon_deg, lat_deg = to_cgcs2000(asked.lon_deg, asked.lat_deg, asked.datum)
        place = {"lon_deg": round(lon_deg, _DEGREE_DECIMALS), "lat_deg": round(lat_deg, _DEGREE_DECIMALS)}
        return JSONResponse({**place, "datum": "CGCS2000"})


def _takes(model: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {JSON_MEDIA_TYPE: {"schema": reference(model)}}}}


def _schemas() -> dict[str, Schema]:
    asked = GuideRequest.model_json_schema(ref_template=REF)
    told = TypeAdapter(Guide).json_schema(mode="serialization", ref_template=REF)
    asked.pop("$defs")  # those of an application, which are described already
    return {"GuideRequest": asked, **told.pop("$defs"), "Guide": told, "Place": _PLACE}


_PLACE: Schema = {
    "type": "object",
    "properties": {"lon_deg": {"type": "number"}, "lat_deg": {"type": "number"}, "datum": {"const": "CGCS2000"}},
    "required": ["lon_deg", "lat_deg", "datum"],
    "additionalProperties": False,
}
