"""Who may: for one object (``may_…``) and for many (``…able_by``), side by side, so that they can be held together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from staffroom.people import queries as people
from staffroom.people.models import Enrollment, Membership, Person, Role
from staffroom.permissions.models import BreakGlass, Circle, CircleMember, Share

CONSENT_KEEPERS = (Role.SCHOOL_LEADER, Role.ADMINISTRATOR)


def belongs_to(person: Person) -> set[int]:
    """Organizations that a colleague belongs to: those of her memberships and everything above them."""
    return {
        pk
        for membership in people.memberships_of(person)
        if membership.role not in (Role.STUDENT, Role.PARTNER)
        for pk in membership.organization.ancestor_pks
    }


def is_live(share: Share) -> bool:
    """Whether the loan still stands: neither taken back nor over."""
    return share.retracted_at is None and share.expires_at > timezone.now()


def live_shares(at: datetime | None = None) -> Q:
    return Q(retracted_at=None, expires_at__gt=at or timezone.now())


def reaches(share: Share, person: Person) -> bool:
    """Whether a share's audience includes the person. Its owner needs no share; students are in no audience."""
    match share.audience:
        case Share.Audience.PERSON:
            return share.person_id == person.pk
        case Share.Audience.CIRCLE:
            return CircleMember.objects.filter(circle=share.circle, person=person).exists()
        case Share.Audience.PUBLIC:
            return bool(person.pk)
    return share.organization_id in belongs_to(person)


def reaching(person: Person) -> Q:
    """The shares whose audience includes the person, as ``reaches`` says it of one."""
    return reaching_one(person.pk, belongs_to(person))


def reaching_one(person: int, organizations: Iterable[int]) -> Q:
    """The same, told by number, with the organizations that the person belongs to."""
    circles = CircleMember.objects.filter(person=person).order_by().values("circle")
    return (
        Q(audience=Share.Audience.PERSON, person=person)
        | Q(audience=Share.Audience.CIRCLE, circle__in=circles)
        | Q(audience__in=[Share.Audience.SCHOOL, Share.Audience.DISTRICT], organization_id__in=organizations)
        | Q(audience=Share.Audience.PUBLIC)
    )


def may_use(share: Share, person: Person) -> bool:
    return is_live(share) and reaches(share, person)


def usable_by(person: Person) -> Q:
    return live_shares() & reaching(person)


def may_record_consent(person: Person, student: Person) -> bool:
    """School leaders and administrators of the student's school, and the teachers of her sections."""
    memberships = [each for each in people.memberships_of(student) if each.role == Role.STUDENT]
    if any(people.is_in(person, each.organization, *CONSENT_KEEPERS) for each in memberships):
        return True
    taught = Enrollment.objects.filter(person=person, role=Enrollment.Role.TEACHER).values("section")
    return Enrollment.objects.filter(person=student, role=Enrollment.Role.STUDENT, section__in=taught).exists()


def may_manage_circle(person: Person, circle: Circle) -> bool:
    return circle.owner_id == person.pk


def circles_manageable_by(person: Person) -> Q:
    return Q(owner=person)


def is_administrator_over(person: Person, owner: Person) -> bool:
    """Whether the person administers an organization that the owner belongs to."""
    return any(people.is_in(person, each.organization, Role.ADMINISTRATOR) for each in people.memberships_of(owner))


def has_administered(person: Person, other: Person) -> bool:
    """Whether the person administers a place where the other is or has been."""
    held = Membership.objects.filter(person=other).select_related("organization")
    return any(people.is_in(person, each.organization, Role.ADMINISTRATOR) for each in held)


def works_here(person: Person) -> bool:
    return any(each.role != Role.STUDENT for each in people.memberships_of(person))


def may_erase(person: Person, other: Person) -> bool:
    """Everybody may erase themselves; for students, who have no account, and for those who have left, administrators do it.

    What somebody made who works here is theirs: no administrator erases it as long as they can do so, or not, themselves.
    """
    return person.pk == other.pk or (has_administered(person, other) and not works_here(other))


def may_break_glass(person: Person, owner: Person) -> bool:
    """Administrators over the owner may ask; nobody breaks the glass to their own things."""
    return person.pk != owner.pk and is_administrator_over(person, owner)


def may_answer_break_glass(person: Person, request: BreakGlass) -> bool:
    """A second administrator answers: never the one who asked, never the owner."""
    return (
        request.approved_at is None
        and request.refused_at is None
        and request.asked_by_id != person.pk
        and may_break_glass(person, request.owner)
    )
