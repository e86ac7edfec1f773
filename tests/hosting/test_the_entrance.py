"""What every request passes: number, log line, rate limit; the safe headers; the API's plain words; a log without secrets."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from pytest_django import Settings

from staffroom import entrance, logs
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clean_cache() -> None:
    cache.clear()


def test_health_tells_no_detail(client: Client) -> None:
    answer = client.get("/health/")
    assert (answer.status_code, answer.content) == (200, b"well\n")


def test_every_answer_has_a_number_and_safe_headers(client: Client) -> None:
    answer = client.get("/accounts/login/")
    assert len(answer["X-Request-ID"]) == 16
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"


def test_a_number_from_outside_counts_only_behind_a_proxy(client: Client, settings: Settings) -> None:
    given = {"X-Request-ID": "proxy-0123456789"}
    assert client.get("/health/", headers=given)["X-Request-ID"] != "proxy-0123456789"
    settings.IS_BEHIND_PROXY = True
    assert client.get("/health/", headers=given)["X-Request-ID"] == "proxy-0123456789"
    assert client.get("/health/", headers={"X-Request-ID": "x y\u00e9"})["X-Request-ID"] != "x y"


def test_cookies_are_out_of_reach_of_scripts(client: Client) -> None:
    client.get("/accounts/login/")
    for cookie in client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_https_brings_secure_cookies_and_hsts() -> None:
    """The settings follow from site_url, so they are read anew in a process of its own."""
    import os
    import subprocess
    import sys

    code = (
        "from staffroom import settings as s\n"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, s.ALLOWED_HOSTS)"
    )
    environment = {**os.environ, "STAFFROOM_SITE_URL": "https://staffroom.example"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True True ['staffroom.example']"


@override_settings(RATE_LIMITS={"api": 3})
def test_too_many_requests_of_one_person_are_answered_429(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "time", SimpleNamespace(time=lambda: 1_000_000.0, perf_counter=lambda: 0.0))
    client.force_login(cast.amara)
    codes = [client.get("/api/no/such/door").status_code for _ in range(5)]
    assert codes == [404, 404, 404, 429, 429]
    last = client.get("/api/no/such/door")
    assert 0 < int(last["Retry-After"]) <= 60
    assert "Wait" in last.json()["detail"]
    other = Client()
    other.force_login(cast.tom)
    assert other.get("/api/no/such/door").status_code == 404, "others are not held up"
    assert client.get("/accounts/password/change/").status_code != 429, "pages are not counted"


def test_the_api_answers_in_plain_words(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    answer = client.get("/api/no/such/door")
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is nothing here."})
    described = client.get("/api/openapi.json").json()
    assert described["info"]["title"] == "Staffroom"
    assert client.get("/api/docs").status_code == 404, "the documentation page is for developers"


def test_the_api_wants_a_signed_in_person(client: Client) -> None:
    described = client.get("/api/openapi.json").json()
    doors = [path for path, methods in described["paths"].items() if "get" in methods and "{" not in path]
    for door in doors[:5]:
        answer = client.get(door)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Sign in first."}), door


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("cannot reach postgres://admin:hunter2@db/x", "hunter2"),
        ("redis://:hunter2@cache:6379/0 refused", "hunter2"),
        ("password=hunter2 is wrong", "hunter2"),
        ("Authorization: hunter2", "hunter2"),
    ],
)
def test_secrets_are_masked(said: str, secret: str) -> None:
    assert secret not in logs.masked(said)


def test_named_secrets_never_leave() -> None:
    event: dict[str, Any] = {"event": "x", "token": "hunter2", "password": "hunter2", "job": 5}
    assert "hunter2" not in json.dumps(dict(logs.mask_event(None, "info", event)))


def test_the_log_line_of_a_request_tells_its_route_and_not_its_address(
    client: Client, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/join/very-secret-link/")
    said = caplog.text + capsys.readouterr().out
    assert "join/<str:secret>/" in said
    assert "very-secret-link" not in said
