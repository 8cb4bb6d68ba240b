"""A scenario (情景) and what an assessment is asked, as they are handed in: strict, unknown fields refused."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from scheme.assessment.scenario import Scenario, Upgrade
from scheme.library.files import ROWS_MAX
from scheme.request import StrictRecord, Text

UPGRADES_MAX = 500
YEARS_MAX = 50
GROWTH_RATIO_MIN, GROWTH_RATIO_MAX = -0.9, 10.0
"""Far outside what any grid has seen; what is beyond is a percentage taken for a ratio."""

ProjectKey = Annotated[str, Field(pattern=r"^prj_[0-9a-f]{32}$")]
ScenarioKey = Annotated[str, Field(pattern=r"^scn_[0-9a-f]{32}$")]
_Year = Annotated[str, Field(pattern=r"^20[0-9]{2}$")]
_Ratio = Annotated[float, Field(ge=GROWTH_RATIO_MIN, le=GROWTH_RATIO_MAX)]


def _each_once(ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(ids)) < len(ids):
        raise ValueError("each project once")
    return ids


ProjectIds = Annotated[tuple[ProjectKey, ...], Field(max_length=ROWS_MAX), AfterValidator(_each_once)]


class UpgradeEntry(StrictRecord):
    """A transformer or a line taken as replaced, or a main transformer as enlarged."""

    table: Literal["transformer", "line"]
    element_id: Text
    """Imported identifier."""
    type_id: Text | None = None
    """Of the equipment catalogue; a main transformer has none and is given by ``sn_kva``."""
    sn_kva: Annotated[float, Field(gt=0.0, le=1_000_000.0)] | None = None
    parallel: Annotated[int, Field(ge=1, le=4)] = 1
    """Circuits of the line that is built."""

    @model_validator(mode="after")
    def _check_what(self) -> UpgradeEntry:
        if (self.type_id is None) == (self.sn_kva is None):
            raise ValueError("either type_id or, for a main transformer, sn_kva")
        if self.table == "line" and self.type_id is None:
            raise ValueError("a line needs type_id")
        return self


class ScenarioEntry(StrictRecord):
    """A named set of projects and assumptions; without any it is all open projects on the grid as it is."""

    name: Text
    first_ids: ProjectIds = ()
    """Projects put before all others, in this order."""
    excluded_ids: ProjectIds = ()
    """Projects left out."""
    project_ids: ProjectIds | None = None
    """Projects that are part of it; all open ones by default."""
    growth_by_year_ratio: Annotated[dict[_Year, _Ratio], Field(max_length=YEARS_MAX)] = Field(default_factory=dict)
    """Growth of the present load in a year over the year before it."""
    upgrades: Annotated[tuple[UpgradeEntry, ...], Field(max_length=UPGRADES_MAX)] = ()

    @model_validator(mode="after")
    def _check_ids(self) -> ScenarioEntry:
        both = set(self.first_ids) & set(self.excluded_ids)
        if both:
            raise ValueError(f"a project is put first and left out: {min(both)}")
        places = [(upgrade.table, upgrade.element_id) for upgrade in self.upgrades]
        if len(set(places)) < len(places):
            raise ValueError("an element is upgraded twice")
        return self

    def as_scenario(self, known_ids: frozenset[str]) -> Scenario:
        """Return what the assessment takes, with the projects that are there.

        Args:
            known_ids: Projects of the assessment.
        """
        return Scenario(
            name=self.name,
            first_ids=tuple(one for one in self.first_ids if one in known_ids),
            excluded_ids=tuple(one for one in self.excluded_ids if one in known_ids),
            growth_by_year_ratio={int(year): ratio for year, ratio in sorted(self.growth_by_year_ratio.items())},
            upgrades=tuple(Upgrade(**upgrade.model_dump()) for upgrade in self.upgrades),
        )

    def to_json(self) -> str:
        """Return canonical JSON."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


AS_IT_IS = ScenarioEntry(name="现状")
"""The grid and the queue as they are."""
