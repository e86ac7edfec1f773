"""From the last byte to the last trace: files are looked at by jobs, others are made from them, and all of it ends."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from staffroom.files import actions, keeping, queries, signals
from staffroom.files.actions import making
from staffroom.files.media import apart
from staffroom.files.media.limits import Failed, OutOfRoom
from staffroom.files.models import Derivative, File, Upload
from staffroom.jobs import queries as jobs_queries
from staffroom.jobs.actions import run_waiting
from staffroom.jobs.models import Job
from staffroom.people.personal import declaration_of
from staffroom.permissions.actions import erase, purge_ended
from tests.files.test_looking import REFUSED

Kind = Derivative.Kind


@pytest.fixture
def said():
    """The files that signals told of."""
    heard: dict[str, list] = {"ready": [], "refused": []}

    def ready(sender, file, **kwargs):
        heard["ready"].append(file)

    def refused(sender, file, **kwargs):
        heard["refused"].append(file)

    signals.file_ready.connect(ready)
    signals.file_refused.connect(refused)
    yield heard
    signals.file_ready.disconnect(ready)
    signals.file_refused.disconnect(refused)


@pytest.fixture
def lesson(cast, sample):
    return actions.take_in(by=cast.amara, name="lesson.mp4", stream_or_path=sample("plain"))


def made(derivative: Derivative) -> Derivative:
    run_waiting()
    derivative.refresh_from_db()
    return derivative


def test_an_upload_becomes_a_file_that_was_looked_at(amara, sample, said):
    data = sample("plain").read_bytes()
    amara.upload(data, purpose="lesson")
    run_waiting()
    file = File.objects.get()
    assert (file.state, file.kind, file.duration_ms, file.width, file.height) == ("ready", "video", 2000, 160, 90)
    assert default_storage.open(file.path).read() == data
    assert not keeping.part_file(file.key).exists()
    assert said == {"ready": [file], "refused": []}
    assert file.ends_on > timezone.localdate()


@pytest.mark.parametrize("name", ["noise", "page.html", "only-head.mp4", "bomb.zip", "huge.png", "empty"])
def test_an_upload_that_cannot_be_used_is_refused_in_words_and_its_bytes_go(
    amara, said, name, django_capture_on_commit_callbacks
):
    data, _code = REFUSED[name]
    if data:
        amara.upload(data, name)
    else:
        amara.begin(0, name)
    with django_capture_on_commit_callbacks(execute=True):
        run_waiting()
    file = File.objects.get()
    assert file.state == File.State.REFUSED
    assert file.refusal.endswith(".")
    assert said == {"ready": [], "refused": [file]}
    assert not keeping.part_file(file.key).exists()
    assert queries.storage_used(file.owner) == 0
    assert [job.state for job in Job.objects.all()] == ["done"], "a refusal is an answer, not a failure"


def test_what_an_upload_is_for_decides_what_it_may_be(amara, cast, tmp_path):
    from PIL import Image

    photo = io.BytesIO()
    Image.new("RGB", (20, 20)).save(photo, "PNG")
    amara.upload(photo.getvalue(), "lesson.png", purpose="lesson")
    run_waiting()
    assert File.objects.get().refusal == "This kind of file cannot be used here."
    photo.seek(0)
    assert actions.take_in(by=cast.amara, name="me.png", stream_or_path=photo, purpose="picture").state == "ready"


def test_looking_again_after_a_kill_ends_the_same(lesson, said):
    """Killed after the bytes were put away, before the row said so."""
    File.objects.filter(pk=lesson.pk).update(state=File.State.CHECKING, path="")
    again = actions.look_at(File.objects.get(pk=lesson.pk))
    assert (again.state, again.path) == ("ready", lesson.path)
    assert actions.look_at(again).state == "ready"
    assert said["ready"] == [lesson]


def test_a_file_whose_bytes_are_gone_says_so(cast):
    file = File.objects.create(owner=cast.amara, name="x", size=5, ends_on=timezone.localdate())
    assert actions.look_at(file).refusal == "The bytes of this file are missing."


def test_a_file_that_breaks_the_looker_is_refused_after_the_last_try(amara, monkeypatch):
    def crash(*args, **kwargs):
        raise Failed("ended")

    amara.upload(b"\0\0\0\x18ftypmp42" + b"\0" * 50)
    monkeypatch.setattr(apart, "run", crash)
    run_all_attempts()
    assert File.objects.get().state == File.State.REFUSED
    assert Job.objects.get().state == Job.State.FAILED


def test_a_full_disk_while_looking_loses_nothing(amara, monkeypatch, sample):
    data = sample("plain").read_bytes()
    amara.upload(data)
    real = apart.run

    def full(*args, **kwargs):
        raise OutOfRoom

    monkeypatch.setattr(apart, "run", full)
    run_all_attempts()
    file = File.objects.get()
    assert (file.state, Job.objects.get().state) == (File.State.CHECKING, Job.State.FAILED)
    assert keeping.part_file(file.key).path.read_bytes() == data
    monkeypatch.setattr(apart, "run", real)
    File.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert actions.look_again() == 1
    run_waiting()
    assert File.objects.get().state == File.State.READY


def run_all_attempts() -> None:
    for _attempt in range(10):
        Job.objects.filter(state=Job.State.WAITING).update(next_try_at=timezone.now())
        if not run_waiting():
            return


def test_everything_that_a_page_needs_is_made_by_jobs(lesson):
    kinds = [Kind.WEB_VIDEO, Kind.WEB_AUDIO, Kind.POSTER, Kind.STORYBOARD, Kind.WAVEFORM]
    for kind in kinds:
        actions.derive(lesson, kind)
    clip = actions.derive(lesson, Kind.CLIP, 500, 1500)
    assert made(clip).state == "ready"
    found = queries.derivatives_of(lesson)
    assert set(found) == set(kinds)
    assert all(each.state == "ready" and each.size == default_storage.size(each.path) for each in found.values())
    assert queries.clip_of(lesson, 500, 1500) == clip
    assert not list(keeping.workbench().iterdir())
    job = jobs_queries.jobs_about(clip).get()
    assert (job.state, job.by) == ("done", lesson.owner)


def test_asking_twice_makes_one(lesson):
    first = actions.derive(lesson, Kind.POSTER)
    assert actions.derive(lesson, Kind.POSTER) == first
    assert Job.objects.filter(kind="files.make").count() == 1
    made(first)
    assert actions.derive(lesson, Kind.POSTER).state == "ready"
    assert Job.objects.filter(kind="files.make").count() == 1


def test_making_again_what_is_made_changes_nothing(lesson):
    poster = made(actions.derive(lesson, Kind.POSTER))
    before = poster.made_at
    actions.make(poster)
    poster.state = Derivative.State.WAITING  # killed after the bytes were put away, before the row said so
    actions.make(poster)
    assert poster.made_at > before
    assert len(dict(keeping.all_names())) == 2


@pytest.mark.parametrize(("start", "end"), [(5, 5), (9, 3), (-1, 5), (0, 0)])
def test_a_clip_of_no_range_is_refused(lesson, start, end):
    with pytest.raises(ValueError, match="range"):
        actions.derive(lesson, Kind.CLIP, start, end)


def test_what_cannot_be_made_says_why_and_is_not_tried_again(cast, sample):
    mute = actions.take_in(by=cast.amara, name="mute.mp4", stream_or_path=sample("mute", audio=None))
    waveform = made(actions.derive(mute, Kind.WAVEFORM))
    assert (waveform.state, waveform.failure) == ("failed", "The recording has no sound.")
    job = jobs_queries.jobs_about(waveform).get()
    assert (job.state, job.attempts, job.failure) == ("failed", 1, "The recording has no sound.")


def test_a_full_disk_while_making_is_tried_again_and_then_told(lesson, monkeypatch):
    real = apart.run

    def full(*args, **kwargs):
        raise OutOfRoom

    monkeypatch.setattr(making.apart, "run", full)
    poster = actions.derive(lesson, Kind.POSTER)
    with pytest.raises(OSError, match="No space left"):
        actions.make(poster)
    poster.refresh_from_db()
    assert (poster.state, poster.failure) == ("waiting", "The disk is full. Nothing is lost; it will be tried again.")
    assert made(poster).state == "waiting"
    assert "No space left" in jobs_queries.jobs_about(poster).get().failure
    monkeypatch.setattr(making.apart, "run", real)
    run_all_attempts()
    poster.refresh_from_db()
    assert (poster.state, poster.failure) == ("ready", "")


def test_a_derivation_that_breaks_every_time_fails_in_the_end(lesson, monkeypatch):
    def crash(*args, **kwargs):
        raise Failed("ended")

    monkeypatch.setattr(making.apart, "run", crash)
    poster = actions.derive(lesson, Kind.POSTER)
    run_all_attempts()
    poster.refresh_from_db()
    assert poster.state == "failed"
    assert poster.failure


def test_removing_a_file_removes_all_that_was_made_from_it(lesson, django_capture_on_commit_callbacks):
    made(actions.derive(lesson, Kind.POSTER))
    waiting = actions.derive(lesson, Kind.WAVEFORM)
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove(lesson)
    run_waiting()
    assert not Derivative.objects.filter(pk=waiting.pk).exists()
    assert list(keeping.all_names()) == []


def test_a_file_that_is_removed_while_something_is_made_leaves_nothing(
    lesson, monkeypatch, django_capture_on_commit_callbacks
):
    poster = actions.derive(lesson, Kind.POSTER)
    real = apart.run

    def removed_meanwhile(*args, **kwargs):
        result = real(*args, **kwargs)
        actions.remove(File.objects.get(pk=lesson.pk))
        return result

    monkeypatch.setattr(making.apart, "run", removed_meanwhile)
    with django_capture_on_commit_callbacks(execute=True):
        actions.make(Derivative.objects.get(pk=poster.pk))
    assert list(keeping.all_names()) == []


def test_retention_takes_the_bytes(lesson, django_capture_on_commit_callbacks):
    made(actions.derive(lesson, Kind.POSTER))
    with django_capture_on_commit_callbacks(execute=True):
        purge_ended(lesson.ends_on)
        assert File.objects.exists(), "it is kept until the end of its last day"
        purge_ended(lesson.ends_on + timedelta(days=1))
    assert not File.objects.exists()
    assert list(keeping.all_names()) == []


def test_erasing_a_person_takes_files_and_uploads(amara, cast, lesson, django_capture_on_commit_callbacks):
    amara.begin(100)
    with django_capture_on_commit_callbacks(execute=True):
        receipt = erase(by=cast.amara, person=cast.amara)
    assert receipt.counts["files.File"] >= 1
    assert not File.objects.exists()
    assert not Upload.objects.exists()
    assert list(keeping.all_names()) == []
    assert not [path for path in (keeping.part_file(lesson.key).path.parent).iterdir() if path.suffix != ".lock"]


def test_my_record_can_export_the_file_itself(lesson):
    declaration = declaration_of(File)
    ((name, opened),) = declaration.files(lesson)
    with opened:
        assert (name, len(opened.read())) == ("lesson.mp4", lesson.size)
    assert "lesson.mp4" in declaration.describe(lesson)
    assert declaration.export(lesson)["sha256"] == lesson.sha256


def test_health_finds_what_is_missing_and_what_belongs_to_nothing(lesson):
    assert queries.health().is_well
    keeping.part_file(lesson.key).create()
    stray = keeping.workbench() / "stray"
    stray.write_bytes(b"12345")
    keeping.keep(stray, "originals/zz/stray")
    keeping.remove(lesson.path)
    found = queries.health()
    assert (found.missing, found.orphans, found.orphan_bytes) == ([lesson.path], ["originals/zz/stray"], 5)
    assert not found.is_well


def test_the_workbench_is_cleared_of_what_a_killed_worker_left(own_data):
    old, young = keeping.workbench() / "making-old", keeping.workbench() / "making-young"
    for path in (old, young):
        path.touch()
    import os

    os.utime(old, (1, 1))
    assert keeping.clear_workbench() == 1
    assert young.exists()
