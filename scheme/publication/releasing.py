"""Into public by a second person, and out of it at once: two databases have no common transaction, so one follows."""

from __future__ import annotations

from gridmodel.errors import InputError
from scheme.ledger.records import Actor
from scheme.policy.parameter import PolicyView
from scheme.publication.public_store import PublicFile, PublicStore
from scheme.publication.records import LeakFoundError, Publication, PublicationStateError, SecondPersonError
from scheme.publication.register import Register
from scheme.publication.rules import find_map_audience, is_due

REASON_CHARACTERS_MAX = 500


def release(
    register: Register,
    public: PublicStore,
    publication_id: str,
    policy: PolicyView,
    *,
    content_sha256: str,
    actor: Actor,
) -> Publication:
    """Put a scanned publication into public; whoever made it may not.

    Args:
        register: Where it is kept.
        public: Where the public is answered from.
        publication_id: Which.
        policy: Reads ``disclosure.map_audience`` and ``disclosure.map_refresh_months_min``.
        content_sha256: Digest of the file that was looked at.
        actor: Who releases it.

    Raises:
        SecondPersonError: The same person made it.
        LeakFoundError: The scanner found something.
        PublicationStateError: It was not scanned, is not the file named, or comes too early.
        PolicyNotInForceError: Nobody decided who may see the map.
    """
    kept = register.get(publication_id)
    if kept.state == "refused" or (kept.report is not None and not kept.report.is_clean):
        total = None if kept.report is None else kept.report.findings_total
        raise LeakFoundError("the leak scanner found something", publication_id=publication_id, findings=total)
    if kept.state != "scanned" or kept.report is None or kept.report.content_sha256 != kept.content_sha256:
        raise PublicationStateError(
            f"the publication is {kept.state}; it is scanned first", publication_id=publication_id, allowed="scanned"
        )
    if actor.subject_id == kept.made_by:
        raise SecondPersonError("whoever made it may not release it", publication_id=publication_id)
    if content_sha256 != kept.content_sha256:
        raise PublicationStateError("this is not the digest of the file", publication_id=publication_id)
    audience = find_map_audience(policy)
    current = register.find_current()
    months = None if current is None else _months_between(current.data_month, kept.data_month)
    if not is_due(months, policy):
        raise PublicationStateError(
            "the current publication is too recent; withdraw it first to correct it", publication_id=publication_id
        )
    released = register.note_release(publication_id, audience, actor)
    mirror(register, public)
    return released


def withdraw(register: Register, public: PublicStore, publication_id: str, *, reason: str, actor: Actor) -> Publication:
    """Take a publication out of public at once, or give a draft up; one person is enough.

    Raises:
        InputError: No reason is given.
        PublicationStateError: It is not in public any more.
    """
    if not reason.strip() or len(reason) > REASON_CHARACTERS_MAX:
        allowed = f"1 to {REASON_CHARACTERS_MAX} characters"
        raise InputError("a withdrawal says why", field="reason", value=reason, allowed=allowed)
    if register.get(publication_id).state == "released":
        public.clear()  # first: what must not be read is gone even if the register does not answer
    ended = register.note_withdrawal(publication_id, reason.strip(), actor)
    mirror(register, public)
    return ended


def mirror(register: Register, public: PublicStore) -> None:
    """Make the public side hold what the register says: two databases have no common transaction."""
    current = register.find_current()
    shown = public.find_current()
    if current is None or current.audience is None:
        if shown is not None:
            public.clear()
        return
    if shown is None or shown.content_sha256 != current.content_sha256 or shown.audience != current.audience:
        public.put(
            PublicFile(
                publication_id=current.publication_id,
                content=register.get_content(current.publication_id),
                content_sha256=current.content_sha256,
                audience=current.audience,
            )
        )


def _months_between(earlier: str, later: str) -> int:
    first, second = (int(text[:4]) * 12 + int(text[5:7]) for text in (earlier, later))
    return second - first
