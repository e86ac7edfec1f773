"""A lesson of Amara's that is ready to be watched, without bytes: what is tested with real media says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from staffroom.files.models import Derivative, File
from staffroom.people.models import Person, Section
from staffroom.permissions.models import Consent
from staffroom.records.models import Activity
from staffroom.seeing.lessons import actions
from staffroom.seeing.lessons.models import Clip, Lesson
from tests.cast import Cast

TEN_MINUTES_MS = 600_000


def ready_file(owner: Person, duration_ms: int = TEN_MINUTES_MS) -> File:
    """A video that has been looked at and prepared; its bytes are nowhere."""
    file = File.objects.create(
        owner=owner, name="lesson.mp4", kind="video", media_type="video/mp4", size=1000, path="nowhere",
        state=File.State.READY, duration_ms=duration_ms, width=640, height=360,
        streams={"video": {"codec": "h264"}, "audio": {"codec": "aac"}},
        ends_on=timezone.localdate() + timedelta(days=365),
    )  # fmt: skip
    for kind in (
        Derivative.Kind.WEB_VIDEO,
        Derivative.Kind.POSTER,
        Derivative.Kind.WAVEFORM,
        Derivative.Kind.STORYBOARD,
    ):
        Derivative.objects.create(
            file=file, kind=kind, state=Derivative.State.READY, path="nowhere", media_type="video/mp4"
        )
    return file


def ready_lesson(owner: Person, section: Section | None, title: str = "Fractions on Tuesday") -> Lesson:
    lesson = actions.begin_lesson(by=owner, title=title, section=section)
    return actions.attach_file(by=owner, lesson=lesson, file=ready_file(owner))


def cut_ready(clip: Clip) -> Clip:
    """The cutting of the clip is done."""
    assert clip.lesson.file is not None
    clip.lesson.file.derivatives.filter(kind=Derivative.Kind.CLIP).update(
        state=Derivative.State.READY, path="nowhere", media_type="video/mp4"
    )
    return clip


def all_say_yes(cast: Cast) -> None:
    for name in ("leo", "mia", "noah", "zoe"):
        Consent.objects.create(student=getattr(cast, name), answer=Consent.Answer.YES)


def in_two_weeks() -> Any:
    return timezone.now() + timedelta(days=14)


@pytest.fixture
def lesson(cast: Cast) -> Lesson:
    return ready_lesson(cast.amara, cast.section)


@pytest.fixture
def clip(lesson: Lesson) -> Clip:
    """04:00 to 05:00 of the lesson."""
    made = actions.make_clip(
        by=lesson.owner, lesson=lesson, start_ms=240_000, end_ms=300_000, title="Leo's answer", question="Did I wait?"
    )
    return cut_ready(made)


@pytest.fixture
def lent(cast: Cast, clip: Clip) -> Clip:
    """The clip, lent to Priya for two weeks."""
    actions.share_clip(by=cast.amara, clip=clip, audience="person", person=cast.priya, until=in_two_weeks())
    return clip


@pytest.fixture
def coaching(cast: Cast) -> Activity:
    """The coaching program of the district."""
    return Activity.objects.create(
        organization=cast.district, iri="https://riverbend.example/coaching", slug="coaching", name="Coaching",
        kind=Activity.Kind.COACHING,
    )  # fmt: skip
