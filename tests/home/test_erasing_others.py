"""Students and those who have left are erased by administrators, with a receipt; who works here decides that alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.permissions.models import Consent, Erasure
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def leo(cast: Cast) -> Person:
    """A student whom the roster named as a member of the school."""
    Membership.objects.get_or_create(person=cast.leo, organization=cast.alder, role=Role.STUDENT)
    Consent.objects.create(student=cast.leo, answer=Consent.Answer.YES)
    return Person.objects.get(pk=cast.leo.pk)


def page_of(person: Person) -> str:
    return reverse("home:erase_person", args=[person.key])


def test_a_student_is_erased_with_a_receipt_for_the_family(client: Client, cast: Cast, leo: Person) -> None:
    client.force_login(cast.omar)
    name = leo.full_name
    assert page_of(leo) in client.get(page_of(leo), headers={"HX-Request": "true"}).content.decode()
    answer = client.post(page_of(leo), {"name": f" {name} "})
    receipt = Erasure.objects.get()
    assert receipt.person_key == leo.key
    assert str(receipt.key) in answer.content.decode()
    left = Person.objects.filter(pk=leo.pk).first()
    assert left is None or name not in left.full_name
    assert not Consent.objects.filter(student=leo.pk).exists()
    assert client.get(page_of(leo)).status_code == 404


def test_another_name_erases_nobody(client: Client, cast: Cast, leo: Person) -> None:
    client.force_login(cast.omar)
    assert client.post(page_of(leo), {"name": cast.mia.full_name}).status_code == 422
    assert Person.objects.get(pk=leo.pk).full_name == leo.full_name
    assert not Erasure.objects.exists()


def test_who_works_here_is_erased_by_nobody_else_who_has_left_is(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    assert "under My record" in client.get(page_of(cast.tom)).content.decode()
    assert client.post(page_of(cast.tom), {"name": cast.tom.full_name}).status_code == 422
    assert Person.objects.get(pk=cast.tom.pk).email
    Membership.objects.filter(person=cast.tom).update(ends_on=timezone.localdate() - timedelta(days=1))
    assert client.post(page_of(cast.tom), {"name": cast.tom.full_name}).status_code == 200
    assert Erasure.objects.get().person_key == cast.tom.key


@pytest.mark.parametrize("who", ["tom", "priya", "grace", "denise", "vera", "leo"])
def test_nobody_else_erases_a_student(client: Client, cast: Cast, leo: Person, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(page_of(leo)).status_code == 404
    assert client.post(page_of(leo), {"name": leo.full_name}).status_code == 404
    assert not Erasure.objects.exists()


def test_who_administers_one_school_erases_nobody_of_another(client: Client, cast: Cast, leo: Person) -> None:
    Membership.objects.create(
        person=cast.ben, organization=Organization.objects.get(pk=cast.birch.pk), role=Role.ADMINISTRATOR
    )
    client.force_login(Person.objects.get(pk=cast.ben.pk))
    assert client.post(page_of(leo), {"name": leo.full_name}).status_code == 404
