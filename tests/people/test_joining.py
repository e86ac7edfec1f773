"""Invitations: links that work once, until they expire or are withdrawn."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from staffroom.people import queries
from staffroom.people.models import Invitation, Person, Role
from staffroom.ui.pages import INVALID
from tests.cast import Cast

WORDS = {"given_name": "Nina", "family_name": "Berg", "password": "quiet-river-stones-42"}


def invite(
    cast: Cast, email: str = "nina@riverbend.example", role: str = "teacher", place: str = "alder-elementary"
) -> str:
    """Omar invites; the link as it stands in the mail."""
    omar = Client()
    omar.force_login(cast.omar)
    answer = omar.post(f"/organizations/{place}/invite/", {"invite-email": email, "invite-role": role})
    assert answer.status_code == 302
    found = re.search(r"https?://[^/\s]+(/join/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


@pytest.fixture(autouse=True)
def _mail_at_once(django_capture_on_commit_callbacks: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import transaction

    monkeypatch.setattr(transaction, "on_commit", lambda function, using=None, robust=False: function())


def test_a_link_makes_an_account_with_the_role_and_signs_in(client: Client, cast: Cast) -> None:
    link = invite(cast)
    page = client.get(link)
    assert "Join Alder Elementary" in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"
    assert client.post(link, WORDS).status_code == 302
    nina = Person.objects.get(email="nina@riverbend.example")
    assert client.session["_auth_user_id"] == str(nina.pk)
    assert [(held.role, held.organization) for held in queries.memberships_of(nina)] == [(Role.TEACHER, cast.alder)]
    assert nina.password.startswith("argon2")


def test_only_a_hash_of_the_secret_is_kept(cast: Cast) -> None:
    secret = invite(cast).split("/")[2]
    assert secret not in str(Invitation.objects.values().get())


def test_a_link_works_once(client: Client, cast: Cast) -> None:
    link = invite(cast)
    client.post(link, WORDS)
    assert Client().get(link).status_code == 404
    assert Client().post(link, WORDS).status_code == 404
    assert Person.objects.filter(email="nina@riverbend.example").count() == 1


def test_a_withdrawn_an_expired_and_an_invented_link_do_not_work(client: Client, cast: Cast) -> None:
    withdrawn, expired = invite(cast, "a@x.example"), invite(cast, "b@x.example")
    omar = Client()
    omar.force_login(cast.omar)
    omar.post(f"/invitations/{Invitation.objects.get(email='a@x.example').pk}/withdraw/")
    Invitation.objects.filter(email="b@x.example").update(expires_at=timezone.now() - timedelta(seconds=1))
    for link in (withdrawn, expired, "/join/invented/"):
        assert client.get(link).status_code == client.post(link, WORDS).status_code == 404


def test_a_second_invitation_replaces_the_first(client: Client, cast: Cast) -> None:
    first, second = invite(cast), invite(cast)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200


def test_an_address_that_has_an_account_accepts_with_it(client: Client, cast: Cast) -> None:
    link = invite(cast, "Ben@riverbend.example", "coach")
    assert "Sign in with it" in client.get(link).content.decode()
    assert client.post(link, WORDS).status_code == INVALID
    client.force_login(cast.amara)
    assert client.post(link).status_code == INVALID
    assert not queries.is_in(Person.objects.get(pk=cast.amara.pk), cast.alder, Role.COACH)
    client.force_login(cast.ben)
    assert client.post(link).status_code == 302
    assert queries.is_in(Person.objects.get(pk=cast.ben.pk), cast.alder, Role.COACH)
    assert Person.objects.filter(email__iexact="ben@riverbend.example").count() == 1


def test_a_weak_password_is_refused_and_the_name_stays(client: Client, cast: Cast) -> None:
    answer = client.post(invite(cast), WORDS | {"password": "password"})
    assert answer.status_code == INVALID
    assert 'value="Nina"' in answer.content.decode()
    assert not Person.objects.filter(email="nina@riverbend.example").exists()


def test_students_are_not_invited_and_an_evaluator_not_as_coach(cast: Cast) -> None:
    omar = Client()
    omar.force_login(cast.omar)
    for email, role in (("new@x.example", "student"), (cast.ruth.email, "coach")):
        answer = omar.post("/organizations/alder-elementary/invite/", {"invite-email": email, "invite-role": role})
        assert answer.status_code == INVALID
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("name", ["grace", "amara", "vera"])
def test_only_administrators_invite_and_withdraw(client: Client, cast: Cast, name: str) -> None:
    invite(cast)
    client.force_login(cast.people[name])
    words = {"invite-email": "me@x.example", "invite-role": "administrator"}
    assert client.post("/organizations/alder-elementary/invite/", words).status_code == 404
    assert client.post(f"/invitations/{Invitation.objects.get().pk}/withdraw/").status_code == 404
