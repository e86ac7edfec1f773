"""Who keeps the tools of an organization and their keys, and who says what it means that they write.

Tools are kept by the administrators of their organization. Whose deeds their entries tell, and which activity a course elsewhere
counts as, concerns a whole district and is said by its administrators.
"""

from __future__ import annotations

from django.db.models import Q

from staffroom.people.models import Organization, Role
from staffroom.people.queries import district_around
from staffroom.people.rules import administered_by, is_in, memberships_of


def may_keep_tools(person: object, organization: Organization) -> bool:
    """Administrators of an organization let programs in and shut them out."""
    return is_in(person, organization, Role.ADMINISTRATOR)


def tools_kept_by(person: object) -> Q:
    """The same for many tools."""
    return Q(organization__in=Organization.objects.filter(administered_by(person)).order_by().values("pk"))


def keeps_tools(person: object) -> bool:
    """Whether the pages about tools are there for somebody."""
    return any(held.role == Role.ADMINISTRATOR for held in memberships_of(person))


def may_match(person: object, tenant: Organization) -> bool:
    """Administrators of a district say which person an agent is, and which activity a course elsewhere counts as."""
    return is_in(person, tenant, Role.ADMINISTRATOR)


def tenants_of(person: object) -> list[int]:
    """The districts, and places outside of any district, that somebody administers."""
    places = (held.organization for held in memberships_of(person) if held.role == Role.ADMINISTRATOR)
    return sorted({each.pk for each in places if (district_around(each.pk, each.path) or each.pk) == each.pk})


def matchable_by(person: object) -> Q:
    """The same for many agents, mappings and whatever else belongs to a tenant."""
    return Q(tenant__in=tenants_of(person))


def administers(person: object) -> bool:
    """Whether the pages about agents and mappings are there for somebody."""
    return any(held.role == Role.ADMINISTRATOR for held in memberships_of(person)) and bool(tenants_of(person))
