"""Everything the files of an assessment are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gridmodel.findings import Finding
from scheme.assessment.project import Project
from scheme.assessment.records import Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a project comes from."""

    source_id: str
    """Project number (项目编号) in its source system: what people call it by."""
    row_no: int | None = None
    """Row of the planner's table, the first below the header is 1; ``None``: it comes from no table."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """An assessment with what was asked and what could not be asked."""

    assessment: Assessment
    projects: tuple[Project, ...]
    """What was assessed, in any order."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """By project; one that is missing is called by its own id."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the rows of the planner's table."""
    before: Assessment | None = None
    """An earlier assessment to compare with."""

    @cached_property
    def project_of(self) -> Mapping[str, Project]:
        """Projects by id."""
        return {project.project_id: project for project in self.projects}

    def label(self, project_id: str) -> str:
        """Return what people call a project."""
        origin = self.origins.get(project_id)
        return project_id if origin is None else origin.source_id

    def labels(self, project_ids: Sequence[str], *, count_max: int) -> str:
        """Return the names of projects in one text; beyond ``count_max`` only how many there are."""
        shown = "、".join(map(self.label, project_ids[:count_max]))
        left = len(project_ids) - count_max
        return f"{shown} 等 {len(project_ids)} 个" if left > 0 else shown
