"""A question that is built once answers as the question built anew does; one that would go stale or leak is refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from staffroom.people.models import Membership, Person
from staffroom.people.prepared import prepared
from staffroom.people.rules import lasting
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@prepared
def held_by(person: int, today: date) -> QuerySet[Membership]:
    return Membership.objects.filter(lasting(today), person=person).select_related("organization").order_by("pk")


@prepared
def among(pks: tuple[int, ...], before: datetime) -> QuerySet[Person]:
    return Person.objects.filter(pk__in=pks, created_at__lt=before).order_by("pk")


@prepared
def named(name: str) -> QuerySet[Person]:
    return Person.objects.filter(given_name=name).order_by("pk").values_list("key", "is_active", "created_at")


def test_it_answers_for_each_as_if_it_were_built_anew(cast: Cast) -> None:
    today = timezone.localdate()
    for person in Person.objects.all():
        anew = Membership.objects.filter(lasting(), person=person).order_by("pk")
        found = held_by(person.pk, today)
        assert found == list(anew)
        assert [each.organization for each in found] == [each.organization for each in anew]
        assert [each.begins_on for each in found] == [each.begins_on for each in anew]
    assert held_by(cast.amara.pk, date(1990, 1, 1)) == list(
        Membership.objects.filter(lasting(date(1990, 1, 1)), person=cast.amara)
    )


def test_it_takes_numbers_by_the_handful_and_moments(cast: Cast) -> None:
    later = timezone.now() + timedelta(minutes=1)
    pks = tuple(Person.objects.order_by("pk").values_list("pk", flat=True)[:3])
    assert [each.pk for each in among(pks, later)] == list(pks)
    assert [each.pk for each in among(pks[:2], later)] == list(pks[:2])
    assert among(pks, timezone.now() - timedelta(days=900)) == []
    assert among((), later) == []
    assert among.as_sql((), later) == ("", ())


@prepared
def below(path: str, *, most: int) -> QuerySet[Membership]:
    return Membership.objects.filter(organization__path__startswith=path).order_by("pk")[:most]


def test_beginnings_of_texts_arrive_and_what_has_a_name_makes_another_question(cast: Cast) -> None:
    for path in {held.organization.path for held in Membership.objects.select_related("organization")} | {"%", "_"}:
        anew = list(Membership.objects.filter(organization__path__startswith=path).order_by("pk"))
        assert below(path, most=500) == anew
        assert below(path, most=1) == anew[:1]


def test_values_come_as_python_knows_them(cast: Cast) -> None:
    assert named(cast.amara.given_name) == list(
        Person.objects.filter(given_name=cast.amara.given_name).values_list("key", "is_active", "created_at")
    )


def test_what_changed_meanwhile_is_answered(cast: Cast) -> None:
    before = held_by(cast.amara.pk, timezone.localdate())
    Membership.objects.filter(pk=before[0].pk).update(ends_on=timezone.localdate())
    assert held_by(cast.amara.pk, timezone.localdate()) == before[1:]


def test_it_asks_one_query(cast: Cast) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        held_by(cast.amara.pk, timezone.localdate())
    assert len(asked) == 1


def test_what_would_stand_still_is_refused(cast: Cast) -> None:
    @prepared
    def still(person: int) -> QuerySet[Membership]:
        return Membership.objects.filter(lasting(), person=person)

    with pytest.raises(LookupError, match="date"):
        still(cast.amara.pk)


def test_what_would_be_forgotten_is_refused(cast: Cast) -> None:
    @prepared
    def everybody(person: int) -> QuerySet[Person]:
        return Person.objects.all()

    with pytest.raises(LookupError, match="arrive"):
        everybody(cast.amara.pk)


def test_yes_and_no_are_two_questions(cast: Cast) -> None:
    @prepared
    def active(yes: bool) -> QuerySet[Person]:
        return Person.objects.filter(is_active=yes)

    with pytest.raises(TypeError, match="two"):
        active(True)
