"""Reserve projects answered on the grid of today: preliminary replies, and conversion into applications (一键转正式).

A project is answered by the ordinary way, on what is promised today; the scheme, its hold and the project's step come
into the store together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from api.admission import Admission
from api.capacity_tables import CapacityTables
from api.services import Draft, Services
from gridmodel.errors import DomainError
from scheme.admission.errors import CertificateRefusedError, ConcurrencyError, NotIssuableError
from scheme.ledger import Actor, CapacityExhaustedError, Hold, HoldStateError, IdempotencyClaim
from scheme.ledger.idempotency import claim_key, keep
from scheme.ledger.reader import get_hold
from scheme.library.conversion import as_request, write_consultation, write_conversion
from scheme.library.errors import ConversionRefusedError, ProjectMovedError
from scheme.library.library import check_open
from scheme.library.reading import find_conversion, get_project
from scheme.library.records import Conversion, Project

if TYPE_CHECKING:
    from sqlalchemy import Connection

DRAFTS_MAX = 3
"""How often a project is answered before the caller is told to come again."""
LIMITS_TOLD_MAX = 5

ToldConversion = Callable[[str, str, Hold, bool], tuple[int, Mapping[str, str], bytes]]
"""Makes status, headers and body from project, scheme, hold, and whether the project was converted before."""
ToldReply = Callable[[str, Draft], tuple[int, Mapping[str, str], bytes]]
"""The same from project and answer."""


class Conversions:
    """Answers the projects of one store.

    Args:
        services: Store, grid and calculations.
        tables: Capacity tables of the grid.
        admission: Issues what is answered.
    """

    def __init__(self, services: Services, tables: CapacityTables, admission: Admission) -> None:
        self._services = services
        self._tables = tables
        self._admission = admission

    def convert(
        self,
        project_id: str,
        *,
        actor: Actor,
        reason: str,
        claim: IdempotencyClaim,
        answer: ToldConversion,
        variant_no: int = 1,
    ) -> None:
        """Make an application of a project and hold its capacity; once, whoever asks how often.

        Args:
            project_id: Which one.
            actor: Who converts.
            reason: Why.
            claim: Idempotency key of the call.
            answer: What the caller is told, kept under the key.
            variant_no: Rank of the variant that is promised.

        Raises:
            NotFoundError: No such project.
            ProjectStageError: It is closed.
            InputError: Its place or demand is not known, or the request cannot be answered as it stands.
            ConversionRefusedError: The grid as promised today does not take it; the project is as it was.
            ConcurrencyError: Grid, ledger or project moved under every answer; the same call may succeed later.
        """
        for _ in range(DRAFTS_MAX):
            project, conversion = self._read(project_id)
            if conversion is not None:
                self._tell_again(project_id, conversion, claim, answer)
                return
            check_open(project)
            draft = self._draft(project, "application")

            def also(connection: Connection, project: Project = project, draft: Draft = draft) -> None:
                write_conversion(connection, project, draft.stored, draft.documents, actor=actor, reason=reason)

            def told(hold: Hold) -> tuple[int, Mapping[str, str], bytes]:
                return answer(project_id, hold.scheme_id, hold, False)

            try:
                self._admission.issue_draft(
                    draft.stored,
                    variant_no=variant_no,
                    actor=actor,
                    reason=reason,
                    claim=claim,
                    answer=told,
                    also=also,
                )
            except ProjectMovedError:
                continue
            except HoldStateError:
                if self._read(project_id)[1] is None:
                    raise
                continue  # another conversion of the project was faster
            except NotIssuableError as refusal:
                raise _refused(project_id, draft, refusal) from refusal
            except (CapacityExhaustedError, CertificateRefusedError) as refusal:
                if self._admission.ledger.head().seq != draft.ledger_seq:
                    continue  # others were faster; another point may still carry it
                raise _refused(project_id, draft, refusal) from refusal
            return
        raise _moving(project_id)

    def consult(
        self, project_id: str, *, actor: Actor, reason: str, claim: IdempotencyClaim, answer: ToldReply
    ) -> None:
        """Answer a project preliminarily (咨询初步答复); it binds nobody and holds nothing.

        Raises:
            NotFoundError: No such project.
            ProjectStageError: It is closed, or an application by now.
            InputError: Its place or demand is not known, or what it asks is connected at low voltage.
            ConcurrencyError: The project moved under every answer.
        """
        for _ in range(DRAFTS_MAX):
            project, _conversion = self._read(project_id)
            check_open(project)
            draft = self._draft(project, "consultation")
            try:
                with self._services.store.write() as connection:
                    if claim_key(connection, claim) is not None:
                        return
                    write_consultation(connection, project, draft.stored, draft.documents, actor=actor, reason=reason)
                    keep(connection, claim, *answer(project_id, draft), object_id=draft.stored.scheme_id)
            except ProjectMovedError:
                continue
            return
        raise _moving(project_id)

    def _read(self, project_id: str) -> tuple[Project, Conversion | None]:
        with self._services.store.read() as connection:
            return get_project(connection, project_id), find_conversion(connection, project_id)

    def _draft(self, project: Project, purpose: Any) -> Draft:
        services = self._services
        request = as_request(project, services.load_policy(), received_on=services.clock(), purpose=purpose)
        return services.draft(request, find_capacity=self._tables.find)

    def _tell_again(
        self, project_id: str, conversion: Conversion, claim: IdempotencyClaim, answer: ToldConversion
    ) -> None:
        """Tell what the project became before, under a key of its own."""
        with self._services.store.write() as connection:
            if claim_key(connection, claim) is None:
                hold = get_hold(connection, conversion.hold_id)
                told = answer(project_id, conversion.scheme_id, hold, True)
                keep(connection, claim, *told, object_id=hold.hold_id)


def _moving(project_id: str) -> ConcurrencyError:
    return ConcurrencyError(
        "grid, ledger or project moved under every answer; send the same call again", project_id=project_id
    )


def _refused(project_id: str, draft: Draft, refusal: DomainError) -> ConversionRefusedError:
    """Return why a project is not taken: what the answer says, and which limit stands against it."""
    scheme = draft.scheme
    return ConversionRefusedError(
        f"the project stays in the library: {refusal.message}",
        project_id=project_id,
        verdict=scheme.verdict,
        reasons=[{"code": reason.code, "text": reason.text} for reason in scheme.reasons],
        limits=[*_limit_of(refusal), *_limits_of(scheme.rejected)][:LIMITS_TOLD_MAX],
    )


def _limit_of(refusal: DomainError) -> Iterator[dict[str, object]]:
    if not isinstance(refusal, NotIssuableError):
        yield {"code": refusal.code, **{name: value for name, value in refusal.context.items() if value is not None}}


def _limits_of(rejected: Any) -> Iterator[dict[str, object]]:
    for candidate in rejected:
        for reason in candidate.reasons:
            yield {
                "code": reason.code,
                "text": reason.text,
                "element_id": candidate.connection_point.element_source_id,
            }
