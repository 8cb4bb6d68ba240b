"""What cannot be done with a scenario or an assessment now."""

from __future__ import annotations

from gridmodel.errors import DomainError


class ScenarioArchivedError(DomainError):
    """The scenario was put away."""

    code = "scenario.archived"


class ScenarioMovedError(DomainError):
    """The scenario has another version by now."""

    code = "scenario.moved"


class AssessmentNotDoneError(DomainError):
    """The assessment has no result: it is at work, or it ended without one."""

    code = "assessment.not_done"
