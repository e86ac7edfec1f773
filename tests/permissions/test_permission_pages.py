"""Pages about circles, consent, policy and breaking the glass, from outside: who gets what."""

from __future__ import annotations

import pytest
from django.test import Client

from staffroom.permissions import actions, queries
from staffroom.permissions.models import BreakGlass, Circle, Policy
from tests.cast import Cast


def at(client: Client, cast: Cast, name: str) -> Client:
    client.force_login(getattr(cast, name))
    return client


def test_a_teacher_founds_a_circle_and_adds_a_colleague(client: Client, cast: Cast) -> None:
    at(client, cast, "amara").post("/circles/", {"name": "Math five"})
    circle = Circle.objects.get()
    page = client.post(f"/circles/{circle.key}/", {"email": cast.tom.email})
    assert page.status_code == 302
    assert {member.person for member in circle.members.all()} == {cast.amara, cast.tom}


@pytest.mark.parametrize("email", ["vera@riverbend.example", "nobody@riverbend.example", "not an address"])
def test_adding_somebody_who_is_no_colleague_is_refused_in_words(client: Client, cast: Cast, email: str) -> None:
    circle = actions.make_circle(by=cast.amara, name="Math five", members=[])
    page = at(client, cast, "amara").post(f"/circles/{circle.key}/", {"email": email})
    assert page.status_code == 422
    assert email in page.content.decode()
    assert circle.members.count() == 1


def test_strangers_do_not_find_a_circle_and_members_do_not_manage_it(client: Client, cast: Cast) -> None:
    circle = actions.make_circle(by=cast.amara, name="Math five", members=[cast.tom])
    for name in ("ben", "priya", "grace", "denise", "omar"):
        assert at(client, cast, name).get(f"/circles/{circle.key}/").status_code == 404
    assert at(client, cast, "tom").get(f"/circles/{circle.key}/").status_code == 200
    assert client.post(f"/circles/{circle.key}/", {"email": cast.ben.email}).status_code == 404
    assert client.post(f"/circles/{circle.key}/leave/{cast.amara.key}/").status_code == 404
    assert client.post(f"/circles/{circle.key}/leave/{cast.tom.key}/").status_code == 302
    assert circle.members.count() == 1


def test_a_teacher_writes_down_an_answer_and_sees_first_names_only(client: Client, cast: Cast) -> None:
    page = at(client, cast, "amara").get(f"/consent/{cast.section.pk}/").content.decode()
    assert "Leo" in page
    assert "Brandt" not in page
    client.post(f"/consent/{cast.section.pk}/{cast.leo.key}/", {"answer": "yes"})
    assert queries.consent_of(cast.leo) == "yes"


@pytest.mark.parametrize("name", ["tom", "ben", "priya", "denise", "vera", "ruth"])
def test_others_do_not_find_the_answers(client: Client, cast: Cast, name: str) -> None:
    browser = at(client, cast, name)
    assert browser.get(f"/consent/{cast.section.pk}/").status_code == 404
    assert browser.post(f"/consent/{cast.section.pk}/{cast.leo.key}/", {"answer": "yes"}).status_code == 404
    assert queries.consent_of(cast.leo) == "unknown"


def test_a_made_up_answer_is_refused(client: Client, cast: Cast) -> None:
    page = at(client, cast, "amara").post(f"/consent/{cast.section.pk}/{cast.leo.key}/", {"answer": "maybe"})
    assert page.status_code == 422
    assert queries.consent_of(cast.leo) == "unknown"


def test_everybody_reads_the_policy_and_administrators_make_its_next_version(client: Client, cast: Cast) -> None:
    assert at(client, cast, "amara").get("/policy/").status_code == 200
    assert client.post("/policy/", {"share_days_most": 30}).status_code == 404
    assert at(client, cast, "omar").post("/policy/", {"share_days_most": 30}).status_code == 302
    assert queries.policy_of(cast.alder)["share_days_most"] == 30
    assert client.post("/policy/", {"share_days_most": 0}).status_code == 422
    assert Policy.objects.count() == 1


def test_breaking_the_glass_walks_from_one_administrator_to_the_other(client: Client, cast: Cast) -> None:
    circle = actions.make_circle(by=cast.amara, name="Hers alone", members=[])
    address = f"/break-glass/circle/{circle.key}/"
    assert at(client, cast, "denise").get(address).status_code == 404
    assert at(client, cast, "omar").post(address, {"reason": "short"}).status_code == 422
    reason = "A parent reports a threat that was said here."
    assert client.post(address, {"reason": reason}).status_code == 302
    request = BreakGlass.objects.get()
    assert client.post(f"/break-glass/{request.pk}/", {"word": "approve"}).status_code == 404
    assert reason in at(client, cast, "ines").get("/break-glass/").content.decode()
    client.post(f"/break-glass/{request.pk}/", {"word": "approve"})
    assert queries.break_glass_for(cast.omar, circle)
    assert at(client, cast, "grace").get("/break-glass/").status_code == 404


@pytest.mark.parametrize("address", ["/circles/", "/consent/", "/policy/", "/break-glass/"])
def test_nobody_is_let_in_without_signing_in(client: Client, db: None, address: str) -> None:
    assert client.get(address).status_code == 302
