"""What HTTP shows of a checked upload."""

from __future__ import annotations

from typing import Literal

from api.views import FindingView, TableCountView, View

Severity = Literal["info", "warning", "error"]
ChangeTable = Literal["nodes", "lines", "transformers", "loads", "switches", "feeders"]
ChangeFate = Literal["added", "removed", "changed"]


class FindingKindView(View):
    """How many findings of one kind there are."""

    severity: Severity
    table: str
    code: str
    count: int


class ChangeKindView(View):
    """How many elements of one table come, go, or change."""

    table: ChangeTable
    fate: ChangeFate
    count: int


class ChangeColumnView(View):
    """In how many elements of a table a column changes."""

    table: ChangeTable
    column: str
    count: int


class CheckView(View):
    """What a check found in an upload."""

    upload_id: str
    file: str
    source_name: str
    source_format: str
    compared_with_sha256: str | None
    """Network that was current; ``None`` where there was none."""
    is_stale: bool
    """Another network has become the current one since."""
    node_count: int
    nodes_by_status: dict[str, int]
    counts: list[TableCountView]
    finding_kinds: list[FindingKindView]
    change_kinds: list[ChangeKindView]
    change_columns: list[ChangeColumnView]
    mapped_source_count: int
    """Source points of live holds that would find a place."""
    lost_source_count: int
    """Source points of live holds that would not."""


class CheckedFindingPage(View):
    """One page of findings."""

    items: list[FindingView]
    total: int
    next_cursor: str | None


class ColumnChangeView(View):
    """One cell before and after; ``None`` is not known."""

    column: str
    old: bool | int | float | str | None
    new: bool | int | float | str | None


class ChangeView(View):
    """One element that comes, goes, or changes."""

    table: ChangeTable
    element_id: str
    name: str | None
    fate: ChangeFate
    columns: list[ColumnChangeView]
    """What changes; empty for one that comes or goes."""


class ChangePage(View):
    """One page of elements."""

    items: list[ChangeView]
    total: int
    next_cursor: str | None


class LostHoldView(View):
    """A source point of a live hold without a place in the upload."""

    hold_id: str
    scheme_id: str
    request_id: str
    state: str
    source_no: int
    node_element_id: str
    share_kva: float


class LostHoldPage(View):
    """One page of holds."""

    items: list[LostHoldView]
    total: int
    next_cursor: str | None


CHECK_VIEWS: tuple[type[View], ...] = (
    FindingKindView,
    ChangeKindView,
    ChangeColumnView,
    CheckView,
    CheckedFindingPage,
    ColumnChangeView,
    ChangeView,
    ChangePage,
    LostHoldView,
    LostHoldPage,
)
