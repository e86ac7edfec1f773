"""A lesson's life: begun, recorded or uploaded, looked at, prepared or refused, changed, deleted, purged."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staffroom.conversations.models import Comment, Draft, Notice, Thread
from staffroom.files import signals
from staffroom.files.actions import begin_upload, receive, take_in
from staffroom.files.models import Derivative, File, Upload
from staffroom.frameworks.actions import install_default
from staffroom.jobs.actions import run_waiting
from staffroom.people.models import Person
from staffroom.permissions import actions as permissions
from staffroom.permissions.models import Consent, Share
from staffroom.records.models import Statement
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import actions, recordings
from staffroom.seeing.lessons.demo import make_lessons
from staffroom.seeing.lessons.models import Clip, Lesson, Moment, Sitting
from tests.cast import Cast
from tests.lessons.conftest import ready_file, ready_lesson

FORM = {"title": "Fractions", "section": "", "taught_on": "2026-11-17", "focus": "Wait time", "focus_element": ""}


def upload_of(owner: Person, **fields: object) -> Upload:
    return Upload.objects.create(
        owner=owner, name="l.mp4", purpose="lesson", expires_at=timezone.now() + timedelta(days=1), **fields
    )  # fmt: skip


def test_an_upload_that_is_on_its_way_becomes_the_lessons_recording(cast: Cast, client: Client) -> None:
    client.force_login(cast.amara)
    upload = upload_of(cast.amara, size=1000)
    form = {**FORM, "section": str(cast.section.pk), "upload": str(upload.key)}
    answer = client.post(reverse("lessons:new") + "?how=upload", form)
    assert answer.headers["Location"] == "/lessons/fractions/"
    page = client.get("/lessons/fractions/").content.decode()
    assert "Uploading the recording" in page
    assert reverse("lessons:progress", args=["fractions"]) in page
    file = ready_file(cast.amara)
    Derivative.objects.all().delete()
    Upload.objects.filter(pk=upload.pk).update(file=file, finished_at=timezone.now())
    signals.file_ready.send(File, file=file)
    assert {derivative.kind for derivative in file.derivatives.all()} == {
        "web_video",
        "poster",
        "storyboard",
        "waveform",
    }
    assert "Preparing the video" in client.get("/lessons/fractions/").content.decode()
    Derivative.objects.update(state=Derivative.State.READY, path="nowhere", media_type="video/mp4")
    assert "<video" in client.get("/lessons/fractions/").content.decode()
    polled = client.get(reverse("lessons:progress", args=["fractions"]), headers={"HX-Request": "true"})
    assert (polled.status_code, polled.headers["HX-Refresh"]) == (204, "true")


def test_a_recording_that_broke_off_is_used_as_far_as_it_arrived(cast: Cast, client: Client) -> None:
    lesson = actions.begin_lesson(by=cast.amara, title="Fractions")
    upload = begin_upload(
        by=cast.amara, name="l.webm", size=None, purpose="lesson", metadata={"lesson": str(lesson.key)}
    )
    client.force_login(cast.amara)
    finish = reverse("lessons:finish_recording", args=[lesson.slug])
    assert "Nothing of this recording has arrived" in client.post(finish, follow=True).content.decode()
    receive(by=cast.amara, upload=upload, offset=0, chunks=[b"half a recording"])
    Upload.objects.update(touched_at=timezone.now() - timedelta(minutes=5))
    assert "Use what arrived" in client.get(lesson.get_absolute_url()).content.decode()
    client.force_login(cast.tom)
    assert client.post(finish, {"upload": str(upload.key)}).status_code == 404
    client.force_login(cast.amara)
    for _time in range(2):
        assert client.post(finish, {"upload": str(upload.key)}).status_code == 302
        file = Lesson.objects.get().file
        assert (file.size, file.owner) == (16, cast.amara)
    run_waiting()
    assert recordings.progress_of(Lesson.objects.get()).state == "refused"


def test_a_refused_recording_says_why_and_what_to_do(cast: Cast, client: Client) -> None:
    lesson = actions.begin_lesson(by=cast.amara, title="Fractions")
    upload = upload_of(cast.amara, metadata={"lesson": str(lesson.key)})
    file = ready_file(cast.amara)
    File.objects.filter(pk=file.pk).update(state=File.State.REFUSED, refusal="It holds no picture and no sound.")
    Upload.objects.filter(pk=upload.pk).update(file=file)
    signals.file_refused.send(File, file=File.objects.get(pk=file.pk))
    assert Notice.objects.get(recipient=cast.amara).kind == "recording_refused"
    client.force_login(cast.amara)
    page = client.get(lesson.get_absolute_url()).content.decode()
    assert "It holds no picture and no sound." in page
    assert "Record again" in page
    assert recordings.progress_of(Lesson.objects.get()).state == "refused"
    again = ready_file(cast.amara)
    assert actions.attach_file(by=cast.amara, lesson=Lesson.objects.get(), file=again).file == again


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, "This field is required"),
        ({"taught_on": "2999-01-01"}, "has come already"),
        ({"taught_on": "yesterday"}, "valid date"),
        ({"section": "999999"}, "Select a valid choice"),
        ({"upload": ""}, "Choose the recording"),
        ({"upload": "not-a-key"}, "Choose the recording"),
    ],
)
def test_a_lesson_that_cannot_be_is_refused_in_words(
    cast: Cast, client: Client, change: dict[str, str], words: str
) -> None:
    client.force_login(cast.amara)
    upload = upload_of(cast.amara, size=10)
    answer = client.post(reverse("lessons:new") + "?how=upload", {**FORM, "upload": str(upload.key), **change})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "Wait time" in answer.content.decode()
    assert not Lesson.objects.exists()


def test_somebody_elses_upload_file_or_section_is_not_hers(cast: Cast, client: Client) -> None:
    client.force_login(cast.tom)
    upload = upload_of(cast.amara, size=10)
    assert client.post(reverse("lessons:new") + "?how=upload", {**FORM, "upload": str(upload.key)}).status_code == 422
    with pytest.raises(ValidationError):
        actions.begin_lesson(by=cast.tom, title="x", section=cast.section)
    lesson = actions.begin_lesson(by=cast.tom, title="x")
    for deed in (
        lambda: actions.attach_upload(by=cast.tom, lesson=lesson, upload=upload),
        lambda: actions.attach_file(by=cast.tom, lesson=lesson, file=ready_file(cast.amara)),
        lambda: actions.attach_upload(by=cast.amara, lesson=lesson, upload=upload),
    ):
        with pytest.raises(PermissionDenied):
            deed()


def test_a_recording_is_never_replaced_by_another(cast: Cast, lesson: Lesson) -> None:
    with pytest.raises(ValidationError):
        actions.attach_file(by=cast.amara, lesson=lesson, file=ready_file(cast.amara))


def test_two_lessons_of_one_title_have_two_addresses(cast: Cast) -> None:
    slugs = [
        actions.begin_lesson(by=cast.amara, title=title).slug for title in ("Fractions", "Fractions", "New", "数学")
    ]
    assert slugs == ["fractions", "fractions-2", "new-2", "lesson"]
    assert actions.begin_lesson(by=cast.tom, title="Fractions").slug == "fractions"


def test_policy_and_answers_are_shown_before_anything_is_recorded(cast: Cast, client: Client) -> None:
    for name, answer in (("leo", "yes"), ("mia", "in_school"), ("noah", "no")):
        Consent.objects.create(student=getattr(cast, name), answer=answer)
    client.force_login(cast.amara)
    page = client.get(reverse("lessons:new") + "?how=record").content.decode()
    assert "1 of 4 families said yes; 1 in school only; 2 no or unknown" in page
    assert "Zoe (unknown)" in page
    assert "Miller" not in page
    client.force_login(cast.tom)
    assert "Zoe" not in client.get(reverse("lessons:new") + "?how=record").content.decode()


def test_what_was_typed_waits_when_the_page_is_opened_again(cast: Cast, client: Client) -> None:
    client.force_login(cast.amara)
    client.post(reverse("conversations:draft", args=["lesson:new"]), {**FORM, "title": "Half a tit"})
    page = client.get(reverse("lessons:new")).content.decode()
    assert "Half a tit" in page
    assert "What you had typed is back." in page
    client.post(reverse("lessons:new") + "?how=record", FORM)
    assert not Draft.objects.exclude(body={}).exists()


def test_a_lesson_is_changed_and_keeps_its_address(cast: Cast, lesson: Lesson, client: Client) -> None:
    client.force_login(cast.amara)
    address = reverse("lessons:change", args=[lesson.slug])
    assert "Fractions on Tuesday" in client.get(address).content.decode()
    assert client.post(address, {**FORM, "title": ""}).status_code == 422
    assert client.post(address, {**FORM, "title": "Renamed"}).headers["Location"] == lesson.get_absolute_url()
    lesson.refresh_from_db()
    assert (lesson.title, lesson.section, lesson.focus) == ("Renamed", None, "Wait time")


def test_deleting_takes_everything_and_leaves_the_ledger(cast: Cast, lent: Clip, client: Client) -> None:
    lesson = lent.lesson
    moment = actions.note_moment(by=cast.priya, lesson=lesson, clip=lent, text="x", start_ms=250_000)
    actions.reply(by=cast.amara, about=moment, text="y")
    actions.reply(by=cast.priya, about=lent, text="z")
    entries = Statement.objects.count()
    client.force_login(cast.amara)
    page = client.get(reverse("lessons:delete", args=[lesson.slug])).content.decode()
    assert "1 note" in page
    assert client.post(reverse("lessons:delete", args=[lesson.slug])).status_code == 302
    for model in (Lesson, Clip, Moment, Sitting, Thread, Comment, File, Derivative):
        assert not model.objects.exists(), model
    assert Share.objects.get().retracted_at is not None
    assert Statement.objects.count() > entries


def test_lessons_are_purged_when_their_end_has_come(cast: Cast, lesson: Lesson) -> None:
    other = ready_lesson(cast.amara, cast.section, "Another")
    Lesson.objects.filter(pk=lesson.pk).update(ends_on=timezone.localdate() - timedelta(days=1))
    permissions.purge_ended()
    assert list(Lesson.objects.all()) == [other]
    assert File.objects.count() == 1


def test_erasing_a_teacher_takes_her_lessons_and_a_colleagues_words(cast: Cast, lent: Clip) -> None:
    moment = actions.note_moment(by=cast.priya, lesson=lent.lesson, clip=lent, text="x", start_ms=250_000)
    actions.reply(by=cast.priya, about=moment, text="mine")
    permissions.erase(by=cast.priya, person=cast.priya)
    assert not Moment.objects.filter(text="x").exists()
    assert not Comment.objects.filter(text="mine").exists()
    permissions.erase(by=cast.amara, person=cast.amara)
    assert not Lesson.objects.exists()


def test_the_original_is_downloaded_by_its_owner_and_logged(cast: Cast, lesson: Lesson, client: Client) -> None:
    client.force_login(cast.amara)
    answer = client.post(reverse("lessons:original", args=[lesson.slug]))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/media/")
    assert Statement.objects.filter(actor=cast.amara, verb=verbs.DOWNLOADED.iri).exists()


def test_lists_are_bounded_and_ask_the_same_of_the_database(
    cast: Cast, client: Client, django_assert_max_num_queries: object
) -> None:
    file = ready_file(cast.amara)
    for day in range(35):
        Lesson.objects.create(
            owner=cast.amara, title=f"Day {day}", slug=f"day-{day}", ends_on=timezone.localdate(), section=cast.section,
            taught_on=timezone.localdate() - timedelta(days=day // 2), file=file if day % 2 else None,
        )  # fmt: skip
    client.force_login(cast.amara)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        page = client.get(reverse("lessons:list")).content.decode()
    assert page.count('href="/lessons/day-') == 30
    older = page.split('rel="next" href="')[1].split('"')[0]
    rest = client.get(reverse("lessons:list") + older).content.decode()
    assert rest.count('href="/lessons/day-') == 5
    assert client.get(reverse("lessons:list") + "?before=nonsense.x").status_code == 200


def test_a_small_file_comes_with_the_form_where_there_is_no_javascript(cast: Cast, client: Client) -> None:
    client.force_login(cast.amara)
    file = SimpleUploadedFile("notes.mp4", b"this is no video")
    answer = client.post(reverse("lessons:new") + "?how=upload", {**FORM, "file": file})
    assert answer.status_code == 302
    assert recordings.progress_of(Lesson.objects.get()).state == "refused"
    assert "could not be used" in client.get(answer.headers["Location"]).content.decode()


@pytest.mark.slow
def test_real_media_is_watched_cut_and_lent(cast: Cast, client: Client, tmp_path: Path) -> None:
    from staffroom.home.demo.drawing import draw_lesson

    path = tmp_path / "lesson.mp4"
    draw_lesson(path, duration_s=40, seed=1)
    install_default()
    file = take_in(by=cast.amara, name="lesson.mp4", stream_or_path=path, purpose="lesson")
    lesson = make_lessons(teacher=cast.amara, files=[file], section=cast.section, coach=cast.priya)[0]
    assert [job.failure for job in run_waiting() if job.failure] == []
    assert recordings.progress_of(Lesson.objects.get(pk=lesson.pk)).state == "ready"
    clip = lesson.clips.get()
    client.force_login(cast.priya)
    source = client.get(reverse("clips:media", args=[clip.key])).json()["src"]
    answer = client.get(source, headers={"Range": "bytes=0-99"})
    assert (answer.status_code, len(b"".join(answer))) == (206, 100)  # type: ignore[arg-type]
    actions.retract_clip(by=cast.amara, clip=clip)
    assert client.get(source, headers={"Range": "bytes=100-199"}).status_code in (403, 404)
