"""Reads of frameworks, for a named viewer."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max, OuterRef, Prefetch, Q, QuerySet, Subquery

from staffroom.frameworks import rules
from staffroom.frameworks.models import Element, Framework, FrameworkVersion
from staffroom.people import queries as people
from staffroom.people.models import Organization, Person, Role
from staffroom.people.prepared import prepared


def frameworks_for(viewer: Person) -> QuerySet[Framework]:
    """Frameworks that the viewer may read, with the number of their newest published version."""
    published = Max("versions__number", filter=Q(versions__published_at__isnull=False))
    found = Framework.objects.filter(rules.readable_by(viewer)).select_related("organization")
    return found.annotate(newest_number=published).order_by("title", "pk")


def framework_for(viewer: Person, slug: str) -> Framework | None:
    return frameworks_for(viewer).filter(slug=slug).first()


def versions_for(viewer: Person, framework: Framework) -> QuerySet[FrameworkVersion]:
    """Versions of a framework, newest first; those not yet published only for who may publish them."""
    found = FrameworkVersion.objects.filter(framework=framework).annotate(size=Count("elements")).order_by("-number")
    return found if rules.may_publish(viewer, framework) else found.filter(published_at__isnull=False)


def tree_of(version: FrameworkVersion) -> list[tuple[int, Element]]:
    """The elements of a version in reading order, each with its depth."""
    elements = list(version.elements.order_by("ordinal", "pk"))
    depth: dict[int, int] = {}
    for element in elements:
        depth[element.pk] = depth.get(element.parent_id, -1) + 1 if element.parent_id else 0
    return [(depth[element.pk], element) for element in elements]


def _newest_published() -> Subquery:
    newest = FrameworkVersion.objects.filter(framework=OuterRef("version__framework"), published_at__isnull=False)
    return Subquery(newest.order_by("-number").values("pk")[:1])


def elements_for(viewer: Person) -> QuerySet[Element]:
    """Elements that the viewer may tag with today: of the newest published version of each framework."""
    return _taggable(rules.readable_by(viewer)).select_related("version__framework")


def _taggable(readable: Q) -> QuerySet[Element]:
    frameworks = Framework.objects.filter(readable).order_by().values("pk")
    found = Element.objects.filter(version__framework__in=frameworks, version=_newest_published())
    return found.order_by("version__framework__title", "version", "ordinal", "pk")


def element_choices_for(viewer: Person) -> list[tuple[str, list[tuple[int, str]]]]:
    """Elements for a select, grouped by framework, indented by depth."""
    groups: dict[str, list[tuple[int, str]]] = {}
    depth: dict[int, int] = {}
    for framework, pk, parent, code, title in _choices(*rules.places_of(viewer)):
        level = depth.get(parent, -1) + 1 if parent else 0
        depth[pk] = level
        groups.setdefault(framework, []).append((pk, "\u2003" * level + f"{code} {title}".strip()))
    return list(groups.items())


@prepared
def _choices(around: tuple[int, ...], administered: tuple[str, ...]) -> QuerySet[Element, Any]:
    found = _taggable(rules.readable_around(around, administered))
    return found.values_list("version__framework__title", "pk", "parent", "code", "title")


def homes_for_import(viewer: Person) -> QuerySet[Organization]:
    """Organizations for which the viewer may import frameworks."""
    return people.organizations_of(viewer, Role.ADMINISTRATOR).exclude(kind=Organization.Kind.TEAM).order_by("path")


def frameworks_with_elements(viewer: Person) -> QuerySet[Framework]:
    """Frameworks with their published versions at hand, for the API."""
    published = FrameworkVersion.objects.filter(published_at__isnull=False).annotate(size=Count("elements"))
    published = published.order_by("-number")
    return frameworks_for(viewer).prefetch_related(Prefetch("versions", queryset=published))
