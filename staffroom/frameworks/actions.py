"""Deeds on frameworks: take one in from CASE or CSV, publish a version, install the default."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from staffroom.frameworks import outlines, rules
from staffroom.frameworks.models import Element, Framework, FrameworkVersion
from staffroom.frameworks.outlines import Outline
from staffroom.people.models import Organization, Person

DEFAULT_TITLE = "Staffroom Teaching Basics"


def import_case(*, by: Person, organization: Organization, document: Any) -> FrameworkVersion:
    """Take in a CASE package as the next, unpublished version of the framework it names.

    The same content again changes nothing and answers the version that has it. Raises BadFramework with every problem;
    then nothing was changed. Only administrators of the organization may.
    """
    if not rules.may_import(by, organization):
        raise PermissionDenied
    return _store(organization, outlines.from_case(document))


def import_csv(*, by: Person, organization: Organization, text: str, title: str, label: str = "") -> FrameworkVersion:
    """Take in a plain CSV in the same way; the framework is known by its title."""
    if not rules.may_import(by, organization):
        raise PermissionDenied
    if not title.strip():
        raise ValidationError({"title": _("Give the framework a title.")})
    return _store(organization, outlines.from_csv(text, title=title, label=label))


@transaction.atomic
def publish(*, by: Person, version: FrameworkVersion) -> FrameworkVersion:
    """Freeze a version: from now on people tag with it and it never changes. A second time changes nothing."""
    if not rules.may_publish(by, version.framework):
        raise PermissionDenied
    return _freeze(version)


@transaction.atomic
def install_default() -> FrameworkVersion:
    """Make the framework that Staffroom ships, for everyone; or its next version when a release has changed it."""
    text = files("staffroom.frameworks").joinpath("data/teaching-basics.csv").read_text(encoding="utf-8")
    return _freeze(_store(None, outlines.from_csv(text, title=DEFAULT_TITLE)))


def _freeze(version: FrameworkVersion) -> FrameworkVersion:
    locked = FrameworkVersion.objects.select_for_update().get(pk=version.pk)
    if locked.published_at is None:
        locked.published_at = timezone.now()
        locked.save(update_fields=["published_at"])
    return locked


@transaction.atomic
def _store(organization: Organization | None, outline: Outline) -> FrameworkVersion:
    framework = _find(organization, outline) or _found(organization, outline)
    newest = framework.versions.select_for_update().order_by("-number").first()
    if newest is not None and newest.digest == outline.digest:
        return newest
    if newest is not None and newest.published_at is None:
        version = newest
        version.elements.all().delete()
    else:
        version = FrameworkVersion(framework=framework, number=newest.number + 1 if newest else 1)
    version.label, version.digest = outline.label, outline.digest
    version.save()
    if framework.title != outline.title:
        framework.title = outline.title
        framework.save(update_fields=["title"])
    _fill(version, outline)
    return version


def _find(organization: Organization | None, outline: Outline) -> Framework | None:
    same = {"source_id": outline.source_id} if outline.source_id else {"source_id": "", "title": outline.title}
    return Framework.objects.select_for_update().filter(organization=organization, **same).first()


def _found(organization: Organization | None, outline: Outline) -> Framework:
    base = slugify(outline.title)[:70] or "framework"
    taken = set(Framework.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    slug = next(name for n in range(1, len(taken) + 2) if (name := base if n == 1 else f"{base}-{n}") not in taken)
    return Framework.objects.create(
        organization=organization, title=outline.title, slug=slug, source_id=outline.source_id
    )


def _fill(version: FrameworkVersion, outline: Outline) -> None:
    """Store the rows level by level, so that each parent has its key before its children come."""
    made: dict[str, Element] = {}
    waiting = list(enumerate(outline.rows))
    while waiting:
        ready = [(n, row) for n, row in waiting if not row.parent or row.parent in made]
        level = [
            Element(
                version=version, parent=made.get(row.parent), identifier=row.identifier, code=row.code,
                title=row.title, statement=row.statement, kind=row.kind, ordinal=n,
            )
            for n, row in ready
        ]  # fmt: skip
        made |= {element.identifier: element for element in Element.objects.bulk_create(level, batch_size=500)}
        taken = {row.identifier for _n, row in ready}
        waiting = [(n, row) for n, row in waiting if row.identifier not in taken]
