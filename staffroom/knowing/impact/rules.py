"""Who may see what works: leaders, administrators and researchers, of activities around their organizations. Sums only.

Teachers, coaches and evaluators do not: growth is not evaluation (trust, rule 2), and sums over one's own colleagues are for
those who answer for them. What one may not see does not exist.
"""

from __future__ import annotations

from django.db.models import Q

from staffroom.people.models import Role
from staffroom.people.rules import LEADERS, memberships_of
from staffroom.records.models import Activity

ROLES = (Role.ADMINISTRATOR, Role.RESEARCHER, *LEADERS)


def may_see_what_works(viewer: object, activity: Activity) -> bool:
    """Whether the viewer leads, administers or studies the activity's organization, or one above or below it."""
    path = activity.organization.path
    return any(
        held.role in ROLES and (path.startswith(held.organization.path) or held.organization.path.startswith(path))
        for held in memberships_of(viewer)
    )


def what_works_seeable_by(viewer: object) -> Q:
    """The same for many activities."""
    around = Q(pk__in=[])
    for held in memberships_of(viewer):
        if held.role in ROLES:
            around |= Q(organization__path__startswith=held.organization.path)
            around |= Q(organization__in=held.organization.ancestor_pks)
    return around


def has_what_works(viewer: object) -> bool:
    """Whether "What works" is a place for somebody at all."""
    return any(held.role in ROLES for held in memberships_of(viewer))
