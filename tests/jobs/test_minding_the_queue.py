"""The queue's page: administrators see what failed among their people's jobs and try it again; others see nothing."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from staffroom.jobs.actions import later, run_waiting
from staffroom.jobs.models import Job
from staffroom.jobs.queries import jobs_for
from staffroom.jobs.rules import may_mind
from staffroom.people.models import Membership, Person, Role
from tests.cast import Cast
from tests.jobs import tasks

pytestmark = pytest.mark.django_db
TITLE = "Convert 'Fractions on Tuesday'"


@pytest.fixture
def failed(cast: Cast) -> Job:
    tasks.heard.clear()
    later(tasks.give_up, by=cast.amara, label=TITLE)
    [job] = run_waiting()
    return job


def page_of(client: Client, person: Person, url: str = "") -> tuple[int, str]:
    client.force_login(person)
    response = client.get(url or reverse("jobs:list"))
    return response.status_code, response.content.decode()


def test_administrators_see_what_failed_but_not_what_it_was_about(client: Client, cast: Cast, failed: Job) -> None:
    status, page = page_of(client, cast.omar)
    assert status == 200
    assert "tests.jobs.give_up" in page
    assert "no pictures in it" in page
    assert "Fractions" not in page
    assert "Okafor" not in page


@pytest.mark.parametrize("name", ["amara", "grace", "denise", "priya", "ruth", "vera", "leo"])
def test_nobody_else_has_this_page(client: Client, cast: Cast, failed: Job, name: str) -> None:
    assert page_of(client, getattr(cast, name))[0] == 404


def test_an_administrator_tries_it_again(client: Client, cast: Cast, failed: Job) -> None:
    client.force_login(cast.omar)
    assert client.post(reverse("jobs:retry", args=[failed.key])).status_code == 302
    failed.refresh_from_db()
    assert failed.state == "waiting"


def test_whoever_asked_for_it_tries_it_again(client: Client, cast: Cast, failed: Job) -> None:
    client.force_login(cast.amara)
    assert client.post(reverse("jobs:retry", args=[failed.key])).status_code == 302
    failed.refresh_from_db()
    assert failed.state == "waiting"


def test_strangers_cannot_try_it_again(client: Client, cast: Cast, failed: Job) -> None:
    Membership.objects.create(person=cast.vera, organization=cast.other_district, role=Role.ADMINISTRATOR)
    for person in (cast.tom, cast.vera):
        client.force_login(person)
        assert client.post(reverse("jobs:retry", args=[failed.key])).status_code == 404
    failed.refresh_from_db()
    assert failed.state == "failed"


def test_rule_and_query_agree(cast: Cast) -> None:
    Membership.objects.create(person=cast.vera, organization=cast.other_district, role=Role.ADMINISTRATOR)
    Membership.objects.create(person=cast.grace, organization=cast.alder, role=Role.ADMINISTRATOR)
    for person in (None, cast.amara, cast.ben, cast.vera, cast.leo):
        later(tasks.say, by=person, word="x")
    for viewer in cast.people.values():
        allowed = {job.pk for job in Job.objects.all() if may_mind(viewer, job)}
        assert allowed == set(jobs_for(viewer).values_list("pk", flat=True)), viewer


def test_progress_is_shown_to_whoever_asked_only(client: Client, cast: Cast) -> None:
    job = later(tasks.say, by=cast.amara, label=TITLE, word="x")
    url = reverse("jobs:job", args=[job.key])
    status, page = page_of(client, cast.amara, url)
    assert status == 200
    assert "Fractions" in page
    for stranger in (cast.tom, cast.omar, cast.priya):
        assert page_of(client, stranger, url)[0] == 404


def test_the_page_makes_the_same_queries_for_one_job_and_for_thirty(  # type: ignore[no-untyped-def]
    client: Client, cast: Cast, failed: Job, django_assert_max_num_queries
) -> None:
    for _ in range(29):
        later(tasks.give_up, by=cast.amara)
        later(tasks.say, by=cast.amara, word="waits")
    client.force_login(cast.omar)
    with django_assert_max_num_queries(14):
        client.get(reverse("jobs:list"))
