"""Holding the costs of two activities side by side: line by line, in prices of one year and region."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from staffroom.measure.costs import marginal_usd_cents
from staffroom.records import actions, comparing
from staffroom.records.models import Activity, Cost, PriceIndex
from tests.cast import Cast

DAY = date(2025, 10, 1)


def taking_part(cast: Cast, activity: Activity) -> None:
    people = [cast.amara, cast.tom]
    presences = [actions.Presence(person=each, day=DAY, hours=Decimal(2)) for each in people[:1]]
    actions.enter_attendance(by=cast.denise, activity=activity, presences=presences)


@pytest.fixture
def course(cast: Cast) -> Activity:
    return actions.make_activity(by=cast.denise, organization=cast.district, name="Exit tickets", kind="course")


@pytest.fixture
def workshop(cast: Cast) -> Activity:
    return actions.make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="workshop")


def used(cast: Cast, activity: Activity, name: str, cents: int, **more: Any) -> Cost:
    line: dict[str, Any] = {
        "quantity": Decimal(1),
        "happened_on": DAY,
        "kind": "fee",
        "unit": "each",
        "price_year": 2025,
        **more,
    }
    return actions.record_cost(by=cast.denise, activity=activity, ingredient=name, unit_price_usd_cents=cents, **line)


@pytest.mark.django_db
def test_amounts_are_carried_to_the_year_asked_for(cast: Cast, course: Activity) -> None:
    taking_part(cast, course)
    used(cast, course, "Seats", 100_00, price_year=2023, scales_with="teacher")
    used(cast, course, "Facilitator", 50_00, price_year=2024, scales_with="group")
    for year, value in (("2023", "100"), ("2024", "110")):
        actions.set_price_index(
            by=cast.denise, organization=cast.district, kind="year", name=year, value=Decimal(value)
        )
    found = comparing.sums_of(course, year="2024")
    assert found.lines == {("fee", "Seats", False): 110_00, ("fee", "Facilitator", False): 50_00}
    assert found.as_they_were == 0
    assert comparing.sums_of(course, year="2030").as_they_were == 2, "no index of 2030: told, and counted as it was"
    assert comparing.sums_of(course).net_cents == 150_00


@pytest.mark.django_db
def test_money_stands_apart_from_opportunity_and_what_would_have_been_spent_anyway(
    cast: Cast, course: Activity
) -> None:
    taking_part(cast, course)
    used(cast, course, "Classroom after school", 30_00, is_opportunity=True, scales_with="group")
    used(cast, course, "Seats", 100_00, scales_with="teacher", payer="Grant")
    used(cast, course, "Old course", 40_00, is_business_as_usual=True, scales_with="teacher")
    found = comparing.sums_of(course)
    assert (found.gross_cents, found.usual_cents, found.net_cents) == (130_00, 40_00, 90_00)
    assert (found.opportunity_cents, found.money_cents) == (30_00, 60_00)
    assert dict(found.payers) == {"": 30_00, "Grant": 100_00}
    assert found.marginal == (60_00, 90_00), (
        "one teacher: seats less the old course; a new group needs the room as well"
    )


@pytest.mark.django_db
def test_two_activities_stand_line_by_line(cast: Cast, course: Activity, workshop: Activity) -> None:
    for activity in (course, workshop):
        taking_part(cast, activity)
    used(cast, course, "Seats", 100_00)
    used(cast, workshop, "Seats", 80_00)
    used(cast, workshop, "Room", 25_00)
    rows = comparing.side_by_side([comparing.sums_of(course), comparing.sums_of(workshop)])
    assert [(row.name, row.cents, row.difference) for row in rows] == [
        ("Seats", (100_00, 80_00), -20_00),
        ("Room", (None, 25_00), 25_00),
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["teacher", "group", "fixed"]), st.integers(-(10**6), 10**9)), max_size=9),
    st.integers(1, 500),
    st.integers(1, 40),
)
def test_what_is_there_once_never_enters_the_cost_of_one_more(
    lines: list[tuple[str, int]], teachers: int, groups: int
) -> None:
    one, first_of_group = marginal_usd_cents(lines, teachers=teachers, groups=groups) or (0, 0)
    growing = sum(cents for scales_with, cents in lines if scales_with == "teacher")
    assert abs(one * teachers - growing) <= teachers
    assert marginal_usd_cents([*lines, ("fixed", 10**12)], teachers=teachers, groups=groups) == (one, first_of_group)
    assert marginal_usd_cents(lines, teachers=0, groups=groups) is None


@pytest.mark.django_db
def test_an_index_said_again_is_put_right_and_strangers_may_not(cast: Cast) -> None:
    said: dict[str, Any] = {"organization": cast.district, "kind": "region", "name": "Metro"}
    actions.set_price_index(by=cast.denise, value=Decimal("1.1"), **said)
    actions.set_price_index(by=cast.denise, value=Decimal("1.2"), **said)
    assert [index.value for index in PriceIndex.objects.all()] == [Decimal("1.2")]
    for stranger in (cast.amara, cast.grace):
        with pytest.raises(PermissionDenied):
            actions.set_price_index(by=stranger, value=Decimal(2), **said)


@pytest.mark.django_db
def test_the_page_compares_and_its_file_holds_the_same(
    cast: Cast, course: Activity, workshop: Activity, client: Client
) -> None:
    taking_part(cast, course)
    used(cast, course, "Seats", 123_45)
    client.force_login(cast.denise)
    asked = {"one": str(course.key), "other": str(workshop.key)}
    page = client.get("/records/compare/", asked)
    assert page.status_code == 200
    assert "$123.45" in page.content.decode()
    rows = client.get("/records/compare/", {**asked, "format": "csv"})
    assert b"Seats,fee,no,123.45,," in b"".join(rows)
    same = client.get("/records/compare/", {**asked, "other": str(course.key)})
    assert same.status_code == 422
    assert "two different" in same.content.decode()


@pytest.mark.django_db
def test_costs_of_another_district_cannot_be_compared(cast: Cast, course: Activity, client: Client) -> None:
    theirs = actions.make_activity(by=None, organization=cast.other_district, name="Theirs", kind="course")
    client.force_login(cast.denise)
    assert client.get("/records/compare/", {"one": str(course.key), "other": str(theirs.key)}).status_code == 422
    client.force_login(cast.amara)
    assert client.get("/records/compare/").status_code == 404
