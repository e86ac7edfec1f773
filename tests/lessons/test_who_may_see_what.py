"""One rule, two readings: what holds for one lesson, clip or moment holds for the many that a query finds."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from staffroom.people.models import Enrollment, Membership, Person, Role, Section
from staffroom.permissions.models import Access, BreakGlass, Circle, CircleMember, Consent, Share
from staffroom.permissions.models import about as pointing_at
from staffroom.seeing.lessons import actions, queries, rules
from staffroom.seeing.lessons.listing import clips_listed, lessons_listed
from staffroom.seeing.lessons.models import Clip, Lesson, Moment
from staffroom.ui import navigation
from tests.cast import Cast
from tests.lessons.conftest import all_say_yes, in_two_weeks

STRANGERS = ("priya", "grace", "ben", "omar")


@pytest.mark.parametrize("who", STRANGERS)
def test_an_unshared_lesson_is_nowhere_for_anybody_else(
    cast: Cast, lesson: Lesson, clip: Clip, client, who: str
) -> None:  # type: ignore[no-untyped-def]
    client.force_login(getattr(cast, who))
    moment = actions.note_moment(by=cast.amara, lesson=lesson, text="I hurried", start_ms=1000)
    for name in ("lesson", "record", "progress", "media", "change", "delete", "make_clip"):
        assert client.get(reverse(f"lessons:{name}", args=[lesson.slug])).status_code == 404, name
    for name in ("finish_recording", "sit", "reflect", "original", "note_moment", "delete"):
        assert client.post(reverse(f"lessons:{name}", args=[lesson.slug]), {"text": "x"}).status_code == 404, name
    for layout in ("vtt", "csv", "jsonld"):
        assert client.get(reverse("lessons:export", args=[lesson.slug, layout])).status_code == 404
        assert client.get(reverse("clips:export", args=[clip.key, layout])).status_code == 404
    for name in ("clip", "share", "media", "progress", "delete"):
        assert client.get(reverse(f"clips:{name}", args=[clip.key])).status_code == 404, name
    for name in ("sit", "comment", "note_moment", "retract", "delete", "download", "share"):
        assert client.post(reverse(f"clips:{name}", args=[clip.key]), {"text": "x"}).status_code == 404, name
    for name in ("change_moment", "remove_moment", "reply"):
        assert client.post(reverse(f"clips:{name}", args=[moment.key]), {"text": "x"}).status_code == 404, name
    for name in ("list", "shared"):
        assert "Fractions" not in client.get(reverse(f"lessons:{name}")).content.decode()


def test_who_is_not_signed_in_is_asked_to(lesson: Lesson, clip: Clip, client) -> None:  # type: ignore[no-untyped-def]
    for address in (lesson.get_absolute_url(), clip.get_absolute_url(), reverse("lessons:list")):
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, reverse("account_login"))


def test_the_owner_tells_who_can_see_her_clip_and_who_opened_it(cast: Cast, lent: Clip, client) -> None:  # type: ignore[no-untyped-def]
    client.force_login(cast.priya)
    assert client.get(lent.get_absolute_url()).status_code == 200
    client.force_login(cast.amara)
    page = client.get(lent.get_absolute_url()).content.decode()
    assert "Priya Nair" in page
    assert "opened it" in page


def test_broken_glass_opens_a_lesson_to_the_two_who_broke_it_and_only_for_a_time(cast: Cast, lesson: Lesson) -> None:
    glass = BreakGlass.objects.create(
        owner=cast.amara, reason="A safeguarding concern.", asked_by=cast.omar, approved_by=cast.ines,
        approved_at=timezone.now(), expires_at=timezone.now() + timedelta(hours=1), **pointing_at(lesson),
    )  # fmt: skip
    for name, is_open in (("omar", True), ("ines", True), ("denise", False)):
        person = getattr(cast, name)
        assert rules.may_watch(person, lesson) is is_open
        assert Lesson.objects.filter(rules.watchable_by(person)).exists() is is_open
    BreakGlass.objects.filter(pk=glass.pk).update(expires_at=timezone.now())
    assert not rules.may_watch(cast.omar, lesson)


def test_the_two_readings_of_every_rule_agree_over_generated_worlds(cast: Cast) -> None:
    people = [
        getattr(cast, name) for name in ("amara", "tom", "priya", "grace", "ben", "denise", "omar", "ruth", "vera")
    ]
    seen = dict.fromkeys(("watch", "open", "lent", "moment"), 0)
    for seed in range(14):
        _grow(cast, random.Random(seed), people)
    waiting = 0
    lessons, clips, moments = list(Lesson.objects.all()), list(Clip.objects.all()), list(Moment.objects.all())
    for person in (Person.objects.get(pk=each.pk) for each in people):
        watched = set(Lesson.objects.filter(rules.watchable_by(person)))
        assert watched == {lesson for lesson in lessons if rules.may_watch(person, lesson)}
        opened = set(Clip.objects.filter(rules.openable_by(person)))
        assert opened == {clip for clip in clips if rules.may_open(person, clip)}
        read = set(Moment.objects.filter(rules.moments_readable_by(person)))
        assert read == {moment for moment in moments if rules.may_read_moment(person, moment)}
        inside = set(Lesson.objects.filter(rules.inside_for(person)))
        assert inside == {lesson for lesson in lessons if rules.is_inside(person, lesson)}
        lent = set(Clip.objects.filter(rules.lent_to(person)))
        assert [row.pk for row in clips_listed(person, most=500)] == sorted((clip.pk for clip in lent), reverse=True)
        unseen = {clip.pk for clip in lent} - set(
            Access.objects.filter(viewer=person).values_list("object_id", flat=True)
        )
        assert navigation.counts_for(person, navigation.entries_for(person))["lessons"] == len(unseen)
        waiting += len(unseen)
        own = sorted(lesson.pk for lesson in lessons if lesson.owner_id == person.pk)
        assert sorted(row.pk for row, _progress in lessons_listed(person, most=500)) == own
        for name, found in (("watch", watched), ("open", opened), ("lent", lent), ("moment", read)):
            seen[name] += len(found)
    leaving = set(Lesson.objects.filter(rules.leaving_school()))
    assert leaving == {lesson for lesson in lessons if rules.may_leave_school(lesson)}
    assert leaving
    assert waiting
    assert min(seen.values()) > 5, f"a world in which nothing happens proves nothing: {seen}"


def _grow(cast: Cast, chance: random.Random, people: list[Person]) -> None:
    """Add to the world what a few days bring: lessons, clips, loans of all kinds, answers of families, moments."""
    owner, other = chance.sample(people, 2)
    section = chance.choice([cast.section, Section.objects.create(school=cast.birch, title="Other"), None])
    lesson = Lesson.objects.create(
        owner=owner, title="L", slug=f"l-{chance.random()}", section=section, taught_on=timezone.localdate(),
        reflection=chance.choice(["", "I hurried"]), ends_on=timezone.localdate(),
    )  # fmt: skip
    if section is not None and chance.random() < 0.7:
        student = getattr(cast, chance.choice(["leo", "mia", "noah", "zoe"]))
        Enrollment.objects.get_or_create(section=section, person=student, role=Enrollment.Role.STUDENT)
    for name in ("leo", "mia", "noah", "zoe"):
        if chance.random() < 0.5:
            ends = chance.choice([None, None, timezone.localdate(), timezone.localdate() - timedelta(days=1)])
            answer = chance.choice(["yes", "yes", "yes", "in_school", "no"])
            Consent.objects.create(student=getattr(cast, name), answer=answer, ends_on=ends)
    if chance.random() < 0.3:
        place, role = chance.choice([cast.alder, cast.birch, cast.district]), chance.choice([Role.COACH, Role.PARTNER])
        Membership.objects.get_or_create(person=other, organization=place, role=role)
    clip = Clip.objects.create(
        lesson=lesson, title="C", start_ms=1000, end_ms=9000, has_moments=chance.random() < 0.5, ends_on=lesson.ends_on
    )
    circle = Circle.objects.create(name="Math", owner=owner)
    for person in chance.sample(people, 3):
        CircleMember.objects.create(circle=circle, person=person)
    if chance.random() < 0.3:
        Access.objects.create(owner=owner, viewer=other, title="C", **pointing_at(clip))
    for _time in range(3):
        audience = chance.choice(["person", "circle", "school", "district", "public"])
        Share.objects.create(
            owner=owner, audience=audience, is_reflect_first=chance.random() < 0.3,
            person=other if audience == "person" else None,
            circle=circle if audience == "circle" else None,
            organization={"school": chance.choice([cast.alder, cast.birch]), "district": cast.district}.get(audience),
            expires_at=timezone.now() + timedelta(days=chance.choice([-1, 14])),
            retracted_at=chance.choice([None, None, timezone.now()]), **pointing_at(clip),
        )  # fmt: skip
    for person in (owner, other, None):
        start = chance.randrange(12_000)
        Moment.objects.create(
            lesson=lesson, clip=chance.choice([clip, None]), author=person, start_ms=start, text="m",
            end_ms=chance.choice([None, start + 500]), ends_on=lesson.ends_on,
        )  # fmt: skip
    if chance.random() < 0.5:
        BreakGlass.objects.create(
            owner=owner, reason="A safeguarding concern.", asked_by=cast.omar, approved_by=cast.ines,
            approved_at=chance.choice([None, timezone.now()]), expires_at=timezone.now() + timedelta(hours=1),
            **pointing_at(lesson),
        )  # fmt: skip


def test_a_clip_page_holds_nothing_from_outside_its_seconds(cast: Cast, lent: Clip, client) -> None:  # type: ignore[no-untyped-def]
    lesson = lent.lesson
    actions.note_moment(by=cast.amara, lesson=lesson, text="outside of it", start_ms=10_000)
    actions.note_moment(by=cast.amara, lesson=lesson, text="half outside", start_ms=299_000, end_ms=302_000)
    actions.note_moment(by=cast.amara, lesson=lesson, text="within it", start_ms=250_000)
    client.force_login(cast.priya)
    assert "within it" not in client.get(lent.get_absolute_url()).content.decode()
    Clip.objects.filter(pk=lent.pk).update(has_moments=True)
    page = client.get(lent.get_absolute_url()).content.decode()
    assert "within it" in page
    assert "outside" not in page
    its_own = f'data-storyboard="/clips/{lent.key}/storyboard.jpg"'
    assert "storyboard" not in page.replace(its_own, "")
    assert "04:10" in page


def test_nobody_outside_the_school_opens_a_clip_before_every_family_said_yes(cast: Cast, clip: Clip) -> None:
    Share.objects.create(
        owner=cast.amara,
        audience="district",
        organization=cast.district,
        expires_at=in_two_weeks(),
        **pointing_at(clip),
    )
    assert not queries.clip_for(cast.ben, clip.key)
    assert queries.clip_for(cast.tom, clip.key)
    all_say_yes(cast)
    assert queries.clip_for(cast.ben, clip.key)
