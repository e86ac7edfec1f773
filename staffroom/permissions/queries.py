"""Reads about shares, consent, policy, retention and the access log. The doors of other rooms to all of these."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from staffroom import options
from staffroom.people import personal
from staffroom.people import queries as people
from staffroom.people.models import Enrollment, Membership, Organization, Person, Role, Section
from staffroom.people.prepared import prepared
from staffroom.people.rules import lasting
from staffroom.permissions import rules
from staffroom.permissions.models import Access, BreakGlass, Circle, Consent, Policy, Share, about

ADDRESS = re.compile(r"/([a-z]+?)s?/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.I)


def live_shares_of(thing: models.Model) -> QuerySet[Share]:
    """Every loan of a thing that still stands, newest first."""
    return shares_of(thing).filter(rules.live_shares())


def shares_of(thing: models.Model) -> QuerySet[Share]:
    """Every loan of a thing, those that are over or taken back too."""
    return Share.objects.filter(**about(thing)).select_related("person", "circle", "organization")


def with_live_shares(found: QuerySet[Any]) -> QuerySet[Any]:
    """Things with ``live_share_count``, how many loans of each stand."""
    return counting_live_shares(found, ContentType.objects.get_for_model(found.model).pk, timezone.now())


def counting_live_shares(found: QuerySet[Any], kind: int, at: datetime) -> QuerySet[Any]:
    """The same for a kind of content, told by number, at a moment."""
    standing = Share.objects.filter(rules.live_shares(at), content_type=kind, object_id=OuterRef("pk")).order_by()
    counts = standing.values("object_id").annotate(live=models.Count("pk")).values("live")
    counted: QuerySet[Any] = found.annotate(live_share_count=Coalesce(Subquery(counts), 0))
    return counted


def lent(viewer: Person, model: type[models.Model]) -> QuerySet[Share]:
    """Live loans of things of one kind that reach the viewer, without anything else of them."""
    kind = ContentType.objects.get_for_model(model).pk
    return lent_to_one(viewer.pk, rules.belongs_to(viewer), kind, timezone.now())


def lent_to_one(viewer: int, organizations: Iterable[int], kind: int, at: datetime) -> QuerySet[Share]:
    """The same, told by number, at a moment."""
    return Share.objects.filter(rules.live_shares(at) & rules.reaching_one(viewer, organizations), content_type=kind)


def unopened_in_sql(viewer: Person, model: type[models.Model]) -> tuple[str, tuple[Any, ...]]:
    """Live loans that others gave and whose thing the viewer has not opened yet, as SQL: it is asked on every page."""
    kind = ContentType.objects.get_for_model(model).pk
    return _unopened_ready.as_sql(viewer.pk, tuple(rules.belongs_to(viewer)), kind, timezone.now())


def unopened_by(viewer: int, organizations: Iterable[int], kind: int, at: datetime) -> QuerySet[Share]:
    """The same of a viewer told by number, at a moment."""
    opened = Access.objects.filter(viewer=viewer, content_type=kind, object_id=OuterRef("object_id"))
    return lent_to_one(viewer, organizations, kind, at).exclude(owner=viewer).filter(~Exists(opened.order_by()))


@prepared
def _unopened_ready(viewer: int, organizations: tuple[int, ...], kind: int, at: datetime) -> QuerySet[Share]:
    return unopened_by(viewer, organizations, kind, at).order_by().only("pk")


def opened_by(viewer: Person, model: type[models.Model], pks: Iterable[int]) -> set[int]:
    """Which of some things the viewer has opened, as the access log says."""
    found = Access.objects.filter(
        viewer=viewer, content_type=ContentType.objects.get_for_model(model), object_id__in=list(pks)
    )
    return set(found.order_by().values_list("object_id", flat=True))


def share_for(viewer: Person, thing: models.Model) -> Share | None:
    """The loan by which the viewer may see the thing; the one with most rights when there are several."""
    kind = ContentType.objects.get_for_model(thing).pk
    found: list[Share] = _shares_for(viewer.pk, tuple(rules.belongs_to(viewer)), kind, timezone.now(), thing.pk)
    return found[0] if found else None


@prepared
def _shares_for(viewer: int, organizations: tuple[int, ...], kind: int, at: datetime, thing: int) -> QuerySet[Share]:
    found = lent_to_one(viewer, organizations, kind, at).filter(object_id=thing)
    return found.order_by("-may_download", "-expires_at")


def shares_by(owner: Person) -> QuerySet[Share]:
    return Share.objects.filter(owner=owner).select_related("person", "circle", "organization", "content_type")


def circles_for(viewer: Person) -> QuerySet[Circle]:
    """Circles that the viewer made or is in."""
    return Circle.objects.filter(Q(owner=viewer) | Q(members__person=viewer)).distinct()


def consent_of(student: Person) -> str:
    """A student's standing answer: ``yes``, ``in_school``, ``no`` or ``unknown``; an answer that ended is unknown."""
    newest = Consent.objects.filter(student=student).order_by("-created_at", "-pk").first()
    return _standing(newest)


def _standing(consent: Consent | None) -> str:
    return _standing_answer(consent.answer, consent.ends_on) if consent else "unknown"


def _standing_answer(answer: str | None, until: date | None) -> str:
    return "unknown" if answer is None or (until and until < timezone.localdate()) else answer


TEACHING = (Enrollment.Role.TEACHER, Enrollment.Role.AIDE)


@dataclass(frozen=True)
class ConsentsIn:
    """The consent of a section's students: how many gave each answer, and each student's (first names only)."""

    counts: dict[str, int]
    students: list[tuple[Person, str]]

    @property
    def total(self) -> int:
        return len(self.students)

    @property
    def no_or_unknown(self) -> int:
        return self.counts["no"] + self.counts["unknown"]

    @property
    def without_yes(self) -> list[tuple[Person, str]]:
        return [(student, answer) for student, answer in self.students if answer != "yes"]

    @property
    def may_leave_school(self) -> bool:
        """Whether media of this section may be seen outside the school: every student has a yes."""
        return bool(self.students) and not self.without_yes


def consents_in(section: Section, on: date | None = None) -> ConsentsIn:
    """The standing answers of all students enrolled in a section. One query, however many students."""
    return consents_in_each([section], on)[section.pk]


def consents_in_each(
    sections: Iterable[Section], on: date | None = None, *, taught_by: Person | None = None
) -> dict[int, ConsentsIn]:
    """The same for several sections, by their primary key. One query, however many sections.

    With ``taught_by`` only those that this person teaches or helps in today.
    """
    sections = list(sections)
    today, pks = timezone.localdate(), tuple(section.pk for section in sections)
    teacher = () if taught_by is None else (taught_by.pk, today)
    rows = _enrolled(pks, on or today, *teacher) if pks else []
    taught = {row.section_id for row in rows if row.role in TEACHING}
    answers: dict[int, dict[Person, str]] = {
        section.pk: {} for section in sections if taught_by is None or section.pk in taught
    }
    for row in rows:
        if row.role == Enrollment.Role.STUDENT and row.section_id in answers:
            answers[row.section_id][row.person] = _standing_answer(vars(row)["answer"], vars(row)["until"])
    return {pk: _counted(list(found.items())) for pk, found in answers.items()}


@prepared
def _enrolled(sections: tuple[int, ...], day: date, *teacher: Any) -> QuerySet[Enrollment]:
    """Students enrolled on a day with their standing answers, and whether this teacher is one of theirs today."""
    newest = Consent.objects.filter(student=OuterRef("person")).order_by("-created_at", "-pk")
    wanted = (Q(ends_on=None) | Q(ends_on__gte=day)) & Q(role=Enrollment.Role.STUDENT)
    if teacher:
        person, today = teacher
        wanted |= lasting(today) & Q(person=person, role__in=TEACHING)
    enrolled = Enrollment.objects.filter(wanted, section__in=sections).annotate(
        answer=Subquery(newest.values("answer")[:1]), until=Subquery(newest.values("ends_on")[:1])
    )
    return enrolled.select_related("person").order_by("person__family_name", "person__given_name", "person")


def _counted(students: list[tuple[Person, str]]) -> ConsentsIn:
    counts = Counter(answer for _student, answer in students)
    return ConsentsIn({key: counts[key] for key in ("yes", "in_school", "no", "unknown")}, students)


# What a policy may choose, and the strictest choice, which holds where a district has chosen nothing.
POLICY_DEFAULTS: dict[str, Any] = {
    "retention_days": None,  # the option retention_days
    "may_share_outside_district": False,
    "may_download": False,
    "share_days_most": 365,
}


@dataclass(frozen=True)
class PolicyInForce:
    """The newest policy of the district above an organization; version 0 is the strict default."""

    version: int
    settings: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.settings.get(name, POLICY_DEFAULTS[name])


def policy_of(organization: Organization | None, version: int | None = None) -> PolicyInForce:
    """The policy that holds for an organization, or an older version: what was recorded under it stays under it."""
    if organization is None:
        return PolicyInForce(0, {})
    asked = () if version is None else (version,)
    newest = next(iter(_policies(tuple(organization.ancestor_pks), *asked)), None)
    return PolicyInForce(newest.version, newest.settings) if newest and version != 0 else PolicyInForce(0, {})


@prepared
def _policies(organizations: tuple[int, ...], *version: int) -> QuerySet[Policy]:
    found = Policy.objects.filter(organization__in=organizations)
    if version:
        found = found.filter(version=version[0])
    return found.order_by("-organization__path", "-version")[:1]


def retention_days(owner: Person) -> int:
    """For how many days what this person makes is kept: the site's option, or less where the district says so."""
    most: int = options.get("retention_days")
    chosen = policy_of(people.district_of(owner))["retention_days"]
    return min(most, int(chosen)) if chosen else most


def retention_end(owner: Person) -> date:
    """The day on which something that this person makes today ends."""
    return timezone.localdate() + timedelta(days=retention_days(owner))


def accesses_to(owner: Person) -> QuerySet[Access]:
    """The owner's access log: who opened what, when, through which share; newest first."""
    return Access.objects.filter(owner=owner).select_related("viewer", "share")


def loans_and_openings_of(thing: models.Model) -> tuple[list[Share], list[Access]]:
    """Every loan of a thing, newest first, and every opening of it."""
    at = (ContentType.objects.get_for_model(thing).pk, thing.pk)
    return _loans_of(*at), _openings_of(*at)


@prepared
def _loans_of(kind: int, thing: int) -> QuerySet[Share]:
    found = Share.objects.filter(content_type=kind, object_id=thing)
    return found.select_related("person", "circle", "organization")


@prepared
def _openings_of(kind: int, thing: int) -> QuerySet[Access]:
    return Access.objects.filter(content_type=kind, object_id=thing).select_related("viewer", "share")


def accesses_of(thing: models.Model) -> QuerySet[Access]:
    return Access.objects.filter(**about(thing)).select_related("viewer", "share")


def break_glass_for(viewer: Person, thing: models.Model) -> BreakGlass | None:
    """The approved, unexpired exception under which an administrator may open the thing now: asker or approver."""
    return (
        BreakGlass.objects.filter(Q(asked_by=viewer) | Q(approved_by=viewer), **about(thing))
        .filter(approved_at__isnull=False, expires_at__gt=timezone.now())
        .first()
    )


def opened_page(request: BreakGlass) -> str:
    """Where the two administrators see the thing, as long as the glass is open; nothing before and after."""
    is_open = request.approved_at is not None and bool(request.expires_at and request.expires_at > timezone.now())
    declaration = personal.declaration_of(type(request.about)) if is_open and request.about is not None else None
    return declaration.opened_page(request.about) if declaration and declaration.opened_page else ""


def break_glass_requests_for(viewer: Person) -> Iterable[BreakGlass]:
    """Requests that wait for the viewer's second word."""
    waiting = BreakGlass.objects.filter(approved_at=None, refused_at=None).select_related("owner", "asked_by")
    return [each for each in waiting if rules.may_answer_break_glass(viewer, each)]


def who_may_answer(request: BreakGlass) -> list[Person]:
    """Administrators whose second word a request waits for."""
    places = {pk for held in people.memberships_of(request.owner) for pk in held.organization.ancestor_pks}
    held = Membership.objects.filter(lasting(), role=Role.ADMINISTRATOR, organization__in=places)
    found = {each.person_id: each.person for each in held.select_related("person")}
    return [each for each in found.values() if rules.may_answer_break_glass(each, request)]


def consent_sections_for(viewer: Person) -> QuerySet[Section]:
    """Sections whose families' answers the viewer keeps: those she teaches, and all of the schools she leads."""
    taught = Q(enrollments__person=viewer, enrollments__role=Enrollment.Role.TEACHER)
    led = Q(school__in=people.organizations_of(viewer, *rules.CONSENT_KEEPERS))
    return Section.objects.filter(taught | led).select_related("school").distinct()


def keeps_consent(viewer: object) -> bool:
    """Whether there is any section whose answers the viewer keeps: decides if the page is offered."""
    if not isinstance(viewer, Person):
        return False
    roles = {held.role for held in people.memberships_of(viewer)}
    return bool(roles & {"teacher", *rules.CONSENT_KEEPERS})


def thing_by_key(kind: str, key: Any) -> tuple[models.Model | None, Person | None]:
    """A personal thing by the name of its model and its key, with its owner: only for asking to break the glass.

    What has no owner of its own is opened as a part of what it belongs to: for a clip or a note, its lesson.
    """
    for declaration in personal.declarations():
        if declaration.model._meta.model_name == kind and _has_key(declaration.model):
            return _owned(declaration.model._default_manager.filter(key=key).first())
    return None, None


def _owned(thing: models.Model | None) -> tuple[models.Model | None, Person | None]:
    declaration = personal.declaration_of(type(thing)) if thing is not None else None
    if thing is None or declaration is None:
        return None, None
    if declaration.owner:
        return thing, declaration.owner(thing)
    for field in thing._meta.fields:
        belongs_to = personal.declaration_of(field.related_model) if isinstance(field, models.ForeignKey) else None
        if belongs_to and belongs_to.opened_page:
            return _owned(getattr(thing, field.name))
    return None, None


def named_by(address: str) -> tuple[str, UUID] | None:
    """The kind and the key that the address of a page names, such as ``https://…/clips/0ce1ee02-…/``."""
    found = ADDRESS.search(address)
    return (found[1], UUID(found[2])) if found else None


def _has_key(model: type[models.Model]) -> bool:
    return any(field.name == "key" for field in model._meta.fields)
