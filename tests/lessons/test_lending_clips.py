"""Lending clips: to whom, as far as families allow, until when; and taking back at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staffroom.conversations.models import Notice
from staffroom.files.models import Derivative
from staffroom.permissions import actions as permissions
from staffroom.permissions.models import Share
from staffroom.seeing.lessons import actions, queries, tasks
from staffroom.seeing.lessons.models import Clip, Lesson
from tests.cast import Cast
from tests.lessons.conftest import all_say_yes, in_two_weeks


def share_form(target: str, **more: str) -> dict[str, str]:
    return {"target": target, "until": (timezone.localdate() + timedelta(days=14)).isoformat(), **more}


def test_the_owner_cuts_and_lends_and_the_coach_opens(cast: Cast, lesson: Lesson, client: Client) -> None:
    client.force_login(cast.amara)
    form = {"start": "4:00", "end": "5:00", "title": "Leo's answer", "question": "Did I wait?", "has_moments": ""}
    answer = client.post(reverse("lessons:make_clip", args=[lesson.slug]), form)
    clip = Clip.objects.get()
    assert answer.headers["Location"] == reverse("clips:share", args=[clip.key])
    cut = Derivative.objects.get(kind=Derivative.Kind.CLIP)
    assert (cut.start_ms, cut.end_ms) == (240_000, 300_000)
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Priya Nair" in page
    assert "0 of 4 families said yes" in page
    assert client.post(answer.headers["Location"], share_form(f"person:{cast.priya.pk}")).status_code == 302
    assert Notice.objects.get(recipient=cast.priya).kind == "clip_shared"
    client.force_login(cast.priya)
    assert "Leo&#x27;s answer" in client.get(reverse("lessons:shared")).content.decode()
    page = client.get(clip.get_absolute_url()).content.decode()
    assert "04:00–05:00" in page
    assert "Did I wait?" in page


@pytest.mark.parametrize(
    ("start", "end"), [("5:00", "4:00"), ("4:00", "4:00"), ("9:00", "10:30"), ("", "1:00"), ("0:00", "99:00:00")]
)
def test_a_range_that_is_none_is_refused(cast: Cast, lesson: Lesson, client: Client, start: str, end: str) -> None:
    client.force_login(cast.amara)
    form = {"start": start, "end": end, "title": "Kept title", "question": ""}
    answer = client.post(reverse("lessons:make_clip", args=[lesson.slug]), form)
    assert answer.status_code == 422
    assert "Kept title" in answer.content.decode()
    assert not Clip.objects.exists()


def test_a_clip_stays_inside_the_school_until_every_family_said_yes(cast: Cast, clip: Clip, client: Client) -> None:
    client.force_login(cast.amara)
    address = reverse("clips:share", args=[clip.key])
    outside = [f"person:{cast.ben.pk}", f"person:{cast.denise.pk}", f"organization:{cast.district.pk}"]
    for target in outside:
        answer = client.post(address, share_form(target))
        assert answer.status_code == 422, target
        assert "stays inside the school" in answer.content.decode()
    assert not Share.objects.exists()
    for target in (f"person:{cast.grace.pk}", f"organization:{cast.alder.pk}"):
        assert client.post(address, share_form(target)).status_code == 302, target
    all_say_yes(cast)
    for target in outside:
        assert client.post(address, share_form(target)).status_code == 302, target


def test_a_circle_with_one_member_outside_is_outside(cast: Cast, clip: Clip, client: Client) -> None:
    inside = permissions.make_circle(by=cast.amara, name="Room 12", members=[cast.tom, cast.priya])
    outside = permissions.make_circle(by=cast.amara, name="Math", members=[cast.tom, cast.ben])
    client.force_login(cast.amara)
    address = reverse("clips:share", args=[clip.key])
    assert client.post(address, share_form(f"circle:{outside.pk}")).status_code == 422
    assert client.post(address, share_form(f"circle:{inside.pk}")).status_code == 302
    assert queries.clip_for(cast.tom, clip.key)
    permissions.add_to_circle(by=cast.amara, circle=inside, person=cast.ben)
    assert not queries.clip_for(cast.ben, clip.key)


@pytest.mark.parametrize(
    "target", ["person:0", "person:x", "circle:1", "organization:999", "", "person:99999999999999999999"]
)
def test_a_target_that_is_none_is_refused(cast: Cast, clip: Clip, client: Client, target: str) -> None:
    client.force_login(cast.amara)
    assert client.post(reverse("clips:share", args=[clip.key]), share_form(target)).status_code == 422
    assert not Share.objects.exists()


def test_a_colleague_is_found_by_part_of_the_name(cast: Cast, clip: Clip, client: Client) -> None:
    client.force_login(cast.amara)
    page = client.get(reverse("clips:share", args=[clip.key]), {"q": "lindq"}, headers={"HX-Request": "true"})
    text = page.content.decode()
    assert "Tom Lindqvist" in text
    assert "Ben Castillo" not in text
    assert "<html" not in text
    found = client.get(reverse("clips:share", args=[clip.key]), {"q": "castillo"}).content.decode()
    assert "outside the school" in found


def test_a_loan_ends_on_its_day_and_not_before(cast: Cast, lent: Clip) -> None:
    assert queries.clip_for(cast.priya, lent.key)
    Share.objects.update(expires_at=timezone.now())
    assert not queries.clip_for(cast.priya, lent.key)


def test_a_loan_without_an_end_to_come_is_refused(cast: Cast, clip: Clip, client: Client) -> None:
    client.force_login(cast.amara)
    for until in ("2020-01-01", "", "soon", "9999-12-31"):
        form = {**share_form(f"person:{cast.priya.pk}"), "until": until}
        assert client.post(reverse("clips:share", args=[clip.key]), form).status_code == 422, until
    assert not Share.objects.exists()


def test_what_is_taken_back_is_gone_at_once_for_page_and_media(cast: Cast, lent: Clip, client: Client) -> None:
    client.force_login(cast.priya)
    assert client.get(lent.get_absolute_url()).status_code == 200
    assert client.get(reverse("clips:media", args=[lent.key])).status_code == 200
    assert client.post(reverse("clips:retract", args=[lent.key])).status_code == 404
    client.force_login(cast.amara)
    client.post(reverse("clips:retract", args=[lent.key]))
    client.force_login(cast.priya)
    assert client.get(lent.get_absolute_url()).status_code == 404
    assert client.get(reverse("clips:media", args=[lent.key])).status_code == 404
    assert "Leo" not in client.get(reverse("lessons:shared")).content.decode()
    client.force_login(cast.amara)
    assert client.get(lent.get_absolute_url()).status_code == 200


def test_what_is_taken_back_waits_for_nobody_any_more(cast: Cast, lent: Clip) -> None:
    """A notice of a clip that one cannot open would lead nowhere; whoever can still open it keeps theirs."""
    actions.share_clip(by=cast.amara, clip=lent, audience="person", person=cast.tom, until=in_two_weeks())
    actions.reply(by=cast.priya, about=lent, text="How long did you wait?")
    actions.retract_clip(by=cast.amara, clip=lent, share=Share.objects.get(person=cast.priya))
    waiting = Notice.objects.filter(url=lent.get_absolute_url(), read_at=None)
    assert {notice.recipient for notice in waiting} == {cast.tom, cast.amara}


def test_what_ended_by_its_date_waits_for_nobody_any_more(cast: Cast, lent: Clip) -> None:
    waiting = Notice.objects.filter(url=lent.get_absolute_url(), read_at=None)
    tasks.set_aside_ended.call()
    assert waiting.get().recipient == cast.priya
    Share.objects.update(expires_at=timezone.now() - timedelta(minutes=5))
    tasks.set_aside_ended.call()
    assert not waiting.exists()


def test_one_loan_is_taken_back_and_the_other_stays(cast: Cast, lent: Clip, client: Client) -> None:
    actions.share_clip(by=cast.amara, clip=lent, audience="person", person=cast.tom, until=in_two_weeks())
    share = Share.objects.get(person=cast.tom)
    client.force_login(cast.amara)
    client.post(reverse("clips:retract", args=[lent.key]), {"share": str(share.key)})
    assert not queries.clip_for(cast.tom, lent.key)
    assert queries.clip_for(cast.priya, lent.key)
    assert client.post(reverse("clips:retract", args=[lent.key]), {"share": "nonsense"}).status_code == 404


def test_a_second_loan_to_the_same_person_replaces_the_first(cast: Cast, lent: Clip) -> None:
    actions.share_clip(by=cast.amara, clip=lent, audience="person", person=cast.priya, until=in_two_weeks())
    assert [reach.share.person for reach in queries.reach_of(lent)] == [cast.priya]


def test_a_withdrawn_yes_ends_loans_that_leave_the_school(
    cast: Cast, clip: Clip, django_capture_on_commit_callbacks: object
) -> None:
    all_say_yes(cast)
    for person in (cast.ben, cast.priya):
        actions.share_clip(by=cast.amara, clip=clip, audience="person", person=person, until=in_two_weeks())
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        permissions.record_consent(by=cast.grace, student=cast.leo, answer="no")
    assert Share.objects.get(person=cast.ben).retracted_at is not None
    assert Share.objects.get(person=cast.priya).retracted_at is None
    assert Notice.objects.filter(recipient=cast.amara, kind="loan_ended_by_consent").exists()


@pytest.mark.parametrize("who", ["tom", "priya", "grace", "omar"])
def test_nobody_else_lends_or_takes_back(cast: Cast, lent: Clip, who: str) -> None:
    person = getattr(cast, who)
    with pytest.raises(PermissionDenied):
        actions.share_clip(by=person, clip=lent, audience="person", person=cast.ben, until=in_two_weeks())
    with pytest.raises(PermissionDenied):
        actions.retract_clip(by=person, clip=lent)
    with pytest.raises(PermissionDenied):
        actions.remove_clip(by=person, clip=lent)


def test_download_is_off_unless_policy_and_owner_allow_it(cast: Cast, lent: Clip, client: Client) -> None:
    client.force_login(cast.priya)
    assert client.post(reverse("clips:download", args=[lent.key])).status_code == 404
    with pytest.raises(ValidationError):
        actions.share_clip(
            by=cast.amara, clip=lent, audience="person", person=cast.priya, until=in_two_weeks(), may_download=True
        )
    permissions.set_policy(by=cast.omar, organization=cast.district, settings={"may_download": True})
    actions.share_clip(
        by=cast.amara, clip=lent, audience="person", person=cast.priya, until=in_two_weeks(), may_download=True
    )
    assert client.post(reverse("clips:download", args=[lent.key])).status_code == 302
    assert [access.deed for access in queries.accesses_of(lent)] == ["downloaded"]


def test_removing_a_clip_leaves_the_lesson_and_the_owners_notes(cast: Cast, lent: Clip, client: Client) -> None:
    own = actions.note_moment(by=cast.amara, lesson=lent.lesson, text="mine", start_ms=250_000)
    theirs = actions.note_moment(by=cast.priya, lesson=lent.lesson, clip=lent, text="theirs", start_ms=250_000)
    client.force_login(cast.amara)
    assert client.get(reverse("clips:delete", args=[lent.key])).status_code == 200
    assert client.post(reverse("clips:delete", args=[lent.key])).status_code == 302
    kept = set(lent.lesson.moments.values_list("pk", flat=True))
    assert own.pk in kept
    assert theirs.pk not in kept
    assert not Derivative.objects.filter(kind=Derivative.Kind.CLIP).exists()
