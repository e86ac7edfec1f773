"""Every model says what it holds about people, and does what it says: shown, taken along, erased; sums stay as they were."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Count, Sum
from django.test import TestCase
from django.utils import timezone

from staffroom.home import exporting
from staffroom.jobs.actions import run_waiting
from staffroom.people import personal
from staffroom.people.models import Person
from staffroom.permissions import actions as permissions
from staffroom.permissions.models import Erasure
from staffroom.records.models import Cost, Outcome, Statement
from tests.promises.world import LENT, PRIVATE, World, undone

pytestmark = pytest.mark.django_db
# Django's own tables that say nothing about a person; sessions hold an id until they end.
FRAMEWORK = {"contenttypes.ContentType", "auth.Permission", "auth.Group", "sessions.Session"}


def all_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.label not in FRAMEWORK]


def test_every_model_says_what_it_holds_about_people() -> None:
    missing = [model._meta.label for model in personal.undeclared(all_models()) if "Group_" not in model._meta.label]
    assert missing == [], "declare these in personal.py of their room, or name them impersonal with the reason"


def test_every_way_to_a_person_is_known_to_erasure() -> None:
    """A model that points at a person is not impersonal."""
    pointing = [
        model._meta.label
        for model in all_models()
        if model in personal._impersonal and any(field.related_model is Person for field in model._meta.fields)
    ]
    assert pointing == []


def test_every_declaration_speaks_about_real_rows(world: World) -> None:
    spoken, wrong = set(), []
    for declaration in personal.declarations():
        for name in ("amara", "tom", "priya", "omar", "denise", "leo"):
            person = getattr(world, name)
            for row in declaration.model._default_manager.filter(declaration.about(person)).distinct()[:3]:
                spoken.add(declaration.model._meta.label)
                try:
                    said = [declaration.describe(row), declaration.author(row), declaration.readers(row)]
                    json.dumps(declaration.export(row) if declaration.export else None)
                    for optional in (declaration.files, declaration.page, declaration.owner):
                        if optional is not None:
                            optional(row)
                    assert all(str(each) for each in said)
                except Exception as problem:
                    wrong.append(f"{declaration.model._meta.label}: {problem!r}")
    assert wrong == []
    assert len(spoken) >= 20, f"a world with little in it proves little: {sorted(spoken)}"


def test_what_and_why_and_how_long_are_said() -> None:
    for declaration in personal.declarations():
        assert all(str(each) for each in (declaration.what, declaration.why, declaration.how_long, declaration.ends))


def sums(until: datetime) -> dict[str, Any]:
    """What the ledgers add up to, of the entries that were there at a moment: erasing itself may append (what was watched till then)."""
    statements, outcomes, costs = (model.objects.filter(stored_at__lte=until) for model in (Statement, Outcome, Cost))
    return {
        "statements": statements.aggregate(n=Count("pk"), seconds=Sum("duration_s")),
        "outcomes": outcomes.aggregate(n=Count("pk"), sum=Sum("value")),
        "costs": costs.aggregate(n=Count("pk"), cents=Sum("amount_usd_cents")),
    }


def dump() -> str:
    """The whole database as text."""
    return "\n".join(serializers.serialize("json", model._base_manager.all()) for model in apps.get_models())


def file_names(folder: str = "") -> Iterator[str]:
    folders, names = default_storage.listdir(folder)
    yield from (f"{folder}/{name}" for name in names)
    for inner in folders:
        yield from file_names(f"{folder}/{inner}".strip("/"))


def test_an_export_holds_all_that_is_hers_and_nothing_that_is_not(world: World) -> None:
    held = _export(world.amara)
    missing = [mark for mark in (*PRIVATE.values(), LENT["comment"]) if mark not in held and mark != PRIVATE["element"]]
    assert missing == []
    for name in ("tom", "grace", "omar", "denise", "ben", "leo"):
        assert [mark for mark in (*PRIVATE.values(), *LENT.values()) if mark in _export(getattr(world, name))] == []


def _export(person: Person) -> str:
    target = io.BytesIO()
    exporting.write_export(person, target)
    archive = zipfile.ZipFile(target)
    return "\n".join(
        [*archive.namelist(), *(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())]
    )


def test_erasing_amara_leaves_nothing_of_her_and_every_sum_as_it_was(world: World) -> None:
    with undone():
        now = timezone.now()
        before, key, email = sums(now), world.amara.key, world.amara.email
        bytes_of_hers = {each.path for each in world.amara.files.all()} | {
            made.path for each in world.amara.files.all() for made in each.derivatives.all() if made.path
        }
        with TestCase.captureOnCommitCallbacks(execute=True):
            receipt = permissions.erase(by=world.amara, person=Person.objects.get(pk=world.amara.pk))
        with TestCase.captureOnCommitCallbacks(execute=True):
            run_waiting()
        held = dump()
        marks = [*PRIVATE.values(), LENT["clip"], LENT["question"], LENT["comment"], email, "Okafor", "Amara"]
        assert [mark for mark in marks if mark and mark in held] == []
        assert sums(now) == before
        assert bytes_of_hers & set(file_names()) == set()
        assert Erasure.objects.get(pk=receipt.pk).person_key == key
        left = [
            declaration.model._meta.label
            for declaration in personal.declarations()
            if declaration.model is not Person
            and declaration.model._default_manager.filter(declaration.about(world.amara)).exists()
        ]
        assert left == []
