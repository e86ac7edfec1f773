"""Pages about people and places: who finds them, and what one may change there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.ui.pages import INVALID
from tests.cast import Cast


def body(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, url
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return text.decode()


@pytest.fixture
def urls(cast: Cast) -> list[str]:
    return [
        "/people/", "/people/list.csv", f"/people/{cast.amara.key}/", "/organizations/", "/organizations/alder-elementary/",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["grace", "denise", "omar"])
def test_leaders_and_administrators_find_the_pages(client: Client, cast: Cast, urls: list[str], name: str) -> None:
    client.force_login(cast.people[name])
    for url in urls:
        body(client, url)


@pytest.mark.parametrize("name", ["amara", "priya", "ruth", "rafael", "leo"])
def test_for_everybody_else_they_are_not_there(client: Client, cast: Cast, urls: list[str], name: str) -> None:
    client.force_login(cast.people[name])
    for url in urls:
        body(client, url, 404)


def test_strangers_are_asked_to_sign_in(client: Client, urls: list[str]) -> None:
    for url in urls:
        assert client.get(url).url.startswith("/accounts/login/")


def test_a_leader_of_another_district_finds_her_own_only(client: Client, cast: Cast) -> None:
    client.force_login(cast.vera)
    assert "Amara" not in body(client, "/people/") + body(client, "/people/list.csv")
    body(client, f"/people/{cast.amara.key}/", 404)
    body(client, "/organizations/alder-elementary/", 404)
    assert "Alder" not in body(client, "/organizations/")


def test_a_school_leader_does_not_see_the_school_next_door(client: Client, cast: Cast) -> None:
    client.force_login(cast.grace)
    body(client, "/organizations/birch-elementary/", 404)
    body(client, "/organizations/riverbend-school-district/", 404)


def test_people_are_searched_and_narrowed(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    assert "Amara" in body(client, "/people/?q=okaf+ama")
    assert "Amara" not in body(client, "/people/?q=tom")
    coaches = body(client, "/people/?role=coach&at=alder-elementary")
    assert "Priya" in coaches
    assert "Amara" not in coaches
    assert "Ben" not in body(client, "/people/?at=alder-elementary")
    assert "Nobody found" in body(client, "/people/?at=lakeside-school-district&role=district_leader")


def test_a_long_list_goes_on_where_it_stopped(client: Client, cast: Cast) -> None:
    for number in range(65):
        person = Person.objects.create(given_name=f"N{number:02}", family_name="Same" if number < 40 else "Zed")
        Membership.objects.create(person=person, organization=cast.alder, role=Role.STUDENT)
    client.force_login(cast.omar)
    seen: list[str] = []
    url = ""
    for _page in range(10):
        context = client.get(f"/people/{url}").context
        seen += [str(person.key) for person in context["people"]]
        url = context["older_url"]
        if not url:
            break
    assert len(seen) == len(set(seen)) == 65 + 14


def test_the_list_makes_as_many_queries_for_one_as_for_thirty(
    client: Client, cast: Cast, django_assert_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(cast.omar)
    counts = []
    for url in ("/people/?q=amara", "/people/"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            body(client, url)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_an_administrator_gives_and_ends_a_role(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    url = f"/people/{cast.tom.key}/roles/"
    answer = client.post(url, {"role": "mentor", "organization": cast.alder.pk})
    assert answer.status_code == 302
    held = Membership.objects.get(person=cast.tom, role=Role.MENTOR)
    assert held.begins_on == timezone.localdate()
    client.post(f"/people/roles/{held.pk}/end/")
    held.refresh_from_db()
    assert held.ends_on == timezone.localdate()
    assert "Formerly" in body(client, f"/people/{cast.tom.key}/")


def test_nobody_coaches_and_evaluates_in_the_same_place(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    for person, role, place in ((cast.priya, "evaluator", cast.district), (cast.ruth, "coach", cast.birch)):
        answer = client.post(f"/people/{person.key}/roles/", {"role": role, "organization": place.pk})
        assert answer.status_code == INVALID
        assert "coaches and evaluates" in answer.content.decode()
        assert not Membership.objects.filter(person=person, role=role).exists()


def test_somebody_always_administers(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    client.post(f"/people/roles/{cast.ines.memberships.get().pk}/end/")
    client.post(f"/people/roles/{cast.omar.memberships.get().pk}/end/")
    assert cast.ines.memberships.get().ends_on == timezone.localdate()
    assert cast.omar.memberships.get().ends_on is None


def test_roles_cannot_be_given_or_ended_by_leaders_or_from_outside(client: Client, cast: Cast) -> None:
    held = cast.tom.memberships.get()
    for name in ("grace", "denise", "vera", "amara"):
        client.force_login(cast.people[name])
        answer = client.post(f"/people/{cast.tom.key}/roles/", {"role": "mentor", "organization": cast.alder.pk})
        assert answer.status_code == 404
        assert client.post(f"/people/roles/{held.pk}/end/").status_code == 404
    client.force_login(cast.omar)
    answer = client.post(f"/people/{cast.tom.key}/roles/", {"role": "mentor", "organization": cast.other_district.pk})
    assert answer.status_code == INVALID
    assert cast.tom.memberships.count() == 1


def test_places_are_added_renamed_and_moved_with_everything_below(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    client.post("/organizations/alder-elementary/add/", {"add-name": "Math team", "add-kind": "team"})
    team = Organization.objects.get(slug="math-team")
    assert team.path == f"{cast.alder.path}{team.pk}/"
    client.post("/organizations/math-team/rename/", {"rename-name": "Maths"})
    client.post("/organizations/math-team/move/", {"move-to": cast.birch.pk})
    team.refresh_from_db()
    assert (team.name, team.slug, team.parent, team.path) == (
        "Maths",
        "math-team",
        cast.birch,
        f"{cast.birch.path}{team.pk}/",
    )


def test_a_place_cannot_move_below_itself_or_where_it_does_not_belong(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    for slug, to in (
        ("alder-elementary", cast.birch),
        ("alder-elementary", cast.other_district),
        ("riverbend-school-district", cast.alder),
    ):
        assert client.post(f"/organizations/{slug}/move/", {"move-to": to.pk}).status_code == INVALID
    cast.alder.refresh_from_db()
    assert cast.alder.parent == cast.district


def test_a_teacher_sees_her_sections_and_first_names(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    assert "5th-grade math" in body(client, "/sections/")
    page = body(client, f"/sections/{cast.section.pk}/")
    assert "Leo" in page
    assert "Brandt" not in page
    client.force_login(cast.tom)
    assert "5th-grade math" not in body(client, "/sections/")
    body(client, f"/sections/{cast.section.pk}/", 404)


def test_two_students_of_the_same_first_name_can_be_told_apart(cast: Cast) -> None:
    from staffroom.people import queries

    leos = [Person(given_name="Leo", family_name="Brandt"), Person(given_name="Leo", family_name="Ames")]
    Person.objects.bulk_create(leos)
    found = Person.objects.filter(pk__in=[leo.pk for leo in leos])
    assert queries.first_names(found) == ["Leo A.", "Leo B."]


def test_navigation_offers_people_to_those_who_find_it(client: Client, cast: Cast) -> None:
    from staffroom.ui.navigation import entries_for

    assert "people" in {entry.key for entry in entries_for(cast.grace)}
    assert "people" not in {entry.key for entry in entries_for(cast.amara)}
