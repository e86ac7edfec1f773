"""A district's own sign-in service: OpenID Connect and SAML, through small services of our own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from staffroom.people import sign_in
from tests.people import saml_service

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the walk through a site with both services saw; it is made once for all tests here."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("STAFFROOM_")}
    clean["STAFFROOM_DATA"] = str(tmp_path_factory.mktemp("outside"))
    command = [sys.executable, "-m", "tests.people.outside_services"]
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :].splitlines()[-1])
    return found


def test_whoever_has_a_verified_address_is_the_person_we_know(seen: dict[str, Any]) -> None:
    assert seen["verified"]["person"] == seen["amara"]
    assert seen["verified"]["leaves to"] == "/authorize"


def test_they_are_known_again_when_their_address_changes(seen: dict[str, Any]) -> None:
    assert seen["again with another address"]["person"] == seen["amara"]


def test_an_unverified_address_signs_nobody_in(seen: dict[str, Any]) -> None:
    assert seen["unverified"]["person"] is None


def test_a_stranger_gets_no_account(seen: dict[str, Any]) -> None:
    assert seen["stranger"]["person"] is None
    assert "by invitation" in seen["stranger"]["page"]
    assert seen["persons"] == 2


def test_an_answer_that_was_not_asked_for_is_refused(seen: dict[str, Any]) -> None:
    assert seen["forged state"]["person"] is None
    assert seen["forged state"]["status"] in (401, 403)


def test_an_answer_is_good_once(seen: dict[str, Any]) -> None:
    assert not seen["verified"]["replayed"]


def test_an_id_token_is_taken_if_it_is_right(seen: dict[str, Any]) -> None:
    assert seen["id tokens"]["right"]["person"] == seen["amara"]


@pytest.mark.parametrize("how", ["for another client", "by another issuer", "expired"])
def test_an_id_token_that_is_wrong_signs_nobody_in(seen: dict[str, Any], how: str) -> None:
    assert seen["id tokens"][how]["person"] is None
    assert 400 <= seen["id tokens"][how]["status"] < 500


def test_the_exchange_is_bound_to_the_browser_that_began_it(seen: dict[str, Any]) -> None:
    assert seen["verified"]["has challenge"]
    assert seen["challenge sent"]


def test_the_services_are_offered_by_name(seen: dict[str, Any]) -> None:
    assert "Riverbend Login" in seen["login page"]
    assert "Lakeside Login" in seen["login page"]


def test_saml_shows_its_metadata_and_leads_to_the_service(seen: dict[str, Any]) -> None:
    assert "AssertionConsumerService" in seen["saml"]["metadata"]
    assert "/accounts/saml/lakeside-login/acs/" in seen["saml"]["metadata"]
    assert seen["saml"]["leaves to"].startswith("https://idp.school.example/sso?SAMLRequest=")


def test_a_signed_answer_by_saml_is_the_person_we_know(seen: dict[str, Any]) -> None:
    assert seen["saml"]["right"]["person"] == seen["amara"]
    assert seen["saml"]["right"]["status"] == 200
    assert seen["saml"]["again"]["person"] == seen["amara"]


@pytest.mark.parametrize("how", saml_service.WRONG)
def test_an_answer_by_saml_that_is_wrong_signs_nobody_in(seen: dict[str, Any], how: str) -> None:
    it = seen["saml"]["wrong"][how]
    assert it["person"] is None
    assert 400 <= it["status"] < 500
    assert re.search(saml_service.WRONG[how][1], it["said"]), f"refused for what is wrong, not by chance: {it['said']}"


@pytest.mark.parametrize("where", ["replayed", "replayed elsewhere"])
def test_an_answer_by_saml_is_good_once_and_for_who_asked(seen: dict[str, Any], where: str) -> None:
    assert seen["saml"][where]["person"] is None
    assert 400 <= seen["saml"][where]["status"] < 500


@pytest.mark.parametrize("how", ["cut by a comment", "name cut by a comment"])
def test_what_a_comment_cuts_is_not_somebody_elses(seen: dict[str, Any], how: str) -> None:
    assert seen["saml"][how]["person"] is None


@pytest.mark.parametrize("who", ["stranger", "without address"])
def test_whom_nobody_knows_gets_no_account_by_saml(seen: dict[str, Any], who: str) -> None:
    assert seen["saml"][who]["person"] is None
    assert seen["saml"][who]["status"] < 500


@pytest.mark.parametrize("what", saml_service.JUNK)
def test_junk_at_the_door_of_saml_is_refused_in_words(seen: dict[str, Any], what: str) -> None:
    it = seen["saml"]["junk"][what]
    assert it["person"] is None
    assert 400 <= it["status"] < 500


def test_nothing_is_loaded_that_no_option_names() -> None:
    assert sign_in.providers([], []) == {}


@pytest.mark.parametrize("text", ["just a name", "a|b|c", "a|b|c|", "|b|c|d", "…|b|c|d"])
def test_a_misspelled_option_says_which_and_not_what_stands_in_it(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^oidc: ") as told:
        sign_in.providers([text], [])
    assert text not in str(told.value)


def test_two_services_of_one_name_are_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="same name"):
        sign_in.providers(["A|https://a.example|x|y", "a|https://b.example|x|y"], [])
