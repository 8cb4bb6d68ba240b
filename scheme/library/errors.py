"""How the reserve library refuses."""

from __future__ import annotations

from gridmodel.errors import DomainError


class ProjectExistsError(DomainError):
    """The source system's identifier stands for a project already."""

    code = "project.exists"


class ProjectStageError(DomainError):
    """The project is in a stage that does not allow this."""

    code = "project.stage"


class ProjectMovedError(DomainError):
    """The project was changed meanwhile; read it again."""

    code = "project.moved"


class ConversionRefusedError(DomainError):
    """The grid as promised today does not take the project; it stays in the library as it was."""

    code = "project.conversion_refused"
