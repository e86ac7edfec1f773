"""Taking in a roster by the pages."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from staffroom.jobs import actions as jobs
from staffroom.jobs.models import Job
from staffroom.people import tasks
from staffroom.people.models import Person, RosterImport
from staffroom.ui.pages import INVALID
from tests.cast import Cast
from tests.people.oneroster_maker import FileSet, make


def upload(client: Client, files: FileSet | bytes):  # type: ignore[no-untyped-def]
    content = files if isinstance(files, bytes) else files.zipped().getvalue()
    return client.post("/rosters/", {"file": SimpleUploadedFile("ours.zip", content)})


def test_a_roster_is_looked_at_taken_in_and_told(
    client: Client, cast: Cast, django_capture_on_commit_callbacks
) -> None:  # type: ignore[no-untyped-def]
    client.force_login(cast.omar)
    files = make()
    files.row("users", "s1")["givenName"] = ""
    url = upload(client, files).url
    page = client.get(url).content.decode()
    assert "Take it in" in page
    assert "givenName" in page
    assert not Person.objects.filter(source_id="s0").exists()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{url}take/")
    waiting = RosterImport.objects.get()
    tasks.take_roster.call(waiting.pk)
    page = client.get(url).content.decode()
    assert "Taken in" in page
    assert "people new: 23" in page
    assert Person.objects.filter(source_id="s0").exists()
    listed = b"".join(client.get(f"{url}problems.csv").streaming_content).decode()
    assert "users.csv,7,givenName,is empty" in listed
    assert "rows left out" in client.get("/rosters/").content.decode()


def test_the_newest_of_many_rosters_is_on_the_page(client: Client, cast: Cast) -> None:
    for night in range(40):
        RosterImport.objects.create(district=cast.district, name=f"night-{night:02}.zip")
    client.force_login(cast.omar)
    page = client.get("/rosters/").content.decode()
    assert "night-39.zip" in page
    assert "night-09.zip" not in page
    assert page.index("night-39.zip") < page.index("night-38.zip")


def test_a_file_that_is_no_roster_is_refused_in_words(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    answer = upload(client, b"\x00\x01\x02 nonsense")
    assert answer.status_code == INVALID
    assert "UTF-16" in answer.content.decode() or "lacks these columns" in answer.content.decode()
    assert not RosterImport.objects.exists()
    assert client.post("/rosters/").status_code == INVALID


def test_what_was_refused_while_writing_stands_on_the_page(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    for files in (make(students=40), make(students=2)):
        url = upload(client, files).url
        client.post(f"{url}take/")
        tasks.take_roster.call(RosterImport.objects.first().pk)  # type: ignore[union-attr]
    page = client.get(url).content.decode()
    assert "would end" in page
    assert "Start again" in page
    client.post(f"{url}take/", {"may_end_most": "on"})
    tasks.take_roster.call(RosterImport.objects.first().pk)  # type: ignore[union-attr]
    assert "Taken in" in client.get(url).content.decode()


def test_what_no_worker_could_finish_says_so_and_can_be_started_again(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(cast.omar)
    url = upload(client, make()).url
    monkeypatch.setattr(jobs, "MOST_LOSSES", 0)
    job = jobs.later(tasks.take_roster, pk=RosterImport.objects.get().pk)
    assert jobs.claim("a worker that dies")
    RosterImport.objects.update(state="running", message="Reading")
    page = client.get(url).content.decode()
    assert "Start again" not in page, "a worker will take it over"
    client.post(f"{url}take/")
    assert RosterImport.objects.get().state == "running"
    Job.objects.update(lease_until=timezone.now())
    assert jobs.claim("another") is None
    job.refresh_from_db()
    assert job.state == "failed"
    page = client.get(url).content.decode()
    assert "broke off" in page
    assert "Start again" in page


def test_the_template_can_be_downloaded(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    text = b"".join(client.get("/rosters/template.csv").streaming_content).decode()
    assert text.splitlines()[0].endswith("school,role,person_id,given_name,family_name,email,section,course")


def test_rosters_are_there_for_administrators_of_a_district_only(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    url = upload(client, make()).url
    for name in ("grace", "denise", "amara", "vera", "ruth", "leo"):
        client.force_login(cast.people[name])
        for each in ("/rosters/", url, f"{url}problems.csv", "/rosters/template.csv"):
            assert client.get(each).status_code == 404
        assert client.post(f"{url}take/").status_code == 404
        assert upload(client, make()).status_code == 404
    assert RosterImport.objects.get().state == "waiting"
