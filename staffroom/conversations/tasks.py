"""Mail, at once and gathered, done later. Ids in, action called; safe to run twice."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.tasks import task

from staffroom.conversations import actions, signals
from staffroom.conversations.models import Notice
from staffroom.jobs.actions import later


@task()
def mail_notice(notice_id: int) -> None:
    """Send one notice by mail, if it still waits."""
    notice = Notice.objects.select_related("recipient", "actor").filter(pk=notice_id).first()
    if notice is not None:
        actions.mail_notice(notice=notice)


@task()
def mail_gathered() -> None:
    """The daily mail to those who want one."""
    actions.mail_gathered()


@receiver(signals.notice_made, dispatch_uid="conversations.mail_later")
def mail_later(notice: Notice, **_rest: Any) -> None:
    """Queue the mail; whether one is wanted is decided when it is sent."""
    if notice.recipient.email:
        later(mail_notice, notice_id=notice.pk)
