"""CPU time, queries and size of pages and of the list API, against a bare Django view that renders as many rows, in one run.

    python -m benchmarks.pages               # 1,000 and 50,000 people
    python -m benchmarks.pages --people 1000

Goals: a list of 30 rows over the API at most 12 CPU ms with its permission checks; a page at most 25 CPU ms, 60 kB, 12 queries.
A ratio of the same run says more than milliseconds of a shared machine: the floor reads thirty people with their two foreign keys
and renders them as a table in a plain template, without session, permissions, navigation or translation, and is measured
before each page. Of each page the median of thirty requests is told; "over" names the goals that it misses.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from string import Formatter
from typing import Any

ROUNDS = 30
ROWS = 30
MOST_WITH_LEDGERS = 10_000
"""Pages about what works are measured up to so many people: what they read is as large in any district."""
FOUND = Path(os.environ.get("STAFFROOM_DATA", ".")) / "found.json"
PAGE_GOAL = {"ms": 25.0, "queries": 12, "kB": 60.0}
API_GOAL = {"ms": 12.0, "queries": 12, "kB": 60.0}
PAGES = (
    ("amara.okafor", "/"),
    ("amara.okafor", "/lessons/"),
    ("amara.okafor", "/lessons/{lesson}/"),
    ("amara.okafor", "/clips/{clip}/"),
    ("tom.lindqvist", "/clips/{clip}/"),
    ("tom.lindqvist", "/lessons/shared/"),
    ("amara.okafor", "/lessons/new/"),
    ("amara.okafor", "/notices/"),
    ("amara.okafor", "/frameworks/"),
    ("amara.okafor", "/consent/"),
    ("amara.okafor", "/circles/"),
    ("amara.okafor", "/my-record/"),
    ("omar.haddad", "/people/"),
    ("omar.haddad", "/jobs/"),
    ("denise.park", "/what-works/"),
    ("denise.park", "/what-works/{activity}/"),
    ("denise.park", "/what-works/{activity}/pictures/"),
    ("denise.park", "/what-works/{activity}/entries/"),
    ("denise.park", "/what-works/{activity}/ingredients/"),
    ("denise.park", "/studies/"),
    ("denise.park", "/studies/{study}/"),
    ("denise.park", "/studies/{study}/result/"),
    ("denise.park", "/lotteries/"),
    ("denise.park", "/lotteries/{lottery}/"),
    ("denise.park", "/evidence/{activity_key}/"),
    ("denise.park", "/evidence/{activity_key}/together/"),
    ("denise.park", "/records/compare/?one={activity_key}&other={other}&year=2026"),
    ("amara.okafor", "/growth/"),
    ("amara.okafor", "/growth/goals/{goal}/"),
    ("denise.park", "/records/"),
    ("denise.park", "/records/activities/"),
    ("denise.park", "/records/entries/"),
    ("omar.haddad", "/api/people"),
    ("amara.okafor", "/api/lessons/"),
    ("tom.lindqvist", "/api/clips/"),
)


def main() -> None:
    """Each size in a process and a data folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="*", default=[1_000, 50_000])
    parser.add_argument("--here", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.here:
        make(told.people[0]) if told.here == "make" else measure()
        return
    for people in told.people:
        with tempfile.TemporaryDirectory(prefix="staffroom-bench-") as folder:
            environment = {**os.environ, "STAFFROOM_DATA": folder, "DJANGO_SETTINGS_MODULE": "staffroom.settings",
                           "STAFFROOM_API_PER_MINUTE": "0"}  # fmt: skip
            for step in ("make", "measure"):
                command = [sys.executable, "-m", "benchmarks.pages", "--here", step, "--people", str(people)]
                subprocess.run(command, env=environment, check=True)


def _begin() -> None:
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)


def make(people: int) -> None:
    """The people, and thirty rows in every list."""
    _begin()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from staffroom.home.demo import placing, world

    drawn = world.draw(teachers=max(24, round(people * 420 / 9437)), seed=2)
    district = placing.place(drawn, seed=2)
    FOUND.write_text(json.dumps(furnish() | (what_works(drawn, district) if people <= MOST_WITH_LEDGERS else {})))


def what_works(drawn: Any, district: Any) -> dict[str, str]:
    """The ledgers of the demo and their answers: three activities, a study, a lottery, goals, evidence of others."""
    from staffroom.frameworks.actions import install_default
    from staffroom.home.demo import asking, keeping
    from staffroom.knowing.impact import actions
    from staffroom.knowing.impact.models import Estimate, Goal, Lottery, Study, StudyAnswer

    install_default()
    kept = keeping.keep(drawn, district, seed=2)
    actions.compute_all(activities=kept.activities)
    asking.ask(district, kept)
    study, lottery, goal = (model.objects.latest("pk") for model in (Study, Lottery, Goal))
    # Its results are still to come: it shows the same answer that an activity has.
    like = Estimate.objects.filter(activity=kept.activities[0]).first()
    assert like is not None
    StudyAnswer.objects.update_or_create(
        version=study.versions.get(), defaults={"input_sha256": "", "summary": {}, "result": {"seed": 1, **like.result}}
    )
    return {
        "activity": kept.activities[0].slug, "activity_key": str(kept.activities[0].key), "study": study.slug,
        "lottery": lottery.slug, "goal": str(goal.key), "other": str(kept.activities[1].key),
    }  # fmt: skip


def measure() -> None:
    """In a process that has served nothing but this, as a web process of `staffroom start` is."""
    _begin()
    from staffroom.asgi import settle
    from staffroom.people.models import Person

    settle()
    found = json.loads(FOUND.read_text())
    print(f"\n{Person.objects.count():,} people; goals of a page: {_words(PAGE_GOAL)}; of the API: {_words(API_GOAL)}")
    for who, address in PAGES:
        if all(name in found for _text, name, *_rest in Formatter().parse(address) if name):
            _report(who, address.format(**found))


def _words(goal: dict[str, float]) -> str:
    return ", ".join(f"{most:g} {name}" for name, most in goal.items())


def furnish() -> dict[str, str]:
    """Thirty rows in every list: lessons with recordings, one with thirty notes and thirty clips, each lent to a colleague."""
    from datetime import timedelta

    from django.utils import timezone

    from staffroom.conversations import actions as conversations
    from staffroom.people.models import Person
    from staffroom.people.queries import sections_of
    from staffroom.seeing.lessons import actions

    amara, tom = (Person.objects.get(email=f"{who}@riverbend.example") for who in ("amara.okafor", "tom.lindqvist"))
    section = sections_of(amara).first()
    for number in range(ROWS):
        lesson = actions.begin_lesson(by=amara, title=f"Lesson {number}", section=section)
        lesson = actions.attach_file(by=amara, lesson=lesson, file=_recording(amara))
        conversations.notify(recipient=amara, kind="reply", actor=tom, url=lesson.get_absolute_url())
    for number in range(ROWS):
        times = {"start_ms": number * 10_000, "end_ms": number * 10_000 + 5_000}
        actions.note_moment(by=amara, lesson=lesson, text=f"Waited longer than last time, {number}", **times)
        clip = actions.make_clip(by=amara, lesson=lesson, title=f"Clip {number}", **times)
        until = timezone.now() + timedelta(days=14)
        actions.share_clip(by=amara, clip=clip, audience="person", person=tom, until=until)
    return {"lesson": lesson.slug, "clip": str(clip.key)}


def _recording(owner: Any) -> Any:
    """A recording that is ready, without bytes: no page opens them."""
    from datetime import timedelta

    from django.utils import timezone

    from staffroom.files.models import Derivative, File

    file = File.objects.create(
        owner=owner, name="lesson.mp4", kind="video", media_type="video/mp4", size=5, state=File.State.READY,
        duration_ms=600_000, ends_on=timezone.localdate() + timedelta(days=200), streams={"video": 1, "audio": 1},
    )  # fmt: skip
    kinds = (Derivative.Kind.WEB_VIDEO, Derivative.Kind.POSTER, Derivative.Kind.STORYBOARD, Derivative.Kind.WAVEFORM)
    for kind in kinds:
        Derivative.objects.create(file=file, kind=kind, state=Derivative.State.READY, media_type="video/mp4", size=5)
    return file


def client(who: str) -> Any:
    from django.conf import settings
    from django.test import Client

    from staffroom.people.models import Person

    settings.ALLOWED_HOSTS = ["*"]
    browser = Client()
    browser.force_login(Person.objects.get(email=f"{who}@riverbend.example"))
    return browser


def _median_ms(ask: Any) -> float:
    for _ in range(3):
        ask()
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        ask()
        spent.append((time.process_time() - began) * 1000)
    return statistics.median(spent)


def _floor_ms() -> float:
    """What Django itself takes for thirty rows, and the peer of every page."""
    from django.http import HttpRequest, HttpResponse
    from django.template import engines
    from django.test import RequestFactory

    from staffroom.people.models import Membership

    template = engines["django"].from_string(
        "<table>{% for m in rows %}<tr><td>{{ m.person.given_name }}</td><td>{{ m.organization.name }}</td>"
        "<td>{{ m.role }}</td></tr>{% endfor %}</table>"
    )

    def view(request: HttpRequest) -> HttpResponse:
        rows = Membership.objects.select_related("person", "organization").order_by("pk")[:ROWS]
        return HttpResponse(template.render({"rows": rows}))

    request = RequestFactory().get("/")
    return _median_ms(lambda: view(request))


def _report(who: str, address: str) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = client(who)
    floor_ms = _floor_ms()
    ms = _median_ms(lambda: browser.get(address))
    with CaptureQueriesContext(connection) as asked:
        answer = browser.get(address)
    queries = sum(each["sql"].split(" ", 1)[0] in ("SELECT", "INSERT", "UPDATE", "DELETE") for each in asked)
    measured = {"ms": ms, "queries": queries, "kB": len(answer.content) / 1000}
    goal = API_GOAL if address.startswith("/api/") else PAGE_GOAL
    over = ", ".join(name for name, most in goal.items() if measured[name] > most)
    print(
        f"{who:14}{answer.status_code} {address[:46]:48}{ms:7.1f} ms {ms / floor_ms:5.1f} × floor of {floor_ms:4.1f} ms"
        f" {queries:4} queries {measured['kB']:6.1f} kB{f'   over: {over}' if over else ''}",
        flush=True,
    )


if __name__ == "__main__":
    main()
