"""Everything stored about me: seen, taken along, erased with a receipt. And nothing about anybody else."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, mailers
from django.test import Client

from staffroom.conversations.models import Notice
from staffroom.people import personal
from staffroom.people.models import Person
from staffroom.permissions import actions
from staffroom.permissions.models import Circle, Erasure
from tests.cast import Cast


@pytest.fixture
def amara(client: Client, cast: Cast) -> Client:
    actions.make_circle(by=cast.amara, name="Math five", members=[cast.tom])
    actions.make_circle(by=cast.tom, name="Toms own", members=[])
    client.force_login(cast.amara)
    return client


def test_my_record_shows_my_things_with_purpose_readers_and_end_and_nothing_of_others(amara: Client) -> None:
    page = amara.get("/my-record/").content.decode()
    assert "Math five" in page
    assert "So that you can share with several colleagues at once" in page
    assert "Toms own" not in page


def test_my_record_can_be_had_as_csv(amara: Client) -> None:
    answer = amara.get("/my-record/?format=csv")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert any("Math five" in row for row in rows)


def test_every_kind_has_its_page(amara: Client) -> None:
    for declaration in personal.declarations():
        assert amara.get(f"/my-record/{declaration.model._meta.label_lower}/").status_code == 200
    assert amara.get("/my-record/no.such/").status_code == 404


def test_the_export_is_a_zip_of_open_formats(amara: Client) -> None:
    answer = amara.post("/my-record/export/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    circles = json.loads(archive.read("data/permissions.circle.json"))
    assert [each["content"]["name"] for each in circles] == ["Math five"]
    assert "my-record.csv" in archive.namelist()
    assert not any(name.startswith("/") or ".." in name for name in archive.namelist())


def test_erasing_wants_the_own_address_typed(amara: Client, cast: Cast) -> None:
    page = amara.post("/my-record/erase/", {"email": cast.tom.email})
    assert page.status_code == 422
    assert Person.objects.get(pk=cast.amara.pk).email


def test_erasing_removes_my_things_keeps_others_and_gives_a_receipt(amara: Client, cast: Cast) -> None:
    email = cast.amara.email
    page = amara.post("/my-record/erase/", {"email": email})
    receipt = Erasure.objects.get()
    assert str(receipt.key) in page.content.decode()
    assert receipt.counts["permissions.Circle"] == 1
    assert "Circles that you founded" in page.content.decode()
    assert "permissions.Circle" not in page.content.decode()
    assert [circle.name for circle in Circle.objects.all()] == ["Toms own"]
    left = Person.objects.filter(pk=cast.amara.pk).first()
    assert left is None or (left.email is None and "Okafor" not in left.full_name)
    assert amara.get("/my-record/").status_code == 302
    assert not Notice.objects.filter(recipient=cast.amara.pk).exists()


def test_kept_mails_that_name_the_erased_go_and_others_stay(
    amara: Client, cast: Cast, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    settings.DATA = tmp_path
    folder = tmp_path / "mail"
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": str(folder)},
        }
    }
    name, address, toms = cast.amara.full_name, str(cast.amara.email), str(cast.tom.email)
    letters = [
        EmailMessage("For you", "Hello", None, [address]),
        EmailMessage(f"{name} shared a clip", f"See what, long beyond the end of one line – {name} has lent to you.", None, [toms]),
        EmailMessage("A notice", "Something waits.", None, [toms]),
    ]  # fmt: skip
    mailers["default"].send_messages(letters)
    with django_capture_on_commit_callbacks(execute=True):
        amara.post("/my-record/erase/", {"email": address})
    left = "".join(path.read_text() for path in folder.iterdir())
    assert "Something waits." in left
    assert name not in left
    assert address not in left


def test_an_erased_person_cannot_sign_in(amara: Client, cast: Cast) -> None:
    Person.objects.filter(pk=cast.amara.pk).update(password="")
    email = cast.amara.email
    amara.post("/my-record/erase/", {"email": email})
    answer = amara.post("/accounts/login/", {"login": email, "password": "anything at all"})
    assert answer.status_code != 302


def test_nobody_sees_a_record_without_signing_in(client: Client, db: None) -> None:
    for address in ("/my-record/", "/my-record/who-opened/", "/my-record/erase/"):
        assert client.get(address).status_code == 302
    assert client.post("/my-record/export/").status_code == 302
