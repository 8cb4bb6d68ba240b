"""The grid before and after a variant of a scheme: voltage along the feeder or transformer area, loadings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from api.access import Principal, allow
from api.inputs import SchemeId
from api.openapi import add_schemas, reference, response_of
from api.openapi_schemas import REF
from api.routes.backend import Backend
from api.routes.holds import VARIANTS_MAX
from api.scheme_profiles import SchemeProfiles
from gridmodel.errors import ConvergenceError
from scheme.before_after import SchemeProfile

SOURCES_MAX = 3


def add_scheme_profiles(app: FastAPI, backend: Backend) -> None:
    """Add the call to ``app``."""
    adapter: TypeAdapter[SchemeProfile] = TypeAdapter(SchemeProfile)
    schema: dict[str, Any] = adapter.json_schema(mode="serialization", ref_template=REF)
    add_schemas(app, {**schema.pop("$defs", {}), "SchemeProfile": schema})
    profiles = SchemeProfiles(backend.services)

    @app.get(
        "/v1/schemes/{scheme_id:id}/profile",
        tags=["schemes"],
        summary="Voltages and loadings before and after a variant",
        responses={200: response_of("Before and after", reference("SchemeProfile"))},
    )
    def get_profile(
        principal: Annotated[Principal, allow("engineer")],
        scheme_id: SchemeId,
        variant_no: Annotated[int, Query(ge=1, le=VARIANTS_MAX, description="rank of the variant")] = 1,
        source_no: Annotated[int, Query(ge=1, le=SOURCES_MAX, description="of several sources")] = 1,
    ) -> JSONResponse:
        """Two load flows of the grid as it was promised when the scheme was computed. Of several sources the one named
        carries alone what it must. 404 where the scheme connects nothing under the number."""
        found = profiles.get(scheme_id, variant_no=variant_no, source_no=source_no)
        if found is None:
            raise ConvergenceError("the load flow of the recorded state has no solution")
        return JSONResponse(adapter.dump_python(found, mode="json"))
