"""Who may look at jobs: whoever asked for them, and administrators at what their organization's people asked for."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from staffroom.jobs.models import Job
from staffroom.people.models import Membership, Person, Role
from staffroom.people.queries import memberships_of, organizations_of


def may_mind_jobs(person: object) -> bool:
    """Whether a person looks after the queue at all: an administrator of some organization."""
    return any(membership.role == Role.ADMINISTRATOR for membership in memberships_of(person))


def minded_by(person: Person) -> Q:
    """Jobs that an administrator may see and try again: nobody's own, and those of people in their organizations."""
    if not may_mind_jobs(person):
        return Q(pk=None)
    organizations = organizations_of(person, Role.ADMINISTRATOR)
    # Asked of each job's person, since there are few jobs and many people.
    held = Membership.objects.filter(organization__in=organizations.order_by().values("pk"), person=OuterRef("by"))
    return Q(by=None) | Q(Exists(held.order_by()))


def may_mind(person: Person, job: Job) -> bool:
    """Whether this job is among those that the person minds."""
    organizations = organizations_of(person, Role.ADMINISTRATOR)
    if not organizations.exists():
        return False
    return job.by_id is None or organizations.filter(memberships__person_id=job.by_id).exists()
