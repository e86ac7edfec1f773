"""Deeds of trust: lend and take back, keep the access log, record consent, break the glass by two, erase."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom import options
from staffroom.people import personal
from staffroom.people import queries as people
from staffroom.people import signals as people_signals
from staffroom.people.models import Organization, Person, Role
from staffroom.people.rows import insert_rows
from staffroom.permissions import queries, rules, signals
from staffroom.permissions.models import (
    Access,
    BreakGlass,
    Circle,
    CircleMember,
    Consent,
    Erasure,
    Policy,
    RetentionWarning,
    Share,
)
from staffroom.permissions.models import about as pointing_at

GLASS_OPEN = timedelta(hours=4)
LOG_SAME_OPENING = timedelta(minutes=30)


@transaction.atomic
def share(
    *,
    by: Person,
    about: models.Model,
    audience: str,
    expires_at: datetime,
    person: Person | None = None,
    circle: Circle | None = None,
    organization: Organization | None = None,
    may_download: bool = False,
    is_reflect_first: bool = False,
) -> Share:
    """Lend a thing to an audience until an end. The room that owns the thing has checked that ``by`` owns it.

    Refuses (ValidationError) an end in the past or beyond the policy, an audience that the owner is no part of, students and
    oneself as audience, download where the policy forbids it, and everyone unless the policy lets things leave the district.
    """
    made = Share(
        owner=by, audience=audience, expires_at=expires_at, person=person, circle=circle, organization=organization,
        may_download=may_download, is_reflect_first=is_reflect_first, **pointing_at(about),
    )  # fmt: skip
    _refuse_bad_share(made, by)
    made.save()
    transaction.on_commit(lambda: signals.share_made.send(Share, share=made))
    return made


def _refuse_bad_share(made: Share, by: Person) -> None:
    policy = queries.policy_of(people.district_of(by))
    now = timezone.now()
    if made.expires_at <= now:
        raise ValidationError(_("Choose an end that is still to come."))
    if made.expires_at > now + timedelta(days=int(policy["share_days_most"])):
        raise ValidationError(_("Your district lends for at most %(days)s days."), params={
            "days": policy["share_days_most"]})  # fmt: skip
    if made.may_download and not policy["may_download"]:
        raise ValidationError(_("Your district's policy does not allow downloads."))
    _refuse_bad_audience(made, by, bool(policy["may_share_outside_district"]))


def _refuse_bad_audience(made: Share, by: Person, may_leave: bool) -> None:
    if made.audience == Share.Audience.PERSON:
        _refuse_bad_person(made.person, by, may_leave)
    elif made.audience == Share.Audience.CIRCLE:
        if made.circle is None or not queries.circles_for(by).filter(pk=made.circle.pk).exists():
            raise ValidationError(_("Choose a circle that you are in."))
    elif made.audience == Share.Audience.PUBLIC:
        if not may_leave:
            raise ValidationError(_("Your district's policy keeps things inside the district."))
    elif made.organization is None or made.organization.kind != made.audience:
        raise ValidationError(_("Choose your school or your district."))
    elif made.organization.pk not in {
        pk for each in people.memberships_of(by) for pk in each.organization.ancestor_pks
    }:
        raise ValidationError(_("You can share with a school or district that you belong to."))


def _refuse_bad_person(person: Person | None, by: Person, may_leave: bool) -> None:
    if person is None or person.pk == by.pk or not person.is_active:
        raise ValidationError(_("Choose a colleague."))
    if all(each.role == Role.STUDENT for each in people.memberships_of(person)):
        raise ValidationError(_("Lessons are shared with colleagues, not with students."))
    if not may_leave and people.district_of(person) != people.district_of(by):
        raise ValidationError(_("Your district's policy keeps things inside the district."))


@transaction.atomic
def retract(*, by: Person, share: Share) -> Share:
    """Take a loan back at once. Only its owner may; a second time changes nothing."""
    if share.owner_id != by.pk:
        raise PermissionDenied
    locked = Share.objects.select_for_update().get(pk=share.pk)
    if locked.retracted_at is None:
        locked.retracted_at = timezone.now()
        locked.save(update_fields=["retracted_at"])
        transaction.on_commit(lambda: signals.share_retracted.send(Share, share=locked))
    share.retracted_at = locked.retracted_at
    return locked


@transaction.atomic
def note_access(
    *,
    by: Person,
    owner: Person,
    about: models.Model,
    title: str,
    deed: str = "opened",
    share: Share | None = None,
    break_glass: BreakGlass | None = None,
) -> Access | None:
    """Write the owner's access log. One's own openings are not logged; the same opening within half an hour is one line."""
    if by.pk == owner.pk:
        return None
    recent = Access.objects.filter(
        owner=owner, viewer=by, deed=deed, at__gt=timezone.now() - LOG_SAME_OPENING, **pointing_at(about)
    ).first()
    if recent is not None and deed == "opened":
        return recent
    return Access.objects.create(
        owner=owner, viewer=by, title=title[:255], deed=deed, share=share, break_glass=break_glass,
        ends_on=queries.retention_end(owner), **pointing_at(about),
    )  # fmt: skip


@transaction.atomic
def record_consent(
    *, by: Person, student: Person, answer: str, given_by: str = "", ends_on: date | None = None
) -> Consent:
    """Write down a family's answer; the newest counts, older ones stay. For those who keep consent at the school."""
    if not rules.may_record_consent(by, student):
        raise PermissionDenied
    if answer not in Consent.Answer.values:
        raise ValidationError(_("The answer is yes, in school only, or no."))
    made = Consent.objects.create(student=student, answer=answer, given_by=given_by, recorded_by=by, ends_on=ends_on)
    transaction.on_commit(lambda: signals.consent_changed.send(Consent, student=student, answer=answer))
    return made


@transaction.atomic
def record_consents(*, by: Person | None, answers: Iterable[tuple[int, str]]) -> int:
    """Write any number of answers down at once, each for a student (primary key): for imports and the demo, whose doors have
    checked who may. Returns how many."""
    known = set(Consent.Answer.values)

    def checked() -> Iterator[tuple[int, str]]:
        for student, answer in answers:
            if answer not in known:
                raise ValidationError(_("The answer is yes, in school only, or no."))
            yield student, answer

    return insert_rows(Consent, ("student_id", "answer"), checked(), recorded_by_id=by.pk if by else None)


@transaction.atomic
def make_circle(*, by: Person, name: str, members: list[Person]) -> Circle:
    """Found a circle of colleagues; its maker is in it."""
    if not name.strip():
        raise ValidationError(_("Give the circle a name."))
    circle = Circle.objects.create(owner=by, name=name.strip(), ends_on=queries.retention_end(by))
    for person in {by.pk: by, **{each.pk: each for each in members}}.values():
        add_to_circle(by=by, circle=circle, person=person)
    return circle


@transaction.atomic
def add_to_circle(*, by: Person, circle: Circle, person: Person) -> CircleMember:
    if not rules.may_manage_circle(by, circle):
        raise PermissionDenied
    if person.pk != by.pk and not people.colleagues_for(by).filter(pk=person.pk).exists():
        raise ValidationError(_("A circle is made of colleagues."))
    return CircleMember.objects.get_or_create(circle=circle, person=person)[0]


@transaction.atomic
def leave_circle(*, by: Person, circle: Circle, person: Person) -> None:
    """Its maker takes anybody out; everybody else themselves."""
    if by.pk != person.pk and not rules.may_manage_circle(by, circle):
        raise PermissionDenied
    CircleMember.objects.filter(circle=circle, person=person).delete()


@transaction.atomic
def set_policy(*, by: Person, organization: Organization, settings: dict[str, Any]) -> Policy:
    """Make the next version of a district's policy. Never applies to what was recorded before."""
    if not people.is_in(by, organization, Role.ADMINISTRATOR):
        raise PermissionDenied
    unknown = set(settings) - set(queries.POLICY_DEFAULTS)
    if unknown:
        raise ValidationError(_("No such choice: %(names)s"), params={"names": ", ".join(sorted(unknown))})
    newest = Policy.objects.select_for_update().filter(organization=organization).order_by("-version").first()
    return Policy.objects.create(
        organization=organization, version=newest.version + 1 if newest else 1, settings=settings, made_by=by
    )


@transaction.atomic
def ask_break_glass(*, by: Person, about: models.Model, owner: Person, reason: str) -> BreakGlass:
    """An administrator asks to open somebody's thing, with a written reason. Opens nothing by itself."""
    if not rules.may_break_glass(by, owner):
        raise PermissionDenied
    if len(reason.strip()) < 20:
        raise ValidationError(_("Write the reason in at least a sentence: the owner will read it."))
    asked = BreakGlass.objects.create(owner=owner, reason=reason.strip(), asked_by=by, **pointing_at(about))
    transaction.on_commit(lambda: signals.glass_asked.send(BreakGlass, break_glass=asked))
    return asked


@transaction.atomic
def approve_break_glass(*, by: Person, request: BreakGlass) -> BreakGlass:
    """A second administrator agrees: the two may open the thing for four hours, and its owner is told."""
    locked = BreakGlass.objects.select_for_update().get(pk=request.pk)
    if not rules.may_answer_break_glass(by, locked):
        raise PermissionDenied
    locked.approved_by, locked.approved_at = by, timezone.now()
    locked.expires_at = locked.approved_at + GLASS_OPEN
    locked.save(update_fields=["approved_by", "approved_at", "expires_at"])
    transaction.on_commit(lambda: signals.glass_broken.send(BreakGlass, break_glass=locked))
    return locked


@transaction.atomic
def refuse_break_glass(*, by: Person, request: BreakGlass) -> BreakGlass:
    locked = BreakGlass.objects.select_for_update().get(pk=request.pk)
    if not rules.may_answer_break_glass(by, locked):
        raise PermissionDenied
    locked.refused_at = timezone.now()
    locked.save(update_fields=["refused_at"])
    return locked


@transaction.atomic
def erase(*, by: Person, person: Person) -> Erasure:
    """Remove a person and everything held about them; ledgers keep their sums without the person. Returns the receipt.

    Who may is told by ``rules.may_erase``; what each model does was declared by its room (``people.personal``). The order is:
    declared rows, rooms that listen, at last the person. The receipt counts what there was of each kind before, as "My record"
    does: much of it goes along with something else.
    """
    if not rules.may_erase(by, person):
        raise PermissionDenied
    receipt = Erasure.objects.create(person_key=person.key)
    counts = {each.model._meta.label: _rows_about(person, each).count() for each in personal.declarations()}
    for declaration in personal.declarations():
        if declaration.model is not Person:
            removed = declaration.erase(_rows_about(person, declaration), person)
            counts[declaration.model._meta.label] = counts[declaration.model._meta.label] or removed
    people_signals.person_erased.send(Person, person=person, counts=counts)
    declaration_of_person = personal.declaration_of(Person)
    if declaration_of_person is not None:
        counts["people.Person"] = declaration_of_person.erase(Person.objects.filter(pk=person.pk), person)
    return _sign(receipt, counts)


def _rows_about(person: Person, declaration: personal.PersonalData) -> models.QuerySet[Any]:
    return declaration.model._default_manager.filter(declaration.about(person)).distinct()


def _sign(receipt: Erasure, counts: dict[str, int]) -> Erasure:
    receipt.counts = {label: count for label, count in sorted(counts.items()) if count}
    receipt.done_at = timezone.now()
    text = json.dumps([str(receipt.key), str(receipt.person_key), receipt.done_at.isoformat(), receipt.counts])
    receipt.receipt_sha256 = hashlib.sha256(text.encode()).hexdigest()
    receipt.save()
    return receipt


def warn_of_ends(today: date | None = None, days: int | None = None) -> int:
    """Tell owners, once, of each thing that ends within the warning time. Returns how many were told."""
    day = today or timezone.localdate()
    until = day + timedelta(days=days if days is not None else options.get("warning_days"))
    told = 0
    for declaration in personal.declarations():
        if declaration.owner is None or not declaration.ends_field:
            continue
        near = {f"{declaration.ends_field}__range": (day, until)}
        for thing in declaration.model._default_manager.filter(**near).iterator(chunk_size=500):
            told += _warn(declaration.owner(thing), thing, getattr(thing, declaration.ends_field))
    return told


@transaction.atomic
def _warn(person: Person | None, thing: models.Model, ends_on: date) -> int:
    if person is None:
        return 0
    _row, is_new = RetentionWarning.objects.get_or_create(
        ends_on=ends_on, defaults={"person": person}, **pointing_at(thing)
    )
    if is_new:
        transaction.on_commit(lambda: signals.ends_soon.send(Person, person=person, thing=thing, ends_on=ends_on))
    return int(is_new)


def purge_ended(today: date | None = None) -> dict[str, int]:
    """Remove what has ended, with all that was made from it, room by room. Safe to run twice."""
    day = today or timezone.localdate()
    counts: dict[str, int] = {}
    for declaration in personal.declarations():
        if not declaration.ends_field:
            continue
        is_moment = isinstance(declaration.model._meta.get_field(declaration.ends_field), models.DateTimeField)
        end = timezone.make_aware(datetime.combine(day, datetime.min.time())) if is_moment else day
        ended = declaration.model._default_manager.filter(**{f"{declaration.ends_field}__lt": end})
        with transaction.atomic():
            removed = declaration.purge(ended) if declaration.purge else ended.delete()[0]
        if removed:
            counts[declaration.model._meta.label] = removed
    return counts
