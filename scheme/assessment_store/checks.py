"""What a call asks, looked at before anybody waits for it: projects and elements that do not exist."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from gridmodel.catalogue.loader import Catalogue
from gridmodel.errors import CatalogueError, InputError
from gridmodel.snapshot import Snapshot
from scheme.assessment_store.asked import ScenarioEntry, UpgradeEntry
from scheme.library.files import ROWS_MAX
from scheme.library.reading import ProjectFilter, find_projects, list_projects
from scheme.library.records import OPEN_STAGES, Project


def choose_projects(connection: Connection, project_ids: Sequence[str] | None) -> list[Project]:
    """Return the projects of the library that are assessed.

    Args:
        connection: In a transaction.
        project_ids: Which; ``None``: all that are open.

    Raises:
        InputError: One of them does not exist, or there are none, or too many.
    """
    if project_ids is not None:
        found = find_projects(connection, project_ids)
        _check_known(project_ids, {project.project_id for project in found}, "project_ids")
    else:
        stages = (ProjectFilter(stage=stage) for stage in OPEN_STAGES)
        found = [one for stage in stages for one in list_projects(connection, stage, limit=ROWS_MAX + 1)]
    if not 0 < len(found) <= ROWS_MAX:
        allowed = f"1 to {ROWS_MAX} projects"
        raise InputError(
            "so many projects are not assessed together", field="project_ids", value=len(found), allowed=allowed
        )
    return sorted(found, key=lambda project: project.project_id)


def check_ids_in_library(connection: Connection, scenario: ScenarioEntry) -> None:
    """Refuse a scenario that orders or leaves out projects the library never had.

    Those that are applications or closed by now do no harm: they are not assessed.

    Raises:
        InputError: It does.
    """
    for field in ("first_ids", "excluded_ids"):
        wanted = getattr(scenario, field)
        _check_known(wanted, {project.project_id for project in find_projects(connection, wanted)}, field)


def check_ids_in_table(scenario: ScenarioEntry, known: Collection[str]) -> None:
    """Refuse a scenario about other projects than those of a table.

    Raises:
        InputError: It is.
    """
    if scenario.project_ids is not None:
        raise InputError("the table says which projects", field="project_ids", allowed="a scenario without project_ids")
    for field in ("first_ids", "excluded_ids"):
        _check_known(getattr(scenario, field), known, field)


def check_upgrades(upgrades: Sequence[UpgradeEntry], snapshot: Snapshot, catalogue: Catalogue) -> None:
    """Refuse upgrades of elements the grid does not have, or to types nobody knows.

    Raises:
        InputError: An element does not exist or stands twice, or a type is not in the catalogue.
    """
    for number, upgrade in enumerate(upgrades):
        table = snapshot.transformers if upgrade.table == "transformer" else snapshot.lines
        if int((table["element_id"] == upgrade.element_id).sum()) != 1:
            raise InputError(
                "no such element, or more than one",
                field=f"upgrades.{number}.element_id",
                value=upgrade.element_id,
                allowed=f"an identifier of a {upgrade.table} of the current network",
            )
        if upgrade.type_id is not None:
            _check_type(upgrade.table, upgrade.type_id, catalogue, field=f"upgrades.{number}.type_id")


def _check_type(table: str, type_id: str, catalogue: Catalogue, *, field: str) -> None:
    try:
        catalogue.get_transformer_type(type_id) if table == "transformer" else catalogue.get_line_type(type_id)
    except CatalogueError as error:
        raise InputError("no such type", field=field, value=type_id, allowed=error.message) from error


def _check_known(wanted: Sequence[str], known: Collection[str], field: str) -> None:
    missing = [project_id for project_id in wanted if project_id not in known]
    if missing:
        raise InputError("no such project", field=field, value=missing[0], allowed="ids of projects that are assessed")
