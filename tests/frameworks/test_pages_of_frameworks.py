"""Pages of frameworks: everybody reads what is published around them, administrators bring in and publish."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from staffroom.frameworks import actions
from staffroom.frameworks.models import Framework, FrameworkVersion
from tests.cast import Cast
from tests.frameworks.test_importing_frameworks import PACKAGE

CSV = "code,parent,kind,title,statement\nA,,domain,Talk,Most of it.\nA1,A,practice,=Wait,Some seconds.\n"


def send(client: Client, cast: Cast, content: str, name: str = "ours.csv", title: str = "Ours"):  # type: ignore[no-untyped-def]
    file = SimpleUploadedFile(name, content.encode())
    return client.post(
        reverse("frameworks:import"), {"file": file, "organization": cast.district.pk, "title": title, "label": ""}
    )


def test_an_administrator_brings_in_looks_through_and_publishes(cast: Cast, client: Client) -> None:
    client.force_login(cast.omar)
    answer = send(client, cast, CSV)
    assert answer.status_code == 302
    assert "Most of it." in client.get(answer.headers["Location"]).content.decode()
    client.force_login(cast.amara)
    assert client.get(answer.headers["Location"]).status_code == 404
    client.force_login(cast.omar)
    client.post(reverse("frameworks:publish", args=["ours", 1]))
    client.force_login(cast.amara)
    assert client.get(answer.headers["Location"]).status_code == 200
    table = b"".join(client.get(reverse("frameworks:framework", args=["ours"]) + "?format=csv")).decode()  # type: ignore[arg-type]
    assert "'=Wait" in table


def test_a_case_file_is_known_by_its_look(cast: Cast, client: Client) -> None:
    client.force_login(cast.omar)
    assert send(client, cast, json.dumps(PACKAGE), "ours.json", "").status_code == 302
    assert Framework.objects.get().title == "Riverbend teaching"


@pytest.mark.parametrize(
    ("content", "title", "words"),
    [
        ("code,title\nA,\nB,\n", "Ours", "line 3"),
        ("{ not json", "", "begins like JSON"),
        (CSV, "", "Give the framework a title"),
        ("", "Ours", "empty"),
    ],
)
def test_a_bad_file_is_refused_in_words_and_changes_nothing(
    cast: Cast, client: Client, content: str, title: str, words: str
) -> None:
    client.force_login(cast.omar)
    answer = send(client, cast, content, title=title)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not FrameworkVersion.objects.exists()


def test_what_is_not_text_is_refused(cast: Cast, client: Client) -> None:
    client.force_login(cast.omar)
    file = SimpleUploadedFile("x.csv", b"\xff\xfe\x00binary")
    answer = client.post(reverse("frameworks:import"), {"file": file, "organization": cast.district.pk, "title": "x"})
    assert answer.status_code == 422


@pytest.mark.parametrize("who", ["amara", "priya", "grace", "denise", "ruth"])
def test_nobody_else_finds_the_import(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(reverse("frameworks:import")).status_code == 404
    assert send(client, cast, CSV).status_code == 404


def test_an_administrator_cannot_import_for_another_district(cast: Cast, client: Client) -> None:
    client.force_login(cast.omar)
    file = SimpleUploadedFile("x.csv", CSV.encode())
    data = {"file": file, "organization": cast.other_district.pk, "title": "x"}
    assert client.post(reverse("frameworks:import"), data).status_code == 422


def test_a_stranger_district_finds_nothing(cast: Cast, client: Client) -> None:
    actions.publish(
        by=cast.omar, version=actions.import_csv(by=cast.omar, organization=cast.district, text=CSV, title="Ours")
    )
    client.force_login(cast.vera)
    assert client.get(reverse("frameworks:framework", args=["ours"])).status_code == 404
    assert "Ours" not in client.get(reverse("frameworks:list")).content.decode()
