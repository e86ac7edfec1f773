"""Signing in with e-mail and password, a second factor, a reset; and who may make an account."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.test import Client

from staffroom.people.models import Membership, Person, Role
from tests.cast import Cast

PASSWORD = "chalk-and-talk-2026"


@pytest.fixture(autouse=True)
def _no_earlier_attempts() -> None:
    cache.clear()


@pytest.fixture
def amara(cast: Cast) -> Person:
    cast.amara.set_password(PASSWORD)
    cast.amara.save()
    return cast.amara


def sign_in(client: Client, email: str | None, password: str = PASSWORD):  # type: ignore[no-untyped-def]
    return client.post("/accounts/login/", {"login": email, "password": password})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_now(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


def test_the_right_password_signs_in_and_is_kept_by_argon2(client: Client, amara: Person) -> None:
    assert amara.password.startswith("argon2$argon2id$")
    assert sign_in(client, "AMARA@riverbend.example").status_code == 302
    assert is_signed_in(client)


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client, amara: Person) -> None:
    wrong = sign_in(client, amara.email, "wrong-password")
    unknown = sign_in(client, "nobody@riverbend.example", "wrong-password")
    assert not is_signed_in(client)
    said = [re.search(r'error-summary.*?</div>', page.content.decode(), re.S) for page in (wrong, unknown)]  # fmt: skip
    assert said[0]
    assert said[1]
    assert said[0].group() == said[1].group()


def test_a_student_without_address_and_whoever_was_deactivated_cannot_sign_in(client: Client, amara: Person) -> None:
    amara.is_active = False
    amara.save()
    sign_in(client, amara.email)
    sign_in(client, "")
    assert not is_signed_in(client)


def test_after_five_wrong_passwords_the_right_one_waits(client: Client, amara: Person) -> None:
    for _ in range(5):
        sign_in(client, amara.email, "wrong-password")
    page = sign_in(client, amara.email)
    assert not is_signed_in(client)
    assert "Too many failed" in page.content.decode()


def test_a_second_factor_is_asked_for_once_it_is_set_up(client: Client, amara: Person) -> None:
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(amara, secret)
    assert sign_in(client, amara.email).url == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_now(secret)})
    assert is_signed_in(client)


def test_a_recovery_code_works_once(client: Client, amara: Person) -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    TOTP.activate(amara, "JBSWY3DPEHPK3PXP")
    code = RecoveryCodes.activate(amara).get_unused_codes()[0]
    for works in (True, False):
        client.logout()
        sign_in(client, amara.email)
        client.post("/accounts/2fa/authenticate/", {"code": code})
        assert is_signed_in(client) is works


def test_a_forgotten_password_is_set_anew_by_mail_and_other_sessions_end(client: Client, amara: Person) -> None:
    elsewhere = Client()
    sign_in(elsewhere, amara.email)
    client.post("/accounts/password/reset/", {"email": amara.email})
    link = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link
    form = client.get(link[1], follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": "entirely-new-words", "password2": "entirely-new-words"})
    assert elsewhere.get("/accounts/email/").status_code == 302
    sign_in(client, amara.email, "entirely-new-words")
    assert is_signed_in(client)


def test_mails_about_passwords_speak_for_this_site(client: Client, amara: Person) -> None:
    for address in (amara.email, "nobody@nowhere.example"):
        client.post("/accounts/password/reset/", {"email": address})
        body = str(mail.outbox[-1].body)
        assert body.rstrip().endswith("Staffroom\nhttp://localhost:8000")
        assert "sign up" not in body
    assert [each.subject for each in mail.outbox[-2:]] == [
        "Set a new password for Staffroom", "No account in Staffroom with this address",
    ]  # fmt: skip


def test_somebody_from_a_roster_sets_the_first_password_by_mail(client: Client, cast: Cast) -> None:
    person = Person.objects.create(email="new@riverbend.example", given_name="New", password="!none")
    client.post("/accounts/password/reset/", {"email": person.email})
    link = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link
    form = client.get(link[1], follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    assert EmailAddress.objects.get(user=person).verified
    sign_in(client, person.email)
    assert is_signed_in(client)


def test_a_reset_tells_nobody_whether_there_is_an_account(client: Client, amara: Person) -> None:
    answers = [client.post("/accounts/password/reset/", {"email": each}) for each in (amara.email, "x@y.example")]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0].url == answers[1].url


def test_resets_are_limited(client: Client, amara: Person) -> None:
    statuses = [client.post("/accounts/password/reset/", {"email": amara.email}).status_code for _ in range(6)]
    assert statuses[0] == 302
    assert statuses[-1] == 429


def test_nobody_makes_an_account_unless_the_host_opens_sign_up(client: Client, db: None, settings: Any) -> None:
    typed = {"email": "me@new.example", "password1": PASSWORD, "given_name": "Me", "family_name": "New"}
    assert "by invitation" in client.post("/accounts/signup/", typed).content.decode()
    assert not Person.objects.exists()
    settings.OPEN_SIGN_UP = True
    client.post("/accounts/signup/", typed)
    person = Person.objects.get()
    assert (person.full_name, person.email) == ("Me New", "me@new.example")
    assert not is_signed_in(client)
    assert not EmailAddress.objects.get(user=person).verified


class TestWhereASecondFactorIsRequired:
    @pytest.fixture(autouse=True)
    def _required(self, settings: Any) -> None:
        settings.SECOND_FACTOR_REQUIRED = True

    def test_a_leader_sets_one_up_before_anything_else(self, client: Client, cast: Cast) -> None:
        client.force_login(cast.grace)
        assert client.get("/people/").url == "/accounts/2fa/"
        assert client.post("/people/").status_code == 403
        assert client.get("/accounts/2fa/").status_code == 200
        TOTP.activate(cast.grace, "JBSWY3DPEHPK3PXP")
        assert client.get("/people/").status_code == 200

    def test_a_teacher_need_not(self, client: Client, cast: Cast) -> None:
        client.force_login(cast.amara)
        assert client.get("/people/").status_code != 302

    def test_the_last_one_cannot_be_removed_by_who_must_have_it(self, client: Client, cast: Cast) -> None:
        from allauth.mfa.adapter import get_adapter

        for person, may in ((cast.grace, False), (cast.amara, True)):
            TOTP.activate(person, "JBSWY3DPEHPK3PXP")
            assert get_adapter().can_delete_authenticator(Authenticator.objects.get(user=person)) is may

    def test_whoever_becomes_a_leader_is_asked_from_then_on(self, client: Client, cast: Cast) -> None:
        client.force_login(cast.amara)
        Membership.objects.create(person=cast.amara, organization=cast.alder, role=Role.SCHOOL_LEADER)
        assert client.get("/people/").url == "/accounts/2fa/"


PAGES = (
    "login",
    "password/reset",
    "password/reset/done",
    "signup",
    "inactive",
    "confirm-email",
    "3rdparty/login/error",
)
OWN_PAGES = (
    "2fa", "2fa/totp/activate", "2fa/webauthn", "2fa/webauthn/add", "password/change", "email", "sessions", "logout",
    "3rdparty", "reauthenticate",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_pages_for_strangers_are_ours(client: Client, db: None, page: str) -> None:
    answer = client.get(f"/accounts/{page}/", follow=True)
    html = answer.content.decode()
    assert answer.status_code in (200, 401)
    assert 'class="plain"' in html
    assert html.count("<h1") == 1
    assert "style=" not in html


@pytest.mark.parametrize("page", OWN_PAGES)
def test_pages_about_ones_own_sign_in_are_ours(client: Client, amara: Person, page: str) -> None:
    client.force_login(amara)
    answer = client.get(f"/accounts/{page}/", follow=True)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert 'class="shell"' in html or 'class="plain"' in html
    assert html.count("<h1") == 1
    assert "style=" not in html.replace('style="fill', "")


def test_the_other_sessions_can_be_ended(amara: Person) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        sign_in(client, amara.email)
    assert here.post("/accounts/sessions/").status_code == 302
    assert is_signed_in(here)
    assert elsewhere.get("/accounts/email/").status_code == 302
