"""A list of thirty costs as many queries as a list of one, and never more than twelve."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from staffroom.conversations import actions as conversations
from staffroom.exchange.actions import keys, receiving
from staffroom.files.tasks import look
from staffroom.frameworks import actions as frameworks
from staffroom.jobs.actions import later
from staffroom.jobs.models import Job
from staffroom.people.models import Enrollment, Membership, Person, Role, Section
from staffroom.permissions import actions as permissions
from staffroom.records import actions as records
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import actions as lessons
from tests.promises.world import World, undone

pytestmark = pytest.mark.django_db
MOST = 12


def _lesson(world: World, number: int) -> None:
    lessons.begin_lesson(by=world.amara, title=f"Lesson {number}", section=world.section)


def _person(world: World, number: int) -> None:
    made = Person.objects.create_user(email=f"t{number}@riverbend.example", given_name=f"T{number}", family_name="Z")
    Membership.objects.create(person=made, organization=world.alder, role=Role.TEACHER)


def _activity(world: World, number: int) -> None:
    records.make_activity(by=world.denise, organization=world.district, name=f"Workshop {number}", kind="workshop")


def _entry(world: World, number: int) -> None:
    records.record(by=world.amara, verb=verbs.ATTENDED, object=world.activity, duration_s=60 + number)


def _moment(world: World, number: int) -> None:
    lessons.note_moment(by=world.amara, lesson=world.lesson, text=f"Seen {number}", start_ms=250_000 + number)


def _note_in_clip(world: World, number: int) -> None:
    noted = lessons.note_moment(
        by=world.priya, lesson=world.lesson, clip=world.clip, text=f"Seen {number}", start_ms=250_000 + number
    )
    lessons.reply(by=world.amara, about=noted, text=f"Yes {number}")


def _clip(world: World, number: int) -> None:
    """A clip that is lent: a row on the lesson's page, and one in the list of whom it is lent to."""
    start = 1000 * number
    clip = lessons.make_clip(
        by=world.amara, lesson=world.lesson, title=f"Cut {number}", start_ms=start, end_ms=start + 1000
    )
    until = timezone.now() + timedelta(days=14)
    lessons.share_clip(by=world.amara, clip=clip, audience="person", person=world.tom, until=until)


def _loan(world: World, number: int) -> None:
    until = timezone.now() + timedelta(days=14)
    to = Person.objects.create_user(email=f"l{number}@riverbend.example", given_name=f"L{number}", family_name="Z")
    Membership.objects.create(person=to, organization=world.alder, role=Role.TEACHER)
    lessons.share_clip(by=world.amara, clip=world.clip, audience="person", person=to, until=until)


def _notice(world: World, number: int) -> None:
    conversations.notify(recipient=world.amara, kind="reply", actor=world.tom, url=f"/lessons/?n={number}")


def _framework(world: World, number: int) -> None:
    text = f"identifier,parent,code,title,statement,kind\na{number},,1,Asking,Asks,practice\n"
    version = frameworks.import_csv(by=world.omar, organization=world.district, text=text, title=f"Framework {number}")
    frameworks.publish(by=world.omar, version=version)


def _taught_section(world: World, number: int) -> None:
    section = Section.objects.create(school=world.alder, title=f"Class {number}")
    Enrollment.objects.create(section=section, person=world.amara, role=Enrollment.Role.TEACHER)
    Enrollment.objects.create(section=section, person=world.leo, role=Enrollment.Role.STUDENT)


def _student(world: World, number: int) -> None:
    made = Person.objects.create_user(given_name=f"S{number}", family_name="Z")
    Enrollment.objects.create(section=world.section, person=made, role=Enrollment.Role.STUDENT)


def _job(world: World, number: int) -> None:
    job = later(look, by=world.omar, about=world.file, label=f"Job {number}", file=world.file.pk)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, finished_at=timezone.now(), failure="It broke.")


def _circle(world: World, number: int) -> None:
    permissions.make_circle(by=world.amara, name=f"Circle {number}", members=[world.tom])


def _tool(world: World, number: int) -> None:
    tool = keys.add_tool(by=world.omar, organization=world.alder, name=f"Tool {number}")
    keys.make_key(by=world.omar, tool=tool, scopes=["all"])


def _unknown(world: World, number: int) -> None:
    _write(world, {"account": {"homePage": "https://vendor.example", "name": f"x{number}"}}, f"course-{number}")


def _course(world: World, number: int) -> None:
    _write(world, {"mbox": f"mailto:{world.amara.email}"}, f"course-{number}")


def _write(world: World, actor: dict[str, Any], course: str) -> None:
    about = {"verb": {"id": "https://vendor.example/did"}, "object": {"id": f"https://vendor.example/{course}"}}
    caller = keys.caller(key_id=world.api_key.pk, tool=world.tool, scopes="all")
    receiving.receive(caller=caller, bodies=[{**about, "actor": actor}], major=1)


LISTS: dict[str, tuple[str, str, Callable[[World, int], None]]] = {
    "lessons": ("amara", "/lessons/", _lesson),
    "lessons over the API": ("amara", "/api/lessons/", _lesson),
    "people": ("denise", "/people/", _person),
    "people over the API": ("denise", "/api/people", _person),
    "activities": ("denise", "/records/activities/", _activity),
    "what works": ("denise", "/what-works/", _activity),
    "entries": ("amara", "/records/entries/", _entry),
    "entries over the API": ("amara", "/api/records/entries", _entry),
    "circles": ("amara", "/circles/", _circle),
    "a lesson with its notes": ("amara", "/lessons/{lesson.slug}/", _moment),
    "a lesson with its clips": ("amara", "/lessons/{lesson.slug}/", _clip),
    "a lesson with its students": ("amara", "/lessons/{lesson.slug}/", _student),
    "a clip with its notes, to its owner": ("amara", "/clips/{clip.key}/", _note_in_clip),
    "a clip with its loans, to its owner": ("amara", "/clips/{clip.key}/", _loan),
    "clips that are lent": ("tom", "/lessons/shared/", _clip),
    "clips over the API": ("tom", "/api/clips/", _clip),
    "a new lesson, with sections": ("amara", "/lessons/new/", _taught_section),
    "notices": ("amara", "/notices/", _notice),
    "frameworks": ("amara", "/frameworks/", _framework),
    "sections of which consent is kept": ("amara", "/consent/", _taught_section),
    "jobs": ("omar", "/jobs/", _job),
    "tools": ("omar", "/tools/", _tool),
    "who is who": ("omar", "/tools/people/", _unknown),
    "courses elsewhere": ("omar", "/tools/courses/", _course),
    "home, with lessons": ("amara", "/", _lesson),
    "home, with loans": ("tom", "/", _clip),
}


def queries_of(world: World, name: str, url: str) -> int:
    client = world.client(name)
    client.get(url)
    with CaptureQueriesContext(connection) as captured, undone():
        assert client.get(url).status_code == 200
    return len([each for each in captured if "SAVEPOINT" not in each["sql"]])


@pytest.mark.parametrize("what", LISTS)
def test_thirty_rows_cost_what_one_costs(world: World, what: str) -> None:
    name, url, add = LISTS[what]
    url = url.format(**world.things)
    with undone():
        add(world, 0)
        one = queries_of(world, name, url)
        for number in range(1, 30):
            add(world, number)
        thirty = queries_of(world, name, url)
    assert thirty <= one <= MOST, f"{url}: {one} queries for one more row, {thirty} for thirty"


def test_the_page_of_a_colleague_from_outside_the_school_is_bounded_as_well(world: World) -> None:
    """Whether every family said yes is asked besides, and the opening is written down: three more, however many notes."""
    with undone():
        for name in ("leo", "mia", "noah", "zoe"):
            permissions.record_consent(by=world.amara, student=getattr(world, name), answer="yes")
        until = timezone.now() + timedelta(days=14)
        lessons.share_clip(by=world.amara, clip=world.clip, audience="person", person=world.ben, until=until)
        url = f"/clips/{world.clip.key}/"
        _note_in_clip(world, 0)
        one = queries_of(world, "ben", url)
        for number in range(1, 20):
            _note_in_clip(world, number)
        assert queries_of(world, "ben", url) <= one <= MOST + 3
