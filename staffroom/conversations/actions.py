"""Deeds of conversation: say, change, take back, notify, keep drafts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import send_mail
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.conversations import queries, rules, signals
from staffroom.conversations.models import Comment, Draft, MailWish, Notice, Thread
from staffroom.conversations.notices import is_registered, sentence_of
from staffroom.people.models import Person
from staffroom.permissions import queries as permissions
from staffroom.records.actions import record
from staffroom.records.models import Activity
from staffroom.records.vocabulary import verbs

LONGEST_COMMENT = 5000
LONGEST_DRAFT = 20_000
MOST_DRAFTS = 200
DRAFT_DAYS = 30


def _clean_text(text: str) -> str:
    cleaned = text.replace("\r\n", "\n").strip()
    if not cleaned:
        raise ValidationError(_("Write something first."))
    if len(cleaned) > LONGEST_COMMENT:
        raise ValidationError(_("Keep it under %(most)s characters."), params={"most": LONGEST_COMMENT})
    return cleaned


@transaction.atomic
def say(*, by: Person, about: models.Model, text: str, activity: Activity | None = None) -> Comment:
    """Add a turn to the thread of a thing and record that it was said, not what.

    Refuses people whom the room of the thing does not let speak, and empty or very long text. Tells nobody: the room that
    calls knows whom it concerns and at which address.
    """
    if not rules.may_say(by, about):
        raise PermissionDenied
    cleaned = _clean_text(text)
    thread, _made = Thread.objects.get_or_create(
        content_type=ContentType.objects.get_for_model(about), object_id=about.pk
    )
    ends_on: date = getattr(about, "ends_on", None) or permissions.retention_end(by)
    comment = Comment.objects.create(thread=thread, author=by, text=cleaned, ends_on=ends_on)
    record(by=by, verb=verbs.COMMENTED, object=about, activity=activity)
    return comment


@transaction.atomic
def edit_comment(*, by: Person, comment: Comment, text: str) -> Comment:
    """Change one's own words; readers see that they were changed."""
    if not rules.may_change(by, comment):
        raise PermissionDenied
    comment.text, comment.edited_at = _clean_text(text), timezone.now()
    comment.save(update_fields=["text", "edited_at"])
    return comment


@transaction.atomic
def withdraw_comment(*, by: Person, comment: Comment) -> Comment:
    """Take one's own words back: the text is gone from the database, the place in the thread remains."""
    if not rules.may_change(by, comment):
        raise PermissionDenied
    comment.text, comment.withdrawn_at = "", timezone.now()
    comment.save(update_fields=["text", "withdrawn_at"])
    return comment


def drop_threads(model: type[models.Model], pks: Iterable[int]) -> int:
    """Remove what was said about things that are being removed; generic rows do not cascade by themselves."""
    kind = ContentType.objects.get_for_model(model)
    return Thread.objects.filter(content_type=kind, object_id__in=list(pks)).delete()[0]


@transaction.atomic
def notify(
    *, recipient: Person, kind: str, url: str, actor: Person | None = None, details: dict[str, Any] | None = None
) -> Notice | None:
    """Tell a person that something waits at an address of this site. One is not told of one's own deeds.

    An unread notice of the same kind, actor and address is brought up to date instead of told twice.
    """
    if actor is not None and actor.pk == recipient.pk:
        return None
    if not is_registered(kind):
        raise ValueError(f"no room has registered notices of kind {kind!r}")
    waiting = Notice.objects.filter(recipient=recipient, kind=kind, url=url, actor=actor, read_at=None).first()
    if waiting is not None:
        waiting.created_at, waiting.details = timezone.now(), details or {}
        waiting.save(update_fields=["created_at", "details"])
        return waiting
    made = Notice.objects.create(
        recipient=recipient, actor=actor, kind=kind, url=url, details=details or {},
        ends_on=permissions.retention_end(recipient),
    )  # fmt: skip
    signals.notice_made.send(Notice, notice=made)
    return made


@transaction.atomic
def read_notice(*, by: Person, notice: Notice) -> Notice:
    if not rules.may_read_notice(by, notice):
        raise PermissionDenied
    if notice.read_at is None:
        notice.read_at = timezone.now()
        notice.save(update_fields=["read_at"])
    return notice


def read_notices(*, by: Person) -> int:
    """Mark all of one's notices as read."""
    return queries.notices_for(by, unread_only=True).update(read_at=timezone.now())


@transaction.atomic
def set_aside_notices(*, url: str, may_open: Callable[[Person], bool]) -> int:
    """What waits at an address waits no longer for those who cannot open it any more: it counts as read, and is not mailed."""
    waiting = Notice.objects.filter(url=url, read_at=None).select_related("recipient")
    gone = [notice.pk for notice in waiting if not may_open(notice.recipient)]
    return Notice.objects.filter(pk__in=gone).update(read_at=timezone.now())


@transaction.atomic
def wish_mail(*, by: Person, rhythm: str) -> MailWish:
    """Choose how one hears of notices by mail."""
    if rhythm not in MailWish.Rhythm.values:
        raise ValidationError(_("Choose at once, once a day, or not by mail."))
    return MailWish.objects.update_or_create(person=by, defaults={"rhythm": rhythm})[0]


def mail_notice(*, notice: Notice) -> bool:
    """Send one notice by mail, without content, unless it was read or mailed, or its recipient wants none at once."""
    person = notice.recipient
    is_wanted = queries.mail_rhythm(person) == MailWish.Rhythm.AT_ONCE and person.email and person.is_active
    if not is_wanted or notice.read_at or notice.mailed_at:
        return False
    _send(person, sentence_of(notice), [notice])
    return True


def mail_gathered() -> int:
    """One mail a day to each person who wants it so; returns how many were sent."""
    waiting: dict[int, list[Notice]] = {}
    for notice in queries.notices_to_gather():
        waiting.setdefault(notice.recipient_id, []).append(notice)
    sent = 0
    for notices in waiting.values():
        person = notices[0].recipient
        if person.email and person.is_active:
            _send(person, _("What waits for you in Staffroom: %(count)s") % {"count": len(notices)}, notices)
            sent += 1
    return sent


def _send(person: Person, subject: str, notices: list[Notice]) -> None:
    """A plain mail: sentences and addresses. Marked as sent afterwards: a lost worker sends twice rather than never."""
    lines = [f"{sentence_of(notice)}\n{settings.SITE_URL}{notice.url}\n" for notice in notices]
    body = "\n".join(
        [
            _("Hello %(name)s,") % {"name": person.first_name},
            "",
            *lines,
            _("Mails from Staffroom never hold what was written or recorded. Choose how you hear of things:"),
            f"{settings.SITE_URL}/notices/",
        ]
    )
    send_mail(subject, body, None, [str(person.email)])
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(mailed_at=timezone.now())


@transaction.atomic
def keep_draft(*, by: Person, place: str, body: dict[str, Any], opened_at: datetime | None = None) -> Draft | None:
    """Keep what a person is typing in one place; an empty body drops it. Refuses very long drafts and very many.

    ``opened_at``: when the form was shown. What arrives late from a form that has been sent since is not kept: it would come back.
    """
    kept = {name: value for name, value in body.items() if value}
    if not kept:
        drop_draft(by=by, place=place)
        return None
    if opened_at and Draft.objects.filter(owner=by, place=place, body={}, touched_at__gt=opened_at).exists():
        return None
    if sum(len(str(value)) for value in kept.values()) > LONGEST_DRAFT:
        raise ValidationError(_("This is too long to be kept as a draft."))
    if Draft.objects.filter(owner=by).exclude(models.Q(place=place) | models.Q(body={})).count() >= MOST_DRAFTS:
        raise ValidationError(_("Too many drafts wait already. Finish or delete some first."))
    ends_on = min(timezone.localdate() + timedelta(days=DRAFT_DAYS), permissions.retention_end(by))
    return Draft.objects.update_or_create(
        owner=by, place=place, defaults={"body": kept, "touched_at": timezone.now(), "ends_on": ends_on}
    )[0]


def drop_draft(*, by: Person, place: str) -> None:
    """Forget a draft: it was sent, or is not wanted. An empty row stays for a day, against words that arrive late."""
    gone = {"body": {}, "touched_at": timezone.now(), "ends_on": timezone.localdate() + timedelta(days=1)}
    Draft.objects.update_or_create(owner=by, place=place, defaults=gone)
