"""Mappings: made, changed and removed by administrators; each time the days that they touch are counted anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import batched
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from staffroom.exchange import counting, rules
from staffroom.exchange.actions import crediting, marking
from staffroom.exchange.models import Mapping
from staffroom.jobs.actions import later, report
from staffroom.people.models import Organization, Person
from staffroom.records import finding
from staffroom.records.actions import record
from staffroom.records.finding import Mention
from staffroom.records.models import Statement
from staffroom.records.vocabulary import verbs

AT_ONCE = 500
FIELDS = (
    "tool", "iri", "is_prefix", "activity", "hours", "verbs", "minutes", "least_minutes", "most_minutes", "pause_minutes",
)  # fmt: skip


@transaction.atomic
def make_mapping(*, by: Person, tenant: Organization, **fields: Any) -> Mapping:
    """Say that what tools write about an address counts as an activity. Applies to what came already, too, in a job.

    Refuses (PermissionDenied) those who do not administer the district, (ValidationError) an activity or a tool of somebody else's,
    a rule of hours without its numbers, and an address that is mapped already.
    """
    if not rules.may_match(by, tenant):
        raise PermissionDenied
    made = Mapping(tenant=tenant, made_by=by, **fields)
    check(made)
    made.save()
    record(by=by, verb=verbs.CREATED, object=made, organization=tenant)
    _apply_later(by, made)
    return made


@transaction.atomic
def change_mapping(*, by: Person, mapping: Mapping, **fields: Any) -> Mapping:
    """Say it better. What the mapping gave so far is counted anew; refuses as `make_mapping` does."""
    if not rules.may_match(by, mapping.tenant) or mapping.removed_at is not None:
        raise PermissionDenied
    for name in FIELDS:
        if name in fields:
            setattr(mapping, name, fields[name])
    check(mapping)
    mapping.save(update_fields=list(FIELDS))
    record(by=by, verb=verbs.UPDATED, object=mapping, organization=mapping.tenant)
    _apply_later(by, mapping)
    return mapping


@transaction.atomic
def remove_mapping(*, by: Person, mapping: Mapping) -> None:
    """No longer count what a mapping names. The hours that it gave are voided by a job; what tools wrote stays."""
    if not rules.may_match(by, mapping.tenant):
        raise PermissionDenied
    if Mapping.objects.filter(pk=mapping.pk, removed_at=None).update(removed_at=timezone.now()):
        record(by=by, verb=verbs.REMOVED, object=mapping, organization=mapping.tenant)
        _apply_later(by, mapping)


def check(mapping: Mapping) -> None:
    """Refuse (ValidationError) a mapping that could not be counted by."""
    path = mapping.tenant.path
    if mapping.activity_id and not mapping.activity.organization.path.startswith(path):
        raise ValidationError({"activity": _("This activity belongs to another district.")})
    if mapping.tool is not None and not mapping.tool.organization.path.startswith(path):
        raise ValidationError({"tool": _("This tool belongs to another district.")})
    check_hours(mapping)
    mapping.full_clean()


def check_hours(mapping: Mapping) -> None:
    """Refuse (ValidationError) a rule of hours that lacks a number."""
    if mapping.hours == Mapping.Hours.FIXED and not mapping.minutes:
        raise ValidationError({"minutes": _("Say how many minutes each thing counts.")})
    if mapping.hours == Mapping.Hours.FIXED and not mapping.verbs:
        raise ValidationError({"verbs": _("Say which words mean that something is completed.")})
    if mapping.hours == Mapping.Hours.SESSION and not mapping.pause_minutes:
        raise ValidationError({"pause_minutes": _("Say after which pause a sitting ends.")})
    if mapping.hours == Mapping.Hours.SESSION and not mapping.most_minutes:
        raise ValidationError({"most_minutes": _("Say how much counts for a day at most.")})


def _apply_later(by: Person, mapping: Mapping) -> None:
    task = import_string("staffroom.exchange.tasks.apply_mapping")
    later(task, by=by, about=mapping, label=mapping.activity.name, mapping_id=mapping.pk)


def apply(mapping: Mapping) -> int:
    """Count every day that a mapping touches, or touched before it was changed. Safe to run twice. Returns how many."""
    days = set(mapping.credits.values_list("person_id", "day"))
    if mapping.removed_at is None:
        chooser = counting.Chooser([mapping])
        for some in batched(entries_of(mapping), AT_ONCE):
            fitting = (
                each for each in counting.foreign(Statement.objects.filter(pk__in=some))
                if chooser.choose(each.body, each.tool_id) is not None
            )  # fmt: skip
            days |= {
                (each.actor_id, counting.day_of(each.happened_at))
                for each in counting.by_member(mapping.tenant_id, fitting)
                if each.actor_id is not None and each.role
            }
    with transaction.atomic():
        marking.mark(mapping.tenant_id, days)
    report(done=0, total=len(days))
    crediting.count_marked(tenant_id=mapping.tenant_id)
    return len(days)


def entries_of(mapping: Mapping) -> Iterator[int]:
    """The numbers of the entries that may be about a mapping's address, newest first: by their mentions, or of a beginning all of tools."""
    if mapping.is_prefix:
        found: QuerySet[Any] = Statement.objects.filter(tenant=mapping.tenant_id, tool__isnull=False)
        found = found.filter(tool=mapping.tool_id) if mapping.tool_id else found
        return found.order_by("-pk").values_list("pk", flat=True).iterator(chunk_size=5000)
    kinds = finding.ACTIVITY, finding.AROUND_ACTIVITY
    targets = [finding.target(mapping.tenant_id, kind, mapping.iri) for kind in kinds]
    mentions = Mention.objects.filter(target__in=targets).order_by("-entry")
    return mentions.values_list("entry", flat=True).iterator(chunk_size=5000)
