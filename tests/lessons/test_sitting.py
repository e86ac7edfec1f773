"""Sittings: real time, no more than the wall clock allows, in the ledger as part of the coaching."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staffroom.records.models import Activity, Statement
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import actions
from staffroom.seeing.lessons.actions import sittings
from staffroom.seeing.lessons.models import Clip, Lesson, Sitting
from tests.cast import Cast


class Clock:
    """A wall clock that the test moves."""

    def __init__(self) -> None:
        self.at = timezone.now() - timedelta(hours=3)

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sittings.timezone, "now", clock.now)
    return clock


def watched() -> list[Statement]:
    return list(Statement.objects.filter(verb=verbs.WATCHED.iri).order_by("pk"))


def test_heartbeats_add_up_to_what_was_really_watched(cast: Cast, lesson: Lesson, wall: Clock) -> None:
    for _beat in range(8):
        actions.sit(by=cast.amara, lesson=lesson, seconds=15)
        wall.move(15)
    assert Sitting.objects.get().active_s == 120


def test_nobody_watches_faster_than_the_clock_or_two_things_at_once(
    cast: Cast, lesson: Lesson, clip: Clip, wall: Clock
) -> None:
    actions.sit(by=cast.amara, lesson=lesson, seconds=10_000)
    assert Sitting.objects.get().active_s == sittings.FIRST_BEAT_S
    for _beat in range(10):
        wall.move(10)
        actions.sit(by=cast.amara, lesson=lesson, seconds=10_000)
        actions.sit(by=cast.amara, lesson=lesson, clip=clip, seconds=10_000)
    total = sum(sitting.active_s for sitting in Sitting.objects.all())
    assert total <= 100 + sittings.FIRST_BEAT_S + 20 * sittings.SLACK_S


def test_idle_sittings_are_closed_by_the_schedule_once(cast: Cast, lesson: Lesson, wall: Clock) -> None:
    actions.sit(by=cast.amara, lesson=lesson, seconds=20)
    wall.move(29 * 60)
    assert actions.close_sittings() == 0
    wall.move(2 * 60)
    assert actions.close_sittings() == 1
    assert actions.close_sittings() == 0
    assert [(entry.actor, entry.duration_s, entry.activity) for entry in watched()] == [(cast.amara, 20, None)]


def test_after_an_idle_half_hour_a_new_sitting_begins(cast: Cast, lesson: Lesson, wall: Clock) -> None:
    actions.sit(by=cast.amara, lesson=lesson, seconds=20)
    wall.move(31 * 60)
    actions.sit(by=cast.amara, lesson=lesson, seconds=15)
    assert Sitting.objects.count() == 2
    assert [entry.duration_s for entry in watched()] == [20]


def test_minutes_with_a_lent_clip_count_as_coaching_for_both(
    cast: Cast, lent: Clip, coaching: Activity, wall: Clock
) -> None:
    for person in (cast.priya, cast.amara):
        for _beat in range(4):
            actions.sit(by=person, lesson=lent.lesson, clip=lent, seconds=15)
            wall.move(15)
    actions.note_moment(by=cast.priya, lesson=lent.lesson, clip=lent, text="See?", start_ms=250_000)
    wall.move(3600)
    actions.close_sittings()
    assert {(entry.actor, entry.duration_s, entry.activity) for entry in watched()} == {
        (cast.priya, 60, coaching), (cast.amara, 60, coaching),
    }  # fmt: skip


def test_taking_a_clip_back_writes_the_minutes_at_once(cast: Cast, lent: Clip, coaching: Activity, wall: Clock) -> None:
    for person in (cast.priya, cast.amara):
        actions.sit(by=person, lesson=lent.lesson, clip=lent, seconds=15)
    actions.retract_clip(by=cast.amara, clip=lent)
    assert {(entry.actor, entry.duration_s, entry.activity) for entry in watched()} == {
        (cast.priya, 15, coaching), (cast.amara, 15, coaching),
    }  # fmt: skip


def test_minutes_of_a_colleague_who_is_no_coach_are_no_coaching(
    cast: Cast, clip: Clip, coaching: Activity, wall: Clock
) -> None:
    actions.share_clip(
        by=cast.amara, clip=clip, audience="person", person=cast.tom, until=timezone.now() + timedelta(days=30)
    )
    actions.sit(by=cast.tom, lesson=clip.lesson, clip=clip, seconds=15)
    wall.move(3600)
    actions.close_sittings()
    assert [entry.activity for entry in watched()] == [None]


def test_the_time_outlives_the_lesson(cast: Cast, lent: Clip, coaching: Activity, wall: Clock) -> None:
    actions.sit(by=cast.priya, lesson=lent.lesson, clip=lent, seconds=15)
    actions.delete_lesson(by=cast.amara, lesson=lent.lesson)
    assert [(entry.actor, entry.activity) for entry in watched()] == [(cast.priya, coaching)]


def test_heartbeats_come_in_over_http_and_nonsense_counts_nothing(cast: Cast, lent: Clip, client: Client) -> None:
    client.force_login(cast.priya)
    address = reverse("clips:sit", args=[lent.key])
    for seconds in ("nan", "-5", "x", "", "1e9", "inf"):
        assert client.post(address, {"seconds": seconds}).status_code == 204
    assert sum(sitting.active_s for sitting in Sitting.objects.all()) == 0
    assert client.post(address, {"seconds": "1.6"}).status_code == 204
    assert Sitting.objects.latest("pk").active_s == 2


def test_a_stranger_cannot_sit(cast: Cast, lesson: Lesson, clip: Clip) -> None:
    for person in (cast.priya, cast.tom, cast.denise):
        with pytest.raises(PermissionDenied):
            actions.sit(by=person, lesson=lesson, seconds=15)
        with pytest.raises(PermissionDenied):
            actions.sit(by=person, lesson=lesson, clip=clip, seconds=15)
