"""The doctor: options with their origin, secrets masked, findings with what to do, exit code for machines."""

from __future__ import annotations

import json

import pytest

from staffroom.cli import doctor, main
from staffroom.options import OPTIONS
from tests.hosting.conftest import Place

SECRET = "postgres://admin:hunter2@db.example/staffroom"


def shown(name: str) -> dict[str, str]:
    option = next(option for option in OPTIONS if option.name == name)
    return doctor._option(option)


def test_values_are_told_with_their_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAFFROOM_PORT", "9000")
    assert (shown("port")["value"], shown("port")["origin"]) == ("9000", "STAFFROOM_PORT")
    assert shown("language")["origin"] == "default"


def test_secrets_are_masked_and_unset_ones_are_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown("email_url")["value"] == ""
    for option in OPTIONS:
        if option.is_secret:
            monkeypatch.setenv(option.variable, SECRET)
            assert shown(option.name)["value"] == "***"


@pytest.mark.django_db
def test_machines_get_json_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["doctor", "--json"]) == 0, capsys.readouterr().out
    told = json.loads(capsys.readouterr().out)
    assert {finding["check"]: finding["state"] for finding in told["checks"]}["database"] == "ok"
    assert len(told["options"]) == len(OPTIONS)
    monkeypatch.setitem(doctor.CHECKS, "database", lambda: 1 / 0)
    assert main(["doctor", "--json"]) == 1


@pytest.mark.django_db
def test_a_silent_queue_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    assert "0 at work" in capsys.readouterr().out


def test_what_is_not_installed_is_told_with_its_extra() -> None:
    assert "staffroom[postgres]" in doctor._missing(ModuleNotFoundError("x", name="psycopg"))
    assert "staffroom[redis]" in doctor._missing(ModuleNotFoundError("x", name="redis.asyncio"))
    assert "staffroom[s3]" in doctor._missing(ModuleNotFoundError("x", name="storages.backends"))


def test_errors_do_not_tell_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise ConnectionError(f"cannot reach {SECRET}")

    monkeypatch.setattr(doctor, "CHECKS", {"database": fail})
    [finding] = doctor._findings()
    assert finding.state == "failure"
    assert "hunter2" not in finding.sentence


@pytest.mark.parametrize(
    ("site", "state"), [("https://staffroom.example", "warning"), ("http://staffroom.example", "failure"), ("", "ok")]
)
def test_https_is_asked_for_where_others_come_in(place: Place, site: str, state: str) -> None:
    if site:
        place.environment["STAFFROOM_SITE_URL"] = site
    script = (
        "from staffroom.cli import doctor\ndoctor.CHECKS = {'https': doctor.CHECKS['https']}\n"
        "print([finding.state for finding in doctor._findings()])"
    )
    assert place.python(script) == f"['{state}']"
