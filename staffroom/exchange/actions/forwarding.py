"""Other record stores that get what is written here: named by administrators, served by a job, at least once and in order.

Entries go in the order of the ledger, so in order for every actor, as far as nothing can be added in between any more. The cursor
moves on with each batch that was acknowledged: a job that is killed goes on there, and what it had sent without hearing the answer
is sent again. Statements have ids, so a store that has them already says so, or says nothing.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from staffroom.exchange import leaving, outside, rules, sealing, signals, strict
from staffroom.exchange.models import Destination, PutAside
from staffroom.jobs.actions import later, report
from staffroom.jobs.queries import jobs_about
from staffroom.people.models import Organization, Person
from staffroom.records.actions import record
from staffroom.records.models import Statement
from staffroom.records.vocabulary import verbs

log = structlog.get_logger(__name__)

AT_ONCE = 100
FIRST_WAIT_S, LONGEST_WAIT_S = 5, 3600
TOLD_AFTER = timedelta(hours=1)
# A store that refuses so many one by one refuses everything: that is no fault of the entries.
MOST_AT_ONCE_ASIDE = 20
FIELDS = ("name", "url", "key_name", "major", "has_tools", "has_own", "verbs", "activities", "knows_people")

type Post = Callable[[str, bytes, dict[str, str]], outside.Answer]


class Later(Exception):
    """The store takes nothing now; the sentence says why. What waits goes on waiting."""


class Overtaken(Exception):
    """Another job has moved the cursor, or the destination was switched off: this one stops."""


@transaction.atomic
def make_destination(
    *,
    by: Person,
    tenant: Organization,
    secret: str,
    tools: Iterable[Any] = (),
    is_from_now: bool = False,
    **fields: Any,
) -> Destination:
    """Let another record store have what is written in a district. Refuses (PermissionDenied) who does not administer it.

    Raises `outside.NotAllowed` for an address that is not asked.
    """
    if not rules.may_match(by, tenant):
        raise PermissionDenied
    outside.check(fields["url"])
    made = Destination(tenant=tenant, made_by=by, sealed_secret=sealing.seal(secret), **fields)
    made.cursor = leaving.settled_end() if is_from_now else 0
    made.save()
    made.tools.set(tools)
    record(by=by, verb=verbs.CREATED, object=made, organization=tenant)
    return made


@transaction.atomic
def change_destination(
    *, by: Person, destination: Destination, secret: str = "", tools: Iterable[Any] | None = None, **fields: Any
) -> Destination:
    """Say it better; without a secret the one that is known stays. What was sent stays sent. Refuses as `make_destination`."""
    _refuse_others(by, destination)
    outside.check(fields.get("url", destination.url))
    for name in FIELDS:
        setattr(destination, name, fields.get(name, getattr(destination, name)))
    if secret:
        destination.sealed_secret = sealing.seal(secret)
    destination.next_try_at, destination.failures = timezone.now(), 0
    destination.save(update_fields=[*FIELDS, "sealed_secret", "next_try_at", "failures"])
    if tools is not None:
        destination.tools.set(tools)
    record(by=by, verb=verbs.UPDATED, object=destination, organization=destination.tenant)
    return destination


@transaction.atomic
def switch_destination(*, by: Person, destination: Destination, is_on: bool) -> None:
    """Send no more, or go on where it was left."""
    _refuse_others(by, destination)
    Destination.objects.filter(pk=destination.pk).update(is_on=is_on, next_try_at=timezone.now(), failures=0)
    record(by=by, verb=verbs.UPDATED, object=destination, organization=destination.tenant)


@transaction.atomic
def remove_destination(*, by: Person, destination: Destination) -> None:
    """Send no more, and forget the secret. What was sent stays where it is."""
    _refuse_others(by, destination)
    Destination.objects.filter(pk=destination.pk).update(is_on=False, removed_at=timezone.now(), sealed_secret="")
    destination.put_aside.all().delete()
    record(by=by, verb=verbs.DELETED, object=destination, organization=destination.tenant)


@transaction.atomic
def try_again(*, by: Person, destination: Destination) -> int:
    """Send what was put aside once more, with the next batch; returns how many entries that are."""
    _refuse_others(by, destination)
    Destination.objects.filter(pk=destination.pk).update(next_try_at=timezone.now())
    return destination.put_aside.update(is_wanted_again=True)


def _refuse_others(by: Person, destination: Destination) -> None:
    if not rules.may_match(by, destination.tenant) or destination.removed_at is not None:
        raise PermissionDenied


def begin_all() -> int:
    """A job for every destination that is on, is not waited with, and has none under way; returns how many."""
    now, begun = timezone.now(), 0
    for destination in Destination.objects.filter(is_on=True, removed_at=None, next_try_at__lte=now):
        is_wanted = destination.put_aside.filter(is_wanted_again=True).exists()
        if not (is_wanted or leaving.waiting_for(destination).exists()):
            continue
        if any(not job.is_finished for job in jobs_about(destination)[:20]):
            continue
        task = import_string("staffroom.exchange.tasks.forward")
        later(task, about=destination, label=destination.name, retries=2, destination_id=destination.pk)
        begun += 1
    return begun


def forward(*, destination: Destination, post: Post = outside.post) -> int:
    """Send what waits, batch by batch, until nothing does or the store takes no more; returns how many it has taken.

    A store that does not answer, or refuses us, is asked again later and later. One entry that it refuses is put aside.
    """
    sent = 0
    if not destination.is_on or destination.removed_at:
        return sent
    errand = Errand(destination, post)
    try:
        sent += _send_again(errand)
        until = leaving.settled_end()
        while batch := list(leaving.waiting_for(destination, until)[:AT_ONCE]):
            report(done=sent)
            errand.send(batch)
            _move(errand, batch[-1].pk, len(batch))
            sent += len(batch)
        if until > destination.cursor:
            Destination.objects.filter(pk=destination.pk, cursor=destination.cursor).update(cursor=until)
    except Later as error:
        _note_failure(destination, str(error))
    except Overtaken:
        log.info("forwarding_overtaken", destination=destination.pk)
    return sent


@dataclass
class Errand:
    """One run to one destination: with which words, and what it has refused of the batch at hand."""

    destination: Destination
    post: Post
    aside: list[PutAside] = field(default_factory=list)

    def send(self, entries: list[Statement]) -> None:
        """Send entries in order; those that are refused one by one are noted in `aside`. Raises Later."""
        self.aside = []
        self._send(entries)
        if len(self.aside) == len(entries) >= MOST_AT_ONCE_ASIDE:
            raise Later(_("It refuses everything: %(reason)s") % {"reason": self.aside[-1].reason})

    def _send(self, entries: list[Statement]) -> None:
        bodies = list(leaving.dressed(self.destination, entries))
        answer = self._ask(bodies)
        if answer.status in (200, 204):
            return
        if answer.status not in (400, 409, 413, 422):
            raise Later(_refusal(answer.status))
        if len(entries) > 1:
            half = len(entries) // 2
            self._send(entries[:half])
            self._send(entries[half:])
        elif answer.status != 409:  # a statement of this id is there already
            self.aside.append(
                PutAside(
                    destination=self.destination, entry=entries[0].pk, status=answer.status, reason=_words(answer.body)
                )
            )

    def _ask(self, bodies: list[dict[str, Any]]) -> outside.Answer:
        try:
            secret = sealing.unseal(self.destination.sealed_secret)
            shown = base64.b64encode(f"{self.destination.key_name}:{secret}".encode()).decode()
            headers = {
                "Authorization": f"Basic {shown}", "Content-Type": "application/json",
                "X-Experience-API-Version": "2.0.0" if self.destination.major == 2 else "1.0.3",
            }  # fmt: skip
            return self.post(f"{self.destination.url.rstrip('/')}/statements", strict.write(bodies), headers)
        except sealing.CannotOpen as error:
            raise Later(_("The site's signing key has changed: type the secret again.")) from error
        except (outside.NotAllowed, outside.Unreachable) as error:
            raise Later(str(error)) from error


def _refusal(status: int) -> str:
    match status:
        case 401 | 403:
            return _("It refuses our key (%(status)d).") % {"status": status}
        case 404 | 405:
            return _("There is no record store at this address (%(status)d).") % {"status": status}
        case 301 | 302 | 303 | 307 | 308:
            return _("It points elsewhere (%(status)d): give the address that it points to.") % {"status": status}
    return _("It answered %(status)d.") % {"status": status}


def _words(body: bytes) -> str:
    """What the store said, as one line of plain text."""
    return " ".join("".join(each if each.isprintable() else " " for each in body.decode("utf-8", "replace")).split())[
        :300
    ]


@transaction.atomic
def _move(errand: Errand, number: int, count: int) -> None:
    """Note what was acknowledged: the cursor, and with it what was put aside."""
    destination = errand.destination
    now = timezone.now()
    moved = Destination.objects.filter(pk=destination.pk, cursor=destination.cursor, is_on=True).update(
        cursor=number, forwarded=F("forwarded") + count - len(errand.aside), last_success_at=now, last_error="",
        failing_since=None, failures=0, next_try_at=now, told_at=None,
    )  # fmt: skip
    if not moved:
        raise Overtaken
    PutAside.objects.bulk_create(errand.aside, ignore_conflicts=True)
    destination.cursor, destination.failures, destination.failing_since = number, 0, None


def _send_again(errand: Errand) -> int:
    """What was put aside and is wanted again, one by one; what is refused again stays aside."""
    sent = 0
    for row in errand.destination.put_aside.filter(is_wanted_again=True).order_by("entry"):
        entry = Statement.objects.filter(pk=row.entry, erased_at=None).first()
        if entry:
            errand.send([entry])
        if errand.aside:
            again = errand.aside[0]
            changes = {"status": again.status, "reason": again.reason, "at": timezone.now(), "is_wanted_again": False}
            PutAside.objects.filter(pk=row.pk).update(**changes)
            errand.aside = []
        else:
            row.delete()
            sent += 1
    if sent:
        Destination.objects.filter(pk=errand.destination.pk).update(forwarded=F("forwarded") + sent)
    return sent


def _note_failure(destination: Destination, sentence: str) -> None:
    """Wait longer each time, and tell the district's administrators once it has lasted."""
    now = timezone.now()
    failures = destination.failures + 1
    wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 3 ** min(failures - 1, 10)) * random.uniform(0.75, 1.25)
    since = destination.failing_since or now
    Destination.objects.filter(pk=destination.pk).update(
        failures=failures, failing_since=since, last_error=sentence[:300], next_try_at=now + timedelta(seconds=wait_s)
    )
    log.warning("forwarding_failed", destination=destination.pk, failures=failures)
    is_due = now - since >= TOLD_AFTER
    if is_due and Destination.objects.filter(pk=destination.pk, told_at=None).update(told_at=now):
        signals.destination_unreachable.send(Destination, destination=destination)
