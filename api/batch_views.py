"""What HTTP shows of tables of requests and of batches."""

from __future__ import annotations

from typing import Any, Literal

from api.views import JobErrorView, View


class RequestColumnView(View):
    """One column of the table."""

    name: str
    title: str
    """Chinese."""
    is_required: bool
    allowed: str


class CellFaultView(View):
    """One cell that is not as it must be."""

    row: int
    """The first below the header is 1."""
    column: str
    value: str | None
    """``None`` where it is empty."""
    expected: str
    problem: str


class RequestRowView(View):
    """One row; ``request`` is ``None`` where it has faults."""

    row: int
    cells: dict[str, str]
    request: dict[str, Any] | None


class RequestTableView(View):
    """All rows in their order, and everything wrong with them."""

    columns: list[RequestColumnView]
    rows: list[RequestRowView]
    faults: list[CellFaultView]


class ReasonView(View):
    """Why a scheme says what it says."""

    code: str
    text: str


class BatchRowView(View):
    """One request of a batch: its scheme in brief, or why there is none."""

    number: int
    """Place in the batch, from 0."""
    request_id: str
    name: str | None
    scheme_id: str | None
    verdict: Literal["answered", "transition", "joint_work"] | None
    voltage: str | None
    capacity_kva: float | None
    reasons: list[ReasonView]
    feeder: str | None
    """Of the first variant."""
    feeder_id: str | None
    point: str | None
    lon_deg: float | None
    """Where supply is wanted, CGCS2000."""
    lat_deg: float | None
    cost_typical_cny10k: float | None
    """Of the first variant."""
    error: JobErrorView | None


class BatchPage(View):
    """The next rows that are there."""

    items: list[BatchRowView]
    total: int
    """Rows that are there by now."""
    next_cursor: str | None
    """Where to go on; ``None`` once the job has ended and all were told."""


class FeederDemandView(View):
    """What the first variants of a batch take of one feeder, against what it has open."""

    feeder_id: str
    name: str | None
    request_count: int
    asked_kva: float
    open_kva: float | None
    """Of the ledger's account of the feeder; ``None`` where its limit is not known."""
    is_over: bool | None
    """``None`` where nobody knows."""


class FeederDemands(View):
    """Feeders with more asked for come first."""

    items: list[FeederDemandView]
    elsewhere_count: int
    """Schemes whose first variant hangs on no feeder."""


BATCH_VIEWS: tuple[type[View], ...] = (
    RequestColumnView,
    CellFaultView,
    RequestRowView,
    RequestTableView,
    ReasonView,
    BatchRowView,
    BatchPage,
    FeederDemandView,
    FeederDemands,
)
