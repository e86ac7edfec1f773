"""A small generated world: the cast, and at least one row of everything, so that every door has something behind it.

Amara's private words are *marks*: made-up words that occur nowhere else. Whoever else can find one has found a leak.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pyarrow
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client, TestCase
from django.utils import timezone
from PIL import Image

from staffroom.conversations import actions as conversations
from staffroom.exchange.actions import crediting, forwarding, keys, mappings, receiving
from staffroom.exchange.models import Agent, Credit
from staffroom.files.models import Derivative, File, Upload
from staffroom.frameworks import actions as frameworks
from staffroom.frameworks.models import Framework
from staffroom.jobs.models import Job
from staffroom.knowing.impact import actions as impact
from staffroom.knowing.impact import asking, keeping
from staffroom.knowing.impact.actions import evidence, growth
from staffroom.knowing.impact.actions.answering import summary_of
from staffroom.knowing.impact.models import Offer, StudyAnswer
from staffroom.knowing.impact.queries import teachers_at
from staffroom.knowing.impact.summing import Stretch
from staffroom.knowing.studies import bundles
from staffroom.measure import answering
from staffroom.people import actions as people
from staffroom.people.models import Membership, Person, Role
from staffroom.permissions import actions as permissions
from staffroom.permissions.models import RetentionWarning
from staffroom.records import actions as records
from staffroom.records.models import ColumnMapping
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import actions as lessons
from tests import cast as casts

NAMES = (
    "anonymous", "amara", "tom", "priya", "grace", "ben", "denise", "omar", "ines", "ruth", "rafael", "vera", "leo",
)  # fmt: skip
"""Who walks through every door. Amara owns; Priya has been lent one clip; Vera is of another district; Leo is a student."""

# Hers alone, before anything is shared.
PRIVATE = {
    "title": "Heronmarsh", "focus": "Bitternreed", "moment": "Gannetcliff", "reflection": "Plovershore",
    "draft": "Curlewbay", "file": "Ternisland", "clip": "Dotterelfen", "question": "Whimbrelsand",
    "upload": "Avocetpool", "reply": "Fulmarledge", "element": "Kittiwakehead",
}  # fmt: skip
# Lent to Priya with one clip: hers and Priya's.
LENT = {"clip": "Sandpiperdune", "question": "Turnstonerock", "moment": "Dunlinflat", "comment": "Oystercatcherbar"}


@dataclass
class World:
    """The cast and what they made."""

    cast: casts.Cast
    things: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        things = self.__dict__["things"]
        return things[name] if name in things else getattr(self.__dict__["cast"], name)

    def person(self, name: str) -> Person | None:
        return None if name == "anonymous" else self.cast.people[name]

    def client(self, name: str) -> Client:
        """A browser in which this person is signed in (or nobody), whose server errors come back as answers."""
        client = Client(raise_request_exception=False)
        person = self.person(name)
        if person is not None:
            client.force_login(person)
        return client


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def build() -> World:
    """Make the world. Everything that a deed can make is made through deeds."""
    world = World(casts.gather())
    Membership.objects.create(person=world.leo, organization=world.birch, role=Role.STUDENT)
    for name in ("leo", "mia", "noah"):
        Person.objects.filter(pk=getattr(world, name).pk).update(district=world.district, source_id=f"s-{name}")
    with TestCase.captureOnCommitCallbacks(execute=True):
        for room in (
            _people,
            _permissions,
            _frameworks,
            _lessons,
            _records,
            _exchange,
            _jobs,
            _growth,
            _studies,
            _lotteries,
        ):
            room(world)
    return world


def _people(world: World) -> None:
    things = world.things
    invitation, secret = people.invite(
        by=world.omar, email="new@riverbend.example", organization=world.alder, role=Role.TEACHER,
        link="https://staffroom.example/join/{secret}",
    )  # fmt: skip
    csv = b"student_id,given_name,family_name,teacher_email,section_id,school,term\n1,Ida,Berg,x,,,\n"
    things |= {"invitation": invitation, "secret": secret, "roster_csv": csv}
    things["tom_role"] = Membership.objects.get(person=world.tom)
    things["circle"] = permissions.make_circle(by=world.amara, name="Math five", members=[world.tom])
    template = world.client("omar").get("/rosters/template.csv")
    content = b"".join(template) if template.streaming else template.content
    things["roster"] = people.receive_roster(
        by=world.omar, district=world.district, name="roster.csv", file=BytesIO(content)
    )


def _permissions(world: World) -> None:
    for name, answer in (("leo", "yes"), ("mia", "in_school"), ("noah", "no")):
        permissions.record_consent(by=world.amara, student=getattr(world, name), answer=answer)
    permissions.set_policy(by=world.omar, organization=world.district, settings={"retention_days": 200})


def _frameworks(world: World) -> None:
    text = "identifier,parent,code,title,statement,kind\na,,1,Asking,Asks open questions,practice\n"
    version = frameworks.import_csv(by=world.omar, organization=world.district, text=text, title="Riverbend basics")
    frameworks.publish(by=world.omar, version=version)
    frameworks.import_csv(
        by=world.omar, organization=world.district, text=text + "b,,2,Waiting,Waits for answers,practice\n",
        title="Riverbend basics",
    )  # fmt: skip
    world.things |= {"framework": version.framework, "element": version.elements.get()}
    assert Framework.objects.count() >= 1


def _growth(world: World) -> None:
    """Amara has set out for a practice, says where she stands, and lets Priya see it, who says so too."""
    element = world.things["element"]
    goal = growth.declare_goal(by=world.amara, element=element, why="So that quiet students speak")
    growth.let_coach_see(by=world.amara, goal=goal, coach=world.priya)
    for by, level in ((world.amara, 2), (world.priya, 3)):
        growth.note_standing(by=by, person=world.amara, element=element, level=level)
    growth.set_aims(by=world.denise, activity=world.things["activity"], elements=[element])
    world.things["goal"] = goal
    kept = {
        "format": bundles.FORMAT,
        "organization": "Hillview",
        "effect": {"sd": 0.1, "se": 0.05},
        "n": {"teachers": 40},
        "gates": [],
    }
    world.things["evidence"] = evidence.take_in_bundle(
        by=world.denise, activity=world.things["activity"], content=json.dumps(kept).encode(), name="hillview.json"
    )


def _studies(world: World) -> None:
    """Denise has asked whether number talks work, in time; what came out is too little to say anything."""
    things = world.things
    study = impact.start_study(
        by=world.denise, organization=world.district, activities=[things["activity"]], name="Do number talks work?",
        decision="Go on or stop.", instrument=things["instrument"], outcomes_from=world.next_term.begins_on,
        outcomes_until=world.next_term.ends_on,
    )  # fmt: skip
    version = impact.register_study(by=world.denise, study=study)
    row = {"teacher_key": ["t"], "school_key": ["s"], "term_begins_on": [world.term.begins_on], "n": [20],
           "y_sum": [1200.0], "y_sumsq": [74000.0]}  # fmt: skip
    term = Stretch("Fall", world.term.begins_on, world.term.ends_on)
    question = asking.question_of(asking.Material(pyarrow.table(row), {}, [term], 20))
    result = {"terms": [], "is_higher_better": True, "seed": 1, "answer": keeping.kept(answering.answer(question))}
    StudyAnswer.objects.create(version=version, input_sha256="", result=result, summary=summary_of(result))
    things["study"] = study


def _lotteries(world: World) -> None:
    """One lottery in which Amara, Tom and Ben have seats, and one that is being set up."""
    things, day = world.things, timezone.localdate() + timedelta(days=10)
    for name in ("open_lottery", "lottery"):
        things[name] = made = impact.start_lottery(
            by=world.denise, organization=world.district, activity=things["activity"], name="Coaching seats",
            waves=[impact.Round(name="Now", seats=3, begins_on=day)],
        )  # fmt: skip
        impact.add_applicants(by=world.denise, lottery=made, teachers=teachers_at(world.district), blocks={})
    impact.announce(by=world.denise, lottery=made, number_source="The state lottery of Saturday")
    impact.draw(by=world.denise, lottery=made, number="4 8 15")
    things["offer"] = Offer.objects.get(applicant__person=world.amara)
    things["applicant"] = things["open_lottery"].applicants.get(person=world.tom)


def made_file(owner: Person, name: str) -> File:
    """A video that has been looked at and prepared; its bytes are small and fake, but they are there."""
    file = File.objects.create(
        owner=owner, name=name, kind="video", media_type="video/mp4", size=5, state=File.State.READY,
        duration_ms=600_000, width=640, height=360, ends_on=timezone.localdate() + timedelta(days=200),
        streams={"video": 1, "audio": 1},
    )  # fmt: skip
    file.path = default_storage.save(f"originals/{file.key}", ContentFile(b"whole"))
    file.save(update_fields=["path"])
    for kind, media_type in (
        ("web_video", "video/mp4"), ("poster", "image/jpeg"), ("waveform", "application/json"), ("storyboard", "image/jpeg"),
    ):  # fmt: skip
        made = Derivative.objects.create(
            file=file, kind=kind, state=Derivative.State.READY, media_type=media_type, size=5, made_at=timezone.now()
        )
        _put(made)
    return file


def _put(made: Derivative) -> None:
    content = _small_pictures() if made.kind == "storyboard" else b"bytes"
    name = default_storage.save(f"derivatives/{made.key}", ContentFile(content))
    Derivative.objects.filter(pk=made.pk).update(
        path=name, state=Derivative.State.READY, size=len(content), media_type=made.media_type or "video/mp4",
        details={"interval_ms": 6000, "count": 100, "tile_width": 4, "tile_height": 2} if made.kind == "storyboard" else {},
    )  # fmt: skip


def _small_pictures() -> bytes:
    written = BytesIO()
    Image.new("RGB", (40, 20)).save(written, "JPEG")
    return written.getvalue()


def _lessons(world: World) -> None:
    amara, things = world.amara, world.things
    lesson = lessons.begin_lesson(
        by=amara, title=f"{PRIVATE['title']} fractions", section=world.section, focus=f"{PRIVATE['focus']} time"
    )
    lesson = lessons.attach_file(by=amara, lesson=lesson, file=made_file(amara, f"{PRIVATE['file']}.mp4"))
    lessons.reflect(by=amara, lesson=lesson, text=f"I talked too much. {PRIVATE['reflection']}")
    moment = lessons.note_moment(by=amara, lesson=lesson, text=f"{PRIVATE['moment']} hurried", start_ms=10_000)
    lessons.reply(by=amara, about=moment, text=f"Next time wait. {PRIVATE['reply']}")
    cut = {"by": amara, "lesson": lesson}
    private = lessons.make_clip(
        **cut, start_ms=1000, end_ms=9000, title=PRIVATE["clip"], question=f"{PRIVATE['question']}?"
    )
    clip = lessons.make_clip(
        **cut, start_ms=240_000, end_ms=300_000, title=LENT["clip"], question=f"{LENT['question']}?"
    )
    for made in Derivative.objects.filter(kind="clip"):
        _put(made)
    lessons.share_clip(
        by=amara, clip=clip, audience="person", person=world.priya, until=timezone.now() + timedelta(days=14)
    )
    noted = lessons.note_moment(
        by=world.priya, lesson=lesson, clip=clip, text=f"You waited. {LENT['moment']}", start_ms=250_000
    )
    comment = lessons.reply(by=amara, about=clip, text=f"Thank you. {LENT['comment']}")
    lessons.open_clip(by=world.priya, clip=clip)
    lessons.sit(by=amara, lesson=lesson, seconds=60)
    lessons.sit(by=world.priya, lesson=lesson, clip=clip, seconds=30)
    conversations.keep_draft(by=amara, place=f"lesson:{lesson.key}", body={"text": f"{PRIVATE['draft']} …"})
    things |= {"lesson": lesson, "moment": moment, "private_clip": private, "clip": clip, "noted": noted,
               "comment": comment}  # fmt: skip
    things["empty_lesson"] = lessons.begin_lesson(by=amara, title=f"{PRIVATE['title']} two", section=world.section)
    things["upload"] = Upload.objects.create(
        owner=amara, name=f"{PRIVATE['upload']}.mp4", size=10, expires_at=timezone.now() + timedelta(days=7),
        purpose="lesson", metadata={"lesson": str(things["empty_lesson"].key)},
    )  # fmt: skip
    things["file"] = lesson.file
    things["notice"] = amara.notices.first()
    things["share"] = clip_share(world)
    player = world.client("amara").get(f"/lessons/{lesson.slug}/media/").json()
    things["signed"] = player["src"].split("/")[2]
    things["glass"] = permissions.ask_break_glass(
        by=world.omar, about=lesson, owner=amara, reason="A family told us of a worry about safety."
    )
    RetentionWarning.objects.create(person=amara, ends_on=lesson.ends_on, **_about(lesson))


def clip_share(world: World) -> Any:
    from staffroom.permissions.queries import live_shares_of

    return live_shares_of(world.clip).first()


def _about(thing: Any) -> dict[str, Any]:
    from staffroom.permissions.models import about

    return about(thing)


def _records(world: World) -> None:
    things, denise, district = world.things, world.denise, world.district
    activity = records.make_activity(by=denise, organization=district, name="Number talks", kind="coaching")
    instrument = records.make_instrument(
        by=denise, organization=district, name="District math", kind="test", scale_low=0, scale_high=100
    )
    things["price_index"] = records.set_price_index(
        by=denise, organization=district, kind="year", name="2025", value=Decimal("313.7")
    )
    things["price"] = records.add_price(
        by=denise, organization=district, kind="wage", name="Teacher", role="teacher", unit="hour",
        unit_price_usd_cents=4100, price_year=2026,
    )  # fmt: skip
    things["statement"] = records.record(
        by=world.amara, verb=verbs.ATTENDED, object=activity, activity=activity, duration_s=3600
    )
    records.record(by=world.tom, verb=verbs.ATTENDED, object=activity, activity=activity, duration_s=1800)
    things["cost"] = records.record_cost(
        by=denise, activity=activity, ingredient="Room", kind="room", unit="day", unit_price_usd_cents=5000,
        quantity=Decimal(2), happened_on=timezone.localdate(), price_year=2026,
    )  # fmt: skip
    for who, value in ((world.leo, 60.0), (world.mia, 70.0)):
        result = records.Result(
            subject="student", term_id=world.term.pk, value=value, person_id=who.pk, teacher_id=world.amara.pk,
            school_id=world.alder.pk,
        )  # fmt: skip
        records.record_outcome(by=denise, instrument=instrument, result=result)
    rows = b"Student ID,Semester,Scale Score\ns-leo,Fall 2026,71\n"
    kept = records.keep_file(by=denise, organization=district, name="results.csv", content=rows)
    ColumnMapping.objects.create(organization=district, name="Fall", instrument=instrument, columns={})
    things |= {"activity": activity, "instrument": instrument, "outcome_import": kept}


def _exchange(world: World) -> None:
    tool = keys.add_tool(by=world.omar, organization=world.district, name="Workshops")
    api_key, _secret = keys.make_key(by=world.omar, tool=tool, scopes=["statements/write"])
    world.things |= {"tool": tool, "api_key": api_key}
    _what_a_tool_wrote(world, tool, api_key)


def _what_a_tool_wrote(world: World, tool: Any, api_key: Any) -> None:
    """An hour of Amara's in a course elsewhere that counts, and somebody who is not matched."""
    about = {
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://vendor.example/course"},
    }
    activity = records.make_activity(by=world.denise, organization=world.district, name="Course", kind="course")
    mapping = mappings.make_mapping(
        by=world.omar, tenant=world.district, iri="https://vendor.example/course", activity=activity
    )
    bodies = [
        {**about, "actor": {"mbox": f"mailto:{world.amara.email}"}, "result": {"duration": "PT1H"}},
        {**about, "actor": {"account": {"homePage": "https://vendor.example", "name": "x17"}}},
    ]
    caller = keys.caller(key_id=api_key.pk, tool=tool, scopes=api_key.scopes)
    receiving.receive(caller=caller, bodies=bodies, major=1)
    crediting.count_marked(tenant_id=world.district.pk)
    destination = forwarding.make_destination(
        by=world.omar, tenant=world.district, name="State", url="https://lrs.example/xapi", key_name="k", secret="s"
    )
    things = {"mapping": mapping, "agent": Agent.objects.get(person=None), "credit": Credit.objects.get()}
    things["destination"] = destination
    world.things |= things


def _jobs(world: World) -> None:
    from staffroom.files.tasks import look
    from staffroom.jobs.actions import later

    job = later(look, by=world.amara, about=world.file, label=world.file.name, file=world.file.pk)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, finished_at=timezone.now(), failure="It broke.")
    world.things["job"] = Job.objects.get(pk=job.pk)
