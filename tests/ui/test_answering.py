"""One view serves the browser and htmx: the page, the part, the refusal, the redirect."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client, RequestFactory
from django.test import override_settings as override
from django.views.decorators.http import require_POST

from staffroom.ui.middleware import addresses_of_forms, ended_sessions, htmx_redirects
from staffroom.ui.pages import redirect_or_fragment, refuse, wants_fragment

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
NOTE = {"title": "Fractions", "subject": "m", "noticed": "They looked at each other.", "audience": "me"}

pytestmark = pytest.mark.django_db


def test_the_browser_gets_the_page_and_htmx_the_part(client: Client) -> None:
    page = client.get("/ui/fragment/")
    part = client.get("/ui/fragment/", headers=HTMX)
    assert b"<html" in page.content
    assert b"<html" not in part.content
    assert b"Two conversations" in part.content
    assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize("headers", [{"HX-Request-Type": "full"}, {"HX-History-Restore-Request": "true"}])
def test_going_back_in_the_history_gets_the_page(rf: RequestFactory, headers: dict[str, str]) -> None:
    assert not wants_fragment(rf.get("/", headers={**HTMX, **headers}))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_invalid_form_answers_422_with_what_was_typed(client: Client, headers: dict[str, str]) -> None:
    answer = client.post("/ui/", {**NOTE, "title": ""}, headers=headers)
    assert answer.status_code == 422
    assert b"They looked at each other." in answer.content
    assert b"error-summary" in answer.content
    assert (b"<html" in answer.content) is (not headers)


def test_after_a_deed_the_browser_is_led_on_and_htmx_gets_the_part(client: Client) -> None:
    assert client.post("/ui/", NOTE).status_code == 302
    part = client.post("/ui/", NOTE, headers=HTMX)
    assert part.status_code == 200
    assert b'id="guide-form"' in part.content


def test_messages_travel_beside_a_fragment_once(rf: RequestFactory) -> None:
    request: Any = rf.get("/", headers=HTMX)
    request._messages = CookieStorage(request)
    messages.success(request, "Noted.")
    answer = redirect_or_fragment(request, "/", "ui/guide.html", "filling")
    assert b'id="messages" role="status" hx-swap-oob="true"' in answer.content
    assert b"Noted." in answer.content


def test_htmx_is_told_of_a_redirect_instead_of_following_it(rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect("/accounts/login/?next=/")
        response.set_cookie("messages", "kept")
        return response

    told = htmx_redirects(view)(rf.get("/", headers=HTMX))
    assert told.status_code == 204
    assert told["HX-Redirect"] == "/accounts/login/?next=/"
    assert told.cookies["messages"].value == "kept"
    assert htmx_redirects(view)(rf.get("/")).status_code == 302


def test_a_form_sent_after_the_session_ended_costs_nobody_what_they_typed(rf: RequestFactory) -> None:
    """htmx leaves the page as it is; a browser comes back to the page of the form, not to an address that takes only forms."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(f"/accounts/login/?next={request.path}")

    def back(referer: str) -> str:
        return ended_sessions(view)(rf.post("/lessons/a/reflect/", headers={"Referer": referer}))["Location"]

    told = htmx_redirects(ended_sessions(view))(rf.post("/lessons/a/moments/", headers=HTMX))
    assert told.status_code == 401
    assert "HX-Redirect" not in told
    assert back("http://testserver/lessons/a/?clips=all") == "/accounts/login/?next=%2Flessons%2Fa%2F"
    assert back("https://elsewhere.example/lessons/a/") == "/accounts/login/?next=%2F"
    assert ended_sessions(view)(rf.get("/lessons/a/"))["Location"] == "/accounts/login/?next=/lessons/a/"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 429, 500])
def test_an_error_page_says_what_happened_and_offers_a_way_on(client: Client, status: int) -> None:
    answer = client.get(f"/ui/error/{status}/")
    assert answer.status_code == status
    assert f"Error {status}".encode() in answer.content
    assert b"<h1>" in answer.content
    assert b'href="/"' in answer.content


def test_an_address_that_only_takes_forms_says_so_to_whoever_opens_it(rf: RequestFactory) -> None:
    door = addresses_of_forms(require_POST(lambda request: HttpResponse("taken")))
    page = door(rf.get("/", headers={"Accept": "text/html,*/*;q=0.8"}))
    assert page.status_code == 405
    assert page["Allow"] == "POST"
    assert b"only takes what a form sends" in page.content
    assert door(rf.get("/", headers={"Accept": "application/json"})).content == b""
    assert door(rf.post("/")).content == b"taken"


def test_a_refusal_for_a_while_says_for_how_long(rf: RequestFactory) -> None:
    answer = refuse(rf.get("/"), 429, retry_after_s=30)
    assert answer["Retry-After"] == "30"
    assert b"Wait 30 seconds" in answer.content


def test_the_error_page_needs_neither_person_nor_database(rf: RequestFactory) -> None:
    from django.views.defaults import server_error

    answer = server_error(rf.get("/"))
    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content


def test_a_request_that_is_not_from_our_page_is_refused_in_plain_words() -> None:
    answer = Client(enforce_csrf_checks=True).post("/ui/", NOTE)
    assert answer.status_code == 403
    assert b"We could not check that this came from you" in answer.content


@pytest.mark.parametrize(("cookie", "attribute"), [("dark", b'data-theme="dark"'), ('x" onload="', None), ("", None)])
def test_the_chosen_appearance_comes_with_the_page(client: Client, cookie: str, attribute: bytes | None) -> None:
    client.cookies["theme"] = cookie
    page = client.get("/ui/").content
    assert (attribute in page) if attribute else (b"data-theme=" not in page)


@override(LANGUAGE_CODE="ar")
def test_the_page_turns_with_the_script_of_the_language(client: Client) -> None:
    assert b'<html lang="ar" dir="rtl"' in client.get("/ui/", headers={"Accept-Language": "ar"}).content
