"""Who may see, keep and correct the ledgers. Each rule has two readings: for one entry, and for many.

Leaders see that something happened: when, for how long, what kind of thing. Never what was said in it (trust, rule 3). Everybody
sees their own entries. Results about single students are seen by nobody through these pages; only what they add up to.
"""

from __future__ import annotations

from django.db.models import Q

from staffroom.people.models import Organization, Person, Role
from staffroom.people.rules import LEADERS, is_in, may_oversee, memberships_of, overseen_by, within
from staffroom.records.models import Activity, Statement

KEEPERS = (Role.ADMINISTRATOR, Role.DISTRICT_LEADER)


def may_keep_records(person: object, organization: Organization) -> bool:
    """District leaders and administrators keep instruments, prices, costs and results of their organization."""
    return is_in(person, organization, *KEEPERS)


def kept_by(person: object) -> Q:
    """Organizations whose instruments, prices, costs and results the person keeps."""
    return within(person, *KEEPERS)


def may_enter_activity(person: object, organization: Organization) -> bool:
    """Leaders, school leaders too, and administrators describe activities and enter who took part."""
    return is_in(person, organization, Role.ADMINISTRATOR, *LEADERS)


def may_see_activity(viewer: object, activity: Activity) -> bool:
    """Staff of the activity's organization, or of one above or below it, know that there is such an activity."""
    return any(
        held.role != Role.STUDENT
        and (
            activity.organization.path.startswith(held.organization.path)
            or held.organization.path.startswith(activity.organization.path)
        )
        for held in memberships_of(viewer)
    )


def activities_seen_by(viewer: object) -> Q:
    """The same for many activities."""
    around = Q(pk__in=[])
    for held in memberships_of(viewer):
        if held.role != Role.STUDENT:
            around |= Q(organization__path__startswith=held.organization.path)
            around |= Q(organization__in=held.organization.ancestor_pks)
    return around


def may_see_entry(viewer: object, entry: Statement) -> bool:
    """One's own; and, as date, minutes and kind, those of the people whom one leads or administers."""
    if not isinstance(viewer, Person) or not viewer.is_active or viewer.pk is None:
        return False
    if entry.actor_id == viewer.pk:
        return True
    return entry.organization is not None and entry.activity_id is not None and may_oversee(viewer, entry.organization)


def entries_seen_by(viewer: object) -> Q:
    """The same for many entries. Of others only entries of activities: what people do on their own is theirs."""
    if not isinstance(viewer, Person) or not viewer.is_active or viewer.pk is None:
        return Q(pk__in=[])
    places = Organization.objects.filter(overseen_by(viewer)).order_by().values("pk")
    return Q(actor=viewer) | Q(activity__isnull=False, organization__in=places)


def may_void(person: object, entry: Statement) -> bool:
    """Who did it and who wrote it down may say that an entry is wrong, and administrators of its organization.

    What leaders wrote down for somebody, other leaders of that place may put right; what a person's own deed wrote is not theirs
    to strike out.
    """
    if not isinstance(person, Person) or not person.is_active:
        return False
    if person.pk in (entry.actor_id, entry.recorded_by_id):
        return True
    if entry.organization is None:
        return False
    if entry.recorded_by_id is None:
        return is_in(person, entry.organization, Role.ADMINISTRATOR)
    return may_enter_activity(person, entry.organization)


def may_see_costs(viewer: object, activity: Activity) -> bool:
    """Leaders and administrators of an activity's organization see what it costs."""
    return may_oversee(viewer, activity.organization)


def activities_entered_by(viewer: object) -> Q:
    """Activities in which the viewer may enter somebody: those of the organizations that they oversee, and of those above."""
    found = Q(pk__in=[])
    for held in memberships_of(viewer):
        if held.role in (Role.ADMINISTRATOR, *LEADERS):
            found |= Q(organization__path__startswith=held.organization.path)
            found |= Q(organization__in=held.organization.ancestor_pks)
    return found


def has_records(person: object) -> bool:
    """Whether "Records" is a place for somebody: leaders and administrators."""
    return any(held.role in (Role.ADMINISTRATOR, *LEADERS) for held in memberships_of(person))
